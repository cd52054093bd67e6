from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from yrd_airq.errors import InputError
from yrd_airq.standards.limits import Averaging, daily_limit, limit
from yrd_airq.standards.settings import load_standards
from yrd_airq.standards.versions import LimitStage, Standard, stage_of, standard_of, standards_of
from yrd_airq.vocab import Pollutant, Target

LAST_OLD, FIRST_NEW = date(2026, 2, 28), date(2026, 3, 1)
LAST_TRANSITION, SECOND = date(2030, 12, 31), date(2031, 1, 1)


def test_version_follows_the_date_of_the_data() -> None:
    assert standard_of(LAST_OLD) is Standard.HJ633_2012
    assert standard_of(FIRST_NEW) is Standard.HJ633_2026
    assert standard_of(datetime(2026, 2, 28, 23)) is Standard.HJ633_2012
    assert standard_of(pd.Timestamp("2026-03-01 00:00")) is Standard.HJ633_2026
    assert stage_of(LAST_TRANSITION) is LimitStage.GB3095_2026_TRANSITION
    assert stage_of(SECOND) is LimitStage.GB3095_2026
    assert str(standard_of(SECOND)) == "HJ 633-2026"
    days = pd.DatetimeIndex([pd.Timestamp("2026-02-28 12:00"), pd.Timestamp("2026-03-01")])
    np.testing.assert_array_equal(standards_of(days), [Standard.HJ633_2012, Standard.HJ633_2026])


@pytest.mark.parametrize(
    ("target", "old", "transition", "second"),
    [
        (Target.PM25, (35, 75), (35, 60), (25, 50)),
        (Target.PM10, (50, 150), (50, 120), (50, 100)),
        (Target.O3_MDA8, (100, 160), (100, 160), (100, 160)),
        (Target.SO2, (50, 150), (50, 150), (50, 50)),
        (Target.NO2, (80, 80), (80, 80), (50, 50)),
        (Target.CO, (4, 4), (4, 4), (4, 4)),
    ],
)
def test_daily_limits_by_date_and_grade(
    target: Target, old: tuple[int, int], transition: tuple[int, int], second: tuple[int, int]
) -> None:
    for grade in (1, 2):
        got = [daily_limit(target, day, grade) for day in (LAST_OLD, FIRST_NEW, LAST_TRANSITION, SECOND)]
        assert got == [old[grade - 1], transition[grade - 1], transition[grade - 1], second[grade - 1]]


def test_any_day_under_a_named_stage() -> None:
    assert daily_limit(Target.PM25, date(2019, 1, 1), stage=LimitStage.GB3095_2026_TRANSITION) == 60


def test_annual_and_hourly_limits() -> None:
    annual = [limit(Pollutant.PM25, Averaging.YEAR, stage) for stage in LimitStage]
    assert annual == [35, 30, 25]
    assert [limit(Pollutant.SO2, Averaging.HOUR, stage) for stage in LimitStage] == [500, 500, 150]
    assert limit(Pollutant.O3, Averaging.HOUR, LimitStage.GB3095_2026, grade=1) == 160


def test_missing_limits_are_refused_with_a_reason() -> None:
    with pytest.raises(InputError, match="use o3_mda8"):
        daily_limit(Target.O3_MEAN, FIRST_NEW)
    with pytest.raises(InputError, match="grades 1 and 2"):
        daily_limit(Target.PM25, FIRST_NEW, grade=3)
    with pytest.raises(InputError, match="no limit for co"):
        limit(Pollutant.CO, Averaging.YEAR, LimitStage.GB3095_2012)


def test_2013_evaluation_rules_serve_until_the_2026_ones_are_filled_in() -> None:
    settings = load_standards()
    assert settings.hj663_2026 is None
    assert settings.rules_of(FIRST_NEW) is settings.hj663_2013
    strict = settings.hj663_2013.model_copy(update={"city_order": "hourly_mean_then_daily"})
    filled = settings.model_copy(update={"hj663_2026": strict})
    assert filled.rules_of(FIRST_NEW) is strict
    assert filled.rules_of(LAST_OLD) is settings.hj663_2013
