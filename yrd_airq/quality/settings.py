"""Thresholds of hourly quality control: ``configs/quality.yaml``."""

from __future__ import annotations

from functools import lru_cache

from pydantic import model_validator

from yrd_airq.settings import Marked, Settings, config_dir, load
from yrd_airq.vocab import Pollutant


class PollutantThresholds(Settings):
    """Thresholds of one pollutant in µg/m³ (CO mg/m³); ``stuck_hours`` in hours, factors without unit."""

    maximum: Marked
    extreme: Marked
    limit: Marked
    offset: Marked
    spike_step: Marked
    restart_step: Marked
    restart_drop: Marked
    stuck_hours: Marked
    stuck_above: Marked
    stuck_improbability: Marked
    isolated_above: Marked
    isolated_below: Marked
    isolated_step: Marked


class NeighbourSettings(Settings):
    """Who counts as a neighbour: the nearest within ``radius_km``, those of the same city preferred."""

    radius_km: Marked
    same_city_weight: Marked
    at_least: Marked


class SpikeSettings(Settings):
    """A single hour far above the hours around it."""

    ratio: Marked
    doubtful_ratio: Marked
    doubtful_step_share: Marked
    reach_hours: Marked
    shared_by: Marked


class RestartSettings(Settings):
    """The first hours after a gap."""

    gap_hours: Marked
    hours: Marked
    before_hours: Marked
    ratio: Marked
    sure_ratio: Marked


class StuckSettings(Settings):
    """Runs of equal values, and how improbable they are at that place and time."""

    margin_hours: Marked
    neighbour_hours: Marked
    doubtful_hours: Marked


class InvertedSettings(Settings):
    """PM2.5 above PM10 by more than the instruments allow."""

    ratio: Marked
    step: Marked


class SwapSettings(Settings):
    """Two columns in each other's place: window, and how much better the exchange must fit."""

    hours: Marked
    gain: Marked
    sure_gain: Marked
    share: Marked


class OzoneUnitSettings(Settings):
    """Ozone written in ppb: a run at about half of what is expected, full before or after."""

    hours: Marked
    shoulder_hours: Marked
    drop: Marked
    drop_each: Marked
    drop_most: Marked
    below: Marked
    level: Marked
    spread: Marked
    spread_level: Marked
    hour_drop: Marked


class DepartureSettings(Settings):
    """A station away from what its neighbours and its own habit lead to expect."""

    hours: Marked
    day_offsets: Marked
    steady: Marked
    hour_share: Marked
    shared_by: Marked


class LimitSettings(Settings):
    """Runs at the detection limit where the air is not that clean."""

    hours: Marked
    share: Marked
    expected: Marked


class QualitySettings(Settings):
    """Shape of ``configs/quality.yaml``; every pollutant has its thresholds."""

    alone_factor: Marked
    neighbours: NeighbourSettings
    spike: SpikeSettings
    restart: RestartSettings
    stuck: StuckSettings
    pm_inverted: InvertedSettings
    pm_swapped: SwapSettings
    no2_o3_swapped: SwapSettings
    o3_unit: OzoneUnitSettings
    departure: DepartureSettings
    detection_limit: LimitSettings
    pollutants: dict[Pollutant, PollutantThresholds]

    @model_validator(mode="after")
    def _complete(self) -> QualitySettings:
        missing = sorted(set(Pollutant) - set(self.pollutants))
        if missing:
            raise ValueError(f"no thresholds for {', '.join(missing)}")
        return self

    @property
    def reach_hours(self) -> int:
        """Hours before and after a value that can decide its flags."""
        habit = 24 * self.departure.day_offsets.value
        reaches = [
            max(threshold.stuck_hours.value for threshold in self.pollutants.values()),
            self.stuck.margin_hours.value + 1,
            self.spike.reach_hours.value,
            self.restart.before_hours.value + self.restart.gap_hours.value + self.restart.hours.value,
            self.o3_unit.hours.value + self.o3_unit.shoulder_hours.value,
            habit + max(window.hours.value for window in self._habitual),
        ]
        return int(max(reaches))

    @property
    def _habitual(self) -> tuple[SwapSettings | DepartureSettings | LimitSettings, ...]:
        return (self.pm_swapped, self.no2_o3_swapped, self.departure, self.detection_limit)


@lru_cache(maxsize=4)
def _load_quality(folder: str) -> QualitySettings:
    return load(QualitySettings, "quality")


def load_quality() -> QualitySettings:
    """The settings of ``configs/quality.yaml``."""
    return _load_quality(str(config_dir().resolve()))
