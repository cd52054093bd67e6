"""Which counted station belongs to which city, and when: openings, closings and moves of stations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_DAY = np.timedelta64(1, "D")
# Earlier and later than any day that is asked for; the list gives no date on an open side.
_OPEN_FROM, _OPEN_TO = np.datetime64("0001-01-01", "D"), np.datetime64("9999-12-30", "D")


@dataclass(frozen=True)
class Membership:
    """Rows of a station list that count: ``station`` and ``city`` are positions in ``stations``, ``adcodes``.

    A row holds from the day ``first`` to the day ``last``, both included; a station that moved to another
    city has a row for each. ``turns`` are the days at which any row begins to hold or no longer holds.
    """

    stations: tuple[str, ...]
    adcodes: tuple[str, ...]
    station: NDArray[np.int64]
    city: NDArray[np.int64]
    first: NDArray[np.datetime64]
    last: NDArray[np.datetime64]
    turns: NDArray[np.datetime64]

    def sum_over(
        self, frame: pd.DataFrame, days: pd.DatetimeIndex
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """City totals of a frame with station columns, and the number of values in each: both (row, city).

        ``days`` is the natural day of each row; a station adds to the city that it belongs to on that day.
        """
        values = frame.reindex(columns=list(self.stations)).to_numpy(dtype=np.float64)
        present = np.isfinite(values)
        values = np.where(present, values, 0.0)
        total, count = np.zeros((2, len(frame), len(self.adcodes)))
        for rows, day in self._spans(days):
            matrix = self._matrix(day)
            total[rows], count[rows] = values[rows] @ matrix, present[rows].astype(np.float64) @ matrix
        return total, count

    def _spans(self, days: pd.DatetimeIndex) -> Iterator[tuple[slice | NDArray[np.int64], np.datetime64]]:
        """Rows without a change among them, with one of their days."""
        stamps = days.to_numpy().astype("datetime64[D]")
        span = np.searchsorted(self.turns, stamps, side="right")
        if span.size and (span == span[0]).all():
            yield slice(None), stamps[0]
            return
        for number in np.unique(span):
            rows = np.flatnonzero(span == number)
            yield rows, stamps[rows[0]]

    def _matrix(self, day: np.datetime64) -> NDArray[np.float64]:
        """0 and 1, shape (station, city), on one day; of rows that overlap the one that began last counts."""
        holds = np.flatnonzero((self.first <= day) & (day <= self.last))
        of_station = np.full(len(self.stations), -1, dtype=np.int64)
        of_station[self.station[holds]] = self.city[holds]
        return (of_station[:, None] == np.arange(len(self.adcodes))[None, :]).astype(np.float64)


def membership(stations: pd.DataFrame) -> Membership:
    """Counted stations with a city, from a station list: station_code, adcode, counted, a row or more each.

    Where the list has them: background sites (``background``) are left out, and a row counts from
    ``valid_from`` to ``valid_to`` (days, both included; missing: open). Of rows of one station that
    begin on the same day the first one is used.
    """
    used = stations[stations["counted"].astype(bool) & stations["adcode"].notna()]
    if "background" in used:
        used = used[~used["background"].fillna(False).astype(bool)]
    used = used.assign(
        first=_days(used, "valid_from", _OPEN_FROM),
        last=_days(used, "valid_to", _OPEN_TO),
        station_code=used["station_code"].astype(str),
        adcode=used["adcode"].astype(str),
    )
    used = used.drop_duplicates(["station_code", "first"]).sort_values(["station_code", "first"])
    codes, adcodes = sorted(set(used["station_code"])), sorted(set(used["adcode"]))
    first = used["first"].to_numpy().astype("datetime64[D]")
    last = used["last"].to_numpy().astype("datetime64[D]")
    return Membership(
        tuple(codes),
        tuple(adcodes),
        np.searchsorted(codes, used["station_code"].to_numpy()) if codes else np.empty(0, dtype=np.int64),
        np.searchsorted(adcodes, used["adcode"].to_numpy()) if codes else np.empty(0, dtype=np.int64),
        first,
        last,
        np.unique(np.concatenate([first, last + _DAY])),
    )


def _days(stations: pd.DataFrame, column: str, missing: np.datetime64) -> NDArray[np.datetime64]:
    if column not in stations:
        return np.full(len(stations), missing).astype("datetime64[s]")
    days = pd.to_datetime(stations[column]).to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(days), missing, days).astype("datetime64[s]")
