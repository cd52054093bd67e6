"""Shape of ``configs/drill/weather.yaml``: climate, families of systems, surface, and forecast error."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from yrd_airq.drill.grid import GridSettings
from yrd_airq.settings import Marked, Settings, load

Pair = tuple[float, float]
Months = Annotated[tuple[float, ...], Field(min_length=12, max_length=12)]
"""January to December."""


class Monthly(Settings):
    """Twelve values for the middles of the months, with the mark of their origin (see ``Marked``)."""

    values: Months
    mark: Literal["found", "derived", "recalled"]
    source: str
    confidence: Literal["high", "medium", "low"] | None = None

    @model_validator(mode="after")
    def _recalled_has_confidence(self) -> Monthly:
        if (self.mark == "recalled") != (self.confidence is not None):
            raise ValueError("'confidence' goes with mark 'recalled', and only with it")
        return self

    def on(self, day_of_year: ArrayLike) -> NDArray[np.float64]:
        """Values on days of the year (1 … 366, fractions allowed), linear between the middles of months."""
        return monthly(self.values, day_of_year)


def monthly(values: Months, day_of_year: ArrayLike) -> NDArray[np.float64]:
    """Twelve monthly values on days of the year, linear between the middles of the months."""
    middle = 365.25 * (np.arange(-0.5, 13) / 12)
    return np.interp(np.asarray(day_of_year, dtype=float), middle, [values[-1], *values, values[0]])


class Zonal(Settings):
    """A quantity by latitude and season: ``mean + swing · cos`` of the year, greatest on ``peak_day``."""

    mean: tuple[float, ...]
    swing: tuple[float, ...]
    peak_day: float
    mark: Literal["found", "derived", "recalled"]
    source: str
    confidence: Literal["high", "medium", "low"] | None = None


class ClimateSettings(Settings):
    """The seasons: temperature over ground and sea and dew-point depression by ``latitudes`` (°C, K); mean
    geostrophic wind near the ground and at the top of the world (m/s), sea-level pressure (hPa).
    """

    latitudes: tuple[float, ...]
    land_c: Zonal
    sea_c: Zonal
    land_depression_k: Zonal
    sea_depression_k: float
    pressure_hpa: Monthly
    wind_u: Monthly
    wind_v: Monthly
    upper_u: Monthly
    upper_v: Monthly


class FamilySettings(Settings):
    """A family of systems, each a bell of pressure (or of cloudiness) that forms, moves, grows and decays.

    ``per_day`` of them are centred, halfway through their lives of ``life_days``, within ``lon`` and
    ``lat``; they head ``heading`` (° anticlockwise from east: mean, spread) at ``speed_ms`` (mean,
    spread); ``amplitude`` (mean, spread; hPa, or units of cloudiness) is multiplied by the month's
    ``season``; ``radius_km`` (least, most) of the bell, ``aspect`` its length along ``tilt_deg`` over its
    width. At the world's top the bell is ``upper`` times as strong and lies ``lag_km`` further back along the
    heading. ``skill_days`` is the lead at which a forecast has lost most of it.
    """

    name: str
    per_day: float
    life_days: Pair
    lon: Pair
    lat: Pair
    heading: Pair
    speed_ms: Pair
    amplitude: Pair
    season: Months
    radius_km: Pair
    aspect: float = 1.0
    tilt_deg: float = 0.0
    upper: float = 0.0
    lag_km: float = 0.0
    skill_days: float


class ActivitySettings(Settings):
    """Spells: every ``days`` the strength of systems is drawn anew about 1 (``spread``, at ``least``)."""

    days: float
    spread: float
    least: float


class AirMassSettings(Settings):
    """Air takes on the climate that it passed over: for ``hours``, forgetting within ``memory_hours``
    (dew-point depression within ``dry_memory_hours``); ``core`` is the share of a system's cold or warm
    core that is felt below.
    """

    hours: float
    memory_hours: float
    dry_memory_hours: float
    core: float


class LiftSettings(Settings):
    """What makes cloud: weights of vorticity (1e-5 1/s), warm advection (K/3 h), front (K/100 km above
    ``front_from``) and relative humidity of the air mass (per 10 % above 70 %); ``base`` by month.
    """

    vorticity: float
    advection: float
    front: float
    front_from: float
    humidity: float
    noise: float
    base: Months


class SurfaceSettings(Settings):
    """Cloud, rain, temperature and moisture at the ground, of the wetness that lift makes.

    Cover is a logistic curve of wetness + ``cloud_from`` with ``cloud_slope``; rain starts at wetness
    ``rain_from`` with the scale ``rain_mmh``, and ``convection`` adds wetness on muggy afternoons. The day's
    course has the half range ``swing_k`` (``sea_swing_k``) without cloud; a full cloud cover instead of none
    cools the day by ``cloud_cooling_k``, rain of 1 mm/h by ``rain_cooling_k``. ``anomaly`` and
    ``anomaly_dryness`` scale how far air masses depart from the season, ``wet_moisture_k`` is how much
    closer the dew point comes with each unit of wetness, ``warmth_k`` and ``dew_shift_k`` set the means.
    """

    cloud_slope: float
    cloud_from: float
    rain_from: float
    rain_mmh: float
    convection: float
    swing_k: float
    sea_swing_k: float
    cloud_cooling_k: Months
    rain_cooling_k: float
    lapse_k_km: float
    warmth_k: Months
    dew_shift_k: Months
    anomaly: float
    anomaly_dryness: float
    wet_moisture_k: Months


class LayerSettings(Settings):
    """Mixing height, friction and sea breeze.

    ``*_friction`` is the share of the wind lost at the ground, ``*_turning_deg`` its turning there.
    ``heating`` is the share of sunshine that warms the air, ``lapse_k_m`` the stability above, which
    grows by the exponent ``subsidence`` with sinking; by night, and over the sea, the mixing height is a
    floor plus so many seconds times the wind. ``breeze_ms`` is the breeze of a clear calm day.
    """

    land_friction: float
    sea_friction: float
    land_turning_deg: float
    sea_turning_deg: float
    breeze_ms: float
    breeze_width_km: float
    heating: float
    lapse_k_m: float
    subsidence: float
    night_floor_m: float
    night_wind_s: float
    sea_floor_m: float
    sea_wind_s: float


class ForecastSettings(Settings):
    """Error of forecasts: how fast systems are misplaced (km/day of lead) and mismeasured (share per day).

    ``growth`` is a factor on every lead (0 is a perfect forecast); ``kept`` the share of an error that
    the forecast of the next day still has; a forecast comes every ``step_hours`` for ``days``.
    ``wind_error_ms`` (10 m, each component) and ``warmth_error_k`` (2 m) are root mean square errors of real
    forecasts by lead day, to which the drill's are held.
    """

    growth: float
    drift_km_day: float
    strength_day: float
    kept: float
    step_hours: int
    days: int
    wind_error_ms: dict[int, Marked]
    warmth_error_k: dict[int, Marked]


class WeatherSettings(Settings):
    """Shape of ``configs/drill/weather.yaml``."""

    grid: GridSettings
    climate: ClimateSettings
    activity: ActivitySettings
    pressure_families: tuple[FamilySettings, ...]
    cloud_families: tuple[FamilySettings, ...]
    air_mass: AirMassSettings
    lift: LiftSettings
    surface: SurfaceSettings
    layers: LayerSettings
    forecast: ForecastSettings


def load_weather_settings() -> WeatherSettings:
    """``configs/drill/weather.yaml``; ``InputError`` lists every fault."""
    return load(WeatherSettings, "drill/weather")
