"""The drill's air, hour by hour: wind, mixing, emission and chemistry in turn, from a state to a state.

Each half hour the wind carries the air, then the columns mix for a quarter, sources and chemistry act for
the half hour, and the columns mix for the other quarter (operator splitting after Strang). The next
half hour sweeps the other direction first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.drill.air_settings import AirSettings
from yrd_airq.drill.chemistry import react, thermal_rates
from yrd_airq.drill.conditions import Conditions, Hour, sources
from yrd_airq.drill.deposition import by_species
from yrd_airq.drill.grid import Grid
from yrd_airq.drill.layers import AIR_M, LAYERS
from yrd_airq.drill.mechanism import STATES, Mechanism, make_mechanism
from yrd_airq.drill.particles import bulk_mass, fine_mass, gas_parts, nitrate
from yrd_airq.drill.state import CARRIED, INDEX, SPECIES, State, ugm3_per_ppb
from yrd_airq.drill.transport_step import Fluxes, carry, make_fluxes
from yrd_airq.drill.vertical import Column, mix
from yrd_airq.drill.weather import Weather
from yrd_airq.errors import InputError
from yrd_airq.vocab import Pollutant

Array = NDArray[np.floating[Any]]

HALF_HOUR_S = 1800.0
# Weights of the air before, in the middle and at the end of an hour in the hour's mean.
SAMPLES = (0.25, 0.5, 0.25)
_DIAGNOSED = ("pm25_ugm3",)


class Emission(Protocol):
    """What sets free: ``at(k)`` (EMITTED, layer, ny, nx) in µg m⁻² h⁻¹ in the hour that ends at the weather's
    time ``k``; ``woods`` (ny, nx), share of each cell under trees.
    """

    @property
    def woods(self) -> NDArray[np.float64]:
        """Share of each cell under trees."""

    def at(self, k: int) -> NDArray[np.float32]:
        """Emission in an hour."""


@dataclass(frozen=True)
class AirRun:
    """A stretch of the air: hourly means near the ground and states.

    ``times`` are hour-ending Beijing labels. ``point_state`` (time, POINT_SPECIES, point); ``surface``
    (time, POINT_SPECIES, ny, nx) if asked for. ``states``: the air at each midnight, first and last
    included where they are midnights; ``end``: the air at the last time.
    """

    times: pd.DatetimeIndex
    point_state: Array | None
    surface: Array | None
    states: dict[pd.Timestamp, State]
    end: State


POINT_SPECIES = (*SPECIES, *_DIAGNOSED)
"""What ``AirRun`` tells of the air near the ground: every species, and PM2.5 with its water-free nitrate."""


@dataclass(frozen=True)
class Half:
    """What acts in one half of an hour: wind, what moves between the layers, drivers of the reactions."""

    fluxes: Fluxes
    edges: Array
    column: Column
    drivers: Array


class Solver:
    """The air of one world: what its hours do to a state."""

    def __init__(self, weather: Weather, emission: Emission, grid: Grid, settings: AirSettings) -> None:
        self.grid, self.settings, self.emission = grid, settings, emission
        self.mechanism: Mechanism = make_mechanism(settings)
        self.conditions = Conditions(weather, grid, emission.woods, settings, self.mechanism)
        soluble = settings.washout.soluble.values
        self._soluble = np.array([soluble.get(name, 0.0) for name in CARRIED], dtype=np.float32)
        self._calm = np.ones((LAYERS, *grid.shape), dtype=np.float32)
        self._air = AIR_M.astype(np.float32)
        self._uptake = self.mechanism.drivers.index("n2o5_uptake")
        self._haze = self.mechanism.drivers.index("wet_haze")
        self._excited = self.mechanism.drivers.index("o1d"), list(settings.photolysis).index("o3_o1d")

    def hour(self, values: Array, k: int) -> list[Array]:
        """Take ``values`` (SPECIES, layer, ny, nx) through the hour that ends at time ``k``, in place.

        Returns the lowest layer before, in the middle and at the end (POINT_SPECIES, ny, nx).
        """
        hour = self.conditions.hour(k)
        thermal, source = self.thermal(hour), self.source(hour, k)
        samples = [self.near_ground(values, hour)]
        for half in (0, 1):
            acting = self.half(values, hour, half)
            self.move(values, acting)
            self.react(values, acting, thermal, source)
            self.rest(values, acting)
            samples.append(self.near_ground(values, hour))
        return samples

    def move(self, values: Array, acting: Half) -> None:
        """Carry and mix ``values``, in place: what comes before the chemistry in half an hour."""
        carried = values[: len(CARRIED)]
        carry(carried, acting.fluxes, acting.edges)
        mix(carried, acting.column, HALF_HOUR_S / 2)

    def react(self, values: Array, acting: Half, thermal: Array, source: Array) -> None:
        """Chemistry and sources of half an hour, in place."""
        boxes = self._calm.size
        drivers, place = acting.drivers.reshape(-1, boxes), values.reshape(-1, boxes)
        react(self.mechanism.plan, thermal, drivers, source, place, HALF_HOUR_S)

    def rest(self, values: Array, acting: Half) -> None:
        """Mix ``values``, in place: what comes after the chemistry."""
        mix(values[: len(CARRIED)], self.calm(acting), HALF_HOUR_S / 2)

    def calm(self, acting: Half) -> Column:
        """What moves between the layers when each of them holds its own air."""
        return acting.column._replace(swollen=self._calm)

    def thermal(self, hour: Hour) -> Array:
        """Thermal rate constants of an hour (reaction, box)."""
        cells = self.grid.land.size
        out = np.empty((len(self.mechanism.equations), LAYERS, cells), dtype=np.float32)
        thermal_rates(self.mechanism.thermal, hour.temperature.reshape(LAYERS, cells), out)
        return out.reshape(len(out), -1)

    def source(self, hour: Hour, k: int) -> Array:
        """What is set free in the hour that ends at time ``k``, (carried species, box) per second."""
        return sources(self.emission.at(k), hour.isoprene, self.settings).reshape(len(CARRIED), -1)

    def half(self, values: Array, hour: Hour, half: int) -> Half:
        """What acts in the first (0) or second (1) half of an hour, on ``values`` at its start."""
        wind = self.conditions.wind_at(hour, half)
        fluxes = make_fluxes(*wind, self.grid, HALF_HOUR_S, rows_first=half == 0)
        return Half(fluxes, hour.edges, self.column(values, hour, fluxes), self.drivers(values, hour, half))

    def drivers(self, values: Array, hour: Hour, half: int) -> Array:
        """Drivers of the reactions (driver, layer, ny, nx), with the particles of ``values``."""
        drivers = hour.drivers.copy()
        light = self.conditions.photolysis(hour.times[half], hour.cloud_light)
        drivers[len(STATES) :] = light[:, None]
        drivers[self._excited[0]] *= light[self._excited[1]]
        by_mass, full = self.drive(hour)
        mass = bulk_mass(values)
        drivers[self._uptake] = by_mass[0] * mass
        drivers[self._haze] = by_mass[1] * np.minimum(mass, full)
        return drivers

    def drive(self, hour: Hour) -> tuple[tuple[np.float32, Array], np.float32]:
        """What a µg/m³ of particles adds to the drivers ``FED``; the mass beyond which the second is full."""
        half_full = np.float32(50)
        return (np.float32(self.settings.n2o5_per_ugm3.value), hour.haze / half_full), 2 * half_full

    def column(self, values: Array, hour: Hour, fluxes: Fluxes) -> Column:
        """What moves between the layers in a half hour."""
        gas = gas_parts(values[:, 0], hour.product)
        last = (2 * fluxes.substeps)[:, None, None, None]
        after = np.take_along_axis(fluxes.air, last, axis=1)[:, 0]
        return Column(
            air=self._air,
            exchange=hour.exchange,
            ground=by_species(hour.ground, *gas),
            soluble=self._soluble,
            washout=hour.washout,
            aloft=hour.aloft,
            swollen=after * fluxes.part[:, 0],
        )

    def near_ground(self, values: Array, hour: Hour) -> Array:
        """The lowest layer (POINT_SPECIES, ny, nx)."""
        low = values[:, 0]
        return np.concatenate([low, fine_mass(low, nitrate(low, hour.product))[None]])

    def background(self, time: pd.Timestamp, k: int) -> State:
        """Air like that outside, to begin with."""
        edges = self.conditions.hour(k).edges.mean(axis=2)
        values = np.zeros((len(SPECIES), LAYERS, *self.grid.shape), dtype=np.float32)
        values[: len(CARRIED)] = edges[:, :, None, None]
        return State(time, values)


def run(
    weather: Weather,
    emission: Emission,
    grid: Grid,
    settings: AirSettings,
    *,
    start: State | None = None,
    first: int = 0,
    last: int | None = None,
    points: Array | None = None,
    surface: bool = False,
) -> AirRun:
    """Integrate the air from ``weather.times[first]`` to ``[last]``.

    ``start``: the air at the first time, by default like that outside the world (some days are needed
    to forget it). ``points``: weights (cell, point) of the grid's cells. A run from a state of another
    run goes on as that run did, to the last bit. ``InputError`` if ``start`` is of another time.
    """
    last = len(weather.times) - 1 if last is None else last
    if start is not None and start.time != weather.times[first]:
        raise InputError(f"drill: the air of {start.time} cannot start a run at {weather.times[first]}")
    solver = Solver(weather, emission, grid, settings)
    begin = start or solver.background(weather.times[first], first + 1)
    values = begin.values.copy()
    shape = (last - first, len(POINT_SPECIES))
    weights = None if points is None else np.ascontiguousarray(points, dtype=np.float32)
    told = None if weights is None else np.empty((*shape, weights.shape[1]), dtype=np.float32)
    fields = np.empty((*shape, *grid.shape), dtype=np.float32) if surface else None
    states: dict[pd.Timestamp, State] = {}
    _keep(states, weather.times[first], values)
    for k in range(first + 1, last + 1):
        mean = np.tensordot(np.array(SAMPLES, dtype=np.float32), solver.hour(values, k), axes=1)
        if told is not None and weights is not None:
            told[k - first - 1] = mean.reshape(shape[1], -1) @ weights
        if fields is not None:
            fields[k - first - 1] = mean
        _keep(states, weather.times[k], values)
    end = State(weather.times[last], values)
    return AirRun(weather.times[first + 1 : last + 1], told, fields, states, end)


def surface_concentrations(point_state: Array) -> dict[Pollutant, Array]:
    """The six pollutants near the ground, µg/m³ at 298.15 K and 1013.25 hPa (CO mg/m³).

    ``point_state`` has ``POINT_SPECIES`` on its second axis.
    """
    fine = point_state[:, len(SPECIES)]
    gas = {
        pollutant: point_state[:, INDEX[name]] * np.float32(ugm3_per_ppb(name))
        for pollutant, name in (
            (Pollutant.O3, "o3"),
            (Pollutant.NO2, "no2"),
            (Pollutant.SO2, "so2"),
            (Pollutant.CO, "co"),
        )
    }
    gas[Pollutant.CO] = gas[Pollutant.CO] / np.float32(1000)
    return gas | {Pollutant.PM25: fine, Pollutant.PM10: fine + point_state[:, INDEX["dust"]]}


def _keep(states: dict[pd.Timestamp, State], time: pd.Timestamp, values: Array) -> None:
    if time.hour == 0 and time.minute == 0:
        states[time] = State(time, values.copy())
