"""The store itself: is it sound, what is missing in it, its copy as Parquet files and the way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pandas as pd

from yrd_airq.clock import day_labels, day_of_label
from yrd_airq.errors import InputError, StoreBusyError
from yrd_airq.jobs.series import is_stale
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.store.checking import Check
from yrd_airq.store.store import Store, open_store

SHOWN = 20
"""How many days with gaps are printed; all of them go into the file."""


@dataclass(frozen=True)
class CheckReport:
    """Every check with the rows that break it, and whether the city series are older than the values."""

    checks: tuple[Check, ...]
    batches: int
    stale: bool

    @property
    def sound(self) -> bool:
        """Whether no check is broken; stale series are no damage, the next ingest makes them anew."""
        return not any(check.broken for check in self.checks)

    def as_dict(self) -> dict[str, object]:
        """Machine-readable form."""
        broken = [vars(check) for check in self.checks if check.broken]
        return {
            "sound": self.sound,
            "batches": self.batches,
            "checks": len(self.checks),
            "broken": broken,
            "stale_series": self.stale,
        }

    def lines(self) -> list[str]:
        """Readable form."""
        found = [f"  {check.name}: {check.broken} {check.meaning}" for check in self.checks if check.broken]
        state = "sound" if self.sound else "NOT sound; restore a snapshot, or ingest into a new store"
        stale = ["  the city series are older than the values; the next ingest makes them anew"]
        return [
            f"{len(self.checks)} checks of {self.batches} batches: the store is {state}",
            *found,
            *(stale if self.stale else []),
        ]


@dataclass(frozen=True)
class CopyReport:
    """A snapshot written or restored: where, and the tables with their rows or files."""

    what: str
    folder: Path
    store: Path
    tables: dict[str, str]
    kept: Path | None = None

    def as_dict(self) -> dict[str, object]:
        """Machine-readable form."""
        return {
            "what": self.what,
            "folder": str(self.folder),
            "store": str(self.store),
            "tables": self.tables,
            "kept": str(self.kept) if self.kept else None,
        }

    def lines(self) -> list[str]:
        """Readable form."""
        kept = [f"  the former store is kept as {self.kept}"] if self.kept else []
        return [f"{self.what}: {len(self.tables)} tables, store {self.store}, folder {self.folder}", *kept]


@dataclass(frozen=True)
class GapReport:
    """Missing hours by day and station, in the columns of ``Store.gaps``."""

    first: datetime
    last: datetime
    gaps: pd.DataFrame
    file: Path | None = None

    @property
    def by_day(self) -> pd.DataFrame:
        """Per day with gaps: stations concerned, missing station-hours, hours that no station has."""
        groups = self.gaps.groupby("date")
        return pd.DataFrame(
            {
                "stations": groups.size(),
                "missing": groups["missing"].sum(),
                "whole_network": groups["whole_network"].max(),
            }
        ).reset_index()

    def as_dict(self) -> dict[str, object]:
        """Machine-readable form."""
        rows = self.gaps.assign(date=self.gaps["date"].astype(str))
        return {
            "from": str(self.first),
            "to": str(self.last),
            "station_hours": int(self.gaps["missing"].sum()),
            "days": int(self.gaps["date"].nunique()),
            "file": str(self.file) if self.file else None,
            "gaps": rows.to_dict("records"),
        }

    def lines(self) -> list[str]:
        """Readable form: the days with the most missing."""
        days = self.by_day.sort_values(["missing", "date"], ascending=[False, True]).head(SHOWN)
        listed = [
            f"  {day:%Y-%m-%d}  {missing:6d} station-hours of {stations:4d} stations; {whole:2d} h of all"
            for day, stations, missing, whole in days.itertuples(index=False)
        ]
        head = (
            f"{self.first:%Y-%m-%d %H:%M} to {self.last:%Y-%m-%d %H:%M}: "
            f"{int(self.gaps['missing'].sum())} station-hours missing "
            f"on {self.gaps['date'].nunique()} days"
        )
        return [head, *listed, *([f"  the whole list: {self.file}"] if self.file else [])]


def require_store(workspace: Workspace) -> None:
    """``InputError`` unless the store is there; for work that must not make an empty one."""
    if not workspace.store.exists():
        raise InputError(f"{workspace.store}: no such store; ingest files first, or name another store")


def check_store(workspace: Workspace) -> CheckReport:
    """Run every check; an older schema version is brought forward first."""
    require_store(workspace)
    with open_store(workspace.store) as store:
        return CheckReport(store.check(), len(store.batches()), is_stale(store))


def snapshot_folder(workspace: Workspace) -> Path:
    """Default folder of snapshots: ``snapshot`` beside the store."""
    return workspace.store.parent / "snapshot"


def take_snapshot(workspace: Workspace, folder: Path | None = None) -> CopyReport:
    """Every table as a Parquet file."""
    folder = folder or snapshot_folder(workspace)
    with open_store(workspace.store, read_only=True) as store:
        files = store.snapshot(folder)
    return CopyReport(
        "snapshot", folder, workspace.store, {table: path.name for table, path in files.items()}
    )


def restore_snapshot(workspace: Workspace, folder: Path | None = None) -> CopyReport:
    """A snapshot as the store; a file that stands there is kept beside it as ``<name>.before-restore``.

    The new store is made apart and only put in place when it is whole and equals the snapshot.
    """
    folder, target = folder or snapshot_folder(workspace), workspace.store
    apart, kept = (
        target.with_name(f"{target.name}.restoring"),
        target.with_name(f"{target.name}.before-restore"),
    )
    _move(apart, None)
    try:
        with open_store(apart) as store:
            rows = store.restore(folder)
        if target.exists():
            _wait_until_free(target)
            _move(target, kept)
        _move(apart, target)
    finally:
        _move(apart, None)
    tables = {table: str(count) for table, count in rows.items()}
    return CopyReport("restore", folder, target, tables, kept if kept.exists() else None)


def _wait_until_free(target: Path) -> None:
    """Whoever holds the store must not lose what is being written; a damaged one may be moved away."""
    try:
        with open_store(target, read_only=True):
            pass
    except StoreBusyError:
        raise
    except InputError:
        return


def _move(store: Path, to: Path | None) -> None:
    """The file and its write-ahead log to another place, or away."""
    for suffix in ("", ".wal"):
        source = store.with_name(store.name + suffix)
        if to is not None and source.exists():
            source.replace(to.with_name(to.name + suffix))
        elif to is not None:
            to.with_name(to.name + suffix).unlink(missing_ok=True)
        else:
            source.unlink(missing_ok=True)


def list_gaps(
    workspace: Workspace, first: date | None = None, last: date | None = None, out: Path | None = None
) -> GapReport:
    """Missing hours of the days ``first`` … ``last`` (default: from the first station value to the last)."""
    with open_store(workspace.store, read_only=True) as store:
        begin, end = span_of_hours(store, first, last)
        gaps = gaps_of_region(store, begin, end)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        gaps.to_csv(out, index=False)
    return GapReport(begin, end, gaps, out)


def gaps_of_region(store: Store, first: datetime, last: datetime) -> pd.DataFrame:
    """Missing hours of the stations that a list places in the region; of all stations without any list."""
    gaps, stations = store.gaps(first, last), store.station_list()
    if stations.empty:
        return gaps
    inside = stations.loc[stations["adcode"].notna(), "station_code"]
    return gaps[gaps["station_code"].isin(inside)].reset_index(drop=True)


def span_of_hours(store: Store, first: date | None, last: date | None) -> tuple[datetime, datetime]:
    """Hour labels of the days asked for; by default from the first station value to the last."""
    days = span_of_days(store, first, last)
    span = store.station_span()
    if span is None:
        raise AssertionError("a store without station values has no span of days")
    labels = day_labels(*days)
    begin = span[0] if first is None else labels[0].to_pydatetime()
    return begin, span[1] if last is None else labels[-1].to_pydatetime()


def span_of_days(store: Store, first: date | None, last: date | None) -> tuple[date, date]:
    """The days asked for, by default those of the station values; ``InputError`` without any values."""
    span: Sequence[date] | None = store.station_span()
    if span is None:
        raise InputError("the store holds no station values; ingest or fetch some first")
    begin, end = (day_of_label(pd.Timestamp(hour)).date() for hour in span)
    first, last = first or begin, last or end
    if last < first:
        raise InputError(f"the period ends ({last}) before it begins ({first})")
    return first, last
