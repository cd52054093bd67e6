"""Flow ``daily-forecast``: read the feeds' files, forecast, check yesterday, publish the daily bulletin."""

from datetime import datetime
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows.ingest import ingest_task
from flows.snapshot import snapshot_task
from yrd_airq.jobs.run import run_daily
from yrd_airq.jobs.workspace import Workspace


@task(name="daily-bulletin", retries=1, retry_delay_seconds=60, cache_policy=NO_CACHE)
def bulletin_task(workspace: Workspace, issue_time: datetime | None) -> dict[str, Any]:
    """Forecast and bulletin pack from what the store holds."""
    return run_daily(workspace, issue_time).as_dict()


@flow(name="daily-forecast", log_prints=True)
def daily_forecast(
    folder: Path | None = None,
    issue_time: datetime | None = None,
    store: Path | None = None,
    out: Path | None = None,
) -> dict[str, Any]:
    """Bulletin for 41 cities; ``folder`` holds the day's files; default issue time: the latest possible."""
    workspace = Workspace.of(store, out=out)
    if folder is not None:
        ingest_task(workspace, folder)
    report = bulletin_task(workspace, issue_time)
    snapshot_task(workspace)
    create_markdown_artifact(markdown=f"Daily bulletin: `{report['pack']}`", key="daily-bulletin")
    return report
