"""The command for the assessment after an event."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from yrd_airq.cli.options import JsonOption, OutOption, StoreOption, as_day, print_report
from yrd_airq.jobs.workspace import Workspace


def assess(
    file: Annotated[Path, typer.Argument(help="Event file (configs/events/<name>.yaml).")],
    execution: Annotated[
        Path | None,
        typer.Option("--execution", help="CSV: enterprise_id, date, share (or kwh_before, kwh_now)."),
    ] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="First day of controls, if not as in the event file.")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", help="Last day of controls, if not as in the event file.")
    ] = None,
    out: OutOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """After the event: weather-normalised effect of its controls, with interval, and lessons."""
    from yrd_airq.jobs.assess import assess as assess_event

    report = assess_event(
        Workspace.of(store, out=out),
        file,
        execution,
        as_day(first, "--from") if first else None,
        as_day(last, "--to") if last else None,
    )
    print_report(report.as_dict(), as_json, report.lines)
    raise typer.Exit(report.exit_code)
