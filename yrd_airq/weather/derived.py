"""Quantities derived from the weather of a city: wind direction, ventilation, stagnation, recirculation."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from yrd_airq.weather.settings import WeatherSettings

RECIRCULATION_DAYS = 3


def wind_direction(u_ms: ArrayLike, v_ms: ArrayLike) -> NDArray[np.float64]:
    """Direction (°) that the wind comes from, clockwise from north, 0 … 360; blank in a dead calm."""
    u, v = np.asarray(u_ms, dtype=float), np.asarray(v_ms, dtype=float)
    degrees = np.degrees(np.arctan2(-u, -v)) % 360
    return np.where((u == 0) & (v == 0), np.nan, degrees)


def ventilation(
    blh_m: ArrayLike, wind_ms: ArrayLike, daily_vector: ArrayLike, settings: WeatherSettings
) -> NDArray[np.float64]:
    """Ventilation coefficient (m²/s): boundary-layer height × wind of the mixed layer; arrays broadcast.

    The latter is the 10 m wind times ``transport_factor``; winds of daily means (where ``daily_vector``)
    are first brought to 10 m by ``daily_mean_factor``.
    """
    daily = np.where(daily_vector, settings.dispersion.daily_mean_factor.value, 1.0)
    return np.asarray(blh_m) * np.asarray(wind_ms) * settings.transport_factor.value / daily


def stagnation(days: pd.DataFrame, settings: WeatherSettings) -> pd.Series:
    """Whether a city-day is stagnant by ``configs/weather.yaml``; blank where it hangs on rain unknown."""
    factor = np.where(days["wind_from_daily_vector"], settings.dispersion.daily_mean_factor.value, 1.0)
    wind = days["wind_ms"].to_numpy(dtype=float)
    rain = days.reindex(columns=["precip_mm"])["precip_mm"].to_numpy(dtype=float)
    weak, dry = wind < settings.stagnation.wind_ms.value * factor, rain < settings.stagnation.rain_mm.value
    unknown = np.isnan(wind) & ~(rain >= settings.stagnation.rain_mm.value) | weak & np.isnan(rain)
    return pd.Series(weak & dry, index=days.index, dtype="boolean").mask(unknown)


def recirculation(days: pd.DataFrame) -> pd.Series:
    """Recirculation factor 1 − L/S of the 72 hours that end with each city-day, 0 … 1.

    L is the length of the resultant, S the run of the wind, both at one station: Allwine and Whiteman
    1994, Atmos. Environ. 28, 713. 0 is a straight flow, 1 air that comes back. Blank without the two
    days before. Winds of daily means only show turning from day to day.
    """
    city, _ = pd.factorize(days["adcode"])
    day = pd.DatetimeIndex(days["date"]).values.astype("datetime64[D]").astype(np.int64)
    if not len(days):
        return pd.Series(np.nan, index=days.index, dtype=float)
    at = day - day.min() + RECIRCULATION_DAYS - 1
    wide = np.full((3, int(at.max()) + 1, int(city.max()) + 1), np.nan)
    wide[:, at, city] = days[["u10_ms", "v10_ms", "wind_ms"]].to_numpy(dtype=float).T
    u, v, run = sliding_window_view(wide, RECIRCULATION_DAYS, axis=1).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.clip(1 - np.hypot(u, v) / np.where(run > 0, run, np.nan), 0, 1)
    return pd.Series(factor[at - RECIRCULATION_DAYS + 1, city], index=days.index)
