"""The phrases of Chinese forecast bulletins: dates, spans, levels, directions, lists.

The grammar follows published consultation bulletins (以X至Y为主 / 局地 / 部分城市 / 可能出现 / 首要污染物为).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import numpy as np

from yrd_airq.standards.levels import LEVELS

REGIMES_ZH = {"voc_limited": "VOCs控制区", "transition": "过渡区", "nox_limited": "NOx控制区"}
SECTORS = ("北", "东北", "东", "东南", "南", "西南", "西", "西北")
CONCLUSION_LENGTH = 150


def date_zh(day: date) -> str:
    """``9月4日``."""
    return f"{day.month}月{day.day}日"


def days_zh(days: Iterable[date], month: bool = False) -> str:
    """Days as bulletins write them: ``4日``, ``4—6日``, ``4日、6日``, ``8月31日—9月1日``.

    The month is written where it changes, and with ``month`` at the first day too.
    """
    runs: list[list[date]] = []
    for day in sorted(set(days)):
        if runs and day - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(day)
        else:
            runs.append([day])
    parts: list[str] = []
    known = None if month else (runs[0][0].month if runs else None)
    for run in runs:
        first, last = run[0], run[-1]
        crossing = first.month != last.month
        head = f"{first.month}月" if crossing or first.month != known else ""
        if first == last:
            parts.append(f"{head}{first.day}日")
        elif crossing:
            parts.append(f"{head}{first.day}日—{last.month}月{last.day}日")
        else:
            parts.append(f"{head}{first.day}—{last.day}日")
        known = last.month
    return "、".join(parts)


def levels_zh(low: int, high: int) -> str:
    """Levels 1–6 as a span: ``良``, ``优至良``, ``良至轻度污染``, ``轻度至中度污染``."""
    if low == high:
        return LEVELS[low - 1].name_zh
    first = LEVELS[low - 1].name_zh
    return f"{first.removesuffix('污染') if low >= 3 else first}至{LEVELS[high - 1].name_zh}"


def primary_zh(names: Sequence[str]) -> str:
    """``首要污染物为O₃`` (or ``O₃或PM₂.₅``), empty where there is none."""
    return f"首要污染物为{'或'.join(names)}" if names else ""


def list_zh(names: Sequence[str], shown: int = 6) -> str:
    """``甲、乙和丙``; longer lists end in 等N个."""
    if len(names) > shown:
        return f"{'、'.join(names[:shown])}等{len(names)}个城市"
    if len(names) <= 1:
        return "".join(names)
    return f"{'、'.join(names[:-1])}和{names[-1]}"


def sector_of(bearing_deg: float) -> str:
    """Compass sector (eight points) of a bearing in degrees clockwise from north."""
    return SECTORS[int(np.floor((bearing_deg + 22.5) % 360 / 45))]


def wind_from_zh(u_ms: float, v_ms: float) -> str:
    """Where the wind of components ``u`` (eastward) and ``v`` (northward) comes from: ``东北风``.

    A vector mean below 0.3 m/s has no direction worth naming (风向不定; GB/T 28591 calls < 0.3 m/s calm).
    """
    if not np.isfinite(u_ms) or not np.isfinite(v_ms):
        return "—"
    if np.hypot(u_ms, v_ms) < 0.3:
        return "风向不定"
    return f"{sector_of(float(np.degrees(np.arctan2(-u_ms, -v_ms))))}风"


def fit(*versions: Sequence[str], limit: int = CONCLUSION_LENGTH) -> str:
    """The first version that keeps within ``limit`` characters; else the last one, shortened."""
    for version in versions:
        if len("".join(version)) <= limit:
            return "".join(version)
    return shorten(versions[-1], limit)


def shorten(sentences: Sequence[str], limit: int = CONCLUSION_LENGTH) -> str:
    """As many whole sentences, in order of weight, as fit into ``limit`` characters; at least the first."""
    text = ""
    for sentence in sentences:
        if text and len(text) + len(sentence) > limit:
            continue
        text += sentence
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
