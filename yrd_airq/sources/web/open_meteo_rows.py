"""Answers of Open-Meteo as rows: units as the answer names them, winds as u and v, Beijing time."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from yrd_airq.clock import from_utc
from yrd_airq.sources.text import repeats
from yrd_airq.sources.web.answers import BrokenAnswerError
from yrd_airq.sources.web.cells import Cells, LineFaults, Melted, as_text, melt, read_cells
from yrd_airq.sources.web.moments import Moments, read_moments

_DAY_S = 86400
_CELSIUS = {"°C": (1.0, 273.15), "°F": (5 / 9, 459.67 * 5 / 9), "K": (1.0, 0.0)}
_SPEED = {
    "m/s": (1.0, 0.0),
    "km/h": (1 / 3.6, 0.0),
    "mp/h": (0.44704, 0.0),
    "mph": (0.44704, 0.0),
    "kn": (1852 / 3600, 0.0),
}
_MASS = {"µg/m³": (1.0, 0.0), "mg/m³": (1000.0, 0.0)}
_CARBON = {"µg/m³": (0.001, 0.0), "mg/m³": (1.0, 0.0)}
_LENGTH = {"m": (1.0, 0.0), "ft": (0.3048, 0.0)}


@dataclass(frozen=True)
class Variable:
    """A variable here: its name, and factor and offset from each unit that the service may answer in."""

    name: str
    units: dict[str, tuple[float, float]]


VARIABLES = {
    "temperature_2m": Variable("t2m_k", _CELSIUS),
    "relative_humidity_2m": Variable("rh_pct", {"%": (1.0, 0.0)}),
    "surface_pressure": Variable("sp_pa", {"hPa": (100.0, 0.0), "Pa": (1.0, 0.0)}),
    "wind_speed_10m": Variable("u10_ms", _SPEED),
    "wind_direction_10m": Variable("v10_ms", {"°": (1.0, 0.0)}),
    "boundary_layer_height": Variable("blh_m", _LENGTH),
    "precipitation": Variable("precip_mmh", {"mm": (1.0, 0.0), "inch": (25.4, 0.0)}),
    "shortwave_radiation": Variable("ssrd_wm2", {"W/m²": (1.0, 0.0)}),
    "cloud_cover": Variable("tcc", {"%": (0.01, 0.0)}),
    "pm2_5": Variable("pm25_ugm3", _MASS),
    "pm10": Variable("pm10_ugm3", _MASS),
    "ozone": Variable("o3_ugm3", _MASS),
    "nitrogen_dioxide": Variable("no2_ugm3", _MASS),
    "sulphur_dioxide": Variable("so2_ugm3", _MASS),
    "carbon_monoxide": Variable("co_mgm3", _CARBON),
    "dust": Variable("dust_ugm3", _MASS),
    "aerosol_optical_depth": Variable("aod550", {"": (1.0, 0.0)}),
}
"""Hourly variables that can be asked for; wind speed and direction together become u and v."""

_SPEED_NAME, _DIRECTION_NAME = "wind_speed_10m", "wind_direction_10m"
_SUFFIX = re.compile(r"^(?P<name>.+?)(?:_previous_day(?P<days>\d+))?$")


@dataclass(frozen=True)
class ModelHours:
    """Values of several places: which place and hour each is of, variable, value, days before (0: none)."""

    place: NDArray[np.int64]
    time: Moments
    variable: pa.Array
    value: NDArray[np.float64]
    days_before: NDArray[np.int64]
    refused: pa.Table
    rows_in: int
    absent: tuple[str, ...]


def read_places(data: Any, count: int) -> list[dict[str, Any]]:
    """The answers for ``count`` places: a list, or for a single place its object alone.

    Raises ``BrokenAnswerError`` for anything else.
    """
    places = data if isinstance(data, list) else [data]
    if len(places) != count or not all(isinstance(place, dict) for place in places):
        raise BrokenAnswerError(f"answered JSON of {len(places)} places where {count} were asked for")
    for place in places:
        hourly = place.get("hourly")
        times = hourly.get("time") if isinstance(hourly, dict) else None
        if not isinstance(times, list):
            raise BrokenAnswerError("answered JSON without hours")
        short = [n for n, v in hourly.items() if not isinstance(v, list) or len(v) != len(times)]
        if short:
            raise BrokenAnswerError(f"answered {short[0]} with another number of values than hours")
    return places


def read_model_hours(places: Sequence[dict[str, Any]], asked: Sequence[str]) -> ModelHours:
    """Values of the variables ``asked`` at all places, in the units of the store.

    Units are those that the answer names, whatever was asked for; a variable in another unit is refused.
    """
    columns: dict[str, list[object]] = {name: [] for name in asked}
    place, moments, absent = [], [], set()
    for number, answer in enumerate(places):
        hourly = answer["hourly"]
        count = len(hourly["time"])
        place.append(np.full(count, number, dtype=np.int64))
        moments.append(_beijing(answer))
        for name in asked:
            columns[name] += hourly.get(name, [None] * count)
            absent |= set() if name in hourly else {name}
    where, time = np.concatenate(place), np.concatenate(moments)
    cells = _convert(
        read_cells(columns, signed=True), [answer.get("hourly_units") for answer in places], where
    )
    faults = LineFaults(len(where), lambda k: f"place {where[k] + 1}, {time[k]}")
    faults.add(np.isnat(time), "time", "not a time; left out")
    again = repeats(pa.array(where), pa.array(time))
    faults.add(again, "time", "repeats an earlier hour, which is kept")
    return _named(melt(_winds(cells), faults), cells.fields, where, time, tuple(sorted(absent)))


def _named(
    melted: Melted, fields: tuple[str, ...], place: NDArray[np.int64], time: Moments, absent: tuple[str, ...]
) -> ModelHours:
    parts = [_split(field) for field in fields]
    names = pa.array([VARIABLES[name].name for name, _ in parts], pa.string())
    days = np.array([days for _, days in parts], dtype=np.int64)
    return ModelHours(
        place[melted.line],
        time[melted.line],
        names.take(pa.array(melted.field)),
        melted.value,
        days[melted.field],
        melted.refused,
        melted.rows_in,
        absent,
    )


def _split(field: str) -> tuple[str, int]:
    """Variable and days before of ``temperature_2m_previous_day1``."""
    found = _SUFFIX.match(field)
    if found is None or found["name"] not in VARIABLES:
        raise BrokenAnswerError(f"holds the unknown variable {field}")
    return found["name"], int(found["days"] or 0)


def _beijing(answer: dict[str, Any]) -> Moments:
    """Hours of one place as Beijing time, by the offset that the answer names."""
    units = answer.get("hourly_units")
    offset = answer.get("utc_offset_seconds")
    if isinstance(units, dict) and units.get("time") == "unixtime":
        seconds = pd.to_numeric(pd.Series(answer["hourly"]["time"], dtype=object), errors="coerce")
        utc = pd.DatetimeIndex(pd.to_datetime(seconds, unit="s", errors="coerce"))
        return np.asarray(from_utc(utc).to_numpy(), dtype="datetime64[us]")
    # Written so that an offset of NaN is refused too.
    if isinstance(offset, bool) or not isinstance(offset, int | float) or not abs(offset) <= _DAY_S:
        raise BrokenAnswerError("answered JSON without the offset of its times (utc_offset_seconds)")
    local = read_moments([as_text(text) for text in answer["hourly"]["time"]])
    utc = pd.DatetimeIndex(local - np.timedelta64(round(offset), "s"))
    return np.asarray(from_utc(utc).to_numpy(), dtype="datetime64[us]")


def _convert(cells: Cells, units: Sequence[object], place: NDArray[np.int64]) -> Cells:
    """Cells in the units of the store; those of a place that answers in an unknown unit are refused."""
    factor = np.full((len(units), len(cells.fields)), np.nan)
    offset = np.zeros_like(factor)
    for column, field in enumerate(cells.fields):
        known = VARIABLES[_split(field)[0]].units
        for number, named in enumerate(units):
            unit = as_text(named.get(field)) if isinstance(named, dict) else "?"
            factor[number, column], offset[number, column] = known.get(unit.replace("μ", "µ"), (np.nan, 0.0))
    value = cells.value * factor[place] + offset[place]
    converted = Cells(cells.fields, value, cells.filled, cells.text, cells.fault)
    return converted.refuse(np.isnan(factor[place]), "in a unit that cannot be converted; left out")


def _winds(cells: Cells) -> Cells:
    """Speed and direction (where the wind comes from) as u and v, in their columns.

    Of a pair that is not whole the other half is refused.
    """
    for field in cells.fields:
        if _split(field)[0] != _SPEED_NAME:
            continue
        partner = field.replace(_SPEED_NAME, _DIRECTION_NAME)
        speed, direction = cells.fields.index(field), cells.fields.index(partner)
        pair = cells.sound[:, speed] & cells.sound[:, direction]
        lone = np.zeros(cells.filled.shape, dtype=bool)
        lone[:, [speed, direction]] = ~pair[:, None]
        cells = cells.refuse(lone, "wind speed or direction is missing, so that there is no wind vector")
        value = cells.value.copy()
        angle = np.radians(cells.value[:, direction])
        value[:, speed] = -cells.value[:, speed] * np.sin(angle)
        value[:, direction] = -cells.value[:, speed] * np.cos(angle)
        cells = Cells(cells.fields, value, cells.filled, cells.text, cells.fault)
    return cells
