"""Hourly means of OpenAQ as rows: units to µg/m³ (CO mg/m³) in the reference state, hour-ending labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from yrd_airq.sources.batch import SCHEMAS, Batch, Kind
from yrd_airq.sources.gases import Unit, factor, gas_of
from yrd_airq.sources.text import as_numbers, repeats
from yrd_airq.sources.web.answers import Answer, digest_of
from yrd_airq.sources.web.cells import LineFaults, as_text, melt, read_cells
from yrd_airq.sources.web.moments import read_moments, whole_hours
from yrd_airq.sources.web.settings import OpenAqSettings

LAYOUT = "openaq_hours"
ITEMS = ("pm25", "pm10", "so2", "no2", "o3", "co")
"""Parameters of OpenAQ that are taken; they are called the same here."""

_UNITS: dict[str, Unit] = {
    "µg/m³": "ugm3",
    "ug/m3": "ugm3",
    "mg/m³": "mgm3",
    "mg/m3": "mgm3",
    "ppb": "ppb",
    "ppm": "ppm",
}
_ZONE = re.compile(r"(Z|[+-]\d\d:?\d\d)$")


def read_hours(
    answers: list[Answer], records: Sequence[dict[str, Any]], name: str, code: str, settings: OpenAqSettings
) -> Batch:
    """Hours of one location from the answers for all its sensors.

    Where two sensors measure the same, the hours of the earlier number are kept. Refused are hours that
    the provider flagged, that too few measurements cover, and units that cannot be converted.
    """
    cells = read_cells({"value": [record.get("value") for record in records]})
    item = [as_text(_part(record, "parameter").get("name")).lower() for record in records]
    unit = [_unit(record) for record in records]
    time = read_moments([_label(record) for record in records])
    to_store = _factors(item, unit)
    faults = LineFaults(len(records), lambda k: records[k])
    faults.add(~np.isin(item, ITEMS), "parameter", f"not one of {', '.join(ITEMS)}")
    faults.add(~whole_hours(time), "period", "its end is not a full hour; left out")
    faults.add(np.isnan(to_store), "units", "a unit that cannot be converted to µg/m³")
    flagged = [_part(record, "flagInfo").get("hasFlags") is True for record in records]
    faults.add(np.array(flagged, dtype=bool), "flagInfo", "flagged by its provider; left out")
    least = settings.least_coverage_pct.value
    sparse = _coverage(records) < least
    faults.add(sparse, "coverage", f"less than {least:g} % of the hour measured; left out")
    again = repeats(pa.array(item, pa.string()), pa.array(time))
    faults.add(again, "period", "repeats the hour of an earlier line, which is kept")
    melted = melt(cells, faults)
    rows = pa.Table.from_arrays(
        [
            pa.array([code] * len(melted.line), pa.string()),
            pa.array(time[melted.line], pa.timestamp("us")),
            pa.array(item, pa.string()).take(pa.array(melted.line)),
            pa.array(melted.value * to_store[melted.line]),
        ],
        schema=SCHEMAS[Kind.STATIONS],
    )
    return Batch(Kind.STATIONS, LAYOUT, name, digest_of(answers), rows, melted.refused, melted.rows_in)


def _factors(item: Sequence[str], unit: Sequence[str]) -> NDArray[np.float64]:
    """What to multiply each value by to have µg/m³ (CO mg/m³); NaN where the unit does not allow it."""
    known = {
        (name, written): factor(name, as_here)
        for name in ITEMS
        for written, as_here in _UNITS.items()
        if as_here in {"ugm3", "mgm3"} or gas_of(name) is not None
    }
    return np.array([known.get(pair, np.nan) for pair in zip(item, unit, strict=True)], dtype=float)


def _unit(record: dict[str, Any]) -> str:
    return as_text(_part(record, "parameter").get("units")).replace("μ", "µ")


def _label(record: dict[str, Any]) -> str:
    """The end of the period, in UTC or else with its own zone."""
    end = _part(_part(record, "period"), "datetimeTo")
    utc = as_text(end.get("utc"))
    if utc and not _ZONE.search(utc):
        utc += "Z"
    return utc or as_text(end.get("local"))


def _coverage(records: Sequence[dict[str, Any]]) -> NDArray[np.float64]:
    """Measured part of each hour in %, NaN where the answer does not say."""
    texts = [as_text(_part(record, "coverage").get("percentComplete")) for record in records]
    return as_numbers(pa.array(texts, pa.string()))[0]


def _part(record: dict[str, Any], name: str) -> dict[str, Any]:
    part = record.get(name)
    return part if isinstance(part, dict) else {}
