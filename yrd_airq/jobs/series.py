"""When the flags and city series of the store are older than what they are made from, and for which hours."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

import yrd_airq.quality
import yrd_airq.standards
from yrd_airq.jobs.workspace import hash_files, hash_texts
from yrd_airq.quality.refresh import Window, refresh_city_series
from yrd_airq.quality.report import QualityReport, quality_report
from yrd_airq.settings import config_dir
from yrd_airq.sources.batch import Kind
from yrd_airq.store.store import Store

CITY_SERIES = "city"


@dataclass(frozen=True)
class _MadeFrom:
    """What the series were made from: rules and lists by hash, newest batch, number of judgements."""

    rules: str
    batch: int
    judgements: int


def refresh_if_stale(store: Store) -> QualityReport | None:
    """Rebuild what new values, judgements, lists or rules change; the report on those hours, None if nothing.

    The note of what the series were made from is written last, so that an interrupted run is made good by the
    next one.
    """
    now, note = _present(store), store.made_from(CITY_SERIES)
    if now is None or note == _written(now):
        return None
    windows, since = _changed(store, _read(note), now)
    rebuilt = refresh_city_series(store, windows, since)
    store.note_made_from(CITY_SERIES, _written(now))
    return report_window(store, (rebuilt[0][0], rebuilt[-1][1])) if rebuilt else None


def report_window(store: Store, window: Window) -> QualityReport:
    """The report on the flags of the hours of ``window``."""
    return quality_report(store.flags(*window), store.values_received(*window), *window)


def is_stale(store: Store) -> bool:
    """Whether the series are older than what they are made from."""
    now = _present(store)
    return now is not None and store.made_from(CITY_SERIES) != _written(now)


def _present(store: Store) -> _MadeFrom | None:
    """What the series would be made from now; None without station values."""
    batches = store.batches()
    stations = batches[batches["kind"] == Kind.STATIONS.value]
    if stations.empty:
        return None
    return _MadeFrom(_rules(batches), int(stations["batch_id"].max()), len(store.judgements()))


def _rules(batches: pd.DataFrame) -> str:
    """Hash of all that decides the series but values: settings, the code of the rules, station lists."""
    settings = [config_dir() / f"{name}.yaml" for name in ("quality", "standards", "region")]
    code = [
        path
        for room in (yrd_airq.quality, yrd_airq.standards)
        for path in Path(room.__path__[0]).glob("*.py")
    ]
    lists = batches[batches["kind"] == Kind.STATION_LIST.value]["content_hash"]
    return hash_texts(hash_files(settings), hash_files(code), *lists)


def _changed(store: Store, before: _MadeFrom | None, now: _MadeFrom) -> tuple[list[Window] | None, int]:
    """Hours with values or judgements newer than the series (None: all), and the last batch they knew."""
    if before is None or before.rules != now.rules:
        return None, 0
    batches = store.batches()
    new = batches[(batches["batch_id"] > before.batch) & (batches["new_rows"] > 0)]
    new = new[new["kind"] == Kind.STATIONS.value]
    judged = store.judgements().iloc[before.judgements :]
    both = pd.concat([new[["first_time", "last_time"]], judged[["first_time", "last_time"]]])
    pairs = zip(both["first_time"].dt.to_pydatetime(), both["last_time"].dt.to_pydatetime(), strict=True)
    return list(pairs), before.batch


def _written(made_from: _MadeFrom) -> str:
    return json.dumps(asdict(made_from), sort_keys=True)


def _read(note: str | None) -> _MadeFrom | None:
    return None if note is None else _MadeFrom(**json.loads(note))
