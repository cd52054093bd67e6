"""Shape of ``configs/weather.yaml``: stagnation, ventilation, and the grade of how well the air disperses."""

from __future__ import annotations

from pydantic import model_validator

from yrd_airq.settings import Marked, Settings, load

GRADES = ("好", "较好", "一般", "较差", "差")
"""Grades of dispersion, best first, as briefs print them."""


class DispersionSettings(Settings):
    """Rule for the grade of dispersion of a city-day.

    ``wind_ms`` holds the four lowest daily mean wind speeds of the grades 好, 较好, 一般 and 较差.
    ``daily_mean_factor`` multiplies them for files of daily means, whose winds are mean vectors of an
    unstated height. Each of the other limits moves the grade by one where it is met.
    """

    wind_ms: tuple[Marked, Marked, Marked, Marked]
    daily_mean_factor: Marked
    wash_out_mm: Marked
    deep_layer_m: Marked
    shallow_layer_m: Marked
    humid_pct: Marked

    @model_validator(mode="after")
    def _limits_fall(self) -> DispersionSettings:
        limits = [limit.value for limit in self.wind_ms]
        if limits != sorted(limits, reverse=True):
            raise ValueError("wind_ms must fall from the best grade to the worst")
        if self.shallow_layer_m.value > self.deep_layer_m.value:
            raise ValueError("shallow_layer_m must not exceed deep_layer_m")
        return self


class StagnationSettings(Settings):
    """A day is stagnant where the mean 10 m wind is below ``wind_ms`` and rain below ``rain_mm``."""

    wind_ms: Marked
    rain_mm: Marked


class WeatherSettings(Settings):
    """Settings of the weather room; ``transport_factor``: wind of the mixed layer over that at 10 m."""

    dispersion: DispersionSettings
    stagnation: StagnationSettings
    transport_factor: Marked


def load_weather() -> WeatherSettings:
    """``configs/weather.yaml``; ``InputError`` lists every fault."""
    return load(WeatherSettings, "weather")
