"""Which warning tier each city is heading for: chances over the courses, what to do now, and the region."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from yrd_airq.forecast.tier_courses import TierCourses
from yrd_airq.region import Region
from yrd_airq.standards.episodes import (
    Action,
    decide,
    find_episodes,
    late_by_h,
    recommend,
    tier_chances,
    warn_region,
)
from yrd_airq.standards.tiers import Tier, TierRules, TierSettings, tiers_of_hours

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_BORDER_DEG = 0.02
_TIERS = tuple(Tier)


@dataclass(frozen=True)
class CityOutlook:
    """What a city is heading for.

    ``chances``: probability that at least a tier is reached. ``foreseen``: the highest tier that is likely
    enough; ``median``: the tier of the median course. ``action`` leads from ``standing`` to ``tier``.
    ``start`` and ``end``: first and last hour of the foreseen warning in the middle of the courses that reach
    it, None without. ``late_h``: hours that the notice falls short. ``ozone``: probability of the track
    without colour. ``other_cause``: what else than particles from the region's own air makes it, e.g. 沙尘:
    then there is no tier. ``known``: whether PM2.5 is forecast at all.
    """

    adcode: str
    chances: Mapping[Tier, float]
    foreseen: Tier
    median: Tier
    standing: Tier
    action: Action
    tier: Tier
    start: pd.Timestamp | None
    end: pd.Timestamp | None
    late_h: float
    ozone: float
    other_cause: str
    known: bool


@dataclass(frozen=True)
class Foresight:
    """All cities in the region's order, and the regional warning: its tier, cities and first hour."""

    issue_time: datetime
    rules: TierRules
    hourly: bool
    cities: tuple[CityOutlook, ...]
    regional: Tier
    regional_cities: tuple[str, ...]
    regional_start: pd.Timestamp | None

    @property
    def tiers(self) -> dict[str, Tier]:
        """Tier in force or to be started, by adcode; cities without one are absent."""
        return {city.adcode: city.tier for city in self.cities if city.tier is not Tier.NONE}

    def worth_telling(self, settings: TierSettings) -> bool:
        """Whether any city has a tier, stands in one, or reaches one with a chance worth speaking of."""
        least = settings.mention_chance.value
        return any(
            city.tier is not Tier.NONE
            or city.standing is not Tier.NONE
            or city.chances[Tier.TEMPORARY] >= least
            or city.ozone >= least
            for city in self.cities
        )


def foresee(
    courses: TierCourses,
    issue_time: datetime,
    region: Region,
    settings: TierSettings,
    standing: Mapping[str, Tier] | None = None,
    other_causes: Mapping[str, str] | None = None,
) -> Foresight:
    """Judge every city by the rules of the issue date.

    ``standing``: tiers in force now by adcode. A city that is not named stands in the tier of the observed
    hours' last episode that the cancel rule has not ended. ``other_causes``: adcode → cause of episodes that
    are not due to fine particles (dust, fire); these cities get no tier but the remark.
    """
    rules = settings.rules_of(issue_time.date())
    causes = other_causes or {}
    bridged = int(settings.bridged_hours.value)
    ahead = np.zeros((*courses.pm25.shape[:2], len(courses.times) - courses.now), dtype=np.int64)
    for k, code in enumerate(courses.adcodes):  # city by city: all at once would take a gigabyte
        if code not in causes:
            ahead[:, k] = tiers_of_hours(courses.pm25[:, k], rules, bridged)[:, courses.now :]
    view = _View(courses, issue_time, settings, rules, ahead, _ozone_chance(courses, settings))
    cities = tuple(
        _judge(view, k, (standing or {}).get(code), causes.get(code, ""))
        for k, code in enumerate(courses.adcodes)
    )
    warning = warn_region(view.likely, borders(region), settings)
    return Foresight(
        issue_time=issue_time,
        rules=rules,
        hourly=courses.hourly,
        cities=cities,
        regional=warning.tier if warning else Tier.NONE,
        regional_cities=tuple(courses.adcodes[k] for k in warning.cities) if warning else (),
        regional_start=courses.times[courses.now + warning.first] if warning else None,
    )


@dataclass(frozen=True)
class _View:
    """What all cities are judged on; ``ahead``: ranks (course, city, hour from now on)."""

    courses: TierCourses
    issue_time: datetime
    settings: TierSettings
    rules: TierRules
    ahead: Ints
    ozone: Floats

    @cached_property
    def chances(self) -> Mapping[Tier, Floats]:
        """Chance by tier and city."""
        return tier_chances(self.ahead)

    @cached_property
    def foreseen(self) -> tuple[Tier, ...]:
        """Likely enough tier by city."""
        known = sorted({start.tier for start in self.rules.starts}, key=lambda tier: tier.rank)
        return recommend(self.chances, self.settings.start_chance.value, known)

    @cached_property
    def likely(self) -> Ints:
        """Highest rank that is likely enough at each hour, (city, hour)."""
        best = np.zeros(self.ahead.shape[1:], dtype=np.int64)
        for tier in Tier:
            enough = (self.ahead >= tier.rank).mean(axis=0) >= self.settings.start_chance.value
            best = np.where(enough, tier.rank, best)
        return best

    @cached_property
    def middle(self) -> Floats:
        """Median index (city, hour); NaN where no course speaks."""
        values = self.courses.pm25
        spoken = np.isfinite(values).all(axis=0)
        return np.where(spoken, np.median(np.where(spoken, values, 0.0), axis=0), np.nan)


def _judge(view: _View, city: int, standing: Tier | None, cause: str) -> CityOutlook:
    courses, settings, now = view.courses, view.settings, view.courses.now
    times = courses.times
    middle = tiers_of_hours(view.middle[city], view.rules, int(settings.bridged_hours.value))[now:]
    foreseen, stands = view.foreseen[city], standing
    if stands is None:
        stands = _standing(view.middle[city, :now], times[:now], settings, view.rules)
    coloured = np.flatnonzero(view.likely[city] >= Tier.BLUE.rank)
    known = np.isfinite(view.middle[city, now:])
    clear = int(known[: coloured[0] if coloured.size else None].sum())
    action, tier = decide(stands, foreseen, clear, settings)
    start, end = _period(view.ahead[:, city], foreseen, times[now:])
    fresh = action in (Action.START, Action.UPGRADE) and start is not None
    return CityOutlook(
        adcode=courses.adcodes[city],
        chances={name: float(chance[city]) for name, chance in view.chances.items()},
        foreseen=foreseen,
        median=Tier.NONE if cause else _TIERS[int(middle.max(initial=0))],
        standing=stands,
        action=action,
        tier=tier,
        start=start,
        end=end,
        late_h=late_by_h(view.issue_time, start, settings) if fresh and start is not None else 0.0,
        ozone=float(view.ozone[city]),
        other_cause=cause,
        known=bool(known.any()),
    )


def _standing(index: Floats, times: pd.DatetimeIndex, settings: TierSettings, rules: TierRules) -> Tier:
    """Tier of the last episode of the observed hours, unless they end it by the cancel rule."""
    episodes = find_episodes(index, times, settings, rules)
    return episodes[-1].tier if episodes and not episodes[-1].cancelled else Tier.NONE


def _period(
    ranks: Ints, tier: Tier, times: pd.DatetimeIndex
) -> tuple[pd.Timestamp | None, pd.Timestamp | None]:
    """First and last hour of the warning in the middle of the courses (course, hour) that reach ``tier``."""
    if tier is Tier.NONE:
        return None, None
    floor = Tier.BLUE.rank if tier.coloured else Tier.TEMPORARY.rank
    inside = ranks[ranks.max(axis=1) >= tier.rank] >= floor
    first = inside.argmax(axis=1)
    last = inside.shape[1] - 1 - inside[:, ::-1].argmax(axis=1)
    middle = [int(np.quantile(part, 0.5, method="inverted_cdf")) for part in (first, last)]
    return times[middle[0]], times[middle[1]]


def _ozone_chance(courses: TierCourses, settings: TierSettings) -> Floats:
    """Chance by city of an hour at which ozone is above its limit and not behind PM2.5."""
    ozone, particles = courses.ozone[:, :, courses.now :], courses.pm25[:, :, courses.now :]
    leads = (ozone > settings.ozone_above.value) & ~(particles > ozone)
    return np.asarray(leads.any(axis=2).mean(axis=0))


def borders(region: Region) -> NDArray[np.bool_]:
    """Whether two cities border on each other, (city, city); outlines are drawn apart by a few hundredths."""
    grown = [shape.buffer(_BORDER_DEG) for shape in region.polygons]
    touching = np.array([shapely.intersects(one, grown) for one in grown], dtype=bool)
    np.fill_diagonal(touching, False)
    return touching
