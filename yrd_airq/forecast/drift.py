"""Watch on the model in use: its errors of the last 30 days beside its card and beside persistence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from yrd_airq.forecast.gate import DriftSettings, expected_rmse
from yrd_airq.forecast.model import Model
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.recent import Comparison, compare


class State(StrEnum):
    """What the watch says of a model."""

    SOUND = "sound"
    WATCH = "watch"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Drift:
    """How a model has done lately; RMSE of the watched leads pooled, in the unit of the target."""

    state: State
    recent: Comparison
    expected_rmse: float


def watch(panel: Panel, model: Model, issue_date: date, settings: DriftSettings) -> Drift:
    """Judge a model by its newest days since the training.

    Failed if it does worse than persistence, to be watched if it does clearly worse than its card
    promises, unknown with fewer than ``min_days``.
    """
    recent = compare(panel, model, None, issue_date, settings.leads, settings.days)
    promised = expected_rmse(model.card, settings.leads)
    if recent.days < settings.min_days:
        state = State.UNKNOWN
    elif recent.rmse > settings.fail_ratio * recent.rmse_against:
        state = State.FAILED
    elif recent.rmse > settings.watch_ratio * promised:
        state = State.WATCH
    else:
        state = State.SOUND
    return Drift(state, recent, promised)
