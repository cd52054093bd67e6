"""A canonical dataset written as NetCDF, to be ingested and read again like any weather file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr

from yrd_airq.clock import BEIJING
from yrd_airq.errors import InputError
from yrd_airq.sources.netcdf_canonical import UNITS


def save_weather(weather: xr.Dataset, path: Path) -> Path:
    """Write the fields of dimensions time, lat, lon under their canonical names; times become UTC.

    The issue time and the step are kept, so that ``open_weather`` gives the same dataset, rounded to
    single precision. ``InputError`` for datasets of several kinds or steps, such as those joined from files.
    """
    if len(np.unique(weather["kind"].values)) > 1 or len(np.unique(weather["step_hours"].values)) > 1:
        raise InputError(f"{path.name}: the weather is of several kinds or steps; save each by itself")
    times = pd.DatetimeIndex(weather["time"].values)
    daily = int(weather["step_hours"].values[0]) == 24
    out = xr.Dataset(
        {
            name: (("valid_time", "latitude", "longitude"), weather[name].values, {"units": UNITS[name]})
            for name in map(str, weather.data_vars)
            if name in UNITS
        },
        coords={
            "valid_time": times.normalize() if daily else _utc(times),
            "latitude": weather["lat"].values,
            "longitude": weather["lon"].values,
        },
        attrs={"Conventions": "CF-1.8", "step_hours": int(weather["step_hours"].values[0])},
    )
    if weather.attrs["issue_time"]:
        issued = _utc(pd.DatetimeIndex([weather.attrs["issue_time"]]))
        out["forecast_reference_time"] = ((), issued.values[0])
    packing = {
        name: {"dtype": "float32", "zlib": True, "complevel": 4} for name in out.data_vars if name in UNITS
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    out.to_netcdf(path, engine="netcdf4", encoding=packing)
    return path


def _utc(times: pd.DatetimeIndex) -> pd.DatetimeIndex:
    return times.tz_localize(BEIJING).tz_convert("UTC").tz_localize(None).as_unit("ns")
