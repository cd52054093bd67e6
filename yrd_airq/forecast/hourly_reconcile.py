"""Agreement of the hours with the days: the daily value that hours imply, and scaling to a daily forecast."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from yrd_airq.forecast.hourly_features import LEAD_DAYS, Slots
from yrd_airq.forecast.hourly_panel import DAY_HOURS, HourlyTarget
from yrd_airq.standards.statistics import daily_mean, mda8

Array = NDArray[np.float64]

ROUNDS = 30
LARGEST_FACTOR = 3.0
_NOON = 11


def implied_daily(course: Array, slots: Slots, target: HourlyTarget) -> Array:
    """Daily values (…, lead day 0 … 3) of courses (…, slot): the mean of the 24 hours, for ozone the MDA8.

    The issue date itself is not whole: NaN. Validity as in GB 3095.
    """
    whole = course[..., slots.lead_day >= 1].reshape(*course.shape[:-1], LEAD_DAYS, DAY_HOURS)
    daily = mda8(whole) if target is HourlyTarget.O3_1H else daily_mean(whole)
    return np.concatenate([np.full((*daily.shape[:-1], 1), np.nan), daily], axis=-1)


def reconcile(course: Array, daily: Array, slots: Slots, target: HourlyTarget) -> Array:
    """Courses (…, slot) scaled so that they imply the ``daily`` values (…, lead day 0 … 3).

    The factor is 1 at the issue hour, changes linearly from noon to noon and keeps its last value, so that no
    step appears at midnight. A day without a daily value takes the factor between its neighbours. The factor
    stays within 1/3 … 3; where it would have to leave that range the day keeps part of the difference.
    """
    wanted = np.isfinite(daily[..., 1:])
    basis = _between_noons(slots)
    nodes = np.ones(wanted.shape)
    for _ in range(ROUNDS):
        implied = implied_daily(course * (1.0 + (nodes - 1.0) @ basis), slots, target)[..., 1:]
        ratio = np.where(wanted & (implied > 0), daily[..., 1:] / np.maximum(implied, 1e-9), 1.0)
        nodes = np.clip(nodes * np.nan_to_num(ratio, nan=1.0), 1.0 / LARGEST_FACTOR, LARGEST_FACTOR)
        nodes = _bridged(nodes, wanted)
    return np.asarray(course * (1.0 + (nodes - 1.0) @ basis))


def _between_noons(slots: Slots) -> Array:
    """Share of each day's noon factor in every slot, (day 1 … 3, slot)."""
    position = slots.lead_h.astype(float)
    noon = np.flatnonzero((slots.hour == _NOON) & (slots.lead_day >= 1)) + 1.0
    at = np.concatenate([[0.0], noon])
    return np.stack([np.interp(position, at, np.eye(LEAD_DAYS + 1)[k]) for k in range(1, LEAD_DAYS + 1)])


def _bridged(nodes: Array, wanted: NDArray[np.bool_]) -> Array:
    """Factors with those of unwanted days between their wanted neighbours, the issue hour's 1 before them."""
    first, second, third = (np.where(wanted[..., k], nodes[..., k], np.nan) for k in range(LEAD_DAYS))
    one = np.ones(first.shape)
    first = np.where(np.isfinite(first), first, np.where(np.isfinite(second), (one + second) / 2, one))
    after = np.where(np.isfinite(third), (first + third) / 2, first)
    second = np.where(np.isfinite(second), second, after)
    third = np.where(np.isfinite(third), third, second)
    return np.stack([first, second, third], axis=-1)
