"""AQI, level and first pollutant of a forecast day from the joint distribution of its pollutants."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest

from yrd_airq.errors import InputError
from yrd_airq.forecast.aqi_settings import DRAWN, HalfYears, load_aqi_forecast
from yrd_airq.forecast.joint import AQI, DAY, AqiForecast, correlate, forecast_aqi
from yrd_airq.forecast.rows import COLUMNS
from yrd_airq.forecast.statement import state
from yrd_airq.standards.aqi import daily_aqi
from yrd_airq.standards.versions import Standard
from yrd_airq.vocab import Pollutant, Target

SETTINGS = load_aqi_forecast()
Quantiles = dict[str, tuple[float, float, float]]
CLEAN: Quantiles = {"o3_mda8": (60, 70, 80), "pm25": (10, 14, 20), "pm10": (20, 28, 40), "no2": (10, 15, 20)}


def rows(days: dict[tuple[str, str], Quantiles], kind: str = "none") -> pd.DataFrame:
    """Forecast rows of city-days (adcode, valid date), issued at 16:00 on the day before."""
    found = []
    for (adcode, day), targets in days.items():
        valid = pd.Timestamp(day)
        for target, (q10, q50, q90) in targets.items():
            found.append(
                {
                    "adcode": adcode,
                    "issue_time": valid - pd.Timedelta(hours=8),
                    "valid_date": valid,
                    "lead_day": 1,
                    "target": target,
                    "model": "lightgbm",
                    "mean": q50,
                    "q10": q10,
                    "q50": q50,
                    "q90": q90,
                    "p_exceed": np.nan,
                    "weather_kind": kind,
                }
            )
    return pd.DataFrame(found)


def one(targets: Quantiles, day: str = "2016-09-05", **more: object) -> AqiForecast:
    return forecast_aqi(rows({("310000", day): targets}), SETTINGS, **more)


def test_draws_agree_with_brute_force() -> None:
    targets: Quantiles = {
        "o3_mda8": (110, 150, 200),
        "pm25": (30, 50, 90),
        "pm10": (50, 80, 130),
        "no2": (20, 35, 50),
    }
    result = one(targets)
    rng = np.random.default_rng(11)
    z = rng.multivariate_normal(np.zeros(4), SETTINGS.correlation.matrix(False, True), 100_000).T
    values = {}
    for k, target in enumerate(DRAWN):
        q10, q50, q90 = targets[target.value]
        values[target] = q50 + z[k] / 1.2815515655 * np.where(z[k] > 0, q90 - q50, q50 - q10)
    expected = daily_aqi({t: np.maximum(v, 0) for t, v in values.items()}, Standard.HJ633_2012)
    row, chance = result.rows.iloc[0], result.chances.iloc[0]
    assert row["mean"] == pytest.approx(expected.aqi.mean(), rel=0.02)
    assert row["q50"] == pytest.approx(np.median(expected.aqi), abs=3)
    assert row["p_exceed"] == pytest.approx((expected.aqi > 100).mean(), abs=0.03)
    for pollutant in (Pollutant.O3, Pollutant.PM25):
        share = np.mean((expected.iaqi[pollutant] == expected.aqi) & (expected.aqi > 50))
        assert chance[f"p_first_{pollutant}"] == pytest.approx(share, abs=0.03)


def test_the_aqi_of_the_medians_is_too_low_where_two_pollutants_compete() -> None:
    targets = CLEAN | {"o3_mda8": (110, 150, 190), "pm25": (35, 68, 105)}
    medians = daily_aqi({Target.O3_MDA8: [150.0], Target.PM25: [68.0]}, Standard.HJ633_2012).aqi[0]
    assert one(targets).rows.iloc[0]["q50"] > medians + 2


def test_chances_add_up_and_rows_have_the_columns_of_every_forecast() -> None:
    result = one(CLEAN | {"pm25": (20, 45, 90)})
    assert tuple(result.rows.columns) == COLUMNS
    row, chance = result.rows.iloc[0], result.chances.iloc[0]
    assert row["target"] == AQI
    assert row["q10"] <= row["q50"] <= row["q90"]
    levels = [chance[f"p_level_{k}"] for k in range(1, 7)]
    assert sum(levels) == pytest.approx(1)
    assert row["p_exceed"] == pytest.approx(sum(levels[2:]))
    assert sum(chance[f"p_first_{p}"] for p in Pollutant) >= 1 - levels[0]


def test_the_aqi_rests_on_the_weakest_of_its_parts() -> None:
    given = rows({("310000", "2016-09-05"): CLEAN})
    assert set(forecast_aqi(given, SETTINGS).rows["basis"]) == {"own"}
    weak = given.assign(basis=["own"] * (len(given) - 1) + ["neighbours"])
    assert set(forecast_aqi(weak, SETTINGS).rows["basis"]) == {"neighbours"}
    weak.loc[weak.index[0], "basis"] = "stale"
    assert set(forecast_aqi(weak, SETTINGS).rows["basis"]) == {"stale"}


def test_a_clean_day_has_no_first_pollutant() -> None:
    chance = one({target: (5, 6, 7) for target in CLEAN}).chances.iloc[0]
    assert chance["p_level_1"] == 1
    assert all(chance[f"p_first_{p}"] == 0 for p in Pollutant)
    assert chance["first"] == ()


def test_the_standard_of_the_day_is_used() -> None:
    targets = CLEAN | {"pm25": (66, 67, 68)}
    before, after = one(targets, "2026-02-28").rows.iloc[0], one(targets, "2026-03-01").rows.iloc[0]
    assert (before["q50"], before["p_exceed"]) == (90, 0)
    assert (after["q50"], after["p_exceed"]) == (107, 1)


def test_a_city_day_does_not_depend_on_the_others_nor_on_their_order() -> None:
    days = {
        ("310000", "2016-09-05"): CLEAN,
        ("320100", "2016-09-05"): CLEAN | {"pm25": (40, 60, 90)},
        ("320100", "2016-12-05"): CLEAN,
    }
    together = forecast_aqi(rows(days), SETTINGS)
    shuffled = forecast_aqi(rows(days).sample(frac=1, random_state=1), SETTINGS)
    pd.testing.assert_frame_equal(together.rows, shuffled.rows)
    pd.testing.assert_frame_equal(together.chances, shuffled.chances)
    alone = one(CLEAN)
    pd.testing.assert_frame_equal(alone.rows, together.rows.iloc[[0]])


def test_missing_targets_are_left_out_and_last_known_gases_count() -> None:
    assert one({"pm25": (80, 80, 80)}).rows.iloc[0]["q50"] == 107
    known = pd.DataFrame({"adcode": ["310000"], "target": ["so2"], "value": [300.0]})
    dirty = one(CLEAN, last_known=known)
    assert dirty.rows.iloc[0]["q50"] == 124  # 100 + 50 · (300 − 150) / 325, rounded up
    assert dirty.chances.iloc[0]["first"] == (Pollutant.SO2,)


def test_rows_without_quantiles_give_the_aqi_of_the_mean() -> None:
    frame = rows({("310000", "2016-09-05"): CLEAN})
    frame[["q10", "q50", "q90"]] = np.nan
    row = forecast_aqi(frame, SETTINGS).rows.iloc[0]
    assert row["q10"] == row["q90"] == 35  # ozone, 70 of 100


def test_input_is_refused_with_a_reason() -> None:
    frame = rows({("310000", "2016-09-05"): CLEAN})
    with pytest.raises(InputError, match="no forecast of o3_mda8, pm25"):
        forecast_aqi(frame[frame["target"] == "x"], SETTINGS)
    with pytest.raises(InputError, match="no2 of 310000 on 2016-09-05 is forecast twice"):
        forecast_aqi(pd.concat([frame, frame.iloc[[3]]]), SETTINGS)


def test_weather_is_known_only_if_it_was_for_every_target() -> None:
    frame = rows({("310000", "2016-09-05"): CLEAN}, kind="forecast")
    assert forecast_aqi(frame, SETTINGS).rows.iloc[0]["weather_kind"] == "forecast"
    frame.loc[2, "weather_kind"] = "none"
    assert forecast_aqi(frame, SETTINGS).rows.iloc[0]["weather_kind"] == "none"


def test_correlations_that_contradict_each_other_are_refused() -> None:
    pairs = SETTINGS.correlation.none.cold
    with pytest.raises(ValueError, match="contradict"):
        HalfYears(cold=pairs | {"o3-pm25": 0.9, "o3-pm10": -0.9}, warm=pairs)
    with pytest.raises(ValueError, match="give the pairs o3-pm25"):
        HalfYears(cold={"o3-pm25": 0.9}, warm=pairs)


def test_correlate_finds_what_was_put_in_and_passes_over_gaps() -> None:
    matrix = SETTINGS.correlation.matrix(True, False)
    z = np.random.default_rng(2).multivariate_normal(np.zeros(4), matrix, 20_000).T.copy()
    z[1, :50] = np.nan
    deviates = {target: z[k].reshape(20, -1) for k, target in enumerate(DRAWN)}
    np.testing.assert_allclose(correlate(deviates), matrix, atol=0.02)


def stated(aqi: np.ndarray, first: dict[Pollutant, float] | None = None) -> pd.Series:
    shares = np.array([[(first or {}).get(p, 0.0) for p in Pollutant]])
    return state(aqi[None, :], shares, SETTINGS).iloc[0]


def test_a_narrow_forecast_has_a_range_of_ten() -> None:
    result = stated(np.full(1000, 72.0))
    assert (result["aqi_lo"], result["aqi_hi"], result["level_lo"], result["level_hi"]) == (65, 75, 2, 2)
    assert result["p_range"] == 1


def test_a_range_names_two_levels_at_most_and_the_likelier_neighbour() -> None:
    rng = np.random.default_rng(1)
    up = stated(np.concatenate([rng.uniform(80, 100, 600), rng.uniform(101, 260, 400)]))
    assert (up["level_lo"], up["level_hi"]) == (2, 3)
    assert up["aqi_hi"] <= 150
    down = stated(np.concatenate([rng.uniform(101, 112, 600), rng.uniform(30, 100, 400)]))
    assert (down["level_lo"], down["level_hi"]) == (2, 3)


def test_a_range_is_never_a_single_value() -> None:
    cut = stated(np.concatenate([np.full(600, 98.0), np.linspace(60, 97, 1), np.linspace(101, 140, 399)]))
    assert cut["aqi_lo"] < cut["aqi_hi"]
    fallen = stated(np.concatenate([np.full(899, 99.0), np.full(101, 40.0)]))
    assert (fallen["aqi_lo"], fallen["aqi_hi"]) == (95, 100)


def test_a_range_does_not_begin_on_the_edge_of_a_class() -> None:
    result = stated(np.random.default_rng(1).normal(113, 16, 5000))
    assert result["aqi_lo"] == 105
    assert result["level_lo"] == 3


def test_ranges_hold_their_share_of_the_draws_where_they_may_be_wide_enough() -> None:
    rng = np.random.default_rng(4)
    aqi = rng.normal(rng.uniform(60, 180, (300, 1)), 12, (300, 500))
    table = state(aqi, np.zeros((300, len(Pollutant))), SETTINGS)
    assert (table["aqi_hi"] - table["aqi_lo"]).max() <= 60
    assert table["p_range"].mean() == pytest.approx(SETTINGS.range_share.value, abs=0.08)
    assert ((table["level_hi"] - table["level_lo"]) <= 1).all()


def test_at_most_two_pollutants_are_named_and_none_on_clean_days() -> None:
    dirty, clean = np.full(1000, 80.0), np.full(1000, 30.0)
    both = {Pollutant.O3: 0.6, Pollutant.PM25: 0.35, Pollutant.PM10: 0.05}
    assert stated(dirty, both)["first"] == (Pollutant.O3, Pollutant.PM25)
    assert stated(dirty, both | {Pollutant.O3: 0.9, Pollutant.PM25: 0.1})["first"] == (Pollutant.O3,)
    assert stated(clean, both)["first"] == ()


def test_a_region_and_a_week_take_little_time() -> None:
    days = {
        (str(code), str(day.date())): CLEAN
        for code in range(310000, 310041)
        for day in pd.date_range("2016-09-05", periods=7)
    }
    frame = rows(days)
    start = time.perf_counter()
    result = forecast_aqi(frame, SETTINGS)
    assert time.perf_counter() - start < 2
    assert len(result.rows) == len(result.chances) == 287
    assert not result.chances.duplicated(DAY).any()
