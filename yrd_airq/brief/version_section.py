"""The section on the version of the list: what changed against the last one, edits in force, approval."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from yrd_airq.brief.blocks import Block, Cell, Paragraph, Table, make_columns
from yrd_airq.brief.content import Brief
from yrd_airq.brief.content_versions import ListApproval, ListChange, ListEdit, ListVersion
from yrd_airq.brief.typography import MISSING
from yrd_airq.region import load_region

_CHANGES_ZH = {"added": "新增", "removed": "移出", "changed": "调整"}
_ACTIONS_ZH = {"keep": "保留", "change": "改措施", "drop": "剔除"}
_DIFFERENCE = (
    *("enterprise_id", "name_zh", "city_zh", "change", "measure_before", "measure_now"),
    *("measure_before_zh", "measure_now_zh", "why_zh"),
)
SHOWN = 20
"""Changes printed in the body; all of them stand in ``difference.csv``."""


def build_changes(
    changes: pd.DataFrame, names: pd.DataFrame, measures: Mapping[str, str]
) -> tuple[ListChange, ...]:
    """Changes (enterprise_id, change, measure_before, measure_now, why_zh) for the brief.

    ``names``: enterprise_id, name_zh, adcode of everybody on either list; ``measures``: name by code.
    """
    region = load_region()
    known = names.drop_duplicates("enterprise_id").set_index("enterprise_id")
    made = []
    for row in changes.to_dict("records"):
        code = str(row["enterprise_id"])
        named = known.loc[code] if code in known.index else None
        before, now = _code(row["measure_before"]), _code(row["measure_now"])
        made.append(
            ListChange(
                enterprise_id=code,
                name_zh=str(named["name_zh"]) if named is not None else code,
                city_zh=region.city(str(named["adcode"])).short_zh if named is not None else "",
                change=str(row["change"]),
                change_zh=_CHANGES_ZH[str(row["change"])],
                measure_before=before,
                measure_now=now,
                measure_before_zh=_measures_zh(before, measures),
                measure_now_zh=_measures_zh(now, measures),
                why_zh=str(row["why_zh"]),
            )
        )
    return tuple(made)


def build_edits(
    edits: pd.DataFrame, names: pd.DataFrame, measures: Mapping[str, str]
) -> tuple[ListEdit, ...]:
    """Edits in force (… action, measure_code, reason, made_by, since_version, lapsed) for the brief."""
    known = dict(zip(names["enterprise_id"], names["name_zh"], strict=True))
    return tuple(
        ListEdit(
            enterprise_id=str(row["enterprise_id"]),
            name_zh=str(known.get(row["enterprise_id"], row["enterprise_id"])),
            action_zh=_ACTIONS_ZH[str(row["action"])],
            measure_zh=_measures_zh(_code(row["measure_code"]), measures),
            reason_zh=str(row["reason"]),
            made_by=str(row["made_by"]),
            since_version=int(row["since_version"]),
            lapsed=bool(row["lapsed"]),
        )
        for row in edits.to_dict("records")
    )


def build_approvals(approvals: pd.DataFrame) -> tuple[ListApproval, ...]:
    """Approvals (list_version, made_by, made_at, note) for the brief."""
    return tuple(
        ListApproval(
            list_version=int(row["list_version"]),
            made_by=str(row["made_by"]),
            made_at=row["made_at"].to_pydatetime(),
            note_zh=str(row["note"]),
        )
        for row in approvals.to_dict("records")
    )


def _code(value: Any) -> str | None:
    return None if pd.isna(value) or value == "" else str(value)


def _measures_zh(codes: str | None, measures: Mapping[str, str]) -> str:
    return "、".join(measures.get(code, code) for code in codes.split("、")) if codes else ""


def versions(brief: Brief) -> Iterator[Block]:
    """Number, approval and differences of the list; nothing where the run has no list."""
    part = brief.list_version
    if part is None:
        return
    yield Paragraph(describe_version(part))
    if part.changes:
        yield _change_table(part.changes)
    if part.edits:
        yield _edit_table(part.edits)


def describe_version(part: ListVersion) -> str:
    """Number, forerunner, changes and approval in a few sentences."""
    if part.previous_version is None:
        text = f"本期为该活动管控清单第{part.list_version}版（首版），列入企业{part.enterprises}家。"
    else:
        issue = f"{part.previous_issue:%Y-%m-%d %H:%M}起报" if part.previous_issue else ""
        text = (
            f"本期为该活动管控清单第{part.list_version}版，列入企业{part.enterprises}家，"
            f"与第{part.previous_version}版（{issue}）相比{_count(part.changes)}。"
        )
    return text + _describe_approval(part)


def _count(changes: tuple[ListChange, ...]) -> str:
    if not changes:
        return "无变动"
    held = Counter(change.change for change in changes)
    return "、".join(f"{word}{held[name]}家" for name, word in _CHANGES_ZH.items() if held[name])


def _describe_approval(part: ListVersion) -> str:
    if part.approvals:
        told = (
            f"{a.made_by}于{a.made_at:%Y-%m-%d %H:%M}审批" + (f"（{a.note_zh}）" if a.note_zh else "")
            for a in part.approvals
        )
        return f"本版已经审批：{'；'.join(told)}。"
    before = part.approved_before
    if before is None:
        return "本版未经审批。"
    changed = "已对其作出调整" if part.changes else "与其一致"
    return (
        f"第{before.list_version}版已由{before.made_by}于{before.made_at:%Y-%m-%d %H:%M}审批，"
        f"本版{changed}，未经审批。"
    )


def _change_table(changes: tuple[ListChange, ...]) -> Table:
    columns = make_columns(
        ("企业名称", 2.6, "left"),
        ("城市", 0.8),
        ("变动", 0.7),
        ("原措施", 1.4),
        ("现措施", 1.4),
        ("原因", 3.6, "left"),
    )
    rows = tuple(
        (
            Cell(change.name_zh),
            Cell(change.city_zh or MISSING),
            Cell(change.change_zh),
            Cell(change.measure_before_zh or MISSING),
            Cell(change.measure_now_zh or MISSING),
            Cell(change.why_zh),
        )
        for change in changes[:SHOWN]
    )
    note = "" if len(changes) <= SHOWN else f"仅列前{SHOWN}家，全部{len(changes)}家见清单变动表（CSV）。"
    return Table("与上一版清单相比的变动", columns, rows, note)


def _edit_table(edits: tuple[ListEdit, ...]) -> Table:
    columns = make_columns(
        ("企业名称", 2.6, "left"),
        ("修订", 0.8),
        ("措施", 1.4),
        ("理由", 3.2, "left"),
        ("修订人", 0.9),
        ("起始版次", 0.9),
        ("执行情况", 1.0),
    )
    rows = tuple(
        (
            Cell(edit.name_zh),
            Cell(edit.action_zh),
            Cell(edit.measure_zh or MISSING),
            Cell(edit.reason_zh),
            Cell(edit.made_by),
            Cell(f"第{edit.since_version}版"),
            Cell("本期不适用" if edit.lapsed else "已执行"),
        )
        for edit in edits
    )
    note = "修订在撤销前对该活动其后各版持续有效；“本期不适用”指清单、管控圈或剩余时段已不容许该项安排。"
    return Table("预报员修订", columns, rows, note)


def write_difference(brief: Brief, path: Path) -> None:
    """``difference.csv``: what the version changes, in the form of ``control_list.csv``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(_DIFFERENCE)
    for change in brief.list_version.changes if brief.list_version is not None else ():
        values = [getattr(change, name) for name in _DIFFERENCE]
        writer.writerow(["" if value is None else value for value in values])
    path.write_bytes(text.getvalue().encode("utf-8-sig"))
