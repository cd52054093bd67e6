"""Series made anew, in part or whole, from a real store: the same result whatever the order and the parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.quality.stations import NANJING, SUZHOU, list_batch, rough_air, station_list, values_batch
from yrd_airq.quality.refresh import refresh_city_series
from yrd_airq.quality.settings import load_quality
from yrd_airq.store.records import Action, Judgement
from yrd_airq.store.store import Store, open_store
from yrd_airq.vocab import CityDaySource, Pollutant

FIRST, LAST = date(2019, 1, 28), date(2019, 3, 3)
STATIONS = station_list(A001=NANJING, B002=NANJING, E005=SUZHOU)
Air = Mapping[Pollutant, pd.DataFrame]
Series = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]


@pytest.fixture
def air() -> dict[Pollutant, pd.DataFrame]:
    return rough_air(FIRST, LAST, ["A001", "B002", "E005"])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store.duckdb") as opened:
        opened.ingest(list_batch(STATIONS, "list"))
        yield opened


def series(store: Store) -> Series:
    return store.flags(), store.city_hourly(), store.city_daily(CityDaySource.STATIONS)


def made_whole(air: Air, path: Path) -> Series:
    """The series of these values when all of them come at once."""
    with open_store(path) as store:
        store.ingest(list_batch(STATIONS, "list"))
        store.ingest(values_batch(air, "all"))
        refresh_city_series(store)
        return series(store)


def assert_same(one: Series, other: Series) -> None:
    for left, right in zip(one, other, strict=True):
        pd.testing.assert_frame_equal(left, right)


def cut(air: Air, first: str, last: str) -> dict[Pollutant, pd.DataFrame]:
    return {pollutant: hourly.loc[first:last] for pollutant, hourly in air.items()}


def test_every_day_and_hour_of_the_span_is_written(store: Store, air: Air) -> None:
    store.ingest(values_batch(air, "all"))
    refresh_city_series(store)
    _, hourly, daily = series(store)
    assert daily["date"].unique().tolist() == pd.date_range(FIRST, LAST).tolist()
    assert (hourly["time"].min(), hourly["time"].max()) == (
        pd.Timestamp("2019-01-28 01:00"),
        pd.Timestamp("2019-03-04 00:00"),
    )
    assert set(daily["adcode"]) == {NANJING, SUZHOU}


def test_repeating_the_whole_or_a_window_changes_nothing(store: Store, air: Air) -> None:
    store.ingest(values_batch(air, "all"))
    refresh_city_series(store)
    before = store.checksums()
    refresh_city_series(store)
    refresh_city_series(store, [(datetime(2019, 2, 10, 1), datetime(2019, 2, 10, 5))], since=9)
    assert store.checksums() == before


def test_a_window_rebuilds_the_days_that_its_values_can_reach(store: Store, air: Air) -> None:
    store.ingest(values_batch(air, "all"))
    refresh_city_series(store)
    hour, reach = datetime(2019, 2, 16, 12), pd.Timedelta(hours=load_quality().reach_hours)
    [(first, last)] = refresh_city_series(store, [(hour, hour)], since=9)
    assert first <= hour - reach
    assert last >= hour + reach
    assert last - first <= 2 * reach + pd.Timedelta(days=2), "and not the whole month"
    assert refresh_city_series(store, [], since=9) == []
    assert refresh_city_series(store, [(datetime(2020, 1, 1), datetime(2020, 1, 2))], since=9) == []


def test_hours_that_come_one_file_at_a_time_give_the_series_of_the_whole(
    store: Store, air: dict[Pollutant, pd.DataFrame], tmp_path: Path
) -> None:
    air[Pollutant.PM25].loc["2019-01-31 10:00":"2019-02-01 18:00", "A001"] = 44.0  # stuck across the months
    air[Pollutant.SO2].loc["2019-02-01 00:00", "B002"] = 490.0
    air[Pollutant.NO2].loc[:"2019-02-12 08:00", "E005"] = np.nan  # begins to report within the month
    bounds = [
        "2019-01-28 01:00",
        "2019-02-01 07:00",
        "2019-02-12 08:00",
        "2019-02-12 09:00",
        "2019-03-01 00:00",
    ]
    cuts = [pd.Timestamp(bound) for bound in (*bounds, "2019-03-04 01:00")]
    batches = [
        values_batch(cut(air, str(first), str(last - pd.Timedelta(hours=1))), f"{first}")
        for first, last in pairwise(cuts)
    ]
    for position in (2, 0, 4, 1, 3):  # late files too
        done = store.ingest(batches[position])
        noted = store.batches().set_index("batch_id").loc[done.batch_id]
        window = (noted["first_time"].to_pydatetime(), noted["last_time"].to_pydatetime())
        refresh_city_series(store, [window], since=done.batch_id - 1)
    assert_same(series(store), made_whole(air, tmp_path / "whole.duckdb"))
    rules = store.flags().groupby("rule").size()
    assert rules["stuck"] >= 30
    assert rules["spike"] == 1


def test_a_revised_value_replaces_flags_and_series(
    store: Store, air: dict[Pollutant, pd.DataFrame], tmp_path: Path
) -> None:
    clean = {pollutant: hourly.copy() for pollutant, hourly in air.items()}
    hour = pd.Timestamp("2019-02-05 12:00")
    clean[Pollutant.SO2].loc[hour, "A001"] = 30.0
    air[Pollutant.SO2].loc[hour, "A001"] = 490.0
    store.ingest(values_batch(air, "all"))
    refresh_city_series(store)
    assert set(store.flags()["rule"]) == {"extreme", "spike"}
    store.ingest(values_batch(cut(clean, str(hour), str(hour)), "revised"))
    refresh_city_series(store, [(hour.to_pydatetime(), hour.to_pydatetime())], since=2)
    assert store.flags().empty
    assert_same(series(store), made_whole(clean, tmp_path / "whole.duckdb"))


def test_a_forecasters_word_prevails_over_the_rules_and_survives(
    store: Store, air: dict[Pollutant, pd.DataFrame]
) -> None:
    hour = datetime(2019, 2, 5, 12)
    air[Pollutant.SO2].loc[hour, "A001"] = 490.0
    air[Pollutant.PM25].loc[hour, ["A001", "B002"]] = 40.0, 44.0
    air[Pollutant.SO2].loc[hour, "B002"] = 30.0
    store.ingest(values_batch(air, "all"))
    refresh_city_series(store)
    ruled = store.city_hourly(hour, hour).set_index(["adcode", "pollutant"])["value"]
    store.judge(Judgement("A001", "so2", hour, hour, Action.LIFT, "硫酸厂检修排放，复核属实", "王"))
    store.judge(Judgement("A001", "pm25", hour, hour, Action.SET, "仪器检修", "王"))
    refresh_city_series(store, [(hour, hour)], since=2)
    judged = store.city_hourly(hour, hour).set_index(["adcode", "pollutant"])["value"]
    assert judged[NANJING, "so2"] > ruled[NANJING, "so2"] + 100
    assert judged[NANJING, "pm25"] == air[Pollutant.PM25].loc[hour, "B002"]
    flags = store.flags(hour, hour).set_index("pollutant")
    assert set(flags.loc[["so2"], "flag"]) == {"lifted"}
    assert flags.loc["pm25", ["flag", "rule"]].tolist() == ["left_out", "forecaster"]
    refresh_city_series(store)
    again = store.city_hourly(hour, hour).set_index(["adcode", "pollutant"])["value"]
    pd.testing.assert_series_equal(again, judged)


def test_a_day_in_progress_has_hours_but_no_daily_value(store: Store, air: Air) -> None:
    store.ingest(values_batch(cut(air, "2019-01-28", "2019-03-03 22:00"), "until 22"))
    refresh_city_series(store)
    assert store.city_daily(CityDaySource.STATIONS)["date"].max() == pd.Timestamp("2019-03-02")
    assert store.city_hourly()["time"].max() == pd.Timestamp("2019-03-03 22:00")
    last = datetime(2019, 3, 3, 23)
    store.ingest(values_batch(cut(air, str(last), str(last)), "23"))
    refresh_city_series(store, [(last, last)], since=2)
    assert store.city_daily(CityDaySource.STATIONS)["date"].max() == pd.Timestamp("2019-03-03")


def test_the_hour_23_does_not_excuse_a_day_with_too_few_hours(
    store: Store, air: dict[Pollutant, pd.DataFrame]
) -> None:
    for hourly in air.values():
        hourly.loc["2019-03-03 01:00":"2019-03-03 12:00", :] = np.nan
    store.ingest(values_batch(air, "all"))
    refresh_city_series(store)
    assert store.city_daily(CityDaySource.STATIONS)["date"].max() == pd.Timestamp("2019-03-02")


def test_without_station_values_nothing_is_done(store: Store) -> None:
    assert refresh_city_series(store) == []
    assert store.city_daily(CityDaySource.STATIONS).empty
