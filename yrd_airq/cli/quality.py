"""Commands on quality flags: what the rules found, and a forecaster's own word on values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from yrd_airq.cli.options import (
    ByOption,
    FromOption,
    JsonOption,
    ReasonOption,
    StoreOption,
    ToOption,
    as_day,
    as_hour,
    new_app,
    print_report,
)
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.store.records import Action, Judgement

app = new_app("Quality flags of hourly values: report, set, lift.")

StationArgument = Annotated[str, typer.Argument(help="Station code, e.g. 1141A.")]
PollutantArgument = Annotated[str, typer.Argument(help="so2, no2, co, o3, pm10, pm25 or all.")]
FirstOption = Annotated[str, typer.Option("--from", help="First hour label, e.g. 2019-06-16T05:00.")]
LastOption = Annotated[str | None, typer.Option("--to", help="Last hour label; default: the first.")]


@app.command()
def report(
    first: FromOption = None,
    last: ToOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for the flags and the report.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Flags by rule and pollutant, the stations with most of them, the longest stuck runs."""
    from yrd_airq.jobs.judging import report_quality

    made = report_quality(
        Workspace.of(store),
        as_day(first, "--from") if first else None,
        as_day(last, "--to") if last else None,
        out,
    )
    print_report(made.as_dict(), as_json, made.lines)


@app.command("set")
def set_flag(
    station: StationArgument,
    pollutant: PollutantArgument,
    first: FirstOption,
    reason: ReasonOption,
    by: ByOption,
    last: LastOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Leave values out although no rule does."""
    _judge(Action.SET, station, pollutant, first, last, reason, by, store, as_json)


@app.command("lift")
def lift_flag(
    station: StationArgument,
    pollutant: PollutantArgument,
    first: FirstOption,
    reason: ReasonOption,
    by: ByOption,
    last: LastOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept values although a rule leaves them out."""
    _judge(Action.LIFT, station, pollutant, first, last, reason, by, store, as_json)


def _judge(
    action: Action,
    station: str,
    pollutant: str,
    first: str,
    last: str | None,
    reason: str,
    by: str,
    store: Path | None,
    as_json: bool,
) -> None:
    from yrd_airq.jobs.judging import judge

    begin = as_hour(first, "--from")
    end = as_hour(last, "--to") if last else begin
    made = judge(Workspace.of(store), Judgement(station, pollutant, begin, end, action, reason, by))
    print_report(made.as_dict(), as_json, made.lines)
