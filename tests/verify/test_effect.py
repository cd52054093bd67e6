"""A made archive in which the weather makes the air, and an event with a planted effect."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from yrd_airq.errors import InputError
from yrd_airq.forecast.normalise import Expectation, describe_weather, expect_from_weather
from yrd_airq.forecast.panel import Panel, build_panel
from yrd_airq.region import load_region
from yrd_airq.settings import load
from yrd_airq.verify.effect import AssessSettings, Effect, assess_city, placebo_windows
from yrd_airq.verify.execution import measure_execution, read_execution
from yrd_airq.vocab import CityDaySource, Target

REGION = load_region()
CITY, OTHER = "330100", "320300"
DAYS = 800
FIRST = pd.Timestamp("2015-01-01")
EVENT = slice(610, 624)


def make_panel(effect: float, seed: int = 3, days: int = DAYS, regional: float = 0.0) -> Panel:
    """Air = wind × temperature × red noise; ``effect`` in the event in Hangzhou, ``regional`` everywhere."""
    rng = np.random.default_rng(seed)
    dates = pd.date_range(FIRST, periods=days)
    shape = (len(REGION.adcodes), days)
    wind = np.exp(rng.normal(0.9, 0.35, days) + rng.normal(0, 0.1, shape))
    warm = 16 - 12 * np.cos(2 * np.pi * dates.dayofyear.to_numpy() / 365.25) + rng.normal(0, 2, days)
    red = np.zeros(days)
    for k in range(1, days):
        red[k] = 0.6 * red[k - 1] + rng.normal(0, 0.12)
    level = 60 * wind**-0.7 * np.exp(-0.02 * (warm - 16))
    air = level * np.exp(red + rng.normal(0, 0.08, shape))
    air[:, EVENT] *= 1 + regional
    air[REGION.adcodes.index(CITY), EVENT] *= 1 + effect
    index = {"adcode": np.repeat(REGION.adcodes, days), "date": np.tile(dates, shape[0])}
    weather = pd.DataFrame(
        {**index, "kind": "analysis", "wind_ms": wind.ravel(), "t2m_c": np.tile(warm, shape[0])}
    )
    daily = pd.DataFrame({**index, "target": "pm25", "value": air.ravel()})
    return build_panel(daily, None, weather, REGION, source=CityDaySource.REANALYSIS)


def make_settings(**changes: object) -> AssessSettings:
    settings = load(AssessSettings, "assess")
    model = settings.model.model_copy(update={"rounds": 60})
    return settings.model_copy(update={"model": model, "folds": 4, **changes})


SETTINGS = make_settings()
CONTROLS = np.zeros(DAYS, dtype=bool)
CONTROLS[EVENT] = True
OUTSIDE = np.array([code[:2] != "33" for code in REGION.adcodes])


@pytest.fixture(scope="module")
def planted() -> Panel:
    return make_panel(-0.2)


@pytest.fixture(scope="module")
def expectation(planted: Panel) -> Expectation:
    return expect_from_weather(planted, Target.PM25, CONTROLS, SETTINGS)


@pytest.fixture(scope="module")
def found(expectation: Expectation) -> Effect:
    return assess_city(expectation, CITY, CONTROLS, OUTSIDE, SETTINGS)


def test_a_planted_fifth_is_found(found: Effect) -> None:
    assert found.low <= -0.2 <= found.high
    assert found.effect == pytest.approx(-0.2, abs=0.1)
    assert abs(found.placebo_mean) < 0.05
    assert found.placebos >= 60
    assert found.days == 14


def test_the_cities_left_alone_sharpen_it(found: Effect) -> None:
    """Cities share the red noise, so that their difference is much surer than either."""
    assert len(found.compared_with) == SETTINGS.comparison.cities
    assert all(code[:2] != "33" for code in found.compared_with)
    assert found.did_low <= -0.2 <= found.did_high
    assert found.did_high - found.did_low < 0.5 * (found.high - found.low)
    assert found.did_high < 0


def test_an_untouched_city_shows_nothing(expectation: Expectation) -> None:
    other = assess_city(expectation, OTHER, CONTROLS, OUTSIDE, SETTINGS)
    assert other.low < 0 < other.high
    assert other.verdict == "unclear"


def test_the_interval_holds_the_truth_as_often_as_it_says(expectation: Expectation) -> None:
    """Stretches without any controls, each taken as an event of its own: 90 % intervals of no effect."""
    inside = []
    for start in range(60, DAYS - 60, 35):
        days = np.zeros(DAYS, dtype=bool)
        days[start : start + 14] = True
        trained = expectation.trained & ~days
        own = replace(expectation, trained=trained)
        effect = assess_city(own, CITY, days, OUTSIDE & False, SETTINGS)
        if effect.verdict != "no_claim" and not days[EVENT].any():
            inside.append(effect.low <= 0 <= effect.high)
    assert len(inside) >= 15
    assert np.mean(inside) >= 0.75


def test_a_regional_change_is_not_taken_for_the_controls() -> None:
    made = expect_from_weather(make_panel(0.0, seed=4, regional=-0.3), Target.PM25, CONTROLS, SETTINGS)
    both = assess_city(made, CITY, CONTROLS, OUTSIDE, SETTINGS)
    assert both.effect < -0.15
    assert both.did_low < 0 < both.did_high


def test_no_pollutant_is_among_the_inputs(planted: Panel) -> None:
    other = make_panel(0.5)
    np.testing.assert_array_equal(describe_weather(planted), describe_weather(other))


def test_event_days_teach_nothing(expectation: Expectation) -> None:
    worse = make_panel(3.0)
    again = expect_from_weather(worse, Target.PM25, CONTROLS, SETTINGS)
    city = REGION.adcodes.index(CITY)
    np.testing.assert_allclose(expectation.expected[city, EVENT], again.expected[city, EVENT])
    margin = SETTINGS.margin_days
    assert not expectation.trained[EVENT.start - margin : EVENT.stop + margin].any()
    assert expectation.trained[[EVENT.start - margin - 1, EVENT.stop + margin]].all()


def test_placebo_windows_are_free_days_of_the_season(expectation: Expectation) -> None:
    windows = placebo_windows(expectation, CONTROLS, SETTINGS)
    assert (windows.sum(axis=1) == 14).all()
    assert not windows[:, ~expectation.trained].any()
    middle = np.array([np.flatnonzero(row).mean() for row in windows])
    apart = np.abs(middle - 616.5) % 365.2425
    assert (np.minimum(apart, 365.2425 - apart) <= SETTINGS.season_days).all()


def test_too_few_days_are_refused() -> None:
    panel = make_panel(0.0, days=640)
    short = make_settings(least_train_days=SETTINGS.least_train_days.model_copy(update={"value": 700}))
    with pytest.raises(InputError, match="at least 700 are needed"):
        expect_from_weather(panel, Target.PM25, CONTROLS[:640], short)


def test_no_claim_without_observations_or_placebos(expectation: Expectation) -> None:
    observed = expectation.observed.copy()
    observed[REGION.adcodes.index(CITY), EVENT.start : EVENT.start + 4] = np.nan
    gap = assess_city(replace(expectation, observed=observed), CITY, CONTROLS, OUTSIDE, SETTINGS)
    assert gap.verdict == "no_claim"
    assert "14天中仅10天" in gap.why_not
    assert np.isnan(gap.effect)
    few = make_settings(season_days=1)
    assert "安慰剂" in assess_city(expectation, CITY, CONTROLS, OUTSIDE, few).why_not


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


ORDERS = pd.DataFrame(
    {
        "enterprise_id": ["A", "B", "C"],
        "asked_cut": [0.5, 1.0, np.nan],
        "benefit": [3.0, 1.0, 0.0],
        "start": pd.Timestamp("2016-09-03"),
        "end": pd.Timestamp("2016-09-05"),
    }
)


def test_execution_from_inspections_and_meters(tmp_path: Path) -> None:
    """A saved 30 % of its power where 50 % were asked: 0.6; B was seen at 1 and 0.5; Z is no listed plant."""
    rows = ["enterprise_id,date,share,kwh_before,kwh_now", "A,2016-09-04,,1000,700", "B,2016-09-04,1,,"]
    rows += ["B,2016-09-05,0.5,,", "B,2016-08-01,0,,", "Z,2016-09-04,0,,"]
    table = read_execution(write(tmp_path / "done.csv", "\n".join(rows)))
    done = measure_execution(table, ORDERS)
    assert done.by_enterprise.to_dict("list") == {
        "enterprise_id": ["A", "B"],
        "share": [pytest.approx(0.6), 0.75],
        "days": [1, 2],
        "basis": ["electricity", "inspection"],
    }
    assert done.unknown == ("C",)
    assert done.weighted == pytest.approx((3 * 0.6 + 0.75) / 4)


def test_every_fault_of_the_execution_table_is_told(tmp_path: Path) -> None:
    rows = ["enterprise_id,date,share", "A,yesterday,0.5", "A,2016-09-04,1.5", "B,2016-09-04,"]
    with pytest.raises(InputError) as caught:
        read_execution(write(tmp_path / "bad.csv", "\n".join(rows)))
    for part in ("line 2: the date", "line 3: the share 1.5", "line 4: neither"):
        assert part in str(caught.value)
    with pytest.raises(InputError, match="column date is missing"):
        read_execution(write(tmp_path / "bare.csv", "enterprise_id\nA\n"))
