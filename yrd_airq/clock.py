"""Beijing time, hour-ending labels, issue time and lead day: the only room that touches time zones.

Everything stored is naive Beijing time (UTC+8, no daylight saving). An hourly value labelled h:00
averages the hour before, so day D holds the labels D 01:00 … D+1 00:00.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import overload

import numpy as np
import pandas as pd

from yrd_airq.errors import InputError

BEIJING = timezone(timedelta(hours=8), "UTC+08:00")
_OFFSET = pd.Timedelta(hours=8)
_HOUR = pd.Timedelta(hours=1)


def beijing_now() -> datetime:
    """The present as naive Beijing time in whole seconds."""
    return datetime.now(BEIJING).replace(tzinfo=None, microsecond=0)


def from_utc(times: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Naive or aware UTC times as naive Beijing times."""
    naive = times.tz_convert("UTC").tz_localize(None) if times.tz is not None else times
    return naive + _OFFSET


@overload
def day_of_label(labels: pd.Timestamp) -> pd.Timestamp: ...
@overload
def day_of_label(labels: pd.DatetimeIndex) -> pd.DatetimeIndex: ...
def day_of_label(labels: pd.Timestamp | pd.DatetimeIndex) -> pd.Timestamp | pd.DatetimeIndex:
    """Natural day (midnight stamp) that an hour-ending label belongs to; label 00:00 is the day before."""
    if isinstance(labels, pd.DatetimeIndex):
        return (labels - _HOUR).normalize()
    return (labels - _HOUR).normalize()


def last_complete_day(issue_time: datetime) -> date:
    """The last natural day all of whose hours have ended at ``issue_time``."""
    return (pd.Timestamp(issue_time) - pd.Timedelta(days=1)).date()


def valid_date(issue_time: datetime, lead_day: int) -> date:
    """Date forecast at lead day ``lead_day``; D+1 is 1."""
    return issue_time.date() + timedelta(days=lead_day)


def lead_day(issue_time: datetime, day: date) -> int:
    """Lead day of ``day``; the issue date itself is 0, past days are negative."""
    return (day - issue_time.date()).days


def day_labels(first: date, last: date) -> pd.DatetimeIndex:
    """All hour-ending labels of the natural days ``first`` … ``last``, both included."""
    return pd.date_range(pd.Timestamp(first) + _HOUR, pd.Timestamp(last) + pd.Timedelta(days=1), freq="h")


def hours_of_day(labels: pd.DatetimeIndex) -> np.ndarray:
    """Hour 1 … 24 of each hour-ending label in its natural day."""
    hour = np.asarray(labels.hour)
    return np.where(hour == 0, 24, hour)


def parse_issue_time(text: str) -> datetime:
    """An issue time such as ``2016-09-01T16:00`` as naive Beijing time.

    A zone given in the text is converted. Raises ``InputError`` for anything that is not a time.
    """
    try:
        stamp = pd.Timestamp(text)
    except (ValueError, TypeError) as exc:
        raise InputError(f"issue time {text!r} is not a time; write it like 2016-09-01T16:00") from exc
    if stamp is pd.NaT:
        raise InputError(f"issue time {text!r} is not a time; write it like 2016-09-01T16:00")
    if stamp.tzinfo is not None:
        stamp = stamp.tz_convert(BEIJING).tz_localize(None)
    return stamp.to_pydatetime()
