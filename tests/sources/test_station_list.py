"""The station list: its known traps are met with a refusal or an empty position, never with a loss."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pytest

from tests.sources.factories import write_lines, write_station_list
from yrd_airq.errors import InputError
from yrd_airq.sources import station_list


def stations(batch) -> dict:
    return {r["station_code"]: r for r in batch.rows.to_pylist()}


def test_cities_county_cities_and_outsiders(tmp_path):
    batch = station_list.read(
        write_station_list(
            tmp_path / "list.csv",
            "1141A,普陀,上海,121.4,31.238",
            "1160A,上方山,苏州,120.56,31.25",
            "1988A,昆山实验小学,昆山,120.953,31.388",
            "1001A,万寿西宫,北京,116.366,39.8673",
            "9001A,某站,宿州,116.9,33.6",
        )
    )
    found = stations(batch)
    assert {code: (r["adcode"], r["counted"]) for code, r in found.items()} == {
        "1141A": ("310000", True),
        "1160A": ("320500", True),
        "1988A": ("320500", False),
        "1001A": (None, False),
        "9001A": ("341300", True),
    }
    assert found["1988A"]["city_zh"] == "昆山"
    assert batch.refused.num_rows == 0


def test_repeated_code_is_refused_and_the_first_kept(tmp_path):
    batch = station_list.read(
        write_station_list(
            tmp_path / "list.csv",
            "3207A,旧名,滁州,118.3117,32.3039",
            "3208A,另一站,滁州,118.3,32.3",
            "3207A,新名,滁州,118.3117,32.3039",
        )
    )
    assert stations(batch)["3207A"]["name_zh"] == "旧名"
    assert [(r["row"], r["field"]) for r in batch.refused.to_pylist()] == [(3, "监测点编码")]
    assert "新名" in batch.refused["content"][0].as_py()


def test_missing_and_odd_positions_stay_empty(tmp_path):
    batch = station_list.read(
        write_station_list(
            tmp_path / "list.csv",
            "1202A,环境监测站,镇江,,",
            "3019A,西沙,三沙,-,-",
            "1203A,反了,镇江,32.2,119.4",
        )
    )
    found = stations(batch)
    assert found["1202A"]["lon"] is None
    assert found["1202A"]["lat"] is None
    assert found["3019A"]["lon"] is None
    assert (found["1203A"]["lon"], found["1203A"]["lat"]) == (32.2, None)
    assert [(r["row"], r["field"], r["content"]) for r in batch.refused.to_pylist()] == [
        (2, "纬度", "-"),
        (2, "经度", "-"),
        (3, "纬度", "119.4"),
    ]


def test_background_sites_are_not_counted(tmp_path):
    batch = station_list.read(
        write_station_list(
            tmp_path / "list.csv",
            "1141A,普陀,上海,121.4,31.238,N",
            "1147A,淀山湖,上海,120.978,31.0935,Y",
            background=True,
        )
    )
    found = stations(batch)
    assert {code: r["counted"] for code, r in found.items()} == {"1141A": True, "1147A": False}
    assert {code: r["background"] for code, r in found.items()} == {"1141A": False, "1147A": True}


def test_malformed_codes_are_refused(tmp_path):
    batch = station_list.read(
        write_station_list(
            tmp_path / "list.csv", ",无编码,上海,121.4,31.2", "普陀,普陀,上海,121.4,31.2", "1141A,a,上海,1,2"
        )
    )
    assert list(stations(batch)) == ["1141A"]
    assert batch.refused["row"].to_pylist() == [1, 2]


def test_missing_column_is_named(tmp_path):
    path = write_lines(tmp_path / "list.csv", "监测点编码,监测点名称,城市", "1141A,普陀,上海")
    assert station_list.matches(path)
    with pytest.raises(InputError, match=r"lacks the column.*经度, 纬度"):
        station_list.read(path)


def validity(batch) -> list[tuple[str, date | None, date | None]]:
    return [(r["station_code"], r["valid_from"], r["valid_to"]) for r in batch.rows.to_pylist()]


HEAD = "监测点编码,监测点名称,城市,经度,纬度"


@pytest.mark.parametrize("columns", ["启用日期,停用日期", "开始日期,结束日期"])
def test_a_code_may_stand_again_if_it_is_valid_at_other_times(tmp_path, columns):
    path = write_lines(
        tmp_path / "list.csv",
        f"{HEAD},{columns}",
        "1141A,新址,上海,121.5,31.2,2019-06-01,",
        "1141A,旧址,上海,121.4,31.2,,2019/5/31",
        "1142A,甲,上海,121.4,31.2,20180101,2018年12月31日",
        "1142A,乙,上海,121.4,31.2,2018-12-31,",
        "1143A,丙,上海,121.4,31.2,2019-01-02,2019-01-01",
        "1144A,丁,上海,121.4,31.2,2019-02-30,",
    )
    batch = station_list.read(path)
    assert validity(batch) == [
        ("1141A", date(2019, 6, 1), None),
        ("1141A", None, date(2019, 5, 31)),
        ("1142A", date(2018, 1, 1), date(2018, 12, 31)),
        ("1144A", None, None),
    ]
    second = columns.split(",")[1]
    assert [(r["row"], r["field"], r["rows"]) for r in batch.refused.to_pylist()] == [
        (4, "监测点编码", 1),
        (5, second, 1),
        (6, columns.split(",")[0], 0),
    ]
    assert batch.rows_in == 6


def test_dates_in_names_serve_where_the_list_has_no_columns_for_them(tmp_path):
    batch = station_list.read(
        write_station_list(
            tmp_path / "list.csv",
            "1184A,城东财政所(停运180626),扬州,119.46,32.3878",
            "1185A,市监测站（181220停用）,扬州,119.404,32.41",
            "3207A,市政府原办公楼(20190308启用),滁州,118.3117,32.3039",
            "1082A,涧河(已停用),太原,112.573,37.9103",
            "1083A,某站(190230停用),太原,112.573,37.9103",
            "1084A,二号(180626),太原,112.573,37.9103",
        )
    )
    assert validity(batch) == [
        ("1184A", None, date(2018, 6, 26)),
        ("1185A", None, date(2018, 12, 20)),
        ("3207A", date(2019, 3, 8), None),
        ("1082A", None, None),
        ("1083A", None, None),
        ("1084A", None, None),
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("站点列表-2020.01.01起.csv", date(2020, 1, 1)),
        ("StationList-2021-02-03.csv", date(2021, 2, 3)),
        ("list.csv", None),
        ("StationList-2020.13.01.csv", None),
        ("2019.01.01-2020.01.01.csv", None),
    ],
)
def test_the_date_of_the_list_stands_in_its_name(tmp_path, name, expected):
    batch = station_list.read(write_station_list(tmp_path / name, "1141A,普陀,上海,121.4,31.238"))
    assert batch.rows["list_from"].to_pylist() == [expected]


def test_a_workbook_is_read_like_a_text(tmp_path):
    book = openpyxl.Workbook()
    book.active.append([*HEAD.split(","), "启用日期", "对照点"])
    book.active.append(["1141A", "普陀", "上海", 121.4, 31.238, date(2019, 1, 1), None])
    book.active.append(["1147A", "淀山湖", "上海", 120.978, "31.0935", None, "Y"])
    book.save(tmp_path / "list.xlsx")
    assert station_list.matches(tmp_path / "list.xlsx")
    batch = station_list.read(tmp_path / "list.xlsx")
    assert validity(batch) == [("1141A", date(2019, 1, 1), None), ("1147A", None, None)]
    assert batch.rows["lon"].to_pylist() == [121.4, 120.978]
    assert batch.rows["counted"].to_pylist() == [True, False]


def test_real_list(real_data: Path):
    batch = station_list.read(real_data / "stations" / "station_list.csv")
    found = stations(batch)
    assert (batch.rows_in, batch.rows.num_rows) == (1641, 1640)
    assert found["1185A"]["valid_to"] == date(2018, 12, 20)
    assert found["3207A"]["valid_from"] == date(2019, 3, 7)
    assert sum(r["valid_to"] is not None for r in found.values()) == 49
