"""The parts of the closed loop that need no world: the best choice, matched lists, figures, the table."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest

from tests.bench.closed_loop import lists
from tests.bench.closed_loop.best import choose_best
from tests.bench.closed_loop.gradient import Weights, _of_candidates, _of_plants, _share_of_hours
from tests.bench.closed_loop.report import markdown, summarise
from tests.bench.closed_loop.score import agree, circle_burden, compare, count_harm
from tests.bench.closed_loop.truth import Span
from tests.conftest import ROOT
from yrd_airq.control.problem import Problem
from yrd_airq.control.settings import ControlSettings
from yrd_airq.drill.settings import load_scenario
from yrd_airq.drill.stations import Truth
from yrd_airq.drill.world import make_world
from yrd_airq.settings import load, load_event
from yrd_airq.vocab import Pollutant, Target


def brute_force(enterprise: np.ndarray, burden: np.ndarray, value: np.ndarray, budget: float) -> float:
    """Most value within the budget, by trying everything."""
    groups = [[-1, *np.flatnonzero(enterprise == e)] for e in np.unique(enterprise)]
    best = 0.0
    for choice in product(*groups):
        chosen = [c for c in choice if c >= 0]
        if burden[chosen].sum() <= budget:
            best = max(best, float(value[chosen].sum()))
    return best


@pytest.mark.parametrize("seed", range(40))
def test_the_choice_is_feasible_and_the_bound_holds(seed: int) -> None:
    rng = np.random.default_rng(seed)
    enterprise = np.sort(rng.integers(0, 5, size=12))
    burden, value = rng.uniform(0.1, 2, size=12), rng.normal(0.3, 1, size=12)
    budget = float(rng.uniform(0.5, 5))
    found = choose_best(enterprise, burden, value, budget)
    assert burden[found.chosen].sum() <= budget + 1e-9
    assert len(set(enterprise[found.chosen])) == len(found.chosen)
    assert found.value == pytest.approx(value[found.chosen].sum())
    truth = brute_force(enterprise, burden, value, budget)
    assert found.value <= truth + 1e-9 <= found.bound + 2e-9


def test_with_many_small_orders_the_choice_is_nearly_the_bound() -> None:
    rng = np.random.default_rng(5)
    enterprise = np.repeat(np.arange(500), 4)
    burden, value = rng.uniform(0.1, 1, size=2000), rng.lognormal(size=2000)
    found = choose_best(enterprise, burden, value, 60.0)
    assert found.value > 0.995 * found.bound


def test_harmful_orders_are_never_taken() -> None:
    found = choose_best(np.array([0, 1]), np.array([1.0, 1.0]), np.array([-1.0, -0.1]), 10.0)
    assert len(found.chosen) == 0
    assert found.bound == 0


def city(adcode: str, target: str, predicted: float, true: float) -> dict[str, Any]:
    return {"adcode": adcode, "target": target, "predicted": predicted, "true": true}


def plan(burden: float, benefit: float, *cities: dict[str, Any]) -> dict[str, Any]:
    return {"orders": 3, "burden": burden, "benefit": benefit, "predicted": benefit, "cities": list(cities)}


def result(name: str, **lists: dict[str, Any]) -> dict[str, Any]:
    return {
        "event": name,
        "regime": "summer ozone",
        "hard": False,
        "status": "optimal",
        "lists": lists,
        "best": {"benefit": 4.0},
        "greedy_burden": 40.0,
    }


def an_event(name: str, predicted: float, true: float) -> dict[str, Any]:
    own = plan(30.0, true, city("310000", "o3_mda8", predicted, true), city("310000", "pm25", 1.0, 0.5))
    circle = plan(100.0, 2.0, city("310000", "o3_mda8", 1.0, -2.0), city("310000", "pm25", 1.0, 0.5))
    chance = plan(30.0, 0.5, city("310000", "o3_mda8", -1.0, -1.0), city("310000", "pm25", 1.0, 0.5))
    return result(name, product=own, circle=circle, random=chance)


def test_agreement_of_points_on_a_line() -> None:
    points = pd.DataFrame({"true": [0.0, 1.0, 2.0], "predicted": [1.0, 3.0, 5.0]})
    found = agree(points)
    assert found["slope"] == pytest.approx(2.0)
    assert found["r"] == pytest.approx(1.0)
    assert found["bias"] == pytest.approx(2.0)
    assert found["ratio"] == pytest.approx(3.0)
    assert np.isnan(agree(points.iloc[:1])["slope"])


def test_shares_and_savings_by_hand() -> None:
    # Product: burden 30 for a benefit of 3; best 4; greedy needs 40; the circle 100 for 2, so 150 for 3.
    found = compare([an_event("one", 2.0, 3.0)])
    assert found["of_best"] == pytest.approx(0.75)
    assert found["saved_greedy"] == pytest.approx(0.25)
    assert found["saved_circle"] == pytest.approx(0.8)
    assert found["of_random"] == pytest.approx(1 / 6)
    assert circle_burden(3.0, plan(100.0, -1.0)) is None


def test_an_empty_list_takes_no_part() -> None:
    nothing = {**an_event("none", 0.0, 0.0)}
    nothing["lists"] = {"product": {**plan(0.0, 0.0), "orders": 0}}
    assert compare([nothing]) == {"events": 0}


def test_harm_and_whether_it_was_said() -> None:
    # Own lists: one harms unforeseen, one does no harm. The circle harms against the prediction in both;
    # the random list harms as predicted in both.
    found = count_harm([an_event("one", 2.0, -3.0), an_event("two", 2.0, 3.0)])
    assert found == {
        "own": 1,
        "own_foreseen": 0,
        "any": 5,
        "any_foreseen": 2,
        "false_alarms": 0,
        "cities_harmed": 5,
    }


def test_the_table_states_every_figure() -> None:
    check = {
        "regime": "summer ozone",
        "target": "o3_mda8",
        "lead_day": 1,
        "n": 410,
        "rmse": 12.3,
        "persistence": 20.0,
        "skill": 0.62,
        "coverage80": 0.79,
    }
    text = markdown(summarise([an_event("one", 2.0, 3.0), an_event("two", 4.0, 5.0)], [check]))
    assert "|  | summer ozone | all |" in text
    assert "| events (hard goals) | 2 (0) | 2 (0) |" in text
    assert "| ozone, predicted against true fall: slope | 1.00 | 1.00 |" in text
    assert "| D+1 | 410 | 12.3 | 20.0 | 0.62 | 79% |" in text


def test_the_value_of_orders_is_the_gradient_times_what_they_truly_avoid() -> None:
    world = make_world(load_scenario("summer_ozone"))
    event = load_event(ROOT / "configs" / "events" / "drill.yaml")
    span, settings = Span.of(world, event), load(ControlSettings, "control")
    codes = [measure.code for measure in settings.measures]
    ids = world.enterprises["enterprise_id"].tolist()
    # The last but one stands for a plant of the list that no longer exists; the last begins a day late.
    table = pd.DataFrame({"enterprise_id": [ids[0], ids[700], ids[1500], "DRILL9999", ids[900]]})
    problem = cast(
        Problem,
        SimpleNamespace(
            event=event,
            settings=settings,
            enterprises=table,
            enterprise=np.arange(5),
            measure=np.array([codes.index(c) for c in ("stop", "shift", "treat", "stop", "limit_50")]),
            first_day=np.array([0, 0, 0, 0, 1]),
            last_day=np.full(5, (span.last - span.first).days - 1),
        ),
    )
    times = pd.date_range(span.first, span.last, freq="h")
    emission = world.emission_over(times)
    span.__dict__["emission"] = emission
    rng = np.random.default_rng(3)
    shape = (len(times) - 1, *emission.at(1).shape)
    slope = rng.normal(size=shape)
    value = _of_candidates(span, problem, _of_plants(span, slope.reshape(*shape[:3], -1)))
    for k in range(5):
        cut = emission.with_cuts(span.reductions(lists.as_list(problem, np.array([k]))))
        avoided = [emission.at(h + 1).astype(float) - cut.at(h + 1) for h in range(len(times) - 1)]
        direct = float((np.array(avoided) * slope).sum())
        assert value[k] == pytest.approx(direct, rel=2e-3, abs=2e-3 * float(np.abs(avoided).sum()))
    assert value[3] == 0
    assert abs(value[[0, 1, 2, 4]]).min() > 0


def test_the_largest_eight_hours_of_each_station_count() -> None:
    world = make_world(load_scenario("summer_ozone"))
    event = load_event(ROOT / "configs" / "events" / "drill.yaml")
    span = Span.of(world, event)
    times = pd.date_range(span.first, span.last, freq="h")[1:]
    stations = world.network.adcode.count("320500")
    hourly = np.tile(np.r_[np.zeros(10), np.arange(8), np.zeros(6)], len(times) // 24)
    table = np.repeat(hourly[:, None], len(world.network.adcode), axis=1)
    truth = Truth(times, dict.fromkeys(Pollutant, table), world.network)
    counted = pd.DataFrame({"adcode": ["320500"], "date": [event.end]})
    share = _share_of_hours(span, truth, Weights(Target.O3_MDA8, counted))
    # 10:00 to 18:00 of the last day, shared by the city's stations.
    assert share.sum() == pytest.approx(1.0)
    assert np.flatnonzero(share.any(axis=1)).tolist() == list(range(len(times) - 14, len(times) - 6))
    assert share.max() == pytest.approx(1 / 8 / stations)
    mean = _share_of_hours(span, truth, Weights(Target.PM25, counted))
    assert mean.sum() == pytest.approx(1.0)
    assert np.flatnonzero(mean.any(axis=1)).tolist() == list(range(len(times) - 24, len(times)))
