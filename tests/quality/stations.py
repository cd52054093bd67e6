"""Small station networks and a stand-in for the store, made in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import numpy as np
import pandas as pd

from yrd_airq.clock import day_labels
from yrd_airq.vocab import Pollutant

NANJING, SUZHOU = "320100", "320500"


def station_list(**adcode_of: str | None) -> pd.DataFrame:
    """One counted station for each keyword, in the city given (None: in no known city)."""
    return pd.DataFrame(
        {"station_code": list(adcode_of), "adcode": list(adcode_of.values()), "counted": True}
    )


def frame(columns: Mapping[str, object], first: date, last: date | None = None) -> pd.DataFrame:
    """Hourly frame of whole days; a column is one number or an array of all hours."""
    labels = day_labels(first, last or first)
    data = {code: np.broadcast_to(np.asarray(v, dtype=float), len(labels)) for code, v in columns.items()}
    return pd.DataFrame(data, index=labels)


def rough_air(first: date, last: date, codes: Sequence[str], seed: int = 1) -> dict[Pollutant, pd.DataFrame]:
    """Plausible whole-number values of every pollutant without any fault, 5 % of them missing."""
    random = np.random.default_rng(seed)
    labels = day_labels(first, last)
    air = {}
    for pollutant in Pollutant:
        values = random.integers(20, 60, (len(labels), len(codes))).astype(float)
        values[random.random(values.shape) < 0.05] = np.nan
        air[pollutant] = pd.DataFrame(values / (50 if pollutant is Pollutant.CO else 1), labels, list(codes))
    return air


class MemoryStore:
    """What the refresh asks of a store, kept in memory; a write replaces its window."""

    def __init__(self, air: Mapping[Pollutant, pd.DataFrame], stations: pd.DataFrame) -> None:
        self.air = dict(air)
        self.stations = stations
        self.flags = self.hourly = self.daily = pd.DataFrame()

    def station_span(self) -> tuple[datetime, datetime] | None:
        if not self.air:
            return None
        index = self.air[Pollutant.PM25].index
        return index[0].to_pydatetime(), index[-1].to_pydatetime()

    def station_list(self) -> pd.DataFrame:
        return self.stations

    def station_hourly(
        self, items: Sequence[str], first: datetime, last: datetime
    ) -> dict[str, pd.DataFrame]:
        hours = pd.date_range(first, last, freq="h")
        return {str(item): self.air[Pollutant(item)].reindex(hours) for item in items}

    def write_flags(self, rows: pd.DataFrame, first: datetime, last: datetime) -> None:
        self.flags = self._replaced(self.flags, rows, "time", first, last)

    def write_city_hourly(self, rows: pd.DataFrame, first: datetime, last: datetime) -> None:
        self.hourly = self._replaced(self.hourly, rows, "time", first, last)

    def write_city_daily(self, rows: pd.DataFrame, first: date, last: date) -> None:
        self.daily = self._replaced(self.daily, rows, "date", first, last)

    @staticmethod
    def _replaced(held: pd.DataFrame, rows: pd.DataFrame, time: str, first: date, last: date) -> pd.DataFrame:
        window = pd.Timestamp(first), pd.Timestamp(last)
        assert rows[time].between(*window).all()
        kept = held if held.empty else held[~held[time].between(*window)]
        parts = [part for part in (kept, rows) if not part.empty]
        joined = pd.concat(parts, ignore_index=True) if parts else rows
        return joined.sort_values(list(joined.columns[:4]), ignore_index=True)
