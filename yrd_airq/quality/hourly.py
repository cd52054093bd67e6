"""Hourly quality control: narrow rules that flag a value by name and leave it out of means, never delete it.

Frames are dense and wide: the index holds every hour (hour-ending labels), the columns are station
codes, missing values are NaN. The rules look at one station at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.quality.settings import PollutantThresholds, QualitySettings, load_quality
from yrd_airq.vocab import Pollutant

FLAG_COLUMNS = ("station_code", "time", "pollutant", "flag", "rule")
# What a flag does to the value; the only effect so far.
LEFT_OUT = "left_out"


class Rule(StrEnum):
    """Why a value is left out of means."""

    NOT_POSITIVE = "not_positive"
    ABOVE_MAXIMUM = "above_maximum"
    SPIKE = "spike"
    STUCK = "stuck"


@dataclass(frozen=True)
class Checked:
    """``accepted``: the frames with flagged values missing; ``flags``: one row per value and rule, sorted."""

    accepted: Mapping[Pollutant, pd.DataFrame]
    flags: pd.DataFrame


def check_hourly(
    hourly: Mapping[Pollutant, pd.DataFrame], settings: QualitySettings | None = None
) -> Checked:
    """Apply every rule to every pollutant; columns of ``flags`` are ``FLAG_COLUMNS``."""
    settings = settings or load_quality()
    accepted: dict[Pollutant, pd.DataFrame] = {}
    flags = []
    for pollutant, frame in hourly.items():
        faults = find_faults(frame, Pollutant(pollutant), settings)
        bad = np.logical_or.reduce(list(faults.values()))
        accepted[Pollutant(pollutant)] = frame.mask(bad)
        flags += [_flag_rows(frame, Pollutant(pollutant), rule, mask) for rule, mask in faults.items()]
    table = pd.concat(flags, ignore_index=True) if flags else _no_flags()
    return Checked(accepted, table.sort_values(list(FLAG_COLUMNS), ignore_index=True))


def find_faults(
    frame: pd.DataFrame, pollutant: Pollutant, settings: QualitySettings
) -> dict[Rule, NDArray[np.bool_]]:
    """Where each rule strikes, shape of ``frame`` (hour, station).

    Values outside the physical range do not serve as neighbours of others.
    """
    thresholds = settings.pollutants[pollutant]
    values = frame.to_numpy(dtype=np.float64)
    not_positive = values <= 0
    above = values > thresholds.maximum.value
    plausible = np.where(not_positive | above, np.nan, values)
    return {
        Rule.NOT_POSITIVE: not_positive,
        Rule.ABOVE_MAXIMUM: above,
        Rule.SPIKE: _spikes(plausible, thresholds, settings),
        Rule.STUCK: _stuck(plausible, thresholds),
    }


def _spikes(
    values: NDArray[np.float64], thresholds: PollutantThresholds, settings: QualitySettings
) -> NDArray[np.bool_]:
    """Single hours far above both the value before and the value after, within the reach."""
    frame, reach = pd.DataFrame(values), int(settings.spike_reach_hours.value)
    before, after = _nearest(frame, 1, reach), _nearest(frame, -1, reach)
    base = np.maximum(before.to_numpy(), after.to_numpy())
    return (values >= settings.spike_ratio.value * base) & (values - base >= thresholds.spike_step.value)


def _nearest(frame: pd.DataFrame, step: int, reach: int) -> pd.DataFrame:
    """The nearest present value before (``step`` 1) or after (−1), at most ``reach`` hours away."""
    near = frame.shift(step)
    for hours in range(2, reach + 1):
        near = near.fillna(frame.shift(step * hours))
    return near


def _stuck(values: NDArray[np.float64], thresholds: PollutantThresholds) -> NDArray[np.bool_]:
    """Runs of equal values; a missing hour ends a run."""
    by_station = values.T
    starts = np.ones(by_station.shape, dtype=bool)
    starts[:, 1:] = by_station[:, 1:] != by_station[:, :-1]
    run = np.cumsum(starts.ravel()) - 1
    length = np.bincount(run)[run].reshape(by_station.shape).T
    return (length >= thresholds.stuck_hours.value) & (values > thresholds.stuck_above.value)


def _flag_rows(
    frame: pd.DataFrame, pollutant: Pollutant, rule: Rule, mask: NDArray[np.bool_]
) -> pd.DataFrame:
    hour, station = np.nonzero(mask)
    return pd.DataFrame(
        {
            "station_code": frame.columns.to_numpy()[station].astype(str),
            "time": frame.index[hour],
            "pollutant": pollutant.value,
            "flag": LEFT_OUT,
            "rule": rule.value,
        }
    )


def _no_flags() -> pd.DataFrame:
    return pd.DataFrame({name: [] for name in FLAG_COLUMNS}).astype({"time": "datetime64[us]"})
