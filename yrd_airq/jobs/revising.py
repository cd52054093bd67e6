"""A forecaster's hand on a list: its edits solved into the next version, a version approved."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from yrd_airq.brief.content import Brief, read_pack
from yrd_airq.brief.content_versions import ListVersion
from yrd_airq.brief.render import render
from yrd_airq.brief.version_section import build_approvals
from yrd_airq.control.edits_file import read_edits
from yrd_airq.control.settings import ControlSettings
from yrd_airq.errors import InputError
from yrd_airq.jobs.origin import is_drill
from yrd_airq.jobs.pack import PackReport
from yrd_airq.jobs.run import write_event
from yrd_airq.jobs.upkeep import require_store
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.settings import Event, config_dir, load, load_event
from yrd_airq.store.records import Approval
from yrd_airq.store.store import Store, open_store


@dataclass(frozen=True)
class ApprovalReport:
    """An approval that was noted, and the pack that now says so."""

    event_code: str
    list_version: int
    made_by: str
    pack: Path

    def as_dict(self) -> dict[str, Any]:
        """Machine-readable form."""
        return {**self.__dict__, "pack": str(self.pack)}

    def lines(self) -> list[str]:
        """Readable form."""
        return [
            f"list version {self.list_version} of event {self.event_code} approved by {self.made_by}",
            f"pack: {self.pack}",
        ]


def revise(workspace: Workspace, pack: Path, edits: Path, event_file: Path | None = None) -> PackReport:
    """Solve the event of a pack again with a forecaster's edits: the next list version, beside the pack.

    Issue, lists and weather files are those of the pack's run; the edits of earlier versions stay in force.
    The same edits of the same pack give the same version again. ``event_file``: by default the one of
    ``configs/events`` with the pack's event. Raises ``InputError`` that lists all faults of the edits, and
    for a pack that this store has not made or that a newer version follows.
    """
    brief, part = _read(pack)
    file = event_file or _event_file(part.event_code)
    event = load_event(file)
    _check_event(brief, event, file)
    require_store(workspace)
    with open_store(workspace.store) as opened:
        store = opened.as_known(_made_at(opened, brief, part))
        standing = store.list_history("edit", event.code, part.list_version)
        rows = read_edits(
            edits, store.enterprises(), load(ControlSettings, "control"), event.control_start, standing
        )
        own = replace(workspace, models=_models(workspace, store))
        return write_event(own, store, file, brief.header.issue_time, (part.list_version, rows))


def approve(workspace: Workspace, pack: Path, made_by: str, note: str = "") -> ApprovalReport:
    """Note for ever that somebody approves the list of a pack, and let the pack say so.

    Raises ``InputError`` for a pack without a list version and for one that this store has not made.
    """
    brief, part = _read(pack)
    require_store(workspace)
    with open_store(workspace.store) as store:
        run_id = brief.header.run_id
        store.approve(Approval(part.event_code, part.list_version, run_id, note.strip(), made_by.strip()))
        approvals = store.list_history("approval", part.event_code, part.list_version)
    approved = part.model_copy(update={"approvals": build_approvals(approvals)})
    folder = pack if pack.is_dir() else pack.parent
    render(brief.model_copy(update={"list_version": approved}), folder)
    return ApprovalReport(part.event_code, part.list_version, made_by.strip(), folder)


def _read(pack: Path) -> tuple[Brief, ListVersion]:
    brief = read_pack(pack)
    if brief.list_version is None:
        raise InputError(f"{pack}: carries no list version; name the pack of an event run")
    return brief, brief.list_version


def _made_at(store: Store, brief: Brief, part: ListVersion) -> datetime:
    """When the version of the pack was made, as this store has noted it."""
    held = store.list_history("version", part.event_code, part.list_version)
    held = held[held["run_id"] == brief.header.run_id]
    if held.empty:
        raise InputError(
            f"this store has not made run {brief.header.run_id} (list version {part.list_version} of event "
            f"{part.event_code}); name the store of the pack with --store"
        )
    made: datetime = held["created_at"].iloc[0].to_pydatetime()
    return made


def _event_file(code: str) -> Path:
    folder = config_dir() / "events"
    for file in sorted(folder.glob("*.yaml")):
        if load_event(file).code == code:
            return file
    raise InputError(f"{folder}: no file of event {code}; name it with --event")


def _check_event(brief: Brief, event: Event, file: Path) -> None:
    """The event has to be that of the pack: other dates, cities or goals make another plan."""
    occasion, part = brief.occasion, brief.list_version
    if part is None or occasion is None or event.code != part.event_code:
        raise InputError(f"{file}: holds event {event.code}, not that of the pack")
    told = {name: getattr(occasion, name) for name in ("start", "end", "control_start", "receptors", "goals")}
    changed = [name for name, value in told.items() if value != getattr(event, name)]
    if changed:
        raise InputError(
            f"{file}: {', '.join(changed)} differ from the pack; issue the event anew before revising it"
        )


def _models(workspace: Workspace, store: Store) -> Path:
    """The registry; models of a drill lie beside its store, so that they never speak for real data."""
    beside = workspace.store.parent / "models"
    if is_drill(store) and beside.is_dir() and not os.environ.get("YRD_AIRQ_MODELS"):
        return beside
    return workspace.models
