"""Cells, lines and columns of a table of text as refusals, with the canonical rows lost with them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from yrd_airq.sources.batch import Refusal, no_refusals, refused_columns, refused_table
from yrd_airq.sources.text import TextTable


def refuse_values(
    row: NDArray[np.int64],
    names: pa.Array,
    cells: pa.Array,
    unusable: NDArray[np.bool_],
    negative: NDArray[np.bool_],
) -> pa.Table:
    """The bad ones among ``cells``, column below column: ``row`` of each line, ``names`` of the columns."""
    bad = np.flatnonzero(unusable | negative)
    if bad.size == 0:
        return no_refusals()
    return refused_columns(
        row=row[bad % len(row)],
        field=names.take(pa.array(bad // len(row))),
        reason=np.where(negative[bad], "negative value; left out", "not a number; left out").tolist(),
        content=cells.take(pa.array(bad)),
        rows=[1] * len(bad),
    )


def refuse_cells(text: TextTable, name: str, mask: NDArray[np.bool_], reason: str, rows: int) -> pa.Table:
    """The chosen cells of a column as refusals; ``rows`` is 1 for a column of values, 0 for a detail."""
    if not mask.any():
        return refused_table([])
    cells = text.column(name).filter(pa.array(mask))
    count = len(cells)
    return refused_columns(text.row[mask], [name] * count, [reason] * count, cells, [rows] * count)


def refuse_lines(text: TextTable, mask: NDArray[np.bool_], name: str, reason: str) -> pa.Table:
    """The chosen lines as refusals of the whole line; ``name`` is the field at fault."""
    if not mask.any():
        return refused_table([])
    lines = text.lines(mask)
    count = len(lines)
    return refused_columns(text.row[mask], [name] * count, [reason] * count, lines, text.filled[mask])


def refuse_columns(text: TextTable, reasons: dict[int, str]) -> pa.Table:
    """Value columns, by position and with the reason of each, as refusals of all their filled cells."""
    refused = []
    for position, reason in reasons.items():
        filled = text.filled_in(position)
        name = text.names[position]
        refused.append(Refusal(0, name, f"{reason}; {filled} filled cells left out", name, filled))
    return refused_table(refused)
