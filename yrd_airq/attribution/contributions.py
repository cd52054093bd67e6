"""Emission times footprint: what every source gives to the air of one receptor, before it is shared out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.attribution.emissions import Inventory
from yrd_airq.attribution.shares import Shares
from yrd_airq.transport.footprint import SIDES, Footprint
from yrd_airq.transport.nearfield import NearField, blended_per_km2
from yrd_airq.vocab import Precursor

Array = NDArray[np.float64]
_VOC = tuple(Precursor).index(Precursor.VOC)


@dataclass(frozen=True)
class Contributions:
    """What the sources give to some air, in t/a per km² of its footprint; only their ratios mean anything.

    ``listed`` (precursor, …, enterprise), ``unlisted`` (precursor, …, city), ``outside`` (precursor, …);
    the middle axes are day and member, or day.
    """

    listed: Array
    unlisted: Array
    outside: Array

    @property
    def total(self) -> Array:
        """Sum over all sources, (precursor, …)."""
        return np.asarray(self.listed.sum(axis=-1) + self.unlisted.sum(axis=-1) + self.outside)

    def mean_of_members(self) -> Contributions:
        """Mean over the members, the last middle axis.

        Contributions, not shares, are averaged: a member with clean air weighs little.
        """
        return Contributions(self.listed.mean(axis=2), self.unlisted.mean(axis=2), self.outside.mean(axis=2))

    def weigh_voc(self, reactivity: Array) -> Contributions:
        """With the VOC of each enterprise counted by ``reactivity`` (enterprise,), over the region's mean."""
        listed = self.listed.copy()
        listed[_VOC] *= reactivity
        return replace(self, listed=listed)

    def share_out(self) -> Shares:
        """Shares of the sources, precursor last; air that met no source at all counts as from outside."""
        total = self.total
        divisor = np.where(total > 0, total, 1)
        parts = (
            self.listed / divisor[..., None],
            self.unlisted / divisor[..., None],
            np.where(total > 0, self.outside / divisor, 1.0),
        )
        return Shares(*(np.ascontiguousarray(np.moveaxis(part, 0, -1)) for part in parts))


_PM = tuple(Precursor).index(Precursor.PM)


@dataclass(frozen=True)
class Ground:
    """A list and an inventory laid ready for one receptor after the other.

    ``lon``, ``lat`` of the enterprises; ``cells`` (flat) on which cities lie, and the cities' density
    there (cell, city); ``background`` (precursor, cell, 1) of all cells.
    """

    lon: Array
    lat: Array
    cells: NDArray[np.int64]
    density: Array
    background: Array
    inventory: Inventory


def lay_ground(enterprises: pd.DataFrame, inventory: Inventory) -> Ground:
    """The ground under a list (canonical columns)."""
    lon, lat = (enterprises[name].to_numpy(dtype=float) for name in ("lon", "lat"))
    density = inventory.city_density.reshape(len(inventory.city_density), -1)
    cells = np.flatnonzero(density.any(axis=0))
    background = inventory.background.reshape(len(Precursor), -1, 1)
    return Ground(lon, lat, cells, np.ascontiguousarray(density[:, cells].T), background, inventory)


def contribute(
    footprint: Footprint, index: int, ground: Ground, near: NearField | None = None
) -> Contributions:
    """Contributions to the receptor ``index`` of a footprint, for every day and member.

    With ``near`` the particles that enterprises close by emit enter by their plumes, by distance and without
    counting twice. The gases stay with the footprint: what they form takes hours, in which a plume is long
    past the receptor. What is not listed has no place of its own and stays with the footprint too.
    """
    inventory = ground.inventory
    weight = footprint.by_precursor[:, index]
    flat = weight.reshape(*weight.shape[:3], -1)
    per_km2 = footprint.per_km2_at(index, ground.lon, ground.lat)
    if near is not None:
        per_km2[_PM] = blended_per_km2(footprint, near, index, ground.lon, ground.lat)[_PM]
    listed = per_km2 * inventory.listed.T[:, None, None, :]
    unlisted = (flat[..., ground.cells] @ ground.density) * inventory.unlisted.T[:, None, None, :]
    on_grid = (flat.reshape(len(flat), -1, flat.shape[-1]) @ ground.background).reshape(flat.shape[:3])
    edge = np.stack([inventory.sea if side == "east" else inventory.land for side in SIDES])
    beyond = np.einsum("pdms,sp->pdm", footprint.outside[:, index], edge)
    return Contributions(listed, unlisted, on_grid + beyond)
