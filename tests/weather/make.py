"""Small weather files and datasets for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike

from yrd_airq.sources import netcdf_header

LAT = np.arange(38.0, 23.9, -1.0)
LON = np.arange(110.0, 124.1, 1.0)
UNITS = {
    "u10": "m s**-1",
    "v10": "m s**-1",
    "t2m": "K",
    "d2m": "K",
    "sp": "Pa",
    "blh": "m",
    "tp": "m",
    "ssrd": "J m**-2",
    "tcc": "(0 - 1)",
}


def write_weather(
    path: Path,
    times: pd.DatetimeIndex,
    u: ArrayLike = 2.0,
    v: ArrayLike = -1.0,
    *,
    lat: np.ndarray = LAT,
    lon: np.ndarray = LON,
    issue: str | None = None,
    issue_as: str = "coordinate",
    extra: dict[str, ArrayLike] | None = None,
    units: dict[str, str] | None = None,
    file_format: str = "NETCDF4",
) -> Path:
    """An ERA5-like single-level file; fields broadcast to (time, lat, lon); ``times`` as written (UTC)."""
    shape = (len(times), len(lat), len(lon))
    fields: dict[str, ArrayLike] = {"u10": u, "v10": v, "t2m": 293.15, "d2m": 283.15, "sp": 100_000.0}
    fields |= extra or {}
    units = UNITS | (units or {})
    dims = ("valid_time", "latitude", "longitude")
    dataset = xr.Dataset(
        {
            name: (
                dims,
                np.broadcast_to(np.asarray(value, dtype=float), shape).copy(),
                {"units": units[name]},
            )
            for name, value in fields.items()
        },
        coords={"valid_time": times, "latitude": lat, "longitude": lon},
    )
    if issue and issue_as == "coordinate":
        dataset = dataset.assign_coords(forecast_reference_time=np.datetime64(issue, "ns"))
    elif issue:
        dataset.attrs[issue_as] = issue
    dataset.to_netcdf(path, engine="netcdf4", format=file_format)
    return path


def by_time(values: ArrayLike) -> np.ndarray:
    """One value per time, to be broadcast over the grid."""
    return np.asarray(values, dtype=float)[:, None, None]


def files_of(*paths: Path) -> pd.DataFrame:
    """WEATHER rows of files, as the store hands them out."""
    return pd.concat([netcdf_header.read(path).rows.to_pandas() for path in paths], ignore_index=True)


def dataset_of(
    times: pd.DatetimeIndex,
    u: ArrayLike,
    v: ArrayLike,
    *,
    lat: np.ndarray,
    lon: np.ndarray,
    step_hours: int = 1,
) -> xr.Dataset:
    """A canonical weather dataset (Beijing times, rising axes) without a file."""
    shape = (len(times), len(lat), len(lon))
    dims = ("time", "lat", "lon")
    return xr.Dataset(
        {
            "u10_ms": (dims, np.broadcast_to(np.asarray(u, dtype=float), shape).copy()),
            "v10_ms": (dims, np.broadcast_to(np.asarray(v, dtype=float), shape).copy()),
            "kind": ("time", np.full(len(times), "analysis", dtype=object)),
            "step_hours": ("time", np.full(len(times), step_hours)),
        },
        coords={"time": times, "lat": lat, "lon": lon},
    )
