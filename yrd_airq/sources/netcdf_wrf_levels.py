"""Upper air of WRF: staggered winds on eta levels taken to the mass points and to levels of pressure."""

from __future__ import annotations

import numpy as np
import xarray as xr

from yrd_airq.sources.netcdf_era5 import PASCAL, SPEED
from yrd_airq.sources.netcdf_layout import Field, Positions, Unit, Values
from yrd_airq.sources.netcdf_physics import GRAVITY

_STANDARD_HPA = (200, 250, 300, 400, 500, 600, 700, 800, 850, 900, 925, 950, 975, 1000)
_KAPPA = 2 / 7
_DRY_AIR = 287.04
_BASE_THETA = 300.0
_HEIGHT = {"m2 s-2": Unit()}

UPPER_AIR = (
    Field("u", ("U",), SPEED),
    Field("v", ("V",), SPEED),
    Field("w", ("W",), SPEED),
    Field("theta", ("T",), {"K": Unit()}),
    Field("vapour", ("QVAPOR",), {"kg kg-1": Unit()}),
    Field("p", ("P",), PASCAL),
    Field("pb", ("PB",), PASCAL),
    Field("ph", ("PH",), _HEIGHT),
    Field("phb", ("PHB",), _HEIGHT),
)


def reachable_levels(dataset: xr.Dataset) -> Values:
    """Standard levels (hPa) that lie below the top of the model everywhere at the first time."""
    top = dataset["P"].isel(Time=0, bottom_top=-1).values + dataset["PB"].isel(Time=0, bottom_top=-1).values
    return np.array([float(level) for level in _STANDARD_HPA if level * 100 > float(top.max()) * 1.01])


def upper_fields(dataset: xr.Dataset, at: Positions, levels_hpa: Values) -> dict[str, Values]:
    """Fields (time, level, south_north, west_east) at the positions ``at``, winds still along the grid."""

    def values(name: str, stagger: str | None = None) -> Values:
        field = dataset[name].isel(Time=at).values.astype(float)
        axis = {None: None, "z": 1, "y": 2, "x": 3}[stagger]
        if axis is None:
            return field
        low, high = [slice(None)] * 4, [slice(None)] * 4
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        return 0.5 * (field[tuple(low)] + field[tuple(high)])

    pressure = values("P") + values("PB")
    raw = {"u_ms": values("U", "x"), "v_ms": values("V", "y")}
    if "T" in dataset.variables:
        raw["t_k"] = (values("T") + _BASE_THETA) * (pressure / 1e5) ** _KAPPA
        if "W" in dataset.variables:
            raw["w_pas"] = -values("W", "z") * GRAVITY * pressure / (_DRY_AIR * raw["t_k"])
    if "QVAPOR" in dataset.variables:
        mixing = values("QVAPOR")
        raw["q_kgkg"] = mixing / (1 + mixing)
    if {"PH", "PHB"} <= set(dataset.variables):
        raw["z_m"] = (values("PH", "z") + values("PHB", "z")) / GRAVITY
    return _on_levels(raw, pressure, levels_hpa)


def _on_levels(raw: dict[str, Values], pressure: Values, levels_hpa: Values) -> dict[str, Values]:
    """Linear in the logarithm of pressure; the lowest model level below it, blank above the top."""
    logs = np.log(pressure)
    out: dict[str, list[Values]] = {name: [] for name in raw}
    for level in np.log(levels_hpa * 100):
        below = np.count_nonzero(logs >= level, axis=1)
        lower = np.clip(below - 1, 0, logs.shape[1] - 2)[:, None]
        low, high = (np.take_along_axis(logs, lower + step, axis=1) for step in (0, 1))
        weight = np.clip((low - level) / (low - high), 0, None)
        weight = np.where(weight > 1, np.nan, weight)
        for name, field in raw.items():
            start, end = (np.take_along_axis(field, lower + step, axis=1) for step in (0, 1))
            out[name].append((start + weight * (end - start))[:, 0])
    return {name: np.stack(fields, axis=1) for name, fields in out.items()}
