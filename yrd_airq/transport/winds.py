"""The winds that carry the air, made from a weather dataset: the mixed layer's, a height's, perturbed ones.

Heights above ground of pressure levels follow from the hypsometric equation with the temperature and
pressure at the surface where the weather has them, else those of a standard atmosphere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from yrd_airq.errors import InputError
from yrd_airq.transport.kernel import METRES_PER_DEGREE, Carrier, Lattice
from yrd_airq.transport.settings import PerturbationSettings, TransportSettings

_METRES_PER_KELVIN = 29.27
"""Gas constant of dry air over gravity, m/K."""
_STANDARD_K, _STANDARD_PA = 288.15, 101_325.0
_MODES = 96
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Variant:
    """Which winds a member takes: those of a height (m; None: of the mixed layer), perturbed by a number.

    Perturbation 0 leaves the winds as they are.
    """

    height_m: float | None = None
    perturbation: int = 0


@dataclass(frozen=True)
class WindField:
    """Winds ready for the kernel.

    ``fields`` (variant, time, lat, lon, u and v) in m/s on the ``lattice``. ``deep``: winds with vertical
    motion; where they are given they carry the air, and ``fields`` holds the perturbations only.
    """

    lattice: Lattice
    fields: Array
    variants: tuple[Variant, ...]
    deep: Carrier | None = None


def wind_field(
    weather: xr.Dataset, settings: TransportSettings, variants: tuple[Variant, ...] = (Variant(),)
) -> WindField:
    """Winds that carry the air, from a weather dataset.

    ``InputError`` if its grid is not regular or a wind is blank, so that no air stands still by mistake.
    """
    lattice = lattice_of(weather)
    noise = _noises(lattice, variants, settings.perturbation)
    if settings.dimensions == "auto" and {"u_ms", "v_ms", "w_pas"} <= set(weather.data_vars):
        deep = _deep(weather, noise)
        _require_winds(deep.fields, weather)
        return WindField(lattice, noise, variants, deep)
    fields = np.stack([_layer(weather, settings, variant.height_m) for variant in variants]) + noise
    _require_winds(np.moveaxis(fields, 0, -1), weather)
    return WindField(lattice, fields, variants)


def _require_winds(fields: Array, weather: xr.Dataset) -> None:
    """Refuse blank winds; ``fields`` has the time first."""
    blank = ~np.isfinite(fields).all(axis=tuple(range(1, fields.ndim)))
    if blank.any():
        stamp = pd.Timestamp(weather["time"].values[int(np.argmax(blank))])
        raise InputError(
            f"the winds are blank at {stamp:%Y-%m-%d %H:%M} and in {int(blank.sum())} step(s) in all; "
            "fetch the weather again or cut the area or levels"
        )


def lattice_of(weather: xr.Dataset) -> Lattice:
    """The axes of a weather dataset; ``InputError`` if its grid is not regular or its times do not rise."""
    lat, lon = (weather[name].values.astype(float) for name in ("lat", "lon"))
    for name, axis in (("latitude", lat), ("longitude", lon)):
        steps = np.diff(axis)
        if len(axis) < 2 or not np.allclose(steps, steps[0], rtol=1e-3) or steps[0] <= 0:
            raise InputError(f"trajectories need a regular grid, but the {name} steps of the weather differ")
    seconds = seconds_of(pd.DatetimeIndex(weather["time"].values))
    if (np.diff(seconds) <= 0).any():
        raise InputError("trajectories need weather in rising order of time without doubles")
    return Lattice(
        seconds=seconds,
        lon0=float(lon[0]),
        lat0=float(lat[0]),
        dlon=float((lon[-1] - lon[0]) / (len(lon) - 1)),
        dlat=float((lat[-1] - lat[0]) / (len(lat) - 1)),
        columns=len(lon),
        rows=len(lat),
    )


def seconds_of(times: pd.DatetimeIndex) -> Array:
    """Seconds since 1970 of naive times."""
    return (times.values.astype("datetime64[s]").astype(np.int64)).astype(float)


def surface_pressure(weather: xr.Dataset) -> Array:
    """Surface pressure in hPa, (time, lat, lon); standard where the weather has none."""
    return _surface(weather, "sp_pa", _STANDARD_PA) / 100


def height_above_ground(pressure_hpa: ArrayLike, surface_hpa: ArrayLike, kelvin: ArrayLike) -> Array:
    """Height (m) of a pressure above ground: hypsometric equation with one temperature for the layer."""
    ratio = np.asarray(surface_hpa, dtype=float) / np.asarray(pressure_hpa, dtype=float)
    return np.asarray(_METRES_PER_KELVIN * np.asarray(kelvin, dtype=float) * np.log(ratio))


def pressure_at(height_m: ArrayLike, surface_hpa: ArrayLike, kelvin: ArrayLike) -> Array:
    """Pressure (hPa) at a height above ground, the inverse of ``height_above_ground``."""
    exponent = np.asarray(height_m, dtype=float) / (_METRES_PER_KELVIN * np.asarray(kelvin, dtype=float))
    return np.asarray(np.asarray(surface_hpa, dtype=float) * np.exp(-exponent))


def surface_kelvin(weather: xr.Dataset) -> Array:
    """Temperature near the ground in K, (time, lat, lon); standard where the weather has none."""
    return _surface(weather, "t2m_k", _STANDARD_K)


def _surface(weather: xr.Dataset, name: str, standard: float) -> Array:
    shape = tuple(weather.sizes[dim] for dim in ("time", "lat", "lon"))
    if name not in weather:
        return np.full(shape, standard)
    values = weather[name].transpose("time", "lat", "lon").values.astype(float)
    return np.where(np.isfinite(values), values, standard)


def _layer(weather: xr.Dataset, settings: TransportSettings, height_m: float | None) -> Array:
    """Wind of the mixed layer, or at a height, (time, lat, lon, u and v)."""
    scaled = _scaled(weather, settings)
    if "level" in weather.dims and {"u_ms", "v_ms"} <= set(weather.data_vars):
        return _from_levels(weather, settings, height_m, scaled)
    if scaled is None:
        raise InputError("trajectories need 10 m winds (u10_ms, v10_ms) or winds on levels (u_ms, v_ms)")
    if height_m is None:
        return scaled
    return scaled * (height_m / settings.reference_height_m.value) ** settings.height_exponent.value


def _scaled(weather: xr.Dataset, settings: TransportSettings) -> Array | None:
    """The 10 m wind times the factor of its file; None where there is none."""
    if not {"u10_ms", "v10_ms"} <= set(weather.data_vars):
        return None
    daily = weather["step_hours"].values == 24
    factor = np.where(daily, settings.factor_daily.value, settings.factor_10m.value)[:, None, None]
    parts = [weather[name].transpose("time", "lat", "lon").values * factor for name in ("u10_ms", "v10_ms")]
    return np.stack(parts, axis=-1)


def _from_levels(
    weather: xr.Dataset, settings: TransportSettings, height_m: float | None, scaled: Array | None
) -> Array:
    """Mean of the levels within the boundary layer, or linear in height between levels.

    Where no level lies within: the scaled 10 m wind, else the lowest level above ground.
    """
    level, wind = _levels(weather)
    height = height_above_ground(
        level[:, None, None], surface_pressure(weather)[:, None], surface_kelvin(weather)[:, None]
    )
    if height_m is not None:
        return _at_height(height, wind, height_m)
    depth = _surface(weather, "blh_m", settings.mixing_height_m.value)
    depth = np.maximum(depth, settings.mixing_floor_m.value)[:, None]
    within = ((height > 0) & (height <= depth))[..., None]
    count = within.sum(axis=1)
    mean = np.where(within, wind, 0).sum(axis=1) / np.maximum(count, 1)
    lowest = np.take_along_axis(
        wind, np.where(height > 0, height, np.inf).argmin(axis=1)[:, None, ..., None], 1
    )
    return np.where(count > 0, mean, lowest[:, 0] if scaled is None else scaled)


def _at_height(height: Array, wind: Array, height_m: float) -> Array:
    """Wind (time, level, lat, lon, 2) linear in height between levels, the end levels held on.

    Levels rise in pressure, so heights fall along the axis.
    """
    below = np.clip((height >= height_m).sum(axis=1), 1, height.shape[1] - 1)[:, None]
    low, high = np.take_along_axis(height, below, 1), np.take_along_axis(height, below - 1, 1)
    share = np.clip((height_m - low) / (high - low), 0, 1)[..., None]
    lower, upper = (np.take_along_axis(wind, k[..., None], 1) for k in (below, below - 1))
    return np.asarray(((1 - share) * lower + share * upper)[:, 0])


def _levels(weather: xr.Dataset) -> tuple[Array, Array]:
    """Levels (hPa, rising; at least two) and winds on them, (time, level, lat, lon, u and v)."""
    ordered = weather.sortby("level")
    level = ordered["level"].values.astype(float)
    if len(level) < 2:
        raise InputError("winds on levels need at least two levels; fetch more or leave them out")
    parts = [ordered[name].transpose("time", "level", "lat", "lon").values for name in ("u_ms", "v_ms")]
    return level, np.stack(parts, axis=-1).astype(float)


def _deep(weather: xr.Dataset, noise: Array) -> Carrier:
    """Winds in three dimensions with the perturbations of the variants."""
    level, wind = _levels(weather)
    omega = weather.sortby("level")["w_pas"].transpose("time", "level", "lat", "lon").values / 100
    return Carrier(np.ascontiguousarray(np.concatenate([wind, omega[..., None]], axis=-1)), level, noise)


def _noises(lattice: Lattice, variants: tuple[Variant, ...], settings: PerturbationSettings) -> Array:
    """Perturbations of the variants, (variant, time, lat, lon, u and v)."""
    shape = (len(lattice.seconds), lattice.rows, lattice.columns, 2)
    return np.stack(
        [
            perturb(lattice, settings, variant.perturbation) if variant.perturbation else np.zeros(shape)
            for variant in variants
        ]
    )


def perturb(lattice: Lattice, settings: PerturbationSettings, number: int) -> Array:
    """Random wind (time, lat, lon, u and v) without divergence, by the stream function of random waves.

    A sum of plane waves with normally distributed wave numbers has the correlation exp(−d²/2L²) of the
    stream function. It does not depend on the grid or the span: the same place and time get the same wind.
    """
    rng = np.random.default_rng(settings.seed + number)
    waves = rng.normal(size=(2, _MODES)) / (settings.length_km.value * 1000)
    beat = rng.normal(size=_MODES) / (settings.time_h.value * 3600)
    phase = rng.uniform(0, 2 * np.pi, _MODES)
    lat = lattice.lat0 + lattice.dlat * np.arange(lattice.rows)
    lon = lattice.lon0 + lattice.dlon * np.arange(lattice.columns)
    north = (lat - 30) * METRES_PER_DEGREE
    east = (lon - 120) * METRES_PER_DEGREE * np.cos(np.radians(30))
    # ψ = Σ cos(k x + l y + ω t + φ); u = −∂ψ/∂y, v = ∂ψ/∂x, scaled to the variance wanted.
    scale = settings.sd_ms.value * settings.length_km.value * 1000 * np.sqrt(2 / _MODES)
    in_time = np.exp(1j * (np.outer(lattice.seconds, beat) + phase))
    in_space = (
        np.exp(1j * np.outer(waves[1], north))[:, :, None] * np.exp(1j * np.outer(waves[0], east))[:, None, :]
    )
    sine = [(in_time * amplitude) @ in_space.reshape(_MODES, -1) for amplitude in (waves[1], -waves[0])]
    wind = scale * np.stack([part.imag for part in sine], axis=-1)
    return wind.reshape(len(lattice.seconds), lattice.rows, lattice.columns, 2)
