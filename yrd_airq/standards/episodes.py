"""Episodes of a warning: merging by the cancel rule, what to do now, chances of a tier, the region."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.sparse.csgraph import connected_components

from yrd_airq.standards.tiers import Tier, TierRules, TierSettings, tiers_of_hours

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_TIERS = tuple(Tier)


@dataclass(frozen=True)
class Episode:
    """A warning from its first to its last hour (hour-ending labels).

    ``tier`` is the strictest that any of its parts reaches, and holds from the start. ``cancelled``: the
    hours after ``end`` that are known or forecast meet the cancel rule; else the warning stays in force.
    """

    tier: Tier
    start: pd.Timestamp
    end: pd.Timestamp
    cancelled: bool


class Action(StrEnum):
    """What is to be done about a city's warning now."""

    NOTHING = "nothing"
    START = "start"
    UPGRADE = "upgrade"
    KEEP = "keep"
    CANCEL = "cancel"

    @property
    def name_zh(self) -> str:
        """Word printed in briefs."""
        return {"nothing": "不启动", "start": "启动", "upgrade": "升级", "keep": "维持", "cancel": "解除"}[
            self.value
        ]


@dataclass(frozen=True)
class RegionalWarning:
    """Neighbouring cities that are in a tier at the same hours; ``first`` is the first such hour."""

    tier: Tier
    cities: tuple[int, ...]
    first: int


def find_episodes(
    index: ArrayLike, times: pd.DatetimeIndex, settings: TierSettings, rules: TierRules
) -> tuple[Episode, ...]:
    """Warnings of one city from the running index of successive hours ``times``, oldest first.

    Two parts belong together unless the hours between them that are known to be below every coloured tier are
    more than ``cancel_after_h``. Missing hours prove no improvement.
    """
    values = np.asarray(index, dtype=np.float64)
    ranks = tiers_of_hours(values, rules, int(settings.bridged_hours.value))
    joined = join_parts(ranks, np.isfinite(values), settings.cancel_after_h.value)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (joined > 0).astype(int), [0]])))
    found = []
    for first, stop in edges.reshape(-1, 2):
        clear = int(np.isfinite(values[stop:]).sum())
        done = clear > settings.cancel_after_h.value
        found.append(Episode(_TIERS[joined[first]], times[first], times[stop - 1], done))
    return tuple(found)


def join_parts(ranks: Ints, known: NDArray[np.bool_], cancel_after_h: float) -> Ints:
    """Ranks (hour,) of coloured warnings, parts joined by the cancel rule, each with its strictest tier."""
    warned = np.flatnonzero(ranks >= Tier.BLUE.rank)
    joined = np.zeros_like(ranks)
    if not warned.size:
        return joined
    clear = np.concatenate([[0], np.cumsum(known & (ranks < Tier.BLUE.rank))])
    gaps = clear[warned[1:]] - clear[warned[:-1]]
    for part in np.split(warned, np.flatnonzero(gaps > cancel_after_h) + 1):
        joined[part[0] : part[-1] + 1] = ranks[part].max()
    return joined


def decide(standing: Tier, foreseen: Tier, clear_h: float, settings: TierSettings) -> tuple[Action, Tier]:
    """What to do now, and the tier that is then in force.

    ``standing``: in force now. ``foreseen``: of the episode that goes on or is to come. ``clear_h``: hours
    from now for which the air is forecast to stay below every coloured tier. A higher tier is taken at once,
    a lower one never: a warning ends as a whole, by the cancel rule. Temporary controls follow the forecast
    freely.
    """
    if foreseen.rank > standing.rank:
        return (Action.UPGRADE if standing.coloured else Action.START), foreseen
    if not standing.coloured:
        if foreseen is Tier.NONE:
            return (Action.NOTHING if standing is Tier.NONE else Action.CANCEL), Tier.NONE
        return Action.KEEP, foreseen
    if not foreseen.coloured and clear_h > settings.cancel_after_h.value:
        return Action.CANCEL, foreseen
    return Action.KEEP, standing


def late_by_h(issue_time: datetime, start: pd.Timestamp, settings: TierSettings) -> float:
    """Hours by which a warning issued now falls short of the notice that the rules ask for in principle."""
    ahead = (start - pd.Timestamp(issue_time)) / pd.Timedelta(hours=1)
    return max(0.0, settings.notice_h.value - float(ahead))


def tier_chances(ranks: Ints) -> Mapping[Tier, Floats]:
    """Probability by city that at least a tier is reached; ``ranks`` (course, city, hour)."""
    highest = ranks.max(axis=-1)
    return {tier: (highest >= tier.rank).mean(axis=0) for tier in _TIERS[1:]}


def recommend(chances: Mapping[Tier, Floats], least: float, known: Sequence[Tier]) -> tuple[Tier, ...]:
    """Highest of the tiers ``known`` to the rules whose chance is at least ``least``, by city."""
    cities = len(next(iter(chances.values())))
    best = np.zeros(cities, dtype=np.int64)
    for tier in known:
        best = np.maximum(best, np.where(chances[tier] >= least, tier.rank, 0))
    return tuple(_TIERS[k] for k in best)


def warn_region(ranks: Ints, neighbours: NDArray[np.bool_], settings: TierSettings) -> RegionalWarning | None:
    """The highest coloured tier that enough neighbouring cities are in at once, or None.

    ``ranks``: (city, hour); ``neighbours``: (city, city), whether two cities border on each other. The cities
    are those of the largest such group at any hour.
    """
    for tier in reversed(_TIERS[Tier.BLUE.rank :]):
        best: tuple[int, ...] = ()
        first = -1
        for hour in np.flatnonzero((ranks >= tier.rank).sum(axis=0) >= settings.regional.cities.value):
            group = _largest_group(np.flatnonzero(ranks[:, hour] >= tier.rank), neighbours)
            if len(group) < settings.regional.cities.value:
                continue
            first = int(hour) if first < 0 else first
            best = group if len(group) > len(best) else best
        if best:
            return RegionalWarning(tier, best, first)
    return None


def _largest_group(cities: Ints, neighbours: NDArray[np.bool_]) -> tuple[int, ...]:
    _, label = connected_components(neighbours[np.ix_(cities, cities)], directed=False)
    return tuple(cities[label == np.bincount(label).argmax()].tolist())
