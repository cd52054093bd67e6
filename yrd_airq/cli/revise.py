"""Commands on control lists: a forecaster's edits, approvals, and the history of the versions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from yrd_airq.cli.options import JsonOption, OutOption, StoreOption, print_report
from yrd_airq.jobs.workspace import Workspace

PackArgument = Annotated[Path, typer.Argument(help="Folder of an event pack.")]


def revise(
    pack: PackArgument,
    edits: Annotated[Path, typer.Option("--edits", help="File of edits: YAML, CSV or XLSX.")],
    event: Annotated[
        Path | None, typer.Option("--event", help="Event file; default: configs/events by its code.")
    ] = None,
    out: OutOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Solve a pack's event again with a forecaster's edits: the next list version and its difference."""
    from yrd_airq.jobs.revising import revise as revise_list

    report = revise_list(Workspace.of(store, out=out or pack.resolve().parent), pack, edits, event)
    print_report(report.as_dict(), as_json, report.lines)
    raise typer.Exit(report.exit_code)


def approve(
    pack: PackArgument,
    by: Annotated[str, typer.Option("--by", help="Who approves.")],
    note: Annotated[str, typer.Option("--note", help="A remark; kept for ever.")] = "",
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Note that somebody approves the list of a pack; the pack says so from then on."""
    from yrd_airq.jobs.revising import approve as approve_list

    report = approve_list(Workspace.of(store), pack, by, note)
    print_report(report.as_dict(), as_json, report.lines)


def lists(
    event: Annotated[str | None, typer.Argument(help="Code of an event; default: all.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Versions of control lists with issue, burden, differences and approvals."""
    from yrd_airq.jobs.list_history import list_history

    report = list_history(Workspace.of(store), event)
    print_report(report.as_dict(), as_json, report.lines)
