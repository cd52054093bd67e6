"""ERA5 of the Copernicus data store: single levels and pressure levels, both layouts.

Until September 2024: dimension ``time`` (hours since 1900), packed values, ``expver`` 1 and 5 as a
dimension where final and preliminary data meet. Since then: ``valid_time``, with ``number`` and
``expver`` as coordinates (ECMWF, "GRIB to netCDF conversion on new CDS and ADS systems"). Times are UTC.
Sums are over the hour that ends at the stamp. A file with a step of 24 hours holds means of Beijing days:
its stamp names the day.
"""

from __future__ import annotations

import xarray as xr

from yrd_airq.sources.netcdf_axes import LEVEL_DIMS
from yrd_airq.sources.netcdf_grid import DEW_POINT, GridLayout, grid_layout, has_any
from yrd_airq.sources.netcdf_layout import Field, Unit
from yrd_airq.sources.netcdf_physics import GRAVITY

SPEED = {"m s-1": Unit(), "m/s": Unit()}
KELVIN = {"K": Unit(), "kelvin": Unit(), "Kelvin": Unit()}
PERCENT = {"%": Unit(), "percent": Unit()}
PASCAL = {"Pa": Unit(), "pascal": Unit(), "Pascal": Unit()}
METRE = {"m": Unit(), "metre": Unit(), "meter": Unit(), "gpm": Unit()}
RAIN = {
    "m": Unit(1000.0, summed=True),
    "metre": Unit(1000.0, summed=True),
    "kg m-2": Unit(1.0, summed=True),
    "kg/m2": Unit(1.0, summed=True),
    "mm": Unit(1.0, summed=True),
    "kg m-2 s-1": Unit(3600.0),
}
SUNSHINE = {
    "J m-2": Unit(1 / 3600, summed=True),
    "J/m2": Unit(1 / 3600, summed=True),
    "W m-2": Unit(),
    "W/m2": Unit(),
}
COVER = {"(0 - 1)": Unit(), "0-1": Unit(), "1": Unit(), "%": Unit(0.01)}

SINGLE = (
    Field("u10_ms", ("u10", "10u"), SPEED),
    Field("v10_ms", ("v10", "10v"), SPEED),
    Field("t2m_k", ("t2m", "2t"), KELVIN),
    Field(DEW_POINT, ("d2m", "2d"), KELVIN),
    Field("rh_pct", ("r2", "2r"), PERCENT),
    Field("sp_pa", ("sp",), PASCAL),
    Field("blh_m", ("blh",), METRE),
    Field("precip_mmh", ("tp",), RAIN, floor=0.1),
    Field("ssrd_wm2", ("ssrd",), SUNSHINE, floor=1.0),
    Field("tcc", ("tcc",), COVER),
)

UPPER_AIR = (
    Field("u_ms", ("u",), SPEED),
    Field("v_ms", ("v",), SPEED),
    Field("w_pas", ("w",), {"Pa s-1": Unit(), "Pa/s": Unit()}),
    Field("t_k", ("t",), KELVIN),
    Field("q_kgkg", ("q",), {"kg kg-1": Unit(), "kg/kg": Unit()}),
    Field("z_m", ("z", "gh"), {"m2 s-2": Unit(1 / GRAVITY), **METRE}),
)

NO_WIND = (
    "no 10 m wind (u10, v10) in the file; it cannot serve as surface weather by itself: "
    "merge the parts into which the data store splits a download (instant, accum), as `cdo merge` does"
)


def _is_upper_air(dataset: xr.Dataset) -> bool:
    return any(dim in dataset.dims for dim in LEVEL_DIMS) and has_any(dataset, UPPER_AIR)


single = grid_layout(
    "latitude, longitude, time or valid_time; u10, v10, t2m, d2m, sp, blh, tp …",
    lambda dataset: has_any(dataset, SINGLE),
    GridLayout("era5_single_level", SINGLE, ("u10_ms", "v10_ms"), NO_WIND),
)
pressure = grid_layout(
    "latitude, longitude, pressure_level or level or isobaricInhPa; u, v, w, t …",
    _is_upper_air,
    GridLayout(
        "era5_pressure_level",
        UPPER_AIR,
        ("u_ms", "v_ms"),
        "no wind on levels (u, v) in the file; it cannot serve as upper-air weather",
    ),
)
