"""What every reader hands over: the canonical rows of one file or answer, and what it refused and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import pyarrow as pa
import pyarrow.compute as pc

CONTENT_LENGTH = 200
"""Longest piece of refused text that is kept, in characters."""


class Kind(StrEnum):
    """What a file tells about; one kind has one set of canonical columns (``SCHEMAS``)."""

    STATIONS = "stations"
    STATION_LIST = "station_list"
    CITIES = "cities"
    WEATHER = "weather"
    ENTERPRISES = "enterprises"
    SURVEY = "survey"
    CITY_RELEASE = "city_release"
    CITY_MODEL = "city_model"
    EXCEPTIONAL = "exceptional_events"


_TEXT = pa.string()
_REAL = pa.float64()
_TIME = pa.timestamp("us")

SCHEMAS: dict[Kind, pa.Schema] = {
    Kind.STATIONS: pa.schema(
        [("station_code", _TEXT), ("time", _TIME), ("item", _TEXT), ("value", _REAL)],
    ),
    Kind.STATION_LIST: pa.schema(
        [
            ("station_code", _TEXT),
            ("name_zh", _TEXT),
            ("city_zh", _TEXT),
            ("adcode", _TEXT),
            ("counted", pa.bool_()),
            ("background", pa.bool_()),
            ("lon", _REAL),
            ("lat", _REAL),
            ("valid_from", pa.date32()),
            ("valid_to", pa.date32()),
            ("list_from", pa.date32()),
        ],
    ),
    Kind.CITIES: pa.schema(
        [("place", _TEXT), ("part", _TEXT), ("date", pa.date32()), ("variable", _TEXT), ("value", _REAL)],
    ),
    Kind.WEATHER: pa.schema(
        [
            ("path", _TEXT),
            ("layout", _TEXT),
            ("kind", _TEXT),
            ("issue_time", _TIME),
            ("first_time", _TIME),
            ("last_time", _TIME),
            ("step_hours", _REAL),
            ("lon_min", _REAL),
            ("lon_max", _REAL),
            ("lat_min", _REAL),
            ("lat_max", _REAL),
            ("variables", _TEXT),
        ],
    ),
    Kind.ENTERPRISES: pa.schema(
        [
            ("enterprise_id", _TEXT),
            ("name_zh", _TEXT),
            ("adcode", _TEXT),
            ("lon", _REAL),
            ("lat", _REAL),
            ("sector", _TEXT),
            ("grade", _TEXT),
            ("exempt", pa.bool_()),
            ("exempt_reason", _TEXT),
            ("nox_tpa", _REAL),
            ("voc_tpa", _REAL),
            ("pm_tpa", _REAL),
            ("so2_tpa", _REAL),
            ("emission_basis", _TEXT),
            ("cost_cny_per_day", _REAL),
            ("uscc", _TEXT),
            ("line_id", _TEXT),
            ("address", _TEXT),
            ("key_sector", _TEXT),
            ("exempt_category", _TEXT),
            ("exempt_document", _TEXT),
            ("exempt_until", pa.date32()),
            ("max_load_share", _REAL),
            ("continuous", pa.bool_()),
            ("min_stop_days", _REAL),
            ("permit_id", _TEXT),
            ("permit_nox_tpa", _REAL),
            ("permit_voc_tpa", _REAL),
            ("permit_pm_tpa", _REAL),
            ("permit_so2_tpa", _REAL),
            ("contact", _TEXT),
            ("phone", _TEXT),
        ],
    ),
    Kind.SURVEY: pa.schema(
        [
            ("run_id", _TEXT),
            ("time", _TIME),
            ("lon", _REAL),
            ("lat", _REAL),
            ("species", _TEXT),
            ("value", _REAL),
            ("unit", _TEXT),
            ("wind_speed_ms", _REAL),
            ("wind_dir_deg", _REAL),
        ],
    ),
    # City values as an agency released them; a daily value stands at the label 0:00 of the next day.
    Kind.CITY_RELEASE: pa.schema([("adcode", _TEXT), ("time", _TIME), ("item", _TEXT), ("value", _REAL)]),
    # Weather and composition at city points from a model service; kind is a ``WeatherKind``.
    Kind.CITY_MODEL: pa.schema(
        [
            ("adcode", _TEXT),
            ("time", _TIME),
            ("variable", _TEXT),
            ("value", _REAL),
            ("model", _TEXT),
            ("kind", _TEXT),
            ("issue_time", _TIME),
        ],
    ),
    Kind.EXCEPTIONAL: pa.schema(
        [
            ("adcode", _TEXT),
            ("first_date", pa.date32()),
            ("last_date", pa.date32()),
            ("pollutant", _TEXT),
            ("reason_zh", _TEXT),
            ("document", _TEXT),
        ],
    ),
}
"""Canonical columns of ``Batch.rows`` by kind; times are naive Beijing, hourly ones hour-ending."""

ENTERPRISE_MEASURES = pa.schema(
    [
        ("enterprise_id", _TEXT),
        ("tier", _TEXT),
        ("measure_code", _TEXT),
        ("measure_zh", _TEXT),
        ("reduction_nox_kgd", _REAL),
        ("reduction_voc_kgd", _REAL),
        ("reduction_pm_kgd", _REAL),
        ("reduction_so2_kgd", _REAL),
    ]
)
"""What an enterprise list says of each enterprise and warning tier: measure, and reductions in kg/d."""

REFUSED_SCHEMA = pa.schema(
    [("row", pa.int64()), ("field", _TEXT), ("reason", _TEXT), ("content", _TEXT), ("rows", pa.int64())]
)
"""Columns of ``Batch.refused``.

``row`` is the 1-based data row, 0 means the whole file or column. ``rows`` is how many canonical rows the
refused piece would have made: 1 for a cell that holds a value, the filled value cells of a whole line or
column, 0 where only a detail of a row that is kept was refused (a position, say).
"""


@dataclass(frozen=True)
class Batch:
    """One file or answer as read: ``rows`` in the canonical columns of its kind and ``refused`` pieces of it.

    ``name`` is the file name without its folder, ``content_hash`` the SHA-256 of the file's bytes in
    hexadecimal. Blank cells are neither rows nor refused. ``rows_in`` is what the reader counted before it
    looked at any value: how many canonical rows the filled cells of the file would make. Every one of them is
    in ``rows`` or in ``refused``; a reader that loses one is caught here. ``details`` hang on the rows
    (of an enterprise list: ``ENTERPRISE_MEASURES``) and are not counted.
    """

    kind: Kind
    layout: str
    name: str
    content_hash: str
    rows: pa.Table
    refused: pa.Table
    rows_in: int
    details: pa.Table | None = None

    def __post_init__(self) -> None:
        refused = pc.sum(self.refused["rows"]).as_py() or 0
        if self.rows_in != self.rows.num_rows + refused:
            raise AssertionError(
                f"{self.name}: {self.rows_in} rows in, {self.rows.num_rows} kept and {refused} refused: "
                f"the reader of layout {self.layout} loses rows"
            )


@dataclass(frozen=True)
class Refusal:
    """One refused piece: 1-based data row (0: whole file or column), field, reason, text, rows lost."""

    row: int
    field: str
    reason: str
    content: str
    rows: int


def no_refusals() -> pa.Table:
    """A refused table without rows."""
    return REFUSED_SCHEMA.empty_table()


def refused_table(refusals: Iterable[Refusal]) -> pa.Table:
    """Refusals as the refused table, ordered by row, field and reason."""
    found = list(refusals)
    return refused_columns(
        row=[refusal.row for refusal in found],
        field=[refusal.field for refusal in found],
        reason=[refusal.reason for refusal in found],
        content=[refusal.content for refusal in found],
        rows=[refusal.rows for refusal in found],
    )


def refused_columns(row: object, field: object, reason: object, content: object, rows: object) -> pa.Table:
    """Refusals given as columns (lists, numpy or Arrow arrays) as an ordered table, texts cut to length."""
    columns = [
        pa.array(column, type=kind)
        for column, kind in zip((row, field, reason, content, rows), REFUSED_SCHEMA.types, strict=True)
    ]
    columns[3] = pc.utf8_slice_codeunits(columns[3], 0, CONTENT_LENGTH)
    table = pa.Table.from_arrays(columns, schema=REFUSED_SCHEMA)
    return table.sort_by([("row", "ascending"), ("field", "ascending"), ("reason", "ascending")])


def join_refused(*tables: pa.Table) -> pa.Table:
    """Several refused tables as one, ordered by row, field and reason."""
    table = pa.concat_tables([no_refusals(), *tables])
    return table.sort_by([("row", "ascending"), ("field", "ascending"), ("reason", "ascending")])
