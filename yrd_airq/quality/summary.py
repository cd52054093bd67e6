"""Statistics of periods from judged days: one table by pollutant, one by place (HJ 663-2013)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.quality.daily import DAILY_TARGETS
from yrd_airq.quality.days import JudgedDays, judge_days
from yrd_airq.quality.periods import Period
from yrd_airq.standards.basis import Basis
from yrd_airq.standards.evaluation import annual_limit, composite_index, multiple, valid_period
from yrd_airq.standards.levels import LEVELS, level_index
from yrd_airq.standards.limits import Averaging, limit
from yrd_airq.standards.rounding import round_half_even
from yrd_airq.standards.settings import EvaluationRules
from yrd_airq.standards.statistics import denoise, percentile
from yrd_airq.standards.versions import LimitStage
from yrd_airq.vocab import Pollutant, Target

_Array = NDArray[np.float64]
_Masks = Mapping[Target, NDArray[np.bool_]]
INCLUDED: Final = "included"
EXCLUDED: Final = "excluded"
ITEM_COLUMNS: Final = (
    *("place", "period", "first", "last", "events", "target", "days", "valid_days", "valid"),
    *(
        "mean",
        "mean_limit",
        "mean_multiple",
        "percent",
        "percentile",
        "percentile_limit",
        "percentile_multiple",
    ),
    *("maximum", "above_days", "attain_ratio"),
)
# A day up to this AQI is a good day (优良天).
_GOOD: Final = 100


@dataclass(frozen=True)
class Summary:
    """Two tables, rounded by GB/T 8170, ordered by period and place.

    ``items`` (``ITEM_COLUMNS``): limits are those of class II, multiples (超标倍数) C/S − 1 of what exceeds
    them, ``attain_ratio`` per cent of the valid days. ``places``: place, period, first, last, events, days,
    aqi_days, valid, good_days, good_day_ratio (per cent), level_1 … level_6 (days), primary_* (days on
    which the pollutant is primary), composite_index, index_valid, main_pollutant (largest C/S), rank
    (1 is the cleanest; only valid indices). Figures are given where ``valid`` is false too, from the
    days that there are. ``events`` says whether exceptional events are included or excluded.
    """

    items: pd.DataFrame
    places: pd.DataFrame


def summarise(
    judged: JudgedDays,
    periods: Sequence[Period],
    basis: Basis,
    rules: EvaluationRules,
    events: str = INCLUDED,
) -> Summary:
    """Statistics of each period; the limits of a period are those of its last day."""
    excused = {target: np.zeros(judged.aqi.shape, dtype=bool) for target in DAILY_TARGETS}
    return _summarise(judged, excused, periods, basis, rules, events)


def summarise_without(
    judged: JudgedDays, struck: _Masks, periods: Sequence[Period], basis: Basis, rules: EvaluationRules
) -> Summary:
    """The same without the values that exceptional events struck (masks (day, place) by target).

    ``rules.exceptional_aqi`` says what becomes of the AQI of such a day, ``rules.exceptional_excused``
    whether it counts towards the days that a period needs.
    """
    had = {target: struck[target] & np.isfinite(judged.values[target]) for target in DAILY_TARGETS}
    # A pollutant that is taken out is not one that is missing: at 0 it leads no AQI and blocks none.
    frames = {
        target: pd.DataFrame(np.where(mask, 0.0, judged.values[target]), judged.days, list(judged.places))
        for target, mask in had.items()
    }
    clean = judge_days(frames, basis, judged.days, judged.places, rules.aqi_of_all_six)
    clean = replace(clean, values={t: np.where(mask, np.nan, judged.values[t]) for t, mask in had.items()})
    if rules.exceptional_aqi == "left_out":
        any_struck = np.logical_or.reduce(list(struck.values()))
        clean = replace(
            clean,
            aqi=np.where(any_struck, np.nan, clean.aqi),
            primary={p: mask & ~any_struck for p, mask in clean.primary.items()},
        )
    none = {target: np.zeros_like(mask) for target, mask in had.items()}
    return _summarise(clean, had if rules.exceptional_excused else none, periods, basis, rules, EXCLUDED)


def join_summaries(*summaries: Summary) -> Summary:
    """Summaries one below the other."""
    return Summary(
        pd.concat([s.items for s in summaries], ignore_index=True),
        pd.concat([s.places for s in summaries], ignore_index=True),
    )


def _summarise(
    judged: JudgedDays,
    excused: _Masks,
    periods: Sequence[Period],
    basis: Basis,
    rules: EvaluationRules,
    events: str,
) -> Summary:
    items, places = [], []
    for period in periods:
        rows = judged.days.get_indexer(period.days)
        part = _Part(judged, excused, rows, period, basis.stage_on(period.last), rules)
        by_target = {target: part.item(target) for target in DAILY_TARGETS}
        items += [part.framed(table, events, target) for target, table in by_target.items()]
        places.append(part.framed(part.place(by_target), events))
    return Summary(_rounded(pd.concat(items, ignore_index=True), rules), pd.concat(places, ignore_index=True))


@dataclass(frozen=True)
class _Part:
    """The judged days of one period."""

    judged: JudgedDays
    excused: _Masks
    rows: NDArray[np.int64]
    period: Period
    stage: LimitStage
    rules: EvaluationRules

    def item(self, target: Target) -> pd.DataFrame:
        """Figures of one target, a row a place, not rounded."""
        values = self.judged.values[target][self.rows]
        present = np.isfinite(values)
        count = present.sum(axis=0)
        percent = self.rules.percentiles[target].value
        mean = np.where(
            count > 0, denoise(np.where(present, values, 0.0).sum(axis=0) / np.maximum(count, 1)), np.nan
        )
        high = percentile(values.T, percent)
        daily = limit(target.info.pollutant, Averaging.DAY, self.stage)
        above = (self.judged.above[target][self.rows] & present).sum(axis=0)
        return pd.DataFrame(
            {
                "days": len(self.rows),
                "valid_days": count,
                "valid": self._valid(present | self.excused[target][self.rows]) & (count > 0),
                "mean": mean,
                "mean_limit": annual_limit(target, self.stage),
                "percent": percent,
                "percentile": high,
                "percentile_limit": daily,
                "maximum": np.fmax.reduce(values, axis=0),
                "above_days": above,
                "attain_ratio": np.where(count > 0, 100 * (count - above) / np.maximum(count, 1), np.nan),
            }
        )

    def place(self, items: Mapping[Target, pd.DataFrame]) -> pd.DataFrame:
        """Figures of a place over all pollutants, rounded."""
        aqi = self.judged.aqi[self.rows]
        stated = np.isfinite(aqi)
        struck = np.logical_or.reduce([mask[self.rows] for mask in self.excused.values()])
        good = (aqi <= _GOOD) & stated
        count = stated.sum(axis=0)
        ratio = np.where(count > 0, 100 * good.sum(axis=0) / np.maximum(count, 1), np.nan)
        level = level_index(aqi)
        table = {
            "days": np.full(len(self.judged.places), len(self.rows)),
            "aqi_days": count,
            "valid": self._valid(stated | struck) & (count > 0),
            "good_days": good.sum(axis=0),
            "good_day_ratio": round_half_even(denoise(ratio), int(self.rules.digits.ratio.value)),
        }
        table |= {f"level_{lv.index}": (level == lv.index).sum(axis=0) for lv in LEVELS}
        table |= {f"primary_{p}": self.judged.primary[p][self.rows].sum(axis=0) for p in Pollutant}
        return pd.DataFrame(table | self._index(items))

    def _index(self, items: Mapping[Target, pd.DataFrame]) -> dict[str, object]:
        """Composite index, whether it is valid, the leading item and the rank."""
        rules = self.rules.composite
        entering = {
            t: items[t]["percentile" if t in rules.by_percentile else "mean"].to_numpy() for t in rules.items
        }
        total, single = composite_index(entering, self.stage, rules)
        index = np.asarray(round_half_even(denoise(total), int(self.rules.digits.index.value)))
        valid = np.logical_and.reduce([items[t]["valid"].to_numpy() for t in rules.items])
        table = np.stack([np.asarray(round_half_even(denoise(s), _SINGLE_DIGITS)) for s in single.values()])
        leads = (table == table.max(axis=0)) & np.isfinite(total)
        names = np.array([t.info.pollutant.value for t in single], dtype=object)
        ranked = pd.Series(np.where(valid, index, np.nan)).rank(method="min")
        return {
            "composite_index": index,
            "index_valid": valid,
            "main_pollutant": [",".join(names[column]) for column in leads.T],
            "rank": ranked.to_numpy(),
        }

    def framed(self, table: pd.DataFrame, events: str, target: Target | None = None) -> pd.DataFrame:
        """The table with the columns that name its rows in front."""
        names: dict[str, object] = {
            "place": list(self.judged.places),
            "period": self.period.name,
            "first": pd.Timestamp(self.period.first),
            "last": pd.Timestamp(self.period.last),
            "events": events,
        }
        if target is not None:
            names["target"] = target.value
        return pd.concat([pd.DataFrame(names, index=table.index), table], axis=1)

    def _valid(self, counted: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return valid_period(counted, self.period.days, self.rules)


# Single indices are compared as they are usually printed, so that equal ones lead together.
_SINGLE_DIGITS: Final = 2


def _rounded(items: pd.DataFrame, rules: EvaluationRules) -> pd.DataFrame:
    """The items table with every figure rounded, and the multiples of the limits."""
    digits, co = rules.digits, items["target"] == Target.CO.value
    result = items.copy()
    for name in ("mean", "percentile", "maximum"):
        values = items[name].to_numpy(dtype=np.float64)
        whole = np.asarray(round_half_even(values, int(digits.concentration.value)))
        result[name] = np.where(co, round_half_even(values, int(digits.co.value)), whole)
    # a limit is compared with the rounded figure, so the multiple is of that
    for name in ("mean", "percentile"):
        over = multiple(result[name], result[f"{name}_limit"])
        result[f"{name}_multiple"] = round_half_even(denoise(over), int(digits.multiple.value))
    result["attain_ratio"] = round_half_even(denoise(items["attain_ratio"]), int(digits.ratio.value))
    return result[list(ITEM_COLUMNS)]
