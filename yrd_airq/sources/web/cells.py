"""Values of an answer as a table of lines and fields: each filled cell becomes a row or a refusal."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from yrd_airq.sources.batch import CONTENT_LENGTH, join_refused, refused_columns
from yrd_airq.sources.text import as_numbers

Mask = NDArray[np.bool_]


def as_text(value: object, missing: Collection[str] = ()) -> str:
    """A JSON value as trimmed text; null and the marks of missing values as ``""``."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = text.strip()
    if not text.isascii():
        # JSON may hold half characters, which no table can store.
        text = text.encode("utf-8", "replace").decode("utf-8")
    return "" if text in missing else text


@dataclass(frozen=True)
class Cells:
    """Cells of ``fields`` by line: number (NaN where blank or refused), whether filled, text, fault.

    All arrays have the shape (line, field); ``fault`` is ``""`` where nothing is wrong.
    """

    fields: tuple[str, ...]
    value: NDArray[np.float64]
    filled: Mask
    text: NDArray[np.object_]
    fault: NDArray[np.object_]

    def refuse(self, mask: Mask, reason: str) -> Cells:
        """Cells of the mask (line × field, or broadcast to it) refused, unless blank or refused before."""
        hit = np.broadcast_to(mask, self.filled.shape) & self.filled & (self.fault == "")
        if not hit.any():
            return self
        return replace(self, value=np.where(hit, np.nan, self.value), fault=np.where(hit, reason, self.fault))

    @property
    def sound(self) -> Mask:
        """Cells that hold a number and no fault."""
        return self.filled & (self.fault == "")


@dataclass(frozen=True)
class Melted:
    """Sound cells one below the other, in the order of lines: where each stood, its number; the rest."""

    line: NDArray[np.int64]
    field: NDArray[np.int64]
    value: NDArray[np.float64]
    refused: pa.Table
    rows_in: int


def read_cells(
    columns: Mapping[str, Sequence[object]], missing: Collection[str] = (), signed: bool = False
) -> Cells:
    """Columns of JSON values (all of one length) as cells.

    What is neither blank nor a finite number is refused, and unless ``signed`` so is what is below 0.
    """
    lines = len(next(iter(columns.values()), ()))
    text = np.empty((lines, len(columns)), dtype=object)
    for position, column in enumerate(columns.values()):
        text[:, position] = [as_text(value, missing) for value in column]
    value, unusable = as_numbers(pa.array(text.ravel(), pa.string()))
    filled = np.asarray(text != "", dtype=bool)
    fault = np.full(text.shape, "", dtype=object)
    cells = Cells(tuple(columns), value.reshape(text.shape), filled, text, fault)
    cells = cells.refuse(unusable.reshape(text.shape), "not a number; left out")
    if not signed:
        cells = cells.refuse(cells.value < 0, "negative value; left out")
    return cells


def melt(cells: Cells, lines: LineFaults, row: NDArray[np.int64] | None = None) -> Melted:
    """Sound cells of sound lines as rows, everything else that is filled as refusals.

    ``row`` is the 1-based number of each line in the answer (by default their order).
    """
    row = np.arange(1, len(cells.filled) + 1) if row is None else row
    good = ~lines.bad
    line, field = np.nonzero(cells.sound & good[:, None])
    bad_line, bad_field = np.nonzero(cells.filled & (cells.fault != "") & good[:, None])
    names = np.array(cells.fields, dtype=object)
    refused = refused_columns(
        row=row[bad_line],
        field=names[bad_field],
        reason=cells.fault[bad_line, bad_field],
        content=cells.text[bad_line, bad_field],
        rows=np.ones(len(bad_line), dtype=np.int64),
    )
    refused = join_refused(refused, lines.refused(row, cells.filled.sum(axis=1)))
    return Melted(line, field, cells.value[line, field], refused, int(cells.filled.sum()))


class LineFaults:
    """Lines of an answer that are of no use as a whole, each with the first fault found."""

    def __init__(self, count: int, describe: Callable[[int], object]) -> None:
        self._field = np.full(count, "", dtype=object)
        self._reason = np.full(count, "", dtype=object)
        self._describe = describe

    def add(self, mask: Mask, field: str, reason: str) -> None:
        """Note the lines of the mask that have no fault yet."""
        fresh = mask & ~self.bad
        self._field[fresh] = field
        self._reason[fresh] = reason

    @property
    def bad(self) -> Mask:
        """Lines with a fault."""
        return np.asarray(self._reason != "", dtype=bool)

    def refused(self, row: NDArray[np.int64], rows: NDArray[np.int64]) -> pa.Table:
        """The lines as refusals; ``rows`` is how many canonical rows each would make."""
        bad = np.flatnonzero(self.bad)
        content = [as_text(self._describe(line))[:CONTENT_LENGTH] for line in bad.tolist()]
        return refused_columns(row[bad], self._field[bad], self._reason[bad], content, rows[bad])
