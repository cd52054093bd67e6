"""The spread of a forecast: conformal quantiles, their shape by level, and their fitting to recent errors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from yrd_airq.forecast.intervals import LEVELS, PROBABILITIES, Spread, fit_spread
from yrd_airq.forecast.metrics import coverage
from yrd_airq.forecast.recalibration import WINDOW_DAYS, recalibrate, recalibrate_issues

NAN = np.nan
CITIES = 12


def known_errors(days: int, seed: int, bias: float = 0.0, width: float = 1.0) -> tuple:
    """Means, observations and days; the error grows with the level, more so in winter, and is skewed."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range("2014-01-01", periods=days)
    winter = 1 + 0.5 * np.cos(2 * np.pi * dates.dayofyear.to_numpy() / 365.2425)
    mean = rng.uniform(20, 150, (CITIES, days))
    deviate = rng.gamma(4, 0.5, mean.shape) - 2 + bias
    return mean, mean + width * 0.15 * mean * winter * deviate, dates


def interval(spread: Spread, mean: np.ndarray, days: pd.DatetimeIndex) -> tuple[np.ndarray, np.ndarray]:
    scale = spread.scale(mean, days)
    return spread.quantile(mean, scale, 0.1), spread.quantile(mean, scale, 0.9)


@pytest.fixture(scope="module")
def spread() -> Spread:
    return fit_spread(*known_errors(730, seed=1))


def test_intervals_hold_what_they_claim_in_every_season_and_at_every_level(spread: Spread) -> None:
    mean, observed, days = known_errors(730, seed=2)
    low, high = interval(spread, mean, days)
    assert coverage(low, high, observed) == pytest.approx(0.8, abs=0.01)
    for season in range(4):
        part = np.asarray(days.month % 12 // 3 == season)
        assert coverage(low[:, part], high[:, part], observed[:, part]) == pytest.approx(0.8, abs=0.03)
    for bottom in (20, 50, 80, 110):
        part = (mean >= bottom) & (mean < bottom + 40)
        assert coverage(low[part], high[part], observed[part]) == pytest.approx(0.8, abs=0.03)
    assert (observed < low).mean() == pytest.approx(0.1, abs=0.01)


def test_the_shape_of_the_errors_may_change_with_the_level() -> None:
    rng = np.random.default_rng(3)
    mean = np.repeat([[20.0, 160.0]], 1000, axis=1).repeat(10, axis=0)
    skew = rng.gamma(1, 1, mean.shape) - 1
    observed = mean + 5 * np.where(mean > 50, skew, -skew)
    days = pd.date_range("2015-01-01", periods=mean.shape[1])
    spread = fit_spread(mean, observed, days)
    scale = spread.scale(mean, days)
    tails = [mean - spread.quantile(mean, scale, 0.1), spread.quantile(mean, scale, 0.9) - mean]
    low, high = (np.array([tail[0, 0], tail[0, -1]]) for tail in tails)
    assert low[0] > 1.3 * high[0]  # of low values the long tail points downwards
    assert high[1] > 1.3 * low[1]


def test_less_than_a_year_says_nothing_of_the_season() -> None:
    mean, observed, days = known_errors(200, seed=4)
    assert (fit_spread(mean, observed, days).weights[2:] == 0).all()


tables = arrays(float, (len(LEVELS), len(PROBABILITIES)), elements=st.floats(0.01, 1)).map(
    lambda steps: steps.cumsum(axis=1) - 20
)


@given(
    tables,
    st.floats(-2, 2),
    st.floats(0.2, 4),
    arrays(float, (1, 3), elements=st.floats(0, 400)),
    st.lists(st.floats(0.01, 0.99), min_size=2, max_size=2),
)
@settings(max_examples=60, deadline=None)
def test_quantiles_never_cross_and_probability_inverts_them(
    z: np.ndarray, shift: float, stretch: float, mean: np.ndarray, pair: list[float]
) -> None:
    low, high = sorted(pair)
    spread = Spread(np.zeros(6), 1.0, np.ones(1), z, np.array([shift]), np.array([stretch]))
    scale = np.full(mean.shape, 3.0)
    first, second = spread.quantile(mean, scale, low), spread.quantile(mean, scale, high)
    assert (first <= second).all()
    assert (spread.exceedance(mean, scale, first) >= spread.exceedance(mean, scale, second)).all()
    inside = (second > 0) & (np.abs(shift + stretch * 3) < 3)
    back = spread.probability(mean, scale, second)
    np.testing.assert_allclose(back[inside], high, atol=1e-6)


def test_a_spread_kept_by_an_older_program_is_refused() -> None:
    with pytest.raises(ValueError, match="another version"):
        Spread(np.zeros(4), 1.0, np.ones(1), np.arange(101.0))


def test_a_missing_mean_or_value_has_no_probability(spread: Spread) -> None:
    mean = np.array([[NAN, 50.0, 50.0]])
    p = spread.exceedance(mean, np.full(mean.shape, 5.0), np.array([[50.0, NAN, 50.0]]))
    assert np.isnan(p[0, :2]).all()
    assert 0 < p[0, 2] < 1


def test_calm_errors_leave_the_spread_nearly_as_it_is(spread: Spread) -> None:
    same = recalibrate(spread, *known_errors(WINDOW_DAYS, seed=5))
    assert same.shift[0] == pytest.approx(0, abs=0.1)
    assert same.stretch[0] == pytest.approx(1.02, abs=0.1)


@pytest.mark.parametrize(("bias", "width"), [(0.0, 2.0), (0.0, 0.5), (1.5, 1.0)])
def test_recent_errors_move_the_intervals_to_where_the_observations_are(
    spread: Spread, bias: float, width: float
) -> None:
    mean, observed, days = known_errors(120, seed=6, bias=bias, width=width)
    fitted = recalibrate(spread, mean[:, :60], observed[:, :60], days[:60])
    later = mean[:, 60:], days[60:]
    before = abs(coverage(*interval(spread, *later), observed[:, 60:]) - 0.8)
    after = abs(coverage(*interval(fitted, *later), observed[:, 60:]) - 0.8)
    assert before > 0.1
    assert after < 0.75 * before


def test_few_days_move_less_than_many_and_none_moves_nothing(spread: Spread) -> None:
    mean, observed, days = known_errors(WINDOW_DAYS, seed=7, bias=1.0)
    few = recalibrate(spread, mean[:, -3:], observed[:, -3:], days[-3:])
    many = recalibrate(spread, mean, observed, days)
    assert 0 < few.shift[0] < many.shift[0] / 3
    none = recalibrate(spread, np.full(mean.shape, NAN), observed, days)
    assert (none.shift[0], none.stretch[0]) == (0, 1)


def test_only_days_before_the_issue_date_count(spread: Spread) -> None:
    mean, observed, days = known_errors(90, seed=8, bias=0.5)
    issue = np.array([20, 45, 80])
    fitted = recalibrate_issues(spread, mean, observed, days, issue)
    changed_mean, changed = mean.copy(), observed.copy()
    changed[:, 45:] = 999.0
    changed_mean[:, 45:] = NAN
    again = recalibrate_issues(spread, changed_mean, changed, days, issue)
    np.testing.assert_array_equal(fitted.shift[:2], again.shift[:2])
    np.testing.assert_array_equal(fitted.stretch[:2], again.stretch[:2])
    assert fitted.shift[2] != again.shift[2]


def test_one_issue_and_many_agree_and_broadcast_over_the_issue_dates(spread: Spread) -> None:
    mean, observed, days = known_errors(90, seed=9, width=1.5)
    issue = np.arange(40, 43)
    many = recalibrate_issues(spread, mean, observed, days, issue)
    ahead, valid = mean[:, issue + 1], days[issue + 1]
    for k, position in enumerate(issue):
        one = recalibrate(spread, mean[:, :position], observed[:, :position], days[:position])
        assert one.stretch[0] == pytest.approx(many.stretch[k])
        np.testing.assert_allclose(
            interval(many, ahead, valid)[1][:, k], interval(one, ahead, valid)[1][:, k]
        )
