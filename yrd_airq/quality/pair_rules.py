"""Rules on two pollutants of one station: PM2.5 above PM10, and columns in each other's place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from yrd_airq.quality.evidence import Evidence
from yrd_airq.quality.flags import Cells, Flag, Rule, Strike, Words, amount, sentence
from yrd_airq.quality.settings import SwapSettings
from yrd_airq.quality.windows import Values, covered, window_mean


def find_inverted_particles(pm25: Evidence, pm10: Evidence) -> Iterator[Strike]:
    """PM2.5, a part of PM10, above it by more than the instruments allow: one of the two is wrong.

    The one further from its neighbours is doubtful; both where that cannot be told.
    """
    fine, coarse, settings = pm25.plausible, pm10.plausible, pm25.settings.pm_inverted
    inverted = (fine > np.float32(settings.ratio.value) * coarse) & (
        fine - coarse >= np.float32(settings.step.value)
    )
    fine_off, coarse_off = _misfit(fine, pm25), _misfit(coarse, pm10)
    pair = (pm25, pm10)
    for evidence, acquitted in ((pm25, coarse_off > fine_off), (pm10, fine_off > coarse_off)):
        yield Strike(
            evidence.pollutant,
            Rule.PM_INVERTED,
            Flag.DOUBTFUL,
            inverted & ~acquitted,
            lambda cells: _both(cells, pair, "PM2.5 ", " above PM10 "),
        )


def find_swapped_particles(pm25: Evidence, pm10: Evidence) -> Iterator[Strike]:
    """PM2.5 and PM10 exchanged for hours: inverted, and nearer to the expected values if exchanged back."""
    inverted = pm25.plausible > pm10.plausible
    for strike in _find_swapped(
        pm25, pm10, Rule.PM_SWAPPED, pm25.settings.pm_swapped, ("PM2.5 ", " and PM10 ")
    ):
        yield replace(strike, mask=strike.mask & inverted)


def find_swapped_gases(no2: Evidence, o3: Evidence) -> Iterator[Strike]:
    """NO2 and O3 exchanged for hours: much nearer to the expected values if exchanged back."""
    settings = no2.settings.no2_o3_swapped
    yield from _find_swapped(no2, o3, Rule.NO2_O3_SWAPPED, settings, ("NO2 ", " and O3 "))


def _find_swapped(
    a: Evidence, b: Evidence, rule: Rule, settings: SwapSettings, names: tuple[str, str]
) -> Iterator[Strike]:
    """Hours that fit better when exchanged, in windows that do so by a large mean gain.

    The gain is in log units: how much nearer to what neighbours and habit lead to expect both values come.
    """
    gain = (
        _misfit(a.plausible, a) + _misfit(b.plausible, b) - _misfit(b.plausible, a) - _misfit(a.plausible, b)
    )
    hours = int(settings.hours.value)
    most = 2 * hours // 3
    better = window_mean(np.where(np.isnan(gain), gain, gain > 0), hours, most) >= settings.share.value
    mean = np.where(better, window_mean(gain, hours, most), np.nan)
    worse = gain >= settings.gain.value
    sure = covered(mean >= settings.sure_gain.value, hours) & worse
    maybe = covered(mean >= settings.gain.value, hours) & worse & ~sure
    for evidence in (a, b):
        for flag, mask in ((Flag.LEFT_OUT, sure), (Flag.DOUBTFUL, maybe)):
            yield Strike(
                evidence.pollutant,
                rule,
                flag,
                mask,
                lambda cells: _both(
                    cells, (a, b), *names, ": nearer to what the neighbours show if exchanged"
                ),
            )


def _misfit(values: Values, evidence: Evidence) -> Values:
    """Distance of values from what is expected of the pollutant of ``evidence``, as absolute log ratio."""
    return np.abs(np.log((values + evidence.offset) / (evidence.likely + evidence.offset)))


def _both(cells: Cells, pair: tuple[Evidence, Evidence], first: str, second: str, end: str = "") -> Words:
    a, b = (amount(evidence.received[cells], evidence.pollutant) for evidence in pair)
    return sentence(first, a, second, b, end)
