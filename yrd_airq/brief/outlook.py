"""Forecast rows into city-days of the brief: AQI, its range and levels, candidate primary pollutants."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd

from yrd_airq.brief.content_air import Forecast, ForecastDay, Quantity
from yrd_airq.brief.outlook_text import describe_region
from yrd_airq.brief.settings import BriefSettings
from yrd_airq.brief.wording import levels_zh
from yrd_airq.errors import InputError
from yrd_airq.forecast.aqi_settings import load_aqi_forecast
from yrd_airq.forecast.baselines import SIMPLE
from yrd_airq.forecast.correction import FORECASTER
from yrd_airq.forecast.joint import MODEL_NAME as JOINT
from yrd_airq.forecast.joint import forecast_aqi
from yrd_airq.region import Region
from yrd_airq.standards.aqi import level_index
from yrd_airq.standards.limits import daily_limit
from yrd_airq.standards.versions import standard_of
from yrd_airq.vocab import Target, WeatherKind

PASSED_OVER = (*SIMPLE, JOINT)
CONVERTED = "+ratio"  # ending of a model name whose ozone was converted from a daily mean
_DETAIL_DAYS, _MOST_DETAIL_DAYS = 3, 4
_KEY = ["adcode", "date", "target"]
# Forecasts that do not rest on the city's own recent observations.
WEAK = ("neighbours", "stale")


def build_forecast(
    forecasts: pd.DataFrame,
    issue_time: datetime,
    focus: Sequence[str],
    period: tuple[date, date] | None,
    region: Region,
    settings: BriefSettings,
) -> Forecast:
    """The forecast section from rows ``adcode, valid_date, lead_day, target, model, mean, q10, q50, q90, …``.

    Baseline rows are passed over. AQI, levels and first pollutants come from the joint distribution of
    ozone, PM2.5, PM10 and NO2, as far as they were forecast. Raises ``InputError`` if nothing
    is forecast after the issue date or two models forecast the same city-day. ``period`` (first and last
    day of the controls) chooses the days printed in detail; else they are the first three.
    """
    rows = _choose_rows(forecasts, issue_time)
    days = _build_days(rows, region)
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
    rows = forecasts[~forecasts["model"].isin(PASSED_OVER)].copy()
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


def _build_days(rows: pd.DataFrame, region: Region) -> tuple[ForecastDay, ...]:
    """City-days with what is stated of their AQI: drawn jointly from the forecasts of its pollutants."""
    made = forecast_aqi(rows, load_aqi_forecast())
    key = ["adcode", "valid_date"]
    stated = made.chances.merge(made.rows[[*key, "q50"]], on=key).sort_values(key)
    quantities, remarks = _quantities(rows), _remarks(rows)
    return tuple(
        _day(region, day, quantities[day["adcode"], day["valid_date"].date()], remarks)
        for day in stated.to_dict("records")
    )


def _day(
    region: Region,
    stated: Mapping[Hashable, Any],
    quantities: tuple[Quantity, ...],
    remarks: Mapping[tuple[str, date], str],
) -> ForecastDay:
    adcode, day, aqi = stated["adcode"], stated["valid_date"].date(), int(stated["q50"])
    low, high = stated["level_lo"], stated["level_hi"]
    return ForecastDay(
        adcode=adcode,
        city_zh=region.city(adcode).short_zh,
        date=day,
        lead_day=stated["lead_day"],
        aqi=aqi,
        aqi_lo=stated["aqi_lo"],
        aqi_hi=stated["aqi_hi"],
        level=int(level_index(aqi)),
        level_lo=low,
        level_hi=high,
        level_zh=levels_zh(low, high),
        primary_zh=tuple(pollutant.name_zh for pollutant in stated["first"]),
        quantities=quantities,
        remark_zh=remarks.get((adcode, day), ""),
    )


def _remarks(rows: pd.DataFrame) -> dict[tuple[str, date], str]:
    """What has to be said of a city-day beside its numbers, in one text."""
    marks = {
        "预报员订正": rows["model"] == FORECASTER,
        "由日均值换算": rows["model"].astype(str).str.endswith(CONVERTED)
        & (rows["target"] == Target.O3_MDA8.value),
        "近期实况缺测，依据偏弱": rows.get("basis", pd.Series("own", index=rows.index)).isin(WEAK),
    }
    found: dict[tuple[str, date], str] = {}
    for text, marked in marks.items():
        for key in dict.fromkeys(zip(rows["adcode"][marked], rows["date"][marked], strict=True)):
            found[key] = "；".join(part for part in (found.get(key, ""), text) if part)
    return found


def _quantities(rows: pd.DataFrame) -> dict[tuple[str, date], tuple[Quantity, ...]]:
    """The forecasts of each city-day, in the order of ``Target``."""
    order = rows["target"].map({target.value: k for k, target in enumerate(Target)})
    ordered = rows.assign(order=order).sort_values("order", kind="stable")
    columns = ("adcode", "date", "target", "q10", "q50", "q90", "p_exceed", "call_from", "model")
    found: dict[tuple[str, date], tuple[Quantity, ...]] = {}
    for code, day, target, q10, q50, q90, p, call_from, model in zip(
        *(ordered[c] for c in columns), strict=True
    ):
        quantity = Quantity(
            target=Target(target),
            q10=round(float(q10), 1),
            q50=round(float(q50), 1),
            q90=round(float(q90), 1),
            p_exceed=None if pd.isna(p) else round(float(p), 3),
            limit=None if target == Target.O3_MEAN else daily_limit(Target(target), day),
            model=str(model),
            converted=target == Target.O3_MDA8 and str(model).endswith(CONVERTED),
            call_from=None if pd.isna(p) or pd.isna(call_from) else float(call_from),
        )
        found[code, day] = (*found.get((code, day), ()), quantity)
    return found
