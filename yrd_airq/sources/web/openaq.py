"""OpenAQ v3: locations in the region, and the hourly means of their sensors in the units of the store."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from yrd_airq.clock import BEIJING
from yrd_airq.errors import SourceUnavailableError
from yrd_airq.region import Region
from yrd_airq.sources.batch import SCHEMAS, Batch, Kind, Refusal, refused_table
from yrd_airq.sources.text import as_numbers
from yrd_airq.sources.web.answers import Answer, BrokenAnswerError, read_json
from yrd_airq.sources.web.cells import as_text
from yrd_airq.sources.web.client import Client, Request
from yrd_airq.sources.web.openaq_rows import ITEMS, read_hours
from yrd_airq.sources.web.pacing import Budget
from yrd_airq.sources.web.pieces import Piece, Skip, attempt
from yrd_airq.sources.web.settings import OpenAqSettings

LIST_LAYOUT = "openaq_locations"
_HOUR = timedelta(hours=1)
_LABEL = "%Y-%m-%dT%H"


@dataclass(frozen=True)
class Location:
    """One location: its code here (``OPENAQ`` and its number), name, place, city, and its usable sensors."""

    code: str
    number: int
    name: str
    lon: float
    lat: float
    adcode: str | None
    sensors: tuple[int, ...]


@dataclass(frozen=True)
class OpenAq:
    """The service, asked through ``client``."""

    client: Client
    settings: OpenAqSettings
    region: Region

    def fetch(
        self,
        first: datetime,
        last: datetime,
        stations: Sequence[str] | None,
        adcodes: Sequence[str] | None,
        skip: Skip,
    ) -> Iterator[Piece]:
        """The list of locations in the region's bounding box, then one piece for each location.

        Asked for are the locations within the region's cities (those of ``adcodes``), or the ``stations``
        named. Hours carry the hour-ending labels from ``first`` to ``last``.
        """
        found: list[Location] = []
        yield attempt("openaq stations", partial(self._fetch_locations, found))
        span = f"{first:{_LABEL}}..{last:{_LABEL}}"
        cities = self.region.adcodes if adcodes is None else adcodes
        for location in found:
            wanted = location.adcode in cities if stations is None else location.code in stations
            what = f"openaq {location.code} {span}"
            if wanted and not skip(what):
                yield attempt(what, partial(self._fetch_hours, what, location, first, last))
        for code in sorted(set(stations or ()) - {location.code for location in found}):
            if found:
                unknown = (
                    f"openaq: {code} is not among the {len(found)} locations of the region's bounding box"
                )
                yield Piece(f"openaq {code}", problem=SourceUnavailableError(unknown))

    def _fetch_locations(self, found: list[Location]) -> Piece:
        west, south, east, north = np.array([polygon.bounds for polygon in self.region.polygons]).T
        box = (math.floor(100 * west.min()), math.floor(100 * south.min()))
        far = (math.ceil(100 * east.max()), math.ceil(100 * north.max()))
        params = {"bbox": ",".join(f"{edge / 100:g}" for edge in (*box, *far)), "mobile": "false"}
        if self.settings.monitors_only:
            params["monitor"] = "true"
        _, records = self._pages("/locations", params, self.client.open_budget())
        known: dict[int, dict[str, Any]] = {}
        refused = []
        for row, record in enumerate(records, start=1):
            number = _whole(record.get("id"))
            if number is None or number in known:
                why = (
                    "a location without a number"
                    if number is None
                    else "the location stands in an earlier row"
                )
                refused.append(Refusal(row, "id", why, as_text(record), 1))
            else:
                known[number] = record
        found += self._locations(dict(sorted(known.items())))
        if not found:
            raise SourceUnavailableError(f"{self.client.host}: no location in the region's bounding box")
        return Piece("openaq stations", (self._list(found, refused),))

    def _locations(self, records: dict[int, dict[str, Any]]) -> list[Location]:
        """The locations by number, each in the city whose outline holds it."""
        places = [_part(record, "coordinates") for record in records.values()]
        lon, lat = (
            as_numbers(pa.array([as_text(place.get(name)) for place in places], pa.string()))[0]
            for name in ("longitude", "latitude")
        )
        known = np.isfinite(lon) & np.isfinite(lat)
        city = self.region.locate(np.where(known, lon, 0.0), np.where(known, lat, 0.0))
        return [
            Location(f"OPENAQ{n}", n, as_text(record.get("name")), lon[k], lat[k], city[k], _sensors(record))
            for k, (n, record) in enumerate(records.items())
        ]

    def _list(self, locations: Sequence[Location], refused: Sequence[Refusal]) -> Batch:
        """The locations as a list of stations; none is counted, as they are not of the national network."""
        rows = pa.Table.from_pylist(
            [
                {
                    "station_code": location.code,
                    "name_zh": location.name,
                    "city_zh": "" if location.adcode is None else self.region.city(location.adcode).name_zh,
                    "adcode": location.adcode,
                    "counted": False,
                    "lon": None if math.isnan(location.lon) else location.lon,
                    "lat": None if math.isnan(location.lat) else location.lat,
                }
                for location in locations
            ],
            schema=SCHEMAS[Kind.STATION_LIST],
        )
        digest = hashlib.sha256(repr(rows.to_pylist()).encode()).hexdigest()
        count = rows.num_rows + len(refused)
        table = refused_table(refused)
        return Batch(Kind.STATION_LIST, LIST_LAYOUT, "openaq stations", digest, rows, table, count)

    def _fetch_hours(self, what: str, location: Location, first: datetime, last: datetime) -> Piece:
        budget = self.client.open_budget()
        sensors = location.sensors
        if not sensors:
            _, records = self._pages(f"/locations/{location.number}/sensors", {}, budget)
            sensors = _sensors({"sensors": records})
        if not sensors:
            raise SourceUnavailableError(f"{self.client.host}: {what}: measures none of {', '.join(ITEMS)}")
        # An hour more than asked, because the service does not say which end of an hour it compares.
        params = {"datetime_from": _utc(first - _HOUR), "datetime_to": _utc(last)}
        answers: list[Answer] = []
        records = []
        for sensor in sensors:
            more, hours = self._pages(f"/sensors/{sensor}/hours", params, budget)
            answers += more
            records += hours
        batch = read_hours(answers, records, what, location.code, self.settings)
        if batch.rows_in == 0:
            raise SourceUnavailableError(f"{self.client.host}: {what}: no values in this span")
        return Piece(what, (batch,))

    def _pages(
        self, path: str, params: dict[str, str], budget: Budget
    ) -> tuple[list[Answer], list[dict[str, Any]]]:
        """The results of all pages.

        A page shorter than the limit is the last; ``found`` may be a text such as ``>1000`` and then says
        nothing.
        """
        answers: list[Answer] = []
        results: list[dict[str, Any]] = []
        for page in range(1, self.settings.longest_pages + 1):
            asked = {**params, "limit": str(self.settings.page_size), "page": str(page)}
            answer, meta, records = self.client.call(Request(path, asked), _page, budget)
            answers.append(answer)
            results += records
            limit = _whole(meta.get("limit")) or self.settings.page_size
            found = _whole(meta.get("found"))
            if len(records) < limit or (found is not None and len(results) >= found):
                return answers, results
        raise SourceUnavailableError(
            f"{self.client.host}{path}: more than {self.settings.longest_pages} pages; ask for a shorter span"
        )


def _page(answer: Answer) -> tuple[Answer, dict[str, Any], list[dict[str, Any]]]:
    data = read_json(answer)
    results = data.get("results") if isinstance(data, dict) else None
    if not isinstance(results, list) or not all(isinstance(result, dict) for result in results):
        raise BrokenAnswerError("answered JSON without a list of results")
    return answer, _part(data, "meta"), results


def _part(record: dict[str, Any], name: str) -> dict[str, Any]:
    part = record.get(name)
    return part if isinstance(part, dict) else {}


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _sensors(record: dict[str, Any]) -> tuple[int, ...]:
    """Numbers of the sensors that measure one of the six items, in order."""
    sensors = record.get("sensors")
    found = {
        number
        for sensor in (sensors if isinstance(sensors, list) else [])
        if isinstance(sensor, dict)
        and as_text(_part(sensor, "parameter").get("name")).lower() in ITEMS
        and (number := _whole(sensor.get("id"))) is not None
    }
    return tuple(sorted(found))


def _utc(moment: datetime) -> str:
    return (moment.replace(tzinfo=BEIJING) - BEIJING.utcoffset(None)).strftime("%Y-%m-%dT%H:%M:%SZ")
