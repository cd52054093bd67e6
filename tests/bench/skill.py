"""Our station forecasts beside the simple methods and other people's packages, on the same city-days.

``make bench-skill`` runs it: issues of August and September 2019 at 16:00, trained to July, no weather of
the target days. Nothing was tuned on these two months, neither of ours nor of the peers'. The peers run in
an environment of their own (peers-requirements.txt); name its interpreter in BENCH_PYTHON. Needs the
real-data folder (YRD_AIRQ_REAL_DATA). One table: RMSE, skill against persistence, and for each method the
gain of ours over it with its resampled interval and the p-value of the Diebold–Mariano test.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from tests.bench.__main__ import say
from tests.conftest import ROOT
from yrd_airq.forecast.backtest import backtest, observe
from yrd_airq.forecast.model import MODEL_NAME
from yrd_airq.forecast.panel import Panel, build_panel
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.jobs.forecasting import thresholds
from yrd_airq.jobs.ingest import ingest_files
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.region import load_region
from yrd_airq.settings import load
from yrd_airq.sources.batch import Kind
from yrd_airq.store.store import open_store
from yrd_airq.verify.scoreboard import Scoreboard, draw_up
from yrd_airq.verify.settings import load_verify
from yrd_airq.vocab import CityDaySource, Target, WeatherKind

TARGETS = (Target.O3_MDA8, Target.PM25, Target.PM10)
LEADS = (1, 2, 3)
TRAIN_UNTIL, FIRST, LAST = date(2019, 7, 31), date(2019, 8, 1), date(2019, 9, 30)
PEERS = Path(__file__).with_name("peers.py")


def read_panel(folder: Path, real: Path, settings: ForecastSettings) -> Panel:
    """The stations of 2019 as a panel; a store named by BENCH_STORE saves taking the files in."""
    given = os.environ.get("BENCH_STORE")
    workspace = Workspace(
        Path(given) if given else folder / "stations.duckdb", folder / "models", folder / "out"
    )
    if not given:
        ingest_files(workspace, [real / "stations"], [Kind.STATION_LIST])
        ingest_files(workspace, sorted((real / "stations_hourly").glob("*.csv.gz")), [Kind.STATIONS])
    with open_store(workspace.store, read_only=True) as store:
        daily, hourly = store.city_daily(CityDaySource.STATIONS), store.city_hourly()
    return build_panel(daily, hourly, None, load_region(), settings.issue_hour, source=CityDaySource.STATIONS)


def forecast_ours(panel: Panel, settings: ForecastSettings) -> pd.DataFrame:
    """Our models and the simple methods, by the project's own backtest."""
    frames = []
    for target in TARGETS:
        made = backtest(
            panel,
            target,
            FIRST,
            LAST,
            LEADS,
            TRAIN_UNTIL,
            WeatherKind.NONE,
            settings,
            thresholds=thresholds(FIRST),
        )
        frames.append(made.forecasts)
    return pd.concat(frames, ignore_index=True)


def hand_over(panel: Panel, folder: Path) -> None:
    """The panel and the period in the files that the peers read."""
    index = pd.MultiIndex.from_product([panel.adcodes, panel.dates], names=["adcode", "date"])
    frames = []
    for target in TARGETS:
        own = f"{target.info.pollutant.value}_"
        columns = {"value": panel.values[target]}
        columns |= {f"today_{name}": array for name, array in panel.today.items() if name.startswith(own)}
        table = pd.DataFrame({name: array.ravel() for name, array in columns.items()}, index=index)
        frames.append(table.reset_index().assign(target=target.value))
    pd.concat(frames, ignore_index=True).to_parquet(folder / "panel.parquet", index=False)
    period = {"first": str(FIRST), "last": str(LAST - pd.Timedelta(days=1)), "leads": LEADS}
    (folder / "period.json").write_text(json.dumps(period), encoding="utf-8")


def forecast_peers(panel: Panel, folder: Path, interpreter: str) -> pd.DataFrame:
    """Forecasts of the peers, in the columns of our rows."""
    hand_over(panel, folder)
    subprocess.run([interpreter, str(PEERS), str(folder)], check=True)
    made = pd.read_parquet(folder / "peers.parquet")
    day = pd.to_datetime(made["issue_date"])
    made = made.assign(
        issue_time=day + pd.Timedelta(hours=panel.issue_hour),
        valid_date=day + pd.to_timedelta(made["lead_day"], unit="D"),
        weather_kind=WeatherKind.NONE.value,
    ).drop(columns="issue_date")
    inside = made["valid_date"] <= pd.Timestamp(LAST)
    frames = [own.assign(observed=observe(panel, own)) for _, own in made[inside].groupby("target")]
    return pd.concat(frames, ignore_index=True)


def print_table(board: Scoreboard, ours: str) -> None:
    """One line per target, lead and method."""
    say("| target | lead | method | n | RMSE | skill | gain of ours (95 %) | DM p |")
    say("|---|---|---|---|---|---|---|---|")
    for sample in board.samples:
        for lead in sample.leads:
            for line in table_lines(board, sample.target, lead, ours):
                say("| " + " | ".join(line) + " |")


def table_lines(board: Scoreboard, target: Target, lead: int, ours: str) -> Iterable[tuple[str, ...]]:
    """Lines of a target and lead, from the smallest error to the largest."""
    table = board.comparisons
    own = table[(table["target"] == target.value) & (table["lead_day"] == lead) & (table["model"] == ours)]
    beside = {line["against"]: line for line in own.to_dict(orient="records")}
    whole = board.whole(target, lead).sort_values("rmse", kind="stable")
    for line in whole.to_dict(orient="records"):
        name = line["model"]
        gain, p = "-", "-"
        if name in beside:
            other = beside[name]
            gain = (
                f"{other['rmse_gain']:+.2f} ({other['rmse_gain_low']:+.2f} … {other['rmse_gain_high']:+.2f})"
            )
            p = f"{other['p_value']:.4f}"
        named = f"**{name}**" if name == ours else name
        yield (
            target.value,
            f"D+{lead}",
            named,
            str(int(line["n"])),
            f"{line['rmse']:.2f}",
            f"{line['skill']:.3f}",
            gain,
            p,
        )


def main() -> None:
    """Forecast, let the peers forecast, compare."""
    os.chdir(ROOT)
    real = Path(os.environ.get("YRD_AIRQ_REAL_DATA", "../shared/data")).resolve()
    interpreter = os.environ.get("BENCH_PYTHON", ".venv-bench/bin/python")
    if not real.is_dir():
        sys.exit("no real-data folder; name it in YRD_AIRQ_REAL_DATA")
    if not Path(interpreter).exists():
        sys.exit(f"no interpreter {interpreter}; make it from tests/bench/peers-requirements.txt")
    settings = load(ForecastSettings, "forecast")
    with TemporaryDirectory() as name:
        folder = Path(os.environ.get("BENCH_OUT", name))
        folder.mkdir(parents=True, exist_ok=True)
        start = time.perf_counter()
        panel = read_panel(folder, real, settings)
        rows = forecast_ours(panel, settings)
        say(f"ours and the simple methods: {time.perf_counter() - start:.0f} s")
        rows = pd.concat([rows, forecast_peers(panel, folder, interpreter)], ignore_index=True)
        rows.to_parquet(folder / "forecasts.parquet", index=False)
        print_table(draw_up(rows, load_verify()), MODEL_NAME)
        say(f"all: {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
