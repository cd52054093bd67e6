"""The command ``yrd-airq``: thin; every command calls one function of ``jobs`` and prints what came of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from yrd_airq.cli import assess, correct, drill, emergency, models, observations, quality, revise, runs, store
from yrd_airq.cli.options import new_app
from yrd_airq.errors import AirqError

app = new_app("Air-quality forecasts, attribution, enterprise control lists and consultation briefs.")
COMMANDS: tuple[Callable[..., None], ...] = (
    runs.run,
    observations.ingest,
    observations.fetch,
    observations.stats,
    runs.train,
    runs.forecast,
    runs.backtest,
    runs.ablate,
    runs.verify,
    runs.event,
    emergency.emergency,
    assess.assess,
    revise.revise,
    revise.approve,
    revise.lists,
    runs.trace,
    runs.serve,
)
for command in COMMANDS:
    app.command()(command)
app.add_typer(store.app, name="store")
app.add_typer(quality.app, name="quality")
app.add_typer(models.app, name="models")
app.add_typer(correct.app, name="correct")
app.add_typer(drill.app, name="drill")


def main() -> None:
    """Entry point; errors for people become one message and an exit code (all of it: YRD_AIRQ_DEBUG=1)."""
    try:
        app()
    except AirqError as error:
        if os.environ.get("YRD_AIRQ_DEBUG"):
            raise
        sys.stderr.write(f"yrd-airq: {error}\n")
        sys.exit(error.exit_code)
