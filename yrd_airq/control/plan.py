"""The finished proposal for an event: list, what it reaches at each receptor, alternatives and remarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from yrd_airq.attribution.matrix import Attribution
from yrd_airq.control.alternatives import compare_scenarios
from yrd_airq.control.building import build_problem
from yrd_airq.control.edits import Edits
from yrd_airq.control.listing import list_enterprises
from yrd_airq.control.notes import write_notes
from yrd_airq.control.problem import Problem
from yrd_airq.control.settings import ControlSettings
from yrd_airq.control.solve import PlanStatus, Solution, solve
from yrd_airq.region import Region
from yrd_airq.settings import Event
from yrd_airq.standards.tiers import Tier

RECEPTOR_COLUMNS = (
    *("adcode", "date", "target", "forecast_q", "goal"),
    *("required_ugm3", "achieved_ugm3", "shortfall_ugm3"),
    *("chance_without", "chance_with"),
)


@dataclass(frozen=True)
class Plan:
    """A proposed control list.

    ``status``: ``optimal`` (within the solver's relative gap), ``gap`` (time limit, larger gap),
    ``infeasible_relaxed`` (the goals cannot be reached; the least-violating plan) or ``not_needed``.
    ``list``: see ``listing.LIST_COLUMNS``. ``receptors``: one row per receptor, day and goal
    that has a forecast, in µg/m³. ``objective`` and ``bound``: burden in index points; ``gap`` =
    1 − bound / objective.
    ``curve``: see ``alternatives.compare_scenarios``. ``notes``: Chinese sentences.
    ``outcomes``: every enterprise of the list with its status and reason (enterprise_id, status,
    why_zh), also those that are not in ``list``.
    """

    status: PlanStatus
    list: pd.DataFrame
    receptors: pd.DataFrame
    objective: float
    gap: float
    bound: float
    seconds: float
    curve: pd.DataFrame
    notes: tuple[str, ...]
    outcomes: pd.DataFrame


def propose(
    event: Event,
    enterprises: pd.DataFrame,
    attribution: Attribution,
    forecasts: pd.DataFrame,
    issue_time: datetime,
    settings: ControlSettings,
    region: Region,
    traced: pd.DataFrame | None = None,
    *,
    edits: Edits | None = None,
    previous: pd.DataFrame | None = None,
    tiers: Mapping[str, Tier] | None = None,
) -> Plan:
    """The least burdensome list that keeps the goal quantile of the forecasts below the event's goals.

    ``enterprises`` in the canonical columns of an enterprise list, ``forecasts`` in the columns of
    the forecast table (one model beside the baselines), ``traced`` the traced sources of
    mobile-survey hotspots (``survey.tracing.TRACE_COLUMNS``), ``edits`` what a forecaster keeps or
    drops, ``previous`` the orders in force (enterprise_id, measure_code, start, end), which are given
    up only for something clearly lighter, ``tiers`` the warning tier of cities by adcode. Raises
    ``InputError`` where the inputs do not fit together.
    """
    problem = build_problem(
        event,
        enterprises,
        attribution,
        forecasts,
        issue_time,
        settings,
        region,
        edits=edits,
        previous=previous,
        tiers=tiers,
    )
    solution = solve(problem)
    receptors = _reach(problem, solution)
    listed = list_enterprises(problem, solution, region, traced)
    return Plan(
        status=solution.status,
        list=listed,
        receptors=receptors,
        objective=solution.objective,
        gap=solution.gap,
        bound=solution.bound,
        seconds=solution.seconds,
        curve=compare_scenarios(problem, solution),
        notes=write_notes(problem, solution, receptors, attribution, region),
        outcomes=_outcomes(problem, solution),
    )


def _reach(problem: Problem, solution: Solution) -> pd.DataFrame:
    """Goal by goal: what is required and what the chosen orders achieve."""
    rows = problem.rows.iloc[problem.goal_rows]
    achieved = problem.fall(solution.chosen)[problem.goal_rows]
    table = rows.assign(
        required_ugm3=rows["need"].clip(lower=0),
        achieved_ugm3=achieved,
        # With members that disagree this is more than what the mean member lacks.
        shortfall_ugm3=problem.shortfall(solution.chosen) * problem.goal,
        chance_without=problem.chance(np.zeros(0, dtype=np.int64)),
        chance_with=problem.chance(solution.chosen),
    )
    numbers = list(RECEPTOR_COLUMNS[3:])
    table[numbers] = np.round(table[numbers].astype(float), 3) + 0.0
    return table[list(RECEPTOR_COLUMNS)].reset_index(drop=True)


def _outcomes(problem: Problem, solution: Solution) -> pd.DataFrame:
    table = problem.enterprises[["enterprise_id", "status", "why_zh"]].astype({"status": str})
    chosen = problem.enterprise[solution.chosen]
    table.loc[chosen, "status"] = "selected"
    return table
