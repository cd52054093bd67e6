"""Small records that go in and out of the store: what an ingest did, and what a run was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from yrd_airq.sources.batch import Kind


@dataclass(frozen=True)
class Ingested:
    """What taking in one file did.

    ``new_rows`` counts the rows that the store did not hold with the same value before, ``refused_rows``
    those newly put in quarantine; both are 0 for a file whose content was ``already_known``.
    """

    kind: Kind
    name: str
    batch_id: int
    new_rows: int
    refused_rows: int
    already_known: bool


@dataclass(frozen=True)
class RunRecord:
    """One run: what it was about and, by hashes, everything it depended on.

    ``kind`` is daily, event, train or backtest; ``created_at`` is set by the store at the first write
    and kept at later ones.
    """

    run_id: str
    kind: str
    issue_time: datetime | None
    event_code: str | None
    inputs_hash: str
    settings_hash: str
    code_version: str
    status: str
    created_at: datetime | None = None
