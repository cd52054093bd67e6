"""Levels that drift: a model's forecasts brought in line with what its last months came to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

WINDOW_DAYS = 120
PRIOR_DAYS = 60.0
_WIDEST = 1.25


def level_factor(mean: Array, observed: Array, issue: NDArray[np.int64]) -> Array:
    """Factor for the forecasts issued on the dates at positions ``issue``, shape (issue,).

    ``mean`` (city, date) are the model's forecasts of one lead by the day they are for, ``observed`` what
    came; only days before the issue date count, at most the last 120. The factor is the ratio of observed
    to forecast over all cities, drawn to 1 as if 60 days without error were among them, within 0.8 … 1.25.
    """
    both = np.isfinite(mean) & np.isfinite(observed)
    share = both.mean(axis=0)
    seen, said = (np.where(both, rows, 0.0).sum(axis=0) for rows in (observed, mean))
    days, top, bottom = (_window(series, issue) for series in (share, seen, said))
    ratio = np.where(bottom > 0, top / np.maximum(bottom, 1e-9), 1.0)
    factor = 1.0 + (ratio - 1.0) * days / (days + PRIOR_DAYS)
    return np.clip(factor, 1 / _WIDEST, _WIDEST)


def _window(series: Array, end: NDArray[np.int64]) -> Array:
    total = np.concatenate([[0.0], np.cumsum(series)])
    return np.asarray(total[end] - total[np.maximum(end - WINDOW_DAYS, 0)])
