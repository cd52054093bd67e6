"""Yesterday's forecast beside the observation: hits of AQI range, level and primary pollutant by city."""

from __future__ import annotations

from collections.abc import Sequence

from yrd_airq.brief.content_air import CityHit, Forecast, ForecastDay, Observed, ObservedCity, Yesterday
from yrd_airq.brief.typography import percent
from yrd_airq.brief.wording import date_zh
from yrd_airq.verify.levels import check_levels


def check_yesterday(
    forecast: Forecast | None, observed: Observed | None, focus: Sequence[str]
) -> Yesterday | None:
    """Compare an earlier forecast with the last complete day; None if no city has both.

    Range, level and primary-pollutant accuracy as Chinese forecast evaluation counts them: the observed
    AQI lies in the forecast range, the observed level in the forecast span, and the pollutants have one
    in common (only where the observed AQI is above 50).
    """
    if forecast is None or observed is None:
        return None
    issued = {day.adcode: day for day in forecast.days if day.date == observed.date}
    hits = tuple(
        _compare(issued[city.adcode], city)
        for city in sorted(observed.cities, key=lambda c: c.adcode)
        if city.adcode in issued and city.aqi is not None and city.level is not None
    )
    if not hits:
        return None
    return Yesterday(
        date=observed.date,
        text_zh=_describe(observed, hits),
        focus=tuple(code for code in focus if code in {hit.adcode for hit in hits}),
        cities=hits,
    )


def _compare(day: ForecastDay, city: ObservedCity) -> CityHit:
    aqi, level = city.aqi or 0, city.level or 0
    return CityHit(
        adcode=city.adcode,
        city_zh=city.city_zh,
        aqi_lo=day.aqi_lo,
        aqi_hi=day.aqi_hi,
        level_lo=day.level_lo,
        level_hi=day.level_hi,
        level_zh=day.level_zh,
        primary_zh=day.primary_zh,
        observed_aqi=aqi,
        observed_level=level,
        observed_primary_zh=city.primary_zh,
        range_hit=day.aqi_lo <= aqi <= day.aqi_hi,
        level_hit=day.level_lo <= level <= day.level_hi,
    )


def _describe(observed: Observed, hits: Sequence[CityHit]) -> str:
    total = len(hits)
    graded = check_levels(
        [hit.level_lo for hit in hits],
        [hit.level_hi for hit in hits],
        [hit.observed_level for hit in hits],
        [hit.observed_aqi for hit in hits],
        [hit.primary_zh for hit in hits],
        [hit.observed_primary_zh for hit in hits],
    )
    text = (
        f"{date_zh(observed.date)}（提前1天预报，{total}市）："
        f"AQI范围准确率{percent(sum(hit.range_hit for hit in hits) / total)}，"
        f"级别准确率{percent(graded.within)}（偏高{percent(graded.too_high)}、偏低{percent(graded.too_low)}）"
    )
    if graded.primary_n:
        text += f"，首要污染物准确率{percent(graded.primary)}（{graded.primary_n}市）"
    return text + "。"
