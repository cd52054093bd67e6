"""How much each receptor, day and target has to fall: forecast quantile against the event's goal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from statistics import NormalDist

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from yrd_airq.control.settings import ControlSettings
from yrd_airq.errors import InputError
from yrd_airq.settings import Event
from yrd_airq.vocab import Target

ROW_COLUMNS = ("adcode", "date", "target", "forecast_q", "central", "goal", "need", "q10", "q50", "q90")
BASELINES = ("persistence", "climatology")
WATCHED = (Target.O3_MDA8, Target.PM25)
_KEY = ["adcode", "date", "target"]


def interpolate_quantile(q10: ArrayLike, q50: ArrayLike, q90: ArrayLike, level: float) -> NDArray[np.float64]:
    """Quantile ``level`` of a two-piece normal distribution through q10, q50 and q90 (same unit).

    Linear in the standard normal score on each side of the median, so that it returns the three
    given quantiles exactly; beyond 0.1 and 0.9 the two pieces are continued.
    """
    if not 0 < level < 1:
        raise InputError(f"goal_quantile must lie between 0 and 1, not {level}")
    low, mid, high = (np.asarray(q, dtype=float) for q in (q10, q50, q90))
    score = NormalDist().inv_cdf(level) / NormalDist().inv_cdf(0.9)
    return np.asarray(mid + score * np.where(score >= 0, high - mid, mid - low))


def days_between(first: date, last: date) -> tuple[date, ...]:
    """All days from ``first`` to ``last``, both included."""
    return tuple(first + timedelta(days=k) for k in range((last - first).days + 1))


def list_goal_days(event: Event, settings: ControlSettings) -> tuple[date, ...]:
    """Days on which the event's goals hold."""
    first = event.start if settings.goal_days == "event" else event.control_start
    return days_between(first, event.end)


def require_reductions(
    event: Event,
    forecasts: pd.DataFrame,
    issue_time: datetime,
    settings: ControlSettings,
    modelled: Sequence[Target],
) -> pd.DataFrame:
    """One row per receptor, day and target of the event, sorted by target, day and receptor.

    ``need`` is the goal quantile of the forecast minus the goal in µg/m³: what has to be taken away
    (> 0) or the room that is left (< 0). It is NaN without a forecast, and for the targets
    ``modelled`` that are only watched (ozone and PM2.5 without a goal). ``central`` is the
    forecast mean, ``q10``, ``q50``, ``q90`` its quantiles where it gave them. Raises ``InputError``
    when no goal of the event has any forecast.
    """
    days = list_goal_days(event, settings)
    unmodelled = sorted(set(event.goals) - set(modelled))
    if unmodelled:
        raise InputError(
            f"event {event.code}: the attribution has no sensitivity for {', '.join(unmodelled)}; "
            "remove these goals from the event file or attribute them"
        )
    targets = sorted(set(event.goals) | (set(WATCHED) & set(modelled)))
    index = pd.MultiIndex.from_product([targets, days, event.receptors], names=["target", "date", "adcode"])
    rows = index.to_frame(index=False)[_KEY]
    rows = rows.merge(_latest_forecasts(forecasts, issue_time), on=_KEY, how="left", validate="one_to_one")
    full = rows[["q10", "q50", "q90"]].notna().all(axis=1)
    spread = interpolate_quantile(rows["q10"], rows["q50"], rows["q90"], event.goal_quantile)
    rows["forecast_q"] = np.where(full, spread, rows["mean"])
    rows["central"] = rows["mean"].fillna(rows["q50"])
    rows["goal"] = rows["target"].map({str(t): float(g) for t, g in event.goals.items()}).astype(float)
    rows["need"] = rows["forecast_q"] - rows["goal"]
    if rows["need"].isna().all():
        raise InputError(
            f"event {event.code}: no forecast issued until {issue_time:%Y-%m-%d %H:%M} covers "
            f"{', '.join(sorted(event.goals))} in {', '.join(event.receptors)} on {days[0]} to {days[-1]}"
        )
    return rows[list(ROW_COLUMNS)]


def _latest_forecasts(forecasts: pd.DataFrame, issue_time: datetime) -> pd.DataFrame:
    known = forecasts[pd.to_datetime(forecasts["issue_time"]) <= pd.Timestamp(issue_time)]
    known = known[~known["model"].isin(BASELINES)]
    known = known[pd.to_datetime(known["issue_time"]) == pd.to_datetime(known["issue_time"]).max()]
    table = known[["adcode", "target", "mean", "q10", "q50", "q90"]].assign(
        adcode=known["adcode"].astype(str),
        target=known["target"].astype(str),
        date=pd.to_datetime(known["valid_date"]).dt.date,
    )
    twice = table[table.duplicated(_KEY)]
    if len(twice):
        row = twice.iloc[0]
        raise InputError(
            f"forecasts: {row['adcode']}, {row['date']}, {row['target']} is forecast by more than one model; "
            "pass the rows of one model"
        )
    return table.reset_index(drop=True)
