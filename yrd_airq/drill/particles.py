"""What the drill's particles are made of: nitrate and ammonium between gas and particles, sums by size.

Ammonium nitrate follows its dissociation constant over dry and over wet particles (Mozurkewich 1993,
Atmos. Environ. 27A, 261), what ammonia the sulphate leaves and total nitrate being given.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from yrd_airq.drill.state import INDEX, ugm3_per_ppb

Array = NDArray[np.floating[Any]]

_AMMONIUM_UGM3, _SULPHATE_UGM3, _NITRATE_UGM3 = (
    ugm3_per_ppb("nhx") * 18.04 / 17.03,
    ugm3_per_ppb("so4"),
    ugm3_per_ppb("tno3"),
)


def dissociation(temperature: Array, humidity: Array) -> Array:
    """Product of nitric acid and ammonia over ammonium nitrate, ppb², at K and a humidity (0–1)."""
    t = temperature.astype(np.float64)
    dry = np.exp(118.87 - 24084 / t - 6.025 * np.log(t))
    deliquescence = np.exp(723.7 / t + 1.6954) / 100
    lack = 1 - np.clip(humidity, 0, 0.98)
    p1 = np.exp(-135.94 + 8763 / t + 19.12 * np.log(t))
    p2 = np.exp(-122.65 + 9969 / t + 16.22 * np.log(t))
    p3 = np.exp(-182.61 + 13875 / t + 24.46 * np.log(t))
    wet = (p1 - p2 * lack + p3 * lack**2) * lack**1.75 * dry
    return np.where(humidity < deliquescence, dry, np.minimum(wet, dry)).astype(temperature.dtype)


def nitrate(state: Array, product: Array) -> Array:
    """Particulate nitrate, ppb, of ``state`` (species, …) at a dissociation ``product`` (…), ppb²."""
    total = state[INDEX["tno3"]]
    free = np.maximum(state[INDEX["nhx"]] - 2 * state[INDEX["so4"]], 0)
    half = 0.5 * (total + free)
    root = np.sqrt(np.maximum(half**2 - total * free + product, 0))
    return np.clip(half - root, 0, np.minimum(total, free))


def ammonium(state: Array, particulate: Array) -> Array:
    """Ammonium, ppb: two to a sulphate as far as there is ammonia, one to a particulate nitrate."""
    return np.minimum(state[INDEX["nhx"]], 2 * state[INDEX["so4"]]) + particulate


def fine_mass(state: Array, particulate: Array) -> Array:
    """PM2.5, µg/m³: primary, sulphate, nitrate, ammonium and secondary organic."""
    return np.asarray(
        state[INDEX["pm"]]
        + state[INDEX["soa"]]
        + _SULPHATE_UGM3 * state[INDEX["so4"]]
        + _NITRATE_UGM3 * particulate
        + _AMMONIUM_UGM3 * ammonium(state, particulate)
    )


def gas_parts(state: Array, product: Array) -> tuple[Array, Array]:
    """Parts of nitrate and of ammonia, 0–1, that are gas."""
    particulate = nitrate(state, product)
    least = np.float32(1e-6)
    acid = 1 - particulate / np.maximum(state[INDEX["tno3"]], least)
    base = 1 - ammonium(state, particulate) / np.maximum(state[INDEX["nhx"]], least)
    return np.clip(acid, 0, 1), np.clip(base, 0, 1)


def bulk_mass(state: Array) -> Array:
    """Particles that take up gases, µg/m³: as PM2.5, with all nitrate that ammonia can hold."""
    return fine_mass(state, np.minimum(state[INDEX["tno3"]], state[INDEX["nhx"]]))
