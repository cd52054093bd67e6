"""Which hours are missing of which station on which day: what to ask the feeds for again.

A station is expected in every hour of a calendar month in which it sent anything, the month being the unit
that also decides whether it counts as reporting. An hour is missing if none of the six pollutants has a
value; an hour that no station has is missing of the whole network.
"""

from __future__ import annotations

from datetime import datetime

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.clock import day_labels, day_of_label, hours_of_day
from yrd_airq.store.connecting import read_frame
from yrd_airq.vocab import Pollutant

COLUMNS = ("date", "station_code", "missing", "hours", "whole_network")


def find_gaps(con: duckdb.DuckDBPyConnection, first: datetime, last: datetime) -> pd.DataFrame:
    """Missing hours among the labels ``first`` … ``last``: one row a natural day and station, sorted.

    ``missing`` counts the hours (1 … 24, hour-ending), ``hours`` lists them as ranges such as ``3-5,24``,
    ``whole_network`` counts those among them that no station has.
    """
    days = day_of_label(pd.DatetimeIndex([first, last]))
    labels = day_labels(days[0].date(), days[1].date())
    held = read_frame(
        con,
        f"""SELECT DISTINCT station_code, time FROM raw_station_hourly
        WHERE item IN ({", ".join("?" for _ in Pollutant)}) AND time BETWEEN ? AND ?""",
        [*(p.value for p in Pollutant), first, last],
    )
    if held.empty:
        return pd.DataFrame({name: [] for name in COLUMNS})
    codes, station = np.unique(held["station_code"].to_numpy(dtype=str), return_inverse=True)
    present = np.zeros((len(labels), len(codes)), dtype=bool)
    present[labels.get_indexer(pd.DatetimeIndex(held["time"])), station] = True
    asked = (labels >= pd.Timestamp(first)) & (labels <= pd.Timestamp(last))
    missing = _expected(present, labels) & ~present & asked[:, None]
    return _by_day(missing, present, labels, codes)


def _expected(present: NDArray[np.bool_], labels: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """Hours (hour, station) of the months in which a station reported."""
    months = day_of_label(labels).to_period("M")
    number = np.unique(months.asi8, return_inverse=True)[1]
    reported = np.zeros((number.max() + 1, present.shape[1]), dtype=bool)
    hour, station = np.nonzero(present)
    reported[number[hour], station] = True
    return np.asarray(reported[number])


def _by_day(
    missing: NDArray[np.bool_], present: NDArray[np.bool_], labels: pd.DatetimeIndex, codes: NDArray[np.str_]
) -> pd.DataFrame:
    days = missing.reshape(-1, 24, missing.shape[1])
    nobody = ~present.any(axis=1).reshape(-1, 24)
    day, station = np.nonzero(days.any(axis=1))
    gaps = days[day, :, station]
    hours = hours_of_day(labels[:24])
    return pd.DataFrame(
        {
            "date": day_of_label(labels[::24])[day],
            "station_code": codes[station].astype(str),
            "missing": gaps.sum(axis=1),
            "hours": [_ranges(hours[row]) for row in gaps],
            "whole_network": (gaps & nobody[day]).sum(axis=1),
        }
    )


def _ranges(hours: NDArray[np.int64]) -> str:
    """Hours as text: consecutive ones as a range."""
    runs = np.split(hours, np.flatnonzero(np.diff(hours) > 1) + 1)
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)
