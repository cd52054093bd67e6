"""The door for files: known by their header, whatever their name; errors say what to do."""

from __future__ import annotations

import gzip

import pytest

from tests.sources.factories import (
    city_row,
    plant,
    write_city,
    write_lines,
    write_plants,
    write_station_list,
    write_stations,
)
from yrd_airq.errors import InputError
from yrd_airq.sources.batch import Kind
from yrd_airq.sources.reading import LAYOUTS, find_inputs, read


@pytest.fixture
def folder(tmp_path):
    write_stations(tmp_path / "x" / "one.dat", ["20190101,1,SO2,1,2"])
    write_station_list(tmp_path / "two.txt", "1141A,普陀,上海,121.4,31.2")
    write_city(tmp_path / "three.csv.gz", city_row("江苏省", "苏州市", "2013-01-01"))
    write_plants(tmp_path / "four.csv", plant())
    return tmp_path


def test_files_are_found_by_header(folder):
    write_lines(folder / "README.md", "# Notes", "text")
    write_lines(folder / ".hidden", "x")
    (folder / "empty.csv").write_bytes(b"")
    found = find_inputs(folder)
    assert [path.name for path in found.known] == ["four.csv", "three.csv.gz", "two.txt", "one.dat"]
    kinds = [read(path).kind for path in found.known]
    assert kinds == [Kind.ENTERPRISES, Kind.CITIES, Kind.STATION_LIST, Kind.STATIONS]
    reasons = {path.name: reason for path, reason in found.unknown}
    assert set(reasons) == {"README.md", "empty.csv"}
    assert "not of a known layout" in reasons["README.md"]
    assert "empty" in reasons["empty.csv"]


def test_batches_carry_name_layout_and_hash(folder):
    batch = read(folder / "four.csv")
    assert (batch.name, batch.layout) == ("four.csv", "enterprise_list")
    assert len(batch.content_hash) == 64
    assert batch.rows.equals(read(folder / "four.csv").rows)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / "nothing.csv")
    with pytest.raises(InputError, match="is a folder"):
        read(tmp_path)
    with pytest.raises(InputError, match="no such folder"):
        find_inputs(tmp_path / "nothing")


def test_empty_files(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"")
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b""))
    with pytest.raises(InputError, match=r"a\.csv: the file is empty"):
        read(tmp_path / "a.csv")
    with pytest.raises(InputError):
        read(tmp_path / "b.csv.gz")


def test_unknown_layout_lists_the_known_ones(tmp_path):
    path = write_lines(tmp_path / "a.csv", "a,b,c", "1,2,3")
    with pytest.raises(InputError) as caught:
        read(path)
    for layout in LAYOUTS:
        assert layout.name in str(caught.value)
    assert str(path) in str(caught.value)


def test_binary_files_are_of_no_layout(tmp_path):
    (tmp_path / "a.bin").write_bytes(bytes(range(256)) * 10)
    with pytest.raises(InputError, match="not of a known layout"):
        read(tmp_path / "a.bin")


def test_one_endless_line_is_of_no_layout(tmp_path):
    (tmp_path / "a.geojson").write_text("x" * 2_000_000)
    assert find_inputs(tmp_path).known == ()
    assert "not of a known layout" in find_inputs(tmp_path).unknown[0][1]


def test_truncated_gzip_within_the_header(tmp_path):
    path = write_stations(tmp_path / "a.csv.gz", ["20190101,1,SO2,1,2"])
    path.write_bytes(path.read_bytes()[:14])
    with pytest.raises(InputError, match="damaged or cut off"):
        read(path)
    assert "damaged" in find_inputs(tmp_path).unknown[0][1]


def test_a_file_of_another_kind_is_named(folder):
    with pytest.raises(InputError, match=r"holds enterprises .*not stations"):
        read(folder / "four.csv", Kind.STATIONS)
    assert read(folder / "four.csv", Kind.ENTERPRISES).kind is Kind.ENTERPRISES


def test_layout_by_name(folder):
    assert read(folder / "four.csv", layout="enterprise_list").rows.num_rows == 1
    with pytest.raises(InputError, match="layout 'nonsense' is not known; known are stations_wide"):
        read(folder / "four.csv", layout="nonsense")
    with pytest.raises(InputError, match="lacks the column"):
        read(folder / "two.txt", layout="enterprise_list")
