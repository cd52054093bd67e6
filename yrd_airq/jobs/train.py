"""Training on request: every target of a series, filed in the model registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from yrd_airq.errors import InputError
from yrd_airq.forecast.gate import Decision
from yrd_airq.forecast.model import Card
from yrd_airq.forecast.registry import train_or_load
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.jobs.choosing import choose_models
from yrd_airq.jobs.forecasting import TARGETS
from yrd_airq.jobs.issue import ISSUE_HOUR, LEADS, default_issue_time, read_issue
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.settings import load
from yrd_airq.store.store import open_store
from yrd_airq.vocab import Target, WeatherKind


@dataclass(frozen=True)
class TrainReport:
    """The cards of the trained models, and what the gate decided of those that the next issue asks."""

    cards: tuple[Card, ...]
    decisions: tuple[Decision, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Machine-readable form."""
        return {
            "models": [card.model_dump(mode="json") for card in self.cards],
            "decisions": [decision.model_dump(mode="json") for decision in self.decisions],
        }

    def lines(self) -> list[str]:
        """Readable form: left-out scores of the first lead beside persistence."""
        found = []
        for card in self.cards:
            first = card.scores[0]
            found.append(
                f"{card.target.value}/{card.version}: {card.source.value}, "
                f"{card.train_first} … {card.train_last}, weather ahead {card.weather_ahead}; "
                f"left-out blocks, lead {first.lead_day}: "
                f"RMSE {first.lightgbm.rmse} (persistence {first.persistence.rmse})"
            )
        found.extend(
            f"{decision.version}: {'in use' if decision.promoted else 'not in use'}; {decision.reason}"
            for decision in self.decisions
        )
        return found


def train_targets(workspace: Workspace, targets: Sequence[Target] | None, until: date | None) -> TrainReport:
    """Train the named targets (default: all of the series) as the next issue will ask for them.

    The training ends some days before the newest complete day, so that the gate can judge it on days that
    it has not seen. With ``until`` it ends on that day, for studies, and no issue uses it. Weather of the
    target day is used where there is any.
    """
    with open_store(workspace.store) as store:
        issue = default_issue_time(store)
        if until is not None:
            after = until + timedelta(days=1)
            issue = min(issue, datetime(after.year, after.month, after.day, ISSUE_HOUR))
        data = read_issue(store, issue, horizon=0 if until is not None else LEADS[-1])
    wanted = tuple(targets) if targets else TARGETS[data.source]
    absent = [target.value for target in wanted if target not in data.panel.values]
    if absent:
        raise InputError(
            f"the {data.source.value} series has no {', '.join(absent)}; "
            f"it holds {', '.join(data.panel.values)}"
        )
    settings = load(ForecastSettings, "forecast")
    if until is None:
        choices = [choice for target in wanted for choice in choose_models(workspace, data, target, settings)]
        if not choices:
            raise InputError(f"too few days up to {data.panel.last} to train on; ingest more history")
        return TrainReport(tuple(c.model.card for c in choices), tuple(c.decision for c in choices))
    last = issue.date() - timedelta(days=1)
    kind = WeatherKind.ANALYSIS if data.panel.weather else WeatherKind.NONE
    models = [train_or_load(data.panel, t, last, LEADS, kind, settings, workspace.models) for t in wanted]
    return TrainReport(tuple(model.card for model in models))
