"""The probability from which on an exceedance is called."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from yrd_airq.forecast.exceedance import (
    DEFAULT_THRESHOLD,
    ExceedanceCall,
    call_for,
    choose_call,
    choose_calls,
    limits_of,
)
from yrd_airq.forecast.intervals import Spread, fit_spread
from yrd_airq.vocab import Target

LIMIT = 160.0


def archive(seed: int, sd: float, days: int = 600) -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    rng = np.random.default_rng(seed)
    mean = rng.normal(110, 25, (20, days))
    return mean, mean + rng.normal(0, sd, mean.shape), pd.date_range("2015-01-01", periods=days)


def csi(spread: Spread, mean: np.ndarray, observed: np.ndarray, days: pd.DatetimeIndex, t: float) -> float:
    p = spread.exceedance(mean, spread.scale(mean, days), LIMIT)
    said, was = p >= t, observed > LIMIT
    return float((said & was).sum() / (said | was).sum())


@pytest.mark.parametrize("sd", [10.0, 30.0])
def test_the_call_is_about_as_good_as_the_best_threshold_of_other_days(sd: float) -> None:
    spread = fit_spread(*archive(1, sd))
    call = choose_call(spread, *archive(1, sd), LIMIT)
    fresh = archive(2, sd)
    best = max(csi(spread, *fresh, t) for t in np.arange(0.1, 0.5, 0.02))
    assert csi(spread, *fresh, call.threshold) > best - 0.01
    assert call.csi is not None
    assert call.csi_of_mean is not None
    assert call.csi > call.csi_of_mean


def test_the_harder_the_forecast_the_lower_the_threshold() -> None:
    easy, hard = (choose_call(fit_spread(*archive(1, sd)), *archive(1, sd), LIMIT) for sd in (8.0, 40.0))
    assert hard.threshold < easy.threshold < 0.5


def test_few_event_days_keep_to_the_default_and_none_is_the_default() -> None:
    mean, observed, days = archive(1, 30.0)
    spread = fit_spread(mean, observed, days)
    many = choose_call(spread, mean, observed, days, LIMIT)
    few = choose_call(spread, mean[:, :6], observed[:, :6], days[:6], LIMIT)
    none = choose_call(spread, mean, observed, days, 900.0)
    assert abs(few.threshold - DEFAULT_THRESHOLD) < abs(many.threshold - DEFAULT_THRESHOLD)
    assert (none.threshold, none.event_days, none.csi) == (DEFAULT_THRESHOLD, 0, None)


def test_a_call_says_yes_from_its_threshold_on_and_never_without_a_probability() -> None:
    call = ExceedanceCall(limit=75, threshold=0.25, event_days=40, csi=0.4, csi_of_mean=0.3)
    assert call.says([0.24, 0.25, 0.9, np.nan]).tolist() == [False, True, True, False]


def test_a_limit_without_a_choice_has_the_default_threshold() -> None:
    mean, observed, days = archive(1, 30.0)
    calls = choose_calls(fit_spread(mean, observed, days), mean, observed, days, (120.0, LIMIT))
    assert [call.limit for call in calls] == [120.0, LIMIT]
    assert call_for(calls, LIMIT) is calls[1]
    assert call_for(calls, 215.0).threshold == DEFAULT_THRESHOLD


def test_a_call_is_chosen_for_the_limits_of_every_version_of_the_standard() -> None:
    assert limits_of(Target.PM25) == (50, 60, 75)
    assert limits_of(Target.O3_MDA8) == (160,)
    assert limits_of(Target.O3_MEAN) == ()
