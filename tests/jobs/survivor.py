"""An ingest in a process of its own that can be killed, or run into a limit of the file size."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from yrd_airq.errors import AirqError
from yrd_airq.jobs.ingest import ingest_folder
from yrd_airq.jobs.workspace import Workspace


def ingest(store: Path, folder: Path, configs: str, largest_file: int | None, said: Path) -> None:
    """Take in a folder; what a person would be told goes into the file ``said``."""
    os.environ["YRD_AIRQ_CONFIGS"] = configs
    if largest_file is not None:
        # The nearest thing to a full disk that needs no disk of its own: every write beyond fails.
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, resource.RLIM_INFINITY))
    try:
        report = ingest_folder(Workspace.of(store), folder)
        said.write_text(f"done {report.new_rows}", encoding="utf-8")
    except AirqError as error:
        said.write_text(f"exit {error.exit_code}: {error}", encoding="utf-8")
