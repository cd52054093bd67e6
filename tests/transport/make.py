"""Settings, winds and slow references for the tests of the transport room."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike
from scipy.special import ndtr

from yrd_airq.clock import day_of_label
from yrd_airq.settings import Marked, load
from yrd_airq.transport.settings import TransportSettings
from yrd_airq.transport.trajectory import Trajectories, members_of
from yrd_airq.vocab import Precursor, WeatherKind

EDGES_H = (0.0, 1.0, 2.0, 4.0, 6.0, 9.0, 12.0, 18.0, 24.0, 36.0, 48.0, 72.0, 96.0, 120.0, np.inf)


def marked(value: float) -> Marked:
    return Marked(value=value, mark="derived", source="test")


def settings_with(**changes: Any) -> TransportSettings:
    """The project's settings without perturbed winds, receptors as points, with changes.

    Numbers take the place of marked ones.
    """
    base = load(TransportSettings, "transport")
    base = base.model_copy(update={"perturbation": base.perturbation.model_copy(update={"members": 0})})
    plume = base.plume.model_copy(update={"receptor_spread_km": marked(0.0)})
    base = base.model_copy(update={"plume": plume})
    plain = {
        name: marked(value) if isinstance(getattr(base, name), Marked) else value
        for name, value in changes.items()
    }
    return base.model_copy(update=plain)


def unscaled(**changes: Any) -> TransportSettings:
    """Settings that take the wind of the file as it is, one member."""
    alone = {"factor_10m": 1.0, "factor_daily": 1.0, "rotations_deg": (0.0,), "speed_ratios": (1.0,)}
    return settings_with(**(alone | changes))


def with_levels(
    weather: xr.Dataset, level: ArrayLike, u: ArrayLike, v: ArrayLike, omega: ArrayLike | None = None
) -> xr.Dataset:
    """The dataset with winds on levels (hPa) and omega (Pa/s), broadcast to (time, level, lat, lon)."""
    shape = (weather.sizes["time"], np.size(level), weather.sizes["lat"], weather.sizes["lon"])
    fields = {"u_ms": u, "v_ms": v} | ({} if omega is None else {"w_pas": omega})
    out = weather.assign_coords(level=np.asarray(level, dtype=float))
    for name, value in fields.items():
        out[name] = (
            ("time", "level", "lat", "lon"),
            np.broadcast_to(np.asarray(value, dtype=float), shape).copy(),
        )
    return out


def trajectories_of(
    lon: np.ndarray,
    lat: np.ndarray,
    settings: TransportSettings,
    arrivals: pd.DatetimeIndex | None = None,
    **more: Any,
) -> Trajectories:
    """Trajectories of one receptor from ways (arrival, step), the same for every member."""
    members = members_of(settings)
    lon, lat = (np.atleast_2d(axis)[None, :, None, :].repeat(len(members), axis=2) for axis in (lon, lat))
    if arrivals is None:
        arrivals = pd.date_range("2016-09-05 03:00", periods=lon.shape[1], freq="3h")
    return Trajectories(
        lon,
        lat,
        arrivals,
        ("330100",),
        members,
        settings.step_minutes,
        (110.0, 124.0),
        (24.0, 38.0),
        WeatherKind.ANALYSIS,
        **more,
    )


def slow_footprint(t: Trajectories, settings: TransportSettings) -> tuple[np.ndarray, np.ndarray]:
    """Cells and sides of a footprint step by step, with whole matrices and no shortcut."""
    grid = settings.grid
    rows, columns = grid.shape
    stamps = day_of_label(t.arrivals)
    days = pd.DatetimeIndex(stamps.unique()).sort_values()
    day, age = days.get_indexer(stamps), t.age_hours
    lifetime = np.array([settings.lifetime_h[p].value for p in Precursor])[:, None]
    loss = np.exp(-age / lifetime)
    loss /= loss.sum(axis=1, keepdims=True)
    per_arrival = 1 / np.bincount(day)[day]
    km = 6371.0088 * np.pi / 180 * grid.step_deg
    wide = np.cos(np.radians((grid.lat_min + grid.lat_max) / 2))
    shape = (len(Precursor), len(t.receptors), len(days), len(t.members))
    cells, outside = np.zeros((*shape, rows, columns)), np.zeros((*shape, 2))
    age_class = np.searchsorted(EDGES_H, age, side="right") - 1
    for k in np.unique(age_class):
        steps = np.flatnonzero(age_class == k)
        sigma = settings.spread_start_km.value + settings.spread_growth_kmh.value * age[steps].mean()
        to_lat, to_lon = share_out(rows, sigma / km), share_out(columns, sigma / (km * wide))
        raw = np.zeros_like(cells)
        for r, a, m, s in np.ndindex(*t.lon.shape[:3], len(steps)):
            step = steps[s]
            lon, lat = t.lon[r, a, m, step], t.lat[r, a, m, step]
            weight = loss[:, step] * per_arrival[a]
            inside = grid.lon_min <= lon < grid.lon_max and grid.lat_min <= lat < grid.lat_max
            if inside:
                j, i = int((lat - grid.lat_min) / grid.step_deg), int((lon - grid.lon_min) / grid.step_deg)
                raw[:, r, day[a], m, j, i] += weight
                continue
            last = np.flatnonzero(np.isfinite(t.lon[r, a, m]))[-1]
            x, y = t.lon[r, a, m, last], t.lat[r, a, m, last]
            nearest = min(x - t.lon_edges[0], y - t.lat_edges[0], t.lat_edges[1] - y)
            east = lon >= grid.lon_max if np.isfinite(lon) else nearest > t.lon_edges[1] - x
            outside[:, r, day[a], m, 0 if east else 1] += weight
        cells += to_lat @ raw @ to_lon.T
    return cells, outside


def share_out(cells: int, sigma: float) -> np.ndarray:
    """Matrix (to, from) of a Gauss curve on cells."""
    edge = np.arange(cells + 1) - 0.5
    share = np.diff(ndtr((edge[:, None] - np.arange(cells)[None, :]) / sigma), axis=0)
    return share / share.sum(axis=0)
