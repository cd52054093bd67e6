"""Back trajectories in two dimensions on gridded winds, with an ensemble for their uncertainty.

Fourth-order Runge-Kutta on winds that are bilinear in space and linear in time. No vertical motion:
the parcel stays in the mixed layer and moves with a multiple of the 10 m wind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from yrd_airq.clock import day_labels, hours_of_day
from yrd_airq.errors import InputError
from yrd_airq.transport.kernel import WindField, trace_parcels
from yrd_airq.transport.settings import TransportSettings
from yrd_airq.vocab import WeatherKind


@dataclass(frozen=True)
class Member:
    """One member of the ensemble: turn of the wind (degrees, anticlockwise) and ratio of its speed."""

    rotation_deg: float
    speed_ratio: float


@dataclass(frozen=True)
class Trajectories:
    """Ways of parcels back from their receptors.

    ``lon`` and ``lat`` have the shape (receptor, arrival, member, step): degrees, step 0 at the
    receptor, each further step ``step_minutes`` earlier; blank once a parcel has left the wind grid.
    ``lon_edges`` and ``lat_edges`` bound that grid. ``kind`` is ``forecast`` if any wind they used was
    forecast, else ``analysis``.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    arrivals: pd.DatetimeIndex
    receptors: tuple[str, ...]
    members: tuple[Member, ...]
    step_minutes: int
    lon_edges: tuple[float, float]
    lat_edges: tuple[float, float]
    kind: WeatherKind

    @property
    def age_hours(self) -> NDArray[np.float64]:
        """Hours before arrival of each step."""
        return np.arange(self.lon.shape[3]) * self.step_minutes / 60

    @property
    def central_member(self) -> int:
        """Index of the unturned, unscaled member, the one to draw."""
        return self.members.index(Member(0.0, 1.0))


def members_of(settings: TransportSettings) -> tuple[Member, ...]:
    """The ensemble's members, rotation by rotation."""
    return tuple(Member(r, s) for r in settings.rotations_deg for s in settings.speed_ratios)


def arrivals_of(first: date, last: date, settings: TransportSettings) -> pd.DatetimeIndex:
    """Arrival times (hour-ending labels) spread evenly over each of the days ``first`` … ``last``."""
    labels = day_labels(first, last)
    return labels[hours_of_day(labels) % settings.arrival_every_hours == 0]


def back_trajectories(
    weather: xr.Dataset,
    receptors: Mapping[str, tuple[float, float]],
    arrivals: pd.DatetimeIndex,
    hours: int,
    settings: TransportSettings,
) -> Trajectories:
    """Trajectories of ``hours`` back from each receptor (adcode → lon, lat) and arrival, for every member.

    ``weather`` is a dataset as ``weather.grid`` makes it. It may end up to one step (daily means: half
    a day) inside the span; the end field then holds on. ``InputError`` if it does not reach so far,
    its grid is not regular, or a receptor lies off the grid.
    """
    if arrivals.empty or not receptors:
        raise InputError("trajectories need at least one receptor and one arrival time")
    _check_span(weather, arrivals.min() - pd.Timedelta(hours=hours), arrivals.max())
    field = wind_field(weather, settings)
    members = members_of(settings)
    place = np.array([receptors[code] for code in receptors], dtype=float)
    _check_receptors(field, tuple(receptors), place)
    shape = (len(receptors), len(arrivals), len(members))
    start = _seconds(arrivals)
    lon, lat = trace(
        field,
        np.broadcast_to(place[:, 0, None, None], shape),
        np.broadcast_to(place[:, 1, None, None], shape),
        np.broadcast_to(start[None, :, None], shape),
        np.broadcast_to([member.rotation_deg for member in members], shape),
        np.broadcast_to([member.speed_ratio for member in members], shape),
        steps=hours * 60 // settings.step_minutes,
        step_seconds=-60.0 * settings.step_minutes,
    )
    used = pd.DatetimeIndex(weather["time"].values) >= arrivals.min() - pd.Timedelta(hours=hours)
    forecast = (weather["kind"].values[used] == WeatherKind.FORECAST.value).any()
    kind = WeatherKind.FORECAST if forecast else WeatherKind.ANALYSIS
    return Trajectories(
        lon,
        lat,
        arrivals,
        tuple(receptors),
        members,
        settings.step_minutes,
        lon_edges=(float(weather["lon"].min()), float(weather["lon"].max())),
        lat_edges=(float(weather["lat"].min()), float(weather["lat"].max())),
        kind=kind,
    )


def wind_field(weather: xr.Dataset, settings: TransportSettings) -> WindField:
    """Winds that carry the air, from a weather dataset; ``InputError`` if its grid is not regular."""
    lat, lon = weather["lat"].values, weather["lon"].values
    for name, axis in (("latitude", lat), ("longitude", lon)):
        steps = np.diff(axis)
        if not np.allclose(steps, steps[0], rtol=1e-3) or steps[0] <= 0:
            raise InputError(f"trajectories need a regular grid, but the {name} steps of the weather differ")
    daily = weather["step_hours"].values == 24
    factor = np.where(daily, settings.factor_daily.value, settings.factor_10m.value)[:, None, None]
    u, v = (weather[name].transpose("time", "lat", "lon").values * factor for name in ("u10_ms", "v10_ms"))
    return WindField(
        u=np.ascontiguousarray(u),
        v=np.ascontiguousarray(v),
        seconds=_seconds(pd.DatetimeIndex(weather["time"].values)),
        lon0=float(lon[0]),
        lat0=float(lat[0]),
        dlon=float((lon[-1] - lon[0]) / (len(lon) - 1)),
        dlat=float((lat[-1] - lat[0]) / (len(lat) - 1)),
    )


def trace(
    field: WindField,
    lon: ArrayLike,
    lat: ArrayLike,
    start_seconds: ArrayLike,
    rotation_deg: ArrayLike,
    speed_ratio: ArrayLike,
    steps: int,
    step_seconds: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ways of parcels, forward or (``step_seconds`` < 0) back; equal shapes in, (…, step + 1) out."""
    shape = np.shape(lon)
    flat = [np.ascontiguousarray(np.asarray(x, dtype=float).ravel()) for x in (lon, lat, start_seconds)]
    turn = np.radians(np.asarray(rotation_deg, dtype=float).ravel())
    ratio = np.asarray(speed_ratio, dtype=float).ravel()
    cos, sin = np.cos(turn) * ratio, np.sin(turn) * ratio
    out_lon, out_lat = trace_parcels(field, flat[0], flat[1], flat[2], cos, sin, steps, step_seconds)
    return out_lon.reshape(*shape, steps + 1), out_lat.reshape(*shape, steps + 1)


def _seconds(times: pd.DatetimeIndex) -> NDArray[np.float64]:
    return (times.values.astype("datetime64[s]").astype(np.int64)).astype(float)


def _check_span(weather: xr.Dataset, first: pd.Timestamp, last: pd.Timestamp) -> None:
    times = pd.DatetimeIndex(weather["time"].values)
    slack = [pd.Timedelta(hours=12 if s == 24 else int(s)) for s in weather["step_hours"].values[[0, -1]]]
    if times[0] - slack[0] > first or times[-1] + slack[1] < last:
        raise InputError(
            f"trajectories need winds from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}, "
            f"the weather given goes from {times[0]:%Y-%m-%d %H:%M} to {times[-1]:%Y-%m-%d %H:%M}"
        )


def _check_receptors(field: WindField, codes: tuple[str, ...], place: NDArray[np.float64]) -> None:
    rows, columns = field.u.shape[1:]
    x, y = (place[:, 0] - field.lon0) / field.dlon, (place[:, 1] - field.lat0) / field.dlat
    inside = (x >= 0) & (x <= columns - 1) & (y >= 0) & (y <= rows - 1)
    if not inside.all():
        off = ", ".join(np.array(codes)[~inside])
        raise InputError(f"receptor(s) {off} lie off the weather grid; fetch a larger area")
