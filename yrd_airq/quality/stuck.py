"""The rule on stuck values: runs of equal readings, judged by how improbable they are there and then.

Near the detection limit, and at the coarse resolution of SO2 and CO, runs of equal values are normal; a fixed
length cannot tell them from a frozen instrument. How often readings repeat at the station itself in the days
around, and at its neighbours in the same hours, can.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from yrd_airq.quality.evidence import Evidence
from yrd_airq.quality.flags import Cells, Flag, Mask, Rule, Strike, Words, amount, number, sentence
from yrd_airq.quality.windows import run_position

PRIOR_HOURS, PRIOR_SHARE = 6.0, 0.7
"""A few hours' worth of frequent repeats, so that a short history does not make a run look impossible."""
LEAST_SHARE = 0.03


def find_stuck(evidence: Evidence) -> Iterator[Strike]:
    """Runs that are long by any measure (left out), or improbable at this place and time (doubtful)."""
    values, thresholds, settings = evidence.plausible, evidence.thresholds, evidence.settings.stuck
    before, after = run_position(values)
    length = before + after + 1
    long = (length >= thresholds.stuck_hours.value) & (values > np.float32(thresholds.stuck_above.value))
    cap = int(settings.margin_hours.value)
    candidate = (length >= settings.doubtful_hours.value) & (values > np.float32(thresholds.limit.value))
    hour, station = np.nonzero(candidate & ~long)
    cells = hour, station
    inside = np.minimum(before[cells], cap + 1) + np.minimum(after[cells], cap)
    score = (np.minimum(length[cells], cap) - 1) * -np.log(_repeat_share(evidence, cells, inside))
    improbable = np.zeros(values.shape, dtype=bool)
    improbable[cells] = score >= thresholds.stuck_improbability.value

    def describe(cells: Cells) -> Words:
        hours = number(np.minimum(length[cells], cap), 0)
        more = np.where(length[cells] > cap, "more than ", "")
        return sentence(amount(evidence.received[cells], evidence.pollutant), " for ", more, hours, " h")

    yield Strike(evidence.pollutant, Rule.STUCK, Flag.LEFT_OUT, long, describe)
    yield Strike(evidence.pollutant, Rule.STUCK, Flag.DOUBTFUL, improbable, describe)


def _repeat_share(evidence: Evidence, cells: Cells, inside: NDArray[np.int32]) -> NDArray[np.float64]:
    """How often a reading repeats there: the larger share of the station's own days and of its neighbours.

    ``inside``: repeats of the run itself within the margin, which do not count as its own precedent.
    """
    values, settings = evidence.plausible, evidence.settings.stuck
    known = np.zeros(values.shape, dtype=bool)
    known[1:] = ~(np.isnan(values[1:]) | np.isnan(values[:-1]))
    repeat = np.zeros(values.shape, dtype=bool)
    np.equal(values[1:], values[:-1], out=repeat[1:])
    totals = [_running_total(mask) for mask in (repeat, known)]
    hour, station = cells
    margin, near = int(settings.margin_hours.value), int(settings.neighbour_hours.value)
    repeats, steps = (np.maximum(_around(t, hour, station, margin) - inside, 0) for t in totals)
    own = (repeats + PRIOR_HOURS * PRIOR_SHARE) / (steps + PRIOR_HOURS)
    column = evidence.neighbours.column[station]
    repeats, steps = (
        np.where(column >= 0, _around(t, hour[:, None], column, near), 0).sum(axis=1) for t in totals
    )
    beside = repeats / np.maximum(steps, 1)
    return np.clip(np.maximum(own, beside), LEAST_SHARE, 1 - LEAST_SHARE)


def _running_total(mask: Mask) -> NDArray[np.int32]:
    """Count before each hour, with one more row for the end."""
    total = np.zeros((len(mask) + 1, mask.shape[1]), dtype=np.int32)
    np.cumsum(mask, axis=0, out=total[1:])
    return total


def _around(
    total: NDArray[np.int32], hour: NDArray[np.intp], column: NDArray[np.int64], margin: int
) -> NDArray[np.int32]:
    """Count from ``margin`` hours before to ``margin`` hours after the given cells."""
    last = len(total) - 1
    return total[np.minimum(hour + margin + 1, last), column] - total[np.maximum(hour - margin, 0), column]
