"""What the drill's world emits, hour by hour on the grid: enterprises, their leaks, all other sources."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.drill.geography import lay_out, woods
from yrd_airq.drill.grid import Grid
from yrd_airq.drill.layers import LAYERS, TOPS_M
from yrd_airq.drill.settings import AreaSettings, Course, DrillSettings
from yrd_airq.drill.state import EMITTED
from yrd_airq.region import Region
from yrd_airq.vocab import Precursor

Fields = NDArray[np.float32]

CUTS = tuple(precursor.value for precursor in Precursor)
"""Columns of reductions: the cut part of what an enterprise would have emitted in an hour, at most 1."""

_HOURS_PER_YEAR = 8760
_GRAMS_PER_S_IN_TPA = 3.6 * _HOURS_PER_YEAR / 1000
# Smoke rises above its stack before it drifts (Briggs' rise for an average wind, roughly).
_RISE = 1.6
# Where each emitted species of an enterprise comes from, and which cut it follows: carbon monoxide burns with
# NOx, coarse dust with the particles. Solvents and dust leave near the ground, smoke from the stack.
_OF_PLANT = {
    "nox": ("nox", True),
    "voc": ("voc", False),
    "so2": ("so2", True),
    "co": ("nox", True),
    "pm": ("pm", True),
    "dust": ("pm", False),
}


def _day(*anchors: tuple[float, float]) -> NDArray[np.float64]:
    """24 hourly factors with mean 1 through anchors (hour, factor)."""
    hour, factor = zip(*anchors, strict=True)
    course = np.interp(np.arange(24) + 0.5, hour, factor)
    return course / course.mean()


COURSES: dict[Course, NDArray[np.float64]] = {
    "steady": np.ones(24),
    "day_shift": _day((0, 0.1), (7, 0.15), (8, 1), (12, 0.9), (13.5, 1), (18, 1), (19.5, 0.2), (24, 0.1)),
    "two_shifts": _day((0, 0.3), (6, 0.35), (8, 1), (16, 1), (22, 0.9), (23.5, 0.35), (24, 0.3)),
    "power": _day((0, 0.75), (4, 0.65), (9, 1.1), (14, 1.15), (19, 1.2), (22, 0.95), (24, 0.75)),
    "traffic": _day((0, 0.4), (3, 0.35), (7.5, 1.45), (10, 1.3), (15, 1.3), (18, 1.3), (20, 0.8), (24, 0.4)),
    "homes": _day((0, 0.45), (5, 0.5), (7, 1.2), (11.5, 1.4), (14, 0.9), (18, 1.5), (20.5, 0.8), (24, 0.45)),
    "sites": _day((0, 0.35), (5, 0.35), (8, 1.5), (12, 1.4), (17, 1.5), (19.5, 0.6), (24, 0.35)),
    "farms": _day((0, 0.6), (5, 0.55), (9, 1), (13, 1.6), (16, 1.5), (20, 0.9), (24, 0.6)),
}
"""How much of the day's mean is emitted in each hour, the first from midnight to one."""


@dataclass(frozen=True)
class Plants:
    """The enterprises as sources: ``rate`` (plant, EMITTED) in kg/h as a yearly mean, ``cell`` and
    ``layer`` (plant, EMITTED) where it goes, and the row of ``courses`` that each follows; the leak of an
    enterprise is a further source of VOC that is never idle.
    """

    ids: tuple[str, ...]
    rate: NDArray[np.float64]
    leak: NDArray[np.float64]
    cell: NDArray[np.int64]
    layer: NDArray[np.int64]
    course: NDArray[np.int64]

    @cached_property
    def index(self) -> pd.Index:
        """The enterprises' ids, for looking up their rows."""
        return pd.Index(self.ids)


@dataclass(frozen=True)
class Slab:
    """Yearly mean of a species in a layer, µg m⁻² h⁻¹: ``fields`` (group, cell) of ``groups`` that emit."""

    species: int
    layer: int
    groups: NDArray[np.int64]
    fields: Fields


@dataclass(frozen=True)
class Emission:
    """Emission of all sources at the hours ``times`` (hour-ending, Beijing).

    ``slabs`` hold the yearly mean of all groups of sources wherever they emit anything, ``group_factors``
    (time, group) is their course. ``woods`` (ny, nx) is the part under trees, from which the air makes
    biogenic VOC. ``cuts`` are what enterprises do not emit, by hour: plants and (plant, CUTS) parts.
    """

    times: pd.DatetimeIndex
    shape: tuple[int, int]
    slabs: tuple[Slab, ...]
    group_factors: Fields
    woods: NDArray[np.float64]
    plants: Plants
    plant_factors: Fields
    to_density: NDArray[np.float64]
    cuts: dict[int, tuple[NDArray[np.int64], NDArray[np.float64]]]

    def at(self, k: int) -> Fields:
        """Emission in the hour that ends at ``times[k]``, (EMITTED, layer, ny, nx) in µg m⁻² h⁻¹."""
        emitted = np.zeros((len(EMITTED), LAYERS, self.to_density.size), dtype=np.float32)
        for slab in self.slabs:
            emitted[slab.species, slab.layer] = self.group_factors[k, slab.groups] @ slab.fields
        if k in self.cuts:
            emitted = np.maximum(emitted - self._avoided(k), 0)
        return emitted.reshape(len(EMITTED), LAYERS, *self.shape)

    def plant_hour(self, k: int) -> NDArray[np.float64]:
        """What each enterprise would emit without cuts in the hour that ends at ``times[k]``.

        Shape (plant, EMITTED), kg; plants in the order of ``plants.ids``.
        """
        emitted = self.plants.rate * self.plant_factors[k][self.plants.course][:, None]
        emitted[:, EMITTED.index("voc")] += self.plants.leak
        return np.asarray(emitted)

    def with_cuts(self, reductions: pd.DataFrame | None) -> Emission:
        """The same sources after reductions: rows of enterprise_id, time (hour-ending) and ``CUTS``.

        Rows of one enterprise and hour add up; a cut above 1 counts as 1, a negative one is more emission.
        Enterprises that do not exist and hours outside ``times`` have no effect.
        """
        if reductions is None or reductions.empty:
            return replace(self, cuts={})
        hour = self.times.get_indexer(pd.DatetimeIndex(reductions["time"]))
        plant = self.plants.index.get_indexer(pd.Index(reductions["enterprise_id"]))
        rows = reductions[list(CUTS)].assign(hour=hour, plant=plant)[(hour >= 0) & (plant >= 0)]
        total = rows.groupby(["hour", "plant"])[list(CUTS)].sum().clip(upper=1.0)
        cuts = {
            int(str(at)): (part.index.get_level_values("plant").to_numpy(), part.to_numpy(dtype=float))
            for at, part in total.groupby(level="hour")
        }
        return replace(self, cuts=cuts)

    def _avoided(self, k: int) -> Fields:
        """What the cuts of an hour take away, (EMITTED, layer, cell)."""
        plant, cut = self.cuts[k]
        emitted = self.plant_hour(k)[plant]
        field = np.zeros((len(EMITTED), LAYERS, self.to_density.size))
        for row, species in enumerate(EMITTED):
            if species in _OF_PLANT:
                avoided = emitted[:, row] * cut[:, CUTS.index(_OF_PLANT[species][0])]
                place = (self.plants.layer[plant, row], self.plants.cell[plant])
                np.add.at(field[row], place, avoided)
        return np.asarray(field * self.to_density, dtype=np.float32)


def make_emission(
    times: pd.DatetimeIndex, grid: Grid, region: Region, enterprises: pd.DataFrame, settings: DrillSettings
) -> Emission:
    """The emission of the true ``enterprises`` and of the areas of the settings over ``times``."""
    width, height = grid.cell_km
    to_density = 1e3 / np.broadcast_to(width * height, grid.shape).ravel()  # kg in a cell to µg/m²
    scale = np.array([float(settings.scale.get(species, 1.0)) for species in EMITTED])
    plants, courses = _plants(enterprises, grid, scale)
    groups = [_of_plants(plants, k, to_density) for k in range(len(courses))]
    groups.append(_of_leaks(plants, to_density))
    groups += [_of_area(area, grid, region, settings, scale, to_density) for area in settings.area]
    plant_factors = np.stack([_factors(times, *course, 0.0) for course in courses], axis=1)
    factors = [
        *plant_factors.T,
        np.ones(len(times)),
        *(_factors(times, area.course, area.weekend, area.winter) for area in settings.area),
    ]
    return Emission(
        times=times,
        shape=grid.shape,
        slabs=_slabs(np.stack(groups)),
        group_factors=np.stack(factors, axis=1).astype(np.float32),
        woods=woods(grid),
        plants=plants,
        plant_factors=plant_factors.astype(np.float32),
        to_density=to_density,
        cuts={},
    )


def _slabs(fields: NDArray[np.float64]) -> tuple[Slab, ...]:
    """Fields (group, EMITTED, layer, cell) without what is nothing but zeros."""
    some = np.asarray((fields != 0).sum(axis=3) > 0)
    return tuple(
        Slab(int(species), int(layer), groups, fields[groups, species, layer].astype(np.float32))
        for species, layer in np.argwhere(some.any(axis=0))
        for groups in [np.flatnonzero(some[:, species, layer])]
    )


def layer_of(height_m: NDArray[np.float64]) -> NDArray[np.int64]:
    """The layer of the air that holds each height."""
    return np.minimum(np.searchsorted(TOPS_M, height_m), LAYERS - 1)


def _plants(
    table: pd.DataFrame, grid: Grid, scale: NDArray[np.float64]
) -> tuple[Plants, list[tuple[Course, float]]]:
    """The enterprises as sources, and the courses (by day and weekend) that occur among them."""
    fine = table["pm_tpa"] - table["coarse_tpa"]
    tonnes = table.assign(pm_tpa=fine, dust_tpa=table["coarse_tpa"], nh3_tpa=0.0)
    rate = tonnes[[f"{species}_tpa" for species in EMITTED]].to_numpy(dtype=float)
    kind = pd.MultiIndex.from_frame(table[["course", "weekend"]])
    code, courses = pd.factorize(kind, sort=True)
    high = np.array([_OF_PLANT.get(species, ("", False))[1] for species in EMITTED])
    stack = layer_of(_RISE * table["stack_m"].to_numpy(dtype=float))
    voc = scale[EMITTED.index("voc")]
    plants = Plants(
        ids=tuple(table["enterprise_id"]),
        rate=rate * scale * 1000 / _HOURS_PER_YEAR,
        leak=table["leak_gs"].to_numpy(dtype=float) * _GRAMS_PER_S_IN_TPA * voc * 1000 / _HOURS_PER_YEAR,
        cell=grid.nearest_cell(table["lon"], table["lat"]),
        layer=np.where(high[None, :], stack[:, None], 0),
        course=np.asarray(code, dtype=np.int64),
    )
    return plants, [(course, float(weekend)) for course, weekend in courses]


def _of_plants(plants: Plants, course: int, to_density: NDArray[np.float64]) -> NDArray[np.float64]:
    """Yearly mean of the enterprises that follow one course, (EMITTED, layer, cell)."""
    mine = plants.course == course
    field = np.zeros((len(EMITTED), LAYERS, to_density.size))
    for row in range(len(EMITTED)):
        np.add.at(field[row], (plants.layer[mine, row], plants.cell[mine]), plants.rate[mine, row])
    return field * to_density


def _of_leaks(plants: Plants, to_density: NDArray[np.float64]) -> NDArray[np.float64]:
    field = np.zeros((len(EMITTED), LAYERS, to_density.size))
    np.add.at(field[EMITTED.index("voc"), 0], plants.cell, plants.leak)
    return field * to_density


def _of_area(
    area: AreaSettings,
    grid: Grid,
    region: Region,
    settings: DrillSettings,
    scale: NDArray[np.float64],
    to_density: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Yearly mean of a group of small sources, (EMITTED, layer, cell)."""
    tonnes = np.array([float(area.tonnes.get(species, 0.0)) for species in EMITTED]) * scale
    share = lay_out(area.pattern, grid, region, settings.neighbours)
    field = np.zeros((len(EMITTED), LAYERS, to_density.size))
    field[:, int(layer_of(np.array(area.height_m)))] = (tonnes * 1000 / _HOURS_PER_YEAR)[:, None] * share
    return field * to_density


def _factors(times: pd.DatetimeIndex, course: Course, weekend: float, winter: float) -> NDArray[np.float64]:
    """Course of a group over the hours that end at ``times``; the mean of a whole year is about 1."""
    start = times - pd.Timedelta(hours=1)
    day = COURSES[course][start.hour] * np.where(start.weekday >= 5, weekend, 1.0) / (5 + 2 * weekend) * 7
    return np.asarray(day * (1 + winter * np.cos(2 * np.pi * (start.dayofyear.to_numpy() - 15) / 365)))
