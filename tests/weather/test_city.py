"""City weather: which hours make a day, what a mean wind is, and the grade of dispersion."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tests.weather.make import by_time, files_of, write_weather
from yrd_airq.errors import InputError
from yrd_airq.region import Region, load_region
from yrd_airq.settings import load
from yrd_airq.sources import netcdf_header
from yrd_airq.weather.city import city_daily_weather, city_hourly_weather, dispersion_grade
from yrd_airq.weather.settings import GRADES, DispersionSettings, WeatherSettings

ISSUE = pd.Timestamp("2016-09-10 16:00")


@pytest.fixture
def region() -> Region:
    return load_region()


@pytest.fixture
def rule() -> DispersionSettings:
    return load(WeatherSettings, "weather").dispersion


def test_day_runs_from_one_to_midnight_beijing(tmp_path: Path, region: Region) -> None:
    utc = pd.date_range("2016-08-31 17:00", periods=48, freq="h")
    labels = utc + pd.Timedelta(hours=8)
    temperature = 280.0 + ((labels - pd.Timedelta(hours=1)).day == 2)
    files = files_of(write_weather(tmp_path / "a.nc", utc, extra={"t2m": by_time(temperature), "tp": 0.001}))
    out = city_daily_weather(files, region, date(2016, 9, 1), date(2016, 9, 2), ISSUE)
    assert len(out) == 82
    assert list(out["adcode"].unique()) == list(region.adcodes)
    assert np.allclose(out["t2m_c"], 280 - 273.15 + (out["date"] == "2016-09-02"))
    assert np.allclose(out["precip_mm"], 24.0)
    assert np.allclose(out["sp_hpa"], 1000.0)
    assert not out["wind_from_daily_vector"].any()


def test_mean_speed_is_of_the_hours_and_not_of_the_mean_vector(tmp_path: Path, region: Region) -> None:
    utc = pd.date_range("2016-08-31 17:00", periods=24, freq="h")
    u = by_time(np.tile([3.0, -3.0], 12))
    out = city_daily_weather(
        files_of(write_weather(tmp_path / "a.nc", utc, u=u, v=0.0)),
        region,
        date(2016, 9, 1),
        date(2016, 9, 1),
        ISSUE,
    )
    assert np.allclose(out["wind_ms"], 3.0)
    assert np.allclose(out["u10_ms"], 0.0)


def test_daily_file_says_that_its_speed_is_of_the_vector(tmp_path: Path, region: Region) -> None:
    days = pd.date_range("2016-09-01", periods=2)
    files = files_of(write_weather(tmp_path / "a.nc", days, u=by_time([3.0, 0.0]), v=by_time([4.0, 1.0])))
    out = city_daily_weather(files, region, date(2016, 9, 1), date(2016, 9, 2), ISSUE)
    assert out["wind_from_daily_vector"].all()
    assert np.allclose(out.loc[out["date"] == "2016-09-01", "wind_ms"], 5.0)
    assert np.allclose(out.loc[out["date"] == "2016-09-02", "wind_ms"], 1.0)


def test_kind_is_told_per_day(tmp_path: Path, region: Region) -> None:
    days = pd.date_range("2016-09-01", periods=5)
    files = files_of(
        write_weather(tmp_path / "an.nc", days[:2]),
        write_weather(tmp_path / "fc.nc", days[2:], issue="2016-09-02T12:00"),
    )
    out = city_daily_weather(
        files, region, date(2016, 9, 1), date(2016, 9, 5), pd.Timestamp("2016-09-03 00:00")
    )
    one = out[out["adcode"] == "330100"].set_index("date")["kind"]
    assert list(one) == ["analysis", "analysis", "forecast", "forecast", "forecast"]


def test_long_spans_are_cut_and_joined_without_seams(tmp_path: Path, region: Region) -> None:
    days = pd.date_range("2016-01-01", periods=200)
    files = files_of(
        write_weather(tmp_path / "a.nc", days, extra={"t2m": by_time(280 + np.arange(200) / 10)})
    )
    out = city_daily_weather(files, region, date(2016, 1, 1), date(2016, 7, 18), ISSUE)
    one = out[out["adcode"] == "310000"]
    assert len(one) == 200
    assert np.allclose(np.diff(one["t2m_c"]), 0.1)


def test_missing_field_is_blank_and_missing_day_an_error(tmp_path: Path, region: Region) -> None:
    days = pd.date_range("2016-09-01", periods=2)
    path = write_weather(tmp_path / "a.nc", days)
    with xr.open_dataset(path, engine="netcdf4") as opened:
        opened.load()[["u10", "v10"]].to_netcdf(tmp_path / "b.nc", engine="netcdf4")
    files = files_of(tmp_path / "b.nc")
    out = city_daily_weather(files, region, date(2016, 9, 1), date(2016, 9, 2), ISSUE)
    assert out[["t2m_c", "rh_pct", "sp_hpa"]].isna().all(axis=None)
    assert "blh_m" not in out
    with pytest.raises(InputError, match="no winds for 24 of 72 hours"):
        city_daily_weather(files, region, date(2016, 9, 1), date(2016, 9, 3), ISSUE)


def test_days_with_gaps_can_be_left_out(tmp_path: Path, region: Region) -> None:
    hours = pd.date_range("2016-08-31 17:00", periods=120, freq="h").delete(60)
    files = files_of(write_weather(tmp_path / "a.nc", hours))
    out = city_daily_weather(files, region, date(2016, 8, 30), date(2016, 9, 8), ISSUE, gaps="skip")
    days = out["date"].unique()
    assert [f"{day:%m-%d}" for day in pd.DatetimeIndex(days)] == ["09-01", "09-02", "09-04", "09-05"]
    assert len(out) == 41 * 4
    whole = city_daily_weather(files, region, date(2016, 9, 1), date(2016, 9, 2), ISSUE)
    assert whole.equals(out[out["date"] <= "2016-09-02"].reset_index(drop=True))
    none = city_daily_weather(files, region, date(2017, 9, 1), date(2017, 9, 2), ISSUE, gaps="skip")
    assert none.empty
    assert {"adcode", "date", "wind_ms", "wind_from_daily_vector"} <= set(none.columns)


def test_grid_that_misses_a_city_is_refused(tmp_path: Path, region: Region) -> None:
    days = pd.date_range("2016-09-01", periods=2)
    files = files_of(write_weather(tmp_path / "a.nc", days, lon=np.arange(110.0, 122.1, 1.0)))
    with pytest.raises(InputError, match="does not cover Zhoushan"):
        city_daily_weather(files, region, date(2016, 9, 1), date(2016, 9, 2), ISSUE)


def days_frame(**columns: list[float]) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    return frame.assign(wind_from_daily_vector=False)


def test_dispersion_by_wind(rule: DispersionSettings) -> None:
    limits = [limit.value for limit in rule.wind_ms]
    wind = [value + shift for value in limits for shift in (0.0, -0.01)]
    grades = dispersion_grade(days_frame(wind_ms=wind), rule)
    expected = [GRADES[k + shift] for k in range(4) for shift in (0, 1)]
    assert list(grades) == expected


def test_dispersion_by_rain_layer_and_humidity(rule: DispersionSettings) -> None:
    frame = days_frame(
        wind_ms=[2.5, 2.5, 2.5, 2.5, 1.5, 1.5, 9.0, 0.1, np.nan],
        precip_mm=[0, 20, 0, 0, 0, 0, 50, 0, 0],
        blh_m=[700, 700, 1500, 200, 700, 700, 2000, 100, 700],
        rh_pct=[50, 50, 50, 95, 50, 95, 50, 99, 50],
    )
    grades = dispersion_grade(frame, rule)
    assert list(grades[:8]) == ["一般", "较好", "较好", "较差", "较差", "差", "好", "差"]
    assert grades[8] is None


def test_more_wind_is_never_worse(rule: DispersionSettings) -> None:
    grades = dispersion_grade(days_frame(wind_ms=list(np.linspace(0, 8, 200))), rule)
    order = [GRADES.index(grade) for grade in grades]
    assert order == sorted(order, reverse=True)


def test_derived_values_of_a_day(tmp_path: Path, region: Region) -> None:
    utc = pd.date_range("2016-08-31 17:00", periods=24, freq="h")
    layer = np.where(np.arange(24) < 12, 300.0, 900.0)
    path = write_weather(
        tmp_path / "a.nc", utc, u=0.0, v=2.0, extra={"blh": by_time(layer), "tp": by_time(np.full(24, 2e-5))}
    )
    out = city_daily_weather(files_of(path), region, date(2016, 9, 1), date(2016, 9, 1), ISSUE)
    factor = load(WeatherSettings, "weather").transport_factor.value
    assert list(out.columns[-4:]) == ["wind_dir_deg", "vent_m2s", "stagnant", "recirculation"]
    assert np.allclose(out["wind_dir_deg"], 180)
    assert np.allclose(out["vent_m2s"], 600 * 2 * factor)
    # 0.48 mm of rain and 2 m/s.
    assert out["stagnant"].all()
    assert out["recirculation"].isna().all()


def test_recirculation_looks_back_beyond_the_first_day(tmp_path: Path, region: Region) -> None:
    days = pd.date_range("2016-09-01", periods=4)
    files = files_of(write_weather(tmp_path / "a.nc", days, u=by_time([3.0, -3.0, 3.0, 3.0]), v=0.0))
    out = city_daily_weather(files, region, date(2016, 9, 3), date(2016, 9, 4), ISSUE)
    one = out[out["adcode"] == "310000"]
    assert list(one["date"].dt.day) == [3, 4]
    assert np.allclose(one["recirculation"], 1 - 3 / 9)
    early = city_daily_weather(files, region, date(2016, 9, 1), date(2016, 9, 4), ISSUE)
    shared = early[early["date"] >= "2016-09-03"].reset_index(drop=True)
    pd.testing.assert_frame_equal(shared, out)


def test_hourly_series_has_the_steps_of_the_files(tmp_path: Path, region: Region) -> None:
    utc = pd.date_range("2016-08-31 18:00", periods=17, freq="3h")
    path = write_weather(tmp_path / "a.nc", utc, u=by_time(np.arange(1.0, 18.0)), v=0.0, extra={"tp": 0.002})
    out = city_hourly_weather(files_of(path), region, date(2016, 9, 1), date(2016, 9, 2), ISSUE)
    assert len(out) == 41 * 16
    one = out[out["adcode"] == "330100"]
    assert one["time"].iloc[0] == pd.Timestamp("2016-09-01 02:00")
    assert np.allclose(one["wind_ms"], np.arange(1, 17))
    assert np.allclose(one["wind_dir_deg"], 270)
    assert np.allclose(one["precip_mmh"], 2.0)
    assert set(one["step_hours"]) == {3}
    assert one["lead_hours"].isna().all()
    daily = city_daily_weather(files_of(path), region, date(2016, 9, 1), date(2016, 9, 1), ISSUE)
    mean = one["wind_ms"].iloc[:8].mean()
    assert daily.loc[daily["adcode"] == "330100", "wind_ms"].iloc[0] == pytest.approx(mean)


def test_stagnant_day_is_middling_at_best(rule: DispersionSettings) -> None:
    frame = days_frame(wind_ms=[3.1, 3.1, 3.1, 1.0], blh_m=[1500.0] * 4)
    frame["stagnant"] = pd.array([True, False, None, True], dtype="boolean")
    assert list(dispersion_grade(frame, rule)) == ["一般", "好", "好", "较差"]


def test_cutting_the_grid_changes_no_city(tmp_path: Path, region: Region) -> None:
    days = pd.date_range("2016-09-01", periods=2)
    lat, lon = np.arange(0.0, 60.1, 1.0), np.arange(80.0, 150.1, 1.0)
    wave = np.sin(lat)[:, None] * np.cos(lon)[None, :] * 5 + 1
    wide = write_weather(tmp_path / "wide.nc", days, u=wave, lat=lat, lon=lon)
    near = write_weather(tmp_path / "near.nc", days, u=wave[24:39, 30:45], lat=lat[24:39], lon=lon[30:45])
    first, second = (
        city_daily_weather(files_of(path), region, date(2016, 9, 1), date(2016, 9, 2), ISSUE)
        for path in (wide, near)
    )
    pd.testing.assert_frame_equal(first, second)


def test_real_year(real_data: Path, region: Region, rule: DispersionSettings) -> None:
    files = netcdf_header.read(real_data / "weather" / "capra_daily_2016.nc").rows.to_pandas()
    out = city_daily_weather(files, region, date(2016, 7, 1), date(2016, 7, 31), ISSUE)
    assert len(out) == 41 * 31
    seen = out.drop(columns=["vent_m2s", "stagnant"])
    assert seen.notna().all(axis=None)
    # Neither mixing height nor rain in these files: no ventilation, and stagnation only denied.
    assert out["vent_m2s"].isna().all()
    assert not out["stagnant"].any()
    assert 0.2 < out["stagnant"].isna().mean() < 1
    assert out["recirculation"].between(0, 1).all()
    assert out["t2m_c"].between(15, 40).all()
    assert out["rh_pct"].between(20, 100).all()
    assert set(dispersion_grade(out, rule)) <= set(GRADES)
