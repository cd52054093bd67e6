"""The drill's whole world for one set of settings: enterprises, weather and its forecast, air, survey."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from yrd_airq.drill.air import PointAir, run_air
from yrd_airq.drill.drive import Wind, choose_sources, drive
from yrd_airq.drill.emission import make_emission
from yrd_airq.drill.enterprises import make_enterprises
from yrd_airq.drill.grid import Grid, make_grid
from yrd_airq.drill.settings import DrillSettings
from yrd_airq.drill.stations import Network, make_network
from yrd_airq.drill.weather import Weather, forecast_waves, make_waves, make_weather
from yrd_airq.region import load_region

# One stream of random numbers for each part, so that changing one part leaves the others as they are.
ENTERPRISES, WAVES, FORECAST, NETWORK, FAULTS, DRIVE = range(6)


@dataclass(frozen=True)
class World:
    """Truth and what is known of it.

    ``weather`` and ``air`` run past the issue time (they are what will happen); ``forecast`` is the
    weather as forecast from ``reference``; ``drive`` is the survey, ``leaking`` the enterprises behind
    its plumes.
    """

    grid: Grid
    enterprises: pd.DataFrame
    weather: Weather
    forecast: Weather
    reference: pd.Timestamp
    network: Network
    air: PointAir
    drive: pd.DataFrame
    leaking: tuple[str, ...]


def stream(settings: DrillSettings, part: int) -> np.random.Generator:
    """The random numbers of one part of the world."""
    return np.random.default_rng([settings.seed, part])


def make_world(settings: DrillSettings) -> World:
    """The world of the settings; the same settings make the same world."""
    region, grid = load_region(), make_grid(settings.grid)
    enterprises = make_enterprises(settings.enterprises, region, stream(settings, ENTERPRISES))
    waves = make_waves(_hours(settings), settings.flow, stream(settings, WAVES))
    weather = make_weather(waves, grid, settings.flow)
    reference = forecast_reference(settings)
    coming = forecast_waves(waves, reference, settings.flow, stream(settings, FORECAST))
    network = make_network(settings.stations, region, stream(settings, NETWORK))
    points = grid.weights_to(network.table["经度"], network.table["纬度"])
    emission = make_emission(grid, region, enterprises, settings.diffuse)
    track, leaking = _survey(settings, enterprises, weather, grid)
    return World(
        grid=grid,
        enterprises=enterprises,
        weather=weather,
        forecast=make_weather(coming, grid, settings.flow),
        reference=reference,
        network=network,
        air=run_air(weather, emission, grid, settings.air, points),
        drive=track,
        leaking=leaking,
    )


def forecast_reference(settings: DrillSettings) -> pd.Timestamp:
    """Start of the newest weather forecast at the issue time: 00 UTC of its day (08:00 Beijing)."""
    return pd.Timestamp(settings.issue_time.date()) + pd.Timedelta(hours=8)


def _hours(settings: DrillSettings) -> pd.DatetimeIndex:
    first = pd.Timestamp(settings.first_day) - pd.Timedelta(days=settings.spin_up_days)
    last = forecast_reference(settings) + pd.Timedelta(days=settings.forecast_days)
    return pd.date_range(first, last, freq="h")


def _survey(
    settings: DrillSettings, enterprises: pd.DataFrame, weather: Weather, grid: Grid
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The drive in the weather of its hour, and the ids of the leaking enterprises."""
    rules, sectors = settings.drive, settings.enterprises.sectors
    wind = _wind_at(weather, grid, pd.Timestamp(rules.start).ceil("h"), rules.near_lon, rules.near_lat)
    sources = choose_sources(enterprises, rules, sectors, wind)
    centre = (float(sources["lon"].mean()), float(sources["lat"].mean()))
    track = drive(sources, centre, wind, rules, sectors, stream(settings, DRIVE))
    return track, tuple(sources["enterprise_id"])


def _wind_at(weather: Weather, grid: Grid, time: pd.Timestamp, lon: float, lat: float) -> Wind:
    """Wind at a point and hour; at least 1.5 m/s, so that the survey can tell where the air comes from."""
    weights = grid.weights_to(np.array([lon]), np.array([lat]))[:, 0]
    k = weather.times.get_loc(time)
    u, v = float(weather.u10[k].ravel() @ weights), float(weather.v10[k].ravel() @ weights)
    return Wind(max(float(np.hypot(u, v)), 1.5), float(np.degrees(np.arctan2(-u, -v)) % 360))
