from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from tests.quality.stations import NANJING, SUZHOU, MemoryStore, rough_air, station_list
from yrd_airq.quality.refresh import refresh_city_series
from yrd_airq.vocab import Pollutant

FIRST, LAST = date(2019, 1, 28), date(2019, 3, 3)
STATIONS = station_list(a=NANJING, b=NANJING, e=SUZHOU)


def _store(last: date = LAST) -> MemoryStore:
    return MemoryStore(rough_air(FIRST, last, ["a", "b", "e"]), STATIONS)


def _same(one: MemoryStore, other: MemoryStore) -> None:
    pd.testing.assert_frame_equal(one.flags, other.flags)
    pd.testing.assert_frame_equal(one.hourly, other.hourly)
    pd.testing.assert_frame_equal(one.daily, other.daily)


def test_every_day_and_hour_of_the_span_is_written() -> None:
    store = _store()
    refresh_city_series(store)
    assert store.daily["date"].unique().tolist() == pd.date_range(FIRST, LAST).tolist()
    assert store.hourly["time"].min() == pd.Timestamp("2019-01-28 01:00")
    assert store.hourly["time"].max() == pd.Timestamp("2019-03-04 00:00")
    assert set(store.daily["adcode"]) == {NANJING, SUZHOU}


def test_repeating_or_refreshing_a_window_changes_nothing() -> None:
    whole, again = _store(), _store()
    refresh_city_series(whole)
    refresh_city_series(again)
    refresh_city_series(again)
    refresh_city_series(again, date(2019, 2, 10), date(2019, 2, 11))
    _same(whole, again)


def test_months_refreshed_one_by_one_equal_the_whole() -> None:
    whole, parts = _store(), _store()
    for store in (whole, parts):  # a stuck run and a spike across the turn of the month
        store.air[Pollutant.PM25].loc["2019-01-31 17:00":"2019-02-01 06:00", "a"] = 44.0
        store.air[Pollutant.SO2].loc["2019-02-01 00:00", "b"] = 490.0
    refresh_city_series(whole)
    for day in (date(2019, 3, 1), date(2019, 1, 30), date(2019, 2, 2)):
        refresh_city_series(parts, day, day)
    _same(whole, parts)
    assert whole.flags["rule"].value_counts().to_dict() == {"stuck": 14, "spike": 1}


def test_a_revised_value_replaces_flags_and_series() -> None:
    store = _store()
    store.air[Pollutant.SO2].loc["2019-02-05 12:00", "a"] = 490.0
    refresh_city_series(store)
    assert len(store.flags) == 1
    clean = _store()
    refresh_city_series(clean)
    store.air = clean.air
    refresh_city_series(store)
    assert store.flags.empty
    pd.testing.assert_frame_equal(store.daily, clean.daily)


def test_a_day_in_progress_has_hours_but_no_daily_value() -> None:
    store = _store()
    store.air = {p: hourly.loc[:"2019-03-03 22:00"] for p, hourly in store.air.items()}
    refresh_city_series(store)
    assert store.daily["date"].max() == pd.Timestamp("2019-03-02")
    assert store.hourly["time"].max() == pd.Timestamp("2019-03-03 22:00")
    store.air = {p: hourly.loc[:"2019-03-03 23:00"] for p, hourly in _store().air.items()}
    refresh_city_series(store)
    assert store.daily["date"].max() == pd.Timestamp("2019-03-03")


def test_the_hour_23_does_not_excuse_a_day_with_too_few_hours() -> None:
    store = _store()
    for hourly in store.air.values():
        hourly.loc["2019-03-03 01:00":"2019-03-03 12:00", :] = np.nan
    refresh_city_series(store)
    assert store.daily["date"].max() == pd.Timestamp("2019-03-02")


def test_without_station_values_nothing_is_done() -> None:
    store = MemoryStore({}, STATIONS)
    refresh_city_series(store)
    assert store.daily.empty


def test_a_window_beside_the_span_is_nothing() -> None:
    store = _store()
    refresh_city_series(store, date(2020, 1, 1), date(2020, 1, 2))
    assert store.daily.empty
