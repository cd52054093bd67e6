"""CAMS global composition: particles in kg/m³, gases as mass mixing ratios, of the surface or lowest level.

Dimensions ``forecast_period`` and ``forecast_reference_time`` (data store from 2024) or ``time``. Gases
become µg/m³ (CO mg/m³) at 298.15 K and 1013.25 hPa, the reference state of GB 3095-2012 as amended in
2018; particles stay at actual conditions, as there.
"""

from __future__ import annotations

from yrd_airq.sources.netcdf_axes import LEVEL_DIMS
from yrd_airq.sources.netcdf_grid import GridLayout, grid_layout, has_any
from yrd_airq.sources.netcdf_layout import Field, Unit
from yrd_airq.sources.netcdf_model import TABLE
from yrd_airq.sources.netcdf_physics import REFERENCE_DENSITY

_PARTICLES = {"kg m-3": Unit(1e9), "kg/m3": Unit(1e9)}
_GAS = {"kg kg-1": Unit(REFERENCE_DENSITY * 1e9), "kg/kg": Unit(REFERENCE_DENSITY * 1e9)}
_CARBON_MONOXIDE = {unit: Unit(known.factor / 1000) for unit, known in _GAS.items()}

_SPECIES = (
    Field("pm25_ugm3", ("pm2p5",), _PARTICLES),
    Field("pm10_ugm3", ("pm10",), _PARTICLES),
    Field("o3_ugm3", ("go3", "o3"), _GAS),
    Field("no2_ugm3", ("no2",), _GAS),
    Field("so2_ugm3", ("so2",), _GAS),
    Field("co_mgm3", ("co",), _CARBON_MONOXIDE),
)

composition = grid_layout(
    "latitude, longitude, forecast_period or time; pm2p5, pm10, go3, no2, so2, co",
    lambda dataset: (
        has_any(dataset, _SPECIES) and not any(dataset.sizes.get(dim, 0) > 1 for dim in LEVEL_DIMS)
    ),
    GridLayout("cams_composition", (*_SPECIES, *TABLE), (), "", running_sums=True, daily_means=False),
)
