"""The grid of the drill's world and what is fixed on it: positions, land and sea, weights to points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from yrd_airq.drill.settings import GridSettings

KM_PER_DEGREE = 111.195
"""Length of one degree of a great circle of the mean Earth, km."""

# Sketch of China's coast, longitude at given latitudes; good to some 30 km, enough to tell land from sea.
_COAST_LAT = (20, 24, 26, 28, 30, 31, 32, 33, 34, 35, 36, 37, 38, 42)
_COAST_LON = (111, 118, 119.8, 121.1, 122, 122, 121.6, 120.8, 120.2, 119.4, 120.6, 122, 119.5, 122)


@dataclass(frozen=True)
class Grid:
    """Regular grid; ``lon`` (nx) and ``lat`` (ny) ascending, ``land`` (ny, nx) from 0 (sea) to 1."""

    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    land: NDArray[np.float64]
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

    @property
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


def make_grid(settings: GridSettings) -> Grid:
    """The grid of the settings, with land and sea."""
    lon = np.arange(settings.lon_min, settings.lon_max + settings.step / 2, settings.step)
    lat = np.arange(settings.lat_min, settings.lat_max + settings.step / 2, settings.step)
    inland = np.interp(lat, _COAST_LAT, _COAST_LON)[:, None] - lon[None, :]
    return Grid(lon, lat, 1 / (1 + np.exp(-inland / 0.25)), settings.step)
