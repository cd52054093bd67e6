"""Scores of an hourly training on its left-out blocks, by group of lead hours, as printed on the card."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from yrd_airq.forecast.hourly_features import LEAD_HOURS, Slots
from yrd_airq.forecast.hourly_model import HourScores
from yrd_airq.forecast.hourly_panel import DAY_HOURS
from yrd_airq.forecast.hourly_spread import fit_slot_spread
from yrd_airq.forecast.intervals import HIGH, LOW
from yrd_airq.forecast.metrics import bias, correlation, coverage, rmse, skill

Array = NDArray[np.float64]

_DIGITS = 4


def review_hours(
    slots: Slots,
    mean: Array,
    observed: Array,
    persistence: Array,
    climatology: Array,
    fold: NDArray[np.int64],
) -> tuple[HourScores, ...]:
    """Score means beside persistence and climatology on the same rows; arrays (city, issue, slot)."""
    low, high = _crossed_interval(mean, observed, fold)
    everything = mean + observed + persistence + climatology
    scores = []
    for first in range(1, LEAD_HOURS, DAY_HOURS):
        last = first + DAY_HOURS - 1
        inside = np.isfinite(everything) & (slots.lead_h >= first) & (slots.lead_h <= last)
        truth = observed[inside]
        own, held, normal = (rmse(array[inside], truth) for array in (mean, persistence, climatology))
        scores.append(
            HourScores(
                first_h=first,
                last_h=last,
                n=int(inside.sum()),
                rmse=_known(own),
                bias=_known(bias(mean[inside], truth)),
                r=_known(correlation(mean[inside], truth)),
                rmse_persistence=_known(held),
                rmse_climatology=_known(normal),
                skill_vs_persistence=_known(skill(own, held)),
                skill_vs_climatology=_known(skill(own, normal)),
                coverage80=_known(coverage(low[inside], high[inside], truth)),
            )
        )
    return tuple(scores)


def _crossed_interval(mean: Array, observed: Array, fold: NDArray[np.int64]) -> tuple[Array, Array]:
    """q10 and q90 of each fold with the spread of the other folds' errors."""
    low, high = np.full(mean.shape, np.nan), np.full(mean.shape, np.nan)
    for k in np.unique(fold):
        inside, others = fold == k, fold != k
        if not np.isfinite((mean - observed)[:, others]).any():
            continue
        spread = fit_slot_spread(mean[:, others].transpose(1, 0, 2), observed[:, others].transpose(1, 0, 2))
        part = mean[:, inside].transpose(1, 0, 2)
        low[:, inside] = spread.quantile(part, LOW).transpose(1, 0, 2)
        high[:, inside] = spread.quantile(part, HIGH).transpose(1, 0, 2)
    return low, high


def _known(value: float) -> float | None:
    return round(value, _DIGITS) if math.isfinite(value) else None
