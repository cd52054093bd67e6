"""A forecaster's corrections of an issue: noted, listed, withdrawn."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from yrd_airq.errors import InputError
from yrd_airq.jobs.upkeep import require_store
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.region import load_region
from yrd_airq.store.records import Correction
from yrd_airq.store.store import open_store


@dataclass(frozen=True)
class CorrectionsReport:
    """The corrections in force."""

    corrections: pd.DataFrame

    def as_dict(self) -> dict[str, Any]:
        """Machine-readable form."""
        return {"corrections": self.corrections.astype(str).to_dict("records")}

    def lines(self) -> list[str]:
        """Readable form, one correction a line."""
        if self.corrections.empty:
            return ["no correction is in force"]
        return [_line(row) for row in self.corrections.to_dict("records")]


def _line(row: Mapping[Hashable, Any]) -> str:
    span = "" if pd.isna(row["low"]) else f" ({row['low']:g} … {row['high']:g})"
    return (
        f"{row['issue_time']:%Y-%m-%d %H:%M} {row['adcode']} {row['target']} {row['valid_date']:%Y-%m-%d}: "
        f"{row['value']:g}{span} by {row['made_by']}: {row['reason']}"
    )


def find_city(text: str) -> str:
    """Adcode of a city given by adcode or Chinese name; ``InputError`` outside the region."""
    region = load_region()
    code = region.canonical_adcode(text) or region.adcode_of_name(text)
    if code is None:
        raise InputError(f"{text!r} is not a city of the region; write its adcode or Chinese name")
    return code


def correct(workspace: Workspace, correction: Correction) -> CorrectionsReport:
    """Note a correction or a withdrawal; the next run of that issue shows it."""
    require_store(workspace)
    with open_store(workspace.store) as store:
        store.correct(correction)
        return CorrectionsReport(store.corrections(correction.issue_time))


def list_corrections(workspace: Workspace) -> CorrectionsReport:
    """All corrections in force."""
    require_store(workspace)
    with open_store(workspace.store, read_only=True) as store:
        return CorrectionsReport(store.corrections())
