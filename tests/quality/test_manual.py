"""A forecaster's entries over the rules' flags."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from tests.quality.stations import frame
from yrd_airq.errors import InputError
from yrd_airq.quality.hourly import Checked, Flag, Rule, check_hourly
from yrd_airq.quality.manual import MANUAL_COLUMNS, apply_manual
from yrd_airq.vocab import Pollutant

DAY = date(2019, 1, 10)
Entry = tuple[str, str, int, int, str, str, str, int]


def _hour(hour: int) -> datetime:
    return datetime(2019, 1, 10, hour)


def _manual(*entries: Entry) -> pd.DataFrame:
    """station, pollutant, first and last hour of the day, action, reason, by whom, minute of the entry."""
    rows = [
        (code, item, _hour(first), _hour(last), action, reason, by, datetime(2019, 1, 11, 8, minute))
        for code, item, first, last, action, reason, by, minute in entries
    ]
    return pd.DataFrame(rows, columns=list(MANUAL_COLUMNS))


def _hourly() -> dict[Pollutant, pd.DataFrame]:
    values = 8.0 + np.arange(24) % 3
    spiked = values.copy()
    spiked[9] = 250.0  # label 10:00
    so2 = frame({"1001A": spiked, "1002A": values}, DAY)
    return {Pollutant.SO2: so2, Pollutant.NO2: frame({"1001A": values + 20, "1002A": values + 20}, DAY)}


def _applied(*entries: Entry) -> Checked:
    hourly = _hourly()
    return apply_manual(check_hourly(hourly), hourly, _manual(*entries))


def _rows(checked: Checked) -> list[tuple[str, int, str, str, str]]:
    flags = checked.flags
    return [
        (row.station_code, row.time.hour, row.pollutant, row.rule, row.flag)
        for row in flags.itertuples(index=False)
    ]


SPIKE = ("1001A", 10, "so2", Rule.SPIKE)


def test_no_entries_change_nothing() -> None:
    checked = check_hourly(_hourly())
    assert apply_manual(checked, _hourly(), _manual()) is checked


def test_lifting_accepts_the_value_and_keeps_the_flag_with_both_reasons() -> None:
    checked = _applied(("1001A", "so2", 9, 11, "lift", "plant fire nearby", "Wang", 0))
    assert _rows(checked) == [(*SPIKE, Flag.LIFTED)]
    assert checked.flags["reason"].tolist() == [
        "250 µg/m³, at most 10 µg/m³ within 3 h around; lifted by Wang: plant fire nearby"
    ]
    pd.testing.assert_frame_equal(checked.accepted[Pollutant.SO2], _hourly()[Pollutant.SO2])


def test_setting_leaves_values_out_in_the_hours_named_both_ends_included() -> None:
    checked = _applied(("1002A", "so2", 3, 5, "set", "leak test", "Li", 0))
    assert _rows(checked) == [
        (*SPIKE, Flag.LEFT_OUT),
        *(("1002A", hour, "so2", Rule.FORECASTER, Flag.LEFT_OUT) for hour in (3, 4, 5)),
    ]
    assert checked.flags["reason"].iloc[-1] == "Li: leak test"
    missing = checked.accepted[Pollutant.SO2]["1002A"].isna()
    assert missing[missing].index.hour.tolist() == [3, 4, 5]
    assert checked.accepted[Pollutant.NO2].notna().all(axis=None)


def test_all_pollutants_at_once() -> None:
    checked = _applied(("1002A", "all", 7, 7, "set", "power cut", "Li", 0))
    assert [row[2] for row in _rows(checked) if row[3] == Rule.FORECASTER] == ["no2", "so2"]


def test_the_entry_made_last_prevails_whatever_the_order_of_rows() -> None:
    lift: Entry = ("1001A", "so2", 10, 10, "lift", "real", "Wang", 5)
    set_: Entry = ("1001A", "all", 10, 10, "set", "not real", "Li", 30)
    later_set = _applied(set_, lift)
    assert (*SPIKE, Flag.LEFT_OUT) in _rows(later_set)
    assert ("1001A", 10, "so2", Rule.FORECASTER, Flag.LEFT_OUT) in _rows(later_set)
    assert np.isnan(later_set.accepted[Pollutant.SO2].loc[_hour(10), "1001A"])
    later_lift = _applied((*set_[:7], 1), lift)
    assert (*SPIKE, Flag.LIFTED) in _rows(later_lift)
    assert later_lift.accepted[Pollutant.SO2].loc[_hour(10), "1001A"] == 250.0
    assert np.isnan(later_lift.accepted[Pollutant.NO2].loc[_hour(10), "1001A"])


def test_entries_on_other_stations_hours_and_missing_values_are_ignored() -> None:
    hourly = _hourly()
    hourly[Pollutant.NO2].loc[_hour(4), "1002A"] = np.nan
    entries = _manual(
        ("9999A", "so2", 1, 5, "set", "x", "Li", 0), ("1002A", "no2", 4, 4, "set", "x", "Li", 1)
    )
    before = check_hourly(hourly)
    after = apply_manual(before, hourly, entries)
    pd.testing.assert_frame_equal(after.flags, before.flags)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (
            ("1001A", "so2", 1, 2, "delete", "x", "Li", 0),
            r"Li on station 1001A: action 'delete'.*set or lift",
        ),
        (("1001A", "pm1", 1, 2, "set", "x", "Li", 0), r"pollutant 'pm1'.*all, co, no2"),
        (("1001A", "so2", 2, 1, "set", "x", "Li", 0), r"first_time '2019-01-10 02:00:00'.*after last_time"),
    ],
)
def test_entries_that_make_no_sense(entry: Entry, message: str) -> None:
    with pytest.raises(InputError, match=message):
        _applied(entry)
