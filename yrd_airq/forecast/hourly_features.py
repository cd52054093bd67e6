"""Features of a city, issue date and hour ahead, from the hours known at the issue hour and daily levels.

Everything observed ends with the issue hour. A row is addressed by city, issue date and *slot*: the slots of
an issue are all hours after the issue hour up to the end of the third day after, so that whole days can be
compared with daily forecasts. The only look ahead is daily weather of the target day, and only when asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.forecast.filling import delayed, fill_gaps, mean_over_cities, running_mean
from yrd_airq.forecast.hourly_panel import DAY_HOURS, HourlyTarget, Hours

Array = NDArray[np.float64]
Index = NDArray[np.int64]

# Raise when a feature changes its meaning: models of an older version are then trained anew.
HOURLY_VERSION = 1
LEAD_DAYS = 3
LEAD_HOURS = 72
NORMAL_DAYS = 30
WARM_UP_DAYS = 14
SEASON = "season"
COMPANIONS = ("o3", "pm25", "no2", "pm10", "co")
RECENT = (3, 6, 24)
_FRESH_HOURS = 6
_CARRY_DAYS = 3
_HALF = 0.5


@dataclass(frozen=True)
class Slots:
    """The hours ahead of an issue at ``issue_hour``: arrays (slot,).

    ``lead_h`` 1 …; ``lead_day`` 0 … 3 of the natural day they belong to; ``hour`` 0 … 23, position in that
    day.
    """

    issue_hour: int
    lead_h: Index
    lead_day: Index
    hour: Index

    @classmethod
    def after(cls, issue_hour: int) -> Slots:
        """The slots of issues at ``issue_hour`` (1 … 23)."""
        position = np.arange(issue_hour, (LEAD_DAYS + 1) * DAY_HOURS)
        return cls(issue_hour, position - issue_hour + 1, position // DAY_HOURS, position % DAY_HOURS)

    def __len__(self) -> int:
        return len(self.lead_h)


@dataclass(frozen=True)
class KnownHours:
    """What is known at the issue hour of every date.

    ``recent``: arrays (city, issue date). ``clock``: arrays (city, issue date, hour of the day), from the
    last known days at that hour: ``clock["same1"]`` is persistence, ``clock["same30"]`` the diurnal normal.
    ``normal`` (city, issue date): mean of the daily target over the last 30 complete days.
    """

    recent: dict[str, Array]
    clock: dict[str, Array]
    normal: Array


def gather_known_hours(hours: Hours, target: HourlyTarget, issue_hour: int) -> KnownHours:
    """Everything but levels and weather ahead, for every date taken as issue date."""
    recent, clock = _recent_hours(hours.values[target.pollutant], issue_hour)
    recent |= {f"region_{name}": mean_over_cities(recent[name]) for name in ("dep3", "dep24")}
    for other in COMPANIONS:
        if other in hours.values and other != target.pollutant:
            recent[f"{other}_dep6"] = _recent_hours(hours.values[other], issue_hour)[0]["dep6"]
    filled = fill_gaps(hours.daily[target.daily], hours.lonlat).value
    return KnownHours(recent, clock, delayed(running_mean(filled, NORMAL_DAYS), 1))


def _recent_hours(cube: Array, issue_hour: int) -> tuple[dict[str, Array], dict[str, Array]]:
    """Departures of the last hours from the usual of these hours, and the usual by hour of the day."""
    latest = np.where(np.arange(DAY_HOURS) < issue_hour, cube, delayed(cube, 1))
    clock = {f"same{n}": running_mean(latest, n) for n in (3, 7, NORMAL_DAYS)}
    clock["same1"] = latest
    for days in range(1, _CARRY_DAYS):
        older = delayed(latest, days)
        clock["same1"] = np.where(np.isfinite(clock["same1"]), clock["same1"], older)
    gap = latest - delayed(clock["same7"], 1)
    window = np.concatenate([gap[:, :, issue_hour:], gap[:, :, :issue_hour]], axis=2)
    recent = {"dep1": _latest(window)}
    recent |= {f"dep{n}": _mean(window[:, :, -n:]) for n in RECENT}
    return recent, clock


def row_features(
    hours: Hours,
    known: KnownHours,
    levels: Array,
    anchor: Array,
    slots: Slots,
    rows: tuple[Index, Index, Index],
    ahead: Sequence[str],
) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Names and values (row, feature) for ``rows`` = (city, issue date, slot) positions.

    Levels enter as departures from the 30-day normal, which the trees can carry into a season that they have
    not seen. ``levels`` (city, issue date, lead day 0 … 3) are the forecast daily levels, ``anchor`` (row,)
    the first guess that is corrected. ``ahead`` names what else is used: ``SEASON`` and daily weather
    variables of the target day, for which the calendar must reach to the last target day.
    """
    city, day, slot = rows
    lead_day, hour = slots.lead_day[slot], slots.hour[slot]
    usual, level = known.clock["same30"][city, day, hour], levels[city, day, lead_day]
    columns = {"lead_h": slots.lead_h[slot].astype(float), "hour": hour.astype(float), "usual": usual}
    columns["anchor"] = anchor - usual
    columns["level"] = level - known.normal[city, day]
    columns["level_change"] = level - levels[city, day, 0]
    columns |= {name: known.clock[name][city, day, hour] - usual for name in ("same1", "same3", "same7")}
    columns |= {name: array[city, day] for name, array in known.recent.items()}
    dates = hours.dates[day] + pd.to_timedelta(lead_day, unit="D")
    columns["weekday"] = np.asarray(dates.day_of_week, dtype=float)
    for name in ahead:
        columns |= (
            _season(dates) if name == SEASON else _weather(hours.weather[name], name, city, day, lead_day)
        )
    array = np.empty((len(city), len(columns)), dtype=np.float32)
    for k, column in enumerate(columns.values()):
        array[:, k] = column
    return tuple(columns), array


def _season(dates: pd.DatetimeIndex) -> dict[str, Array]:
    phase = 2 * np.pi * np.asarray(dates.day_of_year, dtype=float) / 365.2425
    return {f"{SEASON}_cos": np.cos(phase), f"{SEASON}_sin": np.sin(phase)}


def _weather(values: Array, name: str, city: Index, day: Index, lead_day: Index) -> dict[str, Array]:
    target_day = values[city, day + lead_day]
    return {name: target_day, f"{name}_change": target_day - values[city, day]}


def _mean(window: Array) -> Array:
    """Mean over the last axis, NaN where fewer than half of the hours are there."""
    valid = np.isfinite(window)
    count = valid.sum(axis=-1)
    total = np.where(valid, window, 0.0).sum(axis=-1)
    return np.where(count >= _HALF * window.shape[-1], total / np.maximum(count, 1), np.nan)


def _latest(window: Array) -> Array:
    """The newest value of the last six hours: a station that is some hours late is no gap yet."""
    back = window[:, :, : -_FRESH_HOURS - 1 : -1]
    first = np.isfinite(back).argmax(axis=2)
    return np.take_along_axis(back, first[:, :, None], axis=2)[:, :, 0]
