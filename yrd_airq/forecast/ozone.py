"""Daily-mean ozone spoken in MDA8 terms, for archives that carry only the daily mean; marked as converted."""

from __future__ import annotations

import numpy as np
import pandas as pd

from yrd_airq.errors import InputError
from yrd_airq.forecast.exceedance import DEFAULT_THRESHOLD
from yrd_airq.forecast.intervals import Z_HIGH, exceedance_of_quantiles
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.vocab import Target

SUFFIX = "+ratio"


def mda8_from_mean(
    rows: pd.DataFrame, settings: ForecastSettings, threshold: float | None = None
) -> pd.DataFrame:
    """Forecast rows of ``o3_mean`` as rows of ``o3_mda8``, ``model`` marked with ``+ratio``.

    MDA8 = intercept + slope · mean by the month of the valid date. The half-widths to q10 and q90 grow by
    the regression's residual spread, taken as normal and independent (added in quadrature). ``p_exceed``
    refers to ``threshold`` (µg/m³), NaN without one. ``InputError`` if other targets are among the rows.
    """
    others = sorted(set(rows["target"]) - {Target.O3_MEAN.value})
    if others:
        raise InputError(f"only o3_mean can be converted to o3_mda8, not {', '.join(others)}")
    intercept, slope, spread = monthly_terms(pd.DatetimeIndex(rows["valid_date"]), settings)
    out = rows.copy()
    out["target"] = Target.O3_MDA8.value
    out["model"] = rows["model"].astype(str) + SUFFIX
    out["mean"] = np.maximum(intercept + slope * rows["mean"].to_numpy(), 0.0)
    middle = intercept + slope * rows["q50"].to_numpy()
    for name in ("q10", "q90"):
        width = slope * np.abs(rows[name].to_numpy() - rows["q50"].to_numpy())
        sign = -1.0 if name == "q10" else 1.0
        out[name] = np.maximum(middle + sign * np.hypot(width, Z_HIGH * spread), 0.0)
    out["q50"] = np.maximum(middle, 0.0)
    out["p_exceed"], out["call_from"] = np.nan, np.nan
    if threshold is not None:
        out["call_from"] = DEFAULT_THRESHOLD
        out["p_exceed"] = exceedance_of_quantiles({k: out[k] for k in ("q10", "q50", "q90")}, threshold)
    return out


def observed_mda8(days: pd.DataFrame, settings: ForecastSettings) -> pd.DataFrame:
    """City-day rows (…, date, target, value) of ``o3_mean`` as ``o3_mda8``, by the same regression."""
    rows = days[days["target"] == Target.O3_MEAN.value].copy()
    intercept, slope, _ = monthly_terms(pd.DatetimeIndex(rows["date"]), settings)
    rows["value"] = np.maximum(intercept + slope * rows["value"].to_numpy(), 0.0)
    rows["target"] = Target.O3_MDA8.value
    return rows


def monthly_terms(
    days: pd.DatetimeIndex, settings: ForecastSettings
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Intercept, slope and residual spread of the regression for each day's month."""
    months = [settings.o3_mda8_from_mean[month] for month in range(1, 13)]
    table = np.array([[m.intercept.value, m.slope.value, m.residual_sd.value] for m in months])
    intercept, slope, spread = table[np.asarray(days.month) - 1].T
    return intercept, slope, spread
