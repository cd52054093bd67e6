"""Evaluation of a period from its daily values: validity, composite index, exceedance (GB 3095, HJ 663).

Daily values are arrays (day, place), missing or invalid ones NaN. Nothing is rounded here but where a
rule compares rounded figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from yrd_airq.errors import InputError
from yrd_airq.standards.limits import Averaging, limit
from yrd_airq.standards.rounding import round_half_even
from yrd_airq.standards.settings import CompositeRules, EvaluationRules
from yrd_airq.standards.versions import LimitStage
from yrd_airq.vocab import Pollutant, Target

_Array = NDArray[np.float64]
# GB 3095-2026 table 4 (unchanged from 2012).
MIN_DAYS_OF_MONTH: Final = 27
MIN_DAYS_OF_FEBRUARY: Final = 25
MIN_DAYS_OF_YEAR: Final = 324
_WITHOUT_ANNUAL_LIMIT: Final = (Pollutant.CO, Pollutant.O3)


def valid_period(valid: ArrayLike, days: pd.DatetimeIndex, rules: EvaluationRules) -> NDArray[np.bool_]:
    """Whether the valid days, shape (day, place), make a period valid; shape (place,).

    ``days`` are all days of the period. A calendar year needs 324 days, and every whole calendar month 27
    (February 25): GB 3095-2026 table 4, taken for the percentiles of CO and O3 too (HJ 663). A period
    that is not made of whole months needs the share ``rules.short_period_share`` of its days.
    """
    counted = np.asarray(valid, dtype=bool)
    if len(days) == 0 or len(days) != len(counted):
        raise InputError(f"a period of {len(days)} days cannot be judged by {len(counted)} daily values")
    total = counted.sum(axis=0)
    if not _whole_months(days):
        # an epsilon, as 0.9 × 30 need not be exactly 27
        return np.asarray(total >= rules.short_period_share.value * len(days) - 1e-9)
    month = np.asarray(days.year * 12 + days.month)
    enough = np.ones(counted.shape[1:], dtype=bool)
    for number in np.unique(month):
        february = (number - 1) % 12 == 1
        needed = MIN_DAYS_OF_FEBRUARY if february else MIN_DAYS_OF_MONTH
        enough &= counted[month == number].sum(axis=0) >= needed
    whole_year = days[0].is_year_start and days[-1].is_year_end
    years = days[-1].year - days[0].year + 1
    return enough & (total >= MIN_DAYS_OF_YEAR * years) if whole_year else enough


def exceeds(daily: ArrayLike, target: Target, stage: LimitStage) -> NDArray[np.bool_]:
    """Days above the class II daily limit; compared as rounded for the AQI (HJ 633-2026 §4.2.2)."""
    rounded = np.asarray(round_half_even(np.asarray(daily, dtype=np.float64), _digits(target)))
    with np.errstate(invalid="ignore"):
        return rounded > limit(target.info.pollutant, Averaging.DAY, stage)


def multiple(value: ArrayLike, limit_value: ArrayLike) -> _Array:
    """Exceedance multiple (超标倍数) C/S − 1 of values above a limit, NaN elsewhere (HJ 663)."""
    array, bound = np.asarray(value, dtype=np.float64), np.asarray(limit_value, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return np.where(array > bound, array / bound - 1, np.nan)


def annual_limit(target: Target, stage: LimitStage) -> float:
    """Class II annual limit, NaN for CO and O3, which have none."""
    pollutant = target.info.pollutant
    if pollutant in _WITHOUT_ANNUAL_LIMIT:
        return np.nan
    return limit(pollutant, Averaging.YEAR, stage)


def index_limit(target: Target, stage: LimitStage) -> float:
    """S of the composite index: class II annual limit, the daily one for CO and O3."""
    pollutant = target.info.pollutant
    daily = pollutant in _WITHOUT_ANNUAL_LIMIT
    return limit(pollutant, Averaging.DAY if daily else Averaging.YEAR, stage)


def composite_index(
    concentrations: Mapping[Target, ArrayLike], stage: LimitStage, rules: CompositeRules
) -> tuple[_Array, dict[Target, _Array]]:
    """Composite index I = Σ w·C/S and its items C/S; NaN where an item is missing.

    ``concentrations`` holds for each item of the rules the figure that enters (mean or percentile), arrays
    of one shape. Raises ``InputError`` if an item is not given.
    """
    missing = [target.value for target in rules.items if target not in concentrations]
    if missing:
        raise InputError(f"the composite index needs {', '.join(missing)} too")
    single = {
        target: np.asarray(concentrations[target], dtype=np.float64) / index_limit(target, stage)
        for target in rules.items
    }
    weights = rules.weights or {}
    weighted = [value * (float(weights[t]) if t in weights else 1.0) for t, value in single.items()]
    return np.asarray(np.sum(weighted, axis=0)), single


def _digits(target: Target) -> int:
    return 1 if target is Target.CO else 0


def _whole_months(days: pd.DatetimeIndex) -> bool:
    return bool(days[0].is_month_start and days[-1].is_month_end)


def days_between(first: date, last: date) -> pd.DatetimeIndex:
    """Every day of a period, both ends included; ``InputError`` if it ends before it begins."""
    if last < first:
        raise InputError(f"the period ends ({last}) before it begins ({first})")
    return pd.date_range(first, last, freq="D")
