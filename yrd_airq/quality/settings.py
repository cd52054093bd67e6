"""Thresholds of hourly quality control: ``configs/quality.yaml``."""

from __future__ import annotations

from functools import lru_cache

from pydantic import model_validator

from yrd_airq.settings import Marked, Settings, config_dir, load
from yrd_airq.vocab import Pollutant


class PollutantThresholds(Settings):
    """Thresholds of one pollutant in µg/m³ (CO mg/m³); ``stuck_hours`` in hours."""

    maximum: Marked
    spike_step: Marked
    stuck_hours: Marked
    stuck_above: Marked


class QualitySettings(Settings):
    """Shape of ``configs/quality.yaml``; every pollutant has its thresholds."""

    spike_ratio: Marked
    spike_reach_hours: Marked
    pollutants: dict[Pollutant, PollutantThresholds]

    @model_validator(mode="after")
    def _complete(self) -> QualitySettings:
        missing = sorted(set(Pollutant) - set(self.pollutants))
        if missing:
            raise ValueError(f"no thresholds for {', '.join(missing)}")
        return self

    @property
    def reach_hours(self) -> int:
        """Hours before and after a value that can decide whether it is accepted."""
        longest = max(t.stuck_hours.value for t in self.pollutants.values())
        return int(max(longest, self.spike_reach_hours.value))


@lru_cache(maxsize=4)
def _load_quality(folder: str) -> QualitySettings:
    return load(QualitySettings, "quality")


def load_quality() -> QualitySettings:
    """The settings of ``configs/quality.yaml``."""
    return _load_quality(str(config_dir().resolve()))
