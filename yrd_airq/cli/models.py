"""Commands on trained models: what was judged how, and roll-back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from yrd_airq.cli.options import ByOption, JsonOption, ReasonOption, new_app, print_report
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.vocab import Target

app = new_app("Trained models: list what is in use and why, roll back.")

ModelsOption = Annotated[
    Path | None, typer.Option("--models", help="Registry; default models or YRD_AIRQ_MODELS.")
]


@app.command("list")
def list_(models: ModelsOption = None, as_json: JsonOption = False) -> None:
    """Every version that was judged: its scores beside the model it was to follow, and the decision."""
    from yrd_airq.jobs.model_ledger import list_models

    made = list_models(Workspace.of(models=models))
    print_report(made.as_dict(), as_json, made.lines)


@app.command()
def rollback(
    target: Annotated[Target, typer.Argument(help="Daily target.")],
    version: Annotated[str, typer.Argument(help="Version to take out of use.")],
    reason: ReasonOption,
    by: ByOption,
    models: ModelsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a version out of use; the one before it speaks from the next issue on."""
    from yrd_airq.jobs.model_ledger import roll_back

    made = roll_back(Workspace.of(models=models), target, version, reason, by)
    print_report(made.as_dict(), as_json, made.lines)
