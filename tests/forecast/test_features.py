from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from tests.forecast import factory
from yrd_airq.errors import InputError
from yrd_airq.forecast.ablation import NOTHING, ablate, leave_out
from yrd_airq.forecast.around import lay_out_around
from yrd_airq.forecast.calendar import describe_days
from yrd_airq.forecast.components import fit_components
from yrd_airq.forecast.features import group_of
from yrd_airq.forecast.level import PRIOR_DAYS, WINDOW_DAYS, level_factor
from yrd_airq.forecast.outlook import look_ahead
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.training import train
from yrd_airq.forecast.upwind import KM_PER_DEG, sample, trace_back
from yrd_airq.vocab import Target, WeatherKind


@pytest.fixture(scope="module")
def panel() -> Panel:
    return factory.panel(hourly=True)


def test_every_feature_belongs_to_a_group_and_a_group_can_be_switched_off(panel: Panel) -> None:
    settings = factory.quick_settings()
    until, kind = factory.day(100), WeatherKind.ANALYSIS
    full = train(panel, Target.PM25, until, (1,), kind, settings).card.features
    groups = settings.features.groups
    assert {group_of(name, groups) for name in full} >= {"today", "upwind", "components", "wind", "calendar"}
    poor = train(panel, Target.PM25, until, (1,), kind, leave_out(settings, "upwind")).card.features
    assert set(full) - set(poor) == {name for name in full if group_of(name, groups) == "upwind"}
    with pytest.raises(InputError, match="the feature tide belongs to no group"):
        group_of("tide", groups)


def test_a_group_that_is_not_there_cannot_be_left_out() -> None:
    content = factory.quick_settings().model_dump()
    content["features"]["without"] = ("moon",)
    with pytest.raises(ValueError, match="no feature group moon; there are today"):
        type(factory.quick_settings()).model_validate(content)


def test_ablation_compares_on_the_same_days(panel: Panel) -> None:
    table = ablate(
        panel,
        Target.PM25,
        factory.day(120),
        factory.day(135),
        (1,),
        factory.day(119),
        WeatherKind.ANALYSIS,
        factory.quick_settings(),
        ["wind", "upwind"],
    )
    assert table["without"].tolist() == [NOTHING, "wind", "upwind"]
    assert table["gain"].iloc[0] == 0
    np.testing.assert_allclose(
        table["gain"], table["skill_vs_persistence"].iloc[0] - table["skill_vs_persistence"]
    )
    with pytest.raises(InputError, match="no feature group moon"):
        ablate(
            panel,
            Target.PM25,
            factory.day(120),
            factory.day(135),
            (1,),
            factory.day(119),
            WeatherKind.NONE,
            factory.quick_settings(),
            ["moon"],
        )


def test_air_comes_from_where_the_wind_blows() -> None:
    cities = np.array([[118.0, 31.0]], dtype=np.float32)
    places = np.array([[116.0, 31.0], [118.0, 31.0], [120.0, 31.0]], dtype=np.float32)
    day_of_two_degrees = 2 * KM_PER_DEG * np.cos(np.radians(31.0)) / 86.4
    u = np.full((1, 3, 1), day_of_two_degrees, dtype=np.float32)
    still = np.zeros_like(u)
    lon, lat = trace_back(cities, places, u, still)[0]
    assert lon[0, 0] == pytest.approx(116.0, abs=0.01)
    assert lat[0, 0] == pytest.approx(31.0, abs=0.01)
    fields = np.array([100.0, 50.0, 10.0], dtype=np.float32).reshape(1, 3, 1)
    assert sample(lon, lat, places, fields)[0, 0, 0] == pytest.approx(
        97.2, abs=0.1
    )  # 50 at 190 km still counts a little
    # Without the nearest value those farther away speak; without any nobody does.
    fields[0, 0] = np.nan
    assert sample(lon, lat, places, fields)[0, 0, 0] == pytest.approx(50.0, abs=1.0)
    assert np.isnan(sample(lon, lat, places, np.full((1, 3, 1), np.nan, dtype=np.float32))).all()
    unknown = trace_back(cities, places, np.full_like(u, np.nan), still)[0]
    assert unknown[0][0, 0] == 118.0


def test_days_off_follow_the_notices_of_the_state_council() -> None:
    days = pd.DatetimeIndex(["2019-02-02", "2019-02-05", "2019-04-28", "2019-05-02", "2019-05-11"])
    found = describe_days(days)
    # The Saturday before New Year and the Sunday before Labour Day were worked; 2 May was a day off for it.
    assert found["day_off"].tolist() == [0, 1, 0, 1, 1]
    assert found["holiday"].tolist() == [0, 1, 0, 1, 0]
    assert found["weekday"].tolist() == [5, 1, 6, 3, 5]
    assert found["spring_festival"][1] == 1.0
    assert found["spring_festival"][0] == pytest.approx(np.exp(-3 / 5))


def test_components_find_what_the_region_does_in_common() -> None:
    days = pd.date_range("2019-01-01", periods=200)
    wave = np.sin(np.arange(200))
    rows = np.outer([1.0, 2.0, -1.0], wave) + 50
    fitted = fit_components(rows, days, 1)
    score = fitted.of(rows, days)[0]
    assert abs(np.corrcoef(score, wave)[0, 1]) == pytest.approx(1.0)
    assert score.std() == pytest.approx(1.0, rel=0.01)
    holed = rows.copy()
    holed[1:, 5] = np.nan
    assert np.isnan(fitted.of(holed, days)[0, 5])
    assert np.isfinite(fitted.of(holed, days)[0, 6])


def test_the_level_follows_what_came_and_never_the_issue_date() -> None:
    mean, observed = np.full((2, 100), 50.0), np.full((2, 100), 60.0)
    issue = np.array([0, 30, 90])
    factor = level_factor(mean, observed, issue)
    np.testing.assert_allclose(factor, 1 + 0.2 * issue / (issue + PRIOR_DAYS))
    later = observed.copy()
    later[:, 30:] = 500.0
    assert level_factor(mean, later, issue)[1] == factor[1]
    assert level_factor(mean * np.nan, observed, issue).tolist() == [1, 1, 1]
    long = level_factor(np.full((1, 400), 50.0), np.full((1, 400), 60.0), np.array([400]))
    assert long[0] == pytest.approx(1 + 0.2 * WINDOW_DAYS / (WINDOW_DAYS + PRIOR_DAYS))


def test_disturbed_weather_errs_by_lead_and_the_same_for_the_same_seed(panel: Panel) -> None:
    model = factory.quick_settings().weather_error
    issue = np.arange(20, 140)
    names = ("u10_ms", "v10_ms", "wind_ms", "t2m_c")
    true = look_ahead(panel, names, issue, 5)
    made = look_ahead(panel, names, issue, 5, model, seed=3)
    again = look_ahead(panel, names, issue, 5, model, seed=3)
    for name in names:
        np.testing.assert_array_equal(made.weather[name], again.weather[name])
    rule = model.variables["t2m_c"]
    for day in (0, 5):
        error = made.at("t2m_c", day) - true.at("t2m_c", day)
        assert error.std() == pytest.approx(rule.first.value + day * rule.per_day.value, rel=0.15)
    assert (made.weather["wind_ms"] >= 0).all()
    common = (made.at("t2m_c", 3) - true.at("t2m_c", 3)).mean(axis=0)
    assert common.std() > 0.5 * (made.at("t2m_c", 3) - true.at("t2m_c", 3)).std()


def test_a_training_for_forecast_weather_says_that_its_weather_was_disturbed(panel: Panel) -> None:
    settings, until = factory.quick_settings(), factory.day(100)
    for_forecasts = train(panel, Target.PM25, until, (1,), WeatherKind.FORECAST, settings)
    for_analyses = train(panel, Target.PM25, until, (1,), WeatherKind.ANALYSIS, settings)
    assert any("disturbed by the errors of a weather forecast" in note for note in for_forecasts.card.notes)
    assert not any("disturbed" in note for note in for_analyses.card.notes)
    assert for_forecasts.card.version != for_analyses.card.version
    poor, good = (model.card.scores[0].lightgbm.rmse for model in (for_forecasts, for_analyses))
    assert poor is not None
    assert good is not None
    assert poor > good


def test_places_around_are_laid_out_by_date_and_name() -> None:
    rows = factory.around(5)
    dates = pd.date_range(factory.FIRST, periods=3)
    found = lay_out_around(rows, dates, ("u10_ms", "v10_ms", "t2m_c", "wind_ms"))
    assert found.places == tuple(sorted(set(rows["place"])))
    one = rows[(rows["place"] == found.places[1]) & (rows["name"] == "pm25")].iloc[2]
    assert found.values[Target.PM25][1, 2] == one["value"]
    assert tuple(found.lonlat[1]) == (one["lon"], one["lat"])
    with pytest.raises(InputError, match="is given twice"):
        lay_out_around(pd.concat([rows, rows.iloc[:1]]), dates, ("u10_ms", "v10_ms", "t2m_c", "wind_ms"))
    with pytest.raises(InputError, match="unknown variables t2m_c"):
        lay_out_around(rows, dates, ("u10_ms", "v10_ms", "wind_ms"))


def test_calendar_reaches_beyond_the_published_notices() -> None:
    found = describe_days(pd.DatetimeIndex([date(2031, 1, 1), date(2031, 1, 4)]))
    assert found["day_off"].tolist() == [1, 1]
