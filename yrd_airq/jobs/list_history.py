"""The history of control lists: versions, what each changed, and who approved it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from yrd_airq.errors import InputError
from yrd_airq.jobs.upkeep import require_store
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.store.store import open_store


@dataclass(frozen=True)
class HistoryReport:
    """Versions in the columns of the store, with ``added``, ``removed``, ``changed`` counted by version.

    ``changes``, ``edits`` and ``approvals`` as the store holds them.
    """

    versions: pd.DataFrame
    changes: pd.DataFrame
    edits: pd.DataFrame
    approvals: pd.DataFrame

    def as_dict(self) -> dict[str, Any]:
        """Machine-readable form."""
        return {name: _records(frame) for name, frame in self.__dict__.items()}

    def lines(self) -> list[str]:
        """Readable form: a line a version and approval; the changes of the newest version of each event."""
        if self.versions.empty:
            return ["no list version is held"]
        told: list[str] = []
        for event, rows in self.versions.groupby("event_code", sort=True):
            told.append(f"event {event}")
            for row in rows.to_dict("records"):
                told += [_version_line(row), *self._approvals(str(event), int(row["list_version"]))]
            newest = int(rows["list_version"].max())
            told += self._changes(str(event), newest)
        return told

    def _approvals(self, event: str, version: int) -> list[str]:
        given = _of(self.approvals, event, version)
        if given.empty:
            return ["    not approved"]
        return [
            f"    approved by {row['made_by']} at {row['made_at']:%Y-%m-%d %H:%M} {row['note']}".rstrip()
            for row in given.to_dict("records")
        ]

    def _changes(self, event: str, version: int) -> list[str]:
        return [
            f"    {row['change']:8}{row['enterprise_id']}  {_text(row['measure_before'])} → "
            f"{_text(row['measure_now'])}  {row['why_zh']}"
            for row in _of(self.changes, event, version).to_dict("records")
        ]


def list_history(workspace: Workspace, event_code: str | None = None) -> HistoryReport:
    """All list versions, or those of one event; ``InputError`` for an event without any."""
    require_store(workspace)
    with open_store(workspace.store, read_only=True) as store:
        versions = store.list_history("version", event_code)
        if event_code is not None and versions.empty:
            known = sorted(set(store.list_history("version")["event_code"]))
            raise InputError(f"no list of event {event_code!r}; known are {', '.join(known) or 'none'}")
        changes = store.list_history("change", event_code)
        edits = store.list_history("edit", event_code)
        approvals = store.list_history("approval", event_code)
    counts = changes.groupby(["event_code", "list_version"])["change"].value_counts().unstack(fill_value=0)
    counts = counts.reindex(columns=["added", "removed", "changed"], fill_value=0)
    versions = versions.join(counts, on=["event_code", "list_version"])
    numbers = ["added", "removed", "changed"]
    versions[numbers] = versions[numbers].fillna(0).astype(int)
    return HistoryReport(versions, changes, edits, approvals)


def _of(frame: pd.DataFrame, event: str, version: int) -> pd.DataFrame:
    return frame[(frame["event_code"] == event) & (frame["list_version"] == version)]


def _version_line(row: dict[Any, Any]) -> str:
    follows = "" if pd.isna(row["previous_version"]) else f" after {int(row['previous_version'])}"
    return (
        f"  version {row['list_version']}{follows}: issued {row['issue_time']:%Y-%m-%d %H:%M}, "
        f"{row['enterprises']} enterprises, burden {row['burden']:.1f}, {row['status']} "
        f"({row['added']} added, {row['removed']} removed, {row['changed']} changed), {row['run_id']}"
    )


def _text(value: Any) -> str:
    return "—" if pd.isna(value) else str(value)


def _records(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    return frame.astype(object).where(frame.notna(), None).to_dict("records")
