"""What of the survey's analysis can be set: bins, thresholds, upwind sector, fingerprints, reactivity."""

from __future__ import annotations

from yrd_airq.settings import Marked, Settings, load


class Indicator(Settings):
    """A reading that hotspots are looked for in; ``min_enhancement`` in its unit."""

    species: str
    unit: str
    min_enhancement: Marked


class HotspotSettings(Settings):
    """How hotspots are told from the background; the first of ``indicators`` that a run has is used."""

    indicators: tuple[Indicator, ...]
    bin_m: float
    min_seconds_per_bin: int
    background_minutes: float
    background_percentile: float
    noise_factor: Marked
    cluster_m: float
    cluster_points: int
    pass_gap_s: float


class TracingSettings(Settings):
    """How hotspots are led back to enterprises.

    ``similar`` is the likeness of hotspot and sector profile (cosine) from which a repeated finding counts
    as 较可能; ``unknown_similarity`` stands in where no fingerprint of the sector is known.
    """

    max_distance_km: float
    min_distance_km: float
    half_sector_deg: Marked
    spread_factor: Marked
    calm_ms: Marked
    calm_radius_km: float
    stack_height_m: Marked
    unknown_voc_tpa: Marked
    similarity_power: Marked
    unknown_similarity: float
    similar: float


class Fingerprint(Settings):
    """Relative amounts (by volume) of species in what a sector gives off."""

    species: dict[str, float]
    source: str


class SurveySettings(Settings):
    """Shape of ``configs/survey.yaml``; ``mir`` is g O₃ per g VOC, ``molar_mass`` g/mol, by species."""

    hotspots: HotspotSettings
    tracing: TracingSettings
    fingerprints: dict[str, Fingerprint]
    mir: dict[str, Marked]
    molar_mass: dict[str, float]


def load_survey() -> SurveySettings:
    """The settings of ``configs/survey.yaml``."""
    return load(SurveySettings, "survey")
