"""The calendar of people's doings: weekdays, days off by the State Council's notices, the Spring Festival."""

from __future__ import annotations

from functools import lru_cache

import holidays
import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]

FESTIVAL_DAYS = 5.0
_SPRING = "Chinese New Year (Spring Festival)"


def describe_days(days: pd.DatetimeIndex) -> dict[str, Array]:
    """Series over ``days``: weekday 0 … 6, day off (1) or workday (0), public holiday, nearness to New Year.

    Days off follow the yearly notices of the State Council (调休: weekends that are worked, weekdays that
    are not) as far as they are published; beyond that weekends and the holidays of the 国务院令第644号 rule.
    Nearness is exp(−days to the first day of the Spring Festival / 5), the fireworks and the empty towns.
    """
    years = range(int(days.year.min()) - 1, int(days.year.max()) + 2)
    free, worked, springs = _notices(years.start, years.stop)
    holiday = np.asarray(days.isin(free))
    weekend = np.asarray(days.dayofweek >= 5) & ~np.asarray(days.isin(worked))
    distance = np.abs((days.to_numpy()[:, None] - springs.to_numpy()[None, :]) / np.timedelta64(1, "D"))
    return {
        "weekday": np.asarray(days.dayofweek, dtype=float),
        "day_off": (holiday | weekend).astype(float),
        "holiday": holiday.astype(float),
        "spring_festival": np.exp(-distance.min(axis=1) / FESTIVAL_DAYS),
    }


@lru_cache(maxsize=32)
def _notices(first: int, stop: int) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex, pd.DatetimeIndex]:
    """Days off other than weekends, weekend days that are worked, and first days of the Spring Festival."""
    table = holidays.China(years=range(first, stop), language="en_US")
    free = pd.DatetimeIndex(sorted(table))
    spring = pd.DatetimeIndex(sorted(day for day, name in table.items() if _SPRING in name))
    springs = spring[~pd.Index(spring.year).duplicated()]
    return free, pd.DatetimeIndex(sorted(table.weekend_workdays)), springs
