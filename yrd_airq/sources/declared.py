"""Tables of other networks, read by a YAML file of ``configs/layouts`` that says what stands where.

Hourly station values are read here in three shapes. A list or track is only renamed and handed to the reader
of the built-in layout of its kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pyarrow as pa

from yrd_airq.errors import InputError
from yrd_airq.settings import config_dir, load_file
from yrd_airq.sources import enterprise_list, exceptional_events, station_list, survey_track
from yrd_airq.sources.batch import Batch, Kind, join_refused
from yrd_airq.sources.declared_stations import key_columns, plain_name, read_values, station_of, value_columns
from yrd_airq.sources.files import Content, header, read_content
from yrd_airq.sources.layout_settings import DeclaredLayout
from yrd_airq.sources.sheet import is_workbook, read_sheet, sheet_header
from yrd_airq.sources.text import Form, TextTable, read_text_table

_Names = tuple[str, ...]

_BUILT_IN: dict[Kind, Callable[[Path, TextTable, str, str], Batch]] = {
    Kind.STATION_LIST: station_list.convert,
    Kind.ENTERPRISES: enterprise_list.convert,
    Kind.EXCEPTIONAL: exceptional_events.convert,
    Kind.SURVEY: survey_track.convert,
}
"""The reader of each kind that is read under the column names of its built-in layout."""


def declared_layouts() -> tuple[DeclaredLayout, ...]:
    """The layouts of ``configs/layouts``, by file name; ``InputError`` lists every fault of a faulty one."""
    paths = sorted((config_dir() / "layouts").glob("*.yaml"))
    found = tuple(_load(path, path.stat().st_mtime_ns) for path in paths)
    names = [layout.name for layout in found]
    for name, path in zip(names, paths, strict=True):
        if names.count(name) > 1:
            raise InputError(f"{path}: another file declares the layout {name!r} too; rename one")
    return found


@lru_cache(maxsize=64)
def _load(path: Path, _changed: int) -> DeclaredLayout:
    return load_file(DeclaredLayout, path)


def matches(layout: DeclaredLayout, path: Path) -> bool:
    """Whether the file is of the declared format and has all the columns that the layout names."""
    if is_workbook(path) != (layout.file.format == "xlsx"):
        return False
    row = layout.file.header_row
    if layout.file.format == "xlsx":
        names = sheet_header(path, layout.file.sheet, row)
    else:
        names = header(path, layout.file.delimiter, row)
    called = _rename(layout, names)
    if layout.values is not None and layout.values.shape == "wide_by_station":
        columns = value_columns(layout.values, called)
        return set(key_columns(layout.values)) <= set(called) and any(
            station_of(layout.values, called[position]) for position in columns
        )
    return bool(names) and set(_named_columns(layout)) <= set(called)


def read(layout: DeclaredLayout, path: Path) -> Batch:
    """A file of the layout as canonical rows and refusals.

    Raises ``InputError`` for a file that cannot be opened or lacks a column that the layout names (all are
    listed).
    """
    content = read_content(path)
    text = _read_text(layout, path, content)
    missing = [name for name in _named_columns(layout) if name not in text.names]
    if missing:
        wanted = ", ".join(layout.columns.get(name, name) for name in missing)
        raise InputError(f"{path}: layout {layout.name} needs the column(s) {wanted}; mend the file or it")
    if layout.values is None:
        return _BUILT_IN[layout.kind](path, _with_constants(text, layout), content.digest, layout.label)
    rows, refused = read_values(text, layout, layout.values)
    refused = join_refused(text.refused, refused)
    return Batch(Kind.STATIONS, layout.label, path.name, content.digest, rows, refused, text.rows_in)


def _read_text(layout: DeclaredLayout, path: Path, content: Content) -> TextTable:
    form = Form(
        values=_values_of(layout),
        missing=layout.missing,
        delimiter=layout.file.delimiter,
        header_row=layout.file.header_row,
        encoding=layout.file.encoding,
        rename=lambda names: _rename(layout, names),
    )
    if layout.file.format == "csv":
        return read_text_table(path, content, form)
    stamps = {} if layout.values is None else layout.values.time.columns
    return read_sheet(path, content, form, layout.file.sheet, stamps)


def _values_of(layout: DeclaredLayout) -> Callable[[_Names], list[int]] | None:
    """Which columns hold values, None for a list."""
    values = layout.values
    if values is not None:
        return lambda names: value_columns(values, names)
    return survey_track.value_columns if layout.kind is Kind.SURVEY else None


def _rename(layout: DeclaredLayout, names: _Names) -> _Names:
    """Names as the layout writes them or, for lists, as the built-in layout does."""
    if layout.values is not None:
        wanted = {plain_name(name): name for name in (*_named_columns(layout), *layout.values.station_names)}
        return tuple(wanted.get(plain_name(name), name) for name in names)
    wanted = {plain_name(theirs): ours for ours, theirs in layout.columns.items()}
    # An undeclared column may not pass for a declared one.
    taken = {*layout.columns, *layout.constants}
    return tuple(
        wanted.get(plain_name(name), f"{name} (not declared)" if name in taken else name) for name in names
    )


def _named_columns(layout: DeclaredLayout) -> list[str]:
    """Columns that the file must have, under the names used here."""
    values = layout.values
    if values is None:
        return list(layout.columns)
    by_item = [
        item.column for item in values.items.values() if item.column and values.shape == "wide_by_item"
    ]
    return [*key_columns(values), *by_item, *([values.value_column] if values.value_column else [])]


def _with_constants(text: TextTable, layout: DeclaredLayout) -> TextTable:
    filled = tuple(pa.array([value] * len(text.row), pa.string()) for value in layout.constants.values())
    names = (*text.names, *layout.constants)
    return replace(text, names=names, columns=(*text.columns, *filled))
