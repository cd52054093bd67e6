"""Means over days, over neighbours and upwind, and the filling of gaps, never from the future."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yrd_airq.region import distance_km

Array = NDArray[np.float64]

NEAR_KM = 100.0
UPWIND_KM = 250.0
CARRY_DAYS = 7
_OFFSET_DAYS = 30
_FAINT = 1e-3


@dataclass(frozen=True)
class Filled:
    """A daily series without short gaps; arrays (city, date).

    ``value``: observed, else from the neighbours of the same day, else carried on for up to seven days;
    NaN beyond. ``age``: days since the city's own last observation (0 = observed that day), NaN before it.
    """

    value: Array
    age: Array


def running_mean(values: Array, days: int, prior: int = 0) -> Array:
    """Mean of the last ``days`` dates, the date itself included, over whatever of them is observed.

    ``prior`` days of value 0 are counted in, which draws means of few days towards 0.
    """
    valid = np.isfinite(values)
    total = np.cumsum(np.where(valid, values, 0.0), axis=1)
    count = np.cumsum(valid, axis=1)
    total[:, days:] -= total[:, :-days].copy()
    count[:, days:] -= count[:, :-days].copy()
    return np.where(count > 0, total / np.maximum(count + prior, 1), np.nan)


def delayed(values: Array, days: int) -> Array:
    """The series ``days`` dates earlier: element d becomes the value of date d − ``days``."""
    out = np.full(values.shape, np.nan)
    if days < values.shape[1]:
        out[:, days:] = values[:, : values.shape[1] - days]
    return out


def fill_gaps(values: Array, lonlat: Array) -> Filled:
    """Fill missing city-days causally: from near cities the same day, else from the city's last value.

    The neighbour value is shifted by the mean difference between the city and its neighbours over the
    30 days before, so that a rural city does not jump to an urban level.
    """
    near = neighbour_mean(values, lonlat, NEAR_KM)
    offset = delayed(running_mean(values - near, _OFFSET_DAYS), 1)
    guess = np.maximum(near + np.nan_to_num(offset), 0.0)
    filled = np.where(np.isfinite(values), values, guess)
    return Filled(carry(filled, CARRY_DAYS), _days_since(np.isfinite(values)))


def proximity(lonlat: Array, scale_km: float) -> Array:
    """Weights exp(−distance / scale) between cities, (city, other city), zero on the diagonal."""
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    weight = np.exp(-distance_km(lon[:, None], lat[:, None], lon[None, :], lat[None, :]) / scale_km)
    np.fill_diagonal(weight, 0.0)
    return weight


def neighbour_mean(values: Array, lonlat: Array, scale_km: float) -> Array:
    """Distance-weighted mean of the other cities on the same date; NaN where none is observed."""
    weight = proximity(lonlat, scale_km)
    valid = np.isfinite(values)
    total = weight @ np.where(valid, values, 0.0)
    norm = weight @ valid.astype(float)
    return np.where(norm > 0, total / np.where(norm > 0, norm, 1.0), np.nan)


def _days_since(observed: NDArray[np.bool_]) -> Array:
    position = np.arange(observed.shape[1])
    last = np.maximum.accumulate(np.where(observed, position, -1), axis=1)
    return np.where(last >= 0, position - last, np.nan)


def carry(values: Array, days: int) -> Array:
    """The last observed value carried on for at most ``days`` dates."""
    since = _days_since(np.isfinite(values))
    source = (np.arange(values.shape[1]) - np.nan_to_num(since)).astype(int)
    carried = np.take_along_axis(values, source, axis=1)
    return np.where(since <= days, carried, np.nan)


def mean_over_cities(values: Array) -> Array:
    """Mean over the cities observed on a date, repeated for every city; NaN where none is."""
    valid = np.isfinite(values)
    count = valid.sum(axis=0)
    mean = np.where(count > 0, np.where(valid, values, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
    return np.broadcast_to(mean, values.shape)


def upwind_mean(values: Array, u: Array, v: Array, lonlat: Array) -> Array:
    """Mean of ``values`` over the other cities, weighted by nearness and by how far they lie upwind.

    ``u``, ``v``: wind at the receiving city (m/s, towards east and north). Weight = exp(−distance /
    250 km) · max(0, cos angle)², the angle between the wind and the way from the other city to this one.
    A city with no other upwind keeps its own value; NaN where the wind is missing.
    """
    lon, lat = lonlat[:, 0], lonlat[:, 1]
    east = (lon[:, None] - lon[None, :]) * np.cos(np.radians(lat.mean()))
    north = lat[:, None] - lat[None, :]
    length = np.hypot(east, north)
    np.fill_diagonal(length, 1.0)
    speed = np.maximum(np.hypot(u, v), 1e-6)
    cosine = (u / speed).T[:, :, None] * (east / length) + (v / speed).T[:, :, None] * (north / length)
    weight = proximity(lonlat, UPWIND_KM) * np.maximum(cosine, 0.0) ** 2
    weight = np.where(np.isfinite(weight) & np.isfinite(values).T[:, None, :], weight, 0.0)
    total = np.einsum("dij,dj->id", weight, np.nan_to_num(values).T)
    norm = weight.sum(axis=2).T
    own = np.where(np.isfinite(u), values, np.nan)
    return np.where(norm > _FAINT, total / np.maximum(norm, _FAINT), own)
