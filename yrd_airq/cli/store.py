"""Commands on the store itself: is it sound, what is missing, copy it, bring it back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from yrd_airq.cli.options import FromOption, JsonOption, StoreOption, ToOption, as_day, new_app, print_report
from yrd_airq.jobs.workspace import Workspace

app = new_app("Check, copy, restore the store, and list what is missing in it.")
FolderOption = Annotated[
    Path | None, typer.Option("--folder", help="Folder of the snapshot; default: snapshot beside the store.")
]


@app.command()
def check(store: StoreOption = None, as_json: JsonOption = False) -> None:
    """What must be true of the store, check by check; exit code 2 if anything is not."""
    from yrd_airq.jobs.upkeep import check_store

    report = check_store(Workspace.of(store))
    print_report(report.as_dict(), as_json, report.lines)
    raise typer.Exit(0 if report.sound else 2)


@app.command()
def snapshot(folder: FolderOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """Every table as a Parquet file, for readers that must not hold the store open."""
    from yrd_airq.jobs.upkeep import take_snapshot

    report = take_snapshot(Workspace.of(store), folder)
    print_report(report.as_dict(), as_json, report.lines)


@app.command()
def restore(folder: FolderOption = None, store: StoreOption = None, as_json: JsonOption = False) -> None:
    """A snapshot back into a store; a store that is there already is kept beside it."""
    from yrd_airq.jobs.upkeep import restore_snapshot

    report = restore_snapshot(Workspace.of(store), folder)
    print_report(report.as_dict(), as_json, report.lines)


@app.command()
def gaps(
    first: FromOption = None,
    last: ToOption = None,
    out: Annotated[Path | None, typer.Option("--out", help="CSV file for the list.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Missing hours by station and day; ``fetch SOURCE --fill-gaps`` asks the feeds for them."""
    from yrd_airq.jobs.upkeep import list_gaps

    report = list_gaps(
        Workspace.of(store),
        as_day(first, "--from") if first else None,
        as_day(last, "--to") if last else None,
        out,
    )
    print_report(report.as_dict(), as_json, report.lines)
