from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.forecast import real
from yrd_airq.errors import InputError
from yrd_airq.forecast.hourly import COLUMNS, HourlyForecast, forecast_hours, predict_hours, simple_hours
from yrd_airq.forecast.hourly_aqi import COLUMNS as AQI_COLUMNS
from yrd_airq.forecast.hourly_aqi import running_aqi, running_mda8, running_mean_24h
from yrd_airq.forecast.hourly_features import Slots
from yrd_airq.forecast.hourly_model import HourlyModel
from yrd_airq.forecast.hourly_panel import HourlyTarget, Hours, lay_out_hours, lay_out_leads
from yrd_airq.forecast.hourly_reconcile import implied_daily, reconcile
from yrd_airq.forecast.hourly_registry import load_hourly, save_hourly, train_or_load_hourly
from yrd_airq.forecast.hourly_settings import HourlySettings
from yrd_airq.forecast.hourly_spread import SlotSpread, fit_slot_spread, keep_courses
from yrd_airq.forecast.hourly_training import hours_ahead, train_hourly
from yrd_airq.forecast.panel import build_panel
from yrd_airq.forecast.training import TooLittleHistoryError
from yrd_airq.region import load_region
from yrd_airq.settings import load
from yrd_airq.standards.statistics import daily_mean, mda8
from yrd_airq.vocab import CityDaySource, Target, WeatherKind

FIRST = pd.Timestamp("2025-11-01")
DAYS, CITIES = 130, 5
UNTIL = date(2026, 2, 20)
ISSUE = datetime(2026, 2, 26, 16)
NONE = WeatherKind.NONE
PM25, O3 = HourlyTarget.PM25_1H, HourlyTarget.O3_1H


def quick() -> HourlySettings:
    content = load(HourlySettings, "hourly").model_dump()
    content["boost"] |= {"rounds": 15, "learning_rate": 0.2, "min_data_in_leaf": 50}
    return HourlySettings.model_validate(content | {"max_rows": 8000, "paths": 120})


@pytest.fixture(scope="module")
def hours() -> Hours:
    """A level that wanders from day to day, a diurnal course, and noise that lasts some hours."""
    rng = np.random.default_rng(7)
    level = np.zeros(DAYS)
    for day in range(1, DAYS):
        level[day] = 0.7 * level[day - 1] + rng.normal(0, 0.25)
    slow = np.interp(np.arange(DAYS * 24), np.arange(DAYS) * 24 + 12, level)
    noise = rng.normal(0, 0.12, (CITIES, DAYS * 24 + 12))
    noise = np.sum([noise[:, k : k + DAYS * 24] for k in range(12)], axis=0) / 3.5
    clock = np.tile(np.sin(2 * np.pi * (np.arange(24) - 8) / 24), DAYS)
    city = rng.uniform(0.8, 1.2, (CITIES, 1))
    shape = (CITIES, DAYS, 24)
    pm25 = (45 * city * np.exp(slow + noise - 0.1 * clock)).reshape(shape)
    o3 = (70 * city * np.exp(0.5 * slow + noise + 0.6 * clock)).reshape(shape)
    return Hours(
        source=CityDaySource.STATIONS,
        adcodes=tuple(f"3201{k:02d}" for k in range(CITIES)),
        lonlat=np.stack([118 + 0.5 * np.arange(CITIES), np.full(CITIES, 32.0)], axis=1),
        dates=pd.date_range(FIRST, periods=DAYS),
        values={"pm25": pm25, "o3": o3},
        daily={Target.PM25: pm25.mean(axis=2), Target.O3_MDA8: mda8(o3)},
        weather={"t2m_c": level + np.zeros((CITIES, DAYS))},
        weather_kind=np.full(DAYS, WeatherKind.ANALYSIS.value, dtype=object),
    )


@pytest.fixture(scope="module")
def models(hours: Hours) -> dict[HourlyTarget, HourlyModel]:
    return {target: train_hourly(hours, target, UNTIL, 16, NONE, quick()) for target in HourlyTarget}


def issued(hours: Hours, target: Target, factor: float = 1.3) -> pd.DataFrame:
    """Daily forecasts of one issue, well above the month so far."""
    frame = pd.DataFrame(
        [(code, lead) for code in hours.adcodes for lead in (1, 2, 3)], columns=["adcode", "lead_day"]
    )
    level = float(np.nanmean(hours.daily[target])) * factor
    return frame.assign(
        issue_time=pd.Timestamp(ISSUE), target=target.value, mean=level + 5 * frame["lead_day"]
    )


def changed_after(hours: Hours, stamp: datetime) -> Hours:
    """Other values in every hour that ends after ``stamp`` and every day that does."""
    labels = hours.dates.to_numpy()[:, None] + pd.to_timedelta(np.arange(1, 25), unit="h").to_numpy()
    later, open_days = (
        labels > np.datetime64(stamp),
        np.asarray(hours.dates >= pd.Timestamp(stamp).normalize()),
    )
    return replace(
        hours,
        values={name: np.where(later, 999.0, cube) for name, cube in hours.values.items()},
        daily={name: np.where(open_days, 999.0, array) for name, array in hours.daily.items()},
    )


def test_slots_are_the_hours_after_the_issue_to_the_end_of_the_third_day() -> None:
    slots = Slots.after(16)
    assert len(slots) == 80
    assert (slots.lead_h[0], slots.hour[0], slots.lead_day[0]) == (1, 16, 0)  # label 17:00 of the issue date
    assert (slots.lead_h[8], slots.hour[8], slots.lead_day[8]) == (9, 0, 1)  # label 01:00 of the next day


def test_nothing_after_the_issue_hour_enters_a_forecast(hours: Hours, models: dict) -> None:
    other = changed_after(hours, ISSUE)
    for target, model in models.items():
        before, after = (forecast_hours(archive, model, ISSUE) for archive in (hours, other))
        pd.testing.assert_frame_equal(before.rows(), after.rows())
        pd.testing.assert_frame_equal(simple_hours(hours, target, ISSUE), simple_hours(other, target, ISSUE))
    # The last known hour does enter.
    touched = {name: cube.copy() for name, cube in hours.values.items()}
    touched["pm25"][:, hours.index(ISSUE.date()), 15] *= 2
    moved = forecast_hours(replace(hours, values=touched), models[PM25], ISSUE)
    assert not np.allclose(moved.mean, forecast_hours(hours, models[PM25], ISSUE).mean)


def test_predictions_over_a_period_are_causal_and_equal_those_of_single_issues(
    hours: Hours, models: dict
) -> None:
    issue = np.array([hours.index(ISSUE.date())])
    over = predict_hours(changed_after(hours, ISSUE), models[O3], issue)[:, 0]
    np.testing.assert_allclose(over, forecast_hours(hours, models[O3], ISSUE).mean, rtol=1e-9)


def test_training_sees_nothing_after_its_end_and_gives_the_same_bytes(
    hours: Hours, models: dict, tmp_path: Path
) -> None:
    other = changed_after(hours, datetime(2026, 2, 21))
    late = pd.Timestamp(UNTIL)
    rows = issued(hours, Target.PM25).assign(issue_time=late)  # for days after the end of the training
    again = train_hourly(other, PM25, UNTIL, 16, NONE, quick(), rows)
    first, second = save_hourly(models[PM25], tmp_path / "a"), save_hourly(again, tmp_path / "b")
    assert first.name == second.name
    for name in ("card.json", "state.json", "mean.txt"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_left_out_scores_beat_persistence_and_the_diurnal_mean(models: dict) -> None:
    for model in models.values():
        near = model.card.scores[0]
        assert [score.first_h for score in model.card.scores] == [1, 25, 49]
        assert near.skill_vs_persistence > 0.1
        assert near.skill_vs_climatology > 0.1
        assert 0.65 < near.coverage80 < 0.92


def test_rows_have_every_hour_and_ordered_quantiles(hours: Hours, models: dict) -> None:
    rows = forecast_hours(hours, models[PM25], ISSUE).rows()
    assert tuple(rows.columns) == COLUMNS
    assert len(rows) == CITIES * 72
    assert rows["valid_time"].min() == pd.Timestamp("2026-02-26 17:00")
    assert rows["valid_time"].max() == pd.Timestamp("2026-03-01 16:00")
    assert (rows["q10"] <= rows["q50"]).all()
    assert (rows["q50"] <= rows["q90"]).all()


@pytest.mark.parametrize("target", list(HourlyTarget))
def test_hours_agree_with_the_daily_forecast_without_a_step(
    hours: Hours, models: dict, target: HourlyTarget
) -> None:
    daily = issued(hours, target.daily)
    free = forecast_hours(hours, models[target], ISSUE).mean
    bound = forecast_hours(hours, models[target], ISSUE, daily).mean
    days = bound[:, 8:].reshape(CITIES, 3, 24)
    implied = daily_mean(days) if target is PM25 else mda8(days)
    np.testing.assert_allclose(implied, daily["mean"].to_numpy().reshape(CITIES, 3), rtol=1e-3)
    assert np.abs(bound[:, 0] / free[:, 0] - 1).max() < 0.2  # the first hour stays with what was just seen


def test_reconcile_by_hand() -> None:
    slots = Slots.after(16)
    flat = np.full((1, 80), 10.0)
    wanted = np.array([[np.nan, 20.0, np.nan, 20.0]])
    scaled = reconcile(flat, wanted, slots, PM25)
    implied = implied_daily(scaled, slots, PM25)
    assert implied[0, 1] == pytest.approx(20, rel=1e-4)
    assert implied[0, 3] == pytest.approx(20, rel=1e-4)
    assert 17 < implied[0, 2] < 23  # a day without forecast lies between its neighbours
    assert np.abs(np.diff(scaled[0])).max() < 1.0
    np.testing.assert_array_equal(reconcile(flat, np.full((1, 4), np.nan), slots, O3), flat)
    assert reconcile(flat, np.full((1, 4), 500.0), slots, PM25).max() <= 30.0 + 1e-9


def test_gaps_neither_crash_nor_fill_from_nowhere(hours: Hours, models: dict) -> None:
    values = {name: cube.copy() for name, cube in hours.values.items()}
    issue = hours.index(ISSUE.date())
    for cube in values.values():
        cube[:, issue - 3 : issue] = np.nan  # three whole days
        cube[:, issue, 10:16] = np.nan  # the network is late
        cube[2, : issue + 1] = np.nan  # one city has never reported
    daily = {name: array.copy() for name, array in hours.daily.items()}
    for array in daily.values():
        array[:, issue - 3 : issue] = np.nan
    forecast = forecast_hours(replace(hours, values=values, daily=daily), models[PM25], ISSUE)
    rows = forecast.rows()
    assert hours.adcodes[2] not in set(rows["adcode"])
    assert len(rows) == (CITIES - 1) * 72
    assert rows[["mean", "q10", "q90"]].notna().all(axis=None)
    index = running_aqi([forecast]).rows()
    # Before lead hour 20 the six silent hours leave 18 or fewer of the 24 hours; an index needs 20.
    assert index["lead_h"].min() == 20


def test_a_gap_of_days_in_the_training_does_not_stop_it(hours: Hours) -> None:
    values = {name: cube.copy() for name, cube in hours.values.items()}
    for cube in values.values():
        cube[:, 40:43] = np.nan
    model = train_hourly(replace(hours, values=values), PM25, UNTIL, 16, NONE, quick())
    assert np.isfinite(model.courses).all()


def test_saved_models_forecast_the_same_and_damage_is_named(
    hours: Hours, models: dict, tmp_path: Path
) -> None:
    folder = save_hourly(models[O3], tmp_path)
    assert folder == tmp_path / "o3_1h" / models[O3].card.version
    loaded = load_hourly(folder)
    pd.testing.assert_frame_equal(
        forecast_hours(hours, loaded, ISSUE).rows(), forecast_hours(hours, models[O3], ISSUE).rows()
    )
    found = train_or_load_hourly(hours, O3, UNTIL, 16, NONE, quick(), tmp_path)
    assert found.card == models[O3].card
    (folder / "state.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match="damaged"):
        load_hourly(folder)
    with pytest.raises(InputError, match="not a model folder"):
        load_hourly(tmp_path / "nothing")


def test_daily_forecasts_and_weather_of_the_target_day_are_part_of_a_training(hours: Hours) -> None:
    days = pd.MultiIndex.from_product([hours.adcodes, hours.dates[20:100], (1, 2, 3)]).to_frame(index=False)
    days.columns = pd.Index(["adcode", "issue_time", "lead_day"])
    rows = days.assign(target="pm25", mean=50.0)
    plain = train_hourly(hours, PM25, UNTIL, 16, NONE, quick())
    fed = train_hourly(hours, PM25, UNTIL, 16, WeatherKind.ANALYSIS, quick(), rows)
    assert plain.card.version != fed.card.version
    assert (plain.card.daily_share, plain.card.weather) == (0.0, ())
    assert 0.7 < fed.card.daily_share < 1
    assert fed.card.weather == ("t2m_c",)
    assert fed.card.weather_kinds == ("analysis",)


def test_spread_holds_what_it_claims_and_ranks_return_the_observation() -> None:
    rng = np.random.default_rng(3)
    mean = rng.uniform(20, 100, (300, 4, 6))
    observed = mean * rng.lognormal(-0.05, 0.3, mean.shape)
    spread = fit_slot_spread(mean[::2], observed[::2])
    low, high = spread.quantile(mean[1::2], 0.1), spread.quantile(mean[1::2], 0.9)
    assert np.mean((low <= observed[1::2]) & (observed[1::2] <= high)) == pytest.approx(0.8, abs=0.03)
    assert spread.exceedance(mean[0], spread.quantile(mean[0], 0.9)) == pytest.approx(0.1)
    ranks = spread.rank(mean[:1], observed[:1])[0, :1]
    assert spread.sample(mean[0], ranks)[0, 0] == pytest.approx(observed[0, 0], rel=1e-6)


def test_kept_courses_of_two_pollutants_are_of_the_same_events() -> None:
    rng = np.random.default_rng(4)
    mean = np.full((60, 3, 5), 50.0)
    observed = mean + rng.normal(0, 5, mean.shape)
    gap = observed.copy()
    gap[:5] = np.nan
    keys = [keep_courses(fit_slot_spread(mean, o), mean, o, 100, 1)[0] for o in (observed, gap)]
    assert len(np.intersect1d(keys[0], keys[1])) > 85
    assert keys[1].min() >= 15  # no course with a missing hour


def test_sample_courses_hold_together_over_the_hours(hours: Hours, models: dict) -> None:
    forecast = forecast_hours(hours, models[PM25], ISSUE)
    courses = forecast.sample()
    assert courses.shape == (120, CITIES, 72)
    q50 = forecast.rows()["q50"].to_numpy().reshape(CITIES, 72)
    assert np.abs(np.median(courses, axis=0) / q50 - 1).mean() < 0.15
    error = courses[:, 0] / q50[0]
    assert np.corrcoef(error[:, 40], error[:, 41])[0, 1] > 0.7
    assert abs(np.corrcoef(error[:, 5], error[:, 70])[0, 1]) < 0.5


def test_running_values_by_hand() -> None:
    ramp = np.arange(1.0, 31.0)
    np.testing.assert_allclose(running_mean_24h(ramp)[:2], [12.5, 13.5])
    np.testing.assert_allclose(running_mda8(ramp)[:2], [20.5, 21.5])
    holes = ramp.copy()
    holes[:4] = np.nan
    assert running_mean_24h(holes)[0] == pytest.approx(14.5)  # 20 hours are enough
    holes[4] = np.nan
    assert np.isnan(running_mean_24h(holes)[0])
    np.testing.assert_allclose(running_mda8(holes)[0], 20.5)  # 14 of 17 windows
    holes[5] = np.nan
    assert np.isnan(running_mda8(holes)[0])


def certain(forecast: HourlyForecast, value: float) -> HourlyForecast:
    """The forecast with one value for all hours, behind and ahead, and no spread."""
    old = forecast.model.spread
    spread = SlotSpread(0 * old.constant, 0 * old.slope, 0 * old.floor + 1e-9, old.place_factor, 0 * old.z)
    known = replace(forecast.known, values={k: v * 0 + value for k, v in forecast.known.values.items()})
    return replace(
        forecast, model=replace(forecast.model, spread=spread), known=known, mean=forecast.mean * 0 + value
    )


def test_the_standard_follows_the_day_of_the_hour(hours: Hours, models: dict) -> None:
    forecast = certain(forecast_hours(hours, models[PM25], ISSUE), 60.0)
    rows = running_aqi([forecast]).rows().set_index("valid_time")
    assert set(rows.loc[["2026-03-01 00:00"], "aqi_mean"]) == {82}  # the last hour of 28 February
    assert set(rows.loc[["2026-03-01 01:00"], "aqi_mean"]) == {100}
    assert (rows["p_over_100"] == 0).all()
    worse = running_aqi([certain(forecast, 116.0)]).rows()
    assert (worse["p_over_150"] == 1).all()
    assert (worse["p_over_200"] == 0).all()


def test_running_aqi_is_the_larger_index_with_ordered_probabilities(hours: Hours, models: dict) -> None:
    both = [forecast_hours(hours, models[target], ISSUE) for target in (PM25, O3)]
    index = running_aqi(both)
    np.testing.assert_array_equal(
        index.courses["aqi"], np.maximum(index.courses["pm25"], index.courses["o3"])
    )
    rows = index.rows()
    assert tuple(rows.columns) == AQI_COLUMNS
    assert len(rows) == 3 * CITIES * 72
    steps = rows[["p_over_100", "p_over_150", "p_over_200", "p_over_300"]].to_numpy()
    assert (np.diff(steps, axis=1) <= 0).all()
    width = (rows["q90"] - rows["q10"]).groupby(rows["lead_h"]).mean()
    assert width[1] < width[24] / 3  # 23 of the first 24 hours have been observed
    pd.testing.assert_frame_equal(rows, running_aqi(both).rows())
    with pytest.raises(InputError, match="given twice"):
        running_aqi([both[0], both[0]])
    with pytest.raises(InputError, match="at least one"):
        running_aqi([])


def test_clear_errors(hours: Hours, models: dict) -> None:
    with pytest.raises(TooLittleHistoryError, match="ingest more history"):
        train_hourly(hours, PM25, date(2025, 12, 1), 16, NONE, quick())
    with pytest.raises(InputError, match="forecasts at 16:00"):
        forecast_hours(hours, models[PM25], datetime(2026, 2, 26, 8))
    with pytest.raises(InputError, match="other cities"):
        forecast_hours(replace(hours, adcodes=("1",) * CITIES), models[PM25], ISSUE)
    with pytest.raises(InputError, match="no o3"):
        train_hourly(replace(hours, values={"pm25": hours.values["pm25"]}), O3, UNTIL, 16, NONE, quick())
    twice = issued(hours, Target.PM25)
    with pytest.raises(InputError, match="twice"):
        lay_out_leads(pd.concat([twice, twice]), Target.PM25, hours.adcodes, hours.dates, (1, 2, 3))


def test_hours_are_laid_out_by_their_label() -> None:
    region = load_region()
    code = region.adcodes[0]
    daily = pd.DataFrame(
        {"adcode": code, "date": pd.date_range("2019-01-01", periods=2), "target": "pm25", "value": 1.0}
    )
    panel = build_panel(daily, None, None, region, source=CityDaySource.STATIONS)
    times = pd.DatetimeIndex(["2019-01-01 01:00", "2019-01-02 00:00", "2019-01-05 03:00"])
    rows = pd.DataFrame({"adcode": code, "time": times, "pollutant": "pm25", "value": [3.0, 5.0, 7.0]})
    cube = lay_out_hours(panel, rows).values["pm25"]
    assert (cube[0, 0, 0], cube[0, 0, 23]) == (3.0, 5.0)
    assert np.isfinite(cube).sum() == 2  # the third lies after the calendar
    with pytest.raises(InputError, match="twice"):
        lay_out_hours(panel, pd.concat([rows, rows]))


@pytest.mark.slow
def test_late_summer_at_the_national_stations_is_forecast_better_than_by_simple_means(
    real_data: Path,
) -> None:
    region = load_region()
    hourly = real.city_hours(real.station_hours(real_data, range(6, 9)), real_data, region)
    panel = build_panel(real.city_days(hourly), None, None, region, source=CityDaySource.STATIONS)
    archive = lay_out_hours(panel, hourly)
    settings = load(HourlySettings, "hourly").model_copy(update={"max_rows": 60000})
    for target in HourlyTarget:
        model = train_hourly(archive, target, date(2019, 7, 31), 16, NONE, settings)
        issues = np.arange(archive.index(date(2019, 8, 1)), archive.index(date(2019, 8, 28)))
        truth = hours_ahead(archive.values[target.pollutant], model.slots, issues)
        mean = predict_hours(archive, model, issues)
        before = archive.values[target.pollutant][:, issues[:, None] - 1, model.slots.hour]
        near = model.slots.lead_h <= 24
        error, simple = (np.nanstd((forecast - truth)[..., near]) for forecast in (mean, before))
        assert error < 0.85 * simple
