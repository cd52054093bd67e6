"""Footprints: nothing lost, the right place, the right age, the right day."""

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np
import pandas as pd
import pytest

from tests.transport.make import marked, settings_with, slow_footprint, trajectories_of
from tests.weather.make import dataset_of
from yrd_airq.errors import InputError
from yrd_airq.transport.footprint import SIDES, Ageing, Footprint, footprint, weight_by_age
from yrd_airq.transport.settings import TransportSettings
from yrd_airq.transport.trajectory import Trajectories, back_trajectories, members_of
from yrd_airq.vocab import Precursor, WeatherKind

LAT, LON = np.arange(24.0, 38.1, 0.5), np.arange(110.0, 124.1, 0.5)
HOURS = pd.date_range("2016-09-01", periods=145, freq="h")
ARRIVALS = pd.date_range("2016-09-05 03:00", periods=16, freq="3h")
SO2, PM, NOX = (tuple(Precursor).index(p) for p in (Precursor.SO2, Precursor.PM, Precursor.NOX))


@pytest.fixture
def settings() -> TransportSettings:
    return settings_with()


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


def wandering(settings: TransportSettings, seed: int = 5) -> Trajectories:
    """Two days of arrivals on random ways, some of which leave the wind grid on either side."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 0.012, size=(2, 16, 289)) + rng.normal(0, 0.02, size=(2, 16, 1))
    lon, lat = np.cumsum(steps, axis=2) + np.array([119.5, 31.0])[:, None, None]
    lost = np.maximum.accumulate((lon < 110) | (lon > 124) | (lat < 24) | (lat > 38), axis=1)
    lon, lat = np.where(lost, np.nan, lon), np.where(lost, np.nan, lat)
    return trajectories_of(lon, lat, settings)


def test_same_as_the_slow_way(settings: TransportSettings) -> None:
    ways = wandering(settings.model_copy(update={"rotations_deg": (0.0, 10.0), "speed_ratios": (1.0,)}))
    assert np.isnan(ways.lon[..., -1]).any()
    found = footprint(ways, settings)
    cells, outside = slow_footprint(ways, settings)
    assert outside[..., 0].max() > 0
    assert outside[..., 1].max() > 0
    assert np.abs(found.by_precursor - cells).max() < 1e-12
    assert np.abs(found.outside - outside).max() < 1e-12


def test_number_of_threads_does_not_change_a_byte(settings: TransportSettings) -> None:
    ways, before = wandering(settings), numba.get_num_threads()
    try:
        found = []
        for threads in (1, before):
            numba.set_num_threads(threads)
            found.append(footprint(ways, settings).by_precursor.tobytes())
    finally:
        numba.set_num_threads(before)
    assert found[0] == found[1]


@pytest.mark.parametrize("ageing", list(Ageing))
def test_mass_is_kept_with_depth_rain_and_height(settings: TransportSettings, ageing: Ageing) -> None:
    ways = wandering(settings)
    rng, shape = np.random.default_rng(2), ways.lon.shape
    blank = np.isnan(ways.lon)
    full = replace(
        ways,
        mixing_m=np.where(blank, np.nan, rng.uniform(50, 1500, shape)),
        height_m=np.where(blank, np.nan, rng.uniform(0, 1500, shape)),
        rain_mmh=np.where(blank, np.nan, rng.uniform(0, 3, shape)),
    )
    for part in (ways, full):
        found = footprint(part, settings, ageing)
        total = found.by_precursor.sum(axis=(-1, -2)) + found.outside.sum(axis=-1)
        assert np.allclose(total, 1.0, atol=1e-6)
        assert found.strength_sm is not None
        assert (found.strength_sm > 0).all()


def test_shallow_air_counts_more_and_air_above_the_layer_not_at_all(settings: TransportSettings) -> None:
    """Half of the time at one place under 300 m, half at another under 900 m: 3 to 1, without loss."""
    endless = settings.model_copy(update={"lifetime_h": dict.fromkeys(Precursor, marked(1e9))})
    first = np.arange(289) < 144
    lon = np.where(first, 113.1, 120.1)
    depth = np.where(first, 300.0, 900.0)
    ways = trajectories_of(lon, np.full(289, 31.1), endless)
    deep = replace(ways, mixing_m=np.broadcast_to(depth, ways.lon.shape))
    west = footprint(deep, endless).weight[0, 0][:, :30].sum()
    assert west == pytest.approx(144 * 3 / (144 * 3 + 145), abs=1e-4)
    assert footprint(ways, endless).weight[0, 0][:, :30].sum() == pytest.approx(144 / 289, abs=1e-3)
    height = np.where(first, 100.0, 950.0)
    high = replace(deep, height_m=np.broadcast_to(height, ways.lon.shape))
    assert footprint(high, endless).weight[0, 0][:, :30].sum() == pytest.approx(1.0, abs=1e-2)


def test_strength_is_the_closed_form_of_a_box(settings: TransportSettings) -> None:
    """Constant depth and no wind: Σ Δt exp(−t/τ)/h, that is τ (1 − exp(−T/τ))/h but for the step."""
    found = blown(0.0, 0.0, settings)
    lifetime = np.array([settings.lifetime_h[p].value for p in Precursor]) * 3600
    expected = lifetime * -np.expm1(-72 * 3600 / lifetime) / settings.mixing_height_m.value
    assert found.strength_sm is not None
    assert np.allclose(found.strength_sm[:, 0, 0, 0], expected, rtol=0.02)
    assert np.allclose(found.strength_sm, found.strength_sm[:, :1, :1, :1])


def test_rain_on_the_way_washes_out_what_lies_behind_it(settings: TransportSettings) -> None:
    """Two hours of 4 mm/h at ages 10 to 12 h; rain at age t takes from all that was let off before."""
    steps = np.arange(289)
    ways = trajectories_of(np.where(steps < 48, 113.1, 120.1), np.full(289, 31.1), settings)
    rain = np.where((steps >= 40) & (steps < 48), 4.0, 0.0)
    wet = footprint(replace(ways, rain_mmh=np.broadcast_to(rain, ways.lon.shape)), settings)
    dry = footprint(ways, settings)
    assert np.allclose(wet.by_precursor[NOX], dry.by_precursor[NOX])
    rate = settings.scavenging[Precursor.PM].value * 4**settings.scavenging_exponent.value
    met = np.clip(steps - 39, 0, 8) / 4
    weight = np.exp(-steps / 4 / settings.lifetime_h[Precursor.PM].value - rate * met)
    near = weight[:48].sum() / weight.sum()
    assert wet.by_precursor[PM, 0, 0, 0][:, :30].sum() == pytest.approx(near, rel=0.01)
    assert dry.by_precursor[PM, 0, 0, 0][:, :30].sum() < 0.5 * near


def test_secondary_particles_come_from_farther_away(settings: TransportSettings) -> None:
    assert np.allclose(weight_by_age(np.array([0.0]), settings)[:, 0], 1.0)
    made = weight_by_age(np.array([0.0, 24.0]), settings, Ageing.PARTICLES)
    assert made[:, 0].tolist() == [0.0, 0.0, 1.0, 0.0]
    so2 = settings.formation_h[Precursor.SO2].value
    assert made[SO2, 1] == pytest.approx((1 - np.exp(-24 / so2)) * np.exp(-24 / 72))
    weather = dataset_of(HOURS, 0.0, -1.5, lat=LAT, lon=LON)
    way = back_trajectories(weather, {"330100": (120.1, 30.1)}, ARRIVALS, 72, settings)
    fresh, aged = footprint(way, settings), footprint(way, settings, Ageing.PARTICLES)
    north = [
        (f.by_precursor.mean(axis=3)[:, 0, 0].sum(axis=-1) * (f.lat - 30.1)).sum(axis=-1)
        for f in (fresh, aged)
    ]
    assert (north[1][[NOX, SO2]] > 1.3 * north[0][[NOX, SO2]]).all()
    assert north[1][PM] == pytest.approx(north[0][PM])


def test_days_of_emission_add_up(settings: TransportSettings) -> None:
    made = footprint(wandering(settings), settings, lags=3)
    assert made.by_lag is not None
    whole = made.by_precursor.mean(axis=3)
    assert np.allclose(made.by_lag.sum(axis=0), whole, atol=1e-12)
    parts = made.lag_parts_at(0, [120.0, 118.0, np.nan], [30.0, 31.0, np.nan])
    assert np.allclose(parts.sum(axis=0), 1.0)
    assert np.allclose(parts[0, ..., 2], 1.0)


def test_calm_air_was_fed_on_its_own_day_and_the_days_before(settings: TransportSettings) -> None:
    still = standing(np.full(289, 120.0), np.full(289, 31.0), settings)
    made = footprint(still, settings, lags=4)
    assert made.by_lag is not None
    parts = made.by_lag[:, :, 0, 0].sum(axis=(-1, -2))
    age = np.arange(289) * 0.25
    for p, precursor in enumerate(Precursor):
        left = np.exp(-age / settings.lifetime_h[precursor].value)
        # The only arrival ends its day, so a full day of ages belongs to it.
        days = [left[(age >= 24 * k) & (age < 24 * (k + 1))].sum() / left.sum() for k in range(3)]
        assert np.allclose(parts[:3, p], days, atol=1e-9)


def test_lags_have_to_be_asked_for(settings: TransportSettings) -> None:
    with pytest.raises(InputError, match="ask for lags"):
        footprint(wandering(settings), settings).lag_parts_at(0, [120.0], [31.0])


def test_ozone_goes_by_the_air_of_midday_and_its_short_lives(settings: TransportSettings) -> None:
    way = wandering(settings)
    midday = way.arriving([12, 15, 18])
    assert set(midday.arrivals.hour) <= {12, 15, 18}
    assert midday.lon.shape[1] == len(midday.arrivals)
    weight = weight_by_age(np.array([0.0, 6.0]), settings, Ageing.OZONE)
    lives = [settings.ozone.lifetime_h.get(p, settings.lifetime_h[p]).value for p in Precursor]
    assert np.allclose(weight[:, 1], np.exp(-6.0 / np.array(lives)))
    with pytest.raises(InputError, match="no trajectory arrives"):
        way.arriving([5])
