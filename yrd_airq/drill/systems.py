"""Weather systems: travelling highs, lows and eddies, drawn day by day, and the sum of their bells."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numba
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.drill.chance import normal, uniform
from yrd_airq.drill.grid import KM_PER_DEGREE
from yrd_airq.drill.weather_settings import ActivitySettings, FamilySettings, monthly

Array = NDArray[np.float64]

LON0, LAT0 = 117.0, 31.0
"""Origin of the plane on which systems move, degrees."""

_KM_PER_LON = KM_PER_DEGREE * np.cos(np.radians(LAT0))
_EPOCH = pd.Timestamp("2000-01-01")
# (1 − r²/12)^6 is close to exp(−r²/2) and nought from r = √12 on, so that a system ends somewhere.
_REACH2 = 12.0
_ACTIVITY = 999


@dataclass(frozen=True)
class Systems:
    """Systems, one value each: time of full strength and half life (h), place there (km), speed (km/h), ...

    ``strength`` in hPa (or units of cloudiness), ``radius`` of the bell (km), ``aspect`` and ``angle`` of its
    long axis (radians), ``upper`` and ``lag_x, lag_y`` as of the family; ``skill`` (h). ``drift_x,
    drift_y`` (km/h of lead) and ``swell`` (1/h of lead) are a forecast's errors, nought in the truth;
    ``invented`` is 1 for systems that only a forecast has.
    """

    at: Array
    half_life: Array
    x: Array
    y: Array
    u: Array
    v: Array
    strength: Array
    radius: Array
    aspect: Array
    angle: Array
    upper: Array
    lag_x: Array
    lag_y: Array
    skill: Array
    drift_x: Array
    drift_y: Array
    swell: Array
    invented: Array
    family: Array
    number: Array

    def table(self) -> Array:
        """All values, shape (system, quantity), for the compiled sum."""
        return np.column_stack([getattr(self, item.name) for item in fields(self)])


def hours_of(times: pd.DatetimeIndex) -> Array:
    """Hours since the epoch of the drawing of systems."""
    return np.asarray((times - _EPOCH) / pd.Timedelta(hours=1), dtype=float)


def draw_systems(
    families: tuple[FamilySettings, ...],
    activity: ActivitySettings,
    first_hour: float,
    last_hour: float,
    *seed: int,
) -> Systems:
    """Every system that lives between two hours, in the order of family and birth; ``seed`` is an address."""
    parts = [
        _draw_family(family, activity, first_hour, last_hour, (*seed, index))
        for index, family in enumerate(families)
    ]
    return join(parts)


def join(parts: list[Systems]) -> Systems:
    """Systems of several catalogues as one."""
    names = [item.name for item in fields(Systems)]
    return Systems(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _draw_family(
    family: FamilySettings, activity: ActivitySettings, first: float, last: float, seed: tuple[int, ...]
) -> Systems:
    reach = 12 * family.life_days[1]
    slot_hours = 24 / family.per_day
    slot = np.arange(np.floor((first - reach) / slot_hours), np.ceil((last + reach) / slot_hours) + 1)
    number = slot.astype(np.int64)

    def between(low_high: tuple[float, float], what: int) -> Array:
        low, high = low_high
        return low + (high - low) * uniform(*seed, number, what)

    def about(mean_spread: tuple[float, float], what: int) -> Array:
        return mean_spread[0] + mean_spread[1] * normal(*seed, number, what)

    at = slot_hours * (slot + uniform(*seed, number, 0))
    heading, speed = np.radians(about(family.heading, 1)), 3.6 * about(family.speed_ms, 2)
    spell = 1.0 if family.skill_days < 1 else _activity(activity, at, seed[0])
    nought = np.zeros(len(at))
    return Systems(
        at=at,
        half_life=12 * between(family.life_days, 3),
        x=(between(family.lon, 4) - LON0) * _KM_PER_LON,
        y=(between(family.lat, 5) - LAT0) * KM_PER_DEGREE,
        u=speed * np.cos(heading),
        v=speed * np.sin(heading),
        strength=about(family.amplitude, 6) * monthly(family.season, _day_of_year(at)) * spell,
        radius=between(family.radius_km, 7),
        aspect=nought + np.sqrt(family.aspect),
        angle=np.radians(family.tilt_deg) + 0.3 * normal(*seed, number, 8),
        upper=nought + family.upper,
        lag_x=-family.lag_km * np.cos(heading),
        lag_y=-family.lag_km * np.sin(heading),
        skill=nought + 24 * family.skill_days,
        drift_x=nought,
        drift_y=nought,
        swell=nought,
        invented=nought,
        family=nought + seed[-1],
        number=slot,
    )


def _activity(settings: ActivitySettings, at: Array, seed: int) -> Array:
    position = at / (24 * settings.days)
    slot = np.floor(position).astype(np.int64)
    part = position - slot
    drawn = (1 - part) * normal(seed, _ACTIVITY, slot) + part * normal(seed, _ACTIVITY, slot + 1)
    return np.maximum(settings.least, 1 + settings.spread * drawn)


def _day_of_year(hours: Array) -> Array:
    """Day of the year with its fraction, in a year of 365.25 days; good to a day."""
    return (hours / 24) % 365.25 + 1


def plane(lon: Array, lat: Array) -> tuple[Array, Array]:
    """Places on the plane of the systems, km."""
    return (lon - LON0) * _KM_PER_LON, (lat - LAT0) * KM_PER_DEGREE


def add_up(
    systems: Systems, hours: Array, lon: Array, lat: Array, reference: float = np.inf
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Sum of the bells near the ground and at the world's top, each (hour, lat, lon), at ``hours``.

    ``reference`` is the hour from which the leads of a forecast count.
    """
    x, y = plane(lon, lat)
    low = np.zeros((len(hours), len(lat), len(lon)), dtype=np.float32)
    high = np.zeros_like(low) if systems.upper.any() else np.zeros((0, 0, 0), dtype=np.float32)
    _add_bells(low, high, x, y, hours, reference, systems.table())
    return low, high


@numba.njit(cache=True, error_model="numpy")
def _add_bells(low, high, x, y, hours, reference, table):  # type: ignore[no-untyped-def]
    step = hours[1] - hours[0] if len(hours) > 1 else 1.0
    for k in range(table.shape[0]):
        at, half, x0, y0, u, v, strength, radius, aspect, angle, upper, lag_x, lag_y = table[k, :13]
        skill, drift_x, drift_y, swell, invented = table[k, 13:18]
        first = max(0, int(np.ceil((at - half - hours[0]) / step)))
        last = min(len(hours) - 1, int(np.floor((at + half - hours[0]) / step)))
        for t in range(first, last + 1):
            age = hours[t] - at
            lead = max(0.0, hours[t] - reference)
            size = strength * np.cos(0.5 * np.pi * age / half) ** 2
            if lead > 0.0 or invented > 0.0:
                known = np.exp(-lead / skill)
                size *= np.sqrt(1 - known**2) if invented > 0.0 else known * max(0.0, 1 + swell * lead)
            if size == 0.0:
                continue
            xc, yc = x0 + u * age + drift_x * lead, y0 + v * age + drift_y * lead
            _add_bell(low[t], x, y, xc, yc, size, radius, aspect, angle)
            if upper != 0.0:
                _add_bell(high[t], x, y, xc + lag_x, yc + lag_y, size * upper, radius, aspect, angle)


@numba.njit(cache=True, error_model="numpy")
def _add_bell(out, x, y, xc, yc, size, radius, aspect, angle):  # type: ignore[no-untyped-def]
    reach = radius * aspect * np.sqrt(_REACH2)
    along, across = radius * aspect * np.sqrt(_REACH2), radius / aspect * np.sqrt(_REACH2)
    cos, sin = np.cos(angle), np.sin(angle)
    # Columns within reach; the axes are regular.
    per_km = (len(x) - 1) / (x[-1] - x[0])
    first = max(0, int(np.ceil((xc - reach - x[0]) * per_km)))
    last = min(len(x), int(np.floor((xc + reach - x[0]) * per_km)) + 1)
    for j in range(len(y)):
        dy = y[j] - yc
        if abs(dy) > reach:
            continue
        for i in range(first, last):
            dx = x[i] - xc
            a, b = (dx * cos + dy * sin) / along, (dy * cos - dx * sin) / across
            rest = max(0.0, 1.0 - (a * a + b * b))
            cube = rest * rest * rest
            out[j, i] += np.float32(size * cube * cube)
