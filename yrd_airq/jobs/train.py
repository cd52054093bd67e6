"""Training on request: every target of a series, filed in the model registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from yrd_airq.errors import InputError
from yrd_airq.forecast.model import Card
from yrd_airq.forecast.registry import train_or_load
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.jobs.forecasting import TARGETS
from yrd_airq.jobs.issue import ISSUE_HOUR, LEADS, default_issue_time, read_issue
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.settings import load
from yrd_airq.store.store import open_store
from yrd_airq.vocab import Target, WeatherKind


@dataclass(frozen=True)
class TrainReport:
    """The cards of the trained models."""

    cards: tuple[Card, ...]

    def as_dict(self) -> dict[str, Any]:
        """Machine-readable form."""
        return {"models": [card.model_dump(mode="json") for card in self.cards]}

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
        return found


def train_targets(workspace: Workspace, targets: Sequence[Target] | None, until: date | None) -> TrainReport:
    """Train the named targets (default: all of the series) on everything up to ``until``.

    Weather of the target day is used where the training days have it. ``until`` defaults to the
    newest complete day; the series is the one that is fresh on the day after it.
    """
    settings = load(ForecastSettings, "forecast")
    with open_store(workspace.store) as store:
        issue = default_issue_time(store)
        if until is not None:
            after = until + timedelta(days=1)
            issue = min(issue, datetime(after.year, after.month, after.day, ISSUE_HOUR))
        data = read_issue(store, issue, horizon=0)
    wanted = tuple(targets) if targets else TARGETS[data.source]
    absent = [target.value for target in wanted if target not in data.panel.values]
    if absent:
        raise InputError(
            f"the {data.source.value} series has no {', '.join(absent)}; "
            f"it holds {', '.join(data.panel.values)}"
        )
    last = issue.date() - timedelta(days=1)
    kind = WeatherKind.ANALYSIS if data.panel.weather else WeatherKind.NONE
    models = [train_or_load(data.panel, t, last, LEADS, kind, settings, workspace.models) for t in wanted]
    return TrainReport(tuple(model.card for model in models))
