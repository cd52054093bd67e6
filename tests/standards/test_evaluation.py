from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yrd_airq.errors import InputError
from yrd_airq.standards.basis import Basis
from yrd_airq.standards.evaluation import (
    composite_index,
    days_between,
    exceeds,
    index_limit,
    multiple,
    valid_period,
)
from yrd_airq.standards.settings import load_standards
from yrd_airq.standards.versions import LimitStage, Standard
from yrd_airq.vocab import Target

OLD, TRANSITION, SECOND = LimitStage


def _valid(first: date, last: date, *lost: tuple[date, int]) -> bool:
    """Validity of a period that lost a number of days from each date given on."""
    days = days_between(first, last)
    valid = np.ones((len(days), 1), dtype=bool)
    for start, number in lost:
        at = (pd.Timestamp(start) - days[0]).days
        valid[at : at + number] = False
    return bool(valid_period(valid, days, load_standards().hj663_2013)[0])


@pytest.mark.parametrize(
    ("first", "last", "most_lost"),
    [
        (date(2019, 1, 1), date(2019, 1, 31), 4),  # 27 of 31
        (date(2019, 4, 1), date(2019, 4, 30), 3),  # 27 of 30
        (date(2019, 2, 1), date(2019, 2, 28), 3),  # 25 of 28
        (date(2020, 2, 1), date(2020, 2, 29), 4),  # 25 of 29
        (date(2019, 7, 1), date(2019, 9, 30), 4),  # a quarter: July needs 27
        (date(2019, 7, 3), date(2019, 7, 22), 2),  # 20 days: 18
        (date(2019, 7, 3), date(2019, 7, 9), 0),  # 7 days: 6.3, so all
        (date(2019, 7, 3), date(2019, 7, 3), 0),
    ],
)
def test_days_that_may_be_lost(first: date, last: date, most_lost: int) -> None:
    assert _valid(first, last, (first, most_lost))
    assert not _valid(first, last, (first, most_lost + 1))


def test_a_year_needs_324_days_and_every_month_its_own() -> None:
    year = date(2019, 1, 1), date(2019, 12, 31)
    # 7 × 4 (months of 31) + 4 × 3 (of 30) + 3 (February) = 43 leave 322 days, though each month is valid.
    lost = [(date(2019, m, 1), 4 if m in (1, 3, 5, 7, 8, 10, 12) else 3) for m in range(1, 13)]
    assert not _valid(*year, *lost)
    spared = [(day, n - 2) if day.month == 1 else (day, n) for day, n in lost]
    assert _valid(*year, *spared)  # 324
    assert not _valid(*year, (date(2019, 4, 1), 4))  # 361 days, but 26 in April


def test_each_place_is_judged_alone_and_shapes_must_fit() -> None:
    days = days_between(date(2019, 4, 1), date(2019, 4, 30))
    valid = np.ones((30, 2), dtype=bool)
    valid[:4, 1] = False
    assert valid_period(valid, days, load_standards().hj663_2013).tolist() == [True, False]
    with pytest.raises(InputError, match="30 days cannot be judged by 29"):
        valid_period(valid[1:], days, load_standards().hj663_2013)
    with pytest.raises(InputError, match="before it begins"):
        days_between(date(2019, 4, 2), date(2019, 4, 1))


def test_exceedance_compares_rounded_values() -> None:
    # 75.5 → 76 exceeds 75; 75.49 → 75 does not; 60.5 → 60 (even) does not exceed 60.
    assert exceeds([75.5, 75.49, np.nan], Target.PM25, OLD).tolist() == [True, False, False]
    assert exceeds([60.5, 60.51], Target.PM25, TRANSITION).tolist() == [False, True]
    assert exceeds([4.05, 4.06], Target.CO, OLD).tolist() == [False, True]
    np.testing.assert_array_equal(multiple([160.0, 240.0, np.nan], 160), [np.nan, 0.5, np.nan])


def test_the_composite_index_by_hand() -> None:
    """SO2 12/60 + NO2 40/40 + CO 1.0/4 + O3 176/160 + PM10 84/70 + PM2.5 42/35 = 4.95 under 2012."""
    values = {
        Target.SO2: [12.0],
        Target.NO2: [40.0],
        Target.CO: [1.0],
        Target.O3_MDA8: [176.0],
        Target.PM10: [84.0],
        Target.PM25: [42.0],
    }
    rules = load_standards().hj663_2013.composite
    total, single = composite_index(values, OLD, rules)
    assert total[0] == pytest.approx(0.2 + 1 + 0.25 + 1.1 + 1.2 + 1.2)
    assert single[Target.O3_MDA8][0] == pytest.approx(1.1)
    # since 2026 PM10 84/60 = 1.4 and PM2.5 42/30 = 1.4
    assert composite_index(values, TRANSITION, rules)[0][0] == pytest.approx(5.35)
    assert index_limit(Target.PM25, SECOND) == 25
    assert np.isnan(composite_index(values | {Target.CO: [np.nan]}, OLD, rules)[0][0])
    with pytest.raises(InputError, match="needs co, pm25 too"):
        composite_index({t: v for t, v in values.items() if t not in (Target.CO, Target.PM25)}, OLD, rules)


def test_weights_and_items_are_settings() -> None:
    rules = load_standards().hj663_2013.composite
    weight = load_standards().hj663_2013.station_share.model_copy(update={"value": 2.0})
    heavier = rules.model_copy(update={"items": (Target.PM25, Target.NO2), "weights": {Target.PM25: weight}})
    assert composite_index({Target.PM25: [35.0], Target.NO2: [20.0]}, OLD, heavier)[0][0] == 2.5


@given(st.lists(st.floats(0, 500), min_size=6, max_size=6), st.floats(1.01, 3))
def test_the_composite_index_grows_with_every_concentration(values: list[float], factor: float) -> None:
    rules = load_standards().hj663_2013.composite
    given_values = {t: np.array([v]) for t, v in zip(rules.items, values, strict=True)}
    grown = {t: v * factor for t, v in given_values.items()}
    assert composite_index(grown, OLD, rules)[0] >= composite_index(given_values, OLD, rules)[0]


def test_a_basis_follows_the_day_or_its_name() -> None:
    old, new, late = date(2019, 7, 1), date(2026, 3, 1), date(2031, 1, 1)
    free = Basis.named("as_of_date")
    assert [free.standard_on(d) for d in (old, new)] == [Standard.HJ633_2012, Standard.HJ633_2026]
    assert [free.stage_on(d) for d in (old, new, late)] == [OLD, TRANSITION, SECOND]
    named = Basis.named("HJ 633-2026")
    assert [named.stage_on(d) for d in (old, new, late)] == [TRANSITION, TRANSITION, SECOND]
    assert Basis.named("2012").stage_on(late) is OLD
    assert Basis.named("2026", "2031").stage_on(old) is SECOND
    assert Basis.named("as_of_date", "2026").stage_on(old) is TRANSITION
    assert free.fixed_on(new) == Basis(Standard.HJ633_2026, TRANSITION)
    assert "in force on each day" in free.name
    with pytest.raises(InputError, match="unknown standard '2020'"):
        Basis.named("2020")
    with pytest.raises(InputError, match="unknown limits '1996'"):
        Basis.named("2012", "1996")
