"""Integration of the mechanism in every box of the air, and the transpose of its derivative.

ROS2 with γ = 1 + 1/√2, a linearly implicit, L-stable method of second order that takes the large fixed
steps of photochemical dispersion without overshoot (Verwer et al. 1999, SIAM J. Sci. Comput. 20, 1456).
It keeps every linear invariant, so nitrogen and sulphur balance. Boxes are worked on in bundles of one
width, each by one thread from start to end, so that results do not depend on the number of threads. All
compiled functions of the chemistry stay in this file: the compiler's cache notices changes of a function's
own file only.

A linearly implicit step has no bound where radicals breed faster than the step is long: the matrix then has
an eigenvalue near or below zero. What the second order adds to the first tells such steps long before they
do harm; the boxes concerned, and they alone, are taken again in finer steps, and where these fail too in the
finest ones of first order (linearised implicit Euler), which stay positive where ROS2 does not.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from yrd_airq.drill.mechanism import NONE, TABLE_FROM_K, TABLE_STEP_K, Plan

Array = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]

PARTS = (0.3, 0.7)
"""Steps of the chemistry in parts of the time it is given: a short one first, for what has just changed."""

SPLITS = (1, 8, 64)
"""In how many steps each part is taken; the finer ones for boxes in which the coarser ones go astray.

The last are of first order and always taken as they come."""

_ASTRAY = 0.5
# How far the orders of a step may differ, as a share of what there was, what has been emitted and 1 ppb.

WIDTH = 128
# Bundles are dealt out to a fixed number of teams, each with its own room to work in.
_TEAMS = 16
_GAMMA = 1 + 1 / np.sqrt(2)
_inner = numba.njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})
_outer = numba.njit(cache=True, error_model="numpy", parallel=True)


@_outer
def thermal_rates(table: Array, temperature: Array, out: Array) -> None:
    """Thermal rate constants ``out`` (reaction, layer, cell) at ``temperature`` (layer, cell), K.

    ``table`` (layer, temperature, reaction), linear between its temperatures.
    """
    layers, cells = temperature.shape
    reactions = table.shape[2]
    for layer in range(layers):
        for block in numba.prange((cells + WIDTH - 1) // WIDTH):
            for cell in range(block * WIDTH, min((block + 1) * WIDTH, cells)):
                place = (temperature[layer, cell] - np.float32(TABLE_FROM_K)) / np.float32(TABLE_STEP_K)
                below = min(max(int(place), 0), table.shape[1] - 2)
                late = min(max(place - np.float32(below), np.float32(0)), np.float32(1))
                for r in range(reactions):
                    early = table[layer, below, r]
                    out[r, layer, cell] = early + late * (table[layer, below + 1, r] - early)


@_inner
def _load(rows: Array, at: int, count: int, out: Array) -> None:
    """A bundle of columns; beyond the last box the last one stands in."""
    for s in range(out.shape[0]):
        for i in range(WIDTH):
            out[s, i] = rows[s, at + min(i, count - 1)]


@_inner
def _store(values: Array, at: int, count: int, chosen: Flags, rows: Array) -> None:
    """The chosen columns of a bundle."""
    for s in range(rows.shape[0]):
        for i in range(count):
            rows[s, at + i] = values[s, i] if chosen[i] else rows[s, at + i]


@_inner
def _combine(plan: Plan, thermal: Array, drivers: Array, at: int, count: int, k: Array) -> None:
    """Rate constants of a bundle."""
    for r in range(k.shape[0]):
        d = plan.driver[r]
        for i in range(WIDTH):
            box = at + min(i, count - 1)
            k[r, i] = thermal[r, box] * drivers[d, box]


@_inner
def _derive(plan: Plan, k: Array, y: Array, source: Array, rate: Array, f: Array) -> None:
    """Rates of change ``f`` (species, box) of ``y``, with what is emitted."""
    for s in range(f.shape[0]):
        for i in range(WIDTH):
            f[s, i] = source[s, i]
    for r in range(k.shape[0]):
        a, b = plan.reactants[r, 0], plan.reactants[r, 1]
        if b == NONE:
            for i in range(WIDTH):
                rate[r, i] = k[r, i] * y[a, i]
        else:
            for i in range(WIDTH):
                rate[r, i] = k[r, i] * y[a, i] * y[b, i]
    for e in range(plan.changes.shape[0]):
        r, s, c = plan.changes[e, 0], plan.changes[e, 1], plan.yields[e]
        for i in range(WIDTH):
            f[s, i] += c * rate[r, i]


@_inner
def _slopes(plan: Plan, k: Array, y: Array, slope: Array) -> None:
    """Derivatives of the reactions' rates after their reactants, (slot, box)."""
    for d in range(plan.slots.shape[0]):
        r, other = plan.slots[d, 0], plan.slots[d, 2]
        if other == NONE:
            for i in range(WIDTH):
                slope[d, i] = k[r, i]
        else:
            for i in range(WIDTH):
                slope[d, i] = k[r, i] * y[other, i]


@_inner
def _fill(plan: Plan, slope: Array, weight: Array, m: Array) -> None:
    """The matrix I − weight·J into ``m`` (place, box)."""
    for p in range(m.shape[0]):
        for i in range(WIDTH):
            m[p, i] = 0.0
    for s in range(plan.diagonal.shape[0]):
        p = plan.diagonal[s]
        for i in range(WIDTH):
            m[p, i] = 1.0
    for e in range(plan.spots.shape[0]):
        d, p, c = plan.spots[e, 0], plan.spots[e, 1], plan.spot_yields[e] * weight[0]
        for i in range(WIDTH):
            m[p, i] -= c * slope[d, i]


@_inner
def _factorise(plan: Plan, m: Array) -> None:
    """Triangular factors of a matrix, in place; the pivots as reciprocals."""
    for o in range(plan.factor.shape[0]):
        code, p, a, b = plan.factor[o, 0], plan.factor[o, 1], plan.factor[o, 2], plan.factor[o, 3]
        if code == 2:
            for i in range(WIDTH):
                m[p, i] -= m[a, i] * m[b, i]
        elif code == 1:
            for i in range(WIDTH):
                m[p, i] *= m[a, i]
        else:
            for i in range(WIDTH):
                m[p, i] = np.float32(1.0) / m[p, i]


@_inner
def _solve(plan: Plan, m: Array, x: Array) -> None:
    """Solution of the factorised equations, in place."""
    for o in range(plan.lower.shape[0]):
        row, p, column = plan.lower[o, 0], plan.lower[o, 1], plan.lower[o, 2]
        for i in range(WIDTH):
            x[row, i] -= m[p, i] * x[column, i]
    for o in range(plan.upper.shape[0]):
        row, p, column = plan.upper[o, 0], plan.upper[o, 1], plan.upper[o, 2]
        if row == column:
            for i in range(WIDTH):
                x[row, i] *= m[p, i]
        else:
            for i in range(WIDTH):
                x[row, i] -= m[p, i] * x[column, i]


@_inner
def _advance(
    plan: Plan,
    k: Array,
    source: Array,
    numbers: Array,
    y: Array,
    room: tuple[Array, Array, Array, Array, Array, Array, Array],
) -> None:
    """One step on ``y``, in place; ``numbers``: the step in s, γ times the step, weight of the second order.

    Counts in the last of ``room`` the species of each box for which the step has gone astray.
    """
    rate, slope, m, k1, k2, stage, astray = room
    h = numbers[0]
    _derive(plan, k, y, source, rate, k1)
    _slopes(plan, k, y, slope)
    _fill(plan, slope, numbers[1:], m)
    _factorise(plan, m)
    _solve(plan, m, k1)
    for s in range(y.shape[0]):
        for i in range(WIDTH):
            stage[s, i] = y[s, i] + h * k1[s, i]
    _derive(plan, k, stage, source, rate, k2)
    for s in range(y.shape[0]):
        for i in range(WIDTH):
            k2[s, i] -= np.float32(2.0) * k1[s, i]
    _solve(plan, m, k2)
    half, second = np.float32(0.5) * h, numbers[2]
    for s in range(y.shape[0]):
        for i in range(WIDTH):
            new = y[s, i] + (h + second) * k1[s, i] + second * k2[s, i]
            bound = np.float32(_ASTRAY) * (np.float32(1.0) + y[s, i] + h * source[s, i])
            # Put so that what is no number counts as astray.
            astray[i] += np.float32(0.0) if abs(half * (k1[s, i] + k2[s, i])) <= bound else np.float32(1.0)
            y[s, i] = max(new, np.float32(0.0))


@_inner
def _numbers(seconds: float, kind: Array) -> Array:
    """``numbers`` of ``_advance`` for the steps of ``seconds`` (split, part, 3), as precise as ``kind``.

    With γ = 1 and no weight of the second order ROS2 is the linearised implicit Euler method.
    """
    numbers = np.empty((len(SPLITS), len(PARTS), 3), kind.dtype)
    for level in range(len(SPLITS)):
        last = level == len(SPLITS) - 1
        for part in range(len(PARTS)):
            step = PARTS[part] * seconds / SPLITS[level]
            numbers[level, part, 0] = step
            numbers[level, part, 1] = step if last else _GAMMA * step
            numbers[level, part, 2] = 0.0 if last else 0.5 * step
    return numbers


@_inner
def _choose(level: int, astray: Array, open_: Flags, chosen: Flags) -> int:
    """Choose the open boxes that a level has taken well, the last one all; the number that stays open."""
    left = 0
    for i in range(WIDTH):
        chosen[i] = open_[i] and (level == len(SPLITS) - 1 or astray[i] == 0)
        open_[i] = open_[i] and not chosen[i]
        left += open_[i]
    return left


@_inner
def _room(plan: Plan, kind: Array) -> tuple[Array, Array, Array, Array, Array, Array, Array]:
    """Room for one step of a bundle, in the precision of ``kind``."""
    reactions, species = len(plan.reactants), len(plan.diagonal)
    return (
        np.empty((reactions, WIDTH), kind.dtype),
        np.empty((len(plan.slots), WIDTH), kind.dtype),
        np.empty((len(plan.places), WIDTH), kind.dtype),
        np.empty((species, WIDTH), kind.dtype),
        np.empty((species, WIDTH), kind.dtype),
        np.empty((species, WIDTH), kind.dtype),
        np.empty(WIDTH, kind.dtype),
    )


@_outer
def react(plan: Plan, thermal: Array, drivers: Array, source: Array, state: Array, seconds: float) -> None:
    """Chemistry and emission of ``seconds`` in every box of ``state`` (species, box), in place.

    ``thermal`` (reaction, box) and ``drivers`` (driver, box) make the rate constants; ``source`` (carried
    species, box) is in units of the state per second. Works in the precision of ``state``.
    """
    species, boxes = state.shape
    numbers = _numbers(seconds, state)
    blocks = (boxes + WIDTH - 1) // WIDTH
    for team in numba.prange(_TEAMS):
        k, y = np.empty((len(thermal), WIDTH), state.dtype), np.empty((species, WIDTH), state.dtype)
        emitted = np.zeros((species, WIDTH), state.dtype)
        still_open, chosen = np.empty(WIDTH, np.bool_), np.empty(WIDTH, np.bool_)
        room = _room(plan, state)
        for block in range(team, blocks, _TEAMS):
            at = block * WIDTH
            count = min(WIDTH, boxes - at)
            _combine(plan, thermal, drivers, at, count, k)
            _load(source, at, count, emitted[: source.shape[0]])
            still_open[:] = True
            for level in range(len(SPLITS)):
                _load(state, at, count, y)
                room[-1][:] = 0
                for step in range(len(PARTS) * SPLITS[level]):
                    _advance(plan, k, emitted, numbers[level, step // SPLITS[level]], y, room)
                left = _choose(level, room[-1], still_open, chosen)
                _store(y, at, count, chosen, state)
                if left == 0:
                    break


@_inner
def _solve_transposed(plan: Plan, m: Array, x: Array) -> None:
    """Solution of the transposed equations, in place."""
    for back in range(plan.upper.shape[0]):
        o = plan.upper.shape[0] - 1 - back
        row, p, column = plan.upper[o, 0], plan.upper[o, 1], plan.upper[o, 2]
        if row == column:
            for i in range(WIDTH):
                x[row, i] *= m[p, i]
        else:
            for i in range(WIDTH):
                x[column, i] -= m[p, i] * x[row, i]
    for back in range(plan.lower.shape[0]):
        o = plan.lower.shape[0] - 1 - back
        row, p, column = plan.lower[o, 0], plan.lower[o, 1], plan.lower[o, 2]
        for i in range(WIDTH):
            x[column, i] -= m[p, i] * x[row, i]


@_inner
def _weigh(plan: Plan, mu: Array, weight: Array) -> None:
    """What a unit of each reaction's rate adds to ``mu``·(rates of change), (reaction, box)."""
    weight[:] = 0.0
    for e in range(plan.changes.shape[0]):
        r, s, c = plan.changes[e, 0], plan.changes[e, 1], plan.yields[e]
        for i in range(WIDTH):
            weight[r, i] += c * mu[s, i]


@_inner
def _transpose(plan: Plan, k: Array, y: Array, weight: Array, factor: Array, out: Array) -> None:
    """Add ``factor`` times the transposed derivative, at ``y``, of weighed reactions to ``out``."""
    for d in range(plan.slots.shape[0]):
        r, a, other = plan.slots[d, 0], plan.slots[d, 1], plan.slots[d, 2]
        if other == NONE:
            if factor[1] > 0:
                for i in range(WIDTH):
                    out[a, i] += factor[0] * k[r, i] * weight[r, i]
        else:
            for i in range(WIDTH):
                out[a, i] += factor[0] * k[r, i] * y[other, i] * weight[r, i]


@_inner
def _drive_back(plan: Plan, y: Array, slope: Array, weight: Array, scale: Array, out: Array) -> None:
    """Add what weighed reactions owe to the rate constants of the driven ones to ``out`` (driven, box)."""
    for place in range(plan.driven.shape[0]):
        r = plan.driven[place]
        a = plan.reactants[r, 0]
        for i in range(WIDTH):
            out[place, i] += weight[r, i] * (y[a, i] + scale[0] * slope[a, i])


@_inner
def _retreat(
    plan: Plan,
    k: Array,
    source: Array,
    numbers: Array,
    y: Array,
    back: tuple[Array, Array, Array, Array, Array],
    room: tuple[Array, Array, Array, Array, Array, Array, Array],
) -> None:
    """Transposed derivative of ``_advance`` from ``y``: on ``back``'s sensitivities to the state, to the
    source and to the rate constants of the driven reactions; the rest of ``back`` is room.

    The slope of a unimolecular reaction does not depend on the state: in the derivative of the matrix it
    has no part, which is what the second number of ``_transpose``'s factor says.
    """
    rate, _, m, k1, k2, stage, _ = room
    to_state, to_source, to_driven, first, second = back
    h, weight, zero = numbers[0], numbers[2], np.float32(0.0)
    for s in range(y.shape[0]):
        for i in range(WIDTH):
            stage[s, i] = y[s, i]
    _advance(plan, k, source, numbers, stage, room)
    for s in range(y.shape[0]):
        for i in range(WIDTH):
            grown = y[s, i] + (h + weight) * k1[s, i] + weight * k2[s, i]
            to_state[s, i] = to_state[s, i] if grown > 0 else zero
            second[s, i] = weight * to_state[s, i]
            stage[s, i] = y[s, i] + h * k1[s, i]
    plain = np.array([1.0, 1.0]).astype(y.dtype)
    bent = np.array([numbers[1], 0.0]).astype(y.dtype)
    _solve_transposed(plan, m, second)
    _weigh(plan, second, rate)
    _drive_back(plan, stage, k2, rate, numbers[1:], to_driven)
    first[:] = 0.0
    _transpose(plan, k, stage, rate, plain, first)
    carried = stage
    for s in range(y.shape[0]):
        for i in range(WIDTH):
            carried[s, i] = to_state[s, i] + first[s, i]
            first[s, i] = (h + weight) * to_state[s, i] + h * first[s, i] - np.float32(2.0) * second[s, i]
    _transpose(plan, k, k2, rate, bent, carried)
    _solve_transposed(plan, m, first)
    _weigh(plan, first, rate)
    _drive_back(plan, y, k1, rate, numbers[1:], to_driven)
    _transpose(plan, k, y, rate, plain, carried)
    _transpose(plan, k, k1, rate, bent, carried)
    for s in range(y.shape[0]):
        for i in range(WIDTH):
            to_state[s, i] = carried[s, i]
            to_source[s, i] += first[s, i] + second[s, i]


@_outer
def react_back(
    plan: Plan,
    thermal: Array,
    drivers: Array,
    source: Array,
    state: Array,
    to_state: Array,
    to_source: Array,
    to_driven: Array,
    seconds: float,
) -> None:
    """Transposed derivative of ``react`` at the ``state`` (species, box) before it.

    ``to_state`` (species, box): sensitivities of some number to the state after, turned in place into those
    to the state before. What the number gains by a unit of ``source`` is added to ``to_source`` (carried
    species, box), by a unit of a driven reaction's rate constant to ``to_driven`` (driven, box).
    """
    species, boxes = state.shape
    numbers = _numbers(seconds, state)
    blocks = (boxes + WIDTH - 1) // WIDTH
    for team in numba.prange(_TEAMS):
        k = np.empty((len(thermal), WIDTH), state.dtype)
        y = np.empty((len(PARTS) * SPLITS[-1] + 1, species, WIDTH), state.dtype)
        emitted = np.zeros((species, WIDTH), state.dtype)
        still_open, chosen = np.empty(WIDTH, np.bool_), np.empty(WIDTH, np.bool_)
        back = (
            np.empty((species, WIDTH), state.dtype),
            np.zeros((species, WIDTH), state.dtype),
            np.empty((len(plan.driven), WIDTH), state.dtype),
            np.empty((species, WIDTH), state.dtype),
            np.empty((species, WIDTH), state.dtype),
        )
        room = _room(plan, state)
        for block in range(team, blocks, _TEAMS):
            at = block * WIDTH
            count = min(WIDTH, boxes - at)
            _combine(plan, thermal, drivers, at, count, k)
            _load(source, at, count, emitted[: source.shape[0]])
            still_open[:] = True
            for level in range(len(SPLITS)):
                steps = len(PARTS) * SPLITS[level]
                _load(state, at, count, y[0])
                room[-1][:] = 0
                for step in range(steps):
                    y[step + 1] = y[step]
                    _advance(plan, k, emitted, numbers[level, step // SPLITS[level]], y[step + 1], room)
                left = _choose(level, room[-1], still_open, chosen)
                if chosen.any():
                    _load(to_state, at, count, back[0])
                    _load(to_source, at, count, back[1][: to_source.shape[0]])
                    _load(to_driven, at, count, back[2])
                    for step in range(steps - 1, -1, -1):
                        _retreat(plan, k, emitted, numbers[level, step // SPLITS[level]], y[step], back, room)
                    _store(back[0], at, count, chosen, to_state)
                    _store(back[1], at, count, chosen, to_source)
                    _store(back[2], at, count, chosen, to_driven)
                if left == 0:
                    break
