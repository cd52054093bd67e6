"""A short drill, written once, and the parts of a world that are quick to make."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from yrd_airq.drill.emission import Emission, make_emission
from yrd_airq.drill.settings import DrillSettings, load_drill
from yrd_airq.drill.world import World, make_world
from yrd_airq.drill.write import DrillFiles, write_world


@dataclass(frozen=True)
class Written:
    folder: Path
    files: DrillFiles
    world: World


def short(settings: DrillSettings, **changes: object) -> DrillSettings:
    """The same drill over some days only; ``changes`` are further settings."""
    changed = {"first_day": date(2026, 8, 14), "last_day": date(2026, 8, 21), "spin_up_days": 1} | changes
    return settings.model_copy(update=changed)


@contextmanager
def configured(folder: Path) -> Iterator[None]:
    """The configs of a folder, for a fixture that outlives a test: nothing is left behind for other tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YRD_AIRQ_CONFIGS", str(folder))
        yield


@pytest.fixture(autouse=True)
def _coarse(coarse_configs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The coarse world in all tests of the drill."""
    monkeypatch.setenv("YRD_AIRQ_CONFIGS", str(coarse_configs))


@pytest.fixture(scope="session")
def settings(coarse_configs: Path) -> DrillSettings:
    with configured(coarse_configs):
        return load_drill()


@pytest.fixture(scope="session")
def world(settings: DrillSettings, coarse_configs: Path) -> World:
    """Some days of August; the days before the issue are reported, those after it are the world's to know."""
    with configured(coarse_configs):
        return make_world(short(settings))


@pytest.fixture(scope="session")
def written(world: World, coarse_configs: Path, tmp_path_factory: pytest.TempPathFactory) -> Written:
    folder = tmp_path_factory.mktemp("drill")
    with configured(coarse_configs):
        return Written(folder, write_world(folder, world), world)


@pytest.fixture(scope="session")
def emission(world: World, coarse_configs: Path) -> Emission:
    """What the world emits in a week of August, Monday to Sunday, and the hour before it."""
    times = pd.date_range("2026-08-10 00:00", "2026-08-17 00:00", freq="h")
    with configured(coarse_configs):
        return make_emission(times, world.grid, world.region, world.enterprises, world.settings)
