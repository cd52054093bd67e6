"""Levels of the AQI: names, colours, and the wording of AQI and level ranges in a forecast.

HJ 633-2026 table 1 and HJ 633-2012 table 2; the colours are the same in both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from yrd_airq.errors import InputError
from yrd_airq.standards.breakpoints import MAX_INDEX
from yrd_airq.standards.settings import AqiRange, load_standards
from yrd_airq.standards.versions import Standard

# A forecast range is given in multiples of five.
_STEP = 5


@dataclass(frozen=True)
class Level:
    """One of the six levels; ``index`` 1–6, ``lower`` … ``upper`` the AQI it holds, both included."""

    index: int
    grade_zh: str
    name_zh: str
    colour_zh: str
    lower: int
    upper: int
    rgb: tuple[int, int, int]
    cmyk: tuple[int, int, int, int]

    @property
    def hex(self) -> str:
        """Colour as ``#RRGGBB``."""
        return "#{:02X}{:02X}{:02X}".format(*self.rgb)

    def span_zh(self, standard: Standard = Standard.HJ633_2026) -> str:
        """AQI range as printed: level 1 is 1–50 since 2026 and was 0–50 before; level 6 is >300."""
        if self.index == len(LEVELS):
            return f">{self.lower - 1}"
        lower = 1 if self.index == 1 and standard is Standard.HJ633_2026 else self.lower
        return f"{lower}–{self.upper}"


LEVELS = (
    Level(1, "一级", "优", "绿色", 0, 50, (0, 228, 0), (40, 0, 100, 0)),
    Level(2, "二级", "良", "黄色", 51, 100, (255, 255, 0), (0, 0, 100, 0)),
    Level(3, "三级", "轻度污染", "橙色", 101, 150, (255, 126, 0), (0, 52, 100, 0)),
    Level(4, "四级", "中度污染", "红色", 151, 200, (255, 0, 0), (0, 100, 100, 0)),
    Level(5, "五级", "重度污染", "紫色", 201, 300, (153, 0, 76), (10, 100, 40, 30)),
    Level(6, "六级", "严重污染", "褐红色", 301, MAX_INDEX, (126, 0, 35), (30, 100, 100, 30)),
)
_UPPER = np.array([level.upper for level in LEVELS[:-1]])
# Where a range is not begun: the class edges, and 250 as forecast centres do.
_EDGES = frozenset({*(level.upper for level in LEVELS[:-1]), 250})


def level_index(aqi: ArrayLike) -> NDArray[np.int64]:
    """Level 1–6 of each AQI, same shape; 0 where the AQI is missing.

    A value between two whole numbers belongs to the higher level, as an AQI is rounded up.
    """
    values = np.asarray(aqi, dtype=np.float64)
    index = np.searchsorted(_UPPER, values, side="left") + 1
    return np.where(np.isnan(values), 0, index).astype(np.int64)


def level_of(aqi: float) -> Level:
    """Level of one AQI; ``InputError`` when it is missing or negative."""
    if not aqi >= 0:
        raise InputError(f"AQI {aqi} has no level; an AQI is a number from 0 to {MAX_INDEX}")
    return LEVELS[int(level_index(aqi)) - 1]


def aqi_range(
    aqi: float, half_width: float | None = None, settings: AqiRange | None = None
) -> tuple[int, int]:
    """Range [lower, upper] in which a forecast AQI is published.

    The centre is the nearest multiple of five (units digit 3…7 → 5, else the nearest ten); a range that
    would begin exactly on a class edge is moved up by five, so that it does not name a level it
    barely touches. ``half_width`` overrides the configured one, e.g. from calibrated quantiles, and is
    rounded to a multiple of five. The range stays within 1–500.
    """
    level = level_of(aqi)
    if half_width is None:
        half_width = float((settings or load_standards().aqi_range).half_width[level.index - 1])
    width = max(_STEP, _nearest_step(half_width))
    centre = _nearest_step(min(aqi, MAX_INDEX))
    if centre - width in _EDGES and centre - width + _STEP <= aqi:
        centre += _STEP
    return max(1, centre - width), min(MAX_INDEX, centre + width)


def level_span_zh(lower: float, upper: float) -> str:
    """Levels from ``lower`` to ``upper`` AQI in words: ``良``, ``良至轻度污染``, ``轻度至中度污染``."""
    if lower > upper:
        raise InputError(f"AQI range {lower}–{upper} is upside down")
    low, high = level_of(lower).name_zh, level_of(upper).name_zh
    return low if low == high else f"{low.removesuffix('污染')}至{high}"


def _nearest_step(value: float) -> int:
    return int(np.floor(value / _STEP + 0.5)) * _STEP
