"""Copies of the tables as Parquet files for readers that must not hold the store open."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb

from yrd_airq.errors import InputError
from yrd_airq.store import contents, schema

MANIFEST = "snapshot.json"
"""File beside the tables with their checksums, written last; unchanged tables are not rewritten."""


def snapshot(con: duckdb.DuckDBPyConnection, folder: Path) -> tuple[Path, ...]:
    """Every table as ``<table>.parquet`` in ``folder``, each swapped in whole; returns the files.

    A reader sees either the former or the present file, never a part of one. Raises ``InputError`` if
    the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = _held(folder)
        now = contents.checksums(con)
        for table in schema.TABLES:
            target = folder / f"{table}.parquet"
            if before.get(table) != now[table] or not target.exists():
                _write_table(con, table, target)
        _write_text(folder / MANIFEST, json.dumps(now, indent=1, sort_keys=True) + "\n")
    except (OSError, duckdb.IOException) as exc:
        raise InputError(f"{folder}: the snapshot cannot be written ({exc}); name another folder") from exc
    return tuple(folder / f"{table}.parquet" for table in schema.TABLES)


def _held(folder: Path) -> dict[str, str]:
    try:
        held = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return held if isinstance(held, dict) else {}


def _write_table(con: duckdb.DuckDBPyConnection, table: str, target: Path) -> None:
    part = target.with_suffix(".parquet.part")
    # Raw tables are kept in the order of arrival: sorting millions of rows anew each day buys nothing.
    order = "" if table.startswith("raw_") else " ORDER BY ALL"
    place = str(part).replace("'", "''")
    con.execute(f"COPY (SELECT * FROM {table}{order}) TO '{place}' (FORMAT parquet, COMPRESSION zstd)")
    part.replace(target)


def _write_text(target: Path, text: str) -> None:
    part = target.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.replace(target)
