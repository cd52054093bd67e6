"""Versions of a control list compared: who came, who went, whose order changed, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from yrd_airq.control.edits import Action

ORDER_COLUMNS = ("enterprise_id", "measure_code", "start", "end")
"""An order: enterprise, measure, first and last day (midnights)."""
CHANGE_COLUMNS = ("enterprise_id", "change", "measure_before", "measure_now")
SAME_NEED_UGM3 = 0.05
"""Needs that differ by less are the same in print."""


@dataclass(frozen=True)
class Occurrence:
    """What lies between two versions.

    ``version``: number of the newer one. ``edits``: those in force (``edits.join_edits``). ``outcomes``: what
    became of every enterprise in the newer plan (enterprise_id, status, why_zh). ``need_before`` and
    ``need_now``: largest reduction that a receptor-day needs, µg/m³. ``same_issue``: both rest on one
    forecast.
    """

    version: int
    edits: pd.DataFrame
    outcomes: pd.DataFrame
    need_before: float
    need_now: float
    same_issue: bool


def orders_of(table: pd.DataFrame) -> pd.DataFrame:
    """The orders of a control list (``ORDER_COLUMNS``), sorted; rows without a measure order nothing."""
    ordered = table[table["measure_code"].notna() & (table["measure_code"] != "")]
    days = {name: pd.to_datetime(ordered[name]).dt.normalize() for name in ("start", "end")}
    return (
        ordered.assign(**days)[list(ORDER_COLUMNS)]
        .sort_values(["enterprise_id", "start"])
        .reset_index(drop=True)
    )


def compare_lists(
    before: pd.DataFrame | None, now: pd.DataFrame, rules_from: date | None = None
) -> pd.DataFrame:
    """What a list version changes: ``CHANGE_COLUMNS``, and the days as text (days_before, days_now).

    ``before`` and ``now``: orders in ``ORDER_COLUMNS``. ``change`` is added, removed or changed (another
    measure or, with ``rules_from``, other days); the first version adds everything it orders. Who stays
    goes on with the old order until the new one starts. Days before
    ``rules_from``, the first that the newer list rules, do not count: an order that has run out is not taken
    away.
    """
    old = now.iloc[:0] if before is None else before
    old = _by_enterprise(old if rules_from is None else _until_relieved(old, now), rules_from)
    both = old.merge(
        _by_enterprise(now, rules_from), on="enterprise_id", how="outer", suffixes=("_before", "_now")
    )
    added, removed = both["measure_before"].isna(), both["measure_now"].isna()
    other = both["measure_before"] != both["measure_now"]
    if rules_from is not None:
        other |= both["days_before"] != both["days_now"]
    change = np.select([added, removed, other], ["added", "removed", "changed"], "")
    table = both.assign(change=change)[change != ""].sort_values(["change", "enterprise_id"])
    return table[[*CHANGE_COLUMNS, "days_before", "days_now"]].reset_index(drop=True)


def explain_changes(changes: pd.DataFrame, between: Occurrence) -> pd.DataFrame:
    """The changes of ``compare_lists`` with ``why_zh``: an edit, the list of enterprises, or the forecast."""
    rows = changes.merge(between.edits, on="enterprise_id", how="left")
    rows = rows.merge(between.outcomes, on="enterprise_id", how="left")
    action = rows["action"].map({a.value: a.name_zh for a in Action}).fillna("")
    said = action + "：" + rows["reason"].fillna("") + "（" + rows["made_by"].fillna("") + "）"
    gone = rows["change"] == "removed"
    days_only = (rows["change"] == "changed") & (rows["measure_before"] == rows["measure_now"])
    moved = "管控时段由" + rows["days_before"].fillna("") + "调整为" + rows["days_now"].fillna("")
    edited = rows["since_version"] == between.version
    fell = between.need_now < between.need_before - SAME_NEED_UGM3
    rose = between.need_now > between.need_before + SAME_NEED_UGM3
    need = f"最大削减需求由{between.need_before:.1f}变为{between.need_now:.1f}μg/m³"
    reasons = [
        (edited, "预报员修订，" + said),
        (rows["action"].notna(), "执行此前预报员修订，" + said),
        (gone & rows["status"].isna(), "现行企业清单中已无该企业"),
        (gone & (rows["status"] != "not_selected"), rows["why_zh"].fillna("")),
        (pd.Series(between.same_issue, index=rows.index), "预报员修订引起的重新优选"),
        (gone & fell, f"预报变化，{need}，不再需要"),
        (gone, "按新一期预报重新优选，不再需要"),
        (days_only, "按新一期预报，" + moved),
        (pd.Series(rose, index=rows.index), f"预报变化，{need}，须加强管控"),
    ]
    conditions = [condition.to_numpy(dtype=bool) for condition, _ in reasons]
    texts = [np.broadcast_to(np.asarray(text, dtype=object), len(rows)) for _, text in reasons]
    why = np.select(conditions, texts, "按新一期预报重新优选")
    return changes.assign(why_zh=pd.Series(why, index=changes.index, dtype="str"))


def _until_relieved(before: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """The old orders from the day on which the newer list relieves them; until then they go on unchanged."""
    start, end = (pd.to_datetime(before[name]).dt.normalize() for name in ("start", "end"))
    first = pd.to_datetime(now["start"]).dt.normalize().groupby(now["enterprise_id"]).min()
    # Looked up by label, which keeps days days where a list orders nothing at all.
    relieved = first.reindex(before["enterprise_id"]).set_axis(before.index)
    return before.assign(start=start.where(~((relieved > start) & (relieved <= end)), relieved))


def _by_enterprise(orders: pd.DataFrame, rules_from: date | None) -> pd.DataFrame:
    """One row an enterprise: its measures and their days as text, in the order of the days."""
    rows = orders.assign(
        start=pd.to_datetime(orders["start"]).dt.normalize(), end=pd.to_datetime(orders["end"]).dt.normalize()
    )
    if rules_from is not None:
        first = pd.Timestamp(rules_from)
        rows["start"] = rows["start"].where(rows["start"] >= first, first)
    rows = rows[rows["end"] >= rows["start"]].sort_values(["enterprise_id", "start"], kind="stable")
    days = rows["start"].dt.strftime("%m-%d") + "至" + rows["end"].dt.strftime("%m-%d")
    grouped = rows.assign(days=days).groupby("enterprise_id")
    return pd.DataFrame(
        {
            "measure": grouped["measure_code"].agg(lambda codes: "、".join(dict.fromkeys(codes))),
            "days": grouped["days"].agg("，".join),
        }
    ).reset_index()
