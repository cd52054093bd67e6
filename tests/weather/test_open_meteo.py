"""Answers of Open-Meteo as a grid, and canonical datasets kept in a file."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tests.weather import layouts
from yrd_airq.errors import InputError
from yrd_airq.sources import netcdf_header
from yrd_airq.weather.grid import open_weather, weather_for
from yrd_airq.weather.open_meteo import open_meteo_grid
from yrd_airq.weather.saving import save_weather

HOURS = ["2026-11-23T00:00", "2026-11-23T01:00", "2026-11-23T02:00"]


def answer(lat: float, lon: float, **hourly: list[float | None]) -> dict[str, Any]:
    """One point as the service gives it: wind by default in km/h, times of Shanghai."""
    values = {
        "temperature_2m": [10.0, 11.0, 12.0],
        "relative_humidity_2m": [60, 61, 62],
        "surface_pressure": [1012.5, 1012.0, 1011.5],
        "precipitation": [0.0, 1.2, 0.0],
        "cloud_cover": [100, 50, 0],
        "wind_speed_10m": [36.0, 18.0, 7.2],
        "wind_direction_10m": [270, 180, 45],
        "boundary_layer_height": [300.0, None, 500.0],
    } | hourly
    units = {
        "time": "iso8601",
        "temperature_2m": "°C",
        "relative_humidity_2m": "%",
        "surface_pressure": "hPa",
        "precipitation": "mm",
        "cloud_cover": "%",
        "wind_speed_10m": "km/h",
        "wind_direction_10m": "°",
        "boundary_layer_height": "m",
    }
    return {
        "latitude": lat,
        "longitude": lon,
        "utc_offset_seconds": 28800,
        "timezone": "Asia/Shanghai",
        "hourly_units": units,
        "hourly": {"time": list(HOURS), **values},
    }


def points() -> list[dict[str, Any]]:
    return [
        answer(lat, lon, temperature_2m=[lat, lon / 10, 0.0])
        for lat in (31.5, 31.0)
        for lon in (120.0, 120.5, 121.0)
    ]


def test_speed_and_direction_become_components() -> None:
    weather = open_meteo_grid(points())
    assert dict(weather.sizes) == {"time": 3, "lat": 2, "lon": 3}
    assert list(weather["lat"].values) == [31.0, 31.5]
    assert weather["time"].values[0] == np.datetime64("2026-11-23T00:00")
    first = weather.isel(lat=0, lon=0)
    # 36 km/h from the west, 18 km/h from the south, 7.2 km/h from the north-east.
    assert np.allclose(first["u10_ms"], [10, 0, -np.sqrt(2)])
    assert np.allclose(first["v10_ms"], [0, 5, -np.sqrt(2)])
    assert np.allclose(first["sp_pa"], [101_250, 101_200, 101_150])
    assert np.allclose(first["tcc"], [1, 0.5, 0])
    assert np.isnan(first["blh_m"].values[1])
    assert weather["t2m_k"].sel(lat=31.5, lon=121.0).values[:2] == pytest.approx([304.65, 285.25])
    assert (weather.attrs["kind"], weather.attrs["layout"]) == ("analysis", "open_meteo")


def test_metres_per_second_and_unix_time_give_the_same() -> None:
    other = points()
    seconds = (pd.DatetimeIndex(HOURS) - pd.Timedelta(hours=8) - pd.Timestamp(0)) // pd.Timedelta(seconds=1)
    for point in other:
        point["hourly_units"] |= {"wind_speed_10m": "m/s", "time": "unixtime"}
        point["hourly"] |= {"wind_speed_10m": [10.0, 5.0, 2.0], "time": seconds.tolist()}
    xr.testing.assert_allclose(open_meteo_grid(other), open_meteo_grid(points()))


def test_order_of_the_points_is_free() -> None:
    xr.testing.assert_identical(open_meteo_grid(points()[::-1]), open_meteo_grid(points()))


def test_forecast_carries_issue_and_lead() -> None:
    weather = open_meteo_grid(points(), issue_time=pd.Timestamp("2026-11-22 20:00"))
    assert weather.attrs["issue_time"] == "2026-11-22T20:00:00"
    assert list(weather["lead_hours"].values) == [4, 5, 6]
    assert set(weather["kind"].values) == {"forecast"}


def test_composition_in_canonical_units() -> None:
    given = points()
    for point in given:
        point["hourly"] = {
            "time": HOURS,
            "pm2_5": [41.2, None, 30.0],
            "carbon_monoxide": [800.0, 700.0, 600.0],
        }
        point["hourly_units"] = {"time": "iso8601", "pm2_5": "μg/m³", "carbon_monoxide": "μg/m³"}
    weather = open_meteo_grid(given)
    assert list(weather.data_vars)[:2] == ["pm25_ugm3", "co_mgm3"]
    assert np.allclose(weather["co_mgm3"].isel(lat=0, lon=0), [0.8, 0.7, 0.6])
    assert np.isnan(weather["pm25_ugm3"].values[1]).all()


def test_hours_without_any_wind_are_left_out_and_named() -> None:
    given = points()
    for point in given:
        point["hourly"]["wind_speed_10m"] = [36.0, 18.0, None]
    weather = open_meteo_grid(given)
    assert weather.sizes["time"] == 2
    assert weather.attrs["missing"] == "2026-11-23T02:00"


def spoil(change: str) -> Any:
    given = copy.deepcopy(points())
    point = given[2]
    if change == "hole":
        point["hourly"]["wind_speed_10m"][1] = None
    elif change == "unit":
        point["hourly_units"]["wind_speed_10m"] = "Bft"
    elif change == "lost point":
        given.pop()
    elif change == "twice":
        given.append(given[0])
    elif change == "hours":
        point["hourly"]["time"] = ["2026-11-23T00:00", "2026-11-23T01:00", "2026-11-23T03:00"]
    elif change == "short":
        point["hourly"]["temperature_2m"] = [1.0]
    elif change == "error":
        return {"error": True, "reason": "Latitude must be in range"}
    return given


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("hole", "no wind at 1 of 6 points at 2026-11-23 01:00"),
        ("unit", "wind_speed_10m is in 'Bft, km/h'"),
        ("lost point", "5 point.s. with 2 latitudes and 3 longitudes make no grid"),
        ("twice", "7 point.s. .* make no grid"),
        ("hours", "the points have different hours"),
        ("short", "temperature_2m is not given for every point and hour"),
        ("error", "point 1: Latitude must be in range"),
    ],
)
def test_answers_that_cannot_serve(change: str, words: str) -> None:
    with pytest.raises(InputError, match=f"Open-Meteo answer.*{words}"):
        open_meteo_grid(spoil(change))


def test_saved_grid_serves_like_any_file(tmp_path: Path) -> None:
    issue = pd.Timestamp("2026-11-22 20:00")
    weather = open_meteo_grid(points(), issue_time=issue)
    path = save_weather(weather, tmp_path / "new" / "grid.nc")
    row = netcdf_header.read(path).rows.to_pandas()
    assert (row["layout"][0], row["kind"][0], row["issue_time"][0]) == ("canonical", "forecast", issue)
    back = open_weather(path)
    assert back.attrs | {"layout": ""} == weather.attrs | {"layout": ""}
    xr.testing.assert_allclose(back, weather, rtol=1e-6)
    served = weather_for(row, pd.Timestamp(HOURS[1]), pd.Timestamp(HOURS[2]), issue)
    assert served.sizes["time"] == 2


def test_daily_means_are_saved_as_such(tmp_path: Path) -> None:
    days = pd.date_range("2016-09-01", periods=3)
    base = xr.open_dataset(layouts.era5_old(tmp_path / "a.nc", hours=3), engine="netcdf4").load()
    daily = base.assign_coords(time=days).rename(time="valid_time").drop_encoding()
    weather = open_weather(layouts.write(tmp_path / "b.nc", daily))
    back = open_weather(save_weather(weather, tmp_path / "c.nc"))
    assert list(back["time"].values) == list((days + pd.Timedelta(hours=12)).values)
    xr.testing.assert_allclose(back["u10_ms"], weather["u10_ms"], rtol=1e-6)


def test_joined_weather_is_not_saved_as_one_kind(tmp_path: Path) -> None:
    weather = open_meteo_grid(points())
    weather["kind"] = ("time", np.array(["analysis", "forecast", "forecast"], dtype=object))
    with pytest.raises(InputError, match="several kinds or steps"):
        save_weather(weather, tmp_path / "a.nc")
