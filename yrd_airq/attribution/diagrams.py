"""Tables behind the figures of an attribution: rose by direction and sector, stacked bars, range of parts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from yrd_airq.attribution.matrix import Attribution
from yrd_airq.attribution.settings import AttributionSettings
from yrd_airq.errors import InputError
from yrd_airq.region import Region
from yrd_airq.vocab import Precursor, Target

DIRECTIONS_ZH = ("北", "东北", "东", "东南", "南", "西南", "西", "西北")
_VOC, _NOX = (tuple(Precursor).index(p) for p in (Precursor.VOC, Precursor.NOX))


def sector_rose(
    attribution: Attribution,
    enterprises: pd.DataFrame,
    region: Region,
    settings: AttributionSettings,
    target: Target,
) -> pd.DataFrame:
    """Part of the listed enterprises in ``target``'s precursors by direction and sector, mean of the days.

    Columns receptor, direction_zh (eight winds, where the enterprise lies as seen from the receptor's
    centre), sector_zh, share. ``share``: of the concentration above background, for ozone by VOC and
    NOx as in the budget. Enterprises without a position are left out. ``enterprises`` is the list that
    was attributed; ``InputError`` for another.
    """
    enterprises = enterprises.reset_index(drop=True)
    if tuple(enterprises["enterprise_id"]) != attribution.enterprise_id:
        raise InputError("the rose needs the enterprise list that was attributed; pass the same version")
    amount = (_shares_for(attribution, settings, target)).mean(axis=1)
    names = enterprises["sector"].map(lambda code: settings.sector_names_zh.get(code, code))
    frames = []
    for index, code in enumerate(attribution.receptors):
        city = region.city(code)
        wind = _direction(enterprises, city.lon, city.lat)
        rows = pd.DataFrame({"direction": wind, "sector_zh": names, "share": amount[index]})
        rows = rows[(rows["direction"] >= 0) & (rows["share"] > 0)]
        summed = rows.groupby(["direction", "sector_zh"], sort=True)["share"].sum().reset_index()
        frames.append(summed.assign(receptor=code))
    rose = pd.concat(frames, ignore_index=True)
    rose["direction_zh"] = np.array(DIRECTIONS_ZH, dtype=object)[rose["direction"].astype(int)]
    return rose[["receptor", "direction_zh", "sector_zh", "share"]]


def stacked_bars(attribution: Attribution, target: Target) -> pd.DataFrame:
    """Budget of ``target`` as a table receptor, date × part_zh in µg/m³; parts by their total, largest first.

    Every row adds up to the concentration. Empty for a target that was not attributed.
    """
    rows = attribution.budget[attribution.budget["target"] == target.value]
    table = rows.pivot_table(
        index=["receptor", "date"],
        columns="part_zh",
        values="contribution_ugm3",
        aggfunc="sum",
        fill_value=0.0,
    )
    order = table.sum().sort_values(ascending=False, kind="stable").index
    return table[order]


def part_ranges(attribution: Attribution, target: Target) -> pd.DataFrame:
    """Parts of ``target``'s budget with what the members of the ensemble say apart.

    receptor, date, part_zh, kind, contribution_ugm3, low_ugm3, high_ugm3.
    """
    budget = attribution.budget
    if attribution.spread is None:
        raise InputError("this attribution carries no spread of its ensemble; attribute it anew")
    both = budget.join(attribution.spread.budget[["low_ugm3", "high_ugm3"]])
    columns = ["receptor", "date", "part_zh", "kind", "contribution_ugm3", "low_ugm3", "high_ugm3"]
    return both.loc[both["target"] == target.value, columns].reset_index(drop=True)


def _shares_for(attribution: Attribution, settings: AttributionSettings, target: Target) -> np.ndarray:
    """Share of each enterprise in the part of a target above background, (receptor, day, enterprise)."""
    if target not in attribution.target_share:
        raise InputError(f"{target} is not attributed to enterprises; ask for another target")
    share = attribution.target_share[target]
    if target in settings.mass:
        fraction = np.array([settings.mass[target].fraction(precursor) for precursor in Precursor])
        return np.asarray(share @ fraction)
    weight = settings.ozone.budget_voc_weight.value
    return np.asarray(weight * share[..., _VOC] + (1 - weight) * share[..., _NOX])


def _direction(enterprises: pd.DataFrame, lon: float, lat: float) -> np.ndarray:
    """Index into ``DIRECTIONS_ZH`` of each enterprise as seen from a place; −1 without a position."""
    east = (enterprises["lon"].to_numpy(dtype=float) - lon) * np.cos(np.radians(lat))
    north = enterprises["lat"].to_numpy(dtype=float) - lat
    bearing = np.degrees(np.arctan2(east, north)) % 360
    wind = np.round(np.nan_to_num(bearing) / 45).astype(int) % 8
    return np.where(np.isfinite(bearing), wind, -1)
