"""The compiled inner loop of the trajectories: Runge-Kutta steps on winds given on a regular grid.

One thread and a fixed order, so that the same winds always give the same bytes.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from yrd_airq.region import EARTH_RADIUS_KM

METRES_PER_DEGREE = np.pi / 180 * EARTH_RADIUS_KM * 1000
Array = NDArray[np.float64]


class WindField(NamedTuple):
    """Winds on a regular grid: ``u``, ``v`` (time, lat, lon) in m/s at ``seconds``; axes in degrees."""

    u: Array
    v: Array
    seconds: Array
    lon0: float
    lat0: float
    dlon: float
    dlat: float


@numba.njit(cache=True)
def _wind(wind: WindField, t: float, lon: float, lat: float) -> tuple[float, float]:
    """Wind bilinear in space, linear in time; blank off the grid, the end fields hold on beyond the span."""
    rows, columns = wind.u.shape[1], wind.u.shape[2]
    x, y = (lon - wind.lon0) / wind.dlon, (lat - wind.lat0) / wind.dlat
    if not (0.0 <= x <= columns - 1.0 and 0.0 <= y <= rows - 1.0):
        return np.nan, np.nan
    i, j = min(int(x), columns - 2), min(int(y), rows - 2)
    last = len(wind.seconds) - 1
    after = min(max(int(np.searchsorted(wind.seconds, t)), 1), last)
    before = max(after - 1, 0)
    span = wind.seconds[after] - wind.seconds[before]
    late = min(max((t - wind.seconds[before]) / span, 0.0), 1.0) if span > 0 else 0.0
    east, north = 0.0, 0.0
    for b in range(2):
        for a in range(2):
            weight = (x - i if a else 1.0 - (x - i)) * (y - j if b else 1.0 - (y - j))
            r, c = j + b, i + a
            east += weight * ((1.0 - late) * wind.u[before, r, c] + late * wind.u[after, r, c])
            north += weight * ((1.0 - late) * wind.v[before, r, c] + late * wind.v[after, r, c])
    return east, north


@numba.njit(cache=True)
def _velocity(wind: WindField, t: float, lon: float, lat: float, c: float, s: float) -> tuple[float, float]:
    """Degrees per second; the wind is turned and scaled by (c, s) = ratio · (cos, sin) of the turn."""
    east, north = _wind(wind, t, lon, lat)
    zonal = (c * east - s * north) / (METRES_PER_DEGREE * np.cos(np.radians(lat)))
    return zonal, (s * east + c * north) / METRES_PER_DEGREE


@numba.njit(cache=True)
def _step(wind: WindField, t: float, x: float, y: float, c: float, s: float, h: float) -> tuple[float, float]:
    """Place after one classic fourth-order Runge-Kutta step of ``h`` seconds."""
    ax, ay = _velocity(wind, t, x, y, c, s)
    bx, by = _velocity(wind, t + h / 2, x + ax * h / 2, y + ay * h / 2, c, s)
    cx, cy = _velocity(wind, t + h / 2, x + bx * h / 2, y + by * h / 2, c, s)
    dx, dy = _velocity(wind, t + h, x + cx * h, y + cy * h, c, s)
    return x + h / 6 * (ax + 2 * bx + 2 * cx + dx), y + h / 6 * (ay + 2 * by + 2 * cy + dy)


@numba.njit(cache=True)
def trace_parcels(
    wind: WindField, lon: Array, lat: Array, start: Array, c: Array, s: Array, steps: int, h: float
) -> tuple[Array, Array]:
    """Ways of parcels, shape (parcel, step + 1), in steps of ``h`` seconds (negative: back in time).

    ``start`` in seconds as in ``wind.seconds``. Blank from the step at which a parcel leaves the grid.
    """
    out_lon, out_lat = np.full((len(lon), steps + 1), np.nan), np.full((len(lon), steps + 1), np.nan)
    for p in range(len(lon)):
        x, y, t = lon[p], lat[p], start[p]
        out_lon[p, 0], out_lat[p, 0] = x, y
        for step in range(1, steps + 1):
            x, y = _step(wind, t, x, y, c[p], s[p], h)
            t += h
            if np.isnan(x) or np.isnan(y):
                break
            out_lon[p, step], out_lat[p, step] = x, y
    return out_lon, out_lat
