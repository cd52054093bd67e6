"""Scores of yes-or-no events, such as days above a limit, from the counts of hits and misses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr
from scores.categorical import BasicContingencyManager

EVENT_SCORES = ("pod", "far", "csi", "frequency_bias", "ets", "hss")
_COUNTS = {"hits": "tp_count", "false_alarms": "fp_count", "misses": "fn_count", "rejections": "tn_count"}


def exceeds(values: xr.DataArray, threshold: xr.DataArray | float) -> xr.DataArray:
    """1 where the value is above the threshold, 0 where not, NaN where it is missing."""
    return (values > threshold).where(values.notnull())


def count_events(said: xr.DataArray, happened: xr.DataArray, over: Sequence[str]) -> xr.Dataset:
    """Hits, false alarms, misses and rejections over the dimensions ``over``; pairs with NaN do not count."""
    pairs = {"hits": (1, 1), "false_alarms": (1, 0), "misses": (0, 1), "rejections": (0, 0)}
    return xr.Dataset(
        {name: ((said == f) & (happened == o)).sum(list(over)) for name, (f, o) in pairs.items()}
    )


def score_events(counts: xr.Dataset) -> xr.Dataset:
    """Scores of ``EVENT_SCORES`` from the counts of ``count_events``; NaN where undefined, never 0.

    With a hits, b false alarms, c misses: pod = a/(a + c), far = b/(a + b), csi = a/(a + b + c),
    frequency_bias = (a + b)/(a + c); ets and hss correct for the hits expected by chance.
    """
    given = {name: counts[own].astype(float) for own, name in _COUNTS.items()}
    table = BasicContingencyManager(given | {"total_count": sum(given.values())})
    found = xr.Dataset(
        {
            "pod": table.probability_of_detection(),
            "far": table.false_alarm_ratio(),
            "csi": table.critical_success_index(),
            "frequency_bias": table.frequency_bias(),
            "ets": table.equitable_threat_score(),
            "hss": table.heidke_skill_score(),
        }
    )
    return found.where(np.isfinite(found))
