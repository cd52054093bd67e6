from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from yrd_airq.verify.cases import Cases, lay_out_cases
from yrd_airq.verify.settings import BootstrapSettings, load_verify
from yrd_airq.verify.significance import compare, dm_test, draw_day_weights, intervals
from yrd_airq.vocab import Target

SETTINGS = BootstrapSettings(block_days=7, resamples=500, confidence=0.95, seed=3)


def correlated(rng: np.random.Generator, series: int, days: int, memory: float) -> np.ndarray:
    noise = rng.normal(size=(series, days + 50))
    values = np.zeros_like(noise)
    for day in range(1, days + 50):
        values[:, day] = memory * values[:, day - 1] + noise[:, day]
    return values[:, 50:]


def test_blocks_are_consecutive_days_drawn_evenly() -> None:
    weights = draw_day_weights(30, SETTINGS)
    np.testing.assert_array_equal(weights.sum(axis=1), 30)
    # Days stay together: a day that is drawn has a drawn neighbour, on the circle.
    drawn = weights > 0
    assert ((np.roll(drawn, 1, axis=1) | np.roll(drawn, -1, axis=1))[drawn]).all()
    np.testing.assert_allclose(weights.mean(axis=0), 1.0, atol=0.25)
    np.testing.assert_array_equal(weights, draw_day_weights(30, SETTINGS))


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    """Mean error of 120 correlated days, whose true value is 0."""
    series = correlated(np.random.default_rng(1), 200, 120, 0.4)
    weights = draw_day_weights(120, SETTINGS)
    low, high = np.quantile(weights @ series.T / 120, [0.025, 0.975], axis=0)
    covered = ((low <= 0) & (high >= 0)).mean()
    assert 0.85 <= covered <= 0.98
    independent = np.quantile(
        draw_day_weights(120, SETTINGS.model_copy(update={"block_days": 1})) @ series.T / 120,
        [0.025, 0.975],
        axis=0,
    )
    alone = ((independent[0] <= 0) & (independent[1] >= 0)).mean()
    assert alone < covered  # days drawn one by one know nothing of their neighbours


@pytest.mark.parametrize("memory", [0.0, 0.4])
def test_dm_test_rejects_a_true_null_about_one_time_in_twenty(memory: float) -> None:
    series = correlated(np.random.default_rng(2), 120, 90, memory)
    rejected = np.mean([dm_test(one, 2)[1] < 0.05 for one in series])
    assert 0.0 < rejected <= 0.11


def test_dm_test_finds_a_difference_and_its_sign() -> None:
    noise = np.random.default_rng(4).normal(size=90)
    statistic, p = dm_test(noise + 1.0, 2)
    assert statistic > 3
    assert p < 0.01
    mirrored, same = dm_test(-noise - 1.0, 2)
    assert mirrored == pytest.approx(-statistic)
    assert same == pytest.approx(p)
    scaled, _ = dm_test(1e5 * (noise + 1.0), 2)
    assert scaled == pytest.approx(statistic)


def test_dm_test_says_nothing_of_few_days_or_equal_forecasts() -> None:
    assert np.isnan(dm_test(np.arange(9.0), 2)).all()
    assert np.isnan(dm_test(np.zeros(50), 2)).all()
    gaps = np.random.default_rng(5).normal(size=60)
    assert dm_test(np.concatenate([gaps, [np.nan] * 5]), 2) == dm_test(gaps, 2)


def cases(error: np.ndarray) -> Cases:
    """Model a is off by ``error`` (day), model b by twice as much, in two cities; observed is 100."""
    days = pd.date_range("2019-08-01", periods=len(error))
    frames = [
        pd.DataFrame(
            {
                "issue_time": days - pd.Timedelta(hours=8),
                "valid_date": days,
                "adcode": city,
                "target": "pm25",
                "lead_day": 1,
                "model": model,
                "mean": 100 + factor * error,
                "observed": 100.0,
            }
        )
        for city in ("x", "y")
        for model, factor in (("a", 1.0), ("b", 2.0))
    ]
    return lay_out_cases(pd.concat(frames), Target.PM25, load_verify())


def test_comparison_by_hand() -> None:
    error = np.tile([3.0, -4.0, 5.0, -1.0, 2.0], 12)
    line = compare(cases(error), "a", SETTINGS).iloc[0]
    rmse = np.sqrt(np.mean(error**2))
    assert line["against"] == "b"
    assert line["days"] == 60
    assert line["rmse"] == pytest.approx(rmse)
    assert line["rmse_gain"] == pytest.approx(rmse)
    assert line["skill"] == pytest.approx(0.5)
    assert line["skill_low"] == pytest.approx(0.5)  # b is always twice as wrong
    assert line["rmse_gain_low"] < rmse < line["rmse_gain_high"]
    assert line["dm"] > 2
    assert line["p_value"] < 0.05


def test_intervals_hold_the_value() -> None:
    own = cases(np.random.default_rng(6).normal(size=60))
    said = xr.where(own.data["mean"] > 100, 1.0, 0.0)
    happened = xr.where(own.data["observed"] >= 100, 1.0, 0.0)
    table = intervals(own, said, happened, SETTINGS).set_index(["model", "score"])
    assert ((table["low"] <= table["value"]) & (table["value"] <= table["high"])).all()
    assert table.loc[("a", "csi"), "value"] == pytest.approx(float(said.sel(model="a").mean()))
    assert table.loc[("b", "rmse"), "value"] == pytest.approx(2 * table.loc[("a", "rmse"), "value"])
