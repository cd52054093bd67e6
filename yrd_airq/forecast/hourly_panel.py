"""What the hourly forecast looks at: hours, days and weather of the cities on one calendar."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.clock import day_of_label, hours_of_day
from yrd_airq.errors import InputError
from yrd_airq.forecast.panel import Panel
from yrd_airq.vocab import CityDaySource, Target, WeatherKind

Array = NDArray[np.float64]
Key = TypeVar("Key")

DAY_HOURS = 24


class HourlyTarget(StrEnum):
    """Hourly means that are forecast for a city, µg/m³; they serve the running 24-h AQI."""

    PM25_1H = "pm25_1h"
    O3_1H = "o3_1h"

    @property
    def pollutant(self) -> str:
        """Name of the pollutant in the hourly series."""
        return self.daily.info.pollutant.value

    @property
    def daily(self) -> Target:
        """The daily target whose forecast the hours of a day have to agree with."""
        return Target.PM25 if self is HourlyTarget.PM25_1H else Target.O3_MDA8


@dataclass(frozen=True)
class Hours:
    """Cities × dates (× hours); NaN is missing.

    ``values`` by pollutant (city, date, hour): element h of a date is the label h+1:00, the last one 24:00.
    ``daily`` by target and ``weather`` by variable (city, date), ``weather_kind`` (date,) as in the panel.
    """

    source: CityDaySource
    adcodes: tuple[str, ...]
    lonlat: Array
    dates: pd.DatetimeIndex
    values: Mapping[str, Array]
    daily: Mapping[Target, Array]
    weather: Mapping[str, Array]
    weather_kind: NDArray[np.object_]

    def index(self, day: date | pd.Timestamp) -> int:
        """Position of a date on the calendar, also before (negative) or after it."""
        return (pd.Timestamp(day) - self.dates[0]).days

    def window(self, first: date | pd.Timestamp, last: date | pd.Timestamp) -> Hours:
        """The dates ``first`` … ``last``; those before the archive are left out, those after it are NaN."""
        start, end = max(self.index(first), 0), self.index(last) + 1
        if end <= start:
            raise InputError(
                f"the hourly archive starts {self.dates[0]:%Y-%m-%d}, after {last}; use a later date"
            )
        pad = max(0, end - max(start, len(self.dates)))

        def cut(array: Array) -> Array:
            sides = [(0, 0), (0, pad), (0, 0)][: array.ndim]
            return np.pad(array[:, start:end], sides, constant_values=np.nan)

        kind = np.concatenate(
            [self.weather_kind[start:end], np.full(pad, WeatherKind.NONE.value, dtype=object)]
        )
        dates = pd.date_range(self.dates[0] + pd.Timedelta(days=start), periods=end - start, freq="D")
        return replace(
            self._mapped(cut, cut), dates=dates, weather=_each(self.weather, cut), weather_kind=kind
        )

    def known_at(self, issue_time: datetime) -> Hours:
        """What may be used at ``issue_time``: hours ended by then, days before; weather as it is."""
        stamp = np.datetime64(issue_time)
        offsets = pd.to_timedelta(np.arange(1, DAY_HOURS + 1), unit="h").to_numpy()
        ended = self.dates.to_numpy()[:, None] + offsets <= stamp
        past = np.asarray(self.dates < pd.Timestamp(issue_time).normalize())
        return self._mapped(
            lambda cube: np.where(ended, cube, np.nan), lambda array: np.where(past, array, np.nan)
        )

    def _mapped(self, hourly: Callable[[Array], Array], daily: Callable[[Array], Array]) -> Hours:
        return replace(self, values=_each(self.values, hourly), daily=_each(self.daily, daily))


def lay_out_hours(panel: Panel, city_hourly: pd.DataFrame) -> Hours:
    """The hourly city series (adcode, time, pollutant, value) on the cities and dates of ``panel``.

    Hours of other cities or dates are left out. ``InputError`` if the series is empty or gives an hour twice.
    """
    if city_hourly.empty:
        raise InputError("the hourly city series is empty; ingest station files first")
    groups = city_hourly.groupby("pollutant", sort=True)
    return Hours(
        source=panel.source,
        adcodes=panel.adcodes,
        lonlat=panel.lonlat,
        dates=panel.dates,
        values={str(name): _cube(rows, panel, str(name)) for name, rows in groups},
        daily={
            target.daily: panel.values[target.daily]
            for target in HourlyTarget
            if target.daily in panel.values
        },
        weather=panel.weather,
        weather_kind=panel.weather_kind,
    )


def lay_out_leads(
    rows: pd.DataFrame | None,
    target: Target,
    adcodes: Sequence[str],
    dates: pd.DatetimeIndex,
    leads: Sequence[int],
) -> Array:
    """Means of daily forecast rows (adcode, issue_time, lead_day, target, mean) as (city, issue date, lead).

    Rows of other targets, leads, cities and issue dates are left out, NaN where there is none. ``InputError``
    if an issue date forecasts a city-day twice.
    """
    means = np.full((len(adcodes), len(dates), len(leads)), np.nan)
    if rows is None:
        return means
    mine = rows[rows["target"] == target.value]
    city = pd.Index(adcodes).get_indexer(pd.Index(mine["adcode"].astype(str)))
    day = dates.get_indexer(pd.DatetimeIndex(mine["issue_time"]).normalize())
    lead = pd.Index(leads).get_indexer(pd.Index(mine["lead_day"]))
    inside = (city >= 0) & (day >= 0) & (lead >= 0)
    slot = np.ravel_multi_index((city[inside], day[inside], lead[inside]), means.shape)
    if len(np.unique(slot)) < len(slot):
        raise InputError(f"the daily forecasts of {target} name a city, issue date and lead day twice")
    means.ravel()[slot] = mine["mean"].to_numpy(dtype=float)[inside]
    return means


def _cube(rows: pd.DataFrame, panel: Panel, name: str) -> Array:
    labels = pd.DatetimeIndex(rows["time"])
    city = pd.Index(panel.adcodes).get_indexer(pd.Index(rows["adcode"].astype(str)))
    day = panel.dates.get_indexer(day_of_label(labels))
    inside = (city >= 0) & (day >= 0)
    shape = (len(panel.adcodes), len(panel.dates), DAY_HOURS)
    slot = np.ravel_multi_index((city[inside], day[inside], hours_of_day(labels)[inside] - 1), shape)
    if len(np.unique(slot)) < len(slot):
        raise InputError(f"the hourly city series gives an hour of {name} twice; keep one value an hour")
    cube = np.full(shape, np.nan)
    cube.ravel()[slot] = rows["value"].to_numpy(dtype=float)[inside]
    return cube


def _each(arrays: Mapping[Key, Array], change: Callable[[Array], Array]) -> dict[Key, Array]:
    return {name: change(array) for name, array in arrays.items()}
