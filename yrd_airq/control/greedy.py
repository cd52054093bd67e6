"""The explainable rule of thumb: add the order that brings most for its burden until the goals are met."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from yrd_airq.control.problem import Problem

REACHED = 1e-6  # of the goal: a shortfall below this counts as none


def select_greedily(problem: Problem) -> NDArray[np.int64]:
    """Candidates chosen step by step by fall of the total shortfall per added burden, sorted.

    A step gives an enterprise its first order or replaces its order by a heavier one. Ozone that
    rises counts against a step as soon as it goes over the goal. Ends when nothing is missing or no
    step helps. Equal steps are taken by enterprise id.
    """
    relief, left = problem.relief, problem.need.copy()
    held = np.full(len(problem.enterprises), -1, dtype=np.int64)
    nothing = np.zeros((len(left), 1))
    while np.maximum(left, 0).sum() > REACHED:
        before = held[problem.enterprise]
        added = relief - np.concatenate([relief, nothing], axis=1)[:, before]
        burden = problem.burden - np.append(problem.burden, 0.0)[before]
        gain = np.maximum(left, 0).sum() - np.maximum(left[:, None] - added, 0).sum(axis=0)
        worth = np.divide(gain, burden, out=np.zeros_like(gain), where=burden > 0)
        best = int(np.argmax(worth)) if len(worth) else -1
        if best < 0 or worth[best] <= 0:
            break
        held[problem.enterprise[best]] = best
        left = left - added[:, best]
    return np.sort(held[held >= 0])


def drop_needless(problem: Problem, chosen: NDArray[np.int64], limit: float) -> NDArray[np.int64]:
    """``chosen`` without the orders that can go while the total shortfall stays within ``limit``.

    Tried from the heaviest burden down, so that nobody is on the list whom the goals do not need.
    """
    relief, need = problem.relief, problem.need
    kept = dict.fromkeys(int(c) for c in chosen)
    achieved = relief[:, chosen].sum(axis=1)
    for candidate in sorted(kept, key=lambda c: (-problem.burden[c], -c)):
        without = achieved - relief[:, candidate]
        if np.maximum(need - without, 0).sum() <= limit + REACHED:
            achieved = without
            del kept[candidate]
    return np.array(sorted(kept), dtype=np.int64)
