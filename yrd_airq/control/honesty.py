"""Sentences on how far a plan can be trusted: chances, range of the members, ozone, broken rules, prices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.control.problem import REACHED, Problem
from yrd_airq.control.rules import rows_of
from yrd_airq.control.solve import Solution
from yrd_airq.region import Region
from yrd_airq.vocab import Target

NAMED = 3
Ints = NDArray[np.int64]


def name_rows(rows: pd.DataFrame, region: Region) -> list[str]:
    """Day, city and target of rows in words."""
    return [
        f"{day.month}月{day.day}日{region.city(code).short_zh}{Target(target).info.name_zh}"
        for day, code, target in zip(rows["date"], rows["adcode"], rows["target"], strict=True)
    ]


def state_chances(problem: Problem, solution: Solution, region: Region) -> list[str]:
    """Chance of exceedance without and with the list, of the goals where it was largest."""
    before, after = problem.chance(np.zeros(0, dtype=np.int64)), problem.chance(solution.chosen)
    known = np.flatnonzero(np.isfinite(before) & (problem.need > 0))
    if not len(known) or not len(solution.chosen):
        return []
    worst = np.sort(known[np.argsort(-before[known], kind="stable")][:NAMED])
    names = name_rows(problem.rows.iloc[problem.goal_rows[worst]], region)
    parts = [
        f"{name}由{100 * before[k]:.0f}%降至{100 * after[k]:.0f}%"
        for name, k in zip(names, worst, strict=True)
    ]
    members = f"（{problem.air.members}个气象集合成员平均）" if problem.air.members > 1 else ""
    return [f"超过保障目标的概率{members}：{'、'.join(parts)}。"]


def state_range(problem: Problem, solution: Solution) -> list[str]:
    """Expected fall over the exceeded goals of each target with its range over the members."""
    if problem.air.members < 2 or not len(solution.chosen):
        return []
    fall, parts = problem.fall(solution.chosen), []
    exceeded = problem.goal_rows[problem.need > 0]
    for target in sorted({problem.air.targets[row] for row in exceeded}):
        rows = [row for row in exceeded if problem.air.targets[row] == target]
        by_member = np.mean([fall[row] + problem.deviation(row, solution.chosen) for row in rows], axis=0)
        parts.append(
            f"{target.info.name_zh}平均降低{fall[rows].mean():.2f}"
            f"（成员间{by_member.min():.2f}～{by_member.max():.2f}）"
        )
    return [f"预计效益：{'、'.join(parts)}微克/立方米。"] if parts else []


def name_broken(problem: Problem, solution: Solution) -> list[str]:
    """The rules beside the goals that the plan cannot keep, worst first."""
    missed = problem.broken(solution.chosen)
    rules = list(rows_of(problem.families))
    worst = [k for k in np.argsort(-missed, kind="stable") if missed[k] > REACHED]
    parts = [f"{rules[k][0].labels_zh[rules[k][1]]}（差{100 * missed[k]:.1f}%）" for k in worst[:NAMED]]
    more = f"等{len(worst)}项" if len(worst) > NAMED else ""
    return [f"可管控企业的措施不足以同时满足以下规定：{'、'.join(parts)}{more}。"] if parts else []


def report_ozone_rise(problem: Problem, solution: Solution, region: Region) -> list[str]:
    """Which measures would raise ozone, and where the list does so all the same."""
    rows = problem.ozone_rows
    if not len(rows):
        return []
    notes = []
    raising = len(np.unique(problem.enterprise[problem.benefit[rows].mean(axis=0) < 0]))
    if raising:
        notes.append(f"有{raising}家企业的可选措施会使O₃升高（VOCs控制区单独削减NOx），优化中按升高量计入。")
    fall = problem.fall(solution.chosen)[rows]
    trifle = float(problem.settings.rules.ozone_rise_ugm3)
    harmful = fall < -problem.rise_room
    for group, text in (
        (harmful, "，为达到其他目标不能避免，须配合VOCs减排。"),
        (~harmful & (fall < -trifle), "，升高后仍处于优的水平。"),
    ):
        if group.any():
            worst = np.flatnonzero(group)[np.argsort(fall[group], kind="stable")][:NAMED]
            names = name_rows(problem.rows.iloc[rows[worst]], region)
            parts = [f"{name}升高{-fall[k]:.2f}" for name, k in zip(names, worst, strict=True)]
            notes.append(f"所列措施预计使{'、'.join(parts)}微克/立方米{text}")
    return notes


def state_prices(problem: Problem, solution: Solution, region: Region) -> list[str]:
    """What the goals and rules that bind cost, from the relaxed model."""
    worth = solution.worth
    if worth is None or not len(solution.chosen):
        return []
    parts = []
    goals = _largest(worth.goal)
    for k, name in zip(goals, name_rows(problem.rows.iloc[problem.goal_rows[goals]], region), strict=True):
        parts.append(f"{name}目标每放宽1微克/立方米约可减{worth.goal[k]:.1f}")
    rules = list(rows_of(problem.families))
    parts += [
        f"“{rules[k][0].labels_zh[rules[k][1]]}”每放宽1个百分点约可减{worth.rule[k]:.1f}"
        for k in _largest(worth.rule)
    ]
    return [f"影子价格（线性松弛模型，负担指数）：{'；'.join(parts)}。"] if parts else []


def _largest(values: NDArray[np.float64]) -> list[int]:
    order: Sequence[int] = np.argsort(-values, kind="stable").tolist()
    return [k for k in order if values[k] > 0.05][:NAMED]


def state_method(problem: Problem, solution: Solution) -> list[str]:
    """How sure the optimum is and how the benefits were computed."""
    if not len(solution.chosen):
        return []
    proof = (
        f"负担指数{solution.objective:.1f}，已证明的下界{solution.bound:.1f}，间隙{100 * solution.gap:.1f}%。"
    )
    lagged = bool(problem.air.attribution.lag_share)
    when = "已计污染输送的滞后" if lagged else "按措施生效当日计算，未计污染输送的滞后"
    how = "颗粒物与O₃均按溯源敏感系数线性估算"
    if problem.surfaces:
        how = "颗粒物按溯源敏感系数线性估算，O₃按VOCs与NOx联合削减的响应曲面估算"
        how += "，单家企业的O₃效益为小幅削减时的斜率"
    return [proof, f"预计效益{when}；{how}。"]
