"""The list for a warning tier: what every listed enterprise of a warned city has to do, and what it saves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from yrd_airq.control.eligibility import EMISSION_COLUMNS, KG_PER_DAY, Status, check_enterprises
from yrd_airq.control.settings import ControlSettings
from yrd_airq.region import Region
from yrd_airq.settings import Marked, Settings
from yrd_airq.standards.tiers import Tier
from yrd_airq.vocab import Precursor

REDUCTIONS = tuple(f"reduction_{precursor}_kgd" for precursor in Precursor)
EMERGENCY_COLUMNS = (
    *("adcode", "city_zh", "tier", "tier_zh", "enterprise_id", "name_zh", "sector", "grade"),
    *("measure_code", "measure_zh", "basis", *REDUCTIONS, "status", "reason_zh"),
)
FROM_LIST, FALLBACK = "list", "fallback"
_ORDER = {Status.SELECTED: 0, Status.NO_MEASURE: 1, Status.EXEMPT: 2, Status.VOLUNTARY: 3}


class TierMeasure(Settings):
    """A measure of the fallback; ``cut`` is the share of the day's emission that it saves."""

    name_zh: str
    cut: Marked


class EmergencySettings(Settings):
    """Shape of ``configs/emergency.yaml``: measures by grade and tier, advice on ozone.

    The floors of the reduction stand with the rules of the list (``ControlSettings.rules.tiers``).
    """

    fallback: dict[str, dict[Tier, TierMeasure]]
    ozone_advice_zh: str


@dataclass(frozen=True)
class EmergencyList:
    """The list and what it saves.

    ``list``: one row an enterprise of a warned city, in the columns ``EMERGENCY_COLUMNS``; kg/d.

    ``loads``: one row a city and precursor: adcode, city_zh, tier, precursor, emission_tpd, reduction_tpd,
    share, floor, met. Shares are of the listed enterprises' emission, which is less than all that a city
    emits; floor and met are empty where the tier has no floor or nothing is known of the emission.
    """

    list: pd.DataFrame
    loads: pd.DataFrame


def list_emergency(
    tiers: Mapping[str, Tier],
    enterprises: pd.DataFrame,
    measures: pd.DataFrame | None,
    region: Region,
    settings: EmergencySettings,
    control: ControlSettings,
) -> EmergencyList:
    """The measures of every enterprise in the cities of ``tiers`` (adcode → tier in force or to be started).

    ``measures``: the list's own tier column (enterprise_id, tier, measure_code, measure_zh,
    reduction_<p>_kgd); where it says nothing, the fallback by grade stands in, never deeper than the sector
    can carry (``control``). Exempt and voluntary enterprises are named with their reason. Temporary controls
    have neither fallback nor floor: they are ordered case by case.
    """
    table = _in_warned_cities(check_enterprises(enterprises), tiers, region)
    grade = table["grade"].fillna("").astype(str)
    own = _own_measures(table, measures)
    spare = _fallback_measures(table, grade, settings, control)
    listed = own["measure_zh"].notna()
    chosen = own.where(listed, spare)
    rulings = {
        Status.EXEMPT: table["exempt"].fillna(False).astype(bool),
        Status.VOLUNTARY: grade.isin(control.grades.voluntary),
        Status.NO_MEASURE: chosen["measure_zh"].isna(),
    }
    status = np.select(list(rulings.values()), list(rulings), Status.SELECTED)
    asked = pd.Series(status == Status.SELECTED, index=table.index)
    made = _describe(table, region, control).assign(
        grade=grade,
        measure_code=chosen["measure_code"].where(asked, ""),
        measure_zh=chosen["measure_zh"].where(asked, ""),
        basis=np.where(asked, np.where(listed, FROM_LIST, FALLBACK), ""),
        status=status,
        reason_zh=_reasons(table, status, listed, grade, spare, control),
        **{name: chosen[name].astype(float).where(asked) for name in REDUCTIONS},
    )
    return EmergencyList(_sort(made), _sum_loads(made, control))


def _in_warned_cities(table: pd.DataFrame, tiers: Mapping[str, Tier], region: Region) -> pd.DataFrame:
    """The enterprises of the warned cities with the city's ``tier``."""
    code = table["adcode"].fillna("").astype(str).map(region.canonical_adcode)
    table = table.assign(adcode=code, tier=code.map({c: t.value for c, t in tiers.items()}))
    return table[table["tier"].notna()].reset_index(drop=True)


def _describe(table: pd.DataFrame, region: Region, control: ControlSettings) -> pd.DataFrame:
    """Names of cities, tiers and sectors."""
    cities = {city.adcode: city.name_zh for city in region.cities}
    sectors = {sector.code: sector.name_zh for sector in control.sectors}
    return table.assign(
        city_zh=table["adcode"].map(cities),
        tier_zh=[Tier(name).name_zh for name in table["tier"]],
        name_zh=table["name_zh"].fillna(""),
        sector=table["sector"].map(sectors).fillna(table["sector"]),
    )


def _own_measures(table: pd.DataFrame, measures: pd.DataFrame | None) -> pd.DataFrame:
    """What the list itself says for the enterprise's tier; NaN where it says nothing."""
    columns = ["measure_code", "measure_zh", *REDUCTIONS]
    if measures is None or measures.empty:
        return pd.DataFrame(np.nan, index=table.index, columns=columns, dtype=object)
    merged = measures.groupby(["enterprise_id", "tier"], as_index=False).agg(
        measure_code=("measure_code", _join_texts),
        measure_zh=("measure_zh", _join_texts),
        **{name: (name, lambda part: part.sum(min_count=1)) for name in REDUCTIONS},
    )
    keys = table[["enterprise_id", "tier"]]
    found = keys.merge(merged, on=["enterprise_id", "tier"], how="left", validate="many_to_one")[columns]
    return found.set_axis(table.index).astype(object)


def _join_texts(texts: pd.Series) -> str:
    return "；".join(text for text in texts.fillna("").astype(str) if text)


def _fallback_measures(
    table: pd.DataFrame, grade: pd.Series, settings: EmergencySettings, control: ControlSettings
) -> pd.DataFrame:
    """Measure by grade and tier, at most the sector's deepest; NaN where the tier has none.

    ``held_back`` says where the sector asks for less than the grade.
    """
    known = grade.isin(settings.fallback)
    rung = grade.where(known, control.grades.unknown_as)
    ladder = pd.DataFrame(
        [
            (name, tier.value, measure.name_zh, float(measure.cut))
            for name, steps in settings.fallback.items()
            for tier, measure in steps.items()
        ],
        columns=["rung", "tier", "measure_zh", "cut"],
    )
    keys = pd.DataFrame({"rung": rung, "tier": table["tier"]})
    found = keys.merge(ladder, on=["rung", "tier"], how="left", validate="many_to_one").set_axis(table.index)
    deepest = _deepest(control).reindex(table["sector"]).set_axis(table.index)
    held_back = deepest["cut"].notna() & (found["cut"] > deepest["cut"])
    cut = found["cut"].where(~held_back, deepest["cut"])
    emission = table[list(EMISSION_COLUMNS)].astype(float).to_numpy() * KG_PER_DAY
    saved = pd.DataFrame(emission * cut.to_numpy()[:, None], index=table.index, columns=list(REDUCTIONS))
    text = found["measure_zh"].where(~held_back, deepest["name_zh"])
    return saved.assign(measure_code="", measure_zh=text, held_back=held_back).astype(object)


def _deepest(control: ControlSettings) -> pd.DataFrame:
    """Deepest measure that each sector can carry: cut (the same share of every precursor) and name."""
    by_code = {measure.code: measure for measure in control.measures}
    rows = {}
    for sector in control.sectors:
        able = [by_code[code] for code in sector.measures if len(by_code[code].cut) == len(Precursor)]
        best = max(able, key=lambda measure: min(float(cut) for cut in measure.cut.values()), default=None)
        if best is not None:
            rows[sector.code] = (min(float(cut) for cut in best.cut.values()), best.name_zh)
    return pd.DataFrame.from_dict(rows, orient="index", columns=["cut", "name_zh"])


def _reasons(
    table: pd.DataFrame,
    status: np.ndarray,
    listed: pd.Series,
    grade: pd.Series,
    spare: pd.DataFrame,
    control: ControlSettings,
) -> pd.Series:
    """One sentence an enterprise: whose measure it is, or why it has none."""
    exempt = table["exempt_reason"].fillna("").astype(str).replace("", "清单列为豁免，未注明依据")
    stand_in = f"绩效等级未知，按{control.grades.unknown_as}对待"
    known = ("绩效等级" + grade).where(grade != "", stand_in)
    rules = pd.Series({sector.code: sector.rule_zh for sector in control.sectors})
    rule = table["sector"].map(rules).fillna("").replace("", "行业不能承受更深的措施")
    less = ("；" + rule).where(spare["held_back"].astype(bool), "")
    fallback = known + "，清单未列本级别措施，按通用分级缺省" + less
    choices = {
        Status.EXEMPT: exempt,
        Status.VOLUNTARY: "绩效等级" + grade + "，自主减排",
        Status.NO_MEASURE: pd.Series("清单未列本级别措施，且无通用措施", index=table.index),
    }
    text = np.select([status == name for name in choices], list(choices.values()), fallback)
    return pd.Series(
        np.where((status == Status.SELECTED) & listed, "应急减排清单所列措施", text), index=table.index
    )


def _sort(made: pd.DataFrame) -> pd.DataFrame:
    """By city, those with a measure first and the largest reductions first; kg/d to one decimal."""
    keys = made.assign(group=made["status"].map(_ORDER), total=-made[list(REDUCTIONS)].sum(axis=1))
    keys = keys.sort_values(["adcode", "group", "total", "enterprise_id"], kind="stable")
    rounded = keys[list(REDUCTIONS)].round(1)
    return keys.assign(**rounded)[list(EMERGENCY_COLUMNS)].reset_index(drop=True)


def _sum_loads(made: pd.DataFrame, control: ControlSettings) -> pd.DataFrame:
    """Emission and reduction by city and precursor, beside the floor of the tier."""
    frames = []
    for precursor, source in zip(Precursor, EMISSION_COLUMNS, strict=True):
        sums = made.groupby(["adcode", "city_zh", "tier"], as_index=False).agg(
            emission_tpd=(source, "sum"), reduction_tpd=(f"reduction_{precursor}_kgd", "sum")
        )
        frames.append(sums.assign(precursor=precursor.value))
    loads = pd.concat(frames, ignore_index=True)
    loads["emission_tpd"] = loads["emission_tpd"] * KG_PER_DAY / 1000
    loads["reduction_tpd"] = loads["reduction_tpd"] / 1000
    loads["share"] = (loads["reduction_tpd"] / loads["emission_tpd"]).where(loads["emission_tpd"] > 0)
    floors = {tier: float(rule.floor) for tier, rule in control.rules.tiers.items() if rule.floor is not None}
    loads["floor"] = loads["tier"].map(floors)
    met = (loads["share"] >= loads["floor"] - 1e-9).astype(object)
    loads["met"] = met.where(loads["share"].notna() & loads["floor"].notna(), None)
    return loads.sort_values(["adcode", "precursor"], kind="stable").reset_index(drop=True)
