"""VOC by what ozone they can form instead of by mass: reactivity of an enterprise's VOC by its sector."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.attribution.chemistry import OzoneChemistry


def sector_reactivity(sector: pd.Series, chemistry: OzoneChemistry) -> NDArray[np.float64]:
    """Ozone formed per mass of VOC over the region's mean, one number per enterprise.

    Times its VOC mass this is the enterprise's ozone formation potential (OFP) but for a constant.
    """
    known = {code: mark.value for code, mark in chemistry.reactivity.items()}
    return np.asarray(sector.map(known).fillna(chemistry.other_sectors.value), dtype=float)
