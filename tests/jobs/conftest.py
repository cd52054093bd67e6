"""The drill of the session, taken into a store once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from yrd_airq.jobs.ingest import ingest_folder
from yrd_airq.jobs.workspace import Workspace


@pytest.fixture(scope="session")
def filled(drill_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A store with the drill in it, and a registry that tests share; not to be written to."""
    folder = tmp_path_factory.mktemp("filled")
    workspace = Workspace(folder / "store.duckdb", folder / "models", folder / "out")
    ingest_folder(workspace, drill_files)
    return workspace


@pytest.fixture
def workspace(filled: Workspace, tmp_path: Path) -> Workspace:
    """A copy of the filled store for one test; models are shared, since a version never changes."""
    shutil.copy(filled.store, tmp_path / "store.duckdb")
    return Workspace(tmp_path / "store.duckdb", filled.models, tmp_path / "out")
