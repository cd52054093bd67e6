"""Rows of the statistics tables: hours, days, and the evaluation of periods in one line a place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.clock import day_of_label
from yrd_airq.jobs.stats_source import Source
from yrd_airq.quality.daily import DAILY_TARGETS
from yrd_airq.quality.days import JudgedDays
from yrd_airq.quality.summary import Summary
from yrd_airq.standards.aqi import hourly_aqi
from yrd_airq.standards.basis import Basis
from yrd_airq.standards.levels import LEVELS, level_index
from yrd_airq.standards.rounding import round_half_even
from yrd_airq.standards.settings import EvaluationRules, load_standards
from yrd_airq.standards.versions import Standard
from yrd_airq.vocab import Pollutant, Target

# Up to this AQI there is no primary pollutant (HJ 633-2026 §4.3.1).
_NO_PRIMARY = 50
_LEVELS_ZH = np.array(["", *(level.name_zh for level in LEVELS)], dtype=object)


def named(frame: pd.DataFrame, source: Source) -> pd.DataFrame:
    """The table with names behind the code of the place: the city's, and for stations the station's too."""
    names = {"city_zh": frame["place"].map(dict(source.city_zh))}
    if not source.of_cities:
        names = {"name_zh": frame["place"].map(dict(source.name_zh))} | names
    rest = frame.drop(columns="place")
    return pd.concat([frame[["place"]], pd.DataFrame(names), rest], axis=1)


def hour_table(values: Mapping[Pollutant, pd.DataFrame], places: Sequence[str], basis: Basis) -> pd.DataFrame:
    """A row a place and hour: concentrations, hourly AQI, level and primary pollutants; empty hours left out.

    The AQI is of 1-h means with the particles read against their daily breakpoints: HJ 633-2026, and
    what the national release did before it.
    """
    labels = next(iter(values.values())).index
    arrays = {
        p: values[p].reindex(columns=list(places)).to_numpy(dtype=np.float64)
        for p in Pollutant
        if p in values
    }
    shape = (len(labels), len(places))
    aqi, primary = np.full(shape, np.nan), np.full(shape, "", dtype=object)
    days = pd.DatetimeIndex(day_of_label(pd.DatetimeIndex(labels)))
    for standard in Standard:
        rows = np.flatnonzero([basis.standard_on(day.date()) is standard for day in days])
        if rows.size:
            items = {_hour_item(p, standard): value[rows] for p, value in arrays.items()}
            stated = hourly_aqi(items, standard, publication_rule=standard is Standard.HJ633_2026)
            aqi[rows] = stated.aqi
            leads = {p: (stated.iaqi[p] == stated.aqi) & (stated.aqi > _NO_PRIMARY) for p in arrays}
            primary[rows] = _joined(leads, (len(rows), len(places)))
    time = np.asarray(pd.DatetimeIndex(labels).strftime("%Y-%m-%d %H:%M"), dtype=object)
    columns: dict[str, NDArray[np.object_] | NDArray[np.float64]] = {
        p.value: _rounded(value, p) for p, value in arrays.items()
    }
    table = _long("time", time, places, columns | _judgement(aqi, primary))
    return table[table[[p.value for p in arrays]].notna().any(axis=1)].reset_index(drop=True)


def day_table(
    judged: JudgedDays, rules: EvaluationRules, struck: Mapping[Target, NDArray[np.bool_]] | None
) -> pd.DataFrame:
    """A row a place and day: valid daily concentrations, AQI, level, primary pollutants.

    ``valid`` says whether an AQI may be stated. With ``struck`` the column ``event`` names the pollutants
    that an exceptional event concerns.
    """
    columns: dict[str, NDArray[np.object_] | NDArray[np.float64]] = {
        target.value: _rounded(judged.values[target], target.info.pollutant, rules)
        for target in DAILY_TARGETS
    }
    primary = _joined(judged.primary, judged.aqi.shape)
    columns |= {"valid": np.isfinite(judged.aqi).astype(object)} | _judgement(judged.aqi, primary)
    if struck is not None:
        named_by = {t.info.pollutant: mask for t, mask in struck.items()}
        columns["event"] = _joined(named_by, judged.aqi.shape, [p.value for p in named_by], ",")
    return _long("date", judged.days.to_numpy(), judged.places, columns)


def evaluation_table(summary: Summary, rules: EvaluationRules) -> pd.DataFrame:
    """A row a place and period: the evaluated figure of each pollutant, good days, composite index, rank.

    With a comparison each figure has its earlier one and its change behind it.
    """
    keys = ["place", "period", "first", "last", "events"]
    table = summary.places[keys].copy()
    for target in rules.composite.items:
        by_percentile = target in rules.composite.by_percentile
        figure = "percentile" if by_percentile else "mean"
        kind = f"p{rules.percentiles[target].value:g}" if by_percentile else "mean"
        items = summary.items[summary.items["target"] == target.value].set_index(keys)
        for suffix in ("", "_before", "_change_percent"):
            if f"{figure}{suffix}" in items:
                column = items[f"{figure}{suffix}"].reindex(pd.MultiIndex.from_frame(table[keys]))
                table[f"{target.value}_{kind}{suffix}"] = column.to_numpy()
    wanted = [
        *(
            "aqi_days",
            "valid",
            "good_days",
            "good_day_ratio",
            "good_day_ratio_before",
            "good_day_ratio_change",
        ),
        *("composite_index", "composite_index_before", "composite_index_change", "index_valid"),
        *("main_pollutant", "rank"),
    ]
    held = [name for name in wanted if name in summary.places]
    table[held] = summary.places[held]
    if table["events"].nunique() == 1:
        table = table.drop(columns="events")
    return table.drop(columns=["first", "last"])


def _hour_item(pollutant: Pollutant, standard: Standard) -> str:
    particle = pollutant in (Pollutant.PM10, Pollutant.PM25)
    return f"{pollutant}_24h" if particle and standard is Standard.HJ633_2012 else f"{pollutant}_1h"


def _rounded(
    values: NDArray[np.float64], pollutant: Pollutant, rules: EvaluationRules | None = None
) -> NDArray[np.float64]:
    digits = (rules or load_standards().hj663_2013).digits
    decimals = digits.co if pollutant is Pollutant.CO else digits.concentration
    return np.asarray(round_half_even(values, int(decimals.value)))


def _judgement(
    aqi: NDArray[np.float64], primary: NDArray[np.object_]
) -> dict[str, NDArray[np.object_] | NDArray[np.float64]]:
    return {"aqi": aqi, "level_zh": _LEVELS_ZH[level_index(aqi)], "primary_zh": primary}


def _joined(
    masks: Mapping[Pollutant, NDArray[np.bool_]],
    shape: tuple[int, ...],
    names: Sequence[str] | None = None,
    parted: str = "、",
) -> NDArray[np.object_]:
    """Names of the pollutants that are true, as text."""
    text = np.full(shape, "", dtype=object)
    for pollutant, name in zip(masks, names or [p.name_zh for p in masks], strict=True):
        here = np.asarray(masks[pollutant])
        text[here] = [f"{before}{parted}{name}" if before else name for before in text[here]]
    return text


def _long(
    when: str,
    moments: NDArray[np.object_] | NDArray[np.datetime64],
    places: Sequence[str],
    columns: Mapping[str, NDArray[np.object_] | NDArray[np.float64]],
) -> pd.DataFrame:
    """(time, place) arrays as rows, place by place."""
    table: dict[str, object] = {
        "place": np.repeat(np.array(places, dtype=object), len(moments)),
        when: np.tile(moments, len(places)),
    }
    return pd.DataFrame(table | {name: np.asarray(value).T.ravel() for name, value in columns.items()})
