"""List of the national stations with Chinese headers: code, name, city, position, background site, validity.

The list names county-level cities as cities of their own; region settings say which prefecture they lie in.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.region import Region, load_region
from yrd_airq.sources.batch import SCHEMAS, Batch, Kind, join_refused
from yrd_airq.sources.dates import as_days, as_written_days
from yrd_airq.sources.files import read_content
from yrd_airq.sources.refusing import refuse_cells, refuse_lines
from yrd_airq.sources.sheet import read_table, table_header
from yrd_airq.sources.text import LIST, TextTable, as_mask, as_numbers

LAYOUT = "station_list_zh"
CODE, NAME, CITY, LON, LAT = "监测点编码", "监测点名称", "城市", "经度", "纬度"
BACKGROUND = "对照点"
FROM, TO = ("启用日期", "开始日期"), ("停用日期", "结束日期")
"""Names of the columns that hold the first and the last day of a station's validity."""

_OPENED, _CLOSED = ("启用",), ("停用", "停运")
_NOTED = r"[（(](?P<before>[启停][用运])?(?P<day>(?:20)?\d{6})(?P<after>[启停][用运])?[)）]"
"""A date that a name carries, as in 市监测站(停运181220) or 市政府(20190308启用)."""

_NEEDED = (CODE, NAME, CITY, LON, LAT)
_FILE_DATE = re.compile(r"(?<!\d)(\d{4})[.-](\d{2})[.-](\d{2})(?!\d)")


def matches(path: Path) -> bool:
    """Whether the header names station code and city in Chinese."""
    return {CODE, CITY} <= set(table_header(path))


def read(path: Path) -> Batch:
    """One row a station and period of validity, from a CSV or XLSX file.

    A malformed code is refused, and so is a code that stands again, unless the two rows are valid at
    different times (a station that moved). A missing position stays empty. ``counted`` is false for
    background sites (对照点), county-level cities and stations outside the region: they do not enter a
    city's mean. ``valid_to`` is the last day of validity. Where the list has no column for a validity, a date
    in the station's name (停运181220, 20190308启用) serves. ``list_from`` is the date in the file's name
    (``站点列表-2020.01.01起.csv``), empty without one. Raises ``InputError`` for a file that cannot be opened
    or lacks a column.
    """
    content = read_content(path)
    return convert(path, read_table(path, content, LIST), content.digest, LAYOUT)


def convert(path: Path, text: TextTable, digest: str, layout: str) -> Batch:
    """A table in the columns of this layout as ``read`` gives it; ``path`` serves for the list's date."""
    missing = [name for name in _NEEDED if name not in text.names]
    if missing:
        raise InputError(f"{path}: the station list lacks the column(s) {', '.join(missing)}; add them")
    list_from = _list_date(path)
    stations, bad_lines = _usable_stations(text)
    lon, bad_lon = _degrees(stations, LON, 180)
    lat, bad_lat = _degrees(stations, LAT, 90)
    first, bad_first = _validity(stations, FROM, _OPENED)
    last, bad_last = _validity(stations, TO, _CLOSED)
    adcode, counted = _place(stations.column(CITY).to_pylist(), load_region())
    background = as_mask(pc.is_in(pc.utf8_upper(stations.optional(BACKGROUND)), pa.array(["Y", "是"])))
    rows = pa.Table.from_arrays(
        [
            stations.column(CODE),
            stations.column(NAME),
            stations.column(CITY),
            pa.array(adcode, pa.string()),
            pa.array(counted & ~background),
            pa.array(background),
            pa.array(lon, from_pandas=True),
            pa.array(lat, from_pandas=True),
            pa.array(first, pa.date32()),
            pa.array(last, pa.date32()),
            pa.array(np.full(len(stations.row), list_from), pa.date32()),
        ],
        schema=SCHEMAS[Kind.STATION_LIST],
    )
    refused = join_refused(text.refused, bad_lines, bad_lon, bad_lat, bad_first, bad_last)
    if not np.isnat(list_from):
        # The same bytes under a name with another date are another list.
        digest = hashlib.sha256(f"{digest} {list_from}".encode()).hexdigest()
    return Batch(Kind.STATION_LIST, layout, path.name, digest, rows, refused, text.rows_in)


def _list_date(path: Path) -> np.datetime64:
    """The day from which the list holds by its name, NaT if the name gives none or several."""
    dates = {"".join(found) for found in _FILE_DATE.findall(path.name)}
    days = as_days(pa.array(sorted(dates), pa.string()), "%Y%m%d")
    return days[0] if len(days) == 1 else np.datetime64("NaT", "D")


def _usable_stations(text: TextTable) -> tuple[TextTable, pa.Table]:
    malformed = ~as_mask(pc.match_substring_regex(text.column(CODE), r"^[A-Z0-9]{4,8}$"))
    malformed |= ~as_mask(pc.match_substring_regex(text.column(CODE), r"\d"))
    refused = [
        refuse_lines(text, malformed, CODE, "not a station code such as 1141A; correct it in the list")
    ]
    text = text.keep(~malformed)
    first, last = _validity(text, FROM, _OPENED)[0], _validity(text, TO, _CLOSED)[0]
    backward = last < first
    reason = "the validity ends before it begins; correct it in the list"
    refused.append(refuse_lines(text, backward, _column_of(text, TO) or CODE, reason))
    text, first, last = text.keep(~backward), first[~backward], last[~backward]
    again = _overlapping(text.column(CODE), first, last)
    reason = (
        "the code stands in an earlier row, which is kept; leave one of them in the list, or give both "
        "dates of validity that do not overlap"
    )
    refused.append(refuse_lines(text, again, CODE, reason))
    return text.keep(~again), join_refused(*refused)


def _overlapping(
    codes: pa.Array, first: NDArray[np.datetime64], last: NDArray[np.datetime64]
) -> NDArray[np.bool_]:
    """Rows of a code that begin before an earlier one of it has ended; open ends reach without limit."""
    frame = pd.DataFrame(
        {
            "code": codes.to_pylist(),
            "first": np.where(np.isnat(first), np.iinfo(np.int64).min, first.astype(np.int64)),
            "last": np.where(np.isnat(last), np.iinfo(np.int64).max, last.astype(np.int64)),
        }
    ).sort_values(["code", "first"], kind="stable")
    groups = frame.groupby("code", sort=False)["last"]
    reached = groups.cummax().groupby(frame["code"], sort=False).shift()
    known = reached.notna() & (groups.cumcount() > 0)
    again = known & (frame["first"] <= reached)
    return again.sort_index().to_numpy(dtype=bool)


def _column_of(text: TextTable, names: tuple[str, ...]) -> str | None:
    return next((name for name in names if name in text.names), None)


def _validity(
    text: TextTable, names: tuple[str, ...], words: tuple[str, ...]
) -> tuple[NDArray[np.datetime64], pa.Table]:
    """Days in the first of these columns that the list has, NaT where unknown, and the unusable cells.

    Without such a column the days are those that station names carry beside one of the words.
    """
    name = _column_of(text, names)
    if name is None:
        return _noted_days(text.column(NAME), words), join_refused()
    days = as_written_days(text.column(name))
    odd = np.isnat(days) & as_mask(pc.not_equal(text.column(name), ""))
    return days, refuse_cells(text, name, odd, "not a date such as 2020-01-31; kept as not known", 0)


def _noted_days(names: pa.Array, words: tuple[str, ...]) -> NDArray[np.datetime64]:
    note = pc.extract_regex(names, _NOTED)
    said = [pc.is_in(pc.struct_field(note, side), pa.array(words)) for side in ("before", "after")]
    day = pc.struct_field(note, "day")
    long = pc.if_else(pc.equal(pc.utf8_length(day), 6), pc.binary_join_element_wise("20", day, ""), day)
    return as_days(pc.fill_null(pc.if_else(pc.or_(*said), long, ""), ""), "%Y%m%d")


def _degrees(text: TextTable, name: str, limit: float) -> tuple[NDArray[np.float64], pa.Table]:
    """A coordinate column, NaN where blank or unusable, and the unusable cells."""
    value, unusable = as_numbers(text.column(name))
    outside = np.abs(value) > limit
    kept = "the station is kept without a position"
    refused = join_refused(
        refuse_cells(text, name, unusable, f"not a number; {kept}", 0),
        refuse_cells(text, name, outside, f"not within ±{limit:g}°; {kept}", 0),
    )
    return np.where(outside, np.nan, value), refused


def _place(cities: list[str], region: Region) -> tuple[list[str | None], NDArray[np.bool_]]:
    """Adcode of each city (of its prefecture for a county-level city), and whether it is a prefecture."""
    county = region.settings.county_cities
    whole = {name: region.adcode_of_name(name) for name in set(cities)}
    adcode = [county.get(name.removesuffix("市"), whole[name]) for name in cities]
    counted = [whole[name] is not None and name.removesuffix("市") not in county for name in cities]
    return adcode, np.array(counted, dtype=bool)
