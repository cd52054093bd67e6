"""Forecasts of other people's forecasting packages on the panel of the bench; imports nothing of the project.

Run with the interpreter of the bench environment (peers-requirements.txt): ``peers.py FOLDER``. The folder
holds ``panel.parquet`` (adcode, date, target, value, and today_*: what the target's own hours so far say at
the issue hour of the date, NaN where unknown) and ``period.json`` (issue dates first … last, leads).
``peers.parquet`` comes out: adcode, issue_date, lead_day, target, model, mean.

What each may know at an issue on date d: the daily values up to d − 1, and today_* of date d only in the
variant that says so. A forecast for d + L is therefore L + 1 steps ahead.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import lightgbm as lgb
import pandas as pd
from mlforecast import MLForecast
from mlforecast.lag_transforms import ExpandingMean, RollingMax, RollingMean, RollingMin, RollingStd
from statsforecast import StatsForecast
from statsforecast.models import AutoETS

LAGS = [*range(1, 8), 10, 14]
# Chosen on issues of June and July, each with training to the day before: 7, 15 and 31 leaves, 80 to 300
# trees, with and without extra_trees, on the values themselves, their differences and scaled by city.
BOOST: dict[str, Any] = {
    "n_estimators": 150,
    "learning_rate": 0.04,
    "num_leaves": 7,
    "min_child_samples": 300,
    "subsample": 0.7,
    "subsample_freq": 1,
    "colsample_bytree": 0.5,
    "extra_trees": True,
    "reg_lambda": 5.0,
    "random_state": 1,
    "n_jobs": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbosity": -1,
}
SEASON_DAYS = 7
# Between refits the models are carried on with the new days, which both packages offer.
REFIT_DAYS = 7


def complete(panel: pd.DataFrame) -> pd.DataFrame:
    """Series on every date with gaps closed by the last value known, as the packages ask for."""
    wide = panel.pivot(index="date", columns="adcode", values="value")
    wide = wide.reindex(pd.date_range(wide.index.min(), wide.index.max(), freq="D")).ffill().bfill()
    long = wide.rename_axis(index="ds", columns="unique_id").stack().rename("y").reset_index()
    return long.sort_values(["unique_id", "ds"], ignore_index=True)[["unique_id", "ds", "y"]]


def build(boost: dict[str, Any] = BOOST, transforms: list[Any] | None = None) -> MLForecast:
    """LightGBM pooled over the cities on lags, rolling statistics and date features."""
    rolling = [
        RollingMean(3),
        RollingMean(7),
        RollingMean(14),
        RollingMean(28),
        RollingStd(7),
        RollingStd(14),
    ]
    return MLForecast(
        models={"mean": lgb.LGBMRegressor(**boost)},
        freq="D",
        lags=LAGS,
        lag_transforms={1: [*rolling, RollingMin(7), RollingMax(7), ExpandingMean()]},
        date_features=["dayofweek", "month", "dayofyear"],
        target_transforms=transforms,
    )


def with_today(
    series: pd.DataFrame, panel: pd.DataFrame, leads: list[int]
) -> tuple[pd.DataFrame, dict[int, list[str]]]:
    """Columns for the hours of the issue date, one set a lead, and which horizon may use which."""
    names = [name for name in panel.columns if name.startswith("today_")]
    given = panel.rename(columns={"adcode": "unique_id", "date": "ds"})[["unique_id", "ds", *names]]
    use: dict[int, list[str]] = {}
    for lead in leads:
        renamed = {name: f"{name}_{lead}" for name in names}
        shifted = given.rename(columns=renamed).assign(ds=given["ds"] + pd.Timedelta(days=lead))
        series = series.merge(shifted, on=["unique_id", "ds"], how="left")
        use[lead + 1] = list(renamed.values())
    return series, use


def boosted(
    panel: pd.DataFrame, issues: pd.DatetimeIndex, leads: list[int], today: bool, **ways: Any
) -> pd.DataFrame:
    """mlforecast: a model for each horizon (direct), fitted anew every week, its lags carried on daily."""
    series, use = complete(panel), None
    if today:
        series, use = with_today(series, panel, leads)
    extra = [name for name in series.columns if name not in ("unique_id", "ds", "y")]
    frames = []
    for k, day in enumerate(issues):
        if k % REFIT_DAYS == 0:
            model = build(**ways)
            past = series[series["ds"] < day]
            model.fit(past, static_features=[], horizons=[lead + 1 for lead in leads], horizon_features=use)
        else:
            model.update(series[(series["ds"] >= issues[k - 1]) & (series["ds"] < day)])
        ahead = series[["unique_id", "ds", *extra]]
        ahead = ahead[(ahead["ds"] >= day) & (ahead["ds"] <= day + pd.Timedelta(days=max(leads)))]
        made = model.predict(max(leads) + 1, X_df=ahead if today else None)
        frames.append(made.assign(issue_date=day))
    return pd.concat(frames, ignore_index=True)


def smoothed(panel: pd.DataFrame, issues: pd.DatetimeIndex, leads: list[int]) -> pd.DataFrame:
    """AutoETS of each city, chosen anew every week and carried on with each new day between."""
    steps = max(leads) + 1
    series = complete(panel)
    last = issues[-1] + pd.Timedelta(days=max(leads))
    series = series[series["ds"] <= last]
    cities = StatsForecast(models=[AutoETS(season_length=SEASON_DAYS, alias="mean")], freq="D", n_jobs=2)
    made = cities.cross_validation(df=series, h=steps, n_windows=len(issues), step_size=1, refit=REFIT_DAYS)
    return made.assign(issue_date=made["cutoff"] + pd.Timedelta(days=1))


def tidy(made: pd.DataFrame, model: str, target: str, leads: list[int]) -> pd.DataFrame:
    """Rows of the leads asked for, never below zero."""
    rows = made.assign(
        lead_day=(made["ds"] - made["issue_date"]).dt.days,
        adcode=made["unique_id"].astype(str),
        mean=made["mean"].clip(lower=0.0),
        model=model,
        target=target,
    )
    rows = rows[rows["lead_day"].isin(leads)]
    return rows[["adcode", "issue_date", "lead_day", "target", "model", "mean"]]


def main(folder: Path) -> None:
    """Every peer on every target; seconds of each on standard output."""
    warnings.filterwarnings("ignore")
    panel = pd.read_parquet(folder / "panel.parquet")
    period = json.loads((folder / "period.json").read_text(encoding="utf-8"))
    issues = pd.date_range(period["first"], period["last"], freq="D")
    leads = [int(lead) for lead in period["leads"]]
    frames = []
    for target, every in panel.groupby("target"):
        own = every.dropna(axis="columns", how="all")
        peers = {
            "mlforecast_lightgbm": lambda own=own: boosted(own, issues, leads, today=False),
            "mlforecast_lightgbm_today": lambda own=own: boosted(own, issues, leads, today=True),
            "statsforecast_autoets": lambda own=own: smoothed(own, issues, leads),
        }
        for name, forecast in peers.items():
            start = time.perf_counter()
            frames.append(tidy(forecast(), name, str(target), leads))
            sys.stdout.write(f"{target} {name}: {time.perf_counter() - start:.0f} s\n")
            sys.stdout.flush()
    pd.concat(frames, ignore_index=True).to_parquet(folder / "peers.parquet", index=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
