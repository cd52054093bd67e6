"""Clusters, PSCF and CWT, upwind concentration, agreement of members: by hand, and by reordering."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from tests.transport.make import settings_with, trajectories_of, unscaled
from tests.weather.make import dataset_of
from yrd_airq.clock import day_of_label
from yrd_airq.errors import InputError
from yrd_airq.transport.agreement import agreement, agreement_at, member_overlap, source_region
from yrd_airq.transport.clusters import find_clusters
from yrd_airq.transport.footprint import Footprint, footprint
from yrd_airq.transport.season import source_field
from yrd_airq.transport.trajectory import Member, Trajectories, arrivals_of, back_trajectories
from yrd_airq.transport.upwind import upwind_concentration
from yrd_airq.vocab import Precursor, WeatherKind

SETTINGS = unscaled()
STEPS = np.arange(289)


def bundles(counts: tuple[int, ...], seed: int = 3) -> tuple[Trajectories, np.ndarray]:
    """Bundles of ways in directions 120 degrees apart, mixed at random, and the bundle of each."""
    rng = np.random.default_rng(seed)
    bundle = rng.permutation(np.repeat(np.arange(len(counts)), counts))
    turn = np.radians(20 + 120 * bundle + rng.normal(0, 5, len(bundle)))
    far = (3 + rng.normal(0, 0.2, len(bundle)))[:, None] * STEPS / 288
    lon, lat = 119 + far * np.sin(turn)[:, None], 31 + far * np.cos(turn)[:, None]
    arrivals = pd.date_range("2016-12-01 03:00", periods=len(bundle), freq="3h")
    return trajectories_of(lon, lat, SETTINGS, arrivals), bundle


def test_clusters_find_the_bundles() -> None:
    ways, bundle = bundles((60, 30, 14))
    dirt = {d.date(): 50.0 for d in day_of_label(ways.arrivals)}
    found = find_clusters(ways, "330100", SETTINGS.clusters, dirt)
    assert found.number == 3
    assert np.array_equal(found.label, bundle)
    assert np.allclose(found.share, np.array([60, 30, 14]) / 104)
    assert np.allclose(found.concentration, 50.0)
    assert (np.diff(found.variance) < 0).all()
    end = np.arctan2((found.lon[:, -1] - 119) * np.cos(np.radians(31)), found.lat[:, -1] - 31)
    assert found.age_hours[-1] == 72
    assert np.allclose(np.degrees(end) % 360, [17.3, 140, 260], atol=6)


def test_clusters_do_not_depend_on_the_order() -> None:
    """Random ways without clear bundles: the hard case."""
    rng = np.random.default_rng(8)
    lon = 119 + np.cumsum(rng.normal(0, 0.02, (80, 289)) + rng.normal(0, 0.008, (80, 1)), axis=1)
    lat = 31 + np.cumsum(rng.normal(0, 0.02, (80, 289)) + rng.normal(0, 0.008, (80, 1)), axis=1)
    lon[:, 0], lat[:, 0] = 119, 31
    arrivals = pd.date_range("2016-12-01 03:00", periods=80, freq="3h")
    value = dict(
        zip(sorted({d.date() for d in day_of_label(arrivals)}), rng.uniform(20, 200, 11), strict=False)
    )
    plain = find_clusters(trajectories_of(lon, lat, SETTINGS, arrivals), "330100", SETTINGS.clusters, value)
    for seed in range(3):
        order = np.random.default_rng(seed).permutation(80)
        ways = trajectories_of(lon[order], lat[order], SETTINGS, arrivals[order])
        mixed = find_clusters(ways, "330100", SETTINGS.clusters, value)
        assert np.array_equal(mixed.label, plain.label[order])
        for name in ("lon", "lat", "share", "variance"):
            assert getattr(mixed, name).tobytes() == getattr(plain, name).tobytes()
        assert np.allclose(mixed.concentration, plain.concentration, equal_nan=True)


def test_one_way_is_one_cluster_and_unknown_days_are_blank() -> None:
    ways = trajectories_of(
        np.tile(np.where(STEPS < 100, 119.0, np.nan), (5, 1)), np.full((5, 289), 31.0), SETTINGS
    )
    found = find_clusters(ways, "330100", SETTINGS.clusters)
    assert found.number == 1
    assert np.allclose(found.lon, 119.0)
    assert np.isnan(found.concentration).all()
    with pytest.raises(InputError, match="receptor '999' has no trajectories"):
        find_clusters(ways, "999", SETTINGS.clusters)


def test_pscf_and_cwt_by_hand() -> None:
    """Four days of one way each. Cell X is crossed on days of 100 and 20, Y on 60 alone, Z on all."""
    lon = np.full((4, 289), 119.25)
    lon[[0, 1], 100:] = 115.25
    lon[2, 100:] = 113.25
    arrivals = pd.date_range("2016-12-01 12:00", periods=4, freq="D")
    ways = trajectories_of(lon, np.full((4, 289), 31.25), SETTINGS, arrivals)
    value = {d.date(): v for d, v in zip(arrivals.normalize(), (100.0, 20.0, 60.0), strict=False)}
    found = source_field(ways, "330100", value, SETTINGS, threshold=50.0)
    row = int(np.argmin(np.abs(found.lat - 31.25)))
    x, y, z = (int(np.argmin(np.abs(found.lon - at))) for at in (115.25, 113.25, 119.25))
    assert [found.points[row, k] for k in (x, y, z)] == [378, 189, 300]
    # Mean 289 points a cell: x 1.31, y 0.65, z 1.04 times the mean.
    weight = np.array([0.7, 0.42, 0.7])
    assert np.allclose([found.weight[row, k] for k in (x, y, z)], weight)
    assert np.allclose([found.pscf[row, k] for k in (x, y, z)], weight * [0.5, 1.0, 2 / 3])
    assert np.allclose([found.cwt[row, k] for k in (x, y, z)], weight * [60, 60, 60])
    assert (found.days, found.dirty) == (3, 2)
    assert np.isnan(found.pscf).sum() == found.pscf.size - 3
    assert source_field(ways, "330100", value, SETTINGS).threshold == pytest.approx(80.0)
    with pytest.raises(InputError, match="no concentration of receptor 330100"):
        source_field(ways, "330100", {}, SETTINGS)


def test_pscf_points_to_the_dirty_side() -> None:
    """Air from the west is dirty, air from the east clean; the winds differ from day to day."""
    rng = np.random.default_rng(4)
    hours = pd.date_range("2016-11-25", periods=24 * 40, freq="h")
    daily = rng.normal(0, 5, 40)
    u = np.interp(np.arange(len(hours)), 24 * np.arange(40) + 12, daily)[:, None, None]
    weather = dataset_of(hours, u, 0.3, lat=np.arange(24, 38.1, 0.5), lon=np.arange(110, 124.1, 0.5))
    arrivals = arrivals_of(date(2016, 12, 1), date(2016, 12, 30), SETTINGS)
    ways = back_trajectories(weather, {"a": (117.0, 31.0)}, arrivals, 72, SETTINGS)
    from_west = pd.Series(117.0 - np.nanmean(ways.lon[0, :, 0], axis=1), index=day_of_label(arrivals))
    value = {d.date(): 60 + 20 * v for d, v in from_west.groupby(level=0).mean().items()}
    found = source_field(ways, "a", value, SETTINGS)
    west, east = found.lon < 116, found.lon > 118
    assert np.nanmean(found.pscf[:, west]) > 3 * np.nanmean(found.pscf[:, east])
    assert np.nanmean(found.cwt[:, west]) > np.nanmean(found.cwt[:, east])
    assert np.nanmax(found.pscf) <= 1


def test_upwind_concentration_takes_the_city_and_the_day_that_the_air_passed() -> None:
    """A steady west wind of 250 km a day; the dirty city lies 250 km to the west."""
    hours = pd.date_range("2016-11-25", periods=24 * 10, freq="h")
    weather = dataset_of(hours, 2.9, 0.0, lat=np.arange(24, 38.1, 0.5), lon=np.arange(110, 124.1, 0.5))
    arrivals = pd.DatetimeIndex(["2016-12-01 12:00", "2016-12-02 12:00"])
    ways = back_trajectories(weather, {"a": (119.0, 31.0)}, arrivals, 72, SETTINGS)
    days = pd.date_range("2016-11-28", periods=5, freq="D")
    daily = pd.DataFrame({"west": [1.0, 2, 300, 4, 5], "east": 10.0, "north": np.nan}, index=days)
    found = upwind_concentration(ways, 0, [116.4, 121.6, 116.4], [31.0, 31.0, 31.3], daily, SETTINGS)
    assert found.index.tolist() == [pd.Timestamp("2016-12-01"), pd.Timestamp("2016-12-02")]
    assert found.to_numpy() == pytest.approx([300, 4], rel=0.01)
    blank = upwind_concentration(ways, 0, [116.4], [31.0], daily[["north"]], SETTINGS)
    assert blank.isna().all()


def three_members(shift: tuple[int, ...]) -> Footprint:
    """Members whose whole weight lies evenly in 4 × 4 cells, moved eastwards by some cells."""
    lat, lon = np.arange(24.1, 38, 0.2), np.arange(110.1, 124, 0.2)
    cells = np.zeros((4, 1, 1, len(shift), len(lat), len(lon)))
    for m, columns in enumerate(shift):
        cells[..., m, 30:34, 30 + columns : 34 + columns] = 1 / 16
    members = tuple(Member(float(k), 1.0) for k in range(len(shift)))
    outside = np.zeros((4, 1, 1, len(shift), 2))
    return Footprint(cells, outside, lat, lon, ("a",), (date(2016, 9, 4),), members, WeatherKind.ANALYSIS)


def test_agreement_of_members() -> None:
    found = three_members((0, 0, 2))
    share = agreement(found, part=0.99)[0, 0]
    assert share[30, 30] == pytest.approx(2 / 3)
    assert share[30, 32] == pytest.approx(1.0)
    assert share[30, 35] == pytest.approx(1 / 3)
    assert share[30, 40] == 0
    at = agreement_at(
        found, 0, [found.lon[30], found.lon[35] + 0.09, 90.0, np.nan], [found.lat[30]] * 4, part=0.99
    )
    assert at.tolist() == [[pytest.approx(2 / 3), pytest.approx(1 / 3), 0.0, 0.0]]
    mean = np.array([2, 2, 3, 3, 1, 1]) / 3 / 16
    assert member_overlap(found)[0, 0, 0] == pytest.approx(4 * mean[:4].clip(max=1 / 16).sum())
    assert np.allclose(member_overlap(three_members((1, 1))), 1.0)


def test_source_region_is_the_least_area_with_its_part() -> None:
    settings = settings_with()
    hours = pd.date_range("2016-09-01", periods=121, freq="h")
    weather = dataset_of(hours, 2.0, -2.0, lat=np.arange(24, 38.1, 0.5), lon=np.arange(110, 124.1, 0.5))
    arrivals = arrivals_of(date(2016, 9, 4), date(2016, 9, 4), settings)
    found = footprint(back_trajectories(weather, {"a": (120.1, 30.1)}, arrivals, 72, settings), settings)
    region = source_region(found, Precursor.PM)
    held = (found.member_weight * region).sum(axis=(-1, -2)) / found.member_weight.sum(axis=(-1, -2))
    assert (held >= 0.5).all()
    assert (held < 0.53).all()
    density = found.member_weight / found.cell_area_km2[:, None]
    least = np.where(region, density, np.inf).min(axis=(-1, -2))
    most = np.where(region, -np.inf, density).max(axis=(-1, -2))
    assert (least > most).all()
    turned = replace(found, by_precursor=found.by_precursor[:, :, :, ::-1])
    assert np.array_equal(agreement(turned), agreement(found))
