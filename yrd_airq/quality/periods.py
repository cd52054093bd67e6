"""Periods that statistics are made for: calendar months, quarters and years, or one period as it is given."""

from __future__ import annotations

from calendar import isleap
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import pandas as pd

from yrd_airq.errors import InputError
from yrd_airq.standards.evaluation import days_between


class Step(StrEnum):
    """Length of time that one row of a statistic stands for."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    PERIOD = "period"


_FREQUENCY = {Step.MONTH: "M", Step.QUARTER: "Q", Step.YEAR: "Y"}


@dataclass(frozen=True)
class Period:
    """Days ``first`` … ``last``, both included, under one name."""

    name: str
    first: date
    last: date

    @property
    def days(self) -> pd.DatetimeIndex:
        """Every day of the period."""
        return days_between(self.first, self.last)


def periods_of(first: date, last: date, step: Step) -> tuple[Period, ...]:
    """The periods that ``first`` … ``last`` is made of; the first and the last may be cut.

    A cut month is named by its days (``2019-07-05…2019-07-31``), as it is judged by another rule than
    a whole one. Raises ``InputError`` for a step without periods or a period that ends before it begins.
    """
    days_between(first, last)
    if step is Step.PERIOD:
        return (_named(first, last, None),)
    if step not in _FREQUENCY:
        raise InputError(f"a step of one {step} has no periods; give month, quarter, year or period")
    found = []
    for whole in pd.period_range(pd.Timestamp(first), pd.Timestamp(last), freq=_FREQUENCY[step]):
        start, end = max(whole.start_time.date(), first), min(whole.end_time.date(), last)
        cut = (start, end) != (whole.start_time.date(), whole.end_time.date())
        found.append(_named(start, end, None if cut else str(whole)))
    return tuple(found)


def in_year(day: date, year: int) -> date:
    """The same day of another year; 29 February becomes the 28th where there is none."""
    if (day.month, day.day) == (2, 29) and not isleap(year):
        return date(year, 2, 28)
    return day.replace(year=year)


def in_other_year(first: date, last: date, year: int) -> tuple[date, date]:
    """The same period with its first day in ``year``.

    A period that ends with February ends with February there too, so that whole months stay whole.
    """
    begin, end = in_year(first, year), in_year(last, year + last.year - first.year)
    month_end = (pd.Timestamp(last) + pd.offsets.MonthEnd(0)).date()
    if last == month_end:
        end = (pd.Timestamp(end) + pd.offsets.MonthEnd(0)).date()
    return begin, end


def _named(first: date, last: date, name: str | None) -> Period:
    return Period(name or (f"{first}…{last}" if first != last else str(first)), first, last)
