"""Fuzzed files of every layout: read or refused clearly, never another error, and no value lost."""

from __future__ import annotations

import csv
import gzip
import io
import os
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sources.factories import CITY_COLUMNS, PLANT_COLUMNS, STATION_LIST_COLUMNS, city_row, plant
from tests.sources.mutations import count_rows, mutate
from yrd_airq.errors import InputError
from yrd_airq.sources.reading import find_inputs, read

SEED = int(os.environ.get("YRD_AIRQ_FUZZ_SEED", "20190101"))
LINES = 300

LAYOUTS = {
    "stations_wide": "date,hour,type,1141A,1142A,备注,1141A",
    "station_list_zh": f"{STATION_LIST_COLUMNS},对照点,启用日期,停用日期",
    "city_daily_reanalysis": f"{CITY_COLUMNS},NH3",
    "enterprise_list": f"{PLANT_COLUMNS},grade,exempt,cost_cny_per_day",
    "survey_track": "run_id,t_local,lon,lat,ws_true,wd_true,tvoc_ppb,benzene_ugm3,note",
    "exceptional_events": "adcode,city_zh,first_date,last_date,pollutant,reason_zh,document",
    "province_hourly_csv": "监测点编码,监测时间,"
    "PM2.5(μg/m³),PM10(μg/m³),SO2(μg/m³),NO2(μg/m³),O3(μg/m³),CO(mg/m³),CO(mg/m³)",
    "long_utc_csv": "station_code,datetime_utc,parameter,value",
}


def check(path: Path, data: bytes, layout: str | None = None) -> bool:
    """Whether the bytes could be read; either way nothing but an ``InputError`` may come of them."""
    path.write_bytes(data)
    try:
        batch = read(path, layout=layout)
    except InputError as error:
        assert path.name in str(error)
        assert len(str(error)) > len(str(path)) + 10
        return False
    expected = count_rows(data, batch)
    kept, refused = batch.rows.num_rows, sum(batch.refused["rows"].to_pylist())
    assert (batch.rows_in, kept + refused) == (expected, expected), (batch.layout, kept, refused)
    assert None not in batch.refused["reason"].to_pylist()
    return True


NUMBERS = [
    "",
    " ",
    "0",
    "7",
    "23",
    "12.5",
    "-3",
    "-99",
    "-99.0",
    "NA",
    "—",
    "x",
    "1e999",
    "nan",
    "120.5",
    "31.2",
]
TIMES = [
    "20190101",
    "20191301",
    "2019-01-01",
    "2019-01-01 05:00",
    "2019-01-01T05:00:00Z",
    "2026-08-18 09:30:00",
]
WORDS = [
    "1141A",
    "1142A",
    "SO2",
    "o3",
    "PM10;pm25",
    "上海",
    "苏州市",
    "江苏省",
    "320500",
    "all",
    "true",
    "B-",
    "沙尘",
]
CELL = st.one_of(
    st.sampled_from([*NUMBERS, *TIMES, *WORDS]),
    st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=6),
)
GOOD = {
    "stations_wide": ["20190101", "5", "SO2", "1", "2", "", "3"],
    "station_list_zh": ["1141A", "普陀", "上海", "121.4", "31.2", "N", "2019-01-01", ""],
    "city_daily_reanalysis": [*city_row("江苏省", "苏州市", "2013-01-01").split(","), "1"],
    "enterprise_list": [*plant().split(","), "B-", "false", "5"],
    "survey_track": ["r1", "2026-08-18 09:30:00", "120.7", "31.3", "3", "190", "12.5", "2.5", "x"],
    "exceptional_events": ["320500", "", "2021-03-15", "2021-03-17", "PM10;pm25", "沙尘", ""],
    "province_hourly_csv": ["1141A", "2019-01-01 05:00", "35", "60", "—", "-99", "", "0.8", "1"],
    "long_utc_csv": ["1141A", "2019-01-01T05:00:00Z", "o3", "50"],
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, list[list[str]]]:
    """A layout and lines of it: good ones, some cells changed, now and then too long or too short."""
    layout = draw(st.sampled_from(sorted(LAYOUTS)))
    lines = []
    for _ in range(draw(st.integers(1, 8))):
        line = list(GOOD[layout])
        for _ in range(draw(st.integers(0, 4))):
            line[draw(st.integers(0, len(line) - 1))] = draw(CELL)
        extra = draw(st.sampled_from([0, 0, 0, 0, 1, -1, -3]))
        lines.append(
            line + draw(st.lists(CELL, min_size=1, max_size=2)) if extra > 0 else line[: len(line) + extra]
        )
    return layout, lines


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tables(),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.booleans(),
)
def test_small_files_of_every_layout(tmp_path: Path, table, end, quoting, by_name):
    layout, lines = table
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end, quoting=quoting)
    writer.writerows([LAYOUTS[layout].split(","), *lines])
    assert check(tmp_path / "a.csv", text.getvalue().encode(), layout if by_name else None)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(LAYOUTS)), st.binary(min_size=1, max_size=300), st.booleans())
def test_any_bytes_after_a_good_header(tmp_path: Path, layout, data, by_name):
    head = f"{LAYOUTS[layout]}\n".encode()
    check(tmp_path / "a.csv", head + data, layout if by_name else None)


def cut(path: Path, lines: int = LINES) -> bytes:
    """The first lines of a file as plain text, values of the first stations only."""
    data = path.read_bytes()
    if data.startswith(b"\x1f\x8b"):
        data = gzip.decompress(data)
    kept = data.split(b"\n")[:lines]
    return b"\n".join(b",".join(line.split(b",")[:60]) for line in kept)


@pytest.fixture(scope="module")
def real_files(real_data: Path) -> list[bytes]:
    return [
        cut(real_data / "stations_hourly" / "cnemc_yrd_201902.csv.gz"),
        cut(real_data / "stations_hourly" / "national_original" / "china_sites_20190723.csv.gz"),
        cut(real_data / "stations" / "station_list.csv", 2000),
        cut(next(iter(sorted((real_data / "city_daily_reanalysis" / "江苏省").glob("*.csv.gz"))))),
        cut(real_data / "enterprises" / "yrd_plants.csv"),
        cut(real_data / "survey" / "bengaluru_20190925.csv"),
    ]


def test_mutated_real_files(tmp_path: Path, real_files: list[bytes]):
    """200 real files, damaged: each is read with every value accounted for, or refused by name."""
    usable = 0
    for k in range(200):
        rng = np.random.default_rng([SEED, k])
        data = mutate(real_files[k % len(real_files)], rng)
        usable += check(tmp_path / f"file{k}.csv", data)
    assert 80 < usable < 190
    assert len(find_inputs(tmp_path).known) >= usable


def test_damaged_workbooks(tmp_path: Path):
    book = openpyxl.Workbook()
    book.active.append(STATION_LIST_COLUMNS.split(","))
    for k in range(30):
        book.active.append([f"{1141 + k}A", "站", "上海", 121.4, 31.2])
    book.save(tmp_path / "whole.xlsx")
    whole = (tmp_path / "whole.xlsx").read_bytes()
    for k in range(60):
        rng = np.random.default_rng([SEED, k])
        made = bytearray(whole)
        for place in rng.integers(0, len(made), rng.integers(1, 30)):
            made[place] = rng.integers(0, 256)
        path = tmp_path / f"{k}.xlsx"
        path.write_bytes(bytes(made[: rng.integers(1, len(made))]) if k % 3 == 0 else bytes(made))
        try:
            batch = read(path, layout="station_list_zh")
        except InputError as error:
            assert path.name in str(error)
        else:
            assert batch.rows_in == batch.rows.num_rows + sum(batch.refused["rows"].to_pylist())
