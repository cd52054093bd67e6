"""List of the national stations with Chinese headers: code, name, city, position, background site or not.

The list names county-level cities as cities of their own; region settings say which prefecture they lie in.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.region import Region, load_region
from yrd_airq.sources.batch import SCHEMAS, Batch, Kind, join_refused
from yrd_airq.sources.files import header, read_content
from yrd_airq.sources.text import (
    TextTable,
    as_mask,
    as_numbers,
    read_text_table,
    refuse_cells,
    refuse_lines,
    repeats,
)

LAYOUT = "station_list_zh"
CODE, NAME, CITY, LON, LAT = "监测点编码", "监测点名称", "城市", "经度", "纬度"
BACKGROUND = "对照点"
_NEEDED = (CODE, NAME, CITY, LON, LAT)


def matches(path: Path) -> bool:
    """Whether the header names station code and city in Chinese."""
    return {CODE, CITY} <= set(header(path))


def read(path: Path) -> Batch:
    """One row a station; a repeated or malformed code is refused, a missing position stays empty.

    ``counted`` is false for background sites (对照点), county-level cities and stations outside the
    region: they do not enter a city's mean. Raises ``InputError`` for a file that cannot be opened or
    lacks a column.
    """
    content = read_content(path)
    text = read_text_table(path, content)
    missing = [name for name in _NEEDED if name not in text.names]
    if missing:
        raise InputError(f"{path}: the station list lacks the column(s) {', '.join(missing)}; add them")
    stations, bad_lines = _usable_stations(text)
    lon, bad_lon = _degrees(stations, LON, 180)
    lat, bad_lat = _degrees(stations, LAT, 90)
    adcode, counted = _place(stations.column(CITY).to_pylist(), load_region())
    background = as_mask(pc.is_in(pc.utf8_upper(stations.optional(BACKGROUND)), pa.array(["Y", "是"])))
    rows = pa.Table.from_arrays(
        [
            stations.column(CODE),
            stations.column(NAME),
            stations.column(CITY),
            pa.array(adcode, pa.string()),
            pa.array(counted & ~background),
            pa.array(lon, from_pandas=True),
            pa.array(lat, from_pandas=True),
        ],
        schema=SCHEMAS[Kind.STATION_LIST],
    )
    refused = join_refused(text.refused, bad_lines, bad_lon, bad_lat)
    return Batch(Kind.STATION_LIST, LAYOUT, path.name, content.digest, rows, refused)


def _usable_stations(text: TextTable) -> tuple[TextTable, pa.Table]:
    malformed = ~as_mask(pc.match_substring_regex(text.column(CODE), r"^[A-Z0-9]{4,8}$"))
    malformed |= ~as_mask(pc.match_substring_regex(text.column(CODE), r"\d"))
    refused = [
        refuse_lines(text, malformed, CODE, "not a station code such as 1141A; correct it in the list")
    ]
    text = text.keep(~malformed)
    again = repeats(text.column(CODE))
    reason = "the code stands in an earlier row, which is kept; leave one of them in the list"
    refused.append(refuse_lines(text, again, CODE, reason))
    return text.keep(~again), join_refused(*refused)


def _degrees(text: TextTable, name: str, limit: float) -> tuple[NDArray[np.float64], pa.Table]:
    """A coordinate column, NaN where blank or unusable, and the unusable cells."""
    value, unusable = as_numbers(text.column(name))
    outside = np.abs(value) > limit
    refused = join_refused(
        refuse_cells(text, name, unusable, "not a number; the station is kept without a position"),
        refuse_cells(text, name, outside, f"not within ±{limit:g}°; the station is kept without a position"),
    )
    return np.where(outside, np.nan, value), refused


def _place(cities: list[str], region: Region) -> tuple[list[str | None], NDArray[np.bool_]]:
    """Adcode of each city (of its prefecture for a county-level city), and whether it is a prefecture."""
    county = region.settings.county_cities
    whole = {name: region.adcode_of_name(name) for name in set(cities)}
    adcode = [county.get(name.removesuffix("市"), whole[name]) for name in cities]
    counted = [whole[name] is not None and name.removesuffix("市") not in county for name in cities]
    return adcode, np.array(counted, dtype=bool)
