"""What an issue says beyond its daily city forecasts: hours and running AQI, stations, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from yrd_airq.forecast.contribution import explain_issue
from yrd_airq.forecast.hourly_aqi import RunningAqi
from yrd_airq.jobs.forecasting import Issued
from yrd_airq.jobs.hours import issue_hours
from yrd_airq.jobs.station_level import issue_stations
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.store.store import Store
from yrd_airq.vocab import Target

EXPLAINED_LEADS = (1, 2, 3)
_EXPLAINED = (Target.O3_MDA8, Target.O3_MEAN, Target.PM25)


@dataclass(frozen=True)
class Details:
    """What the brief shows of them.

    ``running``: the running 24-h AQI, None where there are no hours. ``reasons``: adcode, valid_date,
    target, text_zh of the explained cities and days; may be empty.
    """

    running: RunningAqi | None
    reasons: pd.DataFrame


def detail_issue(
    workspace: Workspace, store: Store, issued: Issued, run_id: str, cities: Sequence[str]
) -> Details:
    """Make and keep the details of an issue under its run; ``cities`` are those to be explained."""
    hours = issue_hours(workspace, issued.data, issued.rows)
    if hours is not None:
        store.write_output("out_forecast_hourly", run_id, hours.rows)
        if hours.running is not None:
            store.write_output("out_aqi_running", run_id, hours.running.rows())
    speaking = {
        target: tuple(choice.model for choice in choices if choice.speaks)
        for target, choices in issued.choices.items()
    }
    stations = issue_stations(store, issued.data, speaking, issued.rows)
    if len(stations):
        store.write_output("out_forecast_station", run_id, stations)
    made = [
        explain_issue(issued.data.panel, models[0], issued.data.issue_time, EXPLAINED_LEADS, cities)
        for target, models in speaking.items()
        if models and target in _EXPLAINED
    ]
    if made:
        store.write_output("out_contribution", run_id, pd.concat([m.parts for m in made], ignore_index=True))
    reasons = pd.concat([m.reasons for m in made], ignore_index=True) if made else pd.DataFrame()
    return Details(hours.running if hours is not None else None, reasons)
