"""Whether the forecaster, trained on one drilled season, beats persistence in another, and its interval."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from tests.bench.closed_loop.seasons import Regime, fill_store
from yrd_airq.drill.settings import DrillSettings
from yrd_airq.drill.world import World
from yrd_airq.drill.write import write_day
from yrd_airq.forecast.baselines import PERSISTENCE, persistence
from yrd_airq.forecast.issue import forecast
from yrd_airq.forecast.model import Model
from yrd_airq.forecast.registry import train_or_load
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.jobs.drill_replay import open_world
from yrd_airq.jobs.forecasting import leads_by_limits
from yrd_airq.jobs.issue import ISSUE_HOUR, LEADS, IssueData, read_issue
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.settings import load
from yrd_airq.store.store import open_store
from yrd_airq.verify.scores import score
from yrd_airq.vocab import Target, WeatherKind

YEAR = timedelta(days=364)
"""From the season that the forecaster learns from to the tested one; the weekdays stay."""
TESTED, WARM_UP = timedelta(days=66), timedelta(days=33)
"""Length of the tested season up to its end, and its part before the first issue."""
EVERY = timedelta(days=2)
CHECKED = (Target.O3_MDA8, Target.PM25)
CHECKED_LEADS = (1, 2, 3)
MODEL = "lightgbm"


def later_season(regime: Regime) -> DrillSettings:
    """The tested season: the same places a year later, hence in other weather."""
    settings = regime.settings
    last = settings.last_day + YEAR
    issue = datetime.combine(last, time(ISSUE_HOUR))
    update = {"first_day": last - TESTED, "issue_time": issue, "last_day": last}
    return settings.model_copy(update={**update, "name": f"{settings.name}_later"})


def check_forecasts(regime: Regime, folder: Path) -> list[dict[str, Any]]:
    """Scores of models of the whole first season at issues of the later one, by target and lead.

    The weather ahead is that forecast on the day of issue; forecasts are held against what the stations
    truly breathed.
    """
    models = _learn(open_world(regime.settings), folder)
    later = open_world(later_season(regime))
    store_file, issues = _make_known(later, folder)
    frames = []
    for issue in issues:
        with open_store(store_file, read_only=True) as store:
            data = read_issue(store, (issue + pd.Timedelta(hours=ISSUE_HOUR)).to_pydatetime())
        frames.append(_forecast_all(data, models))
    rows = pd.concat(frames, ignore_index=True).astype({"target": str})
    rows = rows.assign(valid_date=pd.to_datetime(rows["valid_date"]))
    truth = later.course.truth.city_days().rename(columns={"date": "valid_date", "value": "observed"})
    truth = truth.assign(valid_date=pd.to_datetime(truth["valid_date"]))
    return _compare(regime, score(rows.merge(truth, on=["adcode", "valid_date", "target"], how="left")))


def _learn(world: World, folder: Path) -> dict[Target, Model]:
    """Models of all that is known at the end of a season."""
    workspace = Workspace(folder / "check" / "learnt.duckdb", folder / "models", folder)
    last = world.settings.last_day
    fill_store(world, last, workspace, folder / "check" / "learnt")
    with open_store(workspace.store, read_only=True) as store:
        panel = read_issue(store, datetime.combine(last, time(ISSUE_HOUR)), horizon=0).panel
    settings, kind = load(ForecastSettings, "forecast"), WeatherKind.FORECAST
    until = last - timedelta(days=1)
    return {t: train_or_load(panel, t, until, LEADS, kind, settings, workspace.models) for t in CHECKED}


def _make_known(world: World, folder: Path) -> tuple[Path, pd.DatetimeIndex]:
    """A store with the observations of a season and the weather forecasts of its issue days."""
    days = world.settings
    last = days.last_day - timedelta(days=CHECKED_LEADS[-1])
    issues = pd.date_range(days.first_day + WARM_UP, last, freq=EVERY)
    workspace = Workspace(folder / "check" / "tested.duckdb", folder / "models", folder)
    files = folder / "check" / "tested"
    for issue in issues:
        write_day(files / f"{issue:%Y%m%d}", world, issue.date())
    fill_store(world, days.last_day, workspace, files)
    return workspace.store, issues


def _forecast_all(data: IssueData, models: dict[Target, Model]) -> pd.DataFrame:
    """Rows of every model and of persistence at one issue."""
    frames = []
    for target, model in models.items():
        for limits, leads in leads_by_limits(data.issue_time, CHECKED_LEADS):
            frames.append(forecast(data.panel, model, data.issue_time, leads, limits).assign(model=MODEL))
        frames.append(persistence(data.panel, target, data.issue_time, CHECKED_LEADS))
    return pd.concat(frames, ignore_index=True)


def _compare(regime: Regime, scores: pd.DataFrame) -> list[dict[str, Any]]:
    """The model's scores beside persistence."""
    table = scores.set_index(["target", "lead_day", "model"])
    found = []
    for target, lead in dict.fromkeys((t, d) for t, d, _ in table.index):
        own, simple = table.loc[(target, lead, MODEL)], table.loc[(target, lead, PERSISTENCE)]
        found.append(
            {
                "regime": regime.name,
                "target": str(target),
                "lead_day": int(lead),
                "n": int(own["n"]),
                "rmse": float(own["rmse"]),
                "persistence": float(simple["rmse"]),
                "skill": float(own["skill_vs_persistence"]),
                "coverage80": float(own["coverage80"]),
            }
        )
    return found
