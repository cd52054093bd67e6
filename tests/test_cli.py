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
    assert (code, json.loads(out)["new_rows"], json.loads(out)["refused_rows"]) == (0, 1, 2)
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
    assert set(scores["models"]) == {"lightgbm", "persistence", "climatology"}
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
