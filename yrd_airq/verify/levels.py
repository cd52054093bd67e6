"""Hits of forecast AQI levels and first pollutants, as Chinese forecast evaluation counts them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class LevelHits:
    """How forecast levels met the observed ones; shares of ``n`` city-days, NaN when undefined.

    ``within + too_high + too_low = 1``. ``primary`` is the share of days with AQI above 50 on which one
    of the forecast first pollutants was one of the observed, ``primary_n`` the number of such days.
    """

    n: int
    within: float
    too_high: float
    too_low: float
    primary: float
    primary_n: int


def check_levels(
    lowest: ArrayLike,
    highest: ArrayLike,
    observed: ArrayLike,
    aqi: ArrayLike,
    forecast_primary: Sequence[Sequence[str]],
    observed_primary: Sequence[Sequence[str]],
) -> LevelHits:
    """Hits of forecast AQI levels (1 … 6, from ``lowest`` to ``highest``) and first pollutants.

    All arguments have one entry per city-day; ``observed`` is the observed level and ``aqi`` the observed
    AQI, NaN (or level 0) where missing. Definitions as in Chinese forecast evaluation: a level hit if the
    observed level lies within the forecast range; a first-pollutant hit if the two sets meet.
    """
    low, high, level, index = (np.asarray(x, dtype=float) for x in (lowest, highest, observed, aqi))
    seen = np.isfinite(low) & np.isfinite(high) & (level >= 1)
    n = int(seen.sum())
    dirty = seen & (index > 50)
    meet = np.array(
        [bool(set(a) & set(b)) for a, b in zip(forecast_primary, observed_primary, strict=True)], dtype=bool
    )
    return LevelHits(
        n=n,
        within=_share((low <= level) & (level <= high), seen),
        too_high=_share(low > level, seen),
        too_low=_share(high < level, seen),
        primary=_share(meet, dirty),
        primary_n=int(dirty.sum()),
    )


def _share(hit: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return float(hit[among].mean()) if among.any() else float("nan")
