"""How a model has done on the days since its training: its forecasts made again, beside persistence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.forecast.baselines import persistence_rows
from yrd_airq.forecast.issue import predict
from yrd_airq.forecast.model import MODEL_NAME, Model
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.rows import KEY, Forecast, to_rows
from yrd_airq.vocab import WeatherKind


@dataclass(frozen=True)
class Comparison:
    """Two forecasts on the same city-days: root mean squared errors in the unit of the target.

    ``days`` distinct days, from ``first`` to ``last`` (None without any).
    """

    rmse: float
    rmse_against: float
    days: int
    first: date | None
    last: date | None


def issues_since(
    panel: Panel, trained: date, issue_date: date, lead: int, days: int | None = None
) -> NDArray[np.int64]:
    """Positions of the issue dates after ``trained`` whose target day is complete at ``issue_date``.

    At most the last ``days`` of them. Their forecasts could not know of the day they are held against.
    """
    last = min(panel.index(issue_date) - 1 - lead, len(panel.dates) - 1 - lead)
    first = max(panel.index(trained) + 1, 0)
    if days is not None:
        first = max(first, last - days + 1)
    return np.arange(first, last + 1)


def past_rows(panel: Panel, model: Model, issue_time: datetime, leads: Sequence[int]) -> pd.DataFrame:
    """What ``model`` forecast for past days that it had not seen: rows in the columns of a forecast.

    Left-out means for the last days of its training, its forecasts for the days since; only ``mean`` is
    filled for the former. ``panel`` holds what was known at ``issue_time``.
    """
    card, hour = model.card, issue_time - datetime.combine(issue_time.date(), time())
    frames = []
    for lead in leads:
        recent = model.parts[lead].recent
        days = pd.date_range(end=pd.Timestamp(card.train_last), periods=recent.shape[1], freq="D")
        left_out = Forecast.of_mean(recent, WeatherKind.NONE.value)
        times = days - pd.Timedelta(days=lead) + hour
        frames.append(to_rows(panel.adcodes, card.target, MODEL_NAME, times, lead, left_out))
        since = issues_since(panel, card.train_last, issue_time.date(), lead)
        if since.size:
            frames.append(predict(panel, model, since, [lead], hour=issue_time))
    return pd.concat(frames, ignore_index=True)


def compare(
    panel: Panel, model: Model, other: Model | None, issue_date: date, leads: Sequence[int], days: int | None
) -> Comparison:
    """``model`` beside ``other`` (None: persistence) on the days since both were trained, leads pooled."""
    trained = max(m.card.train_last for m in (model, other) if m is not None)
    pairs = []
    for lead in leads:
        issue = issues_since(panel, trained, issue_date, lead, days)
        if issue.size:
            own = predict(panel, model, issue, [lead])
            pairs.append(_pair(panel, own, _reference(panel, model, other, issue, lead)))
    if not pairs or not sum(map(len, pairs)):
        return Comparison(np.nan, np.nan, 0, None, None)
    rows = pd.concat(pairs, ignore_index=True)
    when = rows["valid_date"]
    return Comparison(
        rmse=float(np.sqrt(((rows["mean"] - rows["observed"]) ** 2).mean())),
        rmse_against=float(np.sqrt(((rows["against"] - rows["observed"]) ** 2).mean())),
        days=when.nunique(),
        first=when.min().date(),
        last=when.max().date(),
    )


def _reference(
    panel: Panel, model: Model, other: Model | None, issue: NDArray[np.int64], lead: int
) -> pd.DataFrame:
    if other is not None:
        return predict(panel, other, issue, [lead])
    times = panel.dates[issue] + pd.Timedelta(hours=panel.issue_hour)
    return persistence_rows(panel, model.card.target, issue, [lead], times)


def _pair(panel: Panel, own: pd.DataFrame, against: pd.DataFrame) -> pd.DataFrame:
    """Rows that both have and that were observed: valid_date, mean, against, observed."""
    both = own.merge(against[[*KEY, "mean"]].rename(columns={"mean": "against"}), on=KEY)
    target = str(own["target"].iloc[0]) if len(own) else None
    values = next((array for key, array in panel.values.items() if key.value == target), None)
    if values is None or both.empty:
        return both.assign(observed=np.nan).iloc[:0]
    city = pd.Index(panel.adcodes).get_indexer(pd.Index(both["adcode"]))
    both["observed"] = values[city, panel.dates.get_indexer(pd.DatetimeIndex(both["valid_date"]))]
    return both[both["observed"].notna()][["valid_date", "mean", "against", "observed"]]
