"""The plume: what is let off arrives, the cap, symmetry, stability, and the join with the footprint."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import trapezoid

from tests.transport.make import marked, settings_with
from tests.weather.make import dataset_of
from yrd_airq.errors import InputError
from yrd_airq.transport.footprint import Ageing, footprint
from yrd_airq.transport.kernel import METRES_PER_DEGREE
from yrd_airq.transport.nearfield import blended_per_km2, near_field, near_part
from yrd_airq.transport.plume import (
    clear_sky_radiation,
    dispersion,
    plume_at,
    plume_concentration,
    stability_class,
)
from yrd_airq.transport.settings import STABILITIES, PlumeSettings
from yrd_airq.transport.trajectory import Member, arrivals_of, back_trajectories
from yrd_airq.vocab import Precursor

LAT, LON = np.arange(24.0, 38.1, 0.5), np.arange(110.0, 124.1, 0.5)
HOURS = pd.date_range("2016-09-01", periods=145, freq="h")
DAYS = (date(2016, 9, 5), date(2016, 9, 6))
CITY = {"330100": (120.1, 30.1)}
NOX, PM = (tuple(Precursor).index(p) for p in (Precursor.NOX, Precursor.PM))
A, C, D, F = (STABILITIES.index(letter) for letter in "ACDF")


@pytest.fixture
def plume() -> PlumeSettings:
    return settings_with().plume


def km_north(km: float) -> float:
    return km * 1000 / METRES_PER_DEGREE


def test_spread_of_briggs_by_hand(plume: PlumeSettings) -> None:
    """Urban D at 1 km: 160/√1.4 and 140/√1.3; A 320/√1.4 and 240·√2; rural F 40/√1.1 and 16/1.3."""
    y, z = dispersion(1000.0, [D, A], plume)
    assert np.allclose(y, [160 / np.sqrt(1.4), 320 / np.sqrt(1.4)])
    assert np.allclose(z, [140 / np.sqrt(1.3), 240 * np.sqrt(2)])
    rural = dispersion(1000.0, [F, C], plume.model_copy(update={"terrain": "rural"}))
    assert np.allclose(rural, [[40 / np.sqrt(1.1), 110 / np.sqrt(1.1)], [16 / 1.3, 80 / np.sqrt(1.2)]])


@pytest.mark.parametrize("stability", range(6))
@pytest.mark.parametrize("distance", [300.0, 3_000.0, 30_000.0])
def test_all_that_is_let_off_passes_every_cross_section(
    plume: PlumeSettings, stability: int, distance: float
) -> None:
    """∫∫ C u dy dz = Q, whatever the spread; ∫ C dy at the ground is the closed form in z."""
    sigma_y, _ = dispersion(distance, stability, plume)
    y, z = np.linspace(-6, 6, 241) * sigma_y, np.linspace(0, 800, 801)
    value = plume_at(distance, y[:, None], z[None], 3.0, stability, 800.0, 60.0, plume)
    assert trapezoid(trapezoid(value, z, axis=1), y) * 3.0 == pytest.approx(1.0, rel=0.01)
    wide = plume_at(distance, 3 * y[:, None], z[None], 3.0, stability, 800.0, 60.0, plume, wander_deg=10)
    sigma = np.hypot(sigma_y, distance * np.tan(np.radians(10)))
    assert wide.max() / value.max() == pytest.approx(float(sigma_y / sigma), rel=1e-6)


def test_crosswind_integral_at_the_ground_is_the_closed_form(plume: PlumeSettings) -> None:
    """Far below the cap: √(2/π)/(u σz) · exp(−H²/2σz²)."""
    sigma_y, sigma_z = (float(s) for s in dispersion(1500.0, D, plume))
    y = np.linspace(-6, 6, 241) * sigma_y
    found = trapezoid(plume_at(1500.0, y, 0.0, 4.0, D, 1500.0, 80.0, plume), y)
    assert found == pytest.approx(
        np.sqrt(2 / np.pi) / (4 * sigma_z) * np.exp(-(80**2) / (2 * sigma_z**2)), rel=1e-3
    )


def test_cap_mixes_evenly_and_calm_has_a_floor(plume: PlumeSettings) -> None:
    sigma_y, sigma_z = (float(s) for s in dispersion(20_000.0, A, plume))
    assert sigma_z > 0.8 * 1000
    z = np.array([0.0, 500.0, 1000.0, 1001.0])
    value = plume_at(20_000.0, 0.0, z, 2.0, A, 1000.0, 50.0, plume)
    assert np.allclose(value[:3], 1 / (np.sqrt(2 * np.pi) * 2 * sigma_y * 1000))
    assert value[3] == 0
    # Where the cap takes over, the reflected plume is already even to some per cent.
    x = np.linspace(500, 20_000, 4000)
    along = plume_at(x, 0.0, 0.0, 2.0, D, 300.0, 50.0, plume)
    jump = np.abs(np.diff(np.log(along[x > 2500]))).max()
    assert jump < 0.1
    assert plume_at(2000.0, 0, 0, 0.1, D, 500, 50, plume) == plume_at(2000.0, 0, 0, 0.5, D, 500, 50, plume)
    assert plume_at(2000.0, 0, 0, 1.0, D, 500, 600, plume) == 0


def test_plume_is_even_about_its_axis_and_only_downwind(plume: PlumeSettings) -> None:
    north, south = (120.0, 30.0 + km_north(10)), (120.0, 30.0 - km_north(10))
    beside = [(120.0 + s * 0.01, 30.0 + km_north(10)) for s in (1, -1)]
    value = plume_concentration(
        [(120.0, 30.0)], [north, south, *beside], [0.0, 0.0], [3.0, -3.0], [D, D], [900.0, 900.0], plume
    )
    assert value.shape == (1, 4, 2)
    assert value[0, 0, 0] == pytest.approx(float(plume_at(10_000, 0, 0, 3, D, 900, 50, plume)), rel=1e-6)
    assert value[0, 1, 1] == pytest.approx(value[0, 0, 0], rel=1e-9)
    assert value[0, 0, 1] == value[0, 1, 0] == 0
    assert value[0, 2, 0] == pytest.approx(value[0, 3, 0], rel=1e-9)
    assert 0 < value[0, 2, 0] < value[0, 0, 0]
    far = plume_concentration([(120.0, 30.0)], [(120.0, 30.6)], [0.0], [3.0], [D], [900.0], plume)
    assert far.max() == 0


def test_plume_turns_with_the_wind(plume: PlumeSettings) -> None:
    """From the source the receptor lies 10 km away in the direction the wind blows to, for any wind."""
    turn = np.radians(np.arange(0, 360, 30))
    receptor = np.column_stack(
        [120 + km_north(10) * np.sin(turn) / np.cos(np.radians(30)), 30 + km_north(10) * np.cos(turn)]
    )
    u, v = 4 * np.sin(turn), 4 * np.cos(turn)
    value = plume_concentration([(120.0, 30.0)], receptor, u, v, D, 900.0, plume)[0]
    assert np.allclose(np.diag(value), plume_at(10_000, 0, 0, 4, D, 900, 50, plume), rtol=0.02)
    assert (value.argmax(axis=0) == np.arange(12)).all()


def test_stability_by_wind_and_sun() -> None:
    wind, sun = (
        np.array([1, 1, 2.5, 4, 5.5, 7, 1, 2.2, 4]),
        np.array([1000, 100, 500, 800, 200, 950, 0, 0, 0]),
    )
    assert "".join(STABILITIES[k] for k in stability_class(wind, sun)) == "ADCBDCFED"


def test_sun_of_a_clear_day() -> None:
    """Noon at the equinox at 30N: elevation 60 degrees, 990 sin 60 − 30 = 827 W/m²."""
    times = pd.DatetimeIndex(["2016-03-21 12:00", "2016-03-21 00:00", "2016-06-21 12:00", "2016-12-21 12:00"])
    found = clear_sky_radiation(times, 120.0, 30.0)
    assert found[0] == pytest.approx(827, abs=5)
    assert found[1] == 0
    assert found[2] > found[0] > found[3] > 0


def test_near_part_falls_with_distance(plume: PlumeSettings) -> None:
    assert near_part([0.0, 15.0, 32.5, 50.0, 80.0], plume).tolist() == [1.0, 1.0, 0.5, 0.0, 0.0]


def test_near_field_by_day_and_member() -> None:
    """A north wind on the first day, an east wind on the second; sources 20 km away on all four sides."""
    u = np.where(pd.Timestamp("2016-09-06 00:30") > HOURS, 0.0, -3.0)[:, None, None]
    v = np.where(pd.Timestamp("2016-09-06 00:30") > HOURS, -3.0, 0.0)[:, None, None]
    weather = dataset_of(HOURS, u, v, lat=LAT, lon=LON)
    d = km_north(20)
    east = d / np.cos(np.radians(30.1))
    sources = [
        (120.1, 30.1 + d),
        (120.1 + east, 30.1),
        (120.1, 30.1 - d),
        (120.1 - east, 30.1),
        (np.nan, 30.1),
        (121.5, 30.1),
    ]
    members = (Member(0.0, 1.0), Member(0.0, 2.0), Member(90.0, 1.0))
    found = near_field(sources, CITY, DAYS, members, weather, settings_with())
    assert found.sources[0].tolist() == [0, 1, 2, 3]
    dense = found.dense(0)
    assert dense.shape == (4, 2, 3, 6)
    assert (dense[..., 4:] == 0).all()
    assert dense[PM, 0, 0].argmax() == 0
    assert dense[PM, 1, 0].argmax() == 1
    # Turned by 90 degrees anticlockwise, a north wind is a west wind.
    assert dense[PM, 0, 2].argmax() == 3
    assert dense[PM, 0, 0, 2] < 1e-3 * dense[PM, 0, 0, 0]
    # Twice the speed: half the concentration but for the shorter time to decay.
    assert dense[PM, 0, 1, 0] == pytest.approx(dense[PM, 0, 0, 0] / 2, rel=0.05)
    assert dense[NOX, 0, 0, 0] == pytest.approx(
        dense[PM, 0, 0, 0] * np.exp(-20 / 10.8 * (1 / 10 - 1 / 72)), rel=1e-3
    )
    aged = near_field(sources, CITY, DAYS, members, weather, settings_with(), ageing=Ageing.PARTICLES)
    assert aged.dense(0)[NOX, 0, 0, 0] < 0.2 * dense[NOX, 0, 0, 0]


def test_a_city_is_no_point_for_a_plume() -> None:
    """A source 1 km upwind rules the centre, not the mean of the city; one 30 km off is felt alike."""
    weather = dataset_of(HOURS, 0.0, -3.0, lat=LAT, lon=LON)
    sources = [(120.1, 30.1 + km_north(1)), (120.1, 30.1 + km_north(30))]
    point, spread = settings_with(), settings_with()
    wide = spread.plume.model_copy(update={"receptor_spread_km": marked(8.0)})
    spread = spread.model_copy(update={"plume": wide})
    at_point, over_city = (
        near_field(sources, CITY, DAYS[:1], (Member(0.0, 1.0),), weather, settings).dense(0)[PM, 0, 0]
        for settings in (point, spread)
    )
    assert over_city[0] < at_point[0] / 5
    assert over_city[1] == pytest.approx(at_point[1], rel=0.6)
    assert over_city.argmax() == 0


def test_blend_takes_the_plume_near_and_the_footprint_far() -> None:
    settings = settings_with(rotations_deg=(0.0, 15.0), speed_ratios=(1.0,))
    weather = dataset_of(HOURS, 0.0, -2.0, lat=LAT, lon=LON)
    way = back_trajectories(weather, CITY, arrivals_of(*DAYS, settings), 72, settings)
    ground = footprint(way, settings)
    lon, lat = np.full(3, 120.1), 30.1 + np.array([km_north(8), km_north(32.5), km_north(90)])
    near = near_field(np.column_stack([lon, lat]), CITY, DAYS, way.members, weather, settings)
    value, far = blended_per_km2(ground, near, 0, lon, lat), ground.per_km2_at(0, lon, lat)
    assert value.shape == far.shape
    assert np.array_equal(value[..., 2], far[..., 2])
    assert ground.strength_sm is not None
    as_weight = near.dense(0) * 1e6 / ground.strength_sm[:, 0, ..., None]
    assert np.allclose(value[..., 0], as_weight[..., 0])
    assert np.allclose(value[..., 1], (as_weight + far)[..., 1] / 2, rtol=1e-3)
    # Both speak of the same thing in the same unit: straight upwind they are of one order.
    ratio = as_weight[PM, 0, 0, 1] / far[PM, 0, 0, 1]
    assert 0.2 < ratio < 10


def test_fields_that_do_not_belong_together_are_refused() -> None:
    settings = settings_with(rotations_deg=(0.0,), speed_ratios=(1.0,))
    weather = dataset_of(HOURS, 0.0, -2.0, lat=LAT, lon=LON)
    way = back_trajectories(weather, CITY, arrivals_of(*DAYS, settings), 72, settings)
    near = near_field([(120.1, 30.3)], CITY, DAYS[:1], way.members, weather, settings)
    with pytest.raises(InputError, match="differ in receptors, days or members"):
        blended_per_km2(footprint(way, settings), near, 0, [120.1], [30.3])
    with pytest.raises(InputError, match="off the weather grid"):
        near_field([(100.0, 30.3)], {"x": (100.0, 30.0)}, DAYS, way.members, weather, settings)
