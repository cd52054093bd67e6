"""The weather of the drill's world: hourly fields on the grid from the large scale down to the ground."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.drill.boundary_layer import layer_winds, mixing_height
from yrd_airq.drill.grid import KM_PER_DEGREE, Grid
from yrd_airq.drill.layers import LAYERS
from yrd_airq.drill.resample import hourly, regrid
from yrd_airq.drill.surface import (
    Clock,
    air_temperature,
    clear_sky,
    cloud_and_rain,
    dew_point,
    ground_climate,
    pressure,
    temperature,
    through_cloud,
    wetness,
)
from yrd_airq.drill.synoptic import (
    PA_PER_PSI,
    STEP_HOURS,
    Synoptic,
    make_synoptic,
    steps_before,
    stream_function,
)
from yrd_airq.drill.systems import Systems, add_up, draw_systems, hours_of
from yrd_airq.drill.weather_settings import WeatherSettings

Floats = NDArray[np.float32]

FIELDS = ("u10", "v10", "t2m", "d2m", "sp", "blh", "tp", "ssrd", "tcc")
"""Names of the fields at the surface, which are the short names of ERA5 single levels."""

_BLOCK_DAYS = 10
_HOUR = pd.Timedelta(hours=1)
_PRESSURE, _CLOUD = 1, 2


@dataclass(frozen=True)
class Weather:
    """Hourly weather; fields (time, lat, lon), ``u, v`` (time, layer, lat, lon), all float32.

    ``times`` are naive Beijing; ``u10, v10`` m/s, ``t2m, d2m`` K, ``sp`` Pa, ``blh`` m and ``tcc`` 0–1
    hold at that time; ``tp`` (m) and ``ssrd`` (J/m²) are sums over the hour that ends there; ``u, v``
    (m/s) hold at that time at the centres of the layers. A forecast has no layers.
    """

    times: pd.DatetimeIndex
    u10: Floats
    v10: Floats
    t2m: Floats
    d2m: Floats
    sp: Floats
    blh: Floats
    tp: Floats
    ssrd: Floats
    tcc: Floats
    u: Floats
    v: Floats

    def between(self, first: pd.Timestamp, last: pd.Timestamp) -> Weather:
        """The part from ``first`` to ``last``, both included (views, no copies)."""
        low, high = self.times.searchsorted(first), self.times.searchsorted(last, side="right")
        return Weather(self.times[low:high], *(getattr(self, name)[low:high] for name in (*FIELDS, "u", "v")))


@dataclass(frozen=True)
class Catalogue:
    """The systems that make a stretch of weather; ``reference`` is the hour at which a forecast starts."""

    pressure: Systems
    cloud: Systems
    reference: float = np.inf


def make_weather(
    first: pd.Timestamp, last: pd.Timestamp, grid: Grid, settings: WeatherSettings, seed: int
) -> Weather:
    """True weather at every hour from ``first`` to ``last``; the same day is the same whatever the span."""
    times = pd.date_range(first, last, freq="h")
    return weather_of(draw_catalogue(times, settings, seed), times, grid, settings, layers=True)


def draw_catalogue(times: pd.DatetimeIndex, settings: WeatherSettings, *seed: int) -> Catalogue:
    """The systems that have a say between the first and the last of ``times``."""
    hours = hours_of(times[[0, -1]])
    early, late = hours[0] - settings.air_mass.hours - 48, hours[1] + 48
    return Catalogue(
        draw_systems(settings.pressure_families, settings.activity, early, late, *seed, _PRESSURE),
        draw_systems(settings.cloud_families, settings.activity, early, late, *seed, _CLOUD),
    )


def weather_of(
    catalogue: Catalogue, times: pd.DatetimeIndex, grid: Grid, settings: WeatherSettings, *, layers: bool
) -> Weather:
    """The weather that a catalogue makes at ``times`` of a step that divides the day, by blocks of days."""
    out = {name: np.empty((len(times), *grid.shape), dtype=np.float32) for name in FIELDS}
    levels = (len(times), LAYERS if layers else 0, *grid.shape)
    out |= {name: np.empty(levels, dtype=np.float32) for name in ("u", "v")}
    step = int((times[1] - times[0]) / _HOUR) if len(times) > 1 else 1
    days = pd.date_range(times[0].floor("D"), times[-1].floor("D"), freq="D")
    offset = (times[0] - days[0]) % (step * _HOUR)
    for start in range(0, len(days), _BLOCK_DAYS):
        first, last = days[start], days[min(start + _BLOCK_DAYS, len(days)) - 1] + 24 * _HOUR
        block = pd.date_range(first + offset, last, freq=step * _HOUR, inclusive="left")
        fields = _block(catalogue, block, step, grid, settings)
        wanted = np.asarray((times >= block[0]) & (times <= block[-1]))
        kept = np.asarray((block >= times[0]) & (block <= times[-1]))
        for name, values in out.items():
            if values.size:
                values[_run(wanted)] = fields[name][_run(kept)]
    return Weather(times, **out)


def _run(mask: NDArray[np.bool_]) -> slice:
    """The one run of true places of a mask, as a slice, which copies nothing."""
    return slice(int(mask.argmax()), int(mask.argmax() + mask.sum()))


def _block(
    catalogue: Catalogue, times: pd.DatetimeIndex, step_hours: int, grid: Grid, settings: WeatherSettings
) -> dict[str, Floats]:
    """All fields at the steps of whole days."""
    hours = hours_of(times)
    clock = Clock(hours, grid)
    large = _large_scale(catalogue, hours, grid, settings)
    low, high, msl = _geostrophic(large, hours, grid)
    warmth, dryness, lift = (
        hourly(regrid(field, large.lon, large.lat, grid.lon, grid.lat), large.hours, hours)
        for field in (large.warmth, large.dryness, large.lift)
    )
    noise, _ = add_up(catalogue.cloud, hours, grid.lon, grid.lat, catalogue.reference)
    wet = wetness(clock, lift, noise, settings.lift)
    cover, rain = cloud_and_rain(clock, wet, warmth - dryness, settings.surface)
    ground, sea, season_dryness = ground_climate(clock, settings.climate)
    season = sea + grid.land.astype(np.float32) * (ground - sea)
    air = air_temperature(clock, warmth, season, settings.surface)
    t2m = temperature(clock, air, cover, rain, settings.surface)
    d2m = dew_point(clock, air, dryness, season_dryness, t2m, wet, rain, settings.surface)
    sun = through_cloud(clear_sky(clock.sine_of_sun(0.5)), cover)
    heating = through_cloud(clear_sky(clock.sine_of_sun(0.5 * step_hours)), cover)
    height = mixing_height(clock, step_hours, heating, low, lift, cover, sea - warmth, settings.layers)
    u10, v10, u, v = layer_winds(clock, low, high, height, cover, ground - sea, settings.layers)
    return {
        "u10": u10,
        "v10": v10,
        "t2m": t2m,
        "d2m": d2m,
        "sp": pressure(clock, msl, settings.climate),
        "blh": height,
        "tp": np.float32(0.001) * rain,
        "ssrd": 3600 * sun,
        "tcc": cover,
        "u": u,
        "v": v,
    }


def _large_scale(
    catalogue: Catalogue, hours: NDArray[np.float64], grid: Grid, settings: WeatherSettings
) -> Synoptic:
    start = STEP_HOURS * (np.floor(hours[0] / STEP_HOURS) - 1 - steps_before(settings))
    end = STEP_HOURS * (np.ceil(hours[-1] / STEP_HOURS) + 1)
    steps = np.arange(start, end + STEP_HOURS / 2, STEP_HOURS)
    return make_synoptic(catalogue.pressure, steps, grid, settings, catalogue.reference)


def _geostrophic(
    large: Synoptic, hours: NDArray[np.float64], grid: Grid
) -> tuple[NDArray[np.complex64], NDArray[np.complex64], Floats]:
    """Geostrophic wind near the ground and at the top (u + i v), and the anomaly of sea-level pressure (Pa).

    Centred differences on the grid itself, so that the same differences of the wind leave no divergence.
    """
    step = grid.step
    lon = np.concatenate([[grid.lon[0] - step], grid.lon, [grid.lon[-1] + step]])
    lat = np.concatenate([[grid.lat[0] - step], grid.lat, [grid.lat[-1] + step]])
    metre = np.float32(2000 * KM_PER_DEGREE * step)
    east = metre * np.cos(np.radians(grid.lat)).astype(np.float32)[None, :, None]
    winds = []
    for coarse in stream_function(large, lon, lat):
        psi = hourly(coarse, large.hours, hours)
        u = (psi[:, :-2, 1:-1] - psi[:, 2:, 1:-1]) / metre
        v = (psi[:, 1:-1, 2:] - psi[:, 1:-1, :-2]) / east
        winds.append(np.asarray(u + np.complex64(1j) * v, dtype=np.complex64))
        if len(winds) == 1:
            msl = np.asarray(PA_PER_PSI * psi[:, 1:-1, 1:-1], dtype=np.float32)
    return winds[0], winds[1], msl
