"""One day in a box of air: from morning VOC and NOx to the day's ozone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from yrd_airq.attribution import grs
from yrd_airq.attribution.chemistry import BoxDay, Mechanism
from yrd_airq.errors import InputError

UGM3_PER_PPB = 47.998 / 24.465
"""Ozone at 298.15 K and 1013.25 hPa."""
_EVERY_MIN = 20.0
_DRIVE_STEP_MIN = 5.0
_WINDOW_H = 8
Array = NDArray[np.float64]


@dataclass(frozen=True)
class BoxRun:
    """Course of some boxes: ``state`` (…, time, species) in ppb (VOC: ppbC) at ``hours``; see ``grs``."""

    hours: Array
    state: Array

    @property
    def ozone_ppb(self) -> Array:
        """Ozone, (…, time)."""
        return np.asarray(self.state[..., grs.O3])

    @property
    def mda8_ugm3(self) -> Array:
        """Largest eight-hour mean of ozone, µg/m³, (…)."""
        ozone, step = self.ozone_ppb, self.hours[1] - self.hours[0]
        dose = np.cumsum((ozone[..., 1:] + ozone[..., :-1]) / 2 * step, axis=-1)
        dose = np.concatenate([np.zeros_like(dose[..., :1]), dose], axis=-1)
        window, hour = round(_WINDOW_H / step), round(1 / step)
        mean = (dose[..., window::hour] - dose[..., : -window or None : hour]) / _WINDOW_H
        return np.asarray(mean.max(axis=-1) * UGM3_PER_PPB)

    @property
    def nitrogen_error(self) -> float:
        """Largest part by which NO, NO2 and their products miss the nitrogen that was put in."""
        found = self.state[..., [grs.NO, grs.NO2, grs.NOZ]].sum(axis=-1)
        put = self.state[..., grs.NITROGEN]
        return float(np.max(np.abs(found - put) / np.maximum(put, 1e-9)))


def run_boxes(
    mechanism: Mechanism, day: BoxDay, voc_ppbc: ArrayLike, nox_ppb: ArrayLike, tolerance: float = 1e-3
) -> BoxRun:
    """Boxes with the given VOC (ppbC) and NOx (ppb) at the first hour; equal or broadcastable shapes.

    The emission of the day goes with the morning's amounts. Right to about ``tolerance``. Raises
    ``InputError`` for negative or blank amounts.
    """
    voc, nox = np.broadcast_arrays(np.asarray(voc_ppbc, dtype=float), np.asarray(nox_ppb, dtype=float))
    if not (np.isfinite(voc).all() and np.isfinite(nox).all()) or (voc < 0).any() or (nox < 0).any():
        raise InputError("a box needs VOC and NOx of nought or more; check the amounts given")
    drive = drive_day(mechanism, day)
    starts, columns = start_boxes(day, drive, voc.ravel(), nox.ravel())
    state = grs.integrate(drive, starts, columns, _EVERY_MIN, tolerance)
    hours = day.start_hour + np.arange(state.shape[1]) * _EVERY_MIN / 60
    return BoxRun(hours, state.reshape(*voc.shape, *state.shape[1:]))


def start_boxes(day: BoxDay, drive: grs.Drive, voc: Array, nox: Array) -> tuple[Array, Array]:
    """States of the first hour, (box, species), and columns then, (box, 2): VOC in ppbC m, NOx in ppb m."""
    no2 = day.no2_part_morning.value
    starts = np.zeros((len(voc), len(grs.SPECIES)))
    starts[:, grs.ROC] = voc + drive.aloft[grs.ROC]
    starts[:, grs.NO], starts[:, grs.NO2] = (1 - no2) * nox, no2 * nox + drive.aloft[grs.NO2]
    starts[:, grs.O3] = day.ozone_morning_ppb.value
    starts[:, grs.NITROGEN] = nox + drive.aloft[grs.NO2]
    return starts, np.stack([voc, nox], axis=1) * day.morning_m.value


def drive_day(mechanism: Mechanism, day: BoxDay) -> grs.Drive:
    """Rates, layer and emission of the day by steps of five minutes."""
    minutes = np.arange(60 * day.start_hour, 60 * day.end_hour + _DRIVE_STEP_MIN / 2, _DRIVE_STEP_MIN)
    height, growth = _grow_layer(minutes / 60, day)
    aloft = np.zeros(len(grs.SPECIES))
    aloft[grs.ROC], aloft[grs.O3] = day.voc_aloft_ppbc.value, day.ozone_aloft_ppb.value
    aloft[[grs.NO2, grs.NITROGEN]] = day.nox_aloft_ppb.value
    return grs.Drive(
        minutes=minutes,
        photolysis=photolysis_of(mechanism, day, minutes / 60),
        height=height,
        growth=growth,
        emission=np.full(len(minutes), day.emission_per_hour.value / 60),
        rates=np.array(mechanism.rates(day.temperature_k.value)),
        aloft=aloft,
        deposition=day.ozone_deposition_cms.value / 100 * 60,
        no2_part=day.no2_part_released.value,
    )


def photolysis_of(mechanism: Mechanism, day: BoxDay, hours: Array) -> Array:
    """Photolysis of NO2 (1/min) at hours of local solar time; nought at night."""
    declination = np.radians(23.45 * np.sin(2 * np.pi * (284 + day.day_of_year) / 365))
    latitude, angle = np.radians(day.latitude), np.radians((hours - 12) * 15)
    cosine = np.sin(latitude) * np.sin(declination)
    cosine = cosine + np.cos(latitude) * np.cos(declination) * np.cos(angle)
    up = np.maximum(cosine, 1e-6)
    zenith = np.degrees(np.arccos(np.minimum(up, 1.0)))
    flux = mechanism.clear_flux_wm2.value * day.transmission.value * up
    per_flux = np.zeros_like(up)
    for branch in reversed(mechanism.photolysis):
        here = zenith <= branch.to_zenith_deg
        per_flux[here] = (branch.constant + branch.secant / up + branch.versine * (1 - up))[here]
    return np.asarray(np.where(cosine > 0, per_flux * flux, 0.0))


def _grow_layer(hours: Array, day: BoxDay) -> tuple[Array, Array]:
    """Height (m) and growth (m/min) of the mixed layer, a quarter-period of a squared sine."""
    span = day.grow_until - day.grow_from
    phase = np.pi / 2 * np.clip((hours - day.grow_from) / span, 0, 1)
    rise = day.top_m.value - day.morning_m.value
    growth = rise * np.sin(2 * phase) * np.pi / 2 / (60 * span)
    return day.morning_m.value + rise * np.sin(phase) ** 2, np.maximum(growth, 0.0)
