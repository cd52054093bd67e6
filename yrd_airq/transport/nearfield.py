"""What sources within some tens of kilometres give a receptor, and how that joins the footprint.

The footprint smooths over a dozen kilometres and cannot tell neighbours apart; a plume can. Near a
source the plume counts, far from it the footprint, and between both, so that nothing counts twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from yrd_airq.clock import day_labels, day_of_label
from yrd_airq.errors import InputError
from yrd_airq.region import distance_km
from yrd_airq.transport.footprint import Ageing, Footprint, weight_by_age
from yrd_airq.transport.kernel import METRES_PER_DEGREE, Lattice, sample_along
from yrd_airq.transport.plume import clear_sky_radiation, plume_concentration, stability_class
from yrd_airq.transport.settings import PlumeSettings, TransportSettings
from yrd_airq.transport.trajectory import ONE_AT_A_TIME, Member
from yrd_airq.transport.winds import lattice_of, seconds_of

Array = NDArray[np.float64]
_RING = 6
"""Points on each ring around a receptor's centre."""


@dataclass(frozen=True)
class NearField:
    """Concentration per emission from the sources near each receptor.

    For receptor r, ``sources[r]`` numbers the sources within reach and ``value[r]`` has the shape
    (precursor, day, member, near source), in s/m³ (g/m³ per g/s), day means. ``part[r]`` is the part of
    each near source that the plume stands for, 1 near to 0 at the end of its reach.
    """

    sources: tuple[NDArray[np.int64], ...]
    value: tuple[Array, ...]
    part: tuple[Array, ...]
    receptors: tuple[str, ...]
    days: tuple[date, ...]
    members: tuple[Member, ...]
    count: int

    def dense(self, receptor: int) -> Array:
        """Values of all sources, (precursor, day, member, source); nought beyond reach."""
        near = self.value[receptor]
        out = np.zeros((*near.shape[:3], self.count))
        out[..., self.sources[receptor]] = near
        return out


def near_part(distance: ArrayLike, settings: PlumeSettings) -> Array:
    """Part of a source that its plume stands for, by distance in km; the footprint has the rest."""
    direct, reach = settings.direct_km.value, settings.reach_km.value
    return np.clip((reach - np.asarray(distance, dtype=float)) / (reach - direct), 0, 1)


def near_field(
    sources: ArrayLike,
    receptors: Mapping[str, tuple[float, float]],
    days: tuple[date, ...],
    members: tuple[Member, ...],
    weather: xr.Dataset,
    settings: TransportSettings,
    source_height_m: ArrayLike | None = None,
    ageing: Ageing = Ageing.EMITTED,
) -> NearField:
    """Plumes of sources (n, 2; degrees, blank positions give nothing) at receptors, by day and member.

    The hours of a day are weighed alike; wind, sun and mixing height are those at the receptor, the wind
    turned and scaled by the member (heights and perturbations of members are left out). Loss or ageing
    goes by the travel time.
    """
    place = np.asarray(sources, dtype=float).reshape(-1, 2)
    labels = pd.DatetimeIndex(np.concatenate([day_labels(day, day) for day in days]))
    hourly = _weather_at(weather, receptors, labels - pd.Timedelta(minutes=30), settings)
    height = settings.plume.source_height_m.value if source_height_m is None else source_height_m
    height = np.broadcast_to(np.asarray(height, dtype=float), len(place))
    day = pd.DatetimeIndex(days).get_indexer(day_of_label(labels))
    to_day = np.eye(len(days))[day] / np.bincount(day)[day][:, None]
    found = [
        _one_receptor(
            place, np.array(at, dtype=float), height, hourly.of(r), members, to_day, settings, ageing
        )
        for r, at in enumerate(receptors.values())
    ]
    return NearField(
        sources=tuple(index for index, _, _ in found),
        value=tuple(value for _, value, _ in found),
        part=tuple(part for _, _, part in found),
        receptors=tuple(receptors),
        days=days,
        members=members,
        count=len(place),
    )


def blended_per_km2(
    footprint: Footprint, near: NearField, receptor: int, lon: ArrayLike, lat: ArrayLike
) -> Array:
    """Weight per km² at sources as ``Footprint.per_km2_at``, with the plume in the place of near ones.

    (precursor, day, member, source). The plume's s/m³ become weights per km² by the footprint's strength.
    ``InputError`` if the footprint has none or the two do not belong together.
    """
    if footprint.strength_sm is None:
        raise InputError("the footprint carries no strength, so plumes cannot be joined to it")
    same = footprint.receptors == near.receptors and footprint.days == near.days
    if not same or footprint.members != near.members:
        raise InputError("footprint and near field differ in receptors, days or members")
    value = footprint.per_km2_at(receptor, lon, lat)
    index, part = near.sources[receptor], near.part[receptor]
    as_weight = near.value[receptor] * 1e6 / footprint.strength_sm[:, receptor, ..., None]
    value[..., index] = (1 - part) * value[..., index] + part * as_weight
    return value


@dataclass(frozen=True)
class _Hourly:
    """Hourly weather at the receptors, each (receptor, hour)."""

    u: Array
    v: Array
    stability: NDArray[np.int64]
    mixing: Array
    wander_deg: float

    def of(self, receptor: int) -> _Hourly:
        """That of one receptor, (1, hour)."""
        k = slice(receptor, receptor + 1)
        return _Hourly(self.u[k], self.v[k], self.stability[k], self.mixing[k], self.wander_deg)

    def at_each(self, points: int) -> _Hourly:
        """That of one receptor at each of its points, (point, hour)."""
        u, v, mixing = (np.repeat(field, points, axis=0) for field in (self.u, self.v, self.mixing))
        return _Hourly(u, v, np.repeat(self.stability, points, axis=0), mixing, self.wander_deg)


def _points_around(at: Array, spread_km: float) -> Array:
    """The receptor's centre and rings of points at half and at the whole spread, (point, 2)."""
    if spread_km == 0:
        return at[None, :]
    angle = np.arange(_RING) * 2 * np.pi / _RING
    ring = np.column_stack([np.sin(angle) / np.cos(np.radians(at[1])), np.cos(angle)])
    per_km = 1000 / METRES_PER_DEGREE
    return np.vstack([at[None, :], *(at + ring * radius * spread_km * per_km for radius in (0.5, 1.0))])


def _weather_at(
    weather: xr.Dataset,
    receptors: Mapping[str, tuple[float, float]],
    times: pd.DatetimeIndex,
    settings: TransportSettings,
) -> _Hourly:
    """Wind, stability and mixing height at the receptors; stated defaults for what the weather lacks."""
    if not {"u10_ms", "v10_ms"} <= set(weather.data_vars):
        raise InputError("plumes need 10 m winds (u10_ms, v10_ms)")
    lattice = lattice_of(weather)
    place = np.array(list(receptors.values()), dtype=float)
    u, v = (_read(weather, name, lattice, place, times) for name in ("u10_ms", "v10_ms"))
    assert u is not None and v is not None
    if not (np.isfinite(u).all() and np.isfinite(v).all()):
        raise InputError("a receptor lies off the weather grid or its wind is blank; fetch a larger area")
    sun = _read(weather, "ssrd_wm2", lattice, place, times)
    daily = bool((weather["step_hours"].values == 24).any())
    if sun is None or daily:
        sun = clear_sky_radiation(times, place[:, :1], place[:, 1:])
    stability = stability_class(np.hypot(u, v), sun)
    mixing = _read(weather, "blh_m", lattice, place, times)
    by_class = np.array([depth.value for depth in settings.plume.mixing_m])[stability]
    mixing = by_class if mixing is None else np.maximum(mixing, settings.mixing_floor_m.value)
    plume = settings.plume
    wander = plume.wander_daily_deg.value if daily else plume.wander_deg.value
    return _Hourly(u, v, stability, mixing, wander)


def _read(
    weather: xr.Dataset, name: str, lattice: Lattice, place: Array, times: pd.DatetimeIndex
) -> Array | None:
    """A field at places and times, (place, time); None where the weather lacks it or has blanks."""
    if name not in weather or bool(weather[name].isnull().any()):
        return None
    field = np.ascontiguousarray(weather[name].transpose("time", "lat", "lon").values, dtype=float)
    shape = (len(place), len(times))
    seconds = np.ascontiguousarray(np.broadcast_to(seconds_of(times), shape).reshape(-1))
    lon, lat = (np.repeat(place[:, k], len(times))[:, None] for k in (0, 1))
    with ONE_AT_A_TIME:
        return np.asarray(sample_along(field, lattice, lon, lat, seconds, 0.0)).reshape(shape)


def _one_receptor(
    place: Array,
    at: Array,
    height: Array,
    hourly: _Hourly,
    members: tuple[Member, ...],
    to_day: Array,
    settings: TransportSettings,
    ageing: Ageing,
) -> tuple[NDArray[np.int64], Array, Array]:
    """Near sources of one receptor, their values (precursor, day, member, source), and their parts."""
    distance = distance_km(place[:, 0], place[:, 1], at[0], at[1])
    near = np.flatnonzero(distance < settings.plume.reach_km.value)
    speed = np.hypot(hourly.u, hourly.v)
    points = _points_around(at, settings.plume.receptor_spread_km.value)
    over = hourly.at_each(len(points))
    values = []
    for member in members:
        turn = np.radians(member.rotation_deg)
        c, s = member.speed_ratio * np.cos(turn), member.speed_ratio * np.sin(turn)
        plume = plume_concentration(
            place[near],
            points,
            c * over.u - s * over.v,
            s * over.u + c * over.v,
            over.stability,
            over.mixing,
            settings.plume,
            height[near],
            over.wander_deg,
        ).mean(axis=1)
        pace = np.maximum(member.speed_ratio * speed, settings.plume.calm_ms.value)
        kept = weight_by_age((distance[near, None] / (3.6 * pace)).ravel(), settings, ageing)
        values.append(np.einsum("psh,sh,hd->pds", kept.reshape(-1, *plume.shape), plume, to_day))
    return near, np.stack(values, axis=2), near_part(distance[near], settings.plume)
