"""Flow ``train``: train the forecasters on what the store holds and file them in the registry."""

from datetime import date
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from yrd_airq.jobs.train import train_targets
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.vocab import Target


@task(name="train-target", cache_policy=NO_CACHE)
def train_task(workspace: Workspace, targets: list[Target] | None, until: date | None) -> dict[str, Any]:
    """Train and file models; an identical training is found again, so a retry costs nothing."""
    return train_targets(workspace, targets, until).as_dict()


@flow(name="train", log_prints=True)
def train(
    targets: list[Target] | None = None, until: date | None = None, store: Path | None = None
) -> dict[str, Any]:
    """Train the named targets (default: all) up to and including the day ``until``."""
    return train_task(Workspace.of(store), targets, until)
