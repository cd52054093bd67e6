"""Derived quantities on tables worked by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from yrd_airq.settings import load
from yrd_airq.weather.derived import recirculation, stagnation, ventilation, wind_direction
from yrd_airq.weather.settings import WeatherSettings


@pytest.fixture
def settings() -> WeatherSettings:
    return load(WeatherSettings, "weather")


def test_direction_is_where_the_wind_comes_from() -> None:
    u = [0, -1, 0, 1, -1, 0]
    v = [-1, 0, 1, 0, -1, 0]
    got = wind_direction(u, v)
    assert np.allclose(got[:5], [0, 90, 180, 270, 45])
    assert np.isnan(got[5])


def test_ventilation_is_height_times_wind_of_the_layer(settings: WeatherSettings) -> None:
    factor, daily = settings.transport_factor.value, settings.dispersion.daily_mean_factor.value
    got = ventilation([500.0, 500.0, np.nan], [4.0, 4.0, 4.0], [False, True, False], settings)
    assert got[:2] == pytest.approx([2000 * factor, 2000 * factor / daily])
    assert np.isnan(got[2])


def test_stagnation_knows_what_it_does_not_know(settings: WeatherSettings) -> None:
    frame = pd.DataFrame(
        {
            "wind_ms": [3.1, 3.2, 3.1, 3.1, 5.0, np.nan, np.nan, 5.0],
            "precip_mm": [0.5, 0.5, 1.0, np.nan, np.nan, 0.0, 9.0, 0.0],
            "wind_from_daily_vector": [False] * 7 + [True],
        }
    )
    got = stagnation(frame, settings)
    assert got.tolist() == [True, False, False, pd.NA, False, pd.NA, False, True]
    assert stagnation(frame.drop(columns="precip_mm"), settings)[:2].tolist() == [pd.NA, False]


def days_of(adcode: str, first: str, u: list[float], v: list[float], speed: list[float]) -> pd.DataFrame:
    dates = pd.date_range(first, periods=len(u))
    return pd.DataFrame({"adcode": adcode, "date": dates, "u10_ms": u, "v10_ms": v, "wind_ms": speed})


def test_recirculation_of_straight_returning_and_crooked_flow() -> None:
    straight = days_of("a", "2016-01-01", [2.0] * 4, [0.0] * 4, [2.0] * 4)
    back = days_of("b", "2016-01-01", [3.0, -3.0, 0.0, 3.0], [0.0] * 4, [3.0, 3.0, 1.0, 3.0])
    # 3 + 4i: a resultant of 5 over a run of 7 and a day of back and forth (run 2, resultant 0).
    crooked = days_of("c", "2016-01-02", [3.0, 0.0, 0.0], [0.0, 4.0, 0.0], [3.0, 4.0, 2.0])
    frame = pd.concat([straight, crooked, back], ignore_index=True)
    got = recirculation(frame)
    assert got[:2].isna().all()
    assert got[2:4].tolist() == [0.0, 0.0]
    assert got[4:6].isna().all()
    assert got[6] == pytest.approx(1 - 5 / 9)
    assert got[9:11].tolist() == pytest.approx([1.0, 1 - 0 / 7])
    shuffled = frame.sample(frac=1, random_state=1)
    pd.testing.assert_series_equal(recirculation(shuffled).sort_index(), got)


def test_recirculation_needs_three_days_without_a_break() -> None:
    frame = days_of("a", "2016-01-01", [1.0] * 5, [0.0] * 5, [1.0] * 5).drop(index=2)
    assert recirculation(frame).isna().all()
    assert recirculation(frame.iloc[:0]).empty
    calm = days_of("a", "2016-01-01", [0.0] * 3, [0.0] * 3, [0.0] * 3)
    assert recirculation(calm).isna().all()
