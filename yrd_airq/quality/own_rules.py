"""Rules that look at one station's series of one pollutant: range, extremes, spikes, restarts.

Neighbours only acquit: what several stations measure in the same hour is air, not a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from yrd_airq.quality.evidence import Evidence
from yrd_airq.quality.flags import Cells, Flag, Mask, Rule, Strike, Words, amount, sentence
from yrd_airq.quality.windows import Values, at_cells, middle, nearest, shifted

SETTLING_HOURS = 4
"""Hours after the first ones whose median says where the series has settled."""


def find_range_faults(evidence: Evidence) -> Iterator[Strike]:
    """Values that no instrument can mean (not positive, above its range), and extremes to be looked at.

    An extreme stays in use, as fireworks and dust are real; it is left out only if it is far beyond the
    threshold and no neighbour measured anything of the kind.
    """
    values, thresholds = evidence.received, evidence.thresholds
    maximum, extreme = thresholds.maximum.value, thresholds.extreme.value
    rare = (values > extreme) & (values <= maximum)
    alone = np.zeros(values.shape, dtype=bool)
    hour, station = np.nonzero(rare & (values >= evidence.settings.alone_factor.value * extreme))
    alone[hour, station] = _alone(evidence, hour, station)
    strikes: tuple[tuple[Rule, Flag, Mask, str], ...] = (
        (Rule.NOT_POSITIVE, Flag.LEFT_OUT, values <= 0, ", not above zero"),
        (Rule.ABOVE_MAXIMUM, Flag.LEFT_OUT, values > maximum, f", above the range that ends at {maximum:g}"),
        (Rule.EXTREME, Flag.LEFT_OUT, alone, f", far above {extreme:g} and not shared by any neighbour"),
        (Rule.EXTREME, Flag.DOUBTFUL, rare & ~alone, f", above {extreme:g}: rare enough to be looked at"),
    )
    for rule, flag, mask, text in strikes:
        yield Strike(evidence.pollutant, rule, flag, mask, _value_then(evidence, text))


def find_co_in_micrograms(evidence: Evidence) -> Iterator[Strike]:
    """CO beyond any range that is ordinary air when divided by 1000: µg/m³ written for mg/m³."""
    values, thresholds = evidence.received, evidence.thresholds
    mask = (values > thresholds.maximum.value) & (values / 1000 <= thresholds.extreme.value)

    def describe(cells: Cells) -> Words:
        value = values[cells]
        as_meant = amount(value / 1000, evidence.pollutant)
        return sentence(amount(value, evidence.pollutant), ", as if in µg/m³ (", as_meant, ")")

    yield Strike(evidence.pollutant, Rule.CO_UNIT, Flag.LEFT_OUT, mask, describe)


def find_spikes(evidence: Evidence) -> Iterator[Strike]:
    """Single hours far above both the value before and the value after, and above all neighbours."""
    settings, values = evidence.settings.spike, evidence.plausible
    reach, step = int(settings.reach_hours.value), evidence.thresholds.spike_step.value
    small_step = settings.doubtful_step_share.value * step
    hour, station = np.nonzero(values >= small_step)
    value = values[hour, station]
    base = np.maximum(nearest(values, hour, station, -1, reach), nearest(values, hour, station, 1, reach))
    maybe = (value >= settings.doubtful_ratio.value * base) & (value - base >= small_step)
    maybe &= ~_shared(evidence, hour, station)
    sure = maybe & (value >= settings.ratio.value * base) & (value - base >= step)
    for flag, struck in ((Flag.LEFT_OUT, sure), (Flag.DOUBTFUL, maybe & ~sure)):
        cells, text = (hour[struck], station[struck]), f" within {reach} h around"
        yield _sparse(evidence, Rule.SPIKE, flag, cells, (", at most ", base[struck], text))


def find_restart_jumps(evidence: Evidence) -> Iterator[Strike]:
    """First hours after a gap far above, or far below, both the hours that follow and the neighbours."""
    settings, thresholds, values = evidence.settings.restart, evidence.thresholds, evidence.plausible
    ratio, hours = settings.ratio.value, int(settings.hours.value)
    first = _first_after_gap(values, int(settings.gap_hours.value))
    for later in range(hours):
        hour, station = np.nonzero(shifted(first, later, fill=False) & ~np.isnan(values))
        value = values[hour, station]
        before = nearest(values, hour - later, station, -1, int(settings.before_hours.value))
        low, high = _bounds(
            _settled(values, hour - later + hours, station), evidence.likely[hour, station], before
        )
        jump = (value >= ratio * high) & (value - high >= thresholds.restart_step.value)
        drop = (value * ratio <= low) & (low - value >= thresholds.restart_drop.value)
        sure = np.where(
            jump, value >= settings.sure_ratio.value * high, value * settings.sure_ratio.value <= low
        )
        for struck, bound, word, flag in (
            (jump & sure, high, "at most ", Flag.LEFT_OUT),
            (drop & sure, low, "at least ", Flag.LEFT_OUT),
            (jump & ~sure, high, "at most ", Flag.DOUBTFUL),
            (drop & ~sure, low, "at least ", Flag.DOUBTFUL),
        ):
            cells = hour[struck], station[struck]
            text = f" after a gap of at least {settings.gap_hours.value:g} h; {word}"
            end = " expected from the hours and stations around"
            yield _sparse(evidence, Rule.RESTART, flag, cells, (text, bound[struck], end))


def _shared(evidence: Evidence, hour: NDArray[np.intp], station: NDArray[np.intp]) -> Mask:
    """Whether a neighbour measured a like value in that hour; false where no neighbour has a value."""
    values, share = evidence.plausible, evidence.settings.spike.shared_by.value
    largest = evidence.neighbours.largest(values, hour, station)
    return np.asarray(largest >= share * values[hour, station])


def _alone(evidence: Evidence, hour: NDArray[np.intp], station: NDArray[np.intp]) -> Mask:
    """Whether neighbours have values and none of them is like this one."""
    known = ~np.isnan(evidence.neighbours.largest(evidence.plausible, hour, station))
    return known & ~_shared(evidence, hour, station)


def _sparse(
    evidence: Evidence, rule: Rule, flag: Flag, cells: Cells, saying: tuple[str, Values, str]
) -> Strike:
    """A strike at single cells, in order of hour and station; the sentence: value, text, bound, text."""
    mask = np.zeros(evidence.plausible.shape, dtype=bool)
    mask[cells] = True
    text, bound, end = saying

    def describe(_: Cells) -> Words:
        p = evidence.pollutant
        return sentence(amount(evidence.received[cells], p), text, amount(bound, p), end)

    return Strike(evidence.pollutant, rule, flag, mask, describe)


def _first_after_gap(values: Values, gap: int) -> Mask:
    """Present values with at least ``gap`` missing hours right before them, all within the array."""
    present = ~np.isnan(values)
    first = present.copy()
    first[:gap] = False
    for hours in range(1, gap + 1):
        first &= ~shifted(present, hours, fill=False)
    return first


def _settled(values: Values, hour: NDArray[np.intp], station: NDArray[np.intp]) -> Values:
    """Median of the present values of the four hours from each given one on, NaN without any."""
    lower, upper, _ = middle([at_cells(values, hour + k, station) for k in range(SETTLING_HOURS)])
    return (lower + upper) / 2


def _bounds(settled: Values, likely: Values, before: Values) -> tuple[Values, Values]:
    """Least and largest of what the hour is measured by; NaN with one measure only, so that no rule strikes.

    The value before the gap counts where one of the others is missing: ozone of the afternoon says little
    about the night after a gap.
    """
    settled, likely = (np.where(np.isnan(one), before, one) for one in (settled, likely))
    return np.minimum(settled, likely), np.maximum(settled, likely)


def _value_then(evidence: Evidence, text: str) -> Callable[[Cells], Words]:
    return lambda cells: sentence(amount(evidence.received[cells], evidence.pollutant), text)
