"""Arithmetic on dense (hour, station) arrays with missing values as NaN: shifts, windows, runs, medians.

Nothing here knows a pollutant or a rule. Every function looks a bounded number of hours around a value, so
that judging a window with a margin equals judging the whole series.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating]
Mask = NDArray[np.bool_]
BLOCK_CELLS = 1 << 15
"""Cells of a block of hours whose layers fit into the cache."""


def shifted(values: NDArray[Any], hours: int, fill: float | bool = np.nan) -> NDArray[Any]:
    """At each hour the value ``hours`` earlier (negative: later), ``fill`` beyond the ends."""
    moved = np.full_like(values, fill)
    if hours >= 0:
        moved[hours:] = values[: max(0, len(values) - hours)]
    else:
        moved[:hours] = values[-hours:]
    return moved


def at_cells(values: Values, hour: NDArray[np.intp], station: NDArray[np.intp]) -> Values:
    """Values of single cells; NaN for hours beyond the ends."""
    inside = (hour >= 0) & (hour < len(values))
    found = values[np.clip(hour, 0, len(values) - 1), station]
    return np.where(inside, found, values.dtype.type(np.nan))


def nearest(
    values: Values, hour: NDArray[np.intp], station: NDArray[np.intp], step: int, reach: int
) -> Values:
    """For single cells the nearest present value before (``step`` −1) or after (1), in ``reach`` hours."""
    near = at_cells(values, hour + step, station)
    for hours in range(2, reach + 1):
        near = np.where(np.isnan(near), at_cells(values, hour + step * hours, station), near)
    return near


def run_position(values: Values) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """How many equal values stand before, and after, each hour in its run; a missing hour ends a run."""
    by_station = np.ascontiguousarray(values.T)
    starts = np.ones(by_station.shape, dtype=bool)
    np.not_equal(by_station[:, 1:], by_station[:, :-1], out=starts[:, 1:])
    first = np.flatnonzero(starts)
    lengths = np.diff(first, append=starts.size)
    hours = np.arange(starts.size)
    before = hours - np.repeat(first, lengths)
    after = np.repeat(first + lengths, lengths) - 1 - hours
    shape = starts.shape
    return before.reshape(shape).T.astype(np.int32), after.reshape(shape).T.astype(np.int32)


def window_sum(values: Values, hours: int) -> Values:
    """Sum over the ``hours`` that end with each hour, missing as 0; fewer hours at the beginning.

    Built from sums over 1, 2, 4 … hours: few passes, and no small difference of large sums.
    """
    power = np.where(np.isnan(values), values.dtype.type(0), values)
    return _sum_by_doubling(power, hours)


def window_count(mask: Mask, hours: int) -> NDArray[np.int16]:
    """How many of the ``hours`` that end with each hour are marked."""
    return _sum_by_doubling(mask.astype(np.int16), hours)


def window_mean(values: Values, hours: int, at_least: int) -> Values:
    """Mean of the present values among the ``hours`` that end with each hour, NaN with too few."""
    count = window_count(~np.isnan(values), hours)
    total = window_sum(values, hours)
    return np.where(
        count >= at_least, total / np.maximum(count, 1).astype(total.dtype), total.dtype.type(np.nan)
    )


def mean_at(
    values: Values, hour: NDArray[np.intp], station: NDArray[np.intp], hours: int, at_least: int
) -> Values:
    """As ``window_mean``, for single cells."""
    near = np.stack([at_cells(values, hour - back, station) for back in range(hours)])
    count = np.sum(~np.isnan(near), axis=0)
    mean = np.nansum(near, axis=0) / np.maximum(count, 1)
    return np.where(count >= at_least, mean, np.nan)


def covered(ends: Mask, hours: int) -> Mask:
    """Hours that lie in any window of ``hours`` whose last hour is marked in ``ends``."""
    return np.asarray(window_count(ends[::-1], hours)[::-1] > 0)


def middle(layers: Sequence[Values]) -> tuple[Values, Values, NDArray[np.int8]]:
    """The two middle values and the number of the present ones across an even number of layers of one shape.

    The median is their mean; they are equal where the number is odd, and NaN where nothing is present. Sorted
    by a network of comparisons, which beats sorting along an axis. Missing values enter as +∞ and −∞ in turn,
    so that the middle stays in the middle of the network.
    """
    count = np.full(layers[0].shape, len(layers), dtype=np.int8)
    held = []
    for layer in layers:
        missing = np.isnan(layer)
        count -= missing
        infinity = np.where(count & 1, np.inf, -np.inf).astype(layer.dtype)
        held.append(np.where(missing, infinity, layer))
    for low, high, low_counts, high_counts in _comparisons(len(held)):
        one, other = held[low], held[high]
        if low_counts:
            held[low] = np.minimum(one, other)
        if high_counts:
            held[high] = np.maximum(one, other)
    half = len(held) // 2
    lower = np.where(count == 0, layers[0].dtype.type(np.nan), held[half - 1])
    return lower, np.where(count & 1, lower, held[half]), count


def middle_in_blocks(
    layers: Callable[[slice], Sequence[Values]], shape: tuple[int, int]
) -> tuple[Values, Values, NDArray[np.int8]]:
    """``middle`` of the layers that ``layers`` gives for a slice of hours, block by block.

    Blocks that stay in the processor's cache are several times faster than whole arrays.
    """
    lower, upper = np.empty(shape, dtype=np.float32), np.empty(shape, dtype=np.float32)
    count = np.zeros(shape, dtype=np.int8)
    rows = max(1, BLOCK_CELLS // max(1, shape[1]))
    for start in range(0, shape[0], rows):
        hours = slice(start, min(start + rows, shape[0]))
        lower[hours], upper[hours], count[hours] = middle(layers(hours))
    return lower, upper, count


def _sum_by_doubling(power: NDArray[Any], hours: int) -> NDArray[Any]:
    total, at, width = np.zeros_like(power), 0, 1
    while width <= hours:
        if hours & width:
            total[at:] += power[: max(0, len(power) - at)]
            at += width
        doubled = power.copy()
        doubled[width:] += power[:-width]
        power, width = doubled, 2 * width
    return total


@lru_cache(maxsize=8)
def _comparisons(number: int) -> tuple[tuple[int, int, bool, bool], ...]:
    """Pairs of layers to compare, in order, and whether the smaller and the larger one matter in the end."""
    pairs = _sorting_network(number)
    wanted = {number // 2 - 1, number // 2}
    kept = []
    for low, high in reversed(pairs):
        if low in wanted or high in wanted:
            kept.append((low, high, low in wanted, high in wanted))
            wanted |= {low, high}
    return tuple(reversed(kept))


def _sorting_network(number: int) -> list[tuple[int, int]]:
    """Batcher's merge exchange (Knuth, The Art of Computer Programming 3, algorithm 5.2.2 M)."""
    pairs: list[tuple[int, int]] = []
    top = 1 << max(0, (number - 1).bit_length() - 1)
    block = top
    while block > 0:
        reach, rest, distance = top, 0, block
        while True:
            pairs += [(k, k + distance) for k in range(number - distance) if k & block == rest]
            if reach == block:
                break
            distance, reach, rest = reach - block, reach // 2, block
        block //= 2
    return pairs
