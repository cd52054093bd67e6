"""The ways in which services write an hour, read as naive Beijing times."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from yrd_airq.clock import from_utc

Moments = NDArray[np.datetime64]

_EPOCH_MS = r"^(?:\\?/Date\()?(?P<ms>\d{13})(?:[+-]\d{4})?(?:\)\\?/)?$"
_CHINESE = r"^(?P<y>\d{4})年(?P<m>\d{1,2})月(?P<d>\d{1,2})日\s*(?:(?P<h>\d{1,2})时)?$"
_PLAIN = r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}(?::\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?)?$"
_ZONED = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})$"


def read_moments(texts: Sequence[str]) -> Moments:
    """Moments as naive Beijing time (datetime64[us]), NaT for what is none of the known forms.

    Known are milliseconds since 1970 (``1762912800000``, ``/Date(1762912800000)/``), ISO 8601 with a zone
    (``Z``, ``+00:00``), and, taken as Beijing time, ISO 8601 without one and ``2025年11月12日 10时``.
    """
    cells = pa.array([text[:64] for text in texts], pa.string())
    found = np.full(len(cells), np.datetime64("NaT", "us"))
    for reader in (_epoch, _zoned, _plain, _chinese):
        moments = reader(cells)
        found = np.where(np.isnat(found), moments, found)
    return found


def whole_hours(moments: Moments) -> NDArray[np.bool_]:
    """Which moments are full hours; NaT is none."""
    return ~np.isnat(moments) & (moments == moments.astype("datetime64[h]"))


def _epoch(cells: pa.Array) -> Moments:
    stamps = pc.struct_field(pc.extract_regex(cells, _EPOCH_MS), "ms")
    numbers = pc.cast(stamps, pa.int64())
    utc = pd.DatetimeIndex(pd.to_datetime(numbers.to_pandas(), unit="ms", errors="coerce"))
    return _naive(from_utc(utc))


def _zoned(cells: pa.Array) -> Moments:
    texts = _matching(cells, _ZONED)
    return _naive(
        from_utc(pd.DatetimeIndex(pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce")))
    )


def _plain(cells: pa.Array) -> Moments:
    texts = _matching(cells, _PLAIN)
    return _naive(pd.DatetimeIndex(pd.to_datetime(texts, format="ISO8601", errors="coerce")))


def _chinese(cells: pa.Array) -> Moments:
    parts = pc.extract_regex(cells, _CHINESE)
    year, month, day, hour = (pc.struct_field(parts, name) for name in ("y", "m", "d", "h"))
    hour = pc.if_else(pc.equal(hour, ""), "0", hour)
    texts = pc.binary_join_element_wise(year, month, day, hour, "-")
    whole = pd.Series(texts.to_pandas(), dtype=object)
    days = pd.to_datetime(whole, format="%Y-%m-%d-%H", errors="coerce")
    # Hour 24 is the label 0:00 of the next day, which the parser does not know.
    late = whole.str.endswith("-24", na=False)
    next_days = pd.to_datetime(whole.str.removesuffix("-24"), format="%Y-%m-%d", errors="coerce")
    return _naive(pd.DatetimeIndex(days.where(~late, next_days + pd.Timedelta(days=1))))


def _matching(cells: pa.Array, pattern: str) -> pd.Series:
    matched = pc.match_substring_regex(cells, pattern)
    return pd.Series(pc.if_else(matched, cells, pa.scalar(None, pa.string())).to_pandas(), dtype=object)


def _naive(index: pd.DatetimeIndex) -> Moments:
    return np.asarray(index.to_numpy(), dtype="datetime64[us]")
