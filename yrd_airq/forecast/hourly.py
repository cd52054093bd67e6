"""Hourly forecasts as issued: rows per city and hour ahead with mean and quantiles, and sample courses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.forecast.hourly_anchor import apply_levels, lay_out_daily, level_terms
from yrd_airq.forecast.hourly_features import (
    LEAD_DAYS,
    LEAD_HOURS,
    Slots,
    gather_known_hours,
)
from yrd_airq.forecast.hourly_model import (
    CLIMATOLOGY,
    HOURLY_MODEL,
    PERSISTENCE,
    HourlyModel,
    predict_courses,
)
from yrd_airq.forecast.hourly_panel import HourlyTarget, Hours
from yrd_airq.forecast.hourly_reconcile import reconcile
from yrd_airq.forecast.intervals import HIGH, LOW, MIDDLE

Array = NDArray[np.float64]
Index = NDArray[np.int64]

COLUMNS = ("adcode", "issue_time", "valid_time", "lead_h", "target", "model", "mean", "q10", "q50", "q90")
# Far enough back for every mean and filled gap that the features look at.
HISTORY_DAYS = 80


@dataclass(frozen=True)
class HourlyForecast:
    """One issue of one hourly target.

    ``mean`` (city, slot) covers every hour to the end of the third day after, NaN where a city lacks its
    inputs; ``known`` holds nothing observed after ``issue_time``.
    """

    model: HourlyModel
    issue_time: datetime
    known: Hours
    mean: Array

    def rows(self) -> pd.DataFrame:
        """Rows for the 72 hours ahead in the columns ``COLUMNS``; times are hour-ending, Beijing."""
        spread = self.model.spread
        quantiles = {
            name: spread.quantile(self.mean, p) for name, p in zip(_NAMES, _PROBABILITIES, strict=True)
        }
        return _to_rows(
            self.known, self.model.card.target, HOURLY_MODEL, self.issue_time, self.mean, quantiles
        )

    def sample(self) -> Array:
        """Courses (course, city, lead hour 1 … 72) with the dependence between hours that past errors had."""
        return self.model.spread.sample(self.mean, self.model.courses)[:, :, :LEAD_HOURS]


_NAMES = ("q10", "q50", "q90")
_PROBABILITIES = (LOW, MIDDLE, HIGH)


def forecast_hours(
    hours: Hours, model: HourlyModel, issue_time: datetime, daily: pd.DataFrame | None = None
) -> HourlyForecast:
    """Forecast every city from what was known at ``issue_time``.

    ``daily``: daily forecast rows of this issue (adcode, issue_time, lead_day, target, mean); the hours agree
    with them: mean of the day, for ozone its MDA8. Without, or for city-days that are missing in them, the
    level follows from the hours alone. ``InputError`` for another issue hour than the model's, another
    source, other cities or lacking series.
    """
    _check(hours, model, issue_time)
    day = pd.Timestamp(issue_time).normalize()
    last = day + pd.Timedelta(days=LEAD_DAYS)
    known = hours.window(day - pd.Timedelta(days=HISTORY_DAYS), last).known_at(issue_time)
    mean = predict_hours(known, model, np.array([known.index(day)]), daily)[:, 0]
    return HourlyForecast(model, issue_time, known, mean)


def predict_hours(
    hours: Hours, model: HourlyModel, issues: Index, daily: pd.DataFrame | None = None
) -> Array:
    """Means (city, issue, slot) issued on the dates at positions ``issues`` of a calendar; causal by date."""
    card, slots = model.card, model.slots
    known = gather_known_hours(hours, card.target, card.issue_hour)
    given = lay_out_daily(daily, hours, card.target)
    terms = level_terms(hours, known, card.target)
    levels = np.where(np.isfinite(given), given, apply_levels(model.levels, known, terms))
    mean = predict_courses(
        hours,
        known,
        levels,
        model.course,
        model.booster,
        slots,
        issues,
        card.ahead,
        card.settings["threads"],
    )
    return reconcile(mean, given[:, issues], slots, card.target)


def simple_hours(hours: Hours, target: HourlyTarget, issue_time: datetime) -> pd.DataFrame:
    """Rows of persistence (same clock hour of the last known day) and of the 30-day diurnal mean.

    They state no quantiles.
    """
    day = pd.Timestamp(issue_time).normalize()
    last = day + pd.Timedelta(days=LEAD_DAYS)
    known = hours.window(day - pd.Timedelta(days=HISTORY_DAYS), last).known_at(issue_time)
    slots, issue = Slots.after(issue_time.hour), known.index(day)
    clock = gather_known_hours(known, target, issue_time.hour).clock
    blank = dict.fromkeys(_NAMES, np.full((len(known.adcodes), len(slots)), np.nan))
    frames = [
        _to_rows(known, target, name, issue_time, clock[key][:, issue][:, slots.hour], blank)
        for name, key in ((PERSISTENCE, "same1"), (CLIMATOLOGY, "same30"))
    ]
    return pd.concat(frames, ignore_index=True)


def valid_times(issue_time: datetime) -> pd.DatetimeIndex:
    """Hour-ending labels of the lead hours 1 … 72."""
    return pd.date_range(
        pd.Timestamp(issue_time).floor("h") + timedelta(hours=1), periods=LEAD_HOURS, freq="h"
    )


def _to_rows(
    hours: Hours,
    target: HourlyTarget,
    model: str,
    issue_time: datetime,
    mean: Array,
    quantiles: dict[str, Array],
) -> pd.DataFrame:
    cities, times = len(hours.adcodes), valid_times(issue_time)
    frame = pd.DataFrame(
        {
            "adcode": pd.Series(np.repeat(np.asarray(hours.adcodes, dtype=object), LEAD_HOURS), dtype="str"),
            "issue_time": pd.Timestamp(issue_time),
            "valid_time": np.tile(times.to_numpy(), cities),
            "lead_h": np.tile(np.arange(1, LEAD_HOURS + 1), cities),
            "target": target.value,
            "model": model,
            "mean": mean[:, :LEAD_HOURS].ravel(),
            **{name: array[:, :LEAD_HOURS].ravel() for name, array in quantiles.items()},
        }
    )
    return frame[frame["mean"].notna()].reset_index(drop=True)


def _check(hours: Hours, model: HourlyModel, issue_time: datetime) -> None:
    card = model.card
    if issue_time.hour != card.issue_hour:
        raise InputError(
            f"model {card.target}/{card.version} forecasts at {card.issue_hour}:00, not at "
            f"{issue_time:%H:%M}; train one with issue hour {issue_time.hour}"
        )
    if hours.source is not card.source:
        raise InputError(
            f"model {card.target}/{card.version} was trained on {card.source}, the archive is "
            f"{hours.source}; series of different source are not mixed"
        )
    if hours.adcodes != card.adcodes:
        raise InputError(f"model {card.target}/{card.version} was trained for other cities; train it anew")
    if card.target.pollutant not in hours.values or card.target.daily not in hours.daily:
        raise InputError(
            f"the archive lacks the hourly or daily series of {card.target}, which the model needs"
        )
    lacking = [name for name in card.weather if name not in hours.weather]
    if lacking:
        raise InputError(f"the archive lacks the weather variables {', '.join(lacking)} of the model")
