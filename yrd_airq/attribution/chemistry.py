"""Shape of ``configs/ozone.yaml``: the photochemical box, base points, indicators of regime, reactivities."""

from __future__ import annotations

from datetime import date
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from yrd_airq.attribution.settings import Regime
from yrd_airq.settings import Marked, Settings

Indicator = Literal["voc_nox_ratio", "hcho_no2_ratio", "o3_no2_slope"]


class Rate(Marked):
    """A rate constant ``value`` · exp(``exponent_k`` / T), in 1/(ppm min)."""

    exponent_k: float = 0.0

    def at(self, temperature_k: float) -> float:
        """The constant at a temperature, 1/(ppb min)."""
        return float(self.value * np.exp(self.exponent_k / temperature_k) / 1000)


class RadicalRate(Settings):
    """Birth of radicals as a part of the photolysis of NO2, per ppb radicals and ppbC.

    ``reactivity`` · exp(−``activation_k`` · (1/T − ``reference_per_k``)).
    """

    reactivity: Marked
    activation_k: Marked
    reference_per_k: Marked

    def at(self, temperature_k: float) -> float:
        """The part at a temperature."""
        cold = 1 / temperature_k - self.reference_per_k.value
        return float(self.reactivity.value * np.exp(-self.activation_k.value * cold))


class PhotolysisBranch(Settings):
    """Photolysis of NO2 up to a zenith angle Z: (constant + secant/cos Z + versine·(1 − cos Z)) · flux.

    1/min for a short-wave flux at the ground in W/m².
    """

    to_zenith_deg: float
    constant: float = 0.0
    secant: float = 0.0
    versine: float = 0.0


class Mechanism(Settings):
    """Generic Reaction Set: rates of reactions 1, 2 and 4 … 7, and the photolysis of NO2 (reaction 3)."""

    radicals: RadicalRate
    no_by_radical: Rate
    no_by_ozone: Rate
    radical_loss: Rate
    no2_to_gas: Rate
    no2_to_particles: Rate
    photolysis: tuple[PhotolysisBranch, ...]
    clear_flux_wm2: Marked
    source: str

    def rates(self, temperature_k: float) -> tuple[float, ...]:
        """k1 as a part of the photolysis, then k2, k4, k5, k6, k7 in 1/(ppb min)."""
        second = (
            self.no_by_radical,
            self.no_by_ozone,
            self.radical_loss,
            self.no2_to_gas,
            self.no2_to_particles,
        )
        return (self.radicals.at(temperature_k), *(rate.at(temperature_k) for rate in second))


class BoxDay(Settings):
    """The day that a box stands in; hours are local solar time, heights in m.

    The layer grows from ``morning_m`` to ``top_m`` between ``grow_from`` and ``grow_until`` and then
    keeps its height. ``emission_per_hour``: part of the column of the first hour released each hour.
    Aloft lies what a growing layer takes in; ``voc_aloft_ppbc`` is also in the box from the first hour
    and stands for the VOC that no order reaches (of plants, aged).
    """

    latitude: float
    day_of_year: int = Field(ge=1, le=366)
    temperature_k: Marked
    transmission: Marked
    start_hour: float
    end_hour: float
    morning_m: Marked
    top_m: Marked
    grow_from: float
    grow_until: float
    emission_per_hour: Marked
    no2_part_released: Marked
    no2_part_morning: Marked
    ozone_morning_ppb: Marked
    ozone_aloft_ppb: Marked
    nox_aloft_ppb: Marked
    voc_aloft_ppbc: Marked
    ozone_deposition_cms: Marked

    @model_validator(mode="after")
    def _long_enough(self) -> BoxDay:
        if self.end_hour - self.start_hour < 9 or self.end_hour > 24:
            raise ValueError("the box must run for at least 9 hours of one day, to have eight-hour means")
        if not self.start_hour < self.grow_until <= self.end_hour or self.grow_from >= self.grow_until:
            raise ValueError("the layer must grow within the hours of the box")
        return self


class SurfaceSettings(Settings):
    """Where a city stands in the isopleths, and the grid of cuts.

    ``position``: morning VOC/NOx over that of the ridge, by regime. ``voc_ppbc``: morning VOC of the
    base point. ``responding_part``: part of the box's response that a city's ozone shows; the rest is
    ozone that was not made that day of what the cuts reach. ``cuts``: from 0 to 1.
    """

    voc_ppbc: Marked
    position: dict[Regime, Marked]
    responding_part: Marked
    cuts: tuple[float, ...]
    ridge_ratio: Marked
    tolerance: float = Field(gt=0, le=0.01)

    @model_validator(mode="after")
    def _complete(self) -> SurfaceSettings:
        if set(self.position) != {"voc_limited", "transition", "nox_limited"}:
            raise ValueError("position must name voc_limited, transition and nox_limited")
        if (
            len(self.cuts) < 2
            or self.cuts[0] != 0
            or self.cuts[-1] != 1
            or sorted(set(self.cuts)) != list(self.cuts)
        ):
            raise ValueError("cuts must rise from 0 to 1")
        return self


class RemovalAnchor(Settings):
    """A published model study: what removing a sector's VOC and NOx did to MDA8, in µg/m³."""

    name_zh: str
    voc_cut: Marked
    nox_cut: Marked
    change_ugm3: Marked


class AnchorCase(Settings):
    """The case on which the transition's base point is calibrated; ``mda8_ugm3`` as observed."""

    mda8_ugm3: Marked
    removals: tuple[RemovalAnchor, RemovalAnchor]


class Threshold(Settings):
    """An indicator below ``voc_limited_below`` means VOC-limited, above ``nox_limited_above`` NOx-limited."""

    name_zh: str
    voc_limited_below: Marked
    nox_limited_above: Marked


class ObservedIndicator(Settings):
    """One measured indicator of a city's ozone regime; without a date it holds for all days."""

    adcode: str
    indicator: Indicator
    value: float
    source_zh: str
    day: date | None = None


class OzoneChemistry(Settings):
    """Settings of ozone's response: ``configs/ozone.yaml``.

    ``indicators`` in the order of trust, ``observed`` what was measured of them. ``reactivity``: ozone
    formed per mass of VOC over the region's mean, by sector; sectors not named have ``other_sectors``.
    """

    mechanism: Mechanism
    day: BoxDay
    surface: SurfaceSettings
    anchor: AnchorCase
    indicators: dict[Indicator, Threshold]
    reactivity: dict[str, Marked]
    other_sectors: Marked
    slope_least_correlation: Marked
    observed: tuple[ObservedIndicator, ...] = ()

    @property
    def observed_table(self) -> pd.DataFrame:
        """The measured indicators: adcode, date (blank: every day), indicator, value, source_zh."""
        rows = [(row.adcode, row.day, row.indicator, row.value, row.source_zh) for row in self.observed]
        return pd.DataFrame(rows, columns=["adcode", "date", "indicator", "value", "source_zh"])

    @model_validator(mode="after")
    def _positive(self) -> OzoneChemistry:
        if min(mark.value for mark in (*self.reactivity.values(), self.other_sectors)) <= 0:
            raise ValueError("reactivities must be positive")
        return self
