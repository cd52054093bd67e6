"""Daily weather at the cities: bilinear values at the urban stations, day means, dispersion grade."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr

from yrd_airq.clock import day_of_label
from yrd_airq.errors import InputError
from yrd_airq.region import Region
from yrd_airq.vocab import WeatherKind
from yrd_airq.weather.grid import at_points, covered_days, weather_for
from yrd_airq.weather.settings import GRADES, DispersionSettings

_BLOCK_DAYS = 60
_MEANS = ("u10_ms", "v10_ms", "wind_ms", "t2m_c", "rh_pct", "sp_hpa", "blh_m", "precip_mm", "ssrd_wm2", "tcc")
_PRINTED = {
    "t2m_c": ("t2m_k", 1.0, -273.15),
    "sp_hpa": ("sp_pa", 0.01, 0.0),
    "precip_mm": ("precip_mmh", 24.0, 0.0),
}
_ALWAYS = ("u10_ms", "v10_ms", "wind_ms", "t2m_c", "rh_pct", "sp_hpa")


def city_daily_weather(
    files: pd.DataFrame,
    region: Region,
    first: date,
    last: date,
    issue_time: datetime,
    gaps: Literal["refuse", "skip"] = "refuse",
) -> pd.DataFrame:
    """Weather of every city and day ``first`` … ``last`` from weather files, best known at ``issue_time``.

    ``files`` has the canonical WEATHER columns. Columns: see ``city_daily``; ordered by adcode and
    date. Days of which an hour is missing: ``InputError`` (see ``weather_for``), or with ``gaps`` skip
    left out, so that the frame may be empty.
    """
    days = pd.date_range(first, last, freq="D")
    if days.empty:
        raise InputError(f"city weather asked from {first} to {last}: the span is empty")
    if gaps == "skip":
        days = covered_days(files, first, last, issue_time)
    # Runs of days without a break, cut into blocks that fit into memory.
    run = np.cumsum(np.diff(days, prepend=days[:1]) > np.timedelta64(1, "D"))
    blocks = []
    for _, part in pd.Series(days, index=days).groupby(run):
        for start in range(0, len(part), _BLOCK_DAYS):
            block = part.iloc[start : start + _BLOCK_DAYS]
            blocks.append(_block(files, region, block.iloc[0], block.iloc[-1], issue_time))
    if not blocks:
        return pd.DataFrame(columns=["adcode", "date", "kind", *_ALWAYS, "wind_from_daily_vector"])
    return pd.concat(blocks, ignore_index=True).sort_values(["adcode", "date"], ignore_index=True)


def _block(
    files: pd.DataFrame, region: Region, first: pd.Timestamp, last: pd.Timestamp, issue_time: datetime
) -> pd.DataFrame:
    span = weather_for(files, first + pd.Timedelta(hours=1), last + pd.Timedelta(days=1), issue_time)
    block = city_daily(span, region)
    return block[block["date"].between(first, last)]


def city_daily(weather: xr.Dataset, region: Region) -> pd.DataFrame:
    """One row per city and Beijing day of a gridded dataset (hour-ending labels, daily means as such).

    Columns ``adcode, date, kind, u10_ms, v10_ms, wind_ms, t2m_c, rh_pct, sp_hpa`` and, where the data
    have them, ``blh_m, precip_mm`` (sum of the day), ``ssrd_wm2, tcc``; blank where the file lacks
    the field. ``wind_ms`` is the mean of the speeds; where ``wind_from_daily_vector`` is true it is
    the speed of the daily mean vector, which is lower. A day with any forecast step is ``forecast``.
    """
    values = _at_cities(weather, region)
    day = day_of_label(pd.DatetimeIndex(weather["time"].values))
    weight = pd.Series(weather["step_hours"].values.astype(float), index=day)
    total = weight.groupby(level=0).sum()
    columns = {
        name: (frame.mul(weight.values, axis=0).groupby(day).sum(min_count=1).div(total, axis=0))
        for name, frame in values.items()
    }
    blank = {name: frame.isna().groupby(day).any() for name, frame in values.items()}
    long = pd.DataFrame(
        {name: frame.mask(blank[name]).stack(future_stack=True) for name, frame in columns.items()}
    )
    long.index.names = ["date", "adcode"]
    out = long.reset_index()
    forecast = (
        pd.Series(weather["kind"].values == WeatherKind.FORECAST.value, index=day).groupby(level=0).any()
    )
    vector = pd.Series(weather["step_hours"].values == 24, index=day).groupby(level=0).any()
    is_forecast = out["date"].map(forecast).astype(bool)
    out["kind"] = np.where(is_forecast, WeatherKind.FORECAST.value, WeatherKind.ANALYSIS.value)
    out["wind_from_daily_vector"] = out["date"].map(vector).astype(bool)
    order = ["adcode", "date", "kind", *[name for name in _MEANS if name in out], "wind_from_daily_vector"]
    return out[order].sort_values(["adcode", "date"], ignore_index=True)


def city_daily_of_archive(values: pd.DataFrame) -> pd.DataFrame:
    """City weather that an archive carries itself, in the columns of ``city_daily``.

    ``values``: adcode, date, variable (u10_ms, v10_ms, t2m_k, rh_pct, sp_pa), value, kind. Winds are
    daily vectors. Absent variables are blank; no rows give an empty frame.
    """
    if values.empty:
        return pd.DataFrame(columns=["adcode", "date", "kind", *_ALWAYS, "wind_from_daily_vector"])
    wide = values.set_index(["adcode", "date", "kind", "variable"])["value"].unstack()
    wide = wide.reindex(columns=["u10_ms", "v10_ms", "t2m_k", "rh_pct", "sp_pa"])
    out = wide.reset_index().rename_axis(columns=None)
    out["wind_ms"] = np.hypot(out["u10_ms"], out["v10_ms"])
    for name in ("t2m_c", "sp_hpa"):
        source, factor, shift = _PRINTED[name]
        out[name] = out[source] * factor + shift
    out["wind_from_daily_vector"] = True
    order = ["adcode", "date", "kind", *_ALWAYS, "wind_from_daily_vector"]
    return out[order].sort_values(["adcode", "date"], ignore_index=True)


def dispersion_grade(city_days: pd.DataFrame, settings: DispersionSettings) -> pd.Series:
    """Grade 好 … 差 of each city-day by the rule of ``configs/weather.yaml``; blank where the wind is.

    Wind gives the grade; rain and a deep mixed layer better it, a shallow layer and calm humid air
    worsen it, each by one. Fields the data lack have no say.
    """
    factor = np.where(city_days["wind_from_daily_vector"], settings.daily_mean_factor.value, 1.0)
    wind = city_days["wind_ms"].to_numpy(dtype=float)
    grade = np.zeros(len(city_days), dtype=int)
    field = city_days.reindex(columns=["precip_mm", "blh_m", "rh_pct"]).astype(float)
    for limit in settings.wind_ms:
        grade += wind < limit.value * factor
    weak = grade >= 3

    grade -= field["precip_mm"].to_numpy() >= settings.wash_out_mm.value
    grade -= field["blh_m"].to_numpy() >= settings.deep_layer_m.value
    grade += field["blh_m"].to_numpy() < settings.shallow_layer_m.value
    grade += weak & (field["rh_pct"].to_numpy() >= settings.humid_pct.value)
    names = np.array(GRADES, dtype=object)[np.clip(grade, 0, len(GRADES) - 1)]
    return pd.Series(
        np.where(np.isnan(wind), None, names), index=city_days.index, name="dispersion", dtype=object
    )


def _at_cities(weather: xr.Dataset, region: Region) -> dict[str, pd.DataFrame]:
    """Fields in printed units, each a frame (time × adcode); ``InputError`` for cities off the grid."""
    lon, lat = region.lonlat.T
    lat_axis, lon_axis = weather["lat"].values, weather["lon"].values
    off = (lon < lon_axis.min()) | (lon > lon_axis.max()) | (lat < lat_axis.min()) | (lat > lat_axis.max())
    if off.any():
        cities = ", ".join(np.array([city.name_en for city in region.cities])[off])
        raise InputError(
            f"the weather grid ({lon_axis.min():g}–{lon_axis.max():g}°E, "
            f"{lat_axis.min():g}–{lat_axis.max():g}°N) does not cover {cities}; fetch a larger area"
        )
    points = at_points(weather, lon, lat)
    times = pd.DatetimeIndex(weather["time"].values)
    raw = {
        str(name): pd.DataFrame(points[name].transpose("time", "point").values, times, list(region.adcodes))
        for name in points.data_vars
    }
    raw["wind_ms"] = (raw["u10_ms"] ** 2 + raw["v10_ms"] ** 2) ** 0.5
    fields = dict(raw)
    for name, (source, factor, offset) in _PRINTED.items():
        if source in raw:
            fields[name] = raw[source] * factor + offset
    blank = pd.DataFrame(np.nan, times, list(region.adcodes))
    return {name: fields.get(name, blank) for name in _MEANS if name in fields or name in _ALWAYS}
