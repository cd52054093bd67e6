"""What of the drill's world can be set: its span, grid, winds, emissions, enterprises and mobile survey."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import model_validator

from yrd_airq.settings import Marked, Settings, load
from yrd_airq.vocab import Precursor


class GridSettings(Settings):
    """Regular grid of the world; degrees, both ends included."""

    lon_min: float
    lon_max: float
    lat_min: float
    lat_max: float
    step: float


class EpisodeSettings(Settings):
    """A high that settles over the region about ``centre`` and lasts some ``days``: calm, dry and warm.

    ``strength`` 0 leaves the weather to chance, 1 halves the winds and clears the sky at its centre.
    """

    centre: datetime
    days: float
    strength: float


class FlowSettings(Settings):
    """Weather patterns: travelling random waves (``modes`` of them per field).

    ``memory_days`` is the time after which a wave has forgotten its amplitude, ``speed_ms`` its mean
    phase speed, ``wind_ms`` the root mean square of the large-scale wind component at 10 m, and
    ``forecast_skill_days`` the lead at which the correlation of the forecast file's waves with the
    truth has fallen to 1/e.
    """

    modes: int
    wavelength_km: tuple[float, float]
    memory_days: float
    speed_ms: float
    wind_ms: float
    forecast_skill_days: float
    episode: EpisodeSettings


class AirSettings(Settings):
    """Rates of the air; per hour unless said otherwise. Tuned for plausible levels, not measured."""

    bl_wind_factor: float
    residual_wind_factor: float
    top_m: float
    ox_yield: float
    nox_half_ppb: float
    nox_excess_ppb: float
    nox_loss_sun: float
    nox_loss_dark: float
    voc_loss_sun: float
    voc_loss_dark: float
    so2_loss: float
    sulfate_yield: float
    nitrate_yield: float
    soa_yield: float
    washout: float
    biogenic_ppb: float


class DiffuseSettings(Settings):
    """Emission that no listed enterprise answers for (traffic, homes, farms), region total in t/a."""

    nox: Marked
    voc: Marked
    pm: Marked
    so2: Marked
    co: Marked
    dust: Marked


class SectorSettings(Settings):
    """One sector of the fictitious list.

    ``share`` of the enterprises; ``nox, voc, pm, so2`` share of the list's total that the sector emits;
    ``grades`` which grading applies; ``cost_per_day`` median cost of a full stop (CNY a day);
    ``species`` volume shares of what leaks from it.
    """

    code: str
    share: float
    nox: float
    voc: float
    pm: float
    so2: float
    grades: str
    cost_per_day: float
    species: dict[str, float] = {}


class EnterpriseSettings(Settings):
    """Size of the fictitious enterprise list; totals in t/a, shares 0–1."""

    count: int
    parks_per_city: int
    totals: dict[Precursor, Marked]
    size_spread: float
    exempt_share: float
    unknown_grade_share: float
    unknown_cost_share: float
    unknown_emission_share: float
    exempt_sectors: tuple[str, ...]
    sectors: tuple[SectorSettings, ...]


class StationSettings(Settings):
    """Monitoring network and its faults; shares 0–1, counts over the whole span."""

    per_city: int
    first_code: int
    county_cities: tuple[str, ...]
    noise: float
    missing_share: float
    outages: int
    absent_hours: int
    spikes: int


class DriveSettings(Settings):
    """One mobile survey (走航) at 1 Hz near the venue; ``leak_gs`` mass that each source leaks."""

    start: datetime
    minutes: int
    near_lon: float
    near_lat: float
    half_side_m: float
    speed_kmh: float
    leak_gs: float
    noise_ppb: float
    background_ppb: dict[str, float]


class DrillSettings(Settings):
    """Shape of ``configs/drill.yaml``; times are Beijing time."""

    label_zh: str
    seed: int
    first_day: date
    issue_time: datetime
    spin_up_days: int
    forecast_days: int
    weather_step_hours: int
    grid: GridSettings
    flow: FlowSettings
    air: AirSettings
    diffuse: DiffuseSettings
    enterprises: EnterpriseSettings
    stations: StationSettings
    drive: DriveSettings

    @model_validator(mode="after")
    def _consistent(self) -> DrillSettings:
        if self.issue_time.date() <= self.first_day:
            raise ValueError(f"the issue time {self.issue_time} is not after the first day {self.first_day}")
        if self.drive.start > self.issue_time:
            raise ValueError("the mobile survey starts after the issue time; nobody can know it yet")
        if 24 % self.weather_step_hours:
            raise ValueError("weather_step_hours must divide 24")
        return self


def load_drill() -> DrillSettings:
    """The drill of ``configs/drill.yaml``."""
    return load(DrillSettings, "drill")
