"""Features of a city and issue date: what is known when the forecast is made, and the weather ahead.

Everything observed enters with a lag of at least one day against the issue date, or as the hours of
the issue date up to the issue hour. The only look ahead is weather, and only when asked for: a lead
of L days uses the daily weather of the issue date D, of its target day D+L and of the days between,
never of a later day. Weather of D−1 is an observation like any other and is used in every case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.forecast.calendar import describe_days
from yrd_airq.forecast.climatology import Climatology
from yrd_airq.forecast.components import Sky, weather_rows
from yrd_airq.forecast.filling import (
    CARRY_DAYS,
    carry,
    delayed,
    fill_gaps,
    mean_over_cities,
    neighbour_mean,
    running_mean,
)
from yrd_airq.forecast.origins import Air, gather_air
from yrd_airq.forecast.panel import Panel
from yrd_airq.vocab import Target

Array = NDArray[np.float64]

# Raise when a feature changes its meaning: models of an older version are then trained anew.
FEATURE_VERSION = 2
# The first issue date of the panel for which features make sense.
WARM_UP_DAYS = 14
LAGS = (1, 2, 3)
MEANS = (3, 7, 14, 30, 60, 90)
NEAR_KM = 150.0
COMPANIONS = (
    Target.O3_MDA8,
    Target.O3_MEAN,
    Target.PM25,
    Target.PM10,
    Target.NO2,
    Target.SO2,
    Target.CO,
)
CATEGORICAL = "city"
TODAY = "today_"


@dataclass(frozen=True)
class Features:
    """Feature values of one lead; ``array`` (city, issue date, feature) float32, NaN is missing.

    ``complete`` (city, issue date): nothing is missing that a forecast cannot do without: the recent
    levels of the target and, where used, the weather of the target day.
    """

    names: tuple[str, ...]
    array: NDArray[np.float32]
    complete: NDArray[np.bool_]


@dataclass(frozen=True)
class Known:
    """What is known at the issue hour of every date, arrays (city, date of issue).

    ``last``: the target on the last complete day with gaps filled; ``normal_last`` its normal.
    ``anchor_terms``: recent levels that the anchor weighs. ``age``: days between the last complete day and
    the city's own last observation. ``air``: the target around every city, to look for it upwind.
    ``seasonal``: whether a whole year is known; a model of part of one would extrapolate the season.
    """

    arrays: dict[str, Array]
    last: Array
    normal_last: Array
    anchor_terms: tuple[Array, ...]
    age: Array
    air: Air
    seasonal: bool


def gather_known(
    panel: Panel, target: Target, climatology: Climatology, weather: Sequence[str], sky: Sky
) -> Known:
    """Everything but the weather ahead, for every date of the panel taken as issue date.

    ``weather`` names the variables of the panel that are used, ``sky`` are the components of their field.
    """
    values = panel.values[target]
    filled = fill_gaps(values, panel.lonlat)
    arrays: dict[str, Array] = {f"lag{k}": delayed(filled.value, k) for k in LAGS}
    arrays |= {f"mean{n}": delayed(running_mean(values, n), 1) for n in MEANS}
    # A mean of a few days has nothing to average in a longer gap; the filled value stands in.
    arrays |= {f"mean{n}": first_of(arrays[f"mean{n}"], arrays["lag1"]) for n in MEANS}
    region = mean_over_cities(filled.value)
    arrays |= {f"region_lag{k}": delayed(region, k) for k in (1, 2)}
    arrays["region_mean7"] = delayed(running_mean(region, 7), 1)
    arrays["near_lag1"] = delayed(neighbour_mean(filled.value, panel.lonlat, NEAR_KM), 1)
    for other in COMPANIONS:
        if other is not target and other in panel.values:
            arrays[f"{other}_lag1"] = delayed(fill_gaps(panel.values[other], panel.lonlat).value, 1)
    arrays |= {f"{TODAY}{name}": panel.today[name] for name in sorted(panel.today)}
    arrays |= {f"{name}_lag1": delayed(carry(panel.weather[name], CARRY_DAYS), 1) for name in weather}
    air = gather_air(panel, target, filled.value)
    arrays |= air.drift(weather, panel)
    if sky.known is not None:
        series = sky.known.of(weather_rows(panel, weather, around=True), panel.dates)
        arrays |= {
            f"synoptic_{k}": delayed(np.broadcast_to(one, values.shape), 1) for k, one in enumerate(series)
        }
    levels = ["lag1", "lag2", "mean3", "mean7", "mean30", "region_lag1"]
    terms = tuple(arrays[name] for name in levels) + _today_levels(panel, target, arrays["lag1"])
    normal = climatology.normal(values, panel.dates, -1)
    return Known(
        arrays,
        arrays["lag1"],
        normal,
        terms,
        delayed(filled.age, 1),
        air,
        climatology.coefficients is not None,
    )


def _today_levels(panel: Panel, target: Target, last: Array) -> tuple[Array, ...]:
    """The target's level in the hours of the issue date, or the last complete day's where missing."""
    name = "o3_8h_sofar" if target is Target.O3_MDA8 else f"{target.info.pollutant}_last24"
    return (first_of(panel.today[name], last),) if name in panel.today else ()


def first_of(values: Array, instead: Array) -> Array:
    """``values``, and ``instead`` where they are missing."""
    return np.where(np.isfinite(values), values, instead)


def calendar_features(days: pd.DatetimeIndex, shape: tuple[int, ...], seasonal: bool) -> dict[str, Array]:
    """Season (0 unless ``seasonal``) and calendar of the target days."""
    phase = 2 * np.pi * np.asarray(days.dayofyear, dtype=float) / 365.2425
    series = {
        "season_cos": np.cos(phase) * seasonal,
        "season_sin": np.sin(phase) * seasonal,
        **describe_days(days),
    }
    return {name: np.broadcast_to(row, shape) for name, row in series.items()}


def group_of(name: str, groups: Mapping[str, Sequence[str]]) -> str:
    """The first of ``groups`` (group → patterns) that a feature fits; ``InputError`` if there is none."""
    for group, patterns in groups.items():
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            return group
    raise InputError(f"configs/forecast.yaml: the feature {name} belongs to no group")
