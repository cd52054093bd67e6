"""The charts of the assessment: observed against expected days, and the effects with their intervals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.figure import Figure

from yrd_airq.brief.assessment import Assessment
from yrd_airq.brief.canvas import FAINT, INK, MUTED, SERIES, TEXT_WIDTH_IN, label, new_figure, save, style
from yrd_airq.region import Region

_BEFORE = pd.Timedelta(days=20)
_AFTER = pd.Timedelta(days=15)
_DAY = pd.Timedelta(days=1)


def draw_assessment(of: Assessment, region: Region, folder: Path) -> None:
    """Every figure of the report as PNG and SVG in ``folder``."""
    with style():
        save(draw_courses(of, region), folder, "assessment_course")
        if any(effect.verdict != "no_claim" for effect in of.at_receptors):
            save(draw_effects(of, region), folder, "assessment_effect")


def draw_courses(of: Assessment, region: Region) -> Figure:
    """Observed and expected days around the controls in the first receptor, a panel a target."""
    city = of.event.receptors[0]
    begin, end = pd.Timestamp(of.first), pd.Timestamp(of.last)
    count = len(of.expectations)
    figure = new_figure(TEXT_WIDTH_IN, 1.45 * count + 0.5)
    panels = np.atleast_1d(figure.subplots(count, 1, sharex=True))
    for axes, expectation in zip(panels, of.expectations, strict=True):
        k = expectation.adcodes.index(city)
        shown = (expectation.dates >= begin - _BEFORE) & (expectation.dates <= end + _AFTER)
        days = expectation.dates[shown]
        residual = expectation.log_residual[k, expectation.trained]
        low, high = np.quantile(np.exp(residual[np.isfinite(residual)]), (0.1, 0.9))
        expected = expectation.expected[k, shown]
        axes.axvspan(begin - 0.5 * _DAY, end + 0.5 * _DAY, color=FAINT, alpha=0.5, linewidth=0)
        axes.fill_between(days, expected * low, expected * high, color=SERIES[0], alpha=0.15, linewidth=0)
        axes.plot(days, expected, color=SERIES[0], linewidth=1.3, label="气象条件推算")
        axes.plot(days, expectation.observed[k, shown], "-o", color=INK, linewidth=1, ms=2.2, label="观测")
        axes.set_ylim(bottom=0)
        axes.set_ylabel(label(f"{expectation.target.info.name_zh}（μg/m³）"), fontsize=7.5)
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=7)
    panels[0].set_title(region.city(city).short_zh, fontsize=9)
    panels[0].legend(fontsize=7, frameon=False, ncols=2, loc="upper right")
    panels[-1].xaxis.set_major_locator(AutoDateLocator(maxticks=9))
    panels[-1].xaxis.set_major_formatter(DateFormatter("%m-%d"))
    return figure


def draw_effects(of: Assessment, region: Region) -> Figure:
    """Relative effects of the receptors with their intervals, and beside them those over other cities."""
    stated = [effect for effect in of.at_receptors if effect.verdict != "no_claim"][::-1]
    figure = new_figure(TEXT_WIDTH_IN * 0.8, 0.42 * len(stated) + 0.9)
    axes = figure.subplots()
    place = np.arange(len(stated), dtype=float)
    axes.axvline(0, color=MUTED, linewidth=0.8)
    axes.hlines(
        place, [100 * e.low for e in stated], [100 * e.high for e in stated], color=SERIES[0], linewidth=2
    )
    axes.plot([100 * e.effect for e in stated], place, "o", color=SERIES[0], ms=5, label="气象标准化")
    beside = [(k - 0.22, e) for k, e in enumerate(stated) if np.isfinite(e.did)]
    if beside:
        rows = [k for k, _ in beside]
        lows, highs = ([100 * getattr(e, name) for _, e in beside] for name in ("did_low", "did_high"))
        axes.hlines(rows, lows, highs, color=SERIES[4], linewidth=1.2)
        axes.plot(
            [100 * e.did for _, e in beside], rows, "s", color=SERIES[4], ms=3.5, label="再扣除圈外对照"
        )
    last = [(k + 0.2, e.last_year) for k, e in enumerate(stated) if np.isfinite(e.last_year)]
    if last:
        axes.plot(
            [100 * v for _, v in last], [k for k, _ in last], "x", color=MUTED, ms=4, label="较上年同期"
        )
    names = [label(f"{region.city(e.adcode).short_zh}{e.target.info.name_zh}") for e in stated]
    axes.set_yticks(place, names, fontsize=8)
    axes.set_ylim(-0.6, len(stated) - 0.4)
    axes.set_xlabel("变化（%）", fontsize=8)
    axes.legend(fontsize=7, frameon=False, loc="best")
    axes.spines[["top", "right"]].set_visible(False)
    return figure
