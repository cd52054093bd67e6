"""Accepted values of stations and cities as statistics read them from the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from yrd_airq.clock import day_labels
from yrd_airq.errors import InputError
from yrd_airq.quality.daily import station_daily
from yrd_airq.quality.days import wide_frames
from yrd_airq.quality.flags import LEFT_OUT
from yrd_airq.quality.periods import Step, periods_of
from yrd_airq.region import load_region
from yrd_airq.standards.settings import EvaluationRules
from yrd_airq.store.store import Store
from yrd_airq.vocab import CityDaySource, Pollutant, Target


@dataclass(frozen=True)
class Source:
    """The places of a statistic in order, and for each its name, the name of its city and its adcode."""

    places: tuple[str, ...]
    name_zh: Mapping[str, str]
    city_zh: Mapping[str, str]
    adcode_of: Mapping[str, str]

    @property
    def of_cities(self) -> bool:
        """Whether the places are cities themselves."""
        return self.places == tuple(self.adcode_of[place] for place in self.places)


def read_days(
    store: Store,
    cities: bool,
    first: date,
    last: date,
    adcodes: Sequence[str] | None,
    rules: EvaluationRules,
) -> tuple[dict[Target, pd.DataFrame], Source]:
    """Valid daily values by target (day, place), not rounded, of cities or stations."""
    if cities:
        daily = store.city_daily(CityDaySource.STATIONS, first, last)
        frames = wide_frames(daily[daily["target"].isin([t.value for t in Target])])
        held = sorted(set(daily["adcode"]))
        return frames, _cities(held, adcodes, f"city-day values from {first} to {last}")
    stations = _stations(store)
    months = [
        station_daily(_accepted(store, month.first, month.last, stations, adcodes), rules)
        for month in periods_of(first, last, Step.MONTH)
    ]
    ended = _last_ended_day(store)
    joined = {
        target: pd.concat([month[target] for month in months]).loc[:ended]
        for target in Target
        if target in months[0]
    }
    return joined, _chosen(stations, joined.values(), f"station values from {first} to {last}")


def read_hours(
    store: Store, cities: bool, first: date, last: date, adcodes: Sequence[str] | None
) -> tuple[dict[Pollutant, pd.DataFrame], Source]:
    """Accepted hourly values by pollutant (hour-ending label, place) of cities or stations."""
    labels = day_labels(first, last)
    if cities:
        rows = store.city_hourly(labels[0].to_pydatetime(), labels[-1].to_pydatetime())
        frames = {
            Pollutant(str(name)): part.pivot(index="time", columns="adcode", values="value").reindex(labels)
            for name, part in rows.groupby("pollutant")
        }
        return frames, _cities(
            sorted(set(rows["adcode"])), adcodes, f"city-hour values from {first} to {last}"
        )
    stations = _stations(store)
    accepted = _accepted(store, first, last, stations, adcodes)
    return accepted, _chosen(stations, accepted.values(), f"station values from {first} to {last}")


def _accepted(
    store: Store, first: date, last: date, stations: pd.DataFrame, adcodes: Sequence[str] | None
) -> dict[Pollutant, pd.DataFrame]:
    """Hourly values less those that are flagged as left out, of the stations of ``adcodes``."""
    labels = day_labels(first, last)
    window = labels[0].to_pydatetime(), labels[-1].to_pydatetime()
    frames = store.station_hourly([str(p) for p in Pollutant], *window)
    flags = store.flags(*window)
    flags = flags[flags["flag"] == LEFT_OUT]
    wanted = None if adcodes is None else stations.index[stations["adcode"].isin(_canonical(adcodes))]
    accepted = {}
    for pollutant in Pollutant:
        frame = frames[pollutant].reindex(labels)
        struck = flags[flags["pollutant"] == pollutant.value]
        row = frame.index.get_indexer(pd.DatetimeIndex(struck["time"]))
        column = frame.columns.get_indexer(pd.Index(struck["station_code"]))
        known = (row >= 0) & (column >= 0)
        values = frame.to_numpy(copy=True)
        values[row[known], column[known]] = np.nan
        kept = pd.DataFrame(values, index=labels, columns=frame.columns)
        accepted[pollutant] = kept if wanted is None else kept.loc[:, kept.columns.isin(wanted)]
    return accepted


def _stations(store: Store) -> pd.DataFrame:
    """Name, city and adcode of each station by code; of several rows of a station the last one."""
    listed = store.station_list()
    return listed.drop_duplicates("station_code", keep="last").set_index("station_code")


def _chosen(stations: pd.DataFrame, frames: Iterable[pd.DataFrame], what: str) -> Source:
    """Stations with any value."""
    held = sorted({str(code) for frame in frames for code in frame.columns[frame.notna().any()]})
    if not held:
        raise InputError(f"the store has no {what} for this choice; ingest them, or ask for another period")
    told = stations.reindex(held)
    text = {name: told[name].astype(object).where(told[name].notna(), "") for name in told}
    names, cities, adcodes = (
        {code: str(value) for code, value in zip(held, text[name], strict=True)}
        for name in ("name_zh", "city_zh", "adcode")
    )
    return Source(tuple(held), names, cities, adcodes)


def _cities(held: Sequence[str], adcodes: Sequence[str] | None, what: str) -> Source:
    """The cities asked for, or all that have values."""
    region = load_region()
    places = tuple(held) if adcodes is None else tuple(dict.fromkeys(_canonical(adcodes)))
    if not set(places) & set(held):
        raise InputError(
            f"the store has no {what} for this choice; ingest stations, or ask for another period"
        )
    names = {place: region.city(place).name_zh for place in places}
    return Source(places, names, names, {place: place for place in places})


def _canonical(adcodes: Sequence[str]) -> list[str]:
    region = load_region()
    return [region.city(adcode).adcode for adcode in adcodes]


def _last_ended_day(store: Store) -> pd.Timestamp:
    """Last day whose hour 23:00 the store has; a day in progress gets no daily value."""
    span = store.station_span()
    if span is None:
        raise InputError("the store has no station values; ingest them first")
    return (pd.Timestamp(span[1]) - pd.Timedelta(hours=23)).normalize()
