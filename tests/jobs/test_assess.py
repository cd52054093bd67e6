"""The assessment from files to report: a made archive of the reanalysis layout with a planted effect."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from yrd_airq.control.listing import LIST_COLUMNS
from yrd_airq.errors import InputError
from yrd_airq.jobs.assess import AssessReport, assess
from yrd_airq.jobs.ingest import ingest_folder
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.region import load_region
from yrd_airq.store.records import RunRecord
from yrd_airq.store.store import open_store
from yrd_airq.vocab import Target

EVENT_FILE = Path(__file__).parents[2] / "configs" / "events" / "g20-hangzhou-2016.yaml"
FIRST, LAST = date(2016, 8, 24), date(2016, 9, 6)
CITIES = {"330100": "浙江省", "330400": "浙江省", "320300": "江苏省", "321300": "江苏省", "340100": "安徽省"}


def write_archive(folder: Path) -> None:
    """Five cities whose air follows the wind; Hangzhou's PM2.5 a fifth lower and ozone a third higher."""
    rng = np.random.default_rng(8)
    days = pd.date_range("2015-01-01", "2016-12-31")
    wind, red = np.exp(rng.normal(0.8, 0.35, len(days))), rng.normal(0, 0.15, len(days))
    warm = 16 - 12 * np.cos(2 * np.pi * days.dayofyear.to_numpy() / 365.25)
    region = load_region()
    controls = np.asarray((days >= pd.Timestamp(FIRST)) & (days <= pd.Timestamp(LAST)))
    for code, province in CITIES.items():
        own = rng.normal(0, 0.06, (2, len(days)))
        host = code == "330100"
        pm25 = 55 * wind**-0.6 * np.exp(red + own[0]) * np.where(controls & host, 0.8, 1.0)
        ozone = 60 * np.exp(0.02 * (warm - 16) + own[1]) * np.where(controls & host, 1.33, 1.0)
        name = region.city(code).name_zh
        table = pd.DataFrame({"province": province, "city": name, "date": days.strftime("%Y-%m-%d")})
        table = table.assign(
            **{
                "PM2.5": pm25,
                "O3": ozone,
                "U": wind,
                "V": 0.0,
                "TEMP": warm + 273.15,
                "RH": 70,
                "PSFC": 101000,
            }
        )
        (folder / province).mkdir(parents=True, exist_ok=True)
        table.round(2).to_csv(folder / province / f"{name}.csv", index=False)


def keep_list(workspace: Workspace) -> None:
    """A list of two plants that promises 4 µg/m³ of PM2.5."""
    row = {"rank": 1, "enterprise_id": "A", "measure_code": "limit_50", "status": "selected"}
    table = pd.DataFrame([row, {**row, "rank": 2, "enterprise_id": "B"}]).reindex(columns=list(LIST_COLUMNS))
    table = table.assign(
        start=pd.Timestamp("2016-09-03"), end=pd.Timestamp("2016-09-05"), benefit_pm25_ugm3=[3.0, 1.0]
    )
    text = [name for name in LIST_COLUMNS if name not in table.select_dtypes("number").columns]
    filled = table.assign(**{name: table[name].fillna("") for name in text if name not in ("start", "end")})
    issue = datetime(2016, 9, 1, 16)
    with open_store(workspace.store) as store:
        store.write_run(RunRecord("event-1", "event", issue, "g20-hangzhou-2016", "h", "s", "c", "done"))
        store.write_output("out_control_list", "event-1", filled.assign(list_version=1))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("assess")
    write_archive(folder / "files")
    made = Workspace(folder / "store.duckdb", folder / "models", folder / "out")
    ingest_folder(made, folder / "files")
    keep_list(made)
    return made


@pytest.fixture(scope="module")
def report(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> AssessReport:
    done = tmp_path_factory.mktemp("done") / "done.csv"
    done.write_text("enterprise_id,date,share\nA,2016-09-04,1\nB,2016-09-04,0.2\n", encoding="utf-8")
    return assess(workspace, EVENT_FILE, done, FIRST, LAST)


def test_the_report_finds_what_was_planted(report: AssessReport) -> None:
    found = {effect.target: effect for effect in report.assessment.at_receptors}
    assert found[Target.PM25].low <= -0.2 <= found[Target.PM25].high
    assert found[Target.PM25].compared_with
    assert found[Target.O3_MEAN].low <= 0.33 <= found[Target.O3_MEAN].high
    assert found[Target.O3_MEAN].verdict == "higher"
    assert report.exit_code == 0
    inside = {effect.adcode for effect in report.assessment.effects}
    assert {"330100", "330400"} <= inside  # 徐州 and 宿迁 lie outside the zones
    assert "320300" not in inside


def test_the_lessons_follow_from_the_numbers(report: AssessReport) -> None:
    text = "\n".join(report.assessment.lessons_zh)
    assert "臭氧高于气象条件所应有的水平" in text
    assert "名单（2家）预计受体城市PM₂.₅下降4.0μg/m³" in text
    assert "加权的执行率为80%，其中1家低于80%" in text  # (3·1 + 1·0.2) / 4
    assert "按执行率折算，名单预计的PM₂.₅下降应为3.2μg/m³" in text


def test_the_report_is_written_whole(report: AssessReport) -> None:
    page, plain, data = report.files
    numbers = json.loads(data.read_text(encoding="utf-8"))
    assert numbers["event"] == "g20-hangzhou-2016"
    assert numbers["execution"]["weighted_share"] == pytest.approx(0.8)
    assert {effect["verdict"] for effect in numbers["effects"]} <= {"lower", "higher", "unclear", "no_claim"}
    assert "<svg" in page.read_text(encoding="utf-8")
    text = plain.read_text(encoding="utf-8")
    assert "不代表管控效果，仅供对照" in text
    assert (page.parent / "figures" / "assessment_course.png").stat().st_size > 10_000


def test_days_that_nobody_measured_are_refused(workspace: Workspace) -> None:
    with pytest.raises(InputError, match="covers the controls 2019-01-01"):
        assess(workspace, EVENT_FILE, None, date(2019, 1, 1), date(2019, 1, 5))
    with pytest.raises(InputError, match="before they start"):
        assess(workspace, EVENT_FILE, None, LAST, FIRST)


def test_a_short_archive_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "files"
    write_archive(folder)
    for path in folder.rglob("*.csv"):
        table = pd.read_csv(path)
        table[table["date"] >= "2016-07-01"].to_csv(path, index=False)
    short = Workspace(tmp_path / "store.duckdb", tmp_path / "models", tmp_path / "out")
    ingest_folder(short, folder)
    with pytest.raises(InputError, match="days outside the event to learn the weather's part from"):
        assess(short, EVENT_FILE)
