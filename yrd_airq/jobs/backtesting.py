"""A backtest from the store: ``forecasts.parquet`` and ``scores.json``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from yrd_airq.errors import InputError
from yrd_airq.forecast.ablation import ablate
from yrd_airq.forecast.backtest import backtest
from yrd_airq.forecast.panel import Panel, build_panel
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.jobs.forecasting import thresholds
from yrd_airq.jobs.issue import newest_days, read_around, read_weather
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.region import load_region
from yrd_airq.settings import load
from yrd_airq.store.store import Store, open_store
from yrd_airq.vocab import CityDaySource, Target, WeatherKind


@dataclass(frozen=True)
class BacktestReport:
    """Where the results lie, and the scores."""

    folder: Path
    scores: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """Machine-readable form."""
        return {"out": str(self.folder), **self.scores}

    def lines(self) -> list[str]:
        """Readable form: RMSE by model and lead."""
        found = [
            f"{self.scores['target']} from {self.scores['source']}: {self.scores['split']}",
            f"weather: {self.scores['weather']['statement']}",
        ]
        for model, leads in self.scores["models"].items():
            text = ", ".join(
                f"D+{lead} RMSE {s['rmse']} (skill {s['skill_vs_persistence']})" for lead, s in leads.items()
            )
            found.append(f"  {model}: {text}")
        return [*found, f"results: {self.folder}"]


def run_backtest(
    workspace: Workspace,
    target: Target,
    first: date,
    last: date,
    leads: Sequence[int],
    train_until: date,
    weather: WeatherKind,
    out: Path,
) -> BacktestReport:
    """Backtest ``target`` on the series of the store that covers the period; results go to ``out``."""
    settings = load(ForecastSettings, "forecast")
    panel = _read_panel(workspace, target, first, last, settings)
    result = backtest(
        panel,
        target,
        first,
        last,
        leads,
        train_until,
        weather,
        settings,
        thresholds=thresholds(first),
        models=workspace.models,
    )
    out.mkdir(parents=True, exist_ok=True)
    result.forecasts.to_parquet(out / "forecasts.parquet", index=False)
    text = json.dumps(result.scores, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    (out / "scores.json").write_text(text, encoding="utf-8")
    return BacktestReport(out, result.scores)


@dataclass(frozen=True)
class AblationReport:
    """Skill with every feature and without each group."""

    table: pd.DataFrame

    def as_dict(self) -> dict[str, Any]:
        """Machine-readable form."""
        return {"ablation": self.table.to_dict("records")}

    def lines(self) -> list[str]:
        """Readable form."""
        return self.table.to_string(index=False, float_format=lambda value: f"{value:.3f}").splitlines()


def run_ablation(
    workspace: Workspace,
    target: Target,
    first: date,
    last: date,
    leads: Sequence[int],
    train_until: date,
    weather: WeatherKind,
    groups: Sequence[str],
) -> AblationReport:
    """What each group of features is worth over the period; nothing is kept."""
    settings = load(ForecastSettings, "forecast")
    panel = _read_panel(workspace, target, first, last, settings)
    table = ablate(panel, target, first, last, leads, train_until, weather, settings, groups or None)
    return AblationReport(table)


def _read_panel(
    workspace: Workspace, target: Target, first: date, last: date, settings: ForecastSettings
) -> Panel:
    with open_store(workspace.store) as store:
        source = _choose_source(store, target, first, last)
        daily = store.city_daily(source, last=last)
        begin = daily["date"].min().date()
        hourly = None
        if source is CityDaySource.STATIONS:
            hourly = store.city_hourly(
                daily["date"].min().to_pydatetime(), datetime(last.year, last.month, last.day, 23)
            )
        issue_time = datetime(last.year, last.month, last.day, settings.issue_hour)
        sky = read_weather(store, store.weather_files(), begin, last, issue_time)
        around = read_around(store, source, begin, last, last)
    return build_panel(daily, hourly, sky, load_region(), settings.issue_hour, source=source, around=around)


def _choose_source(store: Store, target: Target, first: date, last: date) -> CityDaySource:
    """The series that has the target over the whole period."""
    for source, (begin, end) in newest_days(store).items():
        covers = begin < first and last <= end
        if covers and target.value in set(store.city_daily(source, first, last)["target"]):
            return source
    held = "; ".join(f"{s.value} {begin} … {end}" for s, (begin, end) in newest_days(store).items())
    raise InputError(
        f"no series of the store has {target.value} from before {first} to {last}; "
        f"it holds {held or 'nothing'}"
    )
