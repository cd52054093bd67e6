"""The explainable rule of thumb: add the orders that bring most for their burden until the goals are met."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from yrd_airq.control.problem import REACHED, Problem

Ints = NDArray[np.int64]


def select_greedily(problem: Problem) -> Ints:
    """Candidates chosen by fall of the missing goals per added burden, sorted.

    Round by round: every enterprise offers its best step, a first order or a heavier one instead of
    the one it holds; the steps are taken from the best down until another set of goals is missing. Linear
    and by the mean member. Ends when nothing is missing or no step helps. Equal steps go by enterprise id.
    """
    relief, left = problem.relief, problem.need.copy()
    held = np.full(len(problem.enterprises), -1, dtype=np.int64)
    padded = np.concatenate([relief, np.zeros((len(left), 1))], axis=1)
    starts = np.flatnonzero(np.diff(problem.enterprise, prepend=-1))  # orders stand by enterprise
    while (left > REACHED).any() and len(problem.burden):
        missing = left > REACHED
        before = held[problem.enterprise]
        added = relief - padded[:, before]
        worth = np.maximum(left, 0).sum() - np.maximum(left[:, None] - added, 0).sum(axis=0)
        burden = problem.burden - np.append(problem.burden, 0.0)[before]
        rate = np.divide(worth, burden, out=np.zeros_like(worth), where=burden > 0)
        steps = _best_steps(rate, starts)
        if not len(steps):
            break
        path = left[:, None] - np.cumsum(relief[:, steps] - padded[:, before[steps]], axis=1)
        changed = ((path > REACHED) != missing[:, None]).any(axis=0)
        taken = steps[: int(changed.argmax()) + 1] if changed.any() else steps
        held[problem.enterprise[taken]] = taken
        left = problem.need - relief[:, held[held >= 0]].sum(axis=1)
    return np.sort(held[held >= 0])


def _best_steps(rate: NDArray[np.float64], starts: Ints) -> Ints:
    """The best step of every enterprise that has a good one, the best of all first."""
    best = np.maximum.reduceat(rate, starts)
    at = np.where(
        rate == np.repeat(best, np.diff(np.append(starts, len(rate)))), np.arange(len(rate)), len(rate)
    )
    steps = np.minimum.reduceat(at, starts)
    order = np.argsort(-best, kind="stable")
    return np.asarray(steps[order[best[order] > 0]])


def drop_needless(problem: Problem, chosen: Ints, limit: NDArray[np.float64]) -> Ints:
    """``chosen`` without the orders that can go while the violations stay within ``limit``.

    ``limit``: of goals, rules and rise. Tried from the heaviest burden down, so that nobody is on the list
    whom the goals do not need; those that a forecaster keeps stay.
    """
    kept = np.sort(chosen)
    locked = set(np.concatenate([*problem.keep, np.zeros(0, dtype=np.int64)]).tolist())
    for candidate in sorted(kept.tolist(), key=lambda c: (-problem.burden[c], -c)):
        without = kept[kept != candidate]
        if candidate not in locked and (problem.violation(without) <= limit + REACHED).all():
            kept = without
    return kept
