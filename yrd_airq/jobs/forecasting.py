"""A forecast as issued: models trained or found, every city and day filled, recent issues checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from yrd_airq.clock import valid_date
from yrd_airq.errors import InputError
from yrd_airq.forecast.aqi_settings import load_aqi_forecast
from yrd_airq.forecast.baselines import (
    climatology,
    climatology_rows,
    damped_persistence,
    persistence,
    persistence_rows,
    seasonal_normal,
)
from yrd_airq.forecast.correction import apply_corrections
from yrd_airq.forecast.issue import complete, forecast, predict
from yrd_airq.forecast.joint import AqiForecast, forecast_aqi
from yrd_airq.forecast.model import Card, Model
from yrd_airq.forecast.ozone import mda8_from_mean
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.jobs.choosing import Choice, choose_models
from yrd_airq.jobs.issue import LEADS, IssueData, read_issue
from yrd_airq.jobs.lineage import inputs_hash
from yrd_airq.jobs.workspace import Workspace, code_version, name_run, settings_hash
from yrd_airq.settings import load
from yrd_airq.standards.limits import daily_limit
from yrd_airq.store.records import RunRecord
from yrd_airq.store.store import Store, open_store
from yrd_airq.verify.scores import score
from yrd_airq.vocab import CityDaySource, Target

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

    ``rows``: one row per city, target and lead day, in the columns of the forecast table, with the
    forecasters' corrections in; ozone known only as a daily mean appears as such and converted to MDA8.
    ``aqi``: what follows from them for the AQI, its level and first pollutant. ``superseded``: the models'
    own rows where a forecaster corrected them. ``baselines``: persistence and climatology. ``scores``: the
    last seven issues, made again with the same models on days that they were not trained on.
    ``previous``: the one-day forecast for the last complete day. ``choices``: the models that were asked,
    by target.
    """

    data: IssueData
    rows: pd.DataFrame
    aqi: AqiForecast
    superseded: pd.DataFrame
    baselines: pd.DataFrame
    scores: pd.DataFrame
    previous: pd.DataFrame
    choices: Mapping[Target, tuple[Choice, ...]]

    @property
    def cards(self) -> tuple[Card, ...]:
        """Cards of the models that speak."""
        return tuple(c.model.card for choices in self.choices.values() for c in choices if c.speaks)

    def fallbacks(self, rung: str) -> dict[Target, int]:
        """City-days of each target that were left to a rung of the ladder below the models."""
        counts = self.rows[self.rows["model"] == rung]["target"].value_counts()
        return {target: int(counts[target.value]) for target in self.choices if target.value in counts}


def issue_forecast(workspace: Workspace, data: IssueData, corrections: pd.DataFrame | None = None) -> Issued:
    """Forecast every target of the source for leads 1 … 7, with baselines and a check of recent issues."""
    settings = load(ForecastSettings, "forecast")
    rows, baselines, checks, previous = [], [], [], []
    choices: dict[Target, tuple[Choice, ...]] = {}
    for target in TARGETS[data.source]:
        if target not in data.panel.values:
            continue
        choices[target] = choose_models(workspace, data, target, settings)
        models = tuple(choice.model for choice in choices[target] if choice.speaks)
        rows.append(_forecast_target(data, models, target, data.issue_time, LEADS, settings))
        baselines.append(_baselines(data, models, target))
        checks.extend(_recent_issues(data, models, target, settings))
        if (data.issue_time - TWO_DAYS).date() > data.panel.first:
            earlier = _forecast_target(data, models, target, data.issue_time - TWO_DAYS, (1,), settings)
            previous.append(earlier)
    if not rows:
        held = ", ".join(data.panel.values)
        raise InputError(f"none of the targets can be forecast from {data.source}; the store holds {held}")
    corrected, superseded = _join(rows), pd.DataFrame()
    if corrections is not None and len(corrections):
        corrected, superseded = apply_corrections(corrected, corrections, _limit)
    return Issued(
        data=data,
        rows=corrected,
        aqi=forecast_aqi(corrected, load_aqi_forecast()),
        superseded=superseded,
        baselines=_join(baselines),
        scores=_score_recent(checks, data.daily),
        previous=_join(previous) if previous else pd.DataFrame(),
        choices=choices,
    )


def _limit(target: str, day: date) -> float | None:
    return thresholds(day).get(Target(target))


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
    """Every city and day from the first that has it: the models, damped persistence, the seasonal normal."""
    frames = []
    for limits, some in leads_by_limits(issue_time, leads):
        tries = [forecast(data.panel, model, issue_time, some, limits) for model in models]
        tries.append(damped_persistence(data.panel, target, issue_time, some, settings, limits))
        frames.append(complete(*tries))
        if len(frames[-1]) < len(data.panel.adcodes) * len(some):
            normal = seasonal_normal(data.panel, target, issue_time, some, limits)
            frames[-1] = complete(frames[-1], normal)
        if target is Target.O3_MEAN:
            frames.append(mda8_from_mean(frames[-1], settings, limits[Target.O3_MDA8]))
    return _join(frames)


def _baselines(data: IssueData, models: Sequence[Model], target: Target) -> pd.DataFrame:
    frames = [persistence(data.panel, target, data.issue_time, LEADS)]
    if models:
        frames.append(climatology(data.panel, target, data.issue_time, LEADS, models[0].climatology))
    return _join(frames)


def _recent_issues(
    data: IssueData, models: Sequence[Model], target: Target, settings: ForecastSettings
) -> list[pd.DataFrame]:
    """The forecasts of the last seven issues, as far as their days are over."""
    now = data.issue_time
    panel = data.panel.known_at(now, now.date() + timedelta(days=max(CHECKED_LEADS)))
    first = max(panel.index(now.date()) - CHECKED_ISSUES, 1)
    issue = np.arange(first, panel.index(now.date()))
    if not issue.size:
        return []
    times = panel.dates[issue] + (pd.Timestamp(now) - pd.Timestamp(now).normalize())
    tries = [predict(panel, model, issue, CHECKED_LEADS, hour=now) for model in models]
    tries.extend(damped_persistence(data.panel, target, time, CHECKED_LEADS, settings) for time in times)
    # Rows of the fallback count as ours too: what was issued is what is checked.
    frames = [
        complete(*tries).assign(model=ISSUED),
        persistence_rows(panel, target, issue, CHECKED_LEADS, times),
    ]
    if models:
        normal = models[0].climatology
        frames.append(climatology_rows(panel, target, issue, CHECKED_LEADS, times, normal))
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
        issued = issue_forecast(workspace, data, store.corrections(issue_time))
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


def facts_of(store: Store, issued: Issued) -> tuple[str, ...]:
    """All that the forecast depends on but the code: it enters the name of a run."""
    data = issued.data
    return (
        f"{data.issue_time:%Y-%m-%dT%H:%M}",
        data.source.value,
        inputs_hash(store),
        settings_hash(),
        *(f"{card.target.value}/{card.version}" for card in issued.cards),
        "" if issued.superseded.empty else issued.rows.to_json(),
    )


def keep_forecast(store: Store, issued: Issued) -> str:
    """Write the rows, baselines and run record; the id is the same for the same inputs."""
    data = issued.data
    inputs = inputs_hash(store)
    run = name_run("forecast", *facts_of(store, issued), code_version())
    rows = _join([issued.rows, issued.aqi.rows, issued.superseded, issued.baselines])
    store.write_output("out_forecast", run, rows)
    store.write_run(
        RunRecord(run, "forecast", data.issue_time, None, inputs, settings_hash(), code_version(), "done")
    )
    return run
