"""Air quality index by HJ 633: individual index, daily and hourly AQI, primary pollutant.

Vectorised and exact: concentrations are rounded once by GB/T 8170 and then handled as whole numbers, so that
rounding up never meets a float like 100.00000000000001.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from yrd_airq.errors import InputError
from yrd_airq.standards.breakpoints import IAQI, Item, column_of
from yrd_airq.standards.levels import (
    LEVELS,
    Level,
    aqi_range,
    level_index,
    level_of,
    level_span_zh,
)
from yrd_airq.standards.rounding import round_half_even
from yrd_airq.standards.versions import Standard
from yrd_airq.vocab import Pollutant, Target

__all__ = [
    "LEVELS",
    "DailyAqi",
    "Level",
    "aqi_range",
    "daily_aqi",
    "hourly_aqi",
    "iaqi",
    "level_index",
    "level_of",
    "level_span_zh",
]

_INDEX: Final = np.array(IAQI, dtype=np.int64)
# Far above every breakpoint and far below where whole numbers stop being exact.
_LARGEST: Final = 1e9
_POLLUTANTS: Final = tuple(Pollutant)
_ITEM_OF_TARGET: Final = {
    Target.SO2: Item.SO2_24H,
    Target.NO2: Item.NO2_24H,
    Target.CO: Item.CO_24H,
    Target.O3_MDA8: Item.O3_MDA8,
    Target.PM10: Item.PM10_24H,
    Target.PM25: Item.PM25_24H,
}
_GASES_1H: Final = (Item.SO2_1H, Item.NO2_1H, Item.CO_1H, Item.O3_1H)
# HJ 633-2012 §5.1 (SO2 24 h only serves the note on SO2 1 h above 800) and HJ 633-2026 §5.1.
_HOURLY_ITEMS: Final = {
    Standard.HJ633_2012: (*_GASES_1H, Item.O3_8H, Item.PM10_24H, Item.PM25_24H, Item.SO2_24H),
    Standard.HJ633_2026: (*_GASES_1H, Item.PM10_1H, Item.PM25_1H),
}


@dataclass(frozen=True)
class DailyAqi:
    """An index for each element of the input arrays, all of one shape.

    ``aqi`` is NaN where it cannot or may not be stated; ``primary`` holds a tuple of the primary
    pollutants (首要污染物), empty for AQI ≤ 50 or a missing AQI; ``iaqi`` the index of each
    pollutant, NaN where missing.
    """

    aqi: NDArray[np.float64]
    primary: NDArray[np.object_]
    iaqi: Mapping[Pollutant, NDArray[np.float64]]


def iaqi(item: str, concentration: ArrayLike, standard: Standard) -> NDArray[np.float64]:
    """Individual index of ``item`` (an ``Item``), same shape as ``concentration``.

    HJ 633-2026 §4.2 and table 3, HJ 633-2012 §4.3 and table 1. The concentration (µg/m³, CO mg/m³) is
    rounded half to even to a whole number, CO to one decimal; a breakpoint belongs to the lower
    segment; the index is rounded up and capped at 500. NaN for a missing or negative concentration, and
    where a note of the 2012 table gives no index. Raises ``InputError`` for an item the version lacks.
    """
    column = column_of(item, standard)
    values = np.asarray(concentration, dtype=np.float64)
    valid = np.isfinite(values) & (values >= 0)
    scale = 10**column.digits
    rounded = round_half_even(np.where(valid, np.minimum(values, _LARGEST), 0.0), column.digits)
    ticks = np.rint(np.asarray(rounded) * scale).astype(np.int64)
    bounds = np.array(column.bounds, dtype=np.int64) * scale
    upper = np.clip(np.searchsorted(bounds, ticks, side="left"), 1, len(bounds) - 1)
    lower = upper - 1
    rise = (_INDEX[upper] - _INDEX[lower]) * (ticks - bounds[lower])
    # −(−a // b) rounds a / b up in whole numbers.
    index = _INDEX[lower] - (-rise // (bounds[upper] - bounds[lower]))
    return np.where(valid, np.where(ticks > bounds[-1], column.above, index), np.nan)


def daily_aqi(
    values: Mapping[Target, ArrayLike],
    standard: Standard,
    *,
    o3_1h_max: ArrayLike | None = None,
    publication_rule: bool = False,
    not_in_plan: Collection[Pollutant] = (),
) -> DailyAqi:
    """Daily AQI of the given daily statistics (arrays of one shape or broadcastable).

    ``o3_1h_max`` is the seventh item of HJ 633-2012 and refused under HJ 633-2026. With
    ``publication_rule`` (HJ 633-2026 §5.3) an AQI from fewer than all six pollutants is stated only
    when it exceeds 100; pollutants ``not_in_plan`` are not waited for. Where an O3 8-h mean above 800
    has no 1-h value to fall back on (2012), the AQI is NaN rather than too low.
    """
    items: dict[Item, ArrayLike] = {_daily_item(target): given for target, given in values.items()}
    if o3_1h_max is not None:
        if standard is Standard.HJ633_2026:
            raise InputError(f"{standard} has no daily item for the 1-h maximum of ozone; leave it out")
        items[Item.O3_1H] = o3_1h_max
    return _combine(items, standard, publication_rule, not_in_plan)


def hourly_aqi(
    values: Mapping[str, ArrayLike],
    standard: Standard,
    *,
    publication_rule: bool = False,
    not_in_plan: Collection[Pollutant] = (),
) -> DailyAqi:
    """Real-time AQI of the hourly items of ``standard`` (keys are ``Item`` names).

    HJ 633-2026: 1-h means of all six, particles read against the daily breakpoints. HJ 633-2012: 1-h
    gases, moving ``o3_8h`` and moving 24-h particles; ``so2_24h`` serves only where SO2 1 h exceeds 800.
    The other arguments are those of ``daily_aqi``. Raises ``InputError`` for items the report lacks.
    """
    known = _HOURLY_ITEMS[standard]
    strange = sorted(set(values) - set(known))
    if strange:
        raise InputError(
            f"the real-time report of {standard} has no item {', '.join(strange)}; it has: {', '.join(known)}"
        )
    return _combine(
        {Item(name): given for name, given in values.items()}, standard, publication_rule, not_in_plan
    )


def _daily_item(target: Target) -> Item:
    try:
        return _ITEM_OF_TARGET[target]
    except KeyError as exc:
        raise InputError(f"{target} has no daily IAQI; use one of {', '.join(_ITEM_OF_TARGET)}") from exc


def _combine(
    items: Mapping[Item, ArrayLike],
    standard: Standard,
    publication_rule: bool,
    not_in_plan: Collection[Pollutant],
) -> DailyAqi:
    """AQI and primary pollutants from the items of one report."""
    if not items:
        raise InputError("an AQI needs at least one pollutant")
    arrays = np.broadcast_arrays(*(np.asarray(given, dtype=np.float64) for given in items.values()))
    given = dict(zip(items, arrays, strict=True))
    by_pollutant, unresolved = _pollutant_iaqi(given, standard)
    shape = arrays[0].shape
    table = np.stack([by_pollutant.get(p, np.full(shape, np.nan)) for p in _POLLUTANTS])
    filled = np.where(np.isnan(table), -1.0, table)
    aqi = filled.max(axis=0)
    stated = (aqi >= 0) & ~unresolved
    if publication_rule:
        awaited = [k for k, p in enumerate(_POLLUTANTS) if p not in not_in_plan]
        stated &= np.isfinite(table[awaited]).all(axis=0) | (aqi > 100)
    primary = (filled == aqi) & stated & (aqi > 50)
    return DailyAqi(np.where(stated, aqi, np.nan), _names(primary), by_pollutant)


def _pollutant_iaqi(
    given: Mapping[Item, NDArray[np.float64]], standard: Standard
) -> tuple[dict[Pollutant, NDArray[np.float64]], NDArray[np.bool_]]:
    """Largest IAQI of each pollutant over its items, and where a measured pollutant is left without any.

    The latter happens only by the notes of the 2012 table, when the item they point to is missing.
    """
    index = {item: iaqi(item, values, standard) for item, values in given.items()}
    beyond = {i: np.isfinite(v) & (v >= 0) & np.isnan(index[i]) for i, v in given.items()}
    if Item.SO2_24H in given and Item.SO2_1H in given:
        # In the real-time report the 24-h mean only stands in for a 1-h value above 800.
        index[Item.SO2_24H] = np.where(beyond[Item.SO2_1H], index[Item.SO2_24H], np.nan)
    largest: dict[Pollutant, NDArray[np.float64]] = {}
    for item, values in index.items():
        largest[item.pollutant] = np.fmax(largest.get(item.pollutant, values), values)
    unresolved = [mask & np.isnan(largest[item.pollutant]) for item, mask in beyond.items()]
    return largest, np.logical_or.reduce(unresolved)


def _names(member: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Tuples of the pollutants whose row of ``member`` (pollutant, …) is true."""
    sets = np.empty(2 ** len(_POLLUTANTS), dtype=object)
    for code in range(len(sets)):
        sets[code] = tuple(p for k, p in enumerate(_POLLUTANTS) if code >> k & 1)
    weight = 2 ** np.arange(len(_POLLUTANTS)).reshape(-1, *([1] * (member.ndim - 1)))
    codes = np.asarray((member * weight).sum(axis=0))
    names = np.empty(codes.shape, dtype=object)
    names[...] = sets[codes]
    return names
