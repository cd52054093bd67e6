"""Ozone of a receptor-day under cuts of VOC and NOx together: the piecewise linear surface of the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from yrd_airq.attribution.surface import OzoneSurface
from yrd_airq.control.orders import Orders
from yrd_airq.control.relief import OZONE, Air, relief
from yrd_airq.vocab import Precursor

Reals = NDArray[np.float64]
_VOC, _NOX = (tuple(Precursor).index(p) for p in (Precursor.VOC, Precursor.NOX))


@dataclass(frozen=True)
class Piece:
    """One ozone row: ``change`` (VOC knot, NOx knot) in µg/m³ over cuts of all VOC and all NOx.

    ``voc`` and ``nox`` (order,): the cut that each order brings. Within a cell of the grid the
    surface is the lower of the two pairs of triangles over its corners.
    """

    voc_knots: Reals
    nox_knots: Reals
    change: Reals
    voc: Reals
    nox: Reals

    def rise(self, voc: Reals, nox: Reals) -> Reals:
        """Change of ozone in µg/m³ (negative: fall) by cuts of VOC and NOx, arrays of one shape."""
        i, x = _cell(self.voc_knots, voc)
        j, y = _cell(self.nox_knots, nox)
        near, far = self.change[i, j], self.change[i + 1, j + 1]
        by_voc, by_nox = self.change[i + 1, j], self.change[i, j + 1]
        along = np.where(
            x >= y,
            near + (by_voc - near) * x + (far - by_voc) * y,
            near + (by_nox - near) * y + (far - by_nox) * x,
        )
        across = np.where(
            x + y <= 1,
            near + (by_voc - near) * x + (by_nox - near) * y,
            far + (by_nox - far) * (1 - x) + (by_voc - far) * (1 - y),
        )
        return np.minimum(along, across)


def cut_surfaces(air: Air, orders: Orders) -> dict[int, Piece]:
    """Row → its piece, for the ozone rows that have a surface; empty where no chemistry was given.

    The grid is the surface's own up to the largest cut that the orders can bring together. Where the
    attribution caps what all enterprises together may claim, the whole surface is scaled by that cap.
    """
    pieces = {}
    for row, target in enumerate(air.targets):
        surface = air.attribution.surfaces.get(target)
        if target not in OZONE or surface is None:
            continue
        cuts = []
        for column, share in zip((_VOC, _NOX), air.shares(row), strict=True):
            by = np.zeros((len(share), len(Precursor)))
            by[:, column] = share
            cuts.append(relief(air, row, orders, by))
        knots = [_knots(surface.cuts, _largest(cut, orders)) for cut in cuts]
        at = (air.receptor[row], air.place[row])
        change = surface.change_ugm3[at][: len(knots[0]), : len(knots[1])]
        pieces[row] = Piece(knots[0], knots[1], change * _cap(air, row, surface), cuts[0], cuts[1])
    return pieces


def _cap(air: Air, row: int, surface: OzoneSurface) -> float:
    """Part of the surface's slope at nought that the attribution lets stand."""
    at = (air.receptor[row], air.place[row])
    full = np.abs(surface.gradient[at]).sum()
    given = air.attribution.response.get(air.targets[row])
    if given is None or full == 0:
        return 1.0
    return float(min(np.abs(given[at][[_VOC, _NOX]]).sum() / full, 1.0))


def _largest(cut: Reals, orders: Orders) -> float:
    deepest = np.zeros(int(orders.enterprise.max(initial=0)) + 1)
    np.maximum.at(deepest, orders.enterprise, cut)
    return float(deepest.sum())


def _knots(cuts: Reals, largest: float) -> Reals:
    last = int(np.searchsorted(cuts, min(largest * (1 + 1e-9), 1.0)))
    return np.asarray(cuts[: max(last, 1) + 1], dtype=float)


def _cell(knots: Reals, cut: Reals) -> tuple[NDArray[np.int64], Reals]:
    at = np.clip(np.searchsorted(knots, cut, side="right") - 1, 0, len(knots) - 2)
    return at, (cut - knots[at]) / (knots[at + 1] - knots[at])
