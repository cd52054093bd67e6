"""How other units and reference states become those stored here: µg/m³, CO mg/m³, gases at 298.15 K."""

from __future__ import annotations

from typing import Literal

Unit = Literal["ugm3", "mgm3", "ppb", "ppm", "none"]

REFERENCE_K = 298.15
"""Reference temperature of gases, with 1013.25 hPa (GB 3095-2012, amendment of 2018, in force 2018-09-01)."""

MOLAR_VOLUME = 24.45
"""Litres a mole of gas fills at 298.15 K and 1013.25 hPa: µg/m³ = ppb · M / 24.45."""

MOLAR_MASS = {"so2": 64.06, "no2": 46.01, "co": 28.01, "o3": 48.00}
"""Grams a mole; the items that are gases."""

_PER_BASE = {"ugm3": 1.0, "ppb": 1.0, "mgm3": 1000.0, "ppm": 1000.0}


def gas_of(item: str) -> str | None:
    """The gas an item is about (``o3_8h`` → ``o3``), None for particles and indices."""
    return next((gas for gas in MOLAR_MASS if item == gas or item.startswith(f"{gas}_")), None)


def factor(item: str, unit: Unit, reference_k: float = REFERENCE_K) -> float:
    """What a value of ``item`` in ``unit`` is multiplied by to be as stored.

    A mass concentration of a gas given for ``reference_k`` (273.15 K in data from before 2018-09) is
    carried to 298.15 K; mixing ratios and particles do not depend on it. Raises ``ValueError`` for a
    mixing ratio of something that is no gas.
    """
    if unit == "none":
        return 1.0
    gas = gas_of(item)
    made = _PER_BASE[unit]
    if unit in ("ppb", "ppm"):
        if gas is None:
            raise ValueError(f"{item} is no gas and cannot be in {unit}")
        made *= MOLAR_MASS[gas] / MOLAR_VOLUME
    elif gas is not None:
        made *= reference_k / REFERENCE_K
    return made / 1000.0 if gas == "co" else made
