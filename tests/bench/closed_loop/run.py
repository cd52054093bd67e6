"""Play the events of the closed loop on two processes and print the table (``make closed-loop``).

Every event is kept when it is whole, so that a run that was stopped goes on where it was; the drilled worlds
are made once and kept below ``data/drill``. Results of other code or settings are kept apart.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from tests.bench.closed_loop.check import check_forecasts
from tests.bench.closed_loop.events import draw_events
from tests.bench.closed_loop.play import play_event
from tests.bench.closed_loop.report import markdown, summarise
from tests.bench.closed_loop.seasons import REGIMES, Regime, Season, fill_store
from tests.conftest import ROOT
from yrd_airq.jobs.drill_replay import open_world
from yrd_airq.jobs.workspace import Workspace, code_version, hash_files, hash_texts
from yrd_airq.region import load_region
from yrd_airq.settings import config_dir

SEED = 2026
CHECK_FILE = "forecaster.json"
PARTS = 2
"""Parts of a season's events, each with its own store, so that two processes share the work evenly."""


def main() -> None:
    """Worlds, then what is learnt from, then the events; the table last."""
    os.chdir(ROOT)
    # Each process keeps to one core.
    os.environ.update(NUMBA_NUM_THREADS="1", OMP_NUM_THREADS="1")
    asked = _arguments()
    out = asked.out or Path("data/closed_loop") / _version()
    out.mkdir(parents=True, exist_ok=True)
    regimes = [regime for regime in REGIMES if not asked.regime or regime.scenario in asked.regime]
    begun = time.perf_counter()
    _run_all(asked.workers, [(prepare, (out, regime)) for regime in regimes])
    per_regime = -(-asked.events // len(REGIMES))
    parts = [(play_part, (out, r, per_regime, part)) for part in range(PARTS) for r in regimes]
    _run_all(asked.workers, [*parts, *((check_regime, (out, regime)) for regime in regimes)])
    summary = summarise(*_collect(out, regimes))
    (out / "closed_loop.json").write_text(_as_json(summary), encoding="utf-8")
    (out / "closed_loop.md").write_text(markdown(summary), encoding="utf-8")
    _say(markdown(summary))
    _say(f"{summary['events']} events in {time.perf_counter() - begun:.0f} s; results: {out}")


def prepare(out: Path, regime: Regime) -> str:
    """The world of a regime, and a store that has learnt the part of the season before the events."""
    begun = time.perf_counter()
    world = open_world(regime.settings)
    folder = out / regime.scenario
    if not (folder / "learnt").exists():
        shutil.rmtree(folder / "base", ignore_errors=True)
        workspace = Workspace(folder / "base" / "store.duckdb", folder / "models", folder / "base")
        fill_store(world, regime.tested_from, workspace, folder / "base" / "files")
        (folder / "learnt").touch()
    return f"{regime.name}: season ready, {time.perf_counter() - begun:.0f} s"


def play_part(out: Path, regime: Regime, count: int, part: int) -> str:
    """Play those events of a part that have no result yet."""
    folder = out / regime.scenario
    world = open_world(regime.settings)
    events = draw_events(regime, world.course.truth.city_days(), load_region(), count, SEED)
    own = [events[k] for k in np.array_split(np.arange(count), PARTS)[part]]
    left = [event for event in own if not (folder / f"{event.code}.json").is_file()]
    if not left:
        return f"{regime.name}, part {part + 1}: done before"
    begun = time.perf_counter()
    stage = folder / f"part{part + 1}"
    # What a stopped run left half done is made anew; its whole events are kept.
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir()
    shutil.copy(folder / "base" / "store.duckdb", stage / "store.duckdb")
    workspace = Workspace(stage / "store.duckdb", folder / "models", stage)
    season = Season(world, workspace, stage / "files", regime.tested_from)
    for event in left:
        result = play_event(season, regime, event, SEED)
        _write(folder / f"{event.code}.json", _as_json(result))
        _say(f"  {event.code}: {result['status']}, {result['seconds']}")
    return f"{regime.name}, part {part + 1}: {len(left)} events, {time.perf_counter() - begun:.0f} s"


def check_regime(out: Path, regime: Regime) -> str:
    """The forecaster's check of a regime, if it has no result yet."""
    begun = time.perf_counter()
    file = out / regime.scenario / CHECK_FILE
    if file.is_file():
        return f"{regime.name}, forecaster: done before"
    shutil.rmtree(out / regime.scenario / "check", ignore_errors=True)
    _write(file, _as_json(check_forecasts(regime, out / regime.scenario)))
    return f"{regime.name}, forecaster: {time.perf_counter() - begun:.0f} s"


def _run_all(workers: int, calls: Sequence[tuple[Callable[..., str], tuple[Any, ...]]]) -> None:
    if workers == 1:
        for function, given in calls:
            _say(function(*given))
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        running: Iterable[Future[str]] = [pool.submit(function, *given) for function, given in calls]
        for finished in as_completed(running):
            _say(finished.result())


def _collect(out: Path, regimes: Sequence[Regime]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    folders = [out / regime.scenario for regime in regimes]
    events = [file for folder in folders for file in sorted(folder.glob("*.json")) if file.name != CHECK_FILE]
    checks = [json.loads((folder / CHECK_FILE).read_text(encoding="utf-8")) for folder in folders]
    results = [json.loads(file.read_text(encoding="utf-8")) for file in events]
    return results, [row for check in checks for row in check]


def _version() -> str:
    """Name of the results of this code, these settings and this bench."""
    settings = [*config_dir().glob("*.yaml"), *(config_dir() / "drill").rglob("*.yaml")]
    return hash_texts(code_version(), hash_files(settings), hash_files(Path(__file__).parent.glob("*.py")))[
        :12
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="closed_loop", description=__doc__)
    parser.add_argument("--events", type=int, default=30, help="events in all, spread over the regimes")
    parser.add_argument("--regime", action="append", help="scenario name; repeat; default: all three")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, help="folder of the results; default: data/closed_loop/<version>")
    return parser.parse_args()


def _as_json(content: Any) -> str:
    """JSON in which an undefined number is null."""
    return json.dumps(_plain(content), ensure_ascii=False, indent=1, default=str) + "\n"


def _plain(content: Any) -> Any:
    if isinstance(content, dict):
        return {str(key): _plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value) for value in content]
    if isinstance(content, float | np.floating):
        return float(content) if np.isfinite(content) else None
    return content


def _write(path: Path, text: str) -> None:
    aside = path.with_suffix(".part")
    aside.write_text(text, encoding="utf-8")
    aside.rename(path)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
