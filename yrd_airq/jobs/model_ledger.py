"""The registry as people see it: which versions were judged how, which are in use, and rolling one back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from yrd_airq.forecast.gate import Decision, Decisions, read_decisions, withdraw
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.vocab import Target


@dataclass(frozen=True)
class ModelsReport:
    """Decisions of each target, oldest first."""

    decisions: dict[Target, Decisions]

    def as_dict(self) -> dict[str, Any]:
        """Machine-readable form."""
        return {target.value: held.model_dump(mode="json") for target, held in self.decisions.items()}

    def lines(self) -> list[str]:
        """Readable form, one decision a line."""
        found = [
            _line(target, decision, held) for target, held in self.decisions.items() for decision in held.made
        ]
        return found or ["no model has been judged yet; they are at the first forecast"]


def _line(target: Target, decision: Decision, held: Decisions) -> str:
    state = (
        "withdrawn" if held.is_withdrawn(decision.version) else "in use" if decision.promoted else "kept back"
    )
    scores = (
        f"RMSE {decision.rmse} against {decision.rmse_against} of {decision.against} "
        f"over {decision.first} … {decision.last}"
        if decision.rmse is not None
        else f"against {decision.against}"
    )
    weather = "with weather" if decision.weather_ahead else "no weather"
    return (
        f"{target.value}/{decision.version} ({decision.source.value}, {weather}, trained to "
        f"{decision.train_last}): {state}; {scores}; {decision.reason}"
    )


def list_models(workspace: Workspace) -> ModelsReport:
    """Every decision in the registry."""
    held = {target: read_decisions(workspace.models, target) for target in Target}
    return ModelsReport({target: decisions for target, decisions in held.items() if decisions.made})


def roll_back(workspace: Workspace, target: Target, version: str, reason: str, made_by: str) -> ModelsReport:
    """Take a version out of use; the one before it speaks from the next issue on."""
    return ModelsReport({target: withdraw(workspace.models, target, version, reason, made_by)})
