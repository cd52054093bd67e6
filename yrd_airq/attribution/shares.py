"""Shares of precursors by source, the thing that matrix, response and budget pass between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Shares:
    """Shares of each precursor in some air; over all sources they add up to one.

    ``listed`` (…, enterprise, precursor), ``unlisted`` (…, city, precursor), ``outside`` (…, precursor);
    the leading axes are those of the air: receptor and day, or day and member of one receptor.
    """

    listed: NDArray[np.float64]
    unlisted: NDArray[np.float64]
    outside: NDArray[np.float64]


def stack_shares(parts: Sequence[Shares]) -> Shares:
    """Shares of several airs of one shape under a new first axis."""
    return Shares(
        np.stack([part.listed for part in parts]),
        np.stack([part.unlisted for part in parts]),
        np.stack([part.outside for part in parts]),
    )
