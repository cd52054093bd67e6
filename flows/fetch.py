"""Flow ``fetch``: ask a web feed for its newest hours, or for the hours that the store lacks."""

from datetime import datetime
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from yrd_airq.jobs.fetch import fetch as fetch_feed
from yrd_airq.jobs.fetch import fill_gaps
from yrd_airq.jobs.workspace import Workspace


@task(name="fetch-feed", cache_policy=NO_CACHE)
def fetch_task(
    workspace: Workspace, feed: str, first: datetime | None, last: datetime | None
) -> dict[str, Any]:
    """A feed's hours into the store; the calls are retried inside, known content changes nothing."""
    return fetch_feed(workspace, feed, first, last).checked().as_dict()


@task(name="fill-gaps", cache_policy=NO_CACHE)
def gaps_task(workspace: Workspace, feed: str) -> dict[str, Any]:
    """The station hours that the store lacks, asked of a feed."""
    return fill_gaps(workspace, feed).checked().as_dict()


@flow(name="fetch", log_prints=True)
def fetch(
    feed: str = "cnemc",
    first: datetime | None = None,
    last: datetime | None = None,
    only_gaps: bool = False,
    store: Path | None = None,
) -> dict[str, Any]:
    """Ask ``feed`` for hour labels ``first`` … ``last`` (default: from yesterday to now), or for gaps."""
    workspace = Workspace.of(store)
    if only_gaps:
        return gaps_task(workspace, feed)
    return fetch_task(workspace, feed, first, last)
