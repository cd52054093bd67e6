"""Runs of days: what is listed, ramps, emission that arrives days later, chances, edits and hysteresis."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from tests.control.factories import (
    ISSUE,
    make_attribution,
    make_enterprises,
    make_event,
    make_forecasts,
    make_settings,
)
from yrd_airq.control.building import build_problem
from yrd_airq.control.chance import Spread
from yrd_airq.control.edits import Edits
from yrd_airq.control.orders import list_orders
from yrd_airq.control.plan import propose
from yrd_airq.control.problem import Problem
from yrd_airq.control.solve import solve
from yrd_airq.errors import InputError
from yrd_airq.region import load_region


def small(number: int = 2, days: int = 1, level: float = 36.0, **more: object) -> Problem:
    event = make_event(days=days)
    plants = make_enterprises(number, grade="D")
    attribution = make_attribution(plants, event, pm25=np.full(number, 4.0))
    forecasts = make_forecasts(event, pm25=level)
    arguments = (event, plants, attribution, forecasts, ISSUE, make_settings(), load_region())
    return build_problem(*arguments, **more)  # type: ignore[arg-type]


def test_runs_by_hand() -> None:
    """Three days, the first helps nowhere: the light measure starts on the second, the slow one earlier."""
    measures = [m for m in make_settings().measures if m.code in {"stop", "limit_30"}]
    orders = list_orders(
        np.ones((1, 2), dtype=bool),
        np.zeros((1, 2), dtype=np.int64),
        np.array([[1.0, 1.0]]),
        np.array([[False, True, True]]),
        3,
        measures,
        until_end=False,
    )
    runs = list(
        zip(orders.measure.tolist(), orders.first_day.tolist(), orders.last_day.tolist(), strict=True)
    )
    light = [(1, 1, 1), (1, 1, 2), (1, 2, 2)]
    slow = [(0, 0, 1), (0, 0, 2), (0, 1, 1), (0, 1, 2), (0, 2, 2)]
    assert runs == slow + light
    assert orders.ramp[0].tolist() == [0.75, 1.0, 1.0]  # half the effect over the first twelve hours
    long = list_orders(
        np.ones((1, 2), dtype=bool),
        np.array([[1, 1]]),
        np.array([[2.0, 3.0]]),
        np.array([[False, True, True]]),
        3,
        measures,
        until_end=False,
    )
    assert list(zip(long.measure, long.first_day, long.last_day, strict=True)) == [(0, 1, 2)]


def test_orders_hold_until_the_end_of_the_event() -> None:
    measures = [m for m in make_settings().measures if m.code in {"stop", "limit_30"}]
    orders = list_orders(
        np.ones((1, 2), dtype=bool),
        np.zeros((1, 2), dtype=np.int64),
        np.array([[1.0, 1.0]]),
        np.array([[False, True, False]]),
        3,
        measures,
        until_end=True,
    )
    runs = zip(orders.measure.tolist(), orders.first_day.tolist(), orders.last_day.tolist(), strict=True)
    assert list(runs) == [(0, 0, 2), (0, 1, 2), (1, 1, 2)]


def test_emission_of_the_day_before_is_ordered_for_the_day_before() -> None:
    event, plants = make_event(), make_enterprises(1, grade="D", sector="glass")
    attribution = make_attribution(plants, event, pm25=[10.0])
    lag = np.zeros((1, 2, 2, 1, 4), dtype=np.float32)
    lag[:, :, 1] = 1.0  # all of it was let off the day before
    attribution = dataclasses.replace(attribution, lag_share={t: lag for t in attribution.sensitivity})
    problem = build_problem(
        event,
        plants,
        attribution,
        make_forecasts(event, pm25=37.0),
        ISSUE,
        make_settings(),
        load_region(),
    )
    assert set(zip(problem.first_day.tolist(), problem.last_day.tolist(), strict=True)) == {(0, 0)}
    assert problem.fall(solve(problem).chosen)[problem.goal_rows].tolist() == pytest.approx([3.0])


def test_margin_of_two_members_by_hand() -> None:
    """Members a microgram apart either way around a symmetric forecast: the margin by the mean chance."""
    spread = Spread.of([20.0], [30.0], [40.0], 0.75)
    deviation = np.array([-1.0, 1.0])
    margin, slope = spread.risk(0, deviation)
    sigma = 10 / norm.ppf(0.9)
    at = spread.quantile[0] + margin
    assert np.mean(norm.sf((at + deviation - 30) / sigma)) == pytest.approx(0.25, abs=1e-9)
    assert 0 < margin < 1
    assert slope.sum() == pytest.approx(-1)
    assert spread.risk(0, np.zeros(3))[0] == pytest.approx(0, abs=1e-9)


def test_the_margin_is_convex_in_what_the_members_say() -> None:
    rng = np.random.default_rng(1)
    spread = Spread.of([25.0], [30.0], [40.0], 0.75)
    for _ in range(200):
        one, other = rng.normal(0, 6, (2, 5))
        middle = spread.risk(0, (one + other) / 2)[0]
        assert middle <= (spread.risk(0, one)[0] + spread.risk(0, other)[0]) / 2 + 1e-9
        value, slope = spread.risk(0, one)
        assert spread.risk(0, other)[0] >= value + slope @ (other - one) - 1e-9


def test_a_forecaster_keeps_and_drops() -> None:
    edits = Edits({"E001": "limit_30"}, frozenset({"E000"}), {"E000": "承担应急保供"}, "值班员")
    problem = small(number=3, edits=edits)
    solution = solve(problem)
    assert problem.enterprise[solution.chosen].tolist() == [1]
    assert problem.settings.measures[problem.measure[solution.chosen[0]]].code == "limit_30"
    assert "承担应急保供" in problem.enterprises["why_zh"][0]
    with pytest.raises(InputError, match=r"E007 is not on the enterprise list"):
        small(edits=Edits({"E007": None}, frozenset(), {}, ""))
    with pytest.raises(InputError, match=r"E000 may not be ordered shift"):
        small(edits=Edits({"E000": "shift"}, frozenset(), {}, ""))


def test_orders_in_force_stay_unless_another_is_clearly_lighter() -> None:
    event = make_event()
    plants = make_enterprises(2, grade="D", sector="glass", cost_cny_per_day=[1.0e6, 1.05e6])
    arguments = (
        event,
        plants,
        make_attribution(plants, event, pm25=[10.0, 10.0]),
        make_forecasts(event, pm25=36.4),
        ISSUE,
        make_settings(),
        load_region(),
    )
    before = pd.DataFrame(
        [("E001", "treat", "2016-09-04", "2016-09-04")],
        columns=["enterprise_id", "measure_code", "start", "end"],
    )
    fresh, kept = propose(*arguments), propose(*arguments, previous=before)
    assert fresh.list.loc[fresh.list["status"] == "selected", "enterprise_id"].tolist() == ["E000"]
    assert kept.list.loc[kept.list["status"] == "selected", "enterprise_id"].tolist() == ["E001"]
    assert kept.objective == pytest.approx(3.15)  # the burden itself is printed without the discount


def test_an_exemption_that_has_ended_is_none() -> None:
    event = make_event()
    plants = make_enterprises(2, exempt=True, exempt_until=[pd.Timestamp("2016-08-31"), pd.NaT])
    plan = propose(
        event,
        plants,
        make_attribution(plants, event, pm25=[10.0, 10.0]),
        make_forecasts(event, pm25=36.0),
        ISSUE,
        make_settings(),
        load_region(),
    )
    assert plan.outcomes["status"].tolist() == ["selected", "exempt"]
    assert sum("豁免在管控开始前已到期" in note for note in plan.notes) == 1
