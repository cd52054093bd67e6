"""The chance that a concentration stays above its goal: the forecast's spread and the members of transport.

A forecast is a two-piece normal distribution through q10, q50 and q90. Under a list every member m of the
transport ensemble expects another fall, ``fall + deviation_m``; the chance of exceedance is the mean over
members of P(C − fall − deviation_m > goal). The demand that it is at most ε is the same as ``fall ≥ need +
risk(deviation)``, where ``need`` is the goal quantile of C minus the goal and ``risk`` the further fall that
the disagreement of the members costs. Beyond the median the chance is convex in the fall; below it the
straight line through the median takes its place, which is never less than the chance itself. So ``risk`` is
convex in the deviations, any tangent bounds it from below, and what the solver meets by its tangents is met.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

Reals = NDArray[np.float64]
_Z90 = NormalDist().inv_cdf(0.9)
_PEAK = 1 / np.sqrt(2 * np.pi)
_STEPS = 60


@dataclass(frozen=True)
class Spread:
    """Two-piece normal distributions of the rows, µg/m³: ``median``, widths ``low`` and ``high`` (row,).

    The widths are NaN where the forecast gave no quantiles. ``level``: the goal quantile, 1 − ε.
    """

    median: Reals
    low: Reals
    high: Reals
    level: float

    @classmethod
    def of(cls, q10: ArrayLike, q50: ArrayLike, q90: ArrayLike, level: float) -> Spread:
        """From three quantiles of each row; crossed quantiles give a width of nought."""
        low, mid, high = (np.asarray(q, dtype=float) for q in (q10, q50, q90))
        return cls(mid, np.maximum(mid - low, 0) / _Z90, np.maximum(high - mid, 0) / _Z90, level)

    @property
    def curved(self) -> NDArray[np.bool_]:
        """Rows where members that disagree cost a margin: the forecast has a width and ε is below one half.

        Elsewhere (a certain forecast, a goal quantile of the median or less) the mean member decides.
        """
        return np.asarray((np.nan_to_num(self.high) > 0) & (self.level > 0.5))

    @property
    def quantile(self) -> Reals:
        """The goal quantile of each row, µg/m³."""
        score = NormalDist().inv_cdf(self.level)
        return np.asarray(self.median + score * np.where(score >= 0, self.high, self.low))

    def exceed(self, row: int, limit: ArrayLike) -> Reals:
        """P(C > limit) in one row; NaN without quantiles."""
        above = np.asarray(limit, dtype=float) - self.median[row]
        width = np.where(above >= 0, self.high[row], self.low[row])
        with np.errstate(divide="ignore", invalid="ignore"):
            score = np.where(width > 0, above / width, np.where(above >= 0, np.inf, -np.inf))
        return np.asarray(np.where(np.isnan(self.median[row] + width), np.nan, ndtr(-score)))

    def risk(self, row: int, deviation: Reals) -> tuple[float, Reals]:
        """Margin in µg/m³ that the members' ``deviation`` (member,) costs, and its slope by each of them.

        Newton's method from the left of a convex falling function never oversteps its root.
        """
        at = self.quantile[row] - deviation.max()
        for _ in range(_STEPS):
            chance, density = self._convex(row, at + deviation)
            step = (chance.mean() - (1 - self.level)) / density.mean()
            at += step
            if abs(step) < 1e-12 * max(1.0, abs(at)):
                break
        _, density = self._convex(row, at + deviation)
        return float(at - self.quantile[row]), np.asarray(-density / density.sum())

    def tolerance(self, row: int, chance: float) -> float:
        """µg/m³ by which a row may miss its goal quantile if its chance may be off by ``chance``."""
        _, density = self._convex(row, self.quantile[[row]])
        return float(chance / density[0])

    def _convex(self, row: int, limit: Reals) -> tuple[Reals, Reals]:
        """Convex chance of exceedance that is never below the true one, and its density."""
        wide, narrow = self.high[row], self.high[row]
        if self.low[row] > 0:
            narrow = min(narrow, self.low[row])
        above = limit - self.median[row]
        right = above >= 0
        score = np.maximum(above, 0) / wide
        chance = np.where(right, ndtr(-score), 0.5 - above * _PEAK / narrow)
        density = np.where(right, _PEAK * np.exp(-(score**2) / 2) / wide, _PEAK / narrow)
        return chance, density
