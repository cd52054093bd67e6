"""Daily statistics of stations and their means over a city, from accepted hourly values.

Frames are dense and wide: hours (hour-ending labels) or days in the index, station codes or adcodes in
the columns. A city's value is the mean over its ``counted`` stations; which of the two orders of
averaging is used, and the share of stations that must be valid, are rules of HJ 663 in the settings.

The share is taken of the *reporting* stations: those that sent at least one value of the pollutant in
the calendar month. A station that is in the list but closed, or has no such instrument, must not
silence its city; one that fails for some days counts against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.clock import day_labels, day_of_label
from yrd_airq.errors import InputError
from yrd_airq.standards.settings import EvaluationRules, load_standards
from yrd_airq.standards.statistics import HOURS_OF_DAY, daily_mean, denoise, mda8
from yrd_airq.standards.versions import standards_of
from yrd_airq.vocab import CityDaySource, Pollutant, Target

DAILY_TARGETS = (Target.O3_MDA8, Target.PM25, Target.PM10, Target.NO2, Target.SO2, Target.CO)
CITY_DAILY_COLUMNS = ("adcode", "date", "target", "value", "valid_stations", "standard", "source")
CITY_HOURLY_COLUMNS = ("adcode", "time", "pollutant", "value", "valid_stations")


@dataclass(frozen=True)
class Membership:
    """Which counted station belongs to which city: ``matrix`` (station, city) of 0 and 1."""

    stations: tuple[str, ...]
    adcodes: tuple[str, ...]
    matrix: NDArray[np.float64]

    def sum_over(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """City totals of a frame with station columns, shape (row, city); missing values count as 0."""
        values = frame.reindex(columns=list(self.stations)).to_numpy(dtype=np.float64)
        return np.where(np.isfinite(values), values, 0.0) @ self.matrix


def membership(stations: pd.DataFrame) -> Membership:
    """Counted stations with a city, from a station list (columns station_code, adcode, counted)."""
    used = stations[stations["counted"].astype(bool) & stations["adcode"].notna()]
    used = used.drop_duplicates("station_code").sort_values("station_code")
    adcodes = tuple(sorted(used["adcode"].astype(str).unique()))
    matrix = (used["adcode"].astype(str).to_numpy()[:, None] == np.array(adcodes)[None, :]).astype(float)
    return Membership(tuple(used["station_code"].astype(str)), adcodes, matrix)


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
) -> pd.DataFrame:
    """City-day values in the columns ``CITY_DAILY_COLUMNS``, sorted; city-days that are not valid are absent.

    ``hourly`` holds the accepted values, ``received`` all values as received (default: the same), which
    decide whether a station was reporting. ``valid_stations`` counts the stations behind a value.
    """
    rules = rules or load_standards().hj663_2013
    members = membership(stations)
    received = received or hourly
    by_station = station_daily(hourly, rules)
    tables = []
    for target, daily in by_station.items():
        valid = members.sum_over(daily.notna().astype(float))
        if rules.city_order == "station_daily_then_mean":
            value = members.sum_over(daily) / np.maximum(valid, 1)
        else:
            value = _daily_of_city_hours(hourly, target, members, rules)
        reporting = _reporting(received[target.info.pollutant], pd.DatetimeIndex(daily.index), members)
        # an epsilon, as 0.75 × 4 need not be exactly 3
        enough = (valid > 0) & (valid >= rules.station_share.value * reporting - 1e-9)
        value = np.where(enough, denoise(value), np.nan)
        tables.append(_long(value, valid, daily.index, members.adcodes, ("date", "target", target.value)))
    result = _stack(tables, "date", "target")
    result["standard"] = [str(name) for name in standards_of(pd.DatetimeIndex(result["date"]))]
    result["source"] = CityDaySource.STATIONS.value
    return result[list(CITY_DAILY_COLUMNS)]


def city_hourly(hourly: Mapping[Pollutant, pd.DataFrame], stations: pd.DataFrame) -> pd.DataFrame:
    """City-hour values, the mean of the valid stations, in the columns ``CITY_HOURLY_COLUMNS``, sorted."""
    members = membership(stations)
    tables = []
    for pollutant, frame in hourly.items():
        value, valid = _hourly_means(frame, members)
        place = ("time", "pollutant", Pollutant(pollutant).value)
        tables.append(_long(value, valid, frame.index, members.adcodes, place))
    return _stack(tables, "time", "pollutant")[list(CITY_HOURLY_COLUMNS)]


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
    valid = members.sum_over(frame.notna().astype(float))
    value = denoise(members.sum_over(frame) / np.maximum(valid, 1))
    return np.where(valid > 0, value, np.nan), valid


def _daily_of_city_hours(
    hourly: Mapping[Pollutant, pd.DataFrame], target: Target, members: Membership, rules: EvaluationRules
) -> NDArray[np.float64]:
    """Daily statistic of the city's hourly means (the other order of averaging)."""
    frame = hourly[target.info.pollutant]
    means, _ = _hourly_means(frame, members)
    city = pd.DataFrame(means, index=frame.index, columns=list(members.adcodes))
    return station_daily({target.info.pollutant: city}, rules)[target].to_numpy()


def _reporting(frame: pd.DataFrame, days: pd.DatetimeIndex, members: Membership) -> NDArray[np.float64]:
    """Reporting stations of each city in the month of each day, shape (day, city)."""
    month_of_label = day_of_label(pd.DatetimeIndex(frame.index)).to_period("M")
    monthly = frame.notna().groupby(month_of_label).any().astype(float)
    counts = pd.DataFrame(members.sum_over(monthly), index=monthly.index)
    return counts.reindex(days.to_period("M")).to_numpy()


def _long(
    value: NDArray[np.float64],
    valid: NDArray[np.float64],
    rows: pd.Index,
    adcodes: tuple[str, ...],
    names: tuple[str, str, str],
) -> pd.DataFrame:
    """The finite cells of (row, city) arrays as a long table; ``names`` = time column, item column, item."""
    time_column, item_column, item = names
    row, city = np.nonzero(np.isfinite(value))
    return pd.DataFrame(
        {
            "adcode": pd.Categorical.from_codes(city, pd.Index(adcodes, dtype="str")),
            time_column: rows[row],
            item_column: item,
            "value": value[row, city],
            "valid_stations": valid[row, city].astype(np.int64),
        }
    )


def _stack(tables: list[pd.DataFrame], time_column: str, item_column: str) -> pd.DataFrame:
    if not tables:
        raise InputError(f"no hourly values of a known pollutant were given; known: {', '.join(Pollutant)}")
    stacked = pd.concat(tables, ignore_index=True)
    stacked = stacked.sort_values(["adcode", time_column, item_column], ignore_index=True)
    return stacked.astype({"adcode": "str"})
