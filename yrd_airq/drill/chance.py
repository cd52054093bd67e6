"""Random numbers that depend on their address alone, so that any day can be drawn without those before it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def uniform(*address: ArrayLike) -> NDArray[np.float64]:
    """Uniform numbers within (0, 1), one for each address; the whole numbers of ``address`` broadcast.

    Every part of the address passes the finaliser of SplitMix64 (Steele et al. 2014, OOPSLA, 453).
    """
    parts = np.broadcast_arrays(*(np.atleast_1d(np.asarray(part, dtype=np.int64)) for part in address))
    state = np.zeros(parts[0].shape, dtype=np.uint64)
    for part in parts:
        state = _mix((state ^ part.astype(np.uint64)) + _GOLDEN)
    return ((state >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53


def normal(*address: ArrayLike) -> NDArray[np.float64]:
    """Standard normal numbers, one for each address (Box and Muller 1958)."""
    radius = np.sqrt(-2 * np.log(uniform(*address, 0)))
    return np.asarray(radius * np.cos(2 * np.pi * uniform(*address, 1)))


def _mix(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * _FIRST
    state = (state ^ (state >> np.uint64(27))) * _SECOND
    return np.asarray(state ^ (state >> np.uint64(31)))
