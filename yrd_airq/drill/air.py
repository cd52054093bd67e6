"""The drill's air: eight species in a mixed layer and a residual layer above it, carried and changed hourly.

A coarse Eulerian world: winds carry the air across grid cells (first-order upwind), the growing mixed
layer takes in what lay above it, sunlight and warmth make ozone from VOC and NOx, rain washes out.
The chemistry is a sketch with the right signs: ozone production rises with VOC, rises with NOx where
NOx is scarce and falls where it is plenty; fresh NO takes up ozone at night.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.drill.emission import Emission
from yrd_airq.drill.grid import Grid
from yrd_airq.drill.settings import AirSettings
from yrd_airq.drill.weather import FIELDS, Weather

# Single precision within the integration: the world need not be exact, and is faster.
Array = NDArray[np.floating[Any]]

STATE = ("nox", "voc", "so2", "co", "pm", "dust", "sec", "ox")
"""Species of the air: NOx, VOC, Ox (= O₃ + NO₂) in ppb, the others in µg/m³; ``sec`` is secondary fine PM."""

NOX, VOC, SO2, CO, PM, DUST, SEC, OX = range(8)

# µg/m³ per ppb at 298.15 K and 1013.25 hPa (molar mass / 24.45); VOC with a mean molar mass of 72 g/mol.
UGM3_PER_PPB = {"no2": 46.01 / 24.45, "o3": 48.0 / 24.45, "voc": 72.0 / 24.45}
_SUBSTEPS = 2
# Air that flows in at the edges and lies above: clean continental background, units of STATE.
_BACKGROUND = np.array([0.8, 3.0, 2.5, 300.0, 3.5, 16.0, 8.0, 50.0], dtype=np.float32)
# Deposition velocity, m/s, units of STATE.
_DEPOSITION = np.array([0.001, 0.0, 0.003, 0.0, 0.001, 0.006, 0.001, 0.004], dtype=np.float32)
# Part of the wash-out rate that applies to each species: soluble gases and particles.
_SOLUBLE = np.array([0.15, 0.05, 0.7, 0.0, 1.0, 1.3, 1.0, 0.0], dtype=np.float32)


@dataclass(frozen=True)
class PointAir:
    """Air at points near the ground: ``state`` (time, species of STATE, point), labels hour-ending Beijing.

    ``photolysis_ppb`` (time, point) is the ratio of NO₂ photolysis to the NO + O₃ reaction.
    """

    times: pd.DatetimeIndex
    state: Array
    photolysis_ppb: Array


def run_air(
    weather: Weather, emission: Emission, grid: Grid, settings: AirSettings, points: NDArray[np.float64]
) -> PointAir:
    """Integrate the air over the weather's hours, sampled at points (weights ``points``, cell by point)."""
    weights = points.astype(np.float32)
    state = np.empty((len(weather.times) - 1, len(STATE), points.shape[1]), dtype=np.float32)
    sun = np.empty((len(weather.times) - 1, points.shape[1]), dtype=np.float32)
    for k, (mixed, shine) in enumerate(_hours(weather, emission, grid, settings)):
        state[k] = mixed.reshape(len(STATE), -1) @ weights
        sun[k] = shine.ravel() @ weights
    return PointAir(weather.times[1:], state, photolysis_ratio(sun))


def photolysis_ratio(sun: Array) -> Array:
    """Photolysis of NO₂ over the NO + O₃ rate constant, ppb, for radiation in W/m²: some 20 ppb at noon."""
    return 0.05 + 20.0 * np.clip(sun / 850, 0, None) ** 0.8


def no2_of(nox: Array, ox: Array, ratio: Array) -> Array:
    """NO₂ (ppb) in photostationary balance: NO·O₃ = ratio·NO₂, with NO = NOx − NO₂ and O₃ = Ox − NO₂."""
    half = 0.5 * (nox + ox + ratio)
    return half - np.sqrt(np.maximum(half**2 - nox * ox, 0))


@dataclass(frozen=True)
class _Hour:
    """Weather of one hour on the grid, (ny, nx): means over the hour, ``height`` at its end."""

    wind: tuple[Array, Array]
    sun: Array
    warmth: Array
    humidity: Array
    rain_mm: Array
    height_before: Array
    height: Array


def _hours(
    weather: Weather, emission: Emission, grid: Grid, settings: AirSettings
) -> Iterator[tuple[Array, Array]]:
    """Mean mixed-layer air of each hour (species, ny, nx) and its sun (W/m²)."""
    fields = {name: getattr(weather, name).astype(np.float32) for name in FIELDS}
    air = np.broadcast_to(_BACKGROUND[None, :, None, None], (2, len(STATE), *grid.shape)).copy()
    for k in range(1, len(weather.times)):
        hour = _hour_of(fields, k)
        label = weather.times[k]
        emitted = emission.at(label.hour, (label - pd.Timedelta(hours=1)).weekday())
        before = air[0].copy()
        _mix(air, hour.height_before, hour.height, settings.top_m)
        _emit(air[0], emitted.astype(np.float32).reshape(-1, *grid.shape), hour, grid, settings)
        _react(air, hour, settings)
        _remove(air, hour, settings)
        for _ in range(_SUBSTEPS):
            air = _carry(air, hour, grid, settings)
        yield 0.5 * (before + air[0]), hour.sun


def _hour_of(fields: dict[str, Array], k: int) -> _Hour:
    def middle(name: str) -> Array:
        return 0.5 * (fields[name][k - 1] + fields[name][k])

    warmth, dew = middle("t2m") - 273.15, middle("d2m") - 273.15
    humidity = np.exp(17.62 * dew / (243.12 + dew) - 17.62 * warmth / (243.12 + warmth))
    return _Hour(
        wind=(middle("u10"), middle("v10")),
        sun=fields["ssrd"][k] / 3600,
        warmth=warmth,
        humidity=humidity,
        rain_mm=fields["tp"][k] * 1000,
        height_before=fields["blh"][k - 1],
        height=fields["blh"][k],
    )


def _mix(air: Array, before: Array, after: Array, top: float) -> None:
    """Move air between the layers as the mixed layer grows or sinks; keeps the mass in the column."""
    before, after = np.minimum(before, top - 100), np.minimum(after, top - 100)
    grow, sink = np.maximum(after - before, 0), np.maximum(before - after, 0)
    mass, above = air[0] * before, air[1] * (top - before)
    moved = grow * air[1] - sink * air[0]
    air[0] = (mass + moved) / after
    air[1] = (above - moved) / (top - after)
    # A slow exchange with the clean air above the top.
    air[1] += 0.012 * (_BACKGROUND[:, None, None] - air[1])


def _emit(mixed: Array, emitted: Array, hour: _Hour, grid: Grid, settings: AirSettings) -> None:
    """Add an hour's emission (µg m⁻² h⁻¹) to the mixed layer, and what plants give off in sun and warmth."""
    added = emitted / hour.height
    mixed[NOX] += added[0] / UGM3_PER_PPB["no2"]
    mixed[VOC] += added[1] / UGM3_PER_PPB["voc"]
    mixed[[SO2, CO, PM, DUST]] += added[2:]
    mixed[OX] += 0.08 * added[0] / UGM3_PER_PPB["no2"]
    warm = np.exp(0.09 * (hour.warmth - 30)) * hour.sun / 850
    mixed[VOC] += settings.biogenic_ppb * warm * grid.land * 1000 / hour.height


def _react(air: Array, hour: _Hour, settings: AirSettings) -> None:
    """One hour of chemistry in both layers, in place."""
    sun = hour.sun / 850
    nox, voc, so2 = air[:, NOX], air[:, VOC], air[:, SO2]
    limited = nox / (settings.nox_half_ppb + nox + nox**2 / settings.nox_excess_ppb)
    made = settings.ox_yield * sun * np.exp(0.04 * (hour.warmth - 28)) * voc * limited
    lost_nox = nox * (1 - np.exp(-(settings.nox_loss_dark + settings.nox_loss_sun * sun)))
    lost_voc = voc * (1 - np.exp(-(settings.voc_loss_dark + settings.voc_loss_sun * sun)))
    lost_so2 = so2 * (1 - np.exp(-settings.so2_loss * (0.5 + sun + 3 * np.maximum(hour.humidity - 0.6, 0))))
    cold = 1 / (1 + np.exp((hour.warmth - 17) / 5)) + 0.15
    air[:, OX] += made
    air[:, SEC] += (
        settings.sulfate_yield * lost_so2
        + settings.nitrate_yield * cold * lost_nox * UGM3_PER_PPB["no2"]
        + settings.soa_yield * lost_voc * UGM3_PER_PPB["voc"]
    )
    air[:, NOX] -= lost_nox
    air[:, VOC] -= lost_voc
    air[:, SO2] -= lost_so2


def _remove(air: Array, hour: _Hour, settings: AirSettings) -> None:
    """Deposition on the ground and wash-out by rain, in place."""
    ground = np.exp(-3600 * _DEPOSITION[:, None, None] / hour.height)
    washed = settings.washout * hour.rain_mm**0.7
    air *= np.exp(-_SOLUBLE[:, None, None] * washed)
    air[0] *= ground


def _carry(air: Array, hour: _Hour, grid: Grid, settings: AirSettings) -> Array:
    """Upwind transport of both layers over one substep; clean air flows in at the edges."""
    width, height = grid.cell_km
    factor = np.array([settings.bl_wind_factor, settings.residual_wind_factor])[:, None, None]
    step = 3.6 / _SUBSTEPS
    cx, cy = hour.wind[0] * factor * step / width, hour.wind[1] * factor * step / height
    fast = np.maximum(1, np.abs(cx) + np.abs(cy))
    cx, cy = ((c / fast).astype(np.float32)[:, None] for c in (cx, cy))
    padded = np.empty((*air.shape[:2], air.shape[2] + 2, air.shape[3] + 2), dtype=np.float32)
    padded[...] = _BACKGROUND[None, :, None, None]
    padded[:, :, 1:-1, 1:-1] = air
    eastward, northward = np.diff(padded[:, :, 1:-1], axis=3), np.diff(padded[:, :, :, 1:-1], axis=2)
    moved = air - np.maximum(cx, 0) * eastward[..., :-1]
    moved -= np.minimum(cx, 0) * eastward[..., 1:]
    moved -= np.maximum(cy, 0) * northward[:, :, :-1]
    moved -= np.minimum(cy, 0) * northward[:, :, 1:]
    return np.asarray(moved)
