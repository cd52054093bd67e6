"""The words that every room shares: pollutants, forecast targets, units, column names, kinds of weather.

Only names and their properties belong here; no data, no rules, no settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Pollutant(StrEnum):
    """The six items of GB 3095 table 1; the value is the name used in columns and tables."""

    SO2 = "so2"
    NO2 = "no2"
    CO = "co"
    O3 = "o3"
    PM10 = "pm10"
    PM25 = "pm25"

    @property
    def unit(self) -> str:
        """Unit of a concentration as written in column suffixes: ``mgm3`` for CO, else ``ugm3``."""
        return "mgm3" if self is Pollutant.CO else "ugm3"

    @property
    def name_zh(self) -> str:
        """Name printed in briefs, with subscripts."""
        return _POLLUTANT_ZH[self]


_POLLUTANT_ZH = {
    Pollutant.SO2: "SO₂",
    Pollutant.NO2: "NO₂",
    Pollutant.CO: "CO",
    Pollutant.O3: "O₃",
    Pollutant.PM10: "PM₁₀",
    Pollutant.PM25: "PM₂.₅",
}


@dataclass(frozen=True)
class TargetInfo:
    """A daily quantity that is forecast for a city.

    ``statistic`` is ``mean`` (24-h mean of the natural day) or ``mda8`` (largest 8-h mean of the day).
    """

    pollutant: Pollutant
    statistic: str
    name_zh: str


class Target(StrEnum):
    """Daily forecast targets; ``O3_MEAN`` only for archives that carry the daily mean alone."""

    O3_MDA8 = "o3_mda8"
    O3_MEAN = "o3_mean"
    PM25 = "pm25"
    PM10 = "pm10"
    NO2 = "no2"
    SO2 = "so2"
    CO = "co"

    @property
    def info(self) -> TargetInfo:
        """Pollutant, statistic and Chinese name of the target."""
        return _TARGETS[self]


_TARGETS = {
    Target.O3_MDA8: TargetInfo(Pollutant.O3, "mda8", "O₃-8h"),
    Target.O3_MEAN: TargetInfo(Pollutant.O3, "mean", "O₃日均"),
    Target.PM25: TargetInfo(Pollutant.PM25, "mean", "PM₂.₅"),
    Target.PM10: TargetInfo(Pollutant.PM10, "mean", "PM₁₀"),
    Target.NO2: TargetInfo(Pollutant.NO2, "mean", "NO₂"),
    Target.SO2: TargetInfo(Pollutant.SO2, "mean", "SO₂"),
    Target.CO: TargetInfo(Pollutant.CO, "mean", "CO"),
}


class WeatherKind(StrEnum):
    """How weather came to be known; printed wherever a score or a forecast depends on it."""

    OBSERVED = "observed"
    ANALYSIS = "analysis"
    FORECAST = "forecast"
    NONE = "none"

    @property
    def name_zh(self) -> str:
        """Name printed in briefs."""
        return {"observed": "实况", "analysis": "分析场", "forecast": "预报场", "none": "未使用"}[self.value]


class Precursor(StrEnum):
    """Emitted species of an enterprise, in the order used by every array with a precursor axis."""

    NOX = "nox"
    VOC = "voc"
    PM = "pm"
    SO2 = "so2"

    @property
    def name_zh(self) -> str:
        """Name printed in briefs."""
        return {"nox": "NOx", "voc": "VOCs", "pm": "颗粒物", "so2": "SO₂"}[self.value]


class CityDaySource(StrEnum):
    """Where a city-day value comes from; series of different source are never spliced."""

    STATIONS = "stations"
    REANALYSIS = "reanalysis"

    @property
    def name_zh(self) -> str:
        """Name printed in briefs."""
        return {"stations": "国控站点监测", "reanalysis": "再分析资料"}[self.value]
