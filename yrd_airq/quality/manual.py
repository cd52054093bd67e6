"""A forecaster's word on station values, laid over what the rules found.

Entries are kept apart from the rules' flags, so they hold however often the values are taken in and judged
again. Of several entries on a value the one made last prevails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.quality.flags import FLAG_COLUMNS, Cells, Checked, Flag, Rule, Words, sentence
from yrd_airq.vocab import Pollutant

MANUAL_COLUMNS = (
    "station_code",
    "pollutant",
    "first_time",
    "last_time",
    "action",
    "reason",
    "made_by",
    "made_at",
)
SET, LIFT, ALL = "set", "lift", "all"


@dataclass(frozen=True)
class _Verdicts:
    """The entry that prevails on each value of a frame, −1 without any; and the entries themselves."""

    prevailing: NDArray[np.int64]
    sets: NDArray[np.bool_]
    said: Words = field(default_factory=lambda: np.array([], dtype=np.str_))

    def where(self, action_is_set: bool) -> NDArray[np.bool_]:
        """Values on which the prevailing entry is of that action."""
        if not len(self.sets):
            return np.zeros(self.prevailing.shape, dtype=bool)
        chosen = self.sets[self.prevailing] == action_is_set
        return np.asarray((self.prevailing >= 0) & chosen)

    def text(self, cells: Cells) -> Words:
        """Who made the entry on each cell, and why."""
        return np.asarray(self.said[self.prevailing[cells]])


def apply_manual(checked: Checked, hourly: Mapping[Pollutant, pd.DataFrame], manual: pd.DataFrame) -> Checked:
    """``checked`` with a forecaster's entries applied; columns of ``manual`` are ``MANUAL_COLUMNS``.

    ``set`` leaves values out by the rule ``forecaster``; ``lift`` turns the rules' flags into ``lifted`` and
    accepts the values again. ``pollutant`` may be ``all``, hours count from ``first_time`` to ``last_time``
    inclusive. Stations and hours outside the frames are ignored. ``InputError`` names an entry that cannot be
    understood.
    """
    if manual.empty:
        return checked
    entries = _examined(manual)
    accepted = dict(checked.accepted)
    flags = checked.flags
    tables = []
    for name, frame in hourly.items():
        pollutant = Pollutant(name)
        verdicts = _judge(entries[entries["pollutant"].isin([pollutant.value, ALL])], frame)
        out, lifted = verdicts.where(True) & frame.notna().to_numpy(), verdicts.where(False)
        accepted[pollutant] = accepted[pollutant].mask(out).where(~lifted, frame)
        flags = _lift(flags, pollutant, frame, lifted, verdicts)
        tables.append(_set_rows(pollutant, frame, out, verdicts))
    table = pd.concat([flags, *tables], ignore_index=True)
    order = ["station_code", "time", "pollutant", "rule"]
    return Checked(accepted, table.sort_values(order, ignore_index=True)[list(FLAG_COLUMNS)])


def _examined(manual: pd.DataFrame) -> pd.DataFrame:
    """Entries in the order in which they were made; ``InputError`` on the first that makes no sense."""
    known = {*(p.value for p in Pollutant), ALL}
    faults = (
        (~manual["action"].isin([SET, LIFT]), "action", f"write {SET} or {LIFT}"),
        (~manual["pollutant"].isin(known), "pollutant", f"write one of {', '.join(sorted(known))}"),
        (manual["first_time"] > manual["last_time"], "first_time", "it lies after last_time; exchange them"),
    )
    for wrong, column, remedy in faults:
        if wrong.any():
            entry = manual[wrong].iloc[0]
            raise InputError(
                f"manual flag of {entry['made_by']} on station {entry['station_code']}: "
                f"{column} {str(entry[column])!r} is not usable: {remedy}"
            )
    return manual.sort_values("made_at", kind="stable", ignore_index=True)


def _judge(entries: pd.DataFrame, frame: pd.DataFrame) -> _Verdicts:
    """Lay the entries over the frame, one after the other; there are few of them."""
    prevailing = np.full(frame.shape, -1, dtype=np.int64)
    columns = frame.columns.astype(str).get_indexer(pd.Index(entries["station_code"].astype(str)))
    first = frame.index.searchsorted(pd.DatetimeIndex(entries["first_time"]), side="left")
    last = frame.index.searchsorted(pd.DatetimeIndex(entries["last_time"]), side="right")
    for number, (column, begin, end) in enumerate(zip(columns, first, last, strict=True)):
        if column >= 0:
            prevailing[begin:end, column] = number
    said = sentence(entries["made_by"].to_numpy(dtype=str), ": ", entries["reason"].to_numpy(dtype=str))
    return _Verdicts(prevailing, (entries["action"] == SET).to_numpy(dtype=bool), said)


def _lift(
    flags: pd.DataFrame,
    pollutant: Pollutant,
    frame: pd.DataFrame,
    lifted: NDArray[np.bool_],
    verdicts: _Verdicts,
) -> pd.DataFrame:
    if flags.empty or not lifted.any():
        return flags
    hour = frame.index.get_indexer(pd.DatetimeIndex(flags["time"]))
    station = frame.columns.astype(str).get_indexer(pd.Index(flags["station_code"]))
    here = (flags["pollutant"] == pollutant.value).to_numpy() & (hour >= 0) & (station >= 0)
    here[here] = lifted[hour[here], station[here]]
    if not here.any():
        return flags
    flags = flags.copy()
    flags.loc[here, "flag"] = Flag.LIFTED.value
    reason = flags.loc[here, "reason"].to_numpy(dtype=str)
    flags.loc[here, "reason"] = sentence(reason, "; lifted by ", verdicts.text((hour[here], station[here])))
    return flags


def _set_rows(
    pollutant: Pollutant, frame: pd.DataFrame, out: NDArray[np.bool_], verdicts: _Verdicts
) -> pd.DataFrame:
    hour, station = np.nonzero(out)
    return pd.DataFrame(
        {
            "station_code": frame.columns.to_numpy().astype(str)[station],
            "time": frame.index[hour],
            "pollutant": pollutant.value,
            "flag": Flag.LEFT_OUT.value,
            "rule": Rule.FORECASTER.value,
            "reason": verdicts.text((hour, station)) if len(hour) else np.array([], dtype=np.str_),
        }
    )
