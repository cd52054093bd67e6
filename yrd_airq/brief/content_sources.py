"""Content model, second half: where the pollution comes from and what is to be done about it."""

from __future__ import annotations

from datetime import date, datetime

from yrd_airq.brief.part import Part
from yrd_airq.vocab import Target, WeatherKind


class Trajectory(Part):
    """Path of one arrival backwards in time, centre of its ensemble; first point is the receptor."""

    adcode: str
    arrival: datetime
    lon: tuple[float, ...]
    lat: tuple[float, ...]


class SectorShare(Part):
    """Share (0–1) of the ensemble that came from a compass sector, and its mean distance."""

    sector_zh: str
    share: float
    distance_km: float


class PathCluster(Part):
    """One of the few ways by which air reaches a receptor: mean path back in time, share of the arrivals."""

    adcode: str
    share: float
    lon: tuple[float, ...]
    lat: tuple[float, ...]


class Transport(Part):
    """Where the air comes from."""

    text_zh: str
    hours: int
    kind: WeatherKind
    trajectories: tuple[Trajectory, ...]
    sectors: tuple[SectorShare, ...]
    clusters: tuple[PathCluster, ...] = ()


class Contribution(Part):
    """One part of the closing budget of a receptor, day and target; shares of a budget sum to 1.

    ``low_ugm3`` and ``high_ugm3``: range over the members of the ensemble, None where it is not known.
    """

    part_zh: str
    kind: str
    contribution_ugm3: float
    share: float
    low_ugm3: float | None = None
    high_ugm3: float | None = None


class Budget(Part):
    """Closing budget of one target at one receptor and day, largest part first."""

    adcode: str
    city_zh: str
    date: date
    target: Target
    parts: tuple[Contribution, ...]


class RoseSlice(Part):
    """Share of one industry in one direction from the receptor, of the concentration above background."""

    direction_zh: str
    sector_zh: str
    share: float


class Rose(Part):
    """Listed enterprises around a receptor by direction and industry."""

    city_zh: str
    target: Target
    slices: tuple[RoseSlice, ...]


class BasePoint(Part):
    """Where a city's air stands in the isopleth diagram."""

    name_zh: str
    voc_ppbc: float
    nox_ppb: float


class Isopleth(Part):
    """Ozone (MDA8, µg/m³) of a day in a box model over morning VOC and NOx; rows by NOx.

    ``ridge_nox_ppb``: NOx at which ozone is highest for each VOC, None without VOC.
    """

    voc_ppbc: tuple[float, ...]
    nox_ppb: tuple[float, ...]
    mda8_ugm3: tuple[tuple[float, ...], ...]
    ridge_nox_ppb: tuple[float | None, ...]
    base: tuple[BasePoint, ...]


class Attribution(Part):
    """Whose emissions make the concentration, the ozone regime, and what a cut of NOx or VOC does there."""

    text_zh: str
    budgets: tuple[Budget, ...]
    regime_zh: str = ""
    response_zh: tuple[str, ...] = ()
    rose: Rose | None = None
    isopleth: Isopleth | None = None


class Hotspot(Part):
    """A confirmed or suspected hotspot of the mobile survey and the enterprise it points to."""

    name_zh: str
    lon: float
    lat: float
    peak_zh: str
    status_zh: str
    suspect_zh: str


class Survey(Part):
    """What the mobile survey found."""

    text_zh: str
    hotspots: tuple[Hotspot, ...]


class Requirement(Part):
    """What a receptor-day needs and what the plan gives, µg/m³; ``forecast`` is the goal's quantile.

    ``chance_without`` and ``chance_with``: chance that the goal is exceeded, None where it is not known.
    """

    adcode: str
    city_zh: str
    date: date
    target: Target
    forecast: float
    goal: float
    required: float
    achieved: float
    shortfall: float
    chance_without: float | None = None
    chance_with: float | None = None

    @property
    def has_shortfall(self) -> bool:
        """Whether the plan leaves more than rounding (0.05 µg/m³) above the goal."""
        return self.shortfall > 0.05


class CityLoad(Part):
    """Sum of the selected measures in one city, kg/d."""

    adcode: str
    city_zh: str
    enterprises: int
    nox_kgd: float
    voc_kgd: float
    pm_kgd: float
    so2_kgd: float


class ListRow(Part):
    """One enterprise of the list; field names up to ``status`` are the columns of ``control_list.csv``."""

    rank: int | None
    enterprise_id: str
    name_zh: str
    adcode: str
    city_zh: str
    sector: str
    grade: str | None
    zone: str | None
    measure_code: str | None
    measure_zh: str | None
    start: str | None
    end: str | None
    reduction_nox_kgd: float | None
    reduction_voc_kgd: float | None
    reduction_pm_kgd: float | None
    reduction_so2_kgd: float | None
    benefit_o3_ugm3: float | None
    benefit_pm25_ugm3: float | None
    cost_cny: float | None
    stability: float | None
    evidence: str | None
    reason_zh: str
    status: str
    status_zh: str
    selected: bool
    lon: float | None = None
    lat: float | None = None


LIST_COLUMNS: tuple[str, ...] = tuple(ListRow.model_fields)[:23]


class Alternative(Part):
    """One point of the cost–benefit curve."""

    scenario_zh: str
    enterprises: int
    cost_index: float
    benefits: dict[Target, float]
    goals_missed: int | None = None


class Control(Part):
    """The recommended plan: what is needed, what it does, who does it."""

    text_zh: str
    status_zh: str
    requirements: tuple[Requirement, ...]
    loads: tuple[CityLoad, ...]
    alternatives: tuple[Alternative, ...]
    rows: tuple[ListRow, ...]
    notes_zh: tuple[str, ...]

    @property
    def selected(self) -> tuple[ListRow, ...]:
        """Enterprises with a measure."""
        return tuple(row for row in self.rows if row.selected)

    @property
    def unselected(self) -> tuple[ListRow, ...]:
        """Enterprises that are listed without a mandatory measure: exempt, voluntary and the like."""
        return tuple(row for row in self.rows if not row.selected)
