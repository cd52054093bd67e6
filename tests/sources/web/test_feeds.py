"""The door: feeds by name, clear refusals before any call, and no loss or traceback whatever is answered."""

from __future__ import annotations

import json
import random
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sources.web.site import Asked, Reply
from tests.sources.web.test_cnemc import LIVE, line
from tests.sources.web.test_openaq import hour, location, page
from yrd_airq.errors import AirqError, InputError
from yrd_airq.region import load_region
from yrd_airq.settings import config_dir
from yrd_airq.sources.batch import Kind
from yrd_airq.sources.web import cnemc_rows, feeds, open_meteo_rows, openaq_rows
from yrd_airq.sources.web.answers import Answer, PassingError
from yrd_airq.sources.web.moments import read_moments
from yrd_airq.sources.web.settings import load_feed_settings

NOW = datetime(2026, 11, 23, 10)
NAMES = [
    "cnemc",
    "cnemc-city-days",
    "archive-mirror",
    "archive-mirror-cities",
    "openaq",
    "open-meteo-air",
    "open-meteo-forecast",
    "open-meteo-archive",
    "open-meteo-previous-runs",
]


def answer(body: object) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(200, data, {}, "http://test", NOW)


def test_every_feed_has_a_name_a_service_and_words(monkeypatch):
    assert list(feeds.FEEDS) == NAMES
    plain = load_feed_settings()
    for feed in feeds.FEEDS.values():
        assert feed.service(plain).base_url.startswith("https://")
        assert feed.gives
        assert all(isinstance(kind, Kind) for kind in feed.kinds)


@pytest.mark.parametrize(
    ("name", "more", "fault"),
    [
        ("weather", {}, "known are cnemc, cnemc-city-days"),
        ("cnemc", {"last": datetime(2026, 1, 1)}, "the span is empty"),
        ("cnemc", {"adcodes": ["310000"]}, "cannot be asked for single adcodes; these can: cnemc-city-days"),
        ("archive-mirror", {"stations": ["1141A"]}, "cannot be asked for single stations"),
        ("open-meteo-air", {"adcodes": ["110000"]}, "110000"),
        ("cnemc", {"stations": ["../x"]}, "not a station code"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_any_call(site, point, name, more, fault):
    span = {"first": NOW, "last": NOW, **more}
    with pytest.raises(InputError, match=fault) as caught:
        feeds.fetch(name, settings=point(), **span)
    assert caught.value.exit_code == 2
    assert site.asked == []


def test_addresses_come_from_the_folder_of_the_settings(site, tmp_path: Path, monkeypatch, clock):
    text = yaml.safe_load((config_dir() / "feeds.yaml").read_text(encoding="utf-8"))
    text["cnemc"]["service"]["base_url"] = site.url
    (tmp_path / "feeds.yaml").write_text(yaml.safe_dump(text, allow_unicode=True), encoding="utf-8")
    (tmp_path / "region.yaml").write_text((config_dir() / "region.yaml").read_text(encoding="utf-8"), "utf-8")
    monkeypatch.setenv("YRD_AIRQ_CONFIGS", str(tmp_path))
    site.on(LIVE, Reply([line()]))
    piece = next(iter(feeds.fetch("cnemc", NOW, NOW, timing=clock.timing())))
    assert piece.problem is None
    assert len(site.asked) == 1


def test_half_a_wind_in_the_settings_is_refused(site, point):
    plain = point()
    feed = plain.open_meteo.forecast.model_copy(update={"variables": ("wind_speed_10m",)})
    part = plain.open_meteo.model_copy(update={"forecast": feed})
    with pytest.raises(InputError, match="together"):
        feeds.fetch("open-meteo-forecast", NOW, NOW, settings=plain.model_copy(update={"open_meteo": part}))


def test_the_same_answers_make_the_same_batches(site, point, clock):
    site.on(LIVE, Reply([line(), line("1142A", PM2_5="x")]))
    runs = [list(feeds.fetch("cnemc", NOW, NOW, settings=point(), timing=clock.timing())) for _ in range(2)]
    for one, two in zip(runs[0][0].batches, runs[1][0].batches, strict=True):
        assert (one.name, one.content_hash, one.rows_in) == (two.name, two.content_hash, two.rows_in)
        assert one.rows.equals(two.rows)
        assert one.refused.equals(two.refused)


def test_mutated_answers_never_break_through(site, point, clock, monkeypatch):
    """Bytes of good answers changed, cut and doubled: a batch that balances, or an error for people."""
    monkeypatch.setenv("OPENAQ_API_KEY", "key")
    chance = random.Random(20261123)
    plain = point()
    plain = plain.model_copy(update={"calls": plain.calls.model_copy(update={"tries": 1})})
    good = {
        LIVE: json.dumps([line(f"{1141 + k}A") for k in range(12)], ensure_ascii=False).encode(),
        "/sensors/71/hours": json.dumps(page([hour()] * 3)).encode(),
        "/china_sites_20261120.csv": b"date,hour,type,1001A\n20261120,0,AQI,5\n20261120,0,CO,0.5\n",
    }

    def mutate(data: bytes) -> bytes:
        spot = chance.randrange(len(data))
        cut = data[: chance.randrange(len(data))]
        return chance.choice(
            [
                data[:spot] + bytes([chance.randrange(256)]) + data[spot + 1 :],
                data[:spot]
                + chance.choice([b'"', b"[", b"{}", b",", b"null", b"\n", b"1e999"])
                + data[spot:],
                cut,
                data[spot:] + data[:spot],
                data + data,
            ]
        )

    site.on("/locations", Reply(page([location(7)])))
    outcomes = {"batch": 0, "problem": 0}
    for path, name in zip(good, ("cnemc", "openaq", "archive-mirror"), strict=True):

        def spoilt(asked: Asked, path: str = path) -> Reply:
            return Reply(mutate(good[path]))

        site.on(path, spoilt)
        span = (datetime(2026, 11, 20), datetime(2026, 11, 20)) if name == "archive-mirror" else (NOW, NOW)
        for _ in range(70):
            for piece in feeds.fetch(name, *span, settings=plain, timing=clock.timing()):
                assert piece.problem is None or isinstance(piece.problem, AirqError)
                outcomes["batch" if piece.batches else "problem"] += 1
                for batch in piece.batches:
                    lost = sum(batch.refused["rows"].to_pylist())
                    assert batch.rows_in == batch.rows.num_rows + lost
    assert min(outcomes.values()) > 30, outcomes


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["—", "40", "-1", "1141A", "/Date(1795399200000)/", "2026-11-23T10:00:00", "320100"]),
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
)
FUZZ = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def records(names: list[str]):
    return st.lists(
        st.one_of(st.dictionaries(st.sampled_from(names), scalars | anything, max_size=len(names)), anything),
        max_size=6,
    )


def balanced(batch) -> bool:
    return batch.rows_in == batch.rows.num_rows + sum(batch.refused["rows"].to_pylist())


@FUZZ
@given(
    body=records(
        ["TimePoint", "TimePointStr", "StationCode", "CityCode", "PM2_5", "O3", "O3_24h", "Longitude"]
    )
)
def test_any_records_of_the_centre_become_rows_or_refusals(body):
    plain = load_feed_settings().cnemc
    region = load_region()
    try:
        found = cnemc_rows.read_records(answer(body))
    except PassingError:
        return
    batch, _, _ = cnemc_rows.read_station_hours(answer(body), found, "x {hour}", plain)
    assert balanced(batch)
    assert balanced(cnemc_rows.read_station_list(found, "x", region))
    assert balanced(cnemc_rows.read_city_days(answer(body), found, "x", "320100", region, plain))


@FUZZ
@given(body=records(["value", "parameter", "period", "flagInfo", "coverage"]))
def test_any_records_of_openaq_become_rows_or_refusals(body):
    found = [record for record in body if isinstance(record, dict)]
    assert balanced(
        openaq_rows.read_hours([answer(body)], found, "x", "OPENAQ1", load_feed_settings().openaq)
    )


@FUZZ
@given(
    values=st.lists(scalars, min_size=3, max_size=3),
    times=st.lists(scalars | st.just("2026-11-23T10:00"), min_size=3, max_size=3),
    units=anything,
    offset=scalars,
)
def test_any_hours_of_open_meteo_become_rows_or_refusals(values, times, units, offset):
    hourly = {
        "time": times,
        "temperature_2m": values,
        "wind_speed_10m": values,
        "wind_direction_10m": values[::-1],
    }
    body = {"hourly": hourly, "hourly_units": units, "utc_offset_seconds": offset}
    names = ["temperature_2m", "wind_speed_10m", "wind_direction_10m"]
    try:
        places = open_meteo_rows.read_places(json.loads(json.dumps(body)), 1)
        hours = open_meteo_rows.read_model_hours(places, names)
    except PassingError:
        return
    assert hours.rows_in == len(hours.value) + sum(hours.refused["rows"].to_pylist())


@FUZZ
@given(texts=st.lists(st.text(max_size=80), max_size=8))
def test_no_text_breaks_the_reading_of_moments(texts):
    clean = [text.encode("utf-8", "replace").decode() for text in texts]
    assert len(read_moments(clean)) == len(texts)
