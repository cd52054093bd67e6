"""Statistics of a season's trajectories: which ground dirty air has crossed (PSCF, CWT).

Every step of every trajectory is a point in a grid cell. PSCF: part of a cell's points that belong to
days above a threshold. CWT: mean concentration of the days that a cell's points belong to. Cells with few
points count less.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from yrd_airq.clock import day_of_label
from yrd_airq.errors import InputError
from yrd_airq.transport.settings import GridSettings, SeasonSettings, TransportSettings
from yrd_airq.transport.trajectory import Trajectories

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SourceField:
    """PSCF and CWT of one receptor, (lat, lon); blank where no air has passed.

    ``pscf`` (0 … 1) and ``cwt`` (unit of the concentrations) are weighed by ``weight``, which falls with the
    number of ``points``. ``threshold``: concentration above which a day counts as dirty. ``lat``, ``lon``:
    cell centres. ``days``: days with a concentration, of which ``dirty`` above the threshold.
    """

    receptor: str
    pscf: Array
    cwt: Array
    weight: Array
    points: NDArray[np.int64]
    lat: Array
    lon: Array
    threshold: float
    days: int
    dirty: int


def source_field(
    trajectories: Trajectories,
    receptor: str,
    concentrations: Mapping[date, float],
    settings: TransportSettings,
    threshold: float | None = None,
    central_only: bool = True,
) -> SourceField:
    """PSCF and CWT over all arrivals whose day has a concentration.

    ``threshold``: by default the quantile of the settings over these days. ``central_only``: the central
    member, else all. ``InputError`` for an unknown receptor or no day with a value.
    """
    if receptor not in trajectories.receptors:
        raise InputError(f"receptor {receptor!r} has no trajectories; trace it first")
    day = [stamp.date() for stamp in day_of_label(trajectories.arrivals)]
    by_arrival = np.array([concentrations.get(d, np.nan) for d in day], dtype=float)
    known = np.isfinite(by_arrival)
    if not known.any():
        raise InputError(f"no concentration of receptor {receptor} for any day of the trajectories")
    by_day = np.array([concentrations[d] for d in sorted({d for d, k in zip(day, known, strict=True) if k})])
    limit = float(np.quantile(by_day, settings.season.quantile)) if threshold is None else threshold
    members = [trajectories.central_member] if central_only else list(range(len(trajectories.members)))
    index = trajectories.receptors.index(receptor)
    lon, lat = (axis[index][known][:, members] for axis in (trajectories.lon, trajectories.lat))
    value = np.broadcast_to(by_arrival[known][:, None, None], lon.shape)
    grid = settings.grid.model_copy(update={"step_deg": settings.season.step_deg})
    points, dirty, total = _count(lon, lat, value, limit, grid)
    weight = _weigh(points, settings.season)
    crossed = np.where(points > 0, points, np.nan)
    rows, columns = grid.centres
    return SourceField(
        receptor=receptor,
        pscf=dirty / crossed * weight,
        cwt=total / crossed * weight,
        weight=weight,
        points=points,
        lat=rows,
        lon=columns,
        threshold=limit,
        days=len(by_day),
        dirty=int((by_day > limit).sum()),
    )


def _count(
    lon: Array, lat: Array, value: Array, limit: float, grid: GridSettings
) -> tuple[NDArray[np.int64], Array, Array]:
    """Points by cell, points of dirty days, sum of the concentrations of the points, each (lat, lon)."""
    rows, columns = grid.shape
    i, j = np.floor((lon - grid.lon_min) / grid.step_deg), np.floor((lat - grid.lat_min) / grid.step_deg)
    inside = (i >= 0) & (i < columns) & (j >= 0) & (j < rows)
    cell = (j[inside] * columns + i[inside]).astype(np.int64)
    size, carried = rows * columns, value[inside]
    points = np.bincount(cell, minlength=size)
    dirty = np.bincount(cell, weights=(carried > limit).astype(float), minlength=size).astype(float)
    total = np.bincount(cell, weights=carried, minlength=size).astype(float)
    shape = (rows, columns)
    return points.astype(np.int64).reshape(shape), dirty.reshape(shape), total.reshape(shape)


def _weigh(points: NDArray[np.int64], settings: SeasonSettings) -> Array:
    """Weight of each cell by its number of points over the mean of the cells that have any."""
    crossed = points > 0
    ratio = points / points[crossed].mean() if crossed.any() else points.astype(float)
    conditions = [ratio > step.over for step in settings.weights]
    return np.select(conditions, [step.weight.value for step in settings.weights], default=0.0)
