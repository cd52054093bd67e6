from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yrd_airq.standards.rounding import round_half_even


@pytest.mark.parametrize(
    ("value", "digits", "expected"),
    [
        (60.5, 0, 60),
        (61.5, 0, 62),
        (60.500001, 0, 61),
        (4.05, 1, 4.0),
        (2.15, 1, 2.2),
        (2.25, 1, 2.2),
        (2.675, 2, 2.68),
        (1.005, 2, 1.0),
        (1.015, 2, 1.02),
        (-2.5, 0, -2),
        (-2.15, 1, -2.2),
        ("2.6750000000000000001", 2, 2.68),
        ("2.6650000000000000001", 2, 2.67),
        (Decimal("0.125"), 2, 0.12),
        (0.1 + 0.2, 1, 0.3),
        (123456789012345678, 1, 123456789012345680.0),
    ],
)
def test_worked_cases(value: float | str | Decimal, digits: int, expected: float) -> None:
    assert round_half_even(value, digits) == expected


def test_missing_and_infinite_stay() -> None:
    got = round_half_even(np.array([[np.nan, np.inf], [-np.inf, 1.25]]), 1)
    np.testing.assert_array_equal(got, [[np.nan, np.inf], [-np.inf, 1.2]])
    with pytest.raises(ValueError, match="negative"):
        round_half_even(1.0, -1)


def _by_string(value: float, digits: int) -> float:
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN))


@given(st.lists(st.decimals(-2000, 2000, places=4), min_size=1), st.integers(0, 3))
def test_arrays_agree_with_decimals(numbers: list[Decimal], digits: int) -> None:
    values = np.array([float(n) for n in numbers])
    np.testing.assert_array_equal(
        round_half_even(values, digits), [_by_string(float(v), digits) for v in values]
    )


@given(st.lists(st.floats(-1e12, 1e12), min_size=1), st.integers(0, 3))
def test_any_float_agrees_with_its_string(values: list[float], digits: int) -> None:
    np.testing.assert_array_equal(
        round_half_even(np.array(values), digits), [_by_string(float(v), digits) for v in values]
    )


def test_every_tie_of_two_decimals_goes_to_the_even_digit() -> None:
    ties = np.arange(5, 100_000, 10) / 100  # 0.05, 0.15, … as written
    got = np.rint(np.asarray(round_half_even(ties, 1)) * 10).astype(int)
    assert (got % 2 == 0).all()
