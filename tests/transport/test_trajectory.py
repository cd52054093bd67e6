"""Trajectories against winds whose ways are known exactly."""

from __future__ import annotations

import time
from datetime import date

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tests.weather.make import by_time, dataset_of
from yrd_airq.errors import InputError
from yrd_airq.settings import Marked, load
from yrd_airq.transport.kernel import METRES_PER_DEGREE
from yrd_airq.transport.settings import TransportSettings
from yrd_airq.transport.trajectory import Trajectories, arrivals_of, back_trajectories, trace
from yrd_airq.transport.winds import wind_field
from yrd_airq.vocab import WeatherKind

LAT, LON = np.arange(20.0, 42.1, 0.5), np.arange(108.0, 132.1, 0.5)
HOURS = pd.date_range("2016-09-01", periods=97, freq="h")
ARRIVAL = pd.DatetimeIndex(["2016-09-05 00:00"])
PLACE = {"330100": (120.0, 30.0)}


@pytest.fixture
def settings() -> TransportSettings:
    """The project's settings with the wind of the files taken as it is."""
    one = Marked(value=1.0, mark="derived", source="test")
    return load(TransportSettings, "transport").model_copy(update={"factor_10m": one, "factor_daily": one})


def steady(u: float, v: float) -> xr.Dataset:
    return dataset_of(HOURS, u, v, lat=LAT, lon=LON)


def central(way: Trajectories) -> tuple[np.ndarray, np.ndarray]:
    return way.lon[0, 0, way.central_member], way.lat[0, 0, way.central_member]


@pytest.mark.parametrize("u", [3.0, -5.0])
def test_west_and_east_wind(settings: TransportSettings, u: float) -> None:
    lon, lat = central(back_trajectories(steady(u, 0.0), PLACE, ARRIVAL, 24, settings))
    expected = 120.0 - u * 86_400 / (METRES_PER_DEGREE * np.cos(np.radians(30)))
    assert lon[-1] == pytest.approx(expected, abs=1e-9)
    assert np.allclose(lat, 30.0, atol=1e-12)
    assert lon.shape == (97,)


def test_south_wind(settings: TransportSettings) -> None:
    lon, lat = central(back_trajectories(steady(0.0, 4.0), PLACE, ARRIVAL, 24, settings))
    assert lat[-1] == pytest.approx(30.0 - 4 * 86_400 / METRES_PER_DEGREE, abs=1e-9)
    assert np.allclose(lon, 120.0)


def test_oblique_wind_is_a_loxodrome(settings: TransportSettings) -> None:
    """Longitude of a loxodrome: u/v times the difference of the isometric latitudes."""
    lon, lat = central(back_trajectories(steady(3.0, -4.0), PLACE, ARRIVAL, 48, settings))
    phi = np.radians([30.0, 30.0 + 4 * 172_800 / METRES_PER_DEGREE])
    isometric = np.arctanh(np.sin(phi))
    assert lat[-1] == pytest.approx(np.degrees(phi[1]), abs=1e-9)
    assert lon[-1] == pytest.approx(120.0 + 3 / -4 * np.degrees(isometric[1] - isometric[0]), abs=1e-6)


def test_solid_rotation_comes_back(settings: TransportSettings) -> None:
    """Rotation of the sphere about 120E 31N, once in 48 h; the circle has a radius of about 300 km."""
    lon, lat = np.meshgrid(np.radians(LON), np.radians(LAT))
    centre_lon, centre_lat = np.radians(120.0), np.radians(31.0)
    speed = 2 * np.pi / (48 * 3600) * METRES_PER_DEGREE * 180 / np.pi
    u = speed * (
        np.sin(centre_lat) * np.cos(lat) - np.cos(centre_lat) * np.sin(lat) * np.cos(lon - centre_lon)
    )
    v = speed * np.cos(centre_lat) * np.sin(lon - centre_lon)
    weather = dataset_of(HOURS, u, v, lat=LAT, lon=LON)
    way_lon, way_lat = central(back_trajectories(weather, {"x": (120.0, 33.7)}, ARRIVAL, 48, settings))
    assert np.ptp(way_lat) > 5
    miss = np.hypot((way_lon[-1] - 120.0) * np.cos(centre_lat), way_lat[-1] - 33.7)
    assert miss < 0.005 * 2 * np.pi * 2.7


def test_wind_linear_in_time_is_integrated_exactly(settings: TransportSettings) -> None:
    weather = dataset_of(HOURS, 0.0, by_time(np.linspace(0, 9.6, 97)), lat=LAT, lon=LON)
    _, lat = central(back_trajectories(weather, PLACE, ARRIVAL, 24, settings))
    assert lat[-1] == pytest.approx(30 - (9.6 - 1.2) * 86_400 / METRES_PER_DEGREE, abs=1e-9)


def test_forward_closes_the_way_back(settings: TransportSettings) -> None:
    rng = np.random.default_rng(3)
    smooth = rng.normal(size=(97, 1, 1)) + 2 * np.sin(LAT / 3)[None, :, None] + np.cos(LON / 4)[None, None, :]
    field = wind_field(dataset_of(HOURS, smooth, -smooth, lat=LAT, lon=LON), settings)
    start = np.full(5, float(pd.Timestamp("2016-09-04").value // 10**9))
    lon0, lat0 = np.linspace(116, 122, 5), np.linspace(28, 34, 5)
    still, unit = np.zeros(5), np.ones(5)
    lon, lat = trace(field, lon0, lat0, start, still, unit, steps=192, step_seconds=-900.0)
    assert np.abs(lon[:, -1] - lon0).max() > 1
    back = trace(field, lon[:, -1], lat[:, -1], start - 172_800, still, unit, steps=192, step_seconds=900.0)
    assert np.allclose(back[0][:, -1], lon0, atol=1e-6)
    assert np.allclose(back[1][:, -1], lat0, atol=1e-6)


@pytest.mark.parametrize(("u", "v"), [(5.0, 0.0), (0.0, -5.0), (3.0, 4.0)])
def test_members_turn_and_scale_the_wind(settings: TransportSettings, u: float, v: float) -> None:
    way = back_trajectories(steady(u, v), PLACE, ARRIVAL, 6, settings)
    assert len(way.members) == 12
    middle = np.radians((way.lat[0, 0, :, -1] + 30.0) / 2)
    east = (120.0 - way.lon[0, 0, :, -1]) * np.cos(middle)
    north = 30.0 - way.lat[0, 0, :, -1]
    for index, member in enumerate(way.members[:9]):
        turn = np.radians(member.rotation_deg)
        length = member.speed_ratio * 21_600 / METRES_PER_DEGREE
        assert east[index] == pytest.approx(length * (u * np.cos(turn) - v * np.sin(turn)), abs=2e-4)
        assert north[index] == pytest.approx(length * (u * np.sin(turn) + v * np.cos(turn)), abs=2e-4)


def test_factor_follows_the_step_of_the_file() -> None:
    settings = load(TransportSettings, "transport")
    hourly, daily = steady(1.0, 0.0), dataset_of(HOURS[12::24], 1.0, 0.0, lat=LAT, lon=LON, step_hours=24)
    assert np.allclose(wind_field(hourly, settings).fields[..., 0], settings.factor_10m.value)
    assert np.allclose(wind_field(daily, settings).fields[..., 0], settings.factor_daily.value)


def test_parcel_that_leaves_the_grid_stays_lost(settings: TransportSettings) -> None:
    lon, _ = central(back_trajectories(steady(20.0, 0.0), PLACE, ARRIVAL, 72, settings))
    gone = np.isnan(lon)
    assert gone.any()
    assert (np.diff(gone.astype(int)) >= 0).all()
    assert lon[~gone].min() >= LON[0]


def test_weather_after_the_arrival_changes_nothing(settings: TransportSettings) -> None:
    arrival = pd.DatetimeIndex(["2016-09-04 12:00"])
    u = np.full(97, 3.0)
    disturbed = np.where(arrival[0] < HOURS, 50.0, u)
    ways = [
        back_trajectories(dataset_of(HOURS, by_time(x), 1.0, lat=LAT, lon=LON), PLACE, arrival, 48, settings)
        for x in (u, disturbed)
    ]
    assert np.array_equal(ways[0].lon, ways[1].lon)
    before = np.where(pd.Timestamp("2016-09-03 00:00") == HOURS, 50.0, u)
    changed = back_trajectories(
        dataset_of(HOURS, by_time(before), 1.0, lat=LAT, lon=LON), PLACE, arrival, 48, settings
    )
    assert not np.array_equal(ways[0].lon, changed.lon)


def test_daily_means_hold_on_for_half_a_day_at_the_ends(settings: TransportSettings) -> None:
    noons = pd.date_range("2016-09-01 12:00", periods=4, freq="D")
    weather = dataset_of(noons, 2.0, 0.0, lat=LAT, lon=LON, step_hours=24)
    lon, _ = central(back_trajectories(weather, PLACE, ARRIVAL, 96, settings))
    expected = 120 - 2 * 345_600 / (METRES_PER_DEGREE * np.cos(np.radians(30)))
    assert lon[-1] == pytest.approx(expected, abs=1e-9)
    with pytest.raises(InputError, match="trajectories need winds from 2016-08-31 23:00"):
        back_trajectories(weather, PLACE, ARRIVAL, 97, settings)
    with pytest.raises(InputError, match="to 2016-09-05 01:00"):
        back_trajectories(weather, PLACE, ARRIVAL + pd.Timedelta(hours=1), 24, settings)


def test_kind_tells_whether_a_forecast_was_used(settings: TransportSettings) -> None:
    weather = steady(1.0, 1.0)
    assert back_trajectories(weather, PLACE, ARRIVAL, 24, settings).kind is WeatherKind.ANALYSIS
    weather["kind"][80:] = "forecast"
    assert back_trajectories(weather, PLACE, ARRIVAL, 24, settings).kind is WeatherKind.FORECAST


def test_receptor_off_the_grid_and_uneven_grid_are_refused(settings: TransportSettings) -> None:
    with pytest.raises(InputError, match=r"receptor\(s\) 990000 lie off"):
        back_trajectories(steady(1.0, 1.0), {**PLACE, "990000": (100.0, 30.0)}, ARRIVAL, 24, settings)
    uneven = dataset_of(HOURS, 1.0, 1.0, lat=np.delete(LAT, 7), lon=LON)
    with pytest.raises(InputError, match="latitude steps of the weather differ"):
        back_trajectories(uneven, PLACE, ARRIVAL, 24, settings)


def test_arrivals_lie_within_the_day(settings: TransportSettings) -> None:
    arrivals = arrivals_of(date(2016, 9, 4), date(2016, 9, 5), settings)
    assert arrivals[0] == pd.Timestamp("2016-09-04 03:00")
    assert arrivals[7] == pd.Timestamp("2016-09-05 00:00")
    assert len(arrivals) == 16


def test_two_receptors_five_days_hourly_take_well_under_a_second(settings: TransportSettings) -> None:
    weather = steady(2.0, 1.0)
    back_trajectories(weather, PLACE, ARRIVAL, 6, settings)
    arrivals = pd.date_range("2016-09-04 00:00", periods=25, freq="h")[np.arange(120) % 25]
    start = time.process_time()
    way = back_trajectories(weather, {**PLACE, "b": (119.0, 32.0)}, arrivals, 72, settings)
    assert way.lon.shape == (2, 120, 12, 289)
    assert time.process_time() - start < 1.0
