"""Files written to the documented layouts of other makers of weather, small enough for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike

LAT = np.arange(36.0, 25.9, -0.5)
LON = np.arange(114.0, 124.1, 0.5)
START = pd.Timestamp("2016-09-01 00:00")


def field(value: ArrayLike, shape: tuple[int, ...]) -> np.ndarray:
    """A value or an array, broadcast to ``shape``; one value per time is spread over the grid."""
    values = np.asarray(value, dtype=float)
    if values.ndim == 1:
        values = values.reshape(-1, *[1] * (len(shape) - 1))
    return np.broadcast_to(values, shape).copy()


def plane(scale: float = 1.0, lat: np.ndarray = LAT, lon: np.ndarray = LON) -> np.ndarray:
    """A field that tells every place apart: scale × (lat − 30 + (lon − 120) / 10)."""
    return scale * (lat[:, None] - 30 + (lon[None, :] - 120) / 10)


def write(path: Path, dataset: xr.Dataset, **options: object) -> Path:
    """Write a dataset to a file."""
    dataset.to_netcdf(path, engine="netcdf4", **options)  # type: ignore[call-overload]
    return path


def era5_old(path: Path, hours: int = 6, expver: bool = False, east: np.ndarray = LON) -> Path:
    """Single levels as delivered until 2024: ``time`` in hours since 1900, packed, classic format."""
    times = pd.date_range(START, periods=hours, freq="h")
    shape = (hours, len(LAT), len(LON))
    u = field(plane(), shape)
    fields = {
        "u10": (u, "m s**-1"),
        "v10": (field(-1.5, shape), "m s**-1"),
        "t2m": (field(293.0, shape), "K"),
    }
    dims: tuple[str, ...] = ("time", "latitude", "longitude")
    coords: dict[str, object] = {"time": times, "latitude": LAT.astype("f4"), "longitude": east.astype("f4")}
    if expver:
        half = hours // 2
        final, preliminary = ({name: values.copy() for name, (values, _) in fields.items()} for _ in range(2))
        for name in fields:
            final[name][half:], preliminary[name][:half] = np.nan, np.nan
        fields = {
            name: (np.stack([final[name], preliminary[name]], axis=1), unit)
            for name, (_, unit) in fields.items()
        }
        dims, coords["expver"] = ("time", "expver", "latitude", "longitude"), [1, 5]
    dataset = xr.Dataset({n: (dims, v, {"units": unit}) for n, (v, unit) in fields.items()}, coords=coords)
    packing: dict[str, dict[str, object]] = {
        name: {
            "dtype": "int16",
            "scale_factor": 0.001,
            "add_offset": 280.0 if name == "t2m" else 0.0,
            "_FillValue": -32767,
        }
        for name in fields
    }
    packing["time"] = {
        "units": "hours since 1900-01-01 00:00:00.0",
        "calendar": "gregorian",
        "dtype": "int32",
    }
    return write(path, dataset, encoding=packing, format="NETCDF3_64BIT")


def cfgrib(path: Path, total: ArrayLike, step: int = 3, **more: tuple[ArrayLike, str]) -> Path:
    """A forecast turned by cfgrib: ``step``, the scalar ``time``, ``valid_time``; ``tp`` is a running sum."""
    sums = np.asarray(total, dtype=float)
    leads = pd.to_timedelta(np.arange(1, len(sums) + 1) * step, unit="h")
    shape = (len(sums), len(LAT), len(LON))
    fields: dict[str, tuple[ArrayLike, str]] = {
        "u10": (3.0, "m s**-1"),
        "v10": (4.0, "m s**-1"),
        "t2m": (293.15, "K"),
        "d2m": (283.15, "K"),
        "tp": (sums, "m"),
    } | more
    dataset = xr.Dataset(
        {
            name: (("step", "latitude", "longitude"), field(value, shape), {"units": unit})
            for name, (value, unit) in fields.items()
        },
        coords={
            "step": leads,
            "time": START.to_datetime64(),
            "valid_time": ("step", START + leads),
            "latitude": LAT,
            "longitude": LON,
        },
    )
    return write(path, dataset)


def wgrib2(path: Path, analysis: bool = False) -> Path:
    """A GFS forecast turned by wgrib2: names of its own, 6-hour buckets of rain, issue beside the time."""
    times = START + pd.to_timedelta(np.arange(3, 16, 3), unit="h")
    shape = (len(times), len(LAT), len(LON))
    fields = {
        "UGRD_10maboveground": (2.0, "m/s"),
        "VGRD_10maboveground": (0.0, "m/s"),
        "TMP_2maboveground": (300.0, "K"),
        "RH_2maboveground": (55.0, "%"),
        "PRES_surface": (1.0e5, "Pa"),
        "HPBL_surface": (650.0, "m"),
        "APCP_surface": ([3.0, 9.0, 1.5, 4.5, 6.0], "kg/m^2"),
        "DSWRF_surface": (410.0, "W/m^2"),
        "TCDC_entireatmosphere": (40.0, "%"),
    }
    dataset = xr.Dataset(
        {
            name: (("time", "latitude", "longitude"), field(value, shape)[:, ::-1], {"units": unit})
            for name, (value, unit) in fields.items()
        },
        coords={"time": times, "latitude": LAT[::-1], "longitude": LON},
    )
    told = (
        "analyses, reference date is fixed"
        if analysis
        else "forecast or accumulated, reference date is fixed"
    )
    dataset["time"].attrs = {"reference_time": START.timestamp(), "reference_time_description": told}
    return write(path, dataset)


def cams(path: Path) -> Path:
    """CAMS composition of the data store: lead times × one time of issue."""
    leads = pd.to_timedelta([0, 3, 6], unit="h")
    shape = (3, 1, len(LAT), len(LON))
    fields = {
        "pm2p5": (35e-9, "kg m**-3"),
        "pm10": (70e-9, "kg m**-3"),
        "go3": (1e-7, "kg kg**-1"),
        "co": (4e-7, "kg kg**-1"),
    }
    dims = ("forecast_period", "forecast_reference_time", "latitude", "longitude")
    dataset = xr.Dataset(
        {name: (dims, field(value, shape), {"units": unit}) for name, (value, unit) in fields.items()},
        coords={
            "forecast_period": leads,
            "forecast_reference_time": [START.to_datetime64()],
            "valid_time": (("forecast_reference_time", "forecast_period"), [START + leads]),
            "latitude": LAT,
            "longitude": LON,
        },
    )
    return write(path, dataset)


def levels(path: Path, dim: str = "pressure_level", unit: str = "hPa", start: str = "valid_time") -> Path:
    """Pressure levels; the wind tells the level apart: u = level in hPa / 100."""
    values = np.array([1000.0, 925.0, 850.0])
    shape = (3, 3, len(LAT), len(LON))
    dims = (start, dim, "latitude", "longitude")
    u = np.broadcast_to((values / 100)[None, :, None, None], shape).copy()
    dataset = xr.Dataset(
        {
            "u": (dims, u, {"units": "m s**-1"}),
            "v": (dims, field(1.0, shape), {"units": "m s**-1"}),
            "w": (dims, field(-0.1, shape), {"units": "Pa s**-1"}),
            "t": (dims, field(285.0, shape), {"units": "K"}),
            "z": (dims, field(9806.65, shape), {"units": "m**2 s**-2"}),
        },
        coords={
            start: pd.date_range(START, periods=3, freq="6h"),
            dim: (dim, values * (100 if unit == "Pa" else 1), {"units": unit}),
            "latitude": LAT,
            "longitude": LON,
        },
    )
    return write(path, dataset)


def wrfout(path: Path, angle_deg: float = 20.0, turned: bool = True, half_hours: bool = False) -> Path:
    """A WRF domain turned against the parallels, wind 10 m/s along its own x axis everywhere."""
    count = 5 if half_hours else 3
    times = pd.date_range(START, periods=count, freq="30min" if half_hours else "h")
    ny, nx, nz = 30, 32, 6
    angle = np.radians(angle_deg)
    x, y = np.meshgrid((np.arange(nx) - nx / 2) * 0.3, (np.arange(ny) - ny / 2) * 0.3)
    lat, lon = 31 + x * np.sin(angle) + y * np.cos(angle), 119 + x * np.cos(angle) - y * np.sin(angle)
    flat = ("Time", "south_north", "west_east")
    shape, deep = (count, ny, nx), (count, nz, ny, nx)
    pressure = np.array([99e3, 96e3, 91e3, 84e3, 72e3, 55e3])[None, :, None, None]
    eta = ("Time", "bottom_top", "south_north", "west_east")
    hours = np.asarray((times - START) / pd.Timedelta(hours=1), dtype=float)
    mass: dict[str, tuple[ArrayLike, str]] = {
        "U10": (10.0, "m s-1"),
        "V10": (0.0, "m s-1"),
        "T2": (293.15, "K"),
        "Q2": (0.0076, "kg kg-1"),
        "PSFC": (1.0e5, "Pa"),
        "PBLH": (820.0, "m"),
        "RAINC": (hours * 1.0, "mm"),
        "RAINNC": (hours * 2.0 % 3.0, "mm"),
        "SWDOWN": (300.0, "W m-2"),
    }
    data = {name: (flat, field(value, shape), {"units": unit}) for name, (value, unit) in mass.items()}
    data["I_RAINNC"] = (flat, field(hours * 2.0 // 3.0, shape), {})
    data["P"] = (eta, np.broadcast_to(pressure - 9e4, deep).copy(), {"units": "Pa"})
    data["PB"] = (eta, field(9e4, deep), {"units": "Pa"})
    data["T"] = (eta, field(0.0, deep), {"units": "K"})
    logs = np.log(pressure)
    u = np.broadcast_to(logs, (count, nz, ny, nx + 1)).copy()
    data["U"] = (("Time", "bottom_top", "south_north", "west_east_stag"), u, {"units": "m s-1"})
    v = np.zeros((count, nz, ny + 1, nx))
    data["V"] = (("Time", "bottom_top", "south_north_stag", "west_east"), v, {"units": "m s-1"})
    w = field(0.1, (count, nz + 1, ny, nx))
    data["W"] = (("Time", "bottom_top_stag", "south_north", "west_east"), w, {"units": "m s-1"})
    data["XLAT"], data["XLONG"] = (flat, field(lat, shape), {}), (flat, field(lon, shape), {})
    if turned:
        data["COSALPHA"] = (flat, field(np.cos(angle), shape), {})
        data["SINALPHA"] = (flat, field(np.sin(angle), shape), {})
    data["Times"] = (("Time",), times.strftime("%Y-%m-%d_%H:%M:%S").to_numpy().astype("S19"), {})
    attrs = {"SIMULATION_START_DATE": f"{START:%Y-%m-%d_%H:%M:%S}", "MAP_PROJ": 1, "BUCKET_MM": 3.0}
    return write(path, xr.Dataset(data, attrs=attrs))
