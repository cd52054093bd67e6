"""Back trajectories on gridded winds, with an ensemble for their uncertainty.

Runge-Kutta steps on winds that are bilinear in space and linear in time. In two dimensions the parcel
stays in the mixed layer; where the weather has vertical motion, it rises and sinks with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from threading import Lock

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from yrd_airq.clock import day_labels, hours_of_day
from yrd_airq.errors import InputError
from yrd_airq.transport.kernel import (
    PETTERSSEN,
    RK4,
    Lattice,
    Parcels,
    sample_along,
    trace_parcels,
    trace_parcels_3d,
)
from yrd_airq.transport.settings import TransportSettings
from yrd_airq.transport.winds import (
    Variant,
    WindField,
    height_above_ground,
    pressure_at,
    seconds_of,
    surface_kelvin,
    surface_pressure,
    wind_field,
)
from yrd_airq.vocab import WeatherKind

SCHEMES = {"rk4": RK4, "petterssen": PETTERSSEN}
ONE_AT_A_TIME = Lock()
"""One of the compiler's threading layers ends the process when two threads enter it at once."""


@dataclass(frozen=True)
class Member:
    """One member of the ensemble: turn of the wind (degrees, anticlockwise) and ratio of its speed.

    ``height_m``: height of the air (None: the mixed layer; with vertical motion the usual start);
    ``perturbation``: number of the random wind field that is added (0: none).
    """

    rotation_deg: float
    speed_ratio: float
    height_m: float | None = None
    perturbation: int = 0


@dataclass(frozen=True)
class Trajectories:
    """Ways of parcels back from their receptors.

    ``lon`` and ``lat`` have the shape (receptor, arrival, member, step): degrees, step 0 at the
    receptor, each further step ``step_minutes`` earlier; blank once a parcel has left the wind grid.
    ``lon_edges`` and ``lat_edges`` bound that grid. ``kind`` is ``forecast`` if any wind they used was
    forecast, else ``analysis``.

    Of the same shape, None where the weather lacks the field: ``height_m`` above ground (None in two
    dimensions, where air stays in the mixed layer), ``mixing_m`` the boundary-layer height and
    ``rain_mmh`` the rain at the parcel.
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
    height_m: NDArray[np.float64] | None = None
    mixing_m: NDArray[np.float64] | None = None
    rain_mmh: NDArray[np.float64] | None = None

    @property
    def age_hours(self) -> NDArray[np.float64]:
        """Hours before arrival of each step."""
        return np.arange(self.lon.shape[3]) * self.step_minutes / 60

    def arriving(self, hours: Sequence[int]) -> Trajectories:
        """Those that arrive at hours of the day (1 … 24); ``InputError`` if none does."""
        kept = np.isin(hours_of_day(self.arrivals), hours)
        if not kept.any():
            raise InputError(f"no trajectory arrives at the hours {', '.join(map(str, hours))} of the day")
        return replace(
            self,
            lon=self.lon[:, kept],
            lat=self.lat[:, kept],
            arrivals=self.arrivals[kept],
            height_m=None if self.height_m is None else self.height_m[:, kept],
            mixing_m=None if self.mixing_m is None else self.mixing_m[:, kept],
            rain_mmh=None if self.rain_mmh is None else self.rain_mmh[:, kept],
        )

    @property
    def central_member(self) -> int:
        """Index of the unturned, unscaled member, the one to draw."""
        return self.members.index(Member(0.0, 1.0))


@dataclass(frozen=True)
class _Along:
    """Weather read on the ways of parcels, (parcel, step)."""

    weather: xr.Dataset
    lattice: Lattice
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    seconds: NDArray[np.float64]
    step_seconds: float

    def read(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values of a field (time, lat, lon) at the parcels."""
        field = np.ascontiguousarray(values, dtype=float)
        with ONE_AT_A_TIME:
            found = sample_along(field, self.lattice, self.lon, self.lat, self.seconds, self.step_seconds)
        return np.asarray(found)

    def sample(self, name: str) -> NDArray[np.float64] | None:
        """A field of the weather at the parcels; None where it is missing or blank anywhere."""
        if name not in self.weather or bool(self.weather[name].isnull().any()):
            return None
        return self.read(self.weather[name].transpose("time", "lat", "lon").values)


def members_of(settings: TransportSettings) -> tuple[Member, ...]:
    """The ensemble's members: rotation by rotation, then heights, then perturbed winds."""
    turned = [Member(r, s) for r in settings.rotations_deg for s in settings.speed_ratios]
    high = [Member(0.0, 1.0, height_m=height) for height in settings.heights_m]
    perturbed = [Member(0.0, 1.0, perturbation=k + 1) for k in range(settings.perturbation.members)]
    return (*turned, *high, *perturbed)


def arrivals_of(
    first: date, last: date, settings: TransportSettings, every_hours: int | None = None
) -> pd.DatetimeIndex:
    """Arrival times (hour-ending labels) spread evenly over each of the days ``first`` … ``last``.

    Every ``arrival_every_hours`` of the settings, or ``every_hours`` (1: hourly arrivals).
    """
    labels = day_labels(first, last)
    return labels[hours_of_day(labels) % (every_hours or settings.arrival_every_hours) == 0]


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
    its grid is not regular, a wind is blank, or a receptor lies off the grid.
    """
    if arrivals.empty or not receptors:
        raise InputError("trajectories need at least one receptor and one arrival time")
    _check_span(weather, arrivals.min() - pd.Timedelta(hours=hours), arrivals.max())
    members = members_of(settings)
    variants = tuple(dict.fromkeys(Variant(m.height_m, m.perturbation) for m in members))
    field = wind_field(weather, settings, variants)
    place = np.array([receptors[code] for code in receptors], dtype=float)
    _check_receptors(field.lattice, tuple(receptors), place)
    start = _start(place, arrivals, members, field)
    shape = (len(receptors), len(arrivals), len(members))
    lon, lat, height, along = _carry(weather, field, start, members, hours, settings)
    used = pd.DatetimeIndex(weather["time"].values) >= arrivals.min() - pd.Timedelta(hours=hours)
    forecast = (weather["kind"].values[used] == WeatherKind.FORECAST.value).any()

    def shaped(values: NDArray[np.float64] | None) -> NDArray[np.float64] | None:
        return None if values is None else values.reshape(*shape, -1)

    return Trajectories(
        lon.reshape(*shape, -1),
        lat.reshape(*shape, -1),
        arrivals,
        tuple(receptors),
        members,
        settings.step_minutes,
        lon_edges=(float(weather["lon"].min()), float(weather["lon"].max())),
        lat_edges=(float(weather["lat"].min()), float(weather["lat"].max())),
        kind=WeatherKind.FORECAST if forecast else WeatherKind.ANALYSIS,
        height_m=shaped(height),
        mixing_m=shaped(along.sample("blh_m")),
        rain_mmh=shaped(along.sample("precip_mmh")),
    )


def _carry(
    weather: xr.Dataset,
    field: WindField,
    start: Parcels,
    members: tuple[Member, ...],
    hours: int,
    settings: TransportSettings,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64] | None, _Along]:
    """Longitude, latitude and (with vertical motion) height of parcels, (parcel, step), and their weather."""
    steps, step_seconds = hours * 60 // settings.step_minutes, -60.0 * settings.step_minutes
    scheme = SCHEMES[settings.scheme]
    if field.deep is None:
        with ONE_AT_A_TIME:
            lon, lat = trace_parcels(field.fields, field.lattice, start, steps, step_seconds, scheme)
        return lon, lat, None, _Along(weather, field.lattice, lon, lat, start.seconds, step_seconds)
    start = _raise(start, members, weather, field.lattice, settings)
    with ONE_AT_A_TIME:
        lon, lat, pressure = trace_parcels_3d(field.deep, field.lattice, start, steps, step_seconds, scheme)
    along = _Along(weather, field.lattice, lon, lat, start.seconds, step_seconds)
    surface, kelvin = along.read(surface_pressure(weather)), along.read(surface_kelvin(weather))
    return lon, lat, np.maximum(height_above_ground(pressure, surface, kelvin), 0), along


def trace(
    field: WindField,
    lon: ArrayLike,
    lat: ArrayLike,
    start_seconds: ArrayLike,
    rotation_deg: ArrayLike,
    speed_ratio: ArrayLike,
    steps: int,
    step_seconds: float,
    scheme: str = "rk4",
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ways of parcels in the first variant of two-dimensional winds, forward or (``step_seconds`` < 0) back.

    Equal shapes in, (…, step + 1) out.
    """
    shape = np.shape(lon)
    turn = np.radians(np.asarray(rotation_deg, dtype=float).ravel())
    ratio = np.asarray(speed_ratio, dtype=float).ravel()
    flat = [np.ascontiguousarray(np.asarray(x, dtype=float).ravel()) for x in (lon, lat, start_seconds)]
    zero = np.zeros(len(ratio))
    parcels = Parcels(
        flat[0], flat[1], zero, flat[2], np.cos(turn) * ratio, np.sin(turn) * ratio, zero.astype(np.int64)
    )
    with ONE_AT_A_TIME:
        out = trace_parcels(field.fields, field.lattice, parcels, steps, step_seconds, SCHEMES[scheme])
    return out[0].reshape(*shape, steps + 1), out[1].reshape(*shape, steps + 1)


def _start(
    place: NDArray[np.float64], arrivals: pd.DatetimeIndex, members: tuple[Member, ...], field: WindField
) -> Parcels:
    """Parcels in the order receptor, arrival, member."""
    shape = (len(place), len(arrivals), len(members))
    turn = np.radians([member.rotation_deg for member in members])
    ratio = np.array([member.speed_ratio for member in members])
    variant = [field.variants.index(Variant(m.height_m, m.perturbation)) for m in members]

    def spread(values: ArrayLike) -> NDArray[np.float64]:
        return np.ascontiguousarray(np.broadcast_to(np.asarray(values), shape).reshape(-1))

    return Parcels(
        lon=spread(place[:, 0, None, None]),
        lat=spread(place[:, 1, None, None]),
        pressure=spread(0.0),
        seconds=spread(seconds_of(arrivals)[None, :, None]),
        cos=spread(np.cos(turn) * ratio),
        sin=spread(np.sin(turn) * ratio),
        variant=spread(np.array(variant, dtype=np.int64)).astype(np.int64),
    )


def _raise(
    start: Parcels,
    members: tuple[Member, ...],
    weather: xr.Dataset,
    lattice: Lattice,
    settings: TransportSettings,
) -> Parcels:
    """The parcels at their starting heights."""
    height = np.array([member.height_m or settings.reference_height_m.value for member in members])
    at = _Along(weather, lattice, start.lon[:, None], start.lat[:, None], start.seconds, 0.0)
    surface, kelvin = at.read(surface_pressure(weather))[:, 0], at.read(surface_kelvin(weather))[:, 0]
    each = np.tile(height, len(start.lon) // len(members))
    return start._replace(pressure=pressure_at(each, surface, kelvin))


def _check_span(weather: xr.Dataset, first: pd.Timestamp, last: pd.Timestamp) -> None:
    times = pd.DatetimeIndex(weather["time"].values)
    slack = [pd.Timedelta(hours=12 if s == 24 else int(s)) for s in weather["step_hours"].values[[0, -1]]]
    if times[0] - slack[0] > first or times[-1] + slack[1] < last:
        raise InputError(
            f"trajectories need winds from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}, "
            f"the weather given goes from {times[0]:%Y-%m-%d %H:%M} to {times[-1]:%Y-%m-%d %H:%M}"
        )


def _check_receptors(at: Lattice, codes: tuple[str, ...], place: NDArray[np.float64]) -> None:
    x, y = (place[:, 0] - at.lon0) / at.dlon, (place[:, 1] - at.lat0) / at.dlat
    inside = (x >= 0) & (x <= at.columns - 1) & (y >= 0) & (y <= at.rows - 1)
    if not inside.all():
        off = ", ".join(np.array(codes)[~inside])
        raise InputError(f"receptor(s) {off} lie off the weather grid; fetch a larger area")
