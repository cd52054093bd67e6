"""The drill's whole world: what is true of it, what is known of it, and what would be true if a list were
carried out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from yrd_airq.drill.air_settings import AirSettings, load_air
from yrd_airq.drill.drive import Wind, choose_route, drive, met_sources
from yrd_airq.drill.emission import Emission, make_emission
from yrd_airq.drill.enterprises import make_enterprises
from yrd_airq.drill.forecast import make_forecast
from yrd_airq.drill.grid import Grid, make_grid
from yrd_airq.drill.instruments import Reports, observe
from yrd_airq.drill.keep import Course, read_course
from yrd_airq.drill.measures import carry_out, load_measures
from yrd_airq.drill.official_list import make_official_list
from yrd_airq.drill.settings import DrillSettings
from yrd_airq.drill.solver import POINT_SPECIES, run
from yrd_airq.drill.state import State
from yrd_airq.drill.stations import Network, Truth, make_network, true_concentrations
from yrd_airq.drill.weather import Weather, make_weather
from yrd_airq.drill.weather_settings import WeatherSettings, load_weather_settings
from yrd_airq.errors import InputError
from yrd_airq.region import Region, load_region

# One stream of random numbers for each part, so that changing one part leaves the others as they are.
ENTERPRISES, OFFICIAL, NETWORK, FAULTS, DRIVE = range(5)
UNHEARD_OF = 5000.0
"""No hour of any pollutant reaches this (CO in mg/m³, else µg/m³)."""
_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True)
class World:
    """A world from its first to its last day; its weather and air are made when they are first asked for.

    ``enterprises`` are the true ones, ``official`` the list that agencies hold of them. ``kept`` is the
    folder where an earlier run of the same world kept its truth, which is then read instead of made.
    """

    settings: DrillSettings
    weather_settings: WeatherSettings
    air_settings: AirSettings
    region: Region
    grid: Grid
    enterprises: pd.DataFrame
    official: pd.DataFrame
    network: Network
    kept: Path | None = None

    @property
    def first(self) -> pd.Timestamp:
        """Midnight at which the air starts, some days before the first day that is reported."""
        return pd.Timestamp(self.settings.first_day) - self.settings.spin_up_days * _DAY

    @property
    def last(self) -> pd.Timestamp:
        """Midnight at the end of the last day."""
        return pd.Timestamp(self.settings.last_day) + _DAY

    @cached_property
    def weather(self) -> Weather:
        """True weather from ``first`` to ``last``."""
        return make_weather(self.first, self.last, self.grid, self.weather_settings, self.settings.seed)

    @cached_property
    def course(self) -> Course:
        """The air of the whole world as it went, without any control."""
        if self.kept is not None:
            return read_course(self.kept, self.network)
        return _run(self, self.weather, None, None)

    @cached_property
    def reports(self) -> Reports:
        """All that the stations ever report."""
        return observe(self.course.truth, self.settings.stations, stream(self.settings, FAULTS))

    @cached_property
    def emission(self) -> Emission:
        """What all true sources emit from ``first`` to ``last``."""
        return self.emission_over(pd.date_range(self.first, self.last, freq="h"))

    def emission_over(self, times: pd.DatetimeIndex) -> Emission:
        """What all true sources emit in the hours that end at ``times``."""
        return make_emission(times, self.grid, self.region, self.enterprises, self.settings)

    def weather_between(self, first: pd.Timestamp, last: pd.Timestamp) -> Weather:
        """True weather from ``first`` to ``last``, which may lie beyond the world's end."""
        if "weather" in self.__dict__ and self.first <= first and last <= self.last:
            return self.weather.between(first, last)
        return make_weather(first, last, self.grid, self.weather_settings, self.settings.seed)

    def forecast(self, reference: pd.Timestamp) -> Weather:
        """The weather as forecast from ``reference`` (Beijing time) on."""
        return make_forecast(reference, self.grid, self.weather_settings, self.settings.seed)


def stream(settings: DrillSettings, part: int) -> np.random.Generator:
    """The random numbers of one part of the world."""
    return np.random.default_rng([settings.seed, part])


def make_world(settings: DrillSettings, kept: Path | None = None) -> World:
    """The world of the settings; the same settings make the same world. Quick: air and weather come later.

    ``kept``: the folder where ``keep_course`` has put the truth of this very world, if it has.
    """
    region = load_region()
    weather, air = load_weather_settings(), load_air()
    forecast = weather.forecast.model_copy(update={"growth": settings.forecast_error})
    truth = make_enterprises(settings.enterprises, region, stream(settings, ENTERPRISES))
    official = make_official_list(
        truth, settings.official, settings.list_error, region, stream(settings, OFFICIAL)
    )
    return World(
        settings=settings,
        weather_settings=weather.model_copy(update={"forecast": forecast}),
        air_settings=air,
        region=region,
        grid=make_grid(weather.grid, region),
        enterprises=truth,
        official=official,
        network=make_network(settings.stations, region, stream(settings, NETWORK)),
        kept=kept,
    )


def simulate(
    world: World,
    first: pd.Timestamp,
    last: pd.Timestamp,
    *,
    start: State | None = None,
    reductions: pd.DataFrame | None = None,
) -> Truth:
    """The truth at the stations in the hours after ``first`` up to ``last``, under reductions.

    ``start`` is the air to begin with, by default that of the world at the last kept midnight up to
    ``first``. ``reductions``: rows of enterprise_id, time (hour-ending) and nox, voc, pm, so2, the cut part
    (0–1) of what the enterprise would truly emit in the hour; carbon monoxide follows NOx. Without any the
    result equals the world's own truth to the last bit. Raises ``InputError`` for a span outside the world.
    """
    if not world.first <= first < last <= world.last:
        raise InputError(
            f"drill: {first} to {last} does not lie within the world ({world.first} to {world.last})"
        )
    if start is None:
        start = checkpoint(world, first)
    truth = _run(world, world.weather_between(start.time, last), start, reductions).truth
    after = np.asarray(truth.times > first)
    return replace(truth, times=truth.times[after], values={p: v[after] for p, v in truth.values.items()})


def replay(world: World, control_list: pd.DataFrame, execution: float = 1.0) -> pd.DataFrame:
    """What a control list truly changes: adcode, date, target, base, controlled (µg/m³, CO mg/m³).

    ``control_list`` has the columns of ``control_list.csv``; its measures take effect in the true world,
    on true emissions, from the start of their first to the end of their last day; these days are reported.
    ``execution`` is the share of the listed enterprises that comply, drawn once for the world. The effects
    of measures are those of ``configs/control.yaml``. A list that orders nothing gives an empty table.
    """
    reductions = carry_out(control_list, world.enterprises, load_measures(), execution, world.settings.seed)
    if reductions.empty:
        return pd.DataFrame(columns=["adcode", "date", "target", "base", "controlled"])
    first = reductions["time"].min().floor("D")
    last = min((reductions["time"].max() - pd.Timedelta(hours=1)).floor("D") + _DAY, world.last)
    controlled = simulate(world, first, last, reductions=reductions).city_days()
    base = world.course.truth.city_days().rename(columns={"value": "base"})
    both = controlled.rename(columns={"value": "controlled"}).merge(base, on=["adcode", "date", "target"])
    return both[["adcode", "date", "target", "base", "controlled"]]


def checkpoint(world: World, moment: pd.Timestamp) -> State:
    """The world's own air at the last kept midnight up to ``moment``."""
    return world.course.states[max(at for at in world.course.states if at <= moment)]


def survey(world: World, day: date) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The mobile survey of a day, second by second, and the ids of the leaking enterprises it can meet."""
    settings, rules = world.settings, world.settings.drive
    start = datetime.combine(day, datetime.min.time()) + timedelta(hours=rules.start_hour)
    wind = _wind_at(world, pd.Timestamp(start).ceil("h"))
    centre = choose_route(world.enterprises, settings.near_lon, settings.near_lat, rules, wind)
    sectors = settings.enterprises.sectors
    sources = met_sources(world.enterprises, centre, rules, sectors)
    rng = np.random.default_rng([settings.seed, DRIVE, day.toordinal()])
    track = drive(sources, centre, wind, start, rules, sectors, rng)
    return track, tuple(sources.loc[sources["leak_gs"] > 0, "enterprise_id"])


def _run(world: World, weather: Weather, start: State | None, reductions: pd.DataFrame | None) -> Course:
    """The air over all hours of ``weather``."""
    points = world.network.table
    emission = world.emission_over(weather.times).with_cuts(reductions)
    # Waiting threads of the linear algebra would take the cores from the solver's.
    with threadpool_limits(1, user_api="blas"):
        went = run(
            weather,
            emission,
            world.grid,
            world.air_settings,
            start=start,
            points=world.grid.weights_to(points["经度"], points["纬度"]),
        )
    keep = {
        time: state
        for time, state in went.states.items()
        if (time - world.first).days % world.settings.checkpoint_days == 0
    }
    truth = true_concentrations(
        went.times, np.asarray(went.point_state), POINT_SPECIES, world.network, world.settings.stations
    )
    _require_sound(world, truth)
    return Course(truth, keep)


def _require_sound(world: World, truth: Truth) -> None:
    """``InputError`` if a station breathed what no air holds: a world that has gone astray is no truth."""
    for pollutant, values in truth.values.items():
        sound = np.isfinite(values) & (values >= 0) & (values < UNHEARD_OF)
        wrong = np.flatnonzero(~sound.all(axis=1))
        if len(wrong):
            raise InputError(
                f"drill: the air of scenario {world.settings.name} goes astray: {pollutant.value} at "
                f"{truth.times[wrong[0]]:%Y-%m-%d %H:%M}; change its settings or seed"
            )


def _wind_at(world: World, time: pd.Timestamp) -> Wind:
    """Wind at the venue and an hour; at least 1.5 m/s, so that the survey can tell where air comes from."""
    lon, lat = world.settings.near_lon, world.settings.near_lat
    weights = world.grid.weights_to(np.array([lon]), np.array([lat]))[:, 0]
    now = world.weather_between(time, time)
    u, v = float(now.u10[0].ravel() @ weights), float(now.v10[0].ravel() @ weights)
    return Wind(max(float(np.hypot(u, v)), 1.5), float(np.degrees(np.arctan2(-u, -v)) % 360))
