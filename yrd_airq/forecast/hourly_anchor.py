"""First guesses that the hourly model corrects: the level of each day ahead, and the course of its hours."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from yrd_airq.forecast.filling import delayed, fill_gaps, mean_over_cities, running_mean
from yrd_airq.forecast.hourly_features import LEAD_DAYS, NORMAL_DAYS, Index, KnownHours, Slots
from yrd_airq.forecast.hourly_panel import HourlyTarget, Hours, lay_out_leads

Array = NDArray[np.float64]

_RIDGE_SHARE = 0.03


def fit_rows(terms: Array, departure: Array) -> Array:
    """Weights (term,) of ``terms`` (…, term) that best give ``departure``, by ridge; zeros without rows."""
    ok = np.isfinite(departure) & np.isfinite(terms).all(axis=-1)
    if not ok.any():
        return np.zeros(terms.shape[-1])
    x = terms[ok]
    strength = _RIDGE_SHARE * max(float((x**2).sum()) / x.shape[1], 1e-9)
    fitted = Ridge(alpha=strength, fit_intercept=False, solver="cholesky").fit(x, departure[ok])
    return np.asarray(fitted.coef_, dtype=float)


def level_terms(hours: Hours, known: KnownHours, target: HourlyTarget) -> Array:
    """Recent departures (city, issue date, term) of the daily target from its 30-day normal; 0 if unknown."""
    filled = fill_gaps(hours.daily[target.daily], hours.lonlat).value
    region = mean_over_cities(filled)
    terms = [delayed(filled, k) - known.normal for k in (1, 2)]
    terms += [delayed(running_mean(filled, n), 1) - known.normal for n in (3, 7)]
    terms.append(delayed(region - running_mean(region, NORMAL_DAYS), 1))
    terms += [known.recent[name] for name in ("dep6", "dep24", "region_dep24")]
    return np.nan_to_num(np.stack(terms, axis=-1))


def fit_levels(hours: Hours, known: KnownHours, terms: Array, target: HourlyTarget) -> Array:
    """Weights (lead day 0 … 3, term) of the recent departures for the level of the days ahead."""
    values = hours.daily[target.daily]
    size = values.shape[1]
    weights = []
    for lead in range(LEAD_DAYS + 1):
        departure = np.full(values.shape, np.nan)
        departure[:, : size - lead] = values[:, lead:] - known.normal[:, : size - lead]
        weights.append(fit_rows(terms, departure))
    return np.stack(weights)


def apply_levels(weights: Array, known: KnownHours, terms: Array) -> Array:
    """Levels (city, issue date, lead day 0 … 3), µg/m³."""
    return np.maximum(known.normal[:, :, None] + terms @ weights.T, 0.0)


def lay_out_daily(daily: pd.DataFrame | None, hours: Hours, target: HourlyTarget) -> Array:
    """Daily forecast rows as means (city, issue date, lead day 0 … 3); NaN where there is no row."""
    return lay_out_leads(daily, target.daily, hours.adcodes, hours.dates, range(LEAD_DAYS + 1))


def course_terms(known: KnownHours, levels: Array, slots: Slots, days: Index) -> tuple[Array, Array]:
    """Departures (city, issue, slot, term) from the diurnal normal of the slots' hours, and that normal.

    The first term is the diurnal normal scaled to the forecast level of its day.
    """
    usual = known.clock["same30"][:, days][:, :, slots.hour]
    normal = np.maximum(known.normal[:, days], 1.0)[:, :, None]
    terms = [usual * (levels[:, days][:, :, slots.lead_day] / normal - 1.0)]
    terms += [known.clock[name][:, days][:, :, slots.hour] - usual for name in ("same1", "same3")]
    terms += [
        np.broadcast_to(known.recent[name][:, days][:, :, None], usual.shape)
        for name in ("dep1", "dep3", "dep6", "dep24", "region_dep3", "region_dep24")
    ]
    return np.nan_to_num(np.stack(terms, axis=-1)), usual


def fit_course(terms: Array, usual: Array, observed: Array) -> Array:
    """Weights (slot, term) of the departures for each hour ahead."""
    slots = range(usual.shape[-1])
    return np.stack([fit_rows(terms[:, :, k], (observed - usual)[:, :, k]) for k in slots])


def apply_course(weights: Array, terms: Array, usual: Array) -> Array:
    """First guess (city, issue, slot), µg/m³; NaN where the hour has no normal."""
    return np.maximum(usual + np.einsum("cdkt,kt->cdk", terms, weights), 0.0)
