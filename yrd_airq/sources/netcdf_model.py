"""GFS and ECMWF forecasts turned from GRIB into NetCDF by cfgrib or wgrib2.

cfgrib writes the dimension ``step`` with the scalar ``time`` (issue) and ``valid_time``; wgrib2 writes
``time`` with the attribute ``reference_time`` and names such as UGRD_10maboveground. Rain and radiation
are sums since the start of the forecast, which GFS starts anew every 6 hours (NCEP, wgrib2 -ncep_norm);
radiation in W/m² is taken as the mean that it is.
"""

from __future__ import annotations

import xarray as xr

from yrd_airq.sources.netcdf_axes import LEAD_DIMS
from yrd_airq.sources.netcdf_era5 import NO_WIND, SINGLE
from yrd_airq.sources.netcdf_grid import DEW_POINT, GridLayout, grid_layout
from yrd_airq.sources.netcdf_layout import Field

_MORE_NAMES = {
    "u10_ms": ("UGRD_10maboveground",),
    "v10_ms": ("VGRD_10maboveground",),
    "t2m_k": ("TMP_2maboveground",),
    DEW_POINT: ("DPT_2maboveground",),
    "rh_pct": ("RH_2maboveground",),
    "sp_pa": ("PRES_surface",),
    "blh_m": ("hpbl", "HPBL_surface"),
    "precip_mmh": ("APCP_surface",),
    "ssrd_wm2": ("sdswrf", "dswrf", "avg_sdswrf", "DSWRF_surface"),
    "tcc": ("TCDC_entireatmosphere", "TCDC_entireatmosphere_consideredasasinglelayer_"),
}
TABLE = tuple(
    Field(known.name, (*known.options, *_MORE_NAMES[known.name]), known.units, known.floor)
    for known in SINGLE
)


def _matches(dataset: xr.Dataset) -> bool:
    names = {option for options in _MORE_NAMES.values() for option in options}
    leads = any(dim in dataset.dims for dim in LEAD_DIMS)
    return bool(names & set(dataset.data_vars)) or (
        leads and any(option in dataset.data_vars for field in SINGLE for option in field.options)
    )


single = grid_layout(
    "step or forecast_period with valid_time, or names of wgrib2; u10, 10u or UGRD_10maboveground …",
    _matches,
    GridLayout("gfs_ecmwf", TABLE, ("u10_ms", "v10_ms"), NO_WIND, running_sums=True, daily_means=False),
)
