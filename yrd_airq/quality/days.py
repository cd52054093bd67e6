"""Days of many places judged by a standard: daily AQI, its level, primary pollutants, days above a limit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.quality.daily import DAILY_TARGETS
from yrd_airq.standards.aqi import DailyAqi, daily_aqi
from yrd_airq.standards.basis import Basis
from yrd_airq.standards.evaluation import exceeds
from yrd_airq.standards.versions import LimitStage, Standard
from yrd_airq.vocab import Pollutant, Target

Frames = Mapping[Target, pd.DataFrame]
_Array = NDArray[np.float64]
_Version = TypeVar("_Version", Standard, LimitStage)


@dataclass(frozen=True)
class JudgedDays:
    """Daily values and what a standard says of them; every frame or array is (day, place).

    ``values``: not rounded, NaN where invalid. ``aqi``: NaN where it may not be stated. ``primary``: for
    each pollutant whether it is a primary one (首要污染物). ``above``: days above the class II daily limit.
    """

    days: pd.DatetimeIndex
    places: tuple[str, ...]
    values: Mapping[Target, _Array]
    aqi: _Array
    primary: Mapping[Pollutant, NDArray[np.bool_]]
    above: Mapping[Target, NDArray[np.bool_]]


def judge_days(
    values: Frames,
    basis: Basis,
    days: pd.DatetimeIndex,
    places: tuple[str, ...],
    all_six: bool = True,
) -> JudgedDays:
    """Judge daily values (frames day × place) on the days and places given; what is not there is missing.

    Six pollutants enter the daily AQI: the seventh item of HJ 633-2012, the largest 1-h mean of ozone,
    does not, as it leads only where the 8-h mean does. An AQI of fewer than the six is stated only
    above 100 (HJ 633-2026 §5.3); with ``all_six`` false that holds for days judged by HJ 633-2026 only.
    """
    arrays = {target: _on(values.get(target), days, places) for target in DAILY_TARGETS}
    shape = (len(days), len(places))
    aqi = np.full(shape, np.nan)
    primary = {pollutant: np.zeros(shape, dtype=bool) for pollutant in Pollutant}
    for standard, rows in _rows_by(days, basis.standard_on):
        result = _aqi_of({target: value[rows] for target, value in arrays.items()}, standard, all_six)
        aqi[rows] = result.aqi
        for pollutant in Pollutant:
            leads = result.iaqi[pollutant] == result.aqi
            primary[pollutant][rows] = leads & (result.aqi > 50)
    above = {target: np.zeros(shape, dtype=bool) for target in DAILY_TARGETS}
    for stage, rows in _rows_by(days, basis.stage_on):
        for target in DAILY_TARGETS:
            above[target][rows] = exceeds(arrays[target][rows], target, stage)
    return JudgedDays(days, places, arrays, aqi, primary, above)


def wide_frames(daily: pd.DataFrame, place: str = "adcode") -> dict[Target, pd.DataFrame]:
    """Long daily values (place, date, target, value) as frames (day, place) by target."""
    if daily.duplicated([place, "date", "target"]).any():
        raise InputError(f"daily values of one {place}, date and target occur twice")
    return {
        Target(str(name)): part.pivot(index="date", columns=place, values="value")
        for name, part in daily.groupby("target")
    }


def _on(frame: pd.DataFrame | None, days: pd.DatetimeIndex, places: tuple[str, ...]) -> _Array:
    if frame is None:
        return np.full((len(days), len(places)), np.nan)
    return frame.reindex(index=days, columns=list(places)).to_numpy(dtype=np.float64)


def _aqi_of(values: Mapping[Target, _Array], standard: Standard, all_six: bool) -> DailyAqi:
    return daily_aqi(dict(values), standard, publication_rule=all_six or standard is Standard.HJ633_2026)


def _rows_by(
    days: pd.DatetimeIndex, version_on: Callable[[date], _Version]
) -> list[tuple[_Version, NDArray[np.int64]]]:
    """Rows of the days under each version."""
    versions = [version_on(day.date()) for day in days]
    every = np.array(versions, dtype=object)
    return [(version, np.flatnonzero(every == version)) for version in dict.fromkeys(versions)]
