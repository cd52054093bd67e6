"""Residence-time footprints: over which ground, and how long, the air of a receptor-day has passed.

Every quarter-hour of every trajectory in the mixed layer leaves a weight in its grid cell: what is left
of an emission there at arrival, over the mixing height where it is known. The weights of a receptor-day,
member and precursor add up to one, the part beyond the grid included. The place of a weight is spread by
a Gauss curve that widens with age, because a trajectory errs by a growing distance and a plant beside
the track matters too; the spread does not cross the grid's outer edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from yrd_airq.clock import day_of_label
from yrd_airq.errors import InputError
from yrd_airq.region import EARTH_RADIUS_KM
from yrd_airq.transport.residence import Ground, Ways, collect
from yrd_airq.transport.settings import TransportSettings
from yrd_airq.transport.trajectory import ONE_AT_A_TIME, Member, Trajectories
from yrd_airq.vocab import Precursor, WeatherKind

SIDES = ("east", "other")
"""Sides on which air left the grid: the east is open sea, the others are taken as land."""
_AGE_EDGES_H = (0.0, 1.0, 2.0, 4.0, 6.0, 9.0, 12.0, 18.0, 24.0, 36.0, 48.0, 72.0, 96.0, 120.0, np.inf)
_KM_PER_DEG = np.pi / 180 * EARTH_RADIUS_KM
_ROUNDING = 1e-16


class Ageing(Enum):
    """What of an emission is weighed at the receptor."""

    EMITTED = "emitted"
    """The emitted substance itself, by its lifetime: for ozone's precursors and primary pollutants."""
    PARTICLES = "particles"
    """Particles: the emitted ones, and those that the gases have turned into, for PM2.5 and PM10."""
    OZONE = "ozone"
    """What is left of the emission in sunlit air: for the precursors of a day's highest ozone."""


@dataclass(frozen=True)
class Footprint:
    """Share of each grid cell in the weighted residence time of a receptor-day's air.

    ``by_precursor`` has the shape (precursor, receptor, day, member, lat, lon), ``outside`` (precursor,
    receptor, day, member, side) with the sides of ``SIDES``; the sum over cells and sides is one.
    ``lat`` and ``lon`` are cell centres (rising, degrees).

    ``strength_sm`` (precursor, receptor, day, member), s/m: the weights times this are the change of
    concentration per emission flux of a cell, ΔC [g/m³] = weight · strength · E [g/s] / area [m²], if the
    mixing height holds; None for a footprint made by hand.

    ``by_lag`` (lag, precursor, receptor, day, lat, lon): the members' mean weights by the day of emission,
    ``lag`` days before the receptor's; the last lag holds all older. None unless asked for. ``ageing``: what
    of an emission the weights count.
    """

    by_precursor: NDArray[np.float64]
    outside: NDArray[np.float64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    receptors: tuple[str, ...]
    days: tuple[date, ...]
    members: tuple[Member, ...]
    kind: WeatherKind
    strength_sm: NDArray[np.float64] | None = None
    by_lag: NDArray[np.float64] | None = None
    ageing: Ageing = Ageing.EMITTED

    @property
    def weight(self) -> NDArray[np.float64]:
        """Mean over the members for particles, (receptor, day, lat, lon): the one to draw."""
        return self.member_weight.mean(axis=2)

    @property
    def member_weight(self) -> NDArray[np.float64]:
        """Footprint for particles, the longest-lived precursor, (receptor, day, member, lat, lon)."""
        return self.by_precursor[tuple(Precursor).index(Precursor.PM)]

    @property
    def step_deg(self) -> float:
        """Cell size in degrees."""
        return float(self.lat[1] - self.lat[0])

    @property
    def cell_area_km2(self) -> NDArray[np.float64]:
        """Area of a cell by latitude, (lat,)."""
        height = _KM_PER_DEG * self.step_deg
        return np.asarray(height**2 * np.cos(np.radians(self.lat)))

    def per_km2_at(self, receptor: int, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.float64]:
        """Weight per km² at points, bilinear between cell centres: (precursor, day, member, point).

        Nought for points beyond the grid and for blank positions.
        """
        return self._at(self.by_precursor[:, receptor], lon, lat)

    def lag_parts_at(self, receptor: int, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.float64]:
        """Part of the weight at points by day of emission, adding up to one: (lag, precursor, day, point).

        All of it on the receptor's own day where a point has no weight. ``InputError`` without ``by_lag``.
        """
        if self.by_lag is None:
            raise InputError("the footprint was made without days of emission; ask for lags")
        value = self._at(self.by_lag[:, :, receptor], lon, lat)
        total = value.sum(axis=0)
        own_day = np.zeros_like(value)
        own_day[0] = 1.0
        return np.asarray(np.where(total > 0, value / np.where(total > 0, total, 1), own_day))

    def _at(self, weight: NDArray[np.float64], lon: ArrayLike, lat: ArrayLike) -> NDArray[np.float64]:
        """Weights (…, lat, lon) per km² at points, (…, point)."""
        x = (np.asarray(lon, dtype=float) - self.lon[0]) / self.step_deg
        y = (np.asarray(lat, dtype=float) - self.lat[0]) / self.step_deg
        rows, columns = len(self.lat), len(self.lon)
        inside = (x >= -0.5) & (x <= columns - 0.5) & (y >= -0.5) & (y <= rows - 0.5)
        x, y = np.where(inside, x, 0).clip(0, columns - 1), np.where(inside, y, 0).clip(0, rows - 1)
        i, j = np.minimum(x.astype(int), columns - 2), np.minimum(y.astype(int), rows - 2)
        density = weight / self.cell_area_km2[:, None]
        value = np.zeros((*density.shape[:-2], len(x)))
        for b in (0, 1):
            for a in (0, 1):
                share = np.where(a, x - i, 1 - (x - i)) * np.where(b, y - j, 1 - (y - j)) * inside
                value += share * density[..., j + b, i + a]
        return value


def footprint(
    trajectories: Trajectories,
    settings: TransportSettings,
    ageing: Ageing = Ageing.EMITTED,
    lags: int = 0,
) -> Footprint:
    """Footprints of every receptor-day of the trajectories; a day holds the arrivals of its labels.

    ``ageing`` says what of the emission is weighed: what is left of it, or the particles made of it.
    ``lags``: number of days of emission that are told apart, see ``Footprint.by_lag``.
    """
    days = pd.DatetimeIndex(day_of_label(trajectories.arrivals).unique()).sort_values()
    part = _part_of_step(trajectories, settings)
    cells, outside, total = _collect(trajectories, settings, ageing, part)
    by_lag = None
    if lags:
        whole = np.ones(trajectories.lon.shape) if part is None else part
        lag = _emission_lag(trajectories, lags)
        parts = [_collect(trajectories, settings, ageing, whole * (lag == k)) for k in range(lags)]
        scaled = [np.where(sum_k > 0, sum_k / total, 0.0)[..., None, None] for _, _, sum_k in parts]
        by_lag = np.stack(
            [
                (np.nan_to_num(own) * scale).mean(axis=3)
                for (own, _, _), scale in zip(parts, scaled, strict=True)
            ]
        )
    # Seconds per metre: the weights are those of one arrival and step, over the mixing height.
    arrivals = np.bincount(days.get_indexer(day_of_label(trajectories.arrivals)))
    per_arrival = 60 * trajectories.step_minutes / arrivals[:, None]
    depth = 1.0 if part is not None else 1 / settings.mixing_height_m.value
    lat, lon = settings.grid.centres
    return Footprint(
        by_precursor=cells,
        outside=outside,
        lat=lat,
        lon=lon,
        receptors=trajectories.receptors,
        days=tuple(stamp.date() for stamp in days),
        members=trajectories.members,
        kind=trajectories.kind,
        strength_sm=total * per_arrival * depth,
        by_lag=by_lag,
        ageing=ageing,
    )


def _emission_lag(trajectories: Trajectories, lags: int) -> NDArray[np.int64]:
    """Days between a step and its receptor-day, (1, arrival, 1, step), at most ``lags`` − 1."""
    arrivals = trajectories.arrivals
    ages = pd.to_timedelta(trajectories.age_hours, unit="h").to_numpy()
    then = pd.DatetimeIndex((arrivals.to_numpy()[:, None] - ages[None, :]).ravel())
    own = day_of_label(arrivals).to_numpy()[:, None]
    # A midnight still belongs to the day that it ends.
    emitted = (then - pd.Timedelta(1, "ns")).normalize().to_numpy().reshape(len(arrivals), -1)
    lag = (own - emitted) / np.timedelta64(1, "D")
    return np.clip(lag.astype(np.int64), 0, lags - 1)[None, :, None, :]


def _collect(
    trajectories: Trajectories,
    settings: TransportSettings,
    ageing: Ageing,
    part: NDArray[np.float64] | None,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Weights by cell, by side and their sum (see ``residence.collect``); ``part``: weight of each step."""
    day_stamps = day_of_label(trajectories.arrivals)
    days = pd.DatetimeIndex(day_stamps.unique()).sort_values()
    day = days.get_indexer(day_stamps)
    exposure = _rain_exposure(trajectories, settings)
    nothing = np.empty((0, 0, 0, 0))
    ways = Ways(
        lon=np.ascontiguousarray(trajectories.lon),
        lat=np.ascontiguousarray(trajectories.lat),
        part=nothing if part is None else np.ascontiguousarray(part),
        rain=nothing if exposure is None else np.ascontiguousarray(exposure),
        order=np.argsort(day, kind="stable"),
        first=np.searchsorted(np.sort(day), np.arange(len(days) + 1)),
        edges=np.array([*trajectories.lon_edges, *trajectories.lat_edges], dtype=float),
    )
    loss = weight_by_age(trajectories.age_hours, settings, ageing)
    washing = np.array([settings.scavenging[precursor].value for precursor in Precursor])
    ground = _ground(trajectories.age_hours, settings)
    with ONE_AT_A_TIME:
        return collect(ways, ground, loss, washing, *settings.grid.shape)


def weight_by_age(
    age_hours: NDArray[np.float64], settings: TransportSettings, ageing: Ageing = Ageing.EMITTED
) -> NDArray[np.float64]:
    """Part of a unit of emission that arrives at an age, (precursor, age).

    Of the emission itself: exp(−t/τ), for ozone with the lifetimes in sunlight. Of the particles made of
    it, for the particle target: primary particles as before; of a gas (1 − exp(−t/τ_s)) · exp(−t/τ_pm),
    that is formation in the time τ_s, each product then lost like particles. So a gas let off next to the
    receptor hardly counts.
    """
    age = np.asarray(age_hours, dtype=float)
    lifetimes = settings.lifetime_h | (settings.ozone.lifetime_h if ageing is Ageing.OZONE else {})
    lifetime = np.array([lifetimes[precursor].value for precursor in Precursor])[:, None]
    if ageing is not Ageing.PARTICLES:
        return np.exp(-age / lifetime)
    formation = np.array(
        [settings.formation_h[p].value if p in settings.formation_h else 0.0 for p in Precursor]
    )[:, None]
    formed = np.where(formation > 0, -np.expm1(-age / np.where(formation > 0, formation, 1)), 1.0)
    return np.asarray(formed * np.exp(-age / settings.lifetime_h[Precursor.PM].value))


def _part_of_step(t: Trajectories, settings: TransportSettings) -> NDArray[np.float64] | None:
    """Weight of each step besides its age: 1/mixing height (m⁻¹), nought above the mixed layer.

    None where the weather has neither: all steps then weigh alike. A parcel that has left the wind grid
    keeps its last weight. At the receptor the air counts as mixed.
    """
    if t.mixing_m is None and t.height_m is None:
        return None
    shape, floor = t.lon.shape, settings.mixing_floor_m.value
    depth = np.full(shape, settings.mixing_height_m.value) if t.mixing_m is None else t.mixing_m
    depth = np.maximum(depth, floor)
    part = 1 / depth
    if t.height_m is not None:
        above = t.height_m > depth
        above[..., 0] = False
        part[above] = 0.0
    last = np.isfinite(t.lon).sum(axis=3, keepdims=True) - 1
    return np.where(np.isfinite(part), part, np.take_along_axis(part, last, axis=3))


def _rain_exposure(t: Trajectories, settings: TransportSettings) -> NDArray[np.float64] | None:
    """Hours times (rain rate)^exponent that the air of a step meets on its way; None without rain."""
    if t.rain_mmh is None:
        return None
    rate = np.clip(np.nan_to_num(t.rain_mmh), 0, None) ** settings.scavenging_exponent.value
    return np.cumsum(rate, axis=3) * (t.step_minutes / 60)


def _ground(age_hours: NDArray[np.float64], settings: TransportSettings) -> Ground:
    """The grid and the spread by class of age: a Gauss curve about each cell, cut where it is nought."""
    grid = settings.grid
    rows, columns = grid.shape
    middle = np.radians((grid.lat_min + grid.lat_max) / 2)
    age_class = np.searchsorted(_AGE_EDGES_H, age_hours, side="right") - 1
    starts = np.flatnonzero(np.diff(age_class, prepend=-1))
    mean_age = [age_hours[age_class == k].mean() for k in age_class[starts]]
    sigma = settings.spread_start_km.value + settings.spread_growth_kmh.value * np.array(mean_age)
    cell_km = _KM_PER_DEG * grid.step_deg
    to_lat = np.stack([_spreading(rows, s / cell_km) for s in sigma])
    to_lon = np.stack([_spreading(columns, s / (cell_km * np.cos(middle))) for s in sigma])
    return Ground(
        west=float(grid.lon_min),
        south=float(grid.lat_min),
        step=float(grid.step_deg),
        starts=np.append(starts, len(age_hours)),
        to_lat=to_lat,
        to_lon=to_lon,
        lat_band=_band(to_lat),
        lon_band=_band(to_lon),
    )


def _band(share: NDArray[np.float64]) -> NDArray[np.int64]:
    """First and one past the last cell that gets more than rounding, (class, from, 2)."""
    counts = share > _ROUNDING
    return np.stack([counts.argmax(axis=2), share.shape[2] - counts[..., ::-1].argmax(axis=2)], axis=-1)


def _spreading(cells: int, sigma_cells: float) -> NDArray[np.float64]:
    """Matrix (from, to) that spreads a cell's weight along one axis; its rows add up to one."""
    edge = np.arange(cells + 1) - 0.5
    below = ndtr((edge[None, :] - np.arange(cells)[:, None]) / sigma_cells)
    share = np.diff(below, axis=1)
    return np.ascontiguousarray(share / share.sum(axis=1, keepdims=True))
