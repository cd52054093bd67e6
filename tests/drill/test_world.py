"""The world as a whole: its own truth again from any midnight, and what a list truly changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from yrd_airq.drill.keep import keep_course, read_course
from yrd_airq.drill.world import World, _require_sound, make_world, replay, simulate
from yrd_airq.errors import InputError
from yrd_airq.vocab import Pollutant, Target

FIRST, LAST = pd.Timestamp("2026-08-20"), pd.Timestamp("2026-08-21")


def stop_all(world: World) -> pd.DataFrame:
    listed = world.enterprises[["enterprise_id"]]
    return listed.assign(measure_code="stop", start="2026-08-20", end="2026-08-20")


@pytest.fixture(scope="module")
def stopped(world: World) -> pd.DataFrame:
    """What a stop of all enterprises of the truth does on one day."""
    return replay(world, stop_all(world))


def test_the_same_days_again_are_the_same_to_the_last_bit(world: World) -> None:
    again = simulate(world, FIRST, LAST)
    truth = world.course.truth
    span = np.asarray((truth.times > FIRST) & (truth.times <= LAST))
    assert again.times.equals(truth.times[span])
    for pollutant, values in again.values.items():
        assert np.array_equal(values, truth.values[pollutant][span]), pollutant


def test_a_stop_of_everybody_cleans_the_air_but_not_all_of_it(stopped: pd.DataFrame) -> None:
    assert set(stopped["date"]) == {FIRST}
    assert set(stopped["target"]) == {target.value for target in Target if target is not Target.O3_MEAN}
    change = (stopped["controlled"] / stopped["base"] - 1).groupby(stopped["target"]).mean()
    for target in (Target.NO2, Target.SO2, Target.PM25, Target.PM10, Target.CO):
        assert -0.8 < change[target] < -0.02, target
    assert -0.3 < change[Target.O3_MDA8] < 0.1


def test_half_of_them_do_less_than_all(world: World, stopped: pd.DataFrame) -> None:
    half = replay(world, stop_all(world), execution=0.5)
    assert half["base"].equals(stopped["base"])
    mean = {
        name: table.groupby("target")["controlled"].mean()
        for name, table in (("half", half), ("all", stopped))
    }
    base = stopped.groupby("target")["base"].mean()
    assert base["so2"] > mean["half"]["so2"] > mean["all"]["so2"]


def test_a_list_that_orders_nothing_changes_nothing(world: World) -> None:
    assert replay(world, stop_all(world).assign(measure_code="")).empty
    with pytest.raises(InputError, match="does not lie within the world"):
        simulate(world, FIRST, world.last + pd.Timedelta(days=1))


def test_the_truth_can_be_kept_and_read(world: World, tmp_path: Path) -> None:
    keep_course(tmp_path, world.course, world.enterprises)
    kept = read_course(tmp_path, world.network)
    assert kept.truth.times.equals(world.course.truth.times)
    for pollutant, values in world.course.truth.values.items():
        assert np.allclose(kept.truth.values[pollutant], values, rtol=1e-6), pollutant
    assert kept.states.keys() == world.course.states.keys()
    for time, state in kept.states.items():
        assert np.array_equal(state.values, world.course.states[time].values)
    again = make_world(world.settings, tmp_path)
    assert again.course.truth.city_days()["value"].mean() > 0
    with pytest.raises(InputError, match="holds no truth"):
        read_course(tmp_path / "nowhere", world.network)


def test_air_by_day_and_night(world: World) -> None:
    truth = world.course.truth
    late = np.asarray(truth.times > pd.Timestamp(world.settings.first_day))
    hour = np.asarray(truth.times.hour)[late]

    def at(pollutant: Pollutant, hours: tuple[int, ...]) -> float:
        return float(truth.values[pollutant][late][np.isin(hour, hours)].mean())

    assert at(Pollutant.O3, (14, 15, 16)) > 1.5 * at(Pollutant.O3, (4, 5, 6))
    assert at(Pollutant.NO2, (21, 22, 23)) > 1.2 * at(Pollutant.NO2, (13, 14))
    assert (truth.values[Pollutant.PM10] >= truth.values[Pollutant.PM25]).all()
    for pollutant, values in truth.values.items():
        assert np.isfinite(values).all(), pollutant
        assert (values >= 0).all(), pollutant


def test_stations_are_as_many_as_in_reality(world: World) -> None:
    table = world.network.table
    assert 190 <= len(table) <= 240
    assert table["监测点编码"].is_unique
    assert sum(code == "" for code in world.network.adcode) == len(world.settings.stations.county_cities)


@pytest.mark.parametrize("wrong", [np.nan, 1e9, -1.0])
def test_a_world_that_goes_astray_is_refused(world: World, wrong: float) -> None:
    truth = world.course.truth
    ozone = truth.values[Pollutant.O3].copy()
    ozone[30, 2] = wrong
    with pytest.raises(InputError, match=f"goes astray: o3 at {truth.times[30]:%Y-%m-%d %H:%M}"):
        _require_sound(world, replace(truth, values=dict(truth.values) | {Pollutant.O3: ozone}))
