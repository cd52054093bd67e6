"""The figures of the brief: which ones its content allows, and the charts; the maps are in ``maps``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from yrd_airq.brief import diagrams, maps
from yrd_airq.brief.canvas import FAINT, INK, MUTED, SERIES, TEXT_WIDTH_IN, label, new_figure, save, style
from yrd_airq.brief.content import Brief
from yrd_airq.brief.content_air import ForecastDay, detailed_targets
from yrd_airq.brief.content_sources import Budget
from yrd_airq.brief.typography import number, percent
from yrd_airq.region import Region, load_region
from yrd_airq.vocab import Target

_GOAL, _LIMIT = "#2E8B57", "#D1495B"
KIND_COLOURS = {
    "enterprise_sector": "#D9822B",
    "city": "#3B8EA5",
    "background": "#B8C4CA",
    "outside": "#7D8FA0",
    "other": "#9AA5AB",
}
KINDS_ZH = {
    "enterprise_sector": "清单企业",
    "city": "城市面源等未列清单排放",
    "background": "背景",
    "outside": "区域外输送",
    "other": "其余",
}


def figure_keys(brief: Brief) -> tuple[str, ...]:
    """Keys of the figures that the content allows, in order of appearance."""
    wanted = {
        "forecast_map": bool(brief.forecast.days),
        "forecast_chart": bool(_charted_targets(brief)),
        "trajectory_map": brief.transport is not None,
        "clusters": brief.transport is not None and bool(brief.transport.clusters),
        "attribution_bar": brief.attribution is not None and bool(brief.attribution.budgets),
        "source_rose": brief.attribution is not None and brief.attribution.rose is not None,
        "ozone_isopleth": brief.attribution is not None and brief.attribution.isopleth is not None,
    }
    return tuple(key for key, on in wanted.items() if on)


def draw_figures(brief: Brief, folder: Path) -> None:
    """Every figure of the brief as PNG and SVG in ``folder``, which must exist."""
    region = load_region()
    draw: dict[str, Callable[[Brief, Region], Figure]] = {
        "forecast_map": maps.draw_forecast_map,
        "forecast_chart": draw_forecast_chart,
        "trajectory_map": maps.draw_trajectory_map,
        "clusters": diagrams.draw_clusters,
        "attribution_bar": draw_attribution_bar,
        "source_rose": diagrams.draw_rose,
        "ozone_isopleth": diagrams.draw_isopleth,
    }
    with style():
        for key in figure_keys(brief):
            save(draw[key](brief, region), folder, key)


def _focus(brief: Brief) -> str:
    if brief.observed is not None:
        return brief.observed.focus
    return next(iter(brief.forecast.focus), "")


def _charted_targets(brief: Brief) -> list[Target]:
    focus = _focus(brief)
    return detailed_targets([day for day in brief.forecast.days if day.adcode == focus])


def draw_forecast_chart(brief: Brief, region: Region) -> Figure:
    """Focus city, one panel a target: observed days, forecast median with 80-% interval, limit and goal."""
    targets = _charted_targets(brief)
    figure = new_figure(TEXT_WIDTH_IN, 2.25)
    panels = figure.subplots(1, len(targets), squeeze=False)[0]
    focus = _focus(brief)
    days = [day for day in brief.forecast.days if day.adcode == focus]
    legend: dict[str, Artist] = {}
    for axes, target in zip(panels, targets, strict=True):
        _draw_series(axes, brief, days, target)
        converted = any(q.converted for day in days if (q := day.quantity(target)) is not None)
        unit = "（μg/m³，由日均值换算）" if converted else "（μg/m³）"
        title = f"{region.city(focus).short_zh}　{target.info.name_zh}{unit}"
        axes.set_title(label(title), fontsize=8.5, pad=4)
        handles, names = axes.get_legend_handles_labels()
        legend = dict(zip(names, handles, strict=True)) | legend
    figure.legend(
        list(legend.values()),
        list(legend),
        loc="outside lower center",
        ncols=len(legend),
        frameon=False,
        fontsize=7.5,
    )
    return figure


def _draw_series(axes: Axes, brief: Brief, days: list[ForecastDay], target: Target) -> None:
    issue = brief.header.issue_time.date()
    past = [
        (v.date, v.value) for v in (brief.observed.recent if brief.observed else ()) if v.target is target
    ]
    coming = [(day.date, q) for day in days if (q := day.quantity(target)) is not None]
    if past:
        x = [(day - issue).days for day, _ in past]
        axes.plot(x, [v for _, v in past], "-o", color=INK, ms=3, linewidth=1, label="实况")
    x = [(day - issue).days for day, _ in coming]
    mid = np.array([q.q50 for _, q in coming])
    low, high = np.array([q.q10 for _, q in coming]), np.array([q.q90 for _, q in coming])
    axes.bar(x, high - low, bottom=low, width=0.5, color=SERIES[0], alpha=0.28, label="预报80%区间")
    axes.plot(x, mid, "D", color=SERIES[0], ms=4, label="预报中位值")
    for day, value in zip(x, mid, strict=True):
        axes.annotate(
            number(value), (day, value), xytext=(0, 5), textcoords="offset points", fontsize=6.5, ha="center"
        )
    limit = next((q.limit for _, q in coming if q.limit is not None), None)
    goal = brief.occasion.goals.get(target) if brief.occasion else None
    if limit is not None:
        axes.axhline(limit, color=_LIMIT, linewidth=0.9, linestyle="--", label="二级标准限值")
    if goal is not None and goal != limit:
        axes.axhline(goal, color=_GOAL, linewidth=0.9, linestyle="-.", label="活动保障目标")
    top = max([*high, *[v for _, v in past], limit or 0, goal or 0])
    axes.set_ylim(0, top * 1.15)
    _label_days(axes, issue, [(day - issue).days for day, _ in past] + x)


def _label_days(axes: Axes, issue: date, offsets: list[int]) -> None:
    shown = sorted(set(offsets))
    axes.set_xticks(shown)
    names = [issue + timedelta(days=k) for k in shown]
    axes.set_xticklabels([f"{d.day}日" for d in names], fontsize=6.5)
    axes.set_xlim(shown[0] - 0.6, shown[-1] + 0.8)
    axes.tick_params(length=2, labelsize=6.5)
    axes.grid(axis="y", color=FAINT, linewidth=0.4)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def draw_attribution_bar(brief: Brief, region: Region) -> Figure:
    """One panel a target: the parts of the budget of the leading receptor-day, largest on top."""
    assert brief.attribution is not None
    chosen = leading_budgets(brief.attribution.budgets)
    parts = max(len(budget.parts) for budget in chosen)
    figure = new_figure(TEXT_WIDTH_IN * 0.92, 0.75 + 0.19 * parts)
    panels = figure.subplots(1, len(chosen), squeeze=False)[0]
    for axes, budget in zip(panels, chosen, strict=True):
        _draw_budget(axes, budget)
    kinds = dict.fromkeys(part.kind for budget in chosen for part in budget.parts)
    handles = [Patch(color=KIND_COLOURS.get(k, "#9AA5AB"), label=KINDS_ZH.get(k, k)) for k in kinds]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=7)
    return figure


def leading_budgets(budgets: tuple[Budget, ...]) -> list[Budget]:
    """The first budget of each target, in the order of the content."""
    first: dict[Target, Budget] = {}
    for budget in budgets:
        first.setdefault(budget.target, budget)
    return list(first.values())


def _draw_budget(axes: Axes, budget: Budget) -> None:
    names = [label(part.part_zh) for part in budget.parts]
    values = np.array([part.contribution_ugm3 for part in budget.parts])
    colours = [KIND_COLOURS.get(part.kind, "#9AA5AB") for part in budget.parts]
    position = np.arange(len(values))[::-1]
    axes.barh(position, values, color=colours, height=0.7)
    for y, part in zip(position, budget.parts, strict=True):
        text = f" {number(part.contribution_ugm3, 1)}（{percent(part.share)}）"
        end = max(part.contribution_ugm3, part.high_ugm3 or 0, 0)
        axes.text(end, y, label(text), va="center", fontsize=6.5)
        if part.low_ugm3 is not None and part.high_ugm3 is not None:
            axes.plot([part.low_ugm3, part.high_ugm3], [y, y], color=INK, linewidth=0.8, zorder=3)
    axes.set_yticks(position, names, fontsize=7)
    axes.tick_params(length=0, labelsize=7)
    largest = max(*(part.high_ugm3 or 0 for part in budget.parts), values.max(), 0.1)
    axes.set_xlim(min(0.0, values.min() * 1.1), largest * 1.42)
    axes.set_xticks([])
    title = f"{budget.city_zh} {budget.date.month}月{budget.date.day}日 {budget.target.info.name_zh}（μg/m³）"
    axes.set_title(label(title), fontsize=8.5, pad=4)
    axes.axvline(0, color=MUTED, linewidth=0.6)
    for side in ("top", "right", "bottom", "left"):
        axes.spines[side].set_visible(False)
