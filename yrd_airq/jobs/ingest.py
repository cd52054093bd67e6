"""Files into the store: every recognised file of a folder, or the files named, then the city series anew."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from yrd_airq.errors import InputError
from yrd_airq.jobs.series import refresh_if_stale
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.quality.report import QualityReport
from yrd_airq.sources.batch import Batch, Kind
from yrd_airq.sources.reading import digest, find_inputs, layout_of, read
from yrd_airq.store.records import Ingested
from yrd_airq.store.store import Store, open_store

SHOWN = 10
"""How many unusable files a message lists."""

SHOWN_FINDINGS = 50
"""How many findings in enterprise lists are printed."""

_READ_ALWAYS = frozenset({Kind.WEATHER, Kind.STATION_LIST})
"""Files whose name or place says something too, so that their bytes alone do not make them known."""


@dataclass(frozen=True)
class IngestReport:
    """What became of each file: taken in, known already, or left out with the reason.

    ``findings``: what was refused or is doubtful in newly taken enterprise lists, line by line.
    """

    taken: tuple[Ingested, ...]
    left_out: tuple[tuple[Path, str], ...] = ()
    quality: QualityReport | None = None
    findings: tuple[str, ...] = ()

    @property
    def rows_in(self) -> int:
        """Canonical rows that the filled cells of all files make; new, held already or refused."""
        return sum(item.rows_in for item in self.taken)

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
            "rows_in": self.rows_in,
            "new_rows": self.new_rows,
            "held_rows": self.rows_in - self.new_rows - self.refused_rows,
            "refused_rows": self.refused_rows,
            "refused_pieces": sum(item.refused_pieces for item in self.taken),
            "findings": list(self.findings),
            "left_out": [{"file": str(path), "reason": reason} for path, reason in self.left_out],
            "quality": self.quality.as_dict() if self.quality else None,
        }

    def lines(self) -> list[str]:
        """Readable form."""
        known = sum(item.already_known for item in self.taken)
        reasons: dict[str, list[str]] = {}
        for path, reason in self.left_out:
            reasons.setdefault(reason.splitlines()[0], []).append(path.name)
        return [
            f"{len(self.taken)} files read ({known} known already): {self.rows_in} rows, "
            f"{self.new_rows} new rows, {self.refused_rows} refused rows in quarantine, "
            f"{len(self.left_out)} files left out",
            *(f"  left out: {reason}: {', '.join(sorted(names))}" for reason, names in reasons.items()),
            *(f"  {finding}" for finding in self.findings[:SHOWN_FINDINGS]),
            *self._rest(),
            *(self.quality.lines() if self.quality else []),
        ]

    def _rest(self) -> list[str]:
        more = len(self.findings) - SHOWN_FINDINGS
        return [f"  … and {more} more findings (all of them: --json)"] if more > 0 else []


def ingest_folder(workspace: Workspace, folder: Path) -> IngestReport:
    """Take in every recognised file below ``folder``.

    A file of a known layout that turns out unusable is left out and reported, so that one broken file
    does not stop the morning's run; ``InputError`` if the folder holds nothing usable at all.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; --data names the folder that holds the files to read")
    found = find_inputs(folder)
    with open_store(workspace.store) as store:
        report = _take_all(store, found.known, found.unknown)
        if not report.taken:
            raise _nothing_usable(f"{folder}: no usable file of a known layout was found", report)
        return replace(report, quality=refresh_if_stale(store))


def ingest_files(
    workspace: Workspace, paths: Iterable[Path], kinds: Collection[Kind], layout: str | None = None
) -> IngestReport:
    """Take in the named files (folders are searched), each of one of the ``kinds``.

    An unusable file is left out and reported; ``InputError`` if no file is usable.
    """
    files = _expand(paths)
    with open_store(workspace.store) as store:
        report = _take_all(store, files, (), kinds, layout)
        if not report.taken:
            raise _nothing_usable("no usable file was named", report)
        return replace(report, quality=refresh_if_stale(store))


def _nothing_usable(subject: str, report: IngestReport) -> InputError:
    if len(report.left_out) == 1:
        return InputError(report.left_out[0][1])
    return InputError("\n".join([subject, *(f"  - {reason}" for _, reason in report.left_out[:SHOWN])]))


def _expand(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        inside = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        if not inside:
            raise InputError(f"{path}: the folder is empty")
        files.extend(inside)
    return files


def _take_all(
    store: Store,
    files: Iterable[Path],
    left_out: Iterable[tuple[Path, str]],
    kinds: Collection[Kind] | None = None,
    layout: str | None = None,
) -> IngestReport:
    taken: list[Ingested] = []
    faults = list(left_out)
    for path, made in _read_ahead(store, files, kinds, layout):
        try:
            taken.append(made if isinstance(made, Ingested) else store.ingest(made.result()))
        except InputError as error:
            faults.append((path, str(error)))
    return IngestReport(tuple(taken), tuple(faults), findings=_find_doubts(store, taken))


def _find_doubts(store: Store, taken: list[Ingested]) -> tuple[str, ...]:
    """All that was refused or is odd in the enterprise lists that were newly taken in."""
    new = [item.batch_id for item in taken if item.kind is Kind.ENTERPRISES and not item.already_known]
    if not new:
        return ()
    rows = store.quarantine()
    rows = rows[rows["batch_id"].isin(new)]
    return tuple(
        f"{row['name']} row {row['row']}, {row['field']}: {row['reason']} [{row['content']}]"
        for row in rows.to_dict("records")
    )


def _read_ahead(
    store: Store, files: Iterable[Path], kinds: Collection[Kind] | None, layout: str | None
) -> Iterator[tuple[Path, Ingested | Future[Batch]]]:
    """Each file in order, as what the store knows of its content or as what is being read from it.

    The next file is read while the caller writes the present one, and no further, so that two files at most
    are in memory.
    """
    with ThreadPoolExecutor(1, "read") as reader:
        started: deque[tuple[Path, Ingested | Future[Batch]]] = deque()
        for path in files:
            started.append(
                (path, _known(store, path, kinds, layout) or reader.submit(read, path, kinds, layout))
            )
            if len(started) == 2:
                yield started.popleft()
        yield from started


def _known(store: Store, path: Path, kinds: Collection[Kind] | None, layout: str | None) -> Ingested | None:
    """What the store knows of the file's content; None also for a file that reading will find unusable."""
    try:
        found = layout_of(path, layout)
        if found is None or found.kind in _READ_ALWAYS or (kinds is not None and found.kind not in kinds):
            return None
        return store.known(found.kind, found.label, digest(path))
    except InputError:
        return None
