"""Spread of forecasts by slot (hour or day ahead) and place, and left-out error courses to sample from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from yrd_airq.forecast.intervals import PROBABILITIES

Array = NDArray[np.float64]

_FLOOR_SHARE = 0.05
_LEAST_FLOOR = 1e-3
_PLACE_PRIOR_ROWS = 200
_MIN_ERRORS = 100
_RANK_DIGITS = 4


@dataclass(frozen=True)
class SlotSpread:
    """Distribution of error = observed − mean for arrays (…, place, slot).

    error = scale · z. The scale is ``constant`` (slot,) + ``slope`` (slot,) · mean, at least ``floor``
    (slot,), times ``place_factor`` (place,). ``z`` (slot, probability) are the quantiles of z at
    ``PROBABILITIES``.
    """

    constant: Array
    slope: Array
    floor: Array
    place_factor: Array
    z: Array

    def scale(self, mean: Array) -> Array:
        """Scale of the error, µg/m³."""
        base = np.maximum(self.constant + self.slope * mean, self.floor)
        return np.asarray(base * self.place_factor[:, None])

    def quantile(self, mean: Array, probability: float) -> Array:
        """Quantile of the observation, at least 0."""
        z = np.array([np.interp(probability, PROBABILITIES, row) for row in self.z])
        return np.maximum(mean + self.scale(mean) * z, 0.0)

    def sample(self, mean: Array, ranks: Array) -> Array:
        """Courses (course, place, slot) around means (place, slot), from ranks (course, slot)."""
        z = np.stack([np.interp(ranks[:, k], PROBABILITIES, row) for k, row in enumerate(self.z)], axis=-1)
        return np.maximum(mean + self.scale(mean) * z[:, None, :], 0.0)

    def exceedance(self, mean: Array, threshold: ArrayLike) -> Array:
        """Probability that the observation exceeds ``threshold``, a number or an array like ``mean``."""
        z = (np.asarray(threshold, dtype=float) - mean) / self.scale(mean)
        slots = range(len(self.z))
        return 1.0 - np.stack([np.interp(z[..., k], self.z[k], PROBABILITIES) for k in slots], axis=-1)

    def rank(self, mean: Array, observed: Array) -> Array:
        """Probability of each observation in its forecast distribution; NaN where one is missing."""
        return np.asarray(1.0 - self.exceedance(mean, observed))


def fit_slot_spread(mean: Array, observed: Array) -> SlotSpread:
    """Spread from means and observations (case, place, slot) that were left out of training; NaN is left out.

    Quantiles of scaled errors, so that intervals hold what they claim on the left-out cases (split conformal
    prediction, Vovk et al. 2005). A slot with fewer than 100 errors takes the spread of all slots together.
    """
    error = observed - mean
    ok = np.isfinite(error)
    size = np.abs(error)
    slots = mean.shape[-1]
    pooled = _line(mean[ok], size[ok])
    enough = ok.sum(axis=(0, 1)) >= _MIN_ERRORS
    lines = [
        _line(mean[..., k][ok[..., k]], size[..., k][ok[..., k]]) if enough[k] else pooled
        for k in range(slots)
    ]
    constant, slope, floor = (np.array(part) for part in zip(*lines, strict=True))
    base = np.maximum(constant + slope * mean, floor)
    average = float(size[ok].mean())
    total = np.where(ok, size, 0.0).sum(axis=(0, 2)) + _PLACE_PRIOR_ROWS * average
    expected = np.where(ok, base, 0.0).sum(axis=(0, 2)) + _PLACE_PRIOR_ROWS * float(base[ok].mean())
    factor = total / expected
    scaled = error / (base * factor[:, None])
    everywhere = np.quantile(scaled[ok], PROBABILITIES)
    z = [
        np.quantile(scaled[..., k][ok[..., k]], PROBABILITIES) if enough[k] else everywhere
        for k in range(slots)
    ]
    # Ties would make the distribution function ambiguous.
    return SlotSpread(constant, slope, floor, factor, np.stack(z) + 1e-9 * np.arange(PROBABILITIES.size))


def _line(mean: Array, size: Array) -> tuple[float, float, float]:
    """Constant and slope of the error's size against the mean, and the least size."""
    terms = np.stack([np.ones(mean.size), mean], axis=1)
    constant, slope = np.linalg.lstsq(terms, size, rcond=None)[0]
    floor = max(float(np.quantile(size, _FLOOR_SHARE)), _FLOOR_SHARE * float(size.mean()), _LEAST_FLOOR)
    return float(constant), float(slope), floor


def keep_courses(
    spread: SlotSpread, mean: Array, observed: Array, count: int, seed: int
) -> tuple[NDArray[np.int64], Array]:
    """Up to ``count`` whole error courses as ranks (course, slot), and which (case · place) each one is.

    Cases and places are drawn in an order that depends on their numbers and the seed alone, so that two
    pollutants with the same cases keep courses of the same events and sampled together stay dependent.
    """
    cases, places, slots = mean.shape
    whole = np.isfinite(mean + observed).all(axis=-1).ravel()
    order = np.random.default_rng(seed).permutation(cases * places)
    chosen = np.sort(order[whole[order]][:count])
    ranks = spread.rank(mean, observed).reshape(cases * places, slots)[chosen]
    return chosen, ranks.round(_RANK_DIGITS)
