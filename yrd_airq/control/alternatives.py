"""What else could be done and what it would bring: the curve of scenarios beside the recommended list."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.control.building import at_quantile
from yrd_airq.control.problem import REACHED, Problem
from yrd_airq.control.solve import Solution, solve


def compare_scenarios(problem: Problem, solution: Solution) -> pd.DataFrame:
    """One row per scenario, from no control over the configured depths to the deepest measure everywhere.

    Columns: scenario_zh, enterprises (number), cost_index (burden in index points for the period),
    benefit_<target>_ugm3 (mean fall over receptors and days), goals_missed (receptor-day-targets
    that stay above the goal), worst_shortfall_ugm3. The last scenario bounds what the list could do
    at all; since ozone can rise, it need not be the best.
    """
    scenarios = {
        "不管控": np.array([], dtype=np.int64),
        **_depths(problem, solution),
        "推荐方案前一半企业": _best_half(problem, solution.chosen),
        "推荐方案（优化）": solution.chosen,
        "贪心排序方案": solution.greedy,
        "全部可管控企业取最强措施（上限）": _deepest(problem),
    }
    rows = [_describe(problem, name, chosen) for name, chosen in scenarios.items()]
    return pd.DataFrame(rows)


def _depths(problem: Problem, solution: Solution) -> dict[str, NDArray[np.int64]]:
    """The lightest list for each depth of control: another forecast quantile below the same goals."""
    found = {}
    for scenario in problem.settings.scenarios:
        level, of_scenario = scenario.goal_quantile, solution
        if level != problem.event.goal_quantile:
            of_scenario = solve(at_quantile(problem, level), problem.settings.solver.scenario_seconds)
        reached = "未能全部达标" if of_scenario.status == "infeasible_relaxed" else "达标"
        found[f"{scenario.name_zh}（{100 * level:.0f}%分位{reached}）"] = of_scenario.chosen
    return found


def _best_half(problem: Problem, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    by_merit = chosen[np.argsort(-problem.merit[chosen], kind="stable")]
    return np.sort(by_merit[: (len(chosen) + 1) // 2])


def _deepest(problem: Problem) -> NDArray[np.int64]:
    """The heaviest measure of every enterprise that has one."""
    by_burden = np.argsort(problem.burden, kind="stable")
    heaviest = np.full(len(problem.enterprises), -1, dtype=np.int64)
    heaviest[problem.enterprise[by_burden]] = by_burden
    return np.sort(heaviest[heaviest >= 0])


def _describe(problem: Problem, name: str, chosen: NDArray[np.int64]) -> dict[str, object]:
    fall = pd.Series(problem.fall(chosen)).groupby(problem.rows["target"].to_numpy()).mean()
    missing = problem.shortfall(chosen)
    goal = problem.rows["goal"].to_numpy(dtype=float)[problem.goal_rows]
    return {
        "scenario_zh": name,
        "enterprises": len(chosen),
        "cost_index": round(float(problem.burden[chosen].sum()), 1),
        **{f"benefit_{target}_ugm3": round(float(value), 3) + 0.0 for target, value in fall.items()},
        "goals_missed": int((missing > REACHED).sum()),
        "worst_shortfall_ugm3": round(float((missing * goal).max(initial=0.0)), 3),
    }
