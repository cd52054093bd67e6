"""What has to be said beside the list, in Chinese: what it cannot reach and what is unknown."""

from __future__ import annotations

import numpy as np
import pandas as pd

from yrd_airq.attribution.matrix import Attribution
from yrd_airq.control.eligibility import Status
from yrd_airq.control.honesty import (
    name_broken,
    name_rows,
    report_ozone_rise,
    state_chances,
    state_method,
    state_prices,
    state_range,
)
from yrd_airq.control.problem import REACHED, Problem
from yrd_airq.control.solve import Solution
from yrd_airq.region import Region

GOALS_NAMED = 6
ENDED_NAMED = 3
_KINDS_ZH = {
    "enterprise_sector": "清单企业",
    "city": "区域内清单外源",
    "background": "背景",
    "outside": "区域外输入",
}


def write_notes(
    problem: Problem,
    solution: Solution,
    receptors: pd.DataFrame,
    attribution: Attribution,
    region: Region,
) -> tuple[str, ...]:
    """Sentences in the order of their weight; ``receptors`` is the table of a plan."""
    notes = [
        *_verdict(problem, solution),
        *name_broken(problem, solution),
        *_name_shortfalls(receptors, attribution, region),
        *_doubt_large_benefits(problem, solution, region),
        *report_ozone_rise(problem, solution, region),
        *state_chances(problem, solution, region),
        *state_range(problem, solution),
        *_compare_with_greedy(problem, solution),
        *state_prices(problem, solution, region),
        *_name_missing_forecasts(problem, region),
        *_count_unknowns(problem, solution),
        *_name_ended_exemptions(problem),
        *state_method(problem, solution),
    ]
    return tuple(notes)


def _verdict(problem: Problem, solution: Solution) -> list[str]:
    quantile = f"{100 * problem.event.goal_quantile:.0f}%分位预报"
    if solution.status == "not_needed":
        return [f"各受体城市{quantile}均不超过保障目标，无须启动企业管控；可管控企业仅列出备查，未选入。"]
    if solution.status == "infeasible_relaxed" and solution.missed[0] <= REACHED:
        return [
            f"按{quantile}，所列措施可使各受体城市和日期达到保障目标，但不能满足全部管控规定，所列为违反最小的方案。"
        ]
    if solution.status == "infeasible_relaxed":
        return [
            "清单内措施全部用上也不能使所有受体城市和日期达到保障目标，所列为缺口最小的方案"
            f"（保留最大可降幅的{100 * float(problem.settings.kept_share):.0f}%以上）。"
        ]
    reached = f"按{quantile}，所列{len(solution.chosen)}家企业的措施可使各受体城市和日期达到保障目标。"
    if solution.status == "gap":
        limit = problem.settings.solver.seconds
        return [
            reached,
            f"求解在{limit:.0f}秒内未证明最优，负担与最优的差距不超过{100 * solution.gap:.1f}%。",
        ]
    return [reached]


def _name_shortfalls(receptors: pd.DataFrame, attribution: Attribution, region: Region) -> list[str]:
    """A sentence for each of the goals that are missed most, and the number of the others."""
    relative = receptors["shortfall_ugm3"] / receptors["goal"]
    missed = receptors[relative > REACHED]
    worst = missed.loc[relative[missed.index].nlargest(GOALS_NAMED).index].sort_index()
    parts = _source_parts(worst, attribution)
    numbers = worst[["forecast_q", "goal", "required_ugm3", "achieved_ugm3", "shortfall_ugm3"]].to_numpy()
    notes = [
        f"{where}：目标分位预报{q:.1f}、目标{goal:.0f}，须降{required:.2f}，清单措施可降{achieved:.2f}，"
        f"仍差{left:.2f}微克/立方米，清单管控不能使该日达标，缺口须由移动源、扬尘、面源等清单外来源"
        f"和上风向区域协同补足{part}。"
        for where, (q, goal, required, achieved, left), part in zip(
            name_rows(worst, region), numbers, parts, strict=True
        )
    ]
    if len(missed) > len(worst):
        notes.append(f"另有{len(missed) - len(worst)}个受体日未达目标，见逐日目标表。")
    return notes


def _source_parts(rows: pd.DataFrame, attribution: Attribution) -> list[str]:
    """Shares of the kinds of sources in the closing budget of each row, in brackets."""
    budget = attribution.budget.assign(
        date=pd.to_datetime(attribution.budget["date"]), target=attribution.budget["target"].astype(str)
    )
    share = budget.pivot_table(
        index=["receptor", "date", "target"], columns="kind", values="share", aggfunc="sum"
    )
    keys = pd.MultiIndex.from_arrays([rows["adcode"], pd.to_datetime(rows["date"]), rows["target"]])
    table = share.reindex(index=keys, columns=list(_KINDS_ZH)).to_numpy(dtype=float)
    texts = [
        "、".join(
            f"{name}{100 * part:.0f}%"
            for name, part in zip(_KINDS_ZH.values(), row, strict=True)
            if not np.isnan(part)
        )
        for row in table
    ]
    return [f"（溯源构成：{text}）" if text else "" for text in texts]


def _doubt_large_benefits(problem: Problem, solution: Solution, region: Region) -> list[str]:
    fall = problem.fall(solution.chosen)
    part = fall / problem.rows["central"].to_numpy(dtype=float)
    limit = float(problem.settings.doubtful_share)
    large = np.flatnonzero(np.nan_to_num(part) > limit)
    where = name_rows(problem.rows.iloc[large], region)
    return [
        f"{name}：预计改善{100 * part[row]:.0f}%，超过{100 * limit:.0f}%，高于已发表的保障实效"
        "（O₃-8h 约7%～12%，PM₂.₅ 约5%～15%），该估算可能偏大。"
        for name, row in zip(where, large, strict=True)
    ]


def _compare_with_greedy(problem: Problem, solution: Solution) -> list[str]:
    if not len(solution.chosen) or not len(solution.greedy):
        return []
    burden = problem.burden[solution.greedy].sum()
    text = f"贪心排序方案须{len(solution.greedy)}家、负担指数{burden:.1f}；"
    text += f"优化方案{len(solution.chosen)}家、{solution.objective:.1f}"
    missing = problem.shortfall(solution.greedy).sum() - problem.shortfall(solution.chosen).sum()
    return [text + ("；贪心方案离目标更远。" if missing > 2 * REACHED else "。")]


def _name_missing_forecasts(problem: Problem, region: Region) -> list[str]:
    missing = name_rows(problem.unforecast, region)
    if not missing:
        return []
    more = f"等{len(missing)}项" if len(missing) > GOALS_NAMED else ""
    return ["以下日期和项目没有预报，未参与优化：" + "、".join(missing[:GOALS_NAMED]) + more + "。"]


def _name_ended_exemptions(problem: Problem) -> list[str]:
    """Who was exempt until before the controls and may be asked now."""
    table = problem.enterprises
    ended = table[table["exempt"].fillna(False).astype(bool) & (table["status"] != Status.EXEMPT)]
    if ended.empty:
        return []
    named = "、".join(ended["name_zh"].head(ENDED_NAMED))
    return [f"{named}等{len(ended)}家企业的豁免在管控开始前已到期，按一般企业对待；如已延期，请更新清单。"]


def _count_unknowns(problem: Problem, solution: Solution) -> list[str]:
    table = problem.enterprises
    status = table["status"]
    chosen = table.iloc[problem.enterprise[solution.chosen]]
    counts = {
        "家企业排放量未知，不能评估、未列入": status == Status.UNKNOWN_EMISSION,
        "家管控圈内企业没有适用措施": status == Status.NO_MEASURE,
        f"家入选企业绩效等级未知，按{problem.settings.grades.unknown_as}默认处理": ~chosen["grade_known"],
        "家入选企业成本未知，按负担指数排序，费用栏留空": chosen["cost_cny_per_day"].isna(),
        "家入选企业的排放量为按产能估算，不代表实际排放": chosen["emission_basis"]
        == "estimated_from_capacity",
    }
    return [f"有{int(which.sum())}{text}。" for text, which in counts.items() if which.any()]
