"""What the drill's world emits into each grid cell: listed enterprises, diffuse sources, the land around."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.drill.grid import Grid
from yrd_airq.drill.settings import DiffuseSettings
from yrd_airq.region import Region, distance_km

SPECIES = ("nox", "voc", "so2", "co", "pm", "dust")
"""Emitted species, in the order of the first axis of every emission field."""

_HOURS_PER_YEAR = 8760
# Emission density of the land around the region relative to the region's mean: dense in the north and west.
_NORTH, _SOUTH = 0.85, 0.35
_CITY_SPREAD_KM = 28.0


@dataclass(frozen=True)
class Emission:
    """Emission fields (species, cell), yearly mean µg m⁻² h⁻¹, of ``listed`` enterprises and ``diffuse``."""

    listed: NDArray[np.float64]
    diffuse: NDArray[np.float64]

    def at(self, hour: int, weekday: int) -> NDArray[np.float64]:
        """Emission in the hour that ends at ``hour`` on ``weekday`` (Monday 0)."""
        diffuse = _TRAFFIC[(hour - 1) % 24] * (0.93 if weekday >= 5 else 1.0)
        return self.listed * _INDUSTRY[(hour - 1) % 24] + self.diffuse * diffuse


def _day_course(*anchors: tuple[float, float]) -> NDArray[np.float64]:
    """24 hourly factors with mean 1 through anchors (hour, factor)."""
    hour, factor = zip(*anchors, strict=True)
    course = np.interp(np.arange(24) + 0.5, hour, factor)
    return course / course.mean()


_TRAFFIC = _day_course((0, 0.45), (4, 0.35), (7.5, 1.5), (10, 1.2), (15, 1.2), (18, 1.6), (21, 1), (24, 0.45))
_INDUSTRY = _day_course((0, 0.8), (6, 0.8), (9, 1.15), (17, 1.15), (21, 0.85), (24, 0.8))


def make_emission(
    grid: Grid, region: Region, enterprises: pd.DataFrame, settings: DiffuseSettings
) -> Emission:
    """Emission fields on the grid; unknown emission of an enterprise counts as none."""
    width, height = grid.cell_km
    area_m2 = (np.broadcast_to(width * height, grid.shape) * 1e6).ravel()
    to_density = 1e12 / _HOURS_PER_YEAR / area_m2
    cell = grid.nearest_cell(enterprises["lon"], enterprises["lat"])
    listed = np.zeros((len(SPECIES), grid.land.size))
    for row, species in enumerate(("nox", "voc", "so2", None, "pm", None)):
        if species is not None:
            tonnes = enterprises[f"{species}_tpa"].fillna(0).to_numpy(dtype=float)
            listed[row] = np.bincount(cell, weights=tonnes, minlength=grid.land.size)
    total = np.array([float(getattr(settings, species)) for species in SPECIES])
    diffuse = total[:, None] * (_city_shares(grid, region) + _outside(grid, region))
    return Emission(listed * to_density, diffuse * to_density)


def _city_shares(grid: Grid, region: Region) -> NDArray[np.float64]:
    """Share of the region's diffuse emission in each cell; follows the cities' people."""
    people = np.array([city.population_10k for city in region.cities])
    lon, lat = (axis.ravel() for axis in np.meshgrid(grid.lon, grid.lat))
    km = distance_km(region.lonlat[:, 0, None], region.lonlat[:, 1, None], lon, lat)
    near = np.exp(-0.5 * (km / _CITY_SPREAD_KM) ** 2) * grid.land.ravel()
    return (people / people.sum()) @ (near / near.sum(axis=1, keepdims=True))


def _outside(grid: Grid, region: Region) -> NDArray[np.float64]:
    """Emission of the land around the region, in shares of the region's: a density relative to its mean."""
    lon, lat = (axis.ravel() for axis in np.meshgrid(grid.lon, grid.lat))
    km = distance_km(region.lonlat[:, 0, None], region.lonlat[:, 1, None], lon, lat).min(axis=0)
    outside = (km > 120) * grid.land.ravel()
    cells_of_region = ((km <= 75) * grid.land.ravel()).sum()
    density = _SOUTH + (_NORTH - _SOUTH) / (1 + np.exp(-(lat - 32)))
    return outside * density / cells_of_region
