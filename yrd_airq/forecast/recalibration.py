"""Fitting of a spread to the errors of the last days, as far as they are observed at the issue time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from yrd_airq.forecast.intervals import Spread

Array = NDArray[np.float64]

WINDOW_DAYS = 30
# Weight of the left-out errors in days of the region. Cities err alike and one day like the next, so the
# bias of thirty days says little of the next day; how far forecasts miss says much.
_SHIFT_PRIOR_DAYS = 40.0
_STRETCH_PRIOR_DAYS = 4.0
# Errors in a season to come exceed those on blocks left out among the training days.
_GROWTH_VARIANCE = 1.5
# Beyond this an error is larger than the tables tell and counts as such.
_EXTREME = 0.002


def recalibrate(spread: Spread, recent_mean: Array, recent_observed: Array, days: pd.DatetimeIndex) -> Spread:
    """``spread`` shifted and stretched by the forecasts of the last ``WINDOW_DAYS`` days.

    ``recent_mean`` (city, date): the means that were forecast, with this lead, for ``days`` (consecutive,
    ending with the last day observed at the issue time); ``recent_observed`` what was observed; NaN where
    either is missing. Each error's probability under ``spread`` is read as a normal deviate; their mean and
    variance, shrunk to 0 and a little above 1, become shift and stretch. An adaptive conformal interval in
    the sense of Gibbs & Candès (2021), with a window in place of their step. Without an error in the window
    ``spread`` is returned as it is.
    """
    after = np.array([len(days)])
    return _moved(spread, _deviates(spread, recent_mean, recent_observed, days), after)


def recalibrate_issues(
    spread: Spread, mean: Array, observed: Array, days: pd.DatetimeIndex, issue: NDArray[np.int64]
) -> Spread:
    """``recalibrate`` for many issue dates at once: shift and stretch have one element an issue date.

    ``mean`` (city, date) are the forecasts of one lead by the day they are for, ``issue`` positions of the
    issue dates among ``days``. For each, only days before it count.
    """
    return _moved(spread, _deviates(spread, mean, observed, days), issue)


def _deviates(spread: Spread, mean: Array, observed: Array, days: pd.DatetimeIndex) -> Array:
    """Normal deviate of each observation under its forecast, NaN where one is missing."""
    probability = spread.probability(mean, spread.scale(mean, days), observed)
    return np.asarray(ndtri(np.clip(probability, _EXTREME, 1 - _EXTREME)))


def _moved(spread: Spread, deviate: Array, end: NDArray[np.int64]) -> Spread:
    """Shift and stretch from the days of the window that ends before each position ``end``."""
    known = np.isfinite(deviate)
    filled = np.where(known, deviate, 0.0)
    # A day on which half of the cities are known counts half.
    share, first, second = (
        _window_sum(rows.mean(axis=0), end) for rows in (known.astype(float), filled, filled**2)
    )
    shift = first / (share + _SHIFT_PRIOR_DAYS)
    variance = second - 2 * shift * first + shift**2 * share
    variance = (variance + _STRETCH_PRIOR_DAYS * _GROWTH_VARIANCE) / (share + _STRETCH_PRIOR_DAYS)
    stretch = np.where(share > 0, np.sqrt(variance), 1.0)
    return replace(spread, shift=spread.shift + spread.stretch * shift, stretch=spread.stretch * stretch)


def _window_sum(series: Array, end: NDArray[np.int64]) -> Array:
    total = np.concatenate([[0.0], np.cumsum(series)])
    return np.asarray(total[end] - total[np.maximum(end - WINDOW_DAYS, 0)])
