"""How fast species reach the ground: tabulated velocities behind the resistance of the air."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from yrd_airq.drill.air_settings import AirSettings
from yrd_airq.drill.state import CARRIED, INDEX

Array = NDArray[np.floating[Any]]

_FINE = ("so4", "soa", "pm")
_BRIGHT_WM2 = 400.0


def velocities(sun: Array, land: Array, drag: Array, settings: AirSettings) -> dict[str, Array]:
    """Deposition velocities (ny, nx), m/s, by the names of the settings.

    ``sun``: W/m²; ``land``: share of the cell; ``drag``: resistance of the air below the middle of the
    lowest layer, s/m. Plants open with the light.
    """
    light = np.minimum(sun / _BRIGHT_WM2, 1)
    found = {}
    for name in settings.deposition.__class__.model_fields:
        value = getattr(settings.deposition, name)
        if isinstance(value, tuple):
            day, night, sea = (np.float32(v / 100) for v in value)
            surface = land * (night + (day - night) * light) + (1 - land) * sea
            found[name] = surface / (1 + drag * surface)
    return found


def by_species(named: dict[str, Array], gas_nitrate: Array, gas_ammonia: Array) -> Array:
    """Velocities of the carried species (species, ny, nx); the gas's parts of nitrate and ammonia are 0–1."""
    out = np.zeros((len(CARRIED), *gas_nitrate.shape), dtype=gas_nitrate.dtype)
    for name in CARRIED:
        if name in named:
            out[INDEX[name]] = named[name]
    for name in _FINE:
        out[INDEX[name]] = named["fine"]
    out[INDEX["tno3"]] = named["fine"] + gas_nitrate * (named["hno3"] - named["fine"])
    out[INDEX["nhx"]] = named["fine"] + gas_ammonia * (named["nh3"] - named["fine"])
    return out
