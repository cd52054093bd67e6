from __future__ import annotations

from math import hypot

import pandas as pd
import pytest

from yrd_airq.errors import InputError
from yrd_airq.forecast.ozone import mda8_from_mean, observed_mda8
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.settings import load

ROWS = pd.DataFrame(
    {
        "adcode": "330100",
        "valid_date": pd.to_datetime(["2016-09-04", "2016-01-04"]),
        "target": "o3_mean",
        "model": "lightgbm",
        "mean": [80.0, 40.0],
        "q10": [60.0, 30.0],
        "q50": [80.0, 40.0],
        "q90": [110.0, 50.0],
        "p_exceed": [0.5, 0.5],
    }
)


def test_the_daily_mean_is_converted_by_month_and_marked() -> None:
    settings = load(ForecastSettings, "forecast")
    term = settings.o3_mda8_from_mean[9]
    slope, spread = term.slope.value, term.residual_sd.value
    rows = mda8_from_mean(ROWS, settings, threshold=160.0)
    assert set(rows["target"]) == {"o3_mda8"}
    assert set(rows["model"]) == {"lightgbm+ratio"}
    middle = term.intercept.value + slope * 80
    assert rows["mean"].iloc[0] == pytest.approx(middle)
    assert rows["q10"].iloc[0] == pytest.approx(middle - hypot(slope * 20, 1.2815515655 * spread))
    assert rows["q90"].iloc[0] == pytest.approx(middle + hypot(slope * 30, 1.2815515655 * spread))
    assert 0 < rows["p_exceed"].iloc[0] < 0.5
    assert rows["mean"].iloc[1] < rows["mean"].iloc[0]
    assert ROWS["target"].iloc[0] == "o3_mean"  # the input is left alone


def test_only_daily_mean_ozone_is_converted() -> None:
    with pytest.raises(InputError, match="not pm25"):
        mda8_from_mean(ROWS.assign(target="pm25"), load(ForecastSettings, "forecast"))


def test_observed_means_are_converted_alike() -> None:
    settings = load(ForecastSettings, "forecast")
    days = ROWS.rename(columns={"valid_date": "date", "mean": "value"})
    got = observed_mda8(days, settings)
    assert got["value"].tolist() == mda8_from_mean(ROWS, settings)["mean"].tolist()


def test_every_ratio_is_marked_as_derived_with_its_source() -> None:
    for terms in load(ForecastSettings, "forecast").o3_mda8_from_mean.values():
        for number in (terms.intercept, terms.slope, terms.residual_sd):
            assert number.mark == "derived"
            assert "tests/bench/o3_ratio.py" in number.source
