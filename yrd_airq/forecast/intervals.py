"""Spread of a forecast around its mean: scaled quantiles of errors on data left out of training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

Array = NDArray[np.float64]

PROBABILITIES = np.concatenate([[0.0], np.arange(1, 100) / 100, [1.0]])
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9
Z_HIGH = 1.2815515655446004
YEAR_DAYS = 365
_LEVEL_TERMS = 2
_CITY_PRIOR_ROWS = 200
_FLOOR_SHARE = 0.05


@dataclass(frozen=True)
class Spread:
    """Distribution of the error (observed − mean) of one lead.

    error = scale · z. ``weights`` give the scale (µg/m³) from the terms of ``scale_terms``, at least
    ``floor`` and times ``city_factor`` (city). ``z`` are the quantiles of z at ``PROBABILITIES``.
    """

    weights: Array
    floor: float
    city_factor: Array
    z: Array

    def scale(self, mean: Array, days: pd.DatetimeIndex) -> Array:
        """Scale of the error for means (city, date) valid on ``days``."""
        base = np.maximum((scale_terms(mean, days) * self.weights).sum(axis=-1), self.floor)
        return np.asarray(base * self.city_factor[:, None])

    def quantile(self, mean: Array, scale: Array, probability: float) -> Array:
        """Quantile of the observation, at least 0; quantiles of one forecast never cross."""
        return np.maximum(mean + scale * np.interp(probability, PROBABILITIES, self.z), 0.0)

    def exceedance(self, mean: Array, scale: Array, threshold: float) -> Array:
        """Probability that the observation exceeds ``threshold``."""
        return 1.0 - np.interp((threshold - mean) / scale, self.z, PROBABILITIES)


def scale_terms(mean: Array, days: pd.DatetimeIndex) -> Array:
    """Terms the error's scale depends on: constant, forecast level and season; (city, date, 4)."""
    phase = 2 * np.pi * np.asarray(days.dayofyear, dtype=float) / 365.2425
    season = [np.broadcast_to(wave, mean.shape) for wave in (np.cos(phase), np.sin(phase))]
    return np.stack([np.ones(mean.shape), mean, *season], axis=-1)


def fit_spread(mean: Array, observed: Array, days: pd.DatetimeIndex) -> Spread:
    """Spread from means and observations (city, date) of days that were left out of training.

    NaN is left out. The season counts only when the days span a year: a curve through half a year says
    nothing of the other half. Quantiles of the scaled errors, so that the intervals hold what they claim
    on the left-out days (split conformal prediction, Vovk et al. 2005, with locally scaled residuals).
    """
    error = observed - mean
    ok = np.isfinite(error)
    size = np.abs(error[ok])
    terms = scale_terms(mean, days)
    observed_days = days[np.flatnonzero(ok.any(axis=0))]
    used = terms.shape[-1] if (observed_days[-1] - observed_days[0]).days >= YEAR_DAYS - 1 else _LEVEL_TERMS
    weights = np.zeros(terms.shape[-1])
    weights[:used] = np.linalg.lstsq(terms[ok][:, :used], size, rcond=None)[0]
    floor = max(float(np.quantile(size, _FLOOR_SHARE)), _FLOOR_SHARE * float(size.mean()), 1e-3)
    base = np.maximum((terms * weights).sum(axis=-1), floor)
    total = np.where(ok, np.abs(error), 0.0).sum(axis=1) + _CITY_PRIOR_ROWS * float(size.mean())
    expected = np.where(ok, base, 0.0).sum(axis=1) + _CITY_PRIOR_ROWS * float(base[ok].mean())
    factor = total / expected
    z = np.quantile((error / (base * factor[:, None]))[ok], PROBABILITIES)
    # Ties would make the distribution function ambiguous.
    return Spread(weights, floor, factor, z + 1e-9 * np.arange(z.size))


def exceedance_of_quantiles(quantiles: Mapping[str, ArrayLike], threshold: float) -> Array:
    """Probability to exceed ``threshold`` from q10, q50, q90 alone, by a normal of two half-widths."""
    q10, q50, q90 = (np.asarray(quantiles[name], dtype=float) for name in ("q10", "q50", "q90"))
    width = np.where(threshold >= q50, q90 - q50, q50 - q10) / Z_HIGH
    return np.asarray(1.0 - ndtr((threshold - q50) / np.maximum(width, 1e-6)))
