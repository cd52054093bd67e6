"""Courses of the 24-h index that the warning tiers are judged on: hours observed, hours ahead, days beyond.

Where the hourly forecast ends, and in archives without hours, the daily forecast goes on: each day stands for
its 24 hours. A course keeps its rank from the hours into the days, and from day to day, so that bad courses
stay bad: runs come out as long as the daily quantiles allow, which errs on the side of a warning.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from yrd_airq.clock import day_of_label
from yrd_airq.errors import InputError
from yrd_airq.forecast.hourly_aqi import RunningAqi, running_mean_24h
from yrd_airq.forecast.hourly_features import LEAD_HOURS
from yrd_airq.forecast.intervals import Z_HIGH
from yrd_airq.standards.aqi import iaqi
from yrd_airq.standards.breakpoints import Item
from yrd_airq.standards.tiers import HOURS_OF_DAY
from yrd_airq.standards.versions import standard_of, standards_of
from yrd_airq.vocab import Target

Array = NDArray[np.float64]

PAST_DAYS = 7
"""Days of observations before the issue: long enough for the longest run that a rule asks for."""
_DAILY_COURSES = 200
_ITEMS = {Target.PM25: Item.PM25_24H, Target.O3_MDA8: Item.O3_MDA8}
_TOP_O3_8H = 800.0


@dataclass(frozen=True)
class TierCourses:
    """Hourly 24-h index of PM2.5 and of ozone, (course, city, hour), NaN missing.

    ``times``: hour-ending labels; the first ``now`` of them are observed, the same in every course (of ozone
    nothing is observed here). ``hourly``: whether hours were forecast, or days alone.
    """

    adcodes: tuple[str, ...]
    times: pd.DatetimeIndex
    now: int
    pm25: Array
    ozone: Array
    hourly: bool


def tier_courses(
    issue_time: datetime,
    adcodes: tuple[str, ...],
    rows: pd.DataFrame,
    daily: pd.DataFrame,
    hourly: pd.DataFrame | None = None,
    running: RunningAqi | None = None,
) -> TierCourses:
    """The courses of one issue.

    ``rows``: daily forecast rows, one a city-day and target. ``daily`` (adcode, date, target, value) and
    ``hourly`` (adcode, time, pollutant, value): observed. ``running``: the hourly forecast as courses. An
    archive without hours knows nothing of the issue date itself. ``InputError`` without forecast rows of
    PM2.5.
    """
    wanted = rows[rows["target"] == Target.PM25.value]
    if wanted.empty:
        raise InputError("no forecast of pm25, so no warning tier can be judged")
    last = pd.Timestamp(wanted["valid_date"].max()) + pd.Timedelta(days=1)
    issue = pd.Timestamp(issue_time).floor("h")
    begin = issue.normalize() - timedelta(days=PAST_DAYS)
    times = pd.date_range(begin + pd.Timedelta(hours=1), last, freq="h")
    now = int(times.searchsorted(issue, side="right"))
    own = {t: None if running is None else running.courses.get(t.info.pollutant.value) for t in _ITEMS}
    count = next((len(courses) for courses in own.values() if courses is not None), _DAILY_COURSES)
    laid = {}
    for target in _ITEMS:
        ranks = _ranks(own[target], count, len(adcodes))
        laid[target] = _of_days(_draw_days(rows, target, adcodes, ranks), times, ranks.shape)
        _overwrite(laid[target], own[target], now)
    laid[Target.PM25][:, :, :now] = _observed(times[:now], adcodes, daily, hourly)
    laid[Target.O3_MDA8][:, :, :now] = np.nan
    return TierCourses(adcodes, times, now, laid[Target.PM25], laid[Target.O3_MDA8], running is not None)


def _ranks(courses: Array | None, count: int, cities: int) -> Array:
    """Probability at which each course stands, (course, city): by its last day of hours, else in order."""
    strata = (np.arange(count) + 0.5) / count
    if courses is None:
        return np.repeat(strata[:, None], cities, axis=1)
    late = np.nan_to_num(courses[:, :, -HOURS_OF_DAY:]).mean(axis=2)
    order = np.argsort(np.argsort(late, axis=0, kind="stable"), axis=0, kind="stable")
    return np.asarray(strata[order])


def _draw_days(
    rows: pd.DataFrame, target: Target, adcodes: tuple[str, ...], ranks: Array
) -> dict[pd.Timestamp, Array]:
    """Index (course, city) of every forecast day, on the two half-normals through its quantiles."""
    own = rows[rows["target"] == target.value]
    found = {}
    deviate = ndtri(ranks) / Z_HIGH
    for day in pd.DatetimeIndex(own["valid_date"].unique()).sort_values():
        part = own[own["valid_date"] == day]
        table = part.set_index("adcode").reindex(list(adcodes))
        middle = table["q50"].fillna(table["mean"]).to_numpy(dtype=float)
        low, high = (table[name].to_numpy(dtype=float) for name in ("q10", "q90"))
        width = np.where(deviate > 0, np.where(np.isnan(high), 0, high - middle), 0.0)
        width = np.where(deviate < 0, np.where(np.isnan(low), 0, middle - low), width)
        value = np.maximum(middle + deviate * width, 0.0)
        value = np.minimum(value, _TOP_O3_8H) if target is Target.O3_MDA8 else value
        standard = standard_of(day)
        found[day] = iaqi(_ITEMS[target], value, standard)
    return found


def _of_days(days: dict[pd.Timestamp, Array], times: pd.DatetimeIndex, shape: tuple[int, ...]) -> Array:
    """Indices of days (course, city) at their hours (course, city, hour); NaN elsewhere."""
    belongs = pd.DatetimeIndex(days).get_indexer(day_of_label(times))
    stacked = np.stack([*days.values(), np.full(shape, np.nan)], axis=2)
    return stacked[:, :, belongs]


def _overwrite(laid: Array, courses: Array | None, now: int) -> None:
    """Put the hours of the hourly forecast, where it speaks, in place of those of the days."""
    if courses is None:
        return
    ahead = laid[:, :, now : now + LEAD_HOURS]
    hours = ahead.shape[2]
    ahead[...] = np.where(np.isfinite(courses[:, :, :hours]), courses[:, :, :hours], ahead)


def _observed(
    times: pd.DatetimeIndex, adcodes: tuple[str, ...], daily: pd.DataFrame, hourly: pd.DataFrame | None
) -> Array:
    """Observed index of PM2.5 (city, hour): running means where there are hours, else days."""
    if hourly is not None and len(hourly):
        wide = pd.date_range(times[0] - pd.Timedelta(hours=HOURS_OF_DAY - 1), times[-1], freq="h")
        own = hourly[hourly["pollutant"] == Target.PM25.info.pollutant.value]
        table = own.pivot_table(index="adcode", columns="time", values="value")
        value = running_mean_24h(table.reindex(index=list(adcodes), columns=wide).to_numpy(dtype=float))
        days = day_of_label(times)
    else:
        own = daily[daily["target"] == Target.PM25.value]
        days = day_of_label(times)
        table = own.pivot_table(index="adcode", columns="date", values="value")
        value = table.reindex(index=list(adcodes), columns=days).to_numpy(dtype=float)
    index = np.full(value.shape, np.nan)
    standards = standards_of(days)
    for standard in sorted(set(standards)):
        inside = standards == standard
        index[:, inside] = iaqi(Item.PM25_24H, value[:, inside], standard)
    return index
