"""Hourly models in the registry: folders ``<target>/<version>/``, written whole or not at all.

A folder holds ``card.json``, ``state.json`` (first guesses, spread, error courses) and ``mean.txt``
(LightGBM).
"""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import fields
from datetime import date
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from pydantic import ValidationError

from yrd_airq.errors import InputError
from yrd_airq.forecast.hourly_features import HOURLY_VERSION
from yrd_airq.forecast.hourly_model import HourlyCard, HourlyModel
from yrd_airq.forecast.hourly_panel import HourlyTarget, Hours
from yrd_airq.forecast.hourly_settings import HourlySettings
from yrd_airq.forecast.hourly_spread import SlotSpread
from yrd_airq.forecast.hourly_training import train_hourly, training_version
from yrd_airq.vocab import WeatherKind

_CARD, _STATE, _BOOSTER = "card.json", "state.json", "mean.txt"


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
    if (folder / _CARD).is_file():
        return load_hourly(folder)
    model = train_hourly(hours, target, until, issue_hour, weather, settings, daily)
    save_hourly(model, root)
    return model


def save_hourly(model: HourlyModel, root: Path) -> Path:
    """Write ``model`` under ``root`` and return its folder; an identical version already there is kept."""
    folder = root / model.card.target.value / model.card.version
    if (folder / _CARD).is_file():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        (draft / _BOOSTER).write_text(model.booster.model_to_string(), encoding="utf-8")
        (draft / _STATE).write_text(_dump(_state(model)), encoding="utf-8")
        (draft / _CARD).write_text(_dump(model.card.model_dump(mode="json")), encoding="utf-8")
        draft.chmod(0o755)
        _publish(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def load_hourly(folder: Path) -> HourlyModel:
    """The model in ``folder``; ``InputError`` if it is missing, damaged or of an older feature version."""
    try:
        card = HourlyCard.model_validate_json((folder / _CARD).read_text(encoding="utf-8"))
        state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
        booster = lgb.Booster(model_str=(folder / _BOOSTER).read_text(encoding="utf-8"))
        model = _revive(card, state, booster)
    except FileNotFoundError as exc:
        raise InputError(f"{folder}: not a model folder ({exc.filename} is missing); train it anew") from exc
    except (OSError, ValueError, KeyError, ValidationError, lgb.basic.LightGBMError) as exc:
        raise InputError(f"{folder}: the model is damaged ({exc}); delete the folder and train anew") from exc
    if card.feature_version != HOURLY_VERSION:
        raise InputError(
            f"{folder}: made with feature version {card.feature_version}, this program has {HOURLY_VERSION}; "
            "train it anew"
        )
    return model


def _publish(draft: Path, folder: Path) -> None:
    """Move the finished draft into place; a remnant without a card gives way, a finished twin stays."""
    if folder.is_dir() and not (folder / _CARD).is_file():
        shutil.rmtree(folder)
    try:
        draft.replace(folder)
    except OSError:
        # Another process has just published the same version.
        if not (folder / _CARD).is_file():
            raise


def _dump(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n"


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
