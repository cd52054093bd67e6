"""Shape of ``configs/verify.yaml``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from yrd_airq.settings import Marked, Settings, load
from yrd_airq.vocab import Target

Grade = Literal["goal", "criteria"]


class BootstrapSettings(Settings):
    """Moving blocks of ``block_days`` days, drawn ``resamples`` times; intervals of ``confidence``."""

    block_days: int = Field(gt=0)
    resamples: int = Field(ge=100)
    confidence: float = Field(gt=0.5, lt=1)
    seed: int


class ReliabilitySettings(Settings):
    """Bins of equal width in probability, and the cases a bin needs to be judged."""

    bins: int = Field(ge=2)
    least_cases: int = Field(gt=0)


class Uncertainty(Settings):
    """Uncertainty of a measurement O: ``u_rv`` √((1 − ``alpha``²) O² + ``alpha``² ``rv``²), µg/m³."""

    u_rv: Marked
    rv: Marked
    alpha: Marked


class FairmodeSettings(Settings):
    """Modelling quality indicator: RMSE over ``beta`` times the root mean square uncertainty."""

    beta: Marked
    passing_share: Marked
    uncertainty: dict[Target, Uncertainty]


class Benchmark(Settings):
    """Largest |NMB| and NME, smallest r."""

    nmb: Marked
    nme: Marked
    r: Marked


class VerifySettings(Settings):
    """Thresholds, resampling and benchmarks of the verification; concentrations in µg/m³ (CO mg/m³)."""

    thresholds: dict[Target, tuple[float, ...]]
    sudden_change: dict[Target, float]
    episode_days: int = Field(gt=0)
    bootstrap: BootstrapSettings
    reliability: ReliabilitySettings
    least_share: float = Field(ge=0, lt=1)
    fairmode: FairmodeSettings
    emery: dict[Target, dict[Grade, Benchmark]]


def load_verify() -> VerifySettings:
    """The settings of ``configs/verify.yaml``."""
    return load(VerifySettings, "verify")
