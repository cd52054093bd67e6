"""What the rules look at: one pollutant's values, those of its neighbours, and what these lead to expect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.quality.neighbours import Neighbours, find_neighbours, refer
from yrd_airq.quality.settings import PollutantThresholds, QualitySettings
from yrd_airq.quality.windows import Values, middle_in_blocks
from yrd_airq.vocab import Pollutant


@dataclass(frozen=True)
class Evidence:
    """Values of one pollutant, shape (hour, station), and what is known beside them.

    ``received`` are the values as they came (float64), ``plausible`` those inside the physical range
    (float32, for speed); the others serve nobody as a neighbour.
    """

    pollutant: Pollutant
    received: NDArray[np.float64]
    plausible: NDArray[np.float32]
    neighbours: Neighbours
    settings: QualitySettings

    @property
    def thresholds(self) -> PollutantThresholds:
        """Thresholds of this pollutant."""
        return self.settings.pollutants[self.pollutant]

    @property
    def offset(self) -> np.float32:
        """Added to both sides of a ratio, so that the resolution of low values does not count."""
        return np.float32(self.thresholds.offset.value)

    @cached_property
    def reference(self) -> Values:
        """Median of the neighbours at the same hour, NaN where too few have a value."""
        return refer(self.plausible, self.neighbours, self.settings.neighbours)

    @cached_property
    def _ratio(self) -> Values:
        return np.log((self.plausible + self.offset) / (self.reference + self.offset))

    @cached_property
    def habit(self) -> Values:
        """The station's usual log ratio to its neighbours, from the same hour on the days around.

        Of the two middle ones of those days the one nearer to the ratio of the hour itself: after a fault of
        two days half of the days around are faulty, and a good value must not look wrong beside them.
        """
        ratio, far = self._ratio, 24 * int(self.settings.departure.day_offsets.value)
        beyond = np.full((far, ratio.shape[1]), np.nan, dtype=ratio.dtype)
        padded = np.concatenate([beyond, ratio, beyond])
        offsets = [hours for hours in range(0, 2 * far + 1, 24) if hours != far]
        lower, upper, number = middle_in_blocks(
            lambda block: [padded[block.start + k : block.stop + k] for k in offsets], ratio.shape
        )
        lower[number < 2] = np.nan
        return np.where(np.isnan(ratio), (lower + upper) / 2, np.clip(ratio, lower, upper))

    @cached_property
    def departure(self) -> Values:
        """Log ratio of the value to what neighbours and habit lead to expect; NaN where unknown."""
        return self._ratio - self.habit

    @cached_property
    def expected(self) -> Values:
        """What neighbours and habit lead to expect, µg/m³ (CO mg/m³); NaN where unknown."""
        return (self.reference + self.offset) * np.exp(self.habit) - self.offset

    @cached_property
    def likely(self) -> Values:
        """As ``expected``, or what the neighbours measured where the habit is not known."""
        return np.where(np.isnan(self.habit), self.reference, self.expected)


def gather_evidence(
    hourly: Mapping[Pollutant, pd.DataFrame], settings: QualitySettings, stations: pd.DataFrame | None
) -> dict[Pollutant, Evidence]:
    """Evidence of every pollutant given; frames of one shape share their neighbours."""
    found: dict[tuple[str, ...], Neighbours] = {}
    evidence = {}
    for name, frame in hourly.items():
        pollutant = Pollutant(name)
        codes = tuple(frame.columns.astype(str))
        if codes not in found:
            found[codes] = find_neighbours(frame.columns, stations, settings.neighbours)
        received = frame.to_numpy(dtype=np.float64)
        outside = (received <= 0) | (received > settings.pollutants[pollutant].maximum.value)
        plausible = np.where(outside, np.nan, received).astype(np.float32)
        evidence[pollutant] = Evidence(pollutant, received, plausible, found[codes], settings)
    return evidence
