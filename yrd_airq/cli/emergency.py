"""The command for heavy-pollution emergencies: which tier each city is heading for, and the list for it."""

from __future__ import annotations

from typing import Annotated

import typer

from yrd_airq.cli.options import JsonOption, OutOption, StoreOption, print_report
from yrd_airq.clock import parse_issue_time
from yrd_airq.errors import InputError
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.region import load_region
from yrd_airq.standards.tiers import Tier


def emergency(
    issue: Annotated[str, typer.Option("--issue", help="Issue time, Beijing, e.g. 2017-01-02T16:00.")],
    in_force: Annotated[
        list[str] | None,
        typer.Option(
            "--in-force", help="Tier in force now, e.g. 320300=yellow; repeat; default: as observed."
        ),
    ] = None,
    other_cause: Annotated[
        list[str] | None,
        typer.Option("--other-cause", help="City whose episode has another cause, e.g. 320300=沙尘; repeat."),
    ] = None,
    out: OutOption = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Warning tiers of all cities from the forecast, and the enterprise list for them."""
    from yrd_airq.jobs.emergency import run_emergency

    standing = {code: _tier(name) for code, name in _pairs(in_force, "--in-force").items()}
    causes = _pairs(other_cause, "--other-cause")
    report = run_emergency(Workspace.of(store, out=out), parse_issue_time(issue), standing, causes)
    print_report(report.as_dict(), as_json, report.lines)


def _pairs(texts: list[str] | None, option: str) -> dict[str, str]:
    """City (adcode or Chinese name) → what stands behind the equals sign."""
    region = load_region()
    found = {}
    for text in texts or ():
        city, sign, value = text.partition("=")
        if not sign or not value:
            raise InputError(
                f"{option} {text!r}: write it like 320300={'yellow' if 'force' in option else '沙尘'}"
            )
        found[region.city(region.adcode_of_name(city) or city).adcode] = value
    return found


def _tier(name: str) -> Tier:
    try:
        return Tier(name)
    except ValueError as exc:
        raise InputError(f"--in-force: {name!r} is no tier; use one of {', '.join(Tier)}") from exc
