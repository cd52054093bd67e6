"""Tracks made from the drill's own drive, with and without leaking enterprises."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from yrd_airq.drill.drive import Wind, choose_route, drive, met_sources
from yrd_airq.drill.enterprises import make_enterprises
from yrd_airq.drill.settings import DrillSettings, load_drill
from yrd_airq.drill.world import ENTERPRISES, stream
from yrd_airq.region import distance_km, load_region
from yrd_airq.sources.reading import read
from yrd_airq.survey.settings import SurveySettings, load_survey

WIND = Wind(3.0, 140.0)
START = datetime(2026, 8, 18, 9, 30)
LEAK_GS = 18.0


@pytest.fixture
def settings() -> SurveySettings:
    return load_survey()


@pytest.fixture
def drill() -> DrillSettings:
    return load_drill()


@pytest.fixture
def enterprises(drill: DrillSettings) -> pd.DataFrame:
    return make_enterprises(drill.enterprises, load_region(), stream(drill, ENTERPRISES))


@pytest.fixture
def leaking(drill: DrillSettings, enterprises: pd.DataFrame) -> pd.DataFrame:
    """The two enterprises that the survey is sent to, with large leaks, and nothing else around."""
    route = choose_route(enterprises, drill.near_lon, drill.near_lat, drill.drive, WIND)
    met = met_sources(enterprises, route, drill.drive, drill.enterprises.sectors)
    met = met[met["leak_gs"] > 0].assign(ground_gs=LEAK_GS)
    far = distance_km(met["lon"], met["lat"], *route)
    return met.iloc[np.sort(far.argsort()[:2])]


def driven(
    folder: Path, sources: pd.DataFrame, around: pd.DataFrame, drill: DrillSettings, wind: Wind, seed: int = 5
) -> pd.DataFrame:
    """Canonical points of a drive round the middle of ``around`` with plumes of ``sources``."""
    centre = (float(around["lon"].mean()), float(around["lat"].mean()))
    rng = np.random.default_rng(seed)
    track = drive(sources, centre, wind, START, drill.drive, drill.enterprises.sectors, rng)
    path = folder / f"drive{seed}.csv"
    path.write_text(track.to_csv(index=False), encoding="utf-8")
    return read(path).rows.to_pandas()
