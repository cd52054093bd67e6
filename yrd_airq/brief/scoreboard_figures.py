"""The figures of the scoreboard: error by lead, skill on the map, reliability, PIT and level accuracy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from yrd_airq.brief import scoreboard_words as words
from yrd_airq.brief.canvas import (
    FAINT,
    INK,
    MUTED,
    SERIES,
    TEXT_WIDTH_IN,
    frame_map,
    label,
    new_figure,
    save,
    style,
)
from yrd_airq.brief.maps import draw_outlines
from yrd_airq.brief.scoreboard_sections import city_rows, with_events
from yrd_airq.region import Region
from yrd_airq.verify.scoreboard import Sample, Scoreboard

_OURS = SERIES[0]
_HIT, _HIGH, _LOW = "#2E8B57", "#D9822B", "#3B8EA5"


def draw_scoreboard(board: Scoreboard, region: Region, folder: Path) -> None:
    """Every figure that the scores allow as PNG and SVG in ``folder``, which must exist."""
    draw: dict[str, Callable[[Scoreboard, Region], Figure]] = {
        "score_leads": draw_leads,
        "score_map": draw_map,
    }
    if with_events(board):
        draw["score_reliability"] = draw_reliability
    if len(board.pit):
        draw["score_pit"] = draw_pit
    if len(board.official):
        draw["score_official"] = draw_official
    with style():
        for key, make in draw.items():
            save(make(board, region), folder, key)


def draw_leads(board: Scoreboard, region: Region) -> Figure:
    """RMSE of every method over the lead, a panel a target; ours with its interval."""
    figure, panels = _panels(board.samples, 2.2)
    handles: dict[str, Any] = {}
    for axes, sample in zip(panels, board.samples, strict=False):
        focus = words.focus_of(board, sample.target)
        own = board.intervals[
            (board.intervals["target"] == sample.target.value) & (board.intervals["score"] == "rmse")
        ]
        for k, name in enumerate(sample.models):
            line = own[own["model"] == name].sort_values("lead_day")
            main = name == focus
            colour = _OURS if main else SERIES[1 + k % (len(SERIES) - 1)]
            (handles[words.method_zh(name)],) = axes.plot(
                line["lead_day"],
                line["value"],
                "-o",
                color=colour,
                ms=3.5 if main else 2.5,
                linewidth=1.6 if main else 0.8,
            )
            if main:
                axes.vlines(
                    line["lead_day"], line["low"], line["high"], color=colour, linewidth=2.2, alpha=0.35
                )
        axes.set_title(
            label(f"{sample.target.info.name_zh}（{words.unit_zh(sample.target)}）"), fontsize=8.5, pad=4
        )
        axes.set_xlabel("预见期（天）", fontsize=7.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        _finish(axes)
    _legend(figure, handles)
    return figure


def draw_map(board: Scoreboard, region: Region) -> Figure:
    """Skill against persistence of each city as a dot on the map, a panel a target."""
    figure, panels = _panels(board.samples, 2.1)
    norm = TwoSlopeNorm(0.0, -0.5, 0.5)
    for axes, sample in zip(panels, board.samples, strict=False):
        frame_map(axes)
        draw_outlines(axes, region)
        rows = city_rows(board, sample)
        places = [region.city(str(code)) for code in rows["part"]]
        axes.scatter(
            [p.lon for p in places],
            [p.lat for p in places],
            c=rows["skill"],
            cmap="RdBu",
            norm=norm,
            s=34,
            edgecolors=MUTED,
            linewidths=0.4,
            zorder=3,
        )
        axes.set_title(
            label(f"{sample.target.info.name_zh}　提前{words.lead_zh(sample.leads[0])}"), fontsize=8.5, pad=4
        )
    bar = figure.colorbar(
        ScalarMappable(norm, "RdBu"),
        ax=list(panels),
        shrink=0.8,
        pad=0.01,
        extend="both",
        format=lambda value, _: words.signed_percent(value),
    )
    bar.ax.tick_params(labelsize=6.5, length=2)
    bar.set_ticks([-0.5, -0.25, 0.0, 0.25, 0.5])
    return figure


def draw_reliability(board: Scoreboard, region: Region) -> Figure:
    """Observed frequency over stated probability of our method, a panel a target with enough to show."""
    samples = with_events(board)
    figure, panels = _panels(samples, 2.2)
    handles: dict[str, Any] = {}
    for axes, sample in zip(panels, samples, strict=False):
        own = _of_focus(board.reliability, board, sample)
        axes.plot([0, 1], [0, 1], color=FAINT, linewidth=0.8)
        for k, (lead, line) in enumerate(own.groupby("lead_day")):
            colour = SERIES[k % len(SERIES)]
            (handles[f"提前{words.lead_zh(int(str(lead)))}"],) = axes.plot(
                line["stated"], line["observed"], "-", color=colour, linewidth=0.9
            )
            filled = np.where(line["judged"], colour, "white")
            axes.scatter(
                line["stated"], line["observed"], s=14, c=filled, edgecolors=colour, linewidths=0.8, zorder=3
            )
        axes.set_xlim(-0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_aspect("equal")
        axes.set_title(label(sample.target.info.name_zh), fontsize=8.5, pad=4)
        axes.set_xlabel("预报概率", fontsize=7.5)
        _finish(axes)
    panels[0].set_ylabel("实况频率", fontsize=7.5)
    _legend(figure, handles)
    return figure


def draw_pit(board: Scoreboard, region: Region) -> Figure:
    """Share of observations between neighbouring quantiles over its nominal share, a panel a target."""
    figure, panels = _panels(board.samples, 1.9)
    handles: dict[str, Any] = {}
    for axes, sample in zip(panels, board.samples, strict=False):
        own = _of_focus(board.pit, board, sample)
        leads = sorted(own["lead_day"].unique())
        for k, lead in enumerate(leads):
            line = own[own["lead_day"] == lead].sort_values("low")
            ratio = (line["share"] / line["nominal"]).to_numpy()
            handles[f"提前{words.lead_zh(int(lead))}"] = axes.stairs(
                ratio, [*line["low"], 1.0], color=SERIES[k % len(SERIES)], linewidth=1.1, baseline=None
            )
        axes.axhline(1.0, color=MUTED, linewidth=0.6, linestyle="--")
        axes.set_ylim(0, None)
        axes.set_xticks(sorted(set(own["high"]) - {1.0}))
        axes.set_title(label(sample.target.info.name_zh), fontsize=8.5, pad=4)
        axes.set_xlabel("预报分布的分位", fontsize=7.5)
        _finish(axes)
    _legend(figure, handles)
    return figure


def draw_official(board: Scoreboard, region: Region) -> Figure:
    """Level hit, too low and too high by observed level, our method beside each simple one."""
    table = board.official[board.official["lead_day"] == board.official["lead_day"].min()]
    levels = [name for name in words.PARTS_ZH if name in set(table["level_observed"])]
    models = sorted(
        table["model"].unique(),
        key=lambda name: (name != words.focus_of(board, board.samples[0].target), name),
    )
    figure = new_figure(TEXT_WIDTH_IN, 0.42 * len(models) + 1.2)
    panels = figure.subplots(1, len(levels), sharey=True, squeeze=False)[0]
    handles: dict[str, Any] = {}
    for axes, level in zip(panels, levels, strict=True):
        own = table[table["level_observed"] == level].set_index("model").reindex(models)
        start = np.zeros(len(models))
        for name, colour, word in (("level", _HIT, "准确"), ("high", _HIGH, "偏高"), ("low", _LOW, "偏低")):
            values = own[name].fillna(0.0).to_numpy()
            handles[word] = axes.barh(range(len(models)), values, left=start, color=colour, height=0.7)
            start = start + values
        axes.set_xlim(0, 1)
        axes.set_xticks([0, 1], ["0", "100%"])
        axes.set_title(f"{words.PARTS_ZH[level]}\n（{int(own['n'].max())}）", fontsize=7.5, pad=3)
        axes.tick_params(labelsize=6.5, length=0)
        axes.spines[["top", "right", "left"]].set_visible(False)
    panels[0].set_yticks(range(len(models)), [words.method_zh(name) for name in models], fontsize=7.5)
    panels[0].invert_yaxis()
    _legend(figure, handles)
    return figure


def _panels(samples: Sequence[Sample], height_in: float) -> tuple[Figure, list[Axes]]:
    """A figure with a panel for each target, at most four abreast; unused places are blank."""
    across = min(words.PAGE_PANELS, len(samples))
    down = -(-len(samples) // across)
    figure = new_figure(TEXT_WIDTH_IN * words.width_of(len(samples)), height_in * down + 0.3)
    panels = list(figure.subplots(down, across, squeeze=False).ravel())
    for axes in panels[len(samples) :]:
        axes.set_axis_off()
    return figure, panels


def _of_focus(table: pd.DataFrame, board: Scoreboard, sample: Sample) -> pd.DataFrame:
    focus = words.focus_of(board, sample.target)
    return table[(table["target"] == sample.target.value) & (table["model"] == focus)]


def _finish(axes: Axes) -> None:
    axes.tick_params(labelsize=6.5, length=2)
    axes.grid(color=FAINT, linewidth=0.4)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.label.set_color(INK)


def _legend(figure: Figure, handles: dict[str, Any]) -> None:
    figure.legend(
        list(handles.values()),
        list(handles),
        loc="outside lower center",
        ncols=min(len(handles), 6 if figure.get_figwidth() > 5 else 3),
        frameon=False,
        fontsize=7.5,
    )
