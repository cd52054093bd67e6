"""Exceptional events (例外事件): which values an officially noted event concerns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.quality.daily import DAILY_TARGETS
from yrd_airq.vocab import Target

ALL: Final = "all"


def event_days(
    events: pd.DataFrame, days: pd.DatetimeIndex, adcode_of: Mapping[str, str]
) -> dict[Target, NDArray[np.bool_]]:
    """Values that fall into an event, by target, shape (day, place).

    ``events``: adcode (a city, a province such as 320000 or 32, or ``all``), first_date, last_date (both
    included), pollutant (one of the six, or ``all``). ``adcode_of`` gives the city of each place.
    """
    places = pd.Series(dict(adcode_of), dtype="str")
    struck = {target: np.zeros((len(days), len(places)), dtype=bool) for target in DAILY_TARGETS}
    first, last = pd.DatetimeIndex(events["first_date"]), pd.DatetimeIndex(events["last_date"])
    for k, (adcode, pollutant) in enumerate(zip(events["adcode"], events["pollutant"], strict=True)):
        within = (days >= first[k]) & (days <= last[k])
        here = _lies_in(places, str(adcode))
        for target in DAILY_TARGETS:
            if str(pollutant) in (ALL, target.info.pollutant.value):
                struck[target] |= np.asarray(within)[:, None] & here[None, :]
    return struck


def _lies_in(places: pd.Series, code: str) -> NDArray[np.bool_]:
    if code == ALL:
        return np.ones(len(places), dtype=bool)
    province = code[:2] if len(code) == 2 or code.endswith("0000") else None
    inside = places.str.startswith(province) if province else places == code
    return inside.to_numpy(dtype=bool)
