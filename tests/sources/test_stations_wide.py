"""The national network's hourly layout: every filled cell is stored or refused, with its place and reason."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.sources.factories import write_lines, write_stations
from yrd_airq.errors import InputError
from yrd_airq.sources import stations_wide
from yrd_airq.sources.batch import SCHEMAS, Kind


def values(batch) -> dict:
    return {(r["station_code"], r["time"], r["item"]): r["value"] for r in batch.rows.to_pylist()}


def refusals(batch) -> list[tuple[int, str, str]]:
    return [(r["row"], r["field"], r["content"]) for r in batch.refused.to_pylist()]


def reasons(batch) -> str:
    return " | ".join(batch.refused["reason"].to_pylist())


def test_cells_become_rows_with_the_label_of_their_hour(tmp_path):
    path = write_stations(
        tmp_path / "a.csv", ["20190101,0,PM2.5,12,15.5", "20190101,23,O3_8h_24h,,60", "20190102,7,CO,0,1.2"]
    )
    batch = stations_wide.read(path)
    assert batch.kind is Kind.STATIONS
    assert batch.rows.schema == SCHEMAS[Kind.STATIONS]
    assert batch.refused.num_rows == 0
    assert values(batch) == {
        ("1141A", datetime(2019, 1, 1, 0), "pm25"): 12.0,
        ("1142A", datetime(2019, 1, 1, 0), "pm25"): 15.5,
        ("1142A", datetime(2019, 1, 1, 23), "o3_8h_24h"): 60.0,
        ("1141A", datetime(2019, 1, 2, 7), "co"): 0.0,
        ("1142A", datetime(2019, 1, 2, 7), "co"): 1.2,
    }


def test_all_fifteen_types_have_an_item(tmp_path):
    rows = [f"20190101,5,{kind},1,2" for kind in stations_wide.ITEMS]
    batch = stations_wide.read(write_stations(tmp_path / "a.csv", rows))
    assert len(rows) == 15
    assert set(batch.rows["item"].to_pylist()) == set(stations_wide.ITEMS.values())
    assert batch.refused.num_rows == 0


def test_gzip_bom_and_crlf_change_nothing(tmp_path):
    rows = ["20190101,1,SO2,3,4", "20190101,2,SO2,5,"]
    plain = stations_wide.read(write_stations(tmp_path / "a.csv", rows))
    zipped = stations_wide.read(write_stations(tmp_path / "b.csv.gz", rows, bom=True))
    crlf = tmp_path / "c.csv"
    crlf.write_bytes((tmp_path / "a.csv").read_bytes().replace(b"\n", b"\r\n"))
    assert plain.rows.equals(zipped.rows)
    assert plain.rows.equals(stations_wide.read(crlf).rows)
    assert plain.content_hash != zipped.content_hash


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        ("20190231,1,SO2,3,4", "date", "not a date"),
        ("2019-01-01,1,SO2,3,4", "date", "not a date"),
        (",1,SO2,3,4", "date", "not a date"),
        ("20190101,24,SO2,3,4", "hour", "0 to 23"),
        ("20190101,x,SO2,3,4", "hour", "0 to 23"),
        ("20190101,1,NOx,3,4", "type", "not a known type"),
        ("20190101,1,SO2,3", "", "4 fields, the header 5"),
        ("20190101,1,SO2,3,4,5", "", "6 fields, the header 5"),
        ("20190101,0,PM10,3,4", "type", "repeats"),
    ],
)
def test_unusable_lines_are_refused_with_their_row_number(tmp_path, row, field, reason):
    path = write_stations(
        tmp_path / "a.csv", ["20190101,0,PM10,1,2", "20190101,1,PM10,1,2", row, "20190101,2,PM10,1,2"]
    )
    batch = stations_wide.read(path)
    assert refusals(batch) == [(3, field, row)]
    assert reason in reasons(batch)
    assert batch.rows.num_rows == 6


def test_row_numbers_stay_true_after_ragged_rows(tmp_path):
    path = write_stations(
        tmp_path / "a.csv", ["20190101,0,PM10,1", "", "20190101,1,PM10,1,2", "20190101,2,PM10,x,2"]
    )
    batch = stations_wide.read(path)
    assert refusals(batch) == [(1, "", "20190101,0,PM10,1"), (4, "1141A", "x")]


@pytest.mark.parametrize("cell", ["-", "—", "NA", "nan", "inf", "1e999", "12a", "１２", "<5"])
def test_cells_that_are_no_number_are_refused(tmp_path, cell):
    batch = stations_wide.read(write_stations(tmp_path / "a.csv", [f"20190101,1,SO2,{cell},4"]))
    assert refusals(batch) == [(1, "1141A", cell)]
    assert reasons(batch) == "not a number; left out"
    assert list(values(batch).values()) == [4.0]


def test_negative_values_are_refused_and_spaces_forgiven(tmp_path):
    batch = stations_wide.read(
        write_stations(tmp_path / "a.csv", ["20190101,1,SO2,-3, 4 ", "20190101,2,SO2, ,7"])
    )
    assert refusals(batch) == [(1, "1141A", "-3")]
    assert "negative" in reasons(batch)
    assert sorted(values(batch).values()) == [4.0, 7.0]


def test_columns_that_are_no_station_and_second_columns_are_refused(tmp_path):
    path = write_stations(
        tmp_path / "a.csv",
        ["20190101,1,SO2,1,2,3,4", "20190101,2,SO2,1,,3,"],
        codes=("1141A", "备注", "D310001", "1141A"),
    )
    batch = stations_wide.read(path)
    assert refusals(batch) == [(0, "1141A", "1141A"), (0, "备注", "备注")]
    assert "1 filled cells" in batch.refused["reason"][0].as_py()
    assert set(batch.rows["station_code"].to_pylist()) == {"1141A", "D310001"}
    assert set(values(batch).values()) == {1.0, 3.0}


def test_header_alone_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"a\.csv: .*no data rows"):
        stations_wide.read(write_stations(tmp_path / "a.csv", []))
    path = tmp_path / "b.csv"
    path.write_text("date,hour,type,1141A")
    with pytest.raises(InputError, match=r"b\.csv: .*no data rows"):
        stations_wide.read(path)


def test_text_that_is_neither_utf8_nor_gbk_is_an_error(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"date,hour,type,1141A\n20190101,1,SO2,\xcb\n")
    with pytest.raises(InputError, match="not UTF-8 or GBK"):
        stations_wide.read(path)


def test_truncated_gzip_is_an_error(tmp_path):
    rows = [f"20190101,{h},SO2,{h * 37 % 91},{h * 53 % 97}" for h in range(24)]
    path = write_stations(tmp_path / "a.csv.gz", rows)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"a\.csv\.gz: the gzip file is damaged or cut off"):
        stations_wide.read(path)


def test_another_csv_does_not_match(tmp_path):
    assert not stations_wide.matches(
        write_lines(tmp_path / "a.csv", "date,hour,type,北京,天津", "20190101,1,AQI,1,2")
    )
    assert not stations_wide.matches(
        write_lines(tmp_path / "b.csv", "hour,date,type,1141A", "1,20190101,AQI,1")
    )
    assert stations_wide.matches(write_stations(tmp_path / "c.csv", ["20190101,1,AQI,1,2"], bom=True))


CELLS = st.one_of(
    st.just(""),
    st.integers(0, 999).map(str),
    st.floats(0, 500, allow_nan=False).map(lambda x: f"{x:.1f}"),
    st.sampled_from(["-1", "x", "-", "nan", "-0.5"]),
)
LINES = st.tuples(
    st.sampled_from(["20190101", "20190102", "20191301", ""]),
    st.sampled_from(["0", "7", "23", "24"]),
    st.sampled_from(["SO2", "PM2.5", "O3_8h", "TVOC"]),
    st.lists(CELLS, min_size=2, max_size=4),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LINES, min_size=1, max_size=12), st.permutations(["1141A", "Total", "1142A"]))
def test_every_filled_cell_is_stored_or_refused(tmp_path: Path, lines, codes):
    texts = [",".join([day, hour, kind, *cells]) for day, hour, kind, cells in lines]
    batch = stations_wide.read(write_stations(tmp_path / "a.csv", texts, codes=codes))
    refused = batch.refused.to_pylist()
    lost_lines = {r["row"] for r in refused if r["row"] and r["field"] in ("", "date", "hour", "type")}
    lost_cells = {(r["row"], r["field"]) for r in refused if r["field"] in ("1141A", "1142A")}
    stored = 0
    for number, (day, hour, kind, cells) in enumerate(lines, start=1):
        if number in lost_lines:
            assert texts[number - 1] in {r["content"] for r in refused if r["row"] == number}
            continue
        assert len(cells) == len(codes), (day, hour, kind)
        for code, cell in zip(codes, cells, strict=True):
            if cell and code != "Total" and (number, code) not in lost_cells:
                stored += 1
    assert batch.rows.num_rows == stored
    total = sum(
        bool(cells[codes.index("Total")])
        for number, (_, _, _, cells) in enumerate(lines, start=1)
        if number not in lost_lines
    )
    (column,) = [r["reason"] for r in refused if r["row"] == 0]
    assert f" {total} filled cells" in column
    assert all(
        re.match(r"^(\D+|-[\d.]+)$", r["content"]) for r in refused if (r["row"], r["field"]) in lost_cells
    )


def test_refused_tables_have_one_schema(tmp_path):
    batch = stations_wide.read(write_stations(tmp_path / "a.csv", ["20190101,1,SO2,-3,4"]))
    assert batch.refused.schema.names == ["row", "field", "reason", "content", "rows"]
    assert batch.refused.schema.field("row").type == pa.int64()
