"""From an issue and an enterprise list in the store to tiers, list and words."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from yrd_airq import cli
from yrd_airq.errors import InputError
from yrd_airq.jobs.emergency import foresee_emergency
from yrd_airq.jobs.ingest import ingest_folder
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.region import load_region
from yrd_airq.standards.tiers import Tier
from yrd_airq.store.store import open_store

ISSUE = datetime(2026, 1, 10, 16)
PLANTS = """enterprise_id,name_zh,adcode,lon,lat,sector,grade,nox_tpa,so2_tpa,pm_tpa,voc_tpa,emission_basis
P1,徐州水泥,320300,117.2,34.3,cement,C,730,365,365,,permit
P2,杭州水泥,330100,120.2,30.3,cement,C,730,365,365,,permit
"""


def make_issued(bad: str = "320300", value: float = 180.0) -> Any:
    """An issue from days alone: five bad days in one city."""
    codes = load_region().adcodes
    days = pd.date_range("2026-01-11", periods=7)
    rows = pd.DataFrame({"adcode": np.repeat(codes, 7), "valid_date": np.tile(days, len(codes))})
    level = np.where((rows["adcode"] == bad) & (rows["valid_date"] < "2026-01-16"), value, 40.0)
    rows = rows.assign(target="pm25", mean=level, q10=level - 5, q50=level, q90=level + 5)
    past = pd.date_range("2026-01-01", "2026-01-09")
    daily = pd.DataFrame({"adcode": np.repeat(codes, 9), "date": np.tile(past, len(codes))})
    daily = daily.assign(target="pm25", value=40.0)
    return SimpleNamespace(rows=rows, data=SimpleNamespace(issue_time=ISSUE, daily=daily, hourly=None))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "plants.csv").write_text(PLANTS, encoding="utf-8")
    made = Workspace(tmp_path / "store.duckdb", tmp_path / "models", tmp_path / "out")
    ingest_folder(made, folder)
    return made


def test_tiers_list_and_words_of_an_issue(workspace: Workspace) -> None:
    """180 µg/m³ is an index above 200: five days of it are an orange warning, and a red one they are not."""
    with open_store(workspace.store) as store:
        case = foresee_emergency(store, make_issued(), None)
    assert case.foresight.tiers == {"320300": Tier.ORANGE}
    assert case.worth_telling
    assert case.made is not None
    assert case.made.list["enterprise_id"].to_list() == ["P1"]
    assert case.made.list["measure_zh"].to_list() == ["限产50%"]
    loads = case.made.loads.set_index("precursor")
    assert loads.loc["nox", "reduction_tpd"] == pytest.approx(1.0)
    assert loads.loc["voc", "met"] is None  # nothing is known of its emission
    assert any("建议徐州启动橙色预警" in text for text in case.part.text_zh)
    assert any("逐日预报分位数" in note for note in case.part.notes_zh)


def test_good_air_is_not_worth_telling(workspace: Workspace) -> None:
    with open_store(workspace.store) as store:
        case = foresee_emergency(store, make_issued(value=40.0), None)
        assert case.made is None
        assert not case.worth_telling
        stands = foresee_emergency(store, make_issued(value=40.0), None, {"330100": Tier.YELLOW})
    assert stands.worth_telling
    assert any("建议杭州解除预警" in text for text in stands.part.text_zh)


def call(*arguments: str) -> None:
    patch = pytest.MonkeyPatch()
    patch.setattr(sys, "argv", ["yrd-airq", "emergency", "--issue", "2026-01-10T16:00", *arguments])
    patch.setenv("YRD_AIRQ_DEBUG", "1")
    try:
        cli.main()
    finally:
        patch.undo()


def test_wrong_options_are_told() -> None:
    with pytest.raises(InputError, match="'purple' is no tier"):
        call("--in-force", "320300=purple")
    with pytest.raises(InputError, match="write it like 320300=yellow"):
        call("--in-force", "320300")
    with pytest.raises(InputError, match="adcode"):
        call("--other-cause", "北京=沙尘")
