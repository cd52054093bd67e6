"""What the air of a receptor-day had met: concentrations of the cities it passed the day before."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from yrd_airq.clock import day_of_label
from yrd_airq.region import distance_km
from yrd_airq.transport.settings import TransportSettings
from yrd_airq.transport.trajectory import Trajectories
from yrd_airq.vocab import Precursor


def upwind_concentration(
    trajectories: Trajectories,
    receptor: int,
    lon: ArrayLike,
    lat: ArrayLike,
    daily: pd.DataFrame,
    settings: TransportSettings,
    days_before: int = 1,
) -> pd.Series:
    """Mean concentration of the cities upwind, by day of arrival (midnight stamps).

    ``daily``: one row per day (midnight stamps), one column per city in the order of ``lon`` and ``lat``.
    The part of the way counts that the air took in the natural day ``days_before`` the day of arrival
    (1: the last complete day, so that a forecaster has the values); what the air had met earlier is in
    those values already. At each full hour of the way the cities count by a Gauss curve of the trajectory's
    error about the parcel; hours count by the lifetime of particles, members and arrivals alike. Blank
    where no city's value could be used.
    """
    arrival_day = day_of_label(trajectories.arrivals)
    values = daily.to_numpy(dtype=float)
    rows = pd.DatetimeIndex(daily.index)
    age = trajectories.age_hours
    total, weight = np.zeros(len(arrival_day)), np.zeros(len(arrival_day))
    for step in np.flatnonzero(age == np.round(age)):
        passed = day_of_label(trajectories.arrivals - pd.Timedelta(hours=float(age[step])))
        row = rows.get_indexer(passed)
        usable = (row >= 0) & ((arrival_day - passed).days == days_before)
        if not usable.any():
            continue
        x, y = (axis[receptor, usable, :, step] for axis in (trajectories.lon, trajectories.lat))
        spread = settings.spread_start_km.value + settings.spread_growth_kmh.value * age[step]
        distance = distance_km(x[..., None], y[..., None], np.asarray(lon), np.asarray(lat))
        near = np.nan_to_num(np.exp(-0.5 * (distance / spread) ** 2)).sum(axis=1)
        found = values[row[usable]]
        near = np.where(np.isfinite(found), near, 0.0)
        kept = np.exp(-age[step] / settings.lifetime_h[Precursor.PM].value)
        total[usable] += kept * (near * np.nan_to_num(found)).sum(axis=1)
        weight[usable] += kept * near.sum(axis=1)
    by_day = pd.DataFrame({"total": total, "weight": weight}).groupby(arrival_day).sum()
    return (by_day["total"] / by_day["weight"].where(by_day["weight"] > 0)).rename("upwind")
