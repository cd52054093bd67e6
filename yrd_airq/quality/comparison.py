"""Periods of two years beside each other (year on year), and means over three years."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from yrd_airq.errors import InputError
from yrd_airq.quality.periods import Period
from yrd_airq.quality.summary import Summary
from yrd_airq.standards.rounding import round_half_even
from yrd_airq.standards.settings import EvaluationRules
from yrd_airq.standards.statistics import denoise

# Figures that are compared, each with the column that says whether it is valid.
_OF_ITEMS: Final = {"mean": "valid", "percentile": "valid", "above_days": "valid", "attain_ratio": "valid"}
_OF_PLACES: Final = {"good_days": "valid", "good_day_ratio": "valid", "composite_index": "index_valid"}
# Ratios change by percentage points and days by days; the others change by per cent too.
_IN_PER_CENT: Final = ("mean", "percentile", "composite_index")
YEARS: Final = 3


def compare_periods(
    now: Summary,
    before: Summary,
    periods: Sequence[Period],
    earlier: Sequence[Period],
    rules: EvaluationRules,
) -> Summary:
    """``now`` with the figures of the same periods of another year beside it.

    Adds for each compared figure ``<name>_before``, ``<name>_change`` and, for concentrations and the
    index, ``<name>_change_percent``. Changes are those of the printed (rounded) figures, and are given
    only where both periods are valid. Both summaries have to be made on one standard.
    """
    if len(periods) != len(earlier):
        raise InputError(
            f"{len(periods)} periods cannot be compared with {len(earlier)}; "
            "choose a window that has as many periods in both years"
        )
    renamed = {was.name: is_now.name for was, is_now in zip(earlier, periods, strict=True)}
    return Summary(
        _beside(now.items, before.items, renamed, ["place", "period", "events", "target"], _OF_ITEMS, rules),
        _beside(now.places, before.places, renamed, ["place", "period", "events"], _OF_PLACES, rules),
    )


def three_year_means(items: pd.DataFrame, rules: EvaluationRules) -> pd.DataFrame:
    """The items table of whole years with ``mean_3y`` and ``percentile_3y``: of the year and the two before.

    Given where all three years are there and valid; means of the printed annual figures, rounded again
    as these are (the 2026 text is not at hand; press, 2026-02: a three-year moving average).
    """
    table = items.copy()
    key = ["place", "events", "target"]
    year = table["last"].dt.year
    co = (table["target"] == "co").to_numpy()
    for name in ("mean", "percentile"):
        total = np.zeros(len(table))
        for back in range(YEARS):
            past = table.loc[table["valid"], [*key, name]].assign(year=year[table["valid"]] + back)
            joined = table[key].assign(year=year).merge(past, on=[*key, "year"], how="left")
            total = total + joined[name].to_numpy(dtype=np.float64)
        table[f"{name}_3y"] = _rounded_concentration(denoise(total / YEARS), co, rules)
    return table


def _beside(
    now: pd.DataFrame,
    before: pd.DataFrame,
    renamed: dict[str, str],
    key: list[str],
    figures: dict[str, str],
    rules: EvaluationRules,
) -> pd.DataFrame:
    past = before.assign(period=before["period"].map(renamed))
    columns = list(dict.fromkeys([*figures, *figures.values()]))
    joined = now.merge(past[[*key, *columns]], on=key, how="left", suffixes=("", "_before"))
    table = now.copy()
    for name, valid in figures.items():
        both = joined[valid].astype(bool) & joined[f"{valid}_before"].eq(True)
        was = joined[f"{name}_before"].astype(np.float64).to_numpy()
        change = np.where(both, denoise(joined[name].to_numpy(dtype=np.float64) - was), np.nan)
        table[f"{name}_before"] = was
        table[f"{name}_change"] = change
        if name in _IN_PER_CENT:
            per_cent = np.divide(100 * change, was, out=np.full(len(was), np.nan), where=was > 0)
            rounded = round_half_even(denoise(per_cent), int(rules.digits.ratio.value))
            table[f"{name}_change_percent"] = rounded
    return table


def _rounded_concentration(values: np.ndarray, co: np.ndarray, rules: EvaluationRules) -> np.ndarray:
    whole = round_half_even(values, int(rules.digits.concentration.value))
    return np.where(co, round_half_even(values, int(rules.digits.co.value)), whole)
