"""A forecaster's corrections in forecast rows."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from yrd_airq.forecast.correction import FORECASTER, apply_corrections


def rows() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "adcode": ["310000", "310000", "320100"],
            "issue_time": pd.Timestamp("2019-01-05T16:00"),
            "valid_date": pd.to_datetime(["2019-01-06", "2019-01-07", "2019-01-06"]),
            "lead_day": [1, 2, 1],
            "target": "pm25",
            "model": "lightgbm",
            "mean": [60.0, 65.0, 70.0],
            "q10": [40.0, 45.0, 50.0],
            "q50": [58.0, 64.0, 69.0],
            "q90": [80.0, 90.0, 95.0],
            "p_exceed": [0.1, 0.2, 0.3],
        }
    )


def given(**changes: object) -> pd.DataFrame:
    row = {
        "adcode": "310000",
        "issue_time": pd.Timestamp("2019-01-05T16:00"),
        "valid_date": date(2019, 1, 6),
        "target": "pm25",
        "value": 78.0,
        "low": None,
        "high": None,
    }
    return pd.DataFrame([row | changes])


def limit(target: str, day: date) -> float | None:
    return 75.0 if target == "pm25" else None


def test_a_correction_moves_the_models_spread_along_with_it():
    corrected, superseded = apply_corrections(rows(), given(), limit)
    one = corrected.iloc[0]
    assert one["model"] == FORECASTER
    assert one[["mean", "q10", "q50", "q90"]].tolist() == [78.0, 60.0, 78.0, 100.0]
    # Normal of the lower half-width: P(x > 75) = 1 - Phi((75 - 78) / (18 / 1.2816)).
    assert one["p_exceed"] == pytest.approx(0.5845, abs=1e-3)
    assert superseded[["mean", "model"]].values.tolist() == [[60.0, "lightgbm"]]
    pd.testing.assert_frame_equal(corrected.iloc[1:], rows().iloc[1:])
    assert list(corrected.columns) == list(rows().columns)


def test_a_given_range_replaces_the_models_and_other_issues_change_nothing():
    corrected, _ = apply_corrections(rows(), given(low=70.0, high=90.0), limit)
    assert corrected.iloc[0][["q10", "q50", "q90"]].tolist() == [70.0, 78.0, 90.0]
    other = given(issue_time=pd.Timestamp("2019-01-04T16:00"))
    same, superseded = apply_corrections(rows(), other, limit)
    pd.testing.assert_frame_equal(same, rows())
    assert superseded.empty
    none, _ = apply_corrections(rows(), other.iloc[:0], limit)
    pd.testing.assert_frame_equal(none, rows())
