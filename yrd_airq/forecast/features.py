"""Features of a city and issue date: what is known when the forecast is made, and the weather ahead.

Everything observed enters with a lag of at least one day against the issue date, or as the hours of
the issue date up to the issue hour. The only look ahead is weather, and only when asked for: a lead
of L days uses the daily weather of the issue date D, of its target day D+L and of the days between,
never of a later day. Weather of D−1 is an observation like any other and is used in every case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.forecast.climatology import Climatology
from yrd_airq.forecast.filling import (
    CARRY_DAYS,
    carry,
    delayed,
    fill_gaps,
    mean_over_cities,
    neighbour_mean,
    running_mean,
    upwind_mean,
)
from yrd_airq.forecast.panel import Panel
from yrd_airq.vocab import Target

Array = NDArray[np.float64]

# Raise when a feature changes its meaning: models of an older version are then trained anew.
FEATURE_VERSION = 1
# The first issue date of the panel for which features make sense.
WARM_UP_DAYS = 14
LAGS = (1, 2, 3)
MEANS = (3, 7, 14, 30)
NEAR_KM = 150.0
COMPANIONS = (Target.O3_MDA8, Target.O3_MEAN, Target.PM25, Target.PM10, Target.NO2)
CATEGORICAL = "city"
TODAY = "today_"


@dataclass(frozen=True)
class Features:
    """Feature values of one lead; ``array`` (city, issue date, feature) float32, NaN is missing."""

    names: tuple[str, ...]
    array: NDArray[np.float32]

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Rows (city, issue date) that lack nothing but perhaps the hours of the issue date."""
        needed = [k for k, name in enumerate(self.names) if not name.startswith(TODAY)]
        return np.asarray(np.isfinite(self.array[:, :, needed]).all(axis=2))


@dataclass(frozen=True)
class Known:
    """What is known at the issue hour of every date, arrays (city, date of issue).

    ``last``: the target on the last complete day with gaps filled; ``normal_last`` its normal.
    ``anchor_terms``: recent levels that the anchor weighs.
    """

    arrays: dict[str, Array]
    last: Array
    normal_last: Array
    anchor_terms: tuple[Array, ...]


def gather_known(panel: Panel, target: Target, climatology: Climatology, weather: Sequence[str]) -> Known:
    """Everything but the weather ahead, for every date of the panel taken as issue date.

    ``weather`` names the variables of the panel that are used.
    """
    values = panel.values[target]
    filled = fill_gaps(values, panel.lonlat)
    arrays: dict[str, Array] = {f"lag{k}": delayed(filled.value, k) for k in LAGS}
    arrays |= {f"mean{n}": delayed(running_mean(values, n), 1) for n in MEANS}
    # A mean of a few days has nothing to average in a longer gap; the filled value stands in.
    arrays |= {f"mean{n}": _first(arrays[f"mean{n}"], arrays["lag1"]) for n in MEANS}
    region = mean_over_cities(filled.value)
    arrays |= {f"region_lag{k}": delayed(region, k) for k in (1, 2)}
    arrays["region_mean7"] = delayed(running_mean(region, 7), 1)
    arrays["near_lag1"] = delayed(neighbour_mean(filled.value, panel.lonlat, NEAR_KM), 1)
    for other in COMPANIONS:
        if other is not target and other in panel.values:
            arrays[f"{other}_lag1"] = delayed(fill_gaps(panel.values[other], panel.lonlat).value, 1)
    arrays |= {f"{TODAY}{name}": panel.today[name] for name in sorted(panel.today)}
    arrays |= {f"{name}_lag1": delayed(carry(panel.weather[name], CARRY_DAYS), 1) for name in weather}
    levels = ["lag1", "lag2", "mean3", "mean7", "mean30", "region_lag1"]
    terms = tuple(arrays[name] for name in levels) + _today_levels(panel, target, arrays["lag1"])
    normal = climatology.normal(values, panel.dates, -1)
    return Known(arrays, arrays["lag1"], normal, terms)


def lead_features(
    panel: Panel,
    known: Known,
    *,
    normal: Array,
    anchor: Array,
    lead: int,
    issue: NDArray[np.int64],
    weather: Sequence[str],
) -> Features:
    """Features of lead ``lead`` for the issue dates at the positions ``issue`` of the panel.

    ``normal`` (seasonal normal of the target day) and ``anchor`` (the forecast the model corrects) have
    the shape (city, issue date). ``weather`` names the variables whose course up to the target day may be
    used; empty for a forecast without weather. The panel must reach to the last target day if it is not.
    """
    columns = {name: array[:, issue] for name, array in known.arrays.items()}
    columns["anchor"] = anchor
    columns["normal"] = normal
    columns["anomaly_lag1"] = (known.last - known.normal_last)[:, issue]
    columns |= _calendar(panel.dates[issue] + pd.Timedelta(days=lead), anchor.shape)
    for name in weather:
        columns |= _course(panel.weather[name], name, issue, lead)
    if {"u10_ms", "v10_ms"} <= set(weather):
        last = known.last[:, issue]
        columns["upwind_lag1"] = upwind_mean(last, columns["u10_ms"], columns["v10_ms"], panel.lonlat)
    columns[CATEGORICAL] = np.broadcast_to(np.arange(anchor.shape[0], dtype=float)[:, None], anchor.shape)
    array = np.empty((*anchor.shape, len(columns)), dtype=np.float32)
    for k, column in enumerate(columns.values()):
        array[:, :, k] = column
    return Features(tuple(columns), array)


def _today_levels(panel: Panel, target: Target, last: Array) -> tuple[Array, ...]:
    """The target's level in the hours of the issue date, or the last complete day's where missing."""
    name = "o3_8h_sofar" if target is Target.O3_MDA8 else f"{target.info.pollutant}_last24"
    return (_first(panel.today[name], last),) if name in panel.today else ()


def _first(values: Array, instead: Array) -> Array:
    return np.where(np.isfinite(values), values, instead)


def _calendar(days: pd.DatetimeIndex, shape: tuple[int, ...]) -> dict[str, Array]:
    phase = 2 * np.pi * np.asarray(days.dayofyear, dtype=float) / 365.2425
    series = {
        "season_cos": np.cos(phase),
        "season_sin": np.sin(phase),
        "weekday": np.asarray(days.dayofweek, dtype=float),
    }
    return {name: np.broadcast_to(row, shape) for name, row in series.items()}


def _course(values: Array, name: str, issue: NDArray[np.int64], lead: int) -> dict[str, Array]:
    """One weather variable from the issue date to the target day, for the city and for the region."""
    region = mean_over_cities(values)
    target_day, day_before = values[:, issue + lead], values[:, issue + lead - 1]
    way = np.mean([values[:, issue + k] for k in range(lead)], axis=0)
    return {
        name: target_day,
        f"{name}_before": day_before,
        f"{name}_way": way,
        f"{name}_change": target_day - values[:, issue],
        f"{name}_region": region[:, issue + lead],
        f"{name}_region_before": region[:, issue + lead - 1],
    }
