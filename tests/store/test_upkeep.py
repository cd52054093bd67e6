"""Older stores brought forward, the checks, gaps, snapshots and the way back, forecasters' judgements."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from tests.store import factories as make
from yrd_airq.errors import InputError
from yrd_airq.sources.batch import Kind
from yrd_airq.store import schema
from yrd_airq.store.records import Action, Judgement
from yrd_airq.store.store import open_store

FIRST_VERSION = (Path(__file__).parent / "first_version.sql").read_text(encoding="utf-8")


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "store.duckdb") as opened:
        yield opened


def broken(store) -> list[str]:
    return [check.name for check in store.check() if check.broken]


def test_a_store_of_the_first_version_is_brought_forward_with_all_it_holds(tmp_path):
    path = tmp_path / "store.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(FIRST_VERSION)
    with pytest.raises(InputError, match="older schema version 1"), open_store(path, read_only=True):
        pass
    with open_store(path) as store:
        assert broken(store) == []
        assert store.batches()["rows_in"].tolist() == [3, 1]
        assert store.station_list()["station_code"].tolist() == ["A1"]
        values = store.station_hourly(["pm25"], datetime(2019, 1, 1, 1), datetime(2019, 1, 1, 2))["pm25"][
            "A1"
        ]
        assert values.tolist() == [10, 11]
        assert store.made_from("city") is None, "the series are made anew by the new rules"
        assert store.ingest(make.stations({("A1", 3, "pm25"): 5})).new_rows == 1
    with open_store(path, read_only=True) as store:
        assert len(store.batches()) == 3


def test_bringing_forward_is_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "store.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute(FIRST_VERSION)
    with monkeypatch.context() as patched, pytest.raises(RuntimeError, match="power cut"):

        def fail(*_: object) -> None:
            raise RuntimeError("power cut")

        patched.setattr("yrd_airq.store.migrations._arrange", fail)
        with open_store(path):
            pass
    with duckdb.connect(str(path)) as con:
        assert con.execute("SELECT version FROM schema_version").fetchall() == [(1,)]
        assert "rows_in" not in con.execute("SELECT * FROM batch").df().columns
    with open_store(path) as store:
        assert broken(store) == []


def test_a_sound_store_passes_and_each_damage_is_named(tmp_path):
    path = tmp_path / "store.duckdb"
    with open_store(path) as store:
        store.ingest(make.stations({("A1", h, "pm25"): 10 + h for h in range(5)}, refused=2))
        store.ingest(make.stations({("A1", 2, "pm25"): 99}, "late.csv"))
        store.ingest(make.station_list([("A1", "甲")]))
        store.ingest(make.cities([("330100", "", date(2017, 1, 1), "pm25", 40.0)]))
        assert broken(store) == []
        assert len(store.check()) > 20
    damages = {
        "DELETE FROM raw_station_hourly WHERE value = 99": "raw_station_hourly: rows",
        "DELETE FROM quarantine WHERE row = 1": "batch: rows",
        "UPDATE batch SET batch_id = 9 WHERE name = 'list.csv'": "core_station: batch",
        "UPDATE raw_station_hourly SET value = 'nan'": "raw_station_hourly: values",
        "UPDATE raw_station_hourly SET time = time + INTERVAL 5 MINUTE": "raw_station_hourly: hour",
        "INSERT INTO core_station_flag VALUES ('A1', '2030-01-01', 'pm25', 'left_out', 'spike', '')": (
            "core_station_flag: value"
        ),
        "UPDATE batch SET content_hash = 'same', kind = 'x', layout = 'y'": "batch: content",
        "ALTER TABLE raw_city_daily DROP COLUMN part": "schema",
    }
    whole = path.read_bytes()
    for damage, name in damages.items():
        path.write_bytes(whole)
        with duckdb.connect(str(path)) as con:
            con.execute(damage)
        with open_store(path) as store:
            assert name in broken(store), damage


def test_gaps_name_station_day_and_hours(store):
    hours = {h: 10.0 for h in range(1, 25) if h not in (3, 4, 5, 20)}
    values = {("A1", h, "pm25"): value for h, value in hours.items()}
    values |= {("B2", h, "o3"): 80.0 for h in range(1, 25) if h not in (4, 24)}
    values |= {("C3", 24 + h, "pm25_24h"): 80.0 for h in range(1, 25)}
    store.ingest(make.stations(values))
    gaps = store.gaps(datetime(2019, 1, 1, 1), datetime(2019, 1, 3))
    assert [tuple(row) for row in gaps.drop(columns="date").itertuples(index=False)] == [
        ("A1", 4, "3-5,20", 1),
        ("B2", 2, "4,24", 1),
        ("A1", 24, "1-24", 24),
        ("B2", 24, "1-24", 24),
    ], "hour 4 of the first day is missing of all; C3 sent only running values and is not expected"
    assert store.gaps(datetime(2020, 1, 1, 1), datetime(2020, 1, 3)).empty
    assert store.gaps(datetime(2019, 1, 1, 4), datetime(2019, 1, 1, 20))["hours"].tolist() == ["4-5,20", "4"]


def test_who_is_reporting_in_a_month(store):
    store.ingest(make.stations({("A1", 0, "pm25"): 1, ("A1", 1, "pm25"): 2, ("A1", 5, "pm25_24h"): 2}))
    store.ingest(
        make.stations({("A1", 2, "pm25"): 3, ("B2", 31 * 24, "o3"): 4, ("C3", 31 * 24 + 1, "o3"): 4}, "b")
    )
    january = store.reporting(date(2019, 1, 15))
    assert [tuple(row) for row in january.itertuples(index=False)] == [("A1", "pm25", 1), ("B2", "o3", 2)], (
        "label 0:00 of 1 February belongs to January, that of 1 January does not"
    )


def test_a_snapshot_is_swapped_in_whole_and_rewrites_only_what_changed(store, tmp_path):
    folder = tmp_path / "it's a snapshot"
    store.ingest(make.stations({("A1", 0, "pm25"): 10, ("A1", 1, "pm25"): 11}))
    first = store.snapshot(folder)
    assert set(first) == set(schema.TABLES)
    assert pq.read_table(first["raw_station_hourly"]).num_rows == 2
    stamps = {path: path.stat().st_mtime_ns for path in first.values()}
    store.write_output("out_forecast", "daily-1", make.forecast_frame())
    second = store.snapshot(folder)
    assert {table for table in first if first[table] != second[table]} == {"out_forecast"}
    assert all(path.stat().st_mtime_ns == stamps[path] for path in first.values())
    named = json.loads((folder / "snapshot.json").read_text())["files"]
    assert named == {table: path.name for table, path in second.items()}
    assert first["out_forecast"].exists(), "who has read the former manifest can still read its files"
    store.write_output("out_forecast", "daily-1", make.forecast_frame(51))
    store.snapshot(folder)
    assert not first["out_forecast"].exists()
    assert not list(folder.glob("*.part"))


def test_a_snapshot_into_a_file_is_an_error(store, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="the snapshot cannot be written"):
        store.snapshot(tmp_path / "file")


def test_what_is_restored_is_what_was_saved(store, tmp_path):
    store.ingest(make.stations({("A1", h, "pm25"): 10 + h for h in range(30)}, refused=1))
    store.ingest(make.enterprises(["E1", "E2"]))
    store.judge(Judgement("A1", "pm25", make.START, make.START, Action.SET, "校准", "王"))
    store.snapshot(tmp_path / "snap")
    with open_store(tmp_path / "new.duckdb") as new:
        assert new.restore(tmp_path / "snap")["raw_station_hourly"] == 30
        assert new.checksums() == store.checksums()
        assert broken(new) == []


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda files, folder: files["batch"].unlink(), "missing or damaged"),
        (lambda files, folder: files["batch"].write_bytes(b"x" * 99), "missing or damaged"),
        (lambda files, folder: files["batch"].write_bytes(files["quarantine"].read_bytes()), "damaged"),
        (lambda files, folder: (folder / "snapshot.json").write_text("{"), "no readable snapshot"),
        (lambda files, folder: (folder / "snapshot.json").write_text("[]"), "not the manifest"),
    ],
)
def test_a_damaged_snapshot_is_refused_and_leaves_the_store_empty(store, tmp_path, damage, message):
    store.ingest(make.stations({("A1", 0, "pm25"): 10}))
    folder = tmp_path / "snap"
    damage(store.snapshot(folder), folder)
    with open_store(tmp_path / "new.duckdb") as new:
        with pytest.raises(InputError, match=message):
            new.restore(folder)
        assert new.batches().empty


def test_a_judgement_is_kept_and_has_to_be_about_something(store):
    store.ingest(make.stations({("A1", 0, "pm25"): 10}))
    good = Judgement("A1", "pm25", make.START, make.START + timedelta(hours=2), Action.SET, "质控检查", "王")
    store.judge(good)
    store.judge(Judgement("A1", "all", make.START, make.START, Action.LIFT, "复核无误", "李"))
    kept = store.judgements()
    assert kept["action"].tolist() == ["set", "lift"]
    assert kept["made_at"].notna().all()
    for field, value, message in [
        ("station_code", "Z9", "no value of pm25"),
        ("pollutant", "dust", "is not known"),
        ("reason", " ", "needs a reason"),
        ("made_by", "", "name of who made it"),
        ("last_time", make.START - timedelta(hours=1), "end .* before they begin"),
    ]:
        with pytest.raises(InputError, match=message):
            store.judge(Judgement(**{**vars(good), field: value}))
    assert len(store.judgements()) == 2


def test_released_and_model_values_keep_their_revisions(store):
    hour = datetime(2026, 11, 23, 10)
    store.ingest(make.batch_of(Kind.CITY_RELEASE, [("310000", hour, "pm25", 40.0)]))
    store.ingest(make.batch_of(Kind.CITY_RELEASE, [("310000", hour, "pm25", 41.0)], "later"))
    assert store.city_release()["value"].tolist() == [41.0]
    forecast = ("310000", hour, "o3_ugm3", 90.0, "cams", "forecast", datetime(2026, 11, 22))
    analysis = ("310000", hour, "o3_ugm3", 80.0, "cams", "analysis", None)
    assert store.ingest(make.batch_of(Kind.CITY_MODEL, [forecast, analysis])).new_rows == 2
    assert store.ingest(make.batch_of(Kind.CITY_MODEL, [analysis, forecast], "again")).new_rows == 0, (
        "the same values, also the one without an issue time"
    )
    assert sorted(store.city_model()["value"]) == [80.0, 90.0]
    assert store.city_model(known_at=datetime(2000, 1, 1)).empty
