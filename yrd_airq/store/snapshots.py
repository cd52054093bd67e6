"""Copies of the tables as Parquet files for readers that must not hold the store open, and the way back.

A snapshot is a folder: ``snapshot.json`` names the file of each table, and a file is named by its content.
A new snapshot writes the files that changed beside the old ones, then swaps the manifest in, then removes
what no manifest of the last two names: whoever reads the manifest first sees one state of the store whole.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import duckdb

from yrd_airq.errors import Faults, InputError
from yrd_airq.store import contents, schema
from yrd_airq.store.connecting import FILE_TROUBLE, transaction

MANIFEST = "snapshot.json"


def snapshot(con: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, Path]:
    """Every table as a Parquet file in ``folder``; returns the files by table.

    Unchanged tables are not written again. Raises ``InputError`` if the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = _manifest(folder)["files"] if (folder / MANIFEST).exists() else {}
        now = contents.checksums(con)
        files = {table: f"{table}.{now[table].replace(':', '-')}.parquet" for table in schema.TABLES}
        for table, name in files.items():
            if not (folder / name).exists():
                _write_table(con, table, folder / name)
        manifest = {"schema_version": schema.VERSION, "files": files, "checksums": now}
        _write_text(folder / MANIFEST, json.dumps(manifest, indent=1, sort_keys=True) + "\n")
        kept = {*files.values(), *before.values()}
        for path in folder.glob("*.parquet*"):
            if path.name not in kept:
                path.unlink()
    except (OSError, duckdb.IOException) as exc:
        raise InputError(f"{folder}: the snapshot cannot be written ({exc}); name another folder") from exc
    return {table: folder / name for table, name in files.items()}


def restore(con: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, int]:
    """Fill the empty store with a snapshot; returns the rows by table.

    All of it is written in one transaction and compared with the checksums that the snapshot carries.
    Raises ``InputError`` for a folder without a manifest, a missing, damaged or exchanged file, and a
    snapshot of another schema version.
    """
    manifest = _manifest(folder)
    if manifest["schema_version"] != schema.VERSION:
        raise InputError(
            f"{folder}: a snapshot of schema version {manifest['schema_version']}, this program needs "
            f"{schema.VERSION}; restore it with the program that made it"
        )
    try:
        with transaction(con):
            for table in schema.TABLES:
                _read_table(con, table, folder / manifest["files"][table])
            _compare(contents.checksums(con), manifest["checksums"], folder)
    except (*FILE_TROUBLE, duckdb.BinderException, duckdb.ConversionException, KeyError) as exc:
        raise InputError(f"{folder}: a file of the snapshot is missing or damaged ({exc})") from exc
    counts = "SELECT count(*) FROM "
    return {table: con.execute(counts + table).fetchall()[0][0] for table in schema.TABLES}


def _manifest(folder: Path) -> dict[str, dict[str, str]]:
    try:
        held = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise InputError(f"{folder}: holds no readable snapshot ({MANIFEST}: {exc})") from exc
    if not isinstance(held, dict) or not {"schema_version", "files", "checksums"} <= held.keys():
        raise InputError(f"{folder}: {MANIFEST} is not the manifest of a snapshot")
    return held


def _compare(now: Mapping[str, str], noted: Mapping[str, str], folder: Path) -> None:
    faults = Faults(f"{folder}: the snapshot is damaged")
    for table in schema.TABLES:
        if now[table] != noted.get(table):
            faults.add(f"{table} holds {now[table]} (rows:hash), noted was {noted.get(table)}")
    faults.raise_if_any()


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _write_table(con: duckdb.DuckDBPyConnection, table: str, target: Path) -> None:
    part = target.with_suffix(".parquet.part")
    # Raw tables are kept in the order of arrival: sorting millions of rows anew each day buys nothing.
    order = "" if table.startswith("raw_") else " ORDER BY ALL"
    con.execute(f"COPY (SELECT * FROM {table}{order}) TO {_quoted(part)} (FORMAT parquet, COMPRESSION zstd)")
    part.replace(target)


def _read_table(con: duckdb.DuckDBPyConnection, table: str, source: Path) -> None:
    columns = schema.column_list(table)
    con.execute(f"INSERT INTO {table} SELECT {columns} FROM read_parquet({_quoted(source)})")


def _write_text(target: Path, text: str) -> None:
    part = target.with_suffix(".part")
    with part.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(target)
