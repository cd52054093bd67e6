"""The compiled loop of the footprints: weights of the steps of trajectories, binned and spread over cells.

One thread makes one receptor-day and member from start to end, so that the bytes do not depend on the
number of threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]


class Ways(NamedTuple):
    """Positions (receptor, arrival, member, step) in degrees, blank beyond the wind grid.

    ``part``: weight of a step besides its age; ``rain``: exposure to rain since the step. Both of the
    same shape, or of size nought where they do not matter. ``order`` and ``first``: the arrivals of day
    d are ``order[first[d]:first[d + 1]]``. ``edges``: west, east, south and north of the wind grid.
    """

    lon: Array
    lat: Array
    part: Array
    rain: Array
    order: Ints
    first: Ints
    edges: Array


class Ground(NamedTuple):
    """Grid of the footprint, and how a weight spreads on it, by class of age.

    Class k holds the steps ``starts[k]`` … ``starts[k + 1]``. ``to_lat`` and ``to_lon`` (class, from, to)
    share a weight out along an axis; only the cells ``lat_band``/``lon_band`` (class, from, 2) matter.
    """

    west: float
    south: float
    step: float
    starts: Ints
    to_lat: Array
    to_lon: Array
    lat_band: Ints
    lon_band: Ints


@numba.njit(cache=True, error_model="numpy")
def _last_known(lon: Array) -> int:
    """Last step at which a parcel is on the wind grid."""
    step = 0
    while step + 1 < len(lon) and np.isfinite(lon[step + 1]):
        step += 1
    return step


@numba.njit(cache=True, error_model="numpy")
def _leaves_east(lon: float, lat: float, edges: Array) -> bool:
    """Whether the eastern edge of the wind grid is the nearest one."""
    west, east, south, north = edges[0], edges[1], edges[2], edges[3]
    return min(lon - west, lat - south, north - lat) > east - lon


@numba.njit(cache=True, error_model="numpy")
def _weigh(ways: Ways, r: int, a: int, m: int, step: int, loss: Array, washing: Array, weight: Array) -> None:
    """Weight of one step for each precursor, into ``weight``."""
    part = ways.part[r, a, m, step] if ways.part.size else 1.0
    for p in range(len(weight)):
        weight[p] = part * loss[p, step]
        if ways.rain.size and washing[p] > 0:
            weight[p] *= np.exp(-washing[p] * ways.rain[r, a, m, step])


@numba.njit(cache=True, error_model="numpy")
def _spread(counts: Array, box: Ints, k: int, ground: Ground, along: Array, out: Array) -> None:
    """Spread the weights (lat, lon) within a box, first along the latitude, and clear them."""
    for row in range(box[0], box[1]):
        low, high = along.shape[1], 0
        for column in range(box[2], box[3]):
            value = counts[row, column]
            if value == 0.0:
                continue
            counts[row, column] = 0.0
            start, end = ground.lon_band[k, column]
            if high == 0:
                along[row] = 0.0
            low, high = min(low, start), max(high, end)
            for to in range(start, end):
                along[row, to] += value * ground.to_lon[k, column, to]
        if high > 0:
            for to in range(ground.lat_band[k, row, 0], ground.lat_band[k, row, 1]):
                share = ground.to_lat[k, row, to]
                for column in range(low, high):
                    out[to, column] += share * along[row, column]


@numba.njit(cache=True, error_model="numpy")
def _bin(
    ways: Ways,
    ground: Ground,
    aged: tuple[Array, Array],
    group: tuple[int, int, int],
    k: int,
    counts: Array,
    outside: Array,
    box: Ints,
) -> None:
    """Add the weights of the steps of class k of one receptor-day and member to their cells or sides."""
    loss, washing = aged
    r, d, m = group
    rows, columns = counts.shape[1:]
    weight = np.empty(len(loss))
    for a in ways.order[ways.first[d] : ways.first[d + 1]]:
        last = _last_known(ways.lon[r, a, m])
        gone_east = _leaves_east(ways.lon[r, a, m, last], ways.lat[r, a, m, last], ways.edges)
        for step in range(ground.starts[k], ground.starts[k + 1]):
            lon, lat = ways.lon[r, a, m, step], ways.lat[r, a, m, step]
            i = np.floor((lon - ground.west) / ground.step)
            j = np.floor((lat - ground.south) / ground.step)
            _weigh(ways, r, a, m, step, loss, washing, weight)
            if 0 <= i < columns and 0 <= j < rows:
                row, column = int(j), int(i)
                for p in range(len(weight)):
                    counts[p, row, column] += weight[p]
                box[0], box[1] = min(box[0], row), max(box[1], row + 1)
                box[2], box[3] = min(box[2], column), max(box[3], column + 1)
            else:
                east = gone_east if step > last else lon >= ground.west + columns * ground.step
                for p in range(len(weight)):
                    outside[p, 0 if east else 1] += weight[p]


@numba.njit(cache=True, error_model="numpy")
def _collect_one(
    ways: Ways,
    ground: Ground,
    aged: tuple[Array, Array],
    group: tuple[int, int, int],
    shape: tuple[int, int],
) -> tuple[Array, Array]:
    """Weights of one receptor-day and member by cell (precursor, lat, lon) and side, not normed."""
    kinds, rows, columns = len(aged[0]), shape[0], shape[1]
    out, outside = np.zeros((kinds, rows, columns)), np.zeros((kinds, 2))
    counts, along = np.zeros((kinds, rows, columns)), np.empty((rows, columns))
    box = np.empty(4, dtype=np.int64)
    for k in range(len(ground.starts) - 1):
        box[0], box[1], box[2], box[3] = rows, 0, columns, 0
        _bin(ways, ground, aged, group, k, counts, outside, box)
        for p in range(kinds):
            _spread(counts[p], box, k, ground, along, out[p])
    return out, outside


@numba.njit(cache=True, parallel=True, error_model="numpy")
def collect(
    ways: Ways, ground: Ground, loss: Array, washing: Array, rows: int, columns: int
) -> tuple[Array, Array, Array]:
    """Weights by cell, (precursor, receptor, day, member, lat, lon), by side, and their sum before norming.

    ``loss`` (precursor, step): weight by age; ``washing`` (precursor,): loss per unit of ``rain``. Sides:
    0 east, 1 other. Cells and sides of a precursor, receptor, day and member add up to 1.
    """
    receptors, _, members, _ = ways.lon.shape
    days, kinds = len(ways.first) - 1, len(loss)
    out = np.empty((kinds, receptors, days, members, rows, columns))
    outside = np.empty((kinds, receptors, days, members, 2))
    total = np.empty((kinds, receptors, days, members))
    for task in numba.prange(receptors * days * members):
        r, d, m = task // (days * members), task // members % days, task % members
        cells, beyond = _collect_one(ways, ground, (loss, washing), (r, d, m), (rows, columns))
        for p in range(kinds):
            whole = cells[p].sum() + beyond[p].sum()
            total[p, r, d, m] = whole
            for row in range(rows):
                for column in range(columns):
                    out[p, r, d, m, row, column] = cells[p, row, column] / whole
            outside[p, r, d, m, 0] = beyond[p, 0] / whole
            outside[p, r, d, m, 1] = beyond[p, 1] / whole
    return out, outside, total
