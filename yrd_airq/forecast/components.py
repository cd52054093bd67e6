"""Principal components of a regional field: what the whole region does on a day, in a few numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.forecast.climatology import MIN_SPAN_DAYS, seasonal_terms
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.settings import FeatureSettings

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Sky:
    """Components of the weather: ``known`` of the last complete day, over the region and around it, and
    ``ahead`` of later days over the cities; None where the weather is not used so.
    """

    known: Components | None
    ahead: Components | None


@dataclass(frozen=True)
class Components:
    """Leading components of rows (city × variable) over days, fitted on training days.

    ``curve`` (row, seasonal term) is taken off first; ``scale`` (row,) divides; ``basis`` (row, component)
    projects to components of unit variance.
    """

    curve: Array
    scale: Array
    basis: Array

    def of(self, rows: Array, days: pd.DatetimeIndex) -> Array:
        """Components of ``rows`` (row, day), shape (component, day); NaN on days without half of the rows.

        What is missing on a better day counts as normal. ``InputError`` if there are other rows than fitted.
        """
        if len(rows) != len(self.scale):
            raise InputError(
                f"the weather of the region has {len(rows)} series, the model was trained with "
                f"{len(self.scale)}; give the same variables and places, or train it anew"
            )
        departure = (rows - self.curve @ seasonal_terms(days).T) / self.scale[:, None]
        enough = np.isfinite(departure).mean(axis=0) >= 0.5
        return np.where(enough, self.basis.T @ np.nan_to_num(departure), np.nan)


def fit_components(rows: Array, days: pd.DatetimeIndex, count: int) -> Components:
    """Components of ``rows`` (row, day); the seasonal curve is the mean alone in less than a year."""
    seen = np.isfinite(rows)
    terms = seasonal_terms(days)
    if len(days) < MIN_SPAN_DAYS:
        terms = np.where(np.arange(terms.shape[1]) == 0, terms, 0.0)
    gram = np.einsum("rd,di,dj->rij", seen.astype(float), terms, terms, optimize=True)
    gram += 1e-6 * np.eye(terms.shape[1])
    right = np.where(seen, rows, 0.0) @ terms
    curve = np.linalg.solve(gram, right[:, :, None])[:, :, 0]
    departure = np.where(seen, rows - curve @ terms.T, 0.0)
    scale = np.maximum(np.sqrt((departure**2).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)), 1e-6)
    departure /= scale[:, None]
    values, vectors = np.linalg.eigh(departure @ departure.T / max(len(days), 1))
    lead = np.argsort(values)[::-1][:count]
    # The sign of an eigenvector is free; a fixed one keeps the numbers the same on every machine.
    sign = np.sign(vectors[np.abs(vectors[:, lead]).argmax(axis=0), lead])
    return Components(curve, scale, vectors[:, lead] * sign / np.sqrt(np.maximum(values[lead], 1e-9)))


def stack(arrays: Sequence[Array]) -> Array:
    """Arrays (city, day) of several variables as one (city × variable, day)."""
    return np.concatenate(list(arrays), axis=0)


def weather_rows(panel: Panel, names: Sequence[str], *, around: bool) -> Array:
    """Weather ``names`` as rows (place × variable, day), with the places ``around`` if they have them all."""
    outside = panel.around
    if not around or outside is None or not set(names) <= set(outside.weather):
        return stack([panel.weather[name] for name in names])
    return stack([array for name in names for array in (panel.weather[name], outside.weather[name])])


def fit_sky(panel: Panel, names: Sequence[str], ahead: bool, settings: FeatureSettings) -> Sky:
    """Components of the weather ``names`` on the days of ``panel``; none without weather."""
    if not names:
        return Sky(None, None)
    known = fit_components(weather_rows(panel, names, around=True), panel.dates, settings.known_components)
    later = weather_rows(panel, names, around=False)
    return Sky(known, fit_components(later, panel.dates, settings.components) if ahead else None)
