"""Files in the product's own canonical names, such as answers of a service that were turned into a grid."""

from __future__ import annotations

from yrd_airq.sources.netcdf_grid import GridLayout, grid_layout, has_any
from yrd_airq.sources.netcdf_layout import COMPOSITION, SURFACE, Field, Unit

UNITS = {
    **dict(zip(SURFACE, ("m s-1", "m s-1", "K", "%", "Pa", "m", "mm h-1", "W m-2", "1"), strict=True)),
    **dict(zip(COMPOSITION, (*["ug m-3"] * 5, "mg m-3"), strict=True)),
}
"""Unit attribute of each canonical field."""

_TABLE = tuple(Field(name, (name,), {unit: Unit()}) for name, unit in UNITS.items())

canonical = grid_layout(
    "latitude, longitude, valid_time; u10_ms, v10_ms, t2m_k … (written by this product)",
    # ``tcc`` has the same name at ECMWF.
    lambda dataset: has_any(dataset, tuple(field for field in _TABLE if field.name != "tcc")),
    GridLayout("canonical", _TABLE, (), ""),
)
