"""What the commands share: their common options, how a report is printed, how dates are read."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from yrd_airq.errors import InputError

StoreOption = Annotated[
    Path | None, typer.Option("--store", help="DuckDB file; default data/yrd_airq.duckdb or YRD_AIRQ_STORE.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one machine-readable JSON object.")]
OutOption = Annotated[Path | None, typer.Option("--out", help="Folder for the results; default out.")]
FromOption = Annotated[str | None, typer.Option("--from", help="First day, e.g. 2019-01-01.")]
ToOption = Annotated[str | None, typer.Option("--to", help="Last day, e.g. 2019-01-31.")]

ReasonOption = Annotated[str, typer.Option("--reason", help="Why; kept for ever.")]
ByOption = Annotated[str, typer.Option("--by", help="Who says so.")]


def new_app(about: str) -> typer.Typer:
    """A group of commands that leaves its errors to ``main``."""
    return typer.Typer(
        help=about,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def print_report(report: dict[str, Any], as_json: bool, lines: Callable[[], list[str]]) -> None:
    """A report as JSON or as lines."""
    text = json.dumps(report, ensure_ascii=False, indent=2, default=str) if as_json else "\n".join(lines())
    sys.stdout.write(text + "\n")


def as_day(text: str, option: str) -> date:
    """A date given to ``option``."""
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise InputError(f"{option} {text!r} is not a date; write it like 2017-01-31") from exc


def as_hour(text: str, option: str) -> datetime:
    """An hour given to ``option``, naive Beijing time."""
    try:
        hour = datetime.fromisoformat(text)
    except ValueError as exc:
        raise InputError(f"{option} {text!r} is not an hour; write it like 2017-01-31T08:00") from exc
    if hour.tzinfo is not None or hour != hour.replace(minute=0, second=0, microsecond=0):
        raise InputError(f"{option} {text!r} is not a whole hour of Beijing time without a zone")
    return hour
