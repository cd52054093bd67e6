"""Flow ``ingest``: take in whatever files lie in a folder."""

from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from yrd_airq.jobs.ingest import ingest_folder
from yrd_airq.jobs.workspace import Workspace


@task(name="ingest-folder", retries=2, retry_delay_seconds=[5, 30], cache_policy=NO_CACHE)
def ingest_task(workspace: Workspace, folder: Path) -> dict[str, Any]:
    """Files of a folder into the store; safe to retry, since known content changes nothing."""
    return ingest_folder(workspace, folder).as_dict()


@flow(name="ingest", log_prints=True)
def ingest(folder: Path, store: Path | None = None) -> dict[str, Any]:
    """Take in every recognised file below ``folder``."""
    return ingest_task(Workspace.of(store), folder)
