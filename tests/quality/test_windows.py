"""Arithmetic on windows against plain, slow ways of saying the same, and the reach of a check."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.quality.networks import air, stations
from yrd_airq.quality.hourly import check_hourly
from yrd_airq.quality.settings import load_quality
from yrd_airq.quality.windows import (
    covered,
    mean_at,
    middle,
    middle_in_blocks,
    nearest,
    run_position,
    shifted,
    window_count,
    window_mean,
    window_sum,
)
from yrd_airq.vocab import Pollutant

Shape = tuple[int, int]


def _values(shape: Shape, missing: float = 0.3, seed: int = 1) -> np.ndarray:
    random = np.random.default_rng(seed)
    values = random.integers(1, 9, shape).astype(np.float32)
    values[random.random(shape) < missing] = np.nan
    return values


@pytest.mark.parametrize("number", [2, 4, 6, 8, 10])
@pytest.mark.parametrize("missing", [0.0, 0.5, 0.9])
def test_middle_is_the_median_of_what_is_present(number: int, missing: float) -> None:
    layers = _values((number, 40, 5), missing)  # type: ignore[arg-type]
    lower, upper, count = middle(list(layers))
    np.testing.assert_array_equal(count, np.isfinite(layers).sum(axis=0))
    with np.testing.suppress_warnings() as quiet:
        quiet.filter(RuntimeWarning)
        np.testing.assert_allclose((lower + upper) / 2, np.nanmedian(layers, axis=0))
    assert (np.isnan(lower) == (count == 0)).all()


def test_blocks_give_the_same_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    layers = list(_values((4, 50, 3)))  # type: ignore[arg-type]
    monkeypatch.setattr("yrd_airq.quality.windows.BLOCK_CELLS", 7 * 3)
    got = middle_in_blocks(lambda hours: [layer[hours] for layer in layers], (50, 3))
    for ours, whole in zip(got, middle(layers), strict=True):
        np.testing.assert_array_equal(ours, whole)


@pytest.mark.parametrize("hours", [1, 2, 5, 12, 24, 48])
@pytest.mark.parametrize("length", [3, 60])
def test_windows_are_those_of_pandas(hours: int, length: int) -> None:
    values = _values((length, 4))
    rolling = pd.DataFrame(values).rolling(hours, min_periods=1)
    np.testing.assert_allclose(window_sum(values, hours), rolling.sum().fillna(0), rtol=1e-6)
    np.testing.assert_array_equal(window_count(~np.isnan(values), hours), rolling.count())
    least = max(1, hours // 2)
    mean = pd.DataFrame(values).rolling(hours, min_periods=least).mean()
    np.testing.assert_allclose(window_mean(values, hours, least), mean, rtol=1e-6)
    hour, station = np.nonzero(np.ones(values.shape))
    sparse = mean_at(values, hour, station, hours, least).reshape(values.shape)
    np.testing.assert_allclose(sparse, mean, rtol=1e-6)


def test_covered_marks_the_hours_of_the_windows() -> None:
    ends = np.zeros((10, 1), dtype=bool)
    ends[[1, 6], 0] = True
    assert np.flatnonzero(covered(ends, 3)[:, 0]).tolist() == [0, 1, 4, 5, 6]


def test_run_position_and_nearest_and_shifted() -> None:
    values = np.array([[5, 5, 5, np.nan, 5, 7, 7, np.nan]], dtype=np.float32).T
    before, after = run_position(values)
    assert before[:, 0].tolist() == [0, 1, 2, 0, 0, 0, 1, 0]
    assert after[:, 0].tolist() == [2, 1, 0, 0, 0, 1, 0, 0]
    hour, station = np.array([4, 4, 7, 0]), np.zeros(4, dtype=int)
    np.testing.assert_array_equal(nearest(values, hour, station, -1, 1), [np.nan, np.nan, 7, np.nan])
    np.testing.assert_array_equal(nearest(values, hour, station, -1, 2), [5, 5, 7, np.nan])
    np.testing.assert_array_equal(nearest(values, hour, station, 1, 1), [7, 7, np.nan, 5])
    column = np.arange(3.0)[:, None]
    np.testing.assert_array_equal(shifted(column, 1)[:, 0], [np.nan, 0, 1])
    np.testing.assert_array_equal(shifted(column, -2)[:, 0], [2, np.nan, np.nan])
    np.testing.assert_array_equal(shifted(column, 9)[:, 0], [np.nan] * 3)


def _troubled(seed: int) -> dict[Pollutant, pd.DataFrame]:
    """The network's air with faults of many kinds and lengths, and gaps, at random places."""
    random = np.random.default_rng(seed)
    hourly = air(seed)
    for frame in hourly.values():
        hours, width = frame.shape
        for _ in range(12):
            start, station = int(random.integers(hours)), int(random.integers(width))
            span = slice(start, start + int(random.choice([1, 2, 4, 13, 30, 60])))
            part = frame.iloc[span, station]
            kinds = (part * 6, part / 5, part * 0 + part.iloc[0], part * np.nan, part / 1.963, part * 0 + 1)
            frame.iloc[span, station] = kinds[int(random.integers(len(kinds)))].round(1)
    swap = slice(100, 130)
    hourly[Pollutant.NO2].iloc[swap, 1], hourly[Pollutant.O3].iloc[swap, 1] = (
        hourly[Pollutant.O3].iloc[swap, 1].to_numpy(),
        hourly[Pollutant.NO2].iloc[swap, 1].to_numpy(),
    )
    return hourly


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), first=st.integers(0, 200), length=st.integers(1, 60))
def test_a_window_read_with_its_reach_is_judged_as_the_whole_series(
    seed: int, first: int, length: int
) -> None:
    hourly, reach = _troubled(seed), load_quality().reach_hours
    hours = hourly[Pollutant.O3].index
    window = hours[first : first + length]
    wider = slice(max(0, first - reach), first + length + reach)
    whole = check_hourly(hourly, stations=stations())
    part = check_hourly({p: frame.iloc[wider] for p, frame in hourly.items()}, stations=stations())
    inside = [checked.flags[checked.flags["time"].isin(window)] for checked in (whole, part)]
    pd.testing.assert_frame_equal(*(flags.reset_index(drop=True) for flags in inside))
    for pollutant in Pollutant:
        a, b = (checked.accepted[pollutant].loc[window] for checked in (whole, part))
        pd.testing.assert_frame_equal(a, b)


def test_the_troubled_air_has_flags_of_most_rules() -> None:
    rules = {
        rule for seed in range(6) for rule in check_hourly(_troubled(seed), stations=stations()).flags["rule"]
    }
    assert len(rules) >= 9
