"""The model registry: trained models as folders ``<target>/<version>/``, written whole or not at all.

A version is the hash of everything a training depends on, so the same training is found again and a
different one never overwrites it. A folder holds ``card.json``, ``state.npz`` (see ``state``) and the
trees of every lead as LightGBM text.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import lightgbm as lgb
from pydantic import ValidationError

from yrd_airq.errors import InputError
from yrd_airq.forecast.card import fingerprint
from yrd_airq.forecast.features import FEATURE_VERSION
from yrd_airq.forecast.model import Card, Model
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.forecast.state import put_together, read_arrays, take_apart, write_arrays
from yrd_airq.forecast.training import train
from yrd_airq.vocab import Target, WeatherKind

_STATE = "state.npz"


def train_or_load(
    panel: Panel,
    target: Target,
    until: date,
    leads: Sequence[int],
    weather: WeatherKind,
    settings: ForecastSettings,
    root: Path,
) -> Model:
    """The model of this very training from the registry ``root``, trained and kept there if it is new."""
    version = fingerprint(panel, target, until, leads, weather, settings)
    folder = root / target.value / version
    if (folder / "card.json").is_file():
        return load(folder)
    model = train(panel, target, until, leads, weather, settings)
    save(model, root)
    return model


def save(model: Model, root: Path) -> Path:
    """Write ``model`` under ``root`` and return its folder; an identical version already there is kept."""
    folder = root / model.card.target.value / model.card.version
    if (folder / "card.json").is_file():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        for lead, part in model.parts.items():
            for fold, tree in enumerate(part.blend.trees):
                (draft / _tree_file(lead, fold)).write_text(tree.model_to_string(), encoding="utf-8")
        write_arrays(draft / _STATE, take_apart(model))
        (draft / "card.json").write_text(_dump(model.card.model_dump(mode="json")), encoding="utf-8")
        draft.chmod(0o755)
        _publish(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def load(folder: Path) -> Model:
    """The model in ``folder``; ``InputError`` if it is missing, damaged or of an older feature version."""
    try:
        card = Card.model_validate_json((folder / "card.json").read_text(encoding="utf-8"))
        arrays = read_arrays(folder / _STATE)
        model = put_together(card, arrays, lambda lead, fold: _read_tree(folder / _tree_file(lead, fold)))
    except FileNotFoundError as exc:
        raise InputError(f"{folder}: not a model folder ({exc.filename} is missing); train it anew") from exc
    except (OSError, ValueError, KeyError, BadZipFile, ValidationError, lgb.basic.LightGBMError) as exc:
        raise InputError(f"{folder}: the model is damaged ({exc}); delete the folder and train anew") from exc
    if card.feature_version != FEATURE_VERSION:
        raise InputError(
            f"{folder}: made with feature version {card.feature_version}, this program has "
            f"{FEATURE_VERSION}; train it anew"
        )
    return model


def _publish(draft: Path, folder: Path) -> None:
    """Move the finished draft into place; a remnant without a card gives way, a finished twin stays."""
    if folder.is_dir() and not (folder / "card.json").is_file():
        shutil.rmtree(folder)
    try:
        draft.replace(folder)
    except OSError:
        # Another process has just published the same version.
        if not (folder / "card.json").is_file():
            raise


def _tree_file(lead: int, fold: int) -> str:
    return f"trees_d{lead}_{fold}.txt"


def _read_tree(path: Path) -> lgb.Booster:
    return lgb.Booster(model_str=path.read_text(encoding="utf-8"))


def _dump(content: Any) -> str:
    # In the order of the settings: a feature belongs to the first group that fits it.
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
