"""Warning tiers of heavy pollution (预警分级): their dated start conditions, and which hours meet them.

The input is the running 24-h AQI of PM2.5 by hour: a colour is given to particle episodes only, ozone has a
track of its own without one. ``configs/tiers.yaml`` holds every number.

One meaning of "day AQI > L for at least n hours" everywhere: an uninterrupted run of at least n hours at
which the running 24-h index is above L. The index of one hour is already the index of a day, which may cross
midnight, so a condition that names no hours ("day AQI > 200") is met by one such hour: a single natural day
above 200 is found, while a run of 24 hours of running means would ask for up to two days of bad air. At daily
resolution a day stands for 24 hours (``hours_of_days``). Up to ``bridged_hours`` missing hours between two
hours above a limit count as above it; a longer gap, and missing hours at either end, end the run.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, model_validator

from yrd_airq.settings import Marked, Settings, config_dir, load

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

HOURS_OF_DAY = 24


class Tier(StrEnum):
    """Tier of a warning from none to the highest; ``TEMPORARY`` (临时管控) has no colour."""

    NONE = "none"
    TEMPORARY = "temporary"
    BLUE = "blue"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"

    @property
    def name_zh(self) -> str:
        """Name printed in briefs."""
        return _NAMES_ZH[self]

    @property
    def rank(self) -> int:
        """Place in the order of strictness, 0 for none."""
        return _ORDER.index(self)

    @property
    def coloured(self) -> bool:
        """Whether it is a warning; temporary controls are not."""
        return self.rank >= Tier.BLUE.rank


_ORDER = tuple(Tier)
_NAMES_ZH = {
    Tier.NONE: "无预警",
    Tier.TEMPORARY: "临时管控",
    Tier.BLUE: "蓝色预警",
    Tier.YELLOW: "黄色预警",
    Tier.ORANGE: "橙色预警",
    Tier.RED: "红色预警",
}


class Condition(Settings):
    """The running index stays above ``above`` for at least ``hours`` hours."""

    above: float
    hours: Annotated[int, Field(ge=1)]


class Start(Settings):
    """One way into a tier: every condition of ``all_of`` is met within one run of the first, mildest one."""

    tier: Tier
    all_of: Annotated[tuple[Condition, ...], Field(min_length=1)]
    mark: Literal["found", "derived", "recalled"]
    confidence: Literal["high", "medium", "low"] | None = None
    source: str

    @model_validator(mode="after")
    def _ordered(self) -> Start:
        limits = [condition.above for condition in self.all_of]
        if limits != sorted(limits):
            raise ValueError("'all_of' goes from the lowest limit to the highest")
        if (self.mark == "recalled") != (self.confidence is not None):
            raise ValueError("'confidence' goes with mark 'recalled', and only with it")
        return self


class TierRules(Settings):
    """The start conditions of one version of the guidance, for data from ``first_day`` on."""

    code: str
    name_zh: str
    first_day: date
    first_day_source: str
    starts: tuple[Start, ...]


class Issuer(Settings):
    """Who gives out a regional warning of a tier."""

    name_zh: str
    source: str


class RegionalRules(Settings):
    """A regional warning: at least ``cities`` neighbouring cities in a tier at the same hour."""

    cities: Marked
    issuer: dict[Tier, Issuer]


class TierSettings(Settings):
    """Shape of ``configs/tiers.yaml``.

    ``versions`` from the oldest to the newest. ``cancel_after_h``: hours below every coloured tier, known or
    forecast, that have to be exceeded before a warning is cancelled. ``notice_h``: hours that a warning goes
    out ahead in principle. ``bridged_hours``: see the module. ``start_chance``: probability from which a tier
    is recommended; ``mention_chance``: from which it is spoken of. ``ozone_above``: index of ozone from which
    the track without colour begins.
    """

    versions: Annotated[tuple[TierRules, ...], Field(min_length=1)]
    cancel_after_h: Marked
    notice_h: Marked
    bridged_hours: Marked
    start_chance: Marked
    mention_chance: Marked
    ozone_above: Marked
    regional: RegionalRules

    @model_validator(mode="after")
    def _dated(self) -> TierSettings:
        days = [version.first_day for version in self.versions]
        if days != sorted(set(days)):
            raise ValueError("'versions' go from the oldest to the newest, each with its own first day")
        return self

    def rules_of(self, day: date) -> TierRules:
        """Rules for data of ``day``; before the first version that one, so that any episode can be judged."""
        held = [version for version in self.versions if version.first_day <= day]
        return held[-1] if held else self.versions[0]


@lru_cache(maxsize=4)
def _load_tiers(folder: str) -> TierSettings:
    return load(TierSettings, "tiers")


def load_tiers() -> TierSettings:
    """The settings of ``configs/tiers.yaml``."""
    return _load_tiers(str(config_dir().resolve()))


def hours_of_days(index: ArrayLike) -> NDArray[np.float64]:
    """Daily indices (…, day) as hourly ones (…, hour): each day stands for its 24 hours."""
    return np.repeat(np.asarray(index, dtype=np.float64), HOURS_OF_DAY, axis=-1)


def tiers_of_hours(index: ArrayLike, rules: TierRules, bridged_hours: int) -> Ints:
    """Rank of the highest tier that each hour is part of, same shape as ``index`` (…, hour).

    ``index``: running 24-h AQI of PM2.5 of successive hours, NaN missing. An hour is part of a tier if it
    lies in a run that starts it. No rule about cancelling is applied here: see ``episodes``.
    """
    values = np.asarray(index, dtype=np.float64)
    ranks = np.zeros(values.shape, dtype=np.int64)
    for start in rules.starts:
        met = _meets(values, start, bridged_hours)
        ranks = np.maximum(ranks, np.where(met, start.tier.rank, 0))
    return ranks


def _meets(values: NDArray[np.float64], start: Start, bridged: int) -> Bools:
    """Hours of those runs of the mildest condition that hold long enough runs of all the others."""
    mildest, *others = start.all_of
    if not (values > mildest.above).any():  # the common case, and the runs are dear to count
        return np.zeros(values.shape, dtype=bool)
    over = over_limit(values, mildest.above, bridged)
    met = run_lengths(over) >= mildest.hours
    for condition in others:
        inner = run_lengths(over_limit(values, condition.above, bridged)) >= condition.hours
        met &= _runs_that_hold(over, inner)
    return met & over


def over_limit(values: NDArray[np.float64], limit: float, bridged: int) -> Bools:
    """Whether the index is above ``limit``; ``bridged`` missing hours at most between two such count too."""
    known = np.isfinite(values)
    over = known & (np.where(known, values, 0.0) > limit)
    hours = values.shape[-1]
    place = np.broadcast_to(np.arange(hours), values.shape)
    before = np.maximum.accumulate(np.where(known, place, -1), axis=-1)
    after = np.minimum.accumulate(np.where(known, place, hours)[..., ::-1], axis=-1)[..., ::-1]
    inside = ~known & (before >= 0) & (after < hours) & (after - before - 1 <= bridged)
    ends = [np.take_along_axis(over, np.clip(k, 0, hours - 1), axis=-1) for k in (before, after)]
    return np.asarray(over | (inside & ends[0] & ends[1]))


def run_lengths(member: Bools) -> Ints:
    """Length of the run of true values that each element lies in, along the last axis; 0 outside."""
    first, last = _run_ends(member)
    return np.where(member, last - first + 1, 0)


def _run_ends(member: Bools) -> tuple[Ints, Ints]:
    """First and last position of the run that each true element lies in."""
    place = np.broadcast_to(np.arange(member.shape[-1]), member.shape)
    first = np.maximum.accumulate(np.where(member, -1, place), axis=-1) + 1
    next_out = np.minimum.accumulate(np.where(member, member.shape[-1], place)[..., ::-1], axis=-1)
    return first, next_out[..., ::-1] - 1


def _runs_that_hold(member: Bools, inner: Bools) -> Bools:
    """Elements of runs of ``member`` in which ``inner`` is true somewhere."""
    first, last = _run_ends(member)
    count = np.concatenate(
        [np.zeros((*inner.shape[:-1], 1), dtype=np.int64), np.cumsum(inner, axis=-1)], axis=-1
    )
    top = np.take_along_axis(count, np.clip(last + 1, 0, inner.shape[-1]), axis=-1)
    return np.asarray(member & (top > np.take_along_axis(count, np.clip(first, 0, inner.shape[-1]), axis=-1)))
