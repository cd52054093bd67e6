"""The grid of the drill's world and what is fixed on it: places, land and sea, hills, weights to points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from yrd_airq.region import Region, load_region
from yrd_airq.settings import Settings

KM_PER_DEGREE = 111.195
"""Length of one degree of a great circle of the mean Earth, km."""

# Sketch of China's coast: longitude at given latitudes, good to some 30 km.
_COAST_LAT = (
    14,
    20,
    24,
    26,
    26.6,
    27.2,
    28,
    30,
    31,
    32,
    33,
    34,
    34.6,
    35,
    35.6,
    36,
    36.5,
    37,
    38,
    40,
    42,
    54,
)
_COAST_LON = (
    *(109, 111, 118, 119.5, 119.9, 120.35, 121.1, 122, 122, 121.6, 120.8),
    *(120.2, 119.6, 119.2, 119.8, 120.4, 121, 122, 119.5, 122, 131, 139),
)
# Where the region's outlines tell land from sea the sketch is kept well inland of the coast.
_OUTLINED, _INLAND = (27.8, 34.7), 118.5
_SAMPLES = 4


class Hill(Settings):
    """A massif as a bell: area-mean height at its centre (m), distance at which it falls to 1/e (km)."""

    name_zh: str
    lon: float
    lat: float
    height_m: float
    radius_km: float


class GridSettings(Settings):
    """Regular grid of the world; degrees, both ends included; ``hills`` are a sketch of its terrain."""

    lon_min: float
    lon_max: float
    lat_min: float
    lat_max: float
    step: float
    hills: tuple[Hill, ...] = ()


@dataclass(frozen=True)
class Grid:
    """Regular grid; ``lon`` (nx) and ``lat`` (ny) ascending, ``land`` (ny, nx) from 0 (sea) to 1.

    ``height`` (ny, nx) is the mean height of the ground above the sea, m.
    """

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    land: NDArray[np.float64]
    height: NDArray[np.float64]
    step: float

    @property
    def shape(self) -> tuple[int, int]:
        """(ny, nx)."""
        return len(self.lat), len(self.lon)

    @property
    def x_km(self) -> NDArray[np.float64]:
        """Distance east of the grid's west edge, (ny, nx), at the mean latitude's scale."""
        scale = KM_PER_DEGREE * np.cos(np.radians(self.lat.mean()))
        return np.broadcast_to((self.lon - self.lon[0]) * scale, self.shape)

    @property
    def y_km(self) -> NDArray[np.float64]:
        """Distance north of the grid's south edge, (ny, nx)."""
        return np.broadcast_to(((self.lat - self.lat[0]) * KM_PER_DEGREE)[:, None], self.shape)

    @cached_property
    def cell_km(self) -> tuple[NDArray[np.float64], float]:
        """Width of the cells (ny, 1) and their height, km."""
        height = self.step * KM_PER_DEGREE
        return height * np.cos(np.radians(self.lat))[:, None], height

    def nearest_cell(self, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.int64]:
        """Flat index of the cell that holds each point."""
        column = np.clip(np.rint((np.asarray(lon) - self.lon[0]) / self.step), 0, len(self.lon) - 1)
        row = np.clip(np.rint((np.asarray(lat) - self.lat[0]) / self.step), 0, len(self.lat) - 1)
        return (row * len(self.lon) + column).astype(np.int64)

    def weights_to(self, lon: ArrayLike, lat: ArrayLike) -> NDArray[np.float64]:
        """Bilinear weights from the cells to points, shape (cell, point)."""
        x = (np.asarray(lon, dtype=float) - self.lon[0]) / self.step
        y = (np.asarray(lat, dtype=float) - self.lat[0]) / self.step
        i = np.clip(x.astype(int), 0, len(self.lon) - 2)
        j = np.clip(y.astype(int), 0, len(self.lat) - 2)
        fx, fy = x - i, y - j
        weights = np.zeros((self.land.size, len(x)))
        point = np.arange(len(x))
        for dj, di, weight in (
            (0, 0, (1 - fy) * (1 - fx)),
            (0, 1, (1 - fy) * fx),
            (1, 0, fy * (1 - fx)),
            (1, 1, fy * fx),
        ):
            weights[(j + dj) * len(self.lon) + i + di, point] += weight
        return weights


def coast_lon(lat: ArrayLike) -> NDArray[np.float64]:
    """Longitude of the coast at latitudes: land lies to the west; islands and peninsulas are left out."""
    return np.interp(np.asarray(lat, dtype=float), _COAST_LAT, _COAST_LON)


def make_grid(settings: GridSettings, region: Region | None = None) -> Grid:
    """The grid of the settings, with land and sea by the region's outlines and hills."""
    nx = round((settings.lon_max - settings.lon_min) / settings.step) + 1
    ny = round((settings.lat_max - settings.lat_min) / settings.step) + 1
    lon = settings.lon_min + settings.step * np.arange(nx, dtype=np.float64)
    lat = settings.lat_min + settings.step * np.arange(ny, dtype=np.float64)
    land = _land_share(lon, lat, settings.step, region or load_region())
    height = np.zeros((ny, nx))
    for hill in settings.hills:
        east = (lon[None, :] - hill.lon) * np.cos(np.radians(hill.lat)) * KM_PER_DEGREE
        north = (lat[:, None] - hill.lat) * KM_PER_DEGREE
        height += hill.height_m * np.exp(-(east**2 + north**2) / hill.radius_km**2)
    return Grid(lon, lat, land, height * land, settings.step)


def _land_share(
    lon: NDArray[np.float64], lat: NDArray[np.float64], step: float, region: Region
) -> NDArray[np.float64]:
    """Share of each cell that is land, (ny, nx), sampled at points within it."""
    within = step * ((np.arange(_SAMPLES) + 0.5) / _SAMPLES - 0.5)
    fine_lon, fine_lat = (lon[:, None] + within).ravel(), (lat[:, None] + within).ravel()
    x, y = np.meshgrid(fine_lon, fine_lat)
    outlined = (y > _OUTLINED[0]) & (y < _OUTLINED[1])
    dry = x < np.where(outlined, _INLAND, coast_lon(y))
    open_ = np.flatnonzero(~dry)
    found = region.locate(x.ravel()[open_], y.ravel()[open_])
    dry.ravel()[open_] = pd.notna(found)
    return dry.reshape(len(lat), _SAMPLES, len(lon), _SAMPLES).mean(axis=(1, 3))
