"""Hourly forecasts to 72 hours and the running 24-h AQI of an issue, where hourly observations are held."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import pandas as pd

from yrd_airq.forecast.hourly import forecast_hours, simple_hours
from yrd_airq.forecast.hourly_aqi import RunningAqi, running_aqi
from yrd_airq.forecast.hourly_panel import HourlyTarget, lay_out_hours
from yrd_airq.forecast.hourly_registry import train_or_load_hourly
from yrd_airq.forecast.hourly_settings import HourlySettings
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.forecast.training import TooLittleHistoryError, training_end
from yrd_airq.jobs.choosing import weather_kinds
from yrd_airq.jobs.issue import IssueData
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.settings import load

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HourlyIssue:
    """Hourly rows of ``pm25_1h`` and ``o3_1h``, and the running AQI; None where no model could be trained."""

    rows: pd.DataFrame
    running: RunningAqi | None


def issue_hours(workspace: Workspace, data: IssueData, daily: pd.DataFrame) -> HourlyIssue | None:
    """Forecast the hours, brought in line with the daily rows ``daily`` of the issue; None without hours.

    In an archive too short to train on, the same hour of the last known day stands in.
    """
    if data.hourly is None or data.hourly.empty:
        return None
    hours = lay_out_hours(data.panel, data.hourly)
    settings = load(HourlySettings, "hourly")
    kind = weather_kinds(data)[0]
    issue = data.issue_time
    try:
        until = training_end(issue.date(), data.panel.first, load(ForecastSettings, "forecast"))
        made = [
            forecast_hours(
                hours,
                train_or_load_hourly(hours, target, until, issue.hour, kind, settings, workspace.models),
                issue,
                daily,
            )
            for target in HourlyTarget
        ]
    except TooLittleHistoryError as short:
        _log.warning("hourly forecasts: %s", short)
        simple = [simple_hours(hours, target, issue) for target in HourlyTarget]
        return HourlyIssue(pd.concat(simple, ignore_index=True), None)
    return HourlyIssue(pd.concat([m.rows() for m in made], ignore_index=True), running_aqi(made))
