"""Which stations stand beside a station, and what they measured at the same hour.

Neighbours are chosen from the station list alone, never from the values of a window, so that every window is
judged by the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.quality.settings import NeighbourSettings
from yrd_airq.quality.windows import Values, middle_in_blocks
from yrd_airq.region import distance_km

SLOTS = 8
"""Neighbours of a station at most."""


@dataclass(frozen=True)
class Neighbours:
    """``column`` (station, slot): those of a station's neighbours, nearest first; −1 where there is none."""

    column: NDArray[np.int64]

    @property
    def any(self) -> bool:
        """Whether any station has a neighbour."""
        return bool((self.column >= 0).any())

    def gather(self, values: Values) -> list[Values]:
        """The values of the neighbours in each slot, each of the shape (hour, station) of ``values``."""
        blank = np.full((len(values), 1), np.nan, dtype=values.dtype)
        padded = np.concatenate([values, blank], axis=1)
        return [np.take(padded, self.column[:, slot], axis=1) for slot in range(SLOTS)]

    def largest(self, values: Values, hour: NDArray[np.intp], station: NDArray[np.intp]) -> Values:
        """For single cells the largest value of the neighbours at that hour, NaN without any."""
        column = self.column[station]
        beside = np.where(column >= 0, values[hour[:, None], column], values.dtype.type(np.nan))
        return np.fmax.reduce(beside, axis=1)


def find_neighbours(
    codes: pd.Index, stations: pd.DataFrame | None, settings: NeighbourSettings
) -> Neighbours:
    """The nearest listed stations of every column, those of the same city preferred.

    ``stations`` has station_code, lon, lat (degrees, may be missing) and adcode (may be missing). A station
    without a position has the others of its city as neighbours, one without both has none.
    """
    column = np.full((len(codes), SLOTS), -1, dtype=np.int64)
    if stations is None or len(stations) < 2:
        return Neighbours(column)
    listed = stations.drop_duplicates("station_code", keep="last").set_index("station_code")
    place = listed.reindex(codes.astype(str))
    nearness = _effective_km(place, listed, settings)
    near = np.argpartition(nearness, min(SLOTS, len(listed)) - 1, axis=1)[:, :SLOTS]
    order = np.lexsort((near, np.take_along_axis(nearness, near, axis=1)))
    near = np.take_along_axis(near, order, axis=1)
    serves = np.isfinite(np.take_along_axis(nearness, near, axis=1))
    found = codes.astype(str).get_indexer(listed.index.astype(str))[near]
    column[:, : near.shape[1]] = np.where(serves, found, -1)
    return Neighbours(column)


def refer(values: Values, neighbours: Neighbours, settings: NeighbourSettings) -> Values:
    """Median of the neighbours at each hour, shape of ``values``; NaN where too few of them have a value."""
    lower, upper, number = middle_in_blocks(lambda hours: neighbours.gather(values[hours]), values.shape)
    median = (lower + upper) / 2
    median[number < settings.at_least.value] = np.nan
    return median


def _effective_km(
    place: pd.DataFrame, listed: pd.DataFrame, settings: NeighbourSettings
) -> NDArray[np.float64]:
    """Distance by which neighbours are ranked, infinite where a station does not serve; (station, listed)."""
    here, there = _positions(place), _positions(listed)
    distance = distance_km(here[:, :1], here[:, 1:], there[:, 0], there[:, 1])
    city, _ = pd.factorize(pd.concat([_cities(place), _cities(listed)]))  # −1: in no known city
    city_here, city_there = city[: len(place), None], city[None, len(place) :]
    same = (city_here == city_there) & (city_here >= 0)
    radius = settings.radius_km.value
    unplaced = np.where(same, radius, np.inf)
    near = np.where(same, distance * settings.same_city_weight.value, distance)
    result = np.where(np.isnan(distance), unplaced, np.where(same | (distance <= radius), near, np.inf))
    itself = listed.index.get_indexer(place.index)
    row = np.flatnonzero(itself >= 0)
    result[row, itself[row]] = np.inf
    return np.asarray(result)


def _positions(table: pd.DataFrame) -> NDArray[np.float64]:
    return table.reindex(columns=["lon", "lat"]).astype(float).to_numpy()


def _cities(table: pd.DataFrame) -> pd.Series:
    return table.reindex(columns=["adcode"])["adcode"].astype(object)
