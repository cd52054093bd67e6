"""Emission on the ground: what the list holds, what the region emits besides, and the land around."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.attribution.settings import EmissionSettings
from yrd_airq.errors import InputError
from yrd_airq.region import Region
from yrd_airq.transport.footprint import Footprint
from yrd_airq.vocab import Precursor

_POINTS_PER_CELL = 4
"""A cell is divided into this many by this many points to see which cities share it."""
EMISSION_COLUMNS = tuple(f"{precursor.value}_tpa" for precursor in Precursor)


@dataclass(frozen=True)
class Inventory:
    """Annual emission by source, t/a.

    ``listed`` (enterprise, precursor) with nought where unknown and ``known`` of the same shape;
    ``unlisted`` (city, precursor): all else a city emits; ``city_density`` (city, lat, lon): part of
    a city's unlisted emission per km² of a cell; ``background`` (precursor, lat, lon): t/(a km²) from
    ground outside the region, nought inside; ``land``, ``sea`` (precursor,): the same off the grid.
    """

    listed: NDArray[np.float64]
    known: NDArray[np.bool_]
    unlisted: NDArray[np.float64]
    city_density: NDArray[np.float64]
    background: NDArray[np.float64]
    land: NDArray[np.float64]
    sea: NDArray[np.float64]


def take_inventory(
    enterprises: pd.DataFrame,
    region: Region,
    ground: Footprint,
    settings: EmissionSettings,
) -> Inventory:
    """Emissions on the grid of a footprint from an enterprise list (canonical columns).

    What a province emits beyond its listed enterprises (never below nought) goes to its cities by
    population and evenly over each city's ground. Raises ``InputError`` for repeated ids and for
    negative emissions.
    """
    _check(enterprises)
    amounts = enterprises[list(EMISSION_COLUMNS)].to_numpy(dtype=float)
    placed = np.isfinite(enterprises[["lon", "lat"]].to_numpy(dtype=float)).all(axis=1)
    known = np.isfinite(amounts) & placed[:, None]
    listed = np.where(known, amounts, 0.0)
    share = city_shares(region, ground.lat, ground.lon)
    area = ground.cell_area_km2[:, None]
    covered = share.sum(axis=0)
    land, sea = (
        np.array([table[precursor].value for precursor in Precursor])
        for table in (settings.land_tpa_km2, settings.sea_tpa_km2)
    )
    density = np.where(
        _at_sea(covered, ground.lon, settings.coast_lon), sea[:, None, None], land[:, None, None]
    )
    return Inventory(
        listed=listed,
        known=known,
        unlisted=_unlisted(listed, enterprises["adcode"], region, settings),
        city_density=share / (share * area).sum(axis=(1, 2), keepdims=True),
        background=density * (1 - covered),
        land=land,
        sea=sea,
    )


def unknown_emissions(enterprises: pd.DataFrame, known: NDArray[np.bool_]) -> pd.DataFrame:
    """Enterprises without a usable emission: enterprise_id, name_zh, adcode, precursor, reason."""
    row, column = np.nonzero(~known)
    found = enterprises[["enterprise_id", "name_zh", "adcode"]].iloc[row].reset_index(drop=True)
    found["precursor"] = np.array([precursor.value for precursor in Precursor], dtype=object)[column]
    amount = enterprises[list(EMISSION_COLUMNS)].to_numpy(dtype=float)[row, column]
    found["reason"] = np.where(np.isnan(amount), "emission unknown", "position unknown")
    return found


def city_shares(region: Region, lat: NDArray[np.float64], lon: NDArray[np.float64]) -> NDArray[np.float64]:
    """Part of each grid cell that lies in each city, (city, lat, lon), to about a sixteenth of a cell."""
    step = float(lat[1] - lat[0])
    offset = ((np.arange(_POINTS_PER_CELL) + 0.5) / _POINTS_PER_CELL - 0.5) * step
    fine_lat, fine_lon = (lat[:, None] + offset).ravel(), (lon[:, None] + offset).ravel()
    grid_lon, grid_lat = np.meshgrid(fine_lon, fine_lat)
    adcode = region.locate(grid_lon.ravel(), grid_lat.ravel())
    city = pd.Index(region.adcodes).get_indexer(pd.Index(adcode))
    fine = (city.reshape(grid_lon.shape)[None] == np.arange(len(region.cities))[:, None, None]).astype(float)
    blocks = fine.reshape(len(region.cities), len(lat), _POINTS_PER_CELL, len(lon), _POINTS_PER_CELL)
    share = blocks.mean(axis=(2, 4))
    empty = share.sum(axis=(1, 2)) == 0
    if empty.any():
        names = ", ".join(np.array([c.name_en for c in region.cities])[empty])
        raise InputError(f"the footprint grid does not reach {names}; widen it in configs/transport.yaml")
    return np.asarray(share)


def _check(enterprises: pd.DataFrame) -> None:
    repeated = enterprises["enterprise_id"][enterprises["enterprise_id"].duplicated()]
    if len(repeated):
        raise InputError(f"enterprise {repeated.iloc[0]} is listed twice; give each line an id of its own")
    negative = (enterprises[list(EMISSION_COLUMNS)] < 0).any(axis=1)
    if negative.any():
        name = enterprises.loc[negative, "enterprise_id"].iloc[0]
        raise InputError(f"enterprise {name} has a negative emission; correct it or leave it blank")


def _unlisted(
    listed: NDArray[np.float64], adcode: pd.Series, region: Region, settings: EmissionSettings
) -> NDArray[np.float64]:
    """Emission of each city beyond the list, (city, precursor), t/a."""
    province = pd.Index(sorted(region.settings.provinces))
    city_province = province.get_indexer(pd.Index([city.province_code for city in region.cities]))
    people = np.array([city.population_10k for city in region.cities])
    share = people / np.bincount(city_province, weights=people)[city_province]
    city = pd.Index(region.adcodes).get_indexer(pd.Index(adcode))
    of_province = np.zeros((len(province), len(Precursor)))
    inside = city >= 0
    np.add.at(of_province, city_province[city[inside]], listed[inside])
    total = np.array(
        [
            [
                1000 * settings.regional_kt[p].value * settings.province_share[p].values[code]
                for p in Precursor
            ]
            for code in province
        ]
    )
    rest = np.maximum(total - of_province, 0.0)
    return np.asarray(rest[city_province] * share[:, None])


def _at_sea(covered: NDArray[np.float64], lon: NDArray[np.float64], coast_lon: float) -> NDArray[np.bool_]:
    """Cells in the region's rows east of its last cell, or off its ground east of ``coast_lon``."""
    columns = np.arange(covered.shape[1])
    easternmost = np.where(covered > 0, columns, -1).max(axis=1)[:, None]
    return np.asarray((easternmost >= 0) & ((columns >= easternmost) | (lon > coast_lon)))
