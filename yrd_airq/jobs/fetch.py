"""Web feeds into the store: a span of hours, or the hours that are missing, piece by piece."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import pandas as pd

from yrd_airq.clock import beijing_now
from yrd_airq.errors import AirqError, InputError, SourceUnavailableError
from yrd_airq.jobs.series import refresh_if_stale
from yrd_airq.jobs.upkeep import gaps_of_region, span_of_hours
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.quality.report import QualityReport
from yrd_airq.sources.batch import Batch
from yrd_airq.sources.web.feeds import FeedSettings, Piece, Timing, load_feed_settings
from yrd_airq.sources.web.feeds import fetch as ask_feed
from yrd_airq.store.records import Ingested
from yrd_airq.store.store import open_store

FORECASTS = frozenset({"open-meteo-air", "open-meteo-forecast"})
AHEAD = timedelta(days=7)
"""How far forecasts are asked for by default."""

_DAY_FILE = re.compile(r"_(\d{8})\.csv$")
_HOUR = re.compile(r"^cnemc (\d{4}-\d{2}-\d{2} \d{2}:\d{2})$")


@dataclass(frozen=True)
class Taken:
    """What became of one piece: what the store did with its batches, notes, and why something is missing."""

    what: str
    batches: tuple[Ingested, ...]
    notes: tuple[str, ...]
    problem: AirqError | None


@dataclass(frozen=True)
class FetchReport:
    """What a feed gave, piece by piece, and the report on the series that it changed."""

    feed: str
    first: datetime
    last: datetime
    pieces: tuple[Taken, ...]
    skipped: int = 0
    quality: QualityReport | None = None

    @property
    def new_rows(self) -> int:
        """Rows that the store did not hold with the same value before."""
        return sum(batch.new_rows for piece in self.pieces for batch in piece.batches)

    @property
    def problems(self) -> list[Taken]:
        """Pieces of which something is missing."""
        return [piece for piece in self.pieces if piece.problem is not None]

    @property
    def failure(self) -> AirqError | None:
        """The first problem if nothing new came, else None."""
        return None if self.new_rows or not self.problems else self.problems[0].problem

    @property
    def exit_code(self) -> int:
        """0, or that of the failure."""
        return 0 if self.failure is None else self.failure.exit_code

    def checked(self) -> FetchReport:
        """The report itself; raises its failure, for callers that have no exit code."""
        if self.failure is not None:
            raise self.failure
        return self

    def as_dict(self) -> dict[str, object]:
        """Machine-readable form."""
        batches = [batch for piece in self.pieces for batch in piece.batches]
        return {
            "feed": self.feed,
            "from": str(self.first),
            "to": str(self.last),
            "pieces": len(self.pieces),
            "skipped": self.skipped,
            "rows_in": sum(batch.rows_in for batch in batches),
            "new_rows": self.new_rows,
            "refused_rows": sum(batch.refused_rows for batch in batches),
            "notes": [f"{piece.what}: {note}" for piece in self.pieces for note in piece.notes],
            "problems": [f"{piece.what}: {piece.problem}" for piece in self.problems],
            "quality": self.quality.as_dict() if self.quality else None,
        }

    def lines(self) -> list[str]:
        """Readable form."""
        made = self.as_dict()
        head = (
            f"{self.feed} {self.first:%Y-%m-%d %H:%M} to {self.last:%Y-%m-%d %H:%M}: "
            f"{len(self.pieces)} pieces ({self.skipped} at hand already), {made['rows_in']} rows, "
            f"{self.new_rows} new rows, {made['refused_rows']} refused rows, {len(self.problems)} problems"
        )
        said = [f"  {text}" for name in ("notes", "problems") for text in _shortened(made[name])]
        return [head, *said, *(self.quality.lines() if self.quality else [])]


def _shortened(texts: object, most: int = 20) -> list[str]:
    listed = list(texts) if isinstance(texts, list) else []
    return listed[:most] + ([f"… and {len(listed) - most} more"] if len(listed) > most else [])


def fetch(
    workspace: Workspace,
    feed: str,
    first: datetime | None = None,
    last: datetime | None = None,
    *,
    stations: Sequence[str] | None = None,
    adcodes: Sequence[str] | None = None,
    settings: FeedSettings | None = None,
    timing: Timing | None = None,
) -> FetchReport:
    """Ask ``feed`` for the hour labels ``first`` … ``last`` and take in what comes.

    Default: from yesterday to now; of a forecast, from today on. A day's file that is at hand in its final
    form is not asked for again, so that a broken-off run is completed by running it again. What came before
    a problem is kept, and the problem is reported; the store is only held while a piece is written.
    """
    now = timing.now() if timing else beijing_now()
    begin, end = _default_span(feed, now)
    first, last = first or begin, last or end
    skip = _Skip(lambda _: True, _settled_names(workspace, settings or load_feed_settings()))
    asked = ask_feed(
        feed,
        first,
        last,
        stations=stations,
        adcodes=adcodes,
        skip=skip,
        settings=settings,
        timing=timing,
    )
    return _take_in(workspace, FetchReport(feed, first, last, ()), asked, skip)


def fill_gaps(
    workspace: Workspace,
    feed: str,
    first: date | None = None,
    last: date | None = None,
    *,
    settings: FeedSettings | None = None,
    timing: Timing | None = None,
) -> FetchReport:
    """Ask ``feed`` for the station hours that the store lacks on the days ``first`` … ``last``.

    Default: the span of the station values. A day whose final file has been read and still has gaps is not
    asked for again: the feed has no more. Raises ``InputError`` for a feed that does not give station hours
    of past days.
    """
    if feed not in ("cnemc", "archive-mirror"):
        raise InputError(f"feed {feed!r} cannot fill gaps of station hours; cnemc and archive-mirror can")
    with open_store(workspace.store, read_only=True) as store:
        begin, end = span_of_hours(store, first, last)
        gaps = gaps_of_region(store, begin, end)
    report = FetchReport(feed, begin, end, ())
    names = _settled_names(workspace, settings or load_feed_settings())
    skip = _Skip(_wanted_hours(gaps) if feed == "cnemc" else _wanted_days(gaps), names)
    if gaps.empty:
        return report
    asked = ask_feed(feed, report.first, report.last, skip=skip, settings=settings, timing=timing)
    return _take_in(workspace, report, asked, skip)


class _Skip:
    """Says of a piece by its name whether it need not be asked for, and counts those."""

    def __init__(self, wanted: Callable[[str], bool], settled: frozenset[str]) -> None:
        self.wanted, self.settled, self.count = wanted, settled, 0

    def __call__(self, name: str) -> bool:
        skipped = name in self.settled or not self.wanted(name)
        self.count += skipped
        return skipped


def _default_span(feed: str, now: datetime) -> tuple[datetime, datetime]:
    hour = now.replace(minute=0, second=0, microsecond=0)
    today = hour.replace(hour=0)
    if feed in FORECASTS:
        return today, today + AHEAD
    return today - timedelta(days=1), hour


def _settled_names(workspace: Workspace, settings: FeedSettings) -> frozenset[str]:
    """Day files that were read after they had become final."""
    if not workspace.store.exists():
        return frozenset()
    with open_store(workspace.store) as store:
        batches = store.batches()
    days = pd.to_datetime(batches["name"].str.extract(_DAY_FILE)[0], format="%Y%m%d", errors="coerce")
    final = days + pd.Timedelta(days=1, hours=settings.archive_mirror.settle_hours.value)
    return frozenset(batches.loc[batches["ingested_at"] >= final, "name"])


def _wanted_days(gaps: pd.DataFrame) -> Callable[[str], bool]:
    """Files of the days with gaps; the hour 24 of a day stands in the file of the next."""
    days = pd.DatetimeIndex(gaps["date"])
    ends = gaps["hours"].str.endswith("24").to_numpy(dtype=bool)
    labels = {*days.strftime("%Y%m%d"), *(days[ends] + pd.Timedelta(days=1)).strftime("%Y%m%d")}
    return lambda name: (found := _DAY_FILE.search(name)) is not None and found[1] in labels


def _wanted_hours(gaps: pd.DataFrame) -> Callable[[str], bool]:
    labels = {
        f"{day + pd.Timedelta(hours=hour):%Y-%m-%d %H:%M}"
        for day, hours in zip(gaps["date"], gaps["hours"], strict=True)
        for hour in _hours_of(hours)
    }
    return lambda name: (found := _HOUR.match(name)) is not None and found[1] in labels


def _hours_of(text: str) -> Iterator[int]:
    """Hours of a list such as ``3-5,24``."""
    for run in text.split(","):
        first, _, last = run.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _take_in(workspace: Workspace, report: FetchReport, asked: Iterable[Piece], skip: _Skip) -> FetchReport:
    taken: list[Taken] = []
    for piece in asked:
        batches = _ingest(workspace, piece.batches) if piece.batches else ()
        taken.append(Taken(piece.what, batches, piece.notes, piece.problem))
    quality = None
    if any(piece.batches for piece in taken):
        with open_store(workspace.store) as store:
            quality = refresh_if_stale(store)
    if not taken and not skip.count:
        raise SourceUnavailableError(f"{report.feed}: nothing is offered for {report.first} to {report.last}")
    return replace(report, pieces=tuple(taken), skipped=skip.count, quality=quality)


def _ingest(workspace: Workspace, batches: Sequence[Batch]) -> tuple[Ingested, ...]:
    with open_store(workspace.store) as store:
        return tuple(store.ingest(batch) for batch in batches)
