"""Shares of precursors by source, the thing that matrix, response and budget pass between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Shares:
    """Shares of each precursor in a receptor-day's air; over all sources they add up to one.

    ``listed`` (receptor, day, enterprise, precursor), ``unlisted`` (receptor, day, city, precursor),
    ``outside`` (receptor, day, precursor).
    """

    listed: NDArray[np.float64]
    unlisted: NDArray[np.float64]
    outside: NDArray[np.float64]
