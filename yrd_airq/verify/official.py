"""Accuracy as Chinese forecast evaluation counts it: AQI range, level, half-level and first pollutant."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import xarray as xr

from yrd_airq.standards.breakpoints import MAX_INDEX
from yrd_airq.standards.levels import LEVELS, aqi_range, level_index
from yrd_airq.verify.cases import AQI_ITEMS, CASE_DIMS, Cases, item_index
from yrd_airq.vocab import Target

OFFICIAL_SCORES = ("n", "range", "level", "high", "low", "half_level", "primary_n", "primary")
ALL = "all"
_CLEAN = 50  # up to this AQI there is no first pollutant
# Lower and upper AQI of the twelve half-levels (半级别): each level cut in the middle.
_HALVES = np.array(
    [
        half
        for low, high in ((level.lower, level.upper) for level in LEVELS)
        for half in ((low, (low + high) // 2), ((low + high) // 2 + 1, high))
    ]
)


def judge_official(cases: Mapping[Target, Cases]) -> pd.DataFrame:
    """Official scores by model and lead, over all days and by observed level; empty without AQI items.

    The forecast AQI is that of the mean values, its range the published one (``aqi_range``), and both AQIs
    are of the same targets: a city-day counts where every target has forecast and observation. Columns:
    model, lead_day, level (``all`` or 1 … 6 observed), n; ``range`` the share of days whose AQI lies in the
    range, ``level`` whose level lies among those of the range, ``high`` and ``low`` the shares forecast
    wholly above or below (level + high + low = 1); ``half_level`` the share whose half-level the range
    touches; ``primary`` the share of the ``primary_n`` days above AQI 50 on which a forecast first
    pollutant was one of the observed.
    """
    items = {target: own for target, own in cases.items() if target in AQI_ITEMS}
    if not items:
        return pd.DataFrame(columns=["model", "lead_day", "level_observed", *OFFICIAL_SCORES])
    said, said_first = _index_of({target: own.data["mean"] for target, own in items.items()})
    seen, seen_first = _index_of({target: own.data["observed"] for target, own in items.items()})
    seen, said = xr.broadcast(seen, said)
    hits = _hits(said, said_first, seen, seen_first)
    level = xr.zeros_like(seen, dtype=int) + level_index(seen.to_numpy())
    lines = [_shares(hits, hits["counted"]).assign(level_observed=ALL)]
    for entry in LEVELS:
        chosen = hits["counted"] & (level == entry.index)
        lines.append(_shares(hits, chosen).assign(level_observed=str(entry.index)))
    table = pd.concat(lines, ignore_index=True)
    table = table[table["n"] > 0].reset_index(drop=True)
    return table[["model", "lead_day", "level_observed", *OFFICIAL_SCORES]]


def _index_of(values: Mapping[Target, xr.DataArray]) -> tuple[xr.DataArray, xr.DataArray]:
    """AQI of the targets together, NaN where one is missing, and its first pollutants as bits."""
    found = [item_index(target, array) for target, array in values.items()]
    indices = xr.align(*(index for index in found if index is not None), join="inner")
    stacked = xr.concat(indices, "item")
    aqi = stacked.max("item", skipna=False)
    weight = xr.DataArray(2 ** np.arange(len(indices)), dims="item")
    first = ((stacked == aqi) & (aqi > _CLEAN)).dot(weight, dim="item")
    return aqi, first


def _hits(
    said: xr.DataArray, said_first: xr.DataArray, seen: xr.DataArray, seen_first: xr.DataArray
) -> xr.Dataset:
    low, high = _range_of(said)
    level, least, most = (x.copy(data=level_index(x.to_numpy())) for x in (seen, low, high))
    counted = said.notnull() & seen.notnull()
    half = np.searchsorted(_HALVES[:, 1], np.nan_to_num(seen.to_numpy()))
    half_low, half_high = (seen.copy(data=_HALVES[half, k]) for k in (0, 1))
    return xr.Dataset(
        {
            "counted": counted,
            "range": (low <= seen) & (seen <= high),
            "level": (least <= level) & (level <= most),
            "high": least > level,
            "low": most < level,
            "half_level": (low <= half_high) & (half_low <= high),
            "dirty": counted & (seen > _CLEAN),
            "primary": (said_first.astype(int) & seen_first.astype(int)) > 0,
        }
    )


def _range_of(aqi: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """Published range of each AQI; NaN where it is missing."""
    table = np.array([aqi_range(value) for value in range(MAX_INDEX + 1)], dtype=float)
    whole = np.nan_to_num(aqi.to_numpy()).astype(int)
    low, high = (aqi.copy(data=table[whole, k]).where(aqi.notnull()) for k in (0, 1))
    return low, high


def _shares(hits: xr.Dataset, chosen: xr.DataArray) -> pd.DataFrame:
    dims = list(CASE_DIMS)
    dirty = chosen & hits["dirty"]
    names = ("range", "level", "high", "low", "half_level")
    found = xr.Dataset({name: hits[name].where(chosen).mean(dims) for name in names})
    found["primary"] = hits["primary"].where(dirty).mean(dims)
    found["n"], found["primary_n"] = chosen.sum(dims), dirty.sum(dims)
    return found.to_dataframe().reset_index()
