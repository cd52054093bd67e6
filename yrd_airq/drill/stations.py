"""The drill's monitoring network: where the stations stand and what they report of the air, with faults."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.signal import lfilter

from yrd_airq.drill.air import CO, DUST, NOX, OX, PM, SEC, SO2, UGM3_PER_PPB, Array, PointAir, no2_of
from yrd_airq.drill.settings import StationSettings
from yrd_airq.region import Region
from yrd_airq.vocab import Pollutant

LIST_COLUMNS = ("监测点编码", "监测点名称", "城市", "经度", "纬度")
"""Columns of the station list."""

# Spread of stations around the city's centre, degrees.
_SPREAD = 0.05
# How much denser the air of a street is than that of its 50 km cell: NOx and SO2/CO, fine PM, coarse PM.
_URBAN_NOX, _URBAN_GAS, _URBAN_FINE, _URBAN_COARSE = 1.9, 1.5, 1.3, 1.4
_SPIKE_FACTOR = 9.0


@dataclass(frozen=True)
class Network:
    """The stations and their siting: factors by which their air exceeds the cell's (station)."""

    table: pd.DataFrame
    nox_factor: NDArray[np.float64]
    pm_factor: NDArray[np.float64]


def make_network(settings: StationSettings, region: Region, rng: np.random.Generator) -> Network:
    """Stations around every city's centre, and one in some county-level cities (``LIST_COLUMNS``)."""
    city = np.repeat(np.arange(len(region.cities)), settings.per_city)
    place = region.lonlat[city]
    name = [region.cities[k].short_zh for k in city]
    number = np.tile(np.arange(1, settings.per_city + 1), len(region.cities))
    for county in settings.county_cities:
        parent = region.adcodes.index(region.settings.county_cities[county])
        place = np.vstack([place, region.lonlat[parent] + (0.35, 0.1)])
        name.append(county)
        number = np.append(number, 1)
    place = place + rng.normal(0, _SPREAD, size=place.shape)
    table = pd.DataFrame(
        {
            "监测点编码": [f"{settings.first_code + k:04d}A" for k in range(len(name))],
            "监测点名称": [f"示例站-{city_name}{k}" for city_name, k in zip(name, number, strict=True)],
            "城市": name,
            "经度": place[:, 0].round(4),
            "纬度": place[:, 1].round(4),
        }
    )
    return Network(
        table,
        nox_factor=_URBAN_NOX * rng.lognormal(0, 0.18, size=len(name)),
        pm_factor=rng.lognormal(0, 0.07, size=len(name)),
    )


def observe(
    air: PointAir, network: Network, settings: StationSettings, rng: np.random.Generator
) -> dict[Pollutant, Array]:
    """Hourly reports (time, station) in the units of the feed (CO mg/m³, else µg/m³), faults included.

    Reports are rounded as published: whole µg/m³, CO to 0.1 mg/m³, never below the smallest step.
    """
    values = true_concentrations(air, network)
    shape = (len(air.times), len(network.table))
    common = _wander(rng, shape, settings.noise)
    for pollutant in Pollutant:
        own = _wander(rng, shape, settings.noise)
        values[pollutant] = values[pollutant] * np.exp(0.6 * common * (pollutant is not Pollutant.O3) + own)
    _add_spikes(values, settings.spikes, rng)
    for pollutant, table in values.items():
        step = 0.1 if pollutant is Pollutant.CO else 1.0
        values[pollutant] = np.maximum(np.rint(table / step), 1) * step
    _blank(values, settings, rng)
    return values


def true_concentrations(air: PointAir, network: Network) -> dict[Pollutant, Array]:
    """The world's own concentrations at the stations (time, station), before any fault of measurement."""
    state = air.state
    nox = state[:, NOX] * network.nox_factor
    ox = state[:, OX] + 0.08 * (nox - state[:, NOX])
    no2 = no2_of(nox, ox, air.photolysis_ppb)
    fine = (_URBAN_FINE * state[:, PM] + state[:, SEC]) * network.pm_factor
    return {
        Pollutant.SO2: _URBAN_GAS * state[:, SO2],
        Pollutant.NO2: no2 * UGM3_PER_PPB["no2"],
        Pollutant.CO: _URBAN_GAS * state[:, CO] / 1000,
        Pollutant.O3: np.maximum(ox - no2, 0) * UGM3_PER_PPB["o3"],
        Pollutant.PM10: fine + _URBAN_COARSE * state[:, DUST] * network.pm_factor,
        Pollutant.PM25: fine,
    }


def _wander(rng: np.random.Generator, shape: tuple[int, int], size: float) -> NDArray[np.float64]:
    """Noise that keeps its sign for some hours, standard deviation ``size``."""
    keep = 0.7
    noise = rng.normal(0, size * np.sqrt(1 - keep**2), size=shape)
    return np.asarray(lfilter([1.0], [1.0, -keep], noise, axis=0))


def _add_spikes(values: dict[Pollutant, Array], count: int, rng: np.random.Generator) -> None:
    """A few single hours far too high, one pollutant at one station each; in place."""
    order = list(Pollutant)
    hours, stations = values[order[0]].shape
    for which, hour, station in zip(
        rng.integers(len(order), size=count),
        rng.integers(hours, size=count),
        rng.integers(stations, size=count),
        strict=True,
    ):
        values[order[which]][hour, station] *= _SPIKE_FACTOR


def _blank(values: dict[Pollutant, Array], settings: StationSettings, rng: np.random.Generator) -> None:
    """Remove single cells, outages of whole stations, and whole hours of the network; in place."""
    hours, stations = next(iter(values.values())).shape
    down = np.zeros((hours, stations), dtype=bool)
    starts = rng.integers(hours, size=settings.outages)
    for start, length, station in zip(
        starts,
        rng.integers(3, 72, size=settings.outages),
        rng.integers(stations, size=settings.outages),
        strict=True,
    ):
        down[start : start + length, station] = True
    down[rng.choice(hours, size=settings.absent_hours, replace=False)] = True
    for table in values.values():
        table[down | (rng.uniform(size=down.shape) < settings.missing_share)] = np.nan
