"""Reading city-day values of archives: the latest value of each part, then the mean over a city's parts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from yrd_airq.region import load_region
from yrd_airq.vocab import Target

_Con = duckdb.DuckDBPyConnection
_TARGETS = tuple(target.value for target in Target)
_WEATHER = ("u10_ms", "v10_ms", "t2m_k", "rh_pct", "sp_pa")


def reanalysis_daily(con: _Con, first: date | None, last: date | None) -> pd.DataFrame:
    """Cities of the region: adcode, date, target, value, valid_stations (the number of parts)."""
    return _read(con, _TARGETS, True, first, last).rename(
        columns={"place": "adcode", "variable": "target", "parts": "valid_stations"}
    )


def neighbour_daily(con: _Con, first: date | None, last: date | None) -> pd.DataFrame:
    """Places outside the region: place, date, target, value, valid_stations (the number of parts)."""
    return _read(con, _TARGETS, False, first, last).rename(
        columns={"variable": "target", "parts": "valid_stations"}
    )


def city_weather(con: _Con, first: date | None, last: date | None) -> pd.DataFrame:
    """Weather of the region's cities: adcode, date, variable, value, kind (always analysis)."""
    weather = _read(con, _WEATHER, True, first, last).rename(columns={"place": "adcode"})
    return weather.drop(columns="parts").assign(kind=pd.Series("analysis", index=weather.index, dtype="str"))


def neighbour_weather(con: _Con, first: date | None, last: date | None) -> pd.DataFrame:
    """Weather of places outside the region: place, date, variable, value, kind (always analysis)."""
    weather = _read(con, _WEATHER, False, first, last).drop(columns="parts")
    return weather.assign(kind=pd.Series("analysis", index=weather.index, dtype="str"))


def _read(
    con: _Con, variables: Sequence[str], inside: bool, first: date | None, last: date | None
) -> pd.DataFrame:
    """Latest values, parts averaged: place, date, variable, value, parts; sorted by place, date, variable."""
    table: pa.Table = con.sql(
        f"""SELECT place, date, variable, part, value FROM raw_city_daily
        WHERE list_contains(?, variable) AND {"" if inside else "NOT"} list_contains(?, place)
        AND date BETWEEN ? AND ? ORDER BY place, date, variable, part, batch_id""",
        params=[list(variables), list(load_region().adcodes), first or date.min, last or date.max],
    ).to_arrow_table()
    if table.num_rows == 0:
        return _frame(table, np.empty(0), np.empty(0, dtype=np.int32))
    # Sorted by key and batch: the last row of a key is its latest value.
    changes = _changes(table, ("place", "date", "variable"))
    last_of_key = np.append((changes | _changes(table, ("part",)))[1:], True)
    latest = table.filter(pa.array(last_of_key))
    start = np.flatnonzero(_changes(latest, ("place", "date", "variable")))
    parts = np.diff(np.append(start, latest.num_rows)).astype(np.int32)
    # Summed in the order of the parts, so that the mean is the same to the last bit on every run.
    mean = np.add.reduceat(latest["value"].to_numpy(), start) / parts
    return _frame(latest.take(pa.array(start)), mean, parts)


def _changes(table: pa.Table, keys: Sequence[str]) -> NDArray[np.bool_]:
    """Rows that differ from the row before in one of the keys; the first row always does."""
    differs = np.zeros(table.num_rows, dtype=bool)
    differs[0] = True
    for key in keys:
        column = table[key].combine_chunks()
        unlike = pc.not_equal(column.slice(1), column.slice(0, len(column) - 1))
        differs[1:] |= unlike.to_numpy(zero_copy_only=False)
    return differs


def _frame(keys: pa.Table, value: NDArray[np.float64], parts: NDArray[np.int32]) -> pd.DataFrame:
    days = keys["date"].cast(pa.timestamp("us"))
    return pd.DataFrame(
        {
            "place": keys["place"].to_pandas().astype("str"),
            "date": days.to_pandas(),
            "variable": keys["variable"].to_pandas().astype("str"),
            "value": value,
            "parts": parts,
        }
    )
