"""Smooth fields between grids and times: cubic B-splines, whose second derivatives are continuous.

The coarse values serve as coefficients, which smooths over about one coarse step: wind and vorticity
derived from a field then have no edges.
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Axis = NDArray[np.float64]


def regrid(field: Floats, lon: Axis, lat: Axis, to_lon: Axis, to_lat: Axis) -> Floats:
    """Field (time, lat, lon) on other axes that lie at least one step within ``lon`` and ``lat``."""
    ix, wx = _taps(lon, to_lon)
    iy, wy = _taps(lat, to_lat)
    out = np.empty((field.shape[0], len(to_lat), len(to_lon)), dtype=np.float32)
    _regrid(field, out, ix, wx, iy, wy)
    return out


def hourly(field: Floats, hours: Axis, to_hours: Axis) -> Floats:
    """Field (time, …) at other hours, which lie at least one step within ``hours``."""
    index, weight = _taps(hours, to_hours)
    flat = field.reshape(len(field), -1)
    out = np.empty((len(to_hours), flat.shape[1]), dtype=np.float32)
    _combine(flat, out, index, weight)
    return out.reshape(len(to_hours), *field.shape[1:])


def _taps(axis: Axis, to: Axis) -> tuple[NDArray[np.int64], Floats]:
    """First of the four neighbours of each point and their weights."""
    position = (to - axis[0]) / (axis[1] - axis[0])
    # The last point may lie on the last usable knot.
    left = np.clip(np.floor(position + 1e-9).astype(np.int64), 1, len(axis) - 3)
    t = position - left
    if t.min() < -1e-6 or t.max() > 1 + 1e-6:
        raise ValueError("points beyond the axis that a spline needs around them")
    weight = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, 3 * (t + t**2 - t**3) + 1, t**3], axis=-1) / 6
    return left - 1, weight.astype(np.float32)


@numba.njit(cache=True, error_model="numpy")
def _regrid(field, out, ix, wx, iy, wy):  # type: ignore[no-untyped-def]
    rows = np.empty((field.shape[1], out.shape[2]), dtype=np.float32)
    for t in range(field.shape[0]):
        for j in range(field.shape[1]):
            for i in range(out.shape[2]):
                k = ix[i]
                rows[j, i] = (
                    wx[i, 0] * field[t, j, k]
                    + wx[i, 1] * field[t, j, k + 1]
                    + wx[i, 2] * field[t, j, k + 2]
                    + wx[i, 3] * field[t, j, k + 3]
                )
        for j in range(out.shape[1]):
            k = iy[j]
            for i in range(out.shape[2]):
                out[t, j, i] = (
                    wy[j, 0] * rows[k, i]
                    + wy[j, 1] * rows[k + 1, i]
                    + wy[j, 2] * rows[k + 2, i]
                    + wy[j, 3] * rows[k + 3, i]
                )


@numba.njit(cache=True, error_model="numpy")
def _combine(flat, out, index, weight):  # type: ignore[no-untyped-def]
    for t in range(out.shape[0]):
        k = index[t]
        for i in range(out.shape[1]):
            out[t, i] = (
                weight[t, 0] * flat[k, i]
                + weight[t, 1] * flat[k + 1, i]
                + weight[t, 2] * flat[k + 2, i]
                + weight[t, 3] * flat[k + 3, i]
            )
