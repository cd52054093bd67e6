"""Taking in batches: once only, whole or not at all, revisions on top of what was known."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import duckdb
import numpy as np
import pytest

from tests.store import factories as make
from tests.store.factories import START
from yrd_airq.errors import InputError
from yrd_airq.sources.batch import Batch, Kind
from yrd_airq.store import ingesting, observations
from yrd_airq.store.store import open_store
from yrd_airq.vocab import CityDaySource


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "new" / "store.duckdb") as opened:
        yield opened


def pm25(store, hours: int = 3):
    return store.station_hourly(["pm25"], START, START + timedelta(hours=hours - 1))["pm25"]


def test_values_go_in_and_come_out(store):
    done = store.ingest(
        make.stations({("B1", 0, "pm25"): 10, ("A1", 2, "pm25"): 30, ("A1", 1, "so2"): 5}, refused=2)
    )
    assert (done.kind, done.new_rows, done.refused_rows, done.already_known) == (Kind.STATIONS, 3, 2, False)
    frame = pm25(store)
    assert list(frame.columns) == ["A1", "B1"]
    assert list(frame.index) == [START + timedelta(hours=h) for h in range(3)]
    assert frame.loc[START, "B1"] == 10
    assert frame.loc[START + timedelta(hours=2), "A1"] == 30
    assert frame.isna().sum().sum() == 4
    assert store.quarantine()[["batch_id", "row", "field", "content", "name"]].values.tolist() == [
        [1, 1, "x", "abc", "a.csv"],
        [1, 2, "x", "abc", "a.csv"],
    ]


def test_same_content_again_changes_nothing(store, tmp_path):
    batches = [
        make.stations({("A1", 0, "pm25"): 10}, refused=1),
        make.cities([("310000", "嘉定区", date(2013, 1, 1), "pm25", 70.0)]),
        make.station_list([("A1", "甲")]),
        make.enterprises(["E1", "E2"]),
        make.weather(str(tmp_path / "w.nc")),
        make.survey([("r1", 0, "toluene", 3.0)]),
    ]
    first = [store.ingest(batch) for batch in batches]
    before, known = store.checksums(), store.batches()
    again = [store.ingest(batch) for batch in batches]
    assert store.checksums() == before
    assert store.batches().equals(known)
    assert all(a.already_known and a.new_rows == 0 and a.refused_rows == 0 for a in again)
    assert [a.batch_id for a in again] == [f.batch_id for f in first]


def test_only_values_that_differ_are_added_and_the_newest_wins(store):
    store.ingest(make.stations({("A1", 0, "pm25"): 10, ("A1", 1, "pm25"): 11, ("A1", 2, "pm25"): 12}))
    revised = store.ingest(
        make.stations({("A1", 1, "pm25"): 99, ("A1", 2, "pm25"): 12, ("B1", 2, "pm25"): 7}, "b.csv")
    )
    assert revised.new_rows == 2
    assert pm25(store)["A1"].tolist() == [10, 99, 12]
    back = store.ingest(make.stations({("A1", 1, "pm25"): 11}, "c.csv"))
    assert back.new_rows == 1
    assert pm25(store)["A1"].tolist() == [10, 11, 12]
    same = store.ingest(make.stations({("A1", 1, "pm25"): 11}, "d.csv"))
    assert (same.new_rows, same.already_known) == (0, False)


def test_newest_batch_comes_last_in_whatever_order_rows_arrive():
    batch = np.array([3, 1, 2, 1])
    assert batch[observations._oldest_first(batch)].tolist() == [1, 1, 2, 3]
    assert observations._oldest_first(np.array([1, 1, 2])) == slice(None)


def test_values_as_known_at_a_time(store, monkeypatch):
    monkeypatch.setattr(ingesting, "beijing_now", lambda: datetime(2020, 1, 1))
    store.ingest(make.stations({("A1", 0, "pm25"): 10}))
    monkeypatch.setattr(ingesting, "beijing_now", lambda: datetime(2020, 1, 2))
    store.ingest(make.stations({("A1", 0, "pm25"): 20}, "b.csv"))
    known = [
        store.station_hourly(["pm25"], START, START, known_at=datetime(2020, 1, day, 12))[
            "pm25"
        ].values.tolist()
        for day in (1, 2)
    ]
    assert known == [[[10.0]], [[20.0]]]


def test_city_values_are_revised_by_place_and_part(store):
    day = date(2013, 1, 1)
    store.ingest(
        make.cities([("310000", "嘉定区", day, "pm25", 70.0), ("310000", "崇明区", day, "pm25", 50.0)])
    )
    done = store.ingest(
        make.cities([("310000", "嘉定区", day, "pm25", 80.0), ("320100", "", day, "pm25", 40.0)], "d.csv")
    )
    assert done.new_rows == 2
    daily = store.city_daily(CityDaySource.REANALYSIS)
    assert daily[["adcode", "target", "value", "valid_stations"]].values.tolist() == [
        ["310000", "pm25", 65.0, 2],
        ["320100", "pm25", 40.0, 1],
    ]


def test_failure_in_the_middle_leaves_nothing(store, monkeypatch):
    store.ingest(make.stations({("A1", 0, "pm25"): 10}))
    before = store.checksums()

    def fail(*_: object) -> None:
        raise RuntimeError("power cut")

    batch = make.stations({("A1", 0, "pm25"): 11, ("A1", 1, "pm25"): 12}, "b.csv", refused=1)
    with monkeypatch.context() as patched, pytest.raises(RuntimeError, match="power cut"):
        patched.setattr(ingesting, "_describe", fail)
        store.ingest(batch)
    assert store.checksums() == before
    assert store.ingest(batch).new_rows == 2


def test_statement_that_fails_is_rolled_back_and_named(store):
    good = make.stations({("A1", 0, "pm25"): 10})
    refused = make.stations({}, refused=1).refused.drop_columns(["reason"])
    odd = Batch(good.kind, good.layout, "odd.csv", "h", good.rows, refused, 2)
    before = store.checksums()
    with pytest.raises(duckdb.BinderException, match="reason"):
        store.ingest(odd)
    assert store.checksums() == before
    assert store.ingest(good).new_rows == 1


def test_empty_batches_are_noted(store):
    done = store.ingest(make.stations({}, refused=3))
    assert (done.new_rows, done.refused_rows) == (0, 3)
    assert len(store.quarantine()) == 3
    assert store.station_span() is None


def test_newest_list_wins_by_station_and_whole_for_enterprises(store):
    store.ingest(make.station_list([("A1", "旧"), ("B1", "留")]))
    store.ingest(make.station_list([("A1", "新")], "l2.csv"))
    assert dict(zip(store.station_list()["station_code"], store.station_list()["name_zh"], strict=True)) == {
        "A1": "新",
        "B1": "留",
    }
    store.ingest(make.enterprises(["E1", "E2"]))
    first = store.enterprises()["list_version"].unique().tolist()
    store.ingest(make.enterprises(["E2", "E3"], "p2.csv"))
    listed = store.enterprises()
    assert listed["enterprise_id"].tolist() == ["E2", "E3"]
    assert len(listed["list_version"].unique()) == 1
    assert listed["list_version"].unique().tolist() != first


def test_stations_without_a_list_entry_are_named(store):
    store.ingest(make.stations({("A1", 0, "pm25"): 1, ("Z9", 0, "pm25"): 1, ("Z9", 5, "so2"): 1}))
    store.ingest(make.station_list([("A1", "甲")]))
    assert store.unlisted_stations().values.tolist() == [["Z9", START, START + timedelta(hours=5), 2]]


def test_weather_files_are_known_at_their_present_path(store, tmp_path):
    old, new = tmp_path / "old.nc", tmp_path / "new.nc"
    old.write_text("w")
    store.ingest(make.weather(str(old)))
    copy = store.ingest(make.weather(str(new)))
    assert copy.already_known
    assert store.weather_files()["path"].tolist() == [str(old)], "a copy is not a second file"
    old.unlink()
    store.ingest(make.weather(str(new)))
    assert store.weather_files()["path"].tolist() == [str(new)]
    store.ingest(make.weather(str(new), content="other"))
    assert len(store.weather_files()) == 1, "a rewritten file takes the place of the old one"
    store.ingest(make.weather(str(new)))
    assert len(store.weather_files()) == 1


def test_survey_readings_may_come_in_pieces_and_be_revised(store):
    store.ingest(make.survey([("r1", 0, "toluene", 3.0), ("r1", 1, "toluene", 4.0)]))
    store.ingest(make.survey([("r1", 1, "toluene", 5.0), ("r1", 2, "toluene", 6.0)], "s2.csv"))
    assert store.survey_points()["value"].tolist() == [3.0, 5.0, 6.0]


def test_city_series_of_both_kinds_of_place(store):
    day = date(2013, 1, 1)
    store.ingest(
        make.cities(
            [
                ("320500", "", day, "o3_mean", 90.0),
                ("320500", "", day, "u10_ms", -1.0),
                ("山东省/济南市", "", day, "pm25", 120.0),
                ("310000", "嘉定区", day, "u10_ms", 1.0),
                ("310000", "崇明区", day, "u10_ms", 2.0),
            ]
        )
    )
    assert store.city_daily(CityDaySource.REANALYSIS)["adcode"].tolist() == ["320500"]
    assert store.neighbour_daily()[["place", "target", "value"]].values.tolist() == [
        ["山东省/济南市", "pm25", 120.0]
    ]
    assert store.city_weather()[["adcode", "variable", "value", "kind"]].values.tolist() == [
        ["310000", "u10_ms", 1.5, "analysis"],
        ["320500", "u10_ms", -1.0, "analysis"],
    ]
    assert store.city_daily(CityDaySource.REANALYSIS, first=date(2013, 1, 2)).empty
    assert store.city_daily(CityDaySource.STATIONS).empty


def test_frames_have_the_same_types_full_or_empty(store):
    empty = {"daily": store.city_daily(CityDaySource.REANALYSIS), "list": store.enterprises()}
    store.ingest(make.cities([("310000", "", date(2013, 1, 1), "pm25", 1.0)]))
    store.ingest(make.enterprises(["E1"]))
    full = {"daily": store.city_daily(CityDaySource.REANALYSIS), "list": store.enterprises()}
    for name, frame in full.items():
        assert frame.dtypes.astype(str).to_dict() == empty[name].dtypes.astype(str).to_dict()
    assert full["list"]["grade"].isna().all()
    assert str(full["daily"]["adcode"].dtype) == "str"
    assert str(full["daily"]["date"].dtype) == "datetime64[us]"


def test_station_hourly_without_values_is_blank_but_whole(store):
    frames = store.station_hourly(["pm25", "o3"], START, START + timedelta(hours=5))
    assert {name: frame.shape for name, frame in frames.items()} == {"pm25": (6, 0), "o3": (6, 0)}
    store.ingest(make.stations({("A1", 0, "pm25"): 10}))
    frames = store.station_hourly(["pm25", "o3"], START, START + timedelta(hours=1))
    assert frames["o3"].isna().all().all()
    assert list(frames["o3"].columns) == ["A1"]


def test_window_errors_are_clear(store):
    frame = make.forecast_frame().drop(columns=["q50"])
    with pytest.raises(InputError, match=r"out_forecast lack the column\(s\) q50"):
        store.write_output("out_forecast", "r", frame)
    with pytest.raises(InputError, match="column mean is not double"):
        store.write_output("out_forecast", "r", make.forecast_frame().assign(mean="viel"))
