"""From a curvilinear grid to a regular one: linear on the triangles between the points."""

from __future__ import annotations

import numpy as np
from scipy.spatial import Delaunay

from yrd_airq.errors import InputError
from yrd_airq.sources.netcdf_layout import Positions, Values


class Regridder:
    """Carries fields from the points ``lat``, ``lon`` (time or 1, south_north, west_east) to a regular grid.

    Weights are made once for each position of the domain; outside it values are blank.
    """

    def __init__(self, lat: Values, lon: Values, to_lat: Values, to_lon: Values) -> None:
        corners = np.column_stack([lat[:, 0, 0], lon[:, 0, 0], lat[:, -1, -1], lon[:, -1, -1]]).round(5)
        _, first, self._place = np.unique(corners, axis=0, return_index=True, return_inverse=True)
        self._shape = (len(to_lat), len(to_lon))
        self._weights = [_triangles(lat[at], lon[at], to_lat, to_lon) for at in first]

    def apply(self, values: Values, at: Positions) -> Values:
        """Values (time, …, south_north, west_east) of the times ``at`` as (time, …, lat, lon)."""
        place = self._place.ravel()
        place = place[at] if len(place) > 1 else np.zeros(len(at), dtype=np.int64)
        flat = values.reshape(*values.shape[:-2], -1)
        out = np.empty((*flat.shape[:-1], self._shape[0] * self._shape[1]))
        for number, (nodes, weights) in enumerate(self._weights):
            there = place == number
            if there.any():
                corners = (flat[there][..., nodes[:, k]] * weights[:, k] for k in range(3))
                out[there] = sum(corners)
        return out.reshape(*values.shape[:-2], *self._shape)


def inner_axes(lat: Values, lon: Values, name: str) -> tuple[Values, Values]:
    """Rising axes, as fine as the domain, of the largest regular grid that its edges always leave free."""
    south, north = float(lat[:, 0].max()), float(lat[:, -1].min())
    west, east = float(lon[:, :, 0].max()), float(lon[:, :, -1].min())
    if south >= north or west >= east:
        raise InputError(f"{name}: the domain turns or moves so much that no regular grid lies within it")
    dlat, dlon = float(np.median(np.diff(lat, axis=1))), float(np.median(np.diff(lon, axis=2)))
    axes = [
        np.linspace(low, high, max(int((high - low) / step) + 1, 2))
        for low, high, step in ((south, north, dlat), (west, east, dlon))
    ]
    return axes[0], axes[1]


def _triangles(lat: Values, lon: Values, to_lat: Values, to_lon: Values) -> tuple[Positions, Values]:
    """For each point of the regular grid the three points around it and their weights, which sum to 1."""
    mesh = Delaunay(np.column_stack([lon.ravel(), lat.ravel()]))
    x, y = np.meshgrid(to_lon, to_lat)
    target = np.column_stack([x.ravel(), y.ravel()])
    # Points on the very edge may fall outside by rounding.
    target += 1e-9 * (target.mean(axis=0) - target)
    simplex = mesh.find_simplex(target, tol=1e-6)
    affine = mesh.transform[simplex]
    two = np.einsum("pij,pj->pi", affine[:, :2], target - affine[:, 2])
    weights = np.column_stack([two, 1 - two.sum(axis=1)])
    weights[simplex < 0] = np.nan
    return mesh.simplices[simplex].astype(np.int64), weights
