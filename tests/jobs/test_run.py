"""The main job in the drill: a whole pack, the same bytes again, nothing from after the issue."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from datetime import datetime
from pathlib import Path

import netCDF4
import numpy as np
import pandas as pd
import pytest
import yaml

from tests.conftest import ROOT
from yrd_airq.errors import InputError
from yrd_airq.jobs.forecasting import issue_forecast, leads_by_limits
from yrd_airq.jobs.ingest import ingest_files, ingest_folder
from yrd_airq.jobs.issue import read_issue
from yrd_airq.jobs.lineage import trace_run
from yrd_airq.jobs.run import PackReport, run_daily, run_event, run_once
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.sources.batch import Kind
from yrd_airq.store.store import open_store
from yrd_airq.vocab import CityDaySource, Target

EVENT = ROOT / "configs" / "events" / "drill.yaml"
ISSUE = datetime(2026, 8, 18, 16)
EARLIER = datetime(2026, 8, 12, 16)
PACK = {
    "brief.docx",
    "brief.pdf",
    "index.html",
    "control_list.xlsx",
    "control_list.csv",
    "pack.json",
    "figures",
}


def forecast_rows(workspace: Workspace, issue_time: datetime) -> pd.DataFrame:
    """Rows of the forecast as issued, in a fixed order."""
    with open_store(workspace.store) as store:
        rows = issue_forecast(workspace, read_issue(store, issue_time)).rows
    return rows.sort_values(["target", "adcode", "lead_day"]).reset_index(drop=True)


@pytest.fixture(scope="module")
def event_run(filled: Workspace, tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, PackReport]:
    folder = tmp_path_factory.mktemp("event")
    shutil.copy(filled.store, folder / "store.duckdb")
    workspace = Workspace(folder / "store.duckdb", filled.models, folder / "out")
    return workspace, run_event(workspace, EVENT, ISSUE)


def test_event_run_ends_in_a_whole_pack(event_run: tuple[Workspace, PackReport]) -> None:
    _, report = event_run
    assert {path.name for path in report.pack.iterdir()} == PACK
    assert all(path.stat().st_size > 1000 for path in report.pack.iterdir() if path.is_file())
    pack = json.loads((report.pack / "pack.json").read_text(encoding="utf-8"))
    assert pack["header"]["drill"] is True
    assert pack["header"]["run_id"] == report.run_id
    assert len({day["adcode"] for day in pack["forecast"]["days"]}) == 41
    assert {day["lead_day"] for day in pack["forecast"]["days"]} == set(range(1, 8))
    assert pack["forecast"]["weather_kind"] == "forecast"


def test_the_list_orders_nothing_of_exempt_or_voluntary_enterprises(
    event_run: tuple[Workspace, PackReport], drill_files: Path
) -> None:
    _, report = event_run
    with (report.pack / "control_list.csv").open(encoding="utf-8-sig", newline="") as file:
        listed = list(csv.DictReader(file))
    given = pd.read_csv(drill_files / "enterprises" / "enterprises.csv", dtype=str).set_index("enterprise_id")
    chosen = [row for row in listed if row["status"] == "selected"]
    assert chosen
    assert all(row["measure_code"] and row["reason_zh"] for row in chosen)
    known = given.loc[[row["enterprise_id"] for row in chosen]]
    assert not known["exempt"].str.lower().eq("true").any()
    assert not known["grade"].isin(["A", "引领性"]).any()
    exempt = [row for row in listed if row["status"] == "exempt"]
    assert exempt
    assert all(row["reason_zh"] and not row["measure_code"] for row in exempt)


def test_a_second_run_changes_no_table_and_no_byte_of_the_list(
    event_run: tuple[Workspace, PackReport],
) -> None:
    workspace, report = event_run
    with open_store(workspace.store) as store:
        before = store.checksums()
    files = {p.name: p.read_bytes() for p in report.pack.iterdir() if p.is_file()}
    again = run_event(workspace, EVENT, ISSUE)
    with open_store(workspace.store) as store:
        assert store.checksums() == before
    assert again.run_id == report.run_id
    for name in ("control_list.csv", "pack.json", "index.html"):
        assert (again.pack / name).read_bytes() == files[name], name


def test_a_pack_and_a_run_can_be_traced(event_run: tuple[Workspace, PackReport]) -> None:
    workspace, report = event_run
    of_pack = trace_run(workspace, str(report.pack)).as_dict()
    assert any("enterprises.csv" in item for item in of_pack["inputs"])
    of_run = trace_run(workspace, report.run_id).as_dict()
    assert of_run["settings_hash"] == of_pack["settings_hash"]
    assert of_run["event_code"] == "drill"
    with pytest.raises(InputError, match="neither a pack folder nor a run"):
        trace_run(workspace, "event-000000000000")


def test_exceedance_is_judged_by_the_limit_of_the_day() -> None:
    groups = leads_by_limits(datetime(2026, 2, 26, 16), (1, 2, 3, 4))
    assert [(limits[Target.PM25], leads) for limits, leads in groups] == [(75, (1, 2)), (60, (3, 4))]
    assert len(leads_by_limits(ISSUE, range(1, 8))) == 1


def test_daily_bulletin_checks_yesterday(workspace: Workspace) -> None:
    report = run_daily(workspace, ISSUE)
    pack = json.loads((report.pack / "pack.json").read_text(encoding="utf-8"))
    assert pack["control"] is None
    assert pack["check"]["yesterday"]["date"] == "2026-08-17"
    assert len(pack["check"]["yesterday"]["cities"]) > 30
    assert {score["target"] for score in pack["check"]["scores"]} == {"o3_mda8", "pm25"}
    assert all(score["rmse_persistence"] is not None for score in pack["check"]["scores"])


def test_observations_after_the_issue_change_nothing(
    filled: Workspace, workspace: Workspace, drill_files: Path, tmp_path: Path
) -> None:
    archive = drill_files / "stations_hourly" / "national_yrd_202608.csv.gz"
    table = pd.read_csv(archive, dtype={"date": str})
    stamp = pd.to_datetime(table["date"], format="%Y%m%d") + pd.to_timedelta(table["hour"], unit="h")
    late = (stamp > pd.Timestamp(EARLIER)).to_numpy()
    changed = table.copy()
    changed.loc[late, changed.columns[3:]] = changed.loc[late, changed.columns[3:]] * 3 + 7
    revised = tmp_path / "revised"
    revised.mkdir()
    with gzip.open(revised / archive.name, "wt", encoding="utf-8") as file:
        changed.to_csv(file, index=False)
    before = forecast_rows(workspace, EARLIER)
    report = ingest_folder(workspace, revised)
    assert report.new_rows > 10_000
    pd.testing.assert_frame_equal(forecast_rows(workspace, EARLIER), before, check_exact=True)


def test_weather_of_a_target_day_changes_that_lead(
    workspace: Workspace, drill_files: Path, tmp_path: Path
) -> None:
    before = forecast_rows(workspace, ISSUE)
    source = next((drill_files / "weather").glob("forecast_*.nc"))
    # The same forecast sent again, but hotter and calmer on the last target day.
    revised = Path(shutil.copy(source, tmp_path / source.name))
    with netCDF4.Dataset(revised, "a") as file:
        utc = pd.to_datetime(np.asarray(file["valid_time"][:]), unit="s")
        last_day = np.asarray(utc > pd.Timestamp("2026-08-24 16:00"))
        assert last_day.sum() >= 7
        file["t2m"][last_day] = file["t2m"][last_day] + 8.0
        file["u10"][last_day] = file["u10"][last_day] * 0.2
    ingest_files(workspace, [revised], [Kind.WEATHER])
    after = forecast_rows(workspace, ISSUE)
    moved = (after["mean"] - before["mean"]).abs() > 1e-9
    assert set(after.loc[moved, "lead_day"]) <= {7}
    assert moved[after["lead_day"] == 7].any()


def test_an_event_that_cannot_be_served_is_one_clear_error(workspace: Workspace, tmp_path: Path) -> None:
    def dated(**dates: str) -> Path:
        data = yaml.safe_load(EVENT.read_text(encoding="utf-8")) | dates
        path = tmp_path / "event.yaml"
        path.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
        return path

    before_data = {"start": "2020-05-01", "end": "2020-05-02", "control_start": "2020-05-01"}
    with pytest.raises(InputError, match="lies before the data"):
        run_event(workspace, dated(**before_data), ISSUE)
    over = {"start": "2026-08-10", "end": "2026-08-11", "control_start": "2026-08-10"}
    with pytest.raises(InputError, match="not after the issue time"):
        run_event(workspace, dated(**over), ISSUE)
    far = {"start": "2026-09-10", "end": "2026-09-11", "control_start": "2026-09-10"}
    with pytest.raises(InputError, match="issue nearer to the event"):
        run_event(workspace, dated(**far), ISSUE)
    with pytest.raises(InputError, match="no observations within 7 days"):
        run_daily(workspace, datetime(2026, 10, 1, 16))


def test_a_broken_file_is_left_out_and_the_rest_is_used(
    workspace: Workspace, drill_files: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mixed"
    folder.mkdir()
    whole = (drill_files / "stations_hourly" / "national_yrd_202608.csv.gz").read_bytes()
    (folder / "cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    (folder / "empty.csv").write_bytes(b"")
    (folder / "notes.txt").write_text("not data", encoding="utf-8")
    shutil.copy(drill_files / "stations" / "station_list.csv", folder)
    report = ingest_folder(workspace, folder)
    assert [item.name for item in report.taken] == ["station_list.csv"]
    assert {path.name for path, _ in report.left_out} == {"cut.csv.gz", "empty.csv", "notes.txt"}
    with pytest.raises(InputError, match="no such folder"):
        run_once(workspace, tmp_path / "nowhere", None, None)
    bare = tmp_path / "bare"
    bare.mkdir()
    with pytest.raises(InputError, match="no usable file"):
        ingest_folder(workspace, bare)


def test_a_run_that_broke_off_before_the_city_series_is_made_good(
    drill_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(tmp_path / "store.duckdb", tmp_path / "models", tmp_path / "out")
    folder = tmp_path / "files"
    folder.mkdir()
    for file in (
        *(drill_files / "stations_hourly").glob("*07.csv.gz"),
        drill_files / "stations/station_list.csv",
    ):
        shutil.copy(file, folder)

    def break_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("yrd_airq.jobs.series.refresh_city_series", break_off)
        with pytest.raises(KeyboardInterrupt):
            ingest_folder(workspace, folder)
    with open_store(workspace.store) as store:
        assert store.city_daily(CityDaySource.STATIONS).empty
    assert ingest_folder(workspace, folder).new_rows == 0
    with open_store(workspace.store) as store:
        assert len(store.city_daily(CityDaySource.STATIONS)) > 1000
