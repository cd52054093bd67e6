"""Versions compared: days that have passed do not count, and every change says why."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from yrd_airq.control.versions import ORDER_COLUMNS, Occurrence, compare_lists, explain_changes, orders_of


def orders(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(ORDER_COLUMNS))


BEFORE = orders(
    ("A", "stop", "2026-08-20", "2026-08-22"),
    ("B", "treat", "2026-08-20", "2026-08-22"),
    ("C", "treat", "2026-08-20", "2026-08-22"),
    ("D", "treat", "2026-08-20", "2026-08-20"),
    ("F", "stop", "2026-08-20", "2026-08-20"),
    ("F", "treat", "2026-08-21", "2026-08-22"),
)
NOW = orders(
    ("A", "limit_30", "2026-08-21", "2026-08-22"),
    ("B", "treat", "2026-08-21", "2026-08-22"),
    ("C", "treat", "2026-08-22", "2026-08-23"),
    ("E", "stop", "2026-08-21", "2026-08-22"),
    ("F", "treat", "2026-08-21", "2026-08-22"),
)


def test_what_changes_for_the_days_ahead():
    changes = compare_lists(BEFORE, NOW, date(2026, 8, 21))
    assert changes[["enterprise_id", "change", "measure_before", "measure_now"]].fillna(
        ""
    ).to_numpy().tolist() == [
        ["E", "added", "", "stop"],
        ["A", "changed", "stop", "limit_30"],
        ["C", "changed", "treat", "treat"],
    ], "D ran out, B and F go on"
    assert compare_lists(NOW, NOW, date(2026, 8, 21)).empty
    assert set(compare_lists(None, NOW)["change"]) == {"added"}
    assert compare_lists(BEFORE.iloc[:0], NOW.iloc[:0]).empty


def test_orders_of_a_list_leave_out_who_has_none():
    table = pd.DataFrame(
        {
            "enterprise_id": ["B", "A", "C"],
            "measure_code": ["stop", "treat", ""],
            "start": ["2026-08-20", pd.Timestamp("2026-08-21"), ""],
            "end": ["2026-08-22", pd.Timestamp("2026-08-22"), ""],
        }
    )
    assert orders_of(table)["enterprise_id"].tolist() == ["A", "B"]


def occurrence(**changes: object) -> Occurrence:
    edits = pd.DataFrame(
        [("A", "change", "limit_30", "核查", "王", 3), ("E", "keep", None, "举报", "李", 2)],
        columns=["enterprise_id", "action", "measure_code", "reason", "made_by", "since_version"],
    )
    outcomes = pd.DataFrame(
        [(k, "selected", "") for k in "ABCEF"]
        + [("X", "exempt", "城市供热"), ("Y", "not_selected", ""), ("Z", "not_selected", "")],
        columns=["enterprise_id", "status", "why_zh"],
    )
    given = {
        "version": 3,
        "edits": edits,
        "outcomes": outcomes,
        "need_before": 9.0,
        "need_now": 4.0,
        "same_issue": False,
    }
    return Occurrence(**(given | changes))


def why(enterprise: str, change: str, between: Occurrence) -> str:
    days = {"days_before": "08-21至08-22", "days_now": "08-22至08-22"}
    row = {"enterprise_id": enterprise, "change": change, "measure_before": "stop", "measure_now": "stop"}
    return explain_changes(pd.DataFrame([row | days]), between)["why_zh"].iloc[0]


@pytest.mark.parametrize(
    ("enterprise", "change", "given", "text"),
    [
        ("A", "changed", {}, "预报员修订，改措施：核查（王）"),
        ("E", "added", {}, "执行此前预报员修订，保留：举报（李）"),
        ("W", "removed", {}, "现行企业清单中已无该企业"),
        ("X", "removed", {}, "城市供热"),
        ("Y", "removed", {}, "预报变化，最大削减需求由9.0变为4.0μg/m³，不再需要"),
        ("Y", "removed", {"need_now": 9.0}, "按新一期预报重新优选，不再需要"),
        ("B", "added", {"need_now": 12.0}, "预报变化，最大削减需求由9.0变为12.0μg/m³，须加强管控"),
        ("B", "added", {"need_now": 9.0}, "按新一期预报重新优选"),
        ("C", "changed", {}, "按新一期预报，管控时段由08-21至08-22调整为08-22至08-22"),
        ("B", "added", {"same_issue": True}, "预报员修订引起的重新优选"),
    ],
)
def test_every_change_says_why(enterprise, change, given, text):
    assert why(enterprise, change, occurrence(**given)) == text


@pytest.mark.parametrize("rules_from", [None, date(2026, 8, 19)])
def test_lists_that_order_nothing_can_be_compared(rules_from: date | None) -> None:
    full = pd.DataFrame(
        [("E1", "stop", pd.Timestamp("2026-08-20"), pd.Timestamp("2026-08-21"))],
        columns=["enterprise_id", "measure_code", "start", "end"],
    )
    nothing = orders_of(full.iloc[:0])
    assert compare_lists(nothing, nothing, rules_from).empty
    assert compare_lists(nothing, full, rules_from)["change"].tolist() == ["added"]
    assert compare_lists(full, nothing, rules_from)["change"].tolist() == ["removed"]
