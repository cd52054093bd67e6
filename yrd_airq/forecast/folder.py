"""The folder of a model in the registry: published whole or not at all, read with one error for damage."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import lightgbm as lgb
from pydantic import ValidationError

from yrd_airq.errors import InputError
from yrd_airq.settings import Settings

CARD = "card.json"

_Made = TypeVar("_Made")


def is_published(folder: Path) -> bool:
    """Whether a finished model lies in ``folder``: the card is what makes it one."""
    return (folder / CARD).is_file()


def publish(folder: Path, card: Settings, write_parts: Callable[[Path], None]) -> Path:
    """Write a model into ``folder`` by way of a draft beside it; an identical version there is kept.

    ``write_parts`` writes all but the card into the draft.
    """
    if is_published(folder):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        write_parts(draft)
        (draft / CARD).write_text(dump(card.model_dump(mode="json"), indent=1), encoding="utf-8")
        draft.chmod(0o755)
        _move(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def read(folder: Path, read_model: Callable[[], _Made]) -> _Made:
    """What ``read_model`` reads from ``folder``; ``InputError`` if it is missing or damaged."""
    try:
        return read_model()
    except FileNotFoundError as exc:
        raise InputError(f"{folder}: not a model folder ({exc.filename} is missing); train it anew") from exc
    except (OSError, ValueError, KeyError, BadZipFile, ValidationError, lgb.basic.LightGBMError) as exc:
        raise InputError(f"{folder}: the model is damaged ({exc}); delete the folder and train anew") from exc


def check_version(folder: Path, made: int, wanted: int) -> None:
    """``InputError`` for a model whose features mean something else than those of this program."""
    if made != wanted:
        raise InputError(
            f"{folder}: made with feature version {made}, this program has {wanted}; train it anew"
        )


def dump(content: Any, indent: int | None = None) -> str:
    """JSON text with the names in the order given: a feature belongs to the first group that fits it."""
    return json.dumps(content, ensure_ascii=False, indent=indent, allow_nan=False) + "\n"


def _move(draft: Path, folder: Path) -> None:
    """Move the finished draft into place; a remnant without a card gives way, a finished twin stays."""
    if folder.is_dir() and not is_published(folder):
        shutil.rmtree(folder)
    try:
        draft.replace(folder)
    except OSError:
        # Another process has just published the same version.
        if not is_published(folder):
            raise
