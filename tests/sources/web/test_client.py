"""Calls survive what passes, give up what stays, keep to limits, and give the key to nobody else."""

from __future__ import annotations

import logging
import socket
import time
import traceback
from datetime import datetime

import pytest

from tests.sources.web.site import Asked, Reply, Site
from yrd_airq.errors import InputError, SourceUnavailableError
from yrd_airq.settings import Marked
from yrd_airq.sources.web.answers import read_json
from yrd_airq.sources.web.client import Client, Request, StatusError
from yrd_airq.sources.web.pacing import asked_wait
from yrd_airq.sources.web.settings import Limits, Service

KEY = "s3cret-key-0815"
PAGE = "<!DOCTYPE html><html><head><title>系统维护中</title></head><body>503</body></html>"


def service(url: str, **more) -> Service:
    return Service(base_url=url, source="test", **more)


def limit(value: float) -> Marked:
    return Marked(value=value, mark="derived", source="test")


@pytest.fixture
def client(site: Site, calls, clock) -> Client:
    return Client(service(site.url), calls, clock.timing(), seed=1)


def ask(client: Client, path: str = "/x") -> object:
    return client.call(Request(path), read_json)


def failure(client: Client, path: str = "/x") -> SourceUnavailableError:
    with pytest.raises(SourceUnavailableError) as caught:
        ask(client, path)
    assert caught.value.exit_code == 4
    return caught.value


@pytest.mark.parametrize(
    "bad",
    [
        Reply(PAGE, 500),
        Reply(PAGE, 502),
        Reply("", 503),
        Reply("", 408),
        Reply(PAGE),
        Reply(b""),
        Reply(b'{"a": [1, 2', 200),
        Reply(b'{"a": 1}', promised=400),
        Reply(b"\xff\xfe{}", 200),
        Reply(b"not gzip at all", headers={"Content-Encoding": "gzip"}),
    ],
    ids=["500", "502", "503", "408", "page", "nothing", "cut json", "half a body", "no utf-8", "bad gzip"],
)
def test_what_passes_is_tried_again(site, client, clock, bad):
    site.on("/x", bad, bad, Reply({"good": 1}))
    assert ask(client) == {"good": 1}
    assert len(site.asked) == 3
    assert len(clock.slept) == 2


def test_the_last_failure_names_host_path_cause_tries_and_remedy(site, client, calls, clock):
    site.on("/x", Reply(PAGE, 500))
    message = str(failure(client))
    assert site.url.removeprefix("http://") + "/x" in message
    assert "answered 500 (系统维护中)" in message
    assert f"{calls.tries} tries" in message
    assert "configs/feeds.yaml" in message
    assert len(site.asked) == calls.tries
    assert len(clock.slept) == calls.tries - 1


def test_a_page_instead_of_json_is_named_as_such(site, client):
    site.on("/x", Reply(PAGE))
    assert "a web page (HTML: 系统维护中) instead of JSON" in str(failure(client))


def test_waits_grow_are_drawn_by_the_seed_and_stay_below_the_limit(site, calls, clock):
    calls = calls.model_copy(update={"tries": 9, "longest_wait_s": 20.0})
    site.on("/x", Reply("", 500))
    runs = []
    for _ in range(2):
        start = len(clock.slept)
        failure(Client(service(site.url), calls, clock.timing(), seed=7))
        runs.append(clock.slept[start:])
    assert runs[0] == runs[1]
    assert all(0 <= wait <= min(20, 2 * 2**n) for n, wait in enumerate(runs[0]))
    assert len(set(runs[0])) == 8


def test_no_connection_and_a_name_that_is_none(calls, clock):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client = Client(service(f"http://127.0.0.1:{port}"), calls, clock.timing(), seed=1)
    assert "could not be reached" in str(failure(client))
    assert len(clock.slept) == calls.tries - 1


def test_a_server_that_does_not_answer_is_left_in_time(site, calls, clock):
    calls = calls.model_copy(update={"tries": 2, "read_timeout_s": 0.15})
    site.on("/x", Reply({}, hang_s=1.0))
    started = time.monotonic()
    assert "did not answer in time" in str(failure(Client(service(site.url), calls, clock.timing())))
    assert time.monotonic() - started < 0.9


def test_a_server_that_trickles_cannot_outstay_the_time_allowed(site, calls):
    calls = calls.model_copy(update={"deadline_s": 0.4})
    site.on("/x", Reply(b"[" + b" " * 200 + b"]", trickle_s=0.02))
    started = time.monotonic()
    assert "in the time allowed" in str(failure(Client(service(site.url), calls)))
    assert time.monotonic() - started < 1.5


def test_an_answer_beyond_all_measure_is_not_read_to_the_end(site, calls, clock):
    calls = calls.model_copy(update={"longest_answer_mb": 0.1})
    site.on("/x", Reply(b"[" + b"1," * 100_000))
    assert "more than 0.1 MB" in str(failure(Client(service(site.url), calls, clock.timing())))
    assert len(site.asked) == 1


def test_429_waits_as_long_as_retry_after_says(site, client, clock):
    site.on("/x", Reply("", 429, {"Retry-After": "17"}), Reply([]))
    assert ask(client) == []
    assert clock.slept == [17.0]


def test_429_with_a_date_or_a_reset_or_nothing(site, client, clock, calls):
    site.on(
        "/x",
        Reply("", 429, {"Retry-After": "Mon, 23 Nov 2026 02:40:30 GMT"}),
        Reply("", 429, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "23"}),
        Reply({"error": True, "reason": "Minutely API request limit exceeded."}, 429),
        Reply([]),
    )
    assert ask(client) == []
    assert clock.slept == [30.0, 23.0, calls.limited_wait_s]


def test_a_wait_beyond_the_time_allowed_is_not_begun(site, client, clock):
    site.on("/x", Reply({"reason": "Hourly limit exceeded"}, 429, {"Retry-After": "1800"}))
    message = str(failure(client))
    assert "1800 s" in message
    assert "Hourly limit exceeded" in message
    assert clock.slept == []
    assert len(site.asked) == 1


def test_a_used_up_limit_is_waited_for_before_the_next_call(site, client, clock):
    site.on("/x", Reply([], headers={"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "41"}), Reply([]))
    ask(client)
    assert clock.slept == []
    ask(client)
    assert clock.slept == [41.0]
    ask(client)
    assert clock.slept == [41.0]


def test_own_pace_keeps_any_minute_and_hour_below_the_limit(site, calls, clock):
    limits = Limits(per_minute=limit(3), per_hour=limit(5))
    client = Client(service(site.url, limits=limits), calls, clock.timing())
    site.on("/x", Reply([]))
    for _ in range(5):
        ask(client)
    assert clock.slept == [60.0]
    message = str(failure(client))
    assert "limit of calls" in message
    assert "3540 s" in message


def test_a_heavy_call_counts_as_several(site, calls, clock):
    client = Client(service(site.url, limits=Limits(per_minute=limit(10))), calls, clock.timing())
    site.on("/x", Reply([]))
    for _ in range(2):
        client.call(Request("/x", cost=6), read_json)
    assert clock.slept == [60.0]
    client.call(Request("/x", cost=50), read_json)
    assert clock.slept == [60.0, 60.0]


def test_waits_of_our_own_pace_do_not_use_up_the_time_allowed(site, calls, clock):
    calls = calls.model_copy(update={"deadline_s": 100.0})
    client = Client(service(site.url, limits=Limits(per_minute=limit(1))), calls, clock.timing())
    site.on("/x", Reply([]))
    budget = client.open_budget()
    for _ in range(5):
        client.call(Request("/x"), read_json, budget)
    assert sum(clock.slept) == 240.0


@pytest.mark.parametrize("status", [400, 403, 404, 410, 422])
def test_other_refusals_are_not_tried_again(site, client, status):
    site.on("/x", Reply({"detail": "no such thing"}, status))
    error = failure(client)
    assert isinstance(error, StatusError)
    assert error.status == status
    assert "no such thing" in str(error)
    assert len(site.asked) == 1


def test_retry_after_that_is_nonsense_counts_as_absent():
    now = datetime(2026, 11, 23, 10, 40)
    assert asked_wait({"retry-after": "soon"}, now) is None
    assert asked_wait({"retry-after": "-3"}, now) is None
    assert asked_wait({"retry-after": "1e9"}, now) is None
    assert asked_wait({"x-ratelimit-reset": "nan"}, now) is None
    # 2026-11-23 10:41 Beijing time as seconds since 1970.
    assert asked_wait({"x-ratelimit-reset": "1795401660"}, now) == 60.0


@pytest.fixture
def keyed(site: Site, calls, clock, monkeypatch) -> Client:
    monkeypatch.setenv("TEST_FEED_KEY", KEY + "\n")
    with_key = service(site.url, key_env="TEST_FEED_KEY", key_header="X-API-Key")
    return Client(with_key, calls, clock.timing(), seed=1)


def test_the_key_is_sent_in_its_header_and_stands_nowhere_else(site, keyed, caplog):
    caplog.set_level(logging.DEBUG)
    site.on("/x", Reply("", 500), Reply({"key": "ok"}))
    seen = keyed.call(Request("/x", {"q": "1"}), lambda answer: answer)
    site.on("/echo", Reply({"detail": f"key {KEY} is not good"}, 404))
    error = failure(keyed, "/echo")
    site.on("/page", Reply(f"<html><title>{KEY}</title>", 500))
    late = failure(keyed, "/page")
    assert site.asked[0].headers["X-API-Key"] == KEY
    assert len(caplog.records) >= 2, "urllib3 logs each call at DEBUG"
    shown = [caplog.text, repr(keyed), repr(keyed._connection), repr(seen), str(vars(keyed._connection))]
    for caught in (error, late):
        shown += [str(caught), "".join(traceback.format_exception(caught))]
    assert not any(KEY in text for text in shown)
    assert "key *** is not good" in str(error)


def test_a_refused_key_is_an_input_error_that_names_the_variable(site, keyed):
    site.on("/x", Reply({"detail": f"Invalid key {KEY}"}, 401))
    with pytest.raises(InputError, match="TEST_FEED_KEY") as caught:
        ask(keyed)
    assert KEY not in str(caught.value)
    assert len(site.asked) == 1


@pytest.mark.parametrize("key", ["", "  ", "two words", "schlüssel", "a\tb"])
def test_a_missing_or_odd_key_is_reported_without_its_text(calls, monkeypatch, key):
    monkeypatch.setenv("TEST_FEED_KEY", key)
    with pytest.raises(InputError, match="TEST_FEED_KEY") as caught:
        Client(service("http://127.0.0.1:9", key_env="TEST_FEED_KEY", key_header="X-API-Key"), calls)
    assert not key.strip() or key not in str(caught.value)


def test_a_redirect_to_another_host_does_not_take_the_key_along(site, keyed):
    other = Site()
    try:
        other.on("/there", Reply({"from": "other"}))
        site.on("/x", Reply("", 302, {"Location": f"{other.url}/there"}))
        site.on("/y", Reply("", 302, {"Location": "/z"}))
        site.on("/z", Reply({"from": "same"}))
        assert ask(keyed) == {"from": "other"}
        assert "X-API-Key" not in other.asked[0].headers
        assert ask(keyed, "/y") == {"from": "same"}
        assert site.asked[-1].headers["X-API-Key"] == KEY
    finally:
        other.close()


def test_endless_redirects_end(site, client):
    site.on("/x", Reply("", 302, {"Location": "/x"}))
    assert "TooManyRedirects" in str(failure(client))


def test_a_form_makes_a_post_even_if_empty(site, client):
    site.on("/x", lambda asked: Reply([asked.method, asked.form]))
    assert client.call(Request("/x", form={}), read_json) == ["POST", {}]
    assert client.call(Request("/x", form={"date": "2026-11-23 09:00:00"}), read_json) == [
        "POST",
        {"date": "2026-11-23 09:00:00"},
    ]
    empty: Asked = site.asked[0]
    assert empty.headers["Content-Length"] == "0"
    assert empty.headers["Content-Type"].startswith("application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    ("more", "fault"),
    [
        ({"base_url": "ftp://host"}, "must be an address"),
        ({"base_url": "https://me:pw@host"}, "no name, password or query"),
        ({"base_url": "https://host/?apikey=1"}, "no name, password or query"),
        ({"base_url": "https://host", "pin_sha256": "12:34"}, "64 hexadecimal"),
        ({"base_url": "http://host", "pin_sha256": "ab" * 32}, "need an https address"),
        ({"base_url": "https://host", "pin_sha256": "ab" * 32, "ca_bundle": "x.pem"}, "either"),
        ({"base_url": "https://host", "key_env": "K"}, "go together"),
        ({"base_url": "https://host", "verify": False}, "Extra inputs"),
    ],
)
def test_settings_that_would_be_unsafe_or_unclear_are_refused(more, fault):
    with pytest.raises(ValueError, match=fault):
        Service(source="test", **more)
