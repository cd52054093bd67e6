"""The words of hourly quality control: rules, flags, and how struck values become a table with reasons.

A rule hands over where it struck and how to say it; the sentences are built for struck values only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.vocab import Pollutant

FLAG_COLUMNS = ("station_code", "time", "pollutant", "flag", "rule", "reason")
UNITS = {p: "mg/m³" if p is Pollutant.CO else "µg/m³" for p in Pollutant}

Mask = NDArray[np.bool_]
Cells = tuple[NDArray[np.intp], NDArray[np.intp]]
"""Hour and station of struck values."""
Words = NDArray[np.str_]


class Flag(StrEnum):
    """What a flag does to the value; nothing is ever deleted.

    ``left_out``: not used in means. ``doubtful`` (存疑): used, but shown to the forecaster. ``lifted``: a
    rule struck and a forecaster lifted it; used.
    """

    LEFT_OUT = "left_out"
    DOUBTFUL = "doubtful"
    LIFTED = "lifted"


LEFT_OUT = Flag.LEFT_OUT.value


class Rule(StrEnum):
    """Why a value is flagged."""

    NOT_POSITIVE = "not_positive"
    ABOVE_MAXIMUM = "above_maximum"
    EXTREME = "extreme"
    SPIKE = "spike"
    RESTART = "restart"
    STUCK = "stuck"
    PM_INVERTED = "pm_inverted"
    PM_SWAPPED = "pm_swapped"
    NO2_O3_SWAPPED = "no2_o3_swapped"
    CO_UNIT = "co_unit"
    O3_UNIT = "o3_unit"
    ISOLATED = "isolated"
    DETECTION_LIMIT = "detection_limit"
    FORECASTER = "forecaster"


@dataclass(frozen=True)
class Checked:
    """``accepted``: the frames with left-out values missing; ``flags``: one row a value and rule, sorted."""

    accepted: Mapping[Pollutant, pd.DataFrame]
    flags: pd.DataFrame


@dataclass(frozen=True)
class Strike:
    """One rule's hits on one pollutant: ``mask`` (hour, station), and the sentence for given cells of it."""

    pollutant: Pollutant
    rule: Rule
    flag: Flag
    mask: Mask
    describe: Callable[[Cells], Words]


def flag_table(strikes: Sequence[Strike], hours: pd.DatetimeIndex, codes: pd.Index) -> pd.DataFrame:
    """The strikes as rows in the columns ``FLAG_COLUMNS``, in order of station, hour, pollutant and rule."""
    if not strikes:
        return no_flags()
    cells = [_cells(strike.mask) for strike in strikes]
    counts = [len(cell[0]) for cell in cells]
    hour, station = (np.concatenate([cell[axis] for cell in cells]) for axis in (0, 1))
    texts = {
        name: np.repeat(np.array([getattr(strike, name).value for strike in strikes]), counts)
        for name in ("pollutant", "flag", "rule")
    }
    names = codes.to_numpy().astype(str)
    order = np.lexsort((texts["rule"], texts["pollutant"], hour, names[station]))
    reason = np.concatenate([strike.describe(cell) for strike, cell in zip(strikes, cells, strict=True)])
    columns = {"station_code": names[station], **texts, "reason": reason}
    table = pd.DataFrame({name: column[order] for name, column in columns.items()})
    table["time"] = hours[hour[order]]
    return table[list(FLAG_COLUMNS)]


def _cells(mask: Mask) -> Cells:
    hour, station = np.nonzero(mask)
    return hour, station


def no_flags() -> pd.DataFrame:
    """A flag table without rows."""
    return pd.DataFrame({name: pd.Series(dtype="str") for name in FLAG_COLUMNS}).astype(
        {"time": "datetime64[us]"}
    )


def sentence(*pieces: str | Words) -> Words:
    """Fixed texts and arrays of texts side by side, one sentence for each element."""
    joined: Words = np.asarray(pieces[0], dtype=np.str_)
    for piece in pieces[1:]:
        joined = np.strings.add(joined, np.asarray(piece, dtype=np.str_))
    return joined


def amount(values: NDArray[np.floating], pollutant: Pollutant) -> Words:
    """Concentrations as printed: CO with two decimals at most, others whole, with their unit."""
    return sentence(number(values, 2 if pollutant is Pollutant.CO else 0), f" {UNITS[pollutant]}")


def number(values: NDArray[np.floating] | NDArray[np.integer], digits: int) -> Words:
    """Numbers as texts of at most ``digits`` decimals."""
    texts: Words = np.char.mod(f"%.{digits}f", np.asarray(values, dtype=np.float64))
    return np.strings.rstrip(np.strings.rstrip(texts, "0"), ".") if digits else texts
