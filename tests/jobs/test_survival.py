"""Interrupted runs, two writers, no room: the store stays whole, and the next run completes it."""

from __future__ import annotations

import multiprocessing
import time
from datetime import date, timedelta
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.conftest import ROOT
from tests.jobs import survivor
from tests.quality.stations import rough_air
from tests.sources import factories as make
from yrd_airq.jobs.ingest import ingest_folder
from yrd_airq.jobs.upkeep import check_store
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.store.store import open_store
from yrd_airq.vocab import Pollutant

FIRST = date(2019, 1, 25)
CODES = [f"{1141 + k}A" for k in range(12)]
TYPES = {
    Pollutant.SO2: "SO2",
    Pollutant.NO2: "NO2",
    Pollutant.CO: "CO",
    Pollutant.O3: "O3",
    Pollutant.PM10: "PM10",
    Pollutant.PM25: "PM2.5",
}
KILLS = 20


def _wide(hourly: pd.DataFrame, kind: str) -> list[str]:
    rows = []
    for label, values in zip(hourly.index, hourly.to_numpy(), strict=True):
        cells = ",".join("" if np.isnan(value) else f"{value:g}" for value in values)
        rows.append(f"{label:%Y%m%d},{label.hour},{kind},{cells}")
    return rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five files of four days each, and the station list."""
    folder = tmp_path_factory.mktemp("files")
    for k in range(5):
        first = FIRST + timedelta(days=4 * k)
        air = rough_air(first, first + timedelta(days=3), CODES, seed=k)
        rows = [row for pollutant, hourly in air.items() for row in _wide(hourly, TYPES[pollutant])]
        make.write_stations(folder / f"part{k}.csv.gz", rows, CODES)
    make.write_station_list(folder / "list.csv", *(f"{code},站{code},上海,121.4,31.2" for code in CODES))
    return folder


@pytest.fixture(scope="module")
def whole(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Checksums of a store that nobody disturbed."""
    workspace = Workspace.of(tmp_path_factory.mktemp("whole") / "store.duckdb")
    ingest_folder(workspace, folder)
    return _checksums(workspace)


@pytest.fixture(scope="module")
def server() -> ForkServerContext:
    """Processes that start with everything imported, so that they are killed in the work itself."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.jobs.survivor"])
    return context


def _checksums(workspace: Workspace) -> dict[str, str]:
    with open_store(workspace.store) as store:
        return store.checksums()


def _start(
    server: ForkServerContext, store: Path, folder: Path, largest_file: int | None = None
) -> ForkServerProcess:
    arguments = (store, folder, str(ROOT / "configs"), largest_file, store.with_suffix(".said"))
    process = server.Process(target=survivor.ingest, args=arguments)
    process.start()
    return process


def _finish(process: ForkServerProcess, store: Path) -> str:
    process.join(120)
    assert process.exitcode == 0
    return store.with_suffix(".said").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_a_sound_store_that_the_next_run_completes(
    server: ForkServerContext, folder: Path, whole: dict[str, str], tmp_path: Path
) -> None:
    lasts = 0.0
    for name in ("warm", "timed"):  # the first start also starts the server
        begun = time.monotonic()
        store = tmp_path / f"{name}.duckdb"
        assert _finish(_start(server, store, folder), store).startswith("done")
        lasts = time.monotonic() - begun
    unfinished = 0
    for k, share in enumerate(np.random.default_rng(3).uniform(0.05, 1, KILLS)):
        workspace = Workspace.of(tmp_path / f"killed{k}.duckdb")
        process = _start(server, workspace.store, folder)
        process.join(share * lasts)
        process.kill()
        process.join()
        unfinished += process.exitcode != 0
        if workspace.store.exists():
            assert check_store(workspace).sound
        ingest_folder(workspace, folder)
        assert check_store(workspace).sound
        assert _checksums(workspace) == whole, f"killed after {share:.2f} of {lasts:.2f} s"
    assert unfinished > KILLS / 2, "most were killed in the midst of it"


def test_a_full_disk_is_named_and_the_store_is_intact(
    server: ForkServerContext, folder: Path, whole: dict[str, str], tmp_path: Path
) -> None:
    workspace = Workspace.of(tmp_path / "store.duckdb")
    refused = 0
    for room in (300_000, 600_000, 900_000):
        said = _finish(_start(server, workspace.store, folder, room), workspace.store)
        if said.startswith("exit"):
            refused += 1
            assert "exit 2" in said
            assert "no space left" in said
            assert "make room and run again" in said
            assert check_store(workspace).sound
    assert refused
    ingest_folder(workspace, folder)
    assert _checksums(workspace) == whole


def test_of_two_writers_one_waits_and_nothing_is_lost(
    server: ForkServerContext, folder: Path, whole: dict[str, str], tmp_path: Path
) -> None:
    store = tmp_path / "store.duckdb"
    processes = [_start(server, store, folder) for _ in range(2)]
    said = [_finish(process, store) for process in processes]
    assert all(text.startswith("done") for text in said)
    assert _checksums(Workspace.of(store)) == whole
