"""Simple forecasts: persistence and climatology to compare with, damped persistence to fall back on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.forecast.climatology import RUNNING_DAYS, Climatology
from yrd_airq.forecast.filling import delayed, fill_gaps, running_mean
from yrd_airq.forecast.intervals import fit_spread
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.rows import KEY, Forecast, to_rows, with_spread
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.vocab import Target, WeatherKind

Array = NDArray[np.float64]

PERSISTENCE = "persistence"
CLIMATOLOGY = "climatology"
DAMPED = "persistence_damped"
MIN_ERRORS = 200
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


def persistence_rows(
    panel: Panel, target: Target, issue: NDArray[np.int64], leads: Sequence[int], times: pd.DatetimeIndex
) -> pd.DataFrame:
    """Persistence issued on the dates at positions ``issue``."""
    last = delayed(fill_gaps(panel.values[target], panel.lonlat).value, 1)[:, issue]
    values = Forecast.of_mean(last, _NO_WEATHER)
    frames = [to_rows(panel.adcodes, target, PERSISTENCE, times, lead, values) for lead in leads]
    return _join(frames)


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
    last = delayed(fill_gaps(values, known.lonlat).value, 1)
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
