"""Declared layouts: a network's table is read by a YAML file alone, and nothing of it is lost."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
import yaml

from tests.conftest import ROOT
from yrd_airq.errors import InputError
from yrd_airq.sources.batch import Kind
from yrd_airq.sources.reading import digest, find_inputs, layouts, read, recognise


@pytest.fixture
def configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the configs that a test may add layouts to."""
    folder = tmp_path / "configs"
    shutil.copytree(ROOT / "configs", folder, ignore=shutil.ignore_patterns("events"))
    monkeypatch.setenv("YRD_AIRQ_CONFIGS", str(folder))
    return folder


def declare(configs: Path, text: str, name: str = "mine") -> None:
    (configs / "layouts" / f"{name}.yaml").write_text(text, encoding="utf-8")


def values(batch) -> dict:
    return {(r["station_code"], r["time"], r["item"]): r["value"] for r in batch.rows.to_pylist()}


def refusals(batch) -> list[tuple[int, str, int]]:
    return [(r["row"], r["field"], r["rows"]) for r in batch.refused.to_pylist()]


def write_csv(path: Path, *lines: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(("\r\n".join(lines) + "\r\n").encode(encoding))
    return path


PROVINCE = "序号,监测点编码,监测时间,PM2.5（µg/m3）,PM10(μg/m³),SO2(μg/m³),NO2(μg/m³),O3(μg/m³),CO(mg/m³)"


@pytest.mark.parametrize("encoding", ["gbk", "utf-8", "utf-8-sig"])
def test_provincial_csv_is_known_by_its_columns_in_either_encoding(tmp_path, encoding):
    head = PROVINCE.replace("µ", "μ").replace("³", "3") if encoding == "gbk" else PROVINCE
    path = write_csv(
        tmp_path / "export.csv",
        head,
        "1,1141A,2019-01-01 00:00,35,—,5,-99,-99.0,0.8",
        "2,1141A,2019/1/1 1:00,35,60,5,40,30,0.8",
        "3,1141A,2019-01-01 01:00,36,NA, ,x,-3,0.8",
        "4,某站,2019-01-01 01:00,36,,,,,",
        encoding=encoding,
    )
    assert [p.name for p in find_inputs(tmp_path).known] == ["export.csv"]
    batch = read(path)
    assert (batch.kind, batch.layout.partition("@")[0]) == (Kind.STATIONS, "province_hourly_csv")
    assert batch.content_hash == digest(path)
    assert values(batch) == {
        ("1141A", datetime(2019, 1, 1, 0), "pm25"): 35.0,
        ("1141A", datetime(2019, 1, 1, 0), "so2"): 5.0,
        ("1141A", datetime(2019, 1, 1, 0), "co"): 0.8,
        ("1141A", datetime(2019, 1, 1, 1), "pm25"): 36.0,
        ("1141A", datetime(2019, 1, 1, 1), "co"): 0.8,
    }
    # Line 2 has another form of time (6 values), line 3 an odd and a negative cell, line 4 no station.
    assert refusals(batch) == [
        (2, "监测时间", 6),
        (3, "NO2(μg/m³)", 1),
        (3, "O3(μg/m³)", 1),
        (4, "监测点编码", 1),
    ]
    assert batch.rows_in == 14


def workbook(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, lines in sheets.items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(line)
    book.save(path)
    return path


HOURS = [
    "点位名称",
    "日期",
    "小时",
    "细颗粒物(μg/m³)",
    "可吸入颗粒物(μg/m³)",
    "臭氧(μg/m³)",
    "一氧化碳(mg/m³)",
]


def test_workbook_with_hours_1_to_24_and_station_names(tmp_path):
    path = workbook(
        tmp_path / "小时.xlsx",
        {
            "说明": [["小时值"]],
            "小时数据": [
                HOURS,
                ["普陀", datetime(2019, 1, 1), 1, 35, 60.5, None, "—"],
                ["普陀", datetime(2019, 1, 1), 24, 36, None, 80, 0.7],
                ["虹口", "2019-01-31", "24", 1, 2, 3, 4],
                ["虹口", "2019-01-31", 0, 1, 2, 3, 4],
                ["虹口", "2019-02-01", 1, 1, 2, 3, 4, 5],
                [None, None, None],
                ["静安", "2019-01-31", 2, 9],
                ["普陀", datetime(2019, 1, 1), 24, 1, None, None, "#DIV/0!"],
                ["普陀", datetime(2019, 1, 1), 2, "#N/A", True, None, None],
            ],
        },
    )
    assert recognise(path).name == "province_hourly_xlsx"
    batch = read(path)
    assert values(batch) == {
        ("1141A", datetime(2019, 1, 1, 1), "pm25"): 35.0,
        ("1141A", datetime(2019, 1, 1, 1), "pm10"): 60.5,
        ("1141A", datetime(2019, 1, 2, 0), "pm25"): 36.0,
        ("1141A", datetime(2019, 1, 2, 0), "o3"): 80.0,
        ("1141A", datetime(2019, 1, 2, 0), "co"): 0.7,
        ("1143A", datetime(2019, 2, 1, 0), "pm25"): 1.0,
        ("1143A", datetime(2019, 2, 1, 0), "pm10"): 2.0,
        ("1143A", datetime(2019, 2, 1, 0), "o3"): 3.0,
        ("1143A", datetime(2019, 2, 1, 0), "co"): 4.0,
    }
    assert refusals(batch) == [
        (4, "日期 + 小时", 4),
        (5, "", 5),
        (7, "点位名称", 1),
        (8, "日期 + 小时", 2),
        (9, "可吸入颗粒物(μg/m³)", 1),
        (9, "细颗粒物(μg/m³)", 1),
    ]
    assert batch.rows_in == 9 + 14


def test_long_utc_table_with_mixing_ratios(tmp_path):
    path = write_csv(
        tmp_path / "a.csv",
        "station_code,datetime_utc,parameter,value",
        "1141A,2019-01-01T15:00:00Z,o3,50",
        "1141A,2019-01-01T15:00:00Z,co,1.2",
        "1141A,2019-01-01T15:00:00Z,pm25,35",
        "1141A,2019-01-01T15:00:00Z,bc,2",
        "1141A,2019-01-01T15:30:00Z,o3,51",
        "1141A,2019-01-01T15:00:00Z,o3,52",
    )
    batch = read(path)
    assert batch.layout.startswith("long_utc_csv@")
    midnight = datetime(2019, 1, 2, 0)
    found = values(batch)
    assert set(found) == {("1141A", midnight, item) for item in ("o3", "co", "pm25")}
    assert found["1141A", midnight, "o3"] == pytest.approx(50 * 48.00 / 24.45)
    assert found["1141A", midnight, "co"] == pytest.approx(1.2 * 28.01 / 24.45)
    assert found["1141A", midnight, "pm25"] == 35.0
    assert refusals(batch) == [(4, "parameter", 1), (5, "datetime_utc", 1), (6, "datetime_utc", 1)]


WIDE = """
name: old_wide
kind: stations
looks: CSV by station
file: {format: csv, delimiter: ";", header_row: 2}
negative: keep
values:
  shape: wide_by_station
  station_names: {北站: 1141A, 南站: 1142A}
  time: {columns: {日期: "%Y%m%d", 时: "%H"}, hours: 0-23, label: ending, zone: "+09:00"}
  item_column: 项目
  ignored: [备注]
  reference_temperature_k: 273.15
  items: {so2: {name: 二氧化硫, unit: ugm3}, pm10: {name: PM10, unit: mgm3}}
"""


def test_wide_by_station_of_old_gases_in_another_zone(configs, tmp_path):
    declare(configs, WIDE)
    path = write_csv(
        tmp_path / "a.csv",
        "小时值报表",
        "日期;时;项目;北站;1142A;备注;南站;东站",
        "20170101;9;二氧化硫;100;-2;x;7;",
        "20170101;9;PM10;0.05;;;;3",
        "20170101;9;PM10;0.05;;;;",
    )
    batch = read(path)
    assert batch.layout.startswith("old_wide@")
    eight = datetime(2017, 1, 1, 8)
    found = values(batch)
    assert found == {
        ("1141A", eight, "so2"): pytest.approx(91.6150, abs=1e-3),
        ("1142A", eight, "so2"): pytest.approx(-1.8323, abs=1e-3),
        ("1141A", eight, "pm10"): pytest.approx(50.0),
    }
    assert refusals(batch) == [(0, "东站", 1), (0, "南站", 1), (3, "日期 + 时", 1)]
    assert batch.rows_in == 6


def test_list_under_other_names_is_read_like_the_built_in_one(configs, tmp_path):
    declare(
        configs,
        """
name: my_list
kind: station_list
looks: CSV 站号,站名
file: {format: csv}
missing: ["无"]
columns: {监测点编码: 站号, 监测点名称: 站名, 经度: X, 纬度: Y, 启用日期: 建站}
constants: {城市: 上海}
""",
    )
    path = write_csv(
        tmp_path / "a.csv",
        "站号,站名,X,Y,建站,城市",
        "1141A,普陀,121.4,31.2,2019-05-01,北京",
        "1142A,乙,无,31,,",
    )
    batch = read(path)
    assert (batch.kind, batch.layout.partition("@")[0]) == (Kind.STATION_LIST, "my_list")
    first, second = batch.rows.to_pylist()
    assert (first["adcode"], first["lon"], str(first["valid_from"])) == ("310000", 121.4, "2019-05-01")
    assert (second["lon"], second["lat"], second["valid_from"]) == (None, 31.0, None)
    assert refusals(batch) == []


def test_enterprises_and_tracks_may_be_declared(configs, tmp_path):
    declare(
        configs,
        """
name: plants
kind: enterprises
looks: CSV 企业编号
file: {format: csv}
columns: {enterprise_id: 企业编号, name_zh: 名称, adcode: 区划, lon: 经度, lat: 纬度, sector: 行业,
          nox_tpa: NOx, voc_tpa: VOCs, pm_tpa: 颗粒物, so2_tpa: SO2}
constants: {emission_basis: 环境统计}
""",
        "plants",
    )
    declare(
        configs,
        """
name: drive
kind: survey
looks: CSV 车次
file: {format: csv, delimiter: ";"}
columns: {run_id: 车次, t_local: 时间, lon: 经度, lat: 纬度, toluene_ppb: 甲苯}
""",
        "drive",
    )
    plants = write_csv(
        tmp_path / "p.csv",
        "企业编号,名称,区划,经度,纬度,行业,NOx,VOCs,颗粒物,SO2",
        "E1,某厂,330100,120.1,30.2,cement,1,2,3,4",
    )
    drive = write_csv(
        tmp_path / "d.csv",
        "车次;时间;经度;纬度;甲苯",
        "r1;2026-08-18 09:30:00;120.7;31.3;2.5",
        "r1;x;120.7;31.3;3",
    )
    assert read(plants).rows.to_pylist()[0]["emission_basis"] == "环境统计"
    batch = read(drive)
    assert (batch.rows.num_rows, batch.rows_in) == (1, 2)
    assert batch.rows.to_pylist()[0]["species"] == "toluene"


def test_layout_by_name_says_what_the_file_lacks(tmp_path):
    path = write_csv(tmp_path / "a.csv", "station_code,parameter,value", "1141A,o3,1")
    with pytest.raises(InputError, match=r"a\.csv: layout long_utc_csv needs the column\(s\) datetime_utc"):
        read(path, layout="long_utc_csv")
    book = workbook(tmp_path / "b.xlsx", {"一": [["a"], [1]]})
    with pytest.raises(InputError, match=r"has no sheet '小时数据'; it has 一"):
        read(book, layout="province_hourly_xlsx")
    with pytest.raises(InputError, match="cannot be read as an XLSX workbook"):
        read(path, layout="province_hourly_xlsx")


def test_faults_of_a_declaration_are_told_together(configs):
    declare(
        configs,
        """
name: bad
kind: stations
looks: x
file: {format: csv, sheet: 一, header_row: 0, colour: red}
values:
  shape: long
  time: {columns: {t: "%Y-%m %j"}, label: ending, zone: Mars}
  items: {pm25: {unit: ppb}, tvoc: {name: x, unit: ugm3}}
""",
    )
    with pytest.raises(InputError) as caught:
        layouts()
    for words in (r"mine.yaml", "colour", "no column gives %d", "%j is not one of", "'Mars'"):
        assert words in str(caught.value)
    text = yaml.safe_load((configs / "layouts" / "mine.yaml").read_text(encoding="utf-8"))
    text["file"] = {"format": "csv"}
    text["values"]["time"] = {"columns": {"t": "%Y-%m-%d %H"}, "label": "ending"}
    declare(configs, yaml.safe_dump(text))
    with pytest.raises(InputError) as caught:
        find_inputs(configs)
    for words in ("pm25 is no gas", "'tvoc' is not one of", "pm25 has no name", "station_column: needed"):
        assert words in str(caught.value)


def test_names_of_layouts_are_unique(configs):
    declare(configs, (configs / "layouts" / "long_utc_csv.yaml").read_text(encoding="utf-8"))
    with pytest.raises(InputError, match="another file declares the layout 'long_utc_csv'"):
        layouts()
    declare(configs, WIDE.replace("old_wide", "stations_wide"))
    with pytest.raises(InputError, match="'stations_wide' is a built-in layout"):
        layouts()


def test_a_changed_declaration_reads_the_same_file_as_another_layout(configs: Path) -> None:
    file = configs / "layouts" / "long_utc_csv.yaml"
    declared = file.read_text(encoding="utf-8")
    labels = []
    for text in (
        declared,
        declared + "\n# a remark\n",
        declared.replace("label: beginning", "label: ending"),
    ):
        file.write_text(text, encoding="utf-8")
        labels.append(next(layout.label for layout in layouts() if layout.name == "long_utc_csv"))
    assert labels[0] == labels[1] != labels[2]
