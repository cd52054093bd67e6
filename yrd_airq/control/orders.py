"""Every order that could be given: one enterprise, one measure, one run of days."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yrd_airq.control.settings import Measure
from yrd_airq.vocab import Precursor

HOURS = 24
Ints = NDArray[np.int64]
Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Orders:
    """Orders as columns: ``enterprise``, ``measure`` (indices), ``first_day`` and ``last_day`` in force.

    Days count from the first control day. A run keeps its notice time, its shortest duration and its
    continuity by being listed here at all. ``ramp`` (measure, day of the run): part of the cut that is
    reached.
    """

    enterprise: Ints
    measure: Ints
    first_day: Ints
    last_day: Ints
    ramp: Reals

    @property
    def length(self) -> Ints:
        """Days in force."""
        return self.last_day - self.first_day + 1

    def take(self, keep: NDArray[np.bool_] | Ints) -> Orders:
        """Some of the orders."""
        return Orders(
            self.enterprise[keep], self.measure[keep], self.first_day[keep], self.last_day[keep], self.ramp
        )

    def force(self, day: int, which: Ints | slice = slice(None)) -> Reals:
        """Part of each order's cut that is reached on a control day, nought where it is not in force."""
        first, last = self.first_day[which], self.last_day[which]
        inside = (first <= day) & (day <= last)
        run = np.clip(day - first, 0, self.ramp.shape[1] - 1)
        return np.where(inside, self.ramp[self.measure[which], run], 0.0)


def list_orders(
    allowed: NDArray[np.bool_],
    first_day: Ints,
    min_days: Reals,
    useful: NDArray[np.bool_],
    days: int,
    measures: Sequence[Measure],
    until_end: bool,
) -> Orders:
    """All runs of days of all allowed measures, (enterprise, measure); ``useful`` (enterprise, day).

    A run that begins or ends with a day that helps nowhere is left out where the shorter run may be
    ordered, since that one helps as much for less; so is a run without any useful day. A measure with a
    ramp may begin early enough to be in full effect. ``until_end``: only runs to the last day. Sorted by
    enterprise, measure, first and last day.
    """
    first, last = (grid.ravel() for grid in np.meshgrid(np.arange(days), np.arange(days), indexing="ij"))
    forward = (first <= last) & ((last == days - 1) | (not until_end))
    first, last = first[forward], last[forward]
    enterprise, measure = np.nonzero(allowed)
    length = (last - first + 1)[None, :]
    shortest = np.maximum(min_days[enterprise, measure], 1)[:, None]
    fits = (first[None, :] >= first_day[enterprise, measure][:, None]) & (length >= shortest)
    until = np.concatenate([np.zeros((len(useful), 1), dtype=int), useful.cumsum(axis=1)], axis=1)
    helps = (until[:, last + 1] - until[:, first])[enterprise] > 0
    ramp = _ramp(measures, days)
    opens = _opens(useful, (ramp < 1 - 1e-9).sum(axis=1))[enterprise, measure]
    closes = until_end | useful[:, last][enterprise]
    edges = (opens[:, first] & closes) | (length - 1 < shortest)
    row, run = np.nonzero(fits & helps & edges)
    return Orders(enterprise[row], measure[row], first[run], last[run], ramp)


def _opens(useful: NDArray[np.bool_], early: Ints) -> NDArray[np.bool_]:
    """Whether a run of a measure that takes ``early`` days to full effect may begin on a day, (…, day)."""
    opens = np.repeat(useful[:, None, :], len(early), axis=1)
    for shift in range(1, int(early.max(initial=0)) + 1):
        opens[:, :, :-shift] |= useful[:, None, shift:] & (early >= shift)[None, :, None]
    return opens


def effect_matrix(measures: Sequence[Measure], ozone: bool) -> Reals:
    """Share of emission that counts as avoided, (measure, precursor), for ozone or for the other targets."""
    return np.array([[m.effect(p, ozone) for p in Precursor] for m in measures])


def _ramp(measures: Sequence[Measure], days: int) -> Reals:
    """Mean part of the cut on each day of a run if it grows evenly over ``ramp_h`` hours."""
    hours = np.arange(days + 1) * float(HOURS)
    ramp = np.array([float(m.ramp_h) if m.ramp_h is not None else 0.0 for m in measures])[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        reached = np.where(hours < ramp, hours**2 / (2 * ramp), hours - ramp / 2)
    return np.asarray(np.diff(np.maximum(reached, 0), axis=1) / HOURS) if days else np.zeros((len(ramp), 0))
