"""Statistics from a small store of two cities: figures by hand, exports, and what is refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from openpyxl import load_workbook

from tests.store.factories import batch_of
from yrd_airq.clock import day_labels
from yrd_airq.errors import InputError
from yrd_airq.jobs.stats import Scope, agreement, statistics
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.quality.agreement_report import At
from yrd_airq.quality.daily import city_daily, city_hourly
from yrd_airq.quality.periods import Step
from yrd_airq.sources.batch import Kind
from yrd_airq.standards.release import make_release
from yrd_airq.store.store import open_store
from yrd_airq.vocab import Pollutant

NANJING, SUZHOU = "320100", "320500"
LIST = [("1A", "草场门", "南京", NANJING), ("2A", "玄武湖", "南京", NANJING), ("3A", "南门", "苏州", SUZHOU)]
FIRST, LAST = date(2026, 4, 1), date(2026, 4, 30)
CLEAN = {"so2": 12.0, "no2": 40.0, "co": 1.0, "o3": 90.0, "pm10": 45.0, "pm25": 30.0}
APRIL = (FIRST, LAST, Step.MONTH)


def _hourly(first: date, last: date, pm25: float) -> dict[Pollutant, pd.DataFrame]:
    labels = day_labels(first, last)
    values = CLEAN | {"pm25": pm25}
    return {p: pd.DataFrame(values[p], labels, [code for code, *_ in LIST]) for p in Pollutant}


def _long(frames: dict[str, pd.DataFrame]) -> list[tuple[str, datetime, str, float]]:
    rows: list[tuple[str, datetime, str, float]] = []
    for item, frame in frames.items():
        for code in frame:
            held = frame[code].dropna()
            rows += [(str(code), time.to_pydatetime(), item, value) for time, value in held.items()]  # type: ignore[union-attr, misc]
    return rows


Fill = Callable[..., Workspace]


@pytest.fixture
def fill(tmp_path: Path) -> Fill:
    """Makes a store: April 2025 and 2026, PM2.5 70 and 50, but for what the caller changes."""

    def make(
        change: Callable[[dict[Pollutant, pd.DataFrame]], None] | None = None, release: bool = False
    ) -> Workspace:
        workspace = Workspace(tmp_path / "s.duckdb", tmp_path / "models", tmp_path / "out")
        stations = [(c, n, z, a, True, False, 118.0, 32.0, None, None, None) for c, n, z, a in LIST]
        with open_store(workspace.store) as store:
            store.ingest(batch_of(Kind.STATION_LIST, stations, "list.csv"))
            for year, pm25 in ((2025, 70.0), (2026, 50.0)):
                first, last = date(year, 4, 1), date(year, 4, 30)
                hourly = _hourly(first, last, pm25)
                if change is not None and year == 2026:
                    change(hourly)
                frames = {str(p): frame for p, frame in hourly.items()}
                if release:
                    frames |= make_release(hourly)
                store.ingest(batch_of(Kind.STATIONS, _long(frames), f"{year}.csv"))
                listed, labels = store.station_list(), day_labels(first, last)
                store.write_city_daily(city_daily(hourly, listed), first, last)
                hours = labels[0].to_pydatetime(), labels[-1].to_pydatetime()
                store.write_city_hourly(city_hourly(hourly, listed), *hours)
        return workspace

    return make


def _row(report: object, **where: str) -> dict[str, object]:
    records = report.as_dict()["tables"]["evaluation"]  # type: ignore[attr-defined]
    rows = [row for row in records if all(row[name] == value for name, value in where.items())]
    assert len(rows) == 1
    return dict(rows[0])


def test_a_month_of_a_city_by_hand(fill: Fill) -> None:
    report = statistics(fill(), Scope.CITIES, *APRIL)
    row = _row(report, place=NANJING)
    assert row["city_zh"] == "南京市"
    assert (row["pm25_mean"], row["co_p95"], row["o3_mda8_p90"], row["so2_mean"]) == (50, 1, 90, 12)
    # 12/60 + 40/40 + 1/4 + 90/160 + 45/60 + 50/30 = 4.4292
    assert (row["composite_index"], row["index_valid"], row["main_pollutant"], row["rank"]) == (
        4.43,
        True,
        "pm25",
        1,
    )
    assert (row["good_days"], row["good_day_ratio"], row["aqi_days"]) == (30, 100, 30)
    text = "\n".join(report.lines())
    assert "cities by month, 2026-04-01 … 2026-04-30, judged by the standard in force on each day" in text
    assert len({line.index("4.43") for line in report.lines() if "4.43" in line}) == 1


def test_flagged_values_are_left_out_of_station_figures(fill: Fill) -> None:
    spike = pd.Timestamp("2026-04-10 12:00")

    def change(hourly: dict[Pollutant, pd.DataFrame]) -> None:
        hourly[Pollutant.PM25].loc[spike, "1A"] = 970.0

    workspace = fill(change)
    flag = pd.DataFrame(
        [("1A", spike, "pm25", "left_out", "spike", ""), ("2A", spike, "pm25", "doubtful", "isolated", "")],
        columns=["station_code", "time", "pollutant", "flag", "rule", "reason"],
    )
    before = statistics(workspace, Scope.STATIONS, *APRIL).as_dict()["tables"]["items"]
    with open_store(workspace.store) as store:
        store.write_flags(flag)
    after = statistics(workspace, Scope.STATIONS, *APRIL).as_dict()["tables"]["items"]
    maxima = [
        [row["maximum"] for row in table if row["target"] == "pm25" and row["place"] in ("1A", "2A")]
        for table in (before, after)
    ]
    assert maxima == [[88, 50], [50, 50]]  # (970 + 23 × 50)/24 = 88.3
    assert after[0]["name_zh"] == "草场门"


def test_years_are_compared_on_one_standard(fill: Fill) -> None:
    report = statistics(fill(), Scope.CITIES, *APRIL, compare_with=2025)
    row = _row(report, place=SUZHOU)
    assert (row["pm25_mean"], row["pm25_mean_before"], row["pm25_mean_change_percent"]) == (50, 70, -28.6)
    # PM2.5 70 exceeds the limit of 2026 (60), not that of 2012 (75): 2025 is judged as 2026 is
    assert (row["good_day_ratio_before"], row["good_day_ratio_change"]) == (0, 100)
    assert (row["composite_index_before"], row["composite_index_change"]) == (5.1, -0.67)
    assert "HJ 633-2026" in report.basis
    old = _row(statistics(fill(), Scope.CITIES, *APRIL, standard="2012", compare_with=2025), place=SUZHOU)
    assert old["good_day_ratio_before"] == 100
    with pytest.raises(InputError, match="no city-day values from 2019-04-01"):
        statistics(fill(), Scope.CITIES, *APRIL, compare_with=2019)
    with pytest.raises(InputError, match="not by day"):
        statistics(fill(), Scope.CITIES, FIRST, LAST, Step.DAY, compare_with=2025)


def test_exceptional_events_give_both_figures(fill: Fill) -> None:
    def change(hourly: dict[Pollutant, pd.DataFrame]) -> None:
        hourly[Pollutant.PM10].loc["2026-04-10 01:00":"2026-04-11 00:00"] = 645.0  # type: ignore[misc]

    workspace = fill(change)
    event = ("320000", date(2026, 4, 10), date(2026, 4, 10), "pm10", "沙尘", "苏环办〔2026〕1号")
    with open_store(workspace.store) as store:
        store.ingest(batch_of(Kind.EXCEPTIONAL, [event], "events.csv"))
    report = statistics(workspace, Scope.CITIES, *APRIL, exceptional=True)
    both = [_row(report, place=NANJING, events=events) for events in ("included", "excluded")]
    assert [row["pm10_mean"] for row in both] == [65, 45]  # (645 + 29 × 45)/30
    assert [row["good_day_ratio"] for row in both] == [96.7, 100]
    days = statistics(workspace, Scope.CITIES, FIRST, LAST, Step.DAY, exceptional=True, adcodes=[NANJING])
    struck = [row["date"] for row in days.as_dict()["tables"]["days"] if row["event"]]
    assert struck == ["2026-04-10"]


def test_days_and_hours(fill: Fill) -> None:
    def change(hourly: dict[Pollutant, pd.DataFrame]) -> None:
        hourly[Pollutant.CO].loc["2026-04-02 01:00":"2026-04-03 00:00"] = np.nan  # type: ignore[misc]

    workspace = fill(change)
    days = statistics(workspace, Scope.CITIES, FIRST, LAST, Step.DAY, adcodes=[NANJING]).as_dict()["tables"][
        "days"
    ]
    # PM2.5 50 → 80 (2026: 50 + 50 × 15/25); without CO no AQI up to 100 is stated
    assert (days[0]["aqi"], days[0]["level_zh"], days[0]["primary_zh"], days[0]["valid"]) == (
        80,
        "良",
        "PM₂.₅",
        True,
    )
    assert (days[1]["aqi"], days[1]["co"], days[1]["valid"]) == (None, None, False)
    hours = statistics(workspace, Scope.STATIONS, FIRST, FIRST, Step.HOUR, standard="2012").as_dict()[
        "tables"
    ]["hours"]
    assert len(hours) == 3 * 24
    # 2012: PM2.5 50 → 50 + 50 × 15/40 = 68.75
    assert (hours[0]["time"], hours[0]["aqi"], hours[0]["name_zh"]) == ("2026-04-01 01:00", 69, "草场门")
    cities = statistics(workspace, Scope.CITIES, FIRST, FIRST, Step.HOUR).as_dict()["tables"]["hours"]
    assert len(cities) == 2 * 24
    assert cities[-1]["time"] == "2026-04-02 00:00"


def test_exports_have_chinese_headings_and_the_same_bytes(fill: Fill, tmp_path: Path) -> None:
    report = statistics(fill(), Scope.CITIES, *APRIL, compare_with=2025, exceptional=True)
    files = report.export(tmp_path / "a" / "april.csv")
    assert [file.name for file in files] == ["april.csv", "april-items.csv", "april-places.csv"]
    with files[0].open(encoding="utf-8-sig", newline="") as text:
        rows = list(csv.DictReader(text))
    first = rows[0]
    assert first["城市"] == "南京市"
    assert first["PM₂.₅平均（μg/m³）"] == "50"
    assert first["CO第95百分位数（mg/m³）"] == "1.0"
    assert first["优良天数比例（%）"] == "100.0"
    assert first["PM₂.₅平均（μg/m³）同比变化率（%）"] == "-28.6"
    assert first["综合指数有效性"] == "有效"
    assert first["最大单项指数污染物"] == "PM₂.₅"
    assert first["例外事件"] == "含例外事件"
    for name in rows[0]:
        assert not name.isascii() or name == "AQI"
    book = tmp_path / "april.xlsx"
    report.export(book)
    again = tmp_path / "again.xlsx"
    report.export(again)
    assert book.read_bytes() == again.read_bytes()
    workbook = load_workbook(book)
    assert workbook.sheetnames == ["评价", "各项污染物", "空气质量天数与综合指数", "说明"]
    headings = [cell.value for sheet in workbook.worksheets[:3] for cell in sheet[1]]
    assert all(not heading.isascii() or heading == "AQI" for heading in headings)
    assert {"优良天数比例（%）", "首要污染物", "PM₂.₅为首要污染物天数", "轻度污染天数", "超标天数"} & set(
        headings
    )
    json.dumps(report.as_dict(), allow_nan=False)
    with pytest.raises(InputError, match=r"\.csv or \.xlsx"):
        report.export(tmp_path / "april.txt")


def test_what_is_not_there_is_refused(fill: Fill) -> None:
    workspace = fill()
    for scope in Scope:
        with pytest.raises(InputError, match="ask for another period"):
            statistics(workspace, scope, date(2024, 4, 1), date(2024, 4, 30), Step.MONTH)
    with pytest.raises(InputError, match="before it begins"):
        statistics(workspace, Scope.CITIES, LAST, FIRST, Step.MONTH)
    with pytest.raises(InputError, match="not one of the 41 cities"):
        statistics(workspace, Scope.CITIES, *APRIL, adcodes=["110000"])
    with pytest.raises(InputError, match="no released running values"):
        agreement(workspace, FIRST, LAST)


def test_the_release_in_a_store_is_compared_month_by_month(fill: Fill) -> None:
    report = agreement(fill(release=True), date(2026, 3, 30), date(2026, 4, 30))
    days = report.complete(At.DAY)
    assert days.loc["pm25_24h", ["compared", "equal"]].tolist() == [3 * 30, 3 * 30]
    assert report.complete(At.HOUR).loc["aqi", "compared"] == 3 * 720
