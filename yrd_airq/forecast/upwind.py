"""Where the air of a target day comes from: cities displaced backwards along the winds of the days before."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

KERNEL_KM = 80.0
KM_PER_DEG = 111.195
SECONDS_KM = 86.4  # kilometres a day of one metre a second
STEPS_PER_DAY = 2
# Far places still count where there is no nearer one, so that a path never ends in nothing.
_FAINT = np.float32(1e-6)
_LEAST = np.float32(1e-6)


def trace_back(cities: Array, places: Array, u: Array, v: Array) -> list[tuple[Array, Array]]:
    """Longitude and latitude, each (issue, city), after every day backwards.

    ``cities`` and ``places`` (n, 2) are positions; ``u``, ``v`` (day, place, issue) the daily winds in m/s,
    newest day first. The wind at a point is the kernel mean of the places around it; a point whose wind is
    unknown stays where it is. The near-surface wind of the day stands for that of the layer that is mixed.
    """
    shape = (u.shape[2], len(cities))
    lon, lat = (np.broadcast_to(x, shape).astype(np.float32) for x in cities.T)
    north_km = np.float32(SECONDS_KM / STEPS_PER_DAY / KM_PER_DEG)
    ends = []
    for day in range(u.shape[0]):
        wind = np.stack([u[day].T, v[day].T], axis=-1)
        for _ in range(STEPS_PER_DAY):
            moved = np.nan_to_num(sample(lon, lat, places, wind))
            lon -= moved[..., 0] * north_km / np.cos(np.radians(lat))
            lat -= moved[..., 1] * north_km
        ends.append((lon.copy(), lat.copy()))
    return ends


def sample(lon: Array, lat: Array, places: Array, fields: Array) -> Array:
    """Fields (issue, place, field) at points (issue, city): kernel means, (issue, city, field).

    Gaussian kernel of 80 km over the places with a value, more weakly those beyond. Points are drawn back
    to the rectangle of the places, outside of which nothing is known. NaN where no place has a value.
    """
    x, y = places[:, 0].astype(np.float32), places[:, 1].astype(np.float32)
    lon, lat = np.clip(lon, x.min(), x.max()), np.clip(lat, y.min(), y.max())
    east = np.float32(KM_PER_DEG * np.cos(np.radians(y.mean())) / KERNEL_KM)
    north = np.float32(KM_PER_DEG / KERNEL_KM)
    square = ((lon[..., None] - x) * east) ** 2
    square += ((lat[..., None] - y) * north) ** 2
    weight = np.exp(np.float32(-0.5) * square)
    weight += _FAINT / (1 + square)
    seen = np.isfinite(fields)
    top = weight @ np.where(seen, fields, np.float32(0)).astype(np.float32)
    if seen.all():
        return np.asarray(top / weight.sum(axis=-1, keepdims=True))
    norm = weight @ seen.astype(np.float32)
    return np.where(norm > _FAINT * _LEAST, top / np.maximum(norm, _FAINT * _LEAST), np.float32(np.nan))
