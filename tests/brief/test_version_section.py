"""The section on the list's version: what changed, edits in force, approval; and its file of differences."""

from __future__ import annotations

import csv
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from yrd_airq.brief.blocks import Paragraph, Table
from yrd_airq.brief.content import Brief
from yrd_airq.brief.content_versions import ListApproval, ListVersion
from yrd_airq.brief.outline import make_outline
from yrd_airq.brief.version_section import (
    SHOWN,
    build_changes,
    build_edits,
    describe_version,
    versions,
    write_difference,
)

NAMES = pd.DataFrame(
    {"enterprise_id": ["A", "B"], "name_zh": ["甲厂", "乙厂"], "adcode": ["330100", "320500"]}
)
MEASURES = {"stop": "停产", "treat": "提高治理效率"}
CHANGES = pd.DataFrame(
    {
        "enterprise_id": ["A", "B", "Z"],
        "change": ["added", "changed", "removed"],
        "measure_before": [None, "treat", "stop、treat"],
        "measure_now": ["stop", "stop", None],
        "why_zh": ["预报变化", "预报员修订", "现行企业清单中已无该企业"],
    }
)
EDITS = pd.DataFrame(
    {
        "enterprise_id": ["B", "Z"],
        "action": ["change", "drop"],
        "measure_code": ["stop", None],
        "reason": ["核查", "关停"],
        "made_by": ["王", "李"],
        "since_version": [2, 1],
        "lapsed": [False, True],
    }
)
APPROVAL = ListApproval(list_version=1, made_by="李处", made_at=datetime(2016, 9, 1, 17, 5), note_zh="同意")


def version(**changes: object) -> ListVersion:
    given = {
        "event_code": "g20",
        "list_version": 2,
        "previous_version": 1,
        "previous_issue": datetime(2016, 9, 1, 16),
        "enterprises": 12,
        "changes": build_changes(CHANGES, NAMES, MEASURES),
        "edits": build_edits(EDITS, NAMES, MEASURES),
    }
    return ListVersion(**(given | changes))  # type: ignore[arg-type]


def carrying(brief: Brief, part: ListVersion | None) -> Brief:
    return brief.model_copy(update={"list_version": part})


def test_the_section_names_people_and_measures_in_words(event_brief: Brief) -> None:
    text, changes, edits = versions(carrying(event_brief, version()))
    assert isinstance(text, Paragraph)
    assert isinstance(changes, Table)
    assert isinstance(edits, Table)
    assert text.text == (
        "本期为该活动管控清单第2版，列入企业12家，与第1版（2016-09-01 16:00起报）相比"
        "新增1家、移出1家、调整1家。本版未经审批。"
    )
    cells = [[cell.text for cell in row] for row in changes.rows]
    assert cells == [
        ["甲厂", "杭州", "新增", "—", "停产", "预报变化"],
        ["乙厂", "苏州", "调整", "提高治理效率", "停产", "预报员修订"],
        ["Z", "—", "移出", "停产、提高治理效率", "—", "现行企业清单中已无该企业"],
    ]
    cells = [[cell.text for cell in row] for row in edits.rows]
    assert cells[0] == ["乙厂", "改措施", "停产", "核查", "王", "第2版", "已执行"]
    assert cells[1][-1] == "本期不适用"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (
            {"approvals": (APPROVAL.model_copy(update={"list_version": 2}),)},
            "本版已经审批：李处于2016-09-01 17:05审批（同意）。",
        ),
        (
            {"approved_before": APPROVAL},
            "第1版已由李处于2016-09-01 17:05审批，本版已对其作出调整，未经审批。",
        ),
        (
            {"approved_before": APPROVAL, "changes": ()},
            "相比无变动。第1版已由李处于2016-09-01 17:05审批，本版与其一致，未经审批。",
        ),
        (
            {"previous_version": None, "list_version": 1, "changes": ()},
            "第1版（首版），列入企业12家。本版未经审批。",
        ),
    ],
)
def test_approval_is_told(given: dict[str, object], text: str) -> None:
    assert describe_version(version(**given)).endswith(text)


def test_every_page_says_version_and_approval(event_brief: Brief) -> None:
    outline = make_outline(carrying(event_brief, version()))
    assert outline.footer.endswith("清单第2版 · 未经审批")
    assert "清单版本与变动" in "".join(section.heading for section in outline.sections)
    approved = version(approvals=(APPROVAL.model_copy(update={"list_version": 2}),))
    assert "已由李处于2016-09-01 17:05审批" in make_outline(carrying(event_brief, approved)).footer
    plain = make_outline(carrying(event_brief, None))
    assert plain.footer == f"运行编号 {event_brief.header.run_id}"
    assert "清单版本" not in "".join(section.heading for section in plain.sections)


def test_a_long_difference_is_cut_on_paper_and_whole_in_its_file(event_brief: Brief, tmp_path: Path) -> None:
    many = pd.concat([CHANGES.iloc[:1].assign(enterprise_id=f"E{k}") for k in range(SHOWN + 5)])
    brief = carrying(event_brief, version(changes=build_changes(many, NAMES, MEASURES), edits=()))
    table = list(versions(brief))[1]
    assert isinstance(table, Table)
    assert len(table.rows) == SHOWN
    assert f"全部{SHOWN + 5}家" in table.note
    write_difference(brief, tmp_path / "difference.csv")
    with (tmp_path / "difference.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == SHOWN + 5
    assert rows[0]["measure_before"] == ""
    assert rows[0]["measure_now"] == "stop"
