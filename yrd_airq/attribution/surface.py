"""The response surface of ozone: how a receptor-day's MDA8 answers to cuts of VOC and NOx together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from yrd_airq.attribution.chemistry import OzoneChemistry
from yrd_airq.attribution.isopleth import relative_change
from yrd_airq.attribution.response import Concentrations, above_background, titrated
from yrd_airq.attribution.settings import OzoneSettings
from yrd_airq.errors import InputError
from yrd_airq.region import Region
from yrd_airq.vocab import Precursor, Target

Array = NDArray[np.float64]
_VOC, _NOX = (tuple(Precursor).index(p) for p in (Precursor.VOC, Precursor.NOX))
_SHOWN_CUT = 0.2
_LINE = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class OzoneSurface:
    """Change of ozone by cuts of VOC and NOx, for every receptor-day.

    ``change_ugm3`` (receptor, day, VOC cut, NOx cut): change of ``target`` in µg/m³, negative where
    ozone falls; nought without cuts. ``cuts`` from 0 to 1 for both: parts of all VOC, weighted by the
    ozone it can form, and of all NOx in the receptor's air, whoever emits them. Multiply an
    enterprise's share by what its measure avoids to get its part of a cut. ``regime`` and ``position``
    (place in the isopleths, 1 on the ridge), (receptor, day); ``base_ugm3``: the forecast itself.
    """

    receptors: tuple[str, ...]
    days: tuple[date, ...]
    target: Target
    cuts: Array
    change_ugm3: Array
    base_ugm3: Array
    regime: NDArray[np.object_]
    position: Array

    def delta(self, voc_cut: ArrayLike, nox_cut: ArrayLike) -> Array:
        """Change in µg/m³ (receptor, day) by bilinear interpolation; cuts broadcast to that shape.

        ``InputError`` for cuts below nought or above one.
        """
        shape = self.base_ugm3.shape
        voc, nox = (np.broadcast_to(np.asarray(cut, dtype=float), shape) for cut in (voc_cut, nox_cut))
        if not all(((cut >= 0) & (cut <= 1)).all() for cut in (voc, nox)):
            raise InputError("cuts of VOC and NOx must lie between 0 and 1")
        r, d = np.indices(shape)
        i, x = self._cell(voc)
        j, y = self._cell(nox)
        value = self.change_ugm3
        near = (1 - y) * value[r, d, i, j] + y * value[r, d, i, j + 1]
        far = (1 - y) * value[r, d, i + 1, j] + y * value[r, d, i + 1, j + 1]
        return np.asarray((1 - x) * near + x * far)

    @property
    def gradient(self) -> Array:
        """Change per cut of all VOC and of all NOx for small cuts, µg/m³, (receptor, day, 2)."""
        first = np.stack([self.change_ugm3[:, :, 1, 0], self.change_ugm3[:, :, 0, 1]], axis=-1)
        return np.asarray(first / self.cuts[1])

    @property
    def nox_alone_raises(self) -> NDArray[np.bool_]:
        """Whether a small cut of NOx alone raises ozone, (receptor, day)."""
        return np.asarray(self.gradient[..., 1] > 0)

    @property
    def least_voc_per_nox(self) -> Array:
        """VOC cut per NOx cut below which a small joint cut raises ozone, (receptor, day).

        Nought where a NOx cut alone lowers ozone, blank where no VOC cut makes up for it.
        """
        voc, nox = self.gradient[..., 0], self.gradient[..., 1]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(voc < 0, -nox / voc, np.nan)
        return np.asarray(np.where(nox > 0, ratio, 0.0))

    @property
    def turning_nox_cut(self) -> Array:
        """NOx cut alone beyond which ozone falls below the forecast, (receptor, day); nought if any does."""
        along = np.stack([self.delta(0.0, cut) for cut in _LINE], axis=-1)
        last_rise = np.where(along > 0, _LINE, 0.0).max(axis=-1)
        return np.asarray(np.where(self.nox_alone_raises, last_rise, 0.0))

    def describe(self, region: Region) -> pd.DataFrame:
        """Chinese statement per receptor-day: receptor, date, nox_alone_raises, statement_zh."""
        shape = self.base_ugm3.shape
        nox, voc = self.delta(0.0, _SHOWN_CUT).ravel(), self.delta(_SHOWN_CUT, 0.0).ravel()
        least, turn = self.least_voc_per_nox.ravel(), self.turning_nox_cut.ravel()
        frame = pd.DataFrame(
            {
                "receptor": np.repeat(np.array(self.receptors, dtype=object), shape[1]),
                "date": np.tile(pd.DatetimeIndex(self.days), shape[0]),
                "nox_alone_raises": self.nox_alone_raises.ravel(),
            }
        )
        place = [f"{region.city(c).short_zh}{d.month}月{d.day}日" for c in self.receptors for d in self.days]
        frame["statement_zh"] = [self._state(*row) for row in zip(place, voc, nox, least, turn, strict=True)]
        return frame

    def _state(self, place: str, voc: float, nox: float, least: float, turn: float) -> str:
        name = self.target.info.name_zh
        if voc == 0 and nox == 0:
            return f"{place}{name}预报不高于背景浓度，削减前体物基本不改变臭氧。"
        if nox > 0:
            text = f"{place}削减NOx将使臭氧上升：仅削减NOx {_SHOWN_CUT:.0%}时{name}约升高{nox:.1f}微克/立方米"
            text += f"，削减超过{turn:.0%}后才转为下降" if turn < 1 else ""
            if np.isfinite(least):
                text += f"；VOCs与NOx的削减比例应不低于{least:.1f}:1"
            return text + "。"
        falls = [f"削减{what} {_SHOWN_CUT:.0%}约{_fall(by)}" for what, by in (("VOCs", voc), ("NOx", nox))]
        return f"{place}单独削减NOx不会使臭氧上升：{falls[0]}、{falls[1]}（{name}）。"

    def _cell(self, cut: Array) -> tuple[NDArray[np.int64], Array]:
        """Grid interval that holds each cut, and the place in it."""
        at = np.clip(np.searchsorted(self.cuts, cut, side="right") - 1, 0, len(self.cuts) - 2)
        return at, (cut - self.cuts[at]) / (self.cuts[at + 1] - self.cuts[at])


def response_surface(
    observed: Concentrations,
    receptors: Sequence[str],
    days: Sequence[date],
    regime: pd.DataFrame,
    settings: OzoneSettings,
    chemistry: OzoneChemistry,
) -> Mapping[Target, OzoneSurface]:
    """Surfaces of the ozone targets among ``observed`` (forecasts, receptor × day), none if there are none.

    ``regime``: a row per receptor-day in the order receptor, day, with ``regime`` and ``position``
    (NaN: that of the regime), as ``judge_regime`` makes it. Each distinct position is run in the box
    once; a surface is the box's relative change times the forecast above background, and what cuts of NOx
    give back of ozone that is missing below it.
    """
    shape = (len(receptors), len(days))
    names: NDArray[np.object_] = regime["regime"].to_numpy(dtype=object).reshape(shape)
    usual = {name: mark.value for name, mark in chemistry.surface.position.items()}
    position = regime["position"].fillna(regime["regime"].map(usual)).to_numpy(dtype=float).reshape(shape)
    cuts = np.array(chemistry.surface.cuts)
    places, at = np.unique(position.round(2), return_inverse=True)
    relative = np.stack(
        [relative_change(chemistry, float(place), cuts[:, None], cuts[None, :]) for place in places]
    )[at.reshape(shape)]
    return {
        target: OzoneSurface(
            receptors=tuple(receptors),
            days=tuple(days),
            target=target,
            cuts=cuts,
            change_ugm3=relative
            * above_background(value, settings.background_ugm3[target].value)[..., None, None]
            + titrated(target, value, settings)[..., None, None] * cuts,
            base_ugm3=value,
            regime=names,
            position=position,
        )
        for target, value in observed.values.items()
        if target in settings.background_ugm3
    }


def surface_slope(surfaces: Mapping[Target, OzoneSurface]) -> dict[Target, Array]:
    """Fall of ozone per cut of each precursor for small cuts, (receptor, day, precursor)."""
    slopes = {}
    for target, surface in surfaces.items():
        slope = np.zeros((*surface.base_ugm3.shape, len(Precursor)))
        slope[..., [_VOC, _NOX]] = -surface.gradient
        slopes[target] = slope
    return slopes


def _fall(change: float) -> str:
    return f"降低{-change:.1f}微克/立方米" if change <= 0 else f"升高{change:.1f}微克/立方米"
