"""The words of the scoreboard page: names of methods and parts, verdicts, numbers with their intervals."""

from __future__ import annotations

import math

import pandas as pd

from yrd_airq.brief.typography import MISSING, number, percent
from yrd_airq.forecast.baselines import CLIMATOLOGY, DAMPED, PERSISTENCE, ROLLING, SIMPLE, WEEK
from yrd_airq.forecast.correction import FORECASTER
from yrd_airq.forecast.model import MODEL_NAME
from yrd_airq.verify.scoreboard import ISSUED, UNCORRECTED, Scoreboard
from yrd_airq.vocab import Target

SIGNIFICANT = 0.05
PAGE_PANELS = 4
METHODS_ZH = {
    ISSUED: "本系统（发布）",
    UNCORRECTED: "本系统（订正前）",
    FORECASTER: "预报员订正",
    MODEL_NAME: "本系统",
    PERSISTENCE: "持续性（昨日值）",
    ROLLING: "近24小时持续性",
    WEEK: "前7日平均",
    CLIMATOLOGY: "气候平均",
    DAMPED: "衰减持续性",
}
PARTS_ZH = {
    "all": "全部",
    "spring": "春季",
    "summer": "夏季",
    "autumn": "秋季",
    "winter": "冬季",
    "1": "优",
    "2": "良",
    "3": "轻度污染",
    "4": "中度污染",
    "5": "重度污染",
    "6": "严重污染",
    "rise": "骤升日",
    "fall": "骤降日",
    "steady": "平稳日",
}
WEATHER_ZH = {
    "forecast": "预报场",
    "analysis": "分析场（完美预报，不代表业务预报水平）",
    "observed": "实况（完美预报，不代表业务预报水平）",
}
GRADES_ZH = {"goal": "达目标值", "criteria": "达准则值", "none": "未达"}


def method_zh(model: str) -> str:
    """Name of a method; unknown ones as they are."""
    name, at, folder = model.partition("@")
    return METHODS_ZH.get(name, name) + (f"（{folder}）" if at else "")


def focus_of(board: Scoreboard, target: Target) -> str | None:
    """The method the page is about: as issued, else the system's model, else the first that is not simple."""
    sample = next(s for s in board.samples if s.target is target)
    ours = [name for name in sample.models if name not in SIMPLE]
    return next((name for name in (ISSUED, MODEL_NAME, *ours) if name in ours), None)


def level_of(row: pd.Series) -> int | None:
    """Observed level of a line, to colour its cell."""
    name = str(row["level_observed"])
    return int(name) if name.isdigit() else None


def width_of(panels: int) -> float:
    """Width of a figure of so many panels as a share of the page, at least half."""
    return max(2, min(PAGE_PANELS, panels)) / PAGE_PANELS


def lead_zh(lead: int) -> str:
    """``1天``: how long ahead."""
    return f"{lead}天"


def digits_of(target: Target) -> int:
    """Decimals of a concentration of the target."""
    return 2 if target is Target.CO else 1


def unit_zh(target: Target) -> str:
    """Unit of the target's values."""
    return "mg/m³" if target is Target.CO else "μg/m³"


def signed_percent(value: float | None) -> str:
    """A share with its sign: ``+27%``, ``−3%``."""
    if value is None or math.isnan(value):
        return MISSING
    text = number(value * 100)
    return f"{'+' if float(f'{value * 100:.0f}') > 0 else ''}{text}%"


def with_interval(value: float, low: float, high: float, digits: int) -> str:
    """``37.6（34.2～40.9）``."""
    if math.isnan(value):
        return MISSING
    return f"{number(value, digits)}（{number(low, digits)}～{number(high, digits)}）"


def p_zh(p: float) -> str:
    """A p-value as printed."""
    if math.isnan(p):
        return MISSING
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def verdict_zh(gain: float, p: float) -> str:
    """Whether one method beats another: 显著偏优, 偏优（不显著）, …."""
    if math.isnan(gain) or math.isnan(p):
        return MISSING
    side = "偏优" if gain > 0 else "偏差"
    return f"显著{side}" if p < SIGNIFICANT else f"{side}（不显著）"


def gain_zh(skill: float, p: float) -> str:
    """``低27%（差异显著）``: the error against another method's."""
    sure = "差异显著" if p < SIGNIFICANT else "差异不显著"
    return f"{'低' if skill >= 0 else '高'}{percent(abs(skill))}（{sure}）"
