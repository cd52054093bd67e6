"""The compiled loops of the trajectories: parcels carried by winds given on a regular grid.

Parcels are shared out over the cores; each is carried by one thread from start to end, so that the
same winds give the same bytes whatever the number of threads. All compiled functions stay in this one
file: the compiler's cache notices changes of a function's own file only.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from yrd_airq.region import EARTH_RADIUS_KM

METRES_PER_DEGREE = np.pi / 180 * EARTH_RADIUS_KM * 1000
RK4, PETTERSSEN = 0, 1
Array = NDArray[np.float64]
Ints = NDArray[np.int64]


class Lattice(NamedTuple):
    """Axes of winds on a regular grid: ``seconds`` of the fields, origin and steps in degrees, size."""

    seconds: Array
    lon0: float
    lat0: float
    dlon: float
    dlat: float
    columns: int
    rows: int


class Parcels(NamedTuple):
    """Where and when parcels start, and how each takes the wind.

    ``seconds`` as in the lattice. The wind is turned and scaled by (``cos``, ``sin``), the speed ratio
    times cosine and sine of the turn. ``variant`` is the number of the wind fields that carry a parcel;
    ``pressure`` (hPa) is read in three dimensions only.
    """

    lon: Array
    lat: Array
    pressure: Array
    seconds: Array
    cos: Array
    sin: Array
    variant: Ints


class Carrier(NamedTuple):
    """Winds in three dimensions.

    ``fields`` (time, level, lat, lon, component): u and v in m/s, omega in hPa/s; ``levels`` in hPa,
    rising. ``noise`` (variant, time, lat, lon, u and v) is added to the wind at every level; variant 0
    is left out.
    """

    fields: Array
    levels: Array
    noise: Array


@numba.njit(cache=True, error_model="numpy")
def _bracket(seconds: Array, t: float, near: int) -> tuple[int, int, float]:
    """Fields before and after ``t`` and the weight of the later one, sought from field ``near`` on.

    Beyond the span the end field holds on.
    """
    last = len(seconds) - 1
    if last == 0:
        return 0, 0, 0.0
    k = min(max(near, 0), last - 1)
    while k > 0 and t <= seconds[k]:
        k -= 1
    while k < last - 1 and t > seconds[k + 1]:
        k += 1
    late = (t - seconds[k]) / (seconds[k + 1] - seconds[k])
    return k, k + 1, min(max(late, 0.0), 1.0)


@numba.njit(cache=True, error_model="numpy")
def _place(at: Lattice, lon: float, lat: float) -> tuple[int, int, float, float]:
    """South-west corner of the mesh that holds a point and the weights of its far side; row −1: off it."""
    x, y = (lon - at.lon0) / at.dlon, (lat - at.lat0) / at.dlat
    if not (0.0 <= x <= at.columns - 1.0 and 0.0 <= y <= at.rows - 1.0):
        return -1, -1, 0.0, 0.0
    i, j = min(int(x), at.columns - 2), min(int(y), at.rows - 2)
    return j, i, y - j, x - i


@numba.njit(cache=True, error_model="numpy")
def _wind(
    fields: Array, at: Lattice, t: float, lon: float, lat: float, near: int
) -> tuple[float, float, int]:
    """Wind bilinear in space, linear in time; blank off the grid. ``fields``: (time, lat, lon, u and v)."""
    j, i, north, east = _place(at, lon, lat)
    if j < 0:
        return np.nan, np.nan, near
    before, after, late = _bracket(at.seconds, t, near)
    u, v = 0.0, 0.0
    for b in range(2):
        for a in range(2):
            weight = (east if a else 1.0 - east) * (north if b else 1.0 - north)
            early, later = weight * (1.0 - late), weight * late
            u += early * fields[before, j + b, i + a, 0] + later * fields[after, j + b, i + a, 0]
            v += early * fields[before, j + b, i + a, 1] + later * fields[after, j + b, i + a, 1]
    return u, v, before


@numba.njit(cache=True, error_model="numpy")
def _velocity(
    fields: Array, at: Lattice, t: float, lon: float, lat: float, c: float, s: float, near: int
) -> tuple[float, float, int]:
    """Degrees per second of a turned and scaled wind."""
    u, v, near = _wind(fields, at, t, lon, lat, near)
    zonal = (c * u - s * v) / (METRES_PER_DEGREE * np.cos(np.radians(lat)))
    return zonal, (s * u + c * v) / METRES_PER_DEGREE, near


@numba.njit(cache=True, error_model="numpy")
def _step(
    fields: Array,
    at: Lattice,
    t: float,
    x: float,
    y: float,
    c: float,
    s: float,
    h: float,
    near: int,
    scheme: int,
) -> tuple[float, float, int]:
    """Place after one step of ``h`` seconds: classic Runge-Kutta of order 4, or Petterssen (order 2)."""
    ax, ay, near = _velocity(fields, at, t, x, y, c, s, near)
    if scheme == PETTERSSEN:
        bx, by, near = _velocity(fields, at, t + h, x + ax * h, y + ay * h, c, s, near)
        return x + h / 2 * (ax + bx), y + h / 2 * (ay + by), near
    bx, by, near = _velocity(fields, at, t + h / 2, x + ax * h / 2, y + ay * h / 2, c, s, near)
    cx, cy, near = _velocity(fields, at, t + h / 2, x + bx * h / 2, y + by * h / 2, c, s, near)
    dx, dy, near = _velocity(fields, at, t + h, x + cx * h, y + cy * h, c, s, near)
    return x + h / 6 * (ax + 2 * bx + 2 * cx + dx), y + h / 6 * (ay + 2 * by + 2 * cy + dy), near


@numba.njit(cache=True, parallel=True, error_model="numpy")
def trace_parcels(
    fields: Array, at: Lattice, parcels: Parcels, steps: int, h: float, scheme: int
) -> tuple[Array, Array]:
    """Ways of parcels, shape (parcel, step + 1), in steps of ``h`` seconds (negative: back in time).

    ``fields``: (variant, time, lat, lon, u and v) in m/s. Blank from the step at which a parcel leaves
    the grid.
    """
    count = len(parcels.lon)
    out_lon, out_lat = np.empty((count, steps + 1)), np.empty((count, steps + 1))
    for p in numba.prange(count):
        x, y, t, near = parcels.lon[p], parcels.lat[p], parcels.seconds[p], 0
        c, s, carrying = parcels.cos[p], parcels.sin[p], fields[parcels.variant[p]]
        out_lon[p, 0], out_lat[p, 0] = x, y
        for step in range(1, steps + 1):
            x, y, near = _step(carrying, at, t, x, y, c, s, h, near, scheme)
            t += h
            if np.isnan(x) or np.isnan(y):
                out_lon[p, step:] = np.nan
                out_lat[p, step:] = np.nan
                break
            out_lon[p, step], out_lat[p, step] = x, y
    return out_lon, out_lat


@numba.njit(cache=True, error_model="numpy")
def _velocity_3d(
    carrier: Carrier,
    at: Lattice,
    t: float,
    place: tuple[float, float, float],
    turn: tuple[float, float],
    variant: int,
    near: tuple[int, int],
) -> tuple[tuple[float, float, float], tuple[int, int]]:
    """Degrees and hPa per second; linear in space, pressure and time; blank off the grid or above its top.

    Below the lowest level its wind holds on.
    """
    lon, lat, pressure = place
    j, i, north, east = _place(at, lon, lat)
    if j < 0 or not pressure >= carrier.levels[0]:
        return (np.nan, np.nan, np.nan), near
    before, after, late = _bracket(at.seconds, t, near[0])
    upper, lower, low = _bracket(carrier.levels, pressure, near[1])
    u, v, w = 0.0, 0.0, 0.0
    for corner in range(16):
        a, b, c, d = corner & 1, corner >> 1 & 1, corner >> 2 & 1, corner >> 3
        weight = (east if a else 1.0 - east) * (north if b else 1.0 - north)
        weight *= (low if c else 1.0 - low) * (late if d else 1.0 - late)
        cell = carrier.fields[after if d else before, lower if c else upper, j + b, i + a]
        u += weight * cell[0]
        v += weight * cell[1]
        w += weight * cell[2]
    if variant > 0:
        du, dv, _ = _wind(carrier.noise[variant], at, t, lon, lat, before)
        u, v = u + du, v + dv
    zonal = (turn[0] * u - turn[1] * v) / (METRES_PER_DEGREE * np.cos(np.radians(lat)))
    return (zonal, (turn[1] * u + turn[0] * v) / METRES_PER_DEGREE, w), (before, upper)


@numba.njit(cache=True, error_model="numpy")
def _moved(
    place: tuple[float, float, float], rate: tuple[float, float, float], h: float, ground: float
) -> tuple[float, float, float]:
    """Place after ``h`` seconds at a rate; no deeper than the lowest level."""
    pressure = min(place[2] + rate[2] * h, ground)
    return place[0] + rate[0] * h, place[1] + rate[1] * h, pressure


@numba.njit(cache=True, error_model="numpy")
def _step_3d(
    carrier: Carrier,
    at: Lattice,
    t: float,
    place: tuple[float, float, float],
    turn: tuple[float, float],
    variant: int,
    h: float,
    near: tuple[int, int],
    scheme: int,
) -> tuple[tuple[float, float, float], tuple[int, int]]:
    """Place after one step, as in two dimensions."""
    ground = carrier.levels[-1]
    a, near = _velocity_3d(carrier, at, t, place, turn, variant, near)
    if scheme == PETTERSSEN:
        b, near = _velocity_3d(carrier, at, t + h, _moved(place, a, h, ground), turn, variant, near)
        mean = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, (a[2] + b[2]) / 2)
        return _moved(place, mean, h, ground), near
    b, near = _velocity_3d(carrier, at, t + h / 2, _moved(place, a, h / 2, ground), turn, variant, near)
    c, near = _velocity_3d(carrier, at, t + h / 2, _moved(place, b, h / 2, ground), turn, variant, near)
    d, near = _velocity_3d(carrier, at, t + h, _moved(place, c, h, ground), turn, variant, near)
    mean = (
        (a[0] + 2 * b[0] + 2 * c[0] + d[0]) / 6,
        (a[1] + 2 * b[1] + 2 * c[1] + d[1]) / 6,
        (a[2] + 2 * b[2] + 2 * c[2] + d[2]) / 6,
    )
    return _moved(place, mean, h, ground), near


@numba.njit(cache=True, parallel=True, error_model="numpy")
def trace_parcels_3d(
    carrier: Carrier, at: Lattice, parcels: Parcels, steps: int, h: float, scheme: int
) -> tuple[Array, Array, Array]:
    """Longitude, latitude and pressure (hPa) of parcels, each (parcel, step + 1); see ``trace_parcels``."""
    count = len(parcels.lon)
    shape = (count, steps + 1)
    out_lon, out_lat, out_pressure = np.empty(shape), np.empty(shape), np.empty(shape)
    for p in numba.prange(count):
        place = (parcels.lon[p], parcels.lat[p], min(parcels.pressure[p], carrier.levels[-1]))
        t, near, turn = parcels.seconds[p], (0, 0), (parcels.cos[p], parcels.sin[p])
        out_lon[p, 0], out_lat[p, 0], out_pressure[p, 0] = place
        for step in range(1, steps + 1):
            place, near = _step_3d(carrier, at, t, place, turn, parcels.variant[p], h, near, scheme)
            t += h
            if np.isnan(place[0]) or np.isnan(place[1]) or np.isnan(place[2]):
                out_lon[p, step:] = np.nan
                out_lat[p, step:] = np.nan
                out_pressure[p, step:] = np.nan
                break
            out_lon[p, step], out_lat[p, step], out_pressure[p, step] = place
    return out_lon, out_lat, out_pressure


@numba.njit(cache=True, parallel=True, error_model="numpy")
def sample_along(field: Array, at: Lattice, lon: Array, lat: Array, seconds: Array, h: float) -> Array:
    """Values of ``field`` (time, lat, lon) on ways (parcel, step), the first step at ``seconds``."""
    out = np.empty(lon.shape)
    for p in numba.prange(len(lon)):
        near = 0
        for step in range(lon.shape[1]):
            j, i, north, east = _place(at, lon[p, step], lat[p, step])
            if j < 0:
                out[p, step] = np.nan
                continue
            near, after, late = _bracket(at.seconds, seconds[p] + step * h, near)
            value = 0.0
            for corner in range(4):
                a, b = corner & 1, corner >> 1
                weight = (east if a else 1.0 - east) * (north if b else 1.0 - north)
                one, two = field[near, j + b, i + a], field[after, j + b, i + a]
                value += weight * ((1.0 - late) * one + late * two)
            out[p, step] = value
    return out
