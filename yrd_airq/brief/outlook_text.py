"""The forecast in the words of regional bulletins, from the city-days of the brief."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from yrd_airq.brief.content_air import ForecastDay
from yrd_airq.brief.settings import BriefSettings
from yrd_airq.brief.wording import days_zh, levels_zh, primary_zh
from yrd_airq.standards.levels import LEVELS

POLLUTED = 3  # levels from 轻度污染 up
FULL_DAYS = 3  # later days are told as a trend


@dataclass(frozen=True)
class _Phrase:
    """What is said about some days; neighbouring days of equal phrase are told together."""

    days: tuple[date, ...]
    text: str


def describe_region(days: Sequence[ForecastDay], settings: BriefSettings) -> tuple[str, ...]:
    """One paragraph for the first days, a shorter one for the trend of the later days.

    ``4—5日，长三角区域空气质量以良为主；其中，浙北部分城市可能出现轻度污染，首要污染物为O₃。``
    """
    dates = sorted({day.date for day in days})
    texts = ["".join(region_headline([day for day in days if day.date in dates[:FULL_DAYS]], settings))]
    later = dates[FULL_DAYS:]
    if later:
        by_day = [_Phrase((d,), _trend([day for day in days if day.date == d], settings)) for d in later]
        spans = enumerate(_merge(by_day))
        texts.append(
            "趋势：" + "；".join(f"{days_zh(p.days, month=k == 0)}，{p.text}" for k, p in spans) + "。"
        )
    return tuple(text for text in texts if text)


def _trend(days: list[ForecastDay], settings: BriefSettings) -> str:
    low, high = dominant_levels([day.level for day in days], float(settings.dominant_share))
    polluted = sum(day.level >= POLLUTED for day in days)
    text = f"区域以{levels_zh(low, high)}为主"
    return text if high >= POLLUTED or not polluted else f"{text}，约{polluted}个城市可能出现污染"


def region_headline(days: Sequence[ForecastDay], settings: BriefSettings) -> list[str]:
    """Sentences on the region, one for each run of days that read the same."""
    dates = sorted({day.date for day in days})
    phrases = _merge(
        [_Phrase((d,), _region_day([day for day in days if day.date == d], settings)) for d in dates]
    )
    return [
        f"{days_zh(p.days, month=k == 0)}，{'长三角区域空气质量' if k == 0 else '区域'}{p.text}。"
        for k, p in enumerate(phrases)
    ]


def city_headline(days: Sequence[ForecastDay]) -> str:
    """One city: ``9月4日良，5—6日以良为主、可能出现轻度污染，首要污染物为O₃``, equal days together."""
    ordered = sorted(days, key=lambda day: day.date)
    phrases = _merge([_Phrase((day.date,), _city_level(day)) for day in ordered])
    texts = [f"{days_zh(p.days, month=k == 0)}{p.text}" for k, p in enumerate(phrases)]
    primary = primary_zh(_main_primary(list(ordered)))
    return "，".join([*texts, primary] if primary else texts)


def _city_level(day: ForecastDay) -> str:
    """Level words of one city-day; pollution that only the upper end reaches is 可能出现."""
    if day.level < POLLUTED <= day.level_hi:
        return f"以{LEVELS[day.level - 1].name_zh}为主、可能出现{LEVELS[day.level_hi - 1].name_zh}"
    return day.level_zh


def _region_day(days: list[ForecastDay], settings: BriefSettings) -> str:
    low, high = dominant_levels([day.level for day in days], float(settings.dominant_share))
    text = f"以{levels_zh(low, high)}为主"
    worse = [day for day in days if _is_worse(day, high)]
    groups = _group_parts(worse, days, settings)
    if groups:
        text += "；其中，" + "；".join(groups)
    if worse:
        names = _main_primary(worse)
        text += f"，{primary_zh(names)}" if names else ""
    elif high >= 2:
        names = _main_primary([day for day in days if day.level >= 2])
        text += f"，{primary_zh(names)}" if names else ""
    return text


def dominant_levels(levels: Sequence[int], share: float) -> tuple[int, int]:
    """The level, else the two adjacent levels, that hold ``share`` of the cities; else the fullest pair."""
    count = Counter(levels)
    level, most = min(count.items(), key=lambda item: (-item[1], item[0]))
    if most >= share * len(levels):
        return level, level
    pairs = {low: count[low] + count[low + 1] for low in range(1, len(LEVELS))}
    low = min(pairs, key=lambda k: (-pairs[k], k))
    if not count[low]:
        return low + 1, low + 1
    return (low, low + 1) if count[low + 1] else (low, low)


def _is_worse(day: ForecastDay, dominant: int) -> bool:
    """Polluted, or called to exceed a limit, and worse than the region at large."""
    if day.level > dominant and day.level >= POLLUTED:
        return True
    return _may_exceed(day) and day.level_hi > dominant and day.level_hi >= POLLUTED


def _may_exceed(day: ForecastDay) -> bool:
    known = [q.exceeds for q in day.quantities if q.p_exceed is not None]
    return not known or any(known)


def _group_parts(worse: list[ForecastDay], days: list[ForecastDay], settings: BriefSettings) -> list[str]:
    """``浙北、皖北部分城市为轻度污染``; parts of the region of one level stand together, worst first."""
    said: dict[tuple[int, str], dict[str, str]] = {}
    for part, codes in settings.parts.items():
        hit = [day for day in worse if day.adcode in codes]
        if not hit:
            continue
        there = sum(day.adcode in codes for day in days)
        firm = [day for day in hit if day.level >= POLLUTED]
        top = max(day.level for day in firm) if firm else max(day.level_hi for day in hit)
        verb = "为" if firm else "可能出现"
        said.setdefault((-top, verb), {})[part] = _extent(len(firm or hit), there, float(settings.most_share))
    order = {"为": 0, "可能出现": 1}
    return [
        f"{_name_parts(parts)}{verb}{LEVELS[-top - 1].name_zh}"
        for (top, verb), parts in sorted(said.items(), key=lambda item: (item[0][0], order[item[0][1]]))
    ]


def _name_parts(parts: dict[str, str]) -> str:
    """Parts with their extent; where the extents differ, 部分城市 holds for all."""
    extents = set(parts.values())
    return "、".join(parts) + (extents.pop() if len(extents) == 1 else "部分城市")


def _extent(hit: int, there: int, most_share: float) -> str:
    if there == 1:
        return ""
    if hit >= most_share * there:
        return "大部"
    return "局地" if hit == 1 else "部分城市"


def _main_primary(days: list[ForecastDay]) -> tuple[str, ...]:
    """The commonest primary pollutant; a second one if it is first in a third of the cities or more."""
    count = Counter(day.primary_zh[0] for day in days if day.primary_zh)
    ranked = sorted(count, key=lambda name: (-count[name], name))
    return tuple(
        name for k, name in enumerate(ranked[:2]) if k == 0 or 3 * count[name] >= sum(count.values())
    )


def _merge(phrases: list[_Phrase]) -> list[_Phrase]:
    merged: list[_Phrase] = []
    for phrase in phrases:
        if merged and merged[-1].text == phrase.text:
            merged[-1] = _Phrase((*merged[-1].days, *phrase.days), phrase.text)
        else:
            merged.append(phrase)
    return merged
