"""The solver against all possible choices, and against the rule of thumb."""

from __future__ import annotations

import dataclasses
import itertools
from functools import cache

import numpy as np
import pytest

from tests.control.factories import (
    ISSUE,
    make_attribution,
    make_enterprises,
    make_event,
    make_forecasts,
    make_settings,
    with_rules,
)
from yrd_airq.control.building import build_problem
from yrd_airq.control.greedy import drop_needless, select_greedily
from yrd_airq.control.problem import Problem
from yrd_airq.control.solve import solve
from yrd_airq.region import load_region
from yrd_airq.settings import Marked


def random_problem(seed: int, enterprises: int = 5, relative_gap: float = 1e-6) -> Problem:
    """Random plants, costs, signed ozone responses and needs; about a third cannot be met."""
    rng = np.random.default_rng(seed)
    event = make_event({"pm25": 35, "o3_mda8": 160}, days=2)
    plants = make_enterprises(
        enterprises,
        grade=rng.choice(["B", "C", "D"], enterprises),
        cost_cny_per_day=np.where(rng.random(enterprises) < 0.7, rng.uniform(1e4, 1e6, enterprises), np.nan),
    )
    pm25 = rng.uniform(0, 4, enterprises) * 5 / enterprises
    o3 = np.column_stack([rng.uniform(-6, 4, enterprises), rng.uniform(0, 8, enterprises)]) * 5 / enterprises
    forecasts = make_forecasts(event, pm25=35 + rng.uniform(-1, 10), o3_mda8=160 + rng.uniform(-5, 12))
    settings = make_settings()
    limits = settings.solver.model_copy(update={"relative_gap": relative_gap})
    settings = settings.model_copy(update={"solver": limits})
    attribution = make_attribution(plants, event, pm25=pm25, o3=o3)
    return build_problem(event, plants, attribution, forecasts, ISSUE, settings, load_region())


def enumerate_best(problem: Problem) -> tuple[float, float]:
    """Least total shortfall and the least burden that keeps it, over every possible choice."""
    n, rows = len(problem.burden), len(problem.need)
    relief = np.concatenate([problem.relief, np.zeros((rows, 1))], axis=1)
    burden = np.append(problem.burden, 0.0)
    options = [[*np.flatnonzero(problem.enterprise == e), n] for e in np.unique(problem.enterprise)]
    choices = np.array(list(itertools.product(*options)))
    short = np.maximum(problem.need[:, None] - relief[:, choices].sum(axis=2), 0).sum(axis=0)
    least = short.min()
    nothing = np.maximum(problem.need, 0).sum()
    allowed = least + (1 - float(problem.settings.kept_share)) * (nothing - least) if least > 1e-6 else 0.0
    return least, burden[choices].sum(axis=1)[short <= allowed + 1e-6].min()


@cache
def enumerated(seed: int) -> tuple[Problem, tuple[float, float]]:
    problem = random_problem(seed)
    return problem, enumerate_best(problem)


@pytest.mark.parametrize("seed", range(32))
def test_solver_equals_enumeration(seed: int) -> None:
    problem, (least, burden) = enumerated(seed)
    if not (problem.need > 0).any():
        pytest.skip("nothing needed in this draw")
    solution = solve(problem)
    assert solution.objective == pytest.approx(burden, rel=1e-4)
    assert solution.status == ("optimal" if least < 1e-6 else "infeasible_relaxed")
    assert solution.bound <= solution.objective + 1e-9
    assert np.unique(problem.enterprise[solution.chosen]).size == solution.chosen.size


def test_the_random_cases_cover_both_outcomes() -> None:
    least = [best[0] for problem, best in map(enumerated, range(32)) if (problem.need > 0).any()]
    reachable = sum(value < 1e-6 for value in least)
    assert len(least) >= 30
    assert 5 <= reachable <= len(least) - 5


@pytest.mark.parametrize("seed", range(3))
def test_rule_of_thumb_never_beats_the_solver(seed: int) -> None:
    problem = random_problem(100 + seed, enterprises=40, relative_gap=0.01)
    solution, greedy = solve(problem), select_greedily(problem)
    short, greedy_short = problem.shortfall(solution.chosen).sum(), problem.shortfall(greedy).sum()
    if greedy_short <= 1e-6:
        assert short <= 1e-5
        assert solution.objective <= problem.burden[greedy].sum() + 1e-9
    elif solution.status == "infeasible_relaxed":
        gained = problem.shortfall(np.array([], dtype=np.int64)).sum() - greedy_short
        assert short <= greedy_short + 0.01 * gained + 1e-5


@pytest.mark.parametrize("seed", range(3))
def test_every_selected_enterprise_is_needed(seed: int) -> None:
    problem = random_problem(200 + seed, enterprises=12, relative_gap=0.2)
    solution = solve(problem)
    if solution.status != "optimal":
        return
    for position in range(len(solution.chosen)):
        assert problem.violation(np.delete(solution.chosen, position)).sum() > 1e-6


def test_greedy_replaces_a_light_order_by_a_heavier_one() -> None:
    event = make_event({"pm25": 35})
    plants = make_enterprises(1)
    problem = build_problem(
        event,
        plants,
        make_attribution(plants, event, pm25=[10.0]),
        make_forecasts(event, pm25=44.0),
        ISSUE,
        make_settings(),
        load_region(),
    )
    chosen = select_greedily(problem)
    assert [problem.settings.measures[k].code for k in problem.measure[chosen]] == ["stop"]
    assert problem.shortfall(chosen).sum() == 0


def test_needless_orders_are_dropped_heaviest_first() -> None:
    problem = random_problem(1, enterprises=6)
    everything = np.flatnonzero(np.diff(problem.enterprise, prepend=-1))
    kept = drop_needless(problem, everything, limit=float("inf"))
    assert len(kept) == 0


def test_where_goals_are_out_of_reach_crumbs_are_given_up() -> None:
    """A plant that brings 0.5 % of the reduction at a huge cost stays out; kept_share 1 takes it in."""
    event = make_event({"pm25": 35})
    plants = make_enterprises(2, cost_cny_per_day=[1e4, 1e8], grade=["D", "D"])
    attribution = make_attribution(plants, event, pm25=[10.0, 0.05])
    forecasts = make_forecasts(event, pm25=60.0)
    every = Marked(value=1.0, mark="derived", source="test")
    number = {}
    for name, settings in {"usual": make_settings(), "all": make_settings(kept_share=every)}.items():
        problem = build_problem(event, plants, attribution, forecasts, ISSUE, settings, load_region())
        solution = solve(problem)
        assert solution.status == "infeasible_relaxed"
        number[name] = len(solution.chosen)
    assert number == {"usual": 1, "all": 2}


@pytest.mark.parametrize(("flag", "expected"), [(False, {"E001"}), (True, {"E000", "E001"})])
def test_host_province_leads_on_request(flag: bool, expected: set[str]) -> None:
    """E001 (Jiangsu) alone would do; under the rule the host's E000 must carry as much."""
    event = make_event({"pm25": 35})
    plants = make_enterprises(
        2, adcode=["330100", "320500"], cost_cny_per_day=[1e6, 1e5], grade="D", sector="furniture"
    )
    problem = build_problem(
        event,
        plants,
        make_attribution(plants, event, pm25=[1.0, 10.0]),
        make_forecasts(event, pm25=36.9),
        ISSUE,
        with_rules(host_province_leads=flag),
        load_region(),
    )
    solution = solve(problem)
    assert solution.status == "optimal"
    burden = dict(
        zip(
            problem.enterprises["enterprise_id"][problem.enterprise[solution.chosen]],
            problem.burden[solution.chosen],
            strict=True,
        )
    )
    assert set(burden) == expected
    if flag:
        assert burden["E000"] >= burden["E001"]


def test_same_input_same_choice_among_equal_plants() -> None:
    event = make_event({"pm25": 35})
    plants = make_enterprises(20, grade="D")
    problem = build_problem(
        event,
        plants,
        make_attribution(plants, event, pm25=np.full(20, 1.0)),
        make_forecasts(event, pm25=38.0),
        ISSUE,
        make_settings(),
        load_region(),
    )
    first, second = solve(problem), solve(problem)
    assert np.array_equal(first.chosen, second.chosen)
    assert first.objective == second.objective


def test_solver_keeps_standard_output_clean(capfd: pytest.CaptureFixture[str]) -> None:
    problem = random_problem(3)
    benefit = problem.benefit.copy()
    benefit[:, 0] = 5e-8
    solve(dataclasses.replace(problem, benefit=benefit))
    assert capfd.readouterr().out == ""
