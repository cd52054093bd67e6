"""The wind's part of the drill's air: sweeps along rows and columns of the grid that keep mass and sign.

Each layer is carried by itself, first along one direction and then along the other, in as many substeps as
its own wind needs (Strang splitting in pairs of steps). The mixing ratio within a cell is linear with the
harmonic slope of van Leer (1977), J. Comput. Phys. 23, 276; the air itself is carried by the same fluxes
(Lin and Rood 1996, Mon. Weather Rev. 124, 2046), so that a uniform mixing ratio stays uniform, and what
the layer gains or loses of air moves up or down afterwards. All compiled functions of transport stay in
this file: the compiler's cache notices changes of a function's own file only.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from yrd_airq.drill.grid import KM_PER_DEGREE, Grid

Array = NDArray[np.floating[Any]]

LARGEST_PART = 0.75
"""The largest part of a cell's air that leaves it in one sweep."""

_inner = numba.njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
_outer = numba.njit(cache=True, error_model="numpy", parallel=True)


class Fluxes(NamedTuple):
    """Air through the cells' faces in one substep, and the air in the cells along the way.

    Air is in cells of the equator. ``x`` (layer, ny, nx + 1) eastward, ``y`` (layer, ny + 1, nx)
    northward; ``substeps`` (layer). ``air`` (layer, sweep, ny, nx) before each sweep and after the last,
    ``part`` its reciprocal; ``bend`` (layer, sweep, ny + 1, nx + 1) what a face's flux takes of the slope
    within the cell that it leaves. ``rows_first``: whether the first sweep of a pair runs along the rows.
    """

    x: Array
    y: Array
    substeps: NDArray[np.int64]
    air: Array
    part: Array
    bend: Array
    rows_first: bool


def make_fluxes(u: Array, v: Array, grid: Grid, seconds: float, *, rows_first: bool) -> Fluxes:
    """Fluxes of ``seconds`` by the wind ``u``, ``v`` (layer, ny, nx), m/s, at the cells' centres.

    On the world's edges the wind of the outermost cells counts.
    """
    metres = 1000 * KM_PER_DEGREE * grid.step
    lat = np.concatenate([[grid.lat[0] - grid.step], grid.lat]) + grid.step / 2
    x, y = _faces(u, 2) * (seconds / metres), _faces(v, 1) * (seconds / metres)
    y *= np.cos(np.radians(lat))[None, :, None]
    air = np.cos(np.radians(grid.lat)).astype(u.dtype)
    substeps = np.ones(len(u), dtype=np.int64)
    while True:
        x_part, y_part = (
            np.ascontiguousarray(flux / substeps[:, None, None], dtype=u.dtype) for flux in (x, y)
        )
        course = np.empty((len(u), 2 * substeps.max() + 1, *grid.shape), dtype=u.dtype)
        leaving = _follow_air(x_part, y_part, substeps, rows_first, air, course)
        if leaving.max() <= LARGEST_PART:
            part = 1 / course
            bend = np.zeros(
                (len(u), course.shape[1] - 1, grid.shape[0] + 1, grid.shape[1] + 1), dtype=u.dtype
            )
            _bends(x_part, y_part, substeps, rows_first, part, bend)
            return Fluxes(x_part, y_part, substeps, course, part, bend, rows_first)
        substeps += np.maximum(leaving > LARGEST_PART, substeps * (leaving / LARGEST_PART - 1)).astype(
            np.int64
        )


def _faces(wind: Array, axis: int) -> Array:
    """Wind on the faces across ``axis``: the mean of the cells on both sides."""
    first, last = wind.take([0], axis), wind.take([-1], axis)
    padded = np.concatenate([first, wind, last], axis)
    along = padded.shape[axis]
    return 0.5 * (padded.take(range(along - 1), axis) + padded.take(range(1, along), axis))


@_inner
def _follow_air(
    x: Array, y: Array, substeps: NDArray[np.int64], rows_first: bool, start: Array, air: Array
) -> Array:
    """Air in the cells before each sweep into ``air``; the largest part of a cell that leaves it, by layer.

    ``start`` (ny) is the air before the first sweep. A cell that would run empty keeps a tenth.
    """
    layers, sweeps, rows, columns = air.shape
    largest = np.zeros(layers, air.dtype)
    for layer in range(layers):
        for j in range(rows):
            air[layer, 0, j] = start[j]
        for sweep in range(sweeps - 1):
            along = (sweep % 2 == 0) == rows_first
            moving = np.float32(1.0 if sweep < 2 * substeps[layer] else 0.0)
            for j in range(rows):
                for i in range(columns):
                    enter = moving * (x[layer, j, i] if along else y[layer, j, i])
                    leave = moving * (x[layer, j, i + 1] if along else y[layer, j + 1, i])
                    before = air[layer, sweep, j, i]
                    out = (max(leave, np.float32(0.0)) - min(enter, np.float32(0.0))) / before
                    largest[layer] = max(largest[layer], out)
                    air[layer, sweep + 1, j, i] = max(before + enter - leave, np.float32(0.1) * before)
    return largest


@_inner
def _bends(
    x: Array, y: Array, substeps: NDArray[np.int64], rows_first: bool, part: Array, bend: Array
) -> None:
    """Half the part of the cell that stays behind, times the flux and its sign, on every face."""
    layers, _, rows, columns = part.shape
    half, one = np.float32(0.5), np.float32(1.0)
    for layer in range(layers):
        for sweep in range(2 * substeps[layer]):
            held = part[layer, sweep]
            if (sweep % 2 == 0) == rows_first:
                for j in range(rows):
                    for i in range(columns + 1):
                        f = x[layer, j, i]
                        cell = held[j, max(i - 1, 0)] if f > 0 else held[j, min(i, columns - 1)]
                        bend[layer, sweep, j, i] = half * f * (one if f > 0 else -one) * (one - abs(f) * cell)
            else:
                for j in range(rows + 1):
                    for i in range(columns):
                        f = y[layer, j, i]
                        cell = held[max(j - 1, 0), i] if f > 0 else held[min(j, rows - 1), i]
                        bend[layer, sweep, j, i] = half * f * (one if f > 0 else -one) * (one - abs(f) * cell)


@_inner
def _slope(before: Array, here: Array, after: Array, out: Array) -> None:
    """Harmonic mean of the differences to both neighbours where they have one sign, else none."""
    for i in range(out.shape[0]):
        a, b = here[i] - before[i], after[i] - here[i]
        product = a * b
        out[i] = np.float32(2.0) * product / (a + b) if product > 0 else np.float32(0.0)


@_inner
def _flux(
    flux: Array, bend: Array, behind: Array, ahead: Array, behind_slope: Array, ahead_slope: Array, out: Array
) -> None:
    """What ``flux`` of air carries over faces, from the cells behind if positive, else from those ahead."""
    for i in range(out.shape[0]):
        f = flux[i]
        value = behind[i] if f > 0 else ahead[i]
        slope = behind_slope[i] if f > 0 else ahead_slope[i]
        out[i] = f * value + bend[i] * slope


@_inner
def _settle(q: Array, air: Array, part: Array, enter: Array, leave: Array) -> None:
    """Mixing ratios ``q`` after ``enter`` came in and ``leave`` went out, in place."""
    for i in range(q.shape[0]):
        q[i] = max((q[i] * air[i] + (enter[i] - leave[i])) * part[i], np.float32(0.0))


@_inner
def _sweep_rows(
    q: Array, flux: Array, bend: Array, air: Array, part: Array, edges: Array, work: Array
) -> None:
    """One sweep along the rows, in place; ``edges``: mixing ratio of the air outside, west and east."""
    rows, columns = q.shape
    padded, slope, out = work[0, : columns + 2], work[1, : columns + 2], work[2, : columns + 1]
    slope[0] = slope[columns + 1] = 0.0
    padded[0], padded[columns + 1] = edges[0], edges[1]
    for j in range(rows):
        padded[1 : columns + 1] = q[j]
        _slope(padded[:columns], padded[1 : columns + 1], padded[2:], slope[1 : columns + 1])
        _flux(flux[j], bend[j], padded[: columns + 1], padded[1:], slope[: columns + 1], slope[1:], out)
        _settle(q[j], air[j], part[j], out[:columns], out[1:])


@_inner
def _sweep_columns(
    q: Array, flux: Array, bend: Array, air: Array, part: Array, edges: Array, work: Array
) -> None:
    """One sweep along the columns, in place; ``edges``: mixing ratio of the air outside, south and north."""
    rows, columns = q.shape
    south, north, zero = work[0, :columns], work[1, :columns], work[2, :columns]
    slope, out = work[3 : rows + 3, :columns], work[rows + 3 : 2 * rows + 4, :columns]
    south[:], north[:], zero[:] = edges[0], edges[1], 0.0
    for j in range(rows):
        _slope(q[j - 1] if j else south, q[j], q[j + 1] if j + 1 < rows else north, slope[j])
    for j in range(rows + 1):
        _flux(
            flux[j],
            bend[j, :columns],
            q[j - 1] if j else south,
            q[j] if j < rows else north,
            slope[j - 1] if j else zero,
            slope[j] if j < rows else zero,
            out[j],
        )
    for j in range(rows):
        _settle(q[j], air[j], part[j], out[j], out[j + 1])


@_inner
def _sweep(fluxes: Fluxes, layer: int, sweep: int, q: Array, edges: Array, work: Array) -> None:
    air, part = fluxes.air[layer, sweep], fluxes.part[layer, sweep + 1]
    bend = fluxes.bend[layer, sweep]
    if (sweep % 2 == 0) == fluxes.rows_first:
        _sweep_rows(q, fluxes.x[layer], bend, air, part, edges[:2], work)
    else:
        _sweep_columns(q, fluxes.y[layer], bend, air, part, edges[2:], work)


@_outer
def carry(state: Array, fluxes: Fluxes, edges: Array) -> None:
    """Carry ``state`` (species, layer, ny, nx) over all substeps, in place.

    ``edges`` (species, layer, 4): air outside the world's west, east, south and north edge. Afterwards a
    layer holds more or less air than before: ``air`` after its last sweep against that before the first.
    """
    species, layers, rows, columns = state.shape
    for task in numba.prange(species * layers):
        s, layer = task // layers, task % layers
        work = np.empty((2 * rows + 4, columns + 2), state.dtype)
        for sweep in range(2 * fluxes.substeps[layer]):
            _sweep(fluxes, layer, sweep, state[s, layer], edges[s, layer], work)


@_inner
def _slope_back(before: Array, here: Array, after: Array, slope: Array, first: Array, second: Array) -> None:
    """Derivatives of the slope after both differences, times the sensitivity to the slope."""
    for i in range(slope.shape[0]):
        a, b = here[i] - before[i], after[i] - here[i]
        scale = np.float32(2.0) * slope[i] if a * b > 0 else np.float32(0.0)
        part = a / (a + b) if a * b > 0 else np.float32(0.0)
        first[i], second[i] = scale * (np.float32(1.0) - part) ** 2, scale * part**2


@_inner
def _cross_back(
    flux: Array,
    bend: Array,
    passed: Array,
    behind: Array,
    ahead: Array,
    behind_slope: Array,
    ahead_slope: Array,
) -> None:
    """Add what the sensitivity to what is ``passed`` over faces means for the cells on both sides."""
    zero = np.float32(0.0)
    for i in range(passed.shape[0]):
        value, slope = flux[i] * passed[i], bend[i] * passed[i]
        forward = flux[i] > 0
        behind[i] += value if forward else zero
        behind_slope[i] += slope if forward else zero
    for i in range(passed.shape[0]):
        value, slope = flux[i] * passed[i], bend[i] * passed[i]
        forward = flux[i] > 0
        ahead[i] += zero if forward else value
        ahead_slope[i] += zero if forward else slope


@_inner
def _sweep_rows_back(
    q: Array, to: Array, flux: Array, bend: Array, air: Array, part: Array, edges: Array, work: Array
) -> None:
    """Transposed derivative of ``_sweep_rows`` at ``q`` before it, on the sensitivities ``to``, in place."""
    rows, columns = q.shape
    padded, passed = work[0, : columns + 2], work[1, : columns + 1]
    new, slope = work[2, : columns + 2], work[3, : columns + 2]
    first, second = work[4, : columns + 2], work[5, : columns + 2]
    padded[0], padded[columns + 1] = edges[0], edges[1]
    inner = slice(1, columns + 1)
    first[:] = second[:] = 0.0
    for j in range(rows):
        padded[inner] = q[j]
        new[:] = slope[:] = 0.0
        for i in range(columns):
            to[j, i] *= part[j, i]
            new[i + 1] = to[j, i] * air[j, i]
        passed[:columns] = to[j]
        passed[columns] = 0.0
        for i in range(columns):
            passed[i + 1] -= to[j, i]
        _cross_back(flux[j], bend[j], passed, new[: columns + 1], new[1:], slope[: columns + 1], slope[1:])
        _slope_back(padded[:columns], padded[inner], padded[2:], slope[inner], first[inner], second[inner])
        for i in range(columns):
            to[j, i] = new[i + 1] + first[i + 1] - second[i + 1] - first[i + 2] + second[i]


@_inner
def _sweep_columns_back(
    q: Array, to: Array, flux: Array, bend: Array, air: Array, part: Array, edges: Array, work: Array
) -> None:
    """Transposed derivative of ``_sweep_columns`` at ``q`` before it, on sensitivities ``to``, in place."""
    rows, columns = q.shape
    south, north, passed = work[0, :columns], work[1, :columns], work[2, :columns]
    new, slope = work[3 : rows + 5, :columns], work[rows + 5 : 2 * rows + 7, :columns]
    first, second = work[2 * rows + 7 : 3 * rows + 9, :columns], work[3 * rows + 9 :, :columns]
    south[:], north[:] = edges[0], edges[1]
    new[:] = slope[:] = first[:] = second[:] = 0.0
    for j in range(rows):
        for i in range(columns):
            to[j, i] *= part[j, i]
            new[j + 1, i] = to[j, i] * air[j, i]
    for j in range(rows + 1):
        passed[:] = 0.0
        if j < rows:
            passed += to[j]
        if j > 0:
            passed -= to[j - 1]
        _cross_back(flux[j], bend[j, :columns], passed, new[j], new[j + 1], slope[j], slope[j + 1])
    for j in range(rows):
        before, after = q[j - 1] if j else south, q[j + 1] if j + 1 < rows else north
        _slope_back(before, q[j], after, slope[j + 1], first[j + 1], second[j + 1])
    for j in range(rows):
        for i in range(columns):
            to[j, i] = new[j + 1, i] + first[j + 1, i] - second[j + 1, i] - first[j + 2, i] + second[j, i]


@_outer
def carry_back(state: Array, to_state: Array, fluxes: Fluxes, edges: Array) -> None:
    """Transposed derivative of ``carry`` at ``state`` before it, on ``to_state`` (as ``state``), in place."""
    species, layers, rows, columns = state.shape
    for task in numba.prange(species * layers):
        s, layer = task // layers, task % layers
        sweeps = 2 * fluxes.substeps[layer]
        work = np.empty((4 * rows + 11, columns + 2), state.dtype)
        course = np.empty((sweeps, rows, columns), state.dtype)
        course[0] = state[s, layer]
        edge, to = edges[s, layer], to_state[s, layer]
        for sweep in range(sweeps - 1):
            course[sweep + 1] = course[sweep]
            _sweep(fluxes, layer, sweep, course[sweep + 1], edge, work)
        for sweep in range(sweeps - 1, -1, -1):
            air, part = fluxes.air[layer, sweep], fluxes.part[layer, sweep + 1]
            bend = fluxes.bend[layer, sweep]
            if (sweep % 2 == 0) == fluxes.rows_first:
                _sweep_rows_back(course[sweep], to, fluxes.x[layer], bend, air, part, edge[:2], work)
            else:
                _sweep_columns_back(course[sweep], to, fluxes.y[layer], bend, air, part, edge[2:], work)
