from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from yrd_airq.errors import InputError
from yrd_airq.forecast.hourly_settings import HourlySettings
from yrd_airq.forecast.panel import Panel, build_panel
from yrd_airq.forecast.stations import (
    COLUMNS,
    StationModel,
    StationSeries,
    forecast_stations,
    lay_out_stations,
    predict_stations,
    train_stations,
)
from yrd_airq.forecast.training import TooLittleHistoryError
from yrd_airq.region import load_region
from yrd_airq.settings import load
from yrd_airq.vocab import CityDaySource, Target

DAYS = 200
FIRST = pd.Timestamp("2019-01-01")
UNTIL = date(2019, 6, 1)
ISSUE = datetime(2019, 6, 20, 16)
LEADS = (1, 3)
OFFSETS = np.array([-15.0, 0.0, 5.0, 30.0, 0.0, -20.0])
SETTINGS = load(HourlySettings, "hourly")


@pytest.fixture(scope="module")
def archive() -> tuple[Panel, pd.DataFrame, dict[str, str], pd.DataFrame]:
    """Two cities with three stations each: a standing offset, and a departure that is half gone in a day."""
    rng = np.random.default_rng(11)
    region = load_region()
    cities = region.adcodes[:2]
    dates = pd.date_range(FIRST, periods=DAYS)
    city = 80 + 20 * rng.standard_normal((2, DAYS)).cumsum(axis=1) / 5
    passing = np.zeros((6, DAYS))
    for day in range(1, DAYS):
        passing[:, day] = 0.5 * passing[:, day - 1] + rng.normal(0, 6, 6)
    values = np.maximum(np.repeat(city, 3, axis=0) + OFFSETS[:, None] + passing, 1.0)
    codes = [f"{k + 1}A" for k in range(6)]
    wide = pd.DataFrame(values.T, index=dates, columns=codes)
    wide["lost"] = np.nan
    long = pd.DataFrame(city.T, index=dates, columns=list(cities)).rename_axis("date").reset_index()
    daily = long.melt("date", var_name="adcode").assign(target="pm25")
    panel = build_panel(daily, None, None, region, source=CityDaySource.STATIONS)
    rows = [
        pd.DataFrame(
            {
                "adcode": code,
                "issue_time": dates[:-lead] + pd.Timedelta(hours=16),
                "lead_day": lead,
                "target": "pm25",
                "mean": city[k, lead:] + rng.normal(0, 3, DAYS - lead),
                "weather_kind": "none",
            }
        )
        for k, code in enumerate(cities)
        for lead in LEADS
    ]
    return (
        panel,
        wide,
        dict(zip(codes, np.repeat(cities, 3), strict=True)),
        pd.concat(rows, ignore_index=True),
    )


@pytest.fixture(scope="module")
def series(archive: tuple) -> StationSeries:
    panel, wide, city_of, _ = archive
    return lay_out_stations(panel, Target.PM25, wide, city_of)


@pytest.fixture(scope="module")
def model(archive: tuple, series: StationSeries) -> StationModel:
    return train_stations(series, archive[3], UNTIL, LEADS, SETTINGS)


def test_stations_without_values_or_city_are_left_out(archive: tuple, series: StationSeries) -> None:
    panel, wide, city_of, _ = archive
    assert series.codes == ("1A", "2A", "3A", "4A", "5A", "6A")
    assert "1A" not in lay_out_stations(panel, Target.PM25, wide, {**city_of, "1A": "110000"}).codes
    with pytest.raises(InputError, match="no station"):
        lay_out_stations(panel, Target.PM25, wide, {})
    with pytest.raises(InputError, match="no no2"):
        lay_out_stations(panel, Target.NO2, wide, city_of)


def test_held_out_days_are_forecast_better_than_by_station_persistence_or_the_city(
    archive: tuple, series: StationSeries, model: StationModel
) -> None:
    predicted = predict_stations(series, model, archive[3])
    issue = np.arange((pd.Timestamp(UNTIL) - FIRST).days + 1, DAYS - 3)
    for k, lead in enumerate(LEADS):
        truth = series.values[:, issue + lead]
        own, held, of_city = (
            np.sqrt(np.mean((forecast - truth) ** 2))
            for forecast in (
                predicted[:, issue, k],
                series.values[:, issue - 1],
                predicted[:, issue, k].reshape(2, 3, -1).mean(axis=1).repeat(3, axis=0),
            )
        )
        assert own < 0.8 * held
        assert own < 0.75 * of_city


def test_the_newest_departure_counts_less_at_the_longer_lead(model: StationModel) -> None:
    newest = model.weights[:, 0]
    assert newest[0] > newest[1] > -0.05


def test_nothing_of_the_issue_date_or_later_enters(
    archive: tuple, series: StationSeries, model: StationModel
) -> None:
    _, _, _, rows = archive
    cut = (pd.Timestamp(ISSUE).normalize() - FIRST).days
    other = replace(series, values=series.values.copy(), city_values=series.city_values.copy())
    other.values[:, cut:] = 999.0
    other.city_values[:, cut:] = 1.0
    before, after = (forecast_stations(s, model, rows, ISSUE, 75.0) for s in (series, other))
    pd.testing.assert_frame_equal(before, after)
    other.values[:, cut - 1] = 999.0
    assert not before["mean"].equals(forecast_stations(other, model, rows, ISSUE, 75.0)["mean"])


def test_training_sees_nothing_after_its_end(
    archive: tuple, series: StationSeries, model: StationModel
) -> None:
    cut = (pd.Timestamp(UNTIL) - FIRST).days + 1
    values, rows = series.values.copy(), archive[3].copy()
    values[:, cut:] = 999.0
    rows.loc[rows["issue_time"] > pd.Timestamp(UNTIL) + pd.Timedelta(days=1), "mean"] = 999.0
    again = train_stations(replace(series, values=values), rows, UNTIL, LEADS, SETTINGS)
    np.testing.assert_array_equal(again.weights, model.weights)
    np.testing.assert_array_equal(again.spread.z, model.spread.z)


def test_rows_carry_quantiles_and_the_chance_to_exceed(
    archive: tuple, series: StationSeries, model: StationModel
) -> None:
    rows = forecast_stations(series, model, archive[3], ISSUE, 75.0)
    assert tuple(rows.columns) == COLUMNS
    assert len(rows) == 6 * len(LEADS)
    assert (rows["valid_date"] - pd.Timestamp("2019-06-20")).dt.days.tolist() == list(LEADS) * 6
    assert (rows["q10"] < rows["q50"]).all()
    assert (rows["q50"] < rows["q90"]).all()
    above = rows["q50"] > 75
    assert (rows.loc[above, "p_exceed"] > 0.5).all()
    assert (rows.loc[~above, "p_exceed"] <= 0.5).all()
    assert forecast_stations(series, model, archive[3], ISSUE)["p_exceed"].isna().all()


def test_intervals_hold_on_days_after_the_training(
    archive: tuple, series: StationSeries, model: StationModel
) -> None:
    mean = predict_stations(series, model, archive[3]).transpose(1, 0, 2)
    low, high = model.spread.quantile(mean, 0.1), model.spread.quantile(mean, 0.9)
    issue = np.arange((pd.Timestamp(UNTIL) - FIRST).days + 1, DAYS - 3)
    truth = np.stack([series.values[:, issue + lead] for lead in LEADS], axis=-1).transpose(1, 0, 2)
    assert np.mean((low[issue] <= truth) & (truth <= high[issue])) == pytest.approx(0.8, abs=0.1)


def test_a_silent_station_follows_its_city_and_a_city_without_forecast_has_no_rows(
    archive: tuple, series: StationSeries, model: StationModel
) -> None:
    rows = archive[3]
    silent = series.values.copy()
    silent[3, 120:] = np.nan
    given = forecast_stations(replace(series, values=silent), model, rows, ISSUE)
    mine = rows[(rows["issue_time"] == pd.Timestamp(ISSUE)) & (rows["adcode"] == series.adcodes[3])]
    assert given.loc[given["station_code"] == "4A", "mean"].tolist() == pytest.approx(mine["mean"].tolist())
    without = forecast_stations(series, model, rows[rows["adcode"] != series.adcodes[0]], ISSUE)
    assert set(without["station_code"]) == {"4A", "5A", "6A"}


def test_clear_errors(archive: tuple, series: StationSeries, model: StationModel) -> None:
    with pytest.raises(TooLittleHistoryError, match="lead day 1"):
        train_stations(series, archive[3], date(2019, 2, 1), LEADS, SETTINGS)
    with pytest.raises(InputError, match="train it anew"):
        forecast_stations(replace(series, codes=series.codes[:-1]), model, archive[3], ISSUE)
    with pytest.raises(InputError, match="outside the calendar"):
        forecast_stations(series, model, archive[3], datetime(2021, 1, 1, 16))
