"""The archive mirror: day files several at once, whole or reported, never fetched twice."""

from __future__ import annotations

import gzip
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest

from tests.sources.web.site import Asked, Reply
from yrd_airq.settings import Marked
from yrd_airq.sources import stations_wide
from yrd_airq.sources.batch import SCHEMAS, Kind
from yrd_airq.sources.web import feeds

FIRST, LAST = datetime(2023, 1, 1, 1), datetime(2023, 1, 3, 23)
NAMES = [f"china_sites_2023010{day}.csv" for day in (1, 2, 3)]


def day_file(day: str, columns: str = "1001A,1002A", hours: int = 24) -> str:
    """A file of the mirror: 15 types an hour, as many value cells as columns."""
    width = columns.count(",") + 1
    lines = [f"date,hour,type,{columns}"]
    for hour in range(hours):
        for number, kind in enumerate(stations_wide.ITEMS):
            cells = ",".join(str(10 * hour + number + k) for k in range(width))
            lines.append(f"{day},{hour},{kind},{cells}")
    return "\n".join(lines)


@pytest.fixture
def mirror(site, point, clock):
    def run(first=FIRST, last=LAST, name="archive-mirror", **more):
        return list(feeds.fetch(name, first, last, settings=point(), timing=clock.timing(), seed=1, **more))

    return run


@pytest.fixture
def full(site):
    for name in NAMES:
        site.on(f"/{name}", Reply(day_file(name[12:20])))
    return site


def test_every_day_of_the_span_in_order(mirror, full):
    pieces = mirror()
    assert [piece.what for piece in pieces] == NAMES
    assert [piece.batches[0].name for piece in pieces] == NAMES
    assert all(piece.problem is None and piece.notes == () for piece in pieces)
    batch = pieces[1].batches[0]
    assert batch.kind is Kind.STATIONS
    assert batch.rows_in == batch.rows.num_rows == 24 * 15 * 2
    found = {(r["station_code"], r["time"], r["item"]): r["value"] for r in batch.rows.to_pylist()}
    assert found["1002A", datetime(2023, 1, 2, 7), "pm25"] == 72


def test_the_second_call_asks_only_for_missing_days(mirror, full):
    had = {NAMES[0], NAMES[2]}
    pieces = mirror(skip=had.__contains__)
    assert [piece.what for piece in pieces] == [NAMES[1]]
    assert full.paths() == [f"/{NAMES[1]}"]


def test_the_same_file_from_the_web_and_from_disk_is_the_same_content(mirror, full, tmp_path):
    path = tmp_path / NAMES[0]
    path.write_text(day_file("20230101"))
    batch = mirror()[0].batches[0]
    disk = stations_wide.read(path)
    assert batch.content_hash == disk.content_hash
    assert batch.layout == disk.layout
    assert batch.rows.equals(disk.rows)


def test_a_missing_day_is_reported_and_costs_no_other(mirror, full, site):
    del site.replies[f"/{NAMES[1]}"]
    pieces = mirror()
    assert [piece.problem is None for piece in pieces] == [True, False, True]
    assert "has no file of 2023-01-02 (404)" in str(pieces[1].problem)
    assert site.paths().count(f"/{NAMES[1]}") == 1


def test_many_missing_days_do_not_stop_the_rest(mirror, site):
    pieces = mirror(last=datetime(2023, 1, 20))
    assert len(pieces) == 20
    assert all("404" in str(piece.problem) for piece in pieces)


@pytest.mark.parametrize(
    "bad",
    [
        Reply("<!DOCTYPE html><html><title>Not here</title>"),
        Reply("some text"),
        Reply(day_file("20230102")[:-200] + "7"),
        Reply(day_file("20230102"), promised=99_999),
        Reply(day_file("20230102").splitlines()[0]),
        Reply(b""),
        Reply("", 500),
    ],
    ids=["page", "text", "cut in a line", "half a body", "header only", "nothing", "500"],
)
def test_a_broken_file_is_asked_for_again_and_then_reported(mirror, full, site, calls, bad):
    site.on(f"/{NAMES[1]}", bad, Reply(day_file("20230102")))
    assert [piece.problem is None for piece in mirror()] == [True, True, True]
    site.on(f"/{NAMES[1]}", bad)
    site.asked.clear()
    pieces = mirror()
    assert [piece.problem is None for piece in pieces] == [True, False, True]
    assert pieces[1].batches == ()
    assert site.paths().count(f"/{NAMES[1]}") == calls.tries


def test_a_file_that_lacks_types_of_its_last_hour_is_kept_with_a_note(mirror, full, site):
    short = "\n".join(day_file("20230102").splitlines()[:-4])
    site.on(f"/{NAMES[1]}", Reply(short))
    piece = mirror()[1]
    assert piece.problem is None
    assert piece.batches[0].rows.num_rows == (24 * 15 - 4) * 2
    assert "last hour has 11 types where the first has 15" in piece.notes[0]


def test_a_file_that_may_still_grow_does_not_pass_for_the_day(mirror, site, clock):
    today = datetime(2026, 11, 23)
    site.on("/china_sites_20261123.csv", Reply(day_file("20261123", hours=10)))
    piece = mirror(today, today)[0]
    assert piece.batches[0].name == "china_sites_20261123.csv (as of 2026-11-23 10:40)"
    assert "before the file is final" in piece.notes[0]
    had = {piece.batches[0].name}
    assert len(mirror(today, today, skip=had.__contains__)) == 1


def test_a_gzipped_file(mirror, full, site):
    site.on(f"/{NAMES[0]}", Reply(gzip.compress(day_file("20230101").encode())))
    assert mirror()[0].batches[0].rows.num_rows == 24 * 15 * 2


def test_odd_columns_and_cells_are_refused_not_lost(mirror, full, site):
    text = day_file("20230101", "1001A,what").replace(",AQI,0,1", ",AQI,x,1")
    site.on(f"/{NAMES[0]}", Reply(text))
    batch = mirror()[0].batches[0]
    assert batch.rows_in == 24 * 15 * 2
    assert batch.rows.num_rows == 24 * 15 - 1
    assert sum(batch.refused["rows"].to_pylist()) == 24 * 15 + 1


def test_no_more_days_at_once_than_allowed(site, point, clock):
    settings = point()
    names = [f"china_sites_202301{day:02d}.csv" for day in range(1, 13)]
    for name in names:
        site.on(f"/{name}", Reply(day_file(name[12:20]), hang_s=0.03))
    service = settings.archive_mirror.service
    for at_once in (1, 3):
        allowed = Marked(value=at_once, mark="derived", source="test")
        limits = service.limits.model_copy(update={"parallel": allowed})
        part = settings.archive_mirror.model_copy(
            update={"service": service.model_copy(update={"limits": limits})}
        )
        site.busiest = 0
        pieces = list(
            feeds.fetch(
                "archive-mirror",
                FIRST,
                datetime(2023, 1, 12, 23),
                settings=settings.model_copy(update={"archive_mirror": part}),
                timing=clock.timing(),
            )
        )
        assert [piece.what for piece in pieces] == names
        assert site.busiest == at_once


def test_a_caller_that_stops_early_leaves_no_thread_behind(full, point, clock):
    before = threading.active_count()
    pieces = feeds.fetch("archive-mirror", FIRST, LAST, settings=point(), timing=clock.timing())
    next(pieces)
    pieces.close()
    until = time.monotonic() + 3
    while time.monotonic() < until and any(
        thread.name.startswith("archive-mirror") for thread in threading.enumerate()
    ):
        time.sleep(0.01)
    assert not [t for t in threading.enumerate() if t.name.startswith("archive-mirror")]
    assert threading.active_count() <= before + 4


def test_a_mirror_that_is_down_is_not_asked_for_every_day(mirror, site, calls):
    site.on("/china_sites_20230101.csv", Reply("", 503))

    def down(asked: Asked) -> Reply:
        return Reply("", 503)

    for day in range(1, 32):
        site.on(f"/china_sites_202301{day:02d}.csv", down)
    pieces = mirror(last=datetime(2023, 1, 31))
    assert len(pieces) == calls.failures_to_stop + 1
    assert pieces[-1].what == "rest"
    assert "not tried" in str(pieces[-1].problem)
    assert len({asked.path for asked in site.asked}) < 10


def test_cities_by_name_become_adcodes_and_others_are_refused_once_a_column(mirror, site):
    text = day_file("20230101", "北京,上海,苏州,宿州,昆山")
    site.on("/china_cities_20230101.csv", Reply("\ufeff" + text))
    piece = mirror(last=datetime(2023, 1, 1, 5), name="archive-mirror-cities")[0]
    batch = piece.batches[0]
    assert (batch.kind, batch.name) == (Kind.CITY_RELEASE, "china_cities_20230101.csv")
    assert batch.rows.schema == SCHEMAS[Kind.CITY_RELEASE]
    found = {(r["adcode"], r["time"], r["item"]): r["value"] for r in batch.rows.to_pylist()}
    assert {adcode for adcode, _, _ in found} == {"310000", "320500", "341300"}
    assert found["320500", datetime(2023, 1, 1, 2), "pm25_24h"] == 24
    assert found["341300", datetime(2023, 1, 1, 0), "aqi"] == 3
    refused = batch.refused.to_pylist()
    assert [(r["row"], r["field"], r["rows"]) for r in refused] == [(0, "北京", 360), (0, "昆山", 360)]
    assert all("not a city of the region" in r["reason"] for r in refused)
    assert batch.rows_in == 5 * 360


def test_a_real_national_day(mirror, site, real_data: Path):
    path = real_data / "stations_hourly" / "national_original" / "china_sites_20190115.csv.gz"
    site.on("/china_sites_20190115.csv", Reply(gzip.decompress(path.read_bytes())))
    day = datetime(2019, 1, 15)
    batch = mirror(day, day)[0].batches[0]
    assert batch.rows.equals(stations_wide.read(path).rows)
    assert batch.rows.num_rows > 300_000


def test_cities_in_the_old_encoding_and_packed(mirror, site):
    text = day_file("20230101", "北京,杭州")
    site.on("/china_cities_20230101.csv", Reply(gzip.compress(text.encode("gbk"))))
    batch = mirror(last=datetime(2023, 1, 1, 5), name="archive-mirror-cities")[0].batches[0]
    assert set(batch.rows["adcode"].to_pylist()) == {"330100"}


def test_leaving_early_does_not_wait_for_the_next_try(site, point):
    """With the real clock: days under way sleep between tries when the caller leaves."""
    site.on("/china_sites_20230101.csv", Reply(day_file("20230101")))
    for day in range(2, 10):
        site.on(f"/china_sites_2023010{day}.csv", Reply("", 429, {"Retry-After": "60"}))
    pieces = feeds.fetch("archive-mirror", FIRST, datetime(2023, 1, 9), settings=point())
    started = time.monotonic()
    assert next(pieces).problem is None
    time.sleep(0.2)
    pieces.close()
    assert time.monotonic() - started < 5
