"""The large scale on coarse grids: stream function, air masses that carry their origin's climate, and lift.

Systems of pressure make the stream function (geostrophic, so that wind and pressure agree); the air at
a place has the temperature and moisture of where it came from, which forms fronts where winds bring
air of different origin together; cloud and rain follow from lift and moisture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
from numpy.typing import NDArray

from yrd_airq.drill.grid import KM_PER_DEGREE, Grid, coast_lon
from yrd_airq.drill.resample import regrid
from yrd_airq.drill.systems import Systems, add_up, plane
from yrd_airq.drill.weather_settings import ClimateSettings, LiftSettings, WeatherSettings, Zonal

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

CORIOLIS = 2 * 7.2921e-5 * np.sin(np.radians(31.0))
"""Coriolis parameter (1/s) of the region's middle; its change with latitude is left out."""

PA_PER_PSI = 1.2 * CORIOLIS
"""Pressure (Pa) over stream function (m²/s) of geostrophic wind near the ground."""

STEP_HOURS = 3
STEERING_M, TOP_M = 1000.0, 3000.0
KELVIN_PER_THICKNESS = CORIOLIS * 280.0 / (9.81 * TOP_M)
"""Mean temperature of the air below TOP_M (K) over the difference of stream functions (hydrostatic)."""

_WIDE_LON, _WIDE_LAT = np.arange(84.0, 142.0), np.arange(14.0, 55.0)
_HALF = 0.5
_MARGIN = 1.5
# Degrees over which the moist air of the sea gives way to the dry air inland.
_DRY_WIDTH = 3.0


@dataclass(frozen=True)
class Synoptic:
    """Large scale at ``hours`` (every STEP_HOURS): ``low`` and ``high`` stream function near the ground and
    at TOP_M (m²/s) over the wide grid; temperature ``warmth`` (°C, at sea level) and dew-point depression
    ``dryness`` (K) of the air mass and ``lift`` (no unit) over the grid ``lon, lat`` of half a degree.
    """

    hours: Array
    low: Floats
    high: Floats
    lon: Array
    lat: Array
    warmth: Floats
    dryness: Floats
    lift: Floats


def steps_before(settings: WeatherSettings) -> int:
    """Steps of wind that the air masses need before the first hour."""
    return round(settings.air_mass.hours / STEP_HOURS)


def make_synoptic(
    systems: Systems, hours: Array, grid: Grid, settings: WeatherSettings, reference: float = np.inf
) -> Synoptic:
    """The large scale at ``hours``, of which the first ``steps_before`` only serve the air masses."""
    low, high = add_up(systems, hours, _WIDE_LON, _WIDE_LAT, reference)
    low *= np.float32(100 / PA_PER_PSI)
    high *= np.float32(100 / PA_PER_PSI)
    thickness = high - low
    _add_mean_flow(low, high, hours, settings.climate)
    part = STEERING_M / TOP_M
    east, north = _wind((1 - part) * low + part * high)
    lon = np.arange(grid.lon[0] - _MARGIN, grid.lon[-1] + _MARGIN + _HALF / 2, _HALF)
    lat = np.arange(grid.lat[0] - _MARGIN, grid.lat[-1] + _MARGIN + _HALF / 2, _HALF)
    back = steps_before(settings)
    warmth, dryness = _air_masses(east, north, hours, lon, lat, back, settings)
    keep = slice(back, None)
    core = settings.air_mass.core * KELVIN_PER_THICKNESS * thickness[keep]
    warmth += regrid(core.astype(np.float32), _WIDE_LON, _WIDE_LAT, lon, lat)
    u, v, vorticity = (
        regrid(field, _WIDE_LON, _WIDE_LAT, lon, lat)
        for field in (east[keep], north[keep], _vorticity(low[keep]))
    )
    lift = _lift(u, v, vorticity, warmth, dryness, lon, lat, settings.lift)
    return Synoptic(hours[keep], low[keep], high[keep], lon, lat, warmth, dryness, lift)


def stream_function(synoptic: Synoptic, lon: Array, lat: Array) -> tuple[Floats, Floats]:
    """Stream function near the ground and at TOP_M over other axes within the wide grid, m²/s."""
    return (
        regrid(synoptic.low, _WIDE_LON, _WIDE_LAT, lon, lat),
        regrid(synoptic.high, _WIDE_LON, _WIDE_LAT, lon, lat),
    )


def day_of_year(hours: Array) -> Array:
    """Day of the year with its fraction of hours since the epoch of the systems, years of 365.25 days."""
    return (hours / 24) % 365.25 + 1


def _add_mean_flow(low: Floats, high: Floats, hours: Array, climate: ClimateSettings) -> None:
    """Add the season's mean wind in place."""
    x, y = (1000 * axis for axis in plane(_WIDE_LON, _WIDE_LAT))
    day = day_of_year(hours)
    for psi, east, north in ((low, climate.wind_u, climate.wind_v), (high, climate.upper_u, climate.upper_v)):
        u, v = (wind.on(day)[:, None, None] for wind in (east, north))
        psi[...] += (v * x[None, None, :] - u * y[None, :, None]).astype(np.float32)


def _wind(psi: Floats) -> tuple[Floats, Floats]:
    """Geostrophic wind of a stream function over the wide grid, m/s."""
    metre = np.float32(1000 * KM_PER_DEGREE)
    east = np.cos(np.radians(_WIDE_LAT)).astype(np.float32)[None, :, None]
    return -np.gradient(psi, metre, axis=1), np.gradient(psi, metre, axis=2) / east


def _vorticity(psi: Floats) -> Floats:
    u, v = _wind(psi)
    metre = np.float32(1000 * KM_PER_DEGREE)
    east = np.cos(np.radians(_WIDE_LAT)).astype(np.float32)[None, :, None]
    return np.gradient(v, metre, axis=2) / east - np.gradient(u, metre, axis=1)


def climate_of(
    land: Zonal, sea: Zonal | float, share: Array, lat: Array, latitudes: tuple[float, ...]
) -> Array:
    """Mean, cosine and sine of the year of a quantity, (3, lat, lon), by the ``share`` of land."""

    def parts(zonal: Zonal) -> Array:
        mean, swing = (np.interp(lat, latitudes, values) for values in (zonal.mean, zonal.swing))
        phase = 2 * np.pi * zonal.peak_day / 365.25
        return np.stack([mean, swing * np.cos(phase), swing * np.sin(phase)])[:, :, None]

    over_sea = np.array([sea, 0.0, 0.0])[:, None, None] if isinstance(sea, float) else parts(sea)
    return share * parts(land) + (1 - share) * over_sea


def _air_masses(
    east: Floats, north: Floats, hours: Array, lon: Array, lat: Array, back: int, settings: WeatherSettings
) -> tuple[Floats, Floats]:
    """Temperature (°C) and dew-point depression (K) of the air by the last ``back`` steps of its way."""
    climate, rules = settings.climate, settings.air_mass
    inland = coast_lon(_WIDE_LAT)[:, None] - _WIDE_LON[None, :]
    share, dry_share = (1 / (1 + np.exp(-inland / width)) for width in (0.5, _DRY_WIDTH))
    warmth = climate_of(climate.land_c, climate.sea_c, share, _WIDE_LAT, climate.latitudes)
    depression = climate_of(
        climate.land_depression_k, climate.sea_depression_k, dry_share, _WIDE_LAT, climate.latitudes
    )
    year = 2 * np.pi * day_of_year(hours) / 365.25
    # Degrees of longitude and latitude that the wind goes in one step.
    per_step = 3.6 * STEP_HOURS / KM_PER_DEGREE
    x_step = (per_step / np.cos(np.radians(_WIDE_LAT)))[None, :, None] * east
    ages = STEP_HOURS * np.arange(back + 1)
    weights = np.stack([np.exp(-ages / rules.memory_hours), np.exp(-ages / rules.dry_memory_hours)])
    waves = np.stack([np.ones(len(hours)), np.cos(year), np.sin(year)])
    return _carry_climate(
        x_step.astype(np.float32),
        np.float32(per_step) * north,
        lon - _WIDE_LON[0],
        lat - _WIDE_LAT[0],
        _season_of(warmth, waves),
        _season_of(depression, waves),
        (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32),
    )


def _season_of(parts: Array, waves: Array) -> Floats:
    """Mean, cosine and sine of the year (3, lat, lon) put together at times, (time, lat, lon)."""
    fields = [wave[:, None, None] * part for wave, part in zip(waves, parts, strict=True)]
    return np.asarray(fields[0] + fields[1] + fields[2], dtype=np.float32)


@numba.njit(cache=True, error_model="numpy")
def _carry_climate(x_step, y_step, x0, y0, warm, moist, weights):  # type: ignore[no-untyped-def]
    """Weighted means of two climates (time, lat, lon) along the way back; places and winds in grid steps."""
    back = weights.shape[1] - 1
    count = x_step.shape[0] - back
    ny, nx = x_step.shape[1:]
    means = np.empty((2, count, len(y0), len(x0)), dtype=np.float32)
    one, nought = np.float32(1), np.float32(0)
    right, top = np.float32(nx - 1.001), np.float32(ny - 1.001)
    for t in range(count):
        for j0 in range(len(y0)):
            for i0 in range(len(x0)):
                x, y = np.float32(x0[i0]), np.float32(y0[j0])
                first, second = nought, nought
                for k in range(back + 1):
                    at = t + back - k
                    w, m, e, n = warm[at], moist[at], x_step[at], y_step[at]
                    i, j = int(x), int(y)
                    fx, fy = x - np.float32(i), y - np.float32(j)
                    a, b, c, d = (one - fx) * (one - fy), fx * (one - fy), (one - fx) * fy, fx * fy
                    first += weights[0, k] * _between(w, i, j, a, b, c, d)
                    second += weights[1, k] * _between(m, i, j, a, b, c, d)
                    x -= _between(e, i, j, a, b, c, d)
                    y -= _between(n, i, j, a, b, c, d)
                    x, y = min(max(x, nought), right), min(max(y, nought), top)
                means[0, t, j0, i0] = first
                means[1, t, j0, i0] = second
    return means[0], means[1]


@numba.njit(cache=True, error_model="numpy")
def _between(field, i, j, a, b, c, d):  # type: ignore[no-untyped-def]
    return a * field[j, i] + b * field[j, i + 1] + c * field[j + 1, i] + d * field[j + 1, i + 1]


def _lift(
    u: Floats,
    v: Floats,
    vorticity: Floats,
    warmth: Floats,
    dryness: Floats,
    lon: Array,
    lat: Array,
    rules: LiftSettings,
) -> Floats:
    """Tendency to cloud and rain: cyclonic flow, warm air rising over cold, fronts, and moist air."""
    km = np.float32(_HALF * KM_PER_DEGREE)
    east = np.cos(np.radians(lat)).astype(np.float32)[None, :, None]
    warmer_east, warmer_north = np.gradient(warmth, km, axis=2) / east, np.gradient(warmth, km, axis=1)
    advection = -3.6 * STEP_HOURS * (u * warmer_east + v * warmer_north)
    front = np.maximum(100 * np.hypot(warmer_east, warmer_north) - rules.front_from, 0)
    humid = relative_humidity(warmth, warmth - dryness)
    return np.asarray(
        rules.vorticity * 1e5 * vorticity
        + rules.advection * advection
        + rules.front * front
        + rules.humidity * (10 * humid - 7),
        dtype=np.float32,
    )


def relative_humidity(warmth: Floats, dew: Floats) -> Floats:
    """Relative humidity (0–1) of temperature and dew point in °C (Magnus formula, WMO-No. 8, annex 4.B)."""
    return np.exp(17.62 * dew / (243.12 + dew) - 17.62 * warmth / (243.12 + warmth))
