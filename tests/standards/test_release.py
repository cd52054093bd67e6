from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from yrd_airq.clock import day_labels
from yrd_airq.errors import InputError
from yrd_airq.standards.release import (
    CNEMC_RELEASE,
    RELEASED_ITEMS,
    make_release,
    released_aqi,
    released_value,
    window_hours,
)
from yrd_airq.standards.statistics import daily_mean, mda8
from yrd_airq.vocab import Pollutant

NAN = np.nan
HOURS = np.arange(1, 25)
TWO_DAYS = np.tile(HOURS, 2)


def _column(values: object) -> np.ndarray:
    return np.asarray(values, dtype=float)[:, None]


def test_the_24_hour_mean_runs_over_midnight_and_over_the_hours_at_hand() -> None:
    hourly = _column(np.r_[np.full(24, 10.0), np.full(24, 34.0)])
    got = released_value("pm25_24h", hourly, TWO_DAYS)[:, 0]
    assert np.isnan(got[:23]).all()  # these windows begin before the first hour
    np.testing.assert_array_equal(got[[23, 24, 35, 47]], [10, 11, 22, 34])
    hourly[:47] = NAN
    assert released_value("pm25_24h", hourly, TWO_DAYS)[47, 0] == 34  # one hour of 24


def test_the_8_hour_mean_of_the_first_hours_does_not_reach_into_the_day_before() -> None:
    hourly = _column(np.r_[np.full(24, 100.0), np.arange(1.0, 25.0)])
    got = released_value("o3_8h", hourly, TWO_DAYS)[24:, 0]
    np.testing.assert_array_equal(got[:9], [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5.5])
    assert got[23] == 20.5


def test_the_largest_8_hour_mean_drops_the_short_windows_at_midnight() -> None:
    hourly = _column(np.r_[200.0, np.full(23, 20.0)])
    got = released_value("o3_8h_24h", hourly, HOURS)[:, 0]
    np.testing.assert_array_equal(got[:23], 200)  # hour 1 alone leads all day
    assert got[23] == (200 + 7 * 20) / 8
    assert got[23] == mda8(hourly[:, 0])


def test_the_largest_hour_is_of_the_last_24_hours() -> None:
    hourly = _column(np.r_[np.full(23, 50.0), 90.0, np.full(24, 60.0)])
    got = released_value("o3_24h", hourly, TWO_DAYS)[:, 0]
    np.testing.assert_array_equal(got[23:], [90.0] * 24 + [60.0])


def test_the_hourly_aqi_reads_hourly_particles_and_what_is_at_hand() -> None:
    # PM2.5 115 → 150; O3 200 → 100; PM10 alone missing; nothing at all gives nothing.
    got = released_aqi({Pollutant.PM25: [115.0, NAN, NAN], Pollutant.O3: [200.0, 200.0, NAN]})
    np.testing.assert_array_equal(got, [150, 100, NAN])


def test_windows_count_the_hours_that_are_true() -> None:
    blank = np.zeros((48, 1))
    blank[22] = blank[24] = 1  # hour 23 of the first day, hour 1 of the second
    np.testing.assert_array_equal(
        window_hours("pm25_24h", blank, TWO_DAYS)[[23, 24, 45, 46, 47], 0], [1, 2, 2, 1, 1]
    )
    np.testing.assert_array_equal(window_hours("o3_8h", blank, TWO_DAYS)[[23, 24, 31, 32], 0], [1, 1, 1, 0])
    np.testing.assert_array_equal(window_hours("o3_8h_24h", blank, TWO_DAYS)[[23, 24, 47], 0], [1, 1, 1])


def test_a_whole_release_is_rounded_and_silent_where_the_station_is() -> None:
    labels = day_labels(pd.Timestamp("2019-01-01").date(), pd.Timestamp("2019-01-02").date())
    pm25 = pd.DataFrame(
        {"a": np.tile([10.0, 11.0], 24), "b": np.r_[np.full(40, 9.0), np.full(8, NAN)]}, labels
    )
    co = pd.DataFrame({"a": 0.4, "b": NAN}, labels)
    made = make_release({Pollutant.PM25: pm25, Pollutant.CO: co})
    assert set(made) == {"aqi", "pm25_24h", "co_24h"}
    assert made["pm25_24h"]["a"].iloc[-1] == 10  # 10.5, half to even
    assert made["pm25_24h"]["b"].iloc[39] == 9
    assert made["pm25_24h"]["b"].iloc[40:].isna().all()
    assert made["aqi"].loc["2019-01-01 02:00"].tolist() == [16, 13]  # 11 → 15.7, 9 → 12.9
    with pytest.raises(InputError, match="consecutive hours"):
        make_release({Pollutant.PM25: pm25.drop(labels[5])})
    with pytest.raises(InputError, match="none were given"):
        make_release({})
    with pytest.raises(InputError, match="no running item 'pm1_24h'"):
        released_value("pm1_24h", pm25.to_numpy(), TWO_DAYS)


@settings(deadline=None, max_examples=50)
@given(
    hnp.arrays(float, (60, 2), elements=st.one_of(st.just(NAN), st.integers(0, 400).map(float))),
    st.integers(1, 24),
)
def test_at_midnight_complete_days_have_the_standards_daily_statistics(
    hourly: np.ndarray, start: int
) -> None:
    hours = (np.arange(60) + start - 1) % 24 + 1
    ends = [row for row in np.flatnonzero(hours == 24) if row >= 23]
    for row in ends:
        day = hourly[row - 23 : row + 1].T
        whole = np.isfinite(day).all(axis=1)
        np.testing.assert_array_equal(
            released_value("no2_24h", hourly, hours)[row][whole], daily_mean(day)[whole]
        )
        np.testing.assert_array_equal(
            released_value("o3_8h_24h", hourly, hours)[row][whole], mda8(day)[whole]
        )
        np.testing.assert_array_equal(
            released_value("o3_24h", hourly, hours)[row][whole], day.max(axis=1)[whole]
        )


def test_the_convention_names_its_data_and_every_item() -> None:
    assert CNEMC_RELEASE.name == "CNEMC_RELEASE"
    assert CNEMC_RELEASE.first.year == CNEMC_RELEASE.last.year == 2019
    assert {finding.item for finding in CNEMC_RELEASE.findings} == {*RELEASED_ITEMS, "aqi"}
    assert all(finding.equal / finding.compared > 0.979 for finding in CNEMC_RELEASE.findings)
