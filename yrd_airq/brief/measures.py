"""The plan of the control room as the control section of the brief."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from yrd_airq.brief.content_sources import LIST_COLUMNS, Alternative, CityLoad, Control, ListRow, Requirement
from yrd_airq.brief.typography import number
from yrd_airq.brief.wording import date_zh
from yrd_airq.region import Region
from yrd_airq.settings import Event
from yrd_airq.vocab import Precursor, Target

if TYPE_CHECKING:
    from yrd_airq.control.plan import Plan

STATUS_ZH = {
    "optimal": "最优方案，满足全部目标",
    "gap": "可行方案，满足全部目标，未证明最优",
    "infeasible_relaxed": "清单措施不足以满足全部目标，为缺口最小方案",
    "not_needed": "预计满足目标，无须启动企业管控",
}
ROW_STATUS_ZH = {
    "selected": "列入管控",
    "not_selected": "备选，未列入",
    "exempt": "豁免",
    "voluntary": "自主减排",
    "outside_zones": "分区之外",
    "unknown_emission": "排放未知",
    "no_measure": "无适用措施",
}
_WORDS = ("enterprise_id", "name_zh", "adcode", "city_zh", "sector", "reason_zh", "status")
_LOADS = [f"reduction_{precursor}_kgd" for precursor in Precursor]


def build_control(plan: Plan, enterprises: pd.DataFrame | None, event: Event, region: Region) -> Control:
    """The control section; ``enterprises`` (enterprise_id, lon, lat) places the list on the map."""
    rows = _list_rows(plan.list, enterprises)
    loads = _city_loads(plan.list, region)
    requirements = _requirements(plan.receptors, region)
    return Control(
        text_zh=_describe(plan, rows, loads, requirements, event),
        status_zh=STATUS_ZH.get(str(plan.status), str(plan.status)),
        requirements=requirements,
        loads=loads,
        alternatives=_alternatives(plan.curve),
        rows=rows,
        notes_zh=tuple(plan.notes),
    )


def _list_rows(table: pd.DataFrame, enterprises: pd.DataFrame | None) -> tuple[ListRow, ...]:
    frame = table[list(LIST_COLUMNS)].copy()
    frame["lon"] = frame["lat"] = np.nan
    if enterprises is not None and len(enterprises):
        place = enterprises.drop_duplicates("enterprise_id").set_index("enterprise_id")[["lon", "lat"]]
        frame[["lon", "lat"]] = place.reindex(frame["enterprise_id"]).to_numpy(dtype=float)
    return tuple(_list_row(record) for record in frame.to_dict("records"))


def _list_row(record: dict[Any, Any]) -> ListRow:
    """One row of the list; numbers that are missing stay so, required words that are missing are empty."""
    plain = {name: _plain(value) for name, value in record.items()}
    words = {name: "" if plain[name] is None else str(plain[name]) for name in _WORDS}
    status = words["status"]
    return ListRow.model_validate(
        plain | words | {"status_zh": ROW_STATUS_ZH.get(status, status), "selected": status == "selected"}
    )


def _plain(value: Any) -> str | int | float | None:
    """A cell without numpy types; anything missing or empty is None."""
    if pd.isna(value):
        return None
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, np.floating):
        return float(value)
    return value if isinstance(value, (int, float)) else str(value) or None


def _city_loads(table: pd.DataFrame, region: Region) -> tuple[CityLoad, ...]:
    """Sums of the selected measures by city, largest total first."""
    chosen = table[table["status"].astype(str) == "selected"]
    if chosen.empty:
        return ()
    sums = chosen.assign(**{c: chosen[c].astype(float) for c in _LOADS}).groupby("adcode")[_LOADS].sum()
    counts = chosen.groupby("adcode").size()
    sums["all"], sums["count"] = sums.sum(axis=1), counts
    ordered = sums.sort_values("all", ascending=False, kind="stable").reset_index()
    return tuple(
        CityLoad(
            adcode=str(row["adcode"]),
            city_zh=region.city(str(row["adcode"])).short_zh,
            enterprises=int(row["count"]),
            **{column.removeprefix("reduction_"): round(float(row[column]), 1) for column in _LOADS},
        )
        for row in ordered.to_dict("records")
    )


def _requirements(receptors: pd.DataFrame, region: Region) -> tuple[Requirement, ...]:
    rows = receptors[receptors["forecast_q"].notna() & receptors["goal"].notna()]
    ordered = rows.assign(
        day=pd.to_datetime(rows["date"]).dt.date, order=rows["target"].astype(str).map(list(Target).index)
    ).sort_values(["order", "adcode", "day"], kind="stable")
    return tuple(
        Requirement(
            adcode=str(row["adcode"]),
            city_zh=region.city(str(row["adcode"])).short_zh,
            date=row["day"],
            target=Target(str(row["target"])),
            forecast=float(row["forecast_q"]),
            goal=float(row["goal"]),
            required=float(row["required_ugm3"]),
            achieved=float(row["achieved_ugm3"]),
            shortfall=float(row["shortfall_ugm3"]),
            chance_without=_known(row.get("chance_without")),
            chance_with=_known(row.get("chance_with")),
        )
        for row in ordered.to_dict("records")
    )


def _known(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _alternatives(curve: pd.DataFrame) -> tuple[Alternative, ...]:
    benefit = {t: f"benefit_{t}_ugm3" for t in Target if f"benefit_{t}_ugm3" in curve}
    return tuple(
        Alternative(
            scenario_zh=str(row["scenario_zh"]),
            enterprises=int(row["enterprises"]),
            cost_index=float(row["cost_index"]),
            benefits={t: float(row[c]) for t, c in benefit.items() if not pd.isna(row[c])},
            goals_missed=int(row["goals_missed"]) if "goals_missed" in curve else None,
        )
        for row in curve.to_dict("records")
    )


def _describe(
    plan: Plan,
    rows: tuple[ListRow, ...],
    loads: tuple[CityLoad, ...],
    requirements: tuple[Requirement, ...],
    event: Event,
) -> str:
    chosen = [row for row in rows if row.selected]
    if not chosen:
        return f"{STATUS_ZH.get(str(plan.status), '')}。"
    period = f"{date_zh(event.control_start)}至{date_zh(event.end)}"
    totals = {name: sum(getattr(load, f"{name}_kgd") for load in loads) / 1000 for name in Precursor}
    parts = "、".join(f"{p.name_zh} {totals[p]:.2f}吨" for p in Precursor if totals[p] > 0)
    zones = count_zones(rows, [zone.name_zh for zone in event.zones])
    text = f"建议{period}对{len(chosen)}家企业实施差异化管控（{zones}），日减排{parts}。"
    exempt = sum(row.status == "exempt" for row in rows)
    voluntary = sum(row.status == "voluntary" for row in rows)
    if exempt or voluntary:
        text += f"豁免{exempt}家、自主减排{voluntary}家不列入强制管控。"
    effect = describe_effect(requirements)
    return f"{text}{effect}。" if effect else text


def count_zones(rows: tuple[ListRow, ...], zones: Sequence[str]) -> str:
    """``核心区12家、严控区30家`` of the selected enterprises, in the order of ``zones`` (names)."""
    held = Counter(row.zone for row in rows if row.selected and row.zone)
    counts = {zone: held[zone] for zone in zones if held[zone]}
    return "、".join(f"{zone}{n}家" for zone, n in counts.items())


def describe_effect(requirements: tuple[Requirement, ...]) -> str:
    """Largest expected fall of each target and, where a goal stays out of reach, the rest."""
    texts: list[str] = []
    said = ""
    for target in dict.fromkeys(row.target for row in requirements):
        own = [row for row in requirements if row.target is target]
        best = max(own, key=lambda row: row.achieved)
        change = "下降" if best.achieved >= 0 else "上升"
        place = best.city_zh if best.city_zh != said else ""
        said = best.city_zh
        text = f"{place}{target.info.name_zh}{change}{number(abs(best.achieved), 1)}μg/m³"
        short = max(own, key=lambda row: row.shortfall)
        if short.has_shortfall:
            text += f"（{date_zh(short.date)}仍差{number(short.shortfall, 1)}）"
        texts.append(text)
    return f"预计{'、'.join(texts)}" if texts else ""
