"""Ingest of the real station files beside DuckDB's own scan, unpivot and insert of the same files.

``python -m tests.bench.ingest [ROUNDS]`` prints a Markdown table. Every measurement is a process of its own,
and the two sides take turns, so that what else the machine does weighs on both; the medians are compared.
Our side does all that ``yrd-airq ingest stations`` does: validation cell by cell, hashes, quality control,
city series.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import duckdb

from tests.conftest import ROOT
from yrd_airq.jobs.ingest import ingest_files
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.sources.batch import Kind

LATE_HOUR = "20190815,14"


def scan_and_unpivot(files: list[Path], store: Path) -> None:
    """What DuckDB does of itself: read the text, turn columns into rows, insert them."""
    with duckdb.connect(str(store), config={"threads": 2}) as con:
        con.execute("CREATE TABLE raw (station_code VARCHAR, time TIMESTAMP, item VARCHAR, value DOUBLE)")
        for file in files:
            con.execute(
                f"""INSERT INTO raw
                SELECT station_code, strptime(date, '%Y%m%d') + to_hours(hour::INT), type, value::DOUBLE
                FROM (
                    UNPIVOT (SELECT * FROM read_csv('{file}', header = true, all_varchar = true))
                    ON COLUMNS(* EXCLUDE (date, hour, type)) INTO NAME station_code VALUE value)"""
            )


def take_in(files: list[Path], store: Path) -> None:
    """The product's ingest."""
    ingest_files(Workspace.of(store), files, [Kind.STATIONS])


SIDES: dict[str, Callable[[list[Path], Path], None]] = {"duckdb": scan_and_unpivot, "ours": take_in}


def measure(side: str, files: list[Path], store: Path) -> tuple[float, float]:
    """Seconds of the work and peak memory in GB of a fresh process."""
    command = [sys.executable, "-m", "tests.bench.ingest", side, str(store), *map(str, files)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    seconds, peak = json.loads(done.stdout.splitlines()[-1])
    return float(seconds), float(peak)


def be_measured(side: str, store: Path, files: list[Path]) -> None:
    """The child's part: do the work, print seconds and peak memory."""
    begun = time.perf_counter()
    SIDES[side](files, store)
    seconds = time.perf_counter() - begun
    sys.stdout.write(json.dumps([seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6]) + "\n")


def compare(name: str, files: list[Path], rounds: int, folder: Path) -> Path:
    """One line of the table; returns a store that holds the files."""
    times: dict[str, list[float]] = {side: [] for side in SIDES}
    again: list[float] = []
    peak = 0.0
    store = folder / "none"
    for k in range(rounds):
        for side in SIDES:
            store = folder / f"{name}-{side}-{k}.duckdb"
            seconds, memory = measure(side, files, store)
            times[side].append(seconds)
            peak = max(peak, memory) if side == "ours" else peak
        again.append(measure("ours", files, store)[0])
    theirs, own, second = (median(values) for values in (times["duckdb"], times["ours"], again))
    say(
        f"| {name} | {theirs:.1f} s | {own:.1f} s | {own / theirs:.2f} | {second:.2f} s | {second / own:.2f} "
        f"| {peak:.2f} GB |"
    )
    return store


def time_late_hour(months: list[Path], store: Path, folder: Path) -> None:
    """One hour more, on top of the nine months: the part of a monthly file that holds it, one unit higher."""
    import gzip

    with gzip.open(next(path for path in months if LATE_HOUR[:6] in path.name), "rt") as file:
        lines = file.read().splitlines()
    rows = [line for line in lines[1:] if line.startswith(LATE_HOUR + ",")]
    late = folder / "late.csv"
    changed = [
        ",".join([*row.split(",")[:3], *(f"{float(v) + 1:g}" if v else "" for v in row.split(",")[3:])])
        for row in rows
    ]
    late.write_text("\n".join([lines[0], *changed]) + "\n")
    say(f"one late hour: {measure('ours', [late], store)[0]:.2f} s")


def say(text: str) -> None:
    """Print one line at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """The table, then the late hour."""
    if len(sys.argv) > 2:
        be_measured(sys.argv[1], Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
        return
    real = (ROOT / os.environ.get("YRD_AIRQ_REAL_DATA", "../shared/data")).resolve() / "stations_hourly"
    rounds = int(sys.argv[1]) if len(sys.argv) == 2 else 3
    months, national = sorted(real.glob("*.csv.gz")), sorted(real.glob("national_original/*.csv.gz"))
    if not months:
        sys.exit("no hourly station values; name the real-data folder in YRD_AIRQ_REAL_DATA")
    say("| files | DuckDB | ingest | ratio | again | share | peak memory |\n|---|---|---|---|---|---|---|")
    with TemporaryDirectory() as name:
        folder = Path(name)
        compare("national day", national[:1], rounds, folder)
        store = compare("nine months", months, rounds, folder)
        time_late_hour(months, store, folder)


if __name__ == "__main__":
    main()
