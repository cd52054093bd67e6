"""Files into the store: every recognised file of a folder, or the files named, then the city series anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from yrd_airq.errors import InputError
from yrd_airq.jobs.workspace import Workspace, hash_files, hash_texts
from yrd_airq.quality.refresh import refresh_city_series
from yrd_airq.settings import config_dir
from yrd_airq.sources.batch import Kind
from yrd_airq.sources.reading import find_inputs, read
from yrd_airq.store.records import Ingested
from yrd_airq.store.store import Store, open_store

CITY_SERIES = "city"


@dataclass(frozen=True)
class IngestReport:
    """What became of each file: taken in, known already, or left out with the reason."""

    taken: tuple[Ingested, ...]
    left_out: tuple[tuple[Path, str], ...] = ()

    @property
    def new_rows(self) -> int:
        """Rows that the store did not hold before."""
        return sum(item.new_rows for item in self.taken)

    @property
    def refused_rows(self) -> int:
        """Rows newly set aside in quarantine."""
        return sum(item.refused_rows for item in self.taken)

    def as_dict(self) -> dict[str, object]:
        """Machine-readable form."""
        return {
            "files": len(self.taken),
            "already_known": sum(item.already_known for item in self.taken),
            "new_rows": self.new_rows,
            "refused_rows": self.refused_rows,
            "left_out": [{"file": str(path), "reason": reason} for path, reason in self.left_out],
        }

    def lines(self) -> list[str]:
        """Readable form."""
        known = sum(item.already_known for item in self.taken)
        reasons: dict[str, list[str]] = {}
        for path, reason in self.left_out:
            reasons.setdefault(reason.splitlines()[0], []).append(path.name)
        return [
            f"{len(self.taken)} files read ({known} known already): {self.new_rows} new rows, "
            f"{self.refused_rows} refused rows in quarantine, {len(self.left_out)} files left out",
            *(f"  left out: {reason}: {', '.join(sorted(names))}" for reason, names in reasons.items()),
        ]


def ingest_folder(workspace: Workspace, folder: Path) -> IngestReport:
    """Take in every recognised file below ``folder``.

    A file of a known layout that turns out unusable is left out and reported, so that one broken file
    does not stop the morning's run; ``InputError`` if the folder holds nothing usable at all.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; --data names the folder that holds the files to read")
    found = find_inputs(folder)
    left_out = list(found.unknown)
    taken: list[Ingested] = []
    with open_store(workspace.store) as store:
        for path in found.known:
            try:
                taken.append(store.ingest(read(path)))
            except InputError as error:
                left_out.append((path, str(error)))
        if not taken:
            reasons = "".join(f"\n  - {path.name}: {reason}" for path, reason in left_out[:10])
            raise InputError(f"{folder}: no usable file of a known layout was found{reasons}")
        refresh_if_stale(store)
    return IngestReport(tuple(taken), tuple(left_out))


def ingest_files(
    workspace: Workspace, paths: Iterable[Path], kind: Kind, layout: str | None = None
) -> IngestReport:
    """Take in the named files (folders are searched) as ``kind``; an unusable file is an ``InputError``."""
    with open_store(workspace.store) as store:
        taken = [store.ingest(read(path, kind, layout)) for path in _expand(paths)]
        refresh_if_stale(store)
    return IngestReport(tuple(taken))


def _expand(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        inside = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        if not inside:
            raise InputError(f"{path}: the folder is empty")
        files.extend(inside)
    return files


def refresh_if_stale(store: Store) -> None:
    """Rebuild the city series if they were made from other station files, lists or rules than there are now.

    The note of what they were made from is written last, so that an interrupted run is made good by the next.
    """
    batches = store.batches()
    files = batches[batches["kind"].isin([Kind.STATIONS.value, Kind.STATION_LIST.value])]
    rules = [config_dir() / f"{name}.yaml" for name in ("quality", "standards", "region")]
    made_from = hash_texts(*sorted(files["content_hash"]), hash_files(rules))
    if len(files) and store.made_from(CITY_SERIES) != made_from:
        refresh_city_series(store)
        store.note_made_from(CITY_SERIES, made_from)
