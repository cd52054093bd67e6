"""A forecast as issued: models trained or found, every city and day filled, recent issues checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from yrd_airq.clock import valid_date
from yrd_airq.errors import InputError
from yrd_airq.forecast.baselines import climatology, damped_persistence, persistence
from yrd_airq.forecast.issue import complete, forecast
from yrd_airq.forecast.model import Card, Model
from yrd_airq.forecast.ozone import mda8_from_mean
from yrd_airq.forecast.registry import train_or_load
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.forecast.training import TooLittleHistoryError, training_end
from yrd_airq.jobs.issue import LEADS, IssueData, read_issue
from yrd_airq.jobs.lineage import inputs_hash
from yrd_airq.jobs.workspace import Workspace, code_version, name_run, settings_hash
from yrd_airq.settings import load
from yrd_airq.standards.limits import daily_limit
from yrd_airq.store.records import RunRecord
from yrd_airq.store.store import Store, open_store
from yrd_airq.verify.scores import score
from yrd_airq.vocab import CityDaySource, Target, WeatherKind

TARGETS = {
    CityDaySource.STATIONS: (Target.O3_MDA8, Target.PM25, Target.PM10, Target.NO2),
    CityDaySource.REANALYSIS: (Target.O3_MEAN, Target.PM25, Target.PM10),
}
CHECKED_ISSUES = 7
CHECKED_LEADS = (1, 2, 3)
TWO_DAYS = timedelta(days=2)
ISSUED = "issued"
"""Model name of the rows as issued, whichever model or fallback they came from."""


@dataclass(frozen=True)
class Issued:
    """A forecast and what it rests on.

    ``rows``: one row per city, target and lead day, in the columns of the forecast table; ozone known
    only as a daily mean appears as such and converted to MDA8. ``baselines``: persistence and
    climatology. ``scores``: the last seven issues, made again with the same models on days that they
    were not trained on. ``previous``: the one-day forecast for the last complete day.
    ``fallbacks``: targets and how many city-days had to do without a model.
    """

    data: IssueData
    rows: pd.DataFrame
    baselines: pd.DataFrame
    scores: pd.DataFrame
    previous: pd.DataFrame
    cards: tuple[Card, ...]
    fallbacks: Mapping[Target, int]


def issue_forecast(workspace: Workspace, data: IssueData) -> Issued:
    """Forecast every target of the source for leads 1 … 7, with baselines and a check of recent issues."""
    settings = load(ForecastSettings, "forecast")
    rows, baselines, checks, previous = [], [], [], []
    cards: list[Card] = []
    fallbacks = {}
    for target in TARGETS[data.source]:
        if target not in data.panel.values:
            continue
        models = find_models(workspace, data, target, settings)
        cards.extend(model.card for model in models)
        own = _forecast_target(data, models, target, data.issue_time, LEADS, settings)
        fallbacks[target] = int((own["model"] == "persistence_damped").sum())
        rows.append(own)
        baselines.append(_baselines(data, models, target, data.issue_time, LEADS))
        checks.extend(_recent_issues(data, models, target, settings))
        if (data.issue_time - TWO_DAYS).date() > data.panel.first:
            earlier = _forecast_target(data, models, target, data.issue_time - TWO_DAYS, (1,), settings)
            previous.append(earlier)
    if not rows:
        held = ", ".join(data.panel.values)
        raise InputError(f"none of the targets can be forecast from {data.source}; the store holds {held}")
    return Issued(
        data=data,
        rows=_join(rows),
        baselines=_join(baselines),
        scores=_score_recent(checks, data.daily),
        previous=_join(previous) if previous else pd.DataFrame(),
        cards=tuple(cards),
        fallbacks=fallbacks,
    )


def find_models(
    workspace: Workspace, data: IssueData, target: Target, settings: ForecastSettings
) -> tuple[Model, ...]:
    """The models to ask in turn: with weather ahead where there is any, then without; none in short data."""
    try:
        until = training_end(data.issue_time.date(), data.panel.first, settings)
    except TooLittleHistoryError:
        return ()
    models = []
    for kind in _weather_kinds(data):
        try:
            models.append(train_or_load(data.panel, target, until, LEADS, kind, settings, workspace.models))
        except TooLittleHistoryError:
            continue
    return tuple(models)


def _weather_kinds(data: IssueData) -> tuple[WeatherKind, ...]:
    """Which weather the models may use: that of the target days, none for days without."""
    ahead = data.panel.dates > pd.Timestamp(data.issue_time)
    kinds = set(data.panel.weather_kind[ahead]) - {WeatherKind.NONE.value}
    if not kinds:
        return (WeatherKind.NONE,)
    chosen = WeatherKind.FORECAST if WeatherKind.FORECAST.value in kinds else WeatherKind.ANALYSIS
    covered = int((data.panel.weather_kind[ahead] != WeatherKind.NONE.value).sum())
    return (chosen,) if covered >= LEADS[-1] else (chosen, WeatherKind.NONE)


def thresholds(day: date) -> dict[Target, float]:
    """Class II daily limits in force on ``day``, by target."""
    return {
        target: daily_limit(target, day)
        for target in Target
        if target is not Target.O3_MEAN  # the standard knows no limit for the daily mean of ozone
    }


def leads_by_limits(
    issue_time: datetime, leads: Sequence[int]
) -> list[tuple[dict[Target, float], tuple[int, ...]]]:
    """Leads by the limits in force on their days: one group, two where a new standard begins among them."""
    found: list[tuple[dict[Target, float], tuple[int, ...]]] = []
    for lead in leads:
        limits = thresholds(valid_date(issue_time, lead))
        if found and found[-1][0] == limits:
            found[-1] = (limits, (*found[-1][1], lead))
        else:
            found.append((limits, (lead,)))
    return found


def _forecast_target(
    data: IssueData,
    models: Sequence[Model],
    target: Target,
    issue_time: datetime,
    leads: Sequence[int],
    settings: ForecastSettings,
) -> pd.DataFrame:
    frames = []
    for limits, some in leads_by_limits(issue_time, leads):
        tries = [forecast(data.panel, model, issue_time, some, limits) for model in models]
        tries.append(damped_persistence(data.panel, target, issue_time, some, settings, limits))
        frames.append(complete(*tries))
        if target is Target.O3_MEAN:
            frames.append(mda8_from_mean(frames[-1], settings, limits[Target.O3_MDA8]))
    return _join(frames)


def _baselines(
    data: IssueData, models: Sequence[Model], target: Target, issue_time: datetime, leads: Sequence[int]
) -> pd.DataFrame:
    frames = [persistence(data.panel, target, issue_time, leads)]
    if models:
        frames.append(climatology(data.panel, target, issue_time, leads, models[0].climatology))
    return _join(frames)


def _recent_issues(
    data: IssueData, models: Sequence[Model], target: Target, settings: ForecastSettings
) -> list[pd.DataFrame]:
    """The forecasts of the last seven issues, as far as their days are over."""
    frames: list[pd.DataFrame] = []
    for days in range(CHECKED_ISSUES, 0, -1):
        issue_time = data.issue_time - timedelta(days=days)
        if issue_time.date() <= data.panel.first:
            continue
        own = _forecast_target(data, models, target, issue_time, CHECKED_LEADS, settings)
        base = _baselines(data, models, target, issue_time, CHECKED_LEADS)
        # Rows of the fallback count as ours too: what was issued is what is checked.
        frames.extend((own[own["target"] == target.value].assign(model=ISSUED), base))
    return frames


def _score_recent(checks: Sequence[pd.DataFrame], daily: pd.DataFrame) -> pd.DataFrame:
    """Scores of recent issues on the days that have been observed; empty if there are none."""
    paired = pair_observed(_join(checks), daily) if checks else pd.DataFrame()
    return score(paired) if len(paired) else pd.DataFrame()


def pair_observed(rows: pd.DataFrame, daily: pd.DataFrame) -> pd.DataFrame:
    """Forecast rows whose day has been observed, with the value as ``observed``."""
    seen = daily.rename(columns={"date": "valid_date", "value": "observed"})
    seen = seen[["adcode", "valid_date", "target", "observed"]].astype({"target": str})
    return rows.merge(seen, on=["adcode", "valid_date", "target"], how="inner", validate="many_to_one")


def _join(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True)


@dataclass(frozen=True)
class ForecastReport:
    """What ``yrd-airq forecast`` did."""

    run_id: str
    issue_time: datetime
    source: CityDaySource
    weather_kind: str
    rows: int
    models: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Machine-readable form."""
        return {**self.__dict__, "source": self.source.value, "models": list(self.models)}

    def lines(self) -> list[str]:
        """Readable form."""
        return [
            f"{self.run_id}: {self.rows} forecasts issued {self.issue_time:%Y-%m-%d %H:%M} from "
            f"{self.source.value}, weather {self.weather_kind}",
            *(f"  {model}" for model in self.models),
        ]


def forecast_issue(workspace: Workspace, issue_time: datetime) -> ForecastReport:
    """Forecast from what the store holds and keep the rows under a run id."""
    with open_store(workspace.store) as store:
        data = read_issue(store, issue_time)
        issued = issue_forecast(workspace, data)
        run = keep_forecast(store, issued)
    return ForecastReport(
        run_id=run,
        issue_time=issue_time,
        source=data.source,
        weather_kind=weather_label(issued),
        rows=len(issued.rows),
        models=tuple(f"{card.target.value}/{card.version}" for card in issued.cards),
    )


def weather_label(issued: Issued) -> str:
    """Kinds of weather behind the forecast rows, e.g. ``forecast`` or ``analysis, none``."""
    return ", ".join(sorted(set(issued.rows["weather_kind"])))


def keep_forecast(store: Store, issued: Issued) -> str:
    """Write the rows, baselines and run record; the id is the same for the same inputs."""
    data = issued.data
    inputs = inputs_hash(store)
    run = name_run(
        "forecast", f"{data.issue_time:%Y-%m-%dT%H:%M}", data.source, inputs, settings_hash(), code_version()
    )
    store.write_forecast(run, _join([issued.rows, issued.baselines]))
    store.write_run(
        RunRecord(run, "forecast", data.issue_time, None, inputs, settings_hash(), code_version(), "done")
    )
    return run
