"""Open-Meteo at the city points: CAMS air quality, weather forecasts, ERA5, forecasts of earlier days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

import numpy as np
import pyarrow as pa

from yrd_airq.errors import InputError, SourceUnavailableError
from yrd_airq.region import City, Region, distance_km
from yrd_airq.sources.batch import SCHEMAS, Batch, Kind, join_refused, refused_columns
from yrd_airq.sources.web.answers import Answer, BrokenAnswerError, read_json
from yrd_airq.sources.web.client import Client, Request, StatusError
from yrd_airq.sources.web.open_meteo_rows import VARIABLES, ModelHours, read_model_hours, read_places
from yrd_airq.sources.web.pieces import Piece, Skip, attempt
from yrd_airq.sources.web.settings import ModelFeed, OpenMeteoSettings
from yrd_airq.vocab import WeatherKind

_FARTHEST_KM = 100.0
"""A grid cell farther from the point asked for is not that point's."""
_BAD_REQUEST = 400


@dataclass(frozen=True)
class OpenMeteo:
    """One endpoint of the service, asked through ``client``.

    ``name`` names the feed. When values were known (``issue_time``) is, by ``kind`` and ``previous``:

    - analysis (the archive): null; nobody can have had them at the time.
    - forecast: the full hour before the answer was fetched. Hours before that carry it too: the service
      fills them from the first hours of earlier runs, and this is when we know of them.
    - previous runs (``_previous_dayN``): the valid time less N·24 h plus ``previous_margin_h``. The value
      is that of a run started at most a model step after N·24 h before the valid time, and a run is public
      only hours after its start; the margin covers both, so that no one is credited with a value before it
      could be had. Values whose run could not yet be had when they were fetched are refused, because the
      service replaces them later.
    """

    client: Client
    settings: OpenMeteoSettings
    feed: ModelFeed
    region: Region
    name: str
    kind: WeatherKind
    previous: bool = False

    def fetch(
        self, first: datetime, last: datetime, adcodes: Sequence[str] | None, skip: Skip
    ) -> Iterator[Piece]:
        """Hours of the days from ``first`` to ``last`` at the cities, one piece a model, span and chunk."""
        wanted = set(self.region.adcodes if adcodes is None else adcodes)
        cities = [city for city in self.region.cities if city.adcode in wanted]
        size = self.settings.cities_a_call
        chunks = [cities[k : k + size] for k in range(0, len(cities), size)]
        for model in self.feed.models:
            for start, end in self._spans(first.date(), last.date()):
                for number, chunk in enumerate(chunks, start=1):
                    what = self._title(model, start, end, adcodes, number)
                    if not skip(what):
                        yield attempt(what, partial(self._fetch_part, what, model, start, end, chunk))

    def _title(self, model: str, start: date, end: date, adcodes: Sequence[str] | None, number: int) -> str:
        which = f" {model}" if len(self.feed.models) > 1 else ""
        places = "" if adcodes is None else f" of {','.join(sorted(adcodes))}"
        return f"{self.name}{which} {start}..{end}{places} part {number}"

    def _spans(self, first: date, last: date) -> Iterator[tuple[date, date]]:
        step = timedelta(days=self.settings.days_a_call)
        while first <= last:
            yield first, min(last, first + step - timedelta(days=1))
            first += step

    def _fetch_part(self, what: str, model: str, start: date, end: date, cities: Sequence[City]) -> Piece:
        names = self._asked()
        request = Request(
            self.feed.path,
            self._params(model, names, start, end, cities),
            cost=self._cost(names, start, end, cities),
        )
        try:
            answer, hours = self.client.call(request, partial(_read, cities=cities, names=names))
        except StatusError as error:
            if error.status != _BAD_REQUEST:
                raise
            raise InputError(f"{self.client.host} refuses {what}: {error.reason}") from error
        batch = self._batch(what, model, answer, hours, cities)
        notes = tuple(f"the answer has no {name}" for name in hours.absent)
        problem = None
        if batch.rows.num_rows == 0:
            problem = SourceUnavailableError(
                f"{self.client.host}: {what}: no usable values (yet) in this span"
            )
        return Piece(what, (batch,) if batch.rows_in else (), notes, problem)

    def _asked(self) -> list[str]:
        names = list(self.feed.variables)
        if not self.previous:
            return names
        return [f"{name}_previous_day{days}" for days in self.settings.previous_days for name in names]

    def _params(
        self, model: str, names: Sequence[str], start: date, end: date, cities: Sequence[City]
    ) -> dict[str, str]:
        params = {
            "latitude": ",".join(f"{city.lat:g}" for city in cities),
            "longitude": ",".join(f"{city.lon:g}" for city in cities),
            "hourly": ",".join(names),
            self.feed.model_parameter: model,
            "timezone": "Asia/Shanghai",
            "start_date": start.isoformat(),
            "end_date": end.isoformat(),
        }
        if any("wind_speed" in name for name in names):
            params["wind_speed_unit"] = "ms"
        return params

    def _cost(self, names: Sequence[str], start: date, end: date, cities: Sequence[City]) -> float:
        days = (end - start).days + 1
        by_variables = max(1.0, len(names) / self.settings.variables_a_count.value)
        return len(cities) * by_variables * max(1.0, days / self.settings.days_a_count.value)

    def _batch(
        self, what: str, model: str, answer: Answer, hours: ModelHours, cities: Sequence[City]
    ) -> Batch:
        issued = self._issued(answer, hours)
        early = (
            issued > np.datetime64(answer.fetched_at, "us") if self.previous else np.zeros(len(issued), bool)
        )
        adcode = pa.array([city.adcode for city in cities]).take(pa.array(hours.place))
        rows = pa.Table.from_arrays(
            [
                adcode,
                pa.array(hours.time, pa.timestamp("us")),
                hours.variable,
                pa.array(hours.value),
                pa.array([model] * len(issued), pa.string()),
                pa.array([self.kind.value] * len(issued), pa.string()),
                pa.array(issued, pa.timestamp("us")),
            ],
            schema=SCHEMAS[Kind.CITY_MODEL],
        )
        count = int(early.sum())
        unfinished = refused_columns(
            [0] * count,
            hours.variable.filter(pa.array(early)),
            ["its run could not be had yet when fetched; ask again later"] * count,
            [
                f"{time} {days} days before"
                for time, days in zip(hours.time[early], hours.days_before[early], strict=True)
            ],
            [1] * count,
        )
        refused = join_refused(hours.refused, unfinished)
        kept = rows.filter(pa.array(~early))
        return Batch(
            Kind.CITY_MODEL, self.name.replace("-", "_"), what, answer.digest, kept, refused, hours.rows_in
        )

    def _issued(self, answer: Answer, hours: ModelHours) -> np.ndarray:
        """When each value was known, NaT for an analysis; see the class."""
        if self.kind is WeatherKind.ANALYSIS:
            return np.full(len(hours.time), np.datetime64("NaT", "us"))
        if not self.previous:
            hour = answer.fetched_at.replace(minute=0, second=0, microsecond=0)
            return np.full(len(hours.time), np.datetime64(hour, "us"))
        margin = np.timedelta64(round(60 * self.settings.previous_margin_h.value), "m")
        return hours.time - hours.days_before * np.timedelta64(1, "D") + margin


def _read(answer: Answer, cities: Sequence[City], names: Sequence[str]) -> tuple[Answer, ModelHours]:
    """The hours of an answer, if it is for these cities in their order."""
    data = read_json(answer)
    if isinstance(data, dict) and data.get("error"):
        raise StatusError(f"the service refuses: {data.get('reason')}", _BAD_REQUEST, str(data.get("reason")))
    places = read_places(data, len(cities))
    for place, city in zip(places, cities, strict=True):
        lon, lat = place.get("longitude"), place.get("latitude")
        if not isinstance(lon, int | float) or not isinstance(lat, int | float):
            raise BrokenAnswerError("answered JSON without the place of its values")
        if distance_km(lon, lat, city.lon, city.lat) > _FARTHEST_KM:
            raise BrokenAnswerError(f"answered for {lat:g}°N, {lon:g}°E where {city.name_en} was asked for")
    return answer, read_model_hours(places, names)


def check_variables(feed: ModelFeed) -> None:
    """``InputError`` for a variable of the settings that is not known, and for half a wind."""
    unknown = [name for name in feed.variables if name not in VARIABLES]
    if unknown:
        raise InputError(
            f"configs/feeds.yaml: {', '.join(unknown)}: not known; known are {', '.join(VARIABLES)}"
        )
    winds = {"wind_speed_10m", "wind_direction_10m"}
    if len(winds & set(feed.variables)) == 1:
        raise InputError(
            "configs/feeds.yaml: wind_speed_10m and wind_direction_10m have to be asked for together"
        )
