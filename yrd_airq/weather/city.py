"""Weather at the cities: bilinear values at the urban stations by step and by day, dispersion grade."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Literal

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from yrd_airq.clock import day_of_label
from yrd_airq.errors import InputError
from yrd_airq.region import Region
from yrd_airq.vocab import WeatherKind
from yrd_airq.weather.derived import (
    RECIRCULATION_DAYS,
    recirculation,
    stagnation,
    ventilation,
    wind_direction,
)
from yrd_airq.weather.fields import Area
from yrd_airq.weather.grid import covered_days, weather_for
from yrd_airq.weather.points import at_points
from yrd_airq.weather.settings import GRADES, DispersionSettings, WeatherSettings, load_weather

_BLOCK_DAYS = 60
_MARGIN_DEG = 1.5
_MEANS = ("u10_ms", "v10_ms", "wind_ms", "t2m_c", "rh_pct", "sp_hpa", "blh_m", "precip_mm", "ssrd_wm2", "tcc")
_STEP_COLUMNS = tuple("precip_mmh" if name == "precip_mm" else name for name in _MEANS)
_PRINTED = {
    "t2m_c": ("t2m_k", 1.0, -273.15),
    "sp_hpa": ("sp_pa", 0.01, 0.0),
    "precip_mm": ("precip_mmh", 24.0, 0.0),
}
_ALWAYS = ("u10_ms", "v10_ms", "wind_ms", "t2m_c", "rh_pct", "sp_hpa")
_DERIVED = ("wind_dir_deg", "vent_m2s", "stagnant", "recirculation")


def city_daily_weather(
    files: pd.DataFrame,
    region: Region,
    first: date,
    last: date,
    issue_time: datetime,
    gaps: Literal["refuse", "skip"] = "refuse",
    settings: WeatherSettings | None = None,
) -> pd.DataFrame:
    """Weather of every city and day ``first`` … ``last`` from weather files, best known at ``issue_time``.

    ``files`` has the canonical WEATHER columns. Columns: see ``city_daily``; ordered by adcode and
    date. Days of which an hour is missing: ``InputError`` (see ``weather_for``), or with ``gaps`` skip
    left out, so that the frame may be empty. The two days before ``first`` are read too where they are
    covered, for the recirculation. ``settings`` are those of ``configs/weather.yaml`` unless given.
    """
    rule = settings or load_weather()
    days = pd.date_range(first, last, freq="D")
    if days.empty:
        raise InputError(f"city weather asked from {first} to {last}: the span is empty")
    if gaps == "skip":
        days = covered_days(files, first, last, issue_time)
    before = days[:1] - pd.to_timedelta(RECIRCULATION_DAYS - 1, unit="D")
    if len(days):
        led = covered_days(files, before[0], days[0] - pd.Timedelta(days=1), issue_time)
        days = pd.DatetimeIndex([*led, *days])
    blocks = _in_blocks(days, lambda a, b: _day_means(_span(files, region, a, b, issue_time), region, rule))
    if not blocks:
        return _empty_days()
    out = _completed(pd.concat(blocks, ignore_index=True), rule)
    return out[out["date"] >= pd.Timestamp(first)].reset_index(drop=True)


def city_hourly_weather(
    files: pd.DataFrame,
    region: Region,
    first: date,
    last: date,
    issue_time: datetime,
    gaps: Literal["refuse", "skip"] = "refuse",
    settings: WeatherSettings | None = None,
) -> pd.DataFrame:
    """Weather of every city at every step of the days ``first`` … ``last``, best known at ``issue_time``.

    Columns: see ``city_steps``; ordered by adcode and time. Steps are those of the files, nothing is
    filled in between: hourly, 3-hourly, or 12:00 of the day for daily means (``step_hours``). Days with
    missing hours as in ``city_daily_weather``.
    """
    rule = settings or load_weather()
    days = pd.date_range(first, last, freq="D")
    if gaps == "skip":
        days = covered_days(files, first, last, issue_time)
    blocks = _in_blocks(days, lambda a, b: city_steps(_span(files, region, a, b, issue_time), region, rule))
    if not blocks:
        return pd.DataFrame(columns=["adcode", "time", "kind", "step_hours", "lead_hours", *_ALWAYS])
    out = pd.concat(blocks, ignore_index=True)
    return out.sort_values(["adcode", "time"], ignore_index=True)


def _in_blocks(
    days: pd.DatetimeIndex, make: Callable[[pd.Timestamp, pd.Timestamp], pd.DataFrame]
) -> list[pd.DataFrame]:
    """Frames of runs of days without a break, cut into blocks that fit into memory."""
    run = np.cumsum(np.diff(days, prepend=days[:1]) > np.timedelta64(1, "D"))
    blocks = []
    for _, part in pd.Series(days, index=days).groupby(run):
        for start in range(0, len(part), _BLOCK_DAYS):
            block = part.iloc[start : start + _BLOCK_DAYS]
            frame = make(block.iloc[0], block.iloc[-1])
            name = "date" if "date" in frame else "time"
            day = frame[name] if name == "date" else day_of_label(pd.DatetimeIndex(frame[name]))
            blocks.append(frame[(day >= block.iloc[0]) & (day <= block.iloc[-1])])
    return blocks


def _span(
    files: pd.DataFrame, region: Region, first: pd.Timestamp, last: pd.Timestamp, issue_time: datetime
) -> xr.Dataset:
    hours = (first + pd.Timedelta(hours=1), last + pd.Timedelta(days=1))
    return weather_for(files, *hours, issue_time, area=_area(region))


def _area(region: Region) -> Area:
    """The box around the cities, wide enough for a cell of coarse grids."""
    low, high = region.lonlat.min(axis=0) - _MARGIN_DEG, region.lonlat.max(axis=0) + _MARGIN_DEG
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def city_steps(weather: xr.Dataset, region: Region, settings: WeatherSettings) -> pd.DataFrame:
    """One row per city and step of a gridded dataset.

    Columns ``adcode, time, kind, step_hours, lead_hours, u10_ms, v10_ms, wind_ms, t2m_c, rh_pct, sp_hpa``
    and where the data have them ``blh_m, precip_mmh, ssrd_wm2, tcc``; then ``wind_dir_deg`` (from where)
    and ``vent_m2s`` (blank without a boundary-layer height).
    """
    values = _at_cities(weather, region, settings)
    if "precip_mm" in values:
        values["precip_mmh"] = values.pop("precip_mm") / _PRINTED["precip_mm"][1]
    times = pd.DatetimeIndex(weather["time"].values)
    out = _long(values, times, "time", region)
    for name in ("kind", "step_hours", "lead_hours"):
        out[name] = np.repeat(weather[name].values, len(region.adcodes))
    out["wind_dir_deg"] = wind_direction(out["u10_ms"], out["v10_ms"])
    given = [name for name in _STEP_COLUMNS if name in out]
    order = ["adcode", "time", "kind", "step_hours", "lead_hours", *given, "wind_dir_deg", "vent_m2s"]
    return out[order].sort_values(["adcode", "time"], ignore_index=True)


def city_daily(weather: xr.Dataset, region: Region, settings: WeatherSettings) -> pd.DataFrame:
    """One row per city and Beijing day of a gridded dataset (hour-ending labels, daily means as such).

    Columns ``adcode, date, kind, u10_ms, v10_ms, wind_ms, t2m_c, rh_pct, sp_hpa`` and, where the data
    have them, ``blh_m, precip_mm`` (sum of the day), ``ssrd_wm2, tcc``; blank where the file lacks
    the field. ``wind_ms`` is the mean of the speeds; where ``wind_from_daily_vector`` is true it is
    the speed of the daily mean vector, which is lower. A day with any forecast step is ``forecast``.
    Then ``wind_dir_deg`` (of the mean vector), ``vent_m2s`` (mean of the steps' ventilation coefficients,
    blank without a boundary-layer height), ``stagnant`` and ``recirculation`` (see ``derived``).
    """
    return _completed(_day_means(weather, region, settings), settings)


def _day_means(weather: xr.Dataset, region: Region, settings: WeatherSettings) -> pd.DataFrame:
    """Means of the days, weighted by the length of the steps; blank where a step of the day is."""
    label = day_of_label(pd.DatetimeIndex(weather["time"].values))
    days, starts = np.unique(label.values, return_index=True)
    weight = weather["step_hours"].values.astype(float)[:, None]
    total = np.add.reduceat(weight, starts, axis=0)
    means = {
        name: np.add.reduceat(values * weight, starts, axis=0) / total
        for name, values in _at_cities(weather, region, settings).items()
    }
    out = _long(means, pd.DatetimeIndex(days), "date", region)
    forecast = np.maximum.reduceat(weather["kind"].values == WeatherKind.FORECAST.value, starts)
    vector = np.maximum.reduceat(weather["step_hours"].values == 24, starts)
    kind = np.where(forecast, WeatherKind.FORECAST.value, WeatherKind.ANALYSIS.value)
    out["kind"] = np.repeat(kind, len(region.adcodes))
    out["wind_from_daily_vector"] = np.repeat(vector, len(region.adcodes))
    return out


def _long(
    values: dict[str, NDArray[np.float64]], times: pd.DatetimeIndex, name: str, region: Region
) -> pd.DataFrame:
    """Fields (time, city) as columns of one frame beside ``name`` and adcode."""
    rows = {name: times.repeat(len(region.adcodes)), "adcode": np.tile(region.adcodes, len(times))}
    return pd.DataFrame(rows | {key: field.ravel() for key, field in values.items()})


def _completed(days: pd.DataFrame, settings: WeatherSettings) -> pd.DataFrame:
    """City-days with the derived columns, in the order of columns and rows that all share."""
    days = days.assign(
        wind_dir_deg=wind_direction(days["u10_ms"], days["v10_ms"]),
        stagnant=stagnation(days, settings),
        recirculation=recirculation(days),
    )
    if "vent_m2s" not in days:
        days["vent_m2s"] = np.nan
    given = [name for name in _MEANS if name in days]
    order = ["adcode", "date", "kind", *given, "wind_from_daily_vector", *_DERIVED]
    return days[order].sort_values(["adcode", "date"], ignore_index=True)


def _empty_days() -> pd.DataFrame:
    return pd.DataFrame(columns=["adcode", "date", "kind", *_ALWAYS, "wind_from_daily_vector", *_DERIVED])


def city_daily_of_archive(values: pd.DataFrame, settings: WeatherSettings | None = None) -> pd.DataFrame:
    """City weather that an archive carries itself, in the columns of ``city_daily``.

    ``values``: adcode, date, variable (u10_ms, v10_ms, t2m_k, rh_pct, sp_pa), value, kind. Winds are
    daily vectors. Absent variables are blank; no rows give an empty frame.
    """
    if values.empty:
        return _empty_days()
    wide = values.set_index(["adcode", "date", "kind", "variable"])["value"].unstack()
    wide = wide.reindex(columns=["u10_ms", "v10_ms", "t2m_k", "rh_pct", "sp_pa"])
    out = wide.reset_index().rename_axis(columns=None)
    out["wind_ms"] = np.hypot(out["u10_ms"], out["v10_ms"])
    for name in ("t2m_c", "sp_hpa"):
        source, factor, shift = _PRINTED[name]
        out[name] = out[source] * factor + shift
    out["wind_from_daily_vector"] = True
    return _completed(out, settings or load_weather())


def dispersion_grade(city_days: pd.DataFrame, settings: DispersionSettings) -> pd.Series:
    """Grade 好 … 差 of each city-day by the rule of ``configs/weather.yaml``; blank where the wind is.

    Wind gives the grade; rain and a deep mixed layer better it, a shallow layer and calm humid air
    worsen it, each by one. A stagnant day is 一般 at best. Fields the data lack have no say.
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
    if "stagnant" in city_days:
        stagnant = city_days["stagnant"].astype("boolean").fillna(False).to_numpy(dtype=bool)
        grade = np.where(stagnant, np.maximum(grade, GRADES.index("一般")), grade)
    names = np.array(GRADES, dtype=object)[np.clip(grade, 0, len(GRADES) - 1)]
    return pd.Series(
        np.where(np.isnan(wind), None, names), index=city_days.index, name="dispersion", dtype=object
    )


def _at_cities(
    weather: xr.Dataset, region: Region, settings: WeatherSettings
) -> dict[str, NDArray[np.float64]]:
    """Fields in printed units, each (time, city); ``InputError`` for cities off the grid."""
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
    raw = {str(name): points[name].values for name in points.data_vars}
    raw["wind_ms"] = np.hypot(raw["u10_ms"], raw["v10_ms"])
    fields = dict(raw)
    for name, (source, factor, offset) in _PRINTED.items():
        if source in raw:
            fields[name] = raw[source] * factor + offset
    blank = np.full_like(raw["wind_ms"], np.nan)
    out = {name: fields.get(name, blank) for name in _MEANS if name in fields or name in _ALWAYS}
    daily = weather["step_hours"].values[:, None] == 24
    out["vent_m2s"] = ventilation(raw["blh_m"], raw["wind_ms"], daily, settings) if "blh_m" in raw else blank
    return out
