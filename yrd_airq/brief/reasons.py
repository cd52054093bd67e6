"""Why the forecasts are what they are, and what the running AQI says of the coming hours, in words."""

from __future__ import annotations

import pandas as pd

from yrd_airq.brief.content_air import Forecast
from yrd_airq.brief.settings import BriefSettings
from yrd_airq.brief.typography import percent
from yrd_airq.brief.wording import date_zh
from yrd_airq.region import Region
from yrd_airq.vocab import Pollutant, Target

_HEAVY = "p_over_150"
_SHOWN = 5
_OF_OZONE = (Target.O3_MDA8, Target.O3_MEAN, Target.PM25)
_OF_PARTICLES = (Target.PM25, Target.O3_MDA8, Target.O3_MEAN)


def state_reasons(reasons: pd.DataFrame | None, forecast: Forecast) -> tuple[str, ...]:
    """One sentence a focus city and first detailed day, for the pollutant that sets its AQI there."""
    if reasons is None or reasons.empty:
        return ()
    told = {
        (row["adcode"], row["valid_date"].date(), row["target"]): row["text_zh"]
        for row in reasons.to_dict("records")
    }
    found = []
    for day in forecast.days:
        if day.adcode not in forecast.focus or day.date != forecast.detail_dates[0]:
            continue
        order = _OF_PARTICLES if Pollutant.PM25.name_zh in day.primary_zh[:1] else _OF_OZONE
        target = next((t for t in order if (day.adcode, day.date, t.value) in told), None)
        if target is not None:
            text = told[day.adcode, day.date, target.value]
            found.append(f"{day.city_zh}{date_zh(day.date)}{target.info.name_zh}{text}")
    return tuple(found)


def state_running(running: pd.DataFrame | None, region: Region, settings: BriefSettings) -> str:
    """Cities and hours where the running 24-h AQI is likely to go beyond 150 within 72 hours."""
    if running is None or running.empty:
        return ""
    whole = running[running["item"] == "aqi"]
    worst = whole.loc[whole.groupby("adcode")[_HEAVY].idxmax()]
    named = worst[worst[_HEAVY] >= settings.possible_from.value].sort_values(_HEAVY, ascending=False)
    if named.empty:
        return f"未来72小时各市滑动24小时AQI超过150的概率均低于{percent(settings.possible_from.value)}。"
    parts = [
        f"{region.city(row['adcode']).short_zh}{percent(row[_HEAVY])}（{date_zh(row['valid_time'])}{row['valid_time'].hour}时前后）"
        for row in named.head(_SHOWN).to_dict("records")
    ]
    rest = f"等{len(named)}市" if len(named) > _SHOWN else ""
    return f"未来72小时滑动24小时AQI可能超过150：{'、'.join(parts)}{rest}。"
