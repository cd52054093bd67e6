"""What the national network's hourly release carries beside its hourly values: a named convention, as found.

The release does not follow the text of HJ 633-2012 and HJ 663-2013 everywhere. The functions here recompute
each released item as the release really does, and the convention says where that differs from the text.
They serve to check a release and to fill one in; an evaluation uses ``standards.statistics``.

Arrays are (hour, station) with consecutive hour-ending labels down; ``hours`` is the hour 1 … 24 of each
label in its natural day. Missing values are NaN. A window that begins before the first hour gives NaN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from yrd_airq.clock import hours_of_day
from yrd_airq.errors import InputError
from yrd_airq.standards.aqi import iaqi
from yrd_airq.standards.breakpoints import Item
from yrd_airq.standards.rounding import round_half_even
from yrd_airq.standards.statistics import HOURS_OF_DAY, WINDOW, denoise
from yrd_airq.standards.versions import Standard
from yrd_airq.vocab import Pollutant

_Array = NDArray[np.float64]
AQI: Final = "aqi"


class Window(StrEnum):
    """Hours that a released value at hour h of a natural day stands for."""

    LAST_24H = "the 24 hours up to the label"
    LAST_8H_OF_DAY = "the 8 hours up to the label, but none of the day before"
    DAY_SO_FAR = "the hours of the natural day up to the label"


@dataclass(frozen=True)
class ReleasedItem:
    """A running value of the release: its pollutant, window, ``statistic`` (mean, max, max_8h) and decimals.

    ``half_even`` is false where exact ties go to either side without a rule that could be found.
    """

    pollutant: Pollutant
    window: Window
    statistic: str
    digits: int = 0
    half_even: bool = True


@dataclass(frozen=True)
class Finding:
    """How an item is really made, what the text says of it, and how often that holds on complete windows."""

    item: str
    release: str
    text: str
    equal: int
    compared: int


@dataclass(frozen=True)
class ReleaseConvention:
    """A release's own rules, with the data they were found on."""

    name: str
    found_on: str
    first: date
    last: date
    findings: tuple[Finding, ...]


_P, _W = Pollutant, Window
RELEASED_ITEMS: Final[Mapping[str, ReleasedItem]] = {
    "pm25_24h": ReleasedItem(_P.PM25, _W.LAST_24H, "mean"),
    "pm10_24h": ReleasedItem(_P.PM10, _W.LAST_24H, "mean"),
    "so2_24h": ReleasedItem(_P.SO2, _W.LAST_24H, "mean"),
    "no2_24h": ReleasedItem(_P.NO2, _W.LAST_24H, "mean"),
    "co_24h": ReleasedItem(_P.CO, _W.LAST_24H, "mean", digits=1, half_even=False),
    "o3_24h": ReleasedItem(_P.O3, _W.LAST_24H, "max"),
    "o3_8h": ReleasedItem(_P.O3, _W.LAST_8H_OF_DAY, "mean"),
    "o3_8h_24h": ReleasedItem(_P.O3, _W.DAY_SO_FAR, "max_8h"),
}
"""The running items, by their name in the store; beside them the release carries ``aqi``."""

_MEAN_24H = "mean of the 24 hours up to the label, of those at hand, however few; half to even"
_TEXT_24H = "GB 3095 table 4: a daily mean needs 20 hours"
CNEMC_RELEASE: Final = ReleaseConvention(
    name="CNEMC_RELEASE",
    found_on=(
        "hourly release of the national centre as archived by quotsoft, 229 stations of Shanghai, Jiangsu, "
        "Zhejiang and Anhui; station-hours whose window is complete in the archive"
    ),
    first=date(2019, 1, 1),
    last=date(2019, 9, 30),
    findings=(
        Finding("pm25_24h", _MEAN_24H, _TEXT_24H, 790_913, 791_057),
        Finding("pm10_24h", _MEAN_24H, _TEXT_24H, 592_824, 592_920),
        Finding("so2_24h", _MEAN_24H, _TEXT_24H, 804_056, 804_081),
        Finding("no2_24h", _MEAN_24H, _TEXT_24H, 798_895, 798_999),
        Finding(
            "co_24h",
            "mean of the released one-decimal hours; an exact tie of the second decimal goes either way",
            f"{_TEXT_24H}; GB/T 8170: a tie goes to the even digit",
            773_895,
            789_990,
        ),
        Finding(
            "o3_24h",
            "largest 1-h value of the 24 hours up to the label",
            "HJ 633-2012 §5.1: largest 1-h value of the natural day; the same at 0:00 of the next day only",
            780_924,
            780_927,
        ),
        Finding(
            "o3_8h",
            "mean of the 8 hours up to the label, in hours 1 … 7 of the hours of the day so far; however few",
            "GB 3095: moving mean of 8 hours, of which 6 are needed (table 4); no shorter one",
            1_055_461,
            1_055_634,
        ),
        Finding(
            "o3_8h_24h",
            "largest O3_8h of the natural day so far, the short means of hours 1 … 7 among them; "
            "at hour 24 of the 17 windows that end at hours 8 … 24 only, however few",
            "HJ 663-2013: largest of those 17 windows, 14 of them valid unless the limit is exceeded",
            1_004_448,
            1_004_557,
        ),
        Finding(
            "aqi",
            "largest IAQI of the 1-h means at hand, particles too, read against their daily breakpoints; "
            "withheld where PM10 was blank from 2019-04-23 to 2019-06-17, seldom before and after",
            "HJ 633-2012 §5.1: moving 24-h means of the particles, and the moving 8-h mean of ozone besides",
            1_073_740,
            1_073_740,
        ),
    ),
)
"""Nearly all running values that differ were made while an hour was still missing: at 2019-02-17 09:00 and
2019-03-10 10:00 the hour before. Whole hours that the archive lacks did enter the publisher's means."""

# 1-h particles are read against the daily breakpoints, as HJ 633-2026 has it since.
_AQI_ITEMS: Final = {
    _P.SO2: Item.SO2_1H,
    _P.NO2: Item.NO2_1H,
    _P.CO: Item.CO_1H,
    _P.O3: Item.O3_1H,
    _P.PM10: Item.PM10_24H,
    _P.PM25: Item.PM25_24H,
}


def released_value(item: str, hourly: ArrayLike, hours: ArrayLike) -> _Array:
    """``item`` from the hourly values of its pollutant, not yet rounded; shape of ``hourly``.

    Means and maxima are over the hours at hand, however few. Raises ``InputError`` for an unknown item.
    """
    made = _item(item)
    values, day_hour = np.asarray(hourly, dtype=np.float64), np.asarray(hours)
    if made.statistic == "mean":
        return _window_mean(values, made.window, day_hour)
    if made.statistic == "max":
        return _max_24h(values)
    return _max_8h_of_day(_window_mean(values, Window.LAST_8H_OF_DAY, day_hour), day_hour)


def window_hours(item: str, hours_with: ArrayLike, hours: ArrayLike) -> _Array:
    """How many hours of the window of ``item`` are true in ``hours_with``, an array (hour, station)."""
    return _window_sum(np.asarray(hours_with, dtype=np.float64), _item(item).window, np.asarray(hours))


def released_aqi(hourly: Mapping[Pollutant, ArrayLike], standard: Standard = Standard.HJ633_2012) -> _Array:
    """Hourly AQI as released: the largest IAQI of the 1-h means at hand; NaN where there are none.

    Particles are read against their daily breakpoints; no 24-h and no 8-h mean enters.
    """
    index = [iaqi(_AQI_ITEMS[Pollutant(p)], values, standard) for p, values in hourly.items()]
    return np.asarray(np.fmax.reduce(np.stack(index)))


def make_release(
    hourly: Mapping[Pollutant, pd.DataFrame], standard: Standard = Standard.HJ633_2012
) -> dict[str, pd.DataFrame]:
    """Every item of the release from dense hourly frames of one shape: name in the store → frame.

    Rounded half to even as released. A station that sends nothing at an hour is released nothing.
    Raises ``InputError`` where the hours are not consecutive.
    """
    index, columns, hours = _axes(hourly)
    arrays = {Pollutant(p): frame.to_numpy(dtype=np.float64) for p, frame in hourly.items()}
    sends = np.logical_or.reduce([np.isfinite(values) for values in arrays.values()])
    made = {AQI: released_aqi(arrays, standard)}
    for name, item in RELEASED_ITEMS.items():
        if item.pollutant in arrays:
            value = released_value(name, arrays[item.pollutant], hours)
            made[name] = np.asarray(round_half_even(value, item.digits))
    return {
        name: pd.DataFrame(np.where(sends, value, np.nan), index=index, columns=columns)
        for name, value in made.items()
    }


def _axes(hourly: Mapping[Pollutant, pd.DataFrame]) -> tuple[pd.DatetimeIndex, pd.Index, NDArray[np.int64]]:
    if not hourly:
        raise InputError("a release is made from hourly values of at least one pollutant; none were given")
    frame = next(iter(hourly.values()))
    index = pd.DatetimeIndex(frame.index)
    if len(index) > 1 and not (np.diff(index.to_numpy()) == np.timedelta64(1, "h")).all():
        raise InputError("running means need consecutive hours; put missing hours in as empty rows")
    return index, frame.columns, np.asarray(hours_of_day(index), dtype=np.int64)


def _item(name: str) -> ReleasedItem:
    try:
        return RELEASED_ITEMS[name]
    except KeyError as exc:
        known = ", ".join(RELEASED_ITEMS)
        raise InputError(f"the release has no running item {name!r}; it has: {known}") from exc


def _window_mean(values: _Array, window: Window, hours: NDArray[np.int64]) -> _Array:
    present = np.isfinite(values)
    count = _window_sum(present.astype(np.float64), window, hours)
    total = _window_sum(np.where(present, values, 0.0), window, hours)
    return np.where(count > 0, denoise(total / np.maximum(count, 1)), np.nan)


def _window_sum(values: _Array, window: Window, hours: NDArray[np.int64]) -> _Array:
    """Sum over the window that ends at each hour."""
    if window is Window.LAST_24H:
        return _sum_24h(values)
    cube, start = _days(values, hours, fill=0.0)
    if window is Window.DAY_SO_FAR:
        total = np.cumsum(cube, axis=1)
    else:
        total = np.zeros_like(cube)
        for k in range(WINDOW):
            total[:, k:] += cube[:, : HOURS_OF_DAY - k]
    flat = total.reshape(-1, values.shape[1])[start : start + len(values)]
    begins_before = _window_start(window, hours) < 0
    return np.where(begins_before[:, None], np.nan, flat)


def _window_start(window: Window, hours: NDArray[np.int64]) -> NDArray[np.int64]:
    """Row at which the window of each hour begins; negative before the first row."""
    length = hours if window is Window.DAY_SO_FAR else np.minimum(hours, WINDOW)
    return np.asarray(np.arange(len(hours)) - length + 1)


def _sum_24h(values: _Array) -> _Array:
    total = np.full(values.shape, np.nan)
    last = len(values) - HOURS_OF_DAY + 1
    if last < 1:
        return total
    total[HOURS_OF_DAY - 1 :] = 0.0
    for k in range(HOURS_OF_DAY):
        total[HOURS_OF_DAY - 1 :] += values[k : k + last]
    return total


def _max_24h(values: _Array) -> _Array:
    largest = np.full(values.shape, np.nan)
    last = len(values) - HOURS_OF_DAY + 1
    for k in range(HOURS_OF_DAY if last > 0 else 0):
        largest[HOURS_OF_DAY - 1 :] = np.fmax(largest[HOURS_OF_DAY - 1 :], values[k : k + last])
    return largest


def _max_8h_of_day(means: _Array, hours: NDArray[np.int64]) -> _Array:
    """Largest 8-h mean of the day so far; at hour 24 of the 17 windows that end at hours 8 … 24 only."""
    cube, start = _days(means, hours, fill=np.nan)
    largest = np.fmax.accumulate(cube, axis=1)
    largest[:, -1] = np.fmax.reduce(cube[:, WINDOW - 1 :], axis=1)
    flat = largest.reshape(-1, means.shape[1])[start : start + len(means)]
    begins_before = _window_start(Window.DAY_SO_FAR, hours) < 0
    return np.where(begins_before[:, None], np.nan, flat)


def _days(values: _Array, hours: NDArray[np.int64], fill: float) -> tuple[_Array, int]:
    """Whole days (day, 24 hours, station), padded with ``fill``, and the row at which the values begin."""
    start = int(hours[0]) - 1 if len(hours) else 0
    whole = -(-(start + len(values)) // HOURS_OF_DAY)
    padded = np.full((whole * HOURS_OF_DAY, values.shape[1]), fill)
    padded[start : start + len(values)] = values
    return padded.reshape(whole, HOURS_OF_DAY, values.shape[1]), start
