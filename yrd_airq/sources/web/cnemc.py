"""The release of the national centre (全国城市空气质量实时发布平台): hours, a station's day, city days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import numpy as np

from yrd_airq.errors import SourceUnavailableError
from yrd_airq.region import Region
from yrd_airq.sources.batch import Batch
from yrd_airq.sources.web.answers import Answer
from yrd_airq.sources.web.client import Client, Request
from yrd_airq.sources.web.cnemc_rows import (
    read_city_days,
    read_records,
    read_station_hours,
    read_station_list,
)
from yrd_airq.sources.web.pieces import Piece, Skip, attempt
from yrd_airq.sources.web.settings import CnemcSettings

_HOUR = timedelta(hours=1)
_LABEL = "%Y-%m-%d %H:%M"


@dataclass(frozen=True)
class Release:
    """The centre's release, asked through ``client``."""

    client: Client
    settings: CnemcSettings
    region: Region

    def fetch_hours(self, first: datetime, last: datetime, now: datetime, skip: Skip) -> Iterator[Piece]:
        """One piece for each hour label from ``first`` to ``last``, the newest last.

        The centre keeps about a day: the hours before that, and those that have not ended, are one piece
        each with a problem and without a call.
        """
        newest = now.replace(minute=0, second=0, microsecond=0)
        kept = self.settings.history_hours.value
        oldest = newest - timedelta(hours=kept)
        hours = _hours(first, last)
        lost = [hour for hour in hours if hour < oldest]
        if lost:
            yield _unasked(lost, f"the national centre keeps {kept:g} hours; fetch archive-mirror for these")
        for hour in hours:
            what = f"cnemc {hour:{_LABEL}}"
            if oldest <= hour <= newest and not skip(what):
                yield attempt(what, partial(self._fetch_hour, what, hour, hour == newest))
        ahead = [hour for hour in hours if hour > newest]
        if ahead:
            yield _unasked(ahead, "these hours have not ended; ask again later")

    def fetch_station_days(self, codes: Sequence[str], skip: Skip) -> Iterator[Piece]:
        """One piece a station with all hours of the last day that the centre gives."""
        for code in codes:
            what = f"cnemc station {code}"
            if not skip(what):
                yield attempt(what, partial(self._fetch_station, what, code))

    def fetch_city_days(
        self, adcodes: Sequence[str], first: datetime, last: datetime, skip: Skip
    ) -> Iterator[Piece]:
        """One piece a city with all days that the centre gives (the last two weeks).

        A day D counts as asked for if its label, 0:00 of D+1, lies from ``first`` to ``last``.
        """
        for adcode in adcodes:
            what = f"cnemc-city-days {adcode} {first:%Y-%m-%d}..{last:%Y-%m-%d}"
            if not skip(what):
                yield attempt(what, partial(self._fetch_city, what, adcode, first, last))

    def _fetch_hour(self, what: str, hour: datetime, live: bool) -> Piece:
        form = {} if live else {"date": f"{hour:%Y-%m-%d %H:00:00}"}
        path = self.settings.live_path if live else self.settings.hour_path
        answer, records = self.client.call(Request(path, form=form), _with_records)
        if not records:
            raise self._not_there(what, "nothing of this hour has been published, or it is no longer kept")
        # Named by the hour that it holds, so that a stale answer does not pass for the hour asked for.
        batch, notes, times = read_station_hours(answer, records, "cnemc {hour}", self.settings)
        listed = read_station_list(records, batch.name.replace("cnemc", "cnemc stations", 1), self.region)
        batches = _filled(batch) + _filled(listed)
        return Piece(what, batches, tuple(notes), self._stale(what, hour, times))

    def _stale(self, what: str, hour: datetime, times: np.ndarray) -> SourceUnavailableError | None:
        """The problem of an answer that does not hold the hour asked for."""
        asked = np.datetime64(hour, "us")
        if len(times) == 0:
            return self._not_there(what, "the answer holds no station with a usable code and hour")
        if (times == asked).any():
            return None
        newest = str(times.max())[:16].replace("T", " ")
        return self._not_there(
            what, f"stale: the newest hour of the answer is {newest}; kept under that hour"
        )

    def _fetch_station(self, what: str, code: str) -> Piece:
        request = Request(self.settings.station_path, {"stationCode": code}, form={})
        answer, records = self.client.call(request, _with_records)
        if not records:
            raise self._not_there(what, "no hours given; check the code of the station")
        batch, notes, _ = read_station_hours(answer, records, f"cnemc {code} to {{hour}}", self.settings)
        # That a station's day holds several hours is what was asked for.
        return Piece(what, _filled(batch), tuple(note for note in notes if "each kept under" not in note))

    def _fetch_city(self, what: str, adcode: str, first: datetime, last: datetime) -> Piece:
        request = Request(self.settings.city_days_path, {"citycode": adcode}, form={})
        answer, records = self.client.call(request, _with_records)
        batch = read_city_days(answer, records, what, adcode, self.region, self.settings)
        labels = {label for label in batch.rows["time"].to_pylist() if first <= label <= last}
        problem = None
        if not labels:
            kept = f"the national centre keeps {self.settings.history_days.value:g} days"
            problem = self._not_there(what, f"the answer holds none of the days asked for; {kept}")
        return Piece(what, _filled(batch), problem=problem)

    def _not_there(self, what: str, why: str) -> SourceUnavailableError:
        late = f"an hour is published about {self.settings.publish_minutes.value:g} min after its end"
        return SourceUnavailableError(f"{self.client.host}: {what}: {why} ({late})")


def _with_records(answer: Answer) -> tuple[Answer, list[object]]:
    return answer, read_records(answer)


def _filled(batch: Batch) -> tuple[Batch, ...]:
    return (batch,) if batch.rows_in else ()


def _hours(first: datetime, last: datetime) -> list[datetime]:
    start = first.replace(minute=0, second=0, microsecond=0)
    start = start if start == first else start + _HOUR
    return [start + k * _HOUR for k in range(int((last - start) / _HOUR) + 1)] if last >= start else []


def _unasked(hours: Sequence[datetime], why: str) -> Piece:
    what = f"cnemc {hours[0]:{_LABEL}}..{hours[-1]:{_LABEL}}"
    return Piece(what, problem=SourceUnavailableError(f"{what}: {why}"))
