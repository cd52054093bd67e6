"""The most that a list of a given burden could bring, by the truth: values of orders, and which to take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Reals = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Choice:
    """Chosen candidates, their summed value, and the bound of the relaxed problem that no choice exceeds."""

    chosen: Indices
    value: float
    bound: float


def choose_best(enterprise: Indices, burden: Reals, value: Reals, budget: float) -> Choice:
    """Candidates of most value within a budget, at most one per enterprise; ``value`` may be negative.

    The multiple-choice knapsack by steps of falling value per burden along the upper hull of each
    enterprise's candidates (Sinha and Zoltners 1979): the bound is that of the relaxed problem; the choice
    misses it by less than one step.
    """
    steps = sorted(_steps(enterprise, burden, value), key=lambda step: (-step[0], step[1], step[2]))
    held: dict[int, int] = {}
    closed: set[int] = set()
    left, total, bound = budget, 0.0, None
    for merit, owner, candidate, before, added in steps:
        if owner in closed or held.get(owner, -1) != before:
            continue
        if added > left:
            if bound is None:
                bound = total + merit * left
            closed.add(owner)
            continue
        held[owner] = candidate
        left -= added
        total += merit * added
    chosen = np.array(sorted(held.values()), dtype=np.int64)
    return Choice(chosen, total, total if bound is None else bound)


def _steps(enterprise: Indices, burden: Reals, value: Reals) -> Iterator[tuple[float, int, int, int, float]]:
    """Steps (value per burden, enterprise, candidate, candidate it replaces, added burden) of every hull."""
    useful = np.flatnonzero(value > 0)
    order = useful[np.lexsort((-value[useful], burden[useful], enterprise[useful]))]
    start = np.flatnonzero(np.diff(enterprise[order], prepend=-1))
    for group in np.split(order, start[1:]) if len(order) else []:
        hull: list[int] = []
        for candidate in group:
            if hull and value[candidate] <= value[hull[-1]]:
                continue
            while hull and _merit(hull, candidate, burden, value) >= _last_merit(hull, burden, value):
                hull.pop()
            hull.append(int(candidate))
        for k, candidate in enumerate(hull):
            before = hull[k - 1] if k else -1
            added = burden[candidate] - (burden[before] if k else 0.0)
            gain = value[candidate] - (value[before] if k else 0.0)
            yield gain / added, int(enterprise[candidate]), candidate, before, float(added)


def _merit(hull: list[int], candidate: int, burden: Reals, value: Reals) -> float:
    added = burden[candidate] - burden[hull[-1]]
    return float((value[candidate] - value[hull[-1]]) / added) if added > 0 else np.inf


def _last_merit(hull: list[int], burden: Reals, value: Reals) -> float:
    last = hull[-1]
    before = hull[-2] if len(hull) > 1 else None
    gain = value[last] - (value[before] if before is not None else 0.0)
    return float(gain / (burden[last] - (burden[before] if before is not None else 0.0)))
