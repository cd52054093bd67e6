"""The enterprise list: unknown stays unknown, and what cannot be placed is refused."""

from __future__ import annotations

import pytest

from tests.sources.factories import PLANT_COLUMNS, plant, write_lines, write_plants
from yrd_airq.errors import InputError
from yrd_airq.sources import enterprise_list
from yrd_airq.sources.batch import SCHEMAS, Kind

EXTRA = "grade,exempt,exempt_reason,cost_cny_per_day"


def enterprises(batch) -> dict:
    return {r["enterprise_id"]: r for r in batch.rows.to_pylist()}


def test_plain_list_leaves_grade_exemption_and_cost_unknown(tmp_path):
    batch = enterprise_list.read(write_plants(tmp_path / "p.csv", plant()))
    assert batch.rows.schema == SCHEMAS[Kind.ENTERPRISES]
    row = enterprises(batch)["E1"]
    assert (row["grade"], row["exempt"], row["exempt_reason"], row["cost_cny_per_day"]) == (
        None,
        False,
        None,
        None,
    )
    assert (row["nox_tpa"], row["so2_tpa"], row["pm_tpa"], row["voc_tpa"]) == (100.0, 20.0, 30.0, 5.0)
    assert (row["adcode"], row["lon"], row["lat"], row["sector"]) == ("330100", 120.1, 30.2, "cement")


def test_extra_columns_are_read(tmp_path):
    batch = enterprise_list.read(
        write_plants(
            tmp_path / "p.csv",
            plant("E1", extra="B-,false,,12000"),
            plant("E2", extra=",是,民生保障,"),
            plant("E3", extra="引领性,0,,0"),
            extra=EXTRA,
        )
    )
    found = enterprises(batch)
    assert (found["E1"]["grade"], found["E1"]["exempt"], found["E1"]["cost_cny_per_day"]) == (
        "B-",
        False,
        12000.0,
    )
    assert (found["E2"]["grade"], found["E2"]["exempt"], found["E2"]["exempt_reason"]) == (
        None,
        True,
        "民生保障",
    )
    assert (found["E3"]["grade"], found["E3"]["cost_cny_per_day"]) == ("引领性", 0.0)
    assert [(r["row"], r["field"], r["rows"]) for r in batch.refused.to_pylist()] == [(2, "exempt", 0)], (
        "an exemption without a document is kept and told"
    )


def test_unknown_emissions_are_kept_as_unknown(tmp_path):
    batch = enterprise_list.read(write_plants(tmp_path / "p.csv", plant(nox="")))
    assert enterprises(batch)["E1"]["nox_tpa"] is None
    assert batch.refused.num_rows == 0


def test_nameless_rows_keep_their_id(tmp_path):
    batch = enterprise_list.read(
        write_plants(tmp_path / "p.csv", plant("E7", name=""), plant("E8", name='"甲,乙"'))
    )
    assert enterprises(batch)["E7"]["name_zh"] == "（无名称）E7"
    assert enterprises(batch)["E8"]["name_zh"] == "甲,乙"


def test_shanghai_goes_by_its_province_code(tmp_path):
    row = plant(adcode="310100", lon=121.4, lat=31.2).replace("浙江省,杭州市", "上海市,上海市")
    batch = enterprise_list.read(write_plants(tmp_path / "p.csv", row))
    assert enterprises(batch)["E1"]["adcode"] == "310000"


@pytest.mark.parametrize(
    ("row", "field", "reason"),
    [
        (plant("E2", lon=""), "lon", "no usable longitude"),
        (plant("E2", lat="不详"), "lat", "no usable latitude"),
        (plant("E2", lon=30.2, lat=120.1), "lon", "110–124°E"),
        (plant("E2", lat=39), "lat", "24–38°N"),
        (plant("E2", adcode="110000"), "adcode", "not a city of the region"),
        (plant("E2", adcode="").replace("杭州市", "某市"), "adcode", "not a city of the region"),
        (plant("E2", adcode="331000").replace("杭州市", "泰州市"), "adcode", "not that of the adcode"),
        (plant("E2", lon=122.2), "lon", "more than 50 km outside its city"),
        (plant(""), "enterprise_id", "no id"),
        (plant("E1"), "enterprise_id", "earlier row"),
    ],
)
def test_rows_that_cannot_be_placed_are_refused_whole(tmp_path, row, field, reason):
    batch = enterprise_list.read(write_plants(tmp_path / "p.csv", plant("E1"), row, plant("E3")))
    assert list(enterprises(batch)) == ["E1", "E3"]
    assert [(r["row"], r["field"], r["content"]) for r in batch.refused.to_pylist()] == [(2, field, row)]
    assert reason in batch.refused["reason"][0].as_py()


def test_odd_cells_stay_unknown_but_an_odd_exemption_refuses_the_row(tmp_path):
    batch = enterprise_list.read(
        write_plants(
            tmp_path / "p.csv",
            plant("E1", nox="-5", extra="E,,,abc"),
            plant("E2", extra="A,perhaps,,"),
            extra=EXTRA,
        )
    )
    row = enterprises(batch)["E1"]
    assert (row["nox_tpa"], row["grade"], row["cost_cny_per_day"]) == (None, None, None)
    assert list(enterprises(batch)) == ["E1"]
    assert [(r["row"], r["field"]) for r in batch.refused.to_pylist()] == [
        (1, "cost_cny_per_day"),
        (1, "grade"),
        (1, "nox_tpa"),
        (2, "exempt"),
    ]


def test_list_without_coordinate_columns_is_an_error_that_names_them(tmp_path):
    header = PLANT_COLUMNS.replace("lon,lat,", "")
    path = write_lines(
        tmp_path / "p.csv", header, "E1,某厂,浙江省,杭州市,330100,cement,1,Mt,1,2,3,4,estimated,test"
    )
    with pytest.raises(InputError, match=r"p\.csv: the enterprise list lacks the column\(s\) lon, lat"):
        enterprise_list.read(path)


def test_every_row_is_kept_or_refused_once(tmp_path):
    rows = [plant(f"E{k % 7}", lon=(119 + k if k % 3 else "")) for k in range(20)]
    batch = enterprise_list.read(write_plants(tmp_path / "p.csv", *rows))
    refused = [row["row"] for row in batch.refused.to_pylist() if row["rows"]]
    assert len(refused) == len(set(refused))
    assert batch.rows.num_rows + len(refused) == len(rows)
