"""What moves between the layers of the drill's air: turbulence, rising and sinking air, loss at the ground
and in rain.

One implicit step per column keeps mass and sign whatever its length. The air that a layer gained or lost by
the wind moves through its top and bottom, so that every layer holds its own air again. Within
a column all is in double precision: strong turbulence makes small differences of large numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

_outer = numba.njit(cache=True, error_model="numpy", parallel=True)
_inner = numba.njit(cache=True, error_model="numpy", fastmath={"contract", "nsz", "arcp"})


class Column(NamedTuple):
    """What moves species between layers; a layer's air is in metres of air of the reference density.

    ``air`` (layer); ``exchange`` (layer − 1, ny, nx) by turbulence, m/s; ``ground`` (species, ny, nx)
    deposition velocity, m/s; ``soluble`` (species) and ``washout`` (ny, nx), 1/s; ``aloft`` (species) is
    what sinks in from above the top. ``swollen`` (layer, ny, nx): air after the wind over air before.
    """

    air: Array
    exchange: Array
    ground: Array
    soluble: Array
    washout: Array
    aloft: Array
    swollen: Array


@_inner
def _exchange(column: Column, j: int, seconds: float, up: Array, down: Array, held: Array) -> None:
    """What a row's columns pass up and down through the top of each layer in ``seconds``, and what it leaves.

    All (layer, column), in metres of air. ``held``: air and what passes, without the loss of a species.
    """
    layers, columns = up.shape
    for layer in range(layers):
        air = column.air[layer]
        for i in range(columns):
            below = up[layer - 1, i] - down[layer - 1, i] if layer else 0.0
            rising = below + air * (column.swollen[layer, j, i] - 1.0)
            up[layer, i], down[layer, i] = max(rising, 0.0), max(-rising, 0.0)
    for layer in range(layers):
        for i in range(columns):
            if layer < layers - 1:
                mixed = seconds * column.exchange[layer, j, i]
                up[layer, i] += mixed
                down[layer, i] += mixed
            held[layer, i] = column.air[layer] + up[layer, i]
            if layer > 0:
                held[layer, i] += down[layer - 1, i]


@_inner
def _lose(column: Column, s: int, j: int, seconds: float, held: Array, here: Array) -> None:
    """The diagonal of the equations of a species: what is held, and its loss in rain and at the ground."""
    layers, columns = here.shape
    for layer in range(layers):
        wet = seconds * column.air[layer] * column.soluble[s]
        for i in range(columns):
            here[layer, i] = held[layer, i] + wet * column.washout[j, i]
    for i in range(columns):
        here[0, i] += seconds * column.ground[s, j, i]


@_inner
def _solve(x: Array, lower: Array, here: Array, upper: Array) -> None:
    """Solution ``x`` (layer, column) of here·x = right + lower·x below + upper·x above, in place.

    ``lower[l]`` couples layer l + 1 to l, ``upper[l]`` layer l to l + 1.
    """
    layers, columns = x.shape
    for layer in range(1, layers):
        for i in range(columns):
            over = lower[layer - 1, i] / here[layer - 1, i]
            here[layer, i] -= over * upper[layer - 1, i]
            x[layer, i] += over * x[layer - 1, i]
    for i in range(columns):
        x[layers - 1, i] /= here[layers - 1, i]
    for layer in range(layers - 2, -1, -1):
        for i in range(columns):
            x[layer, i] = (x[layer, i] + upper[layer, i] * x[layer + 1, i]) / here[layer, i]


@_outer
def mix(state: Array, column: Column, seconds: float) -> None:
    """Mix ``state`` (species, layer, ny, nx) for ``seconds``, in place."""
    species, layers, rows, columns = state.shape
    for j in numba.prange(rows):
        room = np.empty((5, layers, columns), np.float64)
        up, down, held, here, x = room[0], room[1], room[2], room[3], room[4]
        _exchange(column, j, seconds, up, down, held)
        for s in range(species):
            _lose(column, s, j, seconds, held, here)
            for layer in range(layers):
                for i in range(columns):
                    x[layer, i] = column.air[layer] * column.swollen[layer, j, i] * state[s, layer, j, i]
            for i in range(columns):
                x[layers - 1, i] += down[layers - 1, i] * column.aloft[s]
            _solve(x, up, here, down)
            state[s, :, j] = x


@_outer
def mix_back(to_state: Array, to_ground: Array, after: Array, column: Column, seconds: float) -> None:
    """Transposed derivative of ``mix``, on ``to_state`` (species, layer, ny, nx), in place.

    ``after`` (species, ny, nx): the lowest layer after the mixing. What a number gains by a unit of
    deposition velocity is added to ``to_ground`` (species, ny, nx).
    """
    species, layers, rows, columns = to_state.shape
    for j in numba.prange(rows):
        room = np.empty((5, layers, columns), np.float64)
        up, down, held, here, x = room[0], room[1], room[2], room[3], room[4]
        _exchange(column, j, seconds, up, down, held)
        for s in range(species):
            _lose(column, s, j, seconds, held, here)
            x[:] = to_state[s, :, j]
            _solve(x, down, here, up)
            for i in range(columns):
                to_ground[s, j, i] -= seconds * x[0, i] * after[s, j, i]
            for layer in range(layers):
                for i in range(columns):
                    to_state[s, layer, j, i] = column.air[layer] * column.swollen[layer, j, i] * x[layer, i]
