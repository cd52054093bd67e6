"""Clusters of trajectories: the few ways by which air reaches a receptor, and how dirty each is.

k-means on points at equal ages, seen from the receptor in kilometres. The paths are put into a fixed
order before anything is drawn at random, so that the order they come in does not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.clock import day_of_label
from yrd_airq.errors import InputError
from yrd_airq.transport.kernel import METRES_PER_DEGREE
from yrd_airq.transport.settings import ClusterSettings
from yrd_airq.transport.trajectory import Trajectories

_ROUNDS = 200
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Clusters:
    """Clusters of one receptor's trajectories, the largest first.

    ``label`` (arrival,): cluster of each arrival. ``lon``, ``lat`` (cluster, point): mean path at the ages
    ``age_hours`` (point,). ``share`` (cluster,) adds up to one; ``concentration`` (cluster,): mean over
    the arrivals of days with a value, blank where there are none. ``variance`` (number − 1,): total
    spatial variance in km² by number of clusters, the ground for choosing it.
    """

    receptor: str
    label: NDArray[np.int64]
    lon: Array
    lat: Array
    age_hours: Array
    share: Array
    concentration: Array
    variance: Array

    @property
    def number(self) -> int:
        """How many clusters there are."""
        return len(self.share)


def find_clusters(
    trajectories: Trajectories,
    receptor: str,
    settings: ClusterSettings,
    concentrations: Mapping[date, float] | None = None,
) -> Clusters:
    """Clusters of a receptor's trajectories, central member; ``concentrations`` by day of arrival.

    A parcel that left the wind grid keeps its last known place. ``InputError`` for an unknown receptor.
    """
    if receptor not in trajectories.receptors:
        raise InputError(f"receptor {receptor!r} has no trajectories; trace it first")
    east, north, age = _resample(trajectories, trajectories.receptors.index(receptor), settings.every_hours)
    paths = np.asarray(np.hstack([east, north]).round(6), dtype=np.float64)
    # A fixed order of the paths, whatever the order they come in; equal paths are alike anyway.
    order = np.lexsort(paths.T[::-1])
    label_sorted, variance = _choose(paths[order], settings)
    label = np.empty(len(paths), dtype=np.int64)
    label[order] = label_sorted
    number = int(label.max()) + 1
    of_cluster = np.eye(number)[label_sorted]
    share = of_cluster.mean(axis=0)
    mean = (of_cluster.T @ paths[order]) / of_cluster.sum(axis=0)[:, None]
    lon0, lat0 = (
        axis[trajectories.receptors.index(receptor), 0, 0, 0] for axis in (trajectories.lon, trajectories.lat)
    )
    mean_east, mean_north = np.hsplit(mean, 2)
    km = METRES_PER_DEGREE / 1000
    return Clusters(
        receptor=receptor,
        label=label,
        lon=lon0 + mean_east / (km * np.cos(np.radians(lat0))),
        lat=lat0 + mean_north / km,
        age_hours=age,
        share=share,
        concentration=_mean_by_cluster(trajectories.arrivals[order], label_sorted, number, concentrations),
        variance=variance,
    )


def _resample(t: Trajectories, receptor: int, every_hours: int) -> tuple[Array, Array, Array]:
    """Kilometres east and north of the receptor, (arrival, point), and the ages of the points."""
    every = max(1, every_hours * 60 // t.step_minutes)
    points = np.arange(every, t.lon.shape[3], every)
    if points.size == 0:
        raise InputError(f"the trajectories are shorter than the {every_hours} h between points of a path")
    lon, lat = (axis[receptor, :, t.central_member] for axis in (t.lon, t.lat))
    last = np.isfinite(lon).sum(axis=1) - 1
    kept = np.minimum(points[None, :], last[:, None])
    lon0, lat0 = lon[:, :1], lat[:, :1]
    km = METRES_PER_DEGREE / 1000
    east = (np.take_along_axis(lon, kept, axis=1) - lon0) * km * np.cos(np.radians(lat0))
    north = (np.take_along_axis(lat, kept, axis=1) - lat0) * km
    return east, north, t.age_hours[points]


def _choose(paths: Array, settings: ClusterSettings) -> tuple[NDArray[np.int64], Array]:
    """Labels for the number of clusters that the rule of the settings picks, and the variances."""
    most = min(settings.most, len(np.unique(paths, axis=0)))
    found = [_cluster(paths, k, settings) for k in range(1, most + 1)]
    variance = np.array([value for _, value in found])
    gain = -np.diff(variance) / variance[0] if variance[0] > 0 else np.zeros(len(variance) - 1)
    enough = np.flatnonzero(gain < settings.least_gain.value)
    chosen = int(enough[0]) if enough.size else len(found) - 1
    return _largest_first(found[chosen][0]), variance


def _cluster(paths: Array, number: int, settings: ClusterSettings) -> tuple[NDArray[np.int64], float]:
    """Best of some k-means runs: labels and total spatial variance (km² per point)."""
    best: tuple[NDArray[np.int64], float] | None = None
    for restart in range(settings.restarts if number > 1 else 1):
        rng = np.random.default_rng((settings.seed, number, restart))
        centres = _seed(paths, number, rng)
        label = np.full(len(paths), -1)
        for _ in range(_ROUNDS):
            new = _distance(paths, centres).argmin(axis=1)
            if np.array_equal(new, label):
                break
            label = new
            member = np.eye(number)[label]
            size = member.sum(axis=0)
            # A cluster that lost all its paths keeps its place.
            centres = np.where(size[:, None] > 0, (member.T @ paths) / np.maximum(size, 1)[:, None], centres)
        value = float(_distance(paths, centres).min(axis=1).sum() / (paths.shape[1] / 2))
        if best is None or value < best[1]:
            best = label, value
    assert best is not None
    return best


def _seed(paths: Array, number: int, rng: np.random.Generator) -> Array:
    """Starting centres spread out over the paths (k-means++, Arthur and Vassilvitskii 2007)."""
    chosen = [int(rng.integers(len(paths)))]
    for _ in range(number - 1):
        distance = _distance(paths, paths[chosen]).min(axis=1)
        chosen.append(int(np.searchsorted(distance.cumsum(), rng.uniform() * distance.sum(), side="right")))
    return paths[np.minimum(chosen, len(paths) - 1)]


def _distance(paths: Array, centres: Array) -> Array:
    """Squared distances, (path, centre)."""
    return np.asarray(((paths[:, None] - centres[None]) ** 2).sum(axis=2))


def _largest_first(label: NDArray[np.int64]) -> NDArray[np.int64]:
    """Labels renumbered by falling size, then by first appearance; empty clusters vanish."""
    found, first, size = np.unique(label, return_index=True, return_counts=True)
    rank = np.empty(found.max() + 1, dtype=np.int64)
    rank[found[np.lexsort((first, -size))]] = np.arange(len(found))
    return rank[label]


def _mean_by_cluster(
    arrivals: pd.DatetimeIndex,
    label: NDArray[np.int64],
    number: int,
    concentrations: Mapping[date, float] | None,
) -> Array:
    if concentrations is None:
        return np.full(number, np.nan)
    value = np.array([concentrations.get(d.date(), np.nan) for d in day_of_label(arrivals)], dtype=float)
    known = np.isfinite(value)
    count = np.bincount(label[known], minlength=number)
    total = np.bincount(label[known], weights=value[known], minlength=number)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
