"""Ozone isopleths of the box, their ridge, the base points of the regimes, and their calibration."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from yrd_airq.attribution.box import run_boxes
from yrd_airq.attribution.chemistry import AnchorCase, OzoneChemistry
from yrd_airq.attribution.settings import Regime
from yrd_airq.errors import InputError

Array = NDArray[np.float64]
_RIDGE_POINTS = 61
_RIDGE_RATIOS = (1.0, 100.0)
_POSITIONS = (0.7, 2.0)


@dataclass(frozen=True)
class Isopleth:
    """The diagram: ``mda8_ugm3`` (NOx, VOC) over morning ``voc_ppbc`` and ``nox_ppb``.

    ``ridge_nox_ppb`` (VOC,): NOx at which ozone is highest for each VOC, blank without VOC.
    ``base``: morning VOC and NOx of each regime's base point.
    """

    voc_ppbc: Array
    nox_ppb: Array
    mda8_ugm3: Array
    ridge_nox_ppb: Array
    base: dict[Regime, tuple[float, float]]


def draw_isopleth(chemistry: OzoneChemistry, voc_ppbc: ArrayLike, nox_ppb: ArrayLike) -> Isopleth:
    """Isopleth over the given axes, both rising and from nought or more."""
    voc, nox = np.asarray(voc_ppbc, dtype=float), np.asarray(nox_ppb, dtype=float)
    ridge = np.full(len(voc), np.nan)
    ridge[voc > 0] = [find_ridge(chemistry, amount) for amount in voc[voc > 0]]
    return Isopleth(
        voc_ppbc=voc,
        nox_ppb=nox,
        mda8_ugm3=_mda8(chemistry, voc[None, :], nox[:, None]),
        ridge_nox_ppb=ridge,
        base={
            regime: base_point(chemistry, position.value)
            for regime, position in chemistry.surface.position.items()
        },
    )


def find_ridge(chemistry: OzoneChemistry, voc_ppbc: float) -> float:
    """NOx (ppb) at which a morning VOC makes the highest MDA8; by a parabola through the best of many."""
    ratio = np.geomspace(*_RIDGE_RATIOS, _RIDGE_POINTS)
    nox = voc_ppbc / ratio
    value = _mda8(chemistry, voc_ppbc, nox)
    best = int(np.clip(value.argmax(), 1, _RIDGE_POINTS - 2))
    curve = np.polyfit(np.log(nox[best - 1 : best + 2]), value[best - 1 : best + 2], 2)
    return float(np.exp(-curve[1] / (2 * curve[0])))


def base_point(chemistry: OzoneChemistry, position: float) -> tuple[float, float]:
    """Morning VOC (ppbC) and NOx (ppb) at a position: VOC/NOx over that of the ridge."""
    if not position > 0:
        raise InputError(f"a city's place in the ozone isopleths must be positive, not {position}")
    voc = chemistry.surface.voc_ppbc.value
    return voc, find_ridge(chemistry, voc) / position


def relative_change(
    chemistry: OzoneChemistry, position: float, voc_cut: ArrayLike, nox_cut: ArrayLike
) -> Array:
    """Change of ozone by cuts, as a part of the ozone above background; negative where it falls.

    Cuts are parts of all VOC and NOx (0 … 1), broadcast against each other.
    """
    voc, nox = base_point(chemistry, position)
    cut_voc, cut_nox = np.broadcast_arrays(np.asarray(voc_cut, dtype=float), np.asarray(nox_cut, dtype=float))
    left = [np.append((1 - cut).ravel(), [1.0, 0.0]) for cut in (cut_voc, cut_nox)]
    value = _mda8(chemistry, voc * left[0], nox * left[1])
    base, clean = value[-2:]
    part = chemistry.surface.responding_part.value
    return np.asarray(part * (value[:-2] - base) / (base - clean)).reshape(cut_voc.shape)


def calibrate_transition(chemistry: OzoneChemistry, background_ugm3: float) -> tuple[float, float]:
    """Position and responding part with which the two removals of the anchor come out as published.

    ``InputError`` where no position between well below and well above the ridge gives their ratio.
    """
    anchor = chemistry.anchor
    wanted = anchor.removals[0].change_ugm3.value / anchor.removals[1].change_ugm3.value

    def miss(position: float) -> float:
        first, second = _removals(chemistry, position, anchor)
        return float(first - wanted * second)

    if miss(_POSITIONS[0]) * miss(_POSITIONS[1]) > 0:
        raise InputError(
            "no place in the isopleths gives the anchor's removals; check day and surface in ozone.yaml"
        )
    position = float(brentq(miss, *_POSITIONS, xtol=1e-3))
    first = _removals(chemistry, position, anchor)[0] / chemistry.surface.responding_part.value
    excess = anchor.mda8_ugm3.value - background_ugm3
    return position, float(anchor.removals[0].change_ugm3.value / (first * excess))


def _removals(chemistry: OzoneChemistry, position: float, anchor: AnchorCase) -> Array:
    voc = [removal.voc_cut.value for removal in anchor.removals]
    nox = [removal.nox_cut.value for removal in anchor.removals]
    return relative_change(chemistry, position, voc, nox)


def _mda8(chemistry: OzoneChemistry, voc_ppbc: ArrayLike, nox_ppb: ArrayLike) -> Array:
    tolerance = chemistry.surface.tolerance
    return run_boxes(chemistry.mechanism, chemistry.day, voc_ppbc, nox_ppb, tolerance).mda8_ugm3
