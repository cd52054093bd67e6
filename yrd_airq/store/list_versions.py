"""Versions of an event's control list: the list, what it changed, the edits in force, who approved it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Literal

import duckdb
import pandas as pd

from yrd_airq.clock import beijing_now
from yrd_airq.errors import InputError
from yrd_airq.store import contents, schema
from yrd_airq.store.connecting import fetch_row, offered, read_frame, transaction
from yrd_airq.store.records import Approval, ListVersion

_Con = duckdb.DuckDBPyConnection

_OF_VERSION = "event_code = ? AND list_version = ?"
ListPart = Literal["version", "change", "edit", "approval"]
"""What is kept of the versions of a list, each in its table ``out_control_<part>``."""

_ORDER: dict[ListPart, str] = {
    "version": "event_code, list_version",
    "change": "event_code, list_version, change, enterprise_id",
    "edit": "event_code, list_version, enterprise_id",
    "approval": "event_code, made_at, list_version",
}


def keep(con: _Con, version: ListVersion, parts: Mapping[str, pd.DataFrame]) -> None:
    """A version whole, in place of what stood under its number; ``InputError`` if that is of another run.

    ``parts``: rows of ``out_control_list``, ``out_control_change`` and ``out_control_edit`` without the
    columns that name the version.
    """
    key = [version.event_code, version.list_version]
    held = fetch_row(con, f"SELECT run_id, created_at FROM out_control_version WHERE {_OF_VERSION}", key)
    if held is not None and held[0] != version.run_id:
        raise InputError(
            f"list version {version.list_version} of event {version.event_code} belongs to run {held[0]}"
        )
    noted = replace(version, created_at=held[1] if held else version.created_at or beijing_now())
    frames = {"out_control_version": pd.DataFrame([asdict(noted)]), **parts}
    names = {name: getattr(version, name) for name in ("event_code", "list_version", "run_id")}
    with transaction(con):
        for table, frame in frames.items():
            known = {name: value for name, value in names.items() if name in schema.TABLES[table]}
            rows = contents.fit(table, frame, **known)
            where = " AND ".join(f"{name} = ?" for name in known)
            con.execute(f"DELETE FROM {table} WHERE {where}", list(known.values()))
            with offered(con, "addition", rows):
                con.execute(f"INSERT INTO {table} SELECT {schema.column_list(table)} FROM addition")


def read(con: _Con, part: ListPart, event_code: str | None, list_version: int | None) -> pd.DataFrame:
    """What is kept of the versions, of one event or all, of one version or all, in a fixed order."""
    table = f"out_control_{part}"
    return read_frame(
        con,
        f"""SELECT {schema.column_list(table)} FROM {table}
        WHERE (? IS NULL OR event_code = ?) AND (? IS NULL OR list_version = ?) ORDER BY {_ORDER[part]}""",
        [event_code, event_code, list_version, list_version],
    )


def control_list(con: _Con, event_code: str, list_version: int) -> pd.DataFrame:
    """The list of one version in the columns of ``out_control_list``; no rows where there is no such one."""
    return read_frame(
        con,
        f"""SELECT {schema.column_list("out_control_list")} FROM out_control_list
        WHERE (run_id, list_version) IN (SELECT run_id, list_version FROM out_control_version
        WHERE {_OF_VERSION}) ORDER BY rank NULLS LAST, enterprise_id, start""",
        [event_code, list_version],
    )


def approve(con: _Con, approval: Approval) -> None:
    """Note an approval for ever; ``InputError`` for a version that is not there and for a nameless one."""
    if not approval.made_by.strip():
        raise InputError("an approval needs the name of who gives it (--by)")
    held = fetch_row(
        con,
        f"SELECT run_id FROM out_control_version WHERE {_OF_VERSION}",
        [approval.event_code, approval.list_version],
    )
    if held is None or held[0] != approval.run_id:
        raise InputError(
            f"the store holds no list version {approval.list_version} of event {approval.event_code} made by "
            f"run {approval.run_id}; name a pack that this store has made"
        )
    row = contents.fit("out_control_approval", pd.DataFrame([{**asdict(approval), "made_at": beijing_now()}]))
    with offered(con, "addition", row), transaction(con):
        columns = schema.column_list("out_control_approval")
        con.execute(f"INSERT INTO out_control_approval SELECT {columns} FROM addition")
