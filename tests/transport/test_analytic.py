"""Trajectories against flows whose ways are known: closed forms, a reference integrator, time reversed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import numba
import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad, solve_ivp

from tests.transport.make import settings_with, unscaled, with_levels
from tests.weather.make import by_time, dataset_of
from yrd_airq.errors import InputError
from yrd_airq.transport.kernel import METRES_PER_DEGREE
from yrd_airq.transport.settings import TransportSettings
from yrd_airq.transport.trajectory import Member, arrivals_of, back_trajectories, members_of, trace
from yrd_airq.transport.winds import lattice_of, perturb, pressure_at, wind_field

LAT, LON = np.arange(20.0, 42.1, 0.5), np.arange(108.0, 132.1, 0.5)
HOURS = pd.date_range("2016-09-01", periods=97, freq="h")
ARRIVAL = pd.DatetimeIndex(["2016-09-05 00:00"])
PLACE = {"330100": (120.0, 30.0)}
LEVELS = np.array([700.0, 850.0, 925.0, 1000.0])


def way_back(
    u: object, v: object, settings: TransportSettings, hours: int = 48
) -> tuple[np.ndarray, np.ndarray]:
    weather = dataset_of(HOURS, u, v, lat=LAT, lon=LON)
    way = back_trajectories(weather, PLACE, ARRIVAL, hours, settings)
    return way.lon[0, 0, 0], way.lat[0, 0, 0]


@pytest.mark.parametrize("scheme", ["rk4", "petterssen"])
def test_solid_rotation_returns_within_half_a_percent_of_its_radius(scheme: str) -> None:
    """Rotation of the sphere about 120E 31N, once in 48 h, from 2.7 degrees north of the centre."""
    lon, lat = np.meshgrid(np.radians(LON), np.radians(LAT))
    centre = np.radians(31.0)
    speed = 2 * np.pi / (48 * 3600) * METRES_PER_DEGREE * 180 / np.pi
    east = lon - np.radians(120.0)
    u = speed * (np.sin(centre) * np.cos(lat) - np.cos(centre) * np.sin(lat) * np.cos(east))
    v = speed * np.cos(centre) * np.sin(east)
    weather = dataset_of(HOURS, u, v, lat=LAT, lon=LON)
    way = back_trajectories(weather, {"x": (120.0, 33.7)}, ARRIVAL, 48, unscaled(scheme=scheme))
    x, y = way.lon[0, 0, 0], way.lat[0, 0, 0]
    assert np.ptp(y) > 5
    miss = np.hypot((x[-1] - 120.0) * np.cos(centre), y[-1] - 33.7)
    assert miss < 0.005 * 2.7


@pytest.mark.parametrize("v", [0.0, -3.0])
def test_sheared_flow_is_exact(v: float) -> None:
    """u linear in latitude: its way by quadrature, φ(t) = 30° − v t on the way back."""
    per_degree = 0.5
    lon, lat = way_back((5 + per_degree * (LAT - 30))[None, :, None], v, unscaled())

    def zonal(t: float) -> float:
        phi = 30 - v * t / METRES_PER_DEGREE
        return (5 + per_degree * (phi - 30)) / (METRES_PER_DEGREE * np.cos(np.radians(phi)))

    moved, _ = quad(zonal, 0, 48 * 3600, epsabs=1e-12)
    assert lon[-1] == pytest.approx(120 - moved, abs=1e-6)
    assert lat[-1] == pytest.approx(30 - v * 48 * 3600 / METRES_PER_DEGREE, abs=1e-9)


def unsteady(t_h: np.ndarray | float, lon: np.ndarray | float, lat: np.ndarray | float) -> tuple:
    """A wind bilinear in space and linear in time, so that the grid holds it without error."""
    x, y = np.asarray(lon) - 120, np.asarray(lat) - 30
    return (1 + t_h / 40) * (1.5 - 0.8 * y + 0.05 * x * y), (2 - t_h / 60) * (1 + 0.7 * x) - 1.5


def reference(hours: float, scale: float = 1.0) -> np.ndarray:
    """Place ``hours`` before 96 h by an adaptive integrator of order 8."""

    def rate(back_s: float, place: np.ndarray) -> list[float]:
        u, v = unsteady(96 - back_s / 3600, *place)
        zonal = -scale * u / (METRES_PER_DEGREE * np.cos(np.radians(place[1])))
        return [zonal, -scale * v / METRES_PER_DEGREE]

    return solve_ivp(rate, (0, hours * 3600), [120.0, 30.0], method="DOP853", rtol=1e-12, atol=1e-13).y[:, -1]


def test_unsteady_flow_agrees_with_a_reference_integrator() -> None:
    t, lat, lon = np.meshgrid(np.arange(97.0), LAT, LON, indexing="ij")
    lon_end, lat_end = way_back(*unsteady(t, lon, lat), unscaled())
    expected = reference(48)
    assert np.abs(expected - [120, 30]).max() > 1
    assert np.allclose([lon_end[-1], lat_end[-1]], expected, atol=1e-8)


def test_order_of_the_schemes() -> None:
    """Halving the step divides the error by 16 with Runge-Kutta and by 4 with Petterssen."""
    t, lat, lon = np.meshgrid(np.arange(97.0), LAT, LON, indexing="ij")
    wind = [3 * part for part in unsteady(t, lon, lat)]
    expected = reference(24, scale=3)
    for scheme, order in (("rk4", 4), ("petterssen", 2)):
        miss = []
        for minutes in (60, 30):
            settings = unscaled(scheme=scheme, step_minutes=minutes)
            x, y = way_back(*wind, settings, hours=24)
            miss.append(np.hypot(x[-1] - expected[0], y[-1] - expected[1]))
        assert np.log2(miss[0] / miss[1]) == pytest.approx(order, abs=0.5)


def test_time_reversed_closes() -> None:
    t, lat, lon = np.meshgrid(np.arange(97.0), LAT, LON, indexing="ij")
    field = wind_field(dataset_of(HOURS, *unsteady(t, lon, lat), lat=LAT, lon=LON), unscaled())
    start, zero, one = np.full(3, float(HOURS[-1].value // 10**9)), np.zeros(3), np.ones(3)
    lon0, lat0 = np.array([119.0, 120, 121]), np.array([30.0, 29, 31])
    x, y = trace(field, lon0, lat0, start, zero, one, 192, -900.0)
    back = trace(field, x[:, -1], y[:, -1], start - 172_800, zero, one, 192, 900.0)
    assert np.allclose(back[0][:, -1], lon0, atol=1e-9)
    assert np.allclose(back[1][:, -1], lat0, atol=1e-9)


@pytest.mark.parametrize("omega", [0.05, -0.02])
def test_constant_omega_raises_or_sinks_the_air(omega: float) -> None:
    """Back in time, air that sinks (omega > 0) comes from above: p0 − ω t; u is linear in pressure."""
    u = (0.02 * (LEVELS - 800))[None, :, None, None]
    weather = with_levels(dataset_of(HOURS, 9.0, 9.0, lat=LAT, lon=LON), LEVELS, u, 0.0, omega)
    way = back_trajectories(weather, PLACE, ARRIVAL, 24, unscaled(reference_height_m=900.0))
    assert way.height_m is not None
    start = float(pressure_at(900.0, 1013.25, 288.15))
    assert way.height_m[0, 0, 0, 0] == pytest.approx(900.0)
    end = start - omega * 86_400 / 100
    assert way.height_m[0, 0, 0, -1] == pytest.approx(29.27 * 288.15 * np.log(1013.25 / end), abs=1e-6)
    metres = 0.02 * ((start + end) / 2 - 800) * 86_400
    expected = 120 - metres / (METRES_PER_DEGREE * np.cos(np.radians(30)))
    assert way.lon[0, 0, 0, -1] == pytest.approx(expected, abs=1e-6)
    flat = back_trajectories(weather, PLACE, ARRIVAL, 24, unscaled(dimensions="2d"))
    assert flat.height_m is None


def test_air_is_lost_above_the_top_and_kept_above_the_ground() -> None:
    still = dataset_of(HOURS, 1.0, 0.0, lat=LAT, lon=LON)
    sinking = back_trajectories(with_levels(still, LEVELS, 1.0, 0.0, 1.0), PLACE, ARRIVAL, 24, unscaled())
    assert np.isnan(sinking.lon[0, 0, 0, -1])
    rising = back_trajectories(with_levels(still, LEVELS, 1.0, 0.0, -1.0), PLACE, ARRIVAL, 24, unscaled())
    ground = 29.27 * 288.15 * np.log(1013.25 / 1000)
    assert rising.height_m is not None
    assert rising.height_m[0, 0, 0, -1] == pytest.approx(ground, abs=1e-6)


def test_no_vertical_motion_is_the_flow_of_its_level() -> None:
    t, lat, lon = np.meshgrid(np.arange(97.0), LAT, LON, indexing="ij")
    u, v = unsteady(t, lon, lat)
    weather = dataset_of(HOURS, u, v, lat=LAT, lon=LON)
    deep = with_levels(weather, LEVELS, u[:, None], v[:, None], 0.0)
    one = back_trajectories(weather, PLACE, ARRIVAL, 48, unscaled())
    two = back_trajectories(deep, PLACE, ARRIVAL, 48, unscaled())
    assert np.allclose(one.lon, two.lon, atol=1e-9)
    assert np.allclose(one.lat, two.lat, atol=1e-9)


def test_layer_wind_is_the_mean_of_the_levels_within_it() -> None:
    """Depth 1000 m: of the heights 111, 768, 1482 and 3119 m two levels lie within."""
    u = np.array([40.0, 30, 6, 2])[None, :, None, None]
    weather = with_levels(dataset_of(HOURS, 1.0, 0.0, lat=LAT, lon=LON), LEVELS, u, 0.0)
    weather["blh_m"] = weather["u10_ms"] * 0 + 1000.0
    settings = unscaled()
    assert np.allclose(wind_field(weather, settings).fields[..., 0], 4.0)
    weather["blh_m"] = weather["blh_m"] * 0 + 50.0
    assert np.allclose(wind_field(weather, settings).fields[..., 0], 1.0)
    bare = weather.drop_vars(["u10_ms", "v10_ms"])
    assert np.allclose(wind_field(bare, settings).fields[..., 0], 2.0)


def test_members_at_heights_take_the_level_or_the_power_law() -> None:
    settings = unscaled(heights_m=(100.0, 600.0), height_exponent=0.2, reference_height_m=300.0)
    assert members_of(settings) == (Member(0, 1), Member(0, 1, 100.0), Member(0, 1, 600.0))
    weather = dataset_of(HOURS, 0.0, 4.0, lat=LAT, lon=LON)
    way = back_trajectories(weather, PLACE, ARRIVAL, 12, settings)
    metres = (30.0 - way.lat[0, 0, :, -1]) * METRES_PER_DEGREE / 43_200
    assert np.allclose(metres, 4 * np.array([1, (1 / 3) ** 0.2, 2**0.2]), atol=1e-9)
    height = 29.27 * 288.15 * np.log(1013.25 / LEVELS)
    v = (height / 100)[None, :, None, None]
    weather = with_levels(weather, LEVELS, 0.0, v)
    way = back_trajectories(weather, PLACE, ARRIVAL, 3, settings)
    metres = (30.0 - way.lat[0, 0, :, -1]) * METRES_PER_DEGREE / 10_800
    assert np.allclose(metres[1:], [height[-1] / 100, 6.0], atol=1e-6)


def test_perturbed_winds_are_seeded_smooth_and_without_divergence() -> None:
    settings = settings_with().perturbation.model_copy(update={"members": 3})
    fine = dataset_of(HOURS, 0.0, 0.0, lat=np.arange(20, 42.1, 0.25), lon=np.arange(108, 132.1, 0.25))
    noise = perturb(lattice_of(fine), settings, 1)
    coarse = perturb(lattice_of(dataset_of(HOURS, 0.0, 0.0, lat=LAT, lon=LON)), settings, 1)
    assert np.allclose(noise[:, ::2, ::2], coarse, atol=1e-9)
    assert not np.allclose(
        coarse, perturb(lattice_of(dataset_of(HOURS, 0, 0, lat=LAT, lon=LON)), settings, 2)
    )
    sd = np.mean([perturb(lattice_of(fine), settings, k)[::12, ::4, ::4].std() for k in range(1, 13)])
    assert sd == pytest.approx(settings.sd_ms.value, rel=0.15)
    east = 0.25 * METRES_PER_DEGREE * np.cos(np.radians(30))
    divergence = np.gradient(noise[0, ..., 0], east, axis=1) + np.gradient(
        noise[0, ..., 1], 0.25 * METRES_PER_DEGREE, axis=0
    )
    strain = np.abs(np.gradient(noise[0, ..., 0], east, axis=1)).max()
    assert np.abs(divergence[2:-2, 2:-2]).max() < 0.02 * strain


def test_perturbed_members_scatter_about_the_central_way() -> None:
    settings = unscaled()
    settings = settings.model_copy(
        update={"perturbation": settings.perturbation.model_copy(update={"members": 3})}
    )
    weather = dataset_of(HOURS, 4.0, 1.0, lat=LAT, lon=LON)
    one, two = (back_trajectories(weather, PLACE, ARRIVAL, 48, settings) for _ in range(2))
    assert one.lon.tobytes() == two.lon.tobytes()
    assert one.lon.shape[2] == 4
    far = np.hypot(one.lon[0, 0, 1:, -1] - one.lon[0, 0, 0, -1], one.lat[0, 0, 1:, -1] - one.lat[0, 0, 0, -1])
    assert 0.05 < far.min() < far.max() < 4
    deep = with_levels(weather, LEVELS, 4.0, 1.0, 0.0)
    assert np.allclose(back_trajectories(deep, PLACE, ARRIVAL, 48, settings).lon, one.lon, atol=1e-9)


def test_number_of_threads_does_not_change_a_byte() -> None:
    t, lat, lon = np.meshgrid(np.arange(97.0), LAT, LON, indexing="ij")
    weather = dataset_of(HOURS, *unsteady(t, lon, lat), lat=LAT, lon=LON)
    arrivals = pd.date_range("2016-09-04 01:00", periods=24, freq="h")
    before = numba.get_num_threads()
    try:
        found = []
        for threads in (1, before):
            numba.set_num_threads(threads)
            found.append(back_trajectories(weather, PLACE, arrivals, 48, settings_with()).lon.tobytes())
    finally:
        numba.set_num_threads(before)
    assert found[0] == found[1]


def test_a_second_process_does_not_compile_again() -> None:
    way_back(1.0, 1.0, unscaled(), hours=1)
    code = (
        "import numpy as np\n"
        "from yrd_airq.transport import kernel as k\n"
        "one, zero = np.ones(1), np.zeros(1)\n"
        "at = k.Lattice(np.arange(2.0), 0.0, 0.0, 1.0, 1.0, 3, 3)\n"
        "p = k.Parcels(one, one, zero, zero, one, zero, zero.astype(np.int64))\n"
        "k.trace_parcels(np.zeros((1, 2, 3, 3, 2)), at, p, 1, -1.0, 0)\n"
        "assert not k.trace_parcels.stats.cache_misses, k.trace_parcels.stats\n"
        "assert k.trace_parcels.stats.cache_hits\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def blank(weather: object) -> object:
    weather["u10_ms"][5, 3, 3] = np.nan  # type: ignore[index]
    return weather


def doubled(weather: object) -> object:
    return weather.isel(time=np.r_[0:50, 49, 50:97])  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (blank, "winds are blank at 2016-09-01 05:00 and in 1 step"),
        (doubled, "rising order of time without doubles"),
        (lambda w: w.drop_vars(["u10_ms"]), r"need 10 m winds \(u10_ms, v10_ms\)"),
    ],
)
def test_broken_winds_are_refused(break_it: Callable[[object], object], message: str) -> None:
    weather = break_it(dataset_of(HOURS, 1.0, 1.0, lat=LAT, lon=LON))
    with pytest.raises(InputError, match=message):
        back_trajectories(weather, PLACE, ARRIVAL, 24, unscaled())  # type: ignore[arg-type]


def test_hourly_arrivals() -> None:
    found = arrivals_of(HOURS[0].date(), HOURS[0].date(), settings_with(), every_hours=1)
    assert len(found) == 24
    assert found[0] == pd.Timestamp("2016-09-01 01:00")


def test_weather_on_the_way_is_kept() -> None:
    weather = dataset_of(HOURS, 0.0, 0.0, lat=LAT, lon=LON)
    weather["blh_m"] = weather["u10_ms"] + by_time(np.arange(97.0))
    way = back_trajectories(weather, PLACE, ARRIVAL, 24, unscaled())
    assert way.mixing_m is not None
    assert np.allclose(way.mixing_m[0, 0, 0], np.linspace(96, 72, 97))
    assert way.rain_mmh is None
