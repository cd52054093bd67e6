"""The drill's weather: travelling random waves over a seasonal mean, hourly on the grid, and its forecast.

Three sets of waves drive everything: one for pressure and wind (rotational, so that high pressure is
calm and dry), one for cloud and rain, one for temperature. The forecast sees the same waves with an
error that grows with lead time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.signal import lfilter

from yrd_airq.drill.grid import Grid
from yrd_airq.drill.settings import FlowSettings

Field = NDArray[np.float64]

_WIND, _CLOUD, _WARMTH = 0, 1, 2
_AIR_DENSITY = 1.2
_CORIOLIS = 7.5e-5
# Share of the large-scale wind that is felt at 10 m over land.
_SURFACE_WIND = 0.4


@dataclass(frozen=True)
class Weather:
    """Hourly weather; every field has shape (time, lat, lon).

    ``times`` are naive Beijing; ``u10, v10`` m/s, ``t2m, d2m`` K, ``sp`` Pa, ``blh`` m and ``tcc`` 0–1
    hold at that time; ``tp`` (m) and ``ssrd`` (J/m²) are sums over the hour that ends there.
    """

    times: pd.DatetimeIndex
    u10: Field
    v10: Field
    t2m: Field
    d2m: Field
    sp: Field
    blh: Field
    tp: Field
    ssrd: Field
    tcc: Field

    def between(self, first: pd.Timestamp, last: pd.Timestamp) -> Weather:
        """The part from ``first`` to ``last``, both included."""
        keep = np.asarray((self.times >= first) & (self.times <= last))
        fields = {name: getattr(self, name)[keep] for name in FIELDS}
        return Weather(self.times[keep], **fields)


FIELDS = ("u10", "v10", "t2m", "d2m", "sp", "blh", "tp", "ssrd", "tcc")
"""Names of the fields, which are the short names of ERA5 single levels."""


@dataclass(frozen=True)
class Waves:
    """Wave numbers ``kx, ky`` (set, mode) in 1/km and complex amplitudes (time, set, mode).

    ``high`` (time, 1, 1) is the strength of the planted high; the forecast knows of it.
    """

    times: pd.DatetimeIndex
    kx: NDArray[np.float64]
    ky: NDArray[np.float64]
    amplitude: NDArray[np.complex128]
    high: Field


def make_waves(times: pd.DatetimeIndex, settings: FlowSettings, rng: np.random.Generator) -> Waves:
    """Waves of unit variance per set over hourly ``times``."""
    shape = (3, settings.modes)
    length = rng.uniform(*settings.wavelength_km, size=shape)
    direction = rng.normal(0, np.radians(65), size=shape)
    kx, ky = 2 * np.pi / length * np.cos(direction), 2 * np.pi / length * np.sin(direction)
    speed_kmh = 3.6 * settings.speed_ms * rng.uniform(0.6, 1.4, size=shape)
    return Waves(times, kx, ky, _evolve(len(times), speed_kmh * kx, settings, rng), _high(times, settings))


def _high(times: pd.DatetimeIndex, settings: FlowSettings) -> Field:
    away = np.asarray((times - pd.Timestamp(settings.episode.centre)) / pd.Timedelta(days=1), dtype=float)
    bell = np.exp(-((2 * away / settings.episode.days) ** 2))
    return (settings.episode.strength * bell)[:, None, None]


def _evolve(
    hours: int, omega: NDArray[np.float64], settings: FlowSettings, rng: np.random.Generator
) -> NDArray[np.complex128]:
    """First-order complex autoregression: rotates with ``omega`` (1/h), forgets within the memory.

    Drawn from the last hour backwards, so that a world with a later first day has the same weather.
    """
    keep = np.exp(-1 / (24 * settings.memory_days))
    parts = rng.normal(0, np.sqrt(1 / settings.modes), size=(hours, *omega.shape, 2))
    noise = parts[..., 0] + 1j * parts[..., 1]
    noise[1:] *= np.sqrt(1 - keep**2)
    backwards = np.empty_like(noise)
    for index in np.ndindex(omega.shape):
        factor = keep * np.exp(1j * omega[index])
        backwards[(slice(None), *index)] = lfilter([1.0], [1.0, -factor], noise[(slice(None), *index)])
    return backwards[::-1]


def forecast_waves(
    truth: Waves, reference: pd.Timestamp, settings: FlowSettings, rng: np.random.Generator
) -> Waves:
    """What a forecast from ``reference`` sees of ``truth``: exact at first, later mixed with other waves."""
    lead_h = np.asarray((truth.times - reference) / pd.Timedelta(hours=1), dtype=float)
    keep = lead_h >= 0
    other = make_waves(truth.times[keep], settings, rng).amplitude
    skill = np.exp(-((lead_h[keep] / (24 * settings.forecast_skill_days)) ** 1.5))[:, None, None]
    mixed = skill * truth.amplitude[keep] + np.sqrt(1 - skill**2) * other
    return Waves(truth.times[keep], truth.kx, truth.ky, mixed, truth.high[keep])


def make_weather(waves: Waves, grid: Grid, settings: FlowSettings) -> Weather:
    """The weather that the waves, the season and the sun make on the grid."""
    times = waves.times
    psi, cloudiness, warmth = (
        _field(waves, index, grid) * (1 - 0.5 * waves.high) + offset * waves.high
        for index, offset in ((_WIND, 0.7), (_CLOUD, -0.5), (_WARMTH, 0.6))
    )
    hour, day = _local_hour(times), np.asarray(times.dayofyear, dtype=float)[:, None, None]
    wet = _wetness(psi, cloudiness, day)
    tcc = 1 / (1 + np.exp(-2.2 * (wet - 0.35)))
    sun = _sunshine(times, grid) * (1 - 0.72 * tcc**2)
    u10, v10 = _wind(waves, grid, settings, hour, day)
    t2m = _temperature(grid, psi, warmth, tcc, hour, day)
    wave_number = np.sqrt(np.mean(waves.kx[_WIND] ** 2 + waves.ky[_WIND] ** 2)) / 1000
    geostrophic = settings.wind_ms / _SURFACE_WIND
    pressure = (
        1013.5e2
        + 850 * np.cos(2 * np.pi * (day - 10) / 365)
        + (_AIR_DENSITY * _CORIOLIS * geostrophic / wave_number * psi)
    )
    depression = 1.0 + 10.5 * (1 - tcc) ** 1.3 * grid.land + 2.5 * (1 - grid.land)
    d2m = np.minimum(t2m - 0.3, _daily_smooth(t2m) - depression)
    return Weather(
        times=times,
        u10=u10,
        v10=v10,
        t2m=t2m,
        d2m=d2m,
        sp=np.broadcast_to(pressure, psi.shape),
        blh=_mixing_height(sun, np.hypot(u10, v10), grid),
        tp=0.001 * 1.3 * np.maximum(0, wet - 1.15) ** 1.4,
        ssrd=3600 * sun,
        tcc=tcc,
    )


def _field(waves: Waves, index: int, grid: Grid) -> Field:
    return np.real(_spread(waves, index, grid)).reshape(-1, *grid.shape)


def _spread(waves: Waves, index: int, grid: Grid, times_k: Field | None = None) -> NDArray[np.complex128]:
    """Sum of the waves of one set over the grid, shape (time, cell); ``times_k`` weighs the modes."""
    phase = np.outer(waves.kx[index], grid.x_km.ravel()) + np.outer(waves.ky[index], grid.y_km.ravel())
    amplitude = waves.amplitude[:, index]
    return (amplitude if times_k is None else amplitude * times_k) @ np.exp(1j * phase)


def _wind(waves: Waves, grid: Grid, settings: FlowSettings, hour: Field, day: Field) -> tuple[Field, Field]:
    """Rotational wind of the pressure waves, a seasonal mean, brisker by day over land."""
    kx, ky = waves.kx[_WIND], waves.ky[_WIND]
    rms = np.sqrt(np.mean(kx**2 + ky**2) / 2)
    u = np.imag(_spread(waves, _WIND, grid, ky / rms)).reshape(-1, *grid.shape)
    v = -np.imag(_spread(waves, _WIND, grid, kx / rms)).reshape(-1, *grid.shape)
    summer = np.cos(2 * np.pi * (day - 200) / 365)
    day_factor = 1 + grid.land * (0.22 * np.cos(2 * np.pi * (hour - 14) / 24) - 0.15)
    wind_ms = settings.wind_ms * (1 - 0.5 * waves.high)
    u10 = (wind_ms * u - 0.9 - 0.3 * summer) * day_factor
    v10 = (wind_ms * v + 1.1 * summer) * day_factor
    return u10, v10


def _wetness(psi: Field, cloudiness: Field, day: Field) -> Field:
    """Tendency to cloud and rain: low pressure, moist waves, and the plum rains (梅雨) about 25 June."""
    plum = 0.9 * np.exp(-(((day - 176) / 14) ** 2))
    high_summer = 0.45 / (1 + np.exp(-(day - 198) / 4))
    return 0.75 * cloudiness - 0.65 * psi + plum - high_summer + 0.15


def _temperature(grid: Grid, psi: Field, warmth: Field, tcc: Field, hour: Field, day: Field) -> Field:
    """2 m temperature, K: season, latitude, waves, cloud, and the day's course over land."""
    season = np.cos(2 * np.pi * (day - 205) / 365)
    mean = 290.0 + 11.5 * season - (0.55 - 0.35 * season) * (grid.lat[:, None] - 31)
    swing = (0.8 + 4.2 * grid.land) * (1 - 0.6 * tcc)
    course = np.cos(2 * np.pi * (hour - 14.5) / 24)
    return mean + 2.4 * warmth + 0.8 * psi - 1.5 * (tcc - 0.5) + swing * course


def _sunshine(times: pd.DatetimeIndex, grid: Grid) -> Field:
    """Clear-sky radiation on the ground averaged over the past hour, W/m² (Haurwitz 1945)."""
    middle = times - pd.Timedelta(minutes=30)
    declination = np.radians(-23.44) * np.cos(2 * np.pi * (np.asarray(middle.dayofyear) + 10) / 365)
    clock = np.asarray(middle.hour + middle.minute / 60, dtype=float)
    angle = np.radians(15 * (clock[:, None, None] - 12) + grid.lon[None, None, :] - 120)
    lat, delta = np.radians(grid.lat)[None, :, None], declination[:, None, None]
    height = np.sin(lat) * np.sin(delta) + np.cos(lat) * np.cos(delta) * np.cos(angle)
    clear = 1098 * height * np.exp(-0.057 / np.maximum(height, 0.01))
    return np.where(height > 0, clear, 0.0)


def _mixing_height(sun: Field, speed: Field, grid: Grid) -> Field:
    """Height of the mixed layer, m: grows with the past hours' sun over land, else with the wind."""
    heating = lfilter([0.35], [1, -0.65], sun, axis=0)
    over_land = 80 + 50 * speed + 1.6 * heating
    over_sea = 380 + 45 * speed + 0.2 * heating
    return np.clip(grid.land * over_land + (1 - grid.land) * over_sea, 60, 2200)


def _daily_smooth(values: Field) -> Field:
    """Slow part of a field (about a day's memory), so that dew point hardly follows the day's course."""
    memory = np.exp(-1 / 24)
    start = values[:24].mean(axis=0, keepdims=True) * memory
    return lfilter([1 - memory], [1, -memory], values, axis=0, zi=start)[0]


def _local_hour(times: pd.DatetimeIndex) -> Field:
    return np.asarray(times.hour, dtype=float)[:, None, None]
