"""Scores of a training on its left-out blocks, as printed on the model card."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.forecast.intervals import HIGH, LOW, fit_spread
from yrd_airq.forecast.metrics import bias, correlation, coverage, mae, rmse, skill
from yrd_airq.forecast.model import LeadCard, PointScores

Array = NDArray[np.float64]

_DIGITS = 4


def review_lead(
    lead: int,
    mean: Array,
    persistence: Array,
    climatology: Array,
    observed: Array,
    valid: pd.DatetimeIndex,
    fold: NDArray[np.int64],
    members: Mapping[str, float],
) -> LeadCard:
    """Score left-out means beside persistence and climatology on the same rows; arrays (city, date)."""
    same = np.isfinite(mean) & np.isfinite(persistence) & np.isfinite(climatology) & np.isfinite(observed)
    truth = observed[same]
    errors = [rmse(forecast[same], truth) for forecast in (mean, persistence, climatology)]
    return LeadCard(
        lead_day=lead,
        n=int(same.sum()),
        lightgbm=_point(mean[same], truth),
        persistence=_point(persistence[same], truth),
        climatology=_point(climatology[same], truth),
        skill_vs_persistence=known(skill(errors[0], errors[1])),
        skill_vs_climatology=known(skill(errors[0], errors[2])),
        coverage80=known(_crossed_coverage(mean, observed, valid, fold)),
        members={kind: round(weight, _DIGITS) for kind, weight in members.items()},
    )


def known(value: float) -> float | None:
    """A score rounded for printing, or None where it is undefined."""
    return round(value, _DIGITS) if math.isfinite(value) else None


def _point(forecast: Array, observed: Array) -> PointScores:
    return PointScores(
        rmse=known(rmse(forecast, observed)),
        mae=known(mae(forecast, observed)),
        bias=known(bias(forecast, observed)),
        r=known(correlation(forecast, observed)),
    )


def _crossed_coverage(
    mean: Array, observed: Array, valid: pd.DatetimeIndex, fold: NDArray[np.int64]
) -> float:
    """Coverage of q10 … q90 where the quantiles of each fold come from the other folds' errors."""
    low, high = np.full(mean.shape, np.nan), np.full(mean.shape, np.nan)
    for k in np.unique(fold):
        others = np.where(fold == k, np.nan, mean)
        if not np.isfinite(others - observed).any():
            continue
        spread = fit_spread(others, observed, valid)
        inside = np.flatnonzero(fold == k)
        part = mean[:, inside]
        scale = spread.scale(part, valid[inside])
        low[:, inside] = spread.quantile(part, scale, LOW)
        high[:, inside] = spread.quantile(part, scale, HIGH)
    return coverage(low, high, observed)
