"""Where a run keeps its things, and how it names itself: paths, content hashes, run ids."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yrd_airq
from yrd_airq.settings import config_dir


@dataclass(frozen=True)
class Workspace:
    """Paths of one run: the store, the model registry and the folder for packs."""

    store: Path
    models: Path
    out: Path

    @classmethod
    def of(cls, store: Path | None = None, models: Path | None = None, out: Path | None = None) -> Workspace:
        """The given paths, else ``YRD_AIRQ_STORE`` and ``YRD_AIRQ_MODELS``, else the defaults."""
        return cls(
            store or Path(os.environ.get("YRD_AIRQ_STORE", "data/yrd_airq.duckdb")),
            models or Path(os.environ.get("YRD_AIRQ_MODELS", "models")),
            out or Path("out"),
        )


def hash_texts(*parts: str) -> str:
    """SHA-256 of texts, each length-prefixed so that no two lists collide."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(f"{len(data)}:".encode() + data)
    return digest.hexdigest()


def hash_files(files: Iterable[Path]) -> str:
    """SHA-256 over names and contents of files, whatever order they come in."""
    return hash_texts(*(f"{f.name}:{hashlib.sha256(f.read_bytes()).hexdigest()}" for f in sorted(files)))


def settings_hash() -> str:
    """Hash of every YAML file of the configuration folder but the events."""
    return hash_files(path for path in config_dir().rglob("*.yaml") if path.parent.name != "events")


@cache
def code_version() -> str:
    """Version of the package and a hash of its own sources, e.g. ``0.1.0+3f9a0c1d2e4b``."""
    return f"{yrd_airq.__version__}+{hash_files(Path(yrd_airq.__file__).parent.rglob('*.py'))[:12]}"


def name_run(kind: str, *facts: str) -> str:
    """Deterministic id of a run: the same facts give the same id, e.g. ``event-1a2b3c4d5e6f``."""
    return f"{kind}-{hash_texts(*facts)[:12]}"
