"""Concentration limits of GB 3095 table 1 by date and grade.

GB 3095-2012 and GB 3095-2026 (transition to 2030-12-31, second stage from 2031-01-01). Units are
µg/m³, CO mg/m³; gases at 298.15 K and 1013.25 hPa, particles at actual conditions (§3.14, §4.3).
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum

from yrd_airq.errors import InputError
from yrd_airq.standards.versions import LimitStage, stage_of
from yrd_airq.vocab import Pollutant, Target


class Averaging(StrEnum):
    """Averaging time of a limit; for ozone ``DAY`` is the daily maximum 8-h mean."""

    YEAR = "year"
    DAY = "day"
    HOUR = "1h"


_Limits = dict[tuple[Pollutant, Averaging], tuple[float, float]]
_P, _A = Pollutant, Averaging

_LIMITS_2012: _Limits = {
    (_P.SO2, _A.YEAR): (20, 60),
    (_P.SO2, _A.DAY): (50, 150),
    (_P.SO2, _A.HOUR): (150, 500),
    (_P.NO2, _A.YEAR): (40, 40),
    (_P.NO2, _A.DAY): (80, 80),
    (_P.NO2, _A.HOUR): (200, 200),
    (_P.CO, _A.DAY): (4, 4),
    (_P.CO, _A.HOUR): (10, 10),
    (_P.O3, _A.DAY): (100, 160),
    (_P.O3, _A.HOUR): (160, 200),
    (_P.PM10, _A.YEAR): (40, 70),
    (_P.PM10, _A.DAY): (50, 150),
    (_P.PM25, _A.YEAR): (15, 35),
    (_P.PM25, _A.DAY): (35, 75),
}
_LIMITS_TRANSITION: _Limits = _LIMITS_2012 | {
    (_P.PM10, _A.YEAR): (40, 60),
    (_P.PM10, _A.DAY): (50, 120),
    (_P.PM25, _A.YEAR): (15, 30),
    (_P.PM25, _A.DAY): (35, 60),
}
_LIMITS_2031: _Limits = _LIMITS_TRANSITION | {
    (_P.SO2, _A.YEAR): (20, 20),
    (_P.SO2, _A.DAY): (50, 50),
    (_P.SO2, _A.HOUR): (150, 150),
    (_P.NO2, _A.YEAR): (30, 30),
    (_P.NO2, _A.DAY): (50, 50),
    (_P.PM10, _A.YEAR): (20, 50),
    (_P.PM10, _A.DAY): (50, 100),
    (_P.PM25, _A.YEAR): (10, 25),
    (_P.PM25, _A.DAY): (25, 50),
}
_LIMITS = {
    LimitStage.GB3095_2012: _LIMITS_2012,
    LimitStage.GB3095_2026_TRANSITION: _LIMITS_TRANSITION,
    LimitStage.GB3095_2026: _LIMITS_2031,
}


def limit(pollutant: Pollutant, averaging: Averaging, stage: LimitStage, grade: int = 2) -> float:
    """Limit of ``grade`` 1 or 2 (class I or II areas); ``InputError`` where table 1 has none."""
    if grade not in (1, 2):
        raise InputError(f"GB 3095 has grades 1 and 2, not {grade}")
    try:
        return float(_LIMITS[stage][pollutant, averaging][grade - 1])
    except KeyError as exc:
        raise InputError(f"{stage} has no limit for {pollutant} with averaging time {averaging}") from exc


def daily_limit(target: Target, day: date, grade: int = 2, stage: LimitStage | None = None) -> float:
    """Daily limit of ``target`` on ``day``, or under the named ``stage``.

    Raises ``InputError`` for ``o3_mean``: ozone is limited by its largest 8-h mean, not by its daily mean.
    """
    if target is Target.O3_MEAN:
        raise InputError("GB 3095 has no limit for the daily mean of ozone; use o3_mda8")
    return limit(target.info.pollutant, Averaging.DAY, stage or stage_of(day), grade)
