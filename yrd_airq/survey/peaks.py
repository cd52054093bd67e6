"""Peaks: stretches of a track that stand clear of the background, cut where a plume gives way to the next."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.signal import find_peaks
from sklearn.cluster import DBSCAN

from yrd_airq.region import EARTH_RADIUS_KM
from yrd_airq.survey.settings import HotspotSettings

Labels = NDArray[np.int64]

_SMOOTH_BINS = 5
# A dip to less than this share of the lower of two summits parts two plumes; less of a dip is noise.
_DIP = 0.7


def label_peaks(
    bins: pd.DataFrame, enhanced: NDArray[np.float64], limit: float, settings: HotspotSettings
) -> Labels:
    """Number of the hotspot each bin belongs to, −1 for none.

    A pass is a stretch of bins above ``limit`` without a gap of ``pass_gap_s``; it is cut at the dips between
    its summits. Pieces of at least ``cluster_points`` bins whose summits lie within ``cluster_m`` of each
    other (repeated passes) form one hotspot.
    """
    piece = _pieces(bins["time"], enhanced, limit, settings)
    numbers, counts = np.unique(piece[piece >= 0], return_counts=True)
    kept = numbers[counts >= settings.cluster_points]
    label = np.full(len(bins), -1, dtype=np.int64)
    if kept.size:
        summit = np.array([_summit(bins, enhanced, piece == number) for number in kept])
        place = _merge(summit, settings)
        for number, hotspot in zip(kept, place, strict=True):
            label[piece == number] = hotspot
    return label


def _pieces(
    times: pd.Series, enhanced: NDArray[np.float64], limit: float, settings: HotspotSettings
) -> Labels:
    """Number of the piece each bin belongs to, in order of time; −1 below the limit."""
    above = np.flatnonzero(enhanced > limit)
    piece = np.full(len(enhanced), -1, dtype=np.int64)
    if not above.size:
        return piece
    gap = np.diff(times.to_numpy()[above]) > np.timedelta64(int(settings.pass_gap_s), "s")
    count = 0
    for stretch in np.split(above, np.flatnonzero(gap) + 1):
        cuts = _cuts(enhanced[stretch])
        piece[stretch] = count + np.searchsorted(cuts, np.arange(len(stretch)), side="right")
        count += len(cuts) + 1
    return piece


def _cuts(enhanced: NDArray[np.float64]) -> NDArray[np.int64]:
    """Positions at which a stretch is cut: the lowest bin between neighbouring summits with a real dip."""
    smooth = pd.Series(enhanced).rolling(_SMOOTH_BINS, center=True, min_periods=1).mean().to_numpy()
    summits, found = find_peaks(np.concatenate([[0.0], smooth, [0.0]]), prominence=0.0)
    summits -= 1
    summits = summits[found["prominences"] >= (1 - _DIP) * smooth[summits]]
    cuts = [a + int(np.argmin(smooth[a:b])) for a, b in pairwise(summits)]
    return np.array(cuts, dtype=np.int64)


def _summit(
    bins: pd.DataFrame, enhanced: NDArray[np.float64], member: NDArray[np.bool_]
) -> tuple[float, float]:
    """Latitude and longitude of the middle of a piece, weighted towards its highest bins."""
    weight = enhanced[member] ** 2
    lat, lon = (float(np.average(bins[name].to_numpy()[member], weights=weight)) for name in ("lat", "lon"))
    return lat, lon


def _merge(summit: NDArray[np.float64], settings: HotspotSettings) -> Labels:
    radius = settings.cluster_m / 1000 / EARTH_RADIUS_KM
    cluster = DBSCAN(eps=radius, min_samples=1, metric="haversine", algorithm="ball_tree")
    return np.asarray(cluster.fit_predict(np.radians(summit)), dtype=np.int64)
