"""Axes of regular latitude–longitude files: coordinates, levels, times, step, and the time of issue."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from yrd_airq.clock import from_utc
from yrd_airq.errors import InputError
from yrd_airq.sources.netcdf_layout import STEPS_HOURS, Positions, Values

TIME_DIMS = ("valid_time", "time", "step", "forecast_period")
LEAD_DIMS = ("step", "forecast_period")
LEVEL_DIMS = ("pressure_level", "level", "isobaricInhPa", "plev", "lev")
_REFERENCE = ("forecast_reference_time", "issue_time")
_LEVEL_UNITS = {"hPa": 1.0, "millibars": 1.0, "mb": 1.0, "mbar": 1.0, "Pa": 0.01}


def first_in(dataset: xr.Dataset, options: tuple[str, ...]) -> str | None:
    """The first of some names that the dataset has."""
    return next((option for option in options if option in dataset.variables), None)


def horizontal(dataset: xr.Dataset, options: tuple[str, ...], name: str) -> str:
    """Name of the latitude or longitude coordinate; ``InputError`` if it makes no regular grid."""
    found = first_in(dataset, options)
    if found is None or dataset[found].dims != (found,) or dataset[found].size < 2:
        raise InputError(
            f"{name}: no coordinate {options[0]} of its own dimension and at least 2 values; "
            "a regular latitude-longitude grid is needed"
        )
    steps = np.diff(dataset[found].values.astype(float))
    if not (np.all(steps > 0) or np.all(steps < 0)):
        raise InputError(f"{name}: coordinate {found} neither rises nor falls all along; sort the grid")
    return found


def rising(values: NDArray[np.generic]) -> tuple[Values, Positions]:
    """An axis in rising order and where each value stands in the file; repeated values once."""
    return np.unique(np.asarray(values, dtype=float).round(6), return_index=True)


def turned(longitude: NDArray[np.generic]) -> Values:
    """Longitudes of 0–360° as −180–180°."""
    degrees = np.asarray(longitude, dtype=float)
    return np.where(degrees > 180, degrees - 360, degrees)


def pressure_levels(dataset: xr.Dataset, dim: str, name: str) -> NDArray[np.float64]:
    """Levels of the dimension ``dim`` in hPa, in the file's order."""
    unit = str(dataset[dim].attrs.get("units", "")).strip() if dim in dataset.variables else ""
    if unit not in _LEVEL_UNITS:
        raise InputError(f"{name}: {dim} is in {unit or 'no unit'!r}; write the pressure levels in 'hPa'")
    return dataset[dim].values.astype(float) * _LEVEL_UNITS[unit]


def time_dim(dataset: xr.Dataset, variable: str, name: str) -> str:
    """Name of the time dimension of ``variable``, which holds at least one step."""
    found = next((dim for dim in TIME_DIMS if dim in dataset[variable].dims and dataset.sizes[dim] > 1), None)
    found = found or next((dim for dim in TIME_DIMS if dim in dataset[variable].dims), None)
    if found is None:
        raise InputError(f"{name}: {variable} has no time dimension ({', '.join(TIME_DIMS)})")
    if dataset.sizes[found] == 0:
        raise InputError(f"{name}: holds no time step; fetch it again")
    return found


def reference_time(dataset: xr.Dataset, dim: str, name: str) -> pd.Timestamp | None:
    """Beijing time at which a forecast was issued (read as UTC unless it names a zone), None for analyses."""
    variable = first_in(dataset, _REFERENCE)
    lead = first_in(dataset, LEAD_DIMS)
    if variable is None and lead is not None and "time" in dataset.variables:
        ahead = np.any(dataset[lead].values != np.timedelta64(0, "h"))
        variable = "time" if dim in LEAD_DIMS or ahead else None
    if variable is not None:
        values = np.unique(np.atleast_1d(dataset[variable].values))
        if values.size != 1:
            raise InputError(f"{name}: {variable} has {values.size} values; write one file for each issue")
        raw: object = values[0]
    else:
        raw = next((dataset.attrs[key] for key in _REFERENCE if dataset.attrs.get(key)), None)
        raw = raw if raw is not None else _reference_of_wgrib2(dataset)
    if raw is None:
        return None
    try:
        stamp = pd.DatetimeIndex([pd.Timestamp(raw)])  # type: ignore[arg-type]  # checked by the call itself
    except (ValueError, TypeError) as exc:
        raise InputError(
            f"{name}: issue time {raw!r} is not a time; write it like 2016-09-01T00:00Z"
        ) from exc
    if stamp.hasnans:
        raise InputError(f"{name}: the issue time is empty; write it like 2016-09-01T00:00Z")
    return from_utc(stamp)[0]


def _reference_of_wgrib2(dataset: xr.Dataset) -> object:
    """Reference time (UTC) that wgrib2 writes beside the time axis, None for its analyses."""
    notes = dataset["time"].attrs if "time" in dataset.variables else {}
    told = str(notes.get("reference_time_description", "forecast"))
    if "reference_time" not in notes or "forecast" not in told:
        return None
    return pd.Timestamp(float(notes["reference_time"]), unit="s")


def utc_times(dataset: xr.Dataset, dim: str, name: str) -> pd.DatetimeIndex:
    """UTC times along ``dim``: valid times, or lead times added to the time of issue."""
    source = "valid_time" if "valid_time" in dataset.variables else dim
    values = np.atleast_1d(np.squeeze(dataset[source].values))
    if np.issubdtype(values.dtype, np.timedelta64):
        base = first_in(dataset, (*_REFERENCE, "time"))
        if base is not None and dataset[base].size == 1:
            values = np.atleast_1d(dataset[base].values)[0] + values
    if not np.issubdtype(values.dtype, np.datetime64) or values.size != dataset.sizes[dim]:
        raise InputError(f"{name}: {source} is not decoded as a time; give it CF units in a common calendar")
    return pd.DatetimeIndex(values)


def check_rising(times: pd.DatetimeIndex, source: str, name: str) -> None:
    """Refuse blank, repeated and falling times, naming the first such step."""
    widths = np.diff(times.values)
    bad = np.r_[np.isnat(times.values[:1]), np.isnat(times.values[1:]) | ~(widths > np.timedelta64(0, "s"))]
    if bad.any():
        at = int(np.argmax(bad))
        told = "blank" if times[at] is pd.NaT else f"{times[at]:%Y-%m-%d %H:%M} UTC"
        raise InputError(
            f"{name}: {source} has blank, repeated or falling times "
            f"(step {at + 1} of {len(times)}: {told}); sort and clean the file"
        )


def steps_of(
    times: pd.DatetimeIndex, forecast: bool, stated: float, daily_means: bool, name: str
) -> Positions:
    """Hours that each time stands for: the finest step; in forecasts the step may widen towards the end.

    Wider distances are gaps, except that a forecast whose distances only grow, each new one kept to at
    least twice, is taken as delivered so (hourly first, 3-hourly later). ``stated`` serves files of one time.
    """
    known = tuple(step for step in STEPS_HOURS if step != 24 or daily_means)
    hours = np.diff(times.values) / np.timedelta64(1, "h")
    step = float(hours.min()) if hours.size else stated
    if step not in known or np.any(hours % step != 0):
        raise InputError(
            f"{name}: time step of {step:g} h, or steps that differ; known are "
            f"{', '.join(map(str, known))} h (a file of one time needs the attribute step_hours)"
        )
    widths, counts = np.unique(hours, return_counts=True)
    grows = np.all(np.diff(hours) >= 0) and np.all(counts[1:] > 1) and np.isin(widths, known[:3]).all()
    if forecast and len(widths) > 1 and grows:
        return np.r_[step, hours].astype(np.int64)
    return np.full(len(times), int(step), dtype=np.int64)
