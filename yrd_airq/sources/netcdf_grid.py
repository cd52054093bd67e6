"""The one reader of regular latitude–longitude files, driven by the table of fields of a layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from yrd_airq.clock import from_utc
from yrd_airq.errors import InputError
from yrd_airq.sources import netcdf_axes as axes
from yrd_airq.sources.netcdf_layout import (
    SURFACE,
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
from yrd_airq.sources.netcdf_physics import rates, relative_humidity
from yrd_airq.vocab import WeatherKind

DEW_POINT = "d2m_k"
"""Helper field that only serves to derive ``rh_pct``."""

_LAT, _LON = ("latitude", "lat"), ("longitude", "lon")
_EXPVER = "expver"


@dataclass(frozen=True)
class GridLayout:
    """How files of a regular grid are read.

    ``needs`` are the fields without which a file is of no use and ``lacks`` the words for that. Sums
    run from the start of the forecast (``running_sums``) or else over the hour that ends at the time
    (ERA5; over the day in files of daily means, which only count where ``daily_means``).
    """

    name: str
    table: tuple[Field, ...]
    needs: tuple[str, ...]
    lacks: str
    running_sums: bool = False
    daily_means: bool = True

    def describe(self, dataset: xr.Dataset, name: str) -> Header:
        """Header of an open dataset; ``InputError`` naming the file ``name`` if it does not fit."""
        lat, lon = axes.horizontal(dataset, _LAT, name), axes.horizontal(dataset, _LON, name)
        found = find_fields(dataset, self.table, name)
        if self.needs and not set(self.needs) <= set(found):
            raise InputError(f"{name}: {self.lacks}")
        first = next(iter(found.values()))[0]
        time = axes.time_dim(dataset, first, name)
        level = next((dim for dim in axes.LEVEL_DIMS if dim in dataset[first].dims), None)
        upper = level is not None and next(iter(found)) in UPPER
        _check_dims(dataset, [option for option, _ in found.values()], (time, lat, lon), level, upper, name)
        times = axes.utc_times(dataset, time, name)
        axes.check_rising(times, time, name)
        reference = axes.reference_time(dataset, time, name)
        if reference is None and time in axes.LEAD_DIMS:
            raise InputError(f"{name}: has lead times ({time}) but no time of issue; write it as issue_time")
        stated = float(dataset.attrs.get("step_hours", 0))
        steps = axes.steps_of(times, reference is not None, stated, self.daily_means, name)
        return Header(
            layout=self.name,
            kind=WeatherKind.ANALYSIS if reference is None else WeatherKind.FORECAST,
            issue_time=reference,
            stamps=times.normalize() if steps[0] == 24 else from_utc(times),
            steps=steps,
            lat=axes.rising(dataset[lat].values)[0],
            lon=axes.rising(axes.turned(dataset[lon].values))[0],
            variables=_offered(set(found)),
            levels=np.sort(axes.pressure_levels(dataset, str(level), name)) if upper else np.empty(0),
        )

    def read(self, dataset: xr.Dataset, header: Header, cut: Cut) -> dict[str, Values]:
        """Fields of a cut, in canonical units and the order time[, level], lat, lon."""
        found = find_fields(dataset, self.table, header.layout)
        wanted = {*cut.names, "t2m_k", DEW_POINT} if "rh_pct" not in found else set(cut.names)
        out = {}
        for wanted_field in self.table:
            if wanted_field.name in found and wanted_field.name in wanted:
                option, unit = found[wanted_field.name]
                out[wanted_field.name] = self._values(dataset, wanted_field, option, unit, header, cut)
        if "rh_pct" in cut.names and {DEW_POINT, "t2m_k"} <= set(out):
            out["rh_pct"] = relative_humidity(out["t2m_k"], out[DEW_POINT])
        return {key: out[key] for key in cut.names if key in out}

    def _values(
        self, dataset: xr.Dataset, wanted: Field, option: str, unit: Unit, header: Header, cut: Cut
    ) -> Values:
        variable = dataset[option]
        if not unit.summed:
            return _block(variable, cut.at, cut, wanted.name in UPPER) * unit.factor
        if not self.running_sums:
            hours = np.where(header.steps[cut.at] == 24, 24.0, 1.0)[:, None, None]
            return np.clip(_block(variable, cut.at, cut), 0, None) * unit.factor / hours
        # A running sum needs the step before the first one that is wanted.
        start = max(int(cut.at.min()) - 1, 0)
        block = _block(variable, np.arange(start, int(cut.at.max()) + 1), cut) * unit.factor
        return rates(block, header, start, wanted.floor)[cut.at - start]


def grid_layout(looks: str, matches: Callable[[xr.Dataset], bool], rules: GridLayout) -> Layout:
    """A layout of regular grids as the registry holds it."""
    return Layout(rules.name, looks, matches, rules.describe, rules.read)


def has_any(dataset: xr.Dataset, table: tuple[Field, ...]) -> bool:
    """Whether the dataset has one of the table's fields."""
    return any(option in dataset.data_vars for wanted in table for option in wanted.options)


def _offered(found: set[str]) -> tuple[str, ...]:
    if {DEW_POINT, "t2m_k"} <= found:
        found = found | {"rh_pct"}
    ranked = (*SURFACE, *UPPER)
    known = [name for name in ranked if name in found]
    return (*known, *sorted(found - set(ranked) - {DEW_POINT}))


def _check_dims(
    dataset: xr.Dataset,
    options: list[str],
    dims: tuple[str, str, str],
    level: str | None,
    upper: bool,
    name: str,
) -> None:
    """Every field has time, latitude and longitude; other dimensions are of size one, or known."""
    allowed = {*dims, _EXPVER} | ({level} if upper else set())
    for option in options:
        sizes = dataset[option].sizes
        extra = [str(dim) for dim in sizes if dim not in allowed and sizes[dim] > 1]
        missing = [dim for dim in (*dims, *([level] if upper else [])) if dim not in sizes]
        if extra:
            raise InputError(f"{name}: {option} has the dimension {extra[0]}; write one file for each value")
        if missing:
            raise InputError(f"{name}: {option} lacks the dimension {missing[0]}")


def _block(variable: xr.DataArray, at: Positions, cut: Cut, upper: bool = False) -> Values:
    """Values at times ``at``, of the cut's rows and columns: time[, level if upper], lat, lon, all rising."""
    dataset = variable.coords.to_dataset()
    lat = next(dim for dim in _LAT if dim in variable.dims)
    lon = next(dim for dim in _LON if dim in variable.dims)
    wanted = {
        lat: axes.rising(dataset[lat].values)[1][cut.rows],
        lon: axes.rising(axes.turned(dataset[lon].values))[1][cut.columns],
    }
    time = next(dim for dim in axes.TIME_DIMS if dim in variable.dims and variable.sizes[dim] > at.max())
    wanted[time] = at
    level = next((dim for dim in axes.LEVEL_DIMS if upper and dim in variable.dims), None)
    if level is not None:
        wanted[level] = np.argsort(dataset[level].values)
    # Whole runs are read and picked from in memory: picking on disk goes value by value.
    low = {dim: int(index.min()) for dim, index in wanted.items()}
    run = variable.isel({dim: slice(low[dim], int(index.max()) + 1) for dim, index in wanted.items()})
    run = run.isel({dim: 0 for dim in run.dims if dim not in wanted and dim != _EXPVER})
    if _EXPVER in run.dims:
        # Final data (1) and preliminary data (5) fill each other's blanks: ECMWF, ERA5 and ERA5T in one file.
        run = run.isel({_EXPVER: 0}).fillna(run.isel({_EXPVER: -1}))
    order = [time, *([level] if level else []), lat, lon]
    values = run.transpose(*order).values.astype(float)
    if all(np.array_equal(wanted[dim], np.arange(low[dim], low[dim] + run.sizes[dim])) for dim in order):
        return values
    return values[np.ix_(*[wanted[dim] - low[dim] for dim in order])]
