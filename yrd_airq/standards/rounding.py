"""Rounding by GB/T 8170 (四舍六入五成双), exact on the decimal string of a number.

A number is rounded as it is *written* in decimal, half to even and only once: 2.675 to two decimals is
2.68, although the binary number closest to 2.675 lies a little below. For a float, the written
form is its ``repr``, the shortest decimal that reads back as the same float.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Relative distance from a tie beyond which binary arithmetic cannot pick the wrong side; see _round_array.
_SAFE = 2.0**-50


@overload
def round_half_even(values: str | Decimal | float, digits: int = 0) -> float: ...
@overload
def round_half_even(values: ArrayLike, digits: int = 0) -> NDArray[np.float64] | float: ...
def round_half_even(values: ArrayLike | Decimal, digits: int = 0) -> NDArray[np.float64] | float:
    """``values`` rounded to ``digits`` ≥ 0 decimals, half to even on the decimal string (GB/T 8170).

    A single number, decimal or numeral gives a float, an array gives an array of the same shape. Missing
    and infinite values stay as they are. Raises ``ValueError`` for negative ``digits``.
    """
    if digits < 0:
        raise ValueError(f"digits must not be negative, got {digits}")
    if isinstance(values, str | Decimal):
        return _round_decimal(Decimal(values), digits)
    array = np.asarray(values, dtype=np.float64)
    rounded = _round_array(array, digits)
    return float(rounded) if array.ndim == 0 else rounded


def _round_decimal(value: Decimal, digits: int) -> float:
    if not value.is_finite():
        return float(value)
    return float(value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN))


def _round_array(values: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    """Binary arithmetic where it provably agrees with the decimal string, the string elsewhere.

    ``digits`` = 0: k.5 is a binary number, so a decimal string is a tie exactly when its float is one,
    and ``rint`` (half to even) is exact. ``digits`` > 0: let X be the written decimal, x its float and
    s the float of x·10^digits. x is off X by at most 2⁻⁵³·|X| and the product rounds by at most
    2⁻⁵³·|s| (10^digits is exact up to 22), so s is off X·10^digits by less than 2⁻⁵⁰·|s|. If no
    tie is that close, ``rint(s)`` is the decimal answer, and the division by 10^digits, being
    correctly rounded, gives the float whose string is that answer. The few others go by string.
    """
    if digits == 0:
        return np.rint(values)
    power = 10.0**digits
    finite = np.isfinite(values)
    scaled = np.where(finite, values, 0.0) * power
    rounded = np.where(finite, np.rint(scaled) / power, values)
    near = finite & (np.abs(scaled - np.floor(scaled) - 0.5) <= np.abs(scaled) * _SAFE)
    if near.any():
        unique, inverse = np.unique(values[near], return_inverse=True)
        exact = np.array([_round_decimal(Decimal(repr(float(x))), digits) for x in unique])
        rounded[near] = exact[inverse]
    return rounded
