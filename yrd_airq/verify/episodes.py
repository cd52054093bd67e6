"""Pollution episodes, runs of days above the limit in a city: whether they were forecast, when, how high."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from yrd_airq.verify.cases import CASE_DIMS

EPISODE_SCORES = (
    "episodes",
    "found",
    "start_offset",
    "length_ratio",
    "peak_error",
    "forecast_episodes",
    "false",
)


def score_episodes(
    said: xr.DataArray, happened: xr.DataArray, mean: xr.DataArray, observed: xr.DataArray, least_days: int
) -> pd.DataFrame:
    """Episodes of at least ``least_days`` days by model and lead.

    ``said``, ``happened``: called and observed exceedance (0, 1, NaN ends a run), ``mean`` and ``observed``
    the values; dimensions model, lead_day, adcode, valid_date, the observed ones without model. A lead's
    forecasts of consecutive days are read as one series. Columns: model, lead_day; ``episodes`` observed;
    ``found`` the share with at least one called day; of those found ``start_offset`` (mean of first called
    − first observed day, calls a day early included), ``length_ratio`` (called days within it over its
    days); ``peak_error`` mean of the largest forecast − largest observed value of the episode's days, over
    all; ``forecast_episodes`` called, and ``false`` the share of those without any observed day. NaN where
    undefined.
    """
    said, happened, mean, observed = xr.broadcast(said, happened, mean, observed)
    order = ("model", "lead_day", *CASE_DIMS)
    said, happened, mean, observed = (x.transpose(*order) for x in (said, happened, mean, observed))
    calls, events = (x.to_numpy().reshape(-1, x.sizes["valid_date"]) for x in (said, happened))
    values, truth = (x.to_numpy().reshape(calls.shape) for x in (mean, observed))
    cities = said.sizes["adcode"]
    table = pd.DataFrame(
        {
            "model": np.repeat(said["model"].to_numpy(), said.sizes["lead_day"]),
            "lead_day": np.tile(said["lead_day"].to_numpy(), said.sizes["model"]),
        }
    )
    seen = _describe(events, calls, values, truth, least_days)
    called = _describe(calls, events, truth, values, least_days)
    group = [episode.assign(part=episode["series"] // cities).groupby("part") for episode in (seen, called)]
    lines: dict[str, Any] = {
        "episodes": group[0].size(),
        "found": group[0]["met"].mean(),
        "start_offset": group[0]["start_offset"].mean(),
        "length_ratio": group[0]["length_ratio"].mean(),
        "peak_error": group[0]["peak_difference"].mean(),
        "forecast_episodes": group[1].size(),
        "false": 1 - group[1]["met"].mean(),
    }
    result = table.join(pd.DataFrame(lines).reindex(table.index))
    counts = ["episodes", "forecast_episodes"]
    return result.assign(**result[counts].fillna(0).astype(int))


def _describe(
    events: NDArray[np.float64],
    others: NDArray[np.float64],
    other_values: NDArray[np.float64],
    values: NDArray[np.float64],
    least_days: int,
) -> pd.DataFrame:
    """One line per run of 1 in ``events`` (series, day): how ``others`` met it."""
    inside = events == 1
    before = np.pad(inside, ((0, 0), (1, 0)))[:, :-1]
    run = np.cumsum(inside & ~before).reshape(inside.shape)  # counts on over the series, so unique
    series, day = np.nonzero(inside)
    frame = pd.DataFrame(
        {
            "run": run[series, day],
            "series": series,
            "day": day,
            "hit": others[series, day] == 1,
            # A call for the day before the run began counts for its start, if it goes on into the run.
            "early": (day > 0) & ~before[series, day] & (others[series, np.maximum(day - 1, 0)] == 1),
            "other": other_values[series, day],
            "value": values[series, day],
        }
    )
    frame["first_hit"] = frame["day"].where(frame["hit"])
    frame["early_start"] = frame["early"] & frame["hit"]
    runs = frame.groupby("run").agg(
        series=("series", "first"),
        start=("day", "min"),
        days=("day", "size"),
        hits=("hit", "sum"),
        first_hit=("first_hit", "min"),
        early=("early_start", "any"),
        other=("other", "max"),
        value=("value", "max"),
    )
    runs = runs[runs["days"] >= least_days]
    return pd.DataFrame(
        {
            "series": runs["series"],
            "met": runs["hits"] > 0,
            "start_offset": runs["first_hit"] - runs["start"] - runs["early"].astype(int),
            "length_ratio": (runs["hits"] / runs["days"]).where(runs["hits"] > 0),
            "peak_difference": runs["other"] - runs["value"],
        }
    )
