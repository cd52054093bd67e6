"""The rules against what the national network itself published: one month of hourly station values.

The release carries, beside the hourly values, its own running 24-h means, its daily maximum 8-h mean and
its hourly AQI; read at 00:00 of the next day they are the publisher's daily statistics. Figures in the
tests were measured on July 2019; over January–September they are 1 (4 items), 0.979 (CO), 0.99994 (MDA8).
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from yrd_airq.clock import day_labels
from yrd_airq.quality.daily import station_daily
from yrd_airq.standards.aqi import hourly_aqi
from yrd_airq.standards.rounding import round_half_even
from yrd_airq.standards.versions import Standard
from yrd_airq.vocab import Pollutant, Target

FIRST, LAST = date(2019, 7, 1), date(2019, 7, 30)
NAMES = {"so2": "SO2", "no2": "NO2", "co": "CO", "o3": "O3", "pm10": "PM10", "pm25": "PM2.5"}
Release = dict[str, pd.DataFrame]


@pytest.fixture(scope="module")
def release(real_data: Path) -> Release:
    """Dense hourly frame of each type of the release, for the whole days of the month."""
    path = real_data / "stations_hourly" / "cnemc_yrd_201907.csv.gz"
    if not path.is_file():
        pytest.skip(f"no hourly station values at {path}")
    rows = pd.read_csv(path, dtype={"date": str})
    rows.index = pd.to_datetime(rows["date"]) + pd.to_timedelta(rows["hour"], unit="h")
    labels = day_labels(FIRST, LAST)
    kinds = rows.drop(columns=["date", "hour"]).groupby("type")
    return {str(kind): part.drop(columns="type").astype(float).reindex(labels) for kind, part in kinds}


def _complete(hourly: pd.DataFrame) -> np.ndarray:
    """Station-days (day, station) with all 24 hours."""
    return hourly.notna().to_numpy().reshape(-1, 24, hourly.shape[1]).all(axis=1)


def _at_midnight(hourly: pd.DataFrame) -> np.ndarray:
    return hourly.to_numpy()[23::24]


def _agreement(release: Release, target: Target, published: str) -> tuple[float, int]:
    """Share of complete station-days whose rounded statistic equals the published one, and their number."""
    pollutant = target.info.pollutant
    hourly = release[NAMES[pollutant]]
    ours = station_daily({pollutant: hourly})[target].to_numpy()
    theirs = _at_midnight(release[published])
    both = _complete(hourly) & np.isfinite(theirs)
    digits = 1 if pollutant is Pollutant.CO else 0
    equal = np.isclose(np.asarray(round_half_even(ours[both], digits)), theirs[both], rtol=0, atol=1e-9)
    return float(equal.mean()), int(both.sum())


@pytest.mark.parametrize(
    ("target", "published", "at_least"),
    [
        (Target.PM25, "PM2.5_24h", 1.0),
        (Target.PM10, "PM10_24h", 1.0),
        (Target.SO2, "SO2_24h", 1.0),
        (Target.NO2, "NO2_24h", 1.0),
        (Target.O3_MDA8, "O3_8h_24h", 0.999),
        # Hourly CO is published rounded to one decimal, its mean was taken before that.
        (Target.CO, "CO_24h", 0.95),
    ],
)
def test_daily_statistics_equal_the_published_ones(
    release: Release, target: Target, published: str, at_least: float
) -> None:
    share, number = _agreement(release, target, published)
    assert number > 2000
    assert share >= at_least


def test_published_means_are_rounded_half_to_even(release: Release) -> None:
    hourly = release["PM2.5"]
    total = hourly.to_numpy().reshape(-1, 24, hourly.shape[1]).sum(axis=1)
    theirs = _at_midnight(release["PM2.5_24h"])
    tie = _complete(hourly) & np.isfinite(theirs) & (total % 24 == 12)
    assert tie.sum() > 50
    assert (theirs[tie] % 2 == 0).all()


def test_published_hourly_aqi_is_met_exactly(release: Release) -> None:
    """The network published the index of 1-h means, particles read against the daily breakpoints.

    HJ 633-2012 asks for moving 24-h particles here; the breakpoints and the rounding are the same.
    """
    items = {"so2_1h": "SO2", "no2_1h": "NO2", "co_1h": "CO", "o3_1h": "O3", "pm10_24h": "PM10"}
    values = {item: release[kind].to_numpy() for item, kind in (items | {"pm25_24h": "PM2.5"}).items()}
    ours = hourly_aqi(values, Standard.HJ633_2012).aqi
    theirs = release["AQI"].to_numpy()
    both = np.logical_and.reduce([np.isfinite(v) for v in values.values()]) & np.isfinite(theirs)
    assert both.sum() > 100_000
    np.testing.assert_array_equal(ours[both], theirs[both])
