"""Faults injected into two real months, the known faults of the archive, and the clean values beside them.

The thresholds were set on the odd months of 2019; this looks at June and August. All kinds with 500 faults
each in all even months: ``python -m tests.bench.quality_faults``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.bench.quality_faults import KINDS, Air, catch, count_clean, flagged_cells, load_months
from yrd_airq.quality.hourly import Flag, Rule, check_hourly
from yrd_airq.vocab import Pollutant

FAULTS = 60


@pytest.fixture(scope="module")
def june(real_data: Path) -> tuple[Air, pd.DataFrame, pd.DataFrame]:
    """Hourly frames, stations and flags of June 2019."""
    if not (real_data / "stations_hourly" / "cnemc_yrd_201906.csv.gz").is_file():
        pytest.skip("no hourly station values of June 2019")
    air, stations = load_months(real_data, [6])
    return air, stations, check_hourly(air, stations=stations).flags


@pytest.mark.parametrize("kind", KINDS)
def test_injected_faults_are_caught(june: tuple[Air, pd.DataFrame, pd.DataFrame], kind: str) -> None:
    air, stations, flags = june
    hours = np.ones(len(air[Pollutant.O3]), dtype=bool)
    made = catch(kind, air, stations, flagged_cells(flags, air), hours, FAULTS)
    assert made.faults == FAULTS
    # 95 % of many; of 60 with luck against them three more may slip through
    assert made.flagged >= 0.95 * FAULTS - 3, made.missed


def test_few_clean_values_are_flagged(june: tuple[Air, pd.DataFrame, pd.DataFrame]) -> None:
    air, _, flags = june
    clean = count_clean(flagged_cells(flags, air), air, np.ones(len(air[Pollutant.O3]), dtype=bool))
    assert clean.values > 700_000
    assert clean.flagged <= 0.0035 * clean.values
    assert clean.left_out <= 0.0007 * clean.values


def test_the_known_spike_of_june_is_left_out(june: tuple[Air, pd.DataFrame, pd.DataFrame]) -> None:
    _, _, flags = june
    worst = flags[(flags["station_code"] == "3207A") & (flags["time"] == pd.Timestamp(2019, 6, 16, 6))]
    assert Flag.LEFT_OUT in set(worst.loc[worst["pollutant"] == "no2", "flag"])


def test_fireworks_are_doubtful_and_stay_and_the_episode_around_is_air(real_data: Path) -> None:
    air, stations = load_months(real_data, [2])
    flags = check_hourly(air, stations=stations).flags
    night = flags[flags["time"].between("2019-02-04 18:00", "2019-02-05 18:00")]
    particles = night[night["pollutant"].isin(["pm25", "pm10"])]
    for code, hour in (("2312A", 9), ("2311A", 11)):  # 1176 and 870 µg/m³
        peak = particles[
            (particles["station_code"] == code) & (particles["time"] == pd.Timestamp(2019, 2, 5, hour))
        ]
        assert set(peak.loc[peak["pollutant"] == "pm25", "flag"]) == {Flag.DOUBTFUL}
        assert Rule.EXTREME in set(peak["rule"])
    values = air[Pollutant.PM25].loc["2019-02-04 18:00":"2019-02-05 18:00"]
    high = int((values > 150).to_numpy().sum())
    assert high > 500
    assert len(particles[particles["pollutant"] == "pm25"]) < 0.05 * high


def test_the_known_spike_and_the_stuck_runs_of_august(real_data: Path) -> None:
    air, stations = load_months(real_data, [8])
    flags = check_hourly(air, stations=stations).flags
    spike = flags[(flags["station_code"] == "3008A") & (flags["time"] == pd.Timestamp(2019, 8, 27, 11))]
    assert set(zip(spike["rule"], spike["flag"], strict=True)) >= {(Rule.SPIKE, Flag.LEFT_OUT)}
    stuck = flags[(flags["rule"] == Rule.STUCK) & (flags["flag"] == Flag.LEFT_OUT)]
    assert len(stuck) > 200
