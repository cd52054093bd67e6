"""A comma-separated text as columns of text that remember their row numbers, and cells as numbers.

Nothing is converted while parsing, so that one odd cell costs that cell and not its column or file.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.sources.batch import Refusal, refused_table
from yrd_airq.sources.files import Content, header

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


@dataclass(frozen=True)
class TextTable:
    """Cells as text: ``columns`` in file order, each of ``len(row)`` cells; blank cells are ``""``.

    ``row`` is the 1-based data row of each line kept; ``refused`` holds the lines with too many or
    too few fields.
    """

    names: tuple[str, ...]
    columns: tuple[pa.Array, ...]
    row: NDArray[np.int64]
    refused: pa.Table

    def column(self, name: str) -> pa.Array:
        """The first column of that name."""
        return self.columns[self.names.index(name)]

    def optional(self, name: str) -> pa.Array:
        """The first column of that name, or blanks where the file has none."""
        return self.column(name) if name in self.names else pa.array([""] * len(self.row), pa.string())

    def lines(self, mask: NDArray[np.bool_]) -> list[str]:
        """Text of the chosen lines, cells joined by commas."""
        cells = [column.filter(pa.array(mask)).to_pylist() for column in self.columns]
        return [",".join(line) for line in zip(*cells, strict=True)]

    def keep(self, mask: NDArray[np.bool_]) -> TextTable:
        """Only the chosen lines."""
        if mask.all():
            return self
        chosen = pa.array(mask)
        return TextTable(
            self.names, tuple(column.filter(chosen) for column in self.columns), self.row[mask], self.refused
        )


def read_text_table(path: Path, content: Content) -> TextTable:
    """Parse a comma-separated UTF-8 text with a header line.

    Raises ``InputError`` for a file without data rows and for text that is not UTF-8.
    """
    names = header(path)
    ragged: list[Refusal] = []
    labels = [str(position) for position in range(len(names))]

    def refuse(line: pv.InvalidRow) -> str:
        wrong = (
            f"the row has {line.actual_columns} fields, the header {len(names)}; mend or fetch the file again"
        )
        ragged.append(Refusal(line.number - 1, "", wrong, line.text))
        return "skip"

    try:
        table = pv.read_csv(
            io.BytesIO(content.data),
            # One thread, because only then the parser knows the number of a bad row.
            read_options=pv.ReadOptions(use_threads=False, column_names=labels, skip_rows=1),
            parse_options=pv.ParseOptions(
                invalid_row_handler=refuse, ignore_empty_lines=False, newlines_in_values=True
            ),
            convert_options=pv.ConvertOptions(
                column_types=dict.fromkeys(labels, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as exc:
        raise InputError(_explain(path, str(exc))) from exc
    if table.num_rows + len(ragged) == 0:
        raise InputError(f"{path}: the file has a header but no data rows; fetch it again")
    row = np.arange(1, table.num_rows + len(ragged) + 1, dtype=np.int64)
    row = np.delete(row, [refusal.row - 1 for refusal in ragged])
    columns = tuple(pa.concat_arrays(column.chunks) for column in table.columns)
    text = TextTable(names, columns, row, refused_table(ragged))
    return text.keep(~_blank_lines(text))


def _explain(path: Path, problem: str) -> str:
    if "UTF8" in problem:
        return f"{path}: the text is not UTF-8 ({problem}); save it as UTF-8"
    if "too short" in problem:
        return f"{path}: the file has a header but no data rows; fetch it again"
    return f"{path}: cannot be read as comma-separated text ({problem})"


def _blank_lines(text: TextTable) -> NDArray[np.bool_]:
    """Lines whose every cell is blank, such as empty lines at the end of a file."""
    blank = np.ones(len(text.row), dtype=bool)
    for column in text.columns:
        if not blank.any():
            break
        blank &= np.asarray(pc.equal(column, "").to_numpy(zero_copy_only=False))
    return blank


def as_numbers(cells: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Cells as numbers (NaN where blank or unusable), and which of them are neither blank nor a number."""
    blank = pc.equal(cells, "")
    try:
        numbers = pc.cast(pc.if_else(blank, pa.scalar(None, pa.string()), cells), pa.float64())
        value = np.asarray(numbers.to_numpy(zero_copy_only=False), dtype=np.float64)
    except pa.ArrowInvalid:
        cells = pc.utf8_trim_whitespace(cells)
        blank = pc.equal(cells, "")
        good = pc.match_substring_regex(cells, _NUMBER)
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


def refuse_cells(text: TextTable, name: str, mask: NDArray[np.bool_], reason: str) -> pa.Table:
    """The chosen cells of a column as refusals of those cells."""
    cells = text.column(name).filter(pa.array(mask)).to_pylist()
    rows: Sequence[int] = text.row[mask].tolist()
    return refused_table(Refusal(r, name, reason, c) for r, c in zip(rows, cells, strict=True))


def refuse_lines(text: TextTable, mask: NDArray[np.bool_], name: str, reason: str) -> pa.Table:
    """The chosen lines as refusals of the whole line; ``name`` is the field at fault."""
    rows: Sequence[int] = text.row[mask].tolist()
    return refused_table(Refusal(r, name, reason, c) for r, c in zip(rows, text.lines(mask), strict=True))
