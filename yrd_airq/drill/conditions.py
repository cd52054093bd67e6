"""What an hour of weather means for the air: light, warmth, water, turbulence, rain, inflow, isoprene."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.drill.air_settings import AirSettings, Seasonal
from yrd_airq.drill.deposition import velocities
from yrd_airq.drill.grid import Grid
from yrd_airq.drill.layers import AIR_M, CENTRES_M, DEPTH_M, LAYERS, PRESSURE_PA, REFERENCE_DENSITY, TOPS_M
from yrd_airq.drill.mechanism import Mechanism
from yrd_airq.drill.particles import dissociation
from yrd_airq.drill.state import CARRIED, INDEX, ugm3_per_ppb
from yrd_airq.drill.weather import Weather

Array = NDArray[np.floating[Any]]

_HOUR = pd.Timedelta(hours=1)
_KARMAN, _GRAVITY, _HEAT_CAPACITY = 0.4, 9.81, 1005.0
_O1D_WATER, _O1D_AIR = 2.2e-10, 2.96e-11
_LIGHT_STEPS = 512


@dataclass(frozen=True)
class Hour:
    """Conditions of one hour.

    ``temperature`` K and ``haze`` (0–1, wetness of the air's particles) are (layer, ny, nx); ``product``
    (ny, nx), ppb², is that of ammonium nitrate near the ground. ``drivers`` (driver, layer, ny, nx) lack
    photolysis and particles. ``exchange`` (layer − 1, ny, nx) m/s; ``ground``: velocities by name, m/s;
    ``washout`` (ny, nx) 1/s; ``cloud_light`` (ny, nx): what cloud leaves of the light; ``isoprene``
    (ny, nx) µg m⁻² h⁻¹; ``edges`` (species, layer, 4) and ``aloft`` (species): outside air.
    """

    times: tuple[pd.Timestamp, pd.Timestamp]
    wind: tuple[Array, Array, Array, Array]
    temperature: Array
    product: Array
    haze: Array
    drivers: Array
    exchange: Array
    ground: dict[str, Array]
    washout: Array
    cloud_light: Array
    isoprene: Array
    edges: Array
    aloft: Array


class Conditions:
    """Conditions of a world's hours, with what is the same for all of them worked out once."""

    def __init__(
        self, weather: Weather, grid: Grid, woods: Array, settings: AirSettings, mechanism: Mechanism
    ) -> None:
        self._weather, self._grid, self._settings, self._mechanism = weather, grid, settings, mechanism
        self._land = grid.land.astype(np.float32)
        self._woods = woods.astype(np.float32)
        cosine = np.linspace(0, 1, _LIGHT_STEPS)[1:]
        self._light = np.array(
            [[0.0, *p.l * cosine**p.m * np.exp(-p.n / cosine)] for p in settings.photolysis.values()],
            dtype=np.float32,
        )
        self._lat, self._lon = np.radians(grid.lat)[:, None], grid.lon[None, :]

    def cosine(self, time: pd.Timestamp) -> Array:
        """Cosine of the sun's zenith angle (ny, nx) at a Beijing time, 0 by night."""
        day = np.radians(-23.44) * np.cos(2 * np.pi * (time.dayofyear + 10) / 365)
        hour = np.radians(15 * (time.hour + time.minute / 60 - 12) + self._lon - 120)
        height = np.sin(self._lat) * np.sin(day) + np.cos(self._lat) * np.cos(day) * np.cos(hour)
        return np.asarray(np.maximum(height, 0), dtype=np.float32)

    def photolysis(self, time: pd.Timestamp, cloud_light: Array) -> Array:
        """Photolysis frequencies (photolysis, ny, nx), 1/s, in the order of the settings."""
        at = (self.cosine(time) * (_LIGHT_STEPS - 1)).astype(np.intp)
        return np.asarray(self._light[:, at] * cloud_light)

    def hour(self, k: int) -> Hour:
        """Conditions of the hour that ends at ``weather.times[k]``."""
        weather = self._weather
        end = weather.times[k]
        t2m, dew, pressure, height, cover, u10, v10 = (
            0.5 * (field[k - 1] + field[k])
            for field in (
                weather.t2m,
                weather.d2m,
                weather.sp,
                weather.blh,
                weather.tcc,
                weather.u10,
                weather.v10,
            )
        )
        sun, rain = np.maximum(weather.ssrd[k], 0) / 3600, np.maximum(weather.tp[k], 0) * 1000
        column = CENTRES_M.astype(np.float32)[:, None, None]
        temperature = t2m - np.float32(self._settings.lapse_k_per_km.value / 1000) * column
        water = _vapour(dew) / pressure * np.exp(-column / np.float32(self._settings.vapour_scale_m.value))
        humidity = water * PRESSURE_PA.astype(np.float32)[:, None, None] / _vapour(temperature)
        speed = np.hypot(u10, v10)
        friction = self._friction(speed)
        light = self._cloud_light(end - 0.5 * _HOUR, sun)
        return Hour(
            times=(end - 0.75 * _HOUR, end - 0.25 * _HOUR),
            wind=(weather.u[k - 1], weather.v[k - 1], weather.u[k], weather.v[k]),
            temperature=temperature,
            product=dissociation(temperature[0], humidity[0]),
            haze=np.clip((humidity - np.float32(0.7)) / np.float32(0.25), 0, 1),
            drivers=self._drivers(water, cover),
            exchange=self._exchange(friction, height, sun, t2m),
            ground=velocities(sun, self._land, self._drag(friction), self._settings),
            washout=np.float32(self._settings.washout.rate_per_s.value)
            * rain ** np.float32(self._settings.washout.exponent.value),
            cloud_light=light,
            isoprene=self._woods * self._isoprene(t2m, sun),
            edges=self._edges(end),
            aloft=_seasonal(self._settings.inflow.aloft, end),
        )

    def wind_at(self, hour: Hour, half: int) -> tuple[Array, Array]:
        """Wind in the layers in the middle of the first (0) or second (1) half of an hour, m/s."""
        late = np.float32(0.25 + 0.5 * half)
        u0, v0, u1, v1 = hour.wind
        return u0 + late * (u1 - u0), v0 + late * (v1 - v0)

    def _drivers(self, water: Array, cover: Array) -> Array:
        names = self._mechanism.drivers
        drivers = np.ones((len(names), *water.shape), dtype=np.float32)
        drivers[names.index("water")] = water
        share = np.asarray(self._settings.cloud_layers.values, dtype=np.float32)
        drivers[names.index("cloud")] = share[:, None, None] * cover
        drivers[names.index("o1d")] = _O1D_WATER * water / (_O1D_WATER * water + _O1D_AIR)
        return drivers

    def _cloud_light(self, time: pd.Timestamp, sun: Array) -> Array:
        rules, cosine = self._settings.cloud_light, np.maximum(self.cosine(time), 0.02)
        clear = rules.clear_wm2.value * cosine * np.exp(-rules.clear_exponent.value / cosine)

        def photolysis(radiation: Array) -> Array:
            return np.asarray(radiation * (rules.b1.value + rules.b2.value * radiation))

        return np.asarray(np.clip(photolysis(sun) / photolysis(clear), 0.05, 1.1), dtype=np.float32)

    def _friction(self, speed: Array) -> Array:
        """Friction velocity, m/s."""
        land, sea = (
            _KARMAN / np.log(10 / rough.value)
            for rough in (self._settings.mixing.land_roughness_m, self._settings.mixing.sea_roughness_m)
        )
        per_wind = sea + (land - sea) * self._land
        return np.asarray(per_wind * np.maximum(speed, 0.5), dtype=np.float32)

    def _drag(self, friction: Array) -> Array:
        """Resistance of the air below the middle of the lowest layer, s/m."""
        rough = np.where(
            self._land > 0.5,
            self._settings.mixing.land_roughness_m.value,
            self._settings.mixing.sea_roughness_m.value,
        )
        return np.asarray(np.log(CENTRES_M[0] / rough) / (_KARMAN * friction), dtype=np.float32)

    def _exchange(self, friction: Array, height: Array, sun: Array, t2m: Array) -> Array:
        """Exchange between neighbouring layers, m/s of air of the reference density."""
        rules = self._settings.mixing
        heat = rules.heat_share.value * sun * self._land
        buoyant = _GRAVITY / t2m * height * heat / (REFERENCE_DENSITY * _HEAT_CAPACITY)
        velocity = np.cbrt(friction**3 + rules.convective_share.value * buoyant)
        top = np.asarray(TOPS_M[:-1], dtype=np.float32)[:, None, None]
        within = np.maximum(1 - top / height, 0) ** 2
        floor = np.asarray(rules.floor_m2s.values, dtype=np.float32)[:, None, None]
        diffusivity = np.maximum(_KARMAN * velocity * top * within, floor)
        density = AIR_M / DEPTH_M
        thin = np.sqrt(density[:-1] * density[1:]) / np.diff(CENTRES_M)
        return np.asarray(diffusivity * thin[:, None, None], dtype=np.float32)

    def _isoprene(self, t2m: Array, sun: Array) -> Array:
        """Emission where all is woods, µg m⁻² h⁻¹ (Guenther et al. 1993)."""
        rules, gas = self._settings.isoprene, 8.314
        par = rules.par_per_wm2.value * sun
        light = rules.light_alpha.value * rules.light_cl.value * par
        light = light / np.sqrt(1 + (rules.light_alpha.value * par) ** 2)
        warm = (t2m - 303) / (gas * 303 * t2m)
        hot = (t2m - rules.heat_tm_k.value) / (gas * 303 * t2m)
        heat = np.exp(rules.heat_ct1_j.value * warm) / (1 + np.exp(rules.heat_ct2_j.value * hot))
        return np.asarray(rules.standard_ugm2h.value * light * heat, dtype=np.float32)

    def _edges(self, time: pd.Timestamp) -> Array:
        """Air outside (species, layer, 4): west and north over land, east and south over the sea."""
        inflow = self._settings.inflow
        part = np.asarray(inflow.aloft_layers, dtype=np.float32)
        aloft = _seasonal(inflow.aloft, time)
        sides = [inflow.continental, inflow.marine, inflow.marine, inflow.continental]
        low = np.stack([_seasonal(side, time) for side in sides], axis=-1)
        return low[:, None] + part[:, None] * (aloft[:, None] - low)[:, None]


def sources(emitted: Array, isoprene: Array, settings: AirSettings) -> Array:
    """What is set free in an hour, (species, layer, ny, nx) in units of the state per second.

    ``emitted`` (EMITTED, layer, ny, nx) and ``isoprene`` (ny, nx, lowest layer) in µg m⁻² h⁻¹.
    """
    per_second = (1 / (3600 * AIR_M)).astype(np.float32)[:, None, None]
    out = np.zeros((len(CARRIED), LAYERS, *isoprene.shape), dtype=np.float32)
    for name, row, factor in release(settings):
        out[INDEX[name]] = emitted[row] * (np.float32(factor) * per_second)
    out[INDEX["isop"], 0] += isoprene * per_second[0] / np.float32(ugm3_per_ppb("isop"))
    return out


def release(settings: AirSettings) -> list[tuple[str, int, float]]:
    """Species, row of ``EMITTED``, and units of the state per µg/m³ of what was emitted."""
    nox, voc = settings.released.nox.values, settings.released.voc.values
    rows = [(name, 0, part / ugm3_per_ppb("no2")) for name, part in nox.items()]
    rows += [(name, 1, part / ugm3_per_ppb(name)) for name, part in voc.items()]
    plain = (("so2", 2), ("co", 3), ("pm", 4), ("dust", 5), ("nhx", 6))
    return rows + [(name, row, 1 / ugm3_per_ppb(name)) for name, row in plain]


def _vapour(dew: Array) -> Array:
    """Saturation vapour pressure over water, Pa, at K (Magnus)."""
    celsius = dew - np.float32(273.15)
    return np.asarray(611.2 * np.exp(np.float32(17.62) * celsius / (np.float32(243.12) + celsius)))


def _seasonal(air: Seasonal, time: pd.Timestamp) -> Array:
    """Values of the carried species on a day, between those of late January and late July."""
    summer, winter = np.array([air[name] for name in CARRIED]).T
    swing = np.cos(2 * np.pi * (time.dayofyear - 25) / 365)
    return np.asarray(0.5 * (summer + winter) + 0.5 * (winter - summer) * swing, dtype=np.float32)
