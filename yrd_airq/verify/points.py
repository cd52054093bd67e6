"""Scores of the forecast value itself: errors, correlation and agreement, over any dimensions at once.

P is the forecast, O the observation. Definitions as in Emery et al. (2017) and Willmott (1981); what the
package ``scores`` has is taken from there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from scores.continuous import additive_bias, mae, pbias, rmse
from scores.continuous.correlation import pearsonr

POINT_SCORES = (
    "n",
    "mb",
    "mae",
    "rmse",
    "nmb",
    "nme",
    "mfb",
    "mfe",
    "r",
    "r2_det",
    "ioa",
    "fac2",
    "rmse_u",
)


def score_points(forecast: xr.DataArray, observed: xr.DataArray, over: Sequence[str]) -> xr.Dataset:
    """Every score of ``POINT_SCORES`` over the dimensions ``over``; pairs with a NaN do not count.

    mb = mean(P − O), mae, rmse in the unit of the values; nmb = Σ(P − O)/ΣO, nme = Σ|P − O|/ΣO; mfb and
    mfe = 2/N Σ(±)(P − O)/(P + O); r Pearson's; r2_det = 1 − SSE/SST (not r²); ioa = 1 − SSE/Σ(|P − Ō| +
    |O − Ō|)²; fac2 the share with 0.5 ≤ P/O ≤ 2; rmse_u the RMSE about the regression of P on O, the part
    of the error that a linear correction cannot take away. NaN where undefined.
    """
    dims = list(over)
    both = forecast.notnull() & observed.notnull()
    p, o = forecast.where(both), observed.where(both)
    error = p - o
    squares, centred = (error**2).sum(dims), o - o.mean(dims)
    variation = (centred**2).sum(dims)
    total = o.sum(dims)
    agreement = ((abs(p - o.mean(dims)) + abs(centred)) ** 2).sum(dims)
    r = pearsonr(p, o, reduce_dims=dims)
    spread_p = ((p - p.mean(dims)) ** 2).sum(dims)
    found = xr.Dataset(
        {
            "n": both.sum(dims),
            "mb": additive_bias(p, o, reduce_dims=dims),
            "mae": mae(p, o, reduce_dims=dims),
            "rmse": rmse(p, o, reduce_dims=dims),
            "nmb": pbias(p, o, reduce_dims=dims) / 100,
            "nme": abs(error).sum(dims) / total,
            "mfb": (2 * error / (p + o)).mean(dims),
            "mfe": (2 * abs(error) / (p + o)).mean(dims),
            "r": r,
            "r2_det": 1 - squares / variation,
            "ioa": 1 - squares / agreement,
            "fac2": ((p >= 0.5 * o) & (p <= 2 * o)).where(both).mean(dims),
            # The residual sum of squares of a regression is (1 − r²) times the variation of its left side.
            "rmse_u": np.sqrt((1 - r**2).clip(min=0) * spread_p / both.sum(dims)),
        }
    )
    return found.where(np.isfinite(found)).assign(n=found["n"])
