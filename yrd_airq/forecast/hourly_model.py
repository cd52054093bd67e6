"""A trained hourly model and its card: what it was made from, how good it is, where its limits are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.forecast.hourly_anchor import apply_course, course_terms
from yrd_airq.forecast.hourly_features import (
    COMPANIONS,
    HOURLY_VERSION,
    SEASON,
    KnownHours,
    Slots,
    row_features,
)
from yrd_airq.forecast.hourly_panel import HourlyTarget, Hours
from yrd_airq.forecast.hourly_settings import HourlySettings
from yrd_airq.forecast.hourly_spread import SlotSpread
from yrd_airq.settings import Settings
from yrd_airq.vocab import CityDaySource, WeatherKind

Array = NDArray[np.float64]

HOURLY_MODEL = "lightgbm"
PERSISTENCE = "persistence"
CLIMATOLOGY = "climatology"


class HourScores(Settings):
    """Scores of the lead hours ``first_h`` … ``last_h`` on left-out blocks, µg/m³, all on the same rows.

    Persistence is the same clock hour of the last known day, climatology the mean of that hour over the last
    30 known days. ``coverage80``: share of observations within q10 … q90 taken from the other blocks.
    """

    first_h: int
    last_h: int
    n: int
    rmse: float | None
    bias: float | None
    r: float | None
    rmse_persistence: float | None
    rmse_climatology: float | None
    skill_vs_persistence: float | None
    skill_vs_climatology: float | None
    coverage80: float | None


class HourlyCard(Settings):
    """The card of an hourly model, kept beside its files; it holds no clock time: same training, same bytes.

    ``ahead`` names what of the target day is used; ``daily_share`` is the share of the training's city-days
    for which left-out daily forecasts were given, the others take a level damped from recent days.
    """

    version: str
    target: HourlyTarget
    source: CityDaySource
    train_first: date
    train_last: date
    issue_hour: int
    adcodes: tuple[str, ...]
    ahead: tuple[str, ...]
    weather_kinds: tuple[str, ...]
    features: tuple[str, ...]
    feature_version: int
    library: str
    rows: int
    daily_share: float
    split: str
    scores: tuple[HourScores, ...]
    settings: dict[str, Any]
    notes: tuple[str, ...]

    @property
    def weather(self) -> tuple[str, ...]:
        """Weather variables of the target day that are used."""
        return tuple(name for name in self.ahead if name != SEASON)


@dataclass(frozen=True)
class HourlyModel:
    """Everything needed to forecast one hourly target.

    ``levels`` (lead day, term) and ``course`` (slot, term): weights of the first guesses. ``courses`` are
    ranks (course, slot) of left-out error courses, ``course_keys`` (course,) the events they are of.
    """

    card: HourlyCard
    levels: Array
    course: Array
    booster: lgb.Booster
    spread: SlotSpread
    course_keys: NDArray[np.int64]
    courses: Array

    @property
    def slots(self) -> Slots:
        """The hours ahead that the model forecasts."""
        return Slots.after(self.card.issue_hour)


def predict_courses(
    hours: Hours,
    known: KnownHours,
    levels: Array,
    weights: Array,
    booster: lgb.Booster,
    slots: Slots,
    issues: NDArray[np.int64],
    ahead: Sequence[str],
    threads: int,
) -> Array:
    """Means (city, issue, slot) of the issue dates at positions ``issues``: first guess and its correction.

    ``weights`` are those of the first guess; the other arguments as in ``row_features``.
    """
    anchor = apply_course(weights, *course_terms(known, levels, slots, issues))
    city, issue, slot = (axis.ravel() for axis in np.indices(anchor.shape))
    rows = (city, issues[issue], slot)
    names, x = row_features(hours, known, levels, anchor.ravel(), slots, rows, ahead)
    if list(names) != booster.feature_name():
        odd = ", ".join(sorted(set(names) ^ set(booster.feature_name())))
        raise InputError(f"the hourly model was trained on other inputs than are here ({odd}); train it anew")
    correction = np.asarray(booster.predict(x, num_threads=threads)).reshape(anchor.shape)
    return np.maximum(anchor + correction, 0.0)


def hourly_fingerprint(
    hours: Hours,
    target: HourlyTarget,
    issue_hour: int,
    weather: WeatherKind,
    daily: Array,
    settings: HourlySettings,
) -> str:
    """Version of a training on all of ``hours`` with daily forecasts ``daily``: a hash; 16 hex digits."""
    head = {
        "target": target.value,
        "source": hours.source.value,
        "first": str(hours.dates[0].date()),
        "last": str(hours.dates[-1].date()),
        "adcodes": hours.adcodes,
        "issue_hour": issue_hour,
        "weather": weather is not WeatherKind.NONE,
        "kinds": list(hours.weather_kind) if weather is not WeatherKind.NONE else [],
        "features": HOURLY_VERSION,
        "library": lgb.__version__,
        "settings": settings.training_part(),
    }
    digest = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
    used = {name: array for name, array in hours.values.items() if name in COMPANIONS}
    used |= {"level": hours.daily[target.daily], "daily": daily, "lonlat": hours.lonlat}
    if weather is not WeatherKind.NONE:
        used |= hours.weather
    for name, array in sorted(used.items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    return digest.hexdigest()[:16]
