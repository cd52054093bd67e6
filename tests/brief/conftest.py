"""The packs that the tests of the renderers look into, rendered once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.brief.factories import make_daily_brief, make_event_brief
from yrd_airq.brief.content import Brief
from yrd_airq.brief.render import render

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture(scope="session")
def event_brief() -> Brief:
    """A full event brief."""
    return make_event_brief()


@pytest.fixture(scope="session")
def event_pack(event_brief: Brief, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its pack."""
    return render(event_brief, tmp_path_factory.mktemp("packs") / "event")


@pytest.fixture(scope="session")
def daily_brief() -> Brief:
    """A daily bulletin."""
    return make_daily_brief()


@pytest.fixture(scope="session")
def daily_pack(daily_brief: Brief, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its pack."""
    return render(daily_brief, tmp_path_factory.mktemp("packs") / "daily")
