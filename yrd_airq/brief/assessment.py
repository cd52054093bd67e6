"""The assessment after an event as one model, and the sentences that follow from its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from yrd_airq.brief.typography import number, percent
from yrd_airq.brief.wording import date_zh, days_zh, list_zh
from yrd_airq.region import Region, load_region
from yrd_airq.settings import Event
from yrd_airq.vocab import CityDaySource, Target

if TYPE_CHECKING:  # only the shapes are read here
    from yrd_airq.forecast.normalise import Expectation
    from yrd_airq.verify.effect import Effect
    from yrd_airq.verify.execution import Execution

_OZONE = (Target.O3_MDA8, Target.O3_MEAN)
_LARGER = 1.5
"""A promise so many times the effect found is called too high."""


@dataclass(frozen=True)
class Promise:
    """What the stored list promised: mean benefit at the receptors by target (µg/m³), and its orders."""

    run_id: str
    issue_time: datetime
    enterprises: int
    benefit: Mapping[Target, float]
    orders: pd.DataFrame


@dataclass(frozen=True)
class Assessment:
    """An event's outcome: effects by city and target, what they rest on, promise and execution if known.

    ``effects``: the receptors first. ``weather``: variables that the expectation knows. ``carried_out``:
    share from which a measure counts as carried out. ``coverage``: of the intervals.
    """

    event: Event
    first: date
    last: date
    source: CityDaySource
    drill: bool
    effects: tuple[Effect, ...]
    expectations: tuple[Expectation, ...]
    weather: tuple[str, ...]
    promise: Promise | None
    execution: Execution | None
    carried_out: float
    coverage: float

    @property
    def at_receptors(self) -> tuple[Effect, ...]:
        """Effects on the cities that the event is for."""
        return tuple(effect for effect in self.effects if effect.adcode in self.event.receptors)

    @property
    def elsewhere(self) -> tuple[Effect, ...]:
        """Effects on the other cities within the zones."""
        return tuple(effect for effect in self.effects if effect.adcode not in self.event.receptors)

    @property
    def lessons_zh(self) -> tuple[str, ...]:
        """What to learn, in sentences."""
        region = load_region()
        return tuple(
            [
                *(_tell_effect(effect, self, region) for effect in self.at_receptors),
                *_tell_promise(self),
                *_tell_missed(self, region),
                *_tell_ozone(self, region),
                *_tell_cities(self, region),
                *_tell_execution(self),
            ]
        )


def signed(share: float) -> str:
    """A relative change as ``+3%`` or ``−37%``."""
    return f"{'+' if share > 0 else ''}{number(100 * share)}%"


def span(low: float, high: float) -> str:
    """An interval of relative changes."""
    return f"{signed(low)}至{signed(high)}"


def _tell_effect(effect: Effect, of: Assessment, region: Region) -> str:
    name = f"{region.city(effect.adcode).short_zh}{effect.target.info.name_zh}"
    if effect.verdict == "no_claim":
        return f"{name}：{effect.why_not}，资料不足，不作结论。"
    judged = {
        "lower": "低于气象条件所应有的水平，管控效果可以确认",
        "higher": "高于气象条件所应有的水平，未见改善",
        "unclear": "区间跨零，不能与无效果区分",
    }[effect.verdict]
    text = (
        f"{name}：管控期平均{number(effect.observed, 1)}μg/m³，同期气象条件下推算为"
        f"{number(effect.expected, 1)}μg/m³，变化{signed(effect.effect)}"
        f"（{percent(of.coverage)}区间{span(effect.low, effect.high)}），{judged}"
    )
    if np.isfinite(effect.did):
        others = list_zh([region.city(code).short_zh for code in effect.compared_with], 3)
        text += f"；扣除管控圈外同期偏差（{others}）后为{signed(effect.did)}"
        text += f"（{span(effect.did_low, effect.did_high)}）" if np.isfinite(effect.did_low) else ""
    return f"{text}。"


def _tell_promise(of: Assessment) -> Iterator[str]:
    """The promise of the list against what was found, at the receptors."""
    if of.promise is None:
        yield "库中没有该活动的管控名单，无法与预计效果对照。"
        return
    for target, promised in of.promise.benefit.items():
        found = [e for e in of.at_receptors if e.target is target and e.verdict != "no_claim"]
        if not found or promised <= 0:
            continue
        got, low, high = (
            float(np.mean([-e.expected * getattr(e, name) for e in found]))
            for name in ("effect", "high", "low")
        )
        if promised > high:
            verdict = "预计偏高"
        elif promised < low:
            verdict = "预计偏低"
        else:
            verdict = "预计落在评估区间内"
            verdict += "，但区间较宽，不足以检验" if low < 0 < high else ""
        yield (
            f"名单（{of.promise.enterprises}家）预计受体城市{target.info.name_zh}下降"
            f"{number(promised, 1)}μg/m³，评估为下降{number(got, 1)}μg/m³（{number(low, 1)}至"
            f"{number(high, 1)}），{verdict}；评估效果含社会面等全部措施，不只名单企业。"
        )


def _tell_missed(of: Assessment, region: Region) -> Iterator[str]:
    """Event days on which a receptor was above a goal."""
    for expectation in of.expectations:
        goal = of.event.goals.get(expectation.target)
        if goal is None:
            continue
        days = (expectation.dates >= pd.Timestamp(of.event.start)) & (
            expectation.dates <= pd.Timestamp(of.event.end)
        )
        for code in of.event.receptors:
            values = expectation.observed[expectation.adcodes.index(code)]
            over = expectation.dates[np.asarray(days) & (values > goal)]
            name = f"{region.city(code).short_zh}{expectation.target.info.name_zh}"
            if len(over):
                when = days_zh([day.date() for day in over], month=True)
                yield f"{name}在{when}仍高于保障目标{number(goal)}μg/m³。"
            elif np.isfinite(values[np.asarray(days)]).any():
                yield f"{name}活动期间逐日均未超过保障目标{number(goal)}μg/m³。"


def _tell_ozone(of: Assessment, region: Region) -> Iterator[str]:
    """Whether the controls went with more ozone."""
    ozone = [effect for effect in of.effects if effect.target in _OZONE and effect.verdict != "no_claim"]
    worse = [effect for effect in ozone if effect.verdict == "higher"]
    if worse:
        names = list_zh(list(dict.fromkeys(region.city(effect.adcode).short_zh for effect in worse)))
        peak = max(effect.effect for effect in worse)
        checked = any(np.isfinite(effect.did) for effect in worse)
        caution = "" if checked else "；未能以圈外城市核对，日照等未计入的气象因素也可能造成这一偏差"
        yield (
            f"{names}臭氧高于气象条件所应有的水平（最多{signed(peak)}）：NOx减排在VOCs控制区可能适得其反，"
            f"下次应先核对VOCs与NOx减排比例{caution}。"
        )
    elif ozone:
        own = [effect for effect in ozone if effect.adcode in of.event.receptors]
        unclear = any(effect.verdict == "unclear" for effect in own)
        yield "未发现臭氧因管控而升高的城市" + (
            "，但受体城市臭氧的区间跨零，效果不能确认。" if unclear else "。"
        )


def _tell_cities(of: Assessment, region: Region) -> Iterator[str]:
    """Cities within the zones where a pollutant did not fall below its expectation."""
    for target in dict.fromkeys(effect.target for effect in of.elsewhere):
        own = [e for e in of.elsewhere if e.target is target and e.verdict != "no_claim"]
        if target in _OZONE or not own:
            continue
        lower = [effect for effect in own if effect.verdict == "lower"]
        higher = [region.city(effect.adcode).short_zh for effect in own if effect.verdict == "higher"]
        count = f"{len(lower)}市" if lower else "无一市"
        text = f"管控圈内其余{len(own)}市中，{count}{target.info.name_zh}可确认低于气象预期"
        yield text + (f"，{list_zh(higher)}高于预期，应查执行情况。" if higher else "。")


def _tell_execution(of: Assessment) -> Iterator[str]:
    if of.execution is None:
        yield "未提供执行情况，不能区分“措施未执行”与“措施无效”。"
        return
    table = of.execution.by_enterprise
    short = int((table["share"] < of.carried_out).sum())
    text = f"有执行记录的{len(table)}家企业按预计效果加权的执行率为{percent(of.execution.weighted)}"
    text += f"，其中{short}家低于{percent(of.carried_out)}" if short else ""
    text += f"；另有{len(of.execution.unknown)}家无记录" if of.execution.unknown else ""
    yield f"{text}。"
    if of.promise is not None and np.isfinite(of.execution.weighted):
        for target, promised in of.promise.benefit.items():
            if promised > 0:
                done = promised * of.execution.weighted
                yield f"按执行率折算，名单预计的{target.info.name_zh}下降应为{number(done, 1)}μg/m³。"


def period_zh(of: Assessment) -> str:
    """The control days: ``2016年8月24日—9月6日``."""
    return f"{of.first.year}年{date_zh(of.first)}—{date_zh(of.last)}"
