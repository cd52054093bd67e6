"""Where the product's lists lose against the truth: its parts replaced by true ones, one at a time.

Every variant values the same permitted orders and fills the same burden; what its choice is truly worth is
read off the true gradient without controls. So all differences between variants are those of the part.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from tests.bench.closed_loop.best import choose_best
from tests.bench.closed_loop.truth import Span
from yrd_airq.attribution.matrix import Attribution
from yrd_airq.control.problem import Problem
from yrd_airq.control.relief import Air, relief
from yrd_airq.drill.era5 import write_weather
from yrd_airq.jobs.guarantee import attribute_event
from yrd_airq.weather.grid import open_weather

Reals = NDArray[np.float64]
BACK = pd.Timedelta(days=3)
AMOUNTS = ["nox_tpa", "voc_tpa", "pm_tpa", "so2_tpa"]


def swap_parts(
    span: Span,
    problem: Problem,
    listed: pd.DataFrame,
    winds: xr.Dataset,
    medians: pd.DataFrame,
    counted: pd.DataFrame,
    value: Reals,
    budget: float,
) -> dict[str, dict[str, float]]:
    """By variant: predicted and true worth of its choice, and its share of the best by the gradient.

    ``listed``: the official list, ``winds`` and ``medians`` what the product knew; ``counted`` the
    receptor-days that count, ``value`` the true value of each candidate (``gradient.value_orders``).
    """
    event, true_list = problem.event, _true_list(span, listed)
    true_winds, true_air = _true_winds(span), _true_air(span, medians)
    variants: Mapping[str, tuple[pd.DataFrame, xr.Dataset, pd.DataFrame]] = {
        "as issued": (listed, winds, medians),
        "true inventory": (true_list, winds, medians),
        "true weather": (listed, true_winds, medians),
        "true air quality": (listed, winds, true_air),
        "all three": (true_list, true_winds, true_air),
    }
    best = choose_best(problem.enterprise, problem.burden, value, budget)
    reached = float(value[best.chosen].sum())
    found = {}
    for name, (inventory, weather, air) in variants.items():
        _, attribution = attribute_event(event, inventory, weather, air)
        worth = _worth(problem, attribution, counted)
        chosen = choose_best(problem.enterprise, problem.burden, worth, budget).chosen
        true = float(value[chosen].sum())
        found[name] = {
            "predicted": float(worth[chosen].sum()),
            "true": true,
            "of_best": true / reached if reached > 0 else np.nan,
        }
    return found


def _worth(problem: Problem, attribution: Attribution, counted: pd.DataFrame) -> Reals:
    """What each candidate brings to the counted receptor-days by an attribution, µg/m³."""
    ids = pd.Index(problem.enterprises["enterprise_id"])
    position = pd.Index(attribution.enterprise_id).get_indexer(ids).astype(np.int64)
    rows = problem.rows.astype({"target": str}).merge(counted[["adcode", "date", "target"]])
    air = Air.of(rows, attribution, position, problem.days, problem.settings.measures)
    worth = [relief(air, row, problem.orders, air.sensitivity[row]) for row in range(len(rows))]
    return np.asarray(np.mean(worth, axis=0))


def _true_list(span: Span, listed: pd.DataFrame) -> pd.DataFrame:
    """The true enterprises in the columns of the official list, with their leaks."""
    truth = span.world.enterprises
    table = truth.reindex(columns=listed.columns).assign(emission_basis="fictitious")
    table["voc_tpa"] = truth["voc_tpa"] + truth["leak_gs"] * 86400 * 365 / 1e6
    table["pm_tpa"] = truth["pm_tpa"] - truth["coarse_tpa"]
    return table.reset_index(drop=True)


def _true_winds(span: Span) -> xr.Dataset:
    """The true weather around the span, through the same file layout as every weather."""
    with TemporaryDirectory() as folder:
        weather = span.world.weather_between(span.first - BACK, span.last)
        path = write_weather(Path(folder) / "true.nc", weather, span.world.grid, "true weather")
        return open_weather(path).load()


def _true_air(span: Span, medians: pd.DataFrame) -> pd.DataFrame:
    """The forecast medians with the true values in their place, where there are any."""
    table = medians.assign(date=pd.to_datetime(medians["date"]).dt.date, target=medians["target"].astype(str))
    both = table.merge(span.base, on=["adcode", "date", "target"], how="left")
    value = both["base"].astype(float).fillna(both["value"])
    return both.assign(value=value, date=pd.to_datetime(both["date"]))[["adcode", "date", "target", "value"]]


def median_shares(results: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Median over events of every variant's share of the best and of predicted over true worth."""
    swaps = [result["swaps"] for result in results if result.get("swaps")]
    if not swaps:
        return {}
    return {
        name: {
            "of_best": float(np.nanmedian([swap[name]["of_best"] for swap in swaps])),
            "ratio": float(np.nanmedian([_ratio(swap[name]) for swap in swaps])),
        }
        for name in swaps[0]
    }


def _ratio(one: Mapping[str, float]) -> float:
    return one["predicted"] / one["true"] if one["true"] > 0 else np.nan
