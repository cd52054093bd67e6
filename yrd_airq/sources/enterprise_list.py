"""Enterprise list: identity, position, sector, yearly emissions and, where known, grade, exemption and cost.

What the list does not know stays unknown. A row that could not be placed is refused, because it would
otherwise be controlled, or spared, in the wrong zone.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.region import load_region
from yrd_airq.sources.batch import SCHEMAS, Batch, Kind, join_refused
from yrd_airq.sources.files import read_content
from yrd_airq.sources.refusing import refuse_cells, refuse_lines
from yrd_airq.sources.sheet import read_table, table_header
from yrd_airq.sources.text import LIST, TextTable, as_mask, as_numbers, repeats

LAYOUT = "enterprise_list"
POSITION = ("lon", "lat")
EMISSIONS = ("nox_tpa", "voc_tpa", "pm_tpa", "so2_tpa")
GRADES = ("A", "B", "B-", "C", "D", "引领性", "非引领性")
"""Performance grades of the heavy-pollution emergency scheme, as written in lists."""

_NEEDED = ("enterprise_id", "name_zh", "adcode", *POSITION, "sector", *EMISSIONS, "emission_basis")
_LON_RANGE = (110.0, 124.0)
_LAT_RANGE = (24.0, 38.0)
_YES = pa.array(["true", "1", "yes", "y", "是"])
_NO = pa.array(["", "false", "0", "no", "n", "否"])


def matches(path: Path) -> bool:
    """Whether the header names enterprises and their sector."""
    return {"enterprise_id", "sector"} <= set(table_header(path))


def read(path: Path) -> Batch:
    """One row an enterprise; rows that cannot be identified or placed are refused.

    An unreadable emission, grade or cost is refused as a cell and stays unknown. Raises ``InputError``
    for a file that cannot be opened or lacks a column (all missing ones are named).
    """
    content = read_content(path)
    return convert(path, read_table(path, content, LIST), content.digest, LAYOUT)


def convert(path: Path, text: TextTable, digest: str, layout: str) -> Batch:
    """A table in the columns of this layout as ``read`` gives it; ``path`` serves for messages."""
    missing = [name for name in _NEEDED if name not in text.names]
    if missing:
        raise InputError(f"{path}: the enterprise list lacks the column(s) {', '.join(missing)}; add them")
    usable, bad_lines = _usable_lines(text)
    rows, bad_cells = _enterprises(usable)
    refused = join_refused(text.refused, bad_lines, bad_cells)
    return Batch(Kind.ENTERPRISES, layout, path.name, digest, rows, refused, text.rows_in)


def _usable_lines(text: TextTable) -> tuple[TextTable, pa.Table]:
    """Lines with an identity, a position, a city of the region and a readable exemption."""
    refused: list[pa.Table] = []
    for name, bad, reason in _faults(text):
        refused.append(refuse_lines(text, bad, name, f"{reason}; the row is left out"))
    good = ~np.isin(text.row, [row for table in refused for row in table["row"].to_pylist()])
    text = text.keep(good)
    again = repeats(text.column("enterprise_id"))
    reason = "the id stands in an earlier row, which is kept; the row is left out"
    refused.append(refuse_lines(text, again, "enterprise_id", reason))
    return text.keep(~again), join_refused(*refused)


def _faults(text: TextTable) -> list[tuple[str, NDArray[np.bool_], str]]:
    """Per check: the field, the lines at fault (each line by its first fault only), and the reason."""
    lon, lat = (as_numbers(text.column(name))[0] for name in POSITION)
    exempt = pc.utf8_lower(text.optional("exempt"))
    codes = text.column("adcode").to_pylist()
    known = {code: load_region().canonical_adcode(code) is not None for code in set(codes)}
    checks = [
        ("enterprise_id", as_mask(pc.equal(text.column("enterprise_id"), "")), "no id; give it one"),
        ("lon", np.isnan(lon), "no usable longitude; add it"),
        ("lat", np.isnan(lat), "no usable latitude; add it"),
        ("lon", _outside(lon, _LON_RANGE), "longitude not within 110–124°E; check it (lon and lat swapped?)"),
        ("lat", _outside(lat, _LAT_RANGE), "latitude not within 24–38°N; check it (lon and lat swapped?)"),
        ("adcode", np.array([not known[code] for code in codes], dtype=bool), "not a city of the region"),
        ("exempt", ~as_mask(pc.or_(pc.is_in(exempt, _YES), pc.is_in(exempt, _NO))), "write true or false"),
    ]
    seen = np.zeros(len(text.row), dtype=bool)
    faults = []
    for name, bad, reason in checks:
        faults.append((name, bad & ~seen, reason))
        seen |= bad
    return faults


def _outside(value: NDArray[np.float64], limits: tuple[float, float]) -> NDArray[np.bool_]:
    return (value < limits[0]) | (value > limits[1])


def _enterprises(text: TextTable) -> tuple[pa.Table, pa.Table]:
    """Canonical rows of usable lines, and the cells that stay unknown."""
    region = load_region()
    lon, lat = (as_numbers(text.column(name))[0] for name in POSITION)
    amounts = {name: _amount(text, name) for name in (*EMISSIONS, "cost_cny_per_day")}
    grade = text.optional("grade")
    odd_grade = ~as_mask(pc.is_in(grade, pa.array(["", *GRADES])))
    reasons = f"not one of {', '.join(GRADES)}; kept as unknown"
    refused = [table for _, table in amounts.values()]
    if odd_grade.any():
        refused.append(refuse_cells(text, "grade", odd_grade, reasons, 0))
    exempt = pc.is_in(pc.utf8_lower(text.optional("exempt")), _YES)
    columns = {
        "enterprise_id": text.column("enterprise_id"),
        "name_zh": _names(text),
        "adcode": pa.array(
            [region.canonical_adcode(c) for c in text.column("adcode").to_pylist()], pa.string()
        ),
        "lon": pa.array(lon),
        "lat": pa.array(lat),
        "sector": text.column("sector"),
        "grade": _blank_as_null(pc.if_else(pa.array(odd_grade), "", grade)),
        "exempt": exempt,
        "exempt_reason": _blank_as_null(text.optional("exempt_reason")),
        **{name: pa.array(value, pa.float64(), from_pandas=True) for name, (value, _) in amounts.items()},
        "emission_basis": text.column("emission_basis"),
    }
    schema = SCHEMAS[Kind.ENTERPRISES]
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema), join_refused(
        *refused
    )


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


def _names(text: TextTable) -> pa.Array:
    """Names, with a stand-in that carries the id where the list has none."""
    name = text.column("name_zh")
    stand_in = pc.binary_join_element_wise("（无名称）", text.column("enterprise_id"), "")
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(name), ""), stand_in, name)


def _blank_as_null(cells: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)
