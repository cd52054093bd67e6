"""Daily city means of an archive: places, parts of Shanghai, rows in any order, nothing lost."""

from __future__ import annotations

from datetime import date

from tests.sources.factories import city_row, write_city, write_lines
from yrd_airq.sources import city_daily
from yrd_airq.sources.batch import SCHEMAS, Kind


def test_places_parts_and_neighbours(tmp_path):
    batch = city_daily.read(
        write_city(
            tmp_path / "a.csv",
            city_row("上海市", "嘉定区", "2013-01-01"),
            city_row("江苏省", "苏州市", "2013-01-01"),
            city_row("安徽省", "宿州市", "2013-01-01"),
            city_row("山东省", "莱芜市", "2013-01-01"),
            city_row("山东省", "苏州市", "2013-01-01"),
        )
    )
    places = dict.fromkeys(zip(batch.rows["place"].to_pylist(), batch.rows["part"].to_pylist(), strict=True))
    assert list(places) == [
        ("310000", "嘉定区"),
        ("320500", ""),
        ("341300", ""),
        ("山东省/莱芜市", ""),
        ("山东省/苏州市", ""),
    ]


def test_values_keep_their_names_signs_and_days_and_aqi_is_left_out(tmp_path):
    batch = city_daily.read(
        write_city(
            tmp_path / "a.csv",
            city_row("江苏省", "苏州市", "2013-10-11"),
            city_row("江苏省", "苏州市", "2013-10-10", 40),
        )
    )
    assert batch.rows.schema == SCHEMAS[Kind.CITIES]
    found = {(r["date"], r["variable"]): r["value"] for r in batch.rows.to_pylist()}
    assert found[date(2013, 10, 10), "pm25"] == 40.0
    assert found[date(2013, 10, 11), "u10_ms"] == -1.5
    assert found[date(2013, 10, 11), "o3_mean"] == 90.0
    assert len(found) == 2 * 11
    assert {v for _, v in found} == set(city_daily.VARIABLES.values())
    assert batch.refused.num_rows == 0


def test_odd_cells_and_lines_are_refused(tmp_path):
    rows = [
        city_row("江苏省", "苏州市", "2013-01-01", pm25=-3),
        city_row("江苏省", "苏州市", "2013-02-30"),
        city_row("江苏省", "苏州市", "2013-01-02", pm25="缺"),
        city_row("江苏省", "苏州市", "2013-01-02"),
        city_row("江苏省", "", "2013-01-03"),
        city_row("江苏省", "苏州市", "2013-01-04", pm25="", u=""),
    ]
    batch = city_daily.read(write_city(tmp_path / "a.csv", *rows))
    assert [(r["row"], r["field"]) for r in batch.refused.to_pylist()] == [
        (1, "PM2.5"),
        (2, "date"),
        (3, "PM2.5"),
        (4, "date"),
        (5, "city"),
    ]
    assert batch.rows.num_rows == 10 + 10 + 9


def test_unknown_columns_are_refused_as_columns(tmp_path):
    batch = city_daily.read(
        write_lines(tmp_path / "a.csv", "province,city,date,PM2.5,NH3", "江苏省,苏州市,2013-01-01,30,4")
    )
    assert [(r["row"], r["field"]) for r in batch.refused.to_pylist()] == [(0, "NH3")]
    assert batch.rows.num_rows == 1
