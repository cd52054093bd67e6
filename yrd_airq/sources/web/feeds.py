"""The door for web feeds: every feed by name, asked for a span of hours, handed over piece by piece."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from yrd_airq.errors import InputError
from yrd_airq.region import Region, load_region
from yrd_airq.sources.batch import Kind
from yrd_airq.sources.web.answers import UnreachableError
from yrd_airq.sources.web.archive_mirror import Mirror
from yrd_airq.sources.web.client import Client
from yrd_airq.sources.web.cnemc import Release
from yrd_airq.sources.web.open_meteo import OpenMeteo, check_variables
from yrd_airq.sources.web.openaq import OpenAq
from yrd_airq.sources.web.pacing import Timing
from yrd_airq.sources.web.pieces import Piece, Skip
from yrd_airq.sources.web.settings import FeedSettings, ModelFeed, Service, load_feed_settings
from yrd_airq.vocab import WeatherKind

__all__ = ["FEEDS", "Feed", "FeedSettings", "Piece", "Timing", "fetch", "load_feed_settings"]


@dataclass(frozen=True)
class Asked:
    """What is asked of a feed: hour labels from ``first`` to ``last`` (Beijing), places, what is at hand."""

    first: datetime
    last: datetime
    now: datetime
    stations: tuple[str, ...] | None
    adcodes: tuple[str, ...] | None
    skip: Skip


@dataclass(frozen=True)
class Feed:
    """A feed by its name: what it gives, in words and as kinds of batches, its service, how it is asked."""

    name: str
    gives: str
    kinds: tuple[Kind, ...]
    service: Callable[[FeedSettings], Service]
    ask: Callable[[Client, FeedSettings, Region, Asked], Iterator[Piece]]
    takes: frozenset[str] = frozenset()
    """Which of ``stations`` and ``adcodes`` it can be asked for."""


def fetch(
    name: str,
    first: datetime,
    last: datetime,
    *,
    stations: Sequence[str] | None = None,
    adcodes: Sequence[str] | None = None,
    skip: Skip = lambda _: False,
    settings: FeedSettings | None = None,
    timing: Timing | None = None,
    seed: int | None = None,
) -> Iterator[Piece]:
    """The pieces of a feed for the hour labels from ``first`` to ``last`` (naive Beijing time, inclusive).

    ``stations`` names single stations (cnemc: the last day of each; openaq), ``adcodes`` single cities
    (city feeds and openaq). ``skip`` is asked with the name of each piece (its batch's name) before it is
    fetched. ``settings`` default to ``configs/feeds.yaml``, ``timing`` to the real clock; ``seed`` fixes the
    waits between tries.

    Raises ``InputError`` for an unknown feed, span or city, for places that the feed cannot be asked for
    and for a missing key, before anything is asked.
    What fails later is the ``problem`` of its piece. When the service has not answered several pieces in a
    row, the last piece says that the rest was not tried.
    """
    feed = FEEDS.get(name)
    if feed is None:
        raise InputError(f"feed {name!r} is not known; known are {', '.join(FEEDS)}")
    for place, given in (("stations", stations), ("adcodes", adcodes)):
        if given is not None and place not in feed.takes:
            able = ", ".join(other.name for other in FEEDS.values() if place in other.takes)
            raise InputError(f"feed {name} cannot be asked for single {place}; these can: {able}")
    if last < first:
        raise InputError(f"asked from {first} to {last}: the span is empty")
    for code in stations or ():
        if not code.isascii() or not code.isalnum():
            raise InputError(f"{code!r} is not a station code such as 1141A")
    settings = settings or load_feed_settings()
    region = load_region()
    cities = None if adcodes is None else tuple(region.city(code).adcode for code in adcodes)
    chosen = None if stations is None else tuple(stations)
    asked = Asked(first, last, (timing or Timing()).now(), chosen, cities, skip)
    client = Client(feed.service(settings), settings.calls, timing, seed)
    pieces = feed.ask(client, settings, region, asked)
    return _until_down(pieces, client, name, settings.calls.failures_to_stop)


def _until_down(pieces: Iterator[Piece], client: Client, name: str, allowed: int) -> Iterator[Piece]:
    """The pieces, until too many in a row have failed because the service is out of reach."""
    failed = 0
    with client:
        for piece in pieces:
            yield piece
            failed = failed + 1 if isinstance(piece.problem, UnreachableError) else 0
            if failed >= allowed:
                rest = f"{client.host} failed {failed} times in a row; what is left of {name} was not tried"
                yield Piece("rest", problem=UnreachableError(f"{rest}; run the same again later"))
                return


def _ask_cnemc(client: Client, settings: FeedSettings, region: Region, asked: Asked) -> Iterator[Piece]:
    release = Release(client, settings.cnemc, region)
    if asked.stations is not None:
        return release.fetch_station_days(asked.stations, asked.skip)
    return release.fetch_hours(asked.first, asked.last, asked.now, asked.skip)


def _ask_city_days(client: Client, settings: FeedSettings, region: Region, asked: Asked) -> Iterator[Piece]:
    cities = region.adcodes if asked.adcodes is None else asked.adcodes
    return Release(client, settings.cnemc, region).fetch_city_days(
        cities, asked.first, asked.last, asked.skip
    )


def _ask_sites(client: Client, settings: FeedSettings, region: Region, asked: Asked) -> Iterator[Piece]:
    return Mirror(client, settings.archive_mirror, region).fetch_sites(asked.first, asked.last, asked.skip)


def _ask_cities(client: Client, settings: FeedSettings, region: Region, asked: Asked) -> Iterator[Piece]:
    return Mirror(client, settings.archive_mirror, region).fetch_cities(asked.first, asked.last, asked.skip)


def _ask_openaq(client: Client, settings: FeedSettings, region: Region, asked: Asked) -> Iterator[Piece]:
    feed = OpenAq(client, settings.openaq, region)
    return feed.fetch(asked.first, asked.last, asked.stations, asked.adcodes, asked.skip)


def _open_meteo(
    name: str,
    gives: str,
    part: Callable[[FeedSettings], ModelFeed],
    kind: WeatherKind,
    previous: bool = False,
) -> Feed:
    def ask(client: Client, settings: FeedSettings, region: Region, asked: Asked) -> Iterator[Piece]:
        endpoint = part(settings)
        check_variables(endpoint)
        feed = OpenMeteo(client, settings.open_meteo, endpoint, region, name, kind, previous)
        return feed.fetch(asked.first, asked.last, asked.adcodes, asked.skip)

    return Feed(name, gives, (Kind.CITY_MODEL,), lambda s: part(s).service, ask, frozenset({"adcodes"}))


FEEDS: dict[str, Feed] = {
    feed.name: feed
    for feed in (
        Feed(
            "cnemc",
            "hourly values of all national stations, of the last day (the national centre)",
            (Kind.STATIONS, Kind.STATION_LIST),
            lambda s: s.cnemc.service,
            _ask_cnemc,
            frozenset({"stations"}),
        ),
        Feed(
            "cnemc-city-days",
            "daily values of the cities, of the last two weeks (the national centre)",
            (Kind.CITY_RELEASE,),
            lambda s: s.cnemc.service,
            _ask_city_days,
            frozenset({"adcodes"}),
        ),
        Feed(
            "archive-mirror",
            "hourly values of all national stations, a file a day (archive mirror)",
            (Kind.STATIONS,),
            lambda s: s.archive_mirror.service,
            _ask_sites,
        ),
        Feed(
            "archive-mirror-cities",
            "hourly values of the cities as released, a file a day (archive mirror)",
            (Kind.CITY_RELEASE,),
            lambda s: s.archive_mirror.service,
            _ask_cities,
        ),
        Feed(
            "openaq",
            "hourly values of the locations in the region (OpenAQ v3; needs a key)",
            (Kind.STATIONS, Kind.STATION_LIST),
            lambda s: s.openaq.service,
            _ask_openaq,
            frozenset({"stations", "adcodes"}),
        ),
        _open_meteo(
            "open-meteo-air",
            "air quality at the cities, forecast of CAMS (Open-Meteo)",
            lambda s: s.open_meteo.air,
            WeatherKind.FORECAST,
        ),
        _open_meteo(
            "open-meteo-forecast",
            "weather forecast at the cities (Open-Meteo)",
            lambda s: s.open_meteo.forecast,
            WeatherKind.FORECAST,
        ),
        _open_meteo(
            "open-meteo-archive",
            "weather analysis at the cities, ERA5 (Open-Meteo)",
            lambda s: s.open_meteo.archive,
            WeatherKind.ANALYSIS,
        ),
        _open_meteo(
            "open-meteo-previous-runs",
            "weather as it was forecast on earlier days at the cities (Open-Meteo)",
            lambda s: s.open_meteo.previous_runs,
            WeatherKind.FORECAST,
            previous=True,
        ),
    )
}
"""Every feed that can be fetched, by name."""
