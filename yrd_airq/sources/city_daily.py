"""Daily city means of pollutants and weather from a reanalysis: ``province,city,date,PM2.5,…``.

The ozone column is the daily mean, not the largest 8-hour mean, so AQI columns made from it are left out.
Rows may stand in any order.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from yrd_airq.errors import InputError
from yrd_airq.region import Region, load_region
from yrd_airq.sources.batch import SCHEMAS, Batch, Kind, join_refused, no_refusals
from yrd_airq.sources.dates import as_days
from yrd_airq.sources.files import header, read_content
from yrd_airq.sources.refusing import refuse_columns, refuse_lines, refuse_values
from yrd_airq.sources.text import Form, TextTable, as_numbers, read_text_table, repeats

LAYOUT = "city_daily_reanalysis"
KEYS = ("province", "city", "date")
VARIABLES = {
    "PM2.5": "pm25",
    "PM10": "pm10",
    "SO2": "so2",
    "NO2": "no2",
    "CO": "co",
    "O3": "o3_mean",
    "U": "u10_ms",
    "V": "v10_ms",
    "TEMP": "t2m_k",
    "RH": "rh_pct",
    "PSFC": "sp_pa",
}
"""Columns read and what they become: concentrations in µg/m³ (CO mg/m³), wind m/s, K, %, Pa."""

IGNORED = ("AQI", "AQI_rank")
_SIGNED = frozenset({"U", "V"})


def matches(path: Path) -> bool:
    """Whether the header has province, city, date and at least one known variable."""
    names = set(header(path))
    return names.issuperset(KEYS) and not names.isdisjoint(VARIABLES)


def read(path: Path) -> Batch:
    """One row a place, part, day and variable; unusable cells, lines and columns refused.

    A city of the region becomes its adcode, any other place ``province/city``; districts of Shanghai
    become parts of Shanghai. Raises ``InputError`` for a file that cannot be opened or lacks a key column.
    """
    content = read_content(path)
    text = read_text_table(path, content, Form(values=_value_columns))
    missing = [name for name in KEYS if name not in text.names]
    if missing:
        raise InputError(f"{path}: the city table lacks the column(s) {', '.join(missing)}; add them")
    usable, bad_lines = _usable_lines(text)
    rows, bad_cells = _melt(usable)
    refused = join_refused(text.refused, bad_lines, _unknown_columns(usable), bad_cells)
    return Batch(Kind.CITIES, LAYOUT, path.name, content.digest, rows, refused, text.rows_in)


def _usable_lines(text: TextTable) -> tuple[TextTable, pa.Table]:
    bad_day = np.isnat(as_days(text.column("date"), "%Y-%m-%d"))
    blank = [np.asarray(text.column(name).to_numpy(zero_copy_only=False)) == "" for name in KEYS[:2]]
    nameless = (blank[0] | blank[1]) & ~bad_day
    refused = [
        refuse_lines(text, bad_day, "date", "not a date of the form yyyy-mm-dd; correct it in the file"),
        refuse_lines(text, nameless, "city", "province or city is blank; name both in the file"),
    ]
    text = text.keep(~(bad_day | nameless))
    again = repeats(*(text.column(name) for name in KEYS))
    reason = "repeats the city and date of an earlier row, which is kept; leave one of them in the file"
    refused.append(refuse_lines(text, again, "date", reason))
    return text.keep(~again), join_refused(*refused)


def _value_columns(names: tuple[str, ...]) -> list[int]:
    return [position for position, name in enumerate(names) if name not in {*KEYS, *IGNORED}]


def _unknown_columns(text: TextTable) -> pa.Table:
    reasons: dict[int, str] = {}
    for position in _value_columns(text.names):
        name = text.names[position]
        if name not in VARIABLES:
            reasons[position] = f"not a known column, known are {', '.join(VARIABLES)}"
        elif text.names.index(name) != position:
            reasons[position] = "second column of this name, the first is kept"
    return refuse_columns(text, reasons)


def _melt(text: TextTable) -> tuple[pa.Table, pa.Table]:
    schema = SCHEMAS[Kind.CITIES]
    names = [name for name in VARIABLES if name in text.names]
    if not names or len(text.row) == 0:
        return schema.empty_table(), no_refusals()
    cells = pa.concat_arrays([text.column(name) for name in names])
    value, unusable = as_numbers(cells)
    lines = len(text.row)
    signed = np.repeat([name in _SIGNED for name in names], lines)
    negative = (value < 0) & ~signed
    kept = np.flatnonzero(~np.isnan(value) & ~negative)
    place, part = _places(text, load_region())
    line = pa.array(kept % lines)
    variables = pa.array([VARIABLES[name] for name in names])
    rows = pa.Table.from_arrays(
        [
            place.take(line),
            part.take(line),
            pa.array(as_days(text.column("date"), "%Y-%m-%d")).take(line),
            variables.take(pa.array(kept // lines)),
            pa.array(value[kept]),
        ],
        schema=schema,
    )
    return rows, refuse_values(text.row, pa.array(names), cells, unusable, negative)


def _places(text: TextTable, region: Region) -> tuple[pa.Array, pa.Array]:
    """Place and part of each line; each pair of province and city is looked up once."""
    pairs = list(zip(text.column("province").to_pylist(), text.column("city").to_pylist(), strict=True))
    known = {pair: _place_of(*pair, region) for pair in set(pairs)}
    return (pa.array([known[pair][0] for pair in pairs]), pa.array([known[pair][1] for pair in pairs]))


def _place_of(province: str, city: str, region: Region) -> tuple[str, str]:
    whole = region.adcode_of_name(province)
    if whole is not None:
        # A municipality is a province and a city at once; its districts are parts of the city.
        return whole, "" if region.adcode_of_name(city) == whole else city
    adcode = region.adcode_of_name(city)
    if adcode is not None and region.province_zh(adcode) == province:
        return adcode, ""
    return f"{province}/{city}", ""
