"""The layers of the drill's air: five, following the ground, with the pressure and air that each holds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TOPS_M: tuple[float, ...] = (60.0, 200.0, 600.0, 1400.0, 3000.0)
"""Tops of the layers above the ground, m; the lowest stands on it."""

LAYERS = len(TOPS_M)
GROUND_PA, REFERENCE_DENSITY = 101325.0, 1.1839
"""Pressure at the ground; density of dry air at 298.15 K and 1013.25 hPa, kg/m³, to which µg/m³ refer."""

_SCALE_HEIGHT_M = 8430.0
_GROUND_DENSITY = 1.1950

DEPTH_M: NDArray[np.float64] = np.diff((0.0, *TOPS_M))
"""Depths of the layers, m."""

CENTRES_M: NDArray[np.float64] = np.asarray(TOPS_M) - DEPTH_M / 2
"""Heights of the layers' centres, m."""

PRESSURE_PA: NDArray[np.float64] = GROUND_PA * np.exp(-CENTRES_M / _SCALE_HEIGHT_M)
"""Pressure at the centres, Pa."""

AIR_M: NDArray[np.float64] = (
    DEPTH_M * _GROUND_DENSITY / REFERENCE_DENSITY * np.exp(-CENTRES_M / (1.12 * _SCALE_HEIGHT_M))
)
"""Air in the layers, as metres of air of the reference density: what µg/m² are divided by to give µg/m³."""
