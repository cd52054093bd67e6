"""Heavy-pollution emergencies in a brief: from tiers and their list to sentences, and these as blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from yrd_airq.brief.blocks import Block, Bullets, Cell, Paragraph, Table, make_columns
from yrd_airq.brief.content_emergency import Emergency, TierLoad, TierOrder, TierRow
from yrd_airq.brief.typography import MISSING, number, percent
from yrd_airq.brief.wording import date_zh, list_zh
from yrd_airq.region import Region
from yrd_airq.standards.episodes import Action
from yrd_airq.standards.tiers import Tier, TierSettings
from yrd_airq.vocab import Precursor

if TYPE_CHECKING:  # only the shapes are read here; a brief needs no solver
    from yrd_airq.control.emergency import EmergencyList, EmergencySettings
    from yrd_airq.control.foresight import CityOutlook, Foresight

ORDERS_IN_BODY = 10
_STATUS_ZH = {"selected": "执行", "exempt": "豁免", "voluntary": "自主减排", "no_measure": "无措施"}


def build_emergency(
    foresight: Foresight,
    made: EmergencyList | None,
    region: Region,
    settings: TierSettings,
    advice: EmergencySettings,
) -> Emergency:
    """The emergency part; ``made``: the list for the tiers, None where no city has one or no list is held."""
    least = settings.mention_chance.value
    named = [
        city
        for city in foresight.cities
        if city.tier is not Tier.NONE
        or city.standing is not Tier.NONE
        or city.other_cause
        or city.chances[Tier.TEMPORARY] >= least
    ]
    return Emergency(
        rules_zh=foresight.rules.name_zh,
        text_zh=tuple(_tell(foresight, region, settings, advice)),
        rows=tuple(_row(city, region) for city in sorted(named, key=_weight)),
        loads=_loads(made) if made is not None else (),
        orders=_orders(made) if made is not None else (),
        notes_zh=tuple(_notes(foresight, made)),
    )


def _weight(city: CityOutlook) -> tuple[float, float, str]:
    return (-city.tier.rank, -city.chances[Tier.TEMPORARY], city.adcode)


def _row(city: CityOutlook, region: Region) -> TierRow:
    return TierRow(
        adcode=city.adcode,
        city_zh=region.city(city.adcode).short_zh,
        advice_zh=_advise(city),
        median_zh=city.median.name_zh,
        standing_zh=city.standing.name_zh,
        temporary=city.chances[Tier.TEMPORARY],
        yellow=city.chances[Tier.YELLOW],
        orange=city.chances[Tier.ORANGE],
        red=city.chances[Tier.RED],
        start=city.start,
        end=city.end,
        late_h=city.late_h,
        ozone=city.ozone,
    )


def _advise(city: CityOutlook) -> str:
    if city.other_cause:
        return city.other_cause
    of = city.standing if city.action is Action.CANCEL else city.tier
    return city.action.name_zh + (of.name_zh if of is not Tier.NONE else "")


def _tell(
    foresight: Foresight, region: Region, settings: TierSettings, advice: EmergencySettings
) -> Iterator[str]:
    """Sentences: tiers from the highest, the region, ozone, other causes."""
    any_tier = False
    for tier in reversed(Tier):
        cities = [city for city in foresight.cities if city.tier is tier]
        if tier is Tier.NONE or not cities:
            continue
        any_tier = True
        yield _tell_tier(tier, cities, region)
    ended = [city for city in foresight.cities if city.action is Action.CANCEL and not city.other_cause]
    if ended:
        names = list_zh([region.city(city.adcode).short_zh for city in ended])
        hours = number(settings.cancel_after_h.value)
        yield f"建议{names}解除预警：预计将低于预警条件并持续{hours}小时以上。"
    if not any_tier:
        yield f"按{foresight.rules.name_zh}研判，各市均未达到预警启动条件。"
    if foresight.regional is not Tier.NONE and foresight.regional_start is not None:
        yield _tell_region(foresight, region, settings)
    ozone = [city for city in foresight.cities if city.ozone >= settings.mention_chance.value]
    if ozone:
        worst = max(city.ozone for city in ozone)
        names = list_zh([region.city(city.adcode).short_zh for city in ozone])
        yield (
            f"{names}可能出现以O₃为首要污染物的污染（最高概率{percent(worst)}），不启动颜色预警："
            f"{advice.ozone_advice_zh}。"
        )
    for city in foresight.cities:
        if city.other_cause:
            name = region.city(city.adcode).short_zh
            yield f"{name}污染由{city.other_cause}引起，差异化应对，不启动颜色预警。"


def _tell_tier(tier: Tier, cities: list[CityOutlook], region: Region) -> str:
    by_action: dict[str, list[CityOutlook]] = {}
    for city in cities:
        by_action.setdefault(city.action.name_zh, []).append(city)
    parts = []
    for action, group in by_action.items():
        names = list_zh([region.city(city.adcode).short_zh for city in group])
        fresh = [city for city in group if city.action in (Action.START, Action.UPGRADE)]
        starts = [city.start for city in fresh if city.start is not None]
        since = f"（最早自{date_zh(min(starts))}{min(starts).hour}时）" if starts else ""
        parts.append(f"建议{names}{action}{tier.name_zh}{since}")
    late = [city for city in cities if city.late_h > 0]
    notice = f"；其中{len(late)}个城市已不足提前24小时发布" if late else ""
    return f"{'；'.join(parts)}{notice}。"


def _tell_region(foresight: Foresight, region: Region, settings: TierSettings) -> str:
    names = list_zh([region.city(code).short_zh for code in foresight.regional_cities])
    stamp = foresight.regional_start
    when = f"{date_zh(stamp)}{stamp.hour}时起" if stamp is not None else ""
    issuer = settings.regional.issuer.get(foresight.regional)
    by = f"区域预警由{issuer.name_zh}发布（依据待核）" if issuer is not None else "发布单位待定"
    return f"{when}{names}等相邻城市同时达到{foresight.regional.name_zh}条件，建议启动区域应急联动；{by}。"


def _loads(made: EmergencyList) -> tuple[TierLoad, ...]:
    return tuple(
        TierLoad(
            city_zh=row["city_zh"],
            tier_zh=Tier(row["tier"]).name_zh,
            precursor_zh=Precursor(row["precursor"]).name_zh,
            emission_tpd=row["emission_tpd"],
            reduction_tpd=row["reduction_tpd"],
            share=_or_none(row["share"]),
            floor=_or_none(row["floor"]),
            met=None if row["met"] is None else bool(row["met"]),
        )
        for row in made.loads.to_dict("records")
    )


def _orders(made: EmergencyList) -> tuple[TierOrder, ...]:
    return tuple(
        TierOrder(
            city_zh=row["city_zh"],
            tier_zh=row["tier_zh"],
            enterprise_id=row["enterprise_id"],
            name_zh=row["name_zh"],
            sector_zh=row["sector"],
            grade=row["grade"],
            measure_zh=row["measure_zh"],
            reductions_kgd=tuple(_or_none(row[f"reduction_{precursor}_kgd"]) for precursor in Precursor),
            status=str(row["status"]),
            reason_zh=row["reason_zh"],
        )
        for row in made.list.to_dict("records")
    )


def _or_none(value: float) -> float | None:
    return None if pd.isna(value) else float(np.round(value, 6))


def _notes(foresight: Foresight, made: EmergencyList | None) -> Iterator[str]:
    yield (
        "分级依据PM₂.₅滑动24小时AQI的连续小时数；概率由"
        + ("逐小时预报集合（72小时）接逐日预报" if foresight.hourly else "逐日预报分位数（每日按24小时计）")
        + "推算。"
    )
    silent = [city for city in foresight.cities if not city.known]
    if silent:
        yield f"{len(silent)}个城市无PM₂.₅预报，未作研判。"
    if made is None:
        return
    guessed = int((made.list["basis"] == "fallback").sum())
    if guessed:
        yield (
            f"{guessed}家企业的清单未列本级别措施，按通用分级缺省（经验值，可信度低），"
            "须以应急减排清单和一厂一策为准。"
        )
    if len(made.loads):
        yield "减排比例以清单内企业日排放量为分母；全社会排放量更大，实际比例低于表中数值。"


def emergency(part: Emergency | None) -> Iterator[Block]:
    """The section of a brief; nothing where no tier is worth a word."""
    if part is None:
        return
    yield from (Paragraph(text) for text in part.text_zh)
    if part.rows:
        yield _tier_table(part)
    if part.loads:
        yield _load_table(part)
    asked = [order for order in part.orders if order.status == "selected"]
    if asked:
        yield order_table(
            tuple(asked[:ORDERS_IN_BODY]),
            f"预警措施（前{min(len(asked), ORDERS_IN_BODY)}家，共{len(asked)}家）",
        )
    spared = [order for order in part.orders if order.status in ("exempt", "voluntary")]
    if spared:
        exempt = sum(order.status == "exempt" for order in spared)
        yield Paragraph(
            f"另有豁免企业{exempt}家、自主减排企业{len(spared) - exempt}家，均列入清单并注明依据。"
        )
    if part.notes_zh:
        yield Bullets(part.notes_zh)


def _tier_table(part: Emergency) -> Table:
    columns = make_columns(
        *(("城市", 0.9), ("建议", 1.7), ("现行", 1.1), ("中位情形", 1.2)),
        *(("≥临时管控", 0.9), ("≥黄色", 0.8), ("≥橙色", 0.8), ("红色", 0.8)),
        *(("起", 1.2), ("止", 1.2)),
    )
    rows = tuple(
        (
            Cell(row.city_zh),
            Cell(row.advice_zh),
            Cell(row.standing_zh),
            Cell(row.median_zh),
            *(Cell(percent(chance)) for chance in (row.temporary, row.yellow, row.orange, row.red)),
            *(Cell(f"{date_zh(t)}{t.hour}时" if t is not None else MISSING) for t in (row.start, row.end)),
        )
        for row in part.rows
    )
    note = f"依据：{part.rules_zh}；概率为达到该级别及以上。"
    return Table("重污染天气预警研判", columns, rows, note, dense=True)


def _load_table(part: Emergency) -> Table:
    columns = make_columns(
        *(("城市", 1.0), ("级别", 1.2), ("污染物", 1.0), ("日排放（t/d）", 1.2), ("减排（t/d）", 1.2)),
        *(("减排比例", 1.0), ("要求", 0.9), ("是否达到", 0.9)),
    )
    verdict = {True: "达到", False: "未达到", None: MISSING}
    rows = tuple(
        (
            *(Cell(text) for text in (load.city_zh, load.tier_zh, load.precursor_zh)),
            *(Cell(number(value, 2)) for value in (load.emission_tpd, load.reduction_tpd)),
            *(Cell(percent(value)) for value in (load.share, load.floor)),
            Cell(verdict[load.met]),
        )
        for load in part.loads
    )
    return Table("预警减排量与减排比例要求", columns, rows, "排放量未知的企业不计入。", dense=True)


def order_table(orders: tuple[TierOrder, ...], caption: str, searchable: bool = False) -> Table:
    """Orders of enterprises as a table."""
    columns = make_columns(
        *(("城市", 0.9), ("级别", 1.0), ("企业", 2.4, "left"), ("行业", 1.2), ("等级", 0.7), ("措施", 1.6)),
        *((name.name_zh, 0.8, "right") for name in Precursor),
        *(("状态", 0.8), ("依据", 2.4, "left")),
    )
    rows = tuple(
        (
            *(Cell(text) for text in (order.city_zh, order.tier_zh, order.name_zh, order.sector_zh)),
            *(Cell(text or MISSING) for text in (order.grade, order.measure_zh)),
            *(Cell(number(value, 1)) for value in order.reductions_kgd),
            Cell(_STATUS_ZH.get(order.status, order.status)),
            Cell(order.reason_zh),
        )
        for order in orders
    )
    return Table(caption, columns, rows, "减排量单位：kg/d。", searchable=searchable, dense=True)
