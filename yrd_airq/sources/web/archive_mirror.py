"""The archive mirror of the national release: one CSV file a day, of all stations or of all cities."""

from __future__ import annotations

import itertools
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from yrd_airq.region import Region
from yrd_airq.sources import stations_wide
from yrd_airq.sources.batch import SCHEMAS, Batch, Kind
from yrd_airq.sources.files import read_content, text_bytes
from yrd_airq.sources.web.answers import Answer, BrokenAnswerError, check_no_page
from yrd_airq.sources.web.client import Client, Request, StatusError
from yrd_airq.sources.web.pieces import Piece, Skip, attempt
from yrd_airq.sources.web.settings import MirrorSettings

CITIES_LAYOUT = "cities_wide"
_HEADER = b"date,hour,type"
_GZIP = b"\x1f\x8b"
_NOT_FOUND = 404


@dataclass(frozen=True)
class Mirror:
    """The mirror, asked through ``client``."""

    client: Client
    settings: MirrorSettings
    region: Region

    def fetch_sites(self, first: datetime, last: datetime, skip: Skip) -> Iterator[Piece]:
        """Files of all stations with the labels from ``first`` to ``last``, one piece a day, in order."""
        return self._fetch(self.settings.sites_file, self._read_sites, first, last, skip)

    def fetch_cities(self, first: datetime, last: datetime, skip: Skip) -> Iterator[Piece]:
        """Files of all cities with the labels from ``first`` to ``last``, one piece a day, in order."""
        return self._fetch(self.settings.cities_file, self._read_cities, first, last, skip)

    def _fetch(
        self, pattern: str, read: Callable[[Path], Batch], first: datetime, last: datetime, skip: Skip
    ) -> Iterator[Piece]:
        """Several days at once, as many as the settings allow and no further ahead than that."""
        days = [first.date() + timedelta(days=k) for k in range((last.date() - first.date()).days + 1)]
        wanted = ((day, name) for day in days if not skip(name := pattern.format(day=f"{day:%Y%m%d}")))
        parallel = self.settings.service.limits.parallel
        at_once = 1 if parallel is None else max(1, int(parallel.value))
        with ThreadPoolExecutor(at_once, thread_name_prefix="archive-mirror") as pool:
            under_way: deque[Future[Piece]] = deque()
            try:
                for day, name in itertools.islice(wanted, at_once):
                    under_way.append(pool.submit(self._fetch_day, name, day, read))
                while under_way:
                    piece = under_way.popleft().result()
                    for day, name in itertools.islice(wanted, 1):
                        under_way.append(pool.submit(self._fetch_day, name, day, read))
                    yield piece
            finally:
                if under_way:
                    # Nobody waits for these any more, so that they must not wait for their next try either.
                    self.client.stop()
                for future in under_way:
                    future.cancel()

    def _fetch_day(self, name: str, day: date, read: Callable[[Path], Batch]) -> Piece:
        return attempt(name, partial(self._fetch_file, name, day, read))

    def _fetch_file(self, name: str, day: date, read: Callable[[Path], Batch]) -> Piece:
        try:
            answer = self.client.call(Request(f"/{name}"), _whole_file)
        except StatusError as error:
            if error.status != _NOT_FOUND:
                raise
            missing = f"{self.client.host}: {name}: the mirror has no file of {day} (404); the day is missing"
            raise StatusError(missing, error.status, error.reason) from error
        with tempfile.TemporaryDirectory(prefix="yrd-airq-") as folder:
            path = Path(folder) / name
            path.write_bytes(answer.body)
            batch = replace(read(path), name=name, content_hash=answer.digest)
        notes = []
        if (fault := _last_hour_fault(answer.body)) is not None:
            notes.append(f"the {fault}; the mirror's own file may be cut off")
        end = datetime.combine(day, time()) + timedelta(days=1, hours=self.settings.settle_hours.value)
        if answer.fetched_at < end:
            # Under the name of the file a caller would take it for the whole day and not ask again.
            fetched = f"{answer.fetched_at:%Y-%m-%d %H:%M}"
            batch = replace(batch, name=f"{name} (as of {fetched})")
            notes.append(f"fetched at {fetched}, before the file is final")
        return Piece(name, (batch,), tuple(notes))

    def _read_sites(self, path: Path) -> Batch:
        return stations_wide.read(path)

    def _read_cities(self, path: Path) -> Batch:
        """The file with its city names replaced by adcodes is one of the layout of stations."""
        head, line_end, rest = text_bytes(path, read_content(path).data).partition(b"\n")
        names = head.decode().rstrip("\r").split(",")
        codes = [self.region.adcode_of_name(name.strip()) or name.strip() for name in names]
        path.write_bytes(",".join(codes).encode() + line_end + rest)
        batch = stations_wide.read(path)
        columns = [batch.rows[name] for name in ("station_code", "time", "item", "value")]
        rows = pa.Table.from_arrays(columns, schema=SCHEMAS[Kind.CITY_RELEASE])
        refused = _name_cities(batch.refused, self.region)
        return replace(batch, kind=Kind.CITY_RELEASE, layout=CITIES_LAYOUT, rows=rows, refused=refused)


def _name_cities(refused: pa.Table, region: Region) -> pa.Table:
    """Columns of cities beyond the region, refused as what they are rather than as odd station codes."""
    beyond = np.array(
        [row == 0 and field not in region.adcodes for row, field in _pairs(refused)], dtype=bool
    )
    reason = pc.if_else(pa.array(beyond), "not a city of the region; left out", refused["reason"])
    return refused.set_column(refused.column_names.index("reason"), refused.schema.field("reason"), reason)


def _pairs(refused: pa.Table) -> Iterator[tuple[int, str]]:
    return zip(refused["row"].to_pylist(), refused["field"].to_pylist(), strict=True)


def _whole_file(answer: Answer) -> Answer:
    """The answer if it is a whole file; ``BrokenAnswerError`` for a page, another text and a cut-off file.

    A file ends with as many cells as its header has names. Whether it breaks off between two lines only
    the server's own word on its length tells; without that, the last hour must have all types.
    """
    check_no_page(answer, "a CSV file")
    if answer.body.startswith(_GZIP):
        return answer
    lines = _lines(answer.body)
    if not lines[0].startswith(_HEADER):
        start = lines[0][:40].decode("utf-8", errors="replace")
        raise BrokenAnswerError(f"answered something else than a CSV file of hours (it begins {start!r})")
    if len(lines) < 2 or lines[-1].count(b",") != lines[0].count(b","):
        raise BrokenAnswerError(f"answered a CSV file that is cut off in line {len(lines)}")
    fault = _last_hour_fault(answer.body)
    if fault is not None and not {"content-length", "transfer-encoding"} & set(answer.headers):
        raise BrokenAnswerError(f"answered a CSV file whose {fault}")
    return answer


def _last_hour_fault(body: bytes) -> str | None:
    """What is wrong if the last hour of the file has fewer types than the first."""
    if body.startswith(_GZIP):
        return None
    lines = _lines(body)
    hours = [b",".join(line.split(b",", 2)[:2]) + b"," for line in (lines[1], lines[-1])]
    first, last = (sum(line.startswith(hour) for line in lines) for hour in hours)
    return f"last hour has {last} types where the first has {first}" if last < first else None


def _lines(body: bytes) -> list[bytes]:
    return body.removeprefix(b"\xef\xbb\xbf").rstrip(b"\r\n").split(b"\n")
