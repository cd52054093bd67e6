"""The weather of a forecast's days as a forecaster sees it: as given, or with the errors of a forecast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.settings import ErrorModel, WeatherErrorSettings

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Outlook:
    """Weather from the issue date on; arrays (day, place, issue) float32, day 0 is the issue date.

    The first places are the cities, then those around the region that ``lonlat`` (place, 2) lists.
    """

    weather: Mapping[str, NDArray[np.float32]]
    lonlat: Array
    cities: int

    def at(self, name: str, day: int) -> NDArray[np.float32]:
        """A variable at the cities on a day, (city, issue)."""
        return np.asarray(self.weather[name][day, : self.cities])


def look_ahead(
    panel: Panel,
    names: Sequence[str],
    issue: NDArray[np.int64],
    lead: int,
    error: ErrorModel | None = None,
    seed: int = 0,
) -> Outlook:
    """Weather ``names`` of the days 0 … ``lead`` after the issue dates at positions ``issue``.

    With ``error`` the weather is disturbed as a forecast made on the issue date would be; the same ``seed``
    gives the same disturbance.
    """
    around = panel.around if panel.around is not None and set(names) <= set(panel.around.weather) else None
    days = issue[None, :] + np.arange(lead + 1)[:, None]
    lonlat = panel.lonlat if around is None else np.concatenate([panel.lonlat, around.lonlat])
    draw = np.random.default_rng(seed)
    weather = {}
    for name in names:
        field = panel.weather[name]
        if around is not None:
            field = np.concatenate([field, around.weather[name]])
        values = field[:, days].transpose(1, 0, 2).astype(np.float32)
        if error is not None and name in error.variables:
            values = _disturb(values, error, error.variables[name], draw)
        weather[name] = values
    if error is not None:
        _mend(weather, panel, days)
    return Outlook(weather, lonlat, len(panel.adcodes))


def _mend(weather: dict[str, NDArray[np.float32]], panel: Panel, days: NDArray[np.int64]) -> None:
    """Bring disturbed weather back to what can be: speeds that fit the vectors, humidity within 0 … 100."""
    if {"u10_ms", "v10_ms", "wind_ms"} <= set(weather):
        true = np.hypot(panel.weather["u10_ms"], panel.weather["v10_ms"])[:, days].transpose(1, 0, 2)
        speed, cities = np.hypot(weather["u10_ms"], weather["v10_ms"]), true.shape[1]
        gain = speed[:, :cities] - true
        weather["wind_ms"][:, :cities] = np.maximum(weather["wind_ms"][:, :cities] + gain, 0.0)
    for name, highest in (("rh_pct", 100.0), ("precip_mm", np.inf), ("ssrd_wm2", np.inf), ("blh_m", np.inf)):
        if name in weather:
            weather[name] = np.clip(weather[name], 0.0, highest)


def _disturb(
    values: NDArray[np.float32], model: ErrorModel, rule: WeatherErrorSettings, draw: np.random.Generator
) -> NDArray[np.float32]:
    days, places, issues = values.shape
    common, own = np.sqrt(model.regional.value), np.sqrt(1 - model.regional.value)
    fresh = common * draw.standard_normal((days, 1, issues), dtype=np.float32)
    fresh = fresh + own * draw.standard_normal((days, places, issues), dtype=np.float32)
    lasting = model.lasting.value
    for day in range(1, days):
        fresh[day] = lasting * fresh[day - 1] + np.sqrt(1 - lasting**2) * fresh[day]
    size = rule.first.value + rule.per_day.value * np.arange(days)[:, None, None]
    out = values * np.exp(size * fresh) if rule.relative else values + size * fresh
    return np.asarray(out, dtype=np.float32)
