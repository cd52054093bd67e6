"""Serves the flows: the daily forecast on a schedule, the others when somebody asks."""

from prefect import serve
from prefect.schedules import Cron

from flows.daily_forecast import daily_forecast
from flows.event_guarantee import event_guarantee
from flows.ingest import ingest
from flows.train import train

# A daily forecast has to be out by 20:00 (HJ 633-2026 §5.2); the data of 16:00 are there at about 16:40.
DAILY = Cron("50 16 * * *", timezone="Asia/Shanghai")


def serve_all() -> None:
    """Serve all flows until stopped; one run at a time, since the store has one writer."""
    serve(
        daily_forecast.to_deployment("daily", schedule=DAILY),
        event_guarantee.to_deployment("on-request"),
        train.to_deployment("on-request"),
        ingest.to_deployment("on-request"),
        limit=1,
    )
