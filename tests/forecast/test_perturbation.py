from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from tests.forecast import factory
from yrd_airq.forecast.issue import forecast
from yrd_airq.forecast.model import Model
from yrd_airq.forecast.panel import Panel, build_panel
from yrd_airq.forecast.training import train
from yrd_airq.region import load_region
from yrd_airq.vocab import CityDaySource, Target, WeatherKind

PM25 = Target.PM25
UNTIL = factory.day(119)
ISSUE_DAY = 135
ISSUE = datetime.combine(factory.day(ISSUE_DAY), datetime.min.time()).replace(hour=16)
LEADS = (1, 3)


def built(
    daily: pd.DataFrame, sky: pd.DataFrame, around: pd.DataFrame, hours: pd.DataFrame | None = None
) -> Panel:
    return build_panel(
        daily,
        factory.hours(daily) if hours is None else hours,
        sky,
        load_region(),
        source=CityDaySource.STATIONS,
        around=around,
    )


@pytest.fixture(scope="module")
def frames() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    return (*factory.archive(), factory.around())


@pytest.fixture(scope="module")
def models(frames: tuple) -> dict[WeatherKind, Model]:
    panel, settings = built(*frames), factory.quick_settings()
    kinds = (WeatherKind.NONE, WeatherKind.ANALYSIS)
    return {kind: train(panel, PM25, UNTIL, LEADS, kind, settings) for kind in kinds}


def means(panel: Panel, model: Model) -> pd.Series:
    rows = forecast(panel, model, ISSUE, LEADS, {PM25: 75.0})
    return rows.set_index(["adcode", "lead_day"])[["mean", "q10", "q50", "q90", "p_exceed"]].stack()


@pytest.mark.parametrize("kind", [WeatherKind.NONE, WeatherKind.ANALYSIS])
def test_nothing_observed_from_the_issue_date_on_moves_a_forecast(
    frames: tuple, models: dict, kind: WeatherKind
) -> None:
    daily, sky, around = frames
    issue_date = pd.Timestamp(factory.day(ISSUE_DAY))
    later, outside = daily.copy(), around.copy()
    later.loc[later["date"] >= issue_date, "value"] *= 3
    seen_later = (outside["date"] >= issue_date) & outside["name"].eq("pm25")
    outside.loc[seen_later, "value"] += 200
    before = means(built(*frames), models[kind])
    hours = factory.hours(daily)
    hours.loc[hours["time"] > pd.Timestamp(ISSUE), "value"] += 90
    panel = build_panel(later, hours, sky, load_region(), source=CityDaySource.STATIONS, around=outside)
    pd.testing.assert_series_equal(means(panel, models[kind]), before, check_exact=True)


def test_what_was_known_outside_the_region_does_move_a_forecast_with_weather(
    frames: tuple, models: dict
) -> None:
    daily, sky, around = frames
    known = around.copy()
    day_before = pd.Timestamp(factory.day(ISSUE_DAY - 1))
    known.loc[(known["date"] == day_before) & known["name"].eq("pm25"), "value"] *= 4
    model = models[WeatherKind.ANALYSIS]
    a, b = means(built(daily, sky, known), model), means(built(*frames), model)
    assert (a - b).abs().max() > 0


def test_the_weather_of_later_days_moves_no_forecast_without_weather(frames: tuple, models: dict) -> None:
    daily, sky, around = frames
    other, outside = sky.copy(), around.copy()
    issue_date = pd.Timestamp(factory.day(ISSUE_DAY))
    other.loc[other["date"] >= issue_date, ["u10_ms", "v10_ms", "t2m_c"]] += 5
    later = (outside["date"] >= issue_date) & outside["name"].ne("pm25")
    outside.loc[later, "value"] += 5
    model = models[WeatherKind.NONE]
    a, b = means(built(daily, other, outside), model), means(built(*frames), model)
    pd.testing.assert_series_equal(a, b, check_exact=True)


def test_the_weather_after_the_target_day_moves_nothing(frames: tuple, models: dict) -> None:
    daily, sky, around = frames
    other, outside = sky.copy(), around.copy()
    after = pd.Timestamp(factory.day(ISSUE_DAY + LEADS[-1] + 1))
    other.loc[other["date"] >= after, ["u10_ms", "v10_ms", "t2m_c"]] += 5
    later = (outside["date"] >= after) & outside["name"].ne("pm25")
    outside.loc[later, "value"] += 5
    model = models[WeatherKind.ANALYSIS]
    a, b = means(built(daily, other, outside), model), means(built(*frames), model)
    pd.testing.assert_series_equal(a, b, check_exact=True)


def test_whole_days_without_observations_neither_crash_nor_leak(frames: tuple, models: dict) -> None:
    daily, sky, around = frames
    gone = [pd.Timestamp(factory.day(ISSUE_DAY - k)) for k in (1, 2, 9)]
    holed, outside = daily[~daily["date"].isin(gone)], around[~around["date"].isin(gone)]
    model = models[WeatherKind.NONE]
    rows = forecast(built(holed, sky, outside), model, ISSUE, LEADS)
    assert len(rows) == 41 * len(LEADS)
    assert set(rows["basis"]) == {"stale"}
    # A lag is by date: what stood on the days before the hole does not move up.
    moved = holed.copy()
    moved.loc[moved["date"] >= pd.Timestamp(factory.day(ISSUE_DAY)), "value"] += 300
    again = forecast(built(moved, sky, outside, factory.hours(holed)), model, ISSUE, LEADS)
    pd.testing.assert_frame_equal(rows, again, check_exact=True)


def test_a_city_without_data_of_the_last_day_is_flagged(frames: tuple, models: dict) -> None:
    panel = built(*frames)
    values = {target: array.copy() for target, array in panel.values.items()}
    values[PM25][3, ISSUE_DAY - 1] = np.nan
    rows = forecast(replace(panel, values=values), models[WeatherKind.NONE], ISSUE, LEADS)
    poor = rows["adcode"] == panel.adcodes[3]
    assert set(rows.loc[poor, "basis"]) == {"neighbours"}
    assert set(rows.loc[~poor, "basis"]) == {"own"}


def test_a_training_on_a_holed_archive_works(frames: tuple) -> None:
    daily, sky, around = frames
    gone = [pd.Timestamp(factory.day(k)) for k in (20, 21, 22, 60, 101)]
    panel = built(daily[~daily["date"].isin(gone)], sky, around)
    model = train(panel, PM25, UNTIL, (1,), WeatherKind.ANALYSIS, factory.quick_settings())
    assert len(forecast(panel, model, ISSUE, (1,))) == 41
