"""Exceptional events: places, days and pollutants, each pollutant a row, and none without a reason."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.sources.factories import write_lines
from yrd_airq.errors import InputError
from yrd_airq.sources.batch import SCHEMAS, Kind
from yrd_airq.sources.reading import read

HEAD = "adcode,city_zh,first_date,last_date,pollutant,reason_zh,document"


def events(path: Path) -> tuple[list[tuple], list[tuple[int, str, int]], int]:
    batch = read(path, Kind.EXCEPTIONAL)
    assert batch.rows.schema == SCHEMAS[Kind.EXCEPTIONAL]
    rows = [(r["adcode"], r["first_date"], r["pollutant"]) for r in batch.rows.to_pylist()]
    return rows, [(r["row"], r["field"], r["rows"]) for r in batch.refused.to_pylist()], batch.rows_in


def test_places_and_pollutants(tmp_path):
    path = write_lines(
        tmp_path / "a.csv",
        HEAD,
        "320100,,2021-03-15,2021-03-17,PM10;PM2.5,沙尘,环办〔2021〕1号",
        "320000,,2021-05-01,2021-05-02,pm10,沙尘,",
        "all,,2021-05-07,2021-05-07,PM₁₀；O3,沙尘,",
        ",苏州,2021/5/8,20210508,no2,沙尘,",
        ",浙江省,2021-05-09,2021-05-09,co,沙尘,",
        "310100,,2021-05-10,2021-05-10,so2,沙尘,",
    )
    rows, refused, rows_in = events(path)
    assert rows == [
        ("320100", date(2021, 3, 15), "pm10"),
        ("320100", date(2021, 3, 15), "pm25"),
        ("320000", date(2021, 5, 1), "pm10"),
        ("all", date(2021, 5, 7), "pm10"),
        ("all", date(2021, 5, 7), "o3"),
        ("320500", date(2021, 5, 8), "no2"),
        ("330000", date(2021, 5, 9), "co"),
        ("310000", date(2021, 5, 10), "so2"),
    ]
    assert (refused, rows_in) == ([], 8)
    assert read(path).rows["document"].to_pylist()[:3] == ["环办〔2021〕1号"] * 2 + [""]


def test_refusals_count_pollutants(tmp_path):
    path = write_lines(
        tmp_path / "a.csv",
        HEAD,
        "110000,,2021-03-15,2021-03-17,pm10;pm25,沙尘,",
        "320100,,2021-03-15,2021-02-30,pm10,沙尘,",
        "320100,,2021-03-15,2021-03-14,pm10,沙尘,",
        "320100,,2021-03-15,2021-03-17,;,沙尘,",
        "320100,,2021-03-15,2021-03-17,pm10;;pm25;o3,,",
        "320100,,2021-03-15,2021-03-17,pm10;bc;PM10;,沙尘,",
        "320100,,2021-03-15",
        "320100,,2021-03-15,2021-03-17,pm10,又,",
        ",,,,,,",
    )
    rows, refused, rows_in = events(path)
    assert rows == [("320100", date(2021, 3, 15), "pm10")]
    assert refused == [
        (1, "adcode", 2),
        (2, "last_date", 1),
        (3, "last_date", 1),
        (4, "pollutant", 1),
        (5, "reason_zh", 3),
        (6, "pollutant", 1),
        (6, "pollutant", 1),
        (7, "", 1),
        (8, "pollutant", 1),
    ]
    assert rows_in == 13


def test_missing_columns_are_named(tmp_path):
    path = write_lines(
        tmp_path / "a.csv", "adcode,first_date,last_date,pollutant", "320100,2021-03-15,2021-03-15,o3"
    )
    with pytest.raises(InputError, match=r"lacks the column\(s\) reason_zh"):
        read(path)
    with pytest.raises(InputError, match="first_date, last_date, pollutant, reason_zh, adcode or city_zh"):
        read(write_lines(tmp_path / "b.csv", "x", "1"), layout="exceptional_events")
