"""Flow ``event-guarantee``: for a named event, from the feeds' files to the control list and the brief."""

from datetime import datetime
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows.ingest import ingest_task
from flows.snapshot import snapshot_task
from yrd_airq.jobs.run import run_event
from yrd_airq.jobs.workspace import Workspace


@task(name="event-pack", cache_policy=NO_CACHE)
def event_task(workspace: Workspace, event: Path, issue_time: datetime | None) -> dict[str, Any]:
    """Forecast, attribution, control list and brief from what the store holds."""
    return run_event(workspace, event, issue_time).as_dict()


@flow(name="event-guarantee", log_prints=True)
def event_guarantee(
    event: Path,
    issue_time: datetime | None = None,
    folder: Path | None = None,
    store: Path | None = None,
    out: Path | None = None,
) -> dict[str, Any]:
    """Event-guarantee pack (重大活动保障) for the event file ``event``."""
    workspace = Workspace.of(store, out=out)
    if folder is not None:
        ingest_task(workspace, folder)
    report = event_task(workspace, event, issue_time)
    snapshot_task(workspace)
    create_markdown_artifact(markdown=f"Event pack: `{report['pack']}`", key="event-guarantee")
    return report
