"""The conclusion: at most 150 characters, and the figures it rests on."""

from __future__ import annotations

from datetime import date

from yrd_airq.brief.content import Conclusion, KeyFigure
from yrd_airq.brief.content_air import Forecast, ForecastDay
from yrd_airq.brief.content_sources import Control
from yrd_airq.brief.measures import count_zones, describe_effect
from yrd_airq.brief.outlook_text import city_headline, region_headline
from yrd_airq.brief.settings import BriefSettings
from yrd_airq.brief.typography import interval, number, percent
from yrd_airq.brief.wording import date_zh, fit, shorten
from yrd_airq.region import Region
from yrd_airq.settings import Event
from yrd_airq.standards.levels import LEVELS
from yrd_airq.vocab import Target

_GOOD = 2  # 优良: levels up to 良
_KEY_DAYS = 3


def conclude_event(forecast: Forecast, event: Event, control: Control | None, region: Region) -> Conclusion:
    """Outlook of the first receptor, risk against the goals, recommendation and its effect."""
    days = forecast.detail_dates
    zones = [zone.name_zh for zone in event.zones]
    lead = event.receptors[0]
    own = [day for day in forecast.days if day.adcode == lead and day.date in days]
    city = region.city(lead).short_zh
    outlook = f"预计{city}{city_headline(own)}。" if own else ""
    risk = _tell_risk(own)
    advice, effect = _advise(control, event)
    need = _tell_need(control, event)
    text = fit(
        (outlook, risk, need, advice + effect),
        (outlook, need, advice + effect),
        (outlook, advice + effect),
        (outlook, advice),
    )
    figures = [_day_figure(day) for day in own[:_KEY_DAYS]]
    if control is not None:
        figures.append(
            KeyFigure(
                label_zh="建议管控企业",
                value_zh=f"{len(control.selected)}家",
                note_zh=count_zones(control.rows, zones).replace("区", "").replace("家", "") or "无",
            )
        )
        figures += _effect_figures(control)
    return Conclusion(text_zh=text, figures=tuple(figures))


def _advise(control: Control | None, event: Event) -> tuple[str, str]:
    """The recommendation, and the effect that it is expected to have."""
    if control is None:
        return "", ""
    if not control.selected:
        return f"{control.status_zh}。", ""
    effect = describe_effect(control.requirements)
    advice = f"建议{date_zh(event.control_start)}起管控{len(control.selected)}家企业。"
    return advice, f"{effect}。" if effect else ""


def _tell_risk(days: list[ForecastDay]) -> str:
    known = [(q.p_exceed, day, q) for day in days for q in day.quantities if q.p_exceed is not None]
    if not known:
        return ""
    p, day, q = max(known, key=lambda item: item[0])
    return f"{date_zh(day.date)}{q.target.info.name_zh}超标概率最高，为{percent(p)}。"


def _tell_need(control: Control | None, event: Event) -> str:
    """The goal that asks for most: its forecast quantile beside the limit."""
    asked = [row for row in control.requirements if row.required > 0] if control is not None else []
    if not asked:
        return ""
    row = max(asked, key=lambda r: r.required / r.goal)
    return (
        f"{row.city_zh}{date_zh(row.date)}{row.target.info.name_zh}预报{percent(event.goal_quantile)}分位"
        f"{number(row.forecast)}μg/m³，高于目标{number(row.goal)}。"
    )


def _day_figure(day: ForecastDay) -> KeyFigure:
    primary = "或".join(day.primary_zh)
    return KeyFigure(
        label_zh=f"{day.city_zh}{date_zh(day.date)} AQI",
        value_zh=interval(day.aqi_lo, day.aqi_hi),
        note_zh=f"{day.level_zh}　{primary}".strip("　"),
        level=day.level,
    )


def _effect_figures(control: Control) -> list[KeyFigure]:
    figures = []
    for target in (Target.O3_MDA8, Target.O3_MEAN, Target.PM25):
        own = [row for row in control.requirements if row.target is target]
        if own:
            best = max(own, key=lambda row: row.achieved)
            short = max(own, key=lambda row: row.shortfall)
            rest = f"最大缺口{number(short.shortfall, 1)}" if short.has_shortfall else "达到目标"
            figures.append(
                KeyFigure(
                    label_zh=f"{target.info.name_zh}预计改善",
                    value_zh=f"{number(-best.achieved, 1)}",
                    note_zh=f"μg/m³，{rest}",
                )
            )
    return figures


def conclude_daily(forecast: Forecast, settings: BriefSettings) -> Conclusion:
    """Outlook of the region for the next days, and how many cities stay good."""
    dates = forecast.dates[:_KEY_DAYS]
    days = [day for day in forecast.days if day.date in dates]
    figures = [_region_figure([day for day in days if day.date == d], d) for d in dates]
    return Conclusion(text_zh=shorten(region_headline(days, settings)), figures=tuple(figures))


def _region_figure(days: list[ForecastDay], day: date) -> KeyFigure:
    worst = max(days, key=lambda d: (d.aqi, d.adcode))
    level = LEVELS[worst.level - 1].name_zh
    return KeyFigure(
        label_zh=f"{date_zh(day)} 优良城市",
        value_zh=f"{sum(d.level <= _GOOD for d in days)}/{len(days)}",
        note_zh=f"AQI最高：{worst.city_zh} {interval(worst.aqi_lo, worst.aqi_hi)}（{level}）",
    )
