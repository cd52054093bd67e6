"""What no list may ever break, over random lists: exemption, grades, notice, runs, edits, one order."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.control.factories import (
    ISSUE,
    make_attribution,
    make_enterprises,
    make_event,
    make_forecasts,
    make_settings,
)
from yrd_airq.control.building import build_problem
from yrd_airq.control.edits import Edits
from yrd_airq.control.problem import Problem
from yrd_airq.control.solve import Solution, solve
from yrd_airq.region import load_region

SECTORS = ["building_materials", "steel", "coating", "thermal_power_coal", "glass"]
GRADES = ["A", "引领性", "B", "B-", "C", "D", "非引领性", None]


@st.composite
def cases(draw: st.DrawFn) -> tuple[pd.DataFrame, float, str | None, int, int]:
    number = draw(st.integers(1, 7))
    pick = lambda values: draw(st.lists(st.sampled_from(values), min_size=number, max_size=number))  # noqa: E731
    plants = make_enterprises(
        number,
        sector=pick(SECTORS),
        grade=pick(GRADES),
        exempt=pick([True, False, False]),
        lat=pick([30.3, 31.0, 32.5, 40.0]),
        adcode=pick(["330100", "320500"]),
        cost_cny_per_day=pick([1e4, 1e5, 1e6]),
        continuous=pick([True, False, False]),
    )
    tier = draw(st.sampled_from([None, "yellow", "orange", "red"]))
    return plants, draw(st.floats(30, 60)), tier, draw(st.integers(1, 9)), draw(st.integers(0, 48))


def solve_case(
    case: tuple[pd.DataFrame, float, str | None, int, int], with_edits: bool
) -> tuple[Problem, Solution, Edits]:
    plants, level, tier, days, delay = case
    event = make_event(days=days, lead_in=1)
    limited = make_settings()
    few = {"stop", "limit_50", "limit_30", "load_down_20", "treat"}
    measures = tuple(m for m in limited.measures if m.code in few)
    sectors = tuple(
        s.model_copy(update={"measures": tuple(m for m in s.measures if m in few)}) for s in limited.sectors
    )
    limited = limited.model_copy(
        update={
            "measures": measures,
            "sectors": sectors,
            "solver": limited.solver.model_copy(update={"relative_gap": 0.05, "seconds": 5.0}),
        }
    )
    issue = ISSUE + timedelta(hours=delay)
    arguments = (
        event,
        plants,
        make_attribution(plants, event, pm25=np.linspace(1, 3, len(plants))),
        make_forecasts(event, issue=issue, pm25=level),
        issue,
        limited,
        load_region(),
    )
    tiers = {"330100": tier} if tier else None
    problem = build_problem(*arguments, tiers=tiers)
    edits = Edits.none()
    if with_edits and len(problem.burden):
        ids = problem.enterprises["enterprise_id"]
        first, last = problem.enterprise[0], problem.enterprise[-1]
        code = problem.settings.measures[problem.measure[0]].code
        drop = frozenset({ids[last]} if last != first else ())
        edits = Edits({ids[first]: code}, drop, {}, "test")
        problem = build_problem(*arguments, tiers=tiers, edits=edits)
    return problem, solve(problem), edits


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(cases(), st.booleans())
def test_no_list_breaks_a_hard_rule(
    case: tuple[pd.DataFrame, float, str | None, int, int], with_edits: bool
) -> None:
    problem, solution, edits = solve_case(case, with_edits)
    table, event = problem.enterprises, problem.event
    issue = ISSUE + timedelta(hours=case[4])
    chosen = solution.chosen
    owners = problem.enterprise[chosen]
    assert len(set(owners)) == len(owners)
    for c in chosen:
        plant = table.iloc[problem.enterprise[c]]
        measure = problem.settings.measures[problem.measure[c]]
        sector = next(s for s in problem.settings.sectors if s.code == plant["sector"])
        override = sector.overrides.get(measure.code)
        notice = float((override and override.notice_h) or measure.notice_h)
        shortest = float((override and override.min_days) or measure.min_days)
        begin = event.control_start + timedelta(days=int(problem.first_day[c]))
        assert not plant["exempt"]
        assert plant["grade"] not in ("A", "引领性")
        grade = (
            plant["grade"] if plant["grade"] is not None and plant["grade"] == plant["grade"] else "非引领性"
        )
        assert grade in measure.grades
        assert plant["zone"] >= 0
        assert pd.Timestamp(begin) >= pd.Timestamp(issue) + pd.Timedelta(hours=notice)
        assert problem.orders.length[c] >= shortest
        assert problem.last_day[c] < len(problem.days)
        assert not (plant["continuous"] and measure.code == "stop")
        if case[2] and plant["adcode"] == "330100":
            limit = problem.settings.rules.tiers[case[2]].deepest[grade]
            assert max(map(float, measure.cut.values())) <= float(limit) + 1e-9
    ids = set(table["enterprise_id"].iloc[owners])
    assert set(edits.keep) <= ids
    assert not edits.drop & ids
    _check_floors(problem, solution, case[2])


def _check_floors(problem: Problem, solution: Solution, tier: str | None) -> None:
    """A floor is met, or the plan says that it is not."""
    if tier is None or solution.status == "infeasible_relaxed" or not len(problem.burden):
        return
    here = (problem.enterprises["adcode"] == "330100").to_numpy()
    floor = float(problem.settings.rules.tiers[tier].floor or 0)
    reachable = [k for k in range(len(problem.burden)) if here[problem.enterprise[k]]]
    first = min((int(problem.first_day[k]) for k in reachable), default=len(problem.days))
    for day in range(first, len(problem.days)):
        got = sum(
            problem.emission_kgd[problem.enterprise[c]]
            * [
                float(problem.settings.measures[problem.measure[c]].cut.get(p, 0))
                for p in ("nox", "voc", "pm", "so2")
            ]
            * float(problem.orders.force(day)[c])
            for c in solution.chosen
            if here[problem.enterprise[c]]
        )
        assert (
            np.asarray(got) >= floor * np.nansum(problem.emission_kgd[here], axis=0) * (1 - 1e-5)
        ).all(), day
