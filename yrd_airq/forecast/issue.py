"""Forecasts as issued: rows per city and lead day with mean, quantiles and probability of exceedance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.forecast.filling import delayed
from yrd_airq.forecast.means import lead_means, look_back
from yrd_airq.forecast.model import MODEL_NAME, Model
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.rows import KEY, NEIGHBOURS, OWN, STALE, to_rows, with_spread
from yrd_airq.vocab import Target, WeatherKind


def forecast(
    panel: Panel,
    model: Model,
    issue_time: datetime,
    leads: Sequence[int],
    thresholds: Mapping[Target, float] | None = None,
) -> pd.DataFrame:
    """Forecast every city for ``leads`` days after ``issue_time``; columns ``rows.COLUMNS``.

    Only what was known at ``issue_time`` is used. ``p_exceed`` is the probability to exceed
    ``thresholds[target]``, NaN without one. A city-day for which the model lacks an input (no
    observation for a week, no weather for the target day) has no row. ``InputError`` if a lead was not
    trained or the panel's variables differ from those of the training.
    """
    last = issue_time.date() + timedelta(days=max(leads))
    known = panel.known_at(issue_time, last)
    issue = np.array([known.index(issue_time.date())])
    return predict(known, model, issue, leads, thresholds, hour=issue_time)


def predict(
    panel: Panel,
    model: Model,
    issue: NDArray[np.int64],
    leads: Sequence[int],
    thresholds: Mapping[Target, float] | None = None,
    hour: datetime | None = None,
) -> pd.DataFrame:
    """Forecasts issued on the dates at positions ``issue`` of a panel that reaches to the last target day.

    The issue time is the panel's issue hour, or that of ``hour``.
    """
    card = model.card
    _check(panel, model, leads)
    times = panel.dates[issue] + _time_of_day(panel, hour)
    threshold = (thresholds or {}).get(card.target)
    past = look_back(panel, model, issue)
    values = past.panel.values[card.target]
    basis = rest_on(values, past.known.age)[:, past.issue]
    # A city that never reported is not spoken for by its neighbours.
    heard = np.isfinite(values).any(axis=1, keepdims=True)
    calls = {score.lead_day: score.calls for score in card.scores}
    frames = []
    for lead in leads:
        means = lead_means(past, lead)
        kind = panel.weather_kind[issue + lead] if card.weather_ahead else WeatherKind.NONE.value
        mean = np.where(heard, means.mean, np.nan)
        made = with_spread(mean, means.spread, panel.dates[issue + lead], threshold, kind, basis, calls[lead])
        frames.append(to_rows(panel.adcodes, card.target, MODEL_NAME, times, lead, made))
    return pd.concat(frames, ignore_index=True).sort_values(KEY, kind="stable", ignore_index=True)


def rest_on(values: NDArray[np.float64], age: NDArray[np.float64]) -> NDArray[np.object_]:
    """What a forecast of each city rests on, by issue date: its ``own`` last complete day, the ``neighbours``
    of that day, or only older, ``stale`` values. ``values`` (city, date); ``age`` see ``Known``.
    """
    somewhere = np.any(np.isfinite(delayed(values, 1)), axis=0)
    other = np.where(somewhere, NEIGHBOURS, STALE)
    return np.where(age == 0, OWN, np.broadcast_to(other, age.shape)).astype(object)


def complete(*forecasts: pd.DataFrame) -> pd.DataFrame:
    """One row per issue, city, target and day: from the first of ``forecasts`` that has it.

    Hand over the best model first and the fallback last; the column ``model`` and ``weather_kind`` of
    each row say what it came from.
    """
    rows = pd.concat([frame for frame in forecasts if not frame.empty], ignore_index=True)
    first = rows.drop_duplicates([*KEY, "target"])
    return first.sort_values(["issue_time", "target", "adcode", "lead_day"], kind="stable", ignore_index=True)


def missing_days(rows: pd.DataFrame, panel: Panel, leads: Sequence[int]) -> tuple[tuple[str, date], ...]:
    """City-days without a forecast in ``rows`` of one issue and target, as (adcode, valid date)."""
    if rows.empty:
        raise InputError(
            "no forecast could be made for any city; check that observations reach the issue date"
        )
    issue = pd.Timestamp(rows["issue_time"].iloc[0]).normalize()
    wanted = pd.MultiIndex.from_product([panel.adcodes, [issue + pd.Timedelta(days=k) for k in leads]])
    have = pd.MultiIndex.from_frame(rows[["adcode", "valid_date"]])
    return tuple((code, day.date()) for code, day in wanted.difference(have, sort=None))


def _time_of_day(panel: Panel, hour: datetime | None) -> pd.Timedelta:
    if hour is None:
        return pd.Timedelta(hours=panel.issue_hour)
    return pd.Timestamp(hour) - pd.Timestamp(hour).normalize()


def _check(panel: Panel, model: Model, leads: Sequence[int]) -> None:
    card = model.card
    unknown = [lead for lead in leads if lead not in model.parts]
    if unknown:
        raise InputError(
            f"model {card.target}/{card.version} has no lead day {unknown}; it has {list(card.leads)}"
        )
    if card.target not in panel.values:
        raise InputError(f"the archive has no {card.target}, which the model forecasts")
    if panel.source is not card.source:
        raise InputError(
            f"model {card.target}/{card.version} was trained on {card.source}, the archive is "
            f"{panel.source}; series of different source are not mixed"
        )
    if bool(panel.today) and panel.issue_hour != card.issue_hour:
        raise InputError(
            f"the model expects hours up to {card.issue_hour}:00, the panel has {panel.issue_hour}:00"
        )
    if card.places_around and panel.around is None:
        raise InputError(
            f"model {card.target}/{card.version} was trained with the air of {card.places_around} places "
            "around the region; build the panel with it"
        )
    lacking = [name for name in card.weather_variables if name not in panel.weather]
    if lacking:
        raise InputError(f"the archive lacks the weather variables {', '.join(lacking)} of the model")
