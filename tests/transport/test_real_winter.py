"""Real fields: the air's way tells more of the next day than the neighbours do; vertical motion."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tests.transport import real
from yrd_airq.region import load_region
from yrd_airq.settings import load
from yrd_airq.transport.clusters import find_clusters
from yrd_airq.transport.season import source_field
from yrd_airq.transport.settings import TransportSettings
from yrd_airq.transport.trajectory import back_trajectories
from yrd_airq.weather.grid import open_weather


def test_upwind_air_tells_more_than_all_neighbours(real_data: Path) -> None:
    """All winter days of 2015 to 2017, and the ten dirtiest; the margin of Hangzhou is small."""
    region, settings = load_region(), load(TransportSettings, "transport")
    tables, winters = real.compare_winters(real_data, region, settings)
    for adcode, table in tables.items():
        assert len(table.dropna()) == 270
        whole, dirty = table.corr()["city"], table.nlargest(10, "city").corr()["city"]
        assert whole["upwind"] > whole["neighbours"] + (0.2 if adcode == real.SHANGHAI else 0.02)
        assert whole["upwind"] > whole["own"]
        assert dirty["upwind"] > dirty["neighbours"]

        values = {day.date(): value for day, value in table["city"].items()}
        clusters = find_clusters(winters[1], adcode, settings.clusters, values)
        assert 3 <= clusters.number <= 7
        assert np.nanmax(clusters.concentration) - np.nanmin(clusters.concentration) > 15
        # Dirty air of a winter comes from inland rather than from the sea.
        field = source_field(winters[1], adcode, values, settings)
        inland, sea = (
            (np.nan_to_num(field.cwt / field.weight) * field.points)[:, part].sum()
            / field.points[:, part].sum()
            for part in (field.lon < 119, field.lon > 122.5)
        )
        assert inland > 1.1 * sea


def test_real_winds_on_levels_carry_air_up_and_down(real_data: Path) -> None:
    settings = load(TransportSettings, "transport")
    weather = open_weather(real_data / "weather" / "samples" / "era5_pl_2015080100_0212.nc")
    arrivals = pd.DatetimeIndex(["2015-08-02 16:00", "2015-08-02 19:00"])
    deep, flat = (
        back_trajectories(
            weather, {"340100": (117.2, 31.8)}, arrivals, 24, settings.model_copy(update={"dimensions": kind})
        )
        for kind in ("auto", "2d")
    )
    assert deep.height_m is not None
    assert flat.height_m is None
    height = deep.height_m[0, :, deep.central_member]
    assert np.allclose(height[:, 0], settings.reference_height_m.value)
    assert 50 < np.nanmax(np.abs(height - 300)) < 700
    # Air of the lowest kilometre on both ways came from the south-west; the ways part by some tens of km.
    end = [(t.lon[0, 0, t.central_member, -1], t.lat[0, 0, t.central_member, -1]) for t in (deep, flat)]
    assert max(lon for lon, _ in end) < 116.5
    assert max(lat for _, lat in end) < 29.5
    assert 0.1 < np.hypot(end[0][0] - end[1][0], end[0][1] - end[1][1]) < 1.5
