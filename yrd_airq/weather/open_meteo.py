"""Answers of the Open-Meteo service for many points turned into one canonical dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from yrd_airq.clock import from_utc
from yrd_airq.errors import InputError
from yrd_airq.sources.netcdf_layout import COMPOSITION, SURFACE
from yrd_airq.vocab import WeatherKind

Values = NDArray[np.float64]

_SPEED = {"m/s": 1.0, "km/h": 1 / 3.6, "kn": 1852 / 3600, "mp/h": 0.44704}
_MASS = {"μg/m³": 1.0, "µg/m³": 1.0}
# Variable of the service → canonical name, units with factor, shift added after it.
_FIELDS: dict[str, tuple[str, dict[str, float], float]] = {
    "temperature_2m": ("t2m_k", {"°C": 1.0}, 273.15),
    "relative_humidity_2m": ("rh_pct", {"%": 1.0}, 0.0),
    "surface_pressure": ("sp_pa", {"hPa": 100.0}, 0.0),
    "boundary_layer_height": ("blh_m", {"m": 1.0}, 0.0),
    "precipitation": ("precip_mmh", {"mm": 1.0, "inch": 25.4}, 0.0),
    "shortwave_radiation": ("ssrd_wm2", {"W/m²": 1.0}, 0.0),
    "cloud_cover": ("tcc", {"%": 0.01}, 0.0),
    "pm2_5": ("pm25_ugm3", _MASS, 0.0),
    "pm10": ("pm10_ugm3", _MASS, 0.0),
    "ozone": ("o3_ugm3", _MASS, 0.0),
    "nitrogen_dioxide": ("no2_ugm3", _MASS, 0.0),
    "sulphur_dioxide": ("so2_ugm3", _MASS, 0.0),
    "carbon_monoxide": ("co_mgm3", {unit: 0.001 for unit in _MASS}, 0.0),
}
_WIND = ("wind_speed_10m", "wind_direction_10m")


def open_meteo_grid(
    points: Sequence[Mapping[str, Any]] | Mapping[str, Any], issue_time: datetime | None = None
) -> xr.Dataset:
    """The hourly answer of Open-Meteo for the points of a regular grid as a canonical dataset.

    ``points`` is the service's JSON for several coordinates, a list of objects. Their order is free, but
    they must fill a latitude–longitude grid. Units are taken from ``hourly_units``; wind from speed and
    direction. Times are turned to Beijing by ``utc_offset_seconds`` (``unixtime`` is UTC). Rain is that
    of the hour before. The service does not say when its forecast was made: give ``issue_time``
    (Beijing), else the answer counts as an analysis, as that of the archive service is.

    Dimensions and attributes as ``open_weather``. Steps at which no point has a wind are left out and
    named in the attribute ``missing``; a step at which only some have one is an ``InputError``, as are
    an answer of refusal, an unknown unit, points that make no grid, and points of different hours.
    """
    answers = [points] if isinstance(points, Mapping) else list(points)
    for number, answer in enumerate(answers, start=1):
        if answer.get("error") or "hourly" not in answer:
            reason = answer.get("reason", "no hourly values")
            raise InputError(f"Open-Meteo answer, point {number}: {reason}; mend the request")
    lat, lon, place = _grid(answers)
    times = _times(answers)
    fields = {}
    for name in answers[0]["hourly"]:
        if name in _FIELDS:
            key, units, shift = _FIELDS[name]
            fields[key] = _values(answers, name, place, len(times)) * _factor(answers, name, units) + shift
    if set(_WIND) <= set(answers[0]["hourly"]):
        speed = _values(answers, _WIND[0], place, len(times)) * _factor(answers, _WIND[0], _SPEED)
        angle = np.radians(_values(answers, _WIND[1], place, len(times)))
        fields["u10_ms"], fields["v10_ms"] = -speed * np.sin(angle), -speed * np.cos(angle)
    if not fields:
        raise InputError("Open-Meteo answer: none of the hourly variables is known; ask for wind_speed_10m …")
    return _dataset(fields, times, lat, lon, issue_time)


def _dataset(
    fields: dict[str, Values], times: pd.DatetimeIndex, lat: Values, lon: Values, issue_time: datetime | None
) -> xr.Dataset:
    kept = _steps_with_wind(fields, times)
    order = [name for name in (*SURFACE, *COMPOSITION) if name in fields]
    kind = WeatherKind.ANALYSIS if issue_time is None else WeatherKind.FORECAST
    out = xr.Dataset(
        {name: (("time", "lat", "lon"), fields[name][kept]) for name in order},
        coords={"time": times[kept], "lat": lat, "lon": lon},
    )
    lead = np.full(int(kept.sum()), np.nan)
    if issue_time is not None:
        lead = (times[kept].values - np.datetime64(issue_time)) / np.timedelta64(1, "h")
    out["kind"] = ("time", np.full(int(kept.sum()), kind.value, dtype=object))
    out["step_hours"] = ("time", np.full(int(kept.sum()), 1))
    out["lead_hours"] = ("time", lead)
    out.attrs = {
        "kind": kind.value,
        "issue_time": "" if issue_time is None else pd.Timestamp(issue_time).isoformat(),
        "step_hours": 1,
        "layout": "open_meteo",
        "missing": ",".join(f"{stamp:%Y-%m-%dT%H:%M}" for stamp in times[~kept]),
    }
    return out


def _steps_with_wind(fields: dict[str, Values], times: pd.DatetimeIndex) -> NDArray[np.bool_]:
    if "u10_ms" not in fields:
        return np.ones(len(times), dtype=bool)
    blank = np.isnan(fields["u10_ms"]).reshape(len(times), -1)
    partly = blank.any(axis=1) & ~blank.all(axis=1)
    if partly.any():
        at = int(np.argmax(partly))
        raise InputError(
            f"Open-Meteo answer: no wind at {int(blank[at].sum())} of {blank.shape[1]} points at "
            f"{times[at]:%Y-%m-%d %H:%M}; ask again or leave those points out"
        )
    kept = np.asarray(~blank.all(axis=1), dtype=bool)
    if not kept.any():
        raise InputError("Open-Meteo answer: no wind at any time; ask another model")
    return kept


def _grid(answers: Sequence[Mapping[str, Any]]) -> tuple[Values, Values, NDArray[np.int64]]:
    """Rising axes, and the cell of each answer in their grid."""
    where = np.array([[answer["latitude"], answer["longitude"]] for answer in answers], dtype=float).round(4)
    lat, row = np.unique(where[:, 0], return_inverse=True)
    lon, column = np.unique(where[:, 1], return_inverse=True)
    place = row * len(lon) + column
    whole = len(lat) > 1 and len(lon) > 1 and len(np.unique(place)) == len(answers) == len(lat) * len(lon)
    if not whole:
        raise InputError(
            f"Open-Meteo answer: {len(answers)} point(s) with {len(lat)} latitudes and {len(lon)} longitudes "
            "make no grid; ask for every point of a grid no finer than the model's cells, to which the "
            "service moves them"
        )
    return lat, lon, place


def _times(answers: Sequence[Mapping[str, Any]]) -> pd.DatetimeIndex:
    """Naive Beijing times, the same for all points."""
    raw = answers[0]["hourly"]["time"]
    if any(answer["hourly"]["time"] != raw for answer in answers[1:]):
        raise InputError("Open-Meteo answer: the points have different hours; ask for all of them at once")
    if answers[0].get("hourly_units", {}).get("time") == "unixtime":
        utc = pd.DatetimeIndex(pd.to_datetime(raw, unit="s"))
    else:
        utc = pd.DatetimeIndex(raw) - pd.Timedelta(seconds=int(answers[0].get("utc_offset_seconds", 0)))
    times = from_utc(utc).as_unit("ns")
    if times.empty or not times.is_monotonic_increasing or not times.is_unique:
        raise InputError("Open-Meteo answer: no hours, or hours that repeat or fall; ask again")
    return times


def _factor(answers: Sequence[Mapping[str, Any]], name: str, units: Mapping[str, float]) -> float:
    found = {str(answer.get("hourly_units", {}).get(name, "")) for answer in answers}
    unit = next(iter(found))
    if len(found) > 1 or unit not in units:
        told = ", ".join(sorted(found)) or "no unit"
        raise InputError(f"Open-Meteo answer: {name} is in {told!r}; known are {', '.join(units)}")
    return units[unit]


def _values(answers: Sequence[Mapping[str, Any]], name: str, place: NDArray[np.int64], steps: int) -> Values:
    """Values (time, lat, lon); null is NaN."""
    columns = [answer["hourly"].get(name) for answer in answers]
    if any(column is None or len(column) != steps for column in columns):
        raise InputError(f"Open-Meteo answer: {name} is not given for every point and hour; ask again")
    values = np.empty((steps, len(answers)))
    values[:, place] = np.array(columns, dtype=float).T
    return values.reshape(steps, -1, _columns(answers))


def _columns(answers: Sequence[Mapping[str, Any]]) -> int:
    return len({round(float(answer["longitude"]), 4) for answer in answers})
