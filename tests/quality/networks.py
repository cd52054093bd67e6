"""A small network of stations a few kilometres apart, whose air rises and falls together."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from yrd_airq.clock import day_labels
from yrd_airq.vocab import Pollutant

FIRST, LAST = date(2019, 5, 1), date(2019, 5, 9)
CODES = ("2001A", "2002A", "2003A", "2004A", "2005A", "2006A")
ODD_ONE = "2001A"
MIDDLE = 108
"""An hour in the middle of the nine days, noon of the fifth."""
_LEVELS = {"so2": 30.0, "no2": 40.0, "co": 1.0, "o3": 80.0, "pm10": 90.0, "pm25": 50.0}


def stations() -> pd.DataFrame:
    """Six stations of one city, about 10 km apart."""
    step = np.arange(len(CODES)) * 0.1
    return pd.DataFrame({"station_code": CODES, "adcode": "320100", "lon": 118.5 + step, "lat": 32.0})


def air(seed: int = 1) -> dict[Pollutant, pd.DataFrame]:
    """A daily course shared by all stations, each with its own habit, and some noise; nothing is missing.

    Ozone peaks at noon (20 to 140 µg/m³), NO2 at night (24 to 56 µg/m³); readings as instruments print them.
    """
    random = np.random.default_rng(seed)
    labels = day_labels(FIRST, LAST)
    course = np.cos(2 * np.pi * (labels.hour.to_numpy() - 12) / 24)[:, None]
    habit = np.linspace(0.85, 1.15, len(CODES))[None, :]
    result = {}
    for pollutant in Pollutant:
        swing = {"o3": 0.75, "no2": -0.4}.get(pollutant.value, 0.2)
        noise = np.exp(random.normal(0, 0.06, (len(labels), len(CODES))))
        values = _LEVELS[pollutant.value] * (1 + swing * course) * habit * noise
        digits = 1 if pollutant is Pollutant.CO else 0
        result[pollutant] = pd.DataFrame(np.round(values, digits), labels, list(CODES))
    return result
