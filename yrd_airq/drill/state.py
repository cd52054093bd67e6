"""What the drill's air consists of: species, their units and molar masses, and the state of the air."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float32]

CARRIED = (
    *("no", "no2", "o3", "n2o5", "hcho", "ald", "mgly", "par", "ole", "aro", "isop", "co", "pan", "h2o2"),
    *("tno3", "so2", "so4", "soa", "nhx", "pm", "dust"),
)
"""Species that the wind carries. Gases in ppb; ``tno3`` (nitric acid and particulate nitrate), ``so4`` and
``nhx`` (ammonia and ammonium) in ppb too; ``soa``, ``pm`` (primary fine) and ``dust`` (primary, 2.5 to
10 µm) in µg/m³ of air at 298.15 K and 1013.25 hPa.

VOC are lumps of the carbon-bond kind: ``par`` paraffin bonds (one per carbon), ``ole`` olefins, ``aro``
aromatics, ``isop`` isoprene, ``hcho``, ``ald`` higher aldehydes, ``mgly`` dicarbonyls."""

RADICALS = ("oh", "ho2", "xo2", "xo2n", "c2o3", "no3")
"""Species too short-lived to be carried; ppb."""

SPECIES = (*CARRIED, *RADICALS)
"""All species, in the order of the first axis of a state."""

EMITTED = ("nox", "voc", "so2", "co", "pm", "dust", "nh3")
"""What sources give off, in the order of the first axis of an emission field; NOx as NO2."""

LUMPS = ("par", "ole", "aro", "isop", "hcho", "ald", "mgly")
"""The species that are VOC."""

INDEX = {name: place for place, name in enumerate(SPECIES)}
"""Place of each species on the first axis of a state."""

_MOLAR_L = 24.465
# g/mol; the lumps of VOC as what they stand for: a CH2 group, propene, half toluene and half xylene.
MOLAR_MASS = {
    **{"no": 30.006, "no2": 46.006, "o3": 47.998, "n2o5": 108.01, "co": 28.010, "so2": 64.066, "pan": 121.05},
    **{"hcho": 30.026, "ald": 51.0, "mgly": 72.06, "par": 14.4, "ole": 42.08, "aro": 99.2, "isop": 68.12},
    **{"h2o2": 34.01, "tno3": 62.005, "so4": 96.06, "nhx": 17.031},
}
"""Molar masses, g/mol; ``tno3`` as nitrate, ``nhx`` as ammonia."""


def ugm3_per_ppb(species: str) -> float:
    """µg/m³ at 298.15 K and 1013.25 hPa that one unit of a species makes; 1 for those held in µg/m³."""
    return MOLAR_MASS[species] / _MOLAR_L if species in MOLAR_MASS else 1.0


@dataclass(frozen=True)
class State:
    """The air at ``time`` (naive Beijing): ``values`` (SPECIES, layer, lat, lon), float32."""

    time: pd.Timestamp
    values: Floats
