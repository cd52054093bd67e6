"""Shape of ``configs/transport.yaml``: trajectories, their ensemble, and the footprint grid."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from yrd_airq.settings import Marked, Settings
from yrd_airq.vocab import Precursor


class GridSettings(Settings):
    """Regular grid of the footprint: outer edges and cell size in degrees."""

    lon_min: float
    lon_max: float
    lat_min: float
    lat_max: float
    step_deg: float = Field(gt=0)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of cells in latitude and longitude."""
        return (
            round((self.lat_max - self.lat_min) / self.step_deg),
            round((self.lon_max - self.lon_min) / self.step_deg),
        )

    @property
    def centres(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Latitudes and longitudes of the cell centres, rising."""
        rows, columns = self.shape
        lat = self.lat_min + (np.arange(rows, dtype=np.float64) + 0.5) * self.step_deg
        lon = self.lon_min + (np.arange(columns, dtype=np.float64) + 0.5) * self.step_deg
        return lat, lon

    @model_validator(mode="after")
    def _whole_cells(self) -> GridSettings:
        rows, columns = self.shape
        whole = abs(rows * self.step_deg - (self.lat_max - self.lat_min)) < 1e-9
        whole = whole and abs(columns * self.step_deg - (self.lon_max - self.lon_min)) < 1e-9
        if rows < 2 or columns < 2 or not whole:
            raise ValueError("the grid must hold a whole number of cells, at least 2 each way")
        return self


class TransportSettings(Settings):
    """Settings of the transport room.

    The wind that carries the air is that of the file times ``factor_10m`` (hourly to 6-hourly files)
    or ``factor_daily`` (files of daily means, whose height is not stated). The ensemble has one member
    per pair of rotation (degrees, anticlockwise) and speed ratio.
    ``lifetime_h`` weighs the age t of the air by exp(−t/lifetime), per precursor. A parcel's place
    is spread with a standard deviation of ``spread_start_km`` + ``spread_growth_kmh`` · age.
    """

    hours: int = Field(gt=0)
    step_minutes: int = Field(gt=0)
    arrival_every_hours: int = Field(gt=0)
    rotations_deg: tuple[float, ...]
    speed_ratios: tuple[float, ...]
    factor_10m: Marked
    factor_daily: Marked
    lifetime_h: dict[Precursor, Marked]
    spread_start_km: Marked
    spread_growth_kmh: Marked
    grid: GridSettings

    @model_validator(mode="after")
    def _sensible(self) -> TransportSettings:
        if 60 % self.step_minutes:
            raise ValueError("step_minutes must divide the hour")
        if 24 % self.arrival_every_hours:
            raise ValueError("arrival_every_hours must divide the day")
        if 0.0 not in self.rotations_deg or 1.0 not in self.speed_ratios:
            raise ValueError("the ensemble must hold the unturned, unscaled member (rotation 0, ratio 1)")
        if set(self.lifetime_h) != set(Precursor):
            raise ValueError(f"lifetime_h must name {', '.join(Precursor)}")
        return self
