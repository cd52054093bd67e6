"""Commands of the drill (演练): carry out a control list in its world, and rehearse an event day by day."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from yrd_airq.cli.options import JsonOption, new_app, print_report

app = new_app("The drill world (演练): what a control list truly changes, and events played day by day.")

ScenarioOption = Annotated[
    str | None, typer.Option("--scenario", help="A file of configs/drill/scenarios; default: that of run.")
]
ExecutionOption = Annotated[
    float, typer.Option("--execution", help="Share of the enterprises that do what they are told, 0 to 1.")
]


@app.command()
def replay(
    control_list: Annotated[Path, typer.Option("--list", help="control_list.csv of a pack.")],
    scenario: ScenarioOption = None,
    execution: ExecutionOption = 1.0,
    world: Annotated[
        Path | None, typer.Option("--world", help="Folder of a kept world; default: below data/drill.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the same days with the measures carried out: what truly changes, and what the list predicts."""
    from yrd_airq.jobs.drill_replay import replay_list

    report = replay_list(control_list, scenario, execution, world)
    print_report(report.as_dict(), as_json, report.lines)


@app.command()
def event(
    out: Annotated[Path, typer.Option("--out", help="Folder of the rehearsal; a second call goes on in it.")],
    name: Annotated[
        str | None, typer.Option("--name", help="A file of configs/events; default: the scenario's event.")
    ] = None,
    days: Annotated[
        int | None, typer.Option("--days", help="Days to play; default: until the event ends.")
    ] = None,
    scenario: ScenarioOption = None,
    execution: ExecutionOption = 1.0,
    as_json: JsonOption = False,
) -> None:
    """Play an event: each day new data, forecast, list and brief, and at the end what truly happened."""
    from yrd_airq.jobs.drill_event import rehearse

    report = rehearse(out, name, days, scenario, execution)
    print_report(report.as_dict(), as_json, report.lines)
