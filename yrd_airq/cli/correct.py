"""Commands on a forecaster's corrections (人工订正) of issued forecasts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from yrd_airq.cli.options import (
    ByOption,
    JsonOption,
    ReasonOption,
    StoreOption,
    as_day,
    new_app,
    print_report,
)
from yrd_airq.clock import parse_issue_time
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.store.records import Correction
from yrd_airq.vocab import Target

app = new_app("A forecaster's corrections of issued forecasts: set, list, withdraw.")

CityArgument = Annotated[str, typer.Argument(help="City: adcode or Chinese name.")]
TargetArgument = Annotated[Target, typer.Argument(help="Daily target.")]
DayArgument = Annotated[str, typer.Argument(help="Forecast day, e.g. 2017-01-31.")]
IssueOption = Annotated[str, typer.Option("--issue", help="Issue time of the forecast, Beijing.")]


@app.command("set")
def set_value(
    city: CityArgument,
    target: TargetArgument,
    day: DayArgument,
    value: Annotated[float, typer.Argument(help="The forecaster's value, in the unit of the target.")],
    issue: IssueOption,
    reason: ReasonOption,
    by: ByOption,
    low: Annotated[float | None, typer.Option("--low", help="10 % quantile; default: moved along.")] = None,
    high: Annotated[float | None, typer.Option("--high", help="90 % quantile; default: moved along.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a value beside the model's; the next run of that issue uses and names it, and both are verified."""
    _keep(city, target, day, (value, low, high), issue, reason, by, store, as_json)


@app.command()
def withdraw(
    city: CityArgument,
    target: TargetArgument,
    day: DayArgument,
    issue: IssueOption,
    reason: ReasonOption,
    by: ByOption,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a correction back; the model's value counts again."""
    _keep(city, target, day, (None, None, None), issue, reason, by, store, as_json)


@app.command("list")
def list_(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """The corrections in force."""
    from yrd_airq.jobs.correcting import list_corrections

    made = list_corrections(Workspace.of(store))
    print_report(made.as_dict(), as_json, made.lines)


def _keep(
    city: str,
    target: Target,
    day: str,
    value: tuple[float | None, float | None, float | None],
    issue: str,
    reason: str,
    by: str,
    store: Path | None,
    as_json: bool,
) -> None:
    from yrd_airq.jobs.correcting import correct, find_city

    correction = Correction(
        find_city(city), parse_issue_time(issue), as_day(day, "DAY"), target.value, *value, reason, by
    )
    made = correct(Workspace.of(store), correction)
    print_report(made.as_dict(), as_json, made.lines)
