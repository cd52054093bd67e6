"""What the drill's stations report of the true air, and when: noise, spikes, gaps, late hours, revisions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.signal import lfilter

from yrd_airq.drill.settings import StationSettings
from yrd_airq.drill.stations import Table, Truth
from yrd_airq.vocab import Pollutant

_SPIKE_FACTOR = 9.0
_HOURS_PER_MONTH = 730
# Hour to hour memory of the noise, and its part that all pollutants of a station but ozone share.
_MEMORY, _COMMON = 0.7, 0.6


@dataclass(frozen=True)
class Reports:
    """All that the stations ever report: ``final`` (time, station) per pollutant, NaN where nothing.

    ``delay_h`` (time, station) is how many hours after its label an hour arrives. What is ``revised``
    (time, station) per pollutant reads ``first`` until it is corrected ``revised_after_h`` after its label.
    """

    times: pd.DatetimeIndex
    final: dict[Pollutant, Table]
    first: dict[Pollutant, Table]
    delay_h: NDArray[np.int64]
    revised_after_h: int

    def known_at(self, moment: pd.Timestamp) -> dict[Pollutant, Table]:
        """The reports (time, station) as they stand at ``moment``; NaN for what has not arrived."""
        age_h = np.floor(np.asarray((moment - self.times) / pd.Timedelta(hours=1)))[:, None]
        arrived, corrected = age_h >= self.delay_h, age_h >= self.revised_after_h
        return {
            pollutant: np.where(arrived, np.where(corrected, final, self.first[pollutant]), np.nan)
            for pollutant, final in self.final.items()
        }

    def arrived_between(self, before: pd.Timestamp, now: pd.Timestamp) -> NDArray[np.bool_]:
        """Hours (time) of which anything came in or was corrected after ``before`` and up to ``now``."""
        old, new = self.known_at(before), self.known_at(now)
        changed = np.zeros(len(self.times), dtype=bool)
        for pollutant, value in new.items():
            same = (value == old[pollutant]) | (np.isnan(value) & np.isnan(old[pollutant]))
            changed |= ~same.all(axis=1)
        return changed


def observe(truth: Truth, settings: StationSettings, rng: np.random.Generator) -> Reports:
    """Hourly reports in the units of the feed (CO mg/m³, else µg/m³), faults included.

    Reports are rounded as published: whole µg/m³, CO to 0.1 mg/m³, never below the smallest step.
    """
    shape = (len(truth.times), len(truth.network.codes))
    common = _wander(rng, shape, settings.noise)
    values: dict[Pollutant, Table] = {}
    for pollutant in Pollutant:
        own = _wander(rng, shape, settings.noise)
        shared = 0.0 if pollutant is Pollutant.O3 else _COMMON
        values[pollutant] = truth.values[pollutant] * np.exp(shared * common + own)
    months = shape[0] / _HOURS_PER_MONTH
    _add_spikes(values, round(settings.spikes * months), rng)
    down = _outages(shape, settings, months, rng)
    final, first = {}, {}
    for pollutant, table in values.items():
        step = 0.1 if pollutant is Pollutant.CO else 1.0
        wrong = rng.uniform(size=shape) < settings.revised_share
        off = np.where(wrong, rng.choice([1 - settings.revision, 1 + settings.revision], size=shape), 1.0)
        missing = down | (rng.uniform(size=shape) < settings.missing_share)
        final[pollutant] = np.where(missing, np.nan, np.maximum(np.rint(table / step), 1) * step)
        first[pollutant] = np.where(missing, np.nan, np.maximum(np.rint(table * off / step), 1) * step)
    late = rng.uniform(size=shape) < settings.late_share
    delay = np.where(late, rng.integers(1, settings.late_h + 1, size=shape), 0)
    return Reports(truth.times, final, first, delay, settings.revised_after_h)


def _wander(rng: np.random.Generator, shape: tuple[int, int], size: float) -> NDArray[np.float64]:
    """Noise that keeps its sign for some hours, standard deviation ``size``."""
    noise = rng.normal(0, size * np.sqrt(1 - _MEMORY**2), size=shape)
    return np.asarray(lfilter([1.0], [1.0, -_MEMORY], noise, axis=0))


def _add_spikes(values: dict[Pollutant, Table], count: int, rng: np.random.Generator) -> None:
    """A few single hours far too high, one pollutant at one station each; in place."""
    order = list(Pollutant)
    hours, stations = values[order[0]].shape
    for which, hour, station in zip(
        rng.integers(len(order), size=count),
        rng.integers(hours, size=count),
        rng.integers(stations, size=count),
        strict=True,
    ):
        values[order[which]][hour, station] *= _SPIKE_FACTOR


def _outages(
    shape: tuple[int, int], settings: StationSettings, months: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Hours (time, station) without any report: outages of stations, and hours that the network lost."""
    hours, stations = shape
    count = round(settings.outages * months)
    down = np.zeros(shape, dtype=bool)
    for start, length, station in zip(
        rng.integers(hours, size=count),
        rng.integers(3, 72, size=count),
        rng.integers(stations, size=count),
        strict=True,
    ):
        down[start : start + length, station] = True
    down[rng.choice(hours, size=round(settings.absent_hours * months), replace=False)] = True
    return down
