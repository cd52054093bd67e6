"""WRF output (wrfout): curvilinear, staggered, grid-relative fields brought to a regular grid and the Earth.

Winds are taken to the mass points and turned by COSALPHA and SINALPHA (WRF User's Guide: earth winds).
Rain is the sum of RAINC, RAINNC and RAINSH, buckets included, since the start of the simulation, which is
the time of issue. Levels are interpolated in the logarithm of pressure; below the lowest model level its
values hold. The domain may move; the regular grid is the largest that always lies wholly within it.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from yrd_airq.clock import from_utc
from yrd_airq.errors import InputError
from yrd_airq.sources import netcdf_axes as axes
from yrd_airq.sources.netcdf_era5 import KELVIN, METRE, PASCAL, SPEED, SUNSHINE
from yrd_airq.sources.netcdf_layout import (
    UPPER,
    Cut,
    Field,
    Header,
    Layout,
    Positions,
    Unit,
    Values,
    find_fields,
)
from yrd_airq.sources.netcdf_physics import humidity_of_mixing_ratio, rates
from yrd_airq.sources.netcdf_regrid import Regridder, inner_axes
from yrd_airq.sources.netcdf_wrf_levels import UPPER_AIR, reachable_levels, upper_fields
from yrd_airq.vocab import WeatherKind

_NAME = "wrf_wrfout"
_TIME_FORMAT = "%Y-%m-%d_%H:%M:%S"
_MILLIMETRE = {"mm": Unit(), "kg m-2": Unit()}
_SURFACE = (
    Field("u10_ms", ("U10",), SPEED),
    Field("v10_ms", ("V10",), SPEED),
    Field("t2m_k", ("T2",), KELVIN),
    Field("mixing_ratio", ("Q2",), {"kg kg-1": Unit(), "kg/kg": Unit()}),
    Field("sp_pa", ("PSFC",), PASCAL),
    Field("blh_m", ("PBLH",), METRE),
    Field("rain_convective", ("RAINC",), _MILLIMETRE),
    Field("rain_shallow", ("RAINSH",), _MILLIMETRE),
    Field("rain_grid", ("RAINNC",), _MILLIMETRE),
    Field("ssrd_wm2", ("SWDOWN",), SUNSHINE),
)
_RAIN = ("rain_convective", "rain_shallow", "rain_grid")
_HUMIDITY = ("mixing_ratio", "t2m_k", "sp_pa")
_RAIN_FLOOR = np.inf
"""The model never starts its sum anew; what falls at a place is the error of interpolation."""
_UNTURNED = (3,)
"""Map projections whose grid runs along the parallels: Mercator. Others need COSALPHA and SINALPHA."""


def describe(dataset: xr.Dataset, name: str) -> Header:
    """Header of an open wrfout; ``InputError`` naming the file ``name`` if it does not fit."""
    for needed in ("Times", "XLAT", "XLONG"):
        if needed not in dataset.variables:
            raise InputError(f"{name}: wrfout without {needed}; write it out with the model's default stream")
    found = find_fields(dataset, (*_SURFACE, *UPPER_AIR), name)
    levels = {"u", "v", "p", "pb"} <= set(found)
    if not levels and not {"u10_ms", "v10_ms"} <= set(found):
        raise InputError(
            f"{name}: neither U10 and V10 nor U, V, P and PB in the file; it cannot serve as weather"
        )
    _cosines(dataset, name)
    times = _times(dataset, name)
    kept = _whole_hours(times)
    start = dataset.attrs.get("SIMULATION_START_DATE", dataset.attrs.get("START_DATE"))
    if start is None:
        raise InputError(f"{name}: wrfout without SIMULATION_START_DATE; write it as a global attribute")
    stated = float(dataset.attrs.get("step_hours", 0))
    lat, lon = inner_axes(*_grid_points(dataset), name)
    return Header(
        layout=_NAME,
        kind=WeatherKind.FORECAST,
        issue_time=from_utc(pd.DatetimeIndex([pd.to_datetime(str(start), format=_TIME_FORMAT)]))[0],
        stamps=from_utc(times[kept]),
        steps=axes.steps_of(times[kept], True, stated, False, name),
        lat=lat,
        lon=lon,
        variables=_offered(set(found), levels),
        levels=reachable_levels(dataset) if levels else np.empty(0),
    )


def read(dataset: xr.Dataset, header: Header, cut: Cut) -> dict[str, Values]:
    """Fields of a cut on the regular grid, in the order time[, level], lat, lon."""
    grid = Regridder(*_grid_points(dataset), header.lat[cut.rows], header.lon[cut.columns])
    positions = _whole_hours(_times(dataset, header.layout))
    at = positions[cut.at]
    raw = _surface_fields(dataset, cut.names, at, header.layout)
    if set(UPPER) & set(cut.names):
        raw |= upper_fields(dataset, at, header.levels)
    for east, north in (("u10_ms", "v10_ms"), ("u_ms", "v_ms")):
        if east in raw and north in raw:
            raw[east], raw[north] = _to_earth(dataset, raw[east], raw[north], at, header.layout)
    out = {key: grid.apply(raw[key], at) for key in cut.names if key in raw}
    if "precip_mmh" in cut.names and "precip_mmh" in header.variables:
        first = max(int(cut.at.min()) - 1, 0)
        run = positions[first : int(cut.at.max()) + 1]
        total = grid.apply(_rain(dataset, run, header.layout), run)
        out["precip_mmh"] = rates(total, header, first, _RAIN_FLOOR)[cut.at - first]
    return {key: out[key] for key in cut.names if key in out}


def _surface_fields(
    dataset: xr.Dataset, names: tuple[str, ...], at: Positions, name: str
) -> dict[str, Values]:
    """Fields at the ground on the mass points, humidity derived, rain left to ``_rain``."""
    found = find_fields(dataset, _SURFACE, name)
    humid = "rh_pct" in names and set(_HUMIDITY) <= set(found)
    raw = {
        key: dataset[option].isel(Time=at).values.astype(float) * unit.factor
        for key, (option, unit) in found.items()
        if key in names or (humid and key in _HUMIDITY)
    }
    if humid:
        raw["rh_pct"] = humidity_of_mixing_ratio(*(raw[key] for key in _HUMIDITY))
    return raw


def _rain(dataset: xr.Dataset, at: Positions, name: str) -> Values:
    """Rain (mm) since the start of the simulation."""
    found = find_fields(dataset, _SURFACE, name)
    parts = (dataset[found[key][0]].isel(Time=at).values.astype(float) for key in _RAIN if key in found)
    return np.asarray(sum(parts, start=_buckets(dataset, at)))


def _to_earth(dataset: xr.Dataset, u: Values, v: Values, at: Positions, name: str) -> tuple[Values, Values]:
    """Winds along the grid as winds to the east and north."""
    cos, sin = _cosines(dataset, name)
    if len(cos) > 1:
        cos, sin = cos[at], sin[at]
    if u.ndim == 4:
        cos, sin = cos[:, None], sin[:, None]
    return u * cos - v * sin, v * cos + u * sin


def _buckets(dataset: xr.Dataset, at: Positions) -> Values:
    """Rain (mm) that was moved into counters, nought where the model counts none."""
    size = float(dataset.attrs.get("BUCKET_MM", -1.0))
    counters = [name for name in ("I_RAINC", "I_RAINNC") if name in dataset.variables and size > 0]
    shape = dataset["XLAT"].shape[-2:]
    return sum(
        (dataset[name].isel(Time=at).values.astype(float) * size for name in counters),
        start=np.zeros((len(at), *shape)),
    )


def _offered(found: set[str], levels: bool) -> tuple[str, ...]:
    derived = {"rh_pct": set(_HUMIDITY), "precip_mmh": {"rain_convective", "rain_grid"}}
    order = ("u10_ms", "v10_ms", "t2m_k", "rh_pct", "sp_pa", "blh_m", "precip_mmh", "ssrd_wm2")
    surface = [name for name in order if derived.get(name, {name}) <= found]
    needs = {"u_ms": {"u"}, "v_ms": {"v"}, "w_pas": {"w", "theta"}, "t_k": {"theta"}, "q_kgkg": {"vapour"}}
    needs["z_m"] = {"ph", "phb"}
    upper = [name for name, raw in needs.items() if levels and raw <= found]
    return (*surface, *upper)


def _times(dataset: xr.Dataset, name: str) -> pd.DatetimeIndex:
    raw = dataset["Times"].values
    texts = [value.decode() if isinstance(value, bytes) else str(value) for value in raw]
    try:
        times = pd.DatetimeIndex(pd.to_datetime(texts, format=_TIME_FORMAT))
    except ValueError as exc:
        raise InputError(f"{name}: Times holds {texts[0]!r}; expected text like 2016-09-01_00:00:00") from exc
    if times.empty:
        raise InputError(f"{name}: holds no time step; fetch it again")
    axes.check_rising(times, "Times", name)
    return times


def _whole_hours(times: pd.DatetimeIndex) -> Positions:
    """Positions of the times on the hour; all of them if none is."""
    kept = np.flatnonzero(times == times.floor("h"))
    return kept if kept.size else np.arange(len(times))


def _grid_points(dataset: xr.Dataset) -> tuple[Values, Values]:
    """Latitudes and longitudes of the mass points, (time or 1, south_north, west_east)."""
    lat, lon = _by_time(dataset["XLAT"]), _by_time(dataset["XLONG"])
    return lat, axes.turned(lon)


def _by_time(field: xr.DataArray) -> Values:
    values = field.values.astype(float)
    return values if values.ndim == 3 else values[None]


def _cosines(dataset: xr.Dataset, name: str) -> tuple[Values, Values]:
    """Cosine and sine of the angle from grid to Earth at the mass points, (time or 1, …)."""
    if {"COSALPHA", "SINALPHA"} <= set(dataset.variables):
        return _by_time(dataset["COSALPHA"]), _by_time(dataset["SINALPHA"])
    if int(dataset.attrs.get("MAP_PROJ", 0)) not in _UNTURNED:
        raise InputError(
            f"{name}: winds run along the grid of projection {dataset.attrs.get('MAP_PROJ', 'unknown')}; "
            "write out COSALPHA and SINALPHA, without which they cannot be turned to east and north"
        )
    return np.ones((1, 1, 1)), np.zeros((1, 1, 1))


layout = Layout(
    _NAME,
    "Times, XLAT, XLONG; U10, V10, T2, Q2, PSFC, PBLH, RAINC, RAINNC … (wrfout_d0x_…)",
    lambda dataset: "XLAT" in dataset.variables or "south_north" in dataset.dims,
    describe,
    read,
)
