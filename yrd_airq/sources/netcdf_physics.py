"""The few formulae that turn what weather files hold into canonical fields: humidity, rates, densities."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from yrd_airq.sources.netcdf_layout import Header, Values

GRAVITY = 9.80665
_GAS_CONSTANT = 8.314462618
_MOLAR_MASS_AIR = 0.0289652
_WATER_TO_AIR = 0.622

REFERENCE_DENSITY = 101_325.0 * _MOLAR_MASS_AIR / (_GAS_CONSTANT * 298.15)
"""Density of dry air (kg/m³) at 298.15 K and 1013.25 hPa, the state of gases in GB 3095 since 2018."""


def vapour_pressure(dew_point_k: ArrayLike) -> Values:
    """Saturation vapour pressure (Pa) over water at a temperature (K), Magnus formula.

    Coefficients 610.94 Pa, 17.625 and 243.04 °C: Alduchov and Eskridge 1996, J. Appl. Meteor. 35, 601.
    """
    # Values in a wrong unit are refused later; until then they must not overflow.
    celsius = np.maximum(np.asarray(dew_point_k, dtype=float) - 273.15, -150.0)
    return np.asarray(610.94 * np.exp(17.625 * celsius / (243.04 + celsius)))


def relative_humidity(t2m_k: ArrayLike, d2m_k: ArrayLike) -> Values:
    """Relative humidity (%) from temperature and dew point (K)."""
    return np.clip(100 * vapour_pressure(d2m_k) / vapour_pressure(t2m_k), 0, 100)


def humidity_of_mixing_ratio(ratio: ArrayLike, t_k: ArrayLike, p_pa: ArrayLike) -> Values:
    """Relative humidity (%) from the mixing ratio (kg/kg), temperature (K) and pressure (Pa)."""
    mixing = np.asarray(ratio, dtype=float)
    partial = mixing * np.asarray(p_pa, dtype=float) / (_WATER_TO_AIR + mixing)
    return np.clip(100 * partial / vapour_pressure(t_k), 0, 100)


def rates(total: Values, header: Header, start: int, floor: float) -> Values:
    """Means per hour over each step from the running sum at the consecutive stamps from ``start`` on.

    A step at which the sum falls anywhere by more than ``floor`` and a thousandth of the largest sum so far
    starts anew everywhere, as the 6-hour buckets of GFS do; its sum is then that of the step. The sum is
    nought at the time of issue. Without the stamp before it the first step is blank, unless the run
    began with it.
    """
    stamps = header.stamps[start : start + len(total)]
    before = stamps[0] - pd.Timedelta(hours=int(header.steps[start]))
    hours = np.diff(np.r_[np.datetime64(before), stamps.values]) / np.timedelta64(1, "h")
    per_step = hours.reshape(-1, *[1] * (total.ndim - 1))
    out = np.full(total.shape, np.nan)
    if before == header.issue_time:
        out[0] = np.clip(total[0], 0, None) / per_step[0]
    if len(total) > 1:
        known = np.concatenate(
            [np.zeros_like(total[:1]) if stamps[0] == header.issue_time else total[:1], total[1:]]
        )
        rise = np.diff(known, axis=0)
        flat = (len(rise), -1)
        fall = -np.fmin.reduce(rise.reshape(flat), axis=1)
        so_far = np.fmax.reduce(known[:-1].reshape(flat), axis=1)
        anew = (fall > np.maximum(floor, 1e-3 * so_far)).reshape(-1, *[1] * (total.ndim - 1))
        out[1:] = np.clip(np.where(anew, known[1:], rise), 0, None) / per_step[1:]
    return out
