"""Shape of ``configs/attribution.yaml``: emissions, composition, background, ozone regimes, names."""

from __future__ import annotations

from typing import Literal

import numpy as np
from pydantic import model_validator

from yrd_airq.settings import Marked, Settings
from yrd_airq.vocab import Precursor, Target

Regime = Literal["voc_limited", "transition", "nox_limited"]


class MarkedTable(Settings):
    """Several numbers of one origin; ``mark``, ``source`` and ``confidence`` as for ``Marked``."""

    values: dict[str, float]
    mark: Literal["found", "derived", "recalled"]
    source: str
    confidence: Literal["high", "medium", "low"] | None = None

    @model_validator(mode="after")
    def _recalled_has_confidence(self) -> MarkedTable:
        if (self.mark == "recalled") != (self.confidence is not None):
            raise ValueError("'confidence' goes with mark 'recalled', and only with it")
        if any(value < 0 for value in self.values.values()):
            raise ValueError("values must not be negative")
        return self


class EmissionSettings(Settings):
    """Emission of the whole region and of the land and sea around it.

    ``regional_kt`` in kt/a per precursor; ``province_share`` splits it over the provinces (sums to
    one); ``land_tpa_km2`` and ``sea_tpa_km2`` are densities outside the region. Ground of no city counts
    as sea east of the region's coast and, in bays, east of ``coast_lon``.
    """

    regional_kt: dict[Precursor, Marked]
    province_share: dict[Precursor, MarkedTable]
    land_tpa_km2: dict[Precursor, Marked]
    sea_tpa_km2: dict[Precursor, Marked]
    coast_lon: float

    @model_validator(mode="after")
    def _complete(self) -> EmissionSettings:
        for name in ("regional_kt", "province_share", "land_tpa_km2", "sea_tpa_km2"):
            if set(getattr(self, name)) != set(Precursor):
                raise ValueError(f"{name} must name {', '.join(Precursor)}")
        for precursor, table in self.province_share.items():
            if not np.isclose(sum(table.values.values()), 1, atol=1e-6):
                raise ValueError(f"province_share of {precursor} must add up to 1")
        return self


class Efficacy(Settings):
    """What a cut of each precursor brings over what proportion would give, by season."""

    warm: MarkedTable
    cold: MarkedTable


class MassSettings(Settings):
    """A target that adds up from its precursors: background (µg/m³) and each precursor's part of the rest.

    ``fractions`` add up to at most one; what is left follows none of the listed precursors. ``efficacy``:
    by how much the part of a precursor falls when it is cut, over how much it would fall in proportion, in
    the warm and in the cold months; one where nothing is said.
    """

    background_ugm3: Marked
    fractions: MarkedTable
    efficacy: Efficacy | None = None

    @model_validator(mode="after")
    def _at_most_one(self) -> MassSettings:
        unknown = set(self.fractions.values) - set(Precursor)
        if unknown:
            raise ValueError(f"fractions name the unknown precursor {min(unknown)}")
        if sum(self.fractions.values.values()) > 1 + 1e-9:
            raise ValueError("fractions add up to more than 1")
        return self

    def fraction(self, precursor: Precursor) -> float:
        """Part of the concentration above background that follows ``precursor``."""
        return self.fractions.values.get(precursor.value, 0.0)

    def answer(self, precursor: Precursor, cold: bool) -> float:
        """Part of the concentration above background that small cuts of ``precursor`` bring down by."""
        season = (self.efficacy.cold if cold else self.efficacy.warm).values if self.efficacy else {}
        return self.fraction(precursor) * season.get(precursor.value, 1.0)


class RegimeSettings(Settings):
    """Signed response of ozone above background to the removal of all VOC or all NOx."""

    name_zh: str
    voc: Marked
    nox: Marked


class CityRegime(Settings):
    """Cities of one regime and what is known of it."""

    regime: Regime
    adcodes: tuple[str, ...]
    evidence_zh: str


class OzoneSettings(Settings):
    """Ozone: background, response by regime, regime by city and season, and the found upper bound.

    ``budget_voc_weight`` is the part of the ozone above background that the budget assigns by VOC
    shares, the rest goes by NOx shares. ``titration``: part of the ozone that is missing below the
    background that would be there if all NOx were removed. ``cap`` bounds what all listed enterprises
    together may claim, as a part of the concentration.
    """

    background_ugm3: dict[Target, Marked]
    regimes: dict[Regime, RegimeSettings]
    cities: tuple[CityRegime, ...]
    other_cities: CityRegime
    cold_months: tuple[int, ...]
    cold_evidence_zh: str
    budget_voc_weight: Marked
    titration: Marked
    cap: Marked

    @model_validator(mode="after")
    def _complete(self) -> OzoneSettings:
        if set(self.regimes) != {"voc_limited", "transition", "nox_limited"}:
            raise ValueError("regimes must describe voc_limited, transition and nox_limited")
        if set(self.background_ugm3) != {Target.O3_MDA8, Target.O3_MEAN}:
            raise ValueError("background_ugm3 must name o3_mda8 and o3_mean")
        if not 0 <= self.budget_voc_weight.value <= 1:
            raise ValueError("budget_voc_weight must lie between 0 and 1")
        return self


class AttributionSettings(Settings):
    """Settings of the attribution room.

    ``near_field``: whether plumes stand for the footprint near a receptor, where they are given.
    """

    near_field: bool
    emissions: EmissionSettings
    mass: dict[Target, MassSettings]
    ozone: OzoneSettings
    sector_names_zh: dict[str, str]
