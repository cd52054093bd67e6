from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from tests.forecast.factory import archive, panel
from yrd_airq.errors import InputError
from yrd_airq.forecast.panel import build_panel
from yrd_airq.forecast.today import partial_day
from yrd_airq.region import load_region
from yrd_airq.vocab import CityDaySource, Target

STATIONS = CityDaySource.STATIONS


def one_city(days: list[str], values: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"adcode": "330100", "date": pd.to_datetime(days), "target": "pm25", "value": values})


def test_a_missing_day_stays_a_gap_and_does_not_shift_the_following_days() -> None:
    region = load_region()
    built = build_panel(
        one_city(["2019-08-22", "2019-08-25"], [30.0, 50.0]), None, None, region, source=STATIONS
    )
    row = built.values[Target.PM25][region.adcodes.index("330100")]
    assert list(built.dates) == list(pd.date_range("2019-08-22", "2019-08-25"))
    np.testing.assert_array_equal(row, [30.0, np.nan, np.nan, 50.0])


def test_the_order_of_rows_does_not_matter() -> None:
    daily, weather = archive(40)
    region = load_region()
    mixed = daily.sample(frac=1, random_state=3)
    a = build_panel(daily, None, weather, region, source=STATIONS)
    b = build_panel(mixed, None, weather.iloc[::-1], region, source=STATIONS)
    for target in a.values:
        np.testing.assert_array_equal(a.values[target], b.values[target])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (one_city(["2019-01-01", "2019-01-01"], [1.0, 2.0]), "330100 on 2019-01-01 is given twice"),
        (one_city(["2019-01-01"], [1.0]).assign(adcode="110000"), "outside the region: 110000"),
        (one_city([], []), "empty; ingest observations"),
    ],
)
def test_unusable_series_are_refused_with_the_reason(rows: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError, match=message):
        build_panel(rows, None, None, load_region(), source=STATIONS)


def test_until_cuts_and_pads() -> None:
    whole = panel(40)
    assert whole.until(date(2015, 1, 10)).last == date(2015, 1, 10)
    longer = whole.until(date(2015, 3, 1))
    assert longer.last == date(2015, 3, 1)
    assert np.isnan(longer.values[Target.PM25][:, -1]).all()
    assert longer.weather_kind[-1] == "none"
    with pytest.raises(InputError, match="starts on 2015-01-01"):
        whole.until(date(2014, 1, 1))


def test_known_at_ends_the_daily_values_the_day_before_the_issue() -> None:
    known = panel(40, hourly=True).known_at(datetime(2015, 1, 20, 16), date(2015, 1, 27))
    row = known.values[Target.PM25][0]
    assert np.isfinite(row[:19]).all()  # to 19 January
    assert np.isnan(row[19:]).all()
    assert np.isfinite(known.today["pm25_sofar"][0, 19])
    assert np.isnan(known.today["pm25_sofar"][0, 20:]).all()
    assert known.last == date(2015, 1, 27)


def test_an_issue_before_the_hours_the_panel_knows_is_refused() -> None:
    with pytest.raises(InputError, match="build the panel with issue_hour=9"):
        panel(40, hourly=True).known_at(datetime(2015, 1, 20, 9), date(2015, 1, 27))


def hourly_rows(values: dict[str, float], pollutant: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "adcode": "a",
            "time": pd.to_datetime(list(values)),
            "pollutant": pollutant,
            "value": values.values(),
        }
    )


def test_partial_day_by_hand() -> None:
    # Day 1: 24 hours of 10. Day 2: hours 1 … 16 of 34, then 1000, which is after the issue hour.
    times = pd.date_range("2019-05-01 01:00", "2019-05-03 00:00", freq="h")
    values = np.where(times <= "2019-05-02 00:00", 10.0, np.where(times <= "2019-05-02 16:00", 34.0, 1000.0))
    rows = pd.DataFrame({"adcode": "a", "time": times, "pollutant": "pm25", "value": values})
    got = partial_day(rows, pd.date_range("2019-05-01", "2019-05-02"), ["a"], 16)
    assert got["pm25_sofar"][0].tolist() == [10.0, 34.0]
    assert got["pm25_sofar_change"][0, 1] == 24.0
    assert got["pm25_last24"][0, 1] == pytest.approx((8 * 10 + 16 * 34) / 24)
    assert got["pm25_last24"][0, 0] == 10.0  # 16 of 24 hours are enough
    few = partial_day(
        rows[rows["time"].dt.hour % 2 == 0], pd.date_range("2019-05-01", "2019-05-02"), ["a"], 16
    )
    assert np.isnan(few["pm25_last24"]).all()  # half of the hours are not


def test_best_eight_hours_so_far_by_hand() -> None:
    hour = {
        f"2019-05-01 {h:02d}:00": float(v) for h, v in zip(range(1, 17), [0] * 6 + [80] * 10, strict=True)
    }
    got = partial_day(hourly_rows(hour, "o3"), pd.date_range("2019-05-01", "2019-05-01"), ["a"], 16)
    assert got["o3_8h_sofar"][0, 0] == 80.0
    few = {time: value for k, (time, value) in enumerate(hour.items()) if k % 2}
    got = partial_day(hourly_rows(few, "o3"), pd.date_range("2019-05-01", "2019-05-01"), ["a"], 16)
    assert np.isnan(got["o3_8h_sofar"][0, 0])  # never 6 of 8 hours
