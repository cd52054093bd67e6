"""What must be true of a store whatever was done to it; each check counts the rows that break it."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from yrd_airq.store import migrations, schema
from yrd_airq.store.connecting import fetch_row
from yrd_airq.store.ingesting import LISTS, VALUES


@dataclass(frozen=True)
class Check:
    """One check: its name, how many rows break it, and what that means."""

    name: str
    broken: int
    meaning: str


def check(con: duckdb.DuckDBPyConnection) -> tuple[Check, ...]:
    """Every check of the store; all counts are 0 in a sound one."""
    found = [Check("schema", _other_shapes(con), "tables whose columns are not those of this version")]
    if found[0].broken:
        return tuple(found)
    found += [Check(name, _count(con, query), meaning) for name, query, meaning in _QUERIES]
    for table, keys in VALUES.values():
        found += _of_values(con, table, keys)
    for table in LISTS.values():
        found.append(
            Check(f"{table}: batch", _count(con, _orphans(table)), "rows of a batch that is not noted")
        )
        found.append(
            Check(f"{table}: rows", _count(con, _miscounted(table)), "batches with other rows than noted")
        )
    return tuple(found)


def _of_values(con: duckdb.DuckDBPyConnection, table: str, keys: tuple[str, ...]) -> list[Check]:
    nothing = " OR ".join(f"{key} IS NULL" for key in keys if key != "issue_time")
    unusable = f"SELECT count(*) FROM {table} WHERE {nothing} OR value IS NULL OR NOT isfinite(value)"
    # Grouping millions of rows by text keys is slow; the hash of a key stands for it.
    twice = f"""SELECT count(*) - count(DISTINCT hash({", ".join(keys)}, batch_id)) FROM {table}"""
    return [
        Check(f"{table}: batch", _count(con, _orphans(table)), "rows of a batch that is not noted"),
        Check(f"{table}: rows", _count(con, _miscounted(table)), "batches with other rows than noted"),
        Check(f"{table}: values", _count(con, unusable), "rows without a key or a finite value"),
        Check(f"{table}: unique", _count(con, twice), "rows that repeat another of the same batch"),
    ]


def _orphans(table: str) -> str:
    return f"SELECT count(*) FROM {table} WHERE batch_id NOT IN (SELECT batch_id FROM batch)"


def _miscounted(table: str) -> str:
    kinds = [kind.value for kind, (name, _) in VALUES.items() if name == table]
    kinds += [kind.value for kind, name in LISTS.items() if name == table]
    return f"""SELECT count(*) FROM batch b
        LEFT JOIN (SELECT batch_id, count(*) AS n FROM {table} GROUP BY batch_id) t USING (batch_id)
        WHERE b.kind = '{kinds[0]}' AND b.new_rows <> coalesce(t.n, 0)"""


_QUERIES = (
    (
        "batch: number",
        "SELECT count(*) - count(DISTINCT batch_id) FROM batch",
        "batches that share a number",
    ),
    (
        "batch: content",
        "SELECT count(*) - count(DISTINCT hash(kind, layout, content_hash)) FROM batch",
        "contents that were taken in twice",
    ),
    (
        "batch: rows",
        """SELECT count(*) FROM batch b LEFT JOIN
        (SELECT batch_id, sum(rows) AS lost, count(*) AS pieces FROM quarantine GROUP BY batch_id) q
        USING (batch_id)
        WHERE b.rows_in <> b.rows + coalesce(q.lost, 0) OR b.refused <> coalesce(q.pieces, 0)
        OR b.new_rows > b.rows""",
        "batches whose rows in are not the rows kept and the rows in quarantine",
    ),
    (
        "quarantine: batch",
        _orphans("quarantine"),
        "refusals of a batch that is not noted",
    ),
    (
        "raw_station_hourly: hour",
        "SELECT count(*) FROM raw_station_hourly WHERE time <> date_trunc('hour', time)",
        "values that do not stand at a whole hour",
    ),
    (
        "core_station_flag: value",
        """SELECT count(*) FROM core_station_flag f ANTI JOIN raw_station_hourly r
        ON f.station_code = r.station_code AND f.time = r.time AND f.pollutant = r.item""",
        "flags of values that are not there",
    ),
    (
        "core_enterprise_measure: batch",
        _orphans("core_enterprise_measure"),
        "measures of enterprises of a batch that is not noted",
    ),
    (
        "out_control_version: unique",
        "SELECT count(*) - count(DISTINCT hash(event_code, list_version)) FROM out_control_version",
        "list versions that stand twice",
    ),
    (
        "out_control_change: version",
        """SELECT count(*) FROM out_control_change c ANTI JOIN out_control_version v
        ON c.event_code = v.event_code AND c.list_version = v.list_version AND c.run_id = v.run_id""",
        "changes of a list version that is not there",
    ),
    (
        "core_city_daily: unique",
        "SELECT count(*) - count(DISTINCT hash(adcode, date, target, source)) FROM core_city_daily",
        "city-days that stand twice",
    ),
    (
        "core_city_hourly: unique",
        "SELECT count(*) - count(DISTINCT hash(adcode, time, pollutant)) FROM core_city_hourly",
        "city-hours that stand twice",
    ),
)


def _other_shapes(con: duckdb.DuckDBPyConnection) -> int:
    return sum(migrations.shape_of(con, table) != columns for table, columns in schema.TABLES.items())


def _count(con: duckdb.DuckDBPyConnection, query: str) -> int:
    row = fetch_row(con, query)
    return 0 if row is None or row[0] is None else int(row[0])
