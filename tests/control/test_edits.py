"""A forecaster's file of edits: read in three forms, all faults at once, joined over versions."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from tests.control.factories import make_enterprises, make_settings
from yrd_airq.control.edits import EDIT_COLUMNS, Edits, as_edits, join_edits
from yrd_airq.control.edits_file import read_edits
from yrd_airq.errors import InputError

DAY = date(2026, 8, 20)


@pytest.fixture
def enterprises() -> pd.DataFrame:
    return make_enterprises(
        7,
        name_zh=["甲厂", "乙厂", "同名", "同名", "保供", "过期", "自主"],
        uscc=[f"USCC{k}" for k in range(7)],
        exempt=[False, False, False, False, True, True, False],
        exempt_reason=[None, None, None, None, "城市供热", "旧文", None],
        exempt_until=pd.to_datetime([None, None, None, None, "2026-12-31", "2026-08-19", None]),
        grade=["C", "B", "C", "C", "C", "C", "A"],
    )


def read(path: Path, enterprises: pd.DataFrame, standing: pd.DataFrame | None = None) -> list[list[object]]:
    rows = read_edits(path, enterprises, make_settings(), DAY, standing)
    return rows.astype(object).where(rows.notna(), None).to_numpy().tolist()


WANTED = [
    ["E000", "change", "limit_30", "现场核查", "王"],
    ["E001", "drop", None, "停产检修", "王"],
    ["E005", "keep", None, "群众反映", "王"],
]


def test_yaml_csv_and_workbook_say_the_same(tmp_path, enterprises):
    (tmp_path / "e.yaml").write_text(
        "author: 王\nedits:\n"
        "- {enterprise: 甲厂, action: 改措施, measure: 限产30%, reason: 现场核查}\n"
        "- {enterprise: E001, action: 剔除, reason: 停产检修}\n"
        "- {enterprise: USCC5, action: 保留, reason: 群众反映}\n",
        encoding="utf-8",
    )
    lines = [
        ["企业", "动作", "措施", "理由", "填报人"],
        ["E000", "改措施", "limit_30", "现场核查", "王"],
        ["乙厂", "drop", "", "停产检修", "王"],
        ["E005", "保留", "", "群众反映", "王"],
    ]
    (tmp_path / "e.csv").write_text("\n".join(",".join(line) for line in lines), encoding="gb18030")
    book = openpyxl.Workbook()
    for line in lines:
        book.active.append(line)
    book.save(tmp_path / "e.xlsx")
    for name in ("e.yaml", "e.csv", "e.xlsx"):
        assert read(tmp_path / name, enterprises) == WANTED


def test_all_faults_are_told_at_once(tmp_path, enterprises):
    (tmp_path / "e.yaml").write_text(
        "edits:\n"
        "- {enterprise: 没有, action: 保留, reason: x, author: 王}\n"
        "- {enterprise: 同名, action: 剔除, reason: x, author: 王}\n"
        "- {enterprise: 保供, action: 保留, reason: x, author: 王}\n"
        "- {enterprise: 自主, action: 改措施, measure: 停产, reason: x, author: 王}\n"
        "- {enterprise: 乙厂, action: 改措施, measure: 停产, reason: x, author: 王}\n"
        "- {enterprise: 甲厂, action: 改措施, reason: x, author: 王}\n"
        "- {enterprise: 甲厂, action: 剔除, measure: 停产, reason: x, author: 王}\n"
        "- {enterprise: E002, action: 停一停, reason: x, author: 王}\n"
        "- {enterprise: E002, action: 改措施, measure: 罚款, reason: x, author: 王}\n"
        "- {enterprise: E003, action: 剔除}\n"
        "- {enterprise: E005, action: 撤销, reason: x, author: 王}\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError) as caught:
        read(tmp_path / "e.yaml", enterprises)
    text = str(caught.value)
    for fault in (
        "edit 1: enterprise '没有' is not in the list",
        "edit 2: '同名' names 2 entries of the list: E002, E003",
        "edit 3: 保供 is exempt (城市供热)",
        "edit 4: 自主 has grade A and reduces on its own",
        "edit 5: stop is not permitted for 乙厂",
        "edit 6: 改措施 without a measure",
        "edit 7: 剔除 takes no measure",
        "edit 8: action '停一停' is none of 保留, 改措施, 剔除, 撤销",
        "edit 9: measure '罚款' is unknown",
        "edit 10: no reason",
        "edit 10: nobody named as author",
        "edit 11: no edit of E005 is in force",
    ):
        assert fault in text, fault


def test_two_edits_of_one_enterprise_contradict(tmp_path, enterprises):
    (tmp_path / "e.csv").write_text(
        "企业,动作,理由,填报人\n甲厂,保留,a,王\nE000,剔除,b,王\n", encoding="utf-8"
    )
    with pytest.raises(InputError, match=r"line 2 and line 3 are about one enterprise \(E000\)"):
        read(tmp_path / "e.csv", enterprises)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("e.yaml", "", "write 'author"),
        ("e.yaml", "edits: [1, 2]", "write 'author"),
        ("e.yaml", "edits: []", "no edit in it"),
        ("e.yaml", "a: [", "cannot be read as YAML"),
        ("e.csv", "企业,动作\n甲厂,保留\n", "lacks the column"),
        ("e.csv", "企业,动作,理由\n", "no data rows"),
        ("e.csv", "企业,动作,理由\n甲厂,保留\n", "has 2 fields"),
        ("e.xlsx", "nonsense", "no data rows"),
    ],
)
def test_unreadable_files(tmp_path, enterprises, name, text, message):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read(tmp_path / name, enterprises)
    with pytest.raises(InputError, match="no such file"):
        read(tmp_path / f"no-{name}", enterprises)


def rows(*edits: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(edits, columns=list(EDIT_COLUMNS))


def test_edits_stay_until_withdrawn_or_said_otherwise():
    first = join_edits(rows(), rows(("A", "keep", None, "x", "王"), ("B", "drop", None, "y", "王")), 2)
    assert first["since_version"].tolist() == [2, 2]
    second = join_edits(first, rows(("B", "withdraw", None, "z", "李"), ("C", "drop", None, "y", "李")), 3)
    assert second[["enterprise_id", "since_version"]].to_numpy().tolist() == [["A", 2], ["C", 3]]
    third = join_edits(second, rows(("A", "change", "stop", "x", "李"), ("C", "drop", None, "y", "赵")), 4)
    assert third[["enterprise_id", "action", "since_version"]].to_numpy().tolist() == [
        ["A", "change", 4],
        ["C", "drop", 3],
    ]
    edits = as_edits(third)
    assert edits == Edits({"A": "stop"}, frozenset({"C"}), {"A": "x", "C": "y"}, "李")
    assert as_edits(join_edits(rows(), rows(), 1)) == Edits.none()


def test_a_phone_number_in_a_reason_is_masked(tmp_path, enterprises):
    (tmp_path / "e.csv").write_text(
        "企业,动作,理由,填报人\n甲厂,剔除,致电13912345678核实,王\n", encoding="utf-8"
    )
    assert read(tmp_path / "e.csv", enterprises)[0][3] == "致电（号码已隐去）核实"
