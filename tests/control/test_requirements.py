"""Quantiles against hand values; which days, models and issue times count."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from tests.control.factories import ISSUE, START, make_event, make_forecasts, make_settings
from yrd_airq.control.requirements import interpolate_quantile, require_reductions
from yrd_airq.errors import InputError
from yrd_airq.vocab import Target

MODELLED = (Target.PM25, Target.O3_MDA8)


def test_the_three_quantiles_are_returned_exactly() -> None:
    for level, expected in ((0.1, 20.0), (0.5, 30.0), (0.9, 50.0)):
        assert interpolate_quantile(20, 30, 50, level) == pytest.approx(expected)


def test_quantile_between_by_hand() -> None:
    # z(0.75) = 0.67449, z(0.9) = 1.28155, ratio 0.52631: 30 + 0.52631 * 20 = 40.526
    assert interpolate_quantile(20, 30, 50, 0.75) == pytest.approx(40.526, abs=1e-3)
    assert interpolate_quantile(20, 30, 50, 0.25) == pytest.approx(30 - 5.2631, abs=1e-3)


@pytest.mark.parametrize("level", [0.0, 1.0, -0.2, 75])
def test_impossible_quantile_is_refused(level: float) -> None:
    with pytest.raises(InputError, match="goal_quantile"):
        interpolate_quantile(1, 2, 3, level)


def test_need_is_signed_and_watched_targets_have_none() -> None:
    event = make_event({"pm25": 35}, days=2, goal_quantile=0.5)
    rows = require_reductions(
        event, make_forecasts(event, pm25=33.0, o3_mda8=200.0), ISSUE, make_settings(), MODELLED
    )
    assert list(rows["target"]) == ["o3_mda8", "o3_mda8", "pm25", "pm25"]
    assert list(rows["date"]) == [START, START + timedelta(days=1)] * 2
    assert rows.loc[rows["target"] == "pm25", "need"].tolist() == [-2.0, -2.0]
    assert rows.loc[rows["target"] == "o3_mda8", ["goal", "need"]].isna().all(axis=None)


def test_goals_hold_on_event_days_or_on_all_control_days() -> None:
    event = make_event(days=2, lead_in=3)
    forecasts = make_forecasts(event, pm25=40.0)
    for goal_days, number in (("event", 2), ("control", 5)):
        rows = require_reductions(event, forecasts, ISSUE, make_settings(goal_days=goal_days), (Target.PM25,))
        assert len(rows) == number


def test_later_issues_and_baselines_do_not_count() -> None:
    event = make_event()
    used = make_forecasts(event, pm25=40.0)
    older = make_forecasts(event, pm25=50.0, issue=ISSUE - timedelta(days=1))
    later = make_forecasts(event, pm25=60.0, issue=ISSUE + timedelta(hours=1))
    baseline = used.assign(model="persistence", mean=70.0, q50=70.0)
    rows = require_reductions(
        event, pd.concat([later, baseline, used, older]), ISSUE, make_settings(), (Target.PM25,)
    )
    assert rows["forecast_q"].tolist() == [40.0]


def test_two_models_for_one_day_are_refused() -> None:
    event = make_event()
    one = make_forecasts(event, pm25=40.0)
    with pytest.raises(InputError, match=r"330100.*more than one model"):
        require_reductions(
            event, pd.concat([one, one.assign(model="other")]), ISSUE, make_settings(), MODELLED
        )


def test_without_quantiles_the_mean_is_used() -> None:
    event = make_event()
    forecasts = make_forecasts(event, pm25=40.0).assign(q10=np.nan, q50=np.nan, q90=np.nan)
    rows = require_reductions(event, forecasts, ISSUE, make_settings(), (Target.PM25,))
    assert rows["forecast_q"].tolist() == [40.0]


def test_no_forecast_at_all_is_an_error_that_names_days_and_cities() -> None:
    event = make_event()
    with pytest.raises(InputError, match=r"pm25 in 330100 on 2016-09-04 to 2016-09-04"):
        require_reductions(event, make_forecasts(event, o3_mda8=150.0), ISSUE, make_settings(), MODELLED)
    early = datetime(2016, 8, 1)
    with pytest.raises(InputError, match="2016-08-01"):
        require_reductions(event, make_forecasts(event, pm25=40.0), early, make_settings(), MODELLED)


def test_goal_without_sensitivity_is_refused() -> None:
    event = make_event({"pm25": 35, "no2": 80})
    with pytest.raises(InputError, match="no sensitivity for no2"):
        require_reductions(event, make_forecasts(event, pm25=40.0), ISSUE, make_settings(), MODELLED)


def test_dates_may_come_as_dates_or_stamps() -> None:
    event = make_event()
    forecasts = make_forecasts(event, pm25=40.0)
    forecasts["valid_date"] = forecasts["valid_date"].dt.date
    rows = require_reductions(event, forecasts, ISSUE, make_settings(), (Target.PM25,))
    assert rows["date"].tolist() == [date(2016, 9, 4)]
    assert rows["need"].tolist() == [5.0]
