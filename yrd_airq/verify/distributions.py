"""Scores of what a forecast says of its own uncertainty: quantiles, intervals and probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import xarray as xr
from scores.continuous import mae, quantile_score
from scores.probability import brier_score

from yrd_airq.verify.settings import ReliabilitySettings

LOW, HIGH = "q10", "q90"


def score_quantiles(data: xr.Dataset, quantiles: Mapping[str, float], over: Sequence[str]) -> xr.Dataset:
    """Pinball loss of each quantile, ``coverage80`` and ``crps`` over the dimensions ``over``.

    ``crps`` is the mean of twice the pinball losses, the weighted interval score (Bracher et al. 2021,
    doi 10.1371/journal.pcbi.1008618), which tends to the CRPS as quantiles are added; a forecast without
    quantiles is a point, whose CRPS is its mean absolute error. ``width80`` is the mean width of the 80 %
    interval.
    """
    dims, observed = list(over), data["observed"]
    points = mae(data["mean"], observed, reduce_dims=dims)
    found = {
        name.replace("q", "pinball", 1): quantile_score(data[name], observed, level, reduce_dims=dims)
        for name, level in quantiles.items()
    }
    if {LOW, HIGH} <= set(quantiles):
        low, high = data[LOW], data[HIGH]
        given = low.notnull() & high.notnull() & observed.notnull()
        found["coverage80"] = ((low <= observed) & (observed <= high)).where(given).mean(dims)
        found["width80"] = (high - low).where(given).mean(dims)
    losses = [found[name.replace("q", "pinball", 1)] for name in quantiles]
    found["crps"] = (2 * sum(losses) / len(losses)).fillna(points) if losses else points
    return xr.Dataset(found)


def score_probability(probability: xr.DataArray, happened: xr.DataArray, over: Sequence[str]) -> xr.Dataset:
    """Brier score, and its skill against the observed frequency of the same cases (NaN where 0 or 1)."""
    dims = list(over)
    happened = happened.where(probability.notnull())
    brier = brier_score(probability, happened, reduce_dims=dims, check_args=False)
    frequency = happened.mean(dims)
    chance = frequency * (1 - frequency)
    return xr.Dataset({"brier": brier, "brier_skill": 1 - brier / chance.where(chance > 0)})


def reliability(
    probability: xr.DataArray, happened: xr.DataArray, settings: ReliabilitySettings
) -> pd.DataFrame:
    """Points of the reliability diagram by model and lead: bins of the stated probability.

    Columns: model, lead_day, bin, n, stated (mean probability), observed (frequency), judged (whether the
    bin holds enough cases). Empty bins are left out.
    """
    both = xr.Dataset({"stated": probability, "observed": happened.broadcast_like(probability)})
    rows = both.to_dataframe().reset_index().dropna(subset=["stated", "observed"])
    rows["bin"] = np.minimum((rows["stated"] * settings.bins).astype(int), settings.bins - 1)
    groups = rows.groupby(["model", "lead_day", "bin"])
    table = groups[["stated", "observed"]].mean().assign(n=groups.size()).reset_index()
    table["judged"] = table["n"] >= settings.least_cases
    return table[["model", "lead_day", "bin", "n", "stated", "observed", "judged"]]


def pit_histogram(data: xr.Dataset, quantiles: Mapping[str, float]) -> pd.DataFrame:
    """How often the observation fell between neighbouring quantiles, by model and lead.

    This is the histogram of the probability integral transform as far as quantiles tell it (Gneiting et
    al. 2007): columns model, lead_day, low, high (probabilities), n, share, nominal (= high − low).
    """
    names = list(quantiles)
    columns = ["model", "lead_day", "low", "high", "n", "share", "nominal"]
    if not names:
        return pd.DataFrame(columns=columns)
    rows = data[[*names, "observed"]].to_dataframe().reset_index().dropna(subset=[*names, "observed"])
    rows["bin"] = (rows[names].to_numpy() < rows[["observed"]].to_numpy()).sum(axis=1)
    edges = np.array([0.0, *quantiles.values(), 1.0])
    counts = rows.groupby(["model", "lead_day"])["bin"].value_counts().unstack("bin", fill_value=0)
    counts = counts.reindex(columns=range(len(edges) - 1), fill_value=0)
    table = counts.melt(value_name="n", ignore_index=False).reset_index()
    table["low"], table["high"] = edges[table["bin"]], edges[table["bin"] + 1]
    table["nominal"] = table["high"] - table["low"]
    table["share"] = table["n"] / table.groupby(["model", "lead_day"])["n"].transform("sum")
    return table[columns]
