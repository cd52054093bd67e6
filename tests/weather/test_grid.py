"""The best field known at the issue time, for every step, from files that overlap, lack or lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.weather.make import LAT, LON, by_time, files_of, write_weather
from yrd_airq.errors import InputError
from yrd_airq.sources.netcdf_physics import relative_humidity
from yrd_airq.weather.grid import at_points, open_weather, weather_for

DAYS = pd.date_range("2016-09-01", periods=6, freq="D")
HOURS = pd.date_range("2016-09-01 00:00", periods=96, freq="h")
ISSUE = pd.Timestamp("2016-09-03 16:00")
FIRST, LAST = pd.Timestamp("2016-09-02 01:00"), pd.Timestamp("2016-09-05 00:00")


def test_open_hourly_file(tmp_path: Path) -> None:
    path = write_weather(
        tmp_path / "a.nc", HOURS, extra={"tp": 0.002, "ssrd": 3.6e6, "tcc": 0.5, "blh": 700.0}
    )
    weather = open_weather(path)
    assert weather["time"].values[0] == np.datetime64("2016-09-01T08:00")
    assert (np.diff(weather["lat"]) > 0).all()
    point = weather.isel(time=0, lat=0, lon=0)
    expected = {
        "u10_ms": 2,
        "v10_ms": -1,
        "t2m_k": 293.15,
        "sp_pa": 1e5,
        "precip_mmh": 2,
        "ssrd_wm2": 1000,
        "tcc": 0.5,
    }
    for name, value in expected.items():
        assert float(point[name]) == pytest.approx(value)
    assert float(point["rh_pct"]) == pytest.approx(52.5, abs=0.3)
    assert (weather.attrs["kind"], weather.attrs["issue_time"], weather.attrs["step_hours"]) == (
        "analysis",
        "",
        1,
    )


def test_open_daily_file_stands_at_noon_and_sums_become_rates(tmp_path: Path) -> None:
    weather = open_weather(write_weather(tmp_path / "a.nc", DAYS, extra={"tp": 0.024, "ssrd": 8.64e6}))
    assert weather["time"].values[0] == np.datetime64("2016-09-01T12:00")
    assert float(weather["precip_mmh"].mean()) == pytest.approx(1.0)
    assert float(weather["ssrd_wm2"].mean()) == pytest.approx(100.0)


@pytest.mark.parametrize(
    ("t_c", "d_c", "rh"), [(20, 20, 100), (20, 10, 52.5), (30, 20, 55.1), (0, -10, 46.9)]
)
def test_relative_humidity(t_c: float, d_c: float, rh: float) -> None:
    """Quotients of saturation vapour pressures over water: 12.27/23.37, 23.37/42.43, 2.86/6.11 hPa."""
    assert relative_humidity(t_c + 273.15, d_c + 273.15) == pytest.approx(rh, abs=0.3)


def test_forecast_takes_over_after_the_issue_time(tmp_path: Path) -> None:
    analysis = write_weather(tmp_path / "an.nc", HOURS, u=1.0)
    old = write_weather(tmp_path / "old.nc", HOURS, u=5.0, issue="2016-09-02T00:00")
    new = write_weather(tmp_path / "new.nc", HOURS, u=7.0, issue="2016-09-03T00:00")
    later = write_weather(tmp_path / "later.nc", HOURS, u=9.0, issue="2016-09-03T12:00")
    weather = weather_for(files_of(later, analysis, new, old), FIRST, LAST - pd.Timedelta(hours=17), ISSUE)
    u = weather["u10_ms"].isel(lat=3, lon=3).to_series()
    assert (u[:ISSUE] == 1.0).all()
    assert (u[ISSUE + pd.Timedelta(hours=1) :] == 7.0).all()
    kind = weather["kind"].to_series()
    assert (kind[:ISSUE] == "analysis").all()
    assert (kind[ISSUE + pd.Timedelta(hours=1) :] == "forecast").all()
    assert weather.attrs["kind"] == "forecast"


def test_later_issues_and_their_content_change_nothing(tmp_path: Path) -> None:
    analysis = write_weather(tmp_path / "an.nc", HOURS, u=1.0)
    known = write_weather(tmp_path / "known.nc", HOURS, u=7.0, issue="2016-09-03T00:00")
    later = write_weather(tmp_path / "later.nc", HOURS, u=99.0, issue="2016-09-03T09:00")
    last = pd.Timestamp("2016-09-04 20:00")
    without = weather_for(files_of(analysis, known), FIRST, last, ISSUE)
    assert without.identical(weather_for(files_of(later, known, analysis), FIRST, last, ISSUE))


def test_analysis_after_the_issue_stays_analysis(tmp_path: Path) -> None:
    files = files_of(write_weather(tmp_path / "an.nc", DAYS, u=1.0))
    weather = weather_for(files, FIRST, LAST, ISSUE)
    assert set(weather["kind"].values) == {"analysis"}
    assert list(weather["time"].values) == list((DAYS[1:4] + pd.Timedelta(hours=12)).values)


def test_daily_analysis_gives_way_to_hourly_forecast_at_its_own_noon(tmp_path: Path) -> None:
    """On the issue day the daily mean holds hours that nobody knows yet."""
    daily = write_weather(tmp_path / "an.nc", DAYS, u=1.0)
    hourly = write_weather(
        tmp_path / "fc.nc",
        pd.date_range("2016-09-02 20:00", periods=60, freq="h"),
        u=7.0,
        issue="2016-09-02T18:00",
    )
    weather = weather_for(files_of(daily, hourly), FIRST, LAST, ISSUE)
    u = weather["u10_ms"].isel(lat=3, lon=3).to_series()
    assert list(u[u == 1.0].index) == [pd.Timestamp("2016-09-02 12:00")]
    assert u.index[1] == pd.Timestamp("2016-09-03 04:00")
    assert u.index.is_monotonic_increasing
    assert u.index.is_unique


def test_of_equal_files_the_first_named_serves(tmp_path: Path) -> None:
    one = write_weather(tmp_path / "one.nc", DAYS, u=1.0)
    two = write_weather(tmp_path / "two.nc", DAYS, u=2.0)
    for files, u in ((files_of(one, two), 1.0), (files_of(two, one), 2.0)):
        served = weather_for(files, FIRST, LAST, ISSUE)["u10_ms"]
        assert float(served.min()) == float(served.max()) == u


def test_files_on_two_grids_are_brought_to_the_shared_area(tmp_path: Path) -> None:
    lat, lon = np.arange(36.0, 26.9, -0.5), np.arange(114.0, 123.1, 0.5)
    ramp = np.broadcast_to(LON - 100, (len(LAT), len(LON)))
    fine = np.broadcast_to(lon - 100, (len(lat), len(lon)))
    analysis = write_weather(tmp_path / "an.nc", DAYS, u=ramp)
    forecast = write_weather(tmp_path / "fc.nc", DAYS[3:], u=fine, lat=lat, lon=lon, issue="2016-09-03T00:00")
    weather = weather_for(files_of(analysis, forecast), FIRST, LAST, ISSUE)
    assert (weather["lon"].min(), weather["lon"].max(), weather["lat"].max()) == (114, 123, 36)
    assert np.allclose(weather["u10_ms"], weather["lon"].values - 100)
    assert list(weather["kind"].values) == ["analysis", "analysis", "forecast"]


def test_field_that_only_one_file_has_is_blank_elsewhere(tmp_path: Path) -> None:
    analysis = write_weather(tmp_path / "an.nc", DAYS)
    forecast = write_weather(tmp_path / "fc.nc", DAYS, issue="2016-09-03T00:00", extra={"blh": 800.0})
    weather = weather_for(files_of(analysis, forecast), FIRST, LAST, ISSUE)
    assert np.isnan(weather["blh_m"].values[0]).all()
    assert (weather["blh_m"].values[-1] == 800).all()


def test_missing_steps_are_listed(tmp_path: Path) -> None:
    files = files_of(write_weather(tmp_path / "an.nc", DAYS.delete(3)))
    with pytest.raises(InputError, match=r"no winds for 24 of 72 hours.*2016-09-04 01:00 … 2016-09-05 00:00"):
        weather_for(files, FIRST, LAST, ISSUE)
    with pytest.raises(InputError, match="no winds for 48 of 48 hours"):
        weather_for(files, pd.Timestamp("2017-01-01 01:00"), pd.Timestamp("2017-01-03"), ISSUE)
    with pytest.raises(InputError, match=r"0 file\(s\)"):
        weather_for(files.iloc[:0], FIRST, LAST, ISSUE)


def test_blank_slab_of_wind_names_file_time_and_places(tmp_path: Path) -> None:
    u = np.ones((6, len(LAT), len(LON)))
    u[2, :, 3] = np.nan
    files = files_of(write_weather(tmp_path / "slab.nc", DAYS, u=u))
    with pytest.raises(
        InputError, match=rf"slab\.nc: u10_ms is blank at {len(LAT)} place.* 2016-09-03 12:00"
    ):
        weather_for(files, FIRST, LAST, ISSUE)
    early = weather_for(files, pd.Timestamp("2016-09-01 01:00"), pd.Timestamp("2016-09-02 00:00"), ISSUE)
    assert early.sizes["time"] == 1


@pytest.mark.parametrize(("field", "value"), [("t2m", 25.0), ("sp", 1000.0), ("u10", 400.0)])
def test_values_in_a_wrong_unit_are_refused(tmp_path: Path, field: str, value: float) -> None:
    path = write_weather(tmp_path / "odd.nc", DAYS, extra={field: value})
    with pytest.raises(InputError, match=r"odd\.nc: .* wrong unit"):
        open_weather(path)


def test_file_that_is_gone_is_an_input_error(tmp_path: Path) -> None:
    path = write_weather(tmp_path / "an.nc", DAYS)
    files = files_of(path)
    path.unlink()
    with pytest.raises(InputError, match=r"an\.nc: no such weather file"):
        weather_for(files, FIRST, LAST, ISSUE)


def test_bilinear_values_at_points(tmp_path: Path) -> None:
    plane = 0.5 * LAT[:, None] + 0.25 * LON[None, :] + by_time(np.arange(6))
    weather = open_weather(write_weather(tmp_path / "an.nc", DAYS, u=plane - 40))
    got = at_points(weather, [120.3, 130.0], [30.7, 30.0])["u10_ms"].transpose("point", "time").values
    assert np.allclose(got[0], 0.5 * 30.7 + 0.25 * 120.3 - 40 + np.arange(6))
    assert np.isnan(got[1]).all()
