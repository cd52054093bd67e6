"""Track of a mobile survey (走航): a row a second with time, position, true wind and readings of species.

Two headers are known. The survey record names its columns ``run_id, t_local or t_utc, lon, lat`` (WGS84),
``ws_true, wd_true`` and the readings ``<species>_ppb`` or ``<species>_ugm3``. The instrument merge names
them ``date(LT), Latitude, Longitude`` and gives the unit of a reading in brackets; it has neither run nor
wind, and its clock runs on Indian time, which is 2.5 hours behind Beijing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.sources.batch import SCHEMAS, Batch, Kind, join_refused
from yrd_airq.sources.files import header, read_content
from yrd_airq.sources.refusing import refuse_cells, refuse_columns, refuse_lines
from yrd_airq.sources.text import Form, TextTable, as_mask, as_numbers, read_text_table

LAYOUT = "survey_track"

_RECORD = re.compile(r"^(?P<species>.+)_(?P<unit>ppb|ugm3)$")
_MERGE = re.compile(r"^(?P<species>[^()]+?)\s*\((?P<unit>ug/m3|ppb|ppm|#/cm3)\)$")
_UNITS = {"ugm3": "ug_m3", "ug/m3": "ug_m3"}
_TIME_FORM = "%Y-%m-%d %H:%M:%S"
_MISSING = "NA"


@dataclass(frozen=True)
class _Form:
    """One of the known headers: where time and position stand, and how far the clock is behind Beijing."""

    time: str
    lon: str
    lat: str
    behind_beijing: np.timedelta64
    reading: re.Pattern[str]
    fixed: tuple[str, ...]


_FORMS = (
    _Form("t_local", "lon", "lat", np.timedelta64(0, "m"), _RECORD, ("run_id",)),
    _Form("t_utc", "lon", "lat", np.timedelta64(8 * 60, "m"), _RECORD, ("run_id",)),
    _Form("date(LT)", "Longitude", "Latitude", np.timedelta64(150, "m"), _MERGE, ()),
)


def matches(path: Path) -> bool:
    """Whether the header has time, position and at least one reading of a known form."""
    return _form(header(path)) is not None


def read(path: Path) -> Batch:
    """Every filled reading as one row; lines without usable time or position, and odd cells, are refused.

    An instrument merge has no run: its file name without suffix serves. Negative readings are kept, because
    they are noise about zero that a mean needs; ``NA`` counts as blank. Raises ``InputError`` for a file
    that cannot be opened or whose header is not of a known form.
    """
    content = read_content(path)
    text = read_text_table(path, content, Form(values=value_columns, missing=(_MISSING,)))
    return convert(path, text, content.digest, LAYOUT)


def convert(path: Path, text: TextTable, digest: str, layout: str) -> Batch:
    """A table in the columns of a known form as ``read`` gives it; ``path`` serves for names."""
    form = _form(text.names)
    if form is None:
        raise InputError(
            f"{path}: not a survey track; it needs run_id, t_local or t_utc, lon, lat and readings named "
            "<species>_ppb or <species>_ugm3"
        )
    usable, bad_lines = _usable_lines(text, form)
    rows, bad_cells = _readings(usable, form, path.name.partition(".")[0])
    refused = join_refused(text.refused, bad_lines, bad_cells)
    return Batch(Kind.SURVEY, layout, path.name, digest, rows, refused, text.rows_in)


def _form(names: tuple[str, ...]) -> _Form | None:
    for form in _FORMS:
        needed = {form.time, form.lon, form.lat, *form.fixed}
        if needed <= set(names) and any(form.reading.match(name) for name in names):
            return form
    return None


def value_columns(names: tuple[str, ...]) -> list[int]:
    """Positions of the readings; none if the header is not of a known form."""
    form = _form(names)
    matched = [] if form is None else [form.reading.match(name) for name in names]
    return [position for position, match in enumerate(matched) if match]


def _usable_lines(text: TextTable, form: _Form) -> tuple[TextTable, pa.Table]:
    """Lines with a time, a position and, where the form has one, a run."""
    lon, lat = (as_numbers(text.column(name))[0] for name in (form.lon, form.lat))
    off = "not degrees on the Earth; check it (lon and lat swapped?), the row is left out"
    checks = [
        (form.time, np.isnat(_times(text, form)), f"not a time like 2026-08-18 09:30:00 in {form.time}"),
        (form.lon, np.isnan(lon), "no usable longitude; the row is left out"),
        (form.lat, np.isnan(lat), "no usable latitude; the row is left out"),
        (form.lon, np.abs(lon) > 180, off),
        (form.lat, np.abs(lat) > 90, off),
        (form.lon, (lon == 0) & (lat == 0), "position 0, 0 means no satellite fix; the row is left out"),
    ]
    checks += [
        (name, as_mask(pc.equal(text.column(name), "")), "blank; the row is left out") for name in form.fixed
    ]
    seen = np.zeros(len(text.row), dtype=bool)
    refused = []
    for name, bad, reason in checks:
        refused.append(refuse_lines(text, bad & ~seen, name, reason))
        seen |= bad
    return text.keep(~seen), join_refused(*refused)


def _times(text: TextTable, form: _Form) -> NDArray[np.datetime64]:
    """Beijing times, NaT where unusable."""
    cells = pc.replace_substring_regex(pc.utf8_rtrim(text.column(form.time), "Z"), "T", " ")
    # Not Arrow's own parser, which takes 30 February for a day in March.
    stamps = pd.to_datetime(pd.Series(cells.to_pylist(), dtype="object"), format=_TIME_FORM, errors="coerce")
    local = np.asarray(stamps.to_numpy(), dtype="datetime64[us]")
    return np.asarray(local + form.behind_beijing, dtype="datetime64[us]")


def _readings(text: TextTable, form: _Form, run: str) -> tuple[pa.Table, pa.Table]:
    """Canonical rows, ordered by line and then by column, and the refused cells."""
    names = dict.fromkeys(text.names[position] for position in value_columns(text.names))
    found = [(name, match) for name in names if (match := form.reading.match(name))]
    value = np.full((len(text.row), len(found)), np.nan)
    second = [p for p in value_columns(text.names) if text.names.index(text.names[p]) != p]
    refused = [refuse_columns(text, dict.fromkeys(second, "second column of this name, the first is kept"))]
    for k, (name, _) in enumerate(found):
        value[:, k], odd = as_numbers(text.column(name))
        refused.append(refuse_cells(text, name, odd, "not a number; the reading is left out", 1))
    speed, direction, bad_wind = _wind(text)
    line, column = np.nonzero(np.isfinite(value))
    matched = [match for _, match in found]
    species = np.array([m["species"].strip().lower().replace(" ", "_") for m in matched], dtype=object)
    unit = np.array([_UNITS.get(m["unit"], m["unit"]) for m in matched], dtype=object)
    runs = text.column("run_id") if "run_id" in form.fixed else pa.array([run] * len(text.row), pa.string())
    lon, lat = (as_numbers(text.column(name))[0] for name in (form.lon, form.lat))
    columns = {
        "run_id": runs.take(pa.array(line)),
        "time": pa.array(_times(text, form)[line]),
        "lon": pa.array(lon[line]),
        "lat": pa.array(lat[line]),
        "species": pa.array(species[column], pa.string()),
        "value": pa.array(value[line, column]),
        "unit": pa.array(unit[column], pa.string()),
        "wind_speed_ms": pa.array(speed[line], from_pandas=True),
        "wind_dir_deg": pa.array(direction[line], from_pandas=True),
    }
    schema = SCHEMAS[Kind.SURVEY]
    rows = pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)
    return rows, join_refused(*refused, bad_wind)


def _wind(text: TextTable) -> tuple[NDArray[np.float64], NDArray[np.float64], pa.Table]:
    """True wind, NaN where unknown, and its refused cells."""
    known = []
    refused = []
    for name, largest in (("ws_true", 60.0), ("wd_true", 360.0)):
        value, odd = as_numbers(text.optional(name))
        odd |= (value < 0) | (value > largest)
        if odd.any():
            reason = f"not a number from 0 to {largest:g}; the wind there is unknown"
            refused.append(refuse_cells(text, name, odd, reason, 0))
        known.append(np.where(odd, np.nan, value))
    return known[0], known[1], join_refused(*refused)
