"""The table of forecasts: its columns, and arrays over city and issue date laid out as its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.forecast.exceedance import ExceedanceCall, call_for
from yrd_airq.forecast.intervals import HIGH, LOW, MIDDLE, Spread
from yrd_airq.vocab import Target

Array = NDArray[np.float64]

COLUMNS = (
    "adcode",
    "issue_time",
    "valid_date",
    "lead_day",
    "target",
    "model",
    "mean",
    "q10",
    "q50",
    "q90",
    "p_exceed",
    "call_from",
    "weather_kind",
    "basis",
)
OWN, NEIGHBOURS, STALE = "own", "neighbours", "stale"
"""What a row rests on: the city's own last complete day, its neighbours' day, or older values only."""
BASES = (OWN, NEIGHBOURS, STALE)
"""From the strongest to the weakest."""
KEY = ["issue_time", "adcode", "lead_day"]


@dataclass(frozen=True)
class Forecast:
    """Arrays (city, issue date) of one lead; ``kind`` is one word or an array (issue date,).

    ``call_from``: the probability of an exceedance from which on it is called. ``basis``: what each forecast
    rests on, one word or an array (city, issue date).
    """

    mean: Array
    q10: Array
    q50: Array
    q90: Array
    p_exceed: Array
    kind: str | NDArray[np.object_]
    basis: str | NDArray[np.object_] = OWN
    call_from: float = np.nan

    @classmethod
    def of_mean(cls, mean: Array, kind: str) -> Forecast:
        """A forecast that states no uncertainty."""
        blank = np.full(mean.shape, np.nan)
        return cls(mean, blank, blank, blank, blank, kind)


def with_spread(
    mean: Array,
    spread: Spread,
    valid: pd.DatetimeIndex,
    threshold: float | None,
    kind: str | NDArray[np.object_],
    basis: str | NDArray[np.object_] = OWN,
    calls: Sequence[ExceedanceCall] = (),
) -> Forecast:
    """Quantiles and, for a ``threshold``, the probability of exceedance around means valid on ``valid``.

    ``calls``: from which probability on an exceedance is called, as chosen for the model.
    """
    scale = spread.scale(mean, valid)
    exceed, call_from = np.full(mean.shape, np.nan), np.nan
    if threshold is not None:
        exceed, call_from = spread.exceedance(mean, scale, threshold), call_for(calls, threshold).threshold
    q10, q50, q90 = (spread.quantile(mean, scale, p) for p in (LOW, MIDDLE, HIGH))
    return Forecast(mean, q10, q50, q90, exceed, kind, basis, call_from)


def to_rows(
    adcodes: Sequence[str], target: Target, model: str, times: pd.DatetimeIndex, lead: int, values: Forecast
) -> pd.DataFrame:
    """Rows of one lead, without those whose mean is missing; ``times`` are the issue times."""
    shape = values.mean.shape
    days = times.normalize() + pd.Timedelta(days=lead)
    kind = np.broadcast_to(np.asarray(values.kind, dtype=object), shape)
    frame = pd.DataFrame(
        {
            "adcode": np.repeat(np.asarray(adcodes, dtype=object), shape[1]),
            "issue_time": np.tile(times.to_numpy(), shape[0]),
            "valid_date": np.tile(days.to_numpy(), shape[0]),
            "lead_day": lead,
            "target": target.value,
            "model": model,
            "mean": values.mean.ravel(),
            "q10": values.q10.ravel(),
            "q50": values.q50.ravel(),
            "q90": values.q90.ravel(),
            "p_exceed": values.p_exceed.ravel(),
            "call_from": values.call_from,
            "weather_kind": kind.ravel(),
            "basis": np.broadcast_to(np.asarray(values.basis, dtype=object), shape).ravel(),
        }
    )
    frame["adcode"] = frame["adcode"].astype(str)
    frame["weather_kind"] = frame["weather_kind"].astype(str)
    frame["basis"] = frame["basis"].astype(str)
    return frame[frame["mean"].notna()].reset_index(drop=True)
