"""Hangzhou, 4-5 September 2016, with real winds and real places of plants (emissions estimated)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from yrd_airq.attribution.matrix import attribute
from yrd_airq.attribution.settings import AttributionSettings
from yrd_airq.region import load_region
from yrd_airq.settings import load
from yrd_airq.sources import netcdf_header
from yrd_airq.transport.footprint import footprint
from yrd_airq.transport.settings import TransportSettings
from yrd_airq.transport.trajectory import arrivals_of, back_trajectories
from yrd_airq.vocab import Target
from yrd_airq.weather.grid import weather_for

FIRST, LAST = date(2016, 9, 4), date(2016, 9, 5)
ISSUE = pd.Timestamp("2016-09-02 16:00")


def test_air_of_the_summit_days_came_from_the_north_east(real_data: Path) -> None:
    files = netcdf_header.read(real_data / "weather" / "capra_daily_2016.nc").rows.to_pandas()
    settings, region = load(TransportSettings, "transport"), load_region()
    city = region.city("330100")
    start = pd.Timestamp(FIRST) - pd.Timedelta(hours=settings.hours)
    weather = weather_for(files, start, pd.Timestamp(LAST) + pd.Timedelta(days=1), ISSUE)
    arrivals = arrivals_of(FIRST, LAST, settings)
    way = back_trajectories(weather, {"330100": (city.lon, city.lat)}, arrivals, settings.hours, settings)
    six_hours = way.age_hours == 6
    assert (way.lon[0, :, way.central_member, six_hours] > city.lon).all()
    assert (way.lat[0, :, way.central_member, six_hours] > city.lat).all()

    enterprises = pd.read_csv(real_data / "enterprises" / "yrd_plants.csv", dtype={"adcode": str})
    enterprises["adcode"] = enterprises["adcode"].map(region.canonical_adcode)
    observed = pd.DataFrame(
        [
            ("330100", day, target, value)
            for day in (FIRST, LAST)
            for target, value in (("pm25", 30.0), ("o3_mda8", 160.2))
        ],
        columns=["adcode", "date", "target", "value"],
    )
    result = attribute(
        footprint(way, settings), enterprises, observed, region, load(AttributionSettings, "attribution")
    )
    total = result.share.sum(axis=2) + result.unlisted_share.sum(axis=2) + result.outside_share
    assert np.allclose(total, 1, atol=1e-9)
    assert np.allclose(result.budget.groupby(["date", "target"])["share"].sum(), 1, atol=1e-9)
    assert len(result.enterprise_id) == len(enterprises)
    assert len(result.unknown) == 4 * 30

    gain = result.sensitivity[Target.PM25].sum(axis=(0, 1, 3))
    upwind = enterprises["adcode"].isin(
        ["310000", "330400", "330100", "330500", "330600", "320500", "320600"]
    )
    assert upwind[np.argsort(-gain)[:10]].all()
    assert result.sensitivity[Target.O3_MDA8].clip(min=0).sum(axis=(2, 3)).max() <= 0.105 * 160.2
    assert result.stability[np.argsort(-gain)[:5]].min() == 1.0
