"""Breakpoints of the individual air quality index (IAQI) by version, as exact whole numbers.

HJ 633-2026 table 3 and HJ 633-2012 table 1. Concentrations are µg/m³, CO mg/m³.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import nan

from yrd_airq.errors import InputError
from yrd_airq.standards.versions import Standard
from yrd_airq.vocab import Pollutant

IAQI = (0, 50, 100, 150, 200, 300, 400, 500)
MAX_INDEX = 500


class Item(StrEnum):
    """A pollutant with its averaging time, as it has a column of its own in the table.

    ``O3_8H`` is the moving 8-h mean of the 2012 real-time report and shares the column of ``O3_MDA8``.
    ``PM10_1H`` and ``PM25_1H`` exist since 2026 and are read against the daily breakpoints.
    """

    SO2_24H = "so2_24h"
    SO2_1H = "so2_1h"
    NO2_24H = "no2_24h"
    NO2_1H = "no2_1h"
    CO_24H = "co_24h"
    CO_1H = "co_1h"
    O3_MDA8 = "o3_mda8"
    O3_8H = "o3_8h"
    O3_1H = "o3_1h"
    PM10_24H = "pm10_24h"
    PM10_1H = "pm10_1h"
    PM25_24H = "pm25_24h"
    PM25_1H = "pm25_1h"

    @property
    def pollutant(self) -> Pollutant:
        """The pollutant of the item."""
        return Pollutant(self.value.partition("_")[0])


@dataclass(frozen=True)
class Column:
    """One column of the table.

    ``bounds`` are the concentrations at IAQI 0, 50, 100 …; ``digits`` the decimals a concentration is
    rounded to before it is read (HJ 633-2026 §4.2.2); ``above`` the IAQI beyond the last bound,
    missing where the standard sends the reader to another averaging time; ``clause`` the source.
    """

    bounds: tuple[int, ...]
    digits: int
    above: float
    clause: str


def column_of(item: str, standard: Standard) -> Column:
    """Column of ``item`` in the table of ``standard``.

    Raises ``InputError`` for an unknown item or one that the version does not have.
    """
    try:
        return _TABLES[standard][Item(item)]
    except (KeyError, ValueError) as exc:
        known = ", ".join(_TABLES[standard])
        raise InputError(f"{standard} has no IAQI for {item!r}; it has: {known}") from exc


def _column(*bounds: int, clause: str, digits: int = 0, above: float = MAX_INDEX) -> Column:
    return Column(bounds, digits, above, clause)


# The columns that both versions share; the index is capped at 500 (range 1–500, HJ 633-2026 §4.1.1).
def _shared(clause: str) -> dict[Item, Column]:
    return {
        Item.SO2_24H: _column(0, 50, 150, 475, 800, 1600, 2100, 2620, clause=clause),
        Item.NO2_24H: _column(0, 40, 80, 180, 280, 565, 750, 940, clause=clause),
        Item.NO2_1H: _column(0, 100, 200, 700, 1200, 2340, 3090, 3840, clause=clause),
        Item.CO_24H: _column(0, 2, 4, 14, 24, 36, 48, 60, clause=clause, digits=1),
        Item.CO_1H: _column(0, 5, 10, 35, 60, 90, 120, 150, clause=clause, digits=1),
        Item.O3_1H: _column(0, 160, 200, 300, 400, 800, 1000, 1200, clause=clause),
    }


def _table_2012() -> dict[Item, Column]:
    clause = "HJ 633-2012 table 1"
    # Notes to table 1: SO2 1 h above 800 takes the IAQI of the 24-h mean, O3 8 h above 800 that of O3 1 h.
    o3_8h = _column(0, 100, 160, 215, 265, 800, clause=clause, above=nan)
    return _shared(clause) | {
        Item.SO2_1H: _column(0, 150, 500, 650, 800, clause=clause, above=nan),
        Item.O3_MDA8: o3_8h,
        Item.O3_8H: o3_8h,
        Item.PM10_24H: _column(0, 50, 150, 250, 350, 420, 500, 600, clause=clause),
        Item.PM25_24H: _column(0, 35, 75, 115, 150, 250, 350, 500, clause=clause),
    }


def _table_2026() -> dict[Item, Column]:
    clause = "HJ 633-2026 table 3"
    # Notes b and c to table 3: SO2 1 h above 800 counts as 200, O3 8 h above 800 as 300.
    o3_8h = _column(0, 100, 160, 215, 265, 800, clause=clause, above=300)
    pm10 = _column(0, 50, 120, 250, 350, 420, 500, 600, clause=clause)
    pm25 = _column(0, 35, 60, 115, 150, 250, 350, 500, clause=clause)
    return _shared(clause) | {
        Item.SO2_1H: _column(0, 150, 500, 650, 800, clause=clause, above=200),
        Item.O3_MDA8: o3_8h,
        Item.O3_8H: o3_8h,
        Item.PM10_24H: pm10,
        Item.PM10_1H: pm10,
        Item.PM25_24H: pm25,
        Item.PM25_1H: pm25,
    }


_TABLES = {Standard.HJ633_2012: _table_2012(), Standard.HJ633_2026: _table_2026()}
