"""The running 24-h AQI that the warning rules ask for: hours observed and sample courses of hours ahead.

The index at an hour looks at the 24 hours that end there, across midnight: the mean of PM2.5 and the largest
8-h mean of ozone, read against the daily breakpoints of the standard in force on the hour's day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.clock import day_of_label
from yrd_airq.errors import InputError
from yrd_airq.forecast.hourly import HourlyForecast, valid_times
from yrd_airq.forecast.hourly_features import LEAD_HOURS
from yrd_airq.forecast.hourly_panel import DAY_HOURS, HourlyTarget
from yrd_airq.standards.aqi import iaqi
from yrd_airq.standards.breakpoints import Item
from yrd_airq.standards.settings import load_standards
from yrd_airq.standards.statistics import MIN_HOURS_OF_DAY, WINDOW, denoise, running_8h
from yrd_airq.standards.versions import standards_of

Array = NDArray[np.float64]

AQI = "aqi"
THRESHOLDS = (100, 150, 200, 300)
COLUMNS = (
    "adcode",
    "issue_time",
    "valid_time",
    "lead_h",
    "item",
    "aqi_mean",
    "q10",
    "q50",
    "q90",
    *(f"p_over_{limit}" for limit in THRESHOLDS),
)
_ITEMS = {HourlyTarget.PM25_1H: Item.PM25_24H, HourlyTarget.O3_1H: Item.O3_MDA8}
_TOP_O3_8H = 800.0
_MIN_SHARED = 50


@dataclass(frozen=True)
class RunningAqi:
    """Courses of the running 24-h index, by item: the pollutants (``pm25``, ``o3``) and ``aqi``, their
    largest.

    Arrays (course, city, lead hour 1 … 72); NaN where the hours behind an index are too few. The courses of
    one city belong together over the hours, so that the chance of a run of hours above a limit can be
    counted.
    """

    adcodes: tuple[str, ...]
    issue_time: datetime
    courses: Mapping[str, Array]

    def rows(self) -> pd.DataFrame:
        """Mean, quantiles and probability to exceed each of ``THRESHOLDS``, in the columns ``COLUMNS``."""
        return pd.concat([self._rows(item) for item in self.courses], ignore_index=True)

    def _rows(self, item: str) -> pd.DataFrame:
        courses = self.courses[item]
        stated = np.isfinite(courses).all(axis=0)
        values = np.where(stated, courses, 0.0)
        q10, q50, q90 = np.quantile(values, (0.1, 0.5, 0.9), axis=0)
        cities = len(self.adcodes)
        frame = pd.DataFrame(
            {
                "adcode": pd.Series(
                    np.repeat(np.asarray(self.adcodes, dtype=object), LEAD_HOURS), dtype="str"
                ),
                "issue_time": pd.Timestamp(self.issue_time),
                "valid_time": np.tile(valid_times(self.issue_time).to_numpy(), cities),
                "lead_h": np.tile(np.arange(1, LEAD_HOURS + 1), cities),
                "item": item,
                "aqi_mean": values.mean(axis=0).ravel(),
                "q10": q10.ravel(),
                "q50": q50.ravel(),
                "q90": q90.ravel(),
                **{f"p_over_{limit}": (values > limit).mean(axis=0).ravel() for limit in THRESHOLDS},
            }
        )
        return frame[stated.ravel()].reset_index(drop=True)


def running_aqi(forecasts: Sequence[HourlyForecast]) -> RunningAqi:
    """The running 24-h AQI of one issue from its hourly forecasts of PM2.5 and ozone, or of one of them.

    Courses of two pollutants are paired by the events whose errors they repeat, so that they keep their
    dependence; models trained on different days share too few events and are paired without it. ``aqi`` is
    stated where all given pollutants are. ``InputError`` for forecasts of different issues or a target given
    twice.
    """
    _check(forecasts)
    first = forecasts[0]
    times = valid_times(first.issue_time)
    chosen = _pair(forecasts)
    courses = {
        forecast.model.card.target.pollutant: _index_courses(forecast, rows, times)
        for forecast, rows in zip(forecasts, chosen, strict=True)
    }
    courses = {AQI: np.maximum.reduce(list(courses.values())), **courses}
    return RunningAqi(first.known.adcodes, first.issue_time, courses)


def _check(forecasts: Sequence[HourlyForecast]) -> None:
    if not forecasts:
        raise InputError("the running AQI needs an hourly forecast of at least one pollutant")
    if len({(forecast.issue_time, forecast.known.adcodes) for forecast in forecasts}) > 1:
        raise InputError("the hourly forecasts are of different issues or cities; give those of one issue")
    if len({forecast.model.card.target for forecast in forecasts}) < len(forecasts):
        raise InputError("an hourly target is given twice; give each once")


def _pair(forecasts: Sequence[HourlyForecast]) -> list[NDArray[np.int64]]:
    """Which stored courses of each forecast are used, in an order in which they belong together."""
    shared = forecasts[0].model.course_keys
    for forecast in forecasts[1:]:
        shared = np.intersect1d(shared, forecast.model.course_keys)
    if len(shared) >= _MIN_SHARED:
        return [np.searchsorted(forecast.model.course_keys, shared) for forecast in forecasts]
    count = min(len(forecast.model.courses) for forecast in forecasts)
    return [
        np.random.default_rng(k).permutation(len(f.model.courses))[:count] for k, f in enumerate(forecasts)
    ]


def _index_courses(forecast: HourlyForecast, chosen: NDArray[np.int64], times: pd.DatetimeIndex) -> Array:
    """Running index (course, city, lead hour) of one pollutant."""
    target = forecast.model.card.target
    ahead = forecast.sample()[chosen]
    behind = last_hours(forecast)
    hourly = np.concatenate([np.broadcast_to(behind, (len(ahead), *behind.shape)), ahead], axis=2)
    value = running_mean_24h(hourly) if target is HourlyTarget.PM25_1H else running_mda8(hourly)
    index = np.full(value.shape, np.nan)
    standards = standards_of(day_of_label(times))
    for standard in sorted(set(standards)):
        inside = standards == standard
        index[:, :, inside] = iaqi(_ITEMS[target], value[:, :, inside], standard)
    return index


def last_hours(forecast: HourlyForecast) -> Array:
    """The 23 hours up to the issue hour as observed, (city, hour)."""
    known, target = forecast.known, forecast.model.card.target
    flat = known.values[target.pollutant].reshape(len(known.adcodes), -1)
    end = known.index(forecast.issue_time.date()) * DAY_HOURS + forecast.issue_time.hour
    behind = flat[:, max(0, end - DAY_HOURS + 1) : end]
    return np.pad(behind, ((0, 0), (DAY_HOURS - 1 - behind.shape[1], 0)), constant_values=np.nan)


def running_mean_24h(hourly: Array) -> Array:
    """Means of 24 hours, (…, n) → (…, n − 23); each needs 20 of them (GB 3095-2026 table 4)."""
    present = np.isfinite(hourly)
    total, count = (_window_sums(part, DAY_HOURS) for part in (np.where(present, hourly, 0.0), present))
    return np.where(count >= MIN_HOURS_OF_DAY, denoise(total / np.maximum(count, 1)), np.nan)


def running_mda8(hourly: Array) -> Array:
    """Largest 8-h mean whose hours lie within each 24 hours, (…, n) → (…, n − 23).

    It needs as many valid 8-h means as the MDA8 of a natural day (HJ 663). Capped at 800 µg/m³, beyond which
    the 2012 table sends the reader to the 1-h value.
    """
    eight = running_8h(hourly)
    valid = np.isfinite(eight)
    windows = DAY_HOURS - WINDOW + 1
    size = eight.shape[-1] - windows + 1
    filled = np.where(valid, eight, -np.inf)
    largest = np.maximum.reduce([filled[..., k : k + size] for k in range(windows)])
    enough = _window_sums(valid, windows) >= load_standards().hj663_2013.mda8_min_windows.value
    return np.where(enough, np.minimum(largest, _TOP_O3_8H), np.nan)


def _window_sums(values: NDArray[np.generic], size: int) -> Array:
    total = np.cumsum(values, axis=-1, dtype=float)
    total[..., size:] -= total[..., :-size].copy()
    return np.asarray(total[..., size - 1 :])
