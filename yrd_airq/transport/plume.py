"""The Gaussian plume of one source: stability of the air, spread, concentration per unit of emission.

Steady plume with reflection at the ground and at the top of the mixed layer; beyond a spread of some
part of the mixing height the air is taken as evenly mixed in the vertical.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from yrd_airq.transport.kernel import METRES_PER_DEGREE
from yrd_airq.transport.settings import STABILITIES, PlumeSettings

G_PER_S_PER_TPA = 1e6 / (365 * 86_400)
"""Grams a second of one tonne a year."""
_WIND_STEPS = (2.0, 3.0, 5.0, 6.0)
_SUN_STEPS = (175.0, 675.0, 925.0)
_DAY = ("DDDDD", "BCCDD", "ABBCD", "AABCC")
_NIGHT_STEPS, _NIGHT = (2.0, 2.5), "FED"
_REFLECTIONS = range(-2, 3)
Array = NDArray[np.float64]


def stability_class(wind_ms: ArrayLike, radiation_wm2: ArrayLike) -> NDArray[np.int64]:
    """Pasquill class (index in ``STABILITIES``) from the 10 m wind and the sun's radiation, broadcast.

    The solar radiation/delta-T method, with an inversion at night (no radiation): EPA-454/R-99-005,
    table 6-7.
    """
    wind, sun = np.broadcast_arrays(np.asarray(wind_ms, float), np.asarray(radiation_wm2, float))
    table = np.array([[STABILITIES.index(letter) for letter in row] for row in _DAY])
    night = np.array([STABILITIES.index(letter) for letter in _NIGHT])
    by_day = table[np.searchsorted(_SUN_STEPS, sun, "right"), np.searchsorted(_WIND_STEPS, wind, "right")]
    return np.where(sun > 0, by_day, night[np.searchsorted(_NIGHT_STEPS, wind, "right")]).astype(np.int64)


def clear_sky_radiation(times: pd.DatetimeIndex, lon: ArrayLike, lat: ArrayLike) -> Array:
    """Radiation (W/m²) of the sun in a clear sky at Beijing times and places, broadcast; nought at night.

    990 sin(elevation) − 30: Kasten and Czeplak 1980, Solar Energy 24, 177. Declination of the sun by
    Cooper 1969; the equation of time is left out (error up to a quarter of an hour).
    """
    day, hour = times.dayofyear.to_numpy(), (times.hour + times.minute / 60).to_numpy()
    declination = np.radians(23.45) * np.sin(2 * np.pi * (284 + day) / 365)
    angle = np.radians(15 * (hour - 12) + np.asarray(lon, dtype=float) - 120)
    phi = np.radians(np.asarray(lat, dtype=float))
    sine = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(angle)
    return np.clip(990 * sine - 30, 0, None)


def dispersion(distance_m: ArrayLike, stability: ArrayLike, settings: PlumeSettings) -> tuple[Array, Array]:
    """Standard deviations (m) of a plume across the wind and in the vertical; source: ``sigma_source``."""
    x, k = np.asarray(distance_m, dtype=float), np.asarray(stability, dtype=np.int64)
    out = []
    for table in (settings.sigma_y, settings.sigma_z):
        a, b, c = np.moveaxis(np.array(table[settings.terrain])[k], -1, 0)
        out.append(np.asarray(a * x * (1 + b * x) ** c))
    return out[0], out[1]


def plume_at(
    downwind_m: ArrayLike,
    crosswind_m: ArrayLike,
    height_m: ArrayLike,
    wind_ms: ArrayLike,
    stability: ArrayLike,
    mixing_m: ArrayLike,
    source_height_m: ArrayLike,
    settings: PlumeSettings,
    wander_deg: float = 0.0,
) -> Array:
    """Concentration per emission (g/m³ per g/s, that is s/m³) at points about a source, broadcast.

    Nought upwind, above the mixed layer, and below it for a source above it. Winds below ``calm_ms``
    count as that. ``wander_deg``: standard deviation of the wind direction, added to the spread.
    """
    x, y, z, wind, mixing, source = np.broadcast_arrays(
        *(
            np.asarray(v, dtype=float)
            for v in (downwind_m, crosswind_m, height_m, wind_ms, mixing_m, source_height_m)
        )
    )
    along = np.maximum(x, 1.0)
    sigma_y, sigma_z = dispersion(along, stability, settings)
    sigma_y = np.hypot(sigma_y, along * np.tan(np.radians(wander_deg)))
    speed = np.maximum(wind, settings.calm_ms.value)
    across = np.exp(-(y**2) / (2 * sigma_y**2)) / (np.sqrt(2 * np.pi) * sigma_y)
    images = np.zeros(np.broadcast_shapes(x.shape, np.shape(sigma_z)))
    for k in _REFLECTIONS:
        for side in (-1, 1):
            images += np.exp(-((z + side * source + 2 * k * mixing) ** 2) / (2 * sigma_z**2))
    vertical = np.where(
        sigma_z > settings.cap_ratio.value * mixing, 1 / mixing, images / (np.sqrt(2 * np.pi) * sigma_z)
    )
    inside = (x > 0) & (z <= mixing) & (source <= mixing)
    return np.where(inside, across * vertical / speed, 0.0)


def plume_concentration(
    sources: ArrayLike,
    receptors: ArrayLike,
    u_ms: ArrayLike,
    v_ms: ArrayLike,
    stability: ArrayLike,
    mixing_m: ArrayLike,
    settings: PlumeSettings,
    source_height_m: ArrayLike | None = None,
    wander_deg: float = 0.0,
) -> Array:
    """Concentration at the ground per emission (s/m³), shape (source, receptor, hour).

    ``sources`` and ``receptors``: (n, 2), degrees east and north. Wind, stability and mixing height are
    those of each hour, (hour,), or of each receptor and hour, (receptor, hour). ``source_height_m`` per
    source. Nought beyond ``reach_km``.
    """
    place, at = (np.atleast_2d(np.asarray(p, dtype=float)) for p in (sources, receptors))
    height = settings.source_height_m.value if source_height_m is None else source_height_m
    height = np.broadcast_to(np.asarray(height, dtype=float), len(place))
    weather = [np.asarray(w, dtype=float) for w in (u_ms, v_ms, mixing_m)]
    kind = np.asarray(stability, dtype=np.int64)
    shape = (len(at), np.broadcast_shapes(*(w.shape for w in weather), kind.shape)[-1])
    u, v, mixing = (np.broadcast_to(w, shape) for w in weather)
    kind = np.broadcast_to(kind, shape)
    s, r, downwind, crosswind = _pairs_in_reach(place, at, np.arctan2(u, v), settings.reach_km.value)
    # Most pairs and hours lie upwind or far beside the plume; only the others are worth an exponential.
    pair, hour = np.nonzero((downwind > 0) & (np.abs(crosswind) < 4 * downwind))
    out = np.zeros((len(place), *shape))
    rows = r[pair]
    out[s[pair], rows, hour] = plume_at(
        downwind[pair, hour],
        crosswind[pair, hour],
        0.0,
        np.hypot(u, v)[rows, hour],
        kind[rows, hour],
        mixing[rows, hour],
        height[s[pair]],
        settings,
        wander_deg,
    )
    return out


def _pairs_in_reach(
    place: Array, at: Array, direction: Array, reach_km: float
) -> tuple[NDArray[np.int64], NDArray[np.int64], Array, Array]:
    """Source and receptor of each pair within reach; metres along and across the wind, (pair, hour).

    ``direction`` (receptor, hour), radians clockwise from north, is where the wind blows to. Dead calm has
    none; the north that arctan2 gives is as good as any.
    """
    east, north = _offset_m(place[:, None], at[None])
    s, r = np.nonzero(np.hypot(east, north) <= reach_km * 1000)
    dx, dy = east[s, r][:, None], north[s, r][:, None]
    sine, cosine = np.sin(direction)[r], np.cos(direction)[r]
    return s, r, dx * sine + dy * cosine, dx * cosine - dy * sine


def _offset_m(place: Array, at: Array) -> tuple[Array, Array]:
    """Metres east and north from a place to another, on the plane that touches the earth between them."""
    middle = np.radians((place[..., 1] + at[..., 1]) / 2)
    east = (at[..., 0] - place[..., 0]) * METRES_PER_DEGREE * np.cos(middle)
    return east, (at[..., 1] - place[..., 1]) * METRES_PER_DEGREE
