"""How the store's file is opened, checked and written to in transactions."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from yrd_airq.errors import InputError, StoreBusyError
from yrd_airq.store import migrations, schema

THREADS = 2
"""Threads of a connection unless ``YRD_AIRQ_THREADS`` says otherwise; fixed, so that runs are alike."""

WAIT_SECONDS = 60
"""How long to wait for a store that another process holds, unless ``YRD_AIRQ_STORE_WAIT`` says otherwise."""

_ASK_AGAIN_SECONDS = 0.2

FILE_TROUBLE = (
    duckdb.IOException,
    duckdb.SerializationException,
    duckdb.FatalException,
    duckdb.InvalidInputException,
    duckdb.TransactionException,
)
"""Errors of the file rather than of a statement: unreadable, cut off, full disk, read-only."""

_NO_ROOM = ("No space left", "File too large", "Disk quota exceeded", "out of disk space")


def connect(path: Path, read_only: bool) -> duckdb.DuckDBPyConnection:
    """A connection to the store at ``path``, which is made if missing (unless read-only).

    An older schema version is brought forward. Raises ``StoreBusyError`` if another process still holds the
    file after the time of waiting, ``InputError`` if it is missing in read-only mode, damaged, not a store,
    or of a version that cannot be used.
    """
    if read_only and not path.exists():
        raise InputError(f"{path}: no such store; ingest files first, or name another store")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise InputError(f"{path.parent}: the folder of the store cannot be made ({exc})") from exc
    con = _wait_for(path, read_only)
    try:
        _check_schema(con, path, read_only)
    except BaseException:
        con.close()
        raise
    return con


def _wait_for(path: Path, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Open the file, asking again while another process holds it."""
    until = time.monotonic() + _whole_number("YRD_AIRQ_STORE_WAIT", WAIT_SECONDS, 0)
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=_settings())
        except duckdb.Error as exc:
            # Another connection of this very process would wait for itself.
            if "Could not set lock" not in str(exc) or time.monotonic() >= until:
                raise explain(path, exc) from exc
        time.sleep(_ASK_AGAIN_SECONDS)


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All statements inside, or none of them."""
    con.begin()
    try:
        yield
    except BaseException:
        con.rollback()
        raise
    con.commit()


def fetch_row(
    con: duckdb.DuckDBPyConnection, query: str, values: Sequence[object] = ()
) -> tuple[Any, ...] | None:
    """The first row of a query, or None.

    All rows are fetched, because a result that is left unfinished blocks the connection.
    """
    rows = con.execute(query, list(values)).fetchall()
    return rows[0] if rows else None


def read_frame(con: duckdb.DuckDBPyConnection, query: str, values: Sequence[object] = ()) -> pd.DataFrame:
    """The rows of a query; text is ``str`` even where every value is unknown or there is no row."""
    frame = con.execute(query, list(values)).df()
    text = [name for name in frame.columns if frame[name].dtype == object]
    return frame.astype(dict.fromkeys(text, "str"))


@contextmanager
def offered(con: duckdb.DuckDBPyConnection, name: str, table: object) -> Iterator[None]:
    """An Arrow table that statements inside can read under ``name``."""
    con.register(name, table)
    try:
        yield
    except BaseException:
        # A broken transaction refuses this too and takes the name with it; the first error is what matters.
        with suppress(duckdb.Error):
            con.unregister(name)
        raise
    con.unregister(name)


def _whole_number(variable: str, default: int, least: int) -> int:
    text = os.environ.get(variable, str(default))
    if not text.isdecimal() or int(text) < least:
        raise InputError(f"{variable}={text!r} is not a whole number; write {least} or more")
    return int(text)


def _settings() -> dict[str, str | bool | int | float | list[str]]:
    return {
        "threads": _whole_number("YRD_AIRQ_THREADS", THREADS, 1),
        # Extensions are not fetched: the store works without a network, and fails at once, not after a wait.
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }


def explain(path: Path, problem: duckdb.Error) -> InputError | StoreBusyError:
    """What a person should know of a failure to open, read or write the file."""
    text = str(problem).strip()
    if "lock" in text or "different configuration" in text:
        return StoreBusyError(
            f"{path}: another process holds the store; wait until it has finished and run again, or set "
            f"YRD_AIRQ_STORE_WAIT to the seconds to wait ({text})"
        )
    if "read-only mode" in text:
        return InputError(f"{path}: the store was opened for reading only; open it for writing ({text})")
    if any(sign in text for sign in _NO_ROOM):
        return InputError(f"{path}: no space left for the store; make room and run again ({text})")
    return InputError(
        f"{path}: not a usable store, perhaps damaged ({text}); "
        "move it away and ingest again, or name another store"
    )


def _check_schema(con: duckdb.DuckDBPyConnection, path: Path, read_only: bool) -> None:
    names = {name for (name,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if not names and not read_only:
        with transaction(con):
            for statement in schema.create_statements():
                con.execute(statement)
        return
    if "schema_version" not in names:
        raise InputError(f"{path}: a DuckDB file, but not a store of this program; name another file")
    row = fetch_row(con, "SELECT max(version) FROM schema_version")
    held = int(row[0]) if row and row[0] is not None else 0
    if held == schema.VERSION:
        return
    if held not in migrations.STEPS:
        raise InputError(
            f"{path}: the store has schema version {held}, this program knows up to {schema.VERSION}; "
            "update the program, or name another store"
        )
    if read_only:
        raise InputError(
            f"{path}: the store has the older schema version {held}; open it once for writing "
            "(yrd-airq store check) to bring it forward"
        )
    with transaction(con):
        migrations.bring_forward(con, held)
