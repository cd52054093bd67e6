from __future__ import annotations

from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from yrd_airq.errors import InputError
from yrd_airq.standards.aqi import DailyAqi, daily_aqi, hourly_aqi, iaqi
from yrd_airq.standards.breakpoints import IAQI, Item, column_of
from yrd_airq.standards.versions import Standard
from yrd_airq.vocab import Pollutant, Target

OLD, NEW = Standard.HJ633_2012, Standard.HJ633_2026
NAN = float("nan")

# item, concentration, IAQI under HJ 633-2012, under HJ 633-2026; worked by hand from the tables.
WORKED = [
    ("pm25_24h", 35, 50, 50),
    ("pm25_24h", 36, 52, 52),
    ("pm25_24h", 60, 82, 100),
    ("pm25_24h", 60.5, 82, 100),
    ("pm25_24h", 61, 83, 101),
    ("pm25_24h", 75, 100, 114),
    ("pm25_24h", 76, 102, 115),
    ("pm25_24h", 115, 150, 150),
    ("pm25_24h", 116, 152, 152),
    ("pm25_24h", 150, 200, 200),
    ("pm25_24h", 250, 300, 300),
    ("pm25_24h", 501, 500, 500),
    ("pm10_24h", 120, 85, 100),
    ("pm10_24h", 121, 86, 101),
    ("pm10_24h", 150, 100, 112),
    ("pm10_24h", 151, 101, 112),
    ("o3_mda8", 100, 50, 50),
    ("o3_mda8", 101, 51, 51),
    ("o3_mda8", 160, 100, 100),
    ("o3_mda8", 161, 101, 101),
    ("o3_mda8", 215, 150, 150),
    ("o3_mda8", 216, 151, 151),
    ("o3_mda8", 265, 200, 200),
    ("o3_mda8", 266, 201, 201),
    ("o3_mda8", 800, 300, 300),
    ("o3_mda8", 801, NAN, 300),
    ("o3_1h", 161, 52, 52),
    ("o3_1h", 200, 100, 100),
    ("o3_1h", 201, 101, 101),
    ("co_24h", 4.05, 100, 100),
    ("co_24h", 4.1, 101, 101),
    ("co_24h", 2.15, 55, 55),
    ("so2_1h", 800, 200, 200),
    ("so2_1h", 801, NAN, 200),
    ("so2_24h", 475, 150, 150),
    ("so2_24h", 500, 154, 154),
    ("no2_1h", 100.5, 50, 50),
]


@pytest.mark.parametrize(("item", "concentration", "old", "new"), WORKED)
def test_worked_indices(item: str, concentration: float, old: float, new: float) -> None:
    np.testing.assert_equal(float(iaqi(item, concentration, OLD)), float(old))
    np.testing.assert_equal(float(iaqi(item, concentration, NEW)), float(new))


def test_missing_and_negative_are_missing_and_zero_is_zero() -> None:
    got = iaqi("pm25_24h", [[np.nan, -0.2], [0.0, np.inf]], NEW)
    np.testing.assert_array_equal(got, [[np.nan, np.nan], [0, np.nan]])


@pytest.mark.parametrize("standard", list(Standard))
@pytest.mark.parametrize("item", list(Item))
def test_breakpoints_meet_their_index_and_never_fall(item: Item, standard: Standard) -> None:
    if standard is OLD and item in (Item.PM10_1H, Item.PM25_1H):
        with pytest.raises(InputError, match="HJ 633-2012 has no IAQI for"):
            column_of(item, standard)
        return
    column = column_of(item, standard)
    np.testing.assert_array_equal(iaqi(item, column.bounds, standard), IAQI[: len(column.bounds)])
    step = 10**-column.digits
    above = np.array(column.bounds[:-1]) + step
    np.testing.assert_array_equal(iaqi(item, above, standard) > IAQI[: len(above)], True)
    every = iaqi(item, np.arange(0, column.bounds[-1] + 1, step), standard)
    assert (np.diff(every[np.isfinite(every)]) >= 0).all()


@given(st.sampled_from(list(Item)), st.integers(0, 30_000))
def test_index_equals_the_formula_in_fractions(item: Item, tenths: int) -> None:
    column = column_of(item, NEW)
    concentration = Fraction(tenths, 10) if column.digits else Fraction(tenths // 10)
    if concentration > column.bounds[-1]:
        return
    k = max(1, next(i for i, bound in enumerate(column.bounds) if concentration <= bound))
    low, high = column.bounds[k - 1], column.bounds[k]
    expected = ceil((IAQI[k] - IAQI[k - 1]) * (concentration - low) / (high - low) + IAQI[k - 1])
    assert iaqi(item, float(concentration), NEW) == expected


def test_sulphur_dioxide_day_uses_daily_breakpoints() -> None:
    # A published package carries the 1-h values 500/650 here.
    assert iaqi("so2_24h", 500, NEW) > 150


def _daily(standard: Standard, *, rule: bool = False, **values: object) -> DailyAqi:
    return daily_aqi({Target(k): np.asarray(v) for k, v in values.items()}, standard, publication_rule=rule)


def test_daily_aqi_is_the_largest_and_names_all_ties() -> None:
    # PM2.5 60 → 100, O3 160 → 100 (2026): both are primary; under 2012 PM2.5 60 → 82.
    new = _daily(NEW, pm25=[60.0, 20.0], o3_mda8=[160.0, 90.0])
    np.testing.assert_array_equal(new.aqi, [100, 45])
    assert new.primary.tolist() == [(Pollutant.O3, Pollutant.PM25), ()]
    assert _daily(OLD, pm25=[60.0], o3_mda8=[160.0]).primary.tolist() == [(Pollutant.O3,)]


def test_tie_is_judged_after_rounding_up() -> None:
    # PM10 150 → 111.54, 151 → 111.92: both 112, as PM2.5 72 → 110.9 → 111 is not.
    result = _daily(NEW, pm10=[150.0, 151.0], pm25=[73.0, 72.0])
    assert iaqi("pm25_24h", 73, NEW) == 112
    assert result.primary.tolist() == [(Pollutant.PM10, Pollutant.PM25), (Pollutant.PM10,)]


def test_aqi_50_has_no_primary_and_51_has() -> None:
    assert _daily(NEW, o3_mda8=[100.0, 101.0]).primary.tolist() == [(), (Pollutant.O3,)]


def test_missing_pollutants_are_left_out_and_nothing_gives_nothing() -> None:
    result = _daily(NEW, pm25=[np.nan, np.nan], o3_mda8=[np.nan, 161.0])
    np.testing.assert_array_equal(result.aqi, [np.nan, 101])
    assert result.primary.tolist() == [(), (Pollutant.O3,)]


def test_publication_rule_wants_all_six_unless_the_aqi_exceeds_100() -> None:
    full = {"so2": 10.0, "no2": 20.0, "co": 0.8, "o3_mda8": 120.0, "pm10": 60.0, "pm25": 40.0}
    assert float(_daily(NEW, rule=True, **full).aqi) == 67
    gap = full | {"co": NAN}
    held_back = _daily(NEW, rule=True, **gap)
    assert np.isnan(held_back.aqi)
    assert held_back.primary.item() == ()
    assert float(held_back.iaqi[Pollutant.O3]) == 67
    assert float(_daily(NEW, rule=True, **(gap | {"o3_mda8": 161.0})).aqi) == 101
    targets = {Target(k): v for k, v in gap.items()}
    free = daily_aqi(targets, NEW, publication_rule=True, not_in_plan=(Pollutant.CO,))
    assert float(free.aqi) == 67


def test_ozone_above_800_falls_back_on_the_hourly_maximum_in_2012() -> None:
    values = {Target.O3_MDA8: [801.0, 801.0], Target.PM25: [35.0, 35.0]}
    old = daily_aqi(values, OLD, o3_1h_max=[900.0, NAN])
    np.testing.assert_array_equal(old.aqi, [350, np.nan])
    np.testing.assert_array_equal(daily_aqi(values, NEW).aqi, [300, 300])
    with pytest.raises(InputError, match="1-h maximum"):
        daily_aqi(values, NEW, o3_1h_max=[900.0, NAN])


def test_real_time_report_reads_hourly_particles_since_2026() -> None:
    assert float(hourly_aqi({"pm25_1h": 61.0, "no2_1h": 50.0}, NEW).aqi) == 101
    with pytest.raises(InputError, match="HJ 633-2012 has no item pm25_1h"):
        hourly_aqi({"pm25_1h": 61.0}, OLD)
    assert float(hourly_aqi({"pm25_24h": 61.0, "o3_8h": 20.0, "o3_1h": 30.0}, OLD).aqi) == 83


def test_real_time_sulphur_dioxide_above_800_takes_the_daily_index_in_2012() -> None:
    # 801: 24-h mean 500 → 154; below 800 the 24-h mean has no say; a missing 1-h value blocks nothing.
    result = hourly_aqi(
        {"so2_1h": [801.0, 10.0, NAN], "so2_24h": [500.0, 500.0, 500.0], "no2_1h": [20.0] * 3}, OLD
    )
    np.testing.assert_array_equal(result.aqi, [154, 10, 10])


def test_daily_mean_ozone_and_unknown_items_are_refused() -> None:
    with pytest.raises(InputError, match="o3_mean has no daily IAQI"):
        daily_aqi({Target.O3_MEAN: [80.0]}, NEW)
    with pytest.raises(InputError, match="no IAQI for 'benzene'"):
        iaqi("benzene", 1.0, NEW)
    with pytest.raises(InputError, match="at least one pollutant"):
        daily_aqi({}, NEW)
