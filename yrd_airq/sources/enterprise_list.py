"""Enterprise list (应急减排清单): identity, place, emissions, grade, exemption, permit, measures by tier.

What the list does not know stays unknown. A row that could not be placed is refused, because it would
otherwise be controlled, or spared, in the wrong zone. A row is an enterprise or one of its production lines.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.region import load_region
from yrd_airq.sources.batch import SCHEMAS, Batch, Kind, Refusal, join_refused, refused_table
from yrd_airq.sources.dates import as_written_days
from yrd_airq.sources.enterprise_checks import YES, doubts, refuse_codes, usable_lines
from yrd_airq.sources.enterprise_columns import Place, call_columns, find_list, missing_columns
from yrd_airq.sources.enterprise_filling import fill_columns
from yrd_airq.sources.enterprise_identity import mask_text
from yrd_airq.sources.enterprise_measures import read_measures
from yrd_airq.sources.files import read_content
from yrd_airq.sources.refusing import refuse_cells
from yrd_airq.sources.sheet import is_workbook, read_sheet
from yrd_airq.sources.text import Form, TextTable, as_mask, as_numbers, read_text_table
from yrd_airq.vocab import Precursor

LAYOUT = "enterprise_list"
EMISSIONS = tuple(f"{precursor}_tpa" for precursor in Precursor)
GRADES = ("A", "B", "B-", "C", "D", "引领性", "非引领性")
"""Performance grades of the heavy-pollution emergency scheme, as written in lists."""

_AMOUNTS = (*EMISSIONS, *(f"permit_{name}" for name in EMISSIONS), "cost_cny_per_day", "min_stop_days")
_WORDS = (
    *("exempt_reason", "uscc", "line_id", "address", "key_sector", "exempt_category", "exempt_document"),
    *("permit_id", "contact", "phone"),
)


def matches(path: Path) -> bool:
    """Whether a header among the first lines names enterprises and their sector."""
    return find_list(path) is not None


def read(path: Path) -> Batch:
    """One row an enterprise or production line; rows that cannot be identified or placed are refused.

    Columns go by the headings of ``configs/enterprises.yaml``. An unreadable emission, grade or cost is
    refused as a cell and stays unknown; what is odd but kept is told the same way (``doubts``). Of a workbook
    the sheet of industry is read, the others are told. Raises ``InputError`` for a file that cannot be
    opened or lacks a column (all missing ones are named).
    """
    content = read_content(path)
    place = find_list(path) or Place(None, 1)
    form = Form(header_row=place.row, rename=call_columns)
    book = is_workbook(path)
    text = read_sheet(path, content, form, place.sheet) if book else read_text_table(path, content, form)
    batch = convert(path, text, content.digest, LAYOUT)
    return replace(batch, refused=_of_sheet(batch.refused, place)) if place.others else batch


def convert(path: Path, text: TextTable, digest: str, layout: str) -> Batch:
    """A table in the columns of this layout as ``read`` gives it; ``path`` serves for messages."""
    missing = missing_columns(text.names)
    if missing:
        raise InputError(f"{path}: the enterprise list lacks the column(s) {', '.join(missing)}; add them")
    text = mask_text(text)
    wrong, bad_codes = refuse_codes(text)
    usable, bad_lines = usable_lines(fill_columns(text, wrong), text)
    rows, bad_cells, details = _enterprises(usable)
    kept = bad_codes.filter(pa.array(np.isin(bad_codes["row"].to_numpy(), usable.row), pa.bool_()))
    refused = join_refused(text.refused, bad_lines, bad_cells, kept, doubts(usable))
    return Batch(Kind.ENTERPRISES, layout, path.name, digest, rows, refused, text.rows_in, details)


def _of_sheet(refused: pa.Table, place: Place) -> pa.Table:
    """Refusals with their sheet, and one for each sheet that was not read."""
    named = pc.binary_join_element_wise(f"{place.sheet}: ", refused["field"], "")
    refused = refused.set_column(refused.schema.get_field_index("field"), "field", named)
    reason = f"not read: only the sheet of industry is ({place.sheet}); nothing of this one is in any plan"
    return join_refused(
        refused, refused_table([Refusal(0, name, f"sheet {reason}", "", 0) for name in place.others])
    )


def _enterprises(text: TextTable) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Canonical rows of usable lines, the cells that stay unknown, and the measures by tier."""
    amounts = {name: _amount(text, name) for name in _AMOUNTS}
    shares, bad_shares = _share(text, "max_load_share")
    days, bad_days = _days(text, "exempt_until")
    grade = text.optional("grade")
    odd_grade = ~as_mask(pc.is_in(grade, pa.array(["", *GRADES])))
    refused = [table for _, table in amounts.values()] + [bad_shares, bad_days]
    if odd_grade.any():
        reason = f"not one of {', '.join(GRADES)}; kept as unknown"
        refused.append(refuse_cells(text, "grade", odd_grade, reason, 0))
    columns = {
        "enterprise_id": text.column("enterprise_id"),
        "name_zh": _names(text),
        "adcode": _cities(text),
        "lon": pa.array(as_numbers(text.column("lon"))[0]),
        "lat": pa.array(as_numbers(text.column("lat"))[0]),
        "sector": text.column("sector"),
        "grade": _blank_as_null(pc.if_else(pa.array(odd_grade), "", grade)),
        "exempt": pc.is_in(pc.utf8_lower(text.optional("exempt")), YES),
        **{name: _blank_as_null(text.optional(name)) for name in _WORDS},
        **{name: pa.array(value, pa.float64(), from_pandas=True) for name, (value, _) in amounts.items()},
        "emission_basis": text.column("emission_basis"),
        "exempt_until": days,
        "max_load_share": pa.array(shares, pa.float64(), from_pandas=True),
        "continuous": _yes_or_unknown(text.optional("continuous")),
    }
    details, bad_measures = read_measures(text, {p: amounts[f"{p}_tpa"][0] for p in Precursor})
    schema = SCHEMAS[Kind.ENTERPRISES]
    rows = pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)
    return rows, join_refused(*refused, bad_measures), details


def _amount(text: TextTable, name: str) -> tuple[NDArray[np.float64], pa.Table]:
    """A column of amounts, NaN where unknown, and its unusable cells."""
    value, unusable = as_numbers(text.optional(name))
    if name not in text.names:
        return value, join_refused()
    negative = value < 0
    refused = join_refused(
        refuse_cells(text, name, unusable, "not a number; kept as unknown", 0),
        refuse_cells(text, name, negative, "negative; kept as unknown", 0),
    )
    return np.where(negative, np.nan, value), refused


def _share(text: TextTable, name: str) -> tuple[NDArray[np.float64], pa.Table]:
    """A share written as 0.8, 80 or 80 %, NaN where unknown, and its unusable cells."""
    cells = text.optional(name)
    value, unusable = as_numbers(pc.replace_substring_regex(cells, r"\s*[%％]$", ""))
    value = np.where(value > 1, value / 100, value)
    unusable |= (value < 0) | (value > 1)
    return np.where(unusable, np.nan, value), _refuse_optional(text, name, unusable, "not a share of 0–100 %")


def _days(text: TextTable, name: str) -> tuple[pa.Array, pa.Table]:
    """A column of days, null where unknown, and its unusable cells."""
    cells = text.optional(name)
    days = as_written_days(cells)
    unusable = np.isnat(days) & ~as_mask(pc.equal(cells, ""))
    made = pa.array(days.astype("datetime64[D]"), pa.date32())
    return made, _refuse_optional(text, name, unusable, "not a day such as 2026-12-31")


def _refuse_optional(text: TextTable, name: str, bad: NDArray[np.bool_], what: str) -> pa.Table:
    """Cells of an optional column that stay unknown."""
    if name not in text.names:
        return join_refused()
    return join_refused(refuse_cells(text, name, bad, f"{what}; kept as unknown", 0))


def _cities(text: TextTable) -> pa.Array:
    region = load_region()
    return pa.array(
        [region.canonical_adcode(code) for code in text.column("adcode").to_pylist()], pa.string()
    )


def _names(text: TextTable) -> pa.Array:
    """Names, with a stand-in that carries the id where the list has none."""
    name = text.column("name_zh")
    stand_in = pc.binary_join_element_wise("（无名称）", text.column("enterprise_id"), "")
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(name), ""), stand_in, name)


def _yes_or_unknown(cells: pa.Array) -> pa.Array:
    said = pc.is_in(pc.utf8_lower(cells), YES)
    return pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.bool_()), said)


def _blank_as_null(cells: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)
