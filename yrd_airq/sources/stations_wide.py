"""Hourly station values of the national network, archive layout: ``date,hour,type`` and a column a station.

One row holds one hour (label ``hour``:00 Beijing time of ``date``, averaging the hour before) and one of 15
types. Columns come and go over the years, so they are read by name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.sources.batch import SCHEMAS, Batch, Kind, join_refused, no_refusals
from yrd_airq.sources.dates import as_days
from yrd_airq.sources.files import header, read_content
from yrd_airq.sources.refusing import refuse_columns, refuse_lines, refuse_values
from yrd_airq.sources.text import Form, TextTable, as_mask, as_numbers, read_text_table, repeats

LAYOUT = "stations_wide"
KEYS = ("date", "hour", "type")
ITEMS = {
    "AQI": "aqi",
    "PM2.5": "pm25",
    "PM2.5_24h": "pm25_24h",
    "PM10": "pm10",
    "PM10_24h": "pm10_24h",
    "SO2": "so2",
    "SO2_24h": "so2_24h",
    "NO2": "no2",
    "NO2_24h": "no2_24h",
    "O3": "o3",
    "O3_24h": "o3_24h",
    "O3_8h": "o3_8h",
    "O3_8h_24h": "o3_8h_24h",
    "CO": "co",
    "CO_24h": "co_24h",
}
"""Released types and the items they become; running values keep the publisher's own arithmetic."""

STATION_CODE = re.compile(r"^(?=.*\d)[A-Z0-9]{4,8}$")
"""National codes (1141A) and the like: 4 to 8 capital letters and digits with at least one digit."""


_FORM = Form(values=lambda names: range(len(KEYS), len(names)))


@dataclass(frozen=True)
class _Rows:
    """What the key columns say of each line: hour label, position of its item, and its row number."""

    time: NDArray[np.datetime64]
    item: NDArray[np.int64]
    row: NDArray[np.int64]


def matches(path: Path) -> bool:
    """Whether the header is ``date,hour,type`` followed by at least one station code."""
    names = header(path)
    return names[:3] == KEYS and any(STATION_CODE.match(name) for name in names[3:])


def read(path: Path) -> Batch:
    """Every filled cell as one row; unusable cells, lines and columns refused.

    Raises ``InputError`` for a file that cannot be opened or holds no data rows.
    """
    content = read_content(path)
    text = read_text_table(path, content, _FORM)
    if text.names[:3] != KEYS:
        raise InputError(f"{path}: the header begins {','.join(text.names[:3])!r}, not 'date,hour,type'")
    usable, bad_lines = _usable_lines(text)
    columns, bad_columns = _usable_columns(usable)
    rows, bad_cells = _melt(usable, columns)
    refused = join_refused(text.refused, bad_lines, bad_columns, bad_cells)
    return Batch(Kind.STATIONS, LAYOUT, path.name, content.digest, rows, refused, text.rows_in)


def _usable_lines(text: TextTable) -> tuple[TextTable, pa.Table]:
    """Lines whose date, hour and type can be used and do not repeat an earlier line."""
    day, hour, kind = (text.column(name) for name in KEYS)
    bad_day = np.isnat(as_days(day, "%Y%m%d"))
    bad_hour = ~as_mask(pc.match_substring_regex(hour, r"^(\d|[01]\d|2[0-3])$")) & ~bad_day
    bad_type = ~as_mask(pc.is_in(kind, pa.array(list(ITEMS)))) & ~bad_day & ~bad_hour
    known = ", ".join(ITEMS)
    refused = [
        refuse_lines(text, bad_day, "date", "not a date of the form yyyymmdd; correct it in the file"),
        refuse_lines(text, bad_hour, "hour", "not an hour from 0 to 23; correct it in the file"),
        refuse_lines(text, bad_type, "type", f"not a known type; known are {known}"),
    ]
    text = text.keep(~(bad_day | bad_hour | bad_type))
    again = repeats(text.column("date"), _hours(text), text.column("type"))
    reason = "repeats the date, hour and type of an earlier row, which is kept; leave one of them in the file"
    refused.append(refuse_lines(text, again, "type", reason))
    return text.keep(~again), join_refused(*refused)


def _hours(text: TextTable) -> pa.Array:
    return pc.cast(text.column("hour"), pa.int64())


def _usable_columns(text: TextTable) -> tuple[list[int], pa.Table]:
    """Positions of the station columns; the rest but the keys is refused as a column."""
    columns: dict[str, int] = {}
    reasons: dict[int, str] = {}
    for position, name in enumerate(text.names[len(KEYS) :], start=len(KEYS)):
        if not STATION_CODE.match(name):
            reasons[position] = "the column name is not a station code such as 1141A"
        elif name in columns:
            reasons[position] = "second column of this station, the first is kept"
        else:
            columns[name] = position
    return list(columns.values()), refuse_columns(text, reasons)


def _melt(text: TextTable, columns: list[int]) -> tuple[pa.Table, pa.Table]:
    """Station columns one below the other as canonical rows, and the unusable cells."""
    schema = SCHEMAS[Kind.STATIONS]
    if not columns or len(text.row) == 0:
        return schema.empty_table(), no_refusals()
    keys = _read_keys(text)
    cells = pa.concat_arrays([text.columns[position] for position in columns])
    value, unusable = as_numbers(cells)
    negative = value < 0
    kept = np.flatnonzero(~np.isnan(value) & ~negative)
    line, column = kept % len(keys.row), kept // len(keys.row)
    codes = pa.array([text.names[position] for position in columns])
    rows = pa.Table.from_arrays(
        [
            codes.take(pa.array(column)),
            pa.array(keys.time[line], type=pa.timestamp("us")),
            pa.array(list(ITEMS.values())).take(pa.array(keys.item[line])),
            pa.array(value[kept]),
        ],
        schema=schema,
    )
    return rows, refuse_values(keys.row, codes, cells, unusable, negative)


def _read_keys(text: TextTable) -> _Rows:
    day = as_days(text.column("date"), "%Y%m%d").astype("datetime64[us]")
    time = day + _hours(text).to_numpy() * np.timedelta64(1, "h")
    item = pc.index_in(text.column("type"), pa.array(list(ITEMS))).to_numpy().astype(np.int64)
    return _Rows(time, item, text.row)
