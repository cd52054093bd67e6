"""What is stated of a forecast AQI: a range, at most two adjacent levels, at most two pollutants."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.forecast.aqi_settings import AqiForecastSettings
from yrd_airq.standards.aqi import LEVELS, level_index
from yrd_airq.vocab import Pollutant

Array = NDArray[np.float64]

# Ranges are given in multiples of five and are at least ten wide.
_STEP = 5
_NARROWEST = 10
_LOWER = np.array([level.lower for level in LEVELS], dtype=float)
_UPPER = np.array([level.upper for level in LEVELS], dtype=float)
_POLLUTANTS = np.array([*Pollutant], dtype=object)


def state(aqi: Array, first: Array, settings: AqiForecastSettings) -> pd.DataFrame:
    """Statement of each city-day from draws of its AQI (city-day, draw).

    ``first`` (city-day, ``Pollutant``) is how often each is a first pollutant. Columns ``aqi_lo``,
    ``aqi_hi``, ``level_lo``, ``level_hi``, ``p_range`` (share of the draws within the range) and ``first``.
    The range is the central one that holds the
    configured share of the draws, not wider than allowed for the median's level, and cut to that level and
    the likelier one beside it. Pollutants are named where the range goes beyond 50.
    """
    low, high = _range(aqi, settings)
    named = _name(first, high, settings)
    levels = level_index(np.stack([low, high]))
    whole = {"aqi_lo": low, "aqi_hi": high, "level_lo": levels[0], "level_hi": levels[1]}
    frame = pd.DataFrame({name: values.astype(np.int64) for name, values in whole.items()})
    frame["p_range"] = ((aqi >= low[:, None]) & (aqi <= high[:, None])).mean(axis=1)
    frame["first"] = named
    return frame


def _range(aqi: Array, settings: AqiForecastSettings) -> tuple[Array, Array]:
    share = settings.range_share.value
    low, median, high = np.quantile(aqi, ((1 - share) / 2, 0.5, (1 + share) / 2), axis=1)
    level = level_index(median) - 1
    widest = np.array([float(width) for width in settings.widest])[level]
    # A range too wide is narrowed in proportion on both sides of the median, one too narrow widened.
    width = np.maximum(high - low, 1e-9)
    wanted = np.clip(width, _NARROWEST, widest)
    below = np.where(high > low, (median - low) / width, 0.5)
    low = _round(median - below * wanted)
    high = _round(median + (1 - below) * wanted)
    # A range that begins on the edge of a class would name a level that it barely touches.
    low = np.where(np.isin(low, _UPPER) & (low + _STEP <= median), low + _STEP, low)
    high = np.maximum(high, low + _NARROWEST)
    first, last = _two_levels(aqi, level)
    low, high = np.maximum(low, np.maximum(_LOWER[first], 1.0)), np.minimum(high, _UPPER[last])
    return np.where(low >= high, high - _STEP, low), high


def _two_levels(aqi: Array, level: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First and last of the two levels (0 … 5) that may be named: the median's and its likelier neighbour."""
    below = (aqi < _LOWER[level][:, None]).mean(axis=1)
    above = (aqi > _UPPER[level][:, None]).mean(axis=1)
    down = (below > above) & (level > 0)
    first = np.where(down, level - 1, level)
    return first, np.minimum(np.where(down, level, level + 1), len(LEVELS) - 1)


def _name(first: Array, high: Array, settings: AqiForecastSettings) -> NDArray[np.object_]:
    """The pollutants named, likeliest first, as tuples; the second from a share of the days that have any."""
    order = np.argsort(-first, axis=1, kind="stable")[:, :2]
    share = np.take_along_axis(first, order, axis=1)
    total = first.sum(axis=1)
    second = share[:, 1] >= settings.second_from.value * np.maximum(total, 1e-9)
    count = np.where((high > 50) & (total > 0), 1 + second, 0)
    named = np.empty(len(first), dtype=object)
    named[:] = [tuple(_POLLUTANTS[pair[:n]]) for pair, n in zip(order, count, strict=True)]
    return named


def _round(value: Array) -> Array:
    return np.asarray(np.floor(value / _STEP + 0.5) * _STEP)
