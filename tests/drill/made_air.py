"""A small made world for the air's tests: one city, plain weather that runs through the day."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.drill.grid import Grid
from yrd_airq.drill.layers import LAYERS
from yrd_airq.drill.state import EMITTED
from yrd_airq.drill.weather import Weather

# µg m⁻² h⁻¹ in the city and in the country.
CITY = {"nox": 2500, "voc": 3500, "so2": 500, "co": 12000, "pm": 600, "dust": 800, "nh3": 400}
COUNTRY = {"nox": 200, "voc": 400, "so2": 80, "co": 1500, "pm": 90, "dust": 150, "nh3": 350}


def small_grid(columns: int = 14, rows: int = 11) -> Grid:
    """Land around 31N, 118E."""
    lon, lat = 116 + 0.25 * np.arange(columns), 30 + 0.25 * np.arange(rows)
    land = np.ones((rows, columns))
    return Grid(lon, lat, land, np.zeros_like(land), 0.25)


def plain_weather(
    grid: Grid, first: str, hours: int, *, wind: tuple[float, float] = (2.0, 1.0), warmth_c: float = 29.0
) -> Weather:
    """A cloudless stretch with the same wind in all layers but for a swirl, and a mixed layer by day."""
    times = pd.date_range(first, periods=hours + 1, freq="h")
    hour = np.asarray(times.hour, dtype=float)[:, None, None]
    y, x = np.meshgrid(np.linspace(-1, 1, grid.shape[0]), np.linspace(-1, 1, grid.shape[1]), indexing="ij")
    shape = (len(times), *grid.shape)
    day = np.clip(np.sin(np.pi * (hour - 6) / 13), 0, None) * (hour > 5) * (hour < 20)

    def full(values: NDArray[np.float64] | float) -> NDArray[np.float32]:
        return np.broadcast_to(values, shape).astype(np.float32)

    faster = np.linspace(0.6, 2.0, LAYERS)[None, :, None, None]
    turn = np.broadcast_to(np.stack([-1.5 * y, 1.5 * x])[:, None, None], (2, len(times), LAYERS, *grid.shape))
    return Weather(
        times=times,
        u10=full(0.6 * wind[0]),
        v10=full(0.6 * wind[1]),
        t2m=full(273.15 + warmth_c + 4 * np.cos(2 * np.pi * (hour - 14) / 24)),
        d2m=full(273.15 + warmth_c - 9),
        sp=full(101000.0),
        blh=full(150 + 1200 * day),
        tp=full(0.0),
        ssrd=full(3600 * 900 * day),
        tcc=full(0.1),
        u=((wind[0] + turn[0]) * faster).astype(np.float32),
        v=((wind[1] + turn[1]) * faster).astype(np.float32),
    )


@dataclass(frozen=True)
class MadeEmission:
    """A city in the middle; ``factor`` (hour, EMITTED) multiplies what it and its country set free."""

    grid: Grid
    hours: int
    factor: dict[tuple[int, str], float] = field(default_factory=dict)

    @property
    def woods(self) -> NDArray[np.float64]:
        """A fifth of the land."""
        return 0.2 * self.grid.land

    def at(self, k: int) -> NDArray[np.float32]:
        """Emission in the hour that ends at time ``k``."""
        rows, columns = self.grid.shape
        y, x = np.meshgrid(np.arange(rows) - rows // 2, np.arange(columns) - columns // 2, indexing="ij")
        city = np.exp(-0.5 * (x**2 + y**2) / 1.2**2)
        out = np.zeros((len(EMITTED), LAYERS, rows, columns), dtype=np.float32)
        for row, name in enumerate(EMITTED):
            total = (COUNTRY[name] + (CITY[name] - COUNTRY[name]) * city) * self.factor.get((k, name), 1.0)
            stack = 0.3 if name in ("nox", "so2") else 0.0
            out[row, 0], out[row, 2] = (1 - stack) * total, stack * total
        return out
