"""The drill's monitoring network: where the stations stand, and what air they breathe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.clock import day_of_label
from yrd_airq.drill.grid import KM_PER_DEGREE
from yrd_airq.drill.settings import StationSettings
from yrd_airq.drill.state import ugm3_per_ppb
from yrd_airq.region import Region
from yrd_airq.vocab import Pollutant, Target

Table = NDArray[np.floating[Any]]

LIST_COLUMNS = ("监测点编码", "监测点名称", "城市", "经度", "纬度")
"""Columns of the station list."""

_EMITTED_AS_NO2 = 0.08
_TOWN = 0.5
_DAILY = tuple(target for target in Target if target is not Target.O3_MEAN)


@dataclass(frozen=True)
class Network:
    """The stations; ``adcode`` of the prefecture whose mean each enters, empty for county-level cities.

    ``local`` (station) is how much more of what is emitted nearby each meets than its cell: 1 as the
    average urban station, 0 as the cell.
    """

    table: pd.DataFrame
    adcode: tuple[str, ...]
    local: NDArray[np.float64]

    @property
    def codes(self) -> list[str]:
        """The stations' codes in order."""
        return [str(code) for code in self.table["监测点编码"]]


@dataclass(frozen=True)
class Truth:
    """The world's own hourly concentrations at the stations, before any fault of measurement.

    ``values`` (time, station) per pollutant in the feeds' units (CO mg/m³, else µg/m³); ``times`` are
    hour-ending Beijing labels.
    """

    times: pd.DatetimeIndex
    values: dict[Pollutant, Table]
    network: Network

    def city_days(self) -> pd.DataFrame:
        """Daily truth of the cities: adcode, date, target, value (µg/m³, CO mg/m³), whole days only.

        A city's value is the mean of its stations' daily means, and of their largest 8-h mean within the
        day for ozone (HJ 663-2013).
        """
        day = day_of_label(self.times)
        whole = day.value_counts()
        days = pd.DatetimeIndex(whole.index[whole == 24]).sort_values()
        parts = [self._days_of(target, day, days) for target in _DAILY]
        return pd.concat(parts, ignore_index=True)

    def _days_of(self, target: Target, day: pd.DatetimeIndex, days: pd.DatetimeIndex) -> pd.DataFrame:
        hourly = self.values[target.info.pollutant][np.asarray(day.isin(days))]
        by_day = hourly.reshape(len(days), 24, -1)
        if target.info.statistic == "mda8":
            total = np.cumsum(by_day, axis=1)
            windows = total[:, 7:].copy()
            windows[:, 1:] -= total[:, :-8]
            daily = windows.max(axis=1) / 8
        else:
            daily = by_day.mean(axis=1)
        station = pd.DataFrame(daily, index=days, columns=pd.Index(self.network.adcode, name="adcode"))
        city = station.loc[:, station.columns != ""].T.groupby(level=0).mean().T
        long = (
            city.rename_axis(index="date").reset_index().melt("date", var_name="adcode", value_name="value")
        )
        return long.assign(target=target.value)[["adcode", "date", "target", "value"]]


def make_network(settings: StationSettings, region: Region, rng: np.random.Generator) -> Network:
    """Stations around every city's centre, and one in some county-level cities (``LIST_COLUMNS``)."""
    each = [settings.stations.get(code, settings.per_city) for code in region.adcodes]
    city = np.repeat(np.arange(len(region.cities)), each)
    place = region.lonlat[city]
    name = [region.cities[k].short_zh for k in city]
    number = [k + 1 for count in each for k in range(count)]
    adcode = [region.adcodes[k] for k in city]
    for county in settings.county_cities:
        parent = region.adcodes.index(region.settings.county_cities[county])
        place = np.vstack([place, region.lonlat[parent] + (0.35, 0.1)])
        name, number, adcode = [*name, county], [*number, 1], [*adcode, ""]
    degrees = settings.spread_km / KM_PER_DEGREE * np.array([1 / np.cos(np.radians(31.0)), 1.0])
    place = place + rng.normal(0, 1, size=place.shape) * degrees
    table = pd.DataFrame(
        {
            "监测点编码": [f"{settings.first_code + k:04d}A" for k in range(len(name))],
            "监测点名称": [f"示例站-{city_name}{k}" for city_name, k in zip(name, number, strict=True)],
            "城市": name,
            "经度": place[:, 0].round(4),
            "纬度": place[:, 1].round(4),
        }
    )
    # A small town fills a small part of its cell, so that its stations stand out more from the cell's mean.
    people = np.array([city.population_10k for city in region.cities])
    small = (np.median(people) / people) ** _TOWN
    local = np.append(small[city], np.ones(len(settings.county_cities)))
    local = local * np.clip(rng.lognormal(-0.08, 0.4, size=len(name)), 0.2, 2.5)
    return Network(table, tuple(adcode), local)


def true_concentrations(
    times: pd.DatetimeIndex,
    state: Table,
    kinds: tuple[str, ...],
    network: Network,
    settings: StationSettings,
) -> Truth:
    """The truth at the stations from the air of their cells, ``state`` (time, ``kinds``, station).

    A station in a built-up part meets more of what is emitted nearby than its cell's mean. Its NO then
    takes up ozone until NO, O₃ and NO₂ stand in the same photostationary ratio as in the cell (Leighton
    1961), with NO₂ and O₃ together unchanged but for what is emitted as NO₂. NO₂ is what monitors take for
    it, PAN included.
    """
    at = {name: state[:, place] for place, name in enumerate(kinds)}
    more = {name: 1 + (float(factor) - 1) * network.local for name, factor in settings.urban.items()}
    no2, o3 = _balance(at["no"], at["no2"], at["o3"], more["nox"])
    fine = at["pm25_ugm3"] + (more["fine"] - 1) * at["pm"]
    values = {
        Pollutant.SO2: more["gas"] * at["so2"] * ugm3_per_ppb("so2"),
        Pollutant.NO2: (no2 + float(settings.pan_as_no2) * at["pan"]) * ugm3_per_ppb("no2"),
        Pollutant.CO: more["gas"] * at["co"] * ugm3_per_ppb("co") / 1000,
        Pollutant.O3: o3 * ugm3_per_ppb("o3"),
        Pollutant.PM10: fine + more["coarse"] * at["dust"],
        Pollutant.PM25: fine,
    }
    # Single precision, in which the truth is kept.
    return Truth(times, {p: np.maximum(v, 0).astype(np.float32) for p, v in values.items()}, network)


def _balance(no: Table, no2: Table, o3: Table, more: Table) -> tuple[Table, Table]:
    """NO₂ and O₃ (ppb) after NOx has grown by the factor ``more``; unchanged where it is 1."""
    nox = (no + no2) * more
    both = o3 + no2 + _EMITTED_AS_NO2 * (nox - no - no2)
    ratio = no * o3 / np.maximum(no2, 1e-3)
    half = 0.5 * (nox + both + ratio)
    balanced = half - np.sqrt(np.maximum(half**2 - nox * both, 0))
    return balanced, np.maximum(both - balanced, 0)
