"""Small records that go in and out of the store: what an ingest did, and what a run was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from yrd_airq.sources.batch import Kind


@dataclass(frozen=True)
class Ingested:
    """What taking in one file did.

    ``rows_in`` counts the canonical rows that the file's filled cells make. Of these ``new_rows`` were not
    held with the same value before, ``refused_rows`` went to quarantine in ``refused_pieces`` (cells, lines
    or columns), and the rest was held already. All but ``rows_in`` are 0 for a content ``already_known``.
    """

    kind: Kind
    name: str
    batch_id: int
    rows_in: int
    new_rows: int
    refused_rows: int
    refused_pieces: int
    already_known: bool


class Action(StrEnum):
    """What a forecaster does to values: leave them out, or accept them against the rules."""

    SET = "set"
    LIFT = "lift"


EVERY_POLLUTANT = "all"
"""Stands for all pollutants in a judgement."""


@dataclass(frozen=True)
class Judgement:
    """A forecaster's word on the values of a station: hours ``first_time`` … ``last_time``, both included.

    ``pollutant`` is a pollutant or ``all``; ``made_at`` is set by the store.
    """

    station_code: str
    pollutant: str
    first_time: datetime
    last_time: datetime
    action: Action
    reason: str
    made_by: str


@dataclass(frozen=True)
class Correction:
    """A forecaster's own value (人工订正) for one city, target and day of an issue, and why.

    ``value`` with ``low`` … ``high`` (10 % and 90 %; None keeps the model's spread), units of the target.
    ``value`` None withdraws an earlier correction. ``made_at`` is set by the store.
    """

    adcode: str
    issue_time: datetime
    valid_date: date
    target: str
    value: float | None
    low: float | None
    high: float | None
    reason: str
    made_by: str


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


@dataclass(frozen=True)
class ListVersion:
    """One version of an event's control list, counted per event over all runs.

    ``previous_version`` is the one it is compared with and continues, None for a first list.
    ``enterprises`` counts those with an order; ``burden`` is in index points; ``largest_need_ugm3`` the
    largest reduction that any receptor-day needs. ``created_at`` is set by the store at the first write.
    """

    event_code: str
    list_version: int
    run_id: str
    issue_time: datetime
    previous_version: int | None
    enterprises: int
    burden: float
    largest_need_ugm3: float
    status: str
    created_at: datetime | None = None


@dataclass(frozen=True)
class Approval:
    """Somebody's approval (审批) of one list version; ``made_at`` is set by the store."""

    event_code: str
    list_version: int
    run_id: str
    note: str
    made_by: str
