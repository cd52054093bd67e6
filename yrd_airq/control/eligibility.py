"""Who may be asked for what: zone, exemption, grade, sector, notice; a status and reason for everyone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.control.requirements import days_between
from yrd_airq.control.settings import ControlSettings, Measure
from yrd_airq.errors import Faults
from yrd_airq.region import distance_km, zone_index
from yrd_airq.settings import Event
from yrd_airq.vocab import Precursor

EMISSION_COLUMNS = tuple(f"{precursor}_tpa" for precursor in Precursor)
KG_PER_DAY = 1000 / 365  # of 1 t/a
HOURS = 24
DIRECTIONS_ZH = np.array(["北", "东北", "东", "东南", "南", "西南", "西", "西北"], dtype=object)


class Status(StrEnum):
    """What became of an enterprise in a plan."""

    SELECTED = "selected"
    NOT_SELECTED = "not_selected"
    EXEMPT = "exempt"
    VOLUNTARY = "voluntary"
    OUTSIDE_ZONES = "outside_zones"
    UNKNOWN_EMISSION = "unknown_emission"
    NO_MEASURE = "no_measure"


@dataclass(frozen=True)
class Eligibility:
    """What may be asked of each enterprise.

    ``enterprises``: the list sorted by id, with zone (index, −1 outside), distance_km, direction_zh,
    grade_known, status and why_zh. ``allowed``: (enterprise, measure). ``first_day``: (enterprise,
    measure) index of the first control day that the order reaches; ``min_days``: shortest run.
    ``emission_kgd``: (enterprise, precursor), NaN where unknown.
    """

    enterprises: pd.DataFrame
    allowed: NDArray[np.bool_]
    first_day: NDArray[np.int64]
    min_days: NDArray[np.float64]
    emission_kgd: NDArray[np.float64]


def check_enterprises(enterprises: pd.DataFrame) -> pd.DataFrame:
    """The list sorted by id; ``InputError`` for missing columns, repeated ids or negative emissions."""
    faults = Faults("enterprise list")
    needed = ["enterprise_id", "name_zh", "adcode", "lon", "lat", "sector", "grade", "exempt"]
    needed += ["exempt_reason", *EMISSION_COLUMNS, "emission_basis", "cost_cny_per_day"]
    for column in [column for column in needed if column not in enterprises]:
        faults.add(f"column {column} is missing")
    faults.raise_if_any()
    for code in enterprises.loc[enterprises["enterprise_id"].duplicated(), "enterprise_id"].unique():
        faults.add(f"enterprise_id {code} occurs more than once; give each enterprise one row")
    for column in [*EMISSION_COLUMNS, "cost_cny_per_day"]:
        values = pd.to_numeric(enterprises[column])
        for code in enterprises.loc[values < 0, "enterprise_id"]:
            faults.add(f"{code}: {column} is negative")
    faults.raise_if_any()
    return enterprises.sort_values("enterprise_id").reset_index(drop=True)


def judge_eligibility(
    event: Event,
    enterprises: pd.DataFrame,
    issue_time: datetime,
    settings: ControlSettings,
    tiers: Mapping[str, str] | None = None,
) -> Eligibility:
    """Status of every enterprise and the measures that may be asked of it.

    Exempt and voluntary come first, so that such an enterprise says so wherever it lies. Enterprises
    that could be asked get the status ``not_selected``. ``tiers``: adcode → warning tier in force, whose
    depths by grade then hold. An exemption that ended before the controls start is none any more.
    """
    table = _place(event, check_enterprises(enterprises))
    emission = table[list(EMISSION_COLUMNS)].astype(float).to_numpy() * KG_PER_DAY
    grade = table["grade"].where(table["grade"].notna(), "").astype(str)
    voluntary = grade.isin(settings.grades.voluntary)
    table["grade_known"] = voluntary | grade.isin(settings.grades.graded)
    grade = grade.where(table["grade_known"], settings.grades.unknown_as)
    first_day = _reach(event, table, issue_time, settings)
    min_days = _shortest_run(table, settings)
    stages = _stages(event, table, grade, emission, first_day, min_days, settings)
    stages.append(
        (_depth_allowed(table, grade, tiers or {}, settings), "现行预警级别下该绩效等级没有适用措施")
    )
    allowed = np.logical_and.reduce([stage for stage, _ in stages])
    listed_reason = table["exempt_reason"].fillna("清单列为豁免，未注明依据").astype(str)
    rulings = [
        (_exempt(event, table), Status.EXEMPT, listed_reason),
        (voluntary, Status.VOLUNTARY, "绩效等级" + grade + "，自主减排"),
        (table["zone"] < 0, Status.OUTSIDE_ZONES, "不在各管控圈内"),
        (np.isnan(emission).all(axis=1), Status.UNKNOWN_EMISSION, "各项排放量均未知"),
        (~allowed.any(axis=1), Status.NO_MEASURE, _failed_stage(stages)),
    ]
    conditions, statuses, reasons = zip(*rulings, strict=True)
    table["status"] = np.select(conditions, statuses, Status.NOT_SELECTED)
    table["why_zh"] = np.select(conditions, reasons, "")
    allowed &= (table["status"] == Status.NOT_SELECTED).to_numpy()[:, None]
    return Eligibility(table, allowed, first_day, min_days, emission)


def _place(event: Event, table: pd.DataFrame) -> pd.DataFrame:
    lon, lat = table["lon"].astype(float).to_numpy(), table["lat"].astype(float).to_numpy()
    adcode = table["adcode"].where(table["adcode"].notna(), "").astype(str)
    east = (lon - event.venue.lon) * np.cos(np.radians(event.venue.lat))
    bearing = np.degrees(np.arctan2(east, lat - event.venue.lat))
    octant = (np.round(np.nan_to_num(bearing) / 45) % 8).astype(int)
    return table.assign(
        adcode=adcode,
        zone=zone_index(event, adcode.tolist(), lon, lat),
        distance_km=distance_km(lon, lat, event.venue.lon, event.venue.lat),
        direction_zh=np.where(np.isnan(bearing), "", DIRECTIONS_ZH[octant]),
    )


def _reach(
    event: Event, table: pd.DataFrame, issue_time: datetime, settings: ControlSettings
) -> NDArray[np.int64]:
    notice = _by_sector(table, settings, "notice_h")
    begin = pd.Timestamp(event.control_start)
    late_h = (pd.Timestamp(issue_time) - begin).total_seconds() / 3600 + notice
    return np.maximum(np.ceil(late_h / HOURS), 0).astype(np.int64)


def _exempt(event: Event, table: pd.DataFrame) -> pd.Series:
    """Whether an exemption holds when the controls start; one without an end holds."""
    exempt = table["exempt"].fillna(False).astype(bool)
    if "exempt_until" not in table:
        return exempt
    ended = pd.to_datetime(table["exempt_until"]) < pd.Timestamp(event.control_start)
    return exempt & ~ended


def _shortest_run(table: pd.DataFrame, settings: ControlSettings) -> NDArray[np.float64]:
    """Shortest run in days, (enterprise, measure); the list's own figure for a stop where it gives one.

    A continuous process without such a figure is not stopped at all (an endless run).
    """
    days = _by_sector(table, settings, "min_days")
    stops = np.array([float(m.load_cut) >= 1 for m in settings.measures])
    if "min_stop_days" in table:
        own = pd.to_numeric(table["min_stop_days"]).to_numpy(dtype=float)
        days = np.where(stops & np.isfinite(own)[:, None], np.nan_to_num(own)[:, None], days)
    else:
        own = np.full(len(table), np.nan)
    if "continuous" in table:
        endless = table["continuous"].fillna(False).astype(bool).to_numpy() & np.isnan(own)
        days = np.where(stops & endless[:, None], np.inf, days)
    return days


def _depth_allowed(
    table: pd.DataFrame, grade: pd.Series, tiers: Mapping[str, str], settings: ControlSettings
) -> NDArray[np.bool_]:
    """Whether a measure cuts no deeper than the tier of the city lets the grade go, (enterprise, measure)."""
    depth = np.array([max(float(cut) for cut in m.cut.values()) if m.cut else 0.0 for m in settings.measures])
    tier = table["adcode"].map({code: str(name) for code, name in tiers.items()}).fillna("")
    deepest = np.full(len(table), np.inf)
    for name, rule in settings.rules.tiers.items():
        limits = grade.map({g: float(mark) for g, mark in rule.deepest.items()})
        deepest = np.where((tier == name) & limits.notna(), limits.fillna(0.0), deepest)
    return np.asarray(depth[None, :] <= deepest[:, None] + 1e-9)


def _by_sector(table: pd.DataFrame, settings: ControlSettings, number: str) -> NDArray[np.float64]:
    """``notice_h`` or ``min_days`` of every (enterprise, measure), with the sector's own figure first."""
    general = [float(getattr(measure, number)) for measure in settings.measures]
    own = {}
    for sector in settings.sectors:
        overrides = [sector.overrides.get(measure.code) for measure in settings.measures]
        marked = [getattr(override, number) if override else None for override in overrides]
        own[sector.code] = [
            value if mark is None else float(mark) for mark, value in zip(marked, general, strict=True)
        ]
    frame = pd.DataFrame(own).T.reindex(table["sector"])
    return frame.fillna(pd.Series(general)).to_numpy(dtype=float)


def _stages(
    event: Event,
    table: pd.DataFrame,
    grade: pd.Series,
    emission: NDArray[np.float64],
    first_day: NDArray[np.int64],
    min_days: NDArray[np.float64],
    settings: ControlSettings,
) -> list[tuple[NDArray[np.bool_], str]]:
    measures = settings.measures
    can = pd.DataFrame({s.code: [m.code in s.measures for m in measures] for s in settings.sectors}).T
    grades = settings.grades.graded
    rank = pd.DataFrame({g: [g in m.grades for m in measures] for g in grades}).T
    ring = np.minimum(table["zone"].to_numpy() + 1, 3)[:, None]
    days = len(days_between(event.control_start, event.end))
    cut = np.array([[_deepest_cut(m, p) for p in Precursor] for m in measures])
    return [
        (can.reindex(table["sector"], fill_value=False).to_numpy(dtype=bool), "行业未列入措施库"),
        (rank.reindex(grade, fill_value=False).to_numpy(dtype=bool), "该绩效等级没有适用措施"),
        (ring <= np.array([m.widest_ring for m in measures])[None, :], "所在管控圈没有适用措施"),
        (first_day < days, "从下达到见效所需时间超过管控期"),
        (days - first_day >= min_days, "管控期短于措施的最短实施天数"),
        (np.nan_to_num(emission) @ cut.T > 0, "适用措施不涉及其已知排放的污染物"),
    ]


def _deepest_cut(measure: Measure, precursor: Precursor) -> float:
    cuts = (measure.cut, measure.ozone_cut or {})
    return max(float(cut[precursor]) if precursor in cut else 0.0 for cut in cuts)


def _failed_stage(stages: list[tuple[NDArray[np.bool_], str]]) -> NDArray[np.object_]:
    """Text of the first rule that leaves an enterprise without any measure."""
    left = np.ones_like(stages[0][0])
    reason = np.full(len(left), "", dtype=object)
    for stage, text in stages:
        left = left & stage
        reason[~left.any(axis=1) & (reason == "")] = text
    return reason
