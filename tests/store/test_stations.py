"""Periods of validity from all lists: hand-worked series of openings, closings, moves and partial lists."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from yrd_airq.store.stations import COLUMNS, station_periods, stations_on

OPEN = None


def row(code: str, batch: int, list_from: str | None = None, **changes: object) -> dict[str, object]:
    made = {
        "station_code": code,
        "name_zh": f"站{code}",
        "city_zh": "上海",
        "adcode": "310000",
        "counted": True,
        "background": False,
        "lon": 121.4,
        "lat": 31.2,
        "valid_from": None,
        "valid_to": None,
        "list_from": None if list_from is None else date.fromisoformat(list_from),
        "batch_id": batch,
        "layout": "station_list_zh",
    }
    return made | changes


def periods(*rows: dict[str, object]) -> list[tuple[object, ...]]:
    """Code, first and last day of each period, as text."""
    found = station_periods(pd.DataFrame(list(rows)))
    assert tuple(found.columns) == COLUMNS
    days = [
        found[name].dt.strftime("%Y-%m-%d").astype(object).where(found[name].notna(), OPEN)
        for name in ("valid_from", "valid_to")
    ]
    return list(zip(found["station_code"], *days, strict=True))


def test_undated_lists_newest_wins_without_limits():
    rows = [row("1141A", 1, name_zh="旧"), row("1142A", 1), row("1141A", 2, name_zh="新")]
    assert periods(*rows) == [("1141A", OPEN, OPEN), ("1142A", OPEN, OPEN)]
    assert station_periods(pd.DataFrame(rows))["name_zh"].tolist() == ["新", "站1142A"]


def test_series_of_dated_lists_opens_and_closes():
    rows = [
        row("1141A", 1, "2018-01-01"),
        row("1142A", 1, "2018-01-01"),
        row("1141A", 2, "2019-01-01"),
        row("1143A", 2, "2019-01-01"),
        row("1141A", 3, "2020-01-01"),
        row("1142A", 3, "2020-01-01"),
    ]
    expected = [
        ("1141A", OPEN, OPEN),
        ("1142A", OPEN, "2018-12-31"),
        ("1142A", "2020-01-01", OPEN),
        ("1143A", "2019-01-01", "2019-12-31"),
    ]
    assert periods(*rows) == expected
    assert periods(*reversed(rows)) == expected


def test_a_move_gives_two_rows_and_a_new_name_one():
    rows = [
        row("1141A", 1, "2018-01-01", name_zh="旧名", lon=None, lat=None),
        row("1141A", 2, "2019-01-01", name_zh="新名", lon=121.4002),
        row("1141A", 3, "2020-01-01", lon=121.45),
        row("1160A", 1, "2018-01-01", city_zh="苏州", adcode="320500"),
        row("1160A", 2, "2019-01-01", city_zh="昆山", adcode="320500", counted=False),
    ]
    assert periods(*rows) == [
        ("1141A", OPEN, "2019-12-31"),
        ("1141A", "2020-01-01", OPEN),
        ("1160A", OPEN, "2018-12-31"),
        ("1160A", "2019-01-01", OPEN),
    ]
    found = station_periods(pd.DataFrame(rows))
    assert found.loc[0, ["name_zh", "lon"]].tolist() == ["新名", 121.4002]
    assert found["counted"].tolist() == [True, True, True, False]


def test_dates_of_a_station_win_over_dates_of_lists():
    moved = {"valid_from": date(2019, 6, 1), "lon": 121.5}
    rows = [
        row("1141A", 1, "2018-01-01"),
        row("1142A", 1, "2018-01-01"),
        row("1141A", 2, valid_to=date(2019, 5, 31)),
        row("1141A", 2, **moved),
        row("1142A", 3, "2020-01-01"),
    ]
    assert periods(*rows) == [
        ("1141A", OPEN, "2019-05-31"),
        ("1141A", "2019-06-01", OPEN),
        ("1142A", OPEN, OPEN),
    ]
    found = station_periods(pd.DataFrame(rows))
    assert stations_on(found, date(2019, 5, 31))["lon"].tolist() == [121.4, 121.4]
    assert stations_on(found, date(2019, 6, 1))["lon"].tolist() == [121.5, 121.4]


def test_a_dated_list_takes_precedence_over_an_undated_one():
    rows = [row("1141A", 9, name_zh="无日期"), row("1142A", 9), row("1141A", 1, "2018-01-01", name_zh="有")]
    assert station_periods(pd.DataFrame(rows))["name_zh"].tolist() == ["有", "站1142A"]


def test_web_answers_serve_only_codes_that_no_list_names_and_close_nothing():
    web = {"layout": "cnemc_hourly"}
    rows = [
        row("1141A", 1, "2018-01-01", name_zh="列表"),
        row("1141A", 5, name_zh="网页", **web),
        row("9999A", 4, **web),
        row("9999A", 5, name_zh="新", **web),
    ]
    assert periods(*rows) == [("1141A", OPEN, OPEN), ("9999A", OPEN, OPEN)]
    assert station_periods(pd.DataFrame(rows))["name_zh"].tolist() == ["列表", "新"]


def test_a_list_of_one_province_closes_nothing_elsewhere():
    jiangsu = {"city_zh": "苏州", "adcode": "320500"}
    rows = [
        row("1141A", 1, "2018-01-01"),
        row("1160A", 1, "2018-01-01", **jiangsu),
        row("1161A", 1, "2018-01-01", **jiangsu),
        row("1160A", 2, "2019-01-01", **jiangsu),
    ]
    assert periods(*rows) == [
        ("1141A", OPEN, OPEN),
        ("1160A", OPEN, OPEN),
        ("1161A", OPEN, "2018-12-31"),
    ]


def test_of_lists_of_one_date_the_newest_counts():
    rows = [
        row("1141A", 1, "2018-01-01"),
        row("1142A", 1, "2018-01-01"),
        row("1141A", 2, "2018-01-01", lon=120.0),
    ]
    assert periods(*rows) == [("1141A", OPEN, OPEN)]
    assert station_periods(pd.DataFrame(rows))["lon"].tolist() == [120.0]


def test_background_sites_are_not_counted_and_unknown_counts_as_no():
    rows = [row("1147A", 1, background=True), row("1148A", 1, counted=None, background=None)]
    found = station_periods(pd.DataFrame(rows))
    assert found["counted"].tolist() == [False, False]
    assert found["background"].tolist() == [True, False]


def test_outsiders_form_groups_by_city():
    outside = {"adcode": None, "city_zh": "北京"}
    rows = [
        row("1001A", 1, "2018-01-01", **outside),
        row("1002A", 1, "2018-01-01", **outside),
        row("1002A", 2, "2019-01-01", **outside),
    ]
    assert periods(*rows) == [("1001A", OPEN, "2018-12-31"), ("1002A", OPEN, OPEN)]


@pytest.mark.parametrize("day", [date(2000, 1, 1), date(2018, 12, 31), date(2019, 1, 1), date(2030, 1, 1)])
def test_a_station_stands_at_most_once_on_a_day(day):
    rows = [row("1141A", k, f"{2015 + k}-01-01", lon=121 + 0.1 * (k % 2)) for k in range(1, 6)]
    assert len(stations_on(station_periods(pd.DataFrame(rows)), day)) == 1


def test_no_lists_no_periods():
    empty = pd.DataFrame(columns=list(row("1141A", 1)))
    assert station_periods(empty).empty
