"""The selection model solved: least violation of goals and rules first, then least burden."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from yrd_airq.control.greedy import drop_needless, select_greedily
from yrd_airq.control.problem import REACHED, Problem
from yrd_airq.control.programme import CLASSES, write_programme
from yrd_airq.control.search import Answer, Search

PlanStatus = Literal["optimal", "gap", "infeasible_relaxed", "not_needed"]
SHORTFALL_GAP = 1e-4
TIE_BREAK = 1e-6
SEARCHED_UP_TO = 400  # longer lists are not searched for needless names one by one
PRICED_UP_TO = 20_000  # the relaxed model of more orders takes about as long as the plan itself
Reals = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Worth:
    """What one unit of each goal and rule is worth in the relaxed model, index points.

    ``goal`` (goal row,): burden that one µg/m³ more of allowance would save; ``rule`` (rule row,): burden
    that a hundredth of the rule's unit would save.
    """

    goal: Reals
    rule: Reals


@dataclass(frozen=True)
class Solution:
    """Chosen candidates (sorted indices) and how good they are proven to be.

    ``objective`` and ``bound`` are burdens in index points; ``gap`` = 1 − bound / objective. With
    ``infeasible_relaxed`` they hold for the smallest violation that was found: ``missed`` (goals, rules,
    rise of ozone), sums of shares. ``greedy`` is the rule-of-thumb choice for comparison. ``worth``: None
    where nothing was solved.
    """

    status: PlanStatus
    chosen: Ints
    greedy: Ints
    objective: float
    bound: float
    gap: float
    seconds: float
    missed: Reals
    worth: Worth | None = None


def solve(problem: Problem, seconds: float | None = None) -> Solution:
    """The least burden among the choices with the least violation.

    What is missed of goals, rules and ozone guard is summed as shares, a rise of ozone by its own small
    weight. Where the goals cannot be reached, the plan may give up 1 − ``kept_share`` of the largest
    possible reduction. The rule-of-thumb choice is returned where it is lighter, so the plan is never worse.
    """
    begun = time.monotonic()
    none = np.zeros(0, dtype=np.int64)
    nothing = problem.violation(none)
    if not nothing.any() and not problem.keep:
        return Solution("not_needed", none, none, 0.0, 0.0, 0.0, time.monotonic() - begun, nothing)
    greedy = select_greedily(problem)
    if not len(problem.burden):
        return Solution("infeasible_relaxed", none, greedy, 0.0, 0.0, 0.0, time.monotonic() - begun, nothing)
    seconds = problem.settings.solver.seconds if seconds is None else seconds
    search = Search(write_programme(problem))
    least, first = _least_violation(problem, search, greedy, seconds / 2)
    limit = _limits(problem, least, nothing)
    answer = _least_burden(problem, search, limit, seconds - (time.monotonic() - begun), greedy)
    chosen = _best(problem, [answer.chosen, first.chosen, greedy], limit)
    objective = float(problem.burden[chosen].sum())
    bound = min(max(answer.bound, 0.0), objective)
    gap = 1 - bound / objective if objective > 0 else 0.0
    allowed = problem.settings.solver.relative_gap + TIE_BREAK
    proven = answer.in_time and first.in_time and (gap <= allowed or bool(problem.discount.any()))
    status: PlanStatus = "optimal" if proven else "gap"
    missed = problem.violation(chosen)
    if (missed[:2] > REACHED).any():
        status = "infeasible_relaxed"
    worth = _price(problem, search, max(seconds - (time.monotonic() - begun), 1.0))
    return Solution(status, chosen, greedy, objective, bound, gap, time.monotonic() - begun, missed, worth)


def weights(problem: Problem) -> Reals:
    """What a missed goal, a broken rule and a rise of ozone weigh in the first stage."""
    return np.array([1.0, 1.0, float(problem.settings.rules.rise_weight)])


def _least_violation(problem: Problem, search: Search, greedy: Ints, seconds: float) -> tuple[Reals, Answer]:
    """Smallest violation that was found, by class; the solver is asked if the rule of thumb falls short."""
    found = [greedy] if _keeps_edits(problem, greedy) else []
    if found and (problem.violation(greedy) <= REACHED).all():
        return np.zeros(3), Answer(greedy, 0.0, True)
    weight = weights(problem)
    search.aim({name: np.full(1, w) for name, w in zip(CLASSES, weight, strict=True)})
    answer = search.run(seconds, SHORTFALL_GAP)
    if answer.chosen is not None:
        found.append(answer.chosen)
    if not found:
        return problem.violation(np.zeros(0, dtype=np.int64)), answer
    best = min((problem.violation(choice) for choice in found), key=lambda missed: float(missed @ weight))
    return np.where(best > REACHED, best, 0.0), answer


def _limits(problem: Problem, least: Reals, nothing: Reals) -> Reals:
    """What the second stage may leave of each class; crumbs are only given up where something is gained."""
    kept = float(problem.settings.kept_share)
    gained = np.maximum(nothing - least, 0.0)
    return np.where(least > REACHED, least + (1 - kept) * gained, 0.0)


def _least_burden(problem: Problem, search: Search, limit: Reals, seconds: float, greedy: Ints) -> Answer:
    for name, most in zip(CLASSES, limit, strict=True):
        search.limit(name, float(most) + REACHED / 2)
    scale = float(problem.burden.max())
    # Equal plants are told apart by id, so that the same input always gives the same list.
    nudge = 1 + TIE_BREAK * problem.enterprise / max(len(problem.enterprises), 1)
    cost = problem.burden * (1 - problem.discount) * nudge / scale
    search.aim({"order": cost})
    answer = _round(problem, search, cost, limit, max(seconds, 1.0), greedy)
    if answer is None:
        answer = search.run(max(seconds, 1.0), problem.settings.solver.relative_gap)
    return Answer(answer.chosen, answer.bound * scale / (1 + TIE_BREAK), answer.in_time)


def _round(
    problem: Problem, search: Search, cost: Reals, limit: Reals, seconds: float, greedy: Ints
) -> Answer | None:
    """A choice near enough to the relaxed optimum to need no branching; None if there is none.

    The relaxed optimum splits no more enterprises than there are binding rows: on long lists they hardly
    count. Each of them is given the heaviest order that it has a part of, then the lightest that will do.
    """
    relaxed = search.approach(seconds)
    if relaxed is None:
        return None
    bound, part = relaxed
    for choice in (_round_up(problem, part, limit), greedy):
        near = cost[choice].sum() <= bound * (1 + problem.settings.solver.relative_gap)
        if near and _keeps_edits(problem, choice) and (problem.violation(choice) <= limit + REACHED).all():
            return Answer(choice, bound, True)
    return None


def _round_up(problem: Problem, part: Reals, limit: Reals) -> Ints:
    """A whole choice from the parts of a relaxed optimum; what is split is settled from the heaviest down."""
    given = np.flatnonzero(part > TIE_BREAK)
    given = given[np.argsort(problem.burden[given], kind="stable")]
    held = np.full(len(problem.enterprises), -1, dtype=np.int64)
    held[problem.enterprise[given]] = given
    split = given[part[given] < 1 - TIE_BREAK]
    for owner in dict.fromkeys(problem.enterprise[split[::-1]].tolist()):
        for lighter in (-1, *split[problem.enterprise[split] == owner][:-1].tolist()):
            heaviest, held[owner] = held[owner], lighter
            choice = np.sort(held[held >= 0])
            missed = problem.violation(choice)
            # The tolerated rest of the chance is not given away here.
            missed[0] = np.maximum(problem.excess(choice), 0).sum()
            if (missed <= limit + REACHED).all():
                break
            held[owner] = heaviest
    return np.sort(held[held >= 0])


def _best(problem: Problem, choices: list[Ints | None], limit: Reals) -> Ints:
    """The choice of least burden among those within ``limit``, needless orders dropped."""
    fit = [choice for choice in choices if choice is not None and _keeps_edits(problem, choice)]
    pruned = [
        drop_needless(problem, choice, limit) if len(choice) <= SEARCHED_UP_TO else choice for choice in fit
    ]

    def rank(choice: Ints) -> tuple[float, float]:
        over = np.maximum(problem.violation(choice) - limit - 2 * REACHED, 0.0)
        return float(over @ weights(problem)), float((problem.burden * (1 - problem.discount))[choice].sum())

    return min(pruned, key=rank, default=np.zeros(0, dtype=np.int64))


def _keeps_edits(problem: Problem, chosen: Ints) -> bool:
    return all(np.isin(chosen, fits).sum() == 1 for fits in problem.keep)


def _price(problem: Problem, search: Search, seconds: float) -> Worth | None:
    """Worth of goals and rules where they bind: duals of the relaxed model at the second stage."""
    found = search.relax(seconds) if len(problem.burden) <= PRICED_UP_TO else None
    if found is None:
        return None
    scale = float(problem.burden.max())
    _, dual = found
    rows = search.rows
    goal = np.abs(dual[rows["goal"]]) * scale / problem.goal
    parts = [np.abs(dual[rows[family.name]]) * scale / 100 for family in problem.families]
    return Worth(goal, np.concatenate([*parts, np.zeros(0)]))
