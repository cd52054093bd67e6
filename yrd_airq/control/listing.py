"""The control list as a table: one row per enterprise with numbers, evidence, reason and status."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.control.eligibility import Status
from yrd_airq.control.orders import effect_matrix
from yrd_airq.control.problem import Problem
from yrd_airq.control.reasons import explain
from yrd_airq.control.relief import OZONE
from yrd_airq.control.solve import Solution
from yrd_airq.control.stability import share_of_members
from yrd_airq.region import Region
from yrd_airq.vocab import Precursor, Target

LIST_COLUMNS = (
    *("rank", "enterprise_id", "name_zh", "adcode", "city_zh", "sector", "grade", "zone"),
    *("measure_code", "measure_zh", "start", "end"),
    *("reduction_nox_kgd", "reduction_voc_kgd", "reduction_pm_kgd", "reduction_so2_kgd"),
    *("benefit_o3_ugm3", "benefit_pm25_ugm3", "cost_cny", "stability", "evidence", "reason_zh", "status"),
)
_DIGITS = {"kgd": 1, "ugm3": 3, "cny": 0, "stability": 2}
HOTSPOTS_SHOWN = 3
_ORDER = {Status.SELECTED: 0, Status.NOT_SELECTED: 1, Status.EXEMPT: 2, Status.VOLUNTARY: 3}


def list_enterprises(
    problem: Problem, solution: Solution, region: Region, traced: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The list in the columns ``LIST_COLUMNS``.

    First the selected enterprises, those that bring most first, then ``alternates`` next-best ones that were
    not selected (all candidates when no control is needed) without a measure, then the exempt and
    the voluntary ones by zone and id. ``rank`` numbers the selected. Benefits are means over the
    event's receptors and days; reductions hold for one day in kg. What is unknown stays empty.
    ``traced``: traced sources of hotspots (``survey.tracing.TRACE_COLUMNS``).
    """
    table = _judge(problem, solution)
    table = _order(table, problem, solution)
    table = _describe(table, problem, region).assign(
        stability=share_of_members(problem, solution.chosen)[table["row"]]
    )
    table = _measure(table, problem)
    table["survey_zh"] = _survey_text(table, traced)
    table["evidence"] = _gather_evidence(table, problem)
    table["reason_zh"] = explain(table, problem, region)
    selected = table["status"] == Status.SELECTED
    table["rank"] = pd.Series(np.arange(1, len(table) + 1), index=table.index, dtype="Int64").where(selected)
    return _round(table[list(LIST_COLUMNS)].copy())


def _judge(problem: Problem, solution: Solution) -> pd.DataFrame:
    """The enterprises with ``candidate``: the chosen one, else the best they have, −1 none."""
    table = problem.enterprises.copy()
    table["row"] = np.arange(len(table))
    best = np.full(len(table), -1, dtype=np.int64)
    by_merit = np.argsort(problem.merit, kind="stable")  # the last one written is the best
    best[problem.enterprise[by_merit]] = by_merit
    best[problem.enterprise[solution.chosen]] = solution.chosen
    table["candidate"] = best
    table.loc[problem.enterprise[solution.chosen], "status"] = Status.SELECTED
    return table


def _order(table: pd.DataFrame, problem: Problem, solution: Solution) -> pd.DataFrame:
    merit = np.append(problem.merit, -np.inf)[table["candidate"]]
    worth = np.append(problem.worth, -np.inf)[table["candidate"]]
    chosen, waiting_list = table["status"] == Status.SELECTED, table["status"] == Status.NOT_SELECTED
    asked = chosen | waiting_list
    keys = table.assign(
        group=table["status"].map(_ORDER),
        # A meeting reads from the top: the names that bring most stand first, whatever they cost.
        merit=np.select([chosen, waiting_list], [-worth, -merit], 0.0),
        ring=np.where(asked, 0, np.where(table["zone"] < 0, 99, table["zone"])),
    )
    keys = keys[keys["group"].notna() & ~((keys["status"] == Status.NOT_SELECTED) & (keys["candidate"] < 0))]
    keys = keys.sort_values(["group", "merit", "ring", "enterprise_id"], kind="stable").reset_index(drop=True)
    waiting = (keys["status"] == Status.NOT_SELECTED).cumsum()
    if solution.status != "not_needed":
        keys = keys[(keys["status"] != Status.NOT_SELECTED) | (waiting <= problem.settings.alternates)]
    return keys.drop(columns=["group", "merit", "ring"]).reset_index(drop=True)


def _describe(table: pd.DataFrame, problem: Problem, region: Region) -> pd.DataFrame:
    cities = {city.adcode: city.name_zh for city in region.cities}
    sectors = {sector.code: sector.name_zh for sector in problem.settings.sectors}
    zones = np.array([*(zone.name_zh for zone in problem.event.zones), ""], dtype=object)
    return table.assign(
        city_zh=table["adcode"].map(region.canonical_adcode).map(cities).fillna(""),
        sector=table["sector"].map(sectors).fillna(table["sector"]),
        grade=table["grade"].fillna(""),
        zone_index=table["zone"],
        zone=zones[table["zone"]],
        name_zh=table["name_zh"].fillna(""),
    )


def _measure(table: pd.DataFrame, problem: Problem) -> pd.DataFrame:
    """Measure, period, reductions, benefits and cost; empty for everybody who is not selected."""
    selected = (table["status"] == Status.SELECTED).to_numpy()
    candidate = np.where(selected, table["candidate"], -1)
    measure = np.append(problem.measure, -1)[candidate]
    codes = np.array([*(m.code for m in problem.settings.measures), ""], dtype=object)
    names = np.array([*(m.name_zh for m in problem.settings.measures), ""], dtype=object)
    begin, end = (np.append(edge, 0)[candidate] for edge in (problem.first_day, problem.last_day))
    daily = _or_nan(effect_matrix(problem.settings.measures, ozone=False), measure)
    reduction = problem.emission_kgd[table["row"]] * daily
    columns = {f"reduction_{p}_kgd": reduction[:, k] for k, p in enumerate(Precursor)}
    return table.assign(
        measure_code=codes[measure],
        measure_zh=names[measure],
        start=np.where(selected, _dates(problem.event.control_start, begin), ""),
        end=np.where(selected, _dates(problem.event.control_start, end), ""),
        **columns,
        benefit_o3_ugm3=_or_nan(problem.mean_benefit(OZONE), candidate),
        benefit_pm25_ugm3=_or_nan(problem.mean_benefit((Target.PM25,)), candidate),
        cost_cny=_or_nan(problem.cost_cny, candidate),
    )


def _or_nan(values: NDArray[np.float64], index: NDArray[np.int64]) -> NDArray[np.float64]:
    """``values[index]`` along the first axis, NaN where the index is −1."""
    padding = np.full((1, *values.shape[1:]), np.nan)
    return np.asarray(np.concatenate([values, padding])[index])


def _dates(first: date, offset: NDArray[np.int64]) -> NDArray[np.object_]:
    days = np.array([(first + timedelta(days=k)).isoformat() for k in range(int(offset.max(initial=0)) + 1)])
    return np.asarray(days.astype(object)[offset])


def _gather_evidence(table: pd.DataFrame, problem: Problem) -> NDArray[np.object_]:
    """Where the knowledge about an enterprise comes from: traced footprint, survey, basis of the emission."""
    names = problem.settings.emission_basis_zh
    basis = table["emission_basis"].fillna("").astype(str)
    basis_zh = np.where(basis == "", "排放量来源未注明", basis.map(names).fillna("排放量来源：" + basis))
    traced = np.where(table["candidate"] >= 0, "后向轨迹溯源；", "")
    survey = np.where(table["survey_zh"] == "", "", table["survey_zh"] + "；")
    return np.asarray(traced + survey + basis_zh, dtype=object)


def _survey_text(table: pd.DataFrame, traced: pd.DataFrame | None) -> pd.Series:
    """Hotspots of mobile surveys traced to each enterprise, the heaviest three; empty without any."""
    if traced is None or traced.empty:
        return pd.Series("", index=table.index)
    heaviest = traced.sort_values(["enterprise_id", "weight", "hotspot_id"], ascending=[True, False, True])
    heaviest = heaviest.groupby("enterprise_id").head(HOTSPOTS_SHOWN)
    text = (
        "走航热点"
        + heaviest["hotspot_id"].astype(str)
        + heaviest["evidence"]
        + "来源（相距"
        + heaviest["distance_m"].map("{:.0f}".format)
        + "米）"
    )
    found = text.groupby(heaviest["enterprise_id"]).agg("、".join)
    return table["enterprise_id"].map(found).fillna("")


def _round(table: pd.DataFrame) -> pd.DataFrame:
    for column in table.columns:
        digits = _DIGITS.get(str(column).rsplit("_", 1)[-1])
        if digits is not None:
            table[column] = np.round(table[column].astype(float), digits) + 0.0  # no −0.0
    return table
