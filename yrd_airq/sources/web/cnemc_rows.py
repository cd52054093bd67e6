"""Answers of the national centre as rows: station hours, the list of stations in them, city days."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from yrd_airq.region import Region
from yrd_airq.sources.batch import SCHEMAS, Batch, Kind
from yrd_airq.sources.stations_wide import ITEMS, STATION_CODE
from yrd_airq.sources.text import as_numbers, repeats
from yrd_airq.sources.web.answers import Answer, BrokenAnswerError, read_json
from yrd_airq.sources.web.cells import Cells, LineFaults, as_text, melt, read_cells
from yrd_airq.sources.web.moments import read_moments, whole_hours
from yrd_airq.sources.web.settings import CnemcSettings

STATIONS_LAYOUT = "cnemc_hour"
LIST_LAYOUT = "cnemc_station_list"
CITY_LAYOUT = "cnemc_city_days"

_FIELDS = {name.replace(".", "_").lower(): item for name, item in ITEMS.items()}
"""Fields of the release in lower case (pm2_5_24h) and the items they become."""
_CITY_FIELDS = {name: item for name, item in _FIELDS.items() if item == "aqi" or item.endswith("_24h")}
_HOUR = np.timedelta64(1, "h")
_DAY = np.timedelta64(1, "D")

Record = dict[str, Any]


def read_records(answer: Answer) -> list[Any]:
    """The lines of an answer, keys in lower case: a list, or an object that is one line or holds them.

    Raises ``BrokenAnswerError`` for anything else, such as an error message.
    """
    data = read_json(answer)
    if isinstance(data, dict):
        lowered = {str(key).lower(): value for key, value in data.items()}
        lists = [value for value in data.values() if isinstance(value, list)]
        if {"timepoint", "timepointstr"} & set(lowered):
            data = [data]
        elif len(lists) == 1:
            data = lists[0]
    if not isinstance(data, list):
        raise BrokenAnswerError("answered JSON that holds no list of values")
    return [_lowered(line) for line in data]


def read_station_hours(
    answer: Answer, records: list[Any], name: str, settings: CnemcSettings
) -> tuple[Batch, list[str], NDArray[np.datetime64]]:
    """Values of stations under the hour that each line itself names; notes; the hour of each line kept.

    ``name`` may hold ``{hour}``, which becomes the newest hour of the answer.
    """
    lines = [record if isinstance(record, dict) else {} for record in records]
    cells = read_cells({field: _column(lines, field) for field in _FIELDS}, settings.missing)
    cells, notes = _swap_back(cells, settings)
    code = [as_text(line.get("stationcode")) for line in lines]
    time, moment_notes = _times(lines)
    faults = LineFaults(len(records), lambda k: records[k])
    faults.add(np.array([not isinstance(r, dict) for r in records], bool), "", "not a record of a station")
    malformed = np.array([STATION_CODE.match(c) is None for c in code], dtype=bool)
    faults.add(malformed, "stationcode", "not a station code such as 1141A")
    _add_time_faults(faults, time, answer)
    again = repeats(pa.array(code, pa.string()), pa.array(time))
    faults.add(again, "stationcode", "repeats the station and hour of an earlier line, which is kept")
    melted = melt(cells, faults)
    rows = pa.Table.from_arrays(
        [
            pa.array(code, pa.string()).take(pa.array(melted.line)),
            pa.array(time[melted.line], pa.timestamp("us")),
            pa.array(list(_FIELDS.values())).take(pa.array(melted.field)),
            pa.array(melted.value),
        ],
        schema=SCHEMAS[Kind.STATIONS],
    )
    kept = time[~faults.bad]
    notes += moment_notes + _hour_notes(kept)
    hour = str(kept.max())[:16].replace("T", " ") if len(kept) else "no hour"
    title = name.format(hour=hour)
    batch = Batch(Kind.STATIONS, STATIONS_LAYOUT, title, answer.digest, rows, melted.refused, melted.rows_in)
    return batch, notes, kept


def read_station_list(records: list[Any], name: str, region: Region) -> Batch:
    """The stations that an answer names, each once, with city and position.

    ``counted`` is true for stations of the region's prefecture-level cities; the answer does not say which
    are background sites, so ``background`` is null. The content hash is of the list alone: it stays the
    same from hour to hour as long as the list does.
    """
    lines = [record if isinstance(record, dict) else {} for record in records]
    code, title, city = (
        [as_text(line.get(field)) for line in lines] for field in ("stationcode", "positionname", "area")
    )
    faults = LineFaults(len(records), lambda k: records[k])
    malformed = np.array([STATION_CODE.match(c) is None for c in code], dtype=bool)
    faults.add(malformed, "stationcode", "not a station code such as 1141A")
    again = repeats(pa.array(code, pa.string()))
    faults.add(again, "stationcode", "the station stands in an earlier line, which is kept")
    adcode, counted = _place(city, [as_text(line.get("citycode")) for line in lines], region)
    good = pa.array(~faults.bad)
    count = len(lines)
    columns = [
        pa.array(code, pa.string()),
        pa.array(title, pa.string()),
        pa.array(city, pa.string()),
        pa.array(adcode, pa.string()),
        pa.array(counted, pa.bool_()),
        pa.nulls(count, pa.bool_()),
        _degrees(lines, "longitude", 180),
        _degrees(lines, "latitude", 90),
        *(pa.nulls(count, pa.date32()) for _ in range(3)),
    ]
    rows = pa.Table.from_arrays(columns, schema=SCHEMAS[Kind.STATION_LIST]).filter(good)
    rows = rows.sort_by("station_code")
    number = np.arange(1, count + 1)
    refused = faults.refused(number, np.ones(count, dtype=np.int64))
    digest = hashlib.sha256(repr(rows.to_pylist()).encode()).hexdigest()
    return Batch(Kind.STATION_LIST, LIST_LAYOUT, name, digest, rows, refused, count)


def read_city_days(
    answer: Answer, records: list[Any], name: str, adcode: str, region: Region, settings: CnemcSettings
) -> Batch:
    """Daily values of a city; those of day D stand at the label 0:00 of D+1."""
    lines = [record if isinstance(record, dict) else {} for record in records]
    cells = read_cells({field: _column(lines, field) for field in _CITY_FIELDS}, settings.missing)
    own = [as_text(line.get("citycode"), ("0",)) for line in lines]
    place = [region.canonical_adcode(code) if code else adcode for code in own]
    day, _ = _times(lines)
    faults = LineFaults(len(records), lambda k: records[k])
    faults.add(np.array([not isinstance(r, dict) for r in records], bool), "", "not a record of a day")
    other = np.array([code != adcode for code in place], dtype=bool)
    faults.add(other, "citycode", f"not of the city {adcode} that was asked for")
    no_day = np.isnat(day) | (day != day.astype("datetime64[D]"))
    faults.add(no_day, "timepoint", "not a day; left out")
    faults.add(repeats(pa.array(day)), "timepoint", "repeats the day of an earlier line, which is kept")
    melted = melt(cells, faults)
    rows = pa.Table.from_arrays(
        [
            pa.array([adcode] * len(melted.line), pa.string()),
            pa.array(day[melted.line] + _DAY, pa.timestamp("us")),
            pa.array(list(_CITY_FIELDS.values())).take(pa.array(melted.field)),
            pa.array(melted.value),
        ],
        schema=SCHEMAS[Kind.CITY_RELEASE],
    )
    return Batch(Kind.CITY_RELEASE, CITY_LAYOUT, name, answer.digest, rows, melted.refused, melted.rows_in)


def _lowered(line: Any) -> Any:
    return {str(key).lower(): value for key, value in line.items()} if isinstance(line, dict) else line


def _column(lines: Sequence[Record], field: str) -> list[object]:
    return [line.get(field) for line in lines]


def _times(lines: Sequence[Record]) -> tuple[NDArray[np.datetime64], list[str]]:
    """Time of each line from its time stamp or, where that is of no use, from its printed time."""
    stamp = read_moments([as_text(line.get("timepoint")) for line in lines])
    printed = read_moments([as_text(line.get("timepointstr")) for line in lines])
    differ = int((~np.isnat(stamp) & ~np.isnat(printed) & (stamp != printed)).sum())
    notes = []
    if differ:
        notes.append(f"the printed time of {differ} lines is not that of their time stamp, which is taken")
    return np.where(np.isnat(stamp), printed, stamp), notes


def _add_time_faults(faults: LineFaults, time: NDArray[np.datetime64], answer: Answer) -> None:
    faults.add(~whole_hours(time), "timepoint", "not a full hour; left out")
    present = np.datetime64(answer.fetched_at, "us")
    late = time > present + _HOUR
    faults.add(late, "timepoint", f"lies after {answer.fetched_at:%Y-%m-%d %H:%M}, when it was fetched")


def _hour_notes(time: NDArray[np.datetime64]) -> list[str]:
    """A note if the lines are not all of one hour."""
    hours, count = np.unique(time, return_counts=True)
    if len(hours) < 2:
        return []
    each = ", ".join(
        f"{n} of {str(h)[:16].replace('T', ' ')}" for h, n in zip(hours, count.tolist(), strict=True)
    )
    return [f"lines of {len(hours)} hours in one answer, each kept under its own: {each}"]


def _swap_back(cells: Cells, settings: CnemcSettings) -> tuple[Cells, list[str]]:
    """Exchange O3 and O3_24h where they came exchanged.

    O3_24h is the largest hourly mean of 24 hours and cannot be below the present one. Where it is in more
    than ``swap_share`` of the lines that have both, the two columns were exchanged at the source; where
    it is in fewer, single values are at fault and nothing is touched.
    """
    hour, day = cells.fields.index("o3"), cells.fields.index("o3_24h")
    both = cells.sound[:, hour] & cells.sound[:, day]
    if both.sum() < settings.swap_rows.value:
        return cells, []
    below = int((cells.value[both, day] < cells.value[both, hour]).sum())
    if below <= settings.swap_share.value * both.sum():
        return cells, []
    order = np.arange(len(cells.fields))
    order[[hour, day]] = day, hour
    swapped = Cells(
        cells.fields,
        cells.value[:, order],
        cells.filled[:, order],
        cells.text[:, order],
        cells.fault[:, order],
    )
    note = (
        f"O3_24h was below O3 in {below} of {int(both.sum())} lines, so the two columns came exchanged; "
        "they have been exchanged back"
    )
    return swapped, [note]


def _degrees(lines: Sequence[Record], field: str, limit: float) -> pa.Array:
    """A coordinate, null where there is none that could be on the map."""
    value, _ = as_numbers(pa.array([as_text(line.get(field)) for line in lines], pa.string()))
    usable = (np.abs(value) <= limit) & (value != 0)
    return pa.array(np.where(usable, value, np.nan), from_pandas=True)


def _place(
    cities: Sequence[str], codes: Sequence[str], region: Region
) -> tuple[list[str | None], list[bool]]:
    """Adcode of each city (of its prefecture for a county-level city), and whether it is a prefecture."""
    county = region.settings.county_cities
    adcodes: list[str | None] = []
    counted = []
    for name, code in zip(cities, codes, strict=True):
        whole = region.adcode_of_name(name) or region.canonical_adcode(code)
        prefecture = county.get(name.removesuffix("市"))
        adcodes.append(prefecture or whole)
        counted.append(whole is not None and prefecture is None)
    return adcodes, counted
