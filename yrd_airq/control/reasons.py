"""One Chinese sentence per enterprise, made from the numbers: place, contribution, order, effect."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.control.eligibility import Status
from yrd_airq.control.problem import Problem
from yrd_airq.control.stability import rank_by_burden
from yrd_airq.region import Region
from yrd_airq.vocab import Precursor

_NAMES = [precursor.name_zh for precursor in Precursor]


def explain(table: pd.DataFrame, problem: Problem, region: Region) -> list[str]:
    """A sentence for every row of the list table, which must already hold measures and benefits."""
    if table.empty:
        return []
    facts = table.assign(
        place_zh=_place(table, problem),
        share_zh=_contribution(table, problem, region),
        action_zh=_action(table, problem),
        effect_zh=_effect(table),
        remark_zh=_remarks(table, problem),
        best_zh=_best_measure(table, problem),
    )
    return [_sentence(row) for row in facts.to_dict("records")]


def _sentence(row: Mapping[Hashable, Any]) -> str:
    if row["status"] == Status.SELECTED:
        parts = [row["place_zh"], row["share_zh"], row["action_zh"], row["effect_zh"]]
        parts += [row["survey_zh"], row["remark_zh"]]
    elif row["status"] == Status.NOT_SELECTED:
        parts = ["未选入", row["place_zh"], row["share_zh"], row["best_zh"], row["remark_zh"]]
    elif row["status"] == Status.VOLUNTARY:
        parts = [row["why_zh"] + "，不强制停限产", row["place_zh"]]
    else:
        parts = ["豁免：" + row["why_zh"], row["place_zh"]]
    return "；".join(part for part in parts if part) + "。"


def _place(table: pd.DataFrame, problem: Problem) -> pd.Series:
    venue = problem.event.venue.name_zh
    distance = table["distance_km"].round().map("{:.0f}".format)
    zone = np.where(table["zone"] == "", "管控圈外", table["zone"])
    text: pd.Series = "位于" + venue + table["direction_zh"] + "方向约" + distance + "公里（" + zone + "）"
    return text.where(table["distance_km"].notna(), "坐标未知")


def _contribution(table: pd.DataFrame, problem: Problem, region: Region) -> pd.Series:
    """Largest share among the precursors and the place in the order of potential."""
    share = np.nan_to_num(problem.share[table["row"]])
    top = share.argmax(axis=1)
    percent = pd.Series(100 * share.max(axis=1, initial=0.0), index=table.index)
    names = np.array(_NAMES, dtype=object)[top]
    cities = "、".join(region.city(code).short_zh for code in problem.event.receptors)
    place, among = _potential_rank(problem)
    rank = pd.Series(place[table["row"]], index=table.index).map("{:.0f}".format)
    text = "对" + cities + names + "浓度平均贡献" + percent.map("{:.2f}".format) + "%"
    text = text + f"，改善潜力在{among}家可管控企业中列第" + rank
    by_burden, offered = rank_by_burden(problem)
    cost = pd.Series(by_burden[table["row"]], index=table.index)
    found = f"，单位负担改善在{offered}家中列第" + cost.map("{:.0f}".format)
    return text + found.where(cost.notna(), "")


def _potential_rank(problem: Problem) -> tuple[NDArray[np.float64], int]:
    need = problem.need > 0
    rows = problem.goal_rows[need] if need.any() else problem.goal_rows
    goal = problem.rows["goal"].to_numpy(dtype=float)[rows]
    potential = (problem.potential[rows] / goal[:, None]).sum(axis=0)
    askable = (problem.enterprises["status"] == Status.NOT_SELECTED).to_numpy()
    place = np.full(len(potential), np.nan)
    place[askable] = pd.Series(-potential[askable]).rank(method="first").to_numpy()
    return place, int(askable.sum())


def _action(table: pd.DataFrame, problem: Problem) -> pd.Series:
    """The order, what it avoids a day, and the days on which it is in force."""
    pieces = table["measure_zh"].astype(str)
    reduction = [_amount(table[f"reduction_{p}_kgd"], p.name_zh) for p in Precursor]
    joined = pd.Series(
        ["、".join(filter(None, row)) for row in zip(*reduction, strict=True)], index=table.index
    )
    pieces = pieces + joined.where(joined == "", "，日减排" + joined + "（千克）")
    moved = _moved(table, problem)
    pieces = pieces + moved.where(moved == "", "，" + moved)
    return pieces + _period(table)


def _period(table: pd.DataFrame) -> pd.Series:
    first, last = (pd.to_datetime(table[edge].where(table[edge] != "", None)) for edge in ("start", "end"))
    text: pd.Series = "，" + _day(first) + np.where(first == last, "", "至" + _day(last)) + "执行"
    return text.where(first.notna(), "")


def _day(days: pd.Series) -> pd.Series:
    month, day = (part.map("{:.0f}".format) for part in (days.dt.month, days.dt.day))
    return month + "月" + day + "日"


def _amount(values: pd.Series, name: str) -> list[str]:
    shown = values.round(1)
    return [f"{name} {value:.1f}" if value > 0 else "" for value in shown]


def _moved(table: pd.DataFrame, problem: Problem) -> pd.Series:
    """What a measure takes out of the ozone hours beyond what it avoids in the day."""
    text: dict[str, str] = {
        measure.code: "、".join(
            f"日间{precursor.name_zh}排放移出{100 * float(part):.0f}%"
            for precursor, part in (measure.ozone_cut or {}).items()
            if float(part) > measure.effect(precursor, ozone=False)
        )
        for measure in problem.settings.measures
    }
    moved = table["measure_code"].map(text).fillna("")
    return moved.where(moved == "", moved + "、全天总量不减")


def _effect(table: pd.DataFrame) -> pd.Series:
    pm25 = _change("PM₂.₅", table["benefit_pm25_ugm3"])
    ozone = _change("O₃", table["benefit_o3_ugm3"])
    joined = ["、".join(filter(None, pair)) for pair in zip(pm25, ozone, strict=True)]
    text = pd.Series(joined, index=table.index)
    return text.where(text == "", "预计受体城市" + text + "（微克/立方米，受体与日期平均）")


def _change(name: str, values: pd.Series) -> list[str]:
    verb = np.where(values >= 0, "降低", "升高")
    shown = values.abs().round(3)
    return [f"{name}{word}{value:.3f}" if value > 0 else "" for word, value in zip(verb, shown, strict=True)]


def _best_measure(table: pd.DataFrame, problem: Problem) -> pd.Series:
    """The order that would be given next, for enterprises that were not selected."""
    names = np.array([*(m.name_zh for m in problem.settings.measures), ""], dtype=object)
    measure = np.append(problem.measure, -1)[table["candidate"]]
    name = pd.Series(names[measure], index=table.index)
    return name.where(name == "", "如需加严可优先采取" + name)


def _remarks(table: pd.DataFrame, problem: Problem) -> pd.Series:
    """What a reader must know before trusting the row: sector rule, unknowns, instability."""
    settings = problem.settings
    rules = {sector.name_zh: sector.rule_zh for sector in settings.sectors if sector.rule_zh}
    unknown = np.isnan(problem.emission_kgd[table["row"]])
    stability = table["stability"]
    parts = [
        table["sector"].map(rules).fillna(""),
        _if(~table["grade_known"], f"绩效等级未知，按{settings.grades.unknown_as}默认处理", table),
        *(_if(unknown[:, k], f"{name}排放未知、未计效益", table) for k, name in enumerate(_NAMES)),
        _if(table["cost_cny_per_day"].isna(), "成本未知，按负担指数排序", table),
        _stability(stability, problem),
    ]
    joined = ["；".join(filter(None, row)) for row in zip(*parts, strict=True)]
    return pd.Series(joined, index=table.index)


def _stability(stability: pd.Series, problem: Problem) -> pd.Series:
    low = stability < float(problem.settings.stable_share)
    if problem.air.members < 2:
        return stability.map("稳定性仅{:.2f}（气象集合成员占比）".format).where(low, "")
    text = (
        f"在{problem.air.members}个气象集合成员中有" + stability.map("{:.0%}".format) + "将其排在应管控之列"
    )
    return text.where(~low, text + "，结论不稳定").where(stability.notna(), "")


def _if(condition: NDArray[np.bool_] | pd.Series, text: str, table: pd.DataFrame) -> pd.Series:
    return pd.Series(np.where(condition, text, ""), index=table.index)
