"""Exceptional events (特殊时段, such as dust): days of a city or province that an authority has acknowledged.

The table has the columns ``adcode`` or ``city_zh`` (or both), ``first_date``, ``last_date``, ``pollutant``,
``reason_zh`` and ``document``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.region import Region, load_region
from yrd_airq.sources.batch import SCHEMAS, Batch, Kind, join_refused, refused_columns
from yrd_airq.sources.dates import as_written_days
from yrd_airq.sources.files import read_content
from yrd_airq.sources.refusing import refuse_lines
from yrd_airq.sources.sheet import read_table, table_header
from yrd_airq.sources.text import LIST, TextTable, as_mask, repeats
from yrd_airq.vocab import Pollutant

LAYOUT = "exceptional_events"
EVERYWHERE = "all"
"""Stands in ``adcode`` for the whole region; a province code stands for all its cities."""

_NEEDED = ("first_date", "last_date", "pollutant")
_PARTED = r"[;；、]"
_POLLUTANTS = {
    name: item.value for item in Pollutant for name in (item.value, item.value.replace("25", "2.5"))
}


def matches(path: Path) -> bool:
    """Whether the header names a place, the first and last day and the pollutant."""
    names = set(table_header(path))
    return names.issuperset(_NEEDED) and not names.isdisjoint(("adcode", "city_zh"))


def read(path: Path) -> Batch:
    """One row a line and pollutant, from a CSV or XLSX file; several pollutants are parted by ``;``.

    ``adcode`` is that of a city, of a province (all its cities) or ``all``; where it is blank, ``city_zh``
    is looked up. Lines without usable place, dates or reason are refused, and so are unknown and repeated
    pollutants. Raises ``InputError`` for a file that cannot be opened or lacks a column.
    """
    content = read_content(path)
    return convert(path, read_table(path, content, LIST), content.digest, LAYOUT)


def convert(path: Path, text: TextTable, digest: str, layout: str) -> Batch:
    """A table in the columns of this layout as ``read`` gives it; ``path`` serves for messages."""
    missing = [name for name in (*_NEEDED, "reason_zh") if name not in text.names]
    if {"adcode", "city_zh"}.isdisjoint(text.names):
        missing.append("adcode or city_zh")
    if missing:
        raise InputError(f"{path}: the table of events lacks the column(s) {', '.join(missing)}; add them")
    text = _count_pollutants(text)
    usable, bad_lines = _usable_lines(text)
    rows, bad_cells = _events(usable)
    refused = join_refused(text.refused, bad_lines, bad_cells)
    return Batch(Kind.EXCEPTIONAL, layout, path.name, digest, rows, refused, text.rows_in)


def _count_pollutants(text: TextTable) -> TextTable:
    """The table with as many rows a line as it names pollutants, at least one."""
    pieces = [re.split(_PARTED, cell) for cell in text.column("pollutant").to_pylist()]
    named = np.array([sum(bool(piece.strip()) for piece in line) for line in pieces], dtype=np.int64)
    filled = np.maximum(named, 1)
    return replace(text, filled=filled, rows_in=text.rows_in + int((filled - text.filled).sum()))


def _usable_lines(text: TextTable) -> tuple[TextTable, pa.Table]:
    place = "adcode" if "adcode" in text.names else "city_zh"
    first, last = (as_written_days(text.column(name)) for name in ("first_date", "last_date"))
    blank = {name: as_mask(pc.equal(text.column(name), "")) for name in ("pollutant", "reason_zh")}
    # A cell may hold nothing but separators.
    blank["pollutant"] |= as_mask(pc.match_substring_regex(text.column("pollutant"), rf"^({_PARTED}|\s)*$"))
    nowhere = np.array([code is None for code in _adcodes(text)], dtype=bool)
    checks = [
        (place, nowhere, "not a city or province of the region, nor 'all'"),
        ("first_date", np.isnat(first), "not a date such as 2021-03-15"),
        ("last_date", np.isnat(last), "not a date such as 2021-03-15"),
        ("last_date", last < first, "lies before first_date"),
        ("pollutant", blank["pollutant"], f"blank; known are {', '.join(Pollutant)}"),
        ("reason_zh", blank["reason_zh"], "blank; say why the days are exceptional"),
    ]
    seen = np.zeros(len(text.row), dtype=bool)
    refused = []
    for name, bad, reason in checks:
        refused.append(refuse_lines(text, bad & ~seen, name, f"{reason}; the row is left out"))
        seen |= bad
    return text.keep(~seen), join_refused(*refused)


def _adcodes(text: TextTable) -> list[str | None]:
    region = load_region()
    pairs = list(zip(text.optional("adcode").to_pylist(), text.optional("city_zh").to_pylist(), strict=True))
    known = {pair: _adcode(*pair, region) for pair in set(pairs)}
    return [known[pair] for pair in pairs]


def _adcode(code: str, name: str, region: Region) -> str | None:
    provinces = region.settings.provinces
    if not code:
        named = {province: number for number, province in provinces.items()}
        return region.adcode_of_name(name) or named.get(name)
    if code == EVERYWHERE or code in provinces:
        return code
    return region.canonical_adcode(code)


def _events(text: TextTable) -> tuple[pa.Table, pa.Table]:
    """Canonical rows, a line's pollutants in its own order, and the refused pollutants."""
    frame = pd.DataFrame(
        {
            "row": text.row,
            "adcode": pd.Series(_adcodes(text), dtype=object),
            "first_date": as_written_days(text.column("first_date")),
            "last_date": as_written_days(text.column("last_date")),
            "pollutant": pd.Series(text.column("pollutant").to_pylist(), dtype=object),
            "reason_zh": pd.Series(text.column("reason_zh").to_pylist(), dtype=object),
            "document": pd.Series(text.optional("document").to_pylist(), dtype=object),
        }
    )
    frame["pollutant"] = frame["pollutant"].str.split(_PARTED, regex=True)
    frame = frame.explode("pollutant", ignore_index=True)
    frame["pollutant"] = frame["pollutant"].str.strip()
    frame = frame[frame["pollutant"] != ""].reset_index(drop=True)
    spelled = frame["pollutant"].str.normalize("NFKC").str.lower()
    item = spelled.map(_POLLUTANTS)
    unknown = item.isna().to_numpy(dtype=bool)
    keys = ("adcode", "first_date", "last_date")
    again = repeats(*(pa.array(frame[key]) for key in keys), pa.array(item.fillna(spelled), pa.string()))
    schema = SCHEMAS[Kind.EXCEPTIONAL]
    rows = pa.Table.from_pandas(
        frame.assign(pollutant=item)[~(unknown | again)][schema.names], schema=schema, preserve_index=False
    )
    return rows.replace_schema_metadata(), _refuse_pollutants(frame, unknown, again & ~unknown)


def _refuse_pollutants(frame: pd.DataFrame, unknown: NDArray[np.bool_], again: NDArray[np.bool_]) -> pa.Table:
    bad = frame[unknown | again]
    reasons = np.where(
        unknown[unknown | again],
        f"not a known pollutant, known are {', '.join(Pollutant)}; left out",
        "repeats the place, days and pollutant of an earlier row, which is kept",
    )
    return refused_columns(
        row=bad["row"].to_numpy(dtype=np.int64),
        field=["pollutant"] * len(bad),
        reason=reasons.tolist(),
        content=bad["pollutant"].tolist(),
        rows=[1] * len(bad),
    )
