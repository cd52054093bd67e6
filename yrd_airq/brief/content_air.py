"""Content model, first half: what was observed, what is forecast, how earlier forecasts did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from yrd_airq.brief.part import Part
from yrd_airq.vocab import Target, WeatherKind


class ObservedCity(Part):
    """Yesterday in one city; ``rank`` 1 is the cleanest; AQI is ``None`` where too little was measured."""

    adcode: str
    city_zh: str
    rank: int | None
    aqi: int | None
    level: int | None
    primary_zh: tuple[str, ...]
    values: dict[Target, float]


class DayValue(Part):
    """One observed daily value."""

    date: date
    target: Target
    value: float


class Observed(Part):
    """The last complete day by city, and the days before it in the focus city.

    ``targets`` are the columns to print. ``focus`` is the adcode that ``recent`` belongs to.
    """

    date: date
    source_zh: str
    text_zh: str
    targets: tuple[Target, ...]
    cities: tuple[ObservedCity, ...]
    focus: str
    recent: tuple[DayValue, ...]
    note_zh: str = ""


class WeatherDay(Part):
    """Daily weather of one city; ``wind_zh`` is where the wind comes from."""

    adcode: str
    city_zh: str
    date: date
    kind: WeatherKind
    wind_zh: str
    wind_ms: float | None
    temperature_c: float | None
    humidity_pct: float | None
    dispersion_zh: str


class Weather(Part):
    """Weather of the focus cities over the forecast days."""

    text_zh: str
    days: tuple[WeatherDay, ...]


class Quantity(Part):
    """Forecast of one target: median, 80-% interval, probability above the daily limit (0–1).

    ``call_from``: the probability from which on an exceedance is called, None where no probability is stated.
    ``converted`` marks ozone that was derived from a daily-mean forecast by a ratio.
    """

    target: Target
    q10: float
    q50: float
    q90: float
    p_exceed: float | None
    limit: float | None
    model: str
    converted: bool = False
    call_from: float | None = None

    @property
    def exceeds(self) -> bool:
        """Whether an exceedance is called."""
        return self.p_exceed is not None and self.call_from is not None and self.p_exceed >= self.call_from


class ForecastDay(Part):
    """One city-day: AQI range, levels at its ends (1–6), at most two candidate primary pollutants."""

    adcode: str
    city_zh: str
    date: date
    lead_day: int
    aqi: int
    aqi_lo: int
    aqi_hi: int
    level: int
    level_lo: int
    level_hi: int
    level_zh: str
    primary_zh: tuple[str, ...]
    quantities: tuple[Quantity, ...]
    remark_zh: str = ""

    def quantity(self, target: Target) -> Quantity | None:
        """The forecast of ``target``, or None if it was not forecast."""
        return next((q for q in self.quantities if q.target is target), None)


_DETAILED = (Target.O3_MDA8, Target.O3_MEAN, Target.PM25)


def detailed_targets(days: Sequence[ForecastDay]) -> list[Target]:
    """Targets to show in detail: ozone once, as MDA8 where there is one, and PM2.5."""
    found = [target for target in _DETAILED if any(day.quantity(target) for day in days)]
    return [target for target in found if target is not Target.O3_MEAN or Target.O3_MDA8 not in found]


class Forecast(Part):
    """All city-days by city (adcode order) and day; ``focus`` and ``detail_dates`` are printed in detail.

    ``reasons_zh``: why the focus cities' forecasts are what they are. ``running_zh``: what the running 24-h
    AQI of the next 72 hours says of heavy pollution; blank without hourly forecasts.
    """

    text_zh: tuple[str, ...]
    dates: tuple[date, ...]
    days: tuple[ForecastDay, ...]
    focus: tuple[str, ...]
    detail_dates: tuple[date, ...]
    standard: str
    weather_kind: WeatherKind
    note_zh: str = ""
    reasons_zh: tuple[str, ...] = ()
    running_zh: str = ""


class Score(Part):
    """Scores of one model, target and lead day over the checked issues; persistence is its yardstick."""

    target: Target
    lead_day: int
    n: int
    rmse: float
    rmse_persistence: float | None
    bias: float | None
    skill: float | None
    coverage80: float | None


class Outcome(Part):
    """A forecast of this brief beside what was observed later (hindcasts only)."""

    adcode: str
    city_zh: str
    date: date
    target: Target
    q10: float
    q50: float
    q90: float
    observed: float
    inside: bool
    persistence: float | None = None


class CityHit(Part):
    """Yesterday in one city: the forecast AQI range, level span and pollutants, and what was observed."""

    adcode: str
    city_zh: str
    aqi_lo: int
    aqi_hi: int
    level_lo: int
    level_hi: int
    level_zh: str
    primary_zh: tuple[str, ...]
    observed_aqi: int
    observed_level: int
    observed_primary_zh: tuple[str, ...]
    range_hit: bool
    level_hit: bool


class Yesterday(Part):
    """The one-day forecast for the last complete day beside the observation, all cities."""

    date: date
    text_zh: str
    focus: tuple[str, ...]
    cities: tuple[CityHit, ...]


class Check(Part):
    """How earlier issues did, and, in a hindcast, how this one did.

    ``outcome_scores``: this issue over all cities, ``outcomes``: its focus cities on the days in detail;
    hindcasts only.
    """

    text_zh: str
    period_zh: str
    scores: tuple[Score, ...]
    yesterday: Yesterday | None = None
    outcome_scores: tuple[Score, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
