"""What is derived and issued: replaced as a whole, untouched where it is the same, copied for readers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pandas as pd
import pytest

from tests.store import factories as make
from tests.store.factories import START
from yrd_airq.errors import InputError
from yrd_airq.store import issued
from yrd_airq.store.records import Correction, RunRecord
from yrd_airq.store.store import open_store
from yrd_airq.vocab import CityDaySource

RUN = RunRecord("daily-1", "daily", datetime(2019, 1, 5, 16), None, "i", "s", "c", "running")


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "store.duckdb") as opened:
        yield opened


def daily_frame(value: float = 40.0, days: int = 3, source: str = "stations") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "adcode": "310000",
            "date": pd.date_range("2019-01-01", periods=days),
            "target": "pm25",
            "value": [value, float("nan"), value][:days],
            "valid_stations": 9,
            "standard": "HJ 633-2012",
            "source": source,
        }
    )


def test_city_days_replace_their_window_and_source_only(store):
    assert store.write_city_daily(daily_frame())
    assert not store.write_city_daily(daily_frame())
    assert store.write_city_daily(daily_frame(50, days=1))
    held = store.city_daily(CityDaySource.STATIONS)
    assert held["date"].dt.day.tolist() == [1, 2, 3]
    assert held["value"].fillna(-1).tolist() == [50, -1, 40]
    assert store.write_city_daily(daily_frame(days=0), date(2019, 1, 2), date(2019, 1, 3))
    assert len(store.city_daily(CityDaySource.STATIONS)) == 1
    with pytest.raises(InputError, match="beyond the window"):
        store.write_city_daily(daily_frame(), date(2019, 1, 1), date(2019, 1, 2))
    with pytest.raises(InputError, match="several sources"):
        store.write_city_daily(pd.concat([daily_frame(), daily_frame(source="x")]))


def test_city_hours_and_flags(store):
    hours = pd.DataFrame(
        {
            "adcode": "310000",
            "time": pd.date_range(START, periods=3, freq="h"),
            "pollutant": "o3",
            "value": 80.0,
        }
    )
    assert store.write_city_hourly(hours)
    assert not store.write_city_hourly(hours)
    assert store.city_hourly(START + timedelta(hours=1))["time"].dt.hour.tolist() == [1, 2]
    flags = pd.DataFrame(
        {
            "station_code": ["A1"],
            "time": [START],
            "pollutant": ["pm25"],
            "flag": ["suspect"],
            "rule": ["spike"],
            "reason": ["490 µg/m³, at most 40 before and after"],
        }
    )
    assert store.write_flags(flags, START, START + timedelta(hours=5))
    assert store.flags().iloc[0].tolist() == flags.iloc[0].tolist()
    assert store.write_flags(flags.iloc[:0], START, START + timedelta(hours=5))
    assert store.flags().empty


def test_hotspots_are_replaced_all_at_once(store):
    hotspots = pd.DataFrame(
        {
            "hotspot_id": ["r1-H01", "r1-H02"],
            "run_id": "r1",
            "indicator": "toluene",
            "unit": "ppb",
            "lon": 121.0,
            "lat": 31.0,
            "start": START,
            "end": START + timedelta(minutes=1),
            "passes": 2,
            "peak": 30.0,
            "mean": 12.0,
            "enhancement": 9.0,
            "length_m": 150.0,
            "ofp_ugm3": float("nan"),
            "wind_speed_ms": 2.0,
            "wind_dir_deg": 90.0,
            "wind_spread_deg": 15.0,
            "e_toluene": 9.0,
        }
    )
    assert store.write_hotspots(hotspots)
    assert not store.write_hotspots(hotspots)
    assert store.survey_hotspots()["hotspot_id"].tolist() == ["r1-H01", "r1-H02"]
    assert store.write_hotspots(hotspots.iloc[:1])
    assert len(store.survey_hotspots()) == 1


def test_runs_keep_the_time_of_their_first_note(store, monkeypatch):
    monkeypatch.setattr(issued, "beijing_now", lambda: datetime(2020, 1, 1))
    assert store.write_run(RUN)
    monkeypatch.setattr(issued, "beijing_now", lambda: datetime(2021, 1, 1))
    assert not store.write_run(RUN)
    assert store.write_run(replace(RUN, status="done"))
    runs = store.runs()
    assert runs["status"].tolist() == ["done"]
    assert runs["created_at"].tolist() == [datetime(2020, 1, 1)]
    assert runs["event_code"].isna().all()


def test_outputs_of_a_run_are_replaced_as_a_whole(store):
    assert store.write_output("out_forecast", "r1", make.forecast_frame())
    before = store.checksums()
    assert not store.write_output("out_forecast", "r1", make.forecast_frame().iloc[::-1])
    assert store.checksums() == before
    store.write_output("out_forecast", "r2", make.forecast_frame(70))
    assert store.write_output("out_forecast", "r1", make.forecast_frame(60, cities=("310000",)))
    assert store.forecasts("r1")["mean"].tolist() == [60]
    assert store.forecasts(target="pm25", first=date(2019, 1, 6), last=date(2019, 1, 6))["mean"].tolist() == [
        60,
        70,
        70,
    ]
    assert store.forecasts(target="no2").empty
    assert store.forecasts("r1")["q90"].isna().all()


def test_attribution_and_scores(store):
    budget = pd.DataFrame(
        {
            "receptor": "310000",
            "date": [date(2019, 1, 6)],
            "target": "pm25",
            "part_zh": "背景",
            "kind": "background",
            "contribution_ugm3": 12.5,
            "share": 0.25,
        }
    )
    scores = pd.DataFrame(
        {"scope": "all", "target": "pm25", "model": "m", "lead_day": [1], "metric": "rmse", "value": [9.5]}
    )
    store.write_output("out_attribution", "r1", budget)
    store.write_output("out_score", "r1", scores)
    assert store.output("out_attribution", "r1")["share"].tolist() == [0.25]
    assert store.output("out_score")[["run_id", "metric", "value"]].values.tolist() == [["r1", "rmse", 9.5]]


def test_checksums_tell_rows_apart_but_not_their_order(tmp_path):
    sums = []
    orders = ([1, 2, 3], [3, 1, 2], [1, 2, 4], [1, 1, 2, 3])
    for k, hours in enumerate(orders):
        with open_store(tmp_path / f"{k}.duckdb") as store:
            frame = pd.DataFrame(
                {
                    "adcode": "310000",
                    "time": [START + timedelta(hours=h) for h in hours],
                    "pollutant": "o3",
                    "value": [float(h) for h in hours],
                }
            )
            store.write_city_hourly(frame)
            sums.append(store.checksums()["core_city_hourly"])
    assert sums[0] == sums[1]
    assert len(set(sums)) == 3


def correction(**changes):
    given = {
        "adcode": "310000",
        "issue_time": datetime(2017, 1, 31, 16),
        "valid_date": date(2017, 2, 1),
        "target": "pm25",
        "value": 88.0,
        "low": 70.0,
        "high": 110.0,
        "reason": "静稳天气偏强",
        "made_by": "甲",
    }
    return Correction(**(given | changes))


def test_the_newest_correction_counts_and_a_withdrawn_one_is_gone(store):
    frame = make.forecast_frame()
    key = frame.iloc[0]
    issue = {
        "adcode": key["adcode"],
        "issue_time": pd.Timestamp(key["issue_time"]).to_pydatetime(),
        "valid_date": pd.Timestamp(key["valid_date"]).date(),
        "target": key["target"],
    }
    store.write_output("out_forecast", "r1", frame)
    store.correct(correction(**issue))
    store.correct(correction(**issue, value=95.0))
    assert store.corrections()["value"].tolist() == [95.0]
    assert store.corrections(datetime(2001, 1, 1)).empty
    store.correct(correction(**issue, value=None, low=None, high=None))
    assert store.corrections().empty
    with pytest.raises(InputError, match="no forecast of pm25 for 330100"):
        store.correct(correction(**(issue | {"adcode": "330100", "valid_date": date(2030, 1, 1)})))
    with pytest.raises(InputError, match="reason"):
        store.correct(correction(**issue, reason=" "))
    with pytest.raises(InputError, match="not within its range"):
        store.correct(correction(**issue, value=60.0))
    with pytest.raises(InputError, match="both ends"):
        store.correct(correction(**issue, low=None))
