"""Wind and mixing of the drill's air: mass and sign are kept, puffs move, transposes are exact."""

from __future__ import annotations

import numpy as np
import pytest

from tests.drill.made_air import small_grid
from yrd_airq.drill.layers import AIR_M
from yrd_airq.drill.transport_step import Fluxes, carry, carry_back, make_fluxes
from yrd_airq.drill.vertical import Column, mix, mix_back

GRID = small_grid(24, 18)
SHAPE = (len(AIR_M), *GRID.shape)
RNG = np.random.default_rng(4)


def swirl(speed: float = 6.0) -> tuple[np.ndarray, np.ndarray]:
    """Wind with divergence, faster aloft."""
    y, x = np.meshgrid(np.linspace(-1, 1, SHAPE[1]), np.linspace(-1, 1, SHAPE[2]), indexing="ij")
    grow = np.linspace(0.4, 2.5, SHAPE[0])[:, None, None]
    u = speed * grow * (0.5 - y + 0.4 * np.sin(3 * x))
    v = speed * grow * (x + 0.3 * np.cos(2 * y))
    return u.astype(np.float32), v.astype(np.float32)


def swollen(fluxes: Fluxes) -> np.ndarray:
    return np.stack([fluxes.air[k, 2 * n] / fluxes.air[k, 0] for k, n in enumerate(fluxes.substeps)])


def column(species: int, **changes: np.ndarray) -> Column:
    full = {
        "air": AIR_M,
        "exchange": np.full((SHAPE[0] - 1, *SHAPE[1:]), 0.02),
        "ground": np.zeros((species, *SHAPE[1:])),
        "soluble": np.zeros(species),
        "washout": np.zeros(SHAPE[1:]),
        "aloft": np.zeros(species),
        "swollen": np.ones(SHAPE),
    }
    return Column(**{name: np.asarray(value, dtype=np.float32) for name, value in (full | changes).items()})


def mass(state: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Mass of each species where the cells hold ``held`` of air."""
    return np.einsum("slji,lji->s", state.astype(np.float64), held.astype(np.float64))


def test_a_closed_world_keeps_its_mass_and_the_sign_of_a_puff() -> None:
    state = np.zeros((2, *SHAPE), dtype=np.float32)
    state[0, :, 8, 9] = 100.0
    state[1] = RNG.random(SHAPE) * (RNG.random(SHAPE) > 0.7)
    u, v = swirl()
    for wind in (u, v):
        wind[:, [0, -1]] = 0
        wind[:, :, [0, -1]] = 0
    left = np.zeros(2)
    for half in range(48):
        fluxes = make_fluxes(u, v, GRID, 1800.0, rows_first=half % 2 == 0)
        held = fluxes.air[:, 0] * AIR_M[:, None, None]
        if half == 0:
            start = mass(state, held)
        carry(state, fluxes, np.zeros((2, SHAPE[0], 4), dtype=np.float32))
        np.testing.assert_allclose(mass(state, held * swollen(fluxes)) + left, start, rtol=1e-6)
        mix(state, column(2, swollen=swollen(fluxes)), 900.0)
        risen = np.maximum(((swollen(fluxes) - 1) * held).sum(axis=0), 0)
        # What rises through the world's top is known; nothing comes down.
        left += (risen * state[:, -1]).sum(axis=(1, 2), dtype=np.float64)
        np.testing.assert_allclose(mass(state, held) + left, start, rtol=1e-6)
    assert left.min() > 0
    assert state.min() >= 0
    assert state[0].max() < 100


@pytest.mark.parametrize("rows_first", [True, False])
def test_a_uniform_mixing_ratio_stays_uniform_whatever_the_wind(rows_first: bool) -> None:
    state = np.full((1, *SHAPE), 7.0, dtype=np.float32)
    u, v = swirl()
    fluxes = make_fluxes(u, v, GRID, 1800.0, rows_first=rows_first)
    carry(state, fluxes, np.full((1, SHAPE[0], 4), 7.0, dtype=np.float32))
    mix(state, column(1, swollen=swollen(fluxes), aloft=np.array([7.0])), 900.0)
    assert fluxes.substeps.max() > fluxes.substeps.min()
    np.testing.assert_allclose(state, 7.0, rtol=3e-6)


def test_a_puff_goes_with_the_wind() -> None:
    state = np.zeros((1, *SHAPE), dtype=np.float32)
    y, x = np.meshgrid(np.arange(SHAPE[1]), np.arange(SHAPE[2]), indexing="ij")
    state[0] = np.exp(-0.5 * ((x - 7) ** 2 + (y - 6) ** 2) / 4)
    u, v = np.full(SHAPE, 4.0, dtype=np.float32), np.full(SHAPE, 3.0, dtype=np.float32)
    for half in range(12):
        fluxes = make_fluxes(u, v, GRID, 1800.0, rows_first=half % 2 == 0)
        carry(state, fluxes, np.zeros((1, SHAPE[0], 4), dtype=np.float32))
    at = state[0, 0] / state[0, 0].sum()
    width = 27.8 * np.cos(np.radians(GRID.lat[9]))
    assert (at * x).sum() - 7 == pytest.approx(4 * 21.6 / width, rel=0.02)
    assert (at * y).sum() - 6 == pytest.approx(3 * 21.6 / 27.8, rel=0.02)
    # A limited scheme of second order keeps most of a puff of two cells' width over some three cells.
    assert state.max() > 0.7


def test_mixing_evens_out_and_the_ground_takes_its_share() -> None:
    state = np.zeros((2, *SHAPE), dtype=np.float32)
    state[:, 0] = 10.0
    ground = np.zeros((2, *SHAPE[1:]))
    ground[1] = 0.005
    still = column(2, exchange=np.full((SHAPE[0] - 1, *SHAPE[1:]), 100.0), ground=ground)
    total = 10.0 * AIR_M[0]
    for _ in range(200):
        mix(state, still, 1800.0)
    np.testing.assert_allclose(state[0], total / AIR_M.sum(), rtol=1e-5)
    expected = total / AIR_M.sum() * (1 + 1800 * 0.005 / AIR_M.sum()) ** -200.0
    np.testing.assert_allclose(state[1], expected, rtol=0.02)


def test_rain_washes_out_the_soluble_only() -> None:
    state = np.ones((2, *SHAPE), dtype=np.float32)
    wet = column(2, soluble=np.array([1.0, 0.0]), washout=np.full(SHAPE[1:], 1e-4))
    mix(state, wet, 1800.0)
    np.testing.assert_allclose(state[0], 1 / 1.18, rtol=1e-6)
    np.testing.assert_allclose(state[1], 1.0, rtol=1e-6)


def test_the_transpose_of_the_wind_is_its_derivative() -> None:
    u, v = swirl()
    fluxes = make_fluxes(u, v, GRID, 1800.0, rows_first=False)
    edges = np.full((1, SHAPE[0], 4), 2.0, dtype=np.float32)
    y, x = np.meshgrid(np.arange(SHAPE[1]), np.arange(SHAPE[2]), indexing="ij")
    wave = 3 + np.sin(0.4 * x + 0.7) * np.cos(0.3 * y + 0.2)
    state = np.broadcast_to(wave, (1, *SHAPE)).astype(np.float32)
    to_state, turn = (smooth(phase) for phase in (0.3, 1.1))

    def after(step: float) -> float:
        moved = state + np.float32(step) * turn
        carry(moved, fluxes, edges)
        return float((moved.astype(float) * to_state).sum())

    back = to_state.copy()
    carry_back(state, back, fluxes, edges)
    assert (back * turn).sum() == pytest.approx((after(0.01) - after(-0.01)) / 0.02, rel=0.01)


def smooth(phase: float) -> np.ndarray:
    """A gentle field of both signs, (1, layer, ny, nx)."""
    at = np.arange(np.prod(SHAPE)).reshape(1, *SHAPE)
    return np.sin(0.05 * at + phase).astype(np.float32)


def test_the_transpose_of_mixing_is_its_derivative() -> None:
    fluxes = make_fluxes(*swirl(), GRID, 1800.0, rows_first=True)
    ground, turn_ground = (0.01 * RNG.random((1, *SHAPE[1:])).astype(np.float32) for _ in range(2))
    base = column(
        1, ground=ground, soluble=np.ones(1), washout=1e-4 * RNG.random(SHAPE[1:]), swollen=swollen(fluxes)
    )
    state, to_state, turn = (RNG.random((1, *SHAPE)).astype(np.float32) for _ in range(3))

    def after(step: float) -> tuple[float, np.ndarray]:
        moved = state + np.float32(step) * turn
        mix(moved, base._replace(ground=ground + np.float32(step) * turn_ground), 900.0)
        return float((moved.astype(float) * to_state).sum()), moved

    back, to_ground = to_state.copy(), np.zeros_like(ground)
    mix_back(back, to_ground, after(0.0)[1][:, 0], base, 900.0)
    slope = (after(0.1)[0] - after(-0.1)[0]) / 0.2
    assert (back * turn).sum() + (to_ground * turn_ground).sum() == pytest.approx(slope, rel=1e-4)
