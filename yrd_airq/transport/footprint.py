"""Residence-time footprints: over which ground, and how long, the air of a receptor-day has passed.

Every quarter-hour of every trajectory leaves a weight exp(−age/lifetime) in its grid cell. The weights
of a receptor-day, member and precursor add up to one, the part beyond the grid included. The place of a
weight is spread by a Gauss curve that widens with age, because a trajectory errs by a growing distance
and a plant beside the track matters too; the spread does not cross the grid's outer edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from yrd_airq.clock import day_of_label
from yrd_airq.region import EARTH_RADIUS_KM
from yrd_airq.transport.settings import GridSettings, TransportSettings
from yrd_airq.transport.trajectory import Member, Trajectories
from yrd_airq.vocab import Precursor, WeatherKind

SIDES = ("east", "other")
"""Sides on which air left the grid: the east is open sea, the others are taken as land."""
_AGE_EDGES_H = (0.0, 1.0, 2.0, 4.0, 6.0, 9.0, 12.0, 18.0, 24.0, 36.0, 48.0, 72.0, 96.0, 120.0, np.inf)
_KM_PER_DEG = np.pi / 180 * EARTH_RADIUS_KM


@dataclass(frozen=True)
class Footprint:
    """Share of each grid cell in the weighted residence time of a receptor-day's air.

    ``by_precursor`` has the shape (precursor, receptor, day, member, lat, lon), ``outside`` (precursor,
    receptor, day, member, side) with the sides of ``SIDES``; the sum over cells and sides is one.
    ``lat`` and ``lon`` are cell centres (rising, degrees).
    """

    by_precursor: NDArray[np.float64]
    outside: NDArray[np.float64]
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    receptors: tuple[str, ...]
    days: tuple[date, ...]
    members: tuple[Member, ...]
    kind: WeatherKind

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
        x = (np.asarray(lon, dtype=float) - self.lon[0]) / self.step_deg
        y = (np.asarray(lat, dtype=float) - self.lat[0]) / self.step_deg
        rows, columns = len(self.lat), len(self.lon)
        inside = (x >= -0.5) & (x <= columns - 0.5) & (y >= -0.5) & (y <= rows - 0.5)
        x, y = np.where(inside, x, 0).clip(0, columns - 1), np.where(inside, y, 0).clip(0, rows - 1)
        i, j = np.minimum(x.astype(int), columns - 2), np.minimum(y.astype(int), rows - 2)
        density = self.by_precursor[:, receptor] / self.cell_area_km2[:, None]
        value = np.zeros((*density.shape[:3], len(x)))
        for b in (0, 1):
            for a in (0, 1):
                share = np.where(a, x - i, 1 - (x - i)) * np.where(b, y - j, 1 - (y - j)) * inside
                value += share * density[..., j + b, i + a]
        return value


def footprint(trajectories: Trajectories, settings: TransportSettings) -> Footprint:
    """Footprints of every receptor-day of the trajectories; a day holds the arrivals of its labels."""
    day_stamps = day_of_label(trajectories.arrivals)
    days = pd.DatetimeIndex(day_stamps.unique()).sort_values()
    day = days.get_indexer(day_stamps)
    arrivals_of_day = np.bincount(day)[day]
    loss = _loss(trajectories.age_hours, settings) / arrivals_of_day[:, None, None]
    cell, side = _cells(trajectories, settings.grid)
    receptors, _, members, _ = cell.shape
    group = day[:, None] * members + np.arange(members)
    groups = len(days) * members
    shape = (len(Precursor), len(days), members)
    age = trajectories.age_hours
    by_receptor = [_spread_out(cell[r], group, loss, age, groups, settings) for r in range(receptors)]
    outside = [_count(side[r], group, loss, groups, len(SIDES)) for r in range(receptors)]
    lat, lon = settings.grid.centres
    return Footprint(
        by_precursor=np.stack([part.reshape(*shape, *settings.grid.shape) for part in by_receptor], axis=1),
        outside=np.stack([part.reshape(*shape, len(SIDES)) for part in outside], axis=1),
        lat=lat,
        lon=lon,
        receptors=trajectories.receptors,
        days=tuple(stamp.date() for stamp in days),
        members=trajectories.members,
        kind=trajectories.kind,
    )


def _loss(age_hours: NDArray[np.float64], settings: TransportSettings) -> NDArray[np.float64]:
    """Weight of each step of one trajectory, adding up to one: (1, precursor, step)."""
    lifetime = np.array([settings.lifetime_h[precursor].value for precursor in Precursor])
    weight = np.exp(-age_hours / lifetime[:, None])
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))[None]


def _cells(t: Trajectories, grid: GridSettings) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Flat cell of each position (−1 off the grid) and the side it left by (−1 on the grid).

    A parcel that left the wind grid counts as having left by the edge nearest to its last known place.
    """
    rows, columns = grid.shape
    i = np.floor((t.lon - grid.lon_min) / grid.step_deg)
    j = np.floor((t.lat - grid.lat_min) / grid.step_deg)
    on_grid = (i >= 0) & (i < columns) & (j >= 0) & (j < rows)
    cell = np.where(on_grid, np.nan_to_num(j) * columns + np.nan_to_num(i), -1).astype(np.int64)
    last = np.isfinite(t.lon).sum(axis=3, keepdims=True) - 1
    lon, lat = (np.take_along_axis(x, last, axis=3) for x in (t.lon, t.lat))
    east = (
        np.min([lon - t.lon_edges[0], lat - t.lat_edges[0], t.lat_edges[1] - lat], axis=0)
        > t.lon_edges[1] - lon
    )
    left_east = np.where(np.isfinite(t.lon), t.lon >= grid.lon_max, east)
    side = np.where(on_grid, -1, np.where(left_east, SIDES.index("east"), SIDES.index("other")))
    return cell, side.astype(np.int64)


def _count(
    place: NDArray[np.int64], group: NDArray[np.int64], loss: NDArray[np.float64], groups: int, places: int
) -> NDArray[np.float64]:
    """Weights summed by place: (precursor, group, place); negative places do not count.

    ``place`` is (arrival, member, step), ``group`` (arrival, member), ``loss`` (arrival, precursor, step).
    """
    counted = place >= 0
    flat = (group[..., None] * places + place)[counted]
    out = np.empty((loss.shape[1], groups * places))
    for p in range(len(out)):
        weight = np.broadcast_to(loss[:, p, None, :], place.shape)[counted]
        out[p] = np.bincount(flat, weights=weight, minlength=groups * places)
    return out.reshape(len(out), groups, places)


def _spread_out(
    cell: NDArray[np.int64],
    group: NDArray[np.int64],
    loss: NDArray[np.float64],
    age: NDArray[np.float64],
    groups: int,
    settings: TransportSettings,
) -> NDArray[np.float64]:
    """Weights of one receptor by cell, spread by age class: (precursor, group, lat, lon)."""
    rows, columns = settings.grid.shape
    total = np.zeros((loss.shape[1], groups, rows, columns))
    middle = np.radians((settings.grid.lat_min + settings.grid.lat_max) / 2)
    age_class = np.searchsorted(_AGE_EDGES_H, age, side="right") - 1
    for k in np.unique(age_class):
        steps = age_class == k
        counts = _count(cell[..., steps], group, loss[..., steps], groups, rows * columns)
        spread_km = settings.spread_start_km.value + settings.spread_growth_kmh.value * age[steps].mean()
        spread_lat = _spreading(rows, spread_km / (_KM_PER_DEG * settings.grid.step_deg))
        spread_lon = _spreading(columns, spread_km / (_KM_PER_DEG * settings.grid.step_deg * np.cos(middle)))
        along_lon = (counts.reshape(-1, columns) @ spread_lon.T).reshape(total.shape)
        total += spread_lat @ along_lon
    return total


def _spreading(cells: int, sigma_cells: float) -> NDArray[np.float64]:
    """Matrix (to, from) that spreads a cell's weight along one axis; its columns add up to one."""
    edge = np.arange(cells + 1) - 0.5
    below = ndtr((edge[:, None] - np.arange(cells)[None, :]) / sigma_cells)
    share = np.diff(below, axis=0)
    return np.asarray(share / share.sum(axis=0))
