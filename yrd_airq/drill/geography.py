"""Where the drill's sources lie on the grid: people, roads, farms, ships, neighbours, and the woods."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from yrd_airq.drill.grid import Grid
from yrd_airq.drill.settings import NeighbourSettings, Pattern
from yrd_airq.region import City, Region, distance_km

Map = NDArray[np.float64]
Cities = Sequence[City] | Sequence[NeighbourSettings]

# Part of a city's people in its core, and the core's radius; the rest lives in the towns around, which reach
# further where only the largest cities are named.
_CORE_SHARE, _CORE_KM = 0.3, 18.0
_TOWNS_KM, _FAR_TOWNS_KM = 50.0, 80.0
# Part of the traffic that runs between the cities, the roads that leave a city, and their half width.
_BETWEEN_SHARE, _ROADS_EACH, _ROAD_KM = 0.5, 4, 9.0
# The Yangtze's navigable course and the lanes along the coast, as longitude and latitude of way points.
_RIVER = (
    (111.3, 30.7),
    (114.3, 30.6),
    (116.0, 29.8),
    (117.5, 30.7),
    (118.6, 31.9),
    (120.0, 32.0),
    (121.8, 31.4),
)
_COAST = (
    (120.6, 36.0),
    (121.5, 34.5),
    (122.6, 32.5),
    (122.6, 30.6),
    (122.3, 29.2),
    (121.4, 27.8),
    (120.3, 26.2),
)
_LANE_KM = 18.0
# Large cities have the cleaner fleets and stoves, and more flats than workshops.
_BY_PEOPLE = 0.8
_RIVER_SHARE = 0.3


def lay_out(pattern: Pattern, grid: Grid, region: Region, neighbours: tuple[NeighbourSettings, ...]) -> Map:
    """Share of a pattern's sources in each cell (cell).

    Shares of the region's 41 cities sum to 1, so that a total of the region may be multiplied by them;
    neighbours come on top by their own people. Ships and ``neighbours`` sum to 1 by themselves.
    """
    total = sum(_activity(region.cities))
    inside = _spread(grid, region.cities, _TOWNS_KM) / total
    outside = _spread(grid, neighbours, _FAR_TOWNS_KM) / total
    if pattern == "people":
        return inside + outside
    if pattern == "roads":
        return (1 - _BETWEEN_SHARE) * (inside + outside) + _BETWEEN_SHARE * _roads(grid, region, neighbours)
    if pattern == "neighbours":
        return outside / outside.sum()
    if pattern == "farms":
        return _farms(grid, region)
    return _ships(grid)


def woods(grid: Grid) -> Map:
    """Part of each cell (ny, nx) under trees: the hills of the south and the west, little on the plains.

    A sketch of the land cover: Zhejiang, southern Anhui, Jiangxi and Fujian are mostly wooded, as are the
    Dabie hills about 31.2°N 115.8°E; the plain north of the Yangtze is farmland.
    """
    lon, lat = np.meshgrid(grid.lon, grid.lat)
    south = 0.65 / (1 + np.exp((lat - 30.1) / 0.45))
    hills = 0.55 * np.exp(-(((lat - 31.3) / 0.5) ** 2) - ((lon - 115.8) / 0.8) ** 2)
    west = 0.5 / (1 + np.exp((lon - 111.4) / 0.4))
    plain = 0.35 * np.exp(-(((lat - 30.7) / 0.5) ** 2) - ((lon - 120.7) / 0.9) ** 2)
    return np.asarray(np.clip(0.08 + south + hills + west - plain, 0.03, 0.75) * grid.land)


def _activity(cities: Cities) -> list[float]:
    """What the people of each city set free, in a unit common to all cities; less by head in large ones."""
    return [city.population_10k**_BY_PEOPLE for city in cities]


def _spread(grid: Grid, cities: Cities, towns_km: float) -> Map:
    """Activity of cities per cell; nobody lives on the sea."""
    km = _km_to(grid, np.array([(city.lon, city.lat) for city in cities]).reshape(-1, 2))
    count = np.array(_activity(cities))
    people = np.zeros(grid.land.size)
    for radius, share in ((_CORE_KM, _CORE_SHARE), (towns_km, 1 - _CORE_SHARE)):
        near = np.exp(-0.5 * (km / radius) ** 2) * grid.land.ravel()
        people += share * count @ (near / near.sum(axis=1, keepdims=True))
    return people


def _km_to(grid: Grid, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance from places (place, (lon, lat)) to the cells: (place, cell)."""
    x, y = (axis.ravel() for axis in np.meshgrid(grid.lon, grid.lat))
    return distance_km(places[:, 0, None], places[:, 1, None], x, y)


def _roads(grid: Grid, region: Region, neighbours: tuple[NeighbourSettings, ...]) -> Map:
    """Traffic between every city and its nearest ones, by the people at both ends; the region's sums to 1."""
    known = [(city.lon, city.lat, city.population_10k) for city in region.cities]
    known += [(city.lon, city.lat, city.population_10k) for city in neighbours]
    at, people = np.array(known)[:, :2], np.array(known)[:, 2]
    apart = distance_km(at[:, 0, None], at[:, 1, None], at[:, 0], at[:, 1])
    nearest = apart.argsort(axis=1)[:, 1 : _ROADS_EACH + 1]
    start, end = np.repeat(np.arange(len(people)), _ROADS_EACH), nearest.ravel()
    weight = np.sqrt(people[start] * people[end])
    steps = np.linspace(0, 1, 9)[:, None, None]
    points = (at[start] + steps * (at[end] - at[start])).reshape(-1, 2)
    share = _band(grid, points, np.tile(weight / len(steps), len(steps)), _ROAD_KM) * grid.land.ravel()
    of_region = weight[start < len(region.cities)].sum() / weight.sum()
    return np.asarray(share / share.sum() / of_region)


def _band(grid: Grid, points: NDArray[np.float64], weight: NDArray[np.float64], half_km: float) -> Map:
    """Weights of points (lon, lat) spread over the cells within some ``half_km`` of each."""
    near = np.exp(-0.5 * (_km_to(grid, points) / half_km) ** 2)
    return np.asarray(weight @ (near / near.sum(axis=1, keepdims=True)))


def _farms(grid: Grid, region: Region) -> Map:
    """Fields and stock: the plains, most of all those of the north; the region's part sums to 1."""
    lon, lat = np.meshgrid(grid.lon, grid.lat)
    fields = grid.land * (1 - woods(grid)) * (0.45 + 0.55 / (1 + np.exp(-(lat - 32.2) / 0.6)))
    of_region = region.locate(lon.ravel(), lat.ravel()) != np.array(None)
    return np.asarray(fields.ravel() / fields.ravel()[of_region].sum())


def _ships(grid: Grid) -> Map:
    def lane(way: tuple[tuple[float, float], ...]) -> Map:
        points = np.array(way)
        along = np.linspace(0, len(points) - 1, 90)
        path = np.column_stack([np.interp(along, np.arange(len(points)), points[:, k]) for k in (0, 1)])
        share = _band(grid, path, np.ones(len(path)), _LANE_KM)
        return share / share.sum()

    return _RIVER_SHARE * lane(_RIVER) + (1 - _RIVER_SHARE) * lane(_COAST)
