"""The scoreboard as Markdown: the tables that are asked for first; the rest is in the data files."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from yrd_airq.verify.scoreboard import LINE, Sample, Scoreboard

_WHOLE = (
    ("n", 0),
    ("rmse", 2),
    ("rmse_low", 2),
    ("rmse_high", 2),
    ("skill", 3),
    ("mb", 2),
    ("mae", 2),
    ("nmb", 3),
    ("nme", 3),
    ("r", 3),
    ("ioa", 3),
    ("coverage80", 3),
    ("crps", 2),
)
_COMPARED = (
    ("days", 0),
    ("rmse_gain", 2),
    ("rmse_gain_low", 2),
    ("rmse_gain_high", 2),
    ("skill", 3),
    ("dm", 2),
    ("p_value", 4),
)
_EVENTS = (("hits", 0), ("false_alarms", 0), ("misses", 0), ("pod", 2), ("far", 2), ("csi", 2), ("brier", 3))
_OFFICIAL = (
    ("n", 0),
    ("range", 3),
    ("level", 3),
    ("high", 3),
    ("low", 3),
    ("half_level", 3),
    ("primary_n", 0),
    ("primary", 3),
)


def write_markdown(board: Scoreboard) -> str:
    """Samples, scores over all cases, comparisons, exceedance of the limit and official accuracy."""
    lines = ["# Scoreboard", ""]
    for sample in board.samples:
        lines += [_describe(sample), ""]
    whole = board.parts[board.parts["part_kind"] == "all"]
    bounds = board.intervals[board.intervals["score"] == "rmse"]
    bounds = bounds.rename(columns={"low": "rmse_low", "high": "rmse_high"})
    whole = whole.merge(bounds[[*LINE, "rmse_low", "rmse_high"]], on=LINE, how="left")
    lines += [
        "## All cases",
        "",
        "Skill is 1 - RMSE / RMSE of persistence.",
        "",
        *_table(whole, LINE, _WHOLE),
    ]
    if len(board.comparisons):
        text = (
            "Gain is the other's RMSE less ours; intervals by blocks of days, p by the Diebold-Mariano test."
        )
        named = ["target", "model", "against", "lead_day"]
        lines += [
            "",
            "## Against each other method",
            "",
            text,
            "",
            *_table(board.comparisons, named, _COMPARED),
        ]
    if len(board.exceedance):
        events = board.exceedance.reindex(columns=[*board.exceedance.columns.union(["brier"], sort=False)])
        named = [*LINE, "threshold", "call"]
        lines += ["", "## Exceedance", "", *_table(events, named, _EVENTS)]
    if len(board.official):
        named = ["model", "lead_day", "level_observed"]
        lines += [
            "",
            "## AQI range, level and first pollutant",
            "",
            *_table(board.official, named, _OFFICIAL),
        ]
    return "\n".join(lines) + "\n"


def _describe(sample: Sample) -> str:
    text = (
        f"- `{sample.target.value}`: {sample.first} to {sample.last}, {sample.cities} cities, {sample.n} "
        f"city-days at D+{sample.leads[0]} that every method has; "
        f"target-day weather: {', '.join(sample.weather) or 'none'}"
    )
    if sample.perfect_prognosis:
        text += " (perfect prognosis: not what an issued forecast reaches)"
    if sample.left_out:
        text += f"; left out for too few city-days: {', '.join(sample.left_out)}"
    return text


def _table(rows: pd.DataFrame, names: Sequence[str], figures: Sequence[tuple[str, int]]) -> list[str]:
    shown = [(name, digits) for name, digits in figures if name in rows.columns]
    heads = [*names, *(name for name, _ in shown)]
    columns = [rows[name].astype(str) for name in names]
    columns += [rows[name].map(lambda value, d=digits: _number(value, d)) for name, digits in shown]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return [*lines, *("| " + " | ".join(cells) + " |" for cells in zip(*columns, strict=True))]


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if np.isfinite(value) else "-"
