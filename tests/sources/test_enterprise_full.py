"""The whole list of the agencies: Chinese headings, sheets, every check, all findings at once with rows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pytest

from yrd_airq.errors import InputError
from yrd_airq.sources import enterprise_list
from yrd_airq.sources.enterprise_identity import is_permit_of, is_uscc, mask_phones
from yrd_airq.sources.reading import recognise

GOOD = "91350100M000100Y43"
"""The example of GB 32100-2015, whose check digit is 3."""

HEADINGS = {
    "企业名称": "某水泥有限公司",
    "统一社会信用代码": GOOD,
    "生产线编号": "1#窑",
    "设区市": "杭州市",
    "行政区划代码": "330109",
    "经度（°）": 120.30,
    "纬度（°）": 30.18,
    "行业类别": "3011水泥制造",
    "绩效等级": "B级",
    "是否保障类": "否",
    "保障类别": "",
    "依据文号": "",
    "有效期至": "",
    "核定最大负荷": "",
    "是否长流程": "是",
    "最短停机时间": 5,
    "排污许可证编号": GOOD + "001P",
    "NOx日排放量（t/d）": 1.0,
    "VOCs日排放量": 0.1,
    "颗粒物日排放量": 0.2,
    "SO₂日排放量": 0.05,
    "NOx许可年排放量": 400,
    "黄色预警措施": "熟料窑限产30%",
    "黄色预警NOx减排量": 300,
    "橙色预警措施": "限产 50 %",
    "橙色预警NOx减排量": 500,
    "红色预警措施": "停产",
    "红色预警NOx减排量": 1000,
    "联系人": "张三丰",
    "联系电话": "13912345678",
}


def line(**changes: object) -> list[object]:
    row = {**HEADINGS, **changes}
    return [row[name] for name in HEADINGS]


def write_list(path: Path, *rows: list[object], title: bool = False, others: tuple[str, ...] = ()) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "工业源" if others else "Sheet1"
    if title:
        sheet.append(["某市重污染天气应急减排清单"])
    sheet.append(list(HEADINGS))
    for row in rows:
        sheet.append(row)
    for name in others:
        extra = book.create_sheet(name, 0)
        extra.append(["工地名称", "扬尘控制措施"])
        extra.append(["某工地", "停止土石方作业"])
    book.save(path)
    return path


def findings(batch) -> list[tuple[int, str, str]]:
    return [(r["row"], r["field"], r["reason"]) for r in batch.refused.to_pylist()]


def test_a_row_of_the_agencies_list_in_the_terms_of_the_product(tmp_path):
    path = write_list(tmp_path / "清单.xlsx", line(), title=True, others=("扬尘源", "移动源"))
    found = recognise(path)
    assert found is not None
    assert found.name == "enterprise_list"
    batch = enterprise_list.read(path)
    row = batch.rows.to_pylist()[0]
    assert row["enterprise_id"] == f"{GOOD}-1#窑"
    assert (row["adcode"], row["sector"], row["grade"]) == ("330100", "cement", "B")
    assert row["nox_tpa"] == pytest.approx(365)
    assert (row["exempt"], row["continuous"], row["min_stop_days"]) == (False, True, 5.0)
    assert (row["permit_id"], row["permit_nox_tpa"]) == (GOOD + "001P", 400.0)
    assert (row["contact"], row["phone"]) == ("张三丰", "13912345678"), "kept in the store"
    assert row["emission_basis"] == "list"
    measures = batch.details.to_pylist()
    assert [(m["tier"], m["measure_code"], m["reduction_nox_kgd"]) for m in measures] == [
        ("yellow", "limit_30", 300.0),
        ("orange", "limit_50", 500.0),
        ("red", "stop", 1000.0),
    ]
    told = findings(batch)
    assert [(row, field) for row, field, _ in told] == [(0, "扬尘源"), (0, "移动源")]
    assert all("not read" in reason for *_, reason in told)


def test_the_same_list_as_a_text_is_the_same_list(tmp_path):
    path = tmp_path / "list.csv"
    rows = [",".join(map(str, HEADINGS)), ",".join(map(str, line()))]
    path.write_bytes("\n".join(rows).encode("gb18030"))
    by_text = enterprise_list.read(path)
    by_sheet = enterprise_list.read(write_list(tmp_path / "list.xlsx", line()))
    assert by_text.rows.equals(by_sheet.rows)
    assert by_text.details.equals(by_sheet.details)


@pytest.mark.parametrize(
    ("change", "field", "reason"),
    [
        ({"统一社会信用代码": GOOD[:-1] + "4"}, "uscc", "check digit"),
        ({"排污许可证编号": "91330100MA27XXXX0K001P"}, "permit_id", "three digits and a letter"),
        ({"NOx许可年排放量": 300}, "nox_tpa", "above permit_nox_tpa"),
        ({"红色预警NOx减排量": 1100}, "red reduction_nox_kgd", "above the day's emission"),
        ({"黄色预警NOx减排量": "若干"}, "yellow reduction_nox_kgd", "not a number"),
        ({"经度（°）": 120.9}, "lon", "outside its city"),
        ({"绩效等级": "E"}, "grade", "kept as unknown"),
        ({"行业类别": "某某业"}, "sector", "kept as written"),
        ({"是否保障类": "是"}, "exempt", "without the number of a document"),
        ({"有效期至": "明年"}, "exempt_until", "not a day"),
        ({"核定最大负荷": "120%"}, "max_load_share", "not a share"),
        ({"设区市": "宁波市"}, "city", "the adcode counts"),
    ],
)
def test_doubtful_cells_are_told_and_the_row_is_kept(tmp_path, change, field, reason):
    path = write_list(tmp_path / "l.xlsx", line(**{"统一社会信用代码": "", "企业名称": "甲"}), line(**change))
    with_ids = openpyxl.load_workbook(path)
    sheet = with_ids.active
    sheet.cell(1, len(HEADINGS) + 1, "企业编号")
    sheet.cell(2, len(HEADINGS) + 1, "E1")
    sheet.cell(3, len(HEADINGS) + 1, "E2")
    sheet.cell(2, list(HEADINGS).index("排污许可证编号") + 1, "")
    with_ids.save(path)
    batch = enterprise_list.read(path)
    assert batch.rows["enterprise_id"].to_pylist() == ["E1", "E2"]
    told = [(row, name, text) for row, name, text in findings(batch) if row == 2]
    assert [(row, name) for row, name, _ in told] == [(2, field)]
    assert reason in told[0][2]
    assert all(row["rows"] == 0 for row in batch.refused.to_pylist())


def test_faults_that_cost_the_row_and_doubts_are_told_together(tmp_path):
    batch = enterprise_list.read(
        write_list(
            tmp_path / "l.xlsx",
            line(),
            line(),
            line(生产线编号="2#窑"),
            line(**{"生产线编号": "3#窑", "经度（°）": "x"}),
            line(生产线编号="4#窑", 行政区划代码="341300", 设区市="苏州市"),
            line(统一社会信用代码=GOOD[:-1] + "Z"),
            line(生产线编号="5#窑", NOx许可年排放量=1),
            others=("扬尘源",),
        )
    )
    assert batch.rows.num_rows == 3
    told = [(row, field.removeprefix("工业源: ")) for row, field, _ in findings(batch) if row]
    assert told == [(2, "enterprise_id"), (4, "lon"), (5, "adcode"), (6, "enterprise_id"), (7, "nox_tpa")]
    assert batch.rows_in == 7


def test_too_little_reduction_of_a_tier_is_told_with_the_figure(tmp_path):
    batch = enterprise_list.read(write_list(tmp_path / "l.xlsx", line(黄色预警NOx减排量=50)))
    assert findings(batch) == [
        (
            0,
            "yellow reduction_nox_kgd",
            "all reductions are 50 kg/d, 5.0% of the listed emission (1000 kg/d); tier yellow asks for 10% "
            "of that of the whole society",
        )
    ]


def test_an_exemption_has_category_document_load_and_end(tmp_path):
    exempt = line(
        是否保障类="是",
        保障类别="城市供热",
        依据文号="杭政函〔2026〕12号",
        有效期至="2026-12-31",
        核定最大负荷="80%",
    )
    batch = enterprise_list.read(write_list(tmp_path / "l.xlsx", exempt))
    row = batch.rows.to_pylist()[0]
    assert row["exempt"] is True
    assert row["exempt_until"] == date(2026, 12, 31)
    assert row["max_load_share"] == pytest.approx(0.8)
    assert row["exempt_reason"] == "城市供热，杭政函〔2026〕12号"
    assert batch.refused.num_rows == 0


def test_nobody_is_named_in_what_is_refused(tmp_path):
    row = line(**{"经度（°）": "x", "企业名称": "某厂 值班13712345678"})
    batch = enterprise_list.read(write_list(tmp_path / "l.xlsx", row, line(企业名称="乙厂0571-87654321")))
    text = str(batch.refused.to_pylist())
    for secret in ("13912345678", "张三丰", "13712345678"):
        assert secret not in text
    assert batch.rows["name_zh"].to_pylist() == ["乙厂（号码已隐去）"]


@pytest.mark.parametrize(
    ("code", "good"),
    [
        (GOOD, True),
        (GOOD[:-1] + "2", False),
        (GOOD[:-1], False),
        (GOOD.replace("M", "I"), False),
        ("", False),
    ],
)
def test_check_digit_of_gb_32100(code, good):
    assert is_uscc(code) is good


def test_every_change_of_one_digit_is_noticed():
    digits = "0123456789"
    wrong = [
        GOOD[:k] + other + GOOD[k + 1 :]
        for k in range(18)
        for other in digits
        if GOOD[k] in digits and other != GOOD[k]
    ]
    assert not any(is_uscc(code) for code in wrong)


def test_permit_numbers():
    assert is_permit_of(GOOD + "001P", GOOD)
    assert is_permit_of(GOOD + "002V", "")
    assert not is_permit_of(GOOD + "001P", "X" * 18)
    assert not is_permit_of(GOOD + "01P", GOOD)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("请电13912345678联系", "请电（号码已隐去）联系"),
        ("0571-87654321", "（号码已隐去）"),
        (GOOD + "001P", GOOD + "001P"),
        ("示例环函〔2026〕001号", "示例环函〔2026〕001号"),
        ("年产13912345678901吨", "年产13912345678901吨"),
    ],
)
def test_phone_numbers_in_remarks(text, masked):
    assert mask_phones(text) == masked


def test_a_list_that_lacks_columns_is_no_list_by_other_words(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["企业名称", "行业类别", "统一社会信用代码"])
    book.active.append(["甲", "水泥", GOOD])
    book.save(tmp_path / "l.xlsx")
    assert recognise(tmp_path / "l.xlsx") is None
    with pytest.raises(InputError, match="lacks the column"):
        enterprise_list.read(tmp_path / "l.xlsx")
