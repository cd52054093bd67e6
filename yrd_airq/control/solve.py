"""The selection model as a mixed-integer programme: least shortfall first, then least burden."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Literal

import highspy
import numpy as np
import pandas as pd
import xarray as xr
from linopy import Model, Variable
from numpy.typing import NDArray

from yrd_airq.control.greedy import REACHED, drop_needless, select_greedily
from yrd_airq.control.problem import Problem

PlanStatus = Literal["optimal", "gap", "infeasible_relaxed", "not_needed"]
SHORTFALL_GAP = 1e-4
TIE_BREAK = 1e-6
NO_EFFECT = 1e-8  # of the goal; HiGHS would drop such coefficients with a warning


@dataclass(frozen=True)
class Solution:
    """Chosen candidates (sorted indices) and how good they are proven to be.

    ``objective`` and ``bound`` are burdens in index points; ``gap`` = 1 − bound / objective. With
    ``infeasible_relaxed`` they hold for the smallest shortfall that was found. ``greedy`` is the
    rule-of-thumb choice for comparison.
    """

    status: PlanStatus
    chosen: NDArray[np.int64]
    greedy: NDArray[np.int64]
    objective: float
    bound: float
    gap: float
    seconds: float


@dataclass(frozen=True)
class _Answer:
    chosen: NDArray[np.int64] | None
    bound: float
    in_time: bool


def solve(problem: Problem) -> Solution:
    """The least burden among the choices with the least shortfall.

    Shortfalls are summed as shares of the goals. Where the goals cannot be reached, the plan may
    give up 1 − ``kept_share`` of the largest possible reduction. The better of the solver's and the
    rule-of-thumb choice is returned, so the plan is never worse than the rule of thumb.
    """
    begun = time.monotonic()
    none = np.array([], dtype=np.int64)
    if not (problem.need > 0).any():
        return Solution("not_needed", none, none, 0.0, 0.0, 0.0, time.monotonic() - begun)
    greedy = select_greedily(problem)
    if not len(problem.burden):
        return Solution("infeasible_relaxed", none, greedy, 0.0, 0.0, 0.0, time.monotonic() - begun)
    seconds = problem.settings.solver.seconds
    least, first = _least_shortfall(problem, greedy, seconds / 2)
    limit = _shortfall_limit(problem, least)
    answer = _least_burden(problem, limit, seconds - (time.monotonic() - begun))
    chosen = _best(problem, [answer.chosen, first.chosen, greedy], limit)
    objective = float(problem.burden[chosen].sum())
    bound = min(max(answer.bound, 0.0), objective)
    gap = 1 - bound / objective if objective > 0 else 0.0
    proven = answer.in_time and first.in_time and gap <= problem.settings.solver.relative_gap + TIE_BREAK
    status: PlanStatus = "optimal" if proven else "gap"
    if least > REACHED:
        status = "infeasible_relaxed"
    return Solution(status, chosen, greedy, objective, bound, gap, time.monotonic() - begun)


def _least_shortfall(problem: Problem, greedy: NDArray[np.int64], seconds: float) -> tuple[float, _Answer]:
    """Smallest total shortfall that was found; the solver is only asked if the rule of thumb falls short."""
    by_greedy = float(problem.shortfall(greedy).sum())
    if by_greedy <= REACHED and not problem.settings.host_province_leads:
        return 0.0, _Answer(greedy, 0.0, True)
    model, _, slack = _model(problem)
    model.add_objective(slack.sum())
    answer = _run(problem, model, seconds, SHORTFALL_GAP)
    found = [] if problem.settings.host_province_leads else [by_greedy]
    if answer.chosen is not None:
        found.append(float(problem.shortfall(answer.chosen).sum()))
    nothing = float(problem.shortfall(np.array([], dtype=np.int64)).sum())
    return min(found, default=nothing), answer


def _shortfall_limit(problem: Problem, least: float) -> float:
    if least <= REACHED:
        return 0.0
    nothing = float(problem.shortfall(np.array([], dtype=np.int64)).sum())
    return least + (1 - float(problem.settings.kept_share)) * (nothing - least)


def _least_burden(problem: Problem, limit: float, seconds: float) -> _Answer:
    model, order, slack = _model(problem)
    model.add_constraints(slack.sum() <= limit + REACHED / 2, name="shortfall")
    scale = float(problem.burden.max())
    # Equal plants are told apart by id, so that the same input always gives the same list.
    nudge = 1 + TIE_BREAK * problem.enterprise / max(len(problem.enterprises), 1)
    weight = xr.DataArray(problem.burden * nudge / scale, coords=[_candidates(problem)])
    model.add_objective((order * weight).sum())
    answer = _run(problem, model, max(seconds, 1.0), problem.settings.solver.relative_gap)
    return _Answer(answer.chosen, answer.bound * scale / (1 + TIE_BREAK), answer.in_time)


def _best(problem: Problem, choices: list[NDArray[np.int64] | None], limit: float) -> NDArray[np.int64]:
    """The choice of least burden among those within ``limit``, needless orders dropped.

    Under the province rule only the solver's own choices respect it, and nothing may be dropped.
    """
    if problem.settings.host_province_leads:
        kept = [choice for choice in choices[:2] if choice is not None]
        return kept[0] if kept else np.array([], dtype=np.int64)
    pruned = [drop_needless(problem, choice, limit) for choice in choices if choice is not None]

    def rank(choice: NDArray[np.int64]) -> tuple[float, float]:
        over = max(float(problem.shortfall(choice).sum()) - limit - 2 * REACHED, 0.0)
        return over, float(problem.burden[choice].sum())

    return min(pruned, key=rank)


def _candidates(problem: Problem) -> pd.RangeIndex:
    return pd.RangeIndex(len(problem.burden), name="candidate")


def _model(problem: Problem) -> tuple[Model, Variable, Variable]:
    """At most one measure per enterprise; need met or slack; optionally the host province first."""
    candidates = _candidates(problem)
    rows = pd.RangeIndex(len(problem.need), name="row")
    model = Model()
    order = model.add_variables(binary=True, coords=[candidates], name="order")
    slack = model.add_variables(lower=0, coords=[rows], name="slack")
    owner = xr.DataArray(problem.enterprise, coords=[candidates], name="enterprise")
    model.add_constraints(order.groupby(owner).sum() <= 1, name="one_measure")
    effect = np.where(np.abs(problem.relief) < NO_EFFECT, 0.0, problem.relief)
    relief = xr.DataArray(effect, coords=[rows, candidates])
    need = xr.DataArray(problem.need, coords=[rows])
    model.add_constraints((relief * order).sum("candidate") + slack >= need, name="need")
    if problem.settings.host_province_leads:
        _let_host_lead(problem, model, order)
    return model, order, slack


def _let_host_lead(problem: Problem, model: Model, order: Variable) -> None:
    """The host province carries at least as much burden as each neighbour."""
    host = problem.event.venue.adcode[:2]
    for code in sorted(set(problem.province) - {host}):
        signed = np.where(problem.province == host, 1.0, np.where(problem.province == code, -1.0, 0.0))
        weight = xr.DataArray(signed * problem.burden / problem.burden.max(), coords=[_candidates(problem)])
        model.add_constraints((order * weight).sum() >= 0, name=f"host_before_{code}")


def _run(problem: Problem, model: Model, seconds: float, gap: float) -> _Answer:
    """Solve; the choice is None unless the solver says that it holds a feasible one."""
    _print_banner_aside()
    limits = problem.settings.solver
    model.solve(
        "highs",
        io_api="direct",
        progress=False,
        output_flag=False,
        time_limit=seconds,
        mip_rel_gap=gap,
        threads=limits.threads,
        random_seed=limits.seed,
    )
    info = model.solver_model.getInfo()
    in_time = model.termination_condition == "optimal"
    feasible = info.primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    if not feasible or model.status != "ok":
        return _Answer(None, float(info.mip_dual_bound), False)
    chosen = np.flatnonzero(model.solution["order"].values > 0.5).astype(np.int64)
    return _Answer(chosen, float(info.mip_dual_bound), in_time)


@cache
def _print_banner_aside() -> None:
    """HiGHS prints its licence line once a process to standard output, which belongs to ``--json``."""
    with _output_to_stderr():
        highspy.Highs()


@contextmanager
def _output_to_stderr() -> Iterator[None]:
    sys.stdout.flush()
    saved = os.dup(1)
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
