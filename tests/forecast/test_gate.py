"""How models come into use, are watched and are rolled back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from tests.forecast import factory
from yrd_airq.errors import InputError
from yrd_airq.forecast import gate
from yrd_airq.forecast.drift import State, watch
from yrd_airq.forecast.gate import Decision, Decisions, RegistrySettings
from yrd_airq.forecast.model import Model
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.recent import compare, issues_since
from yrd_airq.forecast.training import train
from yrd_airq.settings import load
from yrd_airq.vocab import CityDaySource, Target, WeatherKind

PM25 = Target.PM25
LEADS = (1, 2, 3)
RULES = load(RegistrySettings, "registry")
ISSUE = factory.day(149)


@pytest.fixture(scope="module")
def panel() -> Panel:
    return factory.panel(150)


def trained(panel: Panel, until: int) -> Model:
    return train(
        panel,
        PM25,
        factory.day(until),
        LEADS,
        WeatherKind.ANALYSIS,
        factory.quick_settings(min_train_days=40),
    )


@pytest.fixture(scope="module")
def good(panel: Panel) -> Model:
    return trained(panel, 110)


@pytest.fixture(scope="module")
def bad(panel: Panel) -> Model:
    """A later training on an archive in which clean and dirty days were mistaken for each other."""
    values = {**panel.values, PM25: 120.0 - panel.values[PM25]}
    return trained(replace(panel, values=values), 120)


def test_models_are_compared_on_days_that_neither_has_seen_and_that_are_over(panel: Panel) -> None:
    issue = issues_since(panel, factory.day(110), ISSUE, 3)
    assert issue[0] == 111, "the first issue after the training"
    assert issue[-1] + 3 == 148, "the newest target day is the last complete one"
    assert len(issues_since(panel, factory.day(110), ISSUE, 3, days=5)) == 5
    assert not len(issues_since(panel, factory.day(147), ISSUE, 3))


def test_the_comparison_is_that_of_the_same_rows(panel: Panel, good: Model) -> None:
    found = compare(panel, good, None, ISSUE, [1], None)
    values = panel.values[PM25]
    days = np.arange(112, 149)
    assert found.days == len(days)
    assert (found.first, found.last) == (factory.day(112), factory.day(148))
    simple = np.sqrt(np.mean((values[:, days] - values[:, days - 2]) ** 2))
    assert found.rmse_against == pytest.approx(simple)
    assert found.rmse < 0.8 * found.rmse_against


def test_a_worse_candidate_is_kept_back_and_a_better_one_is_taken(
    panel: Panel, good: Model, bad: Model
) -> None:
    first = gate.judge(panel, good, None, ISSUE, RULES.gate)
    assert first.promoted
    assert first.against == "persistence"
    kept_back = gate.judge(panel, bad, good, ISSUE, RULES.gate)
    assert not kept_back.promoted
    assert kept_back.against == good.card.version
    assert kept_back.rmse is not None
    assert kept_back.rmse_against is not None
    assert kept_back.rmse > 1.02 * kept_back.rmse_against
    assert gate.judge(panel, good, bad, ISSUE, RULES.gate).promoted
    assert gate.judge(panel, bad, good, factory.day(124), RULES.gate).promoted, "too few days to judge"


def test_a_model_that_does_worse_than_persistence_has_failed(panel: Panel, good: Model, bad: Model) -> None:
    assert watch(panel, good, ISSUE, RULES.drift).state is State.SOUND
    assert watch(panel, bad, ISSUE, RULES.drift).state is State.FAILED
    assert watch(panel, good, factory.day(115), RULES.drift).state is State.UNKNOWN
    strict = RULES.drift.model_copy(update={"watch_ratio": 0.1})
    assert watch(panel, good, ISSUE, strict).state is State.WATCH


def decision(version: str, last: date, promoted: bool = True, hour: int = 16) -> Decision:
    return Decision(
        version=version,
        source=CityDaySource.STATIONS,
        weather_ahead=False,
        issue_hour=hour,
        train_last=last,
        against="persistence",
        first=None,
        last=None,
        days=0,
        rmse=None,
        rmse_against=None,
        promoted=promoted,
        reason="",
    )


def test_what_is_in_use_is_the_newest_promoted_training_that_the_issue_may_know(tmp_path: Path) -> None:
    for made in (
        decision("may", date(2019, 5, 31)),
        decision("june", date(2019, 6, 30)),
        decision("corrected", date(2019, 6, 30)),
        decision("poor", date(2019, 7, 31), promoted=False),
        decision("morning", date(2019, 7, 31), hour=8),
    ):
        gate.add_decision(tmp_path, PM25, made)

    def speaking(until: date) -> list[str]:
        held = gate.read_decisions(tmp_path, PM25)
        return [d.version for d in held.in_use(CityDaySource.STATIONS, False, 16, until)]

    assert speaking(date(2019, 8, 31)) == ["corrected", "june", "may"]
    assert speaking(date(2019, 6, 15)) == ["may"], "a hindcast does not use what was trained later"
    gate.withdraw(tmp_path, PM25, "corrected", "冬季偏差大", "甲")
    assert speaking(date(2019, 8, 31)) == ["june", "may"]
    assert gate.read_decisions(tmp_path, Target.NO2) == Decisions()


@pytest.mark.parametrize(
    ("version", "reason", "message"),
    [("poor", "x", "never in use"), ("gone", "x", "withdrawn already"), ("may", " ", "needs a reason")],
)
def test_a_roll_back_that_makes_no_sense_is_refused(
    tmp_path: Path, version: str, reason: str, message: str
) -> None:
    for made in (
        decision("may", date(2019, 5, 31)),
        decision("gone", date(2019, 5, 31)),
        decision("poor", date(2019, 7, 31), promoted=False),
    ):
        gate.add_decision(tmp_path, PM25, made)
    gate.withdraw(tmp_path, PM25, "gone", "y", "甲")
    with pytest.raises(InputError, match=message):
        gate.withdraw(tmp_path, PM25, version, reason, "乙")


def test_a_damaged_file_of_decisions_is_named(tmp_path: Path) -> None:
    gate.add_decision(tmp_path, PM25, decision("may", date(2019, 5, 31)))
    path = tmp_path / "pm25" / "decisions.json"
    path.write_text(path.read_text(encoding="utf-8")[:50], encoding="utf-8")
    with pytest.raises(InputError, match=r"decisions\.json"):
        gate.read_decisions(tmp_path, PM25)
