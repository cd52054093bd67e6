"""Hourly quality control: narrow rules that flag a value by name with a reason, and never delete it.

Frames are dense and wide: the index holds every hour (hour-ending labels), the columns are station codes,
missing values are NaN. Rules of a station's own series work alone; the list of stations adds the neighbours,
which acquit what several stations measured and convict what only one did.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from yrd_airq.quality.evidence import Evidence, gather_evidence
from yrd_airq.quality.flags import FLAG_COLUMNS, LEFT_OUT, Checked, Flag, Rule, Strike, flag_table
from yrd_airq.quality.neighbour_rules import find_detection_limit, find_isolated, find_ozone_in_ppb
from yrd_airq.quality.own_rules import (
    find_co_in_micrograms,
    find_range_faults,
    find_restart_jumps,
    find_spikes,
)
from yrd_airq.quality.pair_rules import find_inverted_particles, find_swapped_gases, find_swapped_particles
from yrd_airq.quality.settings import QualitySettings, load_quality
from yrd_airq.quality.stuck import find_stuck
from yrd_airq.vocab import Pollutant

__all__ = ["FLAG_COLUMNS", "LEFT_OUT", "Checked", "Flag", "Rule", "check_hourly"]

PARTNERS = {
    Pollutant.PM25: (Pollutant.PM10, 1),
    Pollutant.PM10: (Pollutant.PM25, 1),
    Pollutant.O3: (Pollutant.NO2, -1),
    Pollutant.NO2: (Pollutant.O3, -1),
}
"""The pollutant that moves too, in the same (1) or the other direction (−1), when the air itself changes."""


def check_hourly(
    hourly: Mapping[Pollutant, pd.DataFrame],
    settings: QualitySettings | None = None,
    stations: pd.DataFrame | None = None,
) -> Checked:
    """Apply every rule to every pollutant; columns of ``flags`` are ``FLAG_COLUMNS``.

    ``hourly``: frames with the same hours and the same stations. ``stations`` (station_code, lon, lat in
    degrees, adcode; positions may be missing) names the neighbours; without it the rules on neighbours are
    silent. Flags of an hour depend on ``settings.reach_hours`` before and after it.
    """
    settings = settings or load_quality()
    evidence = gather_evidence(hourly, settings, stations)
    strikes = [strike for strike in _strikes(evidence) if strike.mask.any()]
    accepted: dict[Pollutant, pd.DataFrame] = {}
    for name, frame in hourly.items():
        out = np.zeros(frame.shape, dtype=bool)
        for strike in strikes:
            if strike.pollutant is Pollutant(name) and strike.flag is Flag.LEFT_OUT:
                out |= strike.mask
        kept = np.where(out, np.nan, evidence[Pollutant(name)].received)
        accepted[Pollutant(name)] = pd.DataFrame(kept, frame.index, frame.columns, copy=False)
    frame = next(iter(hourly.values()), pd.DataFrame())
    return Checked(accepted, flag_table(strikes, pd.DatetimeIndex(frame.index), frame.columns))


def _strikes(evidence: Mapping[Pollutant, Evidence]) -> Iterator[Strike]:
    for one in evidence.values():
        yield from find_range_faults(one)
        yield from find_spikes(one)
        yield from find_restart_jumps(one)
        yield from find_stuck(one)
        if one.neighbours.any:
            partner, sign = PARTNERS.get(one.pollutant, (one.pollutant, 1))
            beside = evidence.get(partner) if partner is not one.pollutant else None
            yield from find_isolated(one, beside, sign)
            yield from find_detection_limit(one)
    if Pollutant.CO in evidence:
        yield from find_co_in_micrograms(evidence[Pollutant.CO])
    yield from _pair_strikes(evidence)


def _pair_strikes(evidence: Mapping[Pollutant, Evidence]) -> Iterator[Strike]:
    pm25, pm10 = evidence.get(Pollutant.PM25), evidence.get(Pollutant.PM10)
    no2, o3 = evidence.get(Pollutant.NO2), evidence.get(Pollutant.O3)
    if pm25 and pm10:
        yield from find_inverted_particles(pm25, pm10)
        if pm25.neighbours.any:
            yield from find_swapped_particles(pm25, pm10)
    if no2 and o3 and o3.neighbours.any:
        yield from find_swapped_gases(no2, o3)
    if o3 and o3.neighbours.any:
        yield from find_ozone_in_ppb(o3, no2)
