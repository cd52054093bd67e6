"""What of the drill's world can be set: what stands in it, what is known of it, and the scenario it plays."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import model_validator

from yrd_airq.settings import Marked, Settings, config_dir, load
from yrd_airq.vocab import Precursor

Pattern = Literal["people", "roads", "farms", "ships", "neighbours"]
Course = Literal["steady", "day_shift", "two_shifts", "power", "traffic", "homes", "sites", "farms"]


class SectorSettings(Settings):
    """One sector of the fictitious enterprises.

    ``share`` of the enterprises; ``nox, voc, pm, so2`` share of their total that the sector emits;
    ``co_per_nox`` t of CO per t of NOx; ``stack_m`` median height of what rises from its stacks;
    ``course`` how its work runs through the day and ``weekend`` its Saturday and Sunday; ``grades``
    which grading applies; ``cost_per_day`` median cost of a full stop (CNY a day); ``species`` volume
    shares of what leaks from it, empty where nothing can.
    """

    code: str
    share: float
    nox: float
    voc: float
    pm: float
    so2: float
    co_per_nox: float
    stack_m: float
    course: Course
    weekend: float
    grades: Literal["letter", "leading", "none"]
    cost_per_day: float
    species: dict[str, float] = {}


class EnterpriseSettings(Settings):
    """The true enterprises; totals in t/a, shares 0–1.

    ``size_spread`` is the standard deviation of the logarithm of size; ``leak_share`` of those that can
    leak do, at a median of ``leak_gs``; ``coarse_share`` of their particles is larger than 2.5 µm;
    ``use`` is the range of output over permit.
    """

    count: int
    parks_per_city: int
    totals: dict[Precursor, Marked]
    size_spread: float
    stack_spread: float
    coarse_share: Marked
    use: tuple[float, float]
    leak_share: float
    leak_gs: float
    exempt_share: float
    exempt_sectors: tuple[str, ...]
    sectors: tuple[SectorSettings, ...]


class OfficialSettings(Settings):
    """How the official list errs at difficulty 1; shares 0–1 of the enterprises.

    ``error`` is the standard deviation of the logarithm of a listed emission over the true one,
    ``permit_share`` of the rows carry the permitted amount instead. ``misplaced_share`` lie off by
    ``misplaced_km``. ``closed_share`` are listed but no longer run.
    """

    error: dict[Precursor, Marked]
    permit_share: float
    omitted_share: float
    misplaced_share: float
    misplaced_km: float
    closed_share: float
    unknown_grade_share: float
    unknown_cost_share: float
    unknown_emission_share: float


class AreaSettings(Settings):
    """A group of sources that no listed enterprise answers for.

    ``pattern`` says where it is, ``tonnes`` how much in a year (t/a; of the region's 41 cities, of all
    seas for ships, of all neighbours for neighbours), ``course`` how it runs through the day,
    ``weekend`` its Saturday and Sunday relative to a working day, ``winter`` by how much January
    exceeds the year's mean (July falls short by as much; negative: summer peak), and ``height_m`` the
    height at which it is set free.
    """

    code: str
    pattern: Pattern
    course: Course
    weekend: float
    winter: float
    height_m: float = 10.0
    tonnes: dict[str, Marked]


class NeighbourSettings(Settings):
    """A city outside the region whose emission reaches it; position and 2020 census population."""

    name_zh: str
    lon: float
    lat: float
    population_10k: float


class StationSettings(Settings):
    """Monitoring network and its faults; shares 0–1, counts a month.

    ``stations`` by adcode where a city has more or fewer than ``per_city``. ``late_share`` of the hours
    arrive up to ``late_h`` hours late; ``revised_share`` of the values are first reported wrong by some
    ``revision`` and corrected after ``revised_after_h``. ``urban`` is how much denser the air of a station
    is than that of its cell, ``pan_as_no2`` the part of PAN that monitors take for NO₂.
    """

    per_city: int
    stations: dict[str, int]
    first_code: int
    county_cities: tuple[str, ...]
    spread_km: float
    noise: float
    missing_share: float
    outages: int
    absent_hours: int
    spikes: int
    late_share: float
    late_h: int
    revised_share: float
    revision: float
    revised_after_h: int
    pan_as_no2: Marked
    urban: dict[str, Marked]


class DriveSettings(Settings):
    """One mobile survey (走航) at 1 Hz; ``fugitive_share`` of an enterprise's VOC leaves near the ground."""

    start_hour: float
    minutes: int
    half_side_m: float
    speed_kmh: float
    noise_ppb: float
    fugitive_share: float
    background_ppb: dict[str, float]


class WorldSettings(Settings):
    """Shape of ``configs/drill/world.yaml``: what all scenarios share."""

    label_zh: str
    spin_up_days: int
    checkpoint_days: int
    enterprises: EnterpriseSettings
    official: OfficialSettings
    area: tuple[AreaSettings, ...]
    neighbours: tuple[NeighbourSettings, ...]
    stations: StationSettings
    drive: DriveSettings


class Scenario(Settings):
    """Shape of ``configs/drill/scenarios/<name>.yaml``; times are Beijing time.

    The world lives from ``first_day`` to ``last_day``; at ``issue_time`` a forecaster sits down.
    ``event`` is the file below ``configs/events`` (without suffix) that is rehearsed. ``scale`` are
    factors on all emission of a species. ``list_error`` and ``forecast_error`` scale the errors of the
    official list and of the weather forecast: 0 none, 1 as usual.
    """

    name: str
    name_zh: str
    seed: int
    first_day: date
    issue_time: datetime
    last_day: date
    event: str
    near_lon: float
    near_lat: float
    scale: dict[str, Marked]
    list_error: float
    forecast_error: float

    @property
    def event_file(self) -> Path:
        """The event that the scenario rehearses."""
        return config_dir() / "events" / f"{self.event}.yaml"


class DrillSettings(Scenario, WorldSettings):
    """A scenario in the world: all that ``make_world`` needs besides the settings of weather and air."""

    @model_validator(mode="after")
    def _consistent(self) -> DrillSettings:
        issue = self.issue_time.date()
        if issue <= self.first_day:
            raise ValueError(f"the issue time {self.issue_time} is not after the first day {self.first_day}")
        if self.last_day < issue:
            raise ValueError(f"the world ends ({self.last_day}) before the issue time {self.issue_time}")
        if self.issue_time < self.survey_start:
            raise ValueError("the mobile survey starts after the issue time; nobody can know it yet")
        return self

    @property
    def survey_start(self) -> datetime:
        """When the mobile survey of the issue day sets off."""
        midnight = datetime.combine(self.issue_time.date(), datetime.min.time())
        return midnight + timedelta(hours=self.drive.start_hour)


DEFAULT_SCENARIO = "summer_ozone"


def load_scenario(name: str) -> DrillSettings:
    """The scenario ``configs/drill/scenarios/<name>.yaml`` in the world of ``configs/drill/world.yaml``."""
    world = load(WorldSettings, "drill/world")
    scenario = load(Scenario, f"drill/scenarios/{name}")
    return DrillSettings.model_validate(world.model_dump() | scenario.model_dump())


def load_drill() -> DrillSettings:
    """The scenario that is played by default."""
    return load_scenario(DEFAULT_SCENARIO)
