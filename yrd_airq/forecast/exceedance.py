"""The call 'exceeds the limit': from which probability on it is said, chosen on left-out forecasts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from yrd_airq.forecast.intervals import Spread
from yrd_airq.settings import Settings
from yrd_airq.standards.limits import Averaging, limit
from yrd_airq.standards.versions import LimitStage
from yrd_airq.vocab import Target

Array = NDArray[np.float64]

DEFAULT_THRESHOLD = 0.3
"""The best threshold where a CSI of 0.43 can be reached: CSI / (1 + CSI)."""
_LOWEST, _HIGHEST = 0.1, 0.6
# Days with an exceedance somewhere in the region that weigh as much as the default.
_PRIOR_DAYS = 30.0
_DIGITS = 3


class ExceedanceCall(Settings):
    """From which probability on 'exceeds ``limit``' is said, and what that brought on left-out days.

    ``event_days``: days on which a city exceeded the limit. ``csi``: hits / (hits + false alarms + misses) of
    the call; ``csi_of_mean`` that of saying so where the mean exceeds the limit. None without an event.
    """

    limit: float
    threshold: float
    event_days: int
    csi: float | None
    csi_of_mean: float | None

    def says(self, probability: ArrayLike) -> NDArray[np.bool_]:
        """Where an exceedance is called; never where the probability is missing."""
        return np.asarray(np.nan_to_num(np.asarray(probability, dtype=float)) >= self.threshold)


def limits_of(target: Target) -> tuple[float, ...]:
    """Every class II daily limit that GB 3095 has or had for ``target``, rising; none for daily-mean ozone.

    A model serves days under different versions, so a call is chosen for each.
    """
    if target is Target.O3_MEAN:
        return ()
    return tuple(sorted({limit(target.info.pollutant, Averaging.DAY, stage) for stage in LimitStage}))


def choose_call(
    spread: Spread, mean: Array, observed: Array, days: pd.DatetimeIndex, limit: float
) -> ExceedanceCall:
    """The threshold with the highest expected CSI for the left-out ``mean`` (city, date) of ``days``.

    With calibrated probabilities the expected hits above a threshold are the sum of the probabilities there,
    so that the best threshold is known without counting the few events (for the F-score, which orders
    thresholds like the CSI: Lipton, Elkan & Naryanaswamy 2014). It is drawn to ``DEFAULT_THRESHOLD`` the
    more, the fewer days had an exceedance, and kept within 0.1 … 0.6.
    """
    probability = spread.exceedance(mean, spread.scale(mean, days), limit)
    known = np.isfinite(probability) & np.isfinite(observed)
    exceeded = known & (observed > limit)
    event_days = int(exceeded.any(axis=0).sum())
    best = _expected_best(probability[known]) if event_days else DEFAULT_THRESHOLD
    threshold = (event_days * best + _PRIOR_DAYS * DEFAULT_THRESHOLD) / (event_days + _PRIOR_DAYS)
    threshold = round(float(np.clip(threshold, _LOWEST, _HIGHEST)), _DIGITS)
    said = known & (np.nan_to_num(probability) >= threshold)
    return ExceedanceCall(
        limit=limit,
        threshold=threshold,
        event_days=event_days,
        csi=_csi(said, exceeded),
        csi_of_mean=_csi(known & (mean > limit), exceeded),
    )


def choose_calls(
    spread: Spread, mean: Array, observed: Array, days: pd.DatetimeIndex, limits: Sequence[float]
) -> tuple[ExceedanceCall, ...]:
    """``choose_call`` for every limit in turn."""
    return tuple(choose_call(spread, mean, observed, days, limit) for limit in limits)


def call_for(calls: Sequence[ExceedanceCall], limit: float) -> ExceedanceCall:
    """The call for ``limit``; by the default threshold where none was chosen."""
    for call in calls:
        if call.limit == limit:
            return call
    return ExceedanceCall(limit=limit, threshold=DEFAULT_THRESHOLD, event_days=0, csi=None, csi_of_mean=None)


def called(rows: pd.DataFrame) -> pd.Series:
    """1 where forecast rows call an exceedance, 0 where not, NaN where they state no probability."""
    stated = rows["p_exceed"].notna() & rows["call_from"].notna()
    return (rows["p_exceed"] >= rows["call_from"]).astype(float).where(stated)


def _expected_best(probability: Array) -> float:
    """The probability from which on calling gives the highest expected CSI."""
    falling = np.sort(probability)[::-1]
    hits = np.cumsum(falling)
    called = np.arange(1, falling.size + 1)
    return float(falling[np.argmax(hits / (called + hits[-1] - hits))])


def _csi(said: NDArray[np.bool_], exceeded: NDArray[np.bool_]) -> float | None:
    if not exceeded.any():
        return None
    return round(float((said & exceeded).sum() / (said | exceeded).sum()), _DIGITS)
