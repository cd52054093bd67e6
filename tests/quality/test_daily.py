from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.quality.stations import NANJING, SUZHOU, frame, rough_air, station_list
from yrd_airq.clock import day_labels
from yrd_airq.errors import InputError
from yrd_airq.quality.daily import (
    CITY_DAILY_COLUMNS,
    CITY_HOURLY_COLUMNS,
    city_daily,
    city_hourly,
    station_daily,
)
from yrd_airq.standards.settings import load_standards
from yrd_airq.vocab import Pollutant, Target

DAY = date(2019, 1, 10)
PM25, O3 = Pollutant.PM25, Pollutant.O3


def _gap(hours: int, value: float) -> np.ndarray:
    """A day of ``value`` whose last ``hours`` are missing."""
    day = np.full(24, value)
    day[24 - hours :] = np.nan
    return day


def _value(table: pd.DataFrame, adcode: str = NANJING, target: str = "pm25") -> tuple[float, int] | None:
    row = table[(table["adcode"] == adcode) & (table["target"] == target)]
    return None if row.empty else (row["value"].item(), row["valid_stations"].item())


def test_a_day_runs_from_its_first_hour_to_midnight() -> None:
    # Label 00:00 of the 11th is hour 24 of the 10th; label 00:00 of the 10th belongs to the 9th.
    labels = pd.date_range("2019-01-09 01:00", "2019-01-11 00:00", freq="h")
    values = np.where(labels == pd.Timestamp("2019-01-11 00:00"), 240.0, 0.0)
    values = np.where(labels == pd.Timestamp("2019-01-10 00:00"), 24.0, values)
    daily = station_daily({PM25: pd.DataFrame({"1001A": values}, index=labels)})[Target.PM25]
    assert daily.index.tolist() == [pd.Timestamp("2019-01-09"), pd.Timestamp("2019-01-10")]
    assert daily["1001A"].tolist() == [1.0, 10.0]


def test_absent_hours_are_missing_hours() -> None:
    hourly = frame({"1001A": 30.0}, DAY)
    assert station_daily({PM25: hourly.iloc[4:]})[Target.PM25]["1001A"].tolist() == [30.0]
    assert station_daily({PM25: hourly.iloc[5:]})[Target.PM25].isna().all(axis=None)


def test_city_value_is_the_mean_of_its_valid_stations() -> None:
    stations = station_list(a=NANJING, b=NANJING, c=NANJING, d=NANJING, e=SUZHOU)
    hourly = frame({"a": 10.0, "b": 20.0, "c": _gap(4, 33.0), "d": _gap(5, 900.0), "e": 50.0}, DAY)
    table = city_daily({PM25: hourly}, stations)
    assert list(table.columns) == list(CITY_DAILY_COLUMNS)
    assert _value(table) == (21.0, 3)
    assert _value(table, SUZHOU) == (50.0, 1)
    assert table["standard"].unique().tolist() == ["HJ 633-2012"]
    assert table["source"].unique().tolist() == ["stations"]


def test_fewer_than_three_quarters_of_the_stations_make_no_value() -> None:
    stations = station_list(a=NANJING, b=NANJING, c=NANJING, d=NANJING)
    hourly = frame({"a": 10.0, "b": 20.0, "c": _gap(5, 30.0), "d": _gap(5, 40.0)}, DAY)
    assert city_daily({PM25: hourly}, stations).empty


def test_stations_silent_all_month_do_not_count_against_the_city() -> None:
    stations = station_list(a=NANJING, b=NANJING, c=NANJING, closed=NANJING, absent=NANJING)
    hourly = frame({"a": 10.0, "b": 20.0, "c": 30.0, "closed": np.nan}, DAY)
    assert _value(city_daily({PM25: hourly}, stations)) == (20.0, 3)
    # One value on another day of the month and it is reporting: 3 of 4 are still enough, …
    month = frame({"a": 10.0, "b": 20.0, "c": 30.0, "closed": np.nan}, DAY, date(2019, 1, 11))
    month.loc["2019-01-11 05:00", "closed"] = 5.0
    assert _value(city_daily({PM25: month}, stations).head(1)) == (20.0, 3)
    # … 2 of 3 are not.
    few = station_list(a=NANJING, b=NANJING, closed=NANJING)
    assert city_daily({PM25: month}, few).empty


def test_the_month_of_a_day_decides_about_reporting() -> None:
    stations = station_list(a=NANJING, b=NANJING)
    hourly = frame({"a": 10.0, "b": np.nan}, date(2019, 1, 31), date(2019, 2, 1))
    hourly.loc["2019-02-01 00:00", "b"] = 5.0  # hour 24 of 31 January
    table = city_daily({PM25: hourly}, stations)
    assert table["date"].tolist() == [pd.Timestamp("2019-02-01")]


def test_a_station_whose_values_were_all_left_out_still_counts() -> None:
    stations = station_list(a=NANJING, b=NANJING)
    received = frame({"a": 10.0, "b": 900.0}, DAY)
    accepted = received.assign(b=np.nan)
    assert city_daily({PM25: accepted}, stations, received={PM25: received}).empty
    assert _value(city_daily({PM25: accepted}, stations)) == (10.0, 1)


def test_uncounted_and_homeless_stations_are_left_out() -> None:
    stations = station_list(a=NANJING, b=NANJING, c=None)
    stations.loc[1, "counted"] = False
    hourly = frame({"a": 10.0, "b": 90.0, "c": 90.0, "unlisted": 90.0}, DAY)
    table = city_daily({PM25: hourly}, stations)
    assert _value(table) == (10.0, 1)
    assert len(table) == 1


def test_orders_of_averaging_differ_for_ozone() -> None:
    # a peaks early, b late: the mean of the two MDA8 exceeds the MDA8 of the mean.
    early = np.r_[np.full(8, 100.0), np.full(16, 20.0)]
    hourly = frame({"a": early, "b": early[::-1]}, DAY)
    stations = station_list(a=NANJING, b=NANJING)
    assert _value(city_daily({O3: hourly}, stations), target="o3_mda8") == (100.0, 2)
    rules = load_standards().hj663_2013.model_copy(update={"city_order": "hourly_mean_then_daily"})
    assert _value(city_daily({O3: hourly}, stations, rules), target="o3_mda8") == (60.0, 2)


def test_city_hours_are_means_of_the_stations_present() -> None:
    stations = station_list(a=NANJING, b=NANJING, e=SUZHOU)
    hourly = frame({"a": 10.0, "b": _gap(1, 20.0), "e": np.nan}, DAY)
    table = city_hourly({PM25: hourly}, stations)
    assert list(table.columns) == list(CITY_HOURLY_COLUMNS)
    assert table["adcode"].unique().tolist() == [NANJING]
    assert table["time"].tolist() == day_labels(DAY, DAY).tolist()
    assert table["value"].tolist() == [15.0] * 23 + [10.0]
    assert table["valid_stations"].tolist() == [2] * 23 + [1]


def test_all_targets_sorted_and_not_rounded() -> None:
    air = rough_air(date(2026, 2, 28), date(2026, 3, 1), ["a", "b", "e"])
    table = city_daily(air, station_list(a=NANJING, b=NANJING, e=SUZHOU))
    assert set(table["target"]) == {"o3_mda8", "pm25", "pm10", "no2", "so2", "co"}
    keys = table[["adcode", "date", "target"]]
    assert keys.equals(keys.sort_values(["adcode", "date", "target"], ignore_index=True))
    assert table.groupby("date")["standard"].unique().map(list).tolist() == [["HJ 633-2012"], ["HJ 633-2026"]]
    one = air[PM25][["a", "b"]].iloc[:24]
    assert _value(table.head(6))[0] == pytest.approx(one.mean().mean(), abs=1e-9)  # type: ignore[index]


def _dated(*rows: tuple[str, str | None, str | None, str | None]) -> pd.DataFrame:
    """Station list of code, adcode, first and last day of validity."""
    code, adcode, first, last = zip(*rows, strict=True)
    return pd.DataFrame(
        {
            "station_code": code,
            "adcode": adcode,
            "counted": True,
            "background": False,
            "valid_from": pd.to_datetime(pd.Series(first)),
            "valid_to": pd.to_datetime(pd.Series(last)),
        }
    )


def test_a_moved_station_counts_for_its_old_city_before_and_its_new_one_after() -> None:
    stations = _dated(
        ("a", NANJING, None, None),
        ("m", NANJING, None, "2019-01-10"),
        ("m", SUZHOU, "2019-01-11", None),
        ("e", SUZHOU, None, None),
    )
    hourly = frame({"a": 10.0, "m": 40.0, "e": 20.0}, DAY, date(2019, 1, 11))
    table = city_daily({PM25: hourly}, stations)
    assert _value(table.iloc[[0]]) == (25.0, 2)
    assert _value(table.iloc[[1]]) == (10.0, 1)
    assert _value(table.iloc[[2]], SUZHOU) == (20.0, 1)
    assert _value(table.iloc[[3]], SUZHOU) == (30.0, 2)
    # hour 24 of the 10th is labelled 00:00 of the 11th and still belongs to the old city
    hours = city_hourly({PM25: hourly}, stations).set_index(["adcode", "time"])["value"]
    assert hours[NANJING, pd.Timestamp("2019-01-11 00:00")] == 25
    assert hours[NANJING, pd.Timestamp("2019-01-11 01:00")] == 10


def test_a_closed_station_neither_counts_nor_lowers_the_share() -> None:
    open_rows = [("a", NANJING, None, None), ("b", NANJING, "2019-01-11", None)]
    hourly = frame({"a": 10.0, "b": 20.0, "c": 90.0}, DAY, date(2019, 1, 12))
    hourly.loc["2019-01-11 01:00":, "c"] = np.nan  # closed; it sent values earlier in the month
    closed = _dated(*open_rows, ("c", NANJING, None, "2019-01-10"))
    table = city_daily({PM25: hourly}, closed)
    assert table["value"].tolist() == [50.0, 15.0, 15.0]
    assert table["valid_stations"].tolist() == [2, 2, 2]
    # without the date of its closing it is a failing station: 2 of 3
    failing = _dated(*open_rows, ("c", NANJING, None, None))
    assert city_daily({PM25: hourly}, failing)["value"].tolist() == [50.0]


def test_background_sites_are_left_out_and_of_repeated_rows_the_first_is_used() -> None:
    stations = _dated(("a", NANJING, None, None), ("k", NANJING, None, None), ("a", SUZHOU, None, None))
    stations["background"] = [None, True, None]
    table = city_daily({PM25: frame({"a": 10.0, "k": 90.0}, DAY)}, stations)
    assert table[["adcode", "value"]].to_numpy().tolist() == [[NANJING, 10.0]]


@settings(deadline=None, max_examples=8)
@given(st.data())
def test_dated_membership_equals_a_list_for_each_day(data: st.DataObject) -> None:
    """Every day of a window computed with the rows that hold on it alone gives the same table."""
    first, last = DAY, date(2019, 1, 14)
    days = pd.date_range(first, last)
    codes = ["a", "b", "c", "d"]
    rows = []
    for code in codes:
        cut = data.draw(st.integers(0, len(days)))
        until = None if cut == len(days) else days[cut] - pd.Timedelta(days=1)
        rows.append((code, data.draw(st.sampled_from([NANJING, SUZHOU])), None, until))
        if cut < len(days) and data.draw(st.booleans()):
            rows.append((code, data.draw(st.sampled_from([NANJING, SUZHOU])), days[cut], None))
    stations = _dated(*rows)
    hourly = {PM25: rough_air(first, last, codes)[PM25]}
    whole = city_daily(hourly, stations)
    sent = pd.DataFrame({"station_code": codes, "pollutant": "pm25"})
    for day in days:
        holds = (stations["valid_from"].isna() | (stations["valid_from"] <= day)) & (
            stations["valid_to"].isna() | (day <= stations["valid_to"])
        )
        alone = {PM25: hourly[PM25].loc[day_labels(day.date(), day.date())]}
        plain = stations.loc[holds, ["station_code", "adcode", "counted"]]
        expected = city_daily(alone, plain, reporting=sent)
        got = whole[whole["date"] == day].reset_index(drop=True)
        pd.testing.assert_frame_equal(got, expected, check_dtype=False)


def test_a_few_days_with_the_months_reporting_equal_the_whole_month() -> None:
    first, last = date(2019, 1, 1), date(2019, 1, 31)
    air = rough_air(first, last, ["a", "b", "e", "f"])
    for hourly in air.values():
        hourly.loc["2019-01-10 03:00":, "f"] = np.nan  # f fails for the rest of the month
    stations = station_list(a=NANJING, b=NANJING, e=SUZHOU, f=SUZHOU)
    month = city_daily(air, stations)
    told = pd.DataFrame(
        [(c, p.value) for c in "abef" for p in Pollutant], columns=["station_code", "pollutant"]
    )
    few = {p: hourly.loc["2019-01-14 01:00":"2019-01-16 00:00"] for p, hourly in air.items()}
    part = city_daily(few, stations, reporting=told)
    same = month[month["date"].between("2019-01-14", "2019-01-15")].reset_index(drop=True)
    pd.testing.assert_frame_equal(part, same)
    assert SUZHOU not in set(part["adcode"])  # one of two
    assert SUZHOU in set(city_daily(few, stations)["adcode"])  # the days alone do not know of f
    with pytest.raises(InputError, match="one month at a time"):
        city_daily({PM25: frame({"a": 1.0}, date(2019, 1, 31), date(2019, 2, 1))}, stations, reporting=told)


def test_no_list_gives_empty_tables_and_no_values_an_error() -> None:
    hourly = frame({"a": 10.0}, DAY)
    nowhere = station_list(z=None)
    assert city_daily({PM25: hourly}, nowhere).empty
    assert city_hourly({PM25: hourly}, nowhere).empty
    with pytest.raises(InputError, match="no hourly values of a known pollutant"):
        city_daily({}, nowhere)
