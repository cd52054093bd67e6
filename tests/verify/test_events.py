from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from yrd_airq.verify.distributions import pit_histogram, reliability, score_probability, score_quantiles
from yrd_airq.verify.episodes import score_episodes
from yrd_airq.verify.events import count_events, exceeds, score_events
from yrd_airq.verify.settings import ReliabilitySettings


def events(said: list[float], happened: list[float]) -> dict[str, float]:
    counts = count_events(xr.DataArray(said, dims="case"), xr.DataArray(happened, dims="case"), ["case"])
    return {str(k): float(v) for k, v in counts.merge(score_events(counts)).items()}


def test_contingency_scores_by_hand() -> None:
    """a = 3, b = 1, c = 2, d = 4; one pair without observation."""
    s = events([1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1], [1, 1, 1, 0, 1, 1, 0, 0, 0, 0, np.nan])
    assert (s["hits"], s["false_alarms"], s["misses"], s["rejections"]) == (3, 1, 2, 4)
    assert s["pod"] == pytest.approx(3 / 5)
    assert s["far"] == pytest.approx(1 / 4)
    assert s["csi"] == pytest.approx(3 / 6)
    assert s["frequency_bias"] == pytest.approx(4 / 5)
    chance = 4 * 5 / 10
    assert s["ets"] == pytest.approx((3 - chance) / (6 - chance))
    right = (4 * 5 + 6 * 5) / 10
    assert s["hss"] == pytest.approx((7 - right) / (10 - right))


def test_scores_without_their_denominator_are_missing() -> None:
    quiet = events([0, 0], [0, 0])
    assert np.isnan([quiet[name] for name in ("pod", "far", "csi", "frequency_bias", "ets")]).all()
    false = events([1, 0], [0, 0])
    assert false["far"] == 1.0
    assert false["csi"] == 0.0
    assert np.isnan([false["pod"], false["frequency_bias"]]).all()


def test_a_value_at_the_threshold_does_not_exceed_it() -> None:
    found = exceeds(xr.DataArray([160.0, 160.1, np.nan], dims="case"), 160.0)
    np.testing.assert_array_equal(found, [0, 1, np.nan])


def distribution() -> xr.Dataset:
    return xr.Dataset(
        {
            "mean": (("model", "lead_day", "case"), [[[10.0, 20.0]], [[12.0, 20.0]]]),
            "q10": (("model", "lead_day", "case"), [[[5.0, 15.0]], [[np.nan, np.nan]]]),
            "q50": (("model", "lead_day", "case"), [[[10.0, 20.0]], [[np.nan, np.nan]]]),
            "q90": (("model", "lead_day", "case"), [[[15.0, 25.0]], [[np.nan, np.nan]]]),
            "observed": (("lead_day", "case"), [[12.0, 28.0]]),
        },
        coords={"model": ["ours", "point"], "lead_day": [1]},
    )


def test_quantile_scores_by_hand() -> None:
    found = score_quantiles(distribution(), {"q10": 0.1, "q50": 0.5, "q90": 0.9}, ["case"]).isel(lead_day=0)
    ours, point = found.sel(model="ours"), found.sel(model="point")
    assert float(ours["pinball10"]) == pytest.approx((0.1 * 7 + 0.1 * 13) / 2)
    assert float(ours["pinball50"]) == pytest.approx((0.5 * 2 + 0.5 * 8) / 2)
    assert float(ours["pinball90"]) == pytest.approx((0.1 * 3 + 0.9 * 3) / 2)
    assert float(ours["coverage80"]) == 0.5
    assert float(ours["width80"]) == 10.0
    # Bracher et al. 2021: 1/(K + 1/2) (|y - m|/2 + alpha/2 IS_alpha), K = 1, alpha = 0.2
    interval = np.array([10.0, 10.0 + 2 / 0.2 * 3.0])
    by_definition = (0.5 * np.array([2.0, 8.0]) + 0.1 * interval) / 1.5
    assert float(ours["crps"]) == pytest.approx(by_definition.mean())
    assert float(point["crps"]) == pytest.approx(4.0)  # |12 - 12|, |20 - 28|
    assert np.isnan(float(point["coverage80"]))


def test_brier_and_its_skill() -> None:
    probability = xr.DataArray([0.8, 0.3, 0.1, np.nan], dims="case")
    found = score_probability(probability, xr.DataArray([1.0, 0.0, 0.0, 1.0], dims="case"), ["case"])
    brier = (0.2**2 + 0.3**2 + 0.1**2) / 3
    assert float(found["brier"]) == pytest.approx(brier)
    assert float(found["brier_skill"]) == pytest.approx(1 - brier / (1 / 3 * 2 / 3))
    never = score_probability(probability, xr.DataArray([0.0] * 4, dims="case"), ["case"])
    assert np.isnan(float(never["brier_skill"]))


def test_reliability_points_by_hand() -> None:
    p = xr.DataArray(
        [[[0.05, 0.08, 0.55, 1.0]]],
        dims=("model", "lead_day", "case"),
        coords={"model": ["m"], "lead_day": [1]},
    )
    seen = xr.DataArray([[0.0, 1.0, 1.0, 1.0]], dims=("lead_day", "case"))
    table = reliability(p, seen, ReliabilitySettings(bins=10, least_cases=2))
    assert table["bin"].tolist() == [0, 5, 9]
    assert table["n"].tolist() == [2, 1, 1]
    np.testing.assert_allclose(table["stated"], [0.065, 0.55, 1.0])
    np.testing.assert_allclose(table["observed"], [0.5, 1.0, 1.0])
    assert table["judged"].tolist() == [True, False, False]


def test_pit_counts_between_quantiles() -> None:
    table = pit_histogram(distribution(), {"q10": 0.1, "q50": 0.5, "q90": 0.9})
    assert table["model"].unique().tolist() == ["ours"]  # the point forecast has no quantiles
    np.testing.assert_allclose(table["share"], [0.0, 0.0, 0.5, 0.5])  # 12 above q50, 28 above q90
    np.testing.assert_allclose(table["nominal"], [0.1, 0.4, 0.4, 0.1])


def test_episodes_by_hand() -> None:
    """Two observed episodes of two days and more; the first is called a day late, the second a day early."""
    days = pd.date_range("2019-08-01", periods=12)
    happened = [0, 1, 1, 1, 0, 0, 1, 0, 0, 1, 1, np.nan]
    said = [0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0]
    observed = np.where(np.array(happened) == 1, 170.0, 100.0) + np.arange(12)
    mean = np.where(np.array(said) == 1, 165.0, 90.0)
    dims, coords = ("adcode", "valid_date"), {"adcode": ["a"], "valid_date": days}
    truth, values = (
        xr.DataArray([[x]], dims=("lead_day", *dims), coords={"lead_day": [1], **coords})
        for x in (happened, observed)
    )
    calls, means = (
        xr.DataArray(
            [[[x]]], dims=("model", "lead_day", *dims), coords={"model": ["m"], "lead_day": [1], **coords}
        )
        for x in (said, mean)
    )
    line = score_episodes(calls, truth, means, values, least_days=2).iloc[0]
    assert line["episodes"] == 2  # the single day 7 is none
    assert line["found"] == 1.0
    assert line["start_offset"] == 0.0  # +1 and -1
    assert line["length_ratio"] == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert line["peak_error"] == pytest.approx(((165 - 173) + (165 - 180)) / 2)
    assert line["forecast_episodes"] == 2
    assert line["false"] == 0.0
