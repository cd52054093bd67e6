"""How often the members of the transport ensemble would put an enterprise on the list by themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from yrd_airq.control.eligibility import Status
from yrd_airq.control.problem import Problem

Reals = NDArray[np.float64]


def rank_by_burden(problem: Problem) -> tuple[Reals, int]:
    """Place of each enterprise by improvement per burden, 1 the best, NaN without orders; and of how many."""
    best = np.full(len(problem.enterprises), -np.inf)
    np.maximum.at(best, problem.enterprise, problem.merit)
    there = np.isfinite(best)
    place = np.full(len(best), np.nan)
    place[there] = (-best[there]).argsort(kind="stable").argsort(kind="stable") + 1
    return place, int(there.sum())


def share_of_members(problem: Problem, chosen: NDArray[np.int64]) -> Reals:
    """Part of the members in which an enterprise is among the best by improvement per burden, (enterprise,).

    As many are the best as the list is long; improvement counts where a goal is exceeded. Without members
    or a list it is the attribution's own figure: the members in which the enterprise counts much.
    """
    members = problem.air.members
    if members < 2 or not len(chosen):
        return problem.stability
    rows = problem.goal_rows[problem.need > 0] if (problem.need > 0).any() else problem.goal_rows
    say = np.zeros((members, len(problem.enterprises)))
    for row in rows:
        say += problem.air.of_members(row).sum(axis=2) / problem.rows["goal"].to_numpy(dtype=float)[row]
    heaviest = np.zeros(len(problem.enterprises))
    np.maximum.at(heaviest, problem.enterprise, problem.burden / problem.orders.length)
    askable = (heaviest > 0) & (problem.enterprises["status"] == Status.NOT_SELECTED).to_numpy()
    rate = np.where(askable & (say > 0), say / np.where(heaviest > 0, heaviest, 1.0), -np.inf)
    place = (-rate).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    among = (place < len(chosen)) & np.isfinite(rate)
    return np.where(askable, among.mean(axis=0), problem.stability)
