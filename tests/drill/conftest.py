"""A short drill, written once, and the summer of the drill of the configs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from tests.conftest import ROOT
from yrd_airq.drill.settings import DrillSettings, load_drill
from yrd_airq.drill.world import World, make_world
from yrd_airq.drill.write import DrillFiles, write_drill


@dataclass(frozen=True)
class Written:
    folder: Path
    files: DrillFiles
    settings: DrillSettings


def short(settings: DrillSettings, **changes: object) -> DrillSettings:
    """The same drill over three weeks only; ``changes`` are further settings."""
    changed = {"first_day": date(2026, 7, 28), "spin_up_days": 2} | changes
    return settings.model_copy(update=changed)


@pytest.fixture(scope="session")
def _configs() -> None:
    patch = pytest.MonkeyPatch()
    patch.setenv("YRD_AIRQ_CONFIGS", str(ROOT / "configs"))
    yield
    patch.undo()


@pytest.fixture(scope="session")
def settings(_configs: None) -> DrillSettings:
    return load_drill()


@pytest.fixture(scope="session")
def written(settings: DrillSettings, tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("drill")
    brief = short(settings)
    return Written(folder, write_drill(folder, brief), brief)


@pytest.fixture(scope="session")
def world(settings: DrillSettings) -> World:
    """The summer of the drill of the configs; runs past the issue time into the event."""
    return make_world(settings.model_copy(update={"first_day": date(2026, 6, 10)}))
