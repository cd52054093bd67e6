"""Daily statistics of hourly values and percentiles, with the validity rules of GB 3095 and HJ 663.

Hours are hour-ending: the 24 values of a day are labelled 01:00 … 24:00, along the last axis of every
array. Values are concentrations, missing ones NaN. An invalid statistic is NaN.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from yrd_airq.errors import InputError
from yrd_airq.standards.limits import Averaging, limit
from yrd_airq.standards.settings import EvaluationRules, load_standards
from yrd_airq.standards.versions import LimitStage
from yrd_airq.vocab import Pollutant

HOURS_OF_DAY: Final = 24
WINDOW: Final = 8
# GB 3095-2026 table 4 (unchanged from 2012).
MIN_HOURS_OF_DAY: Final = 20
MIN_HOURS_OF_WINDOW: Final = 6
# The O3 limit that validates an incomplete day is the same in every version.
_O3_LIMIT: Final = limit(Pollutant.O3, Averaging.DAY, LimitStage.GB3095_2012)
# An average of 24 readings stated in thousandths is never this close to a rounding tie without being
# one, so this removes binary noise (0.45000000000000007 → 0.45) and cannot round twice.
_NOISE_DIGITS: Final = 9


def denoise(mean: ArrayLike) -> NDArray[np.float64]:
    """A mean without the noise of binary summation, so that a decimal tie is seen as a tie."""
    return np.asarray(mean, dtype=np.float64).round(_NOISE_DIGITS)


def running_8h(hourly: ArrayLike) -> NDArray[np.float64]:
    """Moving 8-h means, shape (…, n) → (…, n − 7); element i averages the hours i+1 … i+8.

    A mean needs at least 6 of its 8 hours (GB 3095-2026 table 4).
    """
    values = np.asarray(hourly, dtype=np.float64)
    last = values.shape[-1] - WINDOW + 1
    if last < 1:
        raise InputError(f"an 8-h mean needs at least {WINDOW} hours, got {values.shape[-1]}")
    present = np.isfinite(values)
    filled = np.where(present, values, 0.0)
    total = np.zeros((*values.shape[:-1], last))
    count = np.zeros(total.shape, dtype=np.int64)
    for k in range(WINDOW):
        total += filled[..., k : k + last]
        count += present[..., k : k + last]
    return _mean(total, count, MIN_HOURS_OF_WINDOW)


def mda8(hourly: ArrayLike, rules: EvaluationRules | None = None) -> NDArray[np.float64]:
    """Daily maximum 8-h mean of hours 1 … 24, shape (…, 24) → (…).

    The 17 windows end at hours 8 … 24, so none reaches into the day before (GB 3095-2026 §3.10; HJ 663).
    Valid with enough valid windows (``rules.mda8_min_windows``), or with fewer when it exceeds 160 µg/m³.
    """
    rules = rules or load_standards().hj663_2013
    windows = running_8h(_one_day(hourly))
    valid = np.isfinite(windows)
    largest = np.where(valid, windows, -np.inf).max(axis=-1)
    enough = valid.sum(axis=-1) >= rules.mda8_min_windows.value
    return np.where(np.isfinite(largest) & (enough | (largest > _O3_LIMIT)), largest, np.nan)


def daily_mean(hourly: ArrayLike) -> NDArray[np.float64]:
    """Mean of hours 1 … 24, shape (…, 24) → (…); needs 20 hours (GB 3095-2026 §3.9, table 4)."""
    values = _one_day(hourly)
    present = np.isfinite(values)
    return _mean(np.where(present, values, 0.0).sum(axis=-1), present.sum(axis=-1), MIN_HOURS_OF_DAY)


def percentile(values: ArrayLike, percent: float) -> NDArray[np.float64]:
    """Percentile along the last axis, missing values left out: (…, n) → (…).

    With m values sorted, k = 1 + (m − 1)·p lies between two of them and is interpolated linearly
    (HJ 663-2013, recalled: high).
    """
    if not 0 <= percent <= 100:
        raise InputError(f"a percentile lies between 0 and 100, got {percent}")
    ordered = np.sort(np.asarray(values, dtype=np.float64), axis=-1)
    count = np.isfinite(ordered).sum(axis=-1)
    place = np.maximum(count - 1, 0) * percent / 100
    low = np.floor(place).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    at_low = np.take_along_axis(ordered, low[..., None], axis=-1)[..., 0]
    at_high = np.take_along_axis(ordered, high[..., None], axis=-1)[..., 0]
    return denoise(at_low + (at_high - at_low) * (place - low))


def _mean(total: NDArray[np.float64], count: NDArray[np.int64], minimum: int) -> NDArray[np.float64]:
    return np.where(count >= minimum, denoise(total / np.maximum(count, 1)), np.nan)


def _one_day(hourly: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(hourly, dtype=np.float64)
    if values.shape[-1:] != (HOURS_OF_DAY,):
        raise InputError(f"a day has {HOURS_OF_DAY} hours on the last axis, got shape {values.shape}")
    return values
