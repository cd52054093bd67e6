"""What the large scale makes at the ground: cloud, rain, radiation, temperature, dew point and pressure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from yrd_airq.drill.grid import Grid
from yrd_airq.drill.synoptic import climate_of, day_of_year
from yrd_airq.drill.weather_settings import ClimateSettings, LiftSettings, Months, SurfaceSettings, monthly

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

BEIJING_HOURS = 8
KELVIN = np.float32(273.15)
_SCALE_HEIGHT_M = 8400.0


@dataclass(frozen=True)
class Clock:
    """Hours (Beijing, since the epoch of the systems) as fields that broadcast over (time, lat, lon)."""

    hours: Array
    grid: Grid

    @cached_property
    def day(self) -> Array:
        """Day of the year with its fraction, (time)."""
        return day_of_year(self.hours)

    @cached_property
    def solar_hour(self) -> Floats:
        """Local solar time, h, (time, 1, lon); the equation of time is left out."""
        hour = self.hours[:, None, None] % 24 + (self.grid.lon[None, None, :] - 15 * BEIJING_HOURS) / 15
        return hour.astype(np.float32)

    def sine_of_sun(self, earlier_hours: float = 0.0) -> Floats:
        """Sine of the sun's elevation so many hours earlier, (time, lat, lon), negative at night."""
        declination = np.radians(-23.44) * np.cos(2 * np.pi * (self.day + 9) / 365.25)
        delta = declination.astype(np.float32)[:, None, None]
        lat = np.radians(self.grid.lat).astype(np.float32)[None, :, None]
        angle = np.float32(np.pi / 12) * (self.solar_hour - np.float32(12 + earlier_hours))
        return np.sin(lat) * np.sin(delta) + np.cos(lat) * np.cos(delta) * np.cos(angle)

    def of_month(self, values: Months) -> Floats:
        """Monthly values on these hours, (time, 1, 1)."""
        return monthly(values, self.day).astype(np.float32)[:, None, None]


def clear_sky(sine: Floats) -> Floats:
    """Radiation on the ground without cloud, W/m² (Haurwitz 1945, J. Meteor. 2, 154)."""
    up = np.maximum(sine, np.float32(0.01))
    return np.where(sine > 0, 1098 * up * np.exp(-0.057 / up), np.float32(0))


def through_cloud(clear: Floats, cover: Floats) -> Floats:
    """Radiation under cloud (Kasten and Czeplak 1980, Solar Energy 24, 177)."""
    return clear * (1 - np.float32(0.75) * np.power(cover, np.float32(3.4)))


def wetness(clock: Clock, lift: Floats, noise: Floats, rules: LiftSettings) -> Floats:
    """Tendency to cloud and rain: the season's, the large scale's lift and what is smaller or slower."""
    return clock.of_month(rules.base) + lift + rules.noise * noise


def cloud_and_rain(clock: Clock, wet: Floats, dew: Floats, rules: SurfaceSettings) -> tuple[Floats, Floats]:
    """Cloud cover (0–1) and rain (mm/h) of wetness and, in moist summer air (``dew``, °C), the afternoon."""
    heat = np.maximum(np.cos(np.float32(np.pi / 12) * (clock.solar_hour - 16)), 0)
    muggy = np.clip((dew - 19) / 6, 0, 1) * clock.grid.land.astype(np.float32)
    cover = 1 / (1 + np.exp(-rules.cloud_slope * (wet + rules.cloud_from)))
    excess = np.maximum(wet + rules.convection * muggy * (heat - np.float32(0.35)) - rules.rain_from, 0)
    moisture = np.clip(np.exp(np.float32(0.055) * (dew - 14)), 0.25, 1.6)
    rain = rules.rain_mmh * moisture * excess * np.sqrt(excess)
    return np.maximum(cover, np.minimum(rain, 1)), rain


def ground_climate(clock: Clock, climate: ClimateSettings) -> tuple[Floats, Floats, Floats]:
    """The season's temperature of land at sea level and of the sea (°C), and dew-point depression (K)."""
    share = clock.grid.land
    year = 2 * np.pi * clock.day / 365.25
    waves = np.stack([np.ones_like(year), np.cos(year), np.sin(year)], axis=1).astype(np.float32)

    def of(parts: Array) -> Floats:
        p = parts.astype(np.float32)
        first, second, third = (waves[:, k, None, None] for k in range(3))
        return first * p[0] + second * p[1] + third * p[2]

    lat = clock.grid.lat
    land = climate_of(climate.land_c, climate.sea_c, np.ones_like(share), lat, climate.latitudes)
    sea = climate_of(climate.land_c, climate.sea_c, np.zeros_like(share), lat, climate.latitudes)
    depression = climate_of(
        climate.land_depression_k, climate.sea_depression_k, share, lat, climate.latitudes
    )
    return of(land), of(sea), of(depression)


def air_temperature(clock: Clock, warmth: Floats, seasonal: Floats, rules: SurfaceSettings) -> Floats:
    """Temperature of the air mass where it lies on the ground, K, without the day's course."""
    mean = seasonal + rules.anomaly * (warmth - seasonal) + clock.of_month(rules.warmth_k)
    return KELVIN + mean - np.float32(rules.lapse_k_km / 1000) * clock.grid.height.astype(np.float32)


def temperature(clock: Clock, air: Floats, cover: Floats, rain: Floats, rules: SurfaceSettings) -> Floats:
    """2 m temperature, K: that of the air mass, cloud, rain, and the day's course."""
    land = clock.grid.land.astype(np.float32)
    turn = np.float32(np.pi / 12) * (clock.solar_hour - np.float32(14.5))
    course = np.cos(turn) + np.float32(0.22) * np.cos(2 * turn + np.float32(0.4))
    clear = 1 - np.float32(0.75) * cover
    long_day = (1 + 0.2 * np.cos(2 * np.pi * (clock.day - 140) / 365.25)).astype(np.float32)
    swing = (rules.swing_k * land + rules.sea_swing_k * (1 - land)) * clear
    shade = clock.of_month(rules.cloud_cooling_k) * land * (cover - np.float32(0.55))
    return air + swing * course * long_day[:, None, None] - shade - rules.rain_cooling_k * np.minimum(rain, 2)


def dew_point(
    clock: Clock,
    air: Floats,
    dryness: Floats,
    seasonal: Floats,
    t2m: Floats,
    wet: Floats,
    rain: Floats,
    rules: SurfaceSettings,
) -> Floats:
    """2 m dew point, K: that of the air mass, drier where air sinks, moist in rain, below the temperature."""
    depression = seasonal + rules.anomaly_dryness * (dryness - seasonal) - clock.of_month(rules.dew_shift_k)
    depression = depression - clock.of_month(rules.wet_moisture_k) * np.clip(wet, -3, 2)
    value = air - np.maximum(depression, np.float32(0.5))
    saturated = t2m - np.float32(0.4)
    value = value + np.minimum(rain, 1) * np.float32(0.7) * np.maximum(saturated - value, 0)
    return np.minimum(value, saturated)


def pressure(clock: Clock, msl_anomaly: Floats, climate: ClimateSettings) -> Floats:
    """Surface pressure, Pa, of the sea-level anomaly (Pa) and the height of the ground."""
    season = (100 * climate.pressure_hpa.on(clock.day)).astype(np.float32)[:, None, None]
    return (season + msl_anomaly) * np.exp(-clock.grid.height / _SCALE_HEIGHT_M).astype(np.float32)
