"""The drill's weather: one for each date, wind that agrees with pressure, the course of days, forecasts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from yrd_airq.drill.chance import normal, uniform
from yrd_airq.drill.forecast import make_forecast
from yrd_airq.drill.grid import KM_PER_DEGREE, Grid, make_grid
from yrd_airq.drill.layers import AIR_M, LAYERS
from yrd_airq.drill.resample import hourly, regrid
from yrd_airq.drill.surface import Clock, clear_sky, through_cloud
from yrd_airq.drill.synoptic import CORIOLIS
from yrd_airq.drill.systems import add_up, draw_systems, hours_of, plane
from yrd_airq.drill.weather import FIELDS, Weather, draw_catalogue, make_weather
from yrd_airq.drill.weather_settings import WeatherSettings, load_weather_settings

SEED = 5
WINTER = pd.Timestamp("2026-01-08")
SUMMER = pd.Timestamp("2026-07-20")
DAY = pd.Timedelta(days=1)
HOUR = pd.Timedelta(hours=1)


@pytest.fixture(scope="module")
def settings() -> WeatherSettings:
    return load_weather_settings()


@pytest.fixture(scope="module")
def grid(settings: WeatherSettings) -> Grid:
    return make_grid(settings.grid)


@pytest.fixture(scope="module")
def winter(settings: WeatherSettings, grid: Grid) -> Weather:
    return make_weather(WINTER, WINTER + 18 * DAY - HOUR, grid, settings, SEED)


@pytest.fixture(scope="module")
def summer(settings: WeatherSettings, grid: Grid) -> Weather:
    return make_weather(SUMMER, SUMMER + 12 * DAY - HOUR, grid, settings, SEED)


def _all(weather: Weather) -> dict[str, np.ndarray]:
    return {name: getattr(weather, name) for name in (*FIELDS, "u", "v")}


def test_numbers_hang_on_their_address_alone() -> None:
    many = normal(3, np.arange(40_000))
    assert abs(many.mean()) < 0.02
    assert many.std() == pytest.approx(1, abs=0.02)
    assert normal(3, 17)[0] == many[17]
    assert normal(4, 17)[0] != many[17]
    assert uniform(1, 2)[0] != uniform(2, 1)[0]
    assert abs(np.corrcoef(normal(3, np.arange(40_000), 1), normal(3, np.arange(40_000), 2))[0, 1]) < 0.02


def test_a_day_is_the_same_whenever_the_world_starts(
    winter: Weather, settings: WeatherSettings, grid: Grid
) -> None:
    later = make_weather(WINTER + 7 * DAY + 5 * HOUR, WINTER + 12 * DAY + 2 * HOUR, grid, settings, SEED)
    same = winter.between(later.times[0], later.times[-1])
    for name, values in _all(later).items():
        assert values.dtype == np.float32
        assert np.array_equal(values, getattr(same, name)), name
    other = make_weather(later.times[0], later.times[-1], grid, settings, SEED + 1)
    assert not np.allclose(other.u10, later.u10, atol=0.5)


@pytest.mark.parametrize("season", ["winter", "summer"])
def test_values_are_possible(season: str, request: pytest.FixtureRequest) -> None:
    weather: Weather = request.getfixturevalue(season)
    count = len(weather.times)
    for name, values in _all(weather).items():
        assert np.isfinite(values).all(), name
        assert values.shape[0] == count
    assert weather.u.shape[1] == LAYERS
    assert (weather.d2m < weather.t2m).all()
    assert ((weather.tcc >= 0) & (weather.tcc <= 1)).all()
    assert (weather.tp >= 0).all()
    assert (weather.tcc[weather.tp > 2e-4] > 0.15).all()
    assert 30 <= weather.blh.min() < 250
    assert 900 < weather.blh.max() <= 2800
    assert 85_000 < weather.sp.min() < weather.sp.max() < 106_000
    assert 1.5 < np.hypot(weather.u10, weather.v10).mean() < 5
    assert np.hypot(weather.u10, weather.v10).max() < 35
    low, high = (258, 300) if season == "winter" else (288, 315)
    assert low < np.quantile(weather.t2m, 0.01)
    assert np.quantile(weather.t2m, 0.99) < high


def test_wind_aloft_follows_the_isobars_and_leaves_no_divergence(winter: Weather, grid: Grid) -> None:
    k, rows, columns = slice(None), slice(1, -1), slice(1, -1)
    cosine = np.cos(np.radians(grid.lat))[:, None]
    metre = 2000 * KM_PER_DEGREE * grid.step

    def divergence(layer: int) -> np.ndarray:
        u, v = winter.u[:, layer].astype(float), winter.v[:, layer] * cosine
        east = (u[:, 1:-1, 2:] - u[:, 1:-1, :-2]) / (metre * cosine[1:-1])
        return east + (v[:, 2:, 1:-1] - v[:, :-2, 1:-1]) / (metre * cosine[1:-1])

    by_layer = np.stack([divergence(layer) for layer in range(LAYERS)], axis=1)
    spread = np.sqrt((by_layer**2).mean(axis=(0, 2, 3)))
    assert spread[-1] < 1e-6
    assert (spread < 2e-5).all()
    rising = -np.cumsum(by_layer * AIR_M[:, None, None], axis=1)
    assert np.abs(rising[:, -1]).max() < 0.1
    # Geostrophic balance of pressure over the sea (no height) with the wind at the top of the friction layer.
    sea = (grid.land[rows, columns] < 0.01) & (np.arange(len(grid.lat))[1:-1, None] > 4)
    slope = (winter.sp[k, 2:, columns] - winter.sp[k, :-2, columns]) / metre
    u = -slope / (1.2 * CORIOLIS)
    aloft = winter.u[k, 2, rows, columns]
    assert np.corrcoef(u[:, sea].ravel(), aloft[:, sea].ravel())[0, 1] > 0.85


def test_wind_turns_to_the_right_and_strengthens_with_height_over_land(winter: Weather, grid: Grid) -> None:
    inland = grid.land > 0.99
    ten = (winter.u10 + 1j * winter.v10)[:, inland]
    aloft = (winter.u[:, 2] + 1j * winter.v[:, 2])[:, inland]
    assert np.abs(aloft).mean() > 1.5 * np.abs(ten).mean()
    turn = np.degrees(np.angle((aloft * np.conj(ten)).mean()))
    assert -45 < turn < -3


def test_jet_blows_by_night_and_the_ground_is_calm_then(summer: Weather, grid: Grid) -> None:
    inland = grid.land > 0.99
    hour = summer.times.hour
    speed = np.hypot(summer.u, summer.v)[:, :, inland].mean(axis=2)
    night, noon = (
        speed[(hour >= 0) & (hour <= 4)].mean(axis=0),
        speed[(hour >= 11) & (hour <= 15)].mean(axis=0),
    )
    assert night[2] > 1.1 * noon[2]
    ground = np.hypot(summer.u10, summer.v10)[:, inland].mean(axis=1)
    assert ground[(hour >= 11) & (hour <= 15)].mean() > ground[(hour >= 0) & (hour <= 4)].mean()


def test_sea_breeze_blows_onshore_in_the_afternoon(summer: Weather, grid: Grid) -> None:
    cell = grid.nearest_cell([120.75, 121.0], [33.25, 32.75])
    east = summer.u10.reshape(len(summer.times), -1)[:, cell].mean(axis=1)
    hour = summer.times.hour
    assert east[(hour >= 13) & (hour <= 17)].mean() < east[(hour >= 1) & (hour <= 6)].mean() - 0.4


def test_days_have_their_course(summer: Weather, grid: Grid) -> None:
    inland, hour = grid.land > 0.99, summer.times.hour
    by_hour = {
        name: pd.Series(getattr(summer, name)[:, inland].mean(axis=1)).groupby(hour).mean()
        for name in ("t2m", "ssrd", "blh")
    }
    assert by_hour["t2m"].idxmax() in (13, 14, 15, 16)
    assert by_hour["t2m"].idxmin() in (4, 5, 6)
    assert by_hour["ssrd"].loc[[0, 1, 2, 3, 22, 23]].max() == 0
    assert by_hour["ssrd"].idxmax() in (12, 13)
    assert by_hour["blh"].idxmax() in (14, 15, 16)
    assert by_hour["blh"].max() > 4 * by_hour["blh"].min()


def test_cloud_cools_the_day_and_dims_the_sun(summer: Weather, grid: Grid) -> None:
    inland = grid.land > 0.99
    afternoon = summer.times.hour == 14
    cover = summer.tcc[afternoon][:, inland].ravel()
    for name in ("t2m", "ssrd", "blh"):
        values = getattr(summer, name)[afternoon][:, inland].ravel()
        assert values[cover < 0.3].mean() > values[cover > 0.9].mean(), name


def test_radiation_by_hand() -> None:
    # Haurwitz at 60° elevation: 1098 · 0.8660 · exp(−0.057 / 0.8660) = 890.3; overcast keeps a quarter.
    clear = clear_sky(np.array([np.sqrt(0.75), -0.2], dtype=np.float32))
    assert clear == pytest.approx([890.3, 0], abs=0.1)
    assert through_cloud(clear[:1], np.ones(1, dtype=np.float32)) == pytest.approx([222.6], abs=0.1)


def test_sun_of_the_solstice_by_hand(grid: Grid) -> None:
    noon = hours_of(pd.DatetimeIndex(["2026-06-21 12:00"]))
    sine = Clock(noon, grid).sine_of_sun()[0]
    row, column = list(grid.lat).index(31.0), list(grid.lon).index(120.0)
    assert np.degrees(np.arcsin(sine[row, column])) == pytest.approx(90 - 31 + 23.44, abs=0.3)


def test_patterns_move_from_west_to_east(winter: Weather, grid: Grid) -> None:
    # Six-hour lag: pressure anomalies of the west resemble those of the east later, not before.
    flat = winter.sp - winter.sp.mean(axis=0)
    west, east = flat[:, 20, 8], flat[:, 20, 46]
    later = np.corrcoef(west[:-24], east[24:])[0, 1]
    earlier = np.corrcoef(west[24:], east[:-24])[0, 1]
    assert later > earlier + 0.1


def test_a_bell_is_a_bell(settings: WeatherSettings) -> None:
    hours = np.arange(0.0, 24.0, 3.0) + float(hours_of(pd.DatetimeIndex([WINTER]))[0])
    systems = draw_systems(settings.pressure_families[:1], settings.activity, hours[0], hours[-1], SEED, 1)
    lon, lat = np.arange(60.0, 160.0), np.arange(0.0, 70.0)
    low, high = add_up(systems, hours, lon, lat)
    x, y = plane(lon, lat)
    expected = np.zeros_like(low, dtype=float)
    for k in range(len(systems.at)):
        age = hours - systems.at[k]
        size = np.where(
            np.abs(age) < systems.half_life[k], np.cos(np.pi * age / systems.half_life[k] / 2) ** 2, 0
        )
        dx = x[None, None, :] - (systems.x[k] + systems.u[k] * age)[:, None, None]
        dy = y[None, :, None] - (systems.y[k] + systems.v[k] * age)[:, None, None]
        cos, sin = np.cos(systems.angle[k]), np.sin(systems.angle[k])
        along = (dx * cos + dy * sin) / systems.radius[k] / systems.aspect[k]
        across = (dy * cos - dx * sin) / systems.radius[k] * systems.aspect[k]
        bell = np.maximum(1 - (along**2 + across**2) / 12, 0) ** 6
        expected += systems.strength[k] * size[:, None, None] * bell
    assert np.abs(expected).max() > 3
    assert np.allclose(low, expected, atol=1e-3)
    assert high.any()


def test_resampling_keeps_straight_lines_and_refuses_the_edge() -> None:
    axis = np.arange(0.0, 10.0)
    plane_ = (2 * axis[None, :, None] - 3 * axis[None, None, :]).astype(np.float32)
    fine = np.linspace(1, 8, 29)
    out = regrid(plane_, axis, axis, fine, fine)
    assert np.allclose(out[0], 2 * fine[:, None] - 3 * fine[None, :], atol=1e-4)
    assert np.allclose(hourly(plane_[0], axis, fine)[:, 0], 2 * fine, atol=1e-4)
    with pytest.raises(ValueError, match="beyond the axis"):
        regrid(plane_, axis, axis, fine, np.array([0.5]))


def test_grid_knows_land_sea_and_hills(grid: Grid) -> None:
    assert grid.shape == (41, 55)
    land, height = grid.land.ravel(), grid.height.ravel()
    cities = grid.nearest_cell([118.8, 117.2, 121.45], [32.05, 31.85, 31.2])
    waters = grid.nearest_cell([123.0, 121.25, 122.5], [31.0, 30.5, 33.5])
    assert (land[cities] > 0.9).all()
    assert (land[waters] < 0.35).all()
    assert (height[waters] < 50).all()
    assert height[grid.nearest_cell(118.2, 30.0)] > 300
    assert height[cities[0]] < 60


def test_forecast_starts_at_the_truth_and_errs_more_with_lead(
    winter: Weather, settings: WeatherSettings, grid: Grid
) -> None:
    errors: dict[str, list[np.ndarray]] = {"u10": [], "t2m": [], "tcc": []}
    for day in range(0, 10, 3):
        reference = WINTER + day * DAY + 8 * HOUR
        forecast = make_forecast(reference, grid, settings, SEED)
        assert (forecast.times[0], forecast.times[-1]) == (reference, reference + 8 * DAY)
        assert forecast.u.shape[1] == 0
        at = winter.times.get_indexer(forecast.times)
        for name, found in errors.items():
            found.append(((getattr(forecast, name) - getattr(winter, name)[at]) ** 2).mean(axis=(1, 2)))
    for name, limits in {"u10": (0.3, 0.9, 2.0), "t2m": (0.3, 0.8, 1.7), "tcc": (0.03, 0.1, 0.2)}.items():
        rms = np.sqrt(np.mean(errors[name], axis=0))
        start, second, last = rms[0], np.sqrt((rms[8:16] ** 2).mean()), np.sqrt((rms[48:] ** 2).mean())
        assert start < limits[0], name
        assert start < second < last, name
        assert second > limits[1] * 0.8, name
        assert last > limits[2] * 0.8, name


def test_forecast_without_growth_is_the_truth_and_references_share_errors(
    winter: Weather, settings: WeatherSettings, grid: Grid
) -> None:
    perfect = settings.model_copy(update={"forecast": settings.forecast.model_copy(update={"growth": 0.0})})
    reference = WINTER + 2 * DAY + 8 * HOUR
    forecast = make_forecast(reference, grid, perfect, SEED)
    at = winter.times.get_indexer(forecast.times)
    assert np.allclose(forecast.u10, winter.u10[at], atol=0.35)
    assert np.allclose(forecast.t2m, winter.t2m[at], atol=1e-3)
    first, second = (make_forecast(reference + k * DAY, grid, settings, SEED) for k in (0, 1))
    common = first.times.intersection(second.times)
    common = common[common >= reference + 4 * DAY]
    wrong = [
        (f.u10[f.times.get_indexer(common)] - winter.u10[winter.times.get_indexer(common)]).ravel()
        for f in (first, second)
    ]
    assert 0.3 < np.corrcoef(*wrong)[0, 1] < 0.97


def test_systems_are_drawn_alike_from_any_span(settings: WeatherSettings) -> None:
    long = draw_catalogue(pd.date_range(WINTER, periods=480, freq="h"), settings, SEED).pressure
    short = draw_catalogue(pd.date_range(WINTER + 9 * DAY, periods=24, freq="h"), settings, SEED).pressure
    names = {(f, n): s for f, n, s in zip(long.family, long.number, long.strength, strict=True)}
    assert len(names) == len(long.at)
    assert all(names[f, n] == s for f, n, s in zip(short.family, short.number, short.strength, strict=True))
