"""Hourly station values of a declared layout: columns, lines and cells by what the layout says of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from yrd_airq.sources.batch import SCHEMAS, Kind, join_refused
from yrd_airq.sources.dates import as_hours
from yrd_airq.sources.gases import factor
from yrd_airq.sources.layout_settings import DeclaredLayout, StationValues
from yrd_airq.sources.refusing import refuse_columns, refuse_lines, refuse_values
from yrd_airq.sources.stations_wide import STATION_CODE
from yrd_airq.sources.text import TextTable, as_mask, as_numbers, repeats

_BEIJING_MINUTES = 480


@dataclass(frozen=True)
class _Column:
    """A column of values: position, and the station and item it holds, None where the line says which."""

    position: int
    station: str | None
    item: str | None


@dataclass(frozen=True)
class _Lines:
    """What each line says: hour label, and station and item where the columns do not say them."""

    time: NDArray[np.datetime64]
    station: pa.Array | None
    item: pa.Array | None


def plain_name(name: str) -> str:
    """The plain form of a name written in many ways: full-width brackets, the two signs of µ, ³ or 3."""
    return unicodedata.normalize("NFKC", name).replace(" ", "")


def key_columns(values: StationValues) -> list[str]:
    """Columns that say whose and when a line is."""
    known = [values.station_column, *values.time.columns, values.item_column]
    return [name for name in known if name is not None]


def value_columns(values: StationValues, names: tuple[str, ...]) -> list[int]:
    """Positions of the columns whose filled cells are values."""
    if values.shape == "wide_by_station":
        others = {*key_columns(values), *values.ignored}
        return [position for position, name in enumerate(names) if name not in others]
    wanted = {values.value_column, *(item.column for item in values.items.values())} - {None}
    return [position for position, name in enumerate(names) if name in wanted]


def station_of(values: StationValues, name: str) -> str | None:
    """Code of a station by its code or its name in the file, None if it is neither."""
    code = values.station_names.get(name, name)
    return code if STATION_CODE.match(code) else None


def read_values(text: TextTable, layout: DeclaredLayout, values: StationValues) -> tuple[pa.Table, pa.Table]:
    """Canonical rows of a table whose columns bear the names of the layout, and what is refused of it."""
    text, lines, bad_lines = _usable_lines(text, values)
    columns, bad_columns = _usable_columns(text, values)
    if not columns or len(text.row) == 0:
        return SCHEMAS[Kind.STATIONS].empty_table(), join_refused(bad_lines, bad_columns)
    rows, bad_cells = _melt(text, lines, columns, layout, values)
    return rows, join_refused(bad_lines, bad_columns, bad_cells)


def _usable_lines(text: TextTable, values: StationValues) -> tuple[TextTable, _Lines, pa.Table]:
    """Lines whose time, station and item can be used and do not repeat an earlier line."""
    lines = _read_lines(text, values)
    stamp = " + ".join(values.time.columns)
    forms = " + ".join(values.time.columns.values())
    checks = [
        (stamp, np.isnat(lines.time), f"not a full hour of the form {forms}, hours {values.time.hours}")
    ]
    if lines.station is not None and values.station_column is not None:
        reason = "neither a station code such as 1141A nor a name of the layout's station_names"
        checks.append((values.station_column, _is_null(lines.station), reason))
    if lines.item is not None and values.item_column is not None:
        known = ", ".join(item.name or "" for item in values.items.values())
        checks.append(
            (values.item_column, _is_null(lines.item), f"not a declared item; declared are {known}")
        )
    refused = []
    good = np.ones(len(text.row), dtype=bool)
    for name, bad, reason in checks:
        refused.append(refuse_lines(text, bad & good, name, f"{reason}; the row is left out"))
        good &= ~bad
    text, lines = text.keep(good), _keep(lines, good)
    keys = [pa.array(lines.time), *(key for key in (lines.station, lines.item) if key is not None)]
    again = repeats(*keys)
    reason = "repeats the time, station and item of an earlier row, which is kept"
    refused.append(refuse_lines(text, again, stamp, reason))
    return text.keep(~again), _keep(lines, ~again), join_refused(*refused)


def _read_lines(text: TextTable, values: StationValues) -> _Lines:
    time = as_hours(
        [(text.column(name), form) for name, form in values.time.columns.items()],
        24 if values.time.hours == "1-24" else 23,
    )
    behind = _BEIJING_MINUTES - values.time.minutes_ahead_of_utc + (values.time.label == "beginning") * 60
    time = time + np.timedelta64(behind, "m")
    time = np.where(time == time.astype("datetime64[h]"), time, np.datetime64("NaT"))
    station = item = None
    if values.station_column is not None:
        station = _look_up(text.column(values.station_column), lambda name: station_of(values, name))
    if values.item_column is not None:
        items = {plain_name(item.name): key for key, item in values.items.items() if item.name is not None}
        item = _look_up(text.column(values.item_column), lambda name: items.get(plain_name(name)))
    return _Lines(time, station, item)


def _look_up(cells: pa.Array, find: Callable[[str], str | None]) -> pa.Array:
    """What is found for each cell, null where nothing is; each text is looked up once."""
    encoded = pc.dictionary_encode(cells)
    found = pa.array([find(name) for name in encoded.dictionary.to_pylist()], pa.string())
    return found.take(encoded.indices)


def _is_null(cells: pa.Array) -> NDArray[np.bool_]:
    return as_mask(pc.is_null(cells))


def _keep(lines: _Lines, mask: NDArray[np.bool_]) -> _Lines:
    station, item = (
        None if key is None else key.filter(pa.array(mask)) for key in (lines.station, lines.item)
    )
    return _Lines(lines.time[mask], station, item)


def _usable_columns(text: TextTable, values: StationValues) -> tuple[list[_Column], pa.Table]:
    """Columns of values, and those refused as a whole."""
    found: dict[tuple[str | None, str | None], _Column] = {}
    reasons: dict[int, str] = {}
    items = {item.column: key for key, item in values.items.items()}
    for position in value_columns(values, text.names):
        name = text.names[position]
        by_station, by_item = values.shape == "wide_by_station", values.shape == "wide_by_item"
        station = station_of(values, name) if by_station else None
        column = _Column(position, station, items[name] if by_item else values.only_item)
        if by_station and station is None:
            reasons[position] = "the column name is neither a station code nor a name of station_names"
        elif (column.station, column.item) in found:
            reasons[position] = "second column of this station or item, the first is kept"
        else:
            found[column.station, column.item] = column
    return list(found.values()), refuse_columns(text, reasons)


def _melt(
    text: TextTable, lines: _Lines, columns: list[_Column], layout: DeclaredLayout, values: StationValues
) -> tuple[pa.Table, pa.Table]:
    """Columns of values one below the other as canonical rows, and the unusable cells."""
    count = len(text.row)
    cells = pa.concat_arrays([text.columns[column.position] for column in columns])
    value, unusable = as_numbers(cells)
    negative = value < 0 if layout.negative == "refuse" else np.zeros(len(value), dtype=bool)
    item = _spread(lines.item, [column.item for column in columns], count)
    factors = {
        key: factor(key, entry.unit, values.reference_temperature_k) for key, entry in values.items.items()
    }
    kept = np.flatnonzero(~np.isnan(value) & ~negative)
    where = pa.array(kept)
    item_kept = item.take(where)
    scale = np.array(list(factors.values()))[
        pc.index_in(item_kept, pa.array(list(factors))).to_numpy(zero_copy_only=False).astype(np.int64)
    ]
    rows = pa.Table.from_arrays(
        [
            _spread(lines.station, [column.station for column in columns], count).take(where),
            pa.array(lines.time[kept % count], type=pa.timestamp("us")),
            item_kept,
            pa.array(value[kept] * scale),
        ],
        schema=SCHEMAS[Kind.STATIONS],
    )
    names = pa.array([text.names[column.position] for column in columns])
    return rows, refuse_values(text.row, names, cells, unusable, negative)


def _spread(by_line: pa.Array | None, by_column: list[str | None], count: int) -> pa.Array:
    """A key of every cell, column below column: what the line says or else what the column does."""
    if by_line is not None:
        return pa.concat_arrays([by_line] * len(by_column))
    return pa.array(by_column, pa.string()).take(pa.array(np.repeat(np.arange(len(by_column)), count)))
