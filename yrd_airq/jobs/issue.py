"""What is known at an issue time: the city-day panel, the weather around it, and nothing observed later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pandas as pd

from yrd_airq import clock
from yrd_airq.errors import InputError
from yrd_airq.forecast.panel import WEATHER_VARIABLES, Panel, build_panel
from yrd_airq.region import load_region
from yrd_airq.store.store import Store
from yrd_airq.vocab import CityDaySource
from yrd_airq.weather.city import city_daily_of_archive, city_daily_weather

ISSUE_HOUR = 16
LEADS = tuple(range(1, 8))
EARLIEST_PARTIAL_HOUR = 6
"""Before this hour the issue date itself has too few hours to say anything."""
_ARCHIVE_WEATHER = ("u10_ms", "v10_ms", "wind_ms", "t2m_c", "rh_pct", "sp_hpa")
FRESH_DAYS = 7
"""A source whose newest complete day is older than this at the issue time is not used."""


@dataclass(frozen=True)
class IssueData:
    """All that a forecast at ``issue_time`` may look at.

    ``daily`` (adcode, date, target, value, …) ends with the last complete day; ``hourly`` (adcode,
    time, pollutant, value) with the issue hour, None where there is none; ``weather`` (a row per city-day,
    with its kind) may reach over the forecast days; ``weather_files`` are the gridded files.
    """

    issue_time: datetime
    source: CityDaySource
    daily: pd.DataFrame
    hourly: pd.DataFrame | None
    weather: pd.DataFrame
    weather_files: pd.DataFrame
    panel: Panel


def newest_days(store: Store) -> dict[CityDaySource, tuple[date, date]]:
    """First and last day of the city-day series of each source that the store holds."""
    spans = {}
    for source in CityDaySource:
        days = store.city_daily(source)["date"]
        if len(days):
            spans[source] = (days.min().date(), days.max().date())
    return spans


def default_issue_time(store: Store, not_after: date | None = None) -> datetime:
    """16:00 on the day after the newest complete day, or on ``not_after`` if that is earlier."""
    spans = newest_days(store)
    if not spans:
        raise InputError("the store holds no city-day series; ingest station or city files first")
    day = max(last for _, last in spans.values()) + timedelta(days=1)
    if not_after is not None:
        day = min(day, not_after)
    return datetime(day.year, day.month, day.day, ISSUE_HOUR)


def choose_source(store: Store, issue_time: datetime) -> CityDaySource:
    """The series to forecast from: stations where they are fresh at the issue time, else the reanalysis."""
    spans = newest_days(store)
    known = clock.last_complete_day(issue_time)
    for source in CityDaySource:
        if source not in spans:
            continue
        first, last = spans[source]
        if first < known and min(last, known) >= known - timedelta(days=FRESH_DAYS):
            return source
    held = "; ".join(f"{source.value} {first} … {last}" for source, (first, last) in spans.items())
    raise InputError(
        f"no observations within {FRESH_DAYS} days before the issue time {issue_time:%Y-%m-%d %H:%M}; "
        f"the store holds: {held or 'nothing'}"
    )


def read_issue(
    store: Store, issue_time: datetime, source: CityDaySource | None = None, horizon: int = LEADS[-1]
) -> IssueData:
    """Read the store as of ``issue_time``, with weather for ``horizon`` days ahead where there is any."""
    source = source or choose_source(store, issue_time)
    known = clock.last_complete_day(issue_time)
    daily = store.city_daily(source, last=known)
    hourly = None
    if source is CityDaySource.STATIONS and issue_time.hour >= EARLIEST_PARTIAL_HOUR:
        hourly = store.city_hourly(daily["date"].min().to_pydatetime(), issue_time)
    files = store.weather_files()
    last = issue_time.date() + timedelta(days=horizon)
    first = daily["date"].min().date()
    weather = read_weather(store, files, first, last, issue_time)
    around = read_around(store, source, first, last, known)
    return IssueData(
        issue_time=issue_time,
        source=source,
        daily=daily,
        hourly=hourly,
        weather=weather,
        weather_files=files,
        panel=build_panel(
            daily, hourly, weather, load_region(), max(issue_time.hour, 1), source=source, around=around
        ),
    )


def read_around(store: Store, source: CityDaySource, first: date, last: date, known: date) -> pd.DataFrame:
    """Series of the places outside the region: place, lon, lat, date, name, value (long).

    ``name`` is a target up to the day ``known``, or a weather variable up to ``last`` (analyses, as the
    archive has them). Places without a known position are left out; empty for the stations.
    """
    columns = ["place", "lon", "lat", "date", "name", "value"]
    if source is not CityDaySource.REANALYSIS:
        return pd.DataFrame(columns=columns)
    position = load_region().around
    air = store.neighbour_daily(first, known).rename(columns={"target": "name"})
    weather = store.neighbour_weather(first, last).rename(columns={"place": "adcode"})
    sky = city_daily_of_archive(weather).melt(
        ["adcode", "date"], [name for name in WEATHER_VARIABLES if name in _ARCHIVE_WEATHER], "name"
    )
    rows = pd.concat([air, sky.rename(columns={"adcode": "place"})], ignore_index=True)
    rows = rows[rows["place"].isin(position) & rows["value"].notna()]
    where = pd.DataFrame.from_dict(position, orient="index", columns=["lon", "lat"])
    return rows.join(where, on="place")[columns].reset_index(drop=True)


def read_weather(
    store: Store, files: pd.DataFrame, first: date, last: date, issue_time: datetime
) -> pd.DataFrame:
    """City weather for the days ``first`` … ``last``: from the grids, on other days the archive's own values.

    Days that no source covers are absent; the frame may be empty.
    """
    grid = city_daily_weather(files, load_region(), first, last, issue_time, gaps="skip")
    archive = city_daily_of_archive(store.city_weather(first, last))
    rest = archive[~archive["date"].isin(grid["date"].unique())]
    frames = [frame for frame in (grid, rest) if len(frame)]
    return pd.concat(frames, ignore_index=True) if frames else grid
