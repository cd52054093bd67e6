"""Commands that forecast: the main job, training, backtests, events and the lineage of what they made."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from yrd_airq.cli.options import (
    FromOption,
    JsonOption,
    OutOption,
    StoreOption,
    ToOption,
    as_day,
    print_report,
)
from yrd_airq.clock import parse_issue_time
from yrd_airq.errors import InputError
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.vocab import CityDaySource, Target, WeatherKind

IssueOption = Annotated[str, typer.Option("--issue", help="Issue time, Beijing, e.g. 2016-09-01T16:00.")]
TargetOption = Annotated[
    list[Target] | None, typer.Option("--target", help="Daily target; repeat for several; default all.")
]


def _issue(text: str | None) -> datetime | None:
    return None if text is None else parse_issue_time(text)


def run(
    drill: Annotated[bool, typer.Option("--drill", help="Use the built-in drill world (演练).")] = False,
    data: Annotated[Path | None, typer.Option("--data", help="Folder with the files to read.")] = None,
    event: Annotated[
        Path | None, typer.Option("--event", help="Event file; without one: daily bulletin.")
    ] = None,
    issue: Annotated[str | None, typer.Option("--issue", help="Issue time, Beijing.")] = None,
    out: OutOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """The whole main job once: read the files, forecast, and write the pack."""
    from yrd_airq.jobs.run import run_drill, run_once

    if drill == (data is not None):
        raise InputError("give either --drill or --data DIR")
    if data is None:
        report = run_drill(store=store, out=out, event_file=event, issue_time=_issue(issue))
    else:
        report = run_once(Workspace.of(store, out=out), data, event, _issue(issue))
    print_report(report.as_dict(), as_json, report.lines)
    raise typer.Exit(report.exit_code)


def train(
    target: TargetOption = None,
    until: Annotated[str | None, typer.Option("--until", help="Last day of the training data.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train the forecasters on the store and file them in the model registry."""
    from yrd_airq.jobs.train import train_targets

    report = train_targets(Workspace.of(store), target, as_day(until, "--until") if until else None)
    print_report(report.as_dict(), as_json, report.lines)


def forecast(issue: IssueOption, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Forecast all cities for the seven days after an issue time and keep the result in the store."""
    from yrd_airq.jobs.forecasting import forecast_issue

    report = forecast_issue(Workspace.of(store), parse_issue_time(issue))
    print_report(report.as_dict(), as_json, report.lines)


FirstDay = Annotated[str, typer.Option("--from", help="First forecast day.")]
LastDay = Annotated[str, typer.Option("--to", help="Last forecast day.")]
TrainUntil = Annotated[str, typer.Option("--train-until", help="Last day that training may use.")]
LeadsOption = Annotated[str, typer.Option("--leads", help="Lead days, e.g. 1,2,3.")]
WeatherOption = Annotated[WeatherKind, typer.Option("--weather", help="Weather of the target day.")]


def _leads(text: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(lead) for lead in text.split(",")}))
    except ValueError as exc:
        raise InputError(f"--leads {text!r}: write lead days like 1,2,3") from exc


def backtest(
    target: Annotated[Target, typer.Option("--target", help="Daily target.")],
    first: FirstDay,
    last: LastDay,
    train_until: TrainUntil,
    out: Annotated[Path, typer.Option("--out", help="Folder for forecasts.parquet and scores.json.")],
    leads: LeadsOption = "1,2,3",
    weather: WeatherOption = WeatherKind.NONE,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Forecast a past period with a model trained before it, and score it beside persistence."""
    from yrd_airq.jobs.backtesting import run_backtest

    report = run_backtest(
        Workspace.of(store),
        target,
        as_day(first, "--from"),
        as_day(last, "--to"),
        _leads(leads),
        as_day(train_until, "--train-until"),
        weather,
        out,
    )
    print_report(report.as_dict(), as_json, report.lines)


def ablate(
    target: Annotated[Target, typer.Option("--target", help="Daily target.")],
    first: FirstDay,
    last: LastDay,
    train_until: TrainUntil,
    leads: LeadsOption = "1,3",
    weather: WeatherOption = WeatherKind.NONE,
    group: Annotated[
        list[str] | None, typer.Option("--group", help="Feature group; repeat for several; default all.")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """What each group of features is worth: backtests without it, one after the other (takes a while)."""
    from yrd_airq.jobs.backtesting import run_ablation

    report = run_ablation(
        Workspace.of(store),
        target,
        as_day(first, "--from"),
        as_day(last, "--to"),
        _leads(leads),
        as_day(train_until, "--train-until"),
        weather,
        group or (),
    )
    print_report(report.as_dict(), as_json, report.lines)


def verify(
    out: Annotated[Path, typer.Option("--out", help="Folder for the scoreboard.")],
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Folders of backtests; none: the forecasts of the store.")
    ] = None,
    source: Annotated[
        CityDaySource | None, typer.Option("--source", help="Series to hold stored forecasts against.")
    ] = None,
    target: TargetOption = None,
    first: FromOption = None,
    last: ToOption = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", help="Model to show; repeat for several; default all.")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score forecasts by lead, city, season and level, with intervals and tests: scoreboard.html and .md."""
    from yrd_airq.jobs.verifying import verify as verify_forecasts

    report = verify_forecasts(
        Workspace.of(store),
        out,
        folders or (),
        source=source,
        targets=target or (),
        first=as_day(first, "--from") if first else None,
        last=as_day(last, "--to") if last else None,
        models=model or (),
    )
    print_report(report.as_dict(), as_json, report.lines)


def event(
    file: Annotated[Path, typer.Argument(help="Event file (configs/events/<name>.yaml).")],
    issue: IssueOption,
    out: OutOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """The event-guarantee pack from what the store holds: forecast, attribution, control list, brief."""
    from yrd_airq.jobs.run import run_event

    report = run_event(Workspace.of(store, out=out), file, parse_issue_time(issue))
    print_report(report.as_dict(), as_json, report.lines)
    raise typer.Exit(report.exit_code)


def trace(
    run_or_pack: Annotated[str, typer.Argument(help="A run id, or the folder of a pack.")],
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Where the numbers of a brief came from: inputs, models, settings, code."""
    from yrd_airq.jobs.lineage import trace_run

    report = trace_run(Workspace.of(store), run_or_pack)
    print_report(report.as_dict(), as_json, report.lines)


def serve(
    data: Annotated[Path | None, typer.Option("--data", help="Folder that each daily run reads.")] = None,
) -> None:
    """Offer the flows as scheduled and ad-hoc deployments (needs no other service)."""
    from flows.serve import serve_all

    serve_all(data)
