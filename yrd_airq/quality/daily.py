"""Daily statistics of stations and their means over a city, from accepted hourly values.

Frames are dense and wide: hours (hour-ending labels) or days in the index, station codes or adcodes in
the columns. A city's value is the mean over its ``counted`` stations; which of the two orders of
averaging is used, and the share of stations that must be valid, are rules of HJ 663 in the settings.

The share is taken of the *reporting* stations: those that sent at least one value of the pollutant in
the calendar month. A station that is in the list but closed, or has no such instrument, must not
silence its city; one that fails for some days counts against it. A station counts for a city only on
the days that the list gives for it (``quality.membership``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.clock import day_labels, day_of_label
from yrd_airq.errors import InputError
from yrd_airq.quality.membership import Membership, membership
from yrd_airq.standards.settings import EvaluationRules, load_standards
from yrd_airq.standards.statistics import HOURS_OF_DAY, daily_mean, denoise, mda8
from yrd_airq.standards.versions import standards_of
from yrd_airq.vocab import CityDaySource, Pollutant, Target

DAILY_TARGETS = (Target.O3_MDA8, Target.PM25, Target.PM10, Target.NO2, Target.SO2, Target.CO)
CITY_DAILY_COLUMNS = ("adcode", "date", "target", "value", "valid_stations", "standard", "source")
CITY_HOURLY_COLUMNS = ("adcode", "time", "pollutant", "value", "valid_stations")


def station_daily(
    hourly: Mapping[Pollutant, pd.DataFrame], rules: EvaluationRules | None = None
) -> dict[Target, pd.DataFrame]:
    """Daily statistics (day, station) of every natural day that the hours touch, NaN where invalid.

    Ozone gives its largest 8-h mean, the others their daily mean (GB 3095-2026 §3.9–3.10, table 4).
    Values are not rounded, so that a mean of them is rounded only once.
    """
    rules = rules or load_standards().hj663_2013
    result = {}
    for target in DAILY_TARGETS:
        frame = hourly.get(target.info.pollutant)
        if frame is None:
            continue
        days, cube = _by_day(frame)
        values = mda8(cube, rules) if target.info.statistic == "mda8" else daily_mean(cube)
        result[target] = pd.DataFrame(values, index=days, columns=frame.columns)
    return result


def city_daily(
    hourly: Mapping[Pollutant, pd.DataFrame],
    stations: pd.DataFrame,
    rules: EvaluationRules | None = None,
    received: Mapping[Pollutant, pd.DataFrame] | None = None,
    reporting: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """City-day values in the columns ``CITY_DAILY_COLUMNS``, sorted; city-days that are not valid are absent.

    ``hourly`` holds the accepted values, ``received`` all values as received (default: the same), which
    decide whether a station was reporting. For a few days of a month give ``reporting`` instead: one row
    (station_code, pollutant) for each that sent any value in the month. ``valid_stations`` counts the
    stations behind a value. Raises ``InputError`` for hours of several months with one ``reporting``.
    """
    rules = rules or load_standards().hj663_2013
    members = membership(stations)
    received = received or hourly
    made = {}
    for target, daily in station_daily(hourly, rules).items():
        days, pollutant = pd.DatetimeIndex(daily.index), target.info.pollutant
        total, valid = members.sum_over(daily, days)
        if rules.city_order == "station_daily_then_mean":
            value = total / np.maximum(valid, 1)
        else:
            value = _daily_of_city_hours(hourly, target, members, rules)
        if reporting is None:
            sending = _sending(received[pollutant], days)
        else:
            sending = _told_sending(reporting, pollutant, days)
        # an epsilon, as 0.75 × 4 need not be exactly 3
        asked = rules.station_share.value * members.sum_over(sending, days)[0] - 1e-9
        made[target.value] = np.where((valid > 0) & (valid >= asked), denoise(value), np.nan), valid
    result = _long(made, pd.date_range(*days_of(_hours(hourly)), freq="D"), members.adcodes, "date", "target")
    result["standard"] = [str(name) for name in standards_of(pd.DatetimeIndex(result["date"]))]
    result["source"] = CityDaySource.STATIONS.value
    return result[list(CITY_DAILY_COLUMNS)]


def city_hourly(hourly: Mapping[Pollutant, pd.DataFrame], stations: pd.DataFrame) -> pd.DataFrame:
    """City-hour values, the mean of the valid stations, in the columns ``CITY_HOURLY_COLUMNS``, sorted."""
    members = membership(stations)
    made = {Pollutant(name).value: _hourly_means(frame, members) for name, frame in hourly.items()}
    return _long(made, _hours(hourly), members.adcodes, "time", "pollutant")[list(CITY_HOURLY_COLUMNS)]


def days_of(labels: pd.DatetimeIndex) -> tuple[date, date]:
    """First and last natural day that the hour-ending ``labels`` touch."""
    days = day_of_label(labels[[0, -1]])
    return days[0].date(), days[1].date()


def _by_day(frame: pd.DataFrame) -> tuple[pd.DatetimeIndex, NDArray[np.float64]]:
    """Days touched by the frame and its values as (day, column, 24 hours)."""
    first, last = days_of(pd.DatetimeIndex(frame.index))
    labels = day_labels(first, last)
    values = frame.reindex(labels).to_numpy(dtype=np.float64)
    days = pd.date_range(first, last, freq="D")
    return days, values.reshape(len(days), HOURS_OF_DAY, frame.shape[1]).transpose(0, 2, 1)


def _hourly_means(
    frame: pd.DataFrame, members: Membership
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    days = day_of_label(pd.DatetimeIndex(frame.index))
    total, valid = members.sum_over(frame, days)
    return np.where(valid > 0, denoise(total / np.maximum(valid, 1)), np.nan), valid


def _daily_of_city_hours(
    hourly: Mapping[Pollutant, pd.DataFrame], target: Target, members: Membership, rules: EvaluationRules
) -> NDArray[np.float64]:
    """Daily statistic of the city's hourly means (the other order of averaging)."""
    frame = hourly[target.info.pollutant]
    means, _ = _hourly_means(frame, members)
    city = pd.DataFrame(means, index=frame.index, columns=list(members.adcodes))
    return station_daily({target.info.pollutant: city}, rules)[target].to_numpy()


def _sending(frame: pd.DataFrame, days: pd.DatetimeIndex) -> pd.DataFrame:
    """1 for each station that sent a value in the month of the day, shape (day, station)."""
    month_of_label = day_of_label(pd.DatetimeIndex(frame.index)).to_period("M")
    monthly = frame.notna().groupby(month_of_label).any().astype(float)
    return monthly.reindex(days.to_period("M")).set_axis(days)


def _told_sending(reporting: pd.DataFrame, pollutant: Pollutant, days: pd.DatetimeIndex) -> pd.DataFrame:
    """The same from the stations named as reporting in the month."""
    months = days.to_period("M").unique()
    if len(months) > 1:
        raise InputError(
            f"who reported is told for one month, but the hours touch {months[0]} … {months[-1]}; "
            "give the days of one month at a time"
        )
    codes = reporting.loc[reporting["pollutant"] == pollutant.value, "station_code"].astype(str).unique()
    return pd.DataFrame(1.0, index=days, columns=sorted(codes))


def _hours(hourly: Mapping[Pollutant, pd.DataFrame]) -> pd.DatetimeIndex:
    if not hourly:
        raise InputError(f"no hourly values of a known pollutant were given; known: {', '.join(Pollutant)}")
    return pd.DatetimeIndex(next(iter(hourly.values())).index)


def _long(
    made: Mapping[str, tuple[NDArray[np.float64], NDArray[np.float64]]],
    rows: pd.Index,
    adcodes: tuple[str, ...],
    time_column: str,
    item_column: str,
) -> pd.DataFrame:
    """Values and counts (row, city) of each item as one long table by city, row and item, without blanks."""
    items = sorted(made)
    value, valid = (np.stack([made[item][k].T for item in items], axis=2) for k in (0, 1))
    city, row, item = np.nonzero(np.isfinite(value))
    return pd.DataFrame(
        {
            "adcode": pd.Index(adcodes, dtype="str").take(city),
            time_column: rows[row],
            item_column: pd.Index(items, dtype="str").take(item),
            "value": value[city, row, item],
            "valid_stations": valid[city, row, item].astype(np.int64),
        }
    )
