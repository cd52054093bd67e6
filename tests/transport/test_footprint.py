"""Footprints: nothing lost, the right place, the right age, the right day."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.weather.make import dataset_of
from yrd_airq.settings import load
from yrd_airq.transport.footprint import SIDES, Footprint, footprint
from yrd_airq.transport.settings import TransportSettings
from yrd_airq.transport.trajectory import Trajectories, back_trajectories, members_of
from yrd_airq.vocab import Precursor, WeatherKind

LAT, LON = np.arange(24.0, 38.1, 0.5), np.arange(110.0, 124.1, 0.5)
HOURS = pd.date_range("2016-09-01", periods=145, freq="h")
ARRIVALS = pd.date_range("2016-09-05 03:00", periods=16, freq="3h")
SO2, PM, NOX = (tuple(Precursor).index(p) for p in (Precursor.SO2, Precursor.PM, Precursor.NOX))


@pytest.fixture
def settings() -> TransportSettings:
    return load(TransportSettings, "transport")


def blown(u: float, v: float, settings: TransportSettings) -> Footprint:
    weather = dataset_of(HOURS, u, v, lat=LAT, lon=LON)
    return footprint(back_trajectories(weather, {"330100": (120.1, 30.1)}, ARRIVALS, 72, settings), settings)


def standing(lon: np.ndarray, lat: np.ndarray, settings: TransportSettings) -> Trajectories:
    """One receptor, one arrival; every member takes the given way."""
    members = members_of(settings)
    shape = (1, 1, len(members), len(lon))
    return Trajectories(
        np.broadcast_to(lon, shape),
        np.broadcast_to(lat, shape),
        pd.DatetimeIndex(["2016-09-05 00:00"]),
        ("330100",),
        members,
        settings.step_minutes,
        (110.0, 124.0),
        (24.0, 38.0),
        WeatherKind.ANALYSIS,
    )


@pytest.mark.parametrize(("u", "v"), [(0.0, 0.0), (1.0, 0.5), (-3.0, 2.0), (8.0, -8.0)])
def test_weights_add_up_to_one(settings: TransportSettings, u: float, v: float) -> None:
    found = blown(u, v, settings)
    total = found.by_precursor.sum(axis=(-1, -2)) + found.outside.sum(axis=-1)
    assert np.allclose(total, 1.0, atol=1e-12)
    assert found.by_precursor.min() >= 0
    assert found.by_precursor.shape == (4, 1, 2, 9, 70, 70)
    assert found.weight.shape == (1, 2, 70, 70)
    assert found.member_weight.shape == (1, 2, 9, 70, 70)


def test_calm_air_stays_at_the_receptor(settings: TransportSettings) -> None:
    found = blown(0.0, 0.0, settings)
    assert found.outside.max() == 0
    lat = (found.weight[0, 0].sum(axis=1) * found.lat).sum()
    lon = (found.weight[0, 0].sum(axis=0) * found.lon).sum()
    assert (lon, lat) == (pytest.approx(120.1, abs=0.01), pytest.approx(30.1, abs=0.01))


def test_footprint_lies_upwind(settings: TransportSettings) -> None:
    found = blown(0.0, -1.5, settings)
    north = found.weight[0, 0][found.lat > 30.3].sum()
    south = found.weight[0, 0][found.lat < 29.9].sum()
    assert north > 20 * south


def test_mean_age_follows_the_lifetime(settings: TransportSettings) -> None:
    """In a steady wind the weighted distance grows with the lifetime of the precursor."""
    found = blown(0.0, -0.5, settings)
    distance = (found.by_precursor[:, 0, 0].mean(axis=1).sum(axis=-1) * (found.lat - 30.1)).sum(axis=-1)
    lifetime = np.array([settings.lifetime_h[p].value for p in Precursor])
    assert list(np.argsort(distance)) == list(np.argsort(lifetime))


def test_spread_widens_with_age_and_catches_what_lies_beside(settings: TransportSettings) -> None:
    steps = 289
    found = footprint(standing(np.full(steps, 117.1), np.full(steps, 31.1), settings), settings)
    variance = (found.weight[0, 0].sum(axis=1) * (found.lat - 31.1) ** 2).sum()
    age = np.arange(steps) / 4
    weight = np.exp(-age / settings.lifetime_h[Precursor.PM].value)
    sigma = (settings.spread_start_km.value + settings.spread_growth_kmh.value * age) / 111.195
    assert variance == pytest.approx((weight * sigma**2).sum() / weight.sum(), rel=0.03)


def test_part_beyond_the_grid_is_counted_by_side(settings: TransportSettings) -> None:
    steps, lost = 289, 97
    weight = np.exp(-np.arange(steps) / 4 / settings.lifetime_h[Precursor.SO2].value)
    for last_lon, side in ((123.9, "east"), (110.1, "other")):
        lon = np.where(np.arange(steps) < lost, last_lon, np.nan)
        found = footprint(standing(lon, np.where(np.isnan(lon), np.nan, 31.0), settings), settings)
        gone = found.outside[SO2, 0, 0, :, SIDES.index(side)]
        assert np.allclose(gone, weight[lost:].sum() / weight.sum())
        assert np.allclose(found.outside[SO2, 0, 0].sum(axis=-1), gone)
    north = np.where(np.arange(steps) < lost, 37.9, np.nan)
    found = footprint(standing(np.where(np.isnan(north), np.nan, 118.0), north, settings), settings)
    assert found.outside[SO2, 0, 0, 0, SIDES.index("east")] == 0


def test_days_are_kept_apart(settings: TransportSettings) -> None:
    u = np.where(pd.Timestamp("2016-09-06 00:00") >= HOURS, 0.0, 6.0)[:, None, None]
    weather = dataset_of(HOURS, u, 0.0, lat=LAT, lon=LON)
    found = footprint(back_trajectories(weather, {"a": (120.1, 30.1)}, ARRIVALS, 72, settings), settings)
    assert [day.isoformat() for day in found.days] == ["2016-09-05", "2016-09-06"]
    west = found.weight[0][:, :, found.lon < 119].sum(axis=(1, 2))
    assert west[0] < 0.06
    assert west[1] > 2 * west[0]


def test_density_at_points(settings: TransportSettings) -> None:
    found = blown(0.5, 0.5, settings)
    density = found.by_precursor[PM, 0, 0] / found.cell_area_km2[:, None]
    at = found.per_km2_at(0, [found.lon[40], found.lon[40] + 0.1], [found.lat[30], found.lat[30]])
    assert np.allclose(at[PM, 0, :, 0], density[:, 30, 40])
    assert np.allclose(at[PM, 0, :, 1], density[:, 30, 40:42].mean(axis=-1))
    off = found.per_km2_at(0, [90.0, np.nan, 119.0], [30.0, 30.0, np.nan])
    assert (off == 0).all()


def test_area_of_the_cells_adds_up(settings: TransportSettings) -> None:
    """Area of a spherical zone: R² Δλ (sin φ2 − sin φ1)."""
    found = blown(0.0, 0.0, settings)
    zone = 6371.0088**2 * np.radians(14) * (np.sin(np.radians(38)) - np.sin(np.radians(24)))
    assert found.cell_area_km2.sum() * 70 == pytest.approx(zone, rel=1e-5)


def test_same_bytes_on_a_second_run(settings: TransportSettings) -> None:
    one, two = blown(1.0, -1.0, settings), blown(1.0, -1.0, settings)
    assert one.by_precursor.tobytes() == two.by_precursor.tobytes()


def test_nox_dies_before_it_leaves(settings: TransportSettings) -> None:
    found = blown(6.0, 0.0, settings)
    gone = found.outside.sum(axis=-1).mean(axis=(1, 2, 3))
    assert gone[NOX] < gone[SO2] < gone[PM]
