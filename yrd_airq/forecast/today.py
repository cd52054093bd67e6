"""What is known of the issue date itself: means and 8-hour maxima of its hours so far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.clock import day_of_label, hours_of_day

Array = NDArray[np.float64]

POLLUTANTS = ("o3", "pm25", "pm10", "no2")
VALID_SHARE = 0.6
_EIGHT = 8


def partial_day(
    hourly: pd.DataFrame, dates: pd.DatetimeIndex, adcodes: Sequence[str], issue_hour: int
) -> dict[str, Array]:
    """Features of each date as known at its ``issue_hour``; arrays (city, date), NaN where too few hours.

    Per pollutant p: ``p_last24`` mean of the 24 hours that end at the issue hour, ``p_sofar`` mean of the
    date's hours so far, ``p_sofar_change`` its difference to the same hours of the day before; for ozone
    ``o3_8h_sofar`` the largest 8-h mean so far and ``o3_8h_sofar_change``. A mean needs 60 % of its hours
    (6 of 8 for the 8-h mean, as GB 3095-2012 table 4 asks of an 8-h mean).
    """
    features: dict[str, Array] = {}
    for pollutant in POLLUTANTS:
        rows = hourly[hourly["pollutant"] == pollutant]
        if rows.empty:
            continue
        hours = _hour_cube(rows, dates, adcodes)
        so_far = _mean(hours[:, :, :issue_hour])
        window = np.concatenate([_day_before(hours)[:, :, issue_hour:], hours[:, :, :issue_hour]], axis=2)
        features[f"{pollutant}_last24"] = _mean(window)
        features[f"{pollutant}_sofar"] = so_far
        features[f"{pollutant}_sofar_change"] = so_far - _day_before(so_far)
        if pollutant == "o3" and issue_hour >= _EIGHT:
            best = _best_eight_hours(hours[:, :, :issue_hour])
            features["o3_8h_sofar"] = best
            features["o3_8h_sofar_change"] = best - _day_before(best)
    return features


def _hour_cube(rows: pd.DataFrame, dates: pd.DatetimeIndex, adcodes: Sequence[str]) -> Array:
    """Hourly values as (city, date, hour 1 … 24)."""
    labels = pd.DatetimeIndex(rows["time"])
    city = pd.Index(adcodes).get_indexer(pd.Index(rows["adcode"].astype(str)))
    day = dates.get_indexer(day_of_label(labels))
    hour = hours_of_day(labels) - 1
    inside = (city >= 0) & (day >= 0)
    cube = np.full((len(adcodes), len(dates), 24), np.nan)
    cube[city[inside], day[inside], hour[inside]] = rows["value"].to_numpy(dtype=float)[inside]
    return cube


def _day_before(array: Array) -> Array:
    shifted = np.full_like(array, np.nan)
    shifted[:, 1:] = array[:, :-1]
    return shifted


def _mean(hours: Array) -> Array:
    valid = np.isfinite(hours)
    count = valid.sum(axis=2)
    total = np.where(valid, hours, 0.0).sum(axis=2)
    enough = count >= VALID_SHARE * hours.shape[2]
    return np.where(enough, total / np.maximum(count, 1), np.nan)


def _best_eight_hours(hours: Array) -> Array:
    windows = np.lib.stride_tricks.sliding_window_view(hours, _EIGHT, axis=2)
    count = np.isfinite(windows).sum(axis=3)
    total = np.where(np.isfinite(windows), windows, 0.0).sum(axis=3)
    means = np.where(count >= 6, total / np.maximum(count, 1), -np.inf)
    best = means.max(axis=2)
    return np.where(np.isfinite(best), best, np.nan)
