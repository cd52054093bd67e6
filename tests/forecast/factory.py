"""Small synthetic archives in the shape the store hands over, and quick model settings."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from yrd_airq.forecast.panel import Panel, build_panel
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.region import load_region
from yrd_airq.settings import load
from yrd_airq.vocab import CityDaySource, WeatherKind

FIRST = "2015-01-01"


def archive(days: int = 150, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """City days of pm25 and o3_mda8 that follow the day's wind and temperature, and that weather."""
    region = load_region()
    rng = np.random.default_rng(seed)
    dates = pd.date_range(FIRST, periods=days, freq="D")
    shape = (len(region.adcodes), days)
    u = rng.normal(0, 2, days) + rng.normal(0, 0.5, shape)
    v = rng.normal(0, 2, days) + rng.normal(0, 0.5, shape)
    t = (
        15
        - 10 * np.cos(2 * np.pi * np.arange(days) / 365)
        + rng.normal(0, 3, days)
        + rng.normal(0, 0.5, shape)
    )
    pm25 = np.maximum(60 - 6 * np.hypot(u, v) - 4 * v + rng.normal(0, 4, shape), 2)
    o3 = np.maximum(60 + 3 * t + rng.normal(0, 5, shape), 2)
    index = pd.MultiIndex.from_product([region.adcodes, dates], names=["adcode", "date"])
    table = pd.DataFrame({"pm25": pm25.ravel(), "o3_mda8": o3.ravel()}, index=index).reset_index()
    daily = table.melt(["adcode", "date"], var_name="target")
    weather = index.to_frame(index=False).assign(
        kind=WeatherKind.ANALYSIS.value,
        u10_ms=u.ravel(),
        v10_ms=v.ravel(),
        wind_ms=np.hypot(u, v).ravel(),
        t2m_c=t.ravel(),
    )
    return daily, weather


def around(days: int = 150, seed: int = 2) -> pd.DataFrame:
    """Air and weather at three places around the region: pm25 and the weather variables of ``archive``."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range(FIRST, periods=days, freq="D")
    frames = []
    for place, lon, lat in (("北方/甲", 117.0, 36.5), ("西方/乙", 113.5, 31.0), ("南方/丙", 118.0, 26.0)):
        table = pd.DataFrame({"date": dates, "pm25": rng.uniform(20, 120, days)})
        for name in ("u10_ms", "v10_ms", "t2m_c"):
            table[name] = rng.normal(0, 2, days)
        table["wind_ms"] = np.hypot(table["u10_ms"], table["v10_ms"])
        frames.append(table.melt("date", var_name="name").assign(place=place, lon=lon, lat=lat))
    return pd.concat(frames, ignore_index=True)


def hours(daily: pd.DataFrame) -> pd.DataFrame:
    """Hourly values that are flat through each day, at the day's pm25."""
    days = daily[daily["target"] == "pm25"]
    frames = [
        days.assign(time=days["date"] + pd.Timedelta(hours=hour), pollutant="pm25") for hour in range(1, 25)
    ]
    return pd.concat(frames)[["adcode", "time", "pollutant", "value"]]


def panel(days: int = 150, *, weather: bool = True, hourly: bool = False) -> Panel:
    """A panel of the synthetic archive."""
    daily, sky = archive(days)
    return build_panel(
        daily,
        hours(daily) if hourly else None,
        sky if weather else None,
        load_region(),
        source=CityDaySource.STATIONS,
    )


def quick_settings(**changes: object) -> ForecastSettings:
    """The project's settings with few boosting rounds."""
    content = load(ForecastSettings, "forecast").model_dump()
    for name in ("with_weather", "without_weather"):
        content[name] |= {"rounds": 15, "learning_rate": 0.2, "min_data_in_leaf": 20}
    content["network"] |= {"members": 1, "hidden": [8], "epochs": 2, "epochs_beside": 1}
    content["folds"] |= {"count": 2, "block_days": 14}
    return ForecastSettings.model_validate(content | {"threads": 1} | changes)


def day(offset: int) -> date:
    """Date ``offset`` days after the start of the synthetic archive."""
    return (pd.Timestamp(FIRST) + pd.Timedelta(days=offset)).date()
