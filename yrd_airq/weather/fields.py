"""Fields of one weather file as a canonical dataset, cut to an area, values checked."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.sources import netcdf_header
from yrd_airq.sources.netcdf_layout import UPPER, Cut, Header

Area = tuple[float, float, float, float]
"""West, south, east and north edge in degrees."""

_NOON = pd.Timedelta(hours=12)
_WINDS = (("u10_ms", "v10_ms"), ("u_ms", "v_ms"))
_RANGES = {
    "u10_ms": (-120.0, 120.0, "m/s"),
    "v10_ms": (-120.0, 120.0, "m/s"),
    "u_ms": (-200.0, 200.0, "m/s"),
    "v_ms": (-200.0, 200.0, "m/s"),
    "w_pas": (-100.0, 100.0, "Pa/s"),
    "t2m_k": (180.0, 340.0, "K"),
    "t_k": (150.0, 350.0, "K"),
    "rh_pct": (-1.0, 150.0, "%"),
    "sp_pa": (40_000.0, 110_000.0, "Pa"),
    "blh_m": (-1.0, 10_000.0, "m"),
    "precip_mmh": (0.0, 500.0, "mm/h"),
    "ssrd_wm2": (0.0, 1_600.0, "W/m²"),
    "tcc": (-0.01, 1.01, "as a share"),
    "pm25_ugm3": (-1.0, 50_000.0, "µg/m³"),
    "pm10_ugm3": (-1.0, 50_000.0, "µg/m³"),
    "o3_ugm3": (-1.0, 5_000.0, "µg/m³"),
    "no2_ugm3": (-1.0, 5_000.0, "µg/m³"),
    "so2_ugm3": (-1.0, 5_000.0, "µg/m³"),
    "co_mgm3": (-1.0, 500.0, "mg/m³"),
}


def header_of(path: Path) -> Header:
    """Header of a weather file, read again only when the file has changed; ``InputError`` as when opening."""
    try:
        state = path.stat()
    except OSError as exc:
        raise InputError(f"{path}: no such weather file; ingest it again from where it is now") from exc
    return _header(path, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4096)
def _header(path: Path, _changed: int, _size: int) -> Header:
    with netcdf_header.opened(path) as dataset:
        return netcdf_header.describe(dataset, path.name)


def instants(header: Header) -> pd.DatetimeIndex:
    """The instants that the fields stand for: the stamps, or 12:00 of the day for daily means."""
    stamps = header.stamps.as_unit("ns")
    return stamps + _NOON if header.step_hours == 24 else stamps


def read_fields(
    path: Path, positions: NDArray[np.int64] | None, names: tuple[str, ...] | None, area: Area | None
) -> xr.Dataset:
    """Fields ``names`` at ``positions`` in time (all if None) of one file, cut to ``area``, checked.

    Raises ``InputError`` naming file, variable and time for blank or impossible values, for winds that
    are nought everywhere, and for an area that the grid does not reach.
    """
    header = header_of(path)
    at = np.arange(len(header.stamps)) if positions is None else positions
    wanted = tuple(name for name in header.variables if names is None or name in names)
    rows, columns = _window(header, area, path.name)
    cut = Cut(wanted, at, rows, columns)
    with netcdf_header.opened(path) as dataset:
        fields = netcdf_header.layout_of(dataset, path.name).read(dataset, header, cut)
    out = _dataset(fields, header, cut)
    _check_values(out, path.name)
    return out


def _dataset(fields: dict[str, NDArray[np.float64]], header: Header, cut: Cut) -> xr.Dataset:
    coords = {
        "time": instants(header)[cut.at],
        "lat": header.lat[cut.rows],
        "lon": header.lon[cut.columns],
    }
    if any(name in UPPER for name in fields):
        coords["level"] = header.levels
    out = xr.Dataset(
        {
            name: (("time", *(("level",) if name in UPPER else ()), "lat", "lon"), field)
            for name, field in fields.items()
        },
        coords=coords,
    )
    out["kind"] = ("time", np.full(len(cut.at), header.kind.value, dtype=object))
    out["step_hours"] = ("time", header.steps[cut.at])
    lead = np.full(len(cut.at), np.nan)
    if header.issue_time is not None:
        lead = (header.stamps[cut.at].values - header.issue_time.to_datetime64()) / np.timedelta64(1, "h")
    out["lead_hours"] = ("time", lead)
    issued = "" if header.issue_time is None else header.issue_time.isoformat()
    out.attrs = {
        "kind": header.kind.value,
        "issue_time": issued,
        "step_hours": header.step_hours,
        "layout": header.layout,
        "missing": ",".join(f"{stamp:%Y-%m-%dT%H:%M}" for stamp in header.missing),
    }
    return out


def _window(header: Header, area: Area | None, name: str) -> tuple[slice, slice]:
    """Rows and columns that cover the area, as far as the grid goes."""
    if area is None:
        return slice(None), slice(None)
    west, south, east, north = area
    found = []
    for axis, low, high in ((header.lat, south, north), (header.lon, west, east)):
        first = max(int(np.searchsorted(axis, low, side="right")) - 1, 0)
        last = min(int(np.searchsorted(axis, high, side="left")), len(axis) - 1)
        if last <= first or axis[-1] < low or axis[0] > high:
            raise InputError(
                f"{name}: its grid ({header.lon[0]:g}–{header.lon[-1]:g}°E, {header.lat[0]:g}–"
                f"{header.lat[-1]:g}°N) does not reach the area {west:g}–{east:g}°E, {south:g}–{north:g}°N"
            )
        found.append(slice(first, last + 1))
    return found[0], found[1]


def _check_values(weather: xr.Dataset, name: str) -> None:
    times = pd.DatetimeIndex(weather["time"].values)
    for pair in _WINDS:
        if not set(pair) <= set(weather.data_vars):
            continue
        still = np.ones(len(times), dtype=bool)
        for wind in pair:
            values = weather[wind].values.reshape(len(times), -1)
            blank = np.isnan(values).sum(axis=1)
            if blank.any():
                at = int(np.argmax(blank > 0))
                raise InputError(
                    f"{name}: {wind} is blank at {int(blank[at])} place(s) at {times[at]:%Y-%m-%d %H:%M} "
                    f"and in {int((blank > 0).sum())} step(s) in all; fetch the file again or cut the area"
                )
            still &= ~values.any(axis=1)
        if still.any():
            raise InputError(
                f"{name}: {pair[0]} and {pair[1]} are nought at every place at "
                f"{times[int(np.argmax(still))]:%Y-%m-%d %H:%M} and in {int(still.sum())} step(s) in all, "
                "which is no weather; fetch the file again"
            )
    _check_ranges(weather, times, name)


def _check_ranges(weather: xr.Dataset, times: pd.DatetimeIndex, name: str) -> None:
    for field, (low, high, unit) in _RANGES.items():
        if field not in weather:
            continue
        values = weather[field].values
        # One pass over the extremes: blanks are passed over, and warnings of all-blank fields avoided.
        if np.fmin.reduce(values, axis=None) < low or np.fmax.reduce(values, axis=None) > high:
            off = ((values < low) | (values > high)).reshape(len(times), -1).any(axis=1)
            when = f"{times[int(np.argmax(off))]:%Y-%m-%d %H:%M}"
            raise InputError(
                f"{name}: {field} leaves {low:g} … {high:g} {unit} at {when}; wrong unit or damaged file"
            )
