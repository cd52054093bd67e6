"""Timings of the main job's steps in the drill, and scores on real data beside persistence.

``make bench`` runs it. Timings are of this machine at this moment: read them as orders of magnitude.
Scores need the real-data folder (YRD_AIRQ_REAL_DATA); without it they are left out.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.conftest import ROOT
from yrd_airq.drill.settings import load_drill
from yrd_airq.drill.write import write_drill
from yrd_airq.jobs.backtesting import run_backtest
from yrd_airq.jobs.forecasting import issue_forecast
from yrd_airq.jobs.guarantee import plan_guarantee
from yrd_airq.jobs.ingest import ingest_files, ingest_folder
from yrd_airq.jobs.issue import read_issue
from yrd_airq.jobs.run import run_event
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.settings import load_event
from yrd_airq.sources.batch import Kind
from yrd_airq.store.store import open_store
from yrd_airq.vocab import Target, WeatherKind

EVENT = ROOT / "configs" / "events" / "drill.yaml"
LEADS = (1, 2, 3)


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Note how long the block took."""
    start = time.perf_counter()
    yield
    seconds[name] = round(time.perf_counter() - start, 2)


def time_drill(folder: Path) -> dict[str, float]:
    """Seconds of each step of the main job in the drill world, and the peak memory in MB."""
    seconds: dict[str, float] = {}
    settings, event = load_drill(), load_event(EVENT)
    workspace = Workspace(folder / "store.duckdb", folder / "models", folder / "out")
    with timed(seconds, "write the drill world"):
        write_drill(folder / "files", settings)
    with timed(seconds, "ingest it"):
        ingest_folder(workspace, folder / "files")
    with timed(seconds, "ingest it again (nothing new)"):
        ingest_folder(workspace, folder / "files")
    with open_store(workspace.store) as store:
        with timed(seconds, "read the panel and the weather"):
            data = read_issue(store, settings.issue_time)
        with timed(seconds, "train 4 targets x 7 leads, forecast, check 7 issues"):
            issued = issue_forecast(workspace, data)
        with timed(seconds, "forecast and check with trained models"):
            issue_forecast(workspace, data)
        with timed(seconds, "trajectories, attribution, control list"):
            plan_guarantee(store, data, issued.rows, event)
    with timed(seconds, "whole event run, models trained"):
        run_event(workspace, EVENT, settings.issue_time)
    seconds["peak memory, MB"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return seconds


def score_reanalysis(folder: Path, real: Path) -> list[dict[str, Any]]:
    """2017 of the city-day reanalysis, trained to 2016-12-31, with analysed weather and without."""
    workspace = Workspace(folder / "cities.duckdb", folder / "models", folder / "out")
    ingest_files(workspace, [real / "city_daily_reanalysis"], [Kind.CITIES])
    year = date(2017, 1, 1), date(2017, 12, 31)
    return [
        run_backtest(
            workspace, target, *year, LEADS, date(2016, 12, 31), weather, folder / f"{target}-{weather}"
        ).scores
        for target in (Target.O3_MEAN, Target.PM25)
        for weather in (WeatherKind.ANALYSIS, WeatherKind.NONE)
    ]


def score_stations(folder: Path, real: Path) -> list[dict[str, Any]]:
    """August and September 2019 at the national stations, trained to 2019-07-31, no weather."""
    workspace = Workspace(folder / "stations.duckdb", folder / "models", folder / "out")
    ingest_files(workspace, [real / "stations"], [Kind.STATION_LIST])
    months = sorted((real / "stations_hourly").glob("*.csv.gz"))
    ingest_files(workspace, months, [Kind.STATIONS])
    period = date(2019, 8, 1), date(2019, 9, 29)
    return [
        run_backtest(
            workspace,
            target,
            *period,
            LEADS,
            date(2019, 7, 31),
            WeatherKind.NONE,
            folder / f"{target}-stations",
        ).scores
        for target in (Target.O3_MDA8, Target.PM25, Target.PM10)
    ]


def print_scores(scores: list[dict[str, Any]]) -> None:
    """One line per target, weather and lead, as in the README."""
    say("| series, target | target-day weather | lead | n | RMSE | persistence | skill | 80 % covers |")
    say("|---|---|---|---|---|---|---|---|")
    for table in scores:
        for lead in LEADS:
            own, simple = (table["models"][name][str(lead)] for name in ("lightgbm", "persistence"))
            say(
                f"| {table['source']} `{table['target']}` | {table['weather']['kind']} | D+{lead} "
                f"| {own['n']} | {own['rmse']:.1f} | {simple['rmse']:.1f} "
                f"| {own['skill_vs_persistence']:.2f} | {own['coverage80']:.0%} |"
            )


def say(text: str) -> None:
    """Print one line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """Timings first, then scores where there are real data."""
    os.chdir(ROOT)
    real = Path(os.environ.get("YRD_AIRQ_REAL_DATA", "../shared/data")).resolve()
    with TemporaryDirectory() as name:
        folder = Path(name)
        machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
        say(json.dumps({"machine": machine, "seconds": time_drill(folder)}, indent=1))
        if not real.is_dir():
            say("no real-data folder; name it in YRD_AIRQ_REAL_DATA to see the scores")
            return
        parts: tuple[Callable[[Path, Path], list[dict[str, Any]]], ...] = (score_reanalysis, score_stations)
        print_scores([table for part in parts for table in part(folder, real)])


if __name__ == "__main__":
    main()
