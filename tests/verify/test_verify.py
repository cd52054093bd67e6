from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from yrd_airq.errors import InputError
from yrd_airq.verify.levels import check_levels
from yrd_airq.verify.scores import score
from yrd_airq.vocab import Target

ISSUE = pd.Timestamp("2016-09-01 16:00")


def rows() -> pd.DataFrame:
    base = {"issue_time": ISSUE, "target": "pm25", "lead_day": 1, "valid_date": pd.Timestamp("2016-09-02")}
    model = pd.DataFrame(
        {
            "adcode": ["a", "b", "c", "d"],
            "model": "lightgbm",
            "mean": [80.0, 90.0, 40.0, 50.0],
            "q10": [70.0, 60.0, 30.0, 40.0],
            "q50": [80.0, 90.0, 40.0, 50.0],
            "q90": [90.0, 120.0, 50.0, 60.0],
            "p_exceed": [0.7, 0.8, 0.0, 0.1],
            "observed": [84.0, 60.0, 40.0, np.nan],
        }
    )
    simple = model.assign(model="persistence", mean=[74.0, 50.0, 50.0, 50.0], q10=np.nan, q90=np.nan)
    return pd.concat([model, simple[simple["adcode"] != "c"]], ignore_index=True).assign(**base)


def test_scores_by_hand_on_the_city_days_that_all_models_have() -> None:
    table = score(rows(), {Target.PM25: 75.0}).set_index("model")
    model = table.loc["lightgbm"]
    assert model["n"] == 2  # c lacks persistence, d lacks the observation
    assert model["rmse"] == pytest.approx(np.sqrt((16 + 900) / 2))
    assert model["mae"] == 17.0
    assert model["bias"] == 13.0
    reference = np.sqrt((100 + 100) / 2)
    assert table.loc["persistence", "rmse"] == pytest.approx(reference)
    assert model["skill_vs_persistence"] == pytest.approx(1 - np.sqrt(458) / reference)
    assert (model["pod"], model["far"], model["csi"]) == (1.0, 0.5, 0.5)
    assert model["coverage80"] == 1.0
    assert model["brier"] == pytest.approx((0.3**2 + 0.8**2) / 2)
    assert np.isnan(table.loc["persistence", "coverage80"])
    assert np.isnan(table.loc["persistence", "far"])  # it never forecast an exceedance


def test_without_persistence_the_skill_is_undefined() -> None:
    only = rows()[lambda frame: frame["model"] == "lightgbm"]
    assert np.isnan(score(only)["skill_vs_persistence"]).all()


def test_unusable_tables_are_refused() -> None:
    with pytest.raises(InputError, match="lack the columns observed"):
        score(rows().drop(columns="observed"))
    with pytest.raises(InputError, match="no city-day has both"):
        score(rows().assign(observed=np.nan))


def observed() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "adcode": ["a", "b", "c"],
            "date": pd.Timestamp("2016-09-02"),
            "target": "pm25",
            "value": [84.0, 60.0, 40.0],
        }
    )


def test_level_hits_by_hand() -> None:
    hits = check_levels(
        lowest=[1, 2, 3, 2, 1],
        highest=[2, 2, 4, 3, 1],
        observed=[2, 3, 2, 0, 1],
        aqi=[80, 120, 90, np.nan, 40],
        forecast_primary=[("o3",), ("pm25", "o3"), ("pm10",), ("o3",), ()],
        observed_primary=[("o3",), ("o3",), ("pm25",), (), ()],
    )
    assert hits.n == 4
    assert (hits.within, hits.too_high, hits.too_low) == (0.5, 0.25, 0.25)
    assert hits.primary_n == 3
    assert hits.primary == pytest.approx(2 / 3)
    none = check_levels([1], [1], [0], [np.nan], [()], [()])
    assert none.n == 0
    assert np.isnan(none.within)
    assert np.isnan(none.primary)
