from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from yrd_airq.errors import InputError
from yrd_airq.standards.statistics import daily_mean, mda8, percentile, running_8h


def _day(missing: tuple[int, int] | None = None, value: float = 100.0) -> np.ndarray:
    """24 equal hours; ``missing`` = first and last hour label (1 … 24) of a gap."""
    hours = np.full(24, value)
    if missing:
        hours[missing[0] - 1 : missing[1]] = np.nan
    return hours


def _valid_windows(day: np.ndarray) -> int:
    return int(np.isfinite(running_8h(day)).sum())


def test_window_ends_and_needs_six_hours() -> None:
    day = np.arange(1.0, 25.0)
    windows = running_8h(day)
    assert windows.shape == (17,)
    assert windows[0] == 4.5
    assert windows[-1] == 20.5
    day[:2] = np.nan
    assert running_8h(day)[0] == 5.5
    day[2] = np.nan
    assert np.isnan(running_8h(day)[0])


@pytest.mark.parametrize(
    ("missing", "windows", "valid"),
    [
        (None, 17, True),
        ((1, 7), 12, False),
        ((1, 5), 14, True),
        ((1, 6), 13, False),
        *[((first, first + 2), 11, False) for first in range(6, 18)],
        ((3, 5), 14, True),
        ((20, 22), 14, True),
    ],
)
def test_worked_gaps(missing: tuple[int, int] | None, windows: int, valid: bool) -> None:
    day = _day(missing)
    assert _valid_windows(day) == windows
    assert np.isfinite(mda8(day)) == valid
    # Too few windows still count when the maximum exceeds the limit, and not when it only reaches it.
    assert mda8(_day(missing, 161.0)) == 161
    assert np.isfinite(mda8(_day(missing, 160.0))) == valid


def test_a_gap_of_two_hours_never_invalidates() -> None:
    days = np.stack([_day((first, first + 1)) for first in range(1, 24)])
    assert np.isfinite(mda8(days)).all()


def test_no_window_reaches_into_the_day_before() -> None:
    day = _day(value=10.0)
    day[:7] = 300.0  # only windows of the night before would average 300
    assert mda8(day) == (7 * 300 + 10) / 8


def test_daily_mean_needs_twenty_hours() -> None:
    assert daily_mean(_day((1, 4))) == 100
    assert np.isnan(daily_mean(_day((1, 5))))
    assert np.isnan(daily_mean(np.full((3, 24), np.nan))).all()
    assert np.isnan(mda8(np.full((3, 24), np.nan))).all()


def test_means_keep_decimal_ties() -> None:
    # Twelve hours of 0.4 and twelve of 0.5 mg/m³ are 0.45 exactly, whatever the order of summation.
    assert daily_mean(np.tile([0.4, 0.5], 12)) == 0.45
    assert daily_mean(np.repeat([0.1, 0.8], 12)) == 0.45


def test_percentile_interpolates_between_ranks() -> None:
    assert percentile(np.arange(1.0, 12.0), 90) == 10
    assert percentile([1.0, np.nan, 2.0], 50) == 1.5
    assert percentile([7.0, np.nan], 98) == 7
    assert np.isnan(percentile([np.nan, np.nan], 90))
    with pytest.raises(InputError, match="between 0 and 100"):
        percentile([1.0], 101)


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="24 hours on the last axis"):
        mda8(np.zeros((24, 2)))
    with pytest.raises(InputError, match="needs at least 8 hours"):
        running_8h(np.zeros(7))


_DAYS = hnp.arrays(float, (3, 24), elements=st.floats(0, 500).map(lambda x: round(x, 1)))


@given(_DAYS)
def test_mda8_is_at_least_the_daily_mean_of_a_third(days: np.ndarray) -> None:
    # Windows ending at 8, 16 and 24 tile a complete day, so their maximum is at least its mean.
    assert (mda8(days) >= daily_mean(days) - 1e-9).all()
    assert (mda8(days) <= days.max(axis=-1) + 1e-9).all()


@given(hnp.arrays(float, 40, elements=st.one_of(st.just(np.nan), st.floats(0, 999))), st.floats(0, 100))
def test_percentile_agrees_with_numpy(values: np.ndarray, percent: float) -> None:
    present = values[np.isfinite(values)]
    if present.size:
        assert percentile(values, percent) == pytest.approx(np.percentile(present, percent), abs=1e-8)
