"""Serves the flows: the daily forecast on a schedule, the others when somebody asks."""

from pathlib import Path
from typing import cast

from prefect import serve
from prefect.deployments.runner import RunnerDeployment
from prefect.schedules import Cron

from flows.daily_forecast import daily_forecast
from flows.event_guarantee import event_guarantee
from flows.fetch import fetch
from flows.ingest import ingest
from flows.train import train
from yrd_airq.sources.web.feeds import load_feed_settings

ZONE = "Asia/Shanghai"
# A daily forecast has to be out by 20:00 (HJ 633-2026 §5.2); the data of 16:00 are there at about 16:40.
DAILY = Cron("50 16 * * *", timezone=ZONE)


def serve_all(folder: Path | None) -> None:
    """Serve all flows until stopped; one run at a time, since the store has one writer.

    The daily forecast first takes in what lies in ``folder``, if one is given. The hourly fetch calls the
    national centre and is paused until somebody switches it on.
    """
    minutes = ",".join(str(minute) for minute in load_feed_settings().cnemc.poll_minutes)
    deployments = [
        daily_forecast.to_deployment("daily", schedule=DAILY, parameters={"folder": folder}),
        event_guarantee.to_deployment("on-request"),
        train.to_deployment("on-request"),
        ingest.to_deployment("on-request"),
        fetch.to_deployment("hourly", schedule=Cron(f"{minutes} * * * *", timezone=ZONE), paused=True),
    ]
    # Called without a running event loop, ``to_deployment`` returns the deployment itself.
    serve(*cast(list[RunnerDeployment], deployments), limit=1)
