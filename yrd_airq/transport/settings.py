"""Shape of ``configs/transport.yaml``: trajectories, their ensemble, footprints, plume, statistics."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from yrd_airq.settings import Marked, Settings
from yrd_airq.vocab import Precursor

STABILITIES = ("A", "B", "C", "D", "E", "F")
"""Pasquill's classes, unstable to stable; arrays hold their index."""


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


class PerturbationSettings(Settings):
    """Members with perturbed winds: a smooth, divergence-free random field is added to the wind.

    Each wind component of the field has the standard deviation ``sd_ms`` and a correlation that falls
    with distance and time on the scales ``length_km`` and ``time_h``. Member k of ``members`` is drawn
    with ``seed`` + k.
    """

    members: int = Field(ge=0)
    seed: int
    sd_ms: Marked
    length_km: Marked
    time_h: Marked


class PlumeSettings(Settings):
    """Gaussian plume near a source.

    ``sigma_y`` and ``sigma_z`` hold (a, b, c) of σ = a x (1 + b x)^c by class A … F, x in metres.
    ``direct_km``: up to here the plume counts in full, from there its part falls to nought at
    ``reach_km``. ``receptor_spread_km``: a receptor stands for a city, whose stations lie about so far
    from its centre; the plume is the mean over points there (nought: the centre alone). ``wander_deg``
    widens the hourly plume for shifting winds (``wander_daily_deg``: for files of daily means).
    ``mixing_m`` by class holds where the weather has no boundary-layer height.
    """

    terrain: Literal["urban", "rural"]
    sigma_y: dict[Literal["urban", "rural"], tuple[tuple[float, float, float], ...]]
    sigma_z: dict[Literal["urban", "rural"], tuple[tuple[float, float, float], ...]]
    sigma_source: str
    calm_ms: Marked
    cap_ratio: Marked
    source_height_m: Marked
    mixing_m: tuple[Marked, ...]
    direct_km: Marked
    reach_km: Marked
    receptor_spread_km: Marked
    wander_deg: Marked
    wander_daily_deg: Marked

    @model_validator(mode="after")
    def _complete(self) -> PlumeSettings:
        tables = (*self.sigma_y.values(), *self.sigma_z.values(), self.mixing_m)
        if any(len(table) != len(STABILITIES) for table in tables):
            raise ValueError(f"give one entry per class {', '.join(STABILITIES)}")
        if {*self.sigma_y, *self.sigma_z} != {"urban", "rural"}:
            raise ValueError("sigma_y and sigma_z must name urban and rural")
        if not 0 < self.direct_km.value < self.reach_km.value:
            raise ValueError("direct_km must lie between 0 and reach_km")
        return self


class ClusterSettings(Settings):
    """Clusters of trajectories: points per path, largest number, seeding.

    The number is the smallest at which one cluster more would explain less than ``least_gain`` of the
    total spatial variance (that of a single cluster).
    """

    every_hours: int = Field(gt=0)
    most: int = Field(ge=1)
    least_gain: Marked
    seed: int
    restarts: int = Field(ge=1)


class WeightStep(Settings):
    """Weight of a cell with more points than ``over`` times the mean of the cells that air has crossed."""

    over: float = Field(ge=0)
    weight: Marked


class SeasonSettings(Settings):
    """PSCF and CWT: cell size, quantile of the threshold, weights by the number of points in a cell.

    The first of ``weights`` whose ``over`` is exceeded holds.
    """

    step_deg: float = Field(gt=0)
    quantile: float = Field(gt=0, lt=1)
    weights: tuple[WeightStep, ...]

    @model_validator(mode="after")
    def _falling(self) -> SeasonSettings:
        over = [step.over for step in self.weights]
        if not over or over[-1] != 0 or over != sorted(set(over), reverse=True):
            raise ValueError("the weights' 'over' must fall and end with 0")
        return self


class OzoneAirSettings(Settings):
    """The air that decides a day's MDA8: hours of arrival, and lifetimes of its precursors in sunlight.

    ``lifetime_h`` takes the place of the usual lifetime of the precursors that it names.
    """

    arrival_hours: tuple[int, ...]
    lifetime_h: dict[Precursor, Marked]


class TransportSettings(Settings):
    """Settings of the transport room.

    The wind that carries the air is that of the file times ``factor_10m`` (hourly to 6-hourly files)
    or ``factor_daily`` (files of daily means, whose height is not stated); where the weather has winds
    on pressure levels, the mean of the levels in the boundary layer; where it has vertical motion too,
    the wind at the parcel (``dimensions`` ``auto``; ``2d`` keeps to the layer).

    The ensemble has one member per pair of rotation (degrees, anticlockwise) and speed ratio, one per
    height of ``heights_m``, and those of ``perturbation``. Heights act by the levels where there are
    any, else by a power law about ``reference_height_m``.

    ``lifetime_h`` weighs the age t of the air by exp(−t/lifetime), per precursor; ``ozone`` says which air
    makes a day's ozone; ``formation_h`` is the time in which a gas turns into particles, ``scavenging``
    (hour⁻¹ at 1 mm/h) and its exponent the loss by rain. A parcel's place is spread with a standard
    deviation of ``spread_start_km`` + ``spread_growth_kmh`` · age. ``mixing_height_m`` holds where no
    boundary-layer height is known, ``mixing_floor_m`` is the least that counts.
    """

    hours: int = Field(gt=0)
    step_minutes: int = Field(gt=0)
    arrival_every_hours: int = Field(gt=0)
    scheme: Literal["rk4", "petterssen"]
    dimensions: Literal["auto", "2d"]
    rotations_deg: tuple[float, ...]
    speed_ratios: tuple[float, ...]
    heights_m: tuple[float, ...]
    perturbation: PerturbationSettings
    factor_10m: Marked
    factor_daily: Marked
    reference_height_m: Marked
    height_exponent: Marked
    mixing_height_m: Marked
    mixing_floor_m: Marked
    lifetime_h: dict[Precursor, Marked]
    ozone: OzoneAirSettings
    formation_h: dict[Precursor, Marked]
    scavenging: dict[Precursor, Marked]
    scavenging_exponent: Marked
    spread_start_km: Marked
    spread_growth_kmh: Marked
    grid: GridSettings
    plume: PlumeSettings
    clusters: ClusterSettings
    season: SeasonSettings

    @model_validator(mode="after")
    def _sensible(self) -> TransportSettings:
        if 60 % self.step_minutes:
            raise ValueError("step_minutes must divide the hour")
        if 24 % self.arrival_every_hours:
            raise ValueError("arrival_every_hours must divide the day")
        if 0.0 not in self.rotations_deg or 1.0 not in self.speed_ratios:
            raise ValueError("the ensemble must hold the unturned, unscaled member (rotation 0, ratio 1)")
        for name in ("lifetime_h", "scavenging"):
            if set(getattr(self, name)) != set(Precursor):
                raise ValueError(f"{name} must name {', '.join(Precursor)}")
        gases = set(Precursor) - {Precursor.PM}
        if set(self.formation_h) != gases:
            raise ValueError(f"formation_h must name {', '.join(sorted(gases))}")
        return self
