from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yrd_airq.errors import InputError
from yrd_airq.standards.levels import LEVELS, aqi_range, level_index, level_of, level_span_zh
from yrd_airq.standards.versions import Standard


def test_levels_tile_the_index() -> None:
    got = level_index([0, 50, 51, 100, 101, 150, 151, 200, 201, 300, 301, 500, np.nan, 50.2])
    np.testing.assert_array_equal(got, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 0, 2])
    assert [level.index for level in LEVELS] == [1, 2, 3, 4, 5, 6]
    assert all(a.upper + 1 == b.lower for a, b in pairwise(LEVELS))


def test_colours_and_printed_spans() -> None:
    assert [level.hex for level in LEVELS] == [
        "#00E400",
        "#FFFF00",
        "#FF7E00",
        "#FF0000",
        "#99004C",
        "#7E0023",
    ]
    assert LEVELS[0].span_zh() == "1–50"
    assert LEVELS[0].span_zh(Standard.HJ633_2012) == "0–50"
    assert LEVELS[5].span_zh() == ">300"


@pytest.mark.parametrize(
    ("lower", "upper", "text"),
    [
        (30, 50, "优"),
        (40, 60, "优至良"),
        (90, 110, "良至轻度污染"),
        (140, 160, "轻度至中度污染"),
        (190, 210, "中度至重度污染"),
        (290, 310, "重度至严重污染"),
        (110, 130, "轻度污染"),
    ],
)
def test_level_span_in_words(lower: int, upper: int, text: str) -> None:
    assert level_span_zh(lower, upper) == text


@pytest.mark.parametrize(("aqi", "centre"), [(42, 40), (43, 45), (47, 45), (48, 50), (82.4, 80), (82.5, 85)])
def test_centre_is_the_nearest_five(aqi: float, centre: int) -> None:
    assert aqi_range(aqi, 10) == (centre - 10, centre + 10)


def test_configured_half_width_depends_on_the_level() -> None:
    assert aqi_range(80) == (70, 90)
    assert aqi_range(135) == (120, 150)


def test_range_does_not_begin_on_a_class_edge() -> None:
    # Centre 60 ± 10 would begin at 50: moved to 55–75; so are 110, 160, 210, 260 and 310.
    assert aqi_range(60, 10) == (55, 75)
    assert [aqi_range(a, 10)[0] for a in (110, 160, 210, 260, 310)] == [105, 155, 205, 255, 305]


def test_range_stays_on_the_scale_and_refuses_a_missing_aqi() -> None:
    assert aqi_range(3, 10)[0] == 1
    assert aqi_range(499, 30)[1] == 500
    with pytest.raises(InputError, match="no level"):
        aqi_range(float("nan"))
    with pytest.raises(InputError, match="upside down"):
        level_span_zh(60, 40)


@given(st.floats(0, 500), st.one_of(st.none(), st.floats(3, 25)))
def test_range_holds_its_centre_and_at_most_two_levels(aqi: float, half_width: float | None) -> None:
    lower, upper = aqi_range(aqi, half_width)
    assert lower <= max(aqi, 1) <= upper
    assert level_of(upper).index - level_of(lower).index <= 1
