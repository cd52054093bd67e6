"""Forecasts as they would have been issued over a past period, beside the simple ones, with scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.forecast.baselines import CLIMATOLOGY, PERSISTENCE, SIMPLE, simple_rows
from yrd_airq.forecast.exceedance import called
from yrd_airq.forecast.issue import predict
from yrd_airq.forecast.metrics import coverage, point_scores, skill
from yrd_airq.forecast.model import MODEL_NAME, Model
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.registry import train_or_load
from yrd_airq.forecast.review import known
from yrd_airq.forecast.rows import COLUMNS
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.forecast.training import train
from yrd_airq.vocab import Target, WeatherKind

_STATEMENTS = {
    WeatherKind.NONE: "no weather of the issue date or later was used",
    WeatherKind.ANALYSIS: "perfect prognosis: analysed weather of the target days stands in for a forecast",
    WeatherKind.OBSERVED: "perfect prognosis: observed weather of the target days stands in for a forecast",
    WeatherKind.FORECAST: "forecast weather of the target days as issued",
}


@dataclass(frozen=True)
class Backtest:
    """``forecasts``: forecast columns + ``exceed`` (the call, 0 or 1) and ``observed``, by model; ``scores``:
    what ``scores.json`` holds.
    """

    forecasts: pd.DataFrame
    scores: dict[str, Any]
    model: Model


def backtest(
    panel: Panel,
    target: Target,
    first: date,
    last: date,
    leads: Sequence[int],
    train_until: date,
    weather: WeatherKind,
    settings: ForecastSettings,
    *,
    thresholds: Mapping[Target, float] | None = None,
    models: Path | None = None,
) -> Backtest:
    """Train up to ``train_until`` and issue at the panel's issue hour for the days ``first`` … ``last``.

    Issues made on or before ``train_until`` are left out, since the model has learnt from days they could
    not know; so a long lead lacks the first days if the period begins right after the training. ``models``
    is a registry to find or keep the model in. ``InputError`` for an empty period, a period that reaches
    into the training or beyond the archive, or weather of another kind than asked for.
    """
    _check_period(panel, first, last, train_until)
    if models is None:
        model = train(panel, target, train_until, leads, weather, settings)
    else:
        model = train_or_load(panel, target, train_until, leads, weather, settings, models)
    _check_weather(panel, first, last, weather)
    frames = [_one_lead(panel, model, first, last, train_until, lead, thresholds) for lead in leads]
    rows = pd.concat(frames, ignore_index=True)
    rows["observed"] = observe(panel, rows)
    rows = rows.sort_values(["model", "issue_time", "adcode", "lead_day"], kind="stable", ignore_index=True)
    rows["exceed"] = called(rows)
    rows = rows[[*COLUMNS, "exceed", "observed"]]
    if not rows["observed"].notna().any():
        raise InputError(f"{target}: no observation of {first} … {last} to compare with")
    return Backtest(rows, _summarise(rows, model, first, last, train_until, weather), model)


def observe(panel: Panel, rows: pd.DataFrame) -> NDArray[np.float64]:
    """The observed value of each forecast row, NaN where missing; all rows of one target."""
    values = panel.values[Target(rows["target"].iloc[0])]
    city = pd.Index(panel.adcodes).get_indexer(pd.Index(rows["adcode"]))
    return values[city, panel.dates.get_indexer(pd.DatetimeIndex(rows["valid_date"]))]


def _one_lead(
    panel: Panel,
    model: Model,
    first: date,
    last: date,
    train_until: date,
    lead: int,
    thresholds: Mapping[Target, float] | None,
) -> pd.DataFrame:
    start = max(first - timedelta(days=lead), train_until + timedelta(days=1))
    issue = np.arange(panel.index(start), panel.index(last) - lead + 1)
    if not issue.size:
        raise InputError(
            f"no issue date after {train_until} reaches the days up to {last} at lead day {lead}"
        )
    times = panel.dates[issue] + pd.Timedelta(hours=panel.issue_hour)
    target = model.card.target
    frames = [
        predict(panel, model, issue, [lead], thresholds),
        simple_rows(panel, target, issue, [lead], times, model.climatology),
    ]
    return pd.concat(frames, ignore_index=True)


def _check_period(panel: Panel, first: date, last: date, train_until: date) -> None:
    if last < first:
        raise InputError(f"the period ends ({last}) before it starts ({first})")
    if first <= train_until:
        raise InputError(f"the period starts on {first}, within the training up to {train_until}; train less")
    if train_until < panel.first:
        raise InputError(f"the archive starts on {panel.first}, after the end of the training {train_until}")
    if last > panel.last:
        raise InputError(f"the period ends on {last}, the archive on {panel.last}")


def _check_weather(panel: Panel, first: date, last: date, weather: WeatherKind) -> None:
    if weather is WeatherKind.NONE:
        return
    kinds = panel.weather_kind[panel.index(first) : panel.index(last) + 1]
    wrong = panel.dates[panel.index(first) : panel.index(last) + 1][kinds != weather.value]
    if len(wrong):
        raise InputError(
            f"no {weather} weather for {len(wrong)} of the days {first} … {last}, the first is "
            f"{wrong[0]:%Y-%m-%d}; ingest it, or choose another kind of weather"
        )


def _summarise(
    rows: pd.DataFrame, model: Model, first: date, last: date, train_until: date, weather: WeatherKind
) -> dict[str, Any]:
    """Scores over the rows where every model and the observation are present."""
    card = model.card
    key = ["issue_time", "adcode", "lead_day"]
    wide = rows.pivot(index=key, columns="model", values="mean")
    present = wide.dropna().index
    paired = rows[pd.MultiIndex.from_frame(rows[key]).isin(present) & rows["observed"].notna()]
    by_model: dict[str, Any] = {}
    for name in (MODEL_NAME, *(simple for simple in SIMPLE if simple in wide)):
        part = paired[paired["model"] == name]
        by_model[name] = {str(lead): _scores_of(group) for lead, group in part.groupby("lead_day")}
    for scores in by_model.values():
        for lead, entry in scores.items():
            for other in (PERSISTENCE, CLIMATOLOGY):
                reference = by_model[other][lead]["rmse"]
                entry[f"skill_vs_{other}"] = known(skill(entry["rmse"], reference))
    return {
        "target": card.target.value,
        "unit": f"{card.target.info.pollutant.unit}",
        "source": card.source.value,
        "split": {
            "train_first": str(card.train_first),
            "train_last": str(train_until),
            "valid_first": str(first),
            "valid_last": str(last),
            "rule": "issues on or before train_last are left out",
        },
        "issue_hour": card.issue_hour,
        "leads": [int(lead) for lead in card.leads],
        "averaging": "over all city-days of a lead",
        "weather": {"kind": weather.value, "statement": _STATEMENTS[weather]},
        "seed": card.settings["seed"],
        "model_version": card.version,
        "persistence": "value of the last complete day, the day before the issue date",
        "climatology": card.climatology,
        "n": int((paired["model"] == MODEL_NAME).sum()),
        "models": by_model,
    }


def _scores_of(rows: pd.DataFrame) -> dict[str, Any]:
    scores: dict[str, Any] = point_scores(rows["mean"], rows["observed"])
    scores["coverage80"] = coverage(rows["q10"], rows["q90"], rows["observed"])
    return {name: known(value) if name != "n" else value for name, value in scores.items()}
