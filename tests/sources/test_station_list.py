"""The station list: its known traps are met with a refusal or an empty position, never with a loss."""

from __future__ import annotations

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
    assert {code: r["counted"] for code, r in stations(batch).items()} == {"1141A": True, "1147A": False}


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
