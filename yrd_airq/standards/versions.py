"""Which version of a standard governs a day.

HJ 633-2026 and GB 3095-2026 replaced the 2012 versions on 2026-03-01; GB 3095-2026 tightens its
limits a second time on 2031-01-01. The date of the *data* decides, not the date of the calculation;
every function that depends on a version also takes it by name, so any day can be recomputed.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

IN_FORCE_2026 = date(2026, 3, 1)
SECOND_STAGE = date(2031, 1, 1)


class Standard(StrEnum):
    """Version of the AQI rules."""

    HJ633_2012 = "HJ 633-2012"
    HJ633_2026 = "HJ 633-2026"


class LimitStage(StrEnum):
    """Set of concentration limits of GB 3095."""

    GB3095_2012 = "GB 3095-2012"
    GB3095_2026_TRANSITION = "GB 3095-2026 (2026-03-01–2030-12-31)"
    GB3095_2026 = "GB 3095-2026 (2031-01-01–)"


def standard_of(day: date) -> Standard:
    """Version of HJ 633 in force on ``day``; a time of day is ignored."""
    return Standard.HJ633_2012 if _as_date(day) < IN_FORCE_2026 else Standard.HJ633_2026


def stage_of(day: date) -> LimitStage:
    """Limits of GB 3095 in force on ``day``; a time of day is ignored."""
    plain = _as_date(day)
    if plain < IN_FORCE_2026:
        return LimitStage.GB3095_2012
    return LimitStage.GB3095_2026_TRANSITION if plain < SECOND_STAGE else LimitStage.GB3095_2026


def standards_of(days: pd.DatetimeIndex) -> NDArray[np.object_]:
    """``standard_of`` for every stamp of ``days``, same length, as an object array of ``Standard``."""
    old = np.asarray(days < pd.Timestamp(IN_FORCE_2026))
    names = np.array([Standard.HJ633_2026, Standard.HJ633_2012], dtype=object)
    return names[old.astype(int)]


def _as_date(day: date) -> date:
    return day.date() if isinstance(day, datetime) else day
