"""The lowest kilometres: mixing height, friction and turning with height, jet of the night, sea breeze."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, uniform_filter

from yrd_airq.drill.grid import Grid
from yrd_airq.drill.layers import AIR_M, CENTRES_M
from yrd_airq.drill.surface import Clock
from yrd_airq.drill.synoptic import CORIOLIS, TOP_M
from yrd_airq.drill.weather_settings import LayerSettings

Floats = NDArray[np.float32]
Winds = NDArray[np.complex64]

_HEAT_PER_M = 3600 / (1.2 * 1004)
_SUNSET_HOUR = 18.0
_JET_DECAY_H = 12.0
_JET_DEPTH_M = 800.0
# Entrainment at the top adds a fifth to the flux at the ground: 1 + 2 · 0.2 (Stull 1988, chapter 11).
_ENTRAINMENT = 1.4
# Drag passes from that of the sea to that of the land over this width, and the depth that feels it over so
# many cells: a sharper change would make a line of rising air along the coast, up to the world's top.
_SMOOTH_CELLS = 15
_FRICTION_WIDTH_KM = 90.0
# Share of the breeze in the three lowest layers.
_BREEZE = np.array([0.8, 1.0, 0.5])
# Wind at 10 m and in the lowest layer over that of the second layer: calm night, sunny day over land; sea.
_NIGHT, _DAY, _SEA = (0.40, 0.66), (0.64, 0.84), (0.80, 0.92)


def mixing_height(
    clock: Clock,
    step_hours: int,
    sun: Floats,
    wind: Winds,
    lift: Floats,
    cover: Floats,
    sea_warmer: Floats,
    rules: LayerSettings,
) -> Floats:
    """Height of the mixed layer, m, at steps of whole days; ``sun`` (W/m²) heats and so raises it.

    A layer grows with the square root of the heat it was given over the stability above (Stull 1988,
    eq. 11.2.2); sinking air steadies. By night and over the sea it hangs on the wind.
    """
    land = clock.grid.land.astype(np.float32)
    flux = np.maximum(rules.heating * sun - np.float32(25), 0)
    by_days = flux.reshape(-1, 24 // step_hours, *flux.shape[1:])
    heat = step_hours * _HEAT_PER_M * np.cumsum(by_days, axis=1).reshape(flux.shape)
    lapse = rules.lapse_k_m * np.exp(np.float32(rules.subsidence) * np.clip(-lift, -1.5, 2.5))
    convective = np.sqrt(2 * _ENTRAINMENT * heat / lapse)
    speed = np.abs(wind)
    stirred = rules.night_floor_m + rules.night_wind_s * speed * (np.float32(0.75) + np.float32(0.5) * cover)
    by_day = np.clip(clock.sine_of_sun() / np.float32(0.45), 0, 1)
    over_land = stirred + by_day * np.maximum(convective - stirred, 0)
    over_sea = rules.sea_floor_m + rules.sea_wind_s * speed + np.float32(45) * np.clip(sea_warmer, -4, 15)
    return np.clip(land * over_land + (1 - land) * np.maximum(over_sea, 80), 40, 2800)


def layer_winds(
    clock: Clock,
    low: Winds,
    high: Winds,
    height: Floats,
    cover: Floats,
    contrast: Floats,
    rules: LayerSettings,
) -> tuple[Floats, Floats, Floats, Floats]:
    """East and north wind at 10 m (time, lat, lon), then in the layers (time, layer, lat, lon), m/s.

    ``low, high`` are the geostrophic winds (u + i v) near the ground and at TOP_M, ``height`` the mixing
    height, ``contrast`` by how much the land's climate is warmer than the sea's (K). Above the mixing
    height the wind is geostrophic and so without divergence; in it friction slows and turns it.
    """
    layers = (len(low), len(CENTRES_M), *clock.grid.shape)
    u10, v10 = np.empty(low.shape, dtype=np.float32), np.empty(low.shape, dtype=np.float32)
    out = (u10, v10, np.empty(layers, dtype=np.float32), np.empty(layers, dtype=np.float32))
    breeze = _sea_breeze(clock, low, cover, contrast, rules)
    _fill_winds(
        out,
        low,
        high,
        np.broadcast_to(_night_jet(clock, rules), low.shape),
        # What blows in below flows back above, so that the breeze moves no air through the world's top.
        breeze,
        np.array([*_BREEZE, -(_BREEZE * AIR_M[:3]).sum() / AIR_M[3], 0.0], dtype=np.float32),
        uniform_filter(height, size=(1, _SMOOTH_CELLS, _SMOOTH_CELLS), mode="nearest"),
        _smoothed_land(clock.grid, _FRICTION_WIDTH_KM),
        clock.grid.land.astype(np.float32),
        CENTRES_M.astype(np.float32),
        np.array(
            [
                [rules.land_friction, rules.sea_friction],
                np.radians([rules.land_turning_deg, rules.sea_turning_deg]),
            ],
            dtype=np.float32,
        ),
    )
    return out


@numba.njit(cache=True, error_model="numpy")
def _fill_winds(  # type: ignore[no-untyped-def]
    out, low, high, jet, breeze, share, height, soft_land, land, centres, friction
):
    """Geostrophic wind times a complex factor: friction in the mixed layer, the jet of the night above."""
    u10, v10, u, v = out
    steps, ny, nx = low.shape
    one = np.float32(1)
    for t in range(steps):
        for j in range(ny):
            for i in range(nx):
                h, coast, sea = height[t, j, i], soft_land[j, i], one - soft_land[j, i]
                drag = friction[0, 0] * coast + friction[0, 1] * sea
                turn = friction[1, 0] * coast + friction[1, 1] * sea
                for k in range(len(centres) - 1, 0, -1):
                    z = centres[k]
                    mixed = one / (one + np.exp((z - h) / (np.float32(0.2) * h + np.float32(40))))
                    depth = min(z / h, one)
                    slowed = one - drag * (one - np.float32(0.35) * depth)
                    angle = turn * (one - depth)
                    within = slowed * complex(np.cos(angle), np.sin(angle))
                    above = one + jet[t, j, i] * coast * np.exp(-((z / np.float32(_JET_DEPTH_M)) ** 2))
                    free = low[t, j, i] + z / np.float32(TOP_M) * (high[t, j, i] - low[t, j, i])
                    wind = free * (mixed * within + (one - mixed) * above)
                    blow = wind + share[k] * breeze[t, j, i]
                    u[t, k, j, i], v[t, k, j, i] = blow.real, blow.imag
                # The last one was the second layer: calm nights come loose from it.
                stirred = min(max((h - np.float32(120)) / np.float32(700), np.float32(0)), one)
                dry, wet = land[j, i], one - land[j, i]
                ten = dry * (_NIGHT[0] + (_DAY[0] - _NIGHT[0]) * stirred) + wet * _SEA[0]
                lowest = dry * (_NIGHT[1] + (_DAY[1] - _NIGHT[1]) * stirred) + wet * _SEA[1]
                blow = wind * lowest + share[0] * breeze[t, j, i]
                u[t, 0, j, i], v[t, 0, j, i] = blow.real, blow.imag
                blow = wind * ten + np.float32(0.7) * breeze[t, j, i]
                u10[t, j, i], v10[t, j, i] = blow.real, blow.imag


def _night_jet(clock: Clock, rules: LayerSettings) -> Winds:
    """Deficit of the day's wind, (time, 1, lon): free of friction at sunset it turns (Blackadar 1957)."""
    since = (clock.solar_hour - np.float32(_SUNSET_HOUR)) % 24
    angle = np.float32(np.radians(0.6 * rules.land_turning_deg))
    slowed = np.float32(1 - 0.8 * rules.land_friction)
    deficit = slowed * (np.cos(angle) + 1j * np.sin(angle)) - 1
    turning = np.exp(-since / np.float32(_JET_DECAY_H) - 1j * np.float32(3600 * CORIOLIS) * since)
    return (deficit * turning).astype(np.complex64)


def _sea_breeze(clock: Clock, wind: Winds, cover: Floats, contrast: Floats, rules: LayerSettings) -> Winds:
    """Breeze across the coast, onto land by day and weaker off it at night, in sun and light winds."""
    land = _smoothed_land(clock.grid, rules.breeze_width_km)
    width, height = clock.grid.cell_km
    slope = np.gradient(land, axis=1) / width + 1j * np.gradient(land, axis=0) / height
    # 1 where the coast is straight.
    across = (slope * rules.breeze_width_km * np.sqrt(2 * np.pi)).astype(np.complex64)
    turn = np.float32(np.pi / 12) * (clock.solar_hour - 15)
    course = np.cos(turn)
    course = np.where(course > 0, course, np.float32(0.35) * course)
    clear = 1 - np.float32(0.8) * uniform_filter(cover, size=(1, 5, 5), mode="nearest")
    calm = 1 / (1 + (np.abs(wind) / 9) ** 2)
    strength = rules.breeze_ms * np.clip((contrast + 6) / 10, 0.2, 1.2)
    # The earth's rotation turns the breeze clockwise through the day.
    veer = np.exp(-0.2j * np.clip(clock.solar_hour - 14, -4, 6)).astype(np.complex64)
    return (strength * course * clear * calm) * across * veer


def _smoothed_land(grid: Grid, width_km: float) -> Floats:
    columns = width_km / float(grid.cell_km[0].mean())
    rows = width_km / grid.cell_km[1]
    return gaussian_filter(grid.land, sigma=(rows, columns), mode="nearest").astype(np.float32)
