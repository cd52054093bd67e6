"""What a surface-weather NetCDF file says about itself: layout, span, area, fields, analysis or forecast.

One layout is known, ``era5_single_level``: dimensions time, latitude and longitude, with the short
names of ECMWF single-level fields. Times in the file are UTC and become naive Beijing times. A file
with a step of 24 hours holds means of Beijing days: its stamp names the day and is not shifted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import xarray as xr
from numpy.typing import NDArray
from scipy.io import netcdf_file

from yrd_airq.clock import from_utc
from yrd_airq.errors import InputError
from yrd_airq.sources.batch import SCHEMAS, Batch, Kind, no_refusals
from yrd_airq.sources.files import file_digest
from yrd_airq.vocab import WeatherKind

LAYOUT = "era5_single_level"
STEPS_HOURS = (1, 3, 6, 24)
_MAGIC = (b"CDF\x01", b"CDF\x02", b"CDF\x05", b"\x89HDF")
_TIME_DIMS = ("valid_time", "time", "step", "forecast_period")
_LEVEL_DIMS = ("pressure_level", "level", "isobaricInhPa", "plev", "lev")
_REFERENCE = ("forecast_reference_time", "issue_time")

NAMES: dict[str, tuple[str, ...]] = {
    "u10_ms": ("u10", "10u"),
    "v10_ms": ("v10", "10v"),
    "t2m_k": ("t2m", "2t"),
    "d2m_k": ("d2m", "2d"),
    "rh_pct": ("r2", "2r"),
    "sp_pa": ("sp",),
    "blh_m": ("blh",),
    "precip_mmh": ("tp",),
    "ssrd_wm2": ("ssrd",),
    "tcc": ("tcc",),
}
"""Names a field may have in the file, by canonical name (``d2m_k`` only serves to derive ``rh_pct``)."""

_UNITS: dict[str, tuple[str, ...]] = {
    "u10_ms": ("m s**-1", "m s-1", "m/s", "m s^-1"),
    "v10_ms": ("m s**-1", "m s-1", "m/s", "m s^-1"),
    "t2m_k": ("K", "kelvin", "Kelvin"),
    "d2m_k": ("K", "kelvin", "Kelvin"),
    "rh_pct": ("%", "percent"),
    "sp_pa": ("Pa", "pascal", "Pascal"),
    "blh_m": ("m", "metre", "meter"),
    "precip_mmh": ("m", "metre", "meter"),
    "ssrd_wm2": ("J m**-2", "J m-2", "J/m2", "J m^-2"),
}


@dataclass(frozen=True)
class Header:
    """A weather file's own description.

    ``stamps`` are naive Beijing times (daily files: midnight of the Beijing day), ``issue_time`` is
    set for forecasts only, ``names`` leads from canonical field names to those in the file, ``dims``
    are the file's names of the time, latitude and longitude dimensions.
    """

    kind: WeatherKind
    issue_time: pd.Timestamp | None
    stamps: pd.DatetimeIndex
    step_hours: int
    lat: NDArray[np.float64]
    lon: NDArray[np.float64]
    names: dict[str, str]
    dims: tuple[str, str, str]

    @property
    def variables(self) -> tuple[str, ...]:
        """Canonical fields that can be had from the file, humidity from the dew point included."""
        known = set(self.names)
        if {"d2m_k", "t2m_k"} <= known:
            known.add("rh_pct")
        return tuple(name for name in NAMES if name in known and name != "d2m_k")


def matches(path: Path) -> bool:
    """Whether the file begins like a NetCDF file (classic or HDF5)."""
    try:
        with path.open("rb") as file:
            return file.read(4) in _MAGIC
    except OSError:
        return False


def read(path: Path) -> Batch:
    """The one WEATHER row of a NetCDF file; ``InputError`` if its layout is not known or it is damaged."""
    _check_classic(path)
    with opened(path) as dataset:
        header = describe(dataset, path.name)
        _read_last_winds(dataset, header, path.name)
    row = {
        "path": str(path.resolve()),
        "layout": LAYOUT,
        "kind": header.kind.value,
        "issue_time": None if header.issue_time is None else header.issue_time.to_pydatetime(),
        "first_time": header.stamps[0].to_pydatetime(),
        "last_time": header.stamps[-1].to_pydatetime(),
        "step_hours": float(header.step_hours),
        "lon_min": float(header.lon.min()),
        "lon_max": float(header.lon.max()),
        "lat_min": float(header.lat.min()),
        "lat_max": float(header.lat.max()),
        "variables": ",".join(header.variables),
    }
    rows = pa.Table.from_pylist([row], schema=SCHEMAS[Kind.WEATHER])
    return Batch(Kind.WEATHER, LAYOUT, path.name, file_digest(path), rows, no_refusals(), rows_in=1)


@contextmanager
def opened(path: Path) -> Iterator[xr.Dataset]:
    """The file as a lazily read dataset; ``InputError`` if it is missing, truncated or not NetCDF.

    The engine is named, because letting xarray try every reader on the machine has crashed the process.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such weather file; ingest it again from where it is now")
    try:
        dataset = xr.open_dataset(path, engine="netcdf4", decode_timedelta=True)
    except (OSError, RuntimeError, ValueError, KeyError) as exc:
        raise InputError(
            f"{path.name}: cannot be read as NetCDF, perhaps truncated ({exc}); fetch it again"
        ) from exc
    try:
        yield dataset
    except (OSError, RuntimeError) as exc:
        raise InputError(
            f"{path.name}: data cannot be read, perhaps truncated ({exc}); fetch it again"
        ) from exc
    finally:
        dataset.close()


def describe(dataset: xr.Dataset, name: str) -> Header:
    """Header of an open dataset; ``InputError`` naming the file ``name`` if it does not fit the layout."""
    _refuse_other_layouts(dataset, name)
    lat = _coordinate(dataset, ("latitude", "lat"), name)
    lon = _coordinate(dataset, ("longitude", "lon"), name)
    names = {key: found for key, options in NAMES.items() if (found := _first_in(dataset, options))}
    if "u10_ms" not in names or "v10_ms" not in names:
        raise InputError(f"{name}: no 10 m wind (u10, v10) in the file; it cannot serve as surface weather")
    _check_units(dataset, names, name)
    time_dim = _time_dim(dataset, names["u10_ms"], name)
    _check_dims(dataset, names, (time_dim, lat, lon), name)
    reference = _reference_time(dataset, time_dim, name)
    stamps, step_hours = _stamps(dataset, time_dim, name)
    longitude = np.asarray(dataset[lon].values, dtype=float)
    return Header(
        kind=WeatherKind.ANALYSIS if reference is None else WeatherKind.FORECAST,
        issue_time=reference,
        stamps=stamps,
        step_hours=step_hours,
        lat=np.asarray(dataset[lat].values, dtype=float),
        lon=np.where(longitude > 180, longitude - 360, longitude),
        names=names,
        dims=(time_dim, lat, lon),
    )


def _refuse_other_layouts(dataset: xr.Dataset, name: str) -> None:
    level = [dim for dim in _LEVEL_DIMS if dim in dataset.dims]
    if level:
        raise InputError(
            f"{name}: pressure-level file (dimension {level[0]}): layout not supported yet; "
            "give single-level fields (u10, v10, t2m …)"
        )
    if "south_north" in dataset.dims or "XLAT" in dataset.variables:
        raise InputError(
            f"{name}: WRF output (wrfout): layout not supported yet; "
            "interpolate U10, V10, T2 … to a regular latitude-longitude grid first"
        )


def _first_in(dataset: xr.Dataset, options: tuple[str, ...]) -> str | None:
    return next((option for option in options if option in dataset.variables), None)


def _coordinate(dataset: xr.Dataset, options: tuple[str, ...], name: str) -> str:
    found = _first_in(dataset, options)
    if found is None or dataset[found].dims != (found,) or dataset[found].size < 2:
        raise InputError(
            f"{name}: no coordinate {options[0]} of its own dimension and at least 2 values; "
            "a regular latitude-longitude grid is needed"
        )
    steps = np.diff(dataset[found].values)
    if not (np.all(steps > 0) or np.all(steps < 0)):
        raise InputError(f"{name}: coordinate {found} neither rises nor falls all along; sort the grid")
    return found


def _check_units(dataset: xr.Dataset, names: dict[str, str], name: str) -> None:
    for key, variable in names.items():
        unit = str(dataset[variable].attrs.get("units", "")).strip()
        if unit and key in _UNITS and unit not in _UNITS[key]:
            raise InputError(f"{name}: {variable} is in {unit!r}; convert it to {_UNITS[key][0]!r}")


def _time_dim(dataset: xr.Dataset, wind: str, name: str) -> str:
    found = next((dim for dim in _TIME_DIMS if dim in dataset[wind].dims), None)
    if found is None:
        raise InputError(f"{name}: {wind} has no time dimension ({', '.join(_TIME_DIMS)})")
    if dataset.sizes[found] == 0:
        raise InputError(f"{name}: holds no time step; fetch it again")
    return found


def _check_dims(dataset: xr.Dataset, names: dict[str, str], dims: tuple[str, str, str], name: str) -> None:
    for variable in names.values():
        sizes = dataset[variable].sizes
        extra = [str(dim) for dim in sizes if dim not in dims and sizes[dim] > 1]
        missing = [dim for dim in dims if dim not in sizes]
        if extra:
            raise InputError(
                f"{name}: {variable} has the dimension {extra[0]}; write one file for each value"
            )
        if missing:
            raise InputError(f"{name}: {variable} lacks the dimension {missing[0]}")


def _reference_time(dataset: xr.Dataset, time_dim: str, name: str) -> pd.Timestamp | None:
    """Beijing time at which a forecast was issued (read as UTC unless it names a zone), None for analyses."""
    variable = _first_in(dataset, _REFERENCE)
    if variable is None and time_dim in ("step", "forecast_period") and "time" in dataset.variables:
        variable = "time"
    if variable is not None:
        values = np.unique(np.atleast_1d(dataset[variable].values))
        if values.size != 1:
            raise InputError(f"{name}: {variable} has {values.size} values; write one file for each issue")
        raw: object = values[0]
    else:
        raw = next((dataset.attrs[key] for key in _REFERENCE if dataset.attrs.get(key)), None)
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


def _stamps(dataset: xr.Dataset, time_dim: str, name: str) -> tuple[pd.DatetimeIndex, int]:
    """Beijing stamps and the step in hours; gaps are allowed, other irregularities are not."""
    source = "valid_time" if "valid_time" in dataset.variables else time_dim
    values = np.squeeze(dataset[source].values)
    if not np.issubdtype(values.dtype, np.datetime64):
        raise InputError(f"{name}: {source} is not decoded as a time; give it CF units in a common calendar")
    stamps = pd.DatetimeIndex(np.atleast_1d(values))
    if stamps.hasnans or not stamps.is_unique or not stamps.is_monotonic_increasing:
        raise InputError(f"{name}: {source} has blank, repeated or falling times; sort and clean the file")
    hours = np.diff(stamps.values) / np.timedelta64(1, "h")
    step = float(hours.min()) if hours.size else float(dataset.attrs.get("step_hours", 0))
    if step not in STEPS_HOURS or np.any(hours % step != 0):
        raise InputError(
            f"{name}: time step of {step:g} h, or steps that differ; known are "
            f"{', '.join(map(str, STEPS_HOURS))} h (a file of one time needs the attribute step_hours)"
        )
    return (stamps.normalize(), 24) if step == 24 else (from_utc(stamps), int(step))


def _read_last_winds(dataset: xr.Dataset, header: Header, name: str) -> None:
    """Read the last wind fields: a file cut short shows there, long before a run needs them."""
    last = {header.dims[0]: -1}
    for key in ("u10_ms", "v10_ms"):
        field = dataset[header.names[key]].isel(last).values
        if not np.isfinite(field).any():
            raise InputError(
                f"{name}: {header.names[key]} holds no value at {header.stamps[-1]}; fetch the file again"
            )


def _check_classic(path: Path) -> None:
    """Refuse a classic file that is damaged or cut short, before the NetCDF library sees it.

    That library crashes the process on some damaged headers and gives noughts for data that are missing.
    """
    if not matches(path):
        return
    with path.open("rb") as file:
        if file.read(4) not in _MAGIC[:2]:
            return
        file.seek(0)
        try:
            netcdf_file(file, mmap=False)
        except Exception as exc:
            # A damaged header leads the parser anywhere: value, key, type, index, memory and text errors.
            raise InputError(
                f"{path.name}: is damaged or ends before its data do (truncated); fetch it again"
            ) from exc
