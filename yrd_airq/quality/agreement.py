"""A release beside its own hourly values: where the two agree, and by what cause they do not.

Every released item (24-h means, 8-h means, the hourly AQI) is recomputed from the hourly values by the
named convention of ``standards.release``. Where hours are missing, the cause is looked for in the
archive: the whole hour, the station, or the one instrument.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.clock import day_labels, hours_of_day
from yrd_airq.quality.agreement_report import TALLY_COLUMNS, AgreementReport, At, Cause, Outcome
from yrd_airq.standards.release import (
    AQI,
    RELEASED_ITEMS,
    released_aqi,
    released_value,
    window_hours,
)
from yrd_airq.standards.rounding import round_half_even
from yrd_airq.standards.statistics import HOURS_OF_DAY, MIN_HOURS_OF_DAY, mda8
from yrd_airq.vocab import Pollutant

_Array = NDArray[np.float64]
_Mask = NDArray[np.bool_]
RELEASE_ITEMS: Final = (*Pollutant, AQI, *RELEASED_ITEMS)
"""Everything that is read for the comparison, by its name in the store."""
MARGIN_DAYS: Final = 1
"""Days before and after the compared ones whose hours are needed."""
_REACH_HOURS: Final = 2 * 24 * MARGIN_DAYS + 1
# An hour that is not in the archive may lie somewhat outside what the station measured around it.
_STRETCH: Final = 1.5


_CAUSES, _OUTCOMES = tuple(Cause), tuple(Outcome)
_TALLY_TYPES: Final = dict.fromkeys(TALLY_COLUMNS, "str") | {"short": "bool", "n": "int64"}


def compare_release(received: Mapping[str, pd.DataFrame], first: date, last: date) -> AgreementReport:
    """Compare the released items of the days ``first`` … ``last`` with those recomputed.

    ``received``: item name of the store → frame of values as received (hour-ending labels down, stations
    across); hourly pollutants and released items, those of ``RELEASE_ITEMS`` that there are. Hours that
    are not in the index are missing. Give ``MARGIN_DAYS`` more days on both sides.
    """
    margin = pd.Timedelta(days=MARGIN_DAYS)
    labels = day_labels((pd.Timestamp(first) - margin).date(), (pd.Timestamp(last) + margin).date())
    codes = sorted({str(code) for frame in received.values() for code in frame.columns})
    arrays = {
        name: frame.reindex(index=labels, columns=codes).to_numpy(dtype=np.float64)
        for name, frame in received.items()
    }
    scene = _Scene.of(arrays, labels, first, last)
    items = [name for name, item in RELEASED_ITEMS.items() if {name, str(item.pollutant)} <= set(arrays)]
    tallies = [scene.compare_item(name) for name in items]
    if {AQI, *map(str, Pollutant)} <= set(arrays):
        tallies.append(scene.compare_aqi())
    tally = pd.concat([_no_tally(), *tallies], ignore_index=True).astype(_TALLY_TYPES)
    return AgreementReport(first, last, tally)


@dataclass(frozen=True)
class _Scene:
    """What was received, as arrays (hour, station), and what of it is missing by which cause."""

    values: Mapping[str, _Array]
    hours: NDArray[np.int64]
    wanted: _Mask
    absent: _Mask
    silent: _Mask

    @classmethod
    def of(cls, values: Mapping[str, _Array], labels: pd.DatetimeIndex, first: date, last: date) -> _Scene:
        hourly = [values[str(p)] for p in Pollutant if str(p) in values]
        sends = np.logical_or.reduce([np.isfinite(v) for v in hourly])
        anything = np.logical_or.reduce([np.isfinite(v).any(axis=1) for v in values.values()])
        within = (labels > pd.Timestamp(first)) & (labels <= pd.Timestamp(last) + pd.Timedelta(days=1))
        absent = np.broadcast_to(~anything[:, None], sends.shape)
        hours = np.asarray(hours_of_day(labels), dtype=np.int64)
        return cls(values, hours, np.asarray(within), absent, ~sends & ~absent)

    def compare_item(self, name: str) -> pd.DataFrame:
        """Tally of one running item."""
        item = RELEASED_ITEMS[name]
        hourly, theirs = self.values[str(item.pollutant)], self.values[name]
        lacking = np.isnan(hourly)
        own = released_value(name, hourly, self.hours)
        ours = np.asarray(round_half_even(own, item.digits))
        gap = window_hours(name, lacking, self.hours)
        absent = window_hours(name, lacking & self.absent, self.hours)
        silent = window_hours(name, lacking & self.silent, self.hours)
        cause = _cause(absent, silent, gap)
        low, high = (
            np.asarray(round_half_even(released_value(name, filled, self.hours), item.digits))
            for filled in _filled(hourly)
        )
        with np.errstate(invalid="ignore"):
            possible = (theirs >= low - 1e-9) & (theirs <= high + 1e-9)
        near = np.isclose(theirs, ours, rtol=0, atol=1.01 * 10.0**-item.digits)
        tie = _is_tie(own, item.digits) & near & (not item.half_even)
        outcome = self._outcome(theirs, ours, tie, gap == 0, possible)
        short = self._short(name, hourly)
        return self._tally(name, cause, outcome, short, np.isfinite(theirs) | np.isfinite(own))

    def compare_aqi(self) -> pd.DataFrame:
        """Tally of the hourly AQI; its window is the one hour."""
        given = {p: self.values[str(p)] for p in Pollutant}
        ours, theirs = released_aqi(given), self.values[AQI]
        gap = np.sum([np.isnan(v) for v in given.values()], axis=0).astype(np.float64)
        cause = _cause(gap * self.absent, gap * self.silent, gap)
        with np.errstate(invalid="ignore"):
            possible = (theirs >= ours) | (np.isnan(ours) & np.isfinite(theirs))
        none = np.zeros(ours.shape, dtype=bool)
        outcome = self._outcome(theirs, ours, none, gap == 0, possible)
        return self._tally(AQI, cause, outcome, none, np.isfinite(theirs) | np.isfinite(ours))

    def _outcome(
        self, theirs: _Array, ours: _Array, tie: _Mask, complete: _Mask, possible: _Mask
    ) -> NDArray[np.int64]:
        """Position in ``Outcome`` of each comparison; the first that fits."""
        absent = np.isnan(theirs)
        fits = {
            Outcome.NOT_ARCHIVED: absent & self.absent,
            Outcome.NOT_RELEASED: absent,
            Outcome.EQUAL: np.isclose(theirs, ours, rtol=0, atol=1e-9),
            Outcome.TIE: tie,
            Outcome.REVISED: complete,
            Outcome.OTHER_HOURS: possible,
        }
        codes = [_OUTCOMES.index(outcome) for outcome in fits]
        return np.select(list(fits.values()), codes, default=_OUTCOMES.index(Outcome.UNEXPLAINED))

    def _short(self, name: str, hourly: _Array) -> _Mask:
        """Hours 24 of station-days that the text of the standard leaves without a daily value."""
        days = hourly.reshape(-1, HOURS_OF_DAY, hourly.shape[1])
        if name == "o3_8h_24h":
            few = np.isnan(mda8(days.transpose(0, 2, 1)))
        else:
            few = np.isfinite(days).sum(axis=1) < MIN_HOURS_OF_DAY
        short = np.zeros(hourly.shape, dtype=bool)
        short[HOURS_OF_DAY - 1 :: HOURS_OF_DAY] = few
        return short

    def _tally(
        self,
        name: str,
        cause: NDArray[np.int64],
        outcome: NDArray[np.int64],
        short: _Mask,
        counts: _Mask,
    ) -> pd.DataFrame:
        """Counts by cause, outcome and shortness, over the wanted hours and over the wanted midnights.

        The AQI and the 8-h mean stand for no natural day at midnight.
        """
        code = (cause * len(_OUTCOMES) + outcome) * 2 + short
        tables = []
        for at in (At.HOUR,) if name in (AQI, "o3_8h") else At:
            rows = self.wanted & (self.hours == HOURS_OF_DAY) if at is At.DAY else self.wanted
            used, n = np.unique(code[rows][counts[rows]], return_counts=True)
            part = pd.DataFrame({"item": name, "at": at.value, "short": used % 2 == 1, "n": n})
            part["cause"] = [_CAUSES[k].value for k in used // 2 // len(_OUTCOMES)]
            part["outcome"] = [_OUTCOMES[k].value for k in used // 2 % len(_OUTCOMES)]
            tables.append(part[list(TALLY_COLUMNS)])
        return pd.concat(tables, ignore_index=True)


def _cause(absent: _Array, silent: _Array, gap: _Array) -> NDArray[np.int64]:
    """Position in ``Cause``, from the missing hours of a window by kind and in all."""
    order = {
        Cause.COMPLETE: gap == 0,
        Cause.ARCHIVE: absent == gap,
        Cause.SILENT: silent == gap,
        Cause.BLANK: absent + silent == 0,
    }
    codes = [_CAUSES.index(cause) for cause in order]
    return np.select(list(order.values()), codes, default=_CAUSES.index(Cause.SEVERAL))


def _filled(hourly: _Array) -> tuple[_Array, _Array]:
    """Hourly values whose gaps hold the lowest, and the highest, value that is plausible for the station.

    That is the lowest within a day before and after divided by 1.5, and the highest times 1.5. What a
    publisher can have made of hours that are not here lies between the statistics of the two.
    """
    frame = pd.DataFrame(hourly)
    around = frame.rolling(_REACH_HOURS, center=True, min_periods=1)
    low, high = around.min() / _STRETCH, around.max() * _STRETCH
    return frame.fillna(low).to_numpy(), frame.fillna(high).to_numpy()


def _is_tie(values: _Array, digits: int) -> _Mask:
    scaled = values * 10.0**digits
    return np.isclose(scaled - np.floor(scaled), 0.5, rtol=0, atol=1e-6)


def _no_tally() -> pd.DataFrame:
    return pd.DataFrame({name: [] for name in TALLY_COLUMNS}).astype(_TALLY_TYPES)
