"""The model registry: trained models as folders ``<target>/<version>/``, written whole or not at all.

A version is the hash of everything a training depends on, so the same training is found again and a
different one never overwrites it. A folder holds ``card.json``, ``state.npz`` (see ``state``) and the
trees of every lead as LightGBM text.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import lightgbm as lgb

from yrd_airq.forecast.card import fingerprint
from yrd_airq.forecast.features import FEATURE_VERSION
from yrd_airq.forecast.folder import CARD, check_version, is_published, publish, read
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
    if is_published(folder):
        return load(folder)
    model = train(panel, target, until, leads, weather, settings)
    save(model, root)
    return model


def save(model: Model, root: Path) -> Path:
    """Write ``model`` under ``root`` and return its folder; an identical version already there is kept."""

    def write_parts(draft: Path) -> None:
        for lead, part in model.parts.items():
            for fold, tree in enumerate(part.blend.trees):
                (draft / _tree_file(lead, fold)).write_text(tree.model_to_string(), encoding="utf-8")
        write_arrays(draft / _STATE, take_apart(model))

    return publish(root / model.card.target.value / model.card.version, model.card, write_parts)


def load(folder: Path) -> Model:
    """The model in ``folder``; ``InputError`` if it is missing, damaged or of an older feature version."""

    def read_model() -> Model:
        card = Card.model_validate_json((folder / CARD).read_text(encoding="utf-8"))
        arrays = read_arrays(folder / _STATE)
        return put_together(card, arrays, lambda lead, fold: _read_tree(folder / _tree_file(lead, fold)))

    model = read(folder, read_model)
    check_version(folder, model.card.feature_version, FEATURE_VERSION)
    return model


def _tree_file(lead: int, fold: int) -> str:
    return f"trees_d{lead}_{fold}.txt"


def _read_tree(path: Path) -> lgb.Booster:
    return lgb.Booster(model_str=path.read_text(encoding="utf-8"))
