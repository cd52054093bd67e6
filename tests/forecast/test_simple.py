from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from tests.forecast.factory import panel
from yrd_airq.forecast.baselines import CLIMATOLOGY, PERSISTENCE, ROLLING, SIMPLE, WEEK, simple_rows
from yrd_airq.forecast.climatology import Climatology
from yrd_airq.forecast.panel import Panel
from yrd_airq.vocab import Target


def rows(
    given: Panel, position: int, target: Target = Target.PM25, normal: Climatology | None = None
) -> pd.DataFrame:
    times = given.dates[[position]] + pd.Timedelta(hours=given.issue_hour)
    return simple_rows(given, target, np.array([position]), (1, 2), times, normal)


def values(given: pd.DataFrame, model: str, lead: int = 1) -> np.ndarray:
    chosen = given[(given["model"] == model) & (given["lead_day"] == lead)]
    return chosen.sort_values("adcode")["mean"].to_numpy()


def test_every_simple_method_by_hand() -> None:
    given = panel(60, weather=False, hourly=True)
    pm25 = given.values[Target.PM25]
    made = rows(given, 40, normal=Climatology(None))
    assert set(made["model"]) == set(SIMPLE)
    for lead in (1, 2):
        np.testing.assert_allclose(values(made, PERSISTENCE, lead), pm25[:, 39])
        np.testing.assert_allclose(values(made, WEEK, lead), pm25[:, 33:40].mean(axis=1))
        # Hours are flat through a day: eight of the day before, sixteen of the issue date.
        np.testing.assert_allclose(values(made, ROLLING, lead), (8 * pm25[:, 39] + 16 * pm25[:, 40]) / 24)
        np.testing.assert_allclose(values(made, CLIMATOLOGY, lead), pm25[:, 10:40].mean(axis=1))


def test_without_hours_or_a_normal_two_methods_remain() -> None:
    assert set(rows(panel(60, weather=False), 40)["model"]) == {PERSISTENCE, WEEK}


def test_ozone_takes_the_largest_eight_hours_so_far() -> None:
    given = panel(60, weather=False)
    so_far = np.full_like(given.values[Target.O3_MDA8], 123.0)
    made = rows(replace(given, today={"o3_8h_sofar": so_far}), 40, Target.O3_MDA8)
    np.testing.assert_allclose(values(made, ROLLING), 123.0)


def test_unknown_hours_fall_back_on_the_last_day() -> None:
    given = panel(60, weather=False, hourly=True)
    blank = given.today["pm25_last24"].copy()
    blank[0, 40] = np.nan
    made = rows(replace(given, today=given.today | {"pm25_last24": blank}), 40)
    assert values(made, ROLLING)[0] == given.values[Target.PM25][0, 39]


def test_nothing_of_the_issue_date_or_later_moves_the_daily_methods() -> None:
    given = panel(60, weather=False)
    later = {name: array.copy() for name, array in given.values.items()}
    later[Target.PM25][:, 40:] = 999.0
    pd.testing.assert_frame_equal(rows(given, 40), rows(replace(given, values=later), 40))
