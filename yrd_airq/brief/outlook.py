"""Forecast rows into city-days of the brief: AQI, its range and levels, candidate primary pollutants."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.brief.content_air import Forecast, ForecastDay, Quantity
from yrd_airq.brief.outlook_text import describe_region
from yrd_airq.brief.settings import BriefSettings
from yrd_airq.brief.wording import levels_zh
from yrd_airq.errors import InputError
from yrd_airq.region import Region
from yrd_airq.standards.aqi import LEVELS, aqi_range, daily_aqi, level_index, level_of
from yrd_airq.standards.limits import daily_limit
from yrd_airq.standards.versions import standard_of
from yrd_airq.vocab import Pollutant, Target, WeatherKind

BASELINES = ("persistence", "climatology")
CONVERTED = "+ratio"  # ending of a model name whose ozone was converted from a daily mean
_DETAIL_DAYS, _MOST_DETAIL_DAYS = 3, 4
_KEY = ["adcode", "date", "target"]
_INDEXED = (Target.O3_MDA8, Target.PM25, Target.PM10, Target.NO2, Target.SO2, Target.CO)


def build_forecast(
    forecasts: pd.DataFrame,
    issue_time: datetime,
    focus: Sequence[str],
    period: tuple[date, date] | None,
    region: Region,
    settings: BriefSettings,
) -> Forecast:
    """The forecast section from rows ``adcode, valid_date, lead_day, target, model, mean, q10, q50, q90, …``.

    Baseline rows are passed over. The AQI is that of the medians of ozone, PM2.5, PM10 and NO2, as far
    as they were forecast, by the version of HJ 633 of the valid date. Raises ``InputError`` if nothing
    is forecast after the issue date or two models forecast the same city-day. ``period`` (first and last
    day of the controls) chooses the days printed in detail; else they are the first three.
    """
    rows = _choose_rows(forecasts, issue_time)
    days = _build_days(rows, region, settings)
    dates = tuple(sorted({day.date for day in days}))
    kinds = set(rows["weather_kind"]) if "weather_kind" in rows else {WeatherKind.NONE.value}
    kind = next((k for k in WeatherKind if k.value in kinds), WeatherKind.NONE)
    standards = sorted({str(standard_of(day)) for day in dates})
    without = [t for t in (Target.O3_MDA8, Target.PM25) if t.value not in set(rows["target"])]
    missing = "、".join(t.info.name_zh for t in without)
    present = {day.adcode for day in days}
    return Forecast(
        text_zh=describe_region(days, settings),
        dates=dates,
        days=days,
        focus=tuple(code for code in focus if code in present),
        detail_dates=_detail_dates(dates, period),
        standard="、".join(standards),
        weather_kind=kind,
        note_zh=f"未预报{missing}，AQI未计该项。" if missing else "",
    )


def _detail_dates(dates: tuple[date, ...], period: tuple[date, date] | None) -> tuple[date, ...]:
    """Days of the period that are forecast, or else the first days; not more than fit the page."""
    inside = tuple(day for day in dates if period is not None and period[0] <= day <= period[1])
    return inside[:_MOST_DETAIL_DAYS] or dates[:_DETAIL_DAYS]


def _choose_rows(forecasts: pd.DataFrame, issue_time: datetime) -> pd.DataFrame:
    rows = forecasts[~forecasts["model"].isin(BASELINES)].copy()
    rows["date"] = pd.to_datetime(rows["valid_date"]).dt.date
    rows = rows[rows["date"] > issue_time.date()]
    rows["adcode"], rows["target"] = rows["adcode"].astype(str), rows["target"].astype(str)
    rows["q50"] = rows["q50"].fillna(rows["mean"])
    for column in ("q10", "q90"):
        rows[column] = rows[column].fillna(rows["q50"])
    rows = rows[rows["q50"].notna()]
    if rows.empty:
        raise InputError(f"no forecast for any day after the issue time {issue_time:%Y-%m-%d %H:%M}")
    twice = rows[rows.duplicated(_KEY)]
    if len(twice):
        row = twice.iloc[0]
        raise InputError(
            f"forecasts: {row['adcode']}, {row['date']}, {row['target']} is forecast by more than one model; "
            "pass the rows of one model"
        )
    return rows.sort_values(_KEY, ignore_index=True)


def _build_days(rows: pd.DataFrame, region: Region, settings: BriefSettings) -> tuple[ForecastDay, ...]:
    medians = rows.pivot(index=["adcode", "date"], columns="target", values="q50")
    frame = medians.reset_index()
    aqi, candidates = _index(frame, settings)
    lead = rows.groupby(["adcode", "date"])["lead_day"].first().reindex(medians.index).to_numpy()
    quantities = _quantities(rows)
    return tuple(
        _day(region, code, day, int(days_ahead), float(value), names, quantities[code, day])
        for code, day, days_ahead, value, names in zip(
            frame["adcode"], frame["date"], lead, aqi, candidates, strict=True
        )
        if np.isfinite(value)
    )


def _index(frame: pd.DataFrame, settings: BriefSettings) -> tuple[NDArray[np.float64], list[tuple[str, ...]]]:
    """AQI of each city-day and the names of its candidate primary pollutants, strongest first."""
    targets = [t for t in _INDEXED if t.value in frame]
    aqi = np.full(len(frame), np.nan)
    table = np.full((len(frame), len(Pollutant)), -1.0)
    if not targets:
        raise InputError("no forecast of o3_mda8, pm25, pm10 or no2, so no AQI can be given")
    standards = frame["date"].map(standard_of)
    for standard in sorted(set(standards)):
        rows = np.flatnonzero(standards == standard)
        values = {t: frame[t.value].to_numpy(dtype=float)[rows] for t in targets}
        result = daily_aqi(values, standard)
        aqi[rows] = result.aqi
        for k, pollutant in enumerate(Pollutant):
            if pollutant in result.iaqi:
                table[rows, k] = np.nan_to_num(result.iaqi[pollutant], nan=-1.0)
    names = np.array([p.name_zh for p in Pollutant], dtype=object)
    order = np.argsort(-table, axis=1, kind="stable")[:, :2]
    near = np.take_along_axis(table, order, axis=1) >= (aqi - float(settings.second_primary_within))[:, None]
    near &= np.take_along_axis(table, order, axis=1) > 50 - float(settings.second_primary_within)
    return aqi, [tuple(names[pair[ok]]) for pair, ok in zip(order, near, strict=True)]


def _day(
    region: Region,
    adcode: str,
    day: date,
    lead_day: int,
    aqi: float,
    candidates: tuple[str, ...],
    quantities: tuple[Quantity, ...],
) -> ForecastDay:
    low, high = trim_range(aqi, *aqi_range(aqi))
    level_lo, level_hi = (int(level_index(bound)) for bound in (low, high))
    return ForecastDay(
        adcode=adcode,
        city_zh=region.city(adcode).short_zh,
        date=day,
        lead_day=lead_day,
        aqi=int(aqi),
        aqi_lo=low,
        aqi_hi=high,
        level=int(level_index(aqi)),
        level_lo=level_lo,
        level_hi=level_hi,
        level_zh=levels_zh(level_lo, level_hi),
        primary_zh=candidates if high > 50 else (),
        quantities=quantities,
        remark_zh="由日均值换算" if any(q.converted for q in quantities) else "",
    )


def trim_range(aqi: float, low: int, high: int) -> tuple[int, int]:
    """The range narrowed so that it names at most two adjacent levels, the centre's own among them.

    Where it leaves the centre's level at both ends, the end that reaches less far goes.
    """
    centre = level_of(aqi)
    below, above = centre.lower - low, high - centre.upper
    if below > 0 and above > 0:
        low, high = (centre.lower, high) if below <= above else (low, centre.upper)
    lowest = LEVELS[max(centre.index - 2, 0)].lower
    highest = LEVELS[min(centre.index, len(LEVELS) - 1)].upper
    return max(low, lowest), min(high, highest)


def _quantities(rows: pd.DataFrame) -> dict[tuple[str, date], tuple[Quantity, ...]]:
    """The forecasts of each city-day, in the order of ``Target``."""
    order = rows["target"].map({target.value: k for k, target in enumerate(Target)})
    ordered = rows.assign(order=order).sort_values("order", kind="stable")
    columns = ("adcode", "date", "target", "q10", "q50", "q90", "p_exceed", "model")
    found: dict[tuple[str, date], tuple[Quantity, ...]] = {}
    for code, day, target, q10, q50, q90, p, model in zip(*(ordered[c] for c in columns), strict=True):
        quantity = Quantity(
            target=Target(target),
            q10=round(float(q10), 1),
            q50=round(float(q50), 1),
            q90=round(float(q90), 1),
            p_exceed=None if pd.isna(p) else round(float(p), 3),
            limit=None if target == Target.O3_MEAN else daily_limit(Target(target), day),
            model=str(model),
            converted=target == Target.O3_MDA8 and str(model).endswith(CONVERTED),
        )
        found[code, day] = (*found.get((code, day), ()), quantity)
    return found
