"""The city × date panel that every forecast starts from: long frames laid out on a gapless calendar.

Only the laying out belongs here; no features and no filling of gaps. Days are addressed by their
date, never by position in a file: real archives lack whole days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.forecast.around import Around, lay_out_around
from yrd_airq.forecast.today import partial_day
from yrd_airq.region import Region
from yrd_airq.vocab import CityDaySource, Target, WeatherKind

Array = NDArray[np.float64]

WEATHER_VARIABLES = (
    "u10_ms",
    "v10_ms",
    "wind_ms",
    "t2m_c",
    "rh_pct",
    "sp_hpa",
    "blh_m",
    "precip_mm",
    "ssrd_wm2",
)


@dataclass(frozen=True)
class Panel:
    """Everything the forecast room looks at, on one gapless calendar.

    Every array has the shape (city, date) in the order of ``adcodes`` and ``dates``; NaN is missing.
    ``values`` holds the daily targets in µg/m³ (CO mg/m³). ``today`` holds what is known of date d at
    ``issue_hour`` of date d from the hourly series. ``weather`` holds daily means (units in the names)
    and ``weather_kind`` says per date how they came to be known (``WeatherKind`` values). ``around`` holds
    air and weather of places outside the region, None without any.
    """

    source: CityDaySource
    adcodes: tuple[str, ...]
    lonlat: Array
    dates: pd.DatetimeIndex
    values: Mapping[Target, Array]
    today: Mapping[str, Array]
    weather: Mapping[str, Array]
    weather_kind: NDArray[np.object_]
    issue_hour: int
    around: Around | None = None

    @property
    def first(self) -> date:
        """First date of the calendar."""
        return self.dates[0].date()

    @property
    def last(self) -> date:
        """Last date of the calendar."""
        return self.dates[-1].date()

    def index(self, day: date | pd.Timestamp) -> int:
        """Position of a date on the calendar, also before (negative) or after it."""
        return (pd.Timestamp(day) - self.dates[0]).days

    def until(self, last: date) -> Panel:
        """The panel as it would be if the archive ended with ``last``; shorter or padded with NaN."""
        size = self.index(last) + 1
        if size < 1:
            raise InputError(f"the panel starts on {self.first}, after {last}; use a later date")
        pad = max(0, size - len(self.dates))

        def cut(array: Array) -> Array:
            return np.pad(array[:, :size], ((0, 0), (0, pad)), constant_values=np.nan)

        kind = np.concatenate([self.weather_kind[:size], np.full(pad, WeatherKind.NONE.value, dtype=object)])
        return replace(
            self,
            dates=pd.date_range(self.dates[0], periods=size, freq="D"),
            values={target: cut(array) for target, array in self.values.items()},
            today={name: cut(array) for name, array in self.today.items()},
            weather={name: cut(array) for name, array in self.weather.items()},
            weather_kind=kind,
            around=None if self.around is None else self.around.change(cut),
        )

    def since(self, first: date) -> Panel:
        """The panel without the days before ``first``."""
        start = max(self.index(first), 0)

        def cut(array: Array) -> Array:
            return array[:, start:]

        return replace(
            self,
            dates=self.dates[start:],
            values={target: cut(array) for target, array in self.values.items()},
            today={name: cut(array) for name, array in self.today.items()},
            weather={name: cut(array) for name, array in self.weather.items()},
            weather_kind=self.weather_kind[start:],
            around=None if self.around is None else self.around.change(cut),
        )

    def known_at(self, issue_time: datetime, last: date) -> Panel:
        """What may be used at ``issue_time``, on a calendar that runs to ``last``.

        Observations end with the day before the issue date and the hours of the issue date up to
        ``issue_hour``; weather is left as it is, since it carries its kind. ``InputError`` if the
        partial-day values of the panel were taken later than ``issue_time``.
        """
        stamp = pd.Timestamp(issue_time)
        if self.today and stamp.hour < self.issue_hour:
            raise InputError(
                f"issue time {stamp:%Y-%m-%d %H:%M} is before hour {self.issue_hour}, up to which the panel "
                f"uses today's hours; build the panel with issue_hour={stamp.hour}"
            )
        day = stamp.normalize()
        panel = self.until(last)
        past, started = np.asarray(panel.dates < day), np.asarray(panel.dates <= day)

        def seen(array: Array) -> Array:
            return np.where(past, array, np.nan)

        return replace(
            panel,
            values={target: seen(array) for target, array in panel.values.items()},
            around=None if panel.around is None else panel.around.change(seen, np.array),
            today={name: np.where(started, array, np.nan) for name, array in panel.today.items()},
        )


def build_panel(
    city_daily: pd.DataFrame,
    city_hourly: pd.DataFrame | None,
    weather: pd.DataFrame | None,
    region: Region,
    issue_hour: int = 16,
    *,
    source: CityDaySource,
    around: pd.DataFrame | None = None,
) -> Panel:
    """Lay out the long frames of the store as a panel over all cities of ``region``.

    ``city_daily``: adcode, date, target, value. ``city_hourly``: adcode, time (hour-ending, Beijing),
    pollutant, value. ``weather``: adcode, date, kind and at least one of ``WEATHER_VARIABLES``.
    ``issue_hour`` (1 … 23): the last hour of the issue date that is known. ``around``: place, lon, lat,
    date, name (a target or weather variable), value of places outside the region. ``InputError`` for an empty
    series, cities outside the region, unknown targets, or a city-day given twice.
    """
    if not 1 <= issue_hour <= 23:
        raise InputError(f"issue hour {issue_hour} is outside 1 … 23")
    if city_daily.empty:
        raise InputError("the city-day series is empty; ingest observations first")
    hourly = None if city_hourly is None or city_hourly.empty else city_hourly
    sky = None if weather is None or weather.empty else weather
    dates = _calendar(city_daily, hourly, sky)
    daily_targets = [Target(name) for name in sorted(city_daily["target"].unique())]
    values = {
        target: _lay_out(city_daily[city_daily["target"] == target.value], "value", dates, region)
        for target in daily_targets
    }
    return Panel(
        source=source,
        adcodes=region.adcodes,
        lonlat=region.lonlat,
        dates=dates,
        values=values,
        today={} if hourly is None else partial_day(hourly, dates, region.adcodes, issue_hour),
        weather={} if sky is None else _weather_arrays(sky, dates, region),
        weather_kind=_kind_by_date(sky, dates),
        issue_hour=issue_hour,
        around=None if around is None or around.empty else lay_out_around(around, dates, WEATHER_VARIABLES),
    )


def _calendar(
    daily: pd.DataFrame, hourly: pd.DataFrame | None, weather: pd.DataFrame | None
) -> pd.DatetimeIndex:
    """Every date from the first observation to the last observation or weather day."""
    ends = [pd.Timestamp(daily["date"].max())]
    if hourly is not None:
        ends.append(pd.Timestamp(hourly["time"].max()).normalize())
    if weather is not None:
        ends.append(pd.Timestamp(weather["date"].max()))
    return pd.date_range(pd.Timestamp(daily["date"].min()), max(ends), freq="D")


def _lay_out(frame: pd.DataFrame, column: str, dates: pd.DatetimeIndex, region: Region) -> Array:
    city = pd.Index(region.adcodes).get_indexer(pd.Index(frame["adcode"].astype(str)))
    if (city < 0).any():
        unknown = sorted(set(frame["adcode"].astype(str)[city < 0]))
        raise InputError(f"city-day series holds adcodes outside the region: {', '.join(unknown[:5])}")
    day = dates.get_indexer(pd.DatetimeIndex(frame["date"]))
    inside = day >= 0
    slot = city[inside] * len(dates) + day[inside]
    if len(np.unique(slot)) < len(slot):
        twice = frame[inside].loc[pd.Series(slot, index=frame.index[inside]).duplicated()].iloc[0]
        raise InputError(
            f"city-day series: {twice['adcode']} on {pd.Timestamp(twice['date']):%Y-%m-%d} is given twice "
            f"for {column}; keep one value a city-day"
        )
    array = np.full(len(region.adcodes) * len(dates), np.nan)
    array[slot] = frame[column].to_numpy(dtype=float)[inside]
    return array.reshape(len(region.adcodes), len(dates))


def _weather_arrays(weather: pd.DataFrame, dates: pd.DatetimeIndex, region: Region) -> dict[str, Array]:
    names = [name for name in WEATHER_VARIABLES if name in weather.columns]
    if not names:
        raise InputError(f"the city weather has none of the variables {', '.join(WEATHER_VARIABLES)}")
    return {name: _lay_out(weather, name, dates, region) for name in names}


def _kind_by_date(weather: pd.DataFrame | None, dates: pd.DatetimeIndex) -> NDArray[np.object_]:
    if weather is None:
        return np.full(len(dates), WeatherKind.NONE.value, dtype=object)
    first = weather.sort_values(["date", "adcode"], kind="stable").drop_duplicates("date")
    kind = pd.Series(first["kind"].astype(str).to_numpy(), index=pd.DatetimeIndex(first["date"]))
    return kind.reindex(dates).fillna(WeatherKind.NONE.value).to_numpy(dtype=object)
