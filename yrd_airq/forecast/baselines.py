"""Simple forecasts: persistence, means, climatology to compare with; damped persistence to fall back on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.forecast.climatology import RUNNING_DAYS, Climatology, fit_climatology
from yrd_airq.forecast.filling import delayed, fill_gaps, mean_over_cities, running_mean
from yrd_airq.forecast.intervals import fit_spread
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.rows import KEY, Forecast, to_rows, with_spread
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.vocab import Target, WeatherKind

Array = NDArray[np.float64]

PERSISTENCE = "persistence"
ROLLING = "persistence_24h"
WEEK = "mean_7d"
CLIMATOLOGY = "climatology"
SIMPLE = (PERSISTENCE, ROLLING, WEEK, CLIMATOLOGY)
"""The simple methods that a forecast has to beat, in the order in which they are listed."""
DAMPED = "persistence_damped"
NORMAL = "climatology_normal"
MIN_ERRORS = 200
WEEK_DAYS = 7
# What of the last 24 hours stands for the daily value. The 8-h means of the issue date's hours so far are
# nearly all that lie within them and matter: those of the evening before are lower.
_LAST_HOURS = {
    Target.O3_MDA8: "o3_8h_sofar",
    Target.O3_MEAN: "o3_last24",
    Target.PM25: "pm25_last24",
    Target.PM10: "pm10_last24",
    Target.NO2: "no2_last24",
}
_NO_WEATHER = WeatherKind.NONE.value


def persistence(panel: Panel, target: Target, issue_time: datetime, leads: Sequence[int]) -> pd.DataFrame:
    """The last complete day's value (gaps filled for up to a week) for every lead."""
    known, issue = _known(panel, target, issue_time, leads)
    return persistence_rows(known, target, issue, leads, pd.DatetimeIndex([issue_time]))


def climatology(
    panel: Panel, target: Target, issue_time: datetime, leads: Sequence[int], normal: Climatology
) -> pd.DataFrame:
    """The seasonal normal of the target day, from a fitted ``normal``."""
    known, issue = _known(panel, target, issue_time, leads)
    return climatology_rows(known, target, issue, leads, pd.DatetimeIndex([issue_time]), normal)


def simple_rows(
    panel: Panel,
    target: Target,
    issue: NDArray[np.int64],
    leads: Sequence[int],
    times: pd.DatetimeIndex,
    climatology: Climatology | None,
) -> pd.DataFrame:
    """Rows of every method of ``SIMPLE`` that the panel allows, issued on the dates at positions ``issue``.

    The 24-hour persistence needs hourly values, the climatology a fitted normal.
    """
    frames = [rows(panel, target, issue, leads, times) for rows in (persistence_rows, week_rows)]
    if _LAST_HOURS.get(target) in panel.today:
        frames.append(rolling_rows(panel, target, issue, leads, times))
    if climatology is not None:
        frames.append(climatology_rows(panel, target, issue, leads, times, climatology))
    return _join(frames)


def persistence_rows(
    panel: Panel, target: Target, issue: NDArray[np.int64], leads: Sequence[int], times: pd.DatetimeIndex
) -> pd.DataFrame:
    """Persistence issued on the dates at positions ``issue``."""
    return _same_for_all(panel, target, PERSISTENCE, _last_day(panel, target)[:, issue], leads, times)


def rolling_rows(
    panel: Panel, target: Target, issue: NDArray[np.int64], leads: Sequence[int], times: pd.DatetimeIndex
) -> pd.DataFrame:
    """The mean of the 24 hours that end at the issue hour, for every lead.

    For the daily maximum 8-h mean the largest 8-h mean of the issue date's hours so far. Where too few of
    the hours are known, the last complete day.
    """
    recent = panel.today[_LAST_HOURS[target]]
    value = np.where(np.isfinite(recent), recent, _last_day(panel, target))[:, issue]
    return _same_for_all(panel, target, ROLLING, value, leads, times)


def week_rows(
    panel: Panel, target: Target, issue: NDArray[np.int64], leads: Sequence[int], times: pd.DatetimeIndex
) -> pd.DataFrame:
    """The mean of the seven days before the issue date (gaps filled as for persistence), for every lead."""
    filled = fill_gaps(panel.values[target], panel.lonlat).value
    week = delayed(running_mean(filled, WEEK_DAYS), 1)[:, issue]
    return _same_for_all(panel, target, WEEK, week, leads, times)


def _last_day(panel: Panel, target: Target) -> Array:
    return delayed(fill_gaps(panel.values[target], panel.lonlat).value, 1)


def _same_for_all(
    panel: Panel, target: Target, name: str, mean: Array, leads: Sequence[int], times: pd.DatetimeIndex
) -> pd.DataFrame:
    values = Forecast.of_mean(mean, _NO_WEATHER)
    return _join([to_rows(panel.adcodes, target, name, times, lead, values) for lead in leads])


def climatology_rows(
    panel: Panel,
    target: Target,
    issue: NDArray[np.int64],
    leads: Sequence[int],
    times: pd.DatetimeIndex,
    normal: Climatology,
) -> pd.DataFrame:
    """Climatology issued on the dates at positions ``issue``."""
    frames = []
    for lead in leads:
        mean = np.maximum(normal.normal(panel.values[target], panel.dates, lead)[:, issue], 0.0)
        values = Forecast.of_mean(mean, _NO_WEATHER)
        frames.append(to_rows(panel.adcodes, target, CLIMATOLOGY, times, lead, values))
    return _join(frames)


def damped_persistence(
    panel: Panel,
    target: Target,
    issue_time: datetime,
    leads: Sequence[int],
    settings: ForecastSettings,
    thresholds: Mapping[Target, float] | None = None,
) -> pd.DataFrame:
    """Fallback without a trained model: the last value, drawn towards the mean of the last 30 days.

    mean(L) = m30 + ρ^(L+1) · (last − m30): the last complete day lies L+1 days before the target day.
    The quantiles come from the same rule's errors over the known days; NaN with fewer than 200 of them.
    """
    known, issue = _known(panel, target, issue_time, leads)
    values = known.values[target]
    last = _last_day(known, target)
    recent = delayed(running_mean(values, RUNNING_DAYS), 1)
    # A city that has only neighbours to go by has no mean of its own yet.
    recent = np.where(np.isfinite(recent), recent, last)
    threshold = (thresholds or {}).get(target)
    frames = []
    for lead in leads:
        rule = recent + settings.damping_per_day.value ** (lead + 1) * (last - recent)
        result = _with_errors(rule, values, known.dates, issue, lead, threshold)
        frames.append(to_rows(known.adcodes, target, DAMPED, pd.DatetimeIndex([issue_time]), lead, result))
    return _join(frames)


def seasonal_normal(
    panel: Panel,
    target: Target,
    issue_time: datetime,
    leads: Sequence[int],
    thresholds: Mapping[Target, float] | None = None,
) -> pd.DataFrame:
    """Last rung where even the last value is missing: the seasonal normal of the days known at the issue.

    A city whose values are too few gets the mean normal of the others, one without any value none.
    Quantiles as for the damped persistence.
    """
    known, issue = _known(panel, target, issue_time, leads)
    values = known.values[target]
    fitted = fit_climatology(values, known.dates)
    threshold = (thresholds or {}).get(target)
    frames = []
    for lead in leads:
        own = np.maximum(fitted.normal(values, known.dates, lead), 0.0)
        rule = np.where(np.isfinite(own), own, mean_over_cities(own))
        rule[~np.isfinite(values).any(axis=1)] = np.nan
        result = _with_errors(rule, values, known.dates, issue, lead, threshold)
        frames.append(to_rows(known.adcodes, target, NORMAL, pd.DatetimeIndex([issue_time]), lead, result))
    return _join(frames)


def _with_errors(
    rule: Array,
    values: Array,
    dates: pd.DatetimeIndex,
    issue: NDArray[np.int64],
    lead: int,
    threshold: float | None,
) -> Forecast:
    past = np.arange(len(dates) - lead)
    mean = rule[:, issue]
    if np.isfinite(values[:, past + lead] - rule[:, past]).sum() < MIN_ERRORS:
        return Forecast.of_mean(mean, _NO_WEATHER)
    spread = fit_spread(rule[:, past], values[:, past + lead], dates[past + lead])
    return with_spread(mean, spread, dates[issue + lead], threshold, _NO_WEATHER)


def _known(
    panel: Panel, target: Target, issue_time: datetime, leads: Sequence[int]
) -> tuple[Panel, NDArray[np.int64]]:
    if target not in panel.values:
        raise InputError(f"the archive has no {target}; it holds {', '.join(panel.values)}")
    known = panel.known_at(issue_time, issue_time.date() + timedelta(days=max(leads)))
    return known, np.array([known.index(issue_time.date())])


def _join(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(frames, ignore_index=True).sort_values(KEY, kind="stable", ignore_index=True)
