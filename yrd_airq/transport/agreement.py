"""How sure a footprint is: which part of the ensemble agrees, and how far its members lie apart.

The source region of a member is the least set of cells that hold a given part of its weight on the grid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from yrd_airq.transport.footprint import Footprint
from yrd_airq.vocab import Precursor

SOURCE_REGION = 0.5
"""Part of the weight that the source region of a member holds."""
Array = NDArray[np.float64]


def source_region(
    footprint: Footprint, precursor: Precursor = Precursor.PM, part: float = SOURCE_REGION
) -> NDArray[np.bool_]:
    """Whether a cell belongs to the source region, (receptor, day, member, lat, lon).

    The region holds ``part`` of the weight on the grid per km², heaviest cells first; ties go in together.
    """
    weight = footprint.by_precursor[tuple(Precursor).index(precursor)]
    density = weight / footprint.cell_area_km2[:, None]
    flat, mass = (field.reshape(*weight.shape[:3], -1) for field in (density, weight))
    order = np.argsort(-flat, axis=-1, kind="stable")
    held = np.cumsum(np.take_along_axis(mass, order, axis=-1), axis=-1)
    enough = (held >= part * held[..., -1:]).argmax(axis=-1)[..., None]
    limit = np.take_along_axis(np.take_along_axis(flat, order, axis=-1), enough, axis=-1)
    return np.asarray(((flat >= limit) & (flat > 0)).reshape(weight.shape))


def agreement(
    footprint: Footprint, precursor: Precursor = Precursor.PM, part: float = SOURCE_REGION
) -> Array:
    """Share of the members whose source region holds a cell, (receptor, day, lat, lon), 0 … 1."""
    return np.asarray(source_region(footprint, precursor, part).mean(axis=2))


def agreement_at(
    footprint: Footprint,
    receptor: int,
    lon: ArrayLike,
    lat: ArrayLike,
    precursor: Precursor = Precursor.PM,
    part: float = SOURCE_REGION,
) -> Array:
    """Share of the members whose source region holds each point's cell, (day, point); nought off the grid."""
    i = np.floor((np.asarray(lon, dtype=float) - footprint.lon[0]) / footprint.step_deg + 0.5)
    j = np.floor((np.asarray(lat, dtype=float) - footprint.lat[0]) / footprint.step_deg + 0.5)
    inside = (i >= 0) & (i < len(footprint.lon)) & (j >= 0) & (j < len(footprint.lat))
    row, column = (np.where(inside, k, 0).astype(int) for k in (j, i))
    return np.where(inside, agreement(footprint, precursor, part)[receptor][:, row, column], 0.0)


def member_overlap(footprint: Footprint, precursor: Precursor = Precursor.PM) -> Array:
    """Part of each member's weight that it shares with the mean of all, (receptor, day, member), 0 … 1.

    1: the member is the mean; low: it comes from elsewhere. Air beyond the grid counts by side.
    """
    index = tuple(Precursor).index(precursor)
    weight, outside = footprint.by_precursor[index], footprint.outside[index]
    shared = np.minimum(weight, weight.mean(axis=2, keepdims=True)).sum(axis=(-1, -2))
    beyond = np.minimum(outside, outside.mean(axis=2, keepdims=True)).sum(axis=-1)
    return np.asarray(shared + beyond)
