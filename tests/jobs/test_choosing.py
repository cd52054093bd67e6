"""Which models an issue asks: the gate, the last good model, the ladder below."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path

import pandas as pd
import pytest

from tests.forecast import factory
from yrd_airq.errors import InputError
from yrd_airq.forecast import gate
from yrd_airq.forecast.panel import build_panel
from yrd_airq.jobs import choosing
from yrd_airq.jobs.choosing import choose_models
from yrd_airq.jobs.issue import IssueData
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.region import load_region
from yrd_airq.vocab import CityDaySource, Target

PM25 = Target.PM25
SETTINGS = factory.quick_settings(min_train_days=40)


def issue_data(offset: int, days: int = 130) -> IssueData:
    """What is known at 16:00 of day ``offset`` of the synthetic archive, without weather."""
    daily, _ = factory.archive(days)
    daily = daily[daily["target"] == "pm25"]
    when = datetime.combine(factory.day(offset), time(16))
    known = daily[daily["date"] < pd.Timestamp(when.date())]
    panel = build_panel(known, None, None, load_region(), 16, source=CityDaySource.STATIONS)
    return IssueData(when, CityDaySource.STATIONS, known, None, pd.DataFrame(), pd.DataFrame(), panel)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A registry in which two months' models have come into use."""
    root = tmp_path_factory.mktemp("models")
    for offset in (75, 105):
        choose_models(Workspace(root / "none", root, root), issue_data(offset), PM25, SETTINGS)
    return root


@pytest.fixture
def workspace(models: Path, tmp_path: Path) -> Workspace:
    root = tmp_path / "models"
    for path in models.rglob("*.*"):
        copy = root / path.relative_to(models)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    return Workspace(tmp_path / "none", root, tmp_path)


def test_a_new_month_brings_a_judged_model_and_the_same_issue_the_same_one(workspace: Workspace) -> None:
    path = workspace.models / "pm25" / "decisions.json"
    before = path.read_bytes()
    (choice,) = choose_models(workspace, issue_data(105), PM25, SETTINGS)
    made = gate.read_decisions(workspace.models, PM25).made
    assert [d.version for d in made] == [made[0].version, choice.model.card.version]
    assert made[1].against == made[0].version, "the newer was judged beside the older"
    assert made[1].days >= 7
    assert path.read_bytes() == before, "a judged model is not judged again"
    assert choice.set_aside is None
    (earlier,) = choose_models(workspace, issue_data(75), PM25, SETTINGS)
    assert earlier.model.card.version == made[0].version, (
        "an issue of the past knows nothing of the later model"
    )


def test_a_broken_training_leaves_the_last_good_model_in_place(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise InputError("no room on the disk")

    monkeypatch.setattr(choosing, "train_or_load", fail)
    (choice,) = choose_models(workspace, issue_data(125), PM25, SETTINGS)
    assert choice.model.card.version == gate.read_decisions(workspace.models, PM25).made[-1].version
    assert choice.set_aside is not None
    assert "未成功" in choice.set_aside


def test_a_rolled_back_model_gives_way_to_the_one_before(workspace: Workspace) -> None:
    first, second = gate.read_decisions(workspace.models, PM25).made
    gate.withdraw(workspace.models, PM25, second.version, "偏差大", "甲")
    (choice,) = choose_models(workspace, issue_data(105), PM25, SETTINGS)
    assert choice.model.card.version == first.version
    assert choice.set_aside is not None
    assert "撤回" in choice.set_aside


def test_a_damaged_model_is_passed_over(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = gate.read_decisions(workspace.models, PM25).made
    (workspace.models / "pm25" / second.version / "card.json").unlink()

    def fail(*_: object) -> None:
        raise InputError("no room on the disk")

    monkeypatch.setattr(choosing, "train_or_load", fail)
    (choice,) = choose_models(workspace, issue_data(125), PM25, SETTINGS)
    assert choice.model.card.version == first.version


def test_short_data_have_no_model(workspace: Workspace) -> None:
    assert choose_models(workspace, issue_data(40), PM25, SETTINGS) == ()
