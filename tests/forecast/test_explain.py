"""Contributions of feature groups, and the sentence made of them."""

from __future__ import annotations

from datetime import datetime, time
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

from tests.forecast import factory
from yrd_airq.errors import InputError
from yrd_airq.forecast import registry
from yrd_airq.forecast.contribution import explain_issue
from yrd_airq.forecast.explain import Explanation, explain, load_explain, sentences
from yrd_airq.forecast.training import train
from yrd_airq.vocab import Target, WeatherKind

SETTINGS = load_explain()
FEATURES = ("upwind_lag1", "t2m_c", "t2m_c_change", "precip_mm", "noise")
GROUPS = {"upwind_lag1": "upwind", "t2m_c": "temperature", "t2m_c_change": "temperature", "precip_mm": "rain"}


def member(seed: int, rounds: int = 40) -> tuple[lgb.Booster, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(400, len(FEATURES)))
    y = 10 * x[:, 0] + 4 * x[:, 1] - 6 * x[:, 3]
    parameters = {"objective": "l2", "verbose": -1, "num_leaves": 7, "seed": seed, "num_threads": 1}
    return lgb.train(parameters, lgb.Dataset(x, y), rounds), x


@pytest.fixture(scope="module")
def members() -> tuple[list[lgb.Booster], np.ndarray]:
    first, x = member(1)
    return [first, member(2)[0]], x


def test_contributions_add_up_to_the_weighted_members(members: tuple) -> None:
    boosters, x = members
    slope = np.linspace(0.5, 1.5, len(x))  # a member of another quantity: its slope differs from row to row
    found = explain(boosters, x, FEATURES, GROUPS, [0.3, slope])
    expected = 0.3 * boosters[0].predict(x) + slope * boosters[1].predict(x)
    np.testing.assert_allclose(found.values.sum(axis=1) + found.base, expected, atol=1e-8)


def test_groups_gather_their_features_and_the_rest_is_other(members: tuple) -> None:
    boosters, x = members
    found = explain(boosters[:1], x, FEATURES, GROUPS, [1.0])
    assert found.groups == ("upwind", "temperature", "rain", "other")
    single = boosters[0].predict(x, pred_contrib=True)
    np.testing.assert_allclose(found.values[:, 1], single[:, 1] + single[:, 2])
    assert np.abs(found.values).mean(axis=0).argmax() == 0
    assert np.corrcoef(found.values[:, 2], x[:, 3])[0, 1] < -0.9


def test_other_features_than_the_members_have_are_refused(members: tuple) -> None:
    boosters, x = members
    with pytest.raises(InputError, match="5 features are named, the matrix has the shape"):
        explain(boosters, x[:, :4], FEATURES, GROUPS, [1, 1])
    with pytest.raises(InputError, match="a member has 5 features, 4 are named"):
        explain(boosters, x[:, :4], FEATURES[:4], GROUPS, [1, 1])
    with pytest.raises(InputError, match="no trees"):
        explain([], x, FEATURES, GROUPS, [])


def sentence(**values: float) -> str:
    return sentences(Explanation(tuple(values), np.array([list(values.values())]), np.zeros(1)), SETTINGS)[0]


def test_a_rise_names_what_raises_and_what_offsets_it() -> None:
    assert sentence(upwind=12.2, temperature=8.1, rain=-5.4, season=0.4) == (
        "预计升高主要由于上风向本底偏高（+12微克/立方米）和气温条件（+8），降水条件（−5）部分抵消。"
    )


def test_a_fall_turns_the_words_round() -> None:
    assert sentence(recent=-9.0, wind=-15.0, upwind=3.0) == (
        "预计降低主要由于风场条件（−15微克/立方米）和前期浓度偏低（−9），上风向本底偏高（+3）部分抵消。"
    )


def test_only_the_largest_are_named() -> None:
    text = sentence(upwind=12.0, temperature=8.0, wind=4.0, rain=-3.0, season=-2.0, calendar=-1.5)
    assert "风场" not in text
    assert "周末" not in text
    assert text.endswith("降水条件（−3）和季节因素（−2）部分抵消。")


def test_nothing_offsets() -> None:
    assert sentence(upwind=12.0, rain=-0.3) == "预计升高主要由于上风向本底偏高（+12微克/立方米）。"


def test_balance_and_calm() -> None:
    assert sentence(upwind=6.0, rain=-5.6) == (
        "预计变化不大，上风向本底偏高（+6微克/立方米）与降水条件（−6）相互抵消。"
    )
    assert sentence(upwind=0.4, rain=-0.2) == "预计与近期水平相当，无突出影响因素。"
    assert sentence(upwind=0.7, rain=0.7) == "预计略有升高，无突出影响因素。"


def test_groups_of_one_name_are_added_and_unknown_ones_are_other() -> None:
    assert sentence(recent=4.0, anchor=5.0, strange=2.0) == (
        "预计升高主要由于前期浓度偏高（+9微克/立方米）和其他因素（+2）。"
    )


def test_a_model_read_back_explains_as_it_did(tmp_path: Path) -> None:
    panel, when = factory.panel(150), datetime.combine(factory.day(140), time(16))
    settings = factory.quick_settings(min_train_days=40)
    model = train(panel, Target.PM25, factory.day(120), (1,), WeatherKind.ANALYSIS, settings)
    again = registry.load(registry.save(model, tmp_path))
    first, second = (explain_issue(panel, m, when, (1,), panel.adcodes) for m in (model, again))
    pd.testing.assert_frame_equal(first.parts, second.parts)
    assert first.reasons["text_zh"].tolist() == second.reasons["text_zh"].tolist()
    assert len(first.reasons) == len(panel.adcodes)
