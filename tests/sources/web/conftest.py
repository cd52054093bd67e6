"""A local service, settings that point at it, and a clock that does not wait."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from tests.sources.web.site import Site
from yrd_airq.sources.web.pacing import Timing
from yrd_airq.sources.web.settings import Calls, FeedSettings, Limits, Service, load_feed_settings


class FakeTime:
    """Sleeping takes no time and moves the clock; ``slept`` holds every pause."""

    def __init__(self, now: datetime) -> None:
        self._start = now
        self._gone = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._gone += seconds

    def timing(self) -> Timing:
        return Timing(self.sleep, lambda: self._gone, lambda: self._start + timedelta(seconds=self._gone))


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)


@pytest.fixture
def site() -> Iterator[Site]:
    service = Site()
    yield service
    service.close()


@pytest.fixture
def clock() -> FakeTime:
    return FakeTime(datetime(2026, 11, 23, 10, 40))


@pytest.fixture
def calls() -> Calls:
    """The project's patience with short time-outs, since the local service answers at once."""
    return load_feed_settings().calls.model_copy(update={"connect_timeout_s": 2.0, "read_timeout_s": 0.5})


@pytest.fixture
def point(site: Site, calls: Calls) -> Callable[..., FeedSettings]:
    """The project's settings with every service at the local one, without limits of calls."""

    def at(service: Service, parallel: bool = True) -> Service:
        limits = Limits(parallel=service.limits.parallel if parallel else None)
        return service.model_copy(update={"base_url": site.url, "limits": limits})

    def settings() -> FeedSettings:
        plain = load_feed_settings()
        parts = {
            name: getattr(plain, name).model_copy(update={"service": at(getattr(plain, name).service)})
            for name in ("cnemc", "archive_mirror", "openaq")
        }
        endpoints = {
            name: getattr(plain.open_meteo, name).model_copy(
                update={"service": at(getattr(plain.open_meteo, name).service)}
            )
            for name in ("air", "forecast", "archive", "previous_runs")
        }
        return plain.model_copy(
            update={**parts, "open_meteo": plain.open_meteo.model_copy(update=endpoints), "calls": calls}
        )

    return settings
