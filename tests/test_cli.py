"""The command line: exit codes, one clear message, machine-readable output."""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from pathlib import Path

import netCDF4
import pandas as pd
import pytest

from tests.conftest import ROOT
from yrd_airq import cli
from yrd_airq.forecast.rows import COLUMNS

HOURLY = "date,hour,type,1001A,1002A\n20260301,1,PM2.5,12,13\n20260301,1,O3,60,61\n"
PLANT = "enterprise_id,name_zh,adcode,lon,lat,sector,nox_tpa,so2_tpa,pm_tpa,voc_tpa,emission_basis\n"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one call."""
    patch = pytest.MonkeyPatch()
    patch.setattr(sys, "argv", ["yrd-airq", *arguments])
    code = 0
    try:
        cli.main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    finally:
        patch.undo()
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "store.duckdb")


def _write(path: Path, content: str | bytes) -> str:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def _wind_free(path: Path) -> str:
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("valid_time", 2), ("latitude", 2), ("longitude", 2)):
            file.createDimension(name, size)
            axis = file.createVariable(name, "f8", (name,))
            axis[:] = [0.0, 6.0]
        file["valid_time"].units = "hours since 2026-03-01"
        file["latitude"].units, file["longitude"].units = "degrees_north", "degrees_east"
        t2m = file.createVariable("t2m", "f4", ("valid_time", "latitude", "longitude"))
        t2m.units = "K"
        t2m[:] = 290.0
    return str(path)


def test_a_good_file_is_taken_in_and_reported(
    capsys: pytest.CaptureFixture[str], store: str, tmp_path: Path
) -> None:
    path = _write(tmp_path / "hours.csv", HOURLY)
    code, out, _ = run(capsys, "ingest", "stations", path, "--store", store, "--json")
    assert code == 0
    assert json.loads(out)["new_rows"] == 4
    code, out, _ = run(capsys, "ingest", "stations", path, "--store", store, "--json")
    assert (code, json.loads(out)["new_rows"], json.loads(out)["already_known"]) == (0, 0, 1)


@pytest.mark.parametrize(
    ("kind", "make", "message"),
    [
        ("stations", lambda p: str(p / "nowhere.csv"), "no such file"),
        ("stations", lambda p: _write(p / "empty.csv", ""), "empty"),
        ("stations", lambda p: _write(p / "odd.csv", "a,b,c\n1,2,3\n"), "not of a known layout"),
        (
            "stations",
            lambda p: _write(p / "cut.csv.gz", gzip.compress(HOURLY.encode() * 99)[:-20]),
            "cut.csv.gz",
        ),
        ("weather", lambda p: _wind_free(p / "calm.nc"), "wind"),
        ("weather", lambda p: _write(p / "half.nc", b"CDF\x01" + b"\0" * 40), "half.nc"),
        (
            "enterprises",
            lambda p: _write(p / "plants.csv", "enterprise_id,name_zh,sector\nA,B,steel\n"),
            "lon",
        ),
    ],
    ids=[
        "missing",
        "empty",
        "unknown-layout",
        "truncated-gzip",
        "no-wind",
        "broken-netcdf",
        "no-coordinates",
    ],
)
def test_unusable_input_is_one_clear_error_with_exit_code_2(
    capsys: pytest.CaptureFixture[str], store: str, tmp_path: Path, kind: str, make, message: str
) -> None:
    code, out, err = run(capsys, "ingest", kind, make(tmp_path), "--store", store)
    assert code == 2
    assert out == ""
    assert message in err
    assert "Traceback" not in err


def test_refused_cells_rows_and_columns_go_to_quarantine(
    capsys: pytest.CaptureFixture[str], store: str, tmp_path: Path
) -> None:
    hours = "date,hour,type,1001A,no station\n20260301,1,PM2.5,12,13\n20260301,2,PM2.5,abc,14\n"
    code, out, _ = run(
        capsys, "ingest", "stations", _write(tmp_path / "h.csv", hours), "--store", store, "--json"
    )
    told = json.loads(out)
    assert (code, told["rows_in"], told["new_rows"], told["refused_rows"]) == (0, 4, 1, 3)
    plants = PLANT + "P1,示例一,330100,120.2,30.2,steel,1,1,1,1,x\nP2,示例二,330100,,,steel,1,1,1,1,x\n"
    code, out, _ = run(
        capsys, "ingest", "enterprises", _write(tmp_path / "p.csv", plants), "--store", store, "--json"
    )
    assert (code, json.loads(out)["new_rows"], json.loads(out)["refused_rows"]) == (0, 1, 1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("run",),
        ("run", "--drill", "--data", "x"),
        ("run", "--data", "nowhere"),
        ("run", "--data", ".", "--event", "nowhere.yaml"),
        ("forecast", "--issue", "soon"),
        ("forecast",),
        ("backtest", "--target", "o3_mda8"),
        ("ingest", "clouds", "x"),
        ("nonsense",),
    ],
    ids=" ".join,
)
def test_bad_usage_is_exit_code_2(
    capsys: pytest.CaptureFixture[str], store: str, arguments: tuple[str, ...]
) -> None:
    where = ("--store", store) if arguments[0] not in ("nonsense",) else ()
    code, _, err = run(capsys, *arguments, *where)
    assert code == 2
    assert err.strip()
    assert "Traceback" not in err


def test_a_forecast_from_an_empty_store_says_what_to_do(
    capsys: pytest.CaptureFixture[str], store: str
) -> None:
    code, _, err = run(capsys, "forecast", "--issue", "2026-08-18T16:00", "--store", store)
    assert code == 2
    assert "no observations within 7 days" in err


def test_real_files_train_forecast_and_backtest(
    capsys: pytest.CaptureFixture[str],
    real_data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two real years of two provinces through every command that does not need an event."""
    monkeypatch.setenv("YRD_AIRQ_MODELS", str(tmp_path / "models"))
    store = str(tmp_path / "store.duckdb")
    folder = tmp_path / "cities"
    for province in ("浙江省", "上海市"):
        shutil.copytree(real_data / "city_daily_reanalysis" / province, folder / province)
    for arguments in (
        ("ingest", "cities", str(folder)),
        ("ingest", "weather", str(real_data / "weather" / "capra_daily_2013.nc")),
        ("train", "--target", "pm25", "--until", "2013-12-31"),
        ("forecast", "--issue", "2014-01-10T16:00"),
    ):
        code, _, err = run(capsys, *arguments, "--store", store, "--json")
        assert code == 0, err
    out = tmp_path / "backtest"
    period = ("--from", "2014-02-01", "--to", "2014-03-31", "--train-until", "2014-01-31")
    code, text, err = run(
        capsys,
        "backtest",
        "--target",
        "pm25",
        *period,
        "--leads",
        "1,3",
        "--out",
        str(out),
        "--store",
        store,
        "--json",
    )
    assert code == 0, err
    scores = json.loads(text)
    assert {"lightgbm", "persistence", "mean_7d", "climatology"} <= set(scores["models"])
    assert scores["weather"]["kind"] == "none"
    rows = pd.read_parquet(out / "forecasts.parquet")
    assert {*COLUMNS, "observed"} <= set(rows)
    assert set(rows["lead_day"]) == {1, 3}
    own = rows[(rows["model"] == "lightgbm") & (rows["lead_day"] == 1)]
    assert own["adcode"].nunique() == 12
    error = (own["mean"] - own["observed"]).pow(2).mean() ** 0.5
    assert error == pytest.approx(scores["models"]["lightgbm"]["1"]["rmse"], abs=1e-3)
    assert scores["models"]["lightgbm"]["1"]["skill_vs_persistence"] > 0


def test_every_command_has_a_help_text(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--help")
    assert code == 0
    for command in ("run", "ingest", "train", "forecast", "backtest", "event", "trace", "serve"):
        assert f"  {command} " in out
        assert run(capsys, command, "--help")[0] == 0


def test_the_project_stands_where_the_configs_are() -> None:
    assert (ROOT / "configs" / "region.yaml").is_file()


STATION_LIST = (
    "监测点编码,监测点名称,城市,经度,纬度,对照点\n1001A,甲,上海,121.4,31.2,N\n1002A,乙,上海,121.5,31.3,N\n"
)


def _hours(count: int, spike_at: int | None = None) -> str:
    rows = [
        f"20260301,{hour},SO2,{490 if hour == spike_at else 20 + hour % 3},{21 + hour % 2}"
        for hour in range(1, count + 1)
    ]
    return "\n".join(["date,hour,type,1001A,1002A", *rows]) + "\n"


def test_one_unusable_file_among_good_ones_is_named_and_the_others_are_kept(
    capsys: pytest.CaptureFixture[str], store: str, tmp_path: Path
) -> None:
    good, bad = _write(tmp_path / "h.csv", HOURLY), _write(tmp_path / "odd.csv", "a,b\n1,2\n")
    code, out, err = run(capsys, "ingest", "stations", bad, good, "--store", store, "--json")
    assert (code, json.loads(out)["new_rows"]) == (2, 4)
    assert "odd.csv" in err
    plants = _write(tmp_path / "p.csv", PLANT + "P1,示例一,330100,120.2,30.2,steel,1,1,1,1,x\n")
    code, _, err = run(capsys, "ingest", "stations", plants, "--store", store)
    assert code == 2
    assert "holds enterprises" in err


def test_store_commands_check_list_gaps_copy_and_restore(
    capsys: pytest.CaptureFixture[str], store: str, tmp_path: Path
) -> None:
    hours = _hours(20).replace("20260301,7,SO2,21,22\n", "")
    assert hours.count("\n") == 20
    files = [_write(tmp_path / "list.csv", STATION_LIST), _write(tmp_path / "h.csv", hours)]
    assert run(capsys, "ingest", "stations", *files, "--store", store)[0] == 0
    code, out, _ = run(capsys, "store", "check", "--store", store)
    assert code == 0
    assert "the store is sound" in out
    code, out, _ = run(capsys, "store", "gaps", "--store", store, "--json")
    told = json.loads(out)
    assert (told["station_hours"], told["gaps"][0]["hours"], told["gaps"][0]["whole_network"]) == (2, "7", 1)
    assert run(capsys, "store", "snapshot", "--store", store)[0] == 0
    Path(store).write_bytes(b"damaged")
    code, _, err = run(capsys, "store", "check", "--store", store)
    assert (code, "not a usable store" in err) == (2, True)
    code, out, _ = run(capsys, "store", "restore", "--store", store)
    assert (code, ".before-restore" in out) == (0, True)
    assert json.loads(run(capsys, "store", "gaps", "--store", store, "--json")[1]) == told
    code, _, err = run(capsys, "store", "restore", "--store", store, "--folder", str(tmp_path / "none"))
    assert (code, "holds no readable snapshot" in err) == (2, True)
    assert run(capsys, "store", "check", "--store", store)[0] == 0, "the store in use is untouched"
    code, _, err = run(capsys, "store", "check", "--store", str(tmp_path / "no.duckdb"))
    assert (code, "no such store" in err) == (2, True)


def test_a_forecaster_sets_and_lifts_flags_and_they_survive_the_next_ingest(
    capsys: pytest.CaptureFixture[str], store: str, tmp_path: Path
) -> None:
    files = [_write(tmp_path / "list.csv", STATION_LIST), _write(tmp_path / "h.csv", _hours(24, spike_at=9))]
    run(capsys, "ingest", "stations", *files, "--store", store)
    told = json.loads(run(capsys, "quality", "report", "--store", store, "--json")[1])
    assert (told["left_out"], told["lifted"]) == (1, 0)
    lift = (
        "quality",
        "lift",
        "1001A",
        "so2",
        "--from",
        "2026-03-01T09:00",
        "--reason",
        "复核属实",
        "--by",
        "王",
    )
    code, out, _ = run(capsys, *lift, "--store", store, "--json")
    assert (code, json.loads(out)["values"]) == (0, 1)
    leave = ("quality", "set", "1002A", "all", "--from", "2026-03-01T02:00", "--to", "2026-03-01T04:00")
    code, out, _ = run(capsys, *leave, "--reason", "检修", "--by", "王", "--store", store, "--json")
    assert (code, json.loads(out)["values"]) == (0, 3)
    revised = _write(
        tmp_path / "again.csv", _hours(24, spike_at=9).replace("20260301,2,SO2,22,21", "20260301,2,SO2,23,25")
    )
    run(capsys, "ingest", "stations", revised, "--store", store)
    code, out, _ = run(capsys, "quality", "report", "--store", store, "--json", "--out", str(tmp_path / "qc"))
    told = json.loads(out)
    assert (told["left_out"], told["lifted"]) == (3, 1)
    assert all(Path(name).is_file() for name in told["files"])
    code, _, err = run(capsys, *lift[:4], "--from", "2026-03-01T09:30", *lift[6:], "--store", store)
    assert (code, "whole hour" in err) == (2, True)


def test_statistics_are_printed_and_exported(
    capsys: pytest.CaptureFixture[str], store: str, tmp_path: Path
) -> None:
    files = [_write(tmp_path / "list.csv", STATION_LIST), _write(tmp_path / "h.csv", _hours(23))]
    run(capsys, "ingest", "stations", *files, "--store", store)
    asked = ("stats", "--from", "2026-03-01", "--to", "2026-03-01", "--by", "day", "--store", store)
    code, out, err = run(capsys, *asked, "--out", str(tmp_path / "stats.xlsx"))
    assert (code, "上海市" in out, "stats.xlsx" in err) == (0, True, True)
    table = pd.read_excel(tmp_path / "stats.xlsx")
    assert table["城市"].tolist() == ["上海市"]
    code, _, err = run(capsys, "stats", "--from", "2020-01-01", "--to", "2020-01-31", "--store", store)
    assert (code, "no city-day values" in err) == (2, True)


def test_feeds_are_listed_and_an_unknown_one_is_named(capsys: pytest.CaptureFixture[str], store: str) -> None:
    code, out, _ = run(capsys, "fetch", "list")
    assert (code, "archive-mirror" in out) == (0, True)
    code, _, err = run(capsys, "fetch", "nowhere", "--store", store)
    assert (code, "feed 'nowhere' is not known; known are cnemc" in err) == (2, True)
    code, _, err = run(capsys, "fetch", "openaq", "--store", store)
    assert (code, "OPENAQ_API_KEY" in err) == (2, True)
