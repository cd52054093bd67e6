"""Rules that set a station against its neighbours and its own habit: isolated, detection limit, ozone in ppb.

A regional episode lifts the neighbours too and strikes nothing here; a place that always differs from its
neighbours is measured by its own habit. All these flags leave the value in use: air can do such things.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from yrd_airq.quality.evidence import Evidence
from yrd_airq.quality.flags import Cells, Flag, Rule, Strike, Words, amount, sentence
from yrd_airq.quality.windows import Values, covered, mean_at, shifted, window_count, window_mean, window_sum


def find_isolated(evidence: Evidence, partner: Evidence | None = None, sign: int = 1) -> Iterator[Strike]:
    """Hours in windows whose values stand far off from the expected ones, all in one direction.

    ``partner`` is a pollutant that a real event of the place moves too, in the same direction or, with
    ``sign`` −1, in the other one: if it departs likewise, the air did it.
    """
    settings, thresholds = evidence.settings.departure, evidence.thresholds
    hours, departure = int(settings.hours.value), evidence.departure
    mean = window_mean(departure, hours, _most(hours))
    mask = np.zeros(mean.shape, dtype=bool)
    for way, factor in ((1, thresholds.isolated_above), (-1, thresholds.isolated_below)):
        bound = np.float32(np.log(factor.value))
        hour, station = np.nonzero(way * mean >= bound)
        off = mean_at(evidence.plausible - evidence.expected, hour, station, hours, _most(hours))
        same = np.where(np.isnan(departure), departure, way * departure >= bound / 2)
        steady = mean_at(same, hour, station, hours, _most(hours)) >= settings.steady.value
        struck = (way * off >= thresholds.isolated_step.value) & steady
        if partner is not None:
            beside = mean_at(partner.departure, hour, station, hours, hours // 2)
            struck &= ~(way * sign * beside >= settings.shared_by.value * way * mean[hour, station])
        ends = np.zeros(mean.shape, dtype=bool)
        ends[hour[struck], station[struck]] = True
        mask |= covered(ends, hours) & (way * departure >= np.float32(settings.hour_share.value) * bound)
    text = f" expected from the neighbours, and so for most of {hours} h"
    yield _expected_otherwise(evidence, Rule.ISOLATED, mask, text)


def find_detection_limit(evidence: Evidence) -> Iterator[Strike]:
    """Runs at the lowest readings while neighbours and habit lead to expect clearly more."""
    settings, limit = evidence.settings.detection_limit, np.float32(evidence.thresholds.limit.value)
    hours = int(settings.hours.value)
    values = evidence.plausible
    low = window_count(values <= limit, hours)
    known = window_count(~np.isnan(values), hours)
    hour, station = np.nonzero((low >= settings.share.value * known) & (known >= _most(hours)))
    expected = mean_at(evidence.expected, hour, station, hours, hours // 2)
    struck = expected >= settings.expected.value * limit
    ends = np.zeros(values.shape, dtype=bool)
    ends[hour[struck], station[struck]] = True
    mask = covered(ends, hours) & (values <= limit)
    text = f" expected from the neighbours; at the detection limit for most of {hours} h"
    yield _expected_otherwise(evidence, Rule.DETECTION_LIMIT, mask, text)


def find_ozone_in_ppb(o3: Evidence, no2: Evidence | None) -> Iterator[Strike]:
    """Ozone at about half of the expected level for two days, while it fits before and after: ppb for µg/m³.

    At 298 K 1 ppb is 1.96 µg/m³. Where NO2 is above its neighbours, fresh NO eats the ozone: the expected
    ozone is lowered by that excess, as the sum of both is kept.
    """
    settings = o3.settings.o3_unit
    hours, shoulder = int(settings.hours.value), int(settings.shoulder_hours.value)
    expected = o3.reference if no2 is None else _titrated(o3.reference, no2)
    known = ~np.isnan(o3.plausible) & ~np.isnan(expected)
    values = np.where(known, o3.plausible, np.float32(np.nan))
    expected = np.where(known, expected, np.float32(np.nan))
    level, share = _levels(values, expected, hours)
    _, around = _levels(values, expected, shoulder)
    drops = [share - shifted(around, hours), share - shifted(around, -shoulder)]
    count = sum((~np.isnan(drop)).astype(np.int8) for drop in drops)
    mean = np.nansum(drops, axis=0) / np.maximum(count, 1)
    ends = (
        (count > 0)
        & (mean <= -settings.drop.value)
        & (mean >= -settings.drop_most.value)
        & (np.fmax(*drops) <= -settings.drop_each.value)
        & (share <= -settings.below.value)
        & (level >= settings.level.value)
        & (_spread(values, expected, hours, settings.spread_level.value) <= settings.spread.value)
    )
    mask = covered(ends, hours) & (o3.departure <= -settings.hour_drop.value)
    text = f" expected from the neighbours; about half of it for {hours} h, as if in ppb"
    yield _expected_otherwise(o3, Rule.O3_UNIT, mask, text)


def _most(hours: int) -> int:
    return 2 * hours // 3


def _titrated(expected: Values, no2: Evidence) -> Values:
    excess = np.fmax(no2.plausible - no2.reference, 0)
    return np.fmax(expected - np.nan_to_num(excess), np.fmin(expected, 2))


def _levels(values: Values, expected: Values, hours: int) -> tuple[Values, Values]:
    """Mean expected level of the windows, and log ratio of the sums; NaN with less than half of the hours."""
    count = window_count(~np.isnan(values), hours)
    total = window_sum(expected, hours)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(window_sum(values, hours) / total)
    enough = count >= hours / 2
    return np.where(enough, total / np.maximum(count, 1), np.nan), np.where(enough, ratio, np.nan)


def _spread(values: Values, expected: Values, hours: int, level: float) -> Values:
    """Standard deviation of the log ratios of a window's hours from which at least ``level`` is expected."""
    ratio = np.where(expected >= level, np.log((values + 1) / (expected + 1)), values * np.float32(np.nan))
    mean = window_mean(ratio, hours, hours // 6)
    return np.sqrt(np.maximum(window_mean(ratio * ratio, hours, hours // 6) - mean * mean, 0))


def _expected_otherwise(evidence: Evidence, rule: Rule, mask: np.ndarray, text: str) -> Strike:
    def describe(cells: Cells) -> Words:
        p = evidence.pollutant
        expected = amount(np.maximum(evidence.expected[cells], 0).astype(np.float64), p)
        return sentence(amount(evidence.received[cells], p), ", ", expected, text)

    return Strike(evidence.pollutant, rule, Flag.DOUBTFUL, mask, describe)
