"""What the readers of gridded weather share: canonical names, header, cut, field of a file, layout."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.vocab import WeatherKind

Values = NDArray[np.float64]
Positions = NDArray[np.int64]

SURFACE = ("u10_ms", "v10_ms", "t2m_k", "rh_pct", "sp_pa", "blh_m", "precip_mmh", "ssrd_wm2", "tcc")
"""Fields of dimensions time, lat, lon; rain and radiation are means over the step that ends at the time."""

UPPER = ("u_ms", "v_ms", "w_pas", "t_k", "q_kgkg", "z_m")
"""Fields of dimensions time, level, lat, lon; ``w_pas`` is dp/dt, ``z_m`` the geopotential height."""

COMPOSITION = ("pm25_ugm3", "pm10_ugm3", "o3_ugm3", "no2_ugm3", "so2_ugm3", "co_mgm3")
"""Concentrations near the ground; gases at 298.15 K and 1013.25 hPa, particles at actual conditions."""

STEPS_HOURS = (1, 3, 6, 24)


@dataclass(frozen=True)
class Header:
    """A weather file's own description.

    ``stamps`` are naive Beijing times, rising (daily files: midnight of the Beijing day); each stands for
    the ``steps`` hours that end there. ``issue_time`` is set for forecasts only. ``lat``, ``lon`` and
    ``levels`` (hPa, empty without any) rise. ``variables`` are the canonical fields that can be had.
    """

    layout: str
    kind: WeatherKind
    issue_time: pd.Timestamp | None
    stamps: pd.DatetimeIndex
    steps: Positions
    lat: Values
    lon: Values
    variables: tuple[str, ...]
    levels: Values = field(default_factory=lambda: np.empty(0))

    @property
    def step_hours(self) -> int:
        """The finest step of the file."""
        return int(self.steps.min())

    @property
    def missing(self) -> pd.DatetimeIndex:
        """Stamps that are absent between the first and the last."""
        widths = np.diff(self.stamps.values) / np.timedelta64(1, "h")
        spans = [
            pd.date_range(self.stamps[at], self.stamps[at + 1], freq=f"{self.steps[at + 1]}h")[1:-1]
            for at in np.flatnonzero(widths > self.steps[1:]).tolist()
        ]
        return pd.DatetimeIndex(np.concatenate(spans)) if spans else self.stamps[:0]


@dataclass(frozen=True)
class Cut:
    """What is wanted of a file: canonical ``names``, positions in time, rows and columns (of rising axes)."""

    names: tuple[str, ...]
    at: Positions
    rows: slice
    columns: slice


@dataclass(frozen=True)
class Unit:
    """What a unit means: the factor to the canonical unit, and whether the values are sums over time."""

    factor: float = 1.0
    summed: bool = False


@dataclass(frozen=True)
class Field:
    """A canonical field and how it may appear in a file: its names there and the units it may be in.

    ``floor`` is the largest fall, in canonical units, that a running sum may show by rounding.
    """

    name: str
    options: tuple[str, ...]
    units: Mapping[str, Unit]
    floor: float = 0.0


@dataclass(frozen=True)
class Layout:
    """A way to lay out weather in NetCDF: its name, how to know it, and its two readers.

    ``describe`` takes an open dataset and the file's name and raises ``InputError`` for what does not
    fit. ``read`` gives the fields of a cut in the order time[, level], lat, lon; blank is NaN.
    """

    name: str
    looks: str
    matches: Callable[[xr.Dataset], bool]
    describe: Callable[[xr.Dataset, str], Header]
    read: Callable[[xr.Dataset, Header, Cut], dict[str, Values]]


def unit_of(variable: xr.DataArray, wanted: Field, name: str) -> Unit:
    """Meaning of a variable's unit attribute; ``InputError`` if it is blank or not one of those known."""
    text = str(variable.attrs.get("units", "")).strip()
    if not text:
        raise InputError(
            f"{name}: {variable.name} has no unit attribute; make sure of its unit and write it, "
            f"like {next(iter(wanted.units))!r}"
        )
    unit = wanted.units.get(" ".join(text.replace("**", "").replace("^", "").split()))
    if unit is None:
        raise InputError(
            f"{name}: {variable.name} is in {text!r}; convert it to {next(iter(wanted.units))!r}"
        )
    return unit


def find_fields(dataset: xr.Dataset, table: tuple[Field, ...], name: str) -> dict[str, tuple[str, Unit]]:
    """Name in the file and unit of every field of ``table`` that the file has, by canonical name."""
    found = {}
    for wanted in table:
        option = next((text for text in wanted.options if text in dataset.data_vars), None)
        if option is not None:
            found[wanted.name] = (option, unit_of(dataset[option], wanted, name))
    return found
