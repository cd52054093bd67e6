"""What a number made of the air near the ground owes to every emission before it: the discrete adjoint.

The solver's own steps are transposed in reverse order: wind with the slopes that it had, mixing, chemistry by
the derivative of its own steps, and what the air's particles mean for both. Only a formula of a box without
any exchange, the share of nitrate and ammonia between gas and particles, is differentiated by differences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.clock import day_of_label
from yrd_airq.drill.air_settings import AirSettings
from yrd_airq.drill.chemistry import react_back
from yrd_airq.drill.conditions import Hour, release
from yrd_airq.drill.grid import Grid
from yrd_airq.drill.layers import AIR_M, LAYERS
from yrd_airq.drill.mechanism import STATES
from yrd_airq.drill.particles import bulk_mass, fine_mass, gas_parts, nitrate
from yrd_airq.drill.solver import HALF_HOUR_S, SAMPLES, Emission, Half, Solver
from yrd_airq.drill.state import CARRIED, EMITTED, INDEX, State, ugm3_per_ppb
from yrd_airq.drill.transport_step import carry_back
from yrd_airq.drill.vertical import mix_back
from yrd_airq.drill.weather import Weather
from yrd_airq.errors import InputError

Array = NDArray[np.floating[Any]]

FINE = "pm25"
"""Name of PM2.5 as what a metric is of; the others are species held in ppb, taken in µg/m³."""

_FINE_PARTS = ("so4", "tno3", "nhx")


@dataclass(frozen=True)
class Metric:
    """A weighted sum of hourly means near the ground, µg/m³: ``weight`` (hour, cell) of ``what``.

    The hours are those of the run that it belongs to. ``what``: a species, or ``FINE``.
    """

    what: str
    weight: NDArray[np.float32]


def mean_metric(what: str, times: pd.DatetimeIndex, days: pd.DatetimeIndex, points: Array) -> Metric:
    """Mean over ``days`` and points of the daily mean; ``points``: weights (cell, point)."""
    inside = np.isin(day_of_label(times), days)
    weight = np.outer(inside / inside.sum(), points.mean(axis=1))
    return Metric(what, weight.astype(np.float32))


def mda8_metric(times: pd.DatetimeIndex, days: pd.DatetimeIndex, hourly: Array, points: Array) -> Metric:
    """Mean over ``days`` and points of the largest 8-h mean of ozone within the day.

    ``hourly`` (time, point) tells which eight hours; they are held. ``points``: weights (cell, point).
    """
    label = day_of_label(times)
    weight = np.zeros((len(times), points.shape[0]))
    for day in days:
        rows = np.flatnonzero(label == day)
        if len(rows) != 24:
            raise InputError(f"drill: {day:%Y-%m-%d} is not whole in the run")
        total = np.cumsum(np.vstack([np.zeros(hourly.shape[1]), hourly[rows]]), axis=0)
        begin = np.argmax(total[8:] - total[:-8], axis=0)
        chosen = (np.arange(24)[:, None] >= begin) & (np.arange(24)[:, None] < begin + 8)
        weight[rows] += chosen @ points.T / (8 * len(days) * points.shape[1])
    return Metric("o3", weight.astype(np.float32))


def gradient(
    weather: Weather,
    emission: Emission,
    grid: Grid,
    settings: AirSettings,
    metric: Metric,
    start: State,
    *,
    first: int = 0,
    last: int | None = None,
) -> NDArray[np.float32]:
    """What the metric gains by a unit of emission, (hour, EMITTED, layer, ny, nx), µg/m³ per µg m⁻² h⁻¹.

    For the run from ``start`` at ``weather.times[first]`` to ``[last]``, whose hours the metric weighs.
    The air is computed forwards once for the states at the ends of days and a second time day by day.
    """
    last = len(weather.times) - 1 if last is None else last
    if start.time != weather.times[first] or len(metric.weight) != last - first:
        raise InputError(f"drill: the metric or the air of {start.time} does not fit the hours of the run")
    solver = Solver(weather, emission, grid, settings)
    back = _Backwards(solver, metric, first)
    days = list(range(first, last, 24))
    values, kept = start.values.copy(), []
    for begin in days:
        kept.append(values.copy())
        if begin != days[-1]:
            for k in range(begin + 1, begin + 25):
                solver.hour(values, k)
    out = np.zeros((last - first, len(EMITTED), LAYERS, *grid.shape), dtype=np.float32)
    to_state = np.zeros_like(start.values)
    for begin, values in zip(reversed(days), reversed(kept), strict=True):
        hours = range(begin + 1, min(begin + 24, last) + 1)
        states = []
        for k in hours:
            states.append(values.copy())
            solver.hour(values, k)
        for k, before in zip(reversed(hours), reversed(states), strict=True):
            out[k - first - 1] = back.hour(to_state, before, k)
    return out


@dataclass(frozen=True)
class _Done:
    """A half hour as it went: the air before it, before its chemistry and after it, and what acted."""

    acting: Half
    before: Array
    moved: Array
    after: Array


class _Backwards:
    """The hours of a solver in reverse."""

    def __init__(self, solver: Solver, metric: Metric, first: int) -> None:
        self._solver, self._metric, self._first = solver, metric, first
        per_second = (1 / (3600 * AIR_M)).astype(np.float32)
        self._release = [
            (INDEX[name], row, factor * per_second) for name, row, factor in release(solver.settings)
        ]

    def hour(self, to_state: Array, values: Array, k: int) -> Array:
        """Turn sensitivities to the air at time ``k`` into those to the air an hour before, in place.

        ``values``: the air an hour before. Returns what the metric gains by emission in the hour.
        """
        solver = self._solver
        hour = solver.conditions.hour(k)
        thermal, source = solver.thermal(hour), solver.source(hour, k)
        weight = self._metric.weight[k - self._first - 1].reshape(solver.grid.shape)
        course: list[_Done] = []
        for half in (0, 1):
            now = values.copy() if not course else course[0].after.copy()
            acting, before = solver.half(now, hour, half), now.copy()
            solver.move(now, acting)
            moved = now.copy()
            solver.react(now, acting, thermal, source)
            solver.rest(now, acting)
            course.append(_Done(acting, before, moved, now))
        to_source = np.zeros_like(source)
        self._observe(to_state, course[1].after, hour, SAMPLES[2] * weight)
        for done, share in zip(reversed(course), SAMPLES[1::-1], strict=True):
            self._half(to_state, to_source, done, hour, thermal, source)
            self._observe(to_state, done.before, hour, share * weight)
        return self._to_emission(to_source)

    def _half(
        self, to_state: Array, to_source: Array, done: _Done, hour: Hour, thermal: Array, source: Array
    ) -> None:
        """Take sensitivities back over half an hour, in place."""
        solver, acting, plan = self._solver, done.acting, self._solver.mechanism.plan
        carried, kinds = to_state[: len(CARRIED)], len(CARRIED)
        boxes = thermal.shape[1]
        to_ground = np.zeros_like(acting.column.ground)
        to_driven = np.zeros((len(plan.driven), boxes), dtype=np.float32)
        mix_back(carried, to_ground, done.after[:kinds, 0], solver.calm(acting), HALF_HOUR_S / 2)
        react_back(
            plan,
            thermal,
            acting.drivers.reshape(-1, boxes),
            source,
            done.moved.reshape(-1, boxes),
            to_state.reshape(-1, boxes),
            to_source,
            to_driven,
            HALF_HOUR_S,
        )
        mix_back(carried, to_ground, done.moved[:kinds, 0], acting.column, HALF_HOUR_S / 2)
        carry_back(done.before[:kinds], carried, acting.fluxes, acting.edges)
        self._drive_back(to_state, to_driven, done.before, hour, thermal)
        self._settle_back(to_state, to_ground, done.before, hour)

    def _drive_back(
        self, to_state: Array, to_driven: Array, values: Array, hour: Hour, thermal: Array
    ) -> None:
        """Add what the particles before half an hour meant for the drivers."""
        plan = self._solver.mechanism.plan
        (uptake, haze), full = self._solver.drive(hour)
        to_mass = np.zeros(values.shape[1:], dtype=np.float32)
        for place, r in enumerate(plan.driven):
            is_haze = STATES[int(plan.driver[r])] == "wet_haze"
            per_mass = haze * (bulk_mass(values) < full) if is_haze else uptake
            to_mass += (to_driven[place] * thermal[r]).reshape(to_mass.shape) * per_mass
        _mass_back(to_state, values, to_mass, bulk_mass)

    def _settle_back(self, to_state: Array, to_ground: Array, values: Array, hour: Hour) -> None:
        """Add what the shares of gas before half an hour meant for deposition."""
        ground, product = hour.ground, hour.product.astype(np.float64)
        to_acid = to_ground[INDEX["tno3"]] * (ground["hno3"] - ground["fine"])
        to_base = to_ground[INDEX["nhx"]] * (ground["nh3"] - ground["fine"])
        for name, (acid, base) in _differences(lambda low: gas_parts(low, product), values[:, 0]):
            to_state[INDEX[name], 0] += to_acid * acid + to_base * base

    def _observe(self, to_state: Array, values: Array, hour: Hour, weight: Array) -> None:
        """Add what the metric takes from the air near the ground at one moment."""
        if not weight.any():
            return
        name = self._metric.what
        if name != FINE:
            to_state[INDEX[name], 0] += weight * np.float32(ugm3_per_ppb(name))
            return
        product = hour.product.astype(np.float64)
        _mass_back(to_state[:, 0], values[:, 0], weight, lambda low: fine_mass(low, nitrate(low, product)))

    def _to_emission(self, to_source: Array) -> Array:
        """From sensitivities to sources of species to those to emission (EMITTED, layer, ny, nx)."""
        shape = (LAYERS, *self._solver.grid.shape)
        out = np.zeros((len(EMITTED), *shape), dtype=np.float32)
        for species, row, factor in self._release:
            out[row] += to_source[species].reshape(shape) * factor.astype(np.float32)[:, None, None]
        return out


def _mass_back(to_state: Array, values: Array, to_mass: Array, mass: Callable[[Array], Array]) -> None:
    """Add what a sensitivity to a mass of particles means for the species that make it up."""
    to_state[INDEX["pm"]] += to_mass
    to_state[INDEX["soa"]] += to_mass
    for name, (slope,) in _differences(lambda air: (mass(air),), values):
        to_state[INDEX[name]] += to_mass * slope


def _differences(
    function: Callable[[Array], tuple[Array, ...]], values: Array
) -> Iterator[tuple[str, list[NDArray[np.float32]]]]:
    """Derivatives of functions of a box after the inorganic particles' species, by central differences."""
    for name in _FINE_PARTS:
        air = values.astype(np.float64)
        at = INDEX[name]
        step = np.minimum(1e-3 * air[at] + 1e-5, 0.5 * air[at] + 1e-12)
        air[at] += step
        high = function(air)
        air[at] -= 2 * step
        low = function(air)
        yield name, [((a - b) / (2 * step)).astype(np.float32) for a, b in zip(high, low, strict=True)]
