"""Contents of tables as such: frames made to fit them, order-independent checksums, replacing a part."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pandas as pd
import pyarrow as pa

from yrd_airq.errors import InputError
from yrd_airq.store import schema
from yrd_airq.store.connecting import fetch_row, offered, transaction


def fit(table: str, frame: pd.DataFrame, **constants: object) -> pa.Table:
    """A frame as the columns of ``table``; ``constants`` fill whole columns, NaN and NaT become null.

    Raises ``InputError`` naming the columns that are missing or hold another type.
    """
    wanted = schema.arrow_schema(table)
    missing = [name for name in wanted.names if name not in frame.columns and name not in constants]
    if missing:
        raise InputError(f"rows for table {table} lack the column(s) {', '.join(missing)}")
    columns = []
    for field in wanted:
        if field.name in constants:
            columns.append(pa.array([constants[field.name]] * len(frame), type=field.type))
            continue
        try:
            column = pa.Array.from_pandas(frame[field.name]).cast(field.type)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as exc:
            raise InputError(
                f"rows for table {table}: column {field.name} is not {field.type} ({exc})"
            ) from exc
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=wanted)


def checksum(
    con: duckdb.DuckDBPyConnection, table: str, source: str, where: str, values: Sequence[object]
) -> str:
    """Number of rows and sum of row hashes of ``source`` (shaped like ``table``), whatever their order.

    The columns that tell when a row was written are left out.
    """
    columns = ", ".join(f'"{name}"' for name in schema.TABLES[table] if name not in schema.WHEN_WRITTEN)
    query = f"SELECT count(*), coalesce(sum(hash({columns})::HUGEINT), 0) FROM {source} WHERE {where}"
    row = fetch_row(con, query, values)
    if row is None:
        raise AssertionError("an aggregate has one row")
    return f"{row[0]}:{int(row[1]) % 2**64:016x}"


def checksums(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Checksum of every table, by name."""
    return {table: checksum(con, table, table, "true", ()) for table in schema.TABLES}


def replace(
    con: duckdb.DuckDBPyConnection, table: str, rows: pa.Table, where: str, values: Sequence[object]
) -> bool:
    """Put ``rows`` in place of those of ``table`` that meet ``where``, in one transaction.

    Returns False and touches nothing if the same rows are there already.
    """
    with offered(con, "incoming", rows):
        new = checksum(con, table, "incoming", "true", ())
        if new == checksum(con, table, table, where, values):
            return False
        with transaction(con):
            con.execute(f"DELETE FROM {table} WHERE {where}", list(values))
            con.execute(f"INSERT INTO {table} SELECT {schema.column_list(table)} FROM incoming")
    return True
