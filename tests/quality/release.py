"""The real hourly release of 2019, read with pandas alone: frames by the item names of the store."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest

NAMES = {
    "AQI": "aqi",
    "PM2.5": "pm25",
    "PM2.5_24h": "pm25_24h",
    "PM10": "pm10",
    "PM10_24h": "pm10_24h",
    "SO2": "so2",
    "SO2_24h": "so2_24h",
    "NO2": "no2",
    "NO2_24h": "no2_24h",
    "CO": "co",
    "CO_24h": "co_24h",
    "O3": "o3",
    "O3_24h": "o3_24h",
    "O3_8h": "o3_8h",
    "O3_8h_24h": "o3_8h_24h",
}


def month_files(real_data: Path, months: Iterable[int]) -> list[Path]:
    """Archive files of months of 2019; skips the test where one is not there."""
    files = [real_data / "stations_hourly" / f"cnemc_yrd_2019{month:02}.csv.gz" for month in months]
    for path in files:
        if not path.is_file():
            pytest.skip(f"no hourly station values at {path}")
    return files


def read_release(files: Iterable[Path]) -> dict[str, pd.DataFrame]:
    """Values by item: the hours of the files down, stations across."""
    rows = pd.concat([pd.read_csv(path, dtype={"date": str}) for path in files], ignore_index=True)
    time = pd.to_datetime(rows["date"]) + pd.to_timedelta(rows["hour"], unit="h")
    kinds = rows["type"].map(NAMES)
    values = rows.drop(columns=["date", "hour", "type"]).astype(float).set_axis(pd.DatetimeIndex(time))
    return {str(kind): values[(kinds == kind).to_numpy()] for kind in kinds.dropna().unique()}
