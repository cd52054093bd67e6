"""A worksheet of an XLSX workbook as the same table of text that a delimited file becomes."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa

from yrd_airq.errors import InputError
from yrd_airq.sources.batch import Refusal, refused_table
from yrd_airq.sources.files import Content, header
from yrd_airq.sources.text import Form, TextTable, is_missing, ragged_refusal, read_text_table, tabulate

_MAGIC = b"PK\x03\x04"
_MOST_ROWS = 1 << 20
_HALF_SECOND = timedelta(milliseconds=500)


def is_workbook(path: Path) -> bool:
    """Whether the file begins like an XLSX workbook (a zip archive)."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def first_lines(path: Path, count: int) -> dict[str, list[tuple[str, ...]]]:
    """The first lines of every worksheet, by its name; ``InputError`` for a file that is no workbook."""
    with _opened(path, path.read_bytes()) as workbook:
        return {
            name: [_names(line) for line in islice(_lines(path, workbook, name), count)]
            for name in workbook.sheetnames
        }


def sheet_header(path: Path, sheet: str | None = None, row: int = 1) -> tuple[str, ...]:
    """Column names in line ``row`` of a worksheet (by default the first); empty where there is none.

    Raises ``InputError`` for a file that is no readable workbook.
    """
    with _opened(path, path.read_bytes()) as workbook:
        if sheet is not None and sheet not in workbook.sheetnames:
            return ()
        lines = list(islice(_lines(path, workbook, sheet), row - 1, row))
    return _names(lines[0]) if lines else ()


def read_sheet(
    path: Path,
    content: Content,
    form: Form,
    sheet: str | None = None,
    stamps: Mapping[str, str] | None = None,
) -> TextTable:
    """Cells of a worksheet as text; cells that hold a date are written in the format of their column.

    ``stamps`` gives those formats by column name; elsewhere a date is written as 2019-01-31 13:00:00. Lines
    that reach beyond the header are refused. Raises ``InputError`` for a file that is no readable workbook,
    lacks the sheet or holds no data rows.
    """
    with _opened(path, content.data) as workbook:
        lines = list(_lines(path, workbook, sheet))
    if len(lines) < form.header_row or not (found := _names(lines[form.header_row - 1])):
        raise InputError(f"{path}: line {form.header_row} of the sheet is no header; check the layout")
    names = form.called(found)
    body = lines[form.header_row :]
    width = len(names)
    formats = [(stamps or {}).get(name, "") for name in names]
    texts = [
        [_as_text(cell, formats[k] if k < width else "") for k, cell in enumerate(line)] for line in body
    ]
    long = [any(line[width:]) for line in texts]
    ragged = [
        ragged_refusal(number, _filled(line, form), ",".join(line), names, form)
        for number, line in enumerate(texts, start=1)
        if long[number - 1]
    ]
    kept = [
        [*line[:width], *[""] * (width - len(line))] for line, bad in zip(texts, long, strict=True) if not bad
    ]
    if not texts:
        raise InputError(f"{path}: the sheet has a header but no data rows; fetch it again")
    columns = tuple(pa.array([line[k] for line in kept], pa.string()) for k in range(width))
    row = np.flatnonzero(~np.array(long)) + 1
    refused: list[Refusal] = [refusal for refusal in ragged if refusal is not None]
    return tabulate(names, columns, row, refused_table(refused), form, form.missing)


def table_header(path: Path) -> tuple[str, ...]:
    """Column names in the first line of a comma-separated text or of a workbook's first sheet."""
    return sheet_header(path) if is_workbook(path) else header(path)


def read_table(path: Path, content: Content, form: Form) -> TextTable:
    """A comma-separated text or a workbook's first sheet as a table of text."""
    return read_sheet(path, content, form) if is_workbook(path) else read_text_table(path, content, form)


@contextmanager
def _opened(path: Path, data: bytes) -> Iterator[Any]:
    try:
        workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        try:
            yield workbook
        finally:
            workbook.close()
    except InputError:
        raise
    except Exception as exc:
        # A damaged workbook can raise anything: zip, XML, key, index and value errors among others.
        raise InputError(f"{path}: cannot be read as an XLSX workbook ({exc!r}); save it again") from exc


def _lines(path: Path, workbook: Any, sheet: str | None) -> Iterator[tuple[object, ...]]:
    if sheet is not None and sheet not in workbook.sheetnames:
        raise InputError(f"{path}: has no sheet {sheet!r}; it has {', '.join(workbook.sheetnames)}")
    chosen = workbook[sheet] if sheet is not None else workbook.worksheets[0]
    # The size noted in the file may be wrong and would cut cells off.
    chosen.reset_dimensions()
    for number, line in enumerate(chosen.iter_rows(values_only=True)):
        if number >= _MOST_ROWS:
            raise InputError(f"{path}: the sheet has more rows than a workbook can have; save it again")
        yield line


def _names(line: tuple[object, ...]) -> tuple[str, ...]:
    names = [_as_text(cell, "") for cell in line]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def _filled(line: list[str], form: Form) -> list[str]:
    return ["" if is_missing(cell, form) else cell for cell in line]


def _as_text(cell: object, form: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        # Excel counts in fractions of a day, so that a full hour may come a few microseconds early.
        cell = (cell + _HALF_SECOND).replace(microsecond=0)
        return cell.strftime(form) if form else str(cell)
    if isinstance(cell, date | time):
        return cell.strftime(form) if form else str(cell)
    return str(cell).strip()
