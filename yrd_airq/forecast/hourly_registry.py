"""Hourly models in the registry: folders ``<target>/<version>/``, written whole or not at all.

A folder holds ``card.json``, ``state.json`` (first guesses, spread, error courses) and ``mean.txt``
(LightGBM).
"""

from __future__ import annotations

import json
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd

from yrd_airq.forecast.folder import CARD, check_version, dump, is_published, publish, read
from yrd_airq.forecast.hourly_features import HOURLY_VERSION
from yrd_airq.forecast.hourly_model import HourlyCard, HourlyModel
from yrd_airq.forecast.hourly_panel import HourlyTarget, Hours
from yrd_airq.forecast.hourly_settings import HourlySettings
from yrd_airq.forecast.hourly_spread import SlotSpread
from yrd_airq.forecast.hourly_training import train_hourly, training_version
from yrd_airq.vocab import WeatherKind

_STATE, _BOOSTER = "state.json", "mean.txt"


def train_or_load_hourly(
    hours: Hours,
    target: HourlyTarget,
    until: date,
    issue_hour: int,
    weather: WeatherKind,
    settings: HourlySettings,
    root: Path,
    daily: pd.DataFrame | None = None,
) -> HourlyModel:
    """The model of this very training from the registry ``root``, trained and kept there if it is new."""
    version = training_version(hours, target, until, issue_hour, weather, settings, daily)
    folder = root / target.value / version
    if is_published(folder):
        return load_hourly(folder)
    model = train_hourly(hours, target, until, issue_hour, weather, settings, daily)
    save_hourly(model, root)
    return model


def save_hourly(model: HourlyModel, root: Path) -> Path:
    """Write ``model`` under ``root`` and return its folder; an identical version already there is kept."""

    def write_parts(draft: Path) -> None:
        (draft / _BOOSTER).write_text(model.booster.model_to_string(), encoding="utf-8")
        (draft / _STATE).write_text(dump(_state(model)), encoding="utf-8")

    return publish(root / model.card.target.value / model.card.version, model.card, write_parts)


def load_hourly(folder: Path) -> HourlyModel:
    """The model in ``folder``; ``InputError`` if it is missing, damaged or of an older feature version."""

    def read_model() -> HourlyModel:
        card = HourlyCard.model_validate_json((folder / CARD).read_text(encoding="utf-8"))
        state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
        return _revive(card, state, lgb.Booster(model_str=(folder / _BOOSTER).read_text(encoding="utf-8")))

    model = read(folder, read_model)
    check_version(folder, model.card.feature_version, HOURLY_VERSION)
    return model


def _state(model: HourlyModel) -> dict[str, Any]:
    return {
        "levels": model.levels.tolist(),
        "course": model.course.tolist(),
        "spread": {field.name: getattr(model.spread, field.name).tolist() for field in fields(SlotSpread)},
        "course_keys": model.course_keys.tolist(),
        "courses": model.courses.tolist(),
    }


def _revive(card: HourlyCard, state: dict[str, Any], booster: lgb.Booster) -> HourlyModel:
    return HourlyModel(
        card=card,
        levels=np.asarray(state["levels"]),
        course=np.asarray(state["course"]),
        booster=booster,
        spread=SlotSpread(
            **{field.name: np.asarray(state["spread"][field.name]) for field in fields(SlotSpread)}
        ),
        course_keys=np.asarray(state["course_keys"], dtype=np.int64),
        courses=np.asarray(state["courses"], dtype=float),
    )
