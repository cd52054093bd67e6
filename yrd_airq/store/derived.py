"""Writing what is derived from observations: flags, city series, hotspots; always whole windows at once."""

from __future__ import annotations

from datetime import date, datetime

import duckdb
import pandas as pd
import pyarrow.compute as pc

from yrd_airq.errors import InputError
from yrd_airq.store import contents

_Con = duckdb.DuckDBPyConnection


def write_flags(con: _Con, frame: pd.DataFrame, first: datetime | None, last: datetime | None) -> bool:
    """Flags in place of those of the window, which defaults to the span of the flags themselves."""
    return _replace_window(con, "core_station_flag", frame, "time", first, last)


def write_city_hourly(con: _Con, frame: pd.DataFrame, first: datetime | None, last: datetime | None) -> bool:
    """Hourly city means in place of those of the window; ``valid_stations`` may be absent."""
    if "valid_stations" not in frame.columns:
        frame = frame.assign(valid_stations=pd.array([pd.NA] * len(frame), dtype="Int32"))
    return _replace_window(con, "core_city_hourly", frame, "time", first, last)


def write_city_daily(con: _Con, frame: pd.DataFrame, first: date | None, last: date | None) -> bool:
    """City-day values in place of those of the window and of the same source (one source a call)."""
    sources = sorted({str(source) for source in frame["source"]}) if "source" in frame.columns else []
    if len(sources) > 1:
        raise InputError(f"city-day values of several sources in one write: {', '.join(sources)}")
    source = sources[0] if sources else "stations"
    return _replace_window(con, "core_city_daily", frame, "date", first, last, ("source = ?", source))


def write_hotspots(con: _Con, frame: pd.DataFrame) -> bool:
    """All hotspots in place of all hotspots."""
    rows = contents.fit("core_survey_hotspot", frame)
    return contents.replace(con, "core_survey_hotspot", rows, "true", ())


def note_made_from(con: _Con, series: str, made_from: str) -> bool:
    """Note what a derived series was made from, in place of the former note."""
    rows = contents.fit("core_made_from", pd.DataFrame({"series": [series], "made_from": [made_from]}))
    return contents.replace(con, "core_made_from", rows, "series = ?", (series,))


def _replace_window(
    con: _Con,
    table: str,
    frame: pd.DataFrame,
    time: str,
    first: date | None,
    last: date | None,
    also: tuple[str, str] | None = None,
) -> bool:
    """Rows of ``frame`` in place of those of the window; ``InputError`` for rows outside it."""
    rows = contents.fit(table, frame)
    span = pc.min_max(rows[time]).as_py()
    first = first if first is not None else span["min"]
    last = last if last is not None else span["max"]
    if first is None or last is None:
        return False
    if span["min"] is not None and not _within(span["min"], span["max"], first, last):
        raise InputError(
            f"rows for table {table} reach from {span['min']} to {span['max']}, beyond the window "
            f"{first} … {last} that they replace; name a wider window"
        )
    where, values = f"{time} BETWEEN ? AND ?", [first, last]
    if also is None:
        return contents.replace(con, table, rows, where, values)
    return contents.replace(con, table, rows, f"{where} AND {also[0]}", [*values, also[1]])


def _within(begin: date, end: date, first: date, last: date) -> bool:
    return pd.Timestamp(begin) >= pd.Timestamp(first) and pd.Timestamp(end) <= pd.Timestamp(last)
