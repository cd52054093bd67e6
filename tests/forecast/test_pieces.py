from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from yrd_airq.forecast import filling, metrics
from yrd_airq.forecast.anchor import apply_damping, fit_damping
from yrd_airq.forecast.climatology import fit_climatology
from yrd_airq.forecast.intervals import exceedance_of_quantiles, fit_spread

NAN = np.nan


def test_running_mean_skips_gaps_and_counts_dates() -> None:
    values = np.array([[1.0, NAN, 3.0, 5.0, NAN]])
    np.testing.assert_allclose(filling.running_mean(values, 2), [[1, 1, 3, 4, 5]])
    np.testing.assert_allclose(filling.running_mean(values, 2, prior=1)[0, 3], 8 / 3)


def test_delayed_moves_by_dates() -> None:
    np.testing.assert_array_equal(filling.delayed(np.array([[1.0, 2.0, 3.0]]), 2), [[NAN, NAN, 1.0]])


def test_gaps_are_filled_from_neighbours_then_from_the_past_and_never_from_the_future() -> None:
    lonlat = np.array([[120.0, 30.0], [120.5, 30.0]])
    values = np.array([[10.0, 10.0, NAN, NAN, 90.0], [20.0, 20.0, 30.0, NAN, 90.0]])
    filled = filling.fill_gaps(values, lonlat)
    assert filled.value[0, 2] == pytest.approx(20.0)  # neighbour 30, usually 10 above this city
    assert filled.value[0, 3] == pytest.approx(20.0)  # nobody observed: carried on
    np.testing.assert_array_equal(filled.age[0], [0, 0, 1, 2, 0])
    later = values.copy()
    later[:, 4] = 1.0
    np.testing.assert_array_equal(filling.fill_gaps(later, lonlat).value[:, :4], filled.value[:, :4])


def test_nothing_is_carried_on_for_more_than_a_week() -> None:
    values = np.full((1, 10), NAN)
    values[0, 0] = 5.0
    filled = filling.fill_gaps(values, np.array([[120.0, 30.0]])).value[0]
    assert np.isfinite(filled).tolist() == [True] * 8 + [False] * 2


def test_upwind_mean_takes_the_city_the_wind_comes_from() -> None:
    lonlat = np.array([[120.0, 30.0], [119.0, 30.0], [121.0, 30.0]])  # this city, one west, one east
    last = np.array([[50.0], [100.0], [10.0]])
    west_wind = filling.upwind_mean(last, np.full((3, 1), 3.0), np.zeros((3, 1)), lonlat)
    east_wind = filling.upwind_mean(last, np.full((3, 1), -3.0), np.zeros((3, 1)), lonlat)
    assert west_wind[0, 0] == pytest.approx(100.0)
    assert east_wind[0, 0] == pytest.approx(10.0)
    assert west_wind[1, 0] == 100.0  # nobody upwind: its own
    assert np.isnan(filling.upwind_mean(last, np.full((3, 1), NAN), np.zeros((3, 1)), lonlat)).all()


def test_climatology_finds_a_seasonal_curve_and_gives_a_poor_city_the_curve_of_the_others() -> None:
    dates = pd.date_range("2014-01-01", "2015-12-31")
    curve = 50 - 20 * np.cos(2 * np.pi * dates.dayofyear.to_numpy() / 365.2425)
    values = np.tile(curve, (2, 1))
    values[1, 100:] = NAN
    fitted = fit_climatology(values, dates)
    normal = fitted.normal(values, dates, 3)
    np.testing.assert_allclose(normal[0, 500:-3], curve[503:], atol=0.5)
    np.testing.assert_allclose(fitted.coefficients[1], fitted.coefficients[0])


def test_the_normal_follows_the_level_of_the_past_half_year_but_not_the_issue_date() -> None:
    dates = pd.date_range("2014-01-01", "2016-12-31")
    values = np.full((1, len(dates)), 40.0)
    fitted = fit_climatology(values[:, :731], dates[:731])
    values[:, 731:] = 30.0
    normal = fitted.normal(values, dates, 1)
    assert normal[0, 731] == pytest.approx(40.0, abs=0.1)
    assert normal[0, -1] == pytest.approx(40 - 10 * 180 / (180 + 60), abs=0.1)
    changed = values.copy()
    changed[:, -1] = 500.0
    assert fitted.normal(changed, dates, 1)[0, -1] == normal[0, -1]


def test_less_than_a_year_has_a_running_mean_for_its_normal() -> None:
    dates = pd.date_range("2019-01-01", "2019-06-30")
    values = np.arange(len(dates), dtype=float)[None, :]
    fitted = fit_climatology(values, dates)
    assert fitted.coefficients is None
    assert fitted.normal(values, dates, 5)[0, 100] == np.arange(70, 100).mean()


def test_damping_finds_the_share_of_a_departure_that_lasts() -> None:
    rng = np.random.default_rng(0)
    level, normal = rng.normal(50, 10, (5, 200)), np.full((5, 200), 50.0)
    weights = fit_damping([level], normal, 0.3 * (level - normal))
    assert weights[0] == pytest.approx(0.3, abs=0.01)
    anchor = apply_damping(weights, [level], normal, normal + 7)
    np.testing.assert_allclose(anchor, normal + 7 + weights[0] * (level - normal))
    missing = apply_damping(weights, [np.full((5, 200), NAN)], normal, normal)
    np.testing.assert_array_equal(missing, normal)


@pytest.fixture
def skewed() -> tuple[np.ndarray, np.ndarray, pd.DatetimeIndex]:
    rng = np.random.default_rng(5)
    days = pd.date_range("2015-01-01", periods=400)
    mean = rng.uniform(20, 120, (10, 400))
    return mean, mean * rng.lognormal(-0.08, 0.4, mean.shape), days


def test_intervals_hold_what_they_claim_and_widen_with_the_level(skewed: tuple) -> None:
    mean, observed, days = skewed
    spread = fit_spread(mean[:, ::2], observed[:, ::2], days[::2])
    scale = spread.scale(mean, days)
    q10, q50, q90 = (spread.quantile(mean, scale, p) for p in (0.1, 0.5, 0.9))
    assert (q10 <= q50).all()
    assert (q50 <= q90).all()
    fresh = slice(1, None, 2)
    assert metrics.coverage(q10[:, fresh], q90[:, fresh], observed[:, fresh]) == pytest.approx(0.8, abs=0.04)
    assert np.corrcoef(mean.ravel(), (q90 - q10).ravel())[0, 1] > 0.9


def test_exceedance_agrees_with_the_quantiles_and_with_frequency(skewed: tuple) -> None:
    mean, observed, days = skewed
    spread = fit_spread(mean, observed, days)
    scale = spread.scale(mean, days)
    at_q90 = spread.exceedance(mean[:1, :1], scale[:1, :1], float(spread.quantile(mean, scale, 0.9)[0, 0]))
    assert at_q90[0, 0] == pytest.approx(0.1)
    p = spread.exceedance(mean, scale, 75.0)
    assert ((p >= 0) & (p <= 1)).all()
    assert p.mean() == pytest.approx((observed > 75).mean(), abs=0.02)


def test_exceedance_of_three_quantiles_by_hand() -> None:
    quantiles = {"q10": [80.0], "q50": [100.0], "q90": [140.0]}
    for threshold, expected in ((100, 0.5), (140, 0.1), (80, 0.9)):
        assert exceedance_of_quantiles(quantiles, threshold)[0] == pytest.approx(expected)


def test_metrics_by_hand() -> None:
    forecast, observed = [1.0, 2.0, 6.0, NAN], [2.0, 2.0, 3.0, 9.0]
    assert metrics.rmse(forecast, observed) == pytest.approx(np.sqrt(10 / 3))
    assert metrics.mae(forecast, observed) == pytest.approx(4 / 3)
    assert metrics.bias(forecast, observed) == pytest.approx(2 / 3)
    assert metrics.normalised_bias(forecast, observed) == pytest.approx(2 / 7)
    assert metrics.correlation(forecast, observed) == pytest.approx(np.corrcoef([1, 2, 6], [2, 2, 3])[0, 1])
    assert metrics.skill(1.0, 4.0) == 0.75
    assert metrics.coverage([0, 0], [1, 1], [0.5, 2]) == 0.5
    assert metrics.pinball([10.0], [20.0], 0.9) == pytest.approx(9.0)
    assert metrics.pinball([10.0], [0.0], 0.9) == pytest.approx(1.0)
    assert metrics.brier([0.8, 0.1], [200, 100], 160) == pytest.approx((0.04 + 0.01) / 2)
    table = metrics.contingency([170, 170, 100, 100], [180, 150, 170, 100], 160)
    assert (table["pod"], table["far"], table["csi"], table["frequency_bias"]) == (0.5, 0.5, 1 / 3, 1.0)


def test_undefined_scores_are_nan_not_zero() -> None:
    quiet = metrics.contingency([10, 20], [10, 20], 160)
    assert all(np.isnan(quiet[name]) for name in ("pod", "far", "csi", "frequency_bias"))
    assert np.isnan(metrics.correlation([1, 1, 1], [1, 2, 3]))
    assert np.isnan(metrics.rmse([], []))
    assert np.isnan(metrics.skill(1.0, 0.0))
    assert np.isnan(metrics.normalised_bias([1.0], [0.0]))
