"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real observations, or a skip where it is not on this machine."""
    folder = (ROOT / os.environ.get("YRD_AIRQ_REAL_DATA", "../shared/data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"real data not found at {folder}; set YRD_AIRQ_REAL_DATA")
    return folder


@pytest.fixture(autouse=True)
def _project_configs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The project's own configs, whatever folder the tests are run from."""
    monkeypatch.setenv("YRD_AIRQ_CONFIGS", str(ROOT / "configs"))
