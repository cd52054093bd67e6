"""How numbers, chemical formulas and colours are set: one rule for Word, PDF, page and figures."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

_SUBSCRIPT = re.compile(r"[₀-₉]+(?:\.[₀-₉]+)?|(?<=NO)x")
_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
MISSING = "—"


def split_subscripts(text: str) -> Iterator[tuple[str, bool]]:
    """Pieces of ``text`` with whether each is a subscript: ``PM₂.₅`` → (PM, no), (2.5, yes).

    Chinese fonts rarely hold the subscript digits, so every rendering sets them as true subscripts.
    """
    position = 0
    for match in _SUBSCRIPT.finditer(text):
        if match.start() > position:
            yield text[position : match.start()], False
        yield match.group().translate(_DIGITS), True
        position = match.end()
    if position < len(text):
        yield text[position:], False


def printable(text: str) -> str:
    """``text`` without the control characters that XML cannot hold."""
    return _FORBIDDEN.sub("", text)


def number(value: float | None, digits: int = 0) -> str:
    """A number with ``digits`` decimals and no negative zero, or a dash where it is absent."""
    if value is None or math.isnan(value):
        return MISSING
    text = f"{value:.{digits}f}"
    return text.lstrip("-") if float(text) == 0 else text.replace("-", "−")


def grouped(value: float | None) -> str:
    """A large number with thousands separators, or a dash."""
    return MISSING if value is None or math.isnan(value) else f"{value:,.0f}"


def percent(share: float | None) -> str:
    """A share 0–1 as whole percent; below one and above 99 the bounds are named."""
    if share is None or math.isnan(share):
        return MISSING
    if 0 < share < 0.01:
        return "<1%"
    if 0.99 < share < 1:
        return ">99%"
    return f"{share * 100:.0f}%"


def interval(low: float, high: float) -> str:
    """An interval of whole numbers: ``29–51``."""
    return f"{number(low)}–{number(high)}"


def text_on(background: str) -> str:
    """``#000000`` or ``#FFFFFF``, whichever reads better on a background ``#RRGGBB`` (WCAG contrast)."""
    channels = [int(background[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "#FFFFFF"
