"""The drill's mobile survey (走航): one vehicle at 1 Hz round an industrial park, and the plumes it meets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.signal import lfilter

from yrd_airq.clock import BEIJING
from yrd_airq.drill.settings import DriveSettings, SectorSettings
from yrd_airq.region import distance_km

_KM_PER_DEGREE = 111.195
# How far from the venue a survey is sent, and how far its plumes are followed.
_REACH_KM, _PLUMES_KM = 40.0, 6.0
_TPA_OF_GS = 8760 * 3600 / 1e6
# Distance across the wind at which two plumes stay apart on the far side of the loop.
_GAP_M = 900.0
# Wandering of the wind direction within minutes, degrees.
_WIND_SPREAD = 9.0
# Mean molar volume at 298.15 K, l/mol, and a mean molar mass of what leaks, g/mol.
_MOLAR_VOLUME, _MOLAR_MASS = 24.45, 92.0


@dataclass(frozen=True)
class Wind:
    """Mean wind during the drive: speed in m/s, direction it comes from in degrees."""

    speed: float
    direction: float


def choose_route(
    enterprises: pd.DataFrame, lon: float, lat: float, settings: DriveSettings, wind: Wind
) -> tuple[float, float]:
    """Middle (lon, lat) of the loop: between two leaking enterprises near the venue, if there are such.

    Complaints lead a survey to where it smells: the largest leaks within 40 km of the venue that lie close
    by, apart across the wind and of different sectors; else the largest leak; else the venue itself.
    """
    far = distance_km(enterprises["lon"], enterprises["lat"], lon, lat)
    near = enterprises[(enterprises["leak_gs"] > 0) & (far < _REACH_KM)]
    if near.empty:
        return lon, lat
    east, north = _metres(near["lon"], near["lat"], lon, lat)
    across = _turned(east, north, wind.direction)[1]
    gap = np.abs(across[:, None] - across[None, :])
    apart = np.hypot(east[:, None] - east[None, :], north[:, None] - north[None, :])
    kind = near["sector"].to_numpy()
    fit = (gap > _GAP_M) & (apart < 1.1 * settings.half_side_m) & (kind[:, None] != kind[None, :])
    size = near["leak_gs"].to_numpy()
    worth = np.where(fit, np.minimum(size[:, None], size[None, :]), 0.0) + np.diag(1e-3 * size)
    first, second = divmod(int(worth.argmax()), len(near))
    pair = near.iloc[[first, second]]
    return float(pair["lon"].mean()), float(pair["lat"].mean())


def met_sources(
    enterprises: pd.DataFrame,
    centre: tuple[float, float],
    settings: DriveSettings,
    sectors: tuple[SectorSettings, ...],
) -> pd.DataFrame:
    """Enterprises whose plumes a loop round ``centre`` can meet, with what leaves each near the ground.

    Column ``ground_gs``: its leak and the fugitive part of its VOC, g/s.
    """
    can = [sector.code for sector in sectors if sector.species]
    far = distance_km(enterprises["lon"], enterprises["lat"], *centre)
    near = enterprises[(far < _PLUMES_KM) & enterprises["sector"].isin(can)]
    fugitive = settings.fugitive_share * near["voc_tpa"] / _TPA_OF_GS
    return near.assign(ground_gs=near["leak_gs"] + fugitive)


def drive(
    sources: pd.DataFrame,
    centre: tuple[float, float],
    wind: Wind,
    start: datetime,
    settings: DriveSettings,
    sectors: tuple[SectorSettings, ...],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """One row a second of a drive round ``centre`` (lon, lat) past ``sources`` (lon, lat, sector, ground_gs).

    Columns follow the usual record of a survey vehicle: run, vehicle, instrument, time (UTC and local),
    position (WGS84), motion, true wind, total VOC and each species in ppb. Without sources it is clean.
    """
    seconds = np.arange(settings.minutes * 60, dtype=np.float64)
    east, north, heading = _loop(np.asarray(seconds * settings.speed_kmh / 3.6), settings.half_side_m)
    shape = (len(seconds),)
    direction = wind.direction + _drift(rng, shape, _WIND_SPREAD, 20)
    speed = np.maximum(wind.speed * (1 + _drift(rng, shape, 0.15, 20)), 0.3)
    readings = _background(settings, rng, len(seconds))
    at_east, at_north = _metres(sources["lon"], sources["lat"], *centre)
    rate = sources["ground_gs"].to_numpy(dtype=float) * 1e6
    for x, y, gs, code in zip(at_east, at_north, rate, sources["sector"], strict=True):
        mass = gs * _plume(east - x, north - y, direction, speed)
        shares = next(sector.species for sector in sectors if sector.code == code)
        for species, share in shares.items():
            readings[species] = readings[species] + share * mass * _MOLAR_VOLUME / _MOLAR_MASS
    for species, values in readings.items():
        readings[species] = np.maximum(values + rng.normal(0, settings.noise_ppb, shape), 0.01).round(2)
    lon = centre[0] + east / (1000 * _KM_PER_DEGREE * np.cos(np.radians(centre[1])))
    lat = centre[1] + north / (1000 * _KM_PER_DEGREE)
    local = pd.DatetimeIndex(pd.Timestamp(start) + pd.to_timedelta(seconds, unit="s"))
    table = pd.DataFrame(
        {
            "run_id": f"drill-run-{start:%Y%m%d}",
            "vehicle_id": "示例走航车-1",
            "instrument_id": "drill-tof",
            "t_utc": local.tz_localize(BEIJING).tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ"),
            "t_local": local.strftime("%Y-%m-%d %H:%M:%S"),
            "lon": (lon + rng.normal(0, 1.5e-5, shape)).round(6),
            "lat": (lat + rng.normal(0, 1.5e-5, shape)).round(6),
            "speed_kmh": np.full(shape, settings.speed_kmh),
            "heading_deg": heading,
            "ws_true": speed.round(2),
            "wd_true": (direction % 360).round(1),
            "tvoc_ppb": np.sum(list(readings.values()), axis=0).round(2),
        }
    )
    return table.assign(**{f"{species}_ppb": values for species, values in readings.items()})


def _loop(
    travelled_m: NDArray[np.float64], half_side: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Metres east and north of the centre and heading on a square loop, clockwise from its south-west."""
    side = 2 * half_side
    leg, along = np.divmod(travelled_m % (4 * side), side)
    along -= half_side
    east = np.choose(leg.astype(int), [-half_side + 0 * along, along, half_side + 0 * along, -along])
    north = np.choose(leg.astype(int), [along, half_side + 0 * along, -along, -half_side + 0 * along])
    return east, north, leg * 90.0


def _plume(
    east: NDArray[np.float64],
    north: NDArray[np.float64],
    direction: NDArray[np.float64],
    speed: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Gaussian plume of a ground source, s/m³ per unit rate, Briggs' urban spread of class D."""
    down, across = _turned(east, north, direction)
    x = np.maximum(down, 1.0)
    sigma_y = 0.16 * x / np.sqrt(1 + 0.0004 * x)
    sigma_z = 0.14 * x / np.sqrt(1 + 0.0003 * x)
    value = np.exp(-0.5 * (across / sigma_y) ** 2) / (np.pi * speed * sigma_y * sigma_z)
    return np.where(down > 20, value, 0.0)


def _turned(
    east: NDArray[np.float64], north: NDArray[np.float64], direction: NDArray[np.float64] | float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Metres downwind and across the wind that comes from ``direction``."""
    angle = np.radians(direction)
    down = -(east * np.sin(angle) + north * np.cos(angle))
    return down, east * np.cos(angle) - north * np.sin(angle)


def _metres(
    lon: NDArray[np.float64] | pd.Series, lat: NDArray[np.float64] | pd.Series, lon0: float, lat0: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    scale = 1000 * _KM_PER_DEGREE
    east = (np.asarray(lon, dtype=float) - lon0) * scale * np.cos(np.radians(lat0))
    return east, (np.asarray(lat, dtype=float) - lat0) * scale


def _background(
    settings: DriveSettings, rng: np.random.Generator, count: int
) -> dict[str, NDArray[np.float64]]:
    """Slowly changing background of each species, ppb."""
    return {
        species: level * np.exp(_drift(rng, (count,), 0.08, 900))
        for species, level in settings.background_ppb.items()
    }


def _drift(
    rng: np.random.Generator, shape: tuple[int, ...], size: float, memory_s: float
) -> NDArray[np.float64]:
    """Noise of standard deviation ``size`` that lasts some ``memory_s`` seconds."""
    keep = np.exp(-1 / memory_s)
    noise = rng.normal(0, size * np.sqrt(1 - keep**2), size=shape)
    noise[0] /= np.sqrt(1 - keep**2)
    return np.asarray(lfilter([1.0], [1.0, -keep], noise))
