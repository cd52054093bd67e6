"""Which models speak at an issue: trained or found, judged by the gate, watched for drift, named when not."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from yrd_airq.errors import AirqError, InputError
from yrd_airq.forecast.drift import Drift, State, watch
from yrd_airq.forecast.gate import (
    Decision,
    RegistrySettings,
    add_decision,
    judge,
    read_decisions,
)
from yrd_airq.forecast.model import Model
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.registry import load as load_model
from yrd_airq.forecast.registry import train_or_load
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.forecast.training import TooLittleHistoryError, training_end
from yrd_airq.jobs.issue import LEADS, IssueData
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.settings import load
from yrd_airq.vocab import Target, WeatherKind

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """A model in use, the decision that brought it there, and how it has done lately.

    ``set_aside`` says, in Chinese, why the newest training does not speak, or the model does not; None
    where all is as it should be.
    """

    model: Model
    decision: Decision
    drift: Drift
    set_aside: str | None

    @property
    def speaks(self) -> bool:
        """Whether its forecasts are issued: a model that has failed lately stands aside."""
        return self.drift.state is not State.FAILED


def choose_models(
    workspace: Workspace, data: IssueData, target: Target, settings: ForecastSettings
) -> tuple[Choice, ...]:
    """The models to ask in turn: with weather ahead where there is any, then without; none in short data.

    A training that breaks, or that the gate turns down, leaves the last good model in place.
    """
    try:
        until = training_end(data.issue_time.date(), data.panel.first, settings)
    except TooLittleHistoryError:
        return ()
    found = []
    for kind in weather_kinds(data):
        choice = _choose(workspace, data, target, until, kind, settings)
        if choice is not None:
            found.append(choice)
    return tuple(found)


def weather_kinds(data: IssueData) -> tuple[WeatherKind, ...]:
    """Which weather the models may use: that of the target days, none for days without."""
    ahead = data.panel.dates > pd.Timestamp(data.issue_time)
    kinds = set(data.panel.weather_kind[ahead]) - {WeatherKind.NONE.value}
    if not kinds:
        return (WeatherKind.NONE,)
    chosen = WeatherKind.FORECAST if WeatherKind.FORECAST.value in kinds else WeatherKind.ANALYSIS
    covered = int((data.panel.weather_kind[ahead] != WeatherKind.NONE.value).sum())
    return (chosen,) if covered >= LEADS[-1] else (chosen, WeatherKind.NONE)


def _choose(
    workspace: Workspace,
    data: IssueData,
    target: Target,
    until: date,
    kind: WeatherKind,
    settings: ForecastSettings,
) -> Choice | None:
    """The new training if it stands the test, else the newest earlier one that still works, else None."""
    registry = load(RegistrySettings, "registry")
    held = read_decisions(workspace.models, target)
    ahead = kind is not WeatherKind.NONE
    standing = held.in_use(data.source, ahead, data.panel.issue_hour, until)
    try:
        model = train_or_load(data.panel, target, until, LEADS, kind, settings, workspace.models)
    except TooLittleHistoryError:
        return None
    except (AirqError, MemoryError) as trouble:
        _log.warning("%s: the training up to %s failed: %s", target.value, until, trouble)
        why = "新一期训练未成功"
    else:
        decision = held.of(model.card.version, data.panel.issue_hour)
        if decision is None:
            decision = _judge(workspace, data, model, standing, registry)
        if decision.promoted and not held.is_withdrawn(decision.version):
            return _watched(data, decision, model, registry, None)
        withdrawn = held.is_withdrawn(decision.version)
        why = "新一期模型已由预报员撤回" if withdrawn else "新一期模型检验未优于现用模型"
    for earlier, model in _loaded(workspace, target, standing):
        try:
            return _watched(data, earlier, model, registry, f"{why}，沿用此前模型")
        except InputError as trouble:
            _pass_over(earlier, trouble)
    return None


def _judge(
    workspace: Workspace,
    data: IssueData,
    model: Model,
    standing: Sequence[Decision],
    registry: RegistrySettings,
) -> Decision:
    """Judge a new training beside the model in use, and keep the decision."""
    target = model.card.target
    decision = None
    for incumbent, other in _loaded(workspace, target, standing):
        if incumbent.version == model.card.version:
            continue
        try:
            decision = judge(_known(data), model, other, data.issue_time.date(), registry.gate)
            break
        except InputError as trouble:
            _pass_over(incumbent, trouble)
    decision = decision or judge(_known(data), model, None, data.issue_time.date(), registry.gate)
    add_decision(workspace.models, target, decision)
    return decision


def _loaded(
    workspace: Workspace, target: Target, decisions: Sequence[Decision]
) -> Iterator[tuple[Decision, Model]]:
    """The models of ``decisions`` that can still be read, one after the other."""
    for decision in decisions:
        try:
            yield decision, load_model(workspace.models / target.value / decision.version)
        except InputError as trouble:
            _pass_over(decision, trouble)


def _pass_over(decision: Decision, trouble: InputError) -> None:
    _log.warning("model %s is passed over: %s", decision.version, trouble)


def _watched(
    data: IssueData, decision: Decision, model: Model, registry: RegistrySettings, set_aside: str | None
) -> Choice:
    drift = watch(_known(data), model, data.issue_time.date(), registry.drift)
    if drift.state is State.FAILED:
        set_aside = f"近{drift.recent.days}天检验误差大于持续性预报，暂停使用该模型"
    return Choice(model, decision, drift, set_aside)


def _known(data: IssueData) -> Panel:
    return data.panel.known_at(data.issue_time, data.panel.last)
