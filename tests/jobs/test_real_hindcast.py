"""The G20 summit of 2016 from real files: a pack with the outcome beside it, and real plants on the list."""

from __future__ import annotations

import csv
import json
import shutil
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest

from tests.conftest import ROOT
from yrd_airq.jobs.run import run_once
from yrd_airq.jobs.workspace import Workspace

EVENT = ROOT / "configs" / "events" / "g20-hangzhou-2016.yaml"
PROVINCES = ("上海市", "江苏省", "浙江省", "安徽省")


@pytest.fixture(scope="module")
def folder(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real files that the hindcast draws on, from December 2015 on to keep the training short."""
    target = tmp_path_factory.mktemp("g20")
    for province in PROVINCES:
        for path in sorted((real_data / "city_daily_reanalysis" / province).glob("*.csv.gz")):
            table = pd.read_csv(path, dtype=str)
            (target / province).mkdir(exist_ok=True)
            table[table["date"] >= "2015-12-01"].to_csv(target / province / path.name, index=False)
    for year in (2015, 2016):
        shutil.copy(real_data / "weather" / f"capra_daily_{year}.nc", target)
    shutil.copy(real_data / "enterprises" / "yrd_plants.csv", target)
    return target


@pytest.mark.slow
def test_hindcast_of_the_g20_summit(folder: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "store.duckdb", tmp_path / "models", tmp_path / "out")
    report = run_once(workspace, folder, EVENT, datetime(2016, 9, 1, 16))
    assert report.exit_code in (0, 3)
    pack = json.loads((report.pack / "pack.json").read_text(encoding="utf-8"))

    assert pack["header"]["drill"] is False
    assert pack["header"]["hindcast"] is True
    assert pack["header"]["data_cutoff"] == "2016-09-01T00:00:00"
    assert pack["forecast"]["weather_kind"] == "analysis"
    outcomes = pack["check"]["outcomes"]
    assert {row["date"] for row in outcomes} >= {"2016-09-04", "2016-09-05"}
    assert all(row["persistence"] is not None for row in outcomes)
    scores = pack["check"]["outcome_scores"]
    assert {score["n"] for score in scores} == {41}
    assert all(score["rmse_persistence"] is not None for score in scores)

    with (report.pack / "control_list.csv").open(encoding="utf-8-sig", newline="") as file:
        chosen = [row for row in csv.DictReader(file) if row["status"] == "selected"]
    plants = pd.read_csv(folder / "yrd_plants.csv", dtype={"adcode": str}).set_index("enterprise_id")
    names = plants.loc[[row["enterprise_id"] for row in chosen], "name_zh"]
    assert [row["name_zh"] for row in chosen] == names.tolist()
    # North-easterly winds: Zhejiang itself, and Shanghai and Jiangsu upwind of it, not Anhui.
    provinces = {row["adcode"][:2] for row in chosen}
    assert {"33", "31"} <= provinces <= {"31", "32", "33"}
    for row in chosen:
        assert row["measure_zh"]
        assert float(row["reduction_nox_kgd"]) + float(row["reduction_pm_kgd"]) > 0
        # Rounded to thousandths; an order may be there for ozone.
        assert float(row["benefit_pm25_ugm3"]) >= 0
        assert max(float(row["benefit_pm25_ugm3"]), float(row["benefit_o3_ugm3"])) > 0
        assert row["grade"] == ""
        assert row["cost_cny"] == ""
        assert "绩效等级未知" in row["reason_zh"]
