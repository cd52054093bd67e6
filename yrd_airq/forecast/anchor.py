"""The anchor of a forecast: recent departures from the normal, damped by what the past shows to last."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_RIDGE_SHARE = 1e-3


def fit_damping(levels: Sequence[Array], normal_last: Array, departure: Array) -> Array:
    """Weights of the recent departures (level − normal) that best give the target day's departure.

    Least squares with a slight ridge over all city-days where everything is observed; arrays of one shape.
    The weights are zero when nothing is observed.
    """
    terms = np.stack([level - normal_last for level in levels], axis=-1)
    ok = np.isfinite(terms).all(axis=-1) & np.isfinite(departure)
    if not ok.any():
        return np.zeros(len(levels))
    x, y = terms[ok], departure[ok]
    gram = x.T @ x
    ridge = _RIDGE_SHARE * max(float(np.trace(gram)) / len(levels), 1e-9)
    return np.asarray(np.linalg.solve(gram + ridge * np.eye(len(levels)), x.T @ y), dtype=float)


def apply_damping(weights: Array, levels: Sequence[Array], normal_last: Array, normal: Array) -> Array:
    """Anchor = normal of the target day + weighted recent departures; the normal alone if one is missing."""
    departure = sum(w * (level - normal_last) for w, level in zip(weights, levels, strict=True))
    return normal + np.nan_to_num(np.asarray(departure, dtype=float))
