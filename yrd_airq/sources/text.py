"""A delimited text as columns of text that remember their row numbers and how many values each line holds.

Nothing is converted while parsing, so that one odd cell costs that cell and not its column or file.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.sources.batch import Refusal, refused_table
from yrd_airq.sources.files import Content, column_names, text_bytes

_NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$", re.ASCII)
_BLANKS = (b" ", b"\t", b"\x0b", b"\x0c", b"\x1c", b"\x1d", b"\x1e", b"\x1f")


@dataclass(frozen=True)
class Form:
    """How a table is written and which of its cells count.

    ``values`` gives the positions of the value columns from the column names: every filled cell there is
    one canonical row. Without it the table is a list, and a filled line is one canonical row. ``missing``
    are marks that stand for a blank cell; one that is a number (-99) also stands for its other spellings
    (-99.0), in value columns only. ``rename`` gives the names by which the columns are called here from those
    in the file.
    """

    values: Callable[[tuple[str, ...]], Sequence[int]] | None = None
    missing: tuple[str, ...] = ()
    delimiter: str = ","
    header_row: int = 1
    encoding: str | None = None
    rename: Callable[[tuple[str, ...]], tuple[str, ...]] | None = None

    def called(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Names by which the columns are called here."""
        return names if self.rename is None else self.rename(names)

    @property
    def missing_numbers(self) -> tuple[float, ...]:
        """Marks that are numbers."""
        return tuple(float(mark) for mark in self.missing if _NUMBER.match(mark))


LIST = Form()
"""A comma-separated list: a line is a row."""


@dataclass(frozen=True)
class TextTable:
    """Cells as text: ``columns`` in file order, each of ``len(row)`` cells; blank cells are ``""``.

    ``row`` is the 1-based data row of each line kept, ``filled`` how many canonical rows its cells would
    make. ``refused`` holds the lines with too many or too few fields. ``rows_in`` is what all lines of the
    file would make, those included.
    """

    names: tuple[str, ...]
    columns: tuple[pa.Array, ...]
    row: NDArray[np.int64]
    filled: NDArray[np.int64]
    refused: pa.Table
    rows_in: int

    def column(self, name: str) -> pa.Array:
        """The first column of that name."""
        return self.columns[self.names.index(name)]

    def optional(self, name: str) -> pa.Array:
        """The first column of that name, or blanks where the file has none."""
        return self.column(name) if name in self.names else pa.array([""] * len(self.row), pa.string())

    def filled_in(self, position: int) -> int:
        """How many cells of the column at ``position`` are filled."""
        return int(_is_filled(self.columns[position]).sum())

    def lines(self, mask: NDArray[np.bool_]) -> list[str]:
        """Text of the chosen lines, cells joined by commas."""
        cells = [column.filter(pa.array(mask)).to_pylist() for column in self.columns]
        return [",".join(line) for line in zip(*cells, strict=True)]

    def keep(self, mask: NDArray[np.bool_]) -> TextTable:
        """Only the chosen lines."""
        if mask.all():
            return self
        chosen = pa.array(mask)
        columns = tuple(column.filter(chosen) for column in self.columns)
        return TextTable(self.names, columns, self.row[mask], self.filled[mask], self.refused, self.rows_in)


def read_text_table(path: Path, content: Content, form: Form = LIST) -> TextTable:
    """Parse a delimited text with a header line, in UTF-8 or GBK unless the form says otherwise.

    Raises ``InputError`` for a file without data rows, another encoding and a quote that is never closed.
    """
    data = text_bytes(path, content.data, form.encoding)
    names = form.called(column_names(_line(data, form.header_row), form.delimiter))
    if not names:
        raise InputError(f"{path}: line {form.header_row} is not a header; fetch the file again")
    if b'"' in data:
        _check_quotes(path, data, form.delimiter)
    ragged: list[tuple[int, int, str]] = []
    try:
        table = _parse(data, len(names), form, ragged)
    except pa.ArrowInvalid as exc:
        raise InputError(_explain(path, str(exc))) from exc
    if table.num_rows + len(ragged) == 0:
        raise InputError(f"{path}: the file has a header but no data rows; fetch it again")
    row = np.arange(1, table.num_rows + len(ragged) + 1, dtype=np.int64)
    row = np.delete(row, [number - 1 for number, _, _ in ragged])
    columns = tuple(pa.concat_arrays(column.chunks) for column in table.columns)
    if not data.isascii() or b'"' in data or any(blank in data for blank in _BLANKS):
        columns = tuple(pc.utf8_trim_whitespace(column) for column in columns)
    present = tuple(mark for mark in form.missing if mark.encode() in data or _NUMBER.match(mark))
    return tabulate(names, columns, row, _refuse_ragged(ragged, names, form), form, present)


def _line(data: bytes, number: int) -> str:
    start = 0
    for _ in range(number - 1):
        start = data.find(b"\n", start) + 1
        if start == 0:
            return ""
    end = data.find(b"\n", start)
    return data[start : None if end < 0 else end].decode("utf-8").removesuffix("\r")


def _parse(data: bytes, width: int, form: Form, ragged: list[tuple[int, int, str]]) -> pa.Table:
    labels = [str(position) for position in range(width)]

    def refuse(line: pv.InvalidRow) -> str:
        ragged.append((line.number - form.header_row, line.actual_columns, line.text))
        return "skip"

    return pv.read_csv(
        io.BytesIO(data),
        # One thread, because only then the parser knows the number of a bad row.
        read_options=pv.ReadOptions(use_threads=False, column_names=labels, skip_rows=form.header_row),
        parse_options=pv.ParseOptions(
            delimiter=form.delimiter,
            invalid_row_handler=refuse,
            ignore_empty_lines=False,
            newlines_in_values=True,
        ),
        convert_options=pv.ConvertOptions(
            column_types=dict.fromkeys(labels, pa.string()), strings_can_be_null=False
        ),
    )


def _check_quotes(path: Path, data: bytes, delimiter: str) -> None:
    """``InputError`` for a quote that is never closed: it would take the rest of the file for one cell."""
    start = rb"(?:\A|(?<=[\r\n%b]))" % re.escape(delimiter.encode())
    for quoted in re.finditer(start + rb'"(?:[^"]++|"")*+("?)', data):
        if not quoted[1]:
            line = data.count(b"\n", 0, quoted.start()) + 1
            raise InputError(f"{path}: the quote opened in line {line} is never closed; mend that line")


def _explain(path: Path, problem: str) -> str:
    if "too short" in problem or "Empty CSV" in problem:
        return f"{path}: the file has a header but no data rows; fetch it again"
    return f"{path}: cannot be read as a delimited text ({problem}); fetch it again"


def _refuse_ragged(ragged: list[tuple[int, int, str]], names: tuple[str, ...], form: Form) -> pa.Table:
    """Lines of another number of fields; lines without any filled field are passed over."""
    found = (ragged_refusal(number, _fields(line, form), line, names, form) for number, _, line in ragged)
    return refused_table(refusal for refusal in found if refusal is not None)


def ragged_refusal(
    row: int, cells: list[str], content: str, names: tuple[str, ...], form: Form
) -> Refusal | None:
    """Refusal of a line whose cells do not fit the header; None if no cell is filled.

    A cell beyond the header counts as a value.
    """
    filled = [place for place, cell in enumerate(cells) if cell]
    if not filled:
        return None
    rows = 1
    if form.values is not None:
        values = {*form.values(names)}
        rows = sum(place in values or place >= len(names) for place in filled)
    wrong = f"the row has {len(cells)} fields, the header {len(names)}; mend or fetch the file again"
    return Refusal(row, "", wrong, content, rows)


def _fields(line: str, form: Form) -> list[str]:
    """Cells of one line, trimmed, missing marks as blanks."""
    try:
        cells = next(csv.reader([line], delimiter=form.delimiter), [])
    except csv.Error:
        # A cell of more than the module's limit, or a stray carriage return.
        cells = line.split(form.delimiter)
    cells = [cell.strip() for cell in cells]
    return ["" if is_missing(cell, form) else cell for cell in cells]


def is_missing(cell: str, form: Form) -> bool:
    """Whether a cell is one of the marks that stand for a blank."""
    if cell in form.missing:
        return True
    return bool(form.missing_numbers) and bool(_NUMBER.match(cell)) and float(cell) in form.missing_numbers


def tabulate(
    names: tuple[str, ...],
    columns: tuple[pa.Array, ...],
    row: NDArray[np.int64],
    refused: pa.Table,
    form: Form,
    missing: tuple[str, ...],
) -> TextTable:
    """Trimmed cells as a table: missing marks blanked, values counted, lines without any cell left out."""
    values = None if form.values is None else list(form.values(names))
    if missing:
        columns = _blank_marks(columns, missing, form.missing_numbers, values or ())
    blank = np.ones(len(row), dtype=bool)
    for column in columns:
        if not blank.any():
            break
        blank &= ~_is_filled(column)
    filled = np.zeros(len(row), dtype=np.int64)
    for position in values or ():
        filled += _is_filled(columns[position])
    if values is None:
        filled = np.where(blank, 0, 1)
    rows_in = int(filled.sum()) + sum(refused["rows"].to_pylist())
    return TextTable(names, columns, row, filled, refused, rows_in).keep(~blank)


def _blank_marks(
    columns: tuple[pa.Array, ...], missing: tuple[str, ...], numbers: tuple[float, ...], values: Sequence[int]
) -> tuple[pa.Array, ...]:
    marks = pa.array(missing, pa.string())
    blanked = [pc.if_else(pc.is_in(column, marks), "", column) for column in columns]
    for position in values if numbers else ():
        hit = np.isin(as_numbers(blanked[position])[0], numbers)
        if hit.any():
            blanked[position] = pc.if_else(pa.array(hit), "", blanked[position])
    return tuple(blanked)


def _is_filled(column: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(pc.binary_length(column).to_numpy(zero_copy_only=False) != 0)


def as_numbers(cells: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Cells as numbers (NaN where blank or unusable), and which of them are neither blank nor a number."""
    blank = pc.equal(cells, "")
    try:
        numbers = pc.cast(pc.if_else(blank, pa.scalar(None, pa.string()), cells), pa.float64())
        value = np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)
    except pa.ArrowInvalid:
        cells = pc.utf8_trim_whitespace(cells)
        blank = pc.equal(cells, "")
        good = pc.match_substring_regex(cells, _NUMBER.pattern)
        numbers = pc.cast(pc.if_else(good, cells, pa.scalar(None, pa.string())), pa.float64())
        value = np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)
    value = np.where(np.isinf(value), np.nan, value)
    return value, np.isnan(value) & ~as_mask(blank)


def as_mask(flags: pa.Array) -> NDArray[np.bool_]:
    """Arrow booleans as a numpy mask; null counts as false."""
    return np.asarray(pc.fill_null(flags, False).to_numpy(zero_copy_only=False), dtype=bool)


def repeats(*keys: pa.Array) -> NDArray[np.bool_]:
    """Which rows repeat the key of an earlier row."""
    table = pa.table({str(k): key for k, key in enumerate(keys)})
    names = table.column_names
    numbered = table.append_column("position", pa.array(np.arange(table.num_rows)))
    first = numbered.group_by(names).aggregate([("position", "min")])["position_min"].to_numpy()
    later = np.ones(table.num_rows, dtype=bool)
    later[first] = False
    return later
