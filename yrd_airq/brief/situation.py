"""What was and what blows: the observed section and the weather section."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from yrd_airq.brief.content_air import DayValue, Observed, ObservedCity, Weather, WeatherDay
from yrd_airq.brief.settings import BriefSettings
from yrd_airq.brief.typography import MISSING
from yrd_airq.brief.wording import date_zh, days_zh, list_zh, wind_from_zh
from yrd_airq.clock import last_complete_day
from yrd_airq.region import Region
from yrd_airq.settings import load
from yrd_airq.standards.aqi import daily_aqi, level_index
from yrd_airq.standards.levels import LEVELS
from yrd_airq.standards.versions import standard_of
from yrd_airq.vocab import CityDaySource, Pollutant, Target, WeatherKind
from yrd_airq.weather.city import dispersion_grade
from yrd_airq.weather.settings import WeatherSettings

_PRINTED = (Target.O3_MDA8, Target.O3_MEAN, Target.PM25, Target.PM10)
_INDEXED = (Target.O3_MDA8, Target.PM25, Target.PM10, Target.NO2, Target.SO2, Target.CO)


def build_observed(
    city_daily: pd.DataFrame,
    source: CityDaySource,
    issue_time: datetime,
    focus: str,
    region: Region,
    settings: BriefSettings,
    converted: bool = False,
) -> Observed | None:
    """The last complete day before the issue (rows ``adcode, date, target, value``); None without any.

    ``converted`` says that the MDA8 among the rows comes from daily means.
    """
    rows = city_daily.assign(
        date=pd.to_datetime(city_daily["date"]).dt.date,
        target=city_daily["target"].astype(str),
        adcode=city_daily["adcode"].astype(str),
    )
    rows = rows[(rows["date"] <= last_complete_day(issue_time)) & rows["value"].notna()]
    if rows.empty:
        return None
    day = max(rows["date"])
    table = rows[rows["date"] == day].pivot(index="adcode", columns="target", values="value")
    table = table.reindex(region.adcodes)
    targets = tuple(t for t in _PRINTED if t.value in table and table[t.value].notna().any())
    if Target.O3_MDA8 in targets:
        targets = tuple(t for t in targets if t is not Target.O3_MEAN)
    cities = _rank_cities(table, day, targets, region)
    note = "" if Target.O3_MDA8 in targets else "该资料无O₃日最大8小时均值，AQI未计O₃。"
    if converted and Target.O3_MDA8 in targets:
        note = "O₃-8h由日均值按统计关系换算，AQI仅供参考。"
    return Observed(
        date=day,
        source_zh=source.name_zh,
        text_zh=_describe_day(cities, day, focus),
        targets=targets,
        cities=cities,
        focus=focus,
        recent=_recent(rows, focus, targets, day - timedelta(days=settings.history_days - 1)),
        note_zh=note,
    )


def _rank_cities(
    table: pd.DataFrame, day: date, targets: tuple[Target, ...], region: Region
) -> tuple[ObservedCity, ...]:
    """Cities by AQI, cleanest first, ties share a rank; those without an AQI last."""
    indexed = {t: table[t.value].to_numpy(dtype=float) for t in _INDEXED if t.value in table}
    if indexed:
        result = daily_aqi(indexed, standard_of(day))
        aqi, primary = result.aqi, result.primary
    else:
        aqi, primary = np.full(len(table), np.nan), np.full(len(table), (), dtype=object)
    rank = pd.Series(aqi).rank(method="min").to_numpy()
    printed = table[[t.value for t in targets]].to_numpy(dtype=float)
    rows = [
        ObservedCity(
            adcode=code,
            city_zh=region.city(code).short_zh,
            rank=int(place) if place >= 1 else None,
            aqi=None if np.isnan(value) else int(value),
            level=None if np.isnan(value) else int(level_index(value)),
            primary_zh=tuple(Pollutant(name).name_zh for name in names or ()),
            values={t: round(float(v), 1) for t, v in zip(targets, own, strict=True) if np.isfinite(v)},
        )
        for code, value, place, names, own in zip(table.index, aqi, rank, primary, printed, strict=True)
    ]
    return tuple(sorted(rows, key=lambda row: (row.rank is None, row.rank or 0, row.adcode)))


def _describe_day(cities: tuple[ObservedCity, ...], day: date, focus: str) -> str:
    graded = [row for row in cities if row.level is not None]
    if not graded:
        return f"{date_zh(day)}各市资料不足，未评价AQI。"
    counts = [(level.name_zh, sum(row.level == level.index for row in graded)) for level in LEVELS]
    text = f"{date_zh(day)}，区域{len(graded)}个城市中" + "、".join(f"{name}{n}个" for name, n in counts if n)
    worst = [row for row in graded if row.aqi == max(r.aqi or 0 for r in graded)]
    best = [row for row in graded if row.aqi == min(r.aqi or 0 for r in graded)]
    text += f"；AQI最低为{list_zh([r.city_zh for r in best], 3)}（{best[0].aqi}）"
    text += f"，最高为{list_zh([r.city_zh for r in worst], 3)}（{worst[0].aqi}"
    text += f"，首要污染物{'、'.join(worst[0].primary_zh)}）" if worst[0].primary_zh else "）"
    own = next((row for row in graded if row.adcode == focus), None)
    if own is not None and own.level is not None:
        text += f"。{own.city_zh}AQI为{own.aqi}（{LEVELS[own.level - 1].name_zh}），区域排名第{own.rank}"
    return text + "。"


def _recent(rows: pd.DataFrame, focus: str, targets: tuple[Target, ...], first: date) -> tuple[DayValue, ...]:
    names = [t.value for t in targets if t is not Target.PM10]
    own = rows[(rows["adcode"] == focus) & (rows["date"] >= first) & rows["target"].isin(names)]
    own = own.sort_values(["target", "date"])
    return tuple(
        DayValue(date=day, target=Target(target), value=round(float(value), 1))
        for day, target, value in zip(own["date"], own["target"], own["value"], strict=True)
    )


def build_weather(
    weather: pd.DataFrame, dates: Sequence[date], focus: Sequence[str], region: Region
) -> Weather | None:
    """Weather of the ``focus`` cities on ``dates`` from a row per city-day; None if there is none."""
    rows = weather.assign(date=pd.to_datetime(weather["date"]).dt.date, adcode=weather["adcode"].astype(str))
    rows = rows[rows["date"].isin(dates) & rows["adcode"].isin(focus)]
    rows = rows[rows["u10_ms"].notna()].reset_index(drop=True)
    if rows.empty:
        return None
    rows = _with_speed(rows)
    rows["dispersion"] = dispersion_grade(rows, load(WeatherSettings, "weather").dispersion)
    rows["order"] = rows["adcode"].map({code: k for k, code in enumerate(focus)})
    rows = rows.sort_values(["order", "date"]).reset_index(drop=True)
    days = tuple(_weather_day(row, region) for row in rows.itertuples(index=False))
    return Weather(text_zh=_describe_weather(days), days=days)


def _with_speed(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with a wind speed; without one, the speed of the daily mean vector, marked as such."""
    rows = rows.assign(**{name: np.nan for name in ("t2m_c", "rh_pct") if name not in rows})
    if "wind_ms" in rows:
        return rows.assign(wind_from_daily_vector=rows.get("wind_from_daily_vector", False))
    return rows.assign(wind_ms=np.hypot(rows["u10_ms"], rows["v10_ms"]), wind_from_daily_vector=True)


def _weather_day(row: Any, region: Region) -> WeatherDay:
    return WeatherDay(
        adcode=row.adcode,
        city_zh=region.city(row.adcode).short_zh,
        date=row.date,
        kind=WeatherKind(row.kind),
        wind_zh=wind_from_zh(float(row.u10_ms), float(row.v10_ms)),
        wind_ms=_figure(row.wind_ms),
        temperature_c=_figure(row.t2m_c),
        humidity_pct=_figure(row.rh_pct),
        dispersion_zh=row.dispersion or MISSING,
    )


def _figure(value: float) -> float | None:
    return None if pd.isna(value) else round(float(value), 1)


def _describe_weather(days: tuple[WeatherDay, ...]) -> str:
    """The first city day by day, neighbouring days of equal wind and dispersion together."""
    own = [day for day in days if day.adcode == days[0].adcode]
    runs: list[list[WeatherDay]] = []
    for day in own:
        if runs and (runs[-1][0].wind_zh, runs[-1][0].dispersion_zh) == (day.wind_zh, day.dispersion_zh):
            runs[-1].append(day)
        else:
            runs.append([day])
    parts = [_describe_run(run, first=k == 0) for k, run in enumerate(runs)]
    kinds = "、".join(dict.fromkeys(day.kind.name_zh for day in days))
    return f"{own[0].city_zh}：{'；'.join(parts)}。气象资料为{kinds}。"


def _describe_run(run: list[WeatherDay], first: bool) -> str:
    text = f"{days_zh([day.date for day in run], month=first)}{run[0].wind_zh}"
    for values, unit, name in (
        ([day.wind_ms for day in run], "m/s", "风速"),
        ([day.temperature_c for day in run], "℃", "气温"),
        ([day.humidity_pct for day in run], "%", "相对湿度"),
    ):
        known = [value for value in values if value is not None]
        if known:
            digits = 1 if unit == "m/s" else 0
            low, high = f"{min(known):.{digits}f}", f"{max(known):.{digits}f}"
            text += f"，{name}{low if low == high else f'{low}–{high}'}{unit}"
    return f"{text}，扩散条件{run[0].dispersion_zh}"
