"""Formulas of the scores, on plain arrays; an undefined denominator gives NaN, never 0."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def _pair(forecast: ArrayLike, observed: ArrayLike) -> tuple[Array, Array]:
    f, o = np.asarray(forecast, dtype=float), np.asarray(observed, dtype=float)
    ok = np.isfinite(f) & np.isfinite(o)
    return f[ok], o[ok]


def _ratio(top: float, bottom: float) -> float:
    return float(top / bottom) if bottom != 0 and np.isfinite(bottom) else float("nan")


def rmse(forecast: ArrayLike, observed: ArrayLike) -> float:
    """Root of the mean squared error, in the unit of the values."""
    f, o = _pair(forecast, observed)
    return float(np.sqrt(np.mean((f - o) ** 2))) if f.size else float("nan")


def mae(forecast: ArrayLike, observed: ArrayLike) -> float:
    """Mean absolute error."""
    f, o = _pair(forecast, observed)
    return float(np.mean(np.abs(f - o))) if f.size else float("nan")


def bias(forecast: ArrayLike, observed: ArrayLike) -> float:
    """Mean of forecast − observed."""
    f, o = _pair(forecast, observed)
    return float(np.mean(f - o)) if f.size else float("nan")


def normalised_bias(forecast: ArrayLike, observed: ArrayLike) -> float:
    """NMB = Σ(forecast − observed) / Σ observed."""
    f, o = _pair(forecast, observed)
    return _ratio(float((f - o).sum()), float(o.sum()))


def correlation(forecast: ArrayLike, observed: ArrayLike) -> float:
    """Pearson's r; NaN for a constant series."""
    f, o = _pair(forecast, observed)
    if f.size < 2:
        return float("nan")
    df, do = f - f.mean(), o - o.mean()
    return _ratio(float((df * do).sum()), float(np.sqrt((df**2).sum() * (do**2).sum())))


def skill(error: float, reference: float) -> float:
    """1 − error / reference error: the share of the reference's RMSE that the forecast saves."""
    return 1.0 - _ratio(error, reference)


def coverage(low: ArrayLike, high: ArrayLike, observed: ArrayLike) -> float:
    """Share of observations within [low, high]."""
    lo, hi, o = (np.asarray(x, dtype=float) for x in (low, high, observed))
    ok = np.isfinite(lo) & np.isfinite(hi) & np.isfinite(o)
    return float(np.mean((lo[ok] <= o[ok]) & (o[ok] <= hi[ok]))) if ok.any() else float("nan")


def pinball(quantile: ArrayLike, observed: ArrayLike, probability: float) -> float:
    """Mean pinball loss of a quantile forecast."""
    q, o = _pair(quantile, observed)
    if not q.size:
        return float("nan")
    return float(np.mean(np.maximum(probability * (o - q), (probability - 1) * (o - q))))


def brier(probability: ArrayLike, observed: ArrayLike, threshold: float) -> float:
    """Mean squared difference between the probability to exceed ``threshold`` and what happened."""
    p, o = _pair(probability, observed)
    return float(np.mean((p - (o > threshold)) ** 2)) if p.size else float("nan")


def contingency(forecast: ArrayLike, observed: ArrayLike, threshold: float) -> dict[str, float]:
    """Exceedance scores at ``threshold``: pod, far, csi, frequency_bias and the counts behind them.

    With a hits, b false alarms, c misses: POD = a/(a+c), FAR = b/(a+b), CSI = a/(a+b+c).
    """
    f, o = _pair(forecast, observed)
    said, was = f > threshold, o > threshold
    a, b, c = (int(x.sum()) for x in (said & was, said & ~was, ~said & was))
    return {
        "hits": a,
        "false_alarms": b,
        "misses": c,
        "pod": _ratio(a, a + c),
        "far": _ratio(b, a + b),
        "csi": _ratio(a, a + b + c),
        "frequency_bias": _ratio(a + b, a + c),
    }


POINT_SCORES: dict[str, Callable[[ArrayLike, ArrayLike], float]] = {
    "rmse": rmse,
    "mae": mae,
    "bias": bias,
    "nmb": normalised_bias,
    "r": correlation,
}


def point_scores(forecast: ArrayLike, observed: ArrayLike) -> dict[str, float]:
    """``n`` and every score of ``POINT_SCORES`` over the pairs where both are present."""
    n = _pair(forecast, observed)[0].size
    return {"n": n} | {name: formula(forecast, observed) for name, formula in POINT_SCORES.items()}
