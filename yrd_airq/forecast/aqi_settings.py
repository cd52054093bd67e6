"""Shape of ``configs/aqi_forecast.yaml``: how the AQI of a forecast day is derived and stated."""

from __future__ import annotations

from itertools import combinations
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from yrd_airq.settings import Marked, Settings, load
from yrd_airq.vocab import Target

DRAWN: Final = (Target.O3_MDA8, Target.PM25, Target.PM10, Target.NO2)
"""The targets whose errors are drawn jointly, in the order of every array with a target axis."""
_PAIRS: Final = {
    f"{a.info.pollutant}-{b.info.pollutant}": (DRAWN.index(a), DRAWN.index(b))
    for a, b in combinations(DRAWN, 2)
}


class HalfYears(Settings):
    """Correlations by pair of pollutants, October to March (``cold``) and April to September (``warm``)."""

    cold: dict[str, float]
    warm: dict[str, float]

    @field_validator("cold", "warm")
    @classmethod
    def _possible(cls, pairs: dict[str, float]) -> dict[str, float]:
        if set(pairs) != set(_PAIRS):
            raise ValueError(f"give the pairs {', '.join(_PAIRS)}")
        if np.linalg.eigvalsh(_matrix(pairs)).min() <= 0:
            raise ValueError("these correlations contradict each other; no joint distribution has them")
        return pairs


class Correlations(Settings):
    """Correlations of the errors with the weather of the target day known (``weather``) or not (``none``)."""

    source: str
    weather: HalfYears
    none: HalfYears

    def matrix(self, weather: bool, warm: bool) -> NDArray[np.float64]:
        """Correlation matrix of ``DRAWN``."""
        half = self.weather if weather else self.none
        return _matrix(half.warm if warm else half.cold)


class AqiForecastSettings(Settings):
    """Shape of ``configs/aqi_forecast.yaml``; ``widest`` has one entry for each level 1–6."""

    draws: int = Field(ge=100)
    seed: int
    correlation: Correlations
    range_share: Marked
    widest: Annotated[tuple[Marked, ...], Field(min_length=6, max_length=6)]
    second_from: Marked


def load_aqi_forecast() -> AqiForecastSettings:
    """The settings of ``configs/aqi_forecast.yaml``."""
    return load(AqiForecastSettings, "aqi_forecast")


def _matrix(pairs: dict[str, float]) -> NDArray[np.float64]:
    matrix = np.eye(len(DRAWN))
    for name, value in pairs.items():
        row, column = _PAIRS[name]
        matrix[row, column] = matrix[column, row] = value
    return matrix
