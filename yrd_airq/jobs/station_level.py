"""Daily forecasts of an issue for single stations, from those of their cities."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pandas as pd

from yrd_airq.clock import last_complete_day
from yrd_airq.forecast.hourly_settings import HourlySettings
from yrd_airq.forecast.model import Model
from yrd_airq.forecast.recent import past_rows
from yrd_airq.forecast.stations import forecast_stations, lay_out_stations, train_stations
from yrd_airq.forecast.training import TooLittleHistoryError
from yrd_airq.jobs.issue import LEADS, IssueData
from yrd_airq.jobs.stats_source import read_days
from yrd_airq.settings import load
from yrd_airq.standards.limits import daily_limit
from yrd_airq.standards.settings import load_standards
from yrd_airq.store.store import Store
from yrd_airq.vocab import CityDaySource, Target

_log = logging.getLogger(__name__)
_HISTORY_DAYS = 120


def issue_stations(
    store: Store, data: IssueData, models: Mapping[Target, Sequence[Model]], rows: pd.DataFrame
) -> pd.DataFrame:
    """Rows by station for the targets whose city models have forecast enough past days; may be empty.

    ``rows``: the city forecasts of the issue. The weights are fitted on the city models' forecasts of days
    that these had not seen.
    """
    if data.source is not CityDaySource.STATIONS:
        return pd.DataFrame()
    known = last_complete_day(data.issue_time)
    first = max(data.panel.first, known - timedelta(days=_HISTORY_DAYS))
    days, places = read_days(store, False, first, known, None, load_standards().rules_of(known))
    settings = load(HourlySettings, "hourly")
    panel = data.panel.known_at(data.issue_time, data.panel.last)
    found = []
    for target, own in models.items():
        if target not in days or not own:
            continue
        series = lay_out_stations(panel, target, days[target], places.adcode_of)
        try:
            fitted = train_stations(
                series, past_rows(panel, own[0], data.issue_time, LEADS), known, LEADS, settings
            )
        except TooLittleHistoryError as short:
            _log.warning("station forecasts: %s", short)
            continue
        limit = daily_limit(target, data.issue_time.date() + timedelta(days=1))
        found.append(forecast_stations(series, fitted, rows, data.issue_time, limit))
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()
