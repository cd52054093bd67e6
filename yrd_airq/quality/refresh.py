"""From the station values in the store to its flags and city series, for the hours that values can change.

A part of at most a month is read with a margin, so that a run of equal values or a spike at its edge is
judged as inside it, and written as a whole: the result does not depend on how often or for which hours the
series were refreshed before. A month is the largest part because it decides which stations are reporting.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pandas as pd

from yrd_airq.clock import day_of_label
from yrd_airq.quality.daily import city_daily, city_hourly
from yrd_airq.quality.hourly import check_hourly
from yrd_airq.quality.manual import apply_manual
from yrd_airq.quality.settings import load_quality
from yrd_airq.standards.settings import load_standards
from yrd_airq.vocab import Pollutant

if TYPE_CHECKING:
    from yrd_airq.store.store import Store

Window = tuple[datetime, datetime]
_HOUR = pd.Timedelta(hours=1)
_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True)
class _Part:
    """Whole natural days of one month, as first and last hour label."""

    first: pd.Timestamp
    last: pd.Timestamp

    @property
    def days(self) -> tuple[pd.Timestamp, pd.Timestamp]:
        """First and last natural day."""
        return day_of_label(self.first), day_of_label(self.last)


def refresh_city_series(
    store: Store, windows: Sequence[Window] | None = None, since: int = 0
) -> list[Window]:
    """Rebuild flags, city-hour and city-day values wherever the hours of ``windows`` can change them.

    ``windows`` are the hours whose values, or judgements, have changed (default: all); ``since`` is the last
    batch that the series knew: a station that a later batch is the first to report in a month changes all
    days of that month. Returns the hours rebuilt. A day in progress gets no daily value: it counts once its
    hour 23:00 has come in (archives end at 23:00), and then the rules of GB 3095-2026 table 4 decide. Without
    station values nothing is done.
    """
    span = store.station_span()
    if span is None:
        return []
    opening, closing = pd.Timestamp(span[0]), pd.Timestamp(span[1])
    if windows is None:
        parts = list(_parts([(opening, closing)]))
    else:
        reach = pd.Timedelta(hours=load_quality().reach_hours)
        hours = [(max(a - reach, opening), min(b + reach, closing)) for a, b in _stamps(windows)]
        widened = [_month_of(p) if _newly_reporting(store, p, since) else p for p in _parts(hours)]
        parts = list(_parts([(p.first, p.last) for p in widened]))
    stations, judgements = store.station_list(), store.judgements()
    for part in parts:
        _refresh_part(store, stations, judgements, part, opening, closing)
    return [(part.first.to_pydatetime(), part.last.to_pydatetime()) for part in parts]


def _stamps(windows: Iterable[Window]) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    return [(pd.Timestamp(first), pd.Timestamp(last)) for first, last in windows]


def _parts(hours: Iterable[tuple[pd.Timestamp, pd.Timestamp]]) -> Iterator[_Part]:
    """The natural days that the hours touch, without overlap, cut at the turns of months."""
    days: list[tuple[pd.Timestamp, pd.Timestamp]] = []
    for first, last in sorted((day_of_label(a), day_of_label(b)) for a, b in hours if a <= b):
        if days and first <= days[-1][1] + _DAY:
            days[-1] = (days[-1][0], max(days[-1][1], last))
        else:
            days.append((first, last))
    for first, last in days:
        for month in pd.period_range(first, last, freq="M"):
            start, end = max(first, month.start_time), min(last, month.end_time.normalize())
            yield _Part(start + _HOUR, end + _DAY)


def _month_of(part: _Part) -> _Part:
    month = part.days[0].to_period("M")
    return _Part(month.start_time + _HOUR, (month + 1).start_time)


def _newly_reporting(store: Store, part: _Part, since: int) -> bool:
    return bool((store.reporting(part.days[0].date())["first_batch"] > since).any())


def _refresh_part(
    store: Store,
    stations: pd.DataFrame,
    judgements: pd.DataFrame,
    part: _Part,
    opening: pd.Timestamp,
    closing: pd.Timestamp,
) -> None:
    """Rebuild one part; ``opening`` and ``closing`` are the first and last hour of the store."""
    first, last = max(part.first, opening), min(part.last, closing)
    hourly = _read(store, first, last)
    checked = apply_manual(check_hourly(hourly, load_quality(), stations), hourly, judgements)
    accepted = {pollutant: frame.loc[first:last] for pollutant, frame in checked.accepted.items()}
    first_day, last_day = part.days
    rules = load_standards().rules_of(first_day.date())
    daily = city_daily(accepted, stations, rules, None, store.reporting(first_day.date()))
    daily = daily[daily["date"] <= _last_ended_day(closing)]
    labels = part.first.to_pydatetime(), part.last.to_pydatetime()
    store.write_flags(checked.flags[checked.flags["time"].between(first, last)], *labels)
    store.write_city_hourly(city_hourly(accepted, stations), *labels)
    store.write_city_daily(daily, first_day.date(), last_day.date())


def _read(store: Store, first: pd.Timestamp, last: pd.Timestamp) -> dict[Pollutant, pd.DataFrame]:
    margin = timedelta(hours=load_quality().reach_hours)
    frames = store.station_hourly(
        list(Pollutant), (first - margin).to_pydatetime(), (last + margin).to_pydatetime()
    )
    return {pollutant: frames[pollutant] for pollutant in Pollutant}


def _last_ended_day(end: pd.Timestamp) -> pd.Timestamp:
    """Last day whose hour 23:00 is at or before ``end``."""
    return (end - pd.Timedelta(hours=23)).normalize()
