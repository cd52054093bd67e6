"""From the station values in the store to its flags and city series, one calendar month at a time.

A month is the unit because it decides which stations are reporting. Each month is read with a margin,
so that a run of equal values or a spike at its edge is judged as inside it, and written as a whole: the
result does not depend on how often or for which window the series were refreshed before.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from yrd_airq.clock import day_of_label
from yrd_airq.quality.daily import city_daily, city_hourly
from yrd_airq.quality.hourly import check_hourly
from yrd_airq.quality.settings import QualitySettings, load_quality
from yrd_airq.standards.settings import load_standards
from yrd_airq.vocab import Pollutant

if TYPE_CHECKING:
    from yrd_airq.store.store import Store


def refresh_city_series(store: Store, first: date | None = None, last: date | None = None) -> None:
    """Rebuild flags, city-hour and city-day values of every month that ``first`` … ``last`` touches.

    The window defaults to, and is cut to, the span of the station values. A day in progress gets no
    daily value: it counts once its hour 23:00 has come in (archives end at 23:00), and then the rules of
    GB 3095-2026 table 4 decide. Without station values nothing is done.
    """
    span = store.station_span()
    if span is None:
        return
    stations = store.station_list()
    start, end = pd.Timestamp(span[0]), pd.Timestamp(span[1])
    first_day = max(day_of_label(start).date(), first or date.min)
    last_day = min(day_of_label(end).date(), last or date.max)
    for month in _months(first_day, last_day):
        _refresh_month(store, stations, month, start, end)


def _refresh_month(
    store: Store, stations: pd.DataFrame, month: pd.Period, start: pd.Timestamp, end: pd.Timestamp
) -> None:
    """Rebuild one month; ``start`` and ``end`` are the first and last hour of the store."""
    month_first, month_last = month.start_time + pd.Timedelta(hours=1), (month + 1).start_time
    opening, closing = max(start, month_first), min(end, month_last)
    quality = load_quality()
    hourly = _read(store, opening, closing, quality)
    checked = check_hourly(hourly, quality)
    window = slice(opening, closing)
    accepted = {pollutant: frame.loc[window] for pollutant, frame in checked.accepted.items()}
    received = {pollutant: frame.loc[window] for pollutant, frame in hourly.items()}
    rules = load_standards().rules_of(month.start_time.date())
    daily = city_daily(accepted, stations, rules, received)
    daily = daily[daily["date"] <= _last_ended_day(end)]
    flags = checked.flags[checked.flags["time"].between(opening, closing)]
    labels = month_first.to_pydatetime(), month_last.to_pydatetime()
    store.write_flags(flags, *labels)
    store.write_city_hourly(city_hourly(accepted, stations), *labels)
    store.write_city_daily(daily, month.start_time.date(), month.end_time.date())


def _read(
    store: Store, opening: pd.Timestamp, closing: pd.Timestamp, quality: QualitySettings
) -> dict[Pollutant, pd.DataFrame]:
    margin = timedelta(hours=quality.reach_hours)
    first, last = (opening - margin).to_pydatetime(), (closing + margin).to_pydatetime()
    frames = store.station_hourly(list(Pollutant), first, last)
    return {pollutant: frames[pollutant] for pollutant in Pollutant}


def _months(first: date, last: date) -> Iterator[pd.Period]:
    yield from pd.period_range(pd.Period(first, "M"), pd.Period(last, "M"), freq="M") if first <= last else ()


def _last_ended_day(end: pd.Timestamp) -> pd.Timestamp:
    """Last day whose hour 23:00 is at or before ``end``."""
    return (end - pd.Timedelta(hours=23)).normalize()
