"""Beijing time, hour-ending labels, lead days."""

from datetime import date, datetime

import pandas as pd
import pytest

from yrd_airq import clock
from yrd_airq.errors import InputError


def test_midnight_label_belongs_to_the_day_before() -> None:
    labels = pd.DatetimeIndex(
        ["2026-03-01 00:00", "2026-03-01 01:00", "2026-03-01 23:00", "2026-03-02 00:00"]
    )
    assert list(clock.day_of_label(labels).day) == [28, 1, 1, 1]
    assert list(clock.hours_of_day(labels)) == [24, 1, 23, 24]


def test_a_day_has_24_labels_from_one_to_midnight() -> None:
    labels = clock.day_labels(date(2026, 3, 1), date(2026, 3, 1))
    assert (labels[0], labels[-1], len(labels)) == (
        pd.Timestamp("2026-03-01 01:00"),
        pd.Timestamp("2026-03-02 00:00"),
        24,
    )
    assert set(clock.day_of_label(labels)) == {pd.Timestamp("2026-03-01")}


def test_utc_becomes_beijing_whether_aware_or_not() -> None:
    naive = pd.DatetimeIndex(["2026-02-28 16:00"])
    for times in (naive, naive.tz_localize("UTC"), naive.tz_localize("UTC").tz_convert("Asia/Kolkata")):
        assert clock.from_utc(times)[0] == pd.Timestamp("2026-03-01 00:00")


def test_lead_days_count_from_the_issue_date() -> None:
    issue = datetime(2016, 9, 1, 16)
    assert clock.valid_date(issue, 3) == date(2016, 9, 4)
    assert clock.lead_day(issue, date(2016, 9, 4)) == 3
    assert clock.lead_day(issue, date(2016, 8, 31)) == -1
    assert clock.last_complete_day(issue) == date(2016, 8, 31)


def test_last_complete_day_at_midnight_is_the_day_that_just_ended() -> None:
    assert clock.last_complete_day(datetime(2016, 9, 1, 0)) == date(2016, 8, 31)


@pytest.mark.parametrize("text", ["tomorrow at four", "2016-13-01", "", "NaT"])
def test_not_a_time_is_one_clear_error(text: str) -> None:
    with pytest.raises(InputError, match="is not a time"):
        clock.parse_issue_time(text)


def test_issue_time_with_a_zone_is_converted() -> None:
    assert clock.parse_issue_time("2016-09-01T08:00Z") == datetime(2016, 9, 1, 16)
