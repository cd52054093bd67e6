"""Spread of a forecast around its mean: scaled quantiles of errors on data left out of training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri

Array = NDArray[np.float64]

PROBABILITIES = np.concatenate([[0.0], np.arange(1, 100) / 100, [1.0]])
LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9
Z_HIGH = 1.2815515655446004
YEAR_DAYS = 365
# Means (µg/m³) at which the shape of the errors is tabulated; between them it changes with the logarithm.
LEVELS = 10.0 * 2.0 ** np.arange(6)
_TERMS, _LEVEL_TERMS = 6, 2
_CITY_PRIOR_ROWS = 200
_SHAPE_PRIOR_ROWS = 1000
_FLOOR_SHARE = 0.05
_STEPS = len(PROBABILITIES) - 1


@dataclass(frozen=True)
class Spread:
    """Distribution of the error (observed − mean) of one lead.

    error = scale · z. ``weights`` give the scale (µg/m³) from the terms of ``scale_terms``, at least
    ``floor`` and times ``city_factor`` (city). ``z`` (level, probability) are the quantiles of z at
    ``PROBABILITIES`` for means of ``LEVELS``, so that the skew may change with the level. ``shift`` and
    ``stretch`` (issue date, or one for all) move the probabilities on the scale of normal deviates, as
    recent errors ask for (``recalibration``): the quantile of p is the one tabulated for
    Φ(shift + stretch · Φ⁻¹(p)).
    """

    weights: Array
    floor: float
    city_factor: Array
    z: Array
    shift: Array = field(default_factory=lambda: np.zeros(1))
    stretch: Array = field(default_factory=lambda: np.ones(1))

    def __post_init__(self) -> None:
        if self.weights.shape != (_TERMS,) or self.z.shape != (len(LEVELS), len(PROBABILITIES)):
            raise ValueError("the spread was fitted by another version of the program")

    def scale(self, mean: Array, days: pd.DatetimeIndex) -> Array:
        """Scale of the error for means (city, date) valid on ``days``."""
        base = np.maximum((scale_terms(mean, days) * self.weights).sum(axis=-1), self.floor)
        return np.asarray(base * self.city_factor[:, None])

    def quantile(self, mean: Array, scale: Array, probability: ArrayLike) -> Array:
        """Quantile of the observation, at least 0; quantiles of one forecast never cross.

        ``probability`` is one number or an array that broadcasts against (city, date).
        """
        moved = ndtr(self.shift + self.stretch * ndtri(np.asarray(probability, dtype=float)))
        place = np.broadcast_to(moved * _STEPS, mean.shape)
        step = np.minimum(place.astype(int), _STEPS - 1)
        upper = place - step
        low = self._at_level(mean, step)
        return np.maximum(mean + scale * (low + upper * (self._at_level(mean, step + 1) - low)), 0.0)

    def exceedance(self, mean: Array, scale: Array, threshold: ArrayLike) -> Array:
        """Probability that the observation exceeds ``threshold`` (one, or an array like ``mean``)."""
        return 1.0 - self.probability(mean, scale, threshold)

    def probability(self, mean: Array, scale: Array, value: ArrayLike) -> Array:
        """Probability that the observation is at most ``value``; NaN where one of them is missing."""
        z = (np.asarray(value, dtype=float) - mean) / scale
        k, share = _between_levels(mean)
        table = self.z[k] + share[..., None] * (self.z[k + 1] - self.z[k])
        step = np.clip((table <= z[..., None]).sum(axis=-1) - 1, 0, _STEPS - 1)
        low, high = (np.take_along_axis(table, s[..., None], axis=-1)[..., 0] for s in (step, step + 1))
        tabulated = (step + np.clip((z - low) / (high - low), 0.0, 1.0)) / _STEPS
        return np.asarray(ndtr((ndtri(tabulated) - self.shift) / self.stretch))

    def _at_level(self, mean: Array, step: NDArray[np.int64]) -> Array:
        """Tabulated z of the probabilities numbered ``step`` at the level of each mean."""
        k, share = _between_levels(mean)
        low = self.z[k, step]
        return np.asarray(low + share * (self.z[k + 1, step] - low))


def scale_terms(mean: Array, days: pd.DatetimeIndex) -> Array:
    """Terms the error's scale depends on, (city, date, 6): constant, level, and the season's wave of both."""
    phase = 2 * np.pi * np.asarray(days.dayofyear, dtype=float) / 365.2425
    season = [np.broadcast_to(wave, mean.shape) for wave in (np.cos(phase), np.sin(phase))]
    return np.stack([np.ones(mean.shape), mean, *season, *(mean * wave for wave in season)], axis=-1)


def fit_spread(mean: Array, observed: Array, days: pd.DatetimeIndex) -> Spread:
    """Spread from means and observations (city, date) of days that were left out of training.

    NaN is left out. The season counts only when the days span a year: a curve through half a year says
    nothing of the other half. Quantiles of the scaled errors, so that the intervals hold what they claim
    on the left-out days (split conformal prediction with locally scaled residuals, Lei et al. 2018), each
    level weighing the errors near it (localized conformal prediction, Guan 2023).
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
    return Spread(weights, floor, factor, _shape((error / (base * factor[:, None]))[ok], mean[ok]))


def _shape(z: Array, mean: Array) -> Array:
    """Quantiles of z at each of ``LEVELS``, (level, probability); a level of few rows takes those of all."""
    order = np.argsort(z, kind="stable")
    z, (k, share) = z[order], _between_levels(mean[order])
    table = np.empty((len(LEVELS), len(PROBABILITIES)))
    for level in range(len(LEVELS)):
        weight = np.where(k == level, 1 - share, 0.0) + np.where(k + 1 == level, share, 0.0)
        weight += _SHAPE_PRIOR_ROWS / z.size
        reached = np.cumsum(weight)
        table[level] = np.interp(PROBABILITIES, (reached - weight / 2) / reached[-1], z)
    # Ties would make the distribution function ambiguous.
    return table + 1e-9 * np.arange(len(PROBABILITIES))


def _between_levels(mean: Array) -> tuple[NDArray[np.int64], Array]:
    """Number of the level below each mean, and how far the mean lies on the way to the next one, 0 … 1."""
    place = np.log2(np.maximum(np.nan_to_num(mean), LEVELS[0]) / LEVELS[0])
    place = np.minimum(place, len(LEVELS) - 1.0)
    below = np.minimum(place.astype(np.int64), len(LEVELS) - 2)
    return below, place - below


def exceedance_of_quantiles(quantiles: Mapping[str, ArrayLike], threshold: float | Array) -> Array:
    """Probability to exceed ``threshold`` from q10, q50, q90 alone, by a normal of two half-widths."""
    q10, q50, q90 = (np.asarray(quantiles[name], dtype=float) for name in ("q10", "q50", "q90"))
    width = np.where(threshold >= q50, q90 - q50, q50 - q10) / Z_HIGH
    return np.asarray(1.0 - ndtr((threshold - q50) / np.maximum(width, 1e-6)))
