"""The drill's weather as NetCDF in the ERA5 single-level layout of the Copernicus data store (2024 on).

A forecast has the same layout and the scalar ``forecast_reference_time``, which analyses lack.
"""

from __future__ import annotations

from pathlib import Path

import netCDF4
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.clock import BEIJING
from yrd_airq.drill.grid import Grid
from yrd_airq.drill.weather import Weather

# Name → units, long name, offset and step of the packing (16 bits; as much as anyone can use).
_VARIABLES = {
    "u10": ("m s**-1", "10 metre U wind component", 0.0, 0.01),
    "v10": ("m s**-1", "10 metre V wind component", 0.0, 0.01),
    "t2m": ("K", "2 metre temperature", 273.15, 0.01),
    "d2m": ("K", "2 metre dewpoint temperature", 273.15, 0.01),
    "sp": ("Pa", "Surface pressure", 90_000.0, 1.0),
    "blh": ("m", "Boundary layer height", 0.0, 1.0),
    "tp": ("m", "Total precipitation", 0.0, 1e-5),
    "ssrd": ("J m**-2", "Surface short-wave (solar) radiation downwards", 2e6, 1000.0),
    "tcc": ("(0 - 1)", "Total cloud cover", 0.0, 0.001),
}
_EPOCH = "seconds since 1970-01-01"
_BLANK = np.int16(-32767)


def write_weather(
    path: Path, weather: Weather, grid: Grid, label: str, reference: pd.Timestamp | None = None
) -> Path:
    """Write the hours of ``weather`` to one file; times become UTC, latitudes run from north to south.

    Values are packed in 16 bits. ``reference`` is the Beijing time at which the forecast was started, None
    for an analysis.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with netCDF4.Dataset(path, "w", format="NETCDF4") as file:
        file.setncatts({"Conventions": "CF-1.7", "institution": label, "title": label})
        _axis(file, "valid_time", _seconds(weather.times), {"units": _EPOCH, "standard_name": "time"})
        _axis(file, "latitude", grid.lat[::-1], {"units": "degrees_north", "stored_direction": "decreasing"})
        _axis(file, "longitude", grid.lon, {"units": "degrees_east"})
        if reference is not None:
            stamp = file.createVariable("forecast_reference_time", "i8", ())
            stamp.setncatts({"units": _EPOCH, "calendar": "proleptic_gregorian"})
            stamp[...] = _seconds(pd.DatetimeIndex([reference]))[0]
        for name, (units, long_name, offset, step) in _VARIABLES.items():
            variable = file.createVariable(
                name,
                "i2",
                ("valid_time", "latitude", "longitude"),
                zlib=True,
                complevel=1,
                shuffle=True,
                fill_value=_BLANK,
                chunksizes=(min(len(weather.times), 24), *grid.shape),
            )
            variable.setncatts({"units": units, "long_name": long_name, "GRIB_shortName": name})
            variable.setncatts({"scale_factor": step, "add_offset": offset})
            variable.set_auto_maskandscale(False)
            variable[...] = _packed(getattr(weather, name)[:, ::-1, :], offset, step)
    return path


def _packed(field: NDArray[np.float32], offset: float, step: float) -> NDArray[np.int16]:
    scaled = np.rint((field - np.float32(offset)) * np.float32(1 / step))
    return np.clip(scaled, -32766, 32766).astype(np.int16)


def _axis(file: netCDF4.Dataset, name: str, values: np.ndarray, attributes: dict[str, str]) -> None:
    file.createDimension(name, len(values))
    variable = file.createVariable(name, values.dtype, (name,))
    variable.setncatts(attributes | ({"calendar": "proleptic_gregorian"} if name == "valid_time" else {}))
    variable[:] = values


def _seconds(times: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Seconds since 1970-01-01 UTC of naive Beijing times."""
    utc = times.tz_localize(BEIJING).tz_convert("UTC").tz_localize(None)
    return np.asarray((utc - pd.Timestamp(0)) // pd.Timedelta(seconds=1), dtype="i8")
