"""Reads the real-data folder into the frames that the store would hand over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from yrd_airq.region import Region

PROVINCES = ("上海市", "江苏省", "浙江省", "安徽省")
REANALYSIS = {"O3": "o3_mean", "PM2.5": "pm25", "PM10": "pm10", "NO2": "no2"}
STATION_ITEMS = {"O3": "o3", "PM2.5": "pm25", "PM10": "pm10", "NO2": "no2"}


def reanalysis(folder: Path, region: Region, last: str = "2017-12-31") -> tuple[pd.DataFrame, pd.DataFrame]:
    """City-day series and city weather of the reanalysis; Shanghai is the mean of its districts."""
    frames = []
    for province in PROVINCES:
        for path in sorted((folder / "city_daily_reanalysis" / province).glob("*.csv.gz")):
            table = pd.read_csv(path, parse_dates=["date"])
            name = "上海" if province == "上海市" else path.name.removesuffix(".csv.gz")
            table["adcode"] = region.adcode_of_name(name)
            frames.append(table)
    table = pd.concat(frames).groupby(["adcode", "date"], as_index=False).mean(numeric_only=True)
    table = table[table["date"] <= last]
    daily = table.rename(columns=REANALYSIS).melt(
        ["adcode", "date"], list(REANALYSIS.values()), "target", "value"
    )
    weather = pd.DataFrame(
        {
            "adcode": table["adcode"],
            "date": table["date"],
            "kind": "analysis",
            "u10_ms": table["U"],
            "v10_ms": table["V"],
            "wind_ms": np.hypot(table["U"], table["V"]),
            "t2m_c": table["TEMP"] - 273.15,
            "rh_pct": table["RH"],
            "sp_hpa": table["PSFC"] / 100,
        }
    )
    return daily, weather


def station_hours(folder: Path, months: range = range(1, 10)) -> pd.DataFrame:
    """Hourly station values of 2019, long: station, time (hour-ending), pollutant, value."""
    frames = []
    for month in months:
        table = pd.read_csv(folder / f"stations_hourly/cnemc_yrd_2019{month:02d}.csv.gz")
        table = table[table["type"].isin(STATION_ITEMS)]
        time = pd.to_datetime(table["date"].astype(str)) + pd.to_timedelta(table["hour"], unit="h")
        values = table.drop(columns=["date", "hour", "type"])
        wide = values.set_axis(pd.MultiIndex.from_arrays([time, table["type"]], names=["time", "type"]))
        long = wide.rename_axis(columns="station").stack().dropna()
        frames.append(long.rename("value").reset_index())
    rows = pd.concat(frames)
    rows["pollutant"] = rows["type"].map(STATION_ITEMS)
    cap = rows["pollutant"].map({"o3": 600.0, "pm25": 800.0, "pm10": 2000.0, "no2": 400.0})
    return rows.loc[rows["value"] <= cap, ["station", "time", "pollutant", "value"]]


def city_hours(hours: pd.DataFrame, folder: Path, region: Region) -> pd.DataFrame:
    """City means of the station hours: adcode, time, pollutant, value."""
    stations = pd.read_csv(folder / "stations/station_list.csv").drop_duplicates("监测点编码")
    city = stations.set_index("监测点编码")["城市"].map(region.adcode_of_name)
    rows = hours.assign(adcode=hours["station"].map(city)).dropna(subset=["adcode"])
    return rows.groupby(["adcode", "time", "pollutant"], as_index=False)["value"].mean()


def city_days(hourly: pd.DataFrame) -> pd.DataFrame:
    """Daily series from city hours: 24-h means from 20 hours on, MDA8 from 14 running means of 6 hours on."""
    wide = hourly.pivot(index="time", columns=["pollutant", "adcode"], values="value").sort_index()
    wide = wide.reindex(pd.date_range(wide.index[0], wide.index[-1], freq="h"))
    day = (wide.index - pd.Timedelta(hours=1)).normalize()
    means = wide.groupby(day).mean().where(wide.groupby(day).count() >= 20)
    eight = wide[["o3"]].rolling(8, min_periods=6).mean()
    hour = np.where(wide.index.hour == 0, 24, wide.index.hour)
    eight = eight[hour >= 8]
    key = day[hour >= 8]
    best = eight.groupby(key).max().where(eight.groupby(key).count() >= 14)
    frames = [
        means[item].stack().rename("value").reset_index().assign(target=target)
        for item, target in (("pm25", "pm25"), ("pm10", "pm10"), ("no2", "no2"), ("o3", "o3_mean"))
    ]
    frames.append(best["o3"].stack().rename("value").reset_index().assign(target="o3_mda8"))
    table = pd.concat(frames).rename(columns={"level_0": "date"})
    return table[["adcode", "date", "target", "value"]].dropna()
