"""Fixtures that every room's tests share."""

from __future__ import annotations

import os
import shutil
from datetime import date
from pathlib import Path

import pytest

from yrd_airq.drill.settings import load_drill
from yrd_airq.drill.write import write_drill

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder of real observations, or a skip where it is not on this machine."""
    folder = (ROOT / os.environ.get("YRD_AIRQ_REAL_DATA", "../shared/data")).resolve()
    if not folder.is_dir():
        pytest.skip(f"real data not found at {folder}; set YRD_AIRQ_REAL_DATA")
    return folder


def pytest_configure() -> None:
    """The project's own configs, whatever folder the tests are run from."""
    os.environ["YRD_AIRQ_CONFIGS"] = str(ROOT / "configs")


@pytest.fixture(scope="session")
def coarse_configs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's configs, with a drill on a grid of half a degree."""
    folder = tmp_path_factory.mktemp("coarse") / "configs"
    shutil.copytree(ROOT / "configs", folder)
    weather = folder / "drill" / "weather.yaml"
    text = weather.read_text(encoding="utf-8")
    assert "step: 0.25" in text
    weather.write_text(text.replace("step: 0.25", "step: 0.5"), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def drill_files(coarse_configs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of the drill from June to its issue time, on the coarse grid; made once a session."""
    folder = tmp_path_factory.mktemp("world") / "files"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YRD_AIRQ_CONFIGS", str(coarse_configs))
        days = {"first_day": date(2026, 6, 1), "last_day": date(2026, 8, 18), "spin_up_days": 2}
        write_drill(folder, load_drill().model_copy(update=days))
    return folder
