"""Taking in one batch: all of it in one transaction or nothing, the same content only once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from yrd_airq.clock import beijing_now
from yrd_airq.sources.batch import Batch, Kind
from yrd_airq.store import schema
from yrd_airq.store.connecting import fetch_row, offered, transaction
from yrd_airq.store.records import Ingested

_Con = duckdb.DuckDBPyConnection

VALUES = {
    Kind.STATIONS: ("raw_station_hourly", ("station_code", "time", "item")),
    Kind.CITIES: ("raw_city_daily", ("place", "date", "part", "variable")),
    Kind.CITY_RELEASE: ("raw_city_release", ("adcode", "time", "item")),
    Kind.CITY_MODEL: ("raw_city_model", ("adcode", "time", "variable", "model", "kind", "issue_time")),
}
"""Tables that take revisions of single values; the first key is what is observed, the second the time."""

LISTS = {
    Kind.STATION_LIST: "core_station",
    Kind.ENTERPRISES: "core_enterprise",
    Kind.SURVEY: "core_survey_point",
    Kind.EXCEPTIONAL: "core_exceptional_event",
}
"""Tables that keep every version of a list whole, by batch."""

DETAILS = {Kind.ENTERPRISES: "core_enterprise_measure"}
"""Tables of what hangs on the rows of a list, by the same batch."""


@dataclass(frozen=True)
class _Added:
    """New rows of a batch, and the first and last hour (or day) that they are of."""

    rows: int
    first_time: datetime | None = None
    last_time: datetime | None = None


def ingest(con: _Con, batch: Batch) -> Ingested:
    """Take in a batch.

    A content that is known changes nothing. Of single values only those that differ from the latest known
    value are added; a list is added whole as a new version; a weather file is noted at its present path.
    """
    known = find_known(con, batch.kind, batch.layout, batch.content_hash)
    if known is not None:
        if batch.kind is Kind.WEATHER:
            _note_weather(con, known.batch_id, batch.rows)
        return known
    with transaction(con):
        batch_id = _next_batch(con)
        span = _take(con, batch_id, batch)
        _insert(con, "quarantine", _numbered(batch.refused, batch_id, first=True))
        _insert(con, "batch", _describe(batch, batch_id, span))
    refused = batch.rows_in - batch.rows.num_rows
    return Ingested(
        batch.kind, batch.name, batch_id, batch.rows_in, span.rows, refused, batch.refused.num_rows, False
    )


def find_known(con: _Con, kind: Kind, layout: str, content_hash: str) -> Ingested | None:
    """What the store says of a content that it has taken in already, or None."""
    row = fetch_row(
        con,
        """SELECT batch_id, name, rows_in FROM batch
        WHERE kind = ? AND layout = ? AND content_hash = ? ORDER BY batch_id LIMIT 1""",
        [kind.value, layout, content_hash],
    )
    if row is None:
        return None
    return Ingested(kind, str(row[1]), int(row[0]), int(row[2]), 0, 0, 0, already_known=True)


def _next_batch(con: _Con) -> int:
    row = fetch_row(con, "SELECT max(batch_id) FROM batch")
    return 1 if row is None or row[0] is None else int(row[0]) + 1


def _take(con: _Con, batch_id: int, batch: Batch) -> _Added:
    """Rows of the batch into their table; how many were new, and the hours they are of."""
    if batch.rows.num_rows == 0:
        return _Added(0)
    if batch.kind in VALUES:
        table, keys = VALUES[batch.kind]
        return _add_values(con, batch_id, batch.rows, table, keys)
    if batch.kind is Kind.WEATHER:
        _place_weather(con, batch_id, batch.rows)
    else:
        return _add_list(con, batch_id, batch)
    return _Added(int(batch.rows.num_rows))


def _add_list(con: _Con, batch_id: int, batch: Batch) -> _Added:
    """A list as a new version; an enterprise list that says what the newest one says is none."""
    added = {LISTS[batch.kind]: batch.rows}
    if batch.details is not None:
        added[DETAILS[batch.kind]] = batch.details
    if batch.kind in DETAILS and all(_is_newest(con, *part, LISTS[batch.kind]) for part in added.items()):
        return _Added(0)
    for table, rows in added.items():
        _insert(con, table, _numbered(rows, batch_id))
    return _Added(int(batch.rows.num_rows))


def _is_newest(con: _Con, table: str, rows: pa.Table, listing: str) -> bool:
    """Whether ``rows`` are what the newest batch of ``listing`` put into ``table``."""
    columns = ", ".join(f'"{name}"' for name in schema.TABLES[table] if name != "batch_id")
    newest = f"SELECT {columns} FROM {table} WHERE batch_id = (SELECT max(batch_id) FROM {listing})"
    with offered(con, "incoming", rows):
        other = fetch_row(
            con,
            f"""SELECT count(*) FROM ((SELECT {columns} FROM incoming EXCEPT ALL {newest})
            UNION ALL ({newest} EXCEPT ALL SELECT {columns} FROM incoming))""",
        )
    return other == (0,)


def _add_values(con: _Con, batch_id: int, rows: pa.Table, table: str, keys: Sequence[str]) -> _Added:
    """Rows whose value differs from the latest known one; older values are only read in the rows' window."""
    owner, time = keys[0], keys[1]
    span = pc.min_max(rows[time]).as_py()
    window = f"{time} BETWEEN ? AND ? AND {owner} IN (SELECT DISTINCT {owner} FROM incoming)"
    limits = [span["min"], span["max"]]
    columns = ", ".join(f"n.{name}" for name in schema.TABLES[table] if name != "batch_id")
    same = " AND ".join(f"o.{key} IS NOT DISTINCT FROM n.{key}" for key in keys)
    with offered(con, "incoming", rows):
        held = fetch_row(con, f"SELECT 1 FROM {table} WHERE {window} LIMIT 1", limits)
        if held is None:
            con.execute(f"INSERT INTO {table} SELECT {columns}, ? FROM incoming n", [batch_id])
        else:
            con.execute(
                f"""INSERT INTO {table}
                SELECT {columns}, ? FROM incoming n LEFT JOIN (
                    SELECT {", ".join(keys)}, arg_max(value, batch_id) AS latest
                    FROM {table} WHERE {window} GROUP BY ALL
                ) o ON {same}
                WHERE o.latest IS DISTINCT FROM n.value""",
                [batch_id, *limits],
            )
    added = fetch_row(
        con,
        f"""SELECT count(*), min({time})::TIMESTAMP, max({time})::TIMESTAMP FROM {table}
        WHERE {time} BETWEEN ? AND ? AND batch_id = ?""",
        [*limits, batch_id],
    )
    return _Added(0) if added is None else _Added(int(added[0]), added[1], added[2])


def _note_weather(con: _Con, batch_id: int, rows: pa.Table) -> None:
    """Keep the noted path of known content true when the file has been moved or put back."""
    path = rows["path"][0].as_py()
    at_path = fetch_row(con, "SELECT batch_id FROM core_weather_file WHERE path = ?", [path])
    if at_path == (batch_id,):
        return
    of_batch = fetch_row(con, "SELECT path FROM core_weather_file WHERE batch_id = ?", [batch_id])
    if at_path is None and of_batch is not None and Path(of_batch[0]).exists():
        return
    with transaction(con):
        _place_weather(con, batch_id, rows)


def _place_weather(con: _Con, batch_id: int, rows: pa.Table) -> None:
    """One row a path and a content: whatever stood at the path, or elsewhere with this content, goes."""
    path = rows["path"][0].as_py()
    con.execute("DELETE FROM core_weather_file WHERE path = ? OR batch_id = ?", [path, batch_id])
    _insert(con, "core_weather_file", _numbered(rows, batch_id))


def _numbered(rows: pa.Table, batch_id: int, first: bool = False) -> pa.Table:
    column = pa.array([batch_id] * rows.num_rows, pa.int64())
    return rows.add_column(0 if first else rows.num_columns, "batch_id", column)


def _describe(batch: Batch, batch_id: int, added: _Added) -> pa.Table:
    record = {
        "batch_id": batch_id,
        "kind": batch.kind.value,
        "layout": batch.layout,
        "name": batch.name,
        "content_hash": batch.content_hash,
        "rows_in": batch.rows_in,
        "rows": batch.rows.num_rows,
        "new_rows": added.rows,
        "refused": batch.refused.num_rows,
        "first_time": added.first_time,
        "last_time": added.last_time,
        "ingested_at": beijing_now(),
    }
    return pa.Table.from_pylist([record], schema=schema.arrow_schema("batch"))


def _insert(con: _Con, table: str, rows: pa.Table) -> None:
    if rows.num_rows == 0:
        return
    with offered(con, "addition", rows):
        con.execute(f"INSERT INTO {table} SELECT {schema.column_list(table)} FROM addition")
