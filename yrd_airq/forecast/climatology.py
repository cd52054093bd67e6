"""The seasonal normal of a city: harmonics of the day of year, or a running mean in a short archive."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.forecast.filling import delayed, running_mean

Array = NDArray[np.float64]

HARMONICS = 2
YEAR_DAYS = 365.2425
MIN_SPAN_DAYS = 365
MIN_OBSERVED_DAYS = 180
RUNNING_DAYS = 30
LEVEL_DAYS = 180
LEVEL_PRIOR_DAYS = 60


@dataclass(frozen=True)
class Climatology:
    """What is normal for a city on a date.

    ``coefficients`` (city, 1 + 2·harmonics) of the seasonal curve, or None when the training data span
    less than a year: then the mean of the last 30 known days stands in, and is the same for all leads.
    """

    coefficients: Array | None

    @property
    def name(self) -> str:
        """How the normal was made, as written on the model card."""
        if self.coefficients is None:
            return f"mean of the last {RUNNING_DAYS} known days"
        return (
            f"{HARMONICS} harmonics of the day of year per city from the training data only, "
            f"shifted by the mean departure of the past {LEVEL_DAYS} days"
        )

    def normal(self, values: Array, dates: pd.DatetimeIndex, ahead: int) -> Array:
        """Normal of date d + ``ahead`` as known when date d is the issue date; shape of ``values``.

        ``ahead`` may be negative. The seasonal curve is shifted by the mean departure of the 180 days
        before the issue date (shrunk as if 60 days without departure were among them), because emissions
        change from year to year. Nothing of the issue date or later enters.
        """
        if self.coefficients is None:
            return delayed(running_mean(values, RUNNING_DAYS), 1)
        departure = values - self.coefficients @ seasonal_terms(dates).T
        level = delayed(running_mean(departure, LEVEL_DAYS, prior=LEVEL_PRIOR_DAYS), 1)
        curve = self.coefficients @ seasonal_terms(dates + pd.Timedelta(days=ahead)).T
        return curve + np.nan_to_num(level)


def seasonal_terms(dates: pd.DatetimeIndex) -> Array:
    """Constant, cosines and sines of the day of year, shape (date, 1 + 2·harmonics)."""
    phase = 2 * np.pi * np.asarray(dates.dayofyear, dtype=float) / YEAR_DAYS
    waves = [wave(k * phase) for k in range(1, HARMONICS + 1) for wave in (np.cos, np.sin)]
    return np.stack([np.ones(len(dates)), *waves], axis=1)


def fit_climatology(values: Array, dates: pd.DatetimeIndex) -> Climatology:
    """Least-squares seasonal curve per city from ``values`` (city, date).

    Without a year of data there is no seasonal curve. A city with fewer than 180 observed days gets the
    mean curve of the others.
    """
    observed = np.isfinite(values)
    days = np.flatnonzero(observed.any(axis=0))
    if days.size == 0 or days[-1] - days[0] + 1 < MIN_SPAN_DAYS:
        return Climatology(None)
    terms = seasonal_terms(dates)
    # Normal equations of all cities at once; the tiny ridge keeps a city without data solvable.
    gram = np.einsum("cd,di,dj->cij", observed.astype(float), terms, terms) + 1e-6 * np.eye(terms.shape[1])
    right = np.where(observed, values, 0.0) @ terms
    coefficients = np.linalg.solve(gram, right[:, :, None])[:, :, 0]
    enough = observed.sum(axis=1) >= MIN_OBSERVED_DAYS
    if not enough.any():
        return Climatology(None)
    coefficients[~enough] = coefficients[enough].mean(axis=0)
    return Climatology(coefficients)
