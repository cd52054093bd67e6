"""What features and prediction cost beside the bare training of LightGBM on the same matrices.

``python -m tests.bench.feature_cost`` prints processor seconds on one thread, so that other work on the
machine does not count: the city-day reanalysis 2013–2016, PM2.5 with the weather ahead. A store named by
BENCH_CITIES saves taking the files in. Needs the real-data folder (YRD_AIRQ_REAL_DATA).
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import lightgbm as lgb
import numpy as np

from tests.bench.__main__ import say
from tests.conftest import ROOT
from yrd_airq.forecast.basis import prepare
from yrd_airq.forecast.features import CATEGORICAL
from yrd_airq.forecast.issue import forecast
from yrd_airq.forecast.panel import Panel, build_panel
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.forecast.training import Rows, damp, gather_rows, train
from yrd_airq.jobs.ingest import ingest_files
from yrd_airq.jobs.issue import read_around, read_weather
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.region import load_region
from yrd_airq.settings import load
from yrd_airq.sources.batch import Kind
from yrd_airq.store.store import open_store
from yrd_airq.vocab import CityDaySource, Target, WeatherKind

TARGET, LEADS = Target.PM25, (1, 2, 3)
FIRST, UNTIL, LAST = date(2013, 1, 1), date(2016, 12, 31), date(2017, 1, 31)
ISSUE = datetime(2017, 1, 10, 16)


@contextmanager
def timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    """Add the processor time of the block."""
    start = time.process_time()
    yield
    seconds[name] = round(seconds.get(name, 0.0) + time.process_time() - start, 2)


def read_panel(folder: Path, real: Path) -> Panel:
    """The reanalysis with the weather and the places around."""
    given = os.environ.get("BENCH_CITIES")
    store_file = Path(given) if given else folder / "cities.duckdb"
    if not given:
        workspace = Workspace(store_file, folder / "models", folder / "out")
        ingest_files(workspace, [real / "city_daily_reanalysis"], [Kind.CITIES])
    with open_store(store_file, read_only=True) as store:
        daily = store.city_daily(CityDaySource.REANALYSIS, last=LAST)
        sky = read_weather(store, store.weather_files(), FIRST, LAST, datetime(2017, 1, 31, 16))
        around = read_around(store, CityDaySource.REANALYSIS, FIRST, LAST, LAST)
    return build_panel(daily, None, sky, load_region(), source=CityDaySource.REANALYSIS, around=around)


def train_bare(rows: Rows, settings: ForecastSettings) -> None:
    """LightGBM alone on the finished matrix: one model for each left-out fold, as the product has them."""
    city, day = np.nonzero(rows.usable)
    x, y = rows.features.array[city, day], (rows.observed - rows.anchor)[city, day]
    kept = ~settings.folds.near(rows.position)[:, day]
    parameters = settings.lightgbm(True)
    data = lgb.Dataset(
        x, y, feature_name=list(rows.features.names), categorical_feature=[CATEGORICAL], params=parameters
    ).construct()
    for fold in kept:
        lgb.train(parameters, data.subset(np.flatnonzero(fold).tolist()), settings.with_weather.rounds)


def measure(panel: Panel) -> dict[str, float]:
    """Processor seconds of each part, and features and prediction as a share of bare training."""
    settings = load(ForecastSettings, "forecast").model_copy(update={"threads": 1})
    seconds: dict[str, float] = {}
    with timed(seconds, "features"):
        basis = prepare(panel.until(UNTIL), TARGET, True, settings.features)
        gathered = [gather_rows(basis, lead, damp(basis, lead), settings, None) for lead in LEADS]
    for rows in gathered:
        with timed(seconds, "bare LightGBM"):
            train_bare(rows, settings)
    with timed(seconds, "whole training"):
        model = train(panel, TARGET, UNTIL, LEADS, WeatherKind.ANALYSIS, settings)
    with timed(seconds, "prediction of an issue"):
        forecast(panel, model, ISSUE, LEADS)
    added = seconds["features"] + seconds["prediction of an issue"]
    return seconds | {"share of bare LightGBM": round(added / seconds["bare LightGBM"], 3)}


def main() -> None:
    """Print the seconds."""
    os.chdir(ROOT)
    real = Path(os.environ.get("YRD_AIRQ_REAL_DATA", "../shared/data")).resolve()
    if not real.is_dir():
        sys.exit("no real-data folder; name it in YRD_AIRQ_REAL_DATA")
    with TemporaryDirectory() as name:
        say(json.dumps(measure(read_panel(Path(name), real)), indent=1))


if __name__ == "__main__":
    main()
