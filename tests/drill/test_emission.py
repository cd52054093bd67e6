"""What the drill emits: right totals in the right places, cycles of day and week, and cuts that take away."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from yrd_airq.drill.emission import COURSES, Emission, layer_of
from yrd_airq.drill.geography import lay_out, woods
from yrd_airq.drill.layers import LAYERS
from yrd_airq.drill.measures import Measure, carry_out, hourly_cuts, load_measures
from yrd_airq.drill.state import EMITTED
from yrd_airq.drill.world import World
from yrd_airq.errors import InputError
from yrd_airq.vocab import Precursor

NOX, VOC, SO2, CO, _PM, _DUST, NH3 = range(7)
NOON = 12 + 24 * 2  # the hour that ends at noon on a Wednesday


def tonnes(emission: Emission, field: np.ndarray) -> np.ndarray:
    """kg in the hour of each species, over all layers and cells."""
    return np.asarray((field.reshape(len(EMITTED), LAYERS, -1) / emission.to_density).sum(axis=(1, 2)))


def test_a_field_of_every_species_in_every_hour(emission: Emission, world: World) -> None:
    field = emission.at(NOON)
    assert field.shape == (len(EMITTED), LAYERS, *world.grid.shape)
    assert field.dtype == np.float32
    assert (field >= 0).all()
    assert (tonnes(emission, field) > 0).all()
    # Ammonia leaves near the ground; smoke rises.
    assert field[NH3, 1:].sum() == 0
    assert field[SO2, 2:].sum() > 0.05 * field[SO2].sum()
    assert field[:, 4].sum() == 0


def test_totals_of_the_region_are_those_of_the_inventory(world: World, emission: Emission) -> None:
    week = sum(emission.at(k).astype(float) for k in range(1, 169))
    lon, lat = np.meshgrid(world.grid.lon, world.grid.lat)
    inside = (world.region.locate(lon.ravel(), lat.ravel()) != np.array(None)).reshape(world.grid.shape)
    kg = (week * inside).sum(axis=1).reshape(len(EMITTED), -1) / emission.to_density
    kt_a = kg.sum(axis=1) / 1e6 * 365 / 7
    # The totals of the settings for a week of August, when homes emit less and fields more.
    expected = {"nox": 2400, "voc": 3800, "so2": 680, "co": 21_000, "pm": 670, "nh3": 1750}
    for species, value in expected.items():
        assert kt_a[EMITTED.index(species)] == pytest.approx(value, rel=0.1), species


def test_shares_of_the_region_sum_to_one(world: World) -> None:
    places = world.settings.neighbours
    people = lay_out("people", world.grid, world.region, ())
    assert people.sum() == pytest.approx(1)
    assert lay_out("people", world.grid, world.region, places).sum() > 1.5
    for pattern in ("ships", "neighbours"):
        assert lay_out(pattern, world.grid, world.region, places).sum() == pytest.approx(1)
    assert people[world.grid.land.ravel() == 0].sum() == 0
    city = world.grid.nearest_cell([121.47, 118.30], [31.22, 29.72])  # Shanghai and Huangshan
    assert people[city[0]] > 10 * people[city[1]]
    assert woods(world.grid).ravel()[city[1]] > 3 * woods(world.grid).ravel()[city[0]]


def test_cycles_of_day_and_week(emission: Emission) -> None:
    by_hour = np.array([tonnes(emission, emission.at(k)) for k in range(1, 169)]).reshape(7, 24, -1)
    wednesday, sunday = by_hour[2], by_hour[6]
    assert wednesday[:, NOX].argmax() in (7, 8, 17, 18)
    assert wednesday[:, NOX].argmin() in (2, 3, 4)
    assert wednesday[:, NH3].argmax() in (12, 13)
    assert sunday[:, VOC].sum() < 0.95 * wednesday[:, VOC].sum()
    for name, course in COURSES.items():
        assert course.mean() == pytest.approx(1), name
        assert (course > 0).all(), name


def test_seasons(world: World) -> None:
    january = world.emission_over(pd.DatetimeIndex(["2026-01-14 12:00"])).at(0)
    july = world.emission_over(pd.DatetimeIndex(["2026-07-15 12:00"])).at(0)
    assert july[NH3].sum() > 1.5 * january[NH3].sum()
    assert january[CO].sum() > 1.05 * july[CO].sum()


def test_a_full_cut_of_everybody_leaves_the_small_sources(emission: Emission, world: World) -> None:
    everybody = pd.DataFrame(
        {"enterprise_id": world.enterprises["enterprise_id"], "time": emission.times[NOON]}
    )
    everybody[["nox", "voc", "pm", "so2"]] = 1.0
    less = tonnes(emission, emission.at(NOON)) - tonnes(emission, emission.with_cuts(everybody).at(NOON))
    assert np.allclose(less, emission.plant_hour(NOON).sum(axis=0), rtol=1e-4, atol=1)
    assert less[NH3] == 0
    # The hours before and after go on as they were.
    assert (emission.with_cuts(everybody).at(NOON + 1) == emission.at(NOON + 1)).all()


def test_cuts_of_one_enterprise_stay_in_its_cell_and_its_precursor(emission: Emission, world: World) -> None:
    row = int(world.enterprises["voc_tpa"].argmax())
    plant = world.enterprises.iloc[row]
    cut = pd.DataFrame(
        {
            "enterprise_id": [plant["enterprise_id"], "unknown"],
            "time": [emission.times[NOON]] * 2,
            "nox": 0.0,
            "voc": [0.5, 1.0],
            "pm": 0.0,
            "so2": 0.0,
        }
    )
    gone = (emission.at(NOON) - emission.with_cuts(cut).at(NOON)).reshape(len(EMITTED), LAYERS, -1)
    assert gone[VOC].sum() == pytest.approx(gone.sum(), rel=1e-5)
    cell = world.grid.nearest_cell([plant["lon"]], [plant["lat"]])[0]
    assert gone[VOC, 0, cell] / emission.to_density[cell] == pytest.approx(
        0.5 * emission.plant_hour(NOON)[row, VOC], rel=1e-3
    )


def test_layers_of_stacks() -> None:
    assert layer_of(np.array([10.0, 60.0, 61.0, 300.0, 9999.0])).tolist() == [0, 0, 1, 2, LAYERS - 1]


def measure(**changes: object) -> Measure:
    half = {"value": 0.5, "mark": "derived", "source": "test"}
    return Measure.model_validate({"code": "m", "cut": {"nox": half, "voc": half}} | changes)


def test_hourly_cuts_by_hand() -> None:
    steady, column = COURSES["steady"], list(Precursor).index(Precursor.VOC)
    cuts = hourly_cuts(measure(), steady)
    assert np.allclose(cuts[:, column], 0.5)
    assert np.allclose(cuts[:, list(Precursor).index(Precursor.SO2)], 0)
    moved = measure(cut={}, ozone_cut={"voc": {"value": 0.6, "mark": "derived", "source": "test"}})
    shifted = hourly_cuts(moved, steady)[:, column]
    assert np.allclose(shifted[8:18], 0.6)
    assert np.allclose(np.delete(shifted, range(8, 18)), -0.6 * 10 / 14)
    for course in COURSES.values():
        assert (hourly_cuts(moved, course)[:, column] * course).sum() == pytest.approx(0, abs=1e-9)


def order(world: World, count: int, **changes: object) -> pd.DataFrame:
    ids = world.enterprises["enterprise_id"].iloc[:count]
    columns = {"measure_code": "stop", "start": "2026-08-20", "end": "2026-08-21"} | changes
    return pd.DataFrame({"enterprise_id": ids, **columns})


def test_a_list_is_carried_out_by_those_who_comply(world: World) -> None:
    book, seed = load_measures(), world.settings.seed

    def done(listed: pd.DataFrame, execution: float = 1.0) -> pd.DataFrame:
        return carry_out(listed, world.enterprises, book, execution, seed)

    all_of_them = done(order(world, 300))
    assert len(all_of_them) == 300 * 48
    assert all_of_them["time"].min() == pd.Timestamp("2026-08-20 01:00")
    assert all_of_them["time"].max() == pd.Timestamp("2026-08-22 00:00")
    assert (all_of_them[["nox", "voc", "pm", "so2"]] == 1).all(axis=None)
    some, more = (set(done(order(world, 300), share)["enterprise_id"]) for share in (0.5, 0.7))
    assert some < more
    assert 0.6 * 300 < len(more) < 0.8 * 300
    assert done(order(world, 300, measure_code="")).empty
    assert done(order(world, 3).assign(enterprise_id="DRILL9999")).empty
    with pytest.raises(InputError, match="unknown measures fly; see configs"):
        done(order(world, 3, measure_code="fly"))
    with pytest.raises(InputError, match="ends before it starts"):
        done(order(world, 3, end="2026-08-19"))
    with pytest.raises(InputError, match="not a date such as"):
        done(order(world, 3, start="soon"))
