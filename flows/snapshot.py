"""Task ``publish-snapshot``: the tables as Parquet files beside the store, after a run has changed it."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from yrd_airq.jobs.upkeep import take_snapshot
from yrd_airq.jobs.workspace import Workspace


@task(name="publish-snapshot", retries=1, retry_delay_seconds=30, cache_policy=NO_CACHE)
def snapshot_task(workspace: Workspace) -> str:
    """The folder of the snapshot; readers use it, so that they never hold the store."""
    return str(take_snapshot(workspace).folder)
