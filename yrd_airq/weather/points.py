"""Values of gridded fields at points, bilinear."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray


def at_points(weather: xr.Dataset, lon: ArrayLike, lat: ArrayLike) -> xr.Dataset:
    """Bilinear values at points, dimensions (time[, level], point); blank outside the grid."""
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    row, up = _place(weather["lat"].values, lat)
    column, right = _place(weather["lon"].values, lon)
    out = {}
    for name, field in weather.data_vars.items():
        if "lat" not in field.dims:
            continue
        rest = [dim for dim in field.dims if dim not in ("lat", "lon")]
        values = field.transpose(*rest, "lat", "lon").values
        south = values[..., row, column] * (1 - right) + values[..., row, column + 1] * right
        north = values[..., row + 1, column] * (1 - right) + values[..., row + 1, column + 1] * right
        out[str(name)] = ((*rest, "point"), south * (1 - up) + north * up)
    kept = {key: weather[key] for key in ("time", "level") if key in weather.coords}
    return xr.Dataset(out, coords={**kept, "lat": ("point", lat), "lon": ("point", lon)})


def _place(
    axis: NDArray[np.float64], wanted: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Index of the cell and the share of the way through it; NaN outside the axis."""
    cell = np.clip(np.searchsorted(axis, wanted, side="right") - 1, 0, len(axis) - 2)
    share = (wanted - axis[cell]) / (axis[cell + 1] - axis[cell])
    return cell, np.where((wanted < axis[0]) | (wanted > axis[-1]), np.nan, share)
