"""The drill's mechanism: read, balanced, integrated as a reference does, with the signs of real air."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from tests.conftest import ROOT
from yrd_airq.drill.air_settings import AirSettings
from yrd_airq.drill.chemistry import react, react_back, thermal_rates
from yrd_airq.drill.layers import LAYERS
from yrd_airq.drill.mechanism import NONE, Mechanism, make_mechanism
from yrd_airq.drill.particles import dissociation, nitrate
from yrd_airq.drill.state import CARRIED, INDEX, SPECIES
from yrd_airq.errors import InputError
from yrd_airq.settings import load_file

SETTINGS = load_file(AirSettings, ROOT / "configs/drill/air.yaml")
MECHANISM: Mechanism = make_mechanism(SETTINGS)
AIR = {
    **{"no": 1, "no2": 8, "o3": 30, "hcho": 2, "ald": 1.5, "mgly": 0.2, "par": 25, "ole": 0.8, "aro": 2},
    **{"isop": 0.1, "co": 300, "pan": 0.5, "h2o2": 1, "so2": 3, "tno3": 2},
}


def constants(hour: float, warmth: float, *, day: int = 200, water: float = 0.02) -> np.ndarray:
    """Rate constants near the ground at 31N under a clear sky."""
    tilt = np.radians(-23.44) * np.cos(2 * np.pi * (day + 10) / 365)
    lat, angle = np.radians(31), np.radians(15 * (hour - 12))
    cosine = max(np.sin(lat) * np.sin(tilt) + np.cos(lat) * np.cos(tilt) * np.cos(angle), 0)
    value = dict.fromkeys(MECHANISM.drivers, 0.0) | {
        "one": 1.0,
        "water": water,
        "cloud": 0.1,
        "n2o5_uptake": 5e-4,
    }
    if cosine > 0:
        value |= {n: p.l * cosine**p.m * np.exp(-p.n / cosine) for n, p in SETTINGS.photolysis.items()}
    value["o1d"] = 2.2e-10 * water / (2.2e-10 * water + 2.96e-11) * value["o3_o1d"]
    thermal = np.empty((len(MECHANISM.equations), LAYERS, 1), dtype=np.float32)
    thermal_rates(MECHANISM.thermal, np.full((LAYERS, 1), warmth, dtype=np.float32), thermal)
    driver = np.array([value[name] for name in MECHANISM.drivers])
    return thermal[:, 0, 0] * driver[MECHANISM.plan.driver.astype(int)]


def start(**changes: float) -> np.ndarray:
    air = np.zeros(len(SPECIES))
    for name, value in (AIR | changes).items():
        air[INDEX[name]] = value
    return air


def sources(nox: float, voc: float) -> np.ndarray:
    """ppb/s from ppb/h of NOx and some mixture of VOC."""
    out = np.zeros(len(SPECIES))
    mixture = {"no": 0.9 * nox, "no2": 0.1 * nox, "par": 2.5 * voc, "ole": 0.15 * voc, "aro": 0.3 * voc}
    for name, value in (mixture | {"isop": 0.1 * voc, "hcho": 0.1 * voc}).items():
        out[INDEX[name]] = value / 3600
    return out


def through_a_day(
    air: np.ndarray, source: np.ndarray, hourly: list[np.ndarray], kind: type = np.float32
) -> np.ndarray:
    """The air at the end of each half hour, (time, species)."""
    state, course = air.astype(kind)[:, None].copy(), []
    emitted, one = source[: len(CARRIED), None].astype(kind), np.ones((len(MECHANISM.drivers), 1), dtype=kind)
    for rates in hourly:
        react(MECHANISM.plan, rates[:, None].astype(kind), one, emitted, state, 1800.0)
        course.append(state[:, 0].astype(float))
    return np.array(course)


def half_hours(warmth: float, begin: float = 6.0, **weather: float) -> list[np.ndarray]:
    hours = begin + 0.25 + 0.5 * np.arange(48)
    return [constants(h % 24, warmth + 4 * np.cos(2 * np.pi * (h - 14) / 24), **weather) for h in hours]


def reference(air: np.ndarray, source: np.ndarray, hourly: list[np.ndarray]) -> np.ndarray:
    """The same by an adaptive implicit Runge-Kutta method with tight tolerances, radicals and all."""
    pairs = [[int(a) for a in row if a != NONE] for row in MECHANISM.plan.reactants]
    first = np.array([pair[0] for pair in pairs])
    second = np.array([pair[1] if len(pair) == 2 else len(SPECIES) for pair in pairs])

    def derive(_: float, y: np.ndarray, rates: np.ndarray) -> np.ndarray:
        more = np.append(y, 1.0)
        return (rates * more[first] * more[second]) @ MECHANISM.stoichiometry + source

    def slope(_: float, y: np.ndarray, rates: np.ndarray) -> np.ndarray:
        more, matrix = np.append(y, 1.0), np.zeros((len(SPECIES) + 1, len(SPECIES)))
        np.add.at(matrix, first, (rates * more[second])[:, None] * MECHANISM.stoichiometry)
        np.add.at(matrix, second, (rates * more[first])[:, None] * MECHANISM.stoichiometry)
        return matrix[:-1].T

    course = []
    for rates in hourly:
        found = solve_ivp(derive, (0, 1800), air, "Radau", jac=slope, rtol=1e-8, atol=1e-11, args=(rates,))
        air = found.y[:, -1]
        course.append(air)
    return np.array(course)


def test_reactions_keep_nitrogen_and_sulphur() -> None:
    nitrogen = dict.fromkeys(("no", "no2", "pan", "tno3", "no3"), 1) | {"n2o5": 2}
    sulphur = {"so2": 1, "so4": 1}
    lost = []
    for atoms in (nitrogen, sulphur):
        content = np.array([atoms.get(name, 0) for name in SPECIES])
        change = MECHANISM.stoichiometry @ content
        lost += [e for e, value in zip(MECHANISM.equations, change, strict=True) if abs(value) > 1e-12]
    # Organic nitrates take no further part.
    assert lost == ["XO2N + NO ->", "ISOP + NO3 -> XO2N + 0.3 SOA"]


def test_rate_constants_are_those_of_the_evaluations() -> None:
    at = dict(zip(MECHANISM.equations, constants(12.0, 298.0), strict=True))
    # 1 ppb is 2.46e10 molecules/cm3 at 298 K and 1013 hPa; the lowest layer's middle lies 30 m higher.
    per_ppb = 2.46e10 * 0.9965
    assert at["NO + O3 -> NO2"] / per_ppb == pytest.approx(1.95e-14, rel=0.01)
    assert at["NO2 + OH -> TNO3"] / per_ppb == pytest.approx(9.8e-12, rel=0.03)
    assert at["PAN -> C2O3 + NO2"] == pytest.approx(3.3e-4, rel=0.15)
    assert at["OH + CO -> HO2"] / per_ppb == pytest.approx(2.28e-13, rel=0.02)
    assert at["NO2 -> NO + O3"] == pytest.approx(8.8e-3, rel=0.05)


@pytest.mark.parametrize(
    ("equation", "message"),
    [
        ("NO + XX -> NO2", "unknown species 'XX'"),
        ("NO + O3 + NO2 -> NO2", "one or two reactants"),
        ("NO2 -> 2NO", "cannot read '2NO'"),
    ],
)
def test_a_reaction_that_cannot_be_read_is_named(equation: str, message: str) -> None:
    odd = SETTINGS.model_copy(
        update={"reactions": (SETTINGS.reactions[0].model_copy(update={"equation": equation}),)}
    )
    with pytest.raises(InputError, match=message):
        make_mechanism(odd)


@pytest.mark.parametrize(
    ("nox", "voc", "warmth", "weather"),
    [
        (1.0, 2.0, 298.0, {"day": 200, "water": 0.025}),
        (6.0, 6.0, 303.0, {"day": 200, "water": 0.03}),
        (3.0, 1.0, 278.0, {"day": 15, "water": 0.006}),
        (0.1, 0.3, 295.0, {"day": 250, "water": 0.02}),
    ],
)
def test_a_day_is_that_of_the_reference(
    nox: float, voc: float, warmth: float, weather: dict[str, float]
) -> None:
    hourly = half_hours(warmth, **weather)
    want = reference(start(), sources(nox, voc), hourly)
    got = through_a_day(start(), sources(nox, voc), hourly)
    for name in ("o3", "no2", "hcho", "ald", "pan", "par", "aro", "so2", "so4", "co"):
        place = INDEX[name]
        assert got[:, place].mean() == pytest.approx(want[:, place].mean(), rel=0.01), name
        assert got[:, place].max() == pytest.approx(want[:, place].max(), rel=0.01), name
    # Pentoxide decays within minutes of nightfall; nitrate is a little behind in the cold.
    assert got[-1, INDEX["tno3"]] == pytest.approx(want[-1, INDEX["tno3"]], rel=0.03)
    assert abs(got[:, INDEX["o3"]] - want[:, INDEX["o3"]]).max() < 0.015 * want[:, INDEX["o3"]].max()


def test_ozone_follows_voc_in_a_city_and_nox_in_the_country() -> None:
    hourly = half_hours(303.0, begin=8.0)

    def peak(nox: float, voc: float, **air: float) -> float:
        return float(through_a_day(start(**air), sources(nox, voc), hourly)[:24, INDEX["o3"]].max())

    city, clean = peak(8, 4), {"no": 0.1, "no2": 1.0}
    country = peak(0.06, 2, **clean)
    assert peak(8, 3) < city - 3
    assert peak(6, 4) > city + 3
    less_nox, less_voc = peak(0.045, 2, **clean), peak(0.06, 1.5, **clean)
    assert less_nox < country - 1
    assert abs(less_voc - country) < 0.5 * (country - less_nox)


def test_no_takes_up_ozone_at_night() -> None:
    dark = [constants(0.0, 293.0)] * 2
    air = through_a_day(start(no=20, o3=40, no2=10), np.zeros(len(SPECIES)), dark)[-1]
    assert air[INDEX["no"]] < 0.5
    assert air[INDEX["o3"]] == pytest.approx(20, abs=1.5)
    assert air[INDEX["no2"]] == pytest.approx(30, abs=2)


def test_warm_air_makes_more_ozone_and_frees_pan() -> None:
    cool, warm = (
        through_a_day(start(), sources(1.5, 3), half_hours(t, begin=8.0))[:24] for t in (290.0, 305.0)
    )
    assert warm[:, INDEX["o3"]].max() > 1.05 * cool[:, INDEX["o3"]].max()
    assert warm[:, INDEX["pan"]].max() < 0.5 * cool[:, INDEX["pan"]].max()


def test_the_transpose_of_the_chemistry_is_its_derivative() -> None:
    rng, boxes = np.random.default_rng(2), 150
    plan, driven = MECHANISM.plan, MECHANISM.plan.driven.astype(int)
    rates = np.repeat(constants(10.0, 300.0)[:, None], boxes, axis=1).astype(np.float32)
    one = np.ones((len(MECHANISM.drivers), boxes), dtype=np.float32)
    state = np.repeat(start()[:, None], boxes, axis=1) * (1 + 0.2 * rng.random((len(SPECIES), boxes)))
    state = state.astype(np.float32)
    emitted = np.repeat(sources(3, 3)[: len(CARRIED), None], boxes, axis=1).astype(np.float32)
    react(plan, rates, one, emitted, state, 1800.0)
    to_state = np.zeros_like(state)
    watched = [INDEX[name] for name in ("no2", "o3", "hcho", "tno3", "pan")]
    to_state[watched] = rng.normal(size=(len(watched), boxes))
    turn, turn_source = state * rng.normal(size=state.shape).astype(np.float32), 3 * emitted
    turn[len(CARRIED) :] = 0

    def after(step: float) -> np.ndarray:
        moved, faster = state + np.float32(step) * turn, rates.copy()
        faster[driven] *= np.float32(1 + 50 * step)
        react(plan, faster, one, emitted + np.float32(step) * turn_source, moved, 1800.0)
        return (moved.astype(float) * to_state).sum(axis=0)

    back, to_source = to_state.copy(), np.zeros_like(emitted)
    to_driven = np.zeros((len(driven), boxes), dtype=np.float32)
    react_back(plan, rates, one, emitted, state, back, to_source, to_driven, 1800.0)
    expected = (after(0.01) - after(-0.01)) / 0.02
    found = (back * turn).sum(axis=0) + (to_source * turn_source).sum(axis=0)
    found += 50 * (to_driven * rates[driven]).sum(axis=0)
    np.testing.assert_allclose(found, expected, rtol=0.01, atol=2e-3 * abs(expected).max())


def test_ammonium_nitrate_forms_in_cold_humid_air_with_ammonia() -> None:
    state = np.zeros((len(SPECIES), 4))
    state[INDEX["tno3"]] = 5.0
    state[INDEX["nhx"]] = [10.0, 10.0, 10.0, 0.0]
    product = dissociation(np.array([278.0, 303.0, 303.0, 278.0]), np.array([0.5, 0.3, 0.9, 0.5]))
    cold, warm, wet, without = nitrate(state, product)
    # Product of the gases over dry particles at 298 K (Mozurkewich 1993): some 40 ppb2.
    assert dissociation(np.array([298.15]), np.array([0.3]))[0] == pytest.approx(42, rel=0.3)
    assert cold > 4.5
    assert warm < 0.1 * cold
    assert warm < wet
    assert without == 0


# A summer noon over a small town below fresh traffic, in which one step of half an hour ran away.
RUNAWAY = {
    **{"no": 0.2253, "no2": 0.5613, "o3": 39.48, "n2o5": 9.011e-06, "hcho": 1.147, "ald": 0.2969},
    **{"mgly": 0.0402, "par": 4.378, "ole": 0.0831, "aro": 0.1152, "isop": 0.1353, "co": 122.8, "pan": 0.13},
    **{"h2o2": 1.49, "tno3": 0.5061, "so2": 0.2764, "so4": 0.79, "soa": 1.025, "nhx": 3.545, "no3": 0.00016},
}
FRESH_PPBH = {
    **{"no": 17.96, "no2": 1.996, "hcho": 0.8734, "ald": 0.7713, "par": 41.89, "ole": 3.116, "aro": 3.569},
    **{"isop": 1.762, "co": 263.3},
}


@pytest.mark.parametrize("hour", [10.5, 11.0, 11.5, 12.0])
def test_fresh_emission_into_clean_noon_air_does_not_run_away(hour: float) -> None:
    air, fresh = np.zeros(len(SPECIES)), np.zeros(len(SPECIES))
    for name, value in RUNAWAY.items():
        air[INDEX[name]] = value
    for name, value in FRESH_PPBH.items():
        fresh[INDEX[name]] = value / 3600
    k = constants(hour, 305.8, day=217, water=0.02697)
    state, one = air.astype(np.float32)[:, None].copy(), np.ones((len(MECHANISM.drivers), 1), np.float32)
    react(
        MECHANISM.plan,
        k[:, None].astype(np.float32),
        one,
        fresh[: len(CARRIED), None].astype(np.float32),
        state,
        1800.0,
    )
    right = reference(air, fresh, [k])[-1]
    for name in ("o3", "no2", "hcho", "par"):
        assert state[INDEX[name], 0] == pytest.approx(right[INDEX[name]], rel=0.02)


# Air in which steps of both orders fail: fresh NO, hardly any NO2, and much N2O5, PAN and aldehyde.
HARSH = {
    **{"no": 9.2, "no2": 0.011, "o3": 0.87, "n2o5": 1.4, "hcho": 2.7, "ald": 19.0, "mgly": 0.0048},
    **{"ole": 0.0094, "aro": 0.42, "isop": 0.013, "co": 890, "pan": 8.5, "h2o2": 0.39, "tno3": 0.19},
    **{"par": 0.25, "so2": 0.67, "oh": 1.8e-05, "ho2": 0.00072, "xo2": 0.002, "xo2n": 0.0013},
}


def of_species(values: dict[str, float]) -> np.ndarray:
    out = np.zeros(len(SPECIES))
    for name, value in values.items():
        out[INDEX[name]] = value
    return out


def test_a_box_gone_astray_leaves_its_neighbours_alone() -> None:
    rates, one = constants(11.0, 305.8, day=217, water=0.027), np.ones((len(MECHANISM.drivers), 8))
    source = np.repeat(of_species(FRESH_PPBH)[: len(CARRIED), None] / 3600, 8, axis=1)
    alone = np.repeat(start()[:, None], 8, axis=1)
    beside = alone.copy()
    beside[:, 3] = of_species(RUNAWAY)
    for state in (alone, beside):
        react(MECHANISM.plan, np.repeat(rates[:, None], 8, axis=1), one, source, state, 1800.0)
    others = np.arange(8) != 3
    assert np.array_equal(alone[:, others], beside[:, others])
    assert 30 < beside[INDEX["o3"], 3] < 45


@pytest.mark.parametrize("air", [AIR, RUNAWAY, HARSH])
def test_finer_steps_are_transposed_as_well(air: dict[str, float]) -> None:
    rates = constants(11.0, 305.8, day=217, water=0.027)[:, None]
    one, state = np.ones((len(MECHANISM.drivers), 1)), of_species(air)[:, None]
    emitted = of_species(FRESH_PPBH)[: len(CARRIED), None] / 3600
    watched = of_species({"no2": 1.0, "o3": 0.7, "hcho": -2.0, "tno3": 1.5, "pan": -3.0})[:, None]

    def after(name: str, step: float) -> float:
        moved, more = state.copy(), emitted.copy()
        moved[INDEX[name]] *= 1 + step
        more[INDEX[name]] *= 1 + step
        react(MECHANISM.plan, rates, one, more, moved, 1800.0)
        return float((moved * watched).sum())

    back, to_source = watched.copy(), np.zeros_like(emitted)
    to_driven = np.zeros((len(MECHANISM.plan.driven), 1))
    react_back(MECHANISM.plan, rates, one, emitted, state, back, to_source, to_driven, 1800.0)
    for name in ("no", "no2", "o3", "pan", "hcho", "ole", "isop", "aro"):
        place = INDEX[name]
        found = float((back[place] * state[place] + to_source[place] * emitted[place])[0])
        expected = (after(name, 1e-5) - after(name, -1e-5)) / 2e-5
        assert found == pytest.approx(expected, rel=2e-3, abs=1e-4), name


def test_any_air_stays_finite_and_positive_and_makes_little_nitrogen() -> None:
    rng, boxes = np.random.default_rng(5), 2560
    air = of_species({"no": 120, "no2": 100, "o3": 200, "n2o5": 3, "hcho": 40, "ald": 20, "mgly": 10})
    air += of_species({"par": 500, "ole": 40, "aro": 60, "isop": 20, "co": 5000, "pan": 10, "h2o2": 10})
    air += of_species({"tno3": 50, "so2": 60, "oh": 1e-3, "ho2": 0.1, "xo2": 0.1, "xo2n": 1})
    air += of_species({"c2o3": 0.02, "no3": 0.5})
    state = (air[:, None] * 10 ** rng.uniform(-4, 0, (len(SPECIES), boxes))).astype(np.float32)
    emitted = sources(60, 100)[: len(CARRIED), None] * 10 ** rng.uniform(-3, 0, boxes)
    times = zip(rng.uniform(5, 20, 20), rng.uniform(265, 313, 20), rng.uniform(0.003, 0.035, 20), strict=True)
    rates = np.repeat(np.stack([constants(h, t, water=w) for h, t, w in times], axis=1), boxes // 20, axis=1)
    one = np.ones((len(MECHANISM.drivers), boxes), dtype=np.float32)
    nitrogen = of_species(dict.fromkeys(("no", "no2", "pan", "tno3", "no3"), 1.0) | {"n2o5": 2.0})
    had = nitrogen @ state + 1800 * nitrogen[: len(CARRIED)] @ emitted
    react(MECHANISM.plan, rates.astype(np.float32), one, emitted.astype(np.float32), state, 1800.0)
    assert np.isfinite(state).all()
    assert (state >= 0).all()
    # What is cut off below zero comes from nothing; more than a trace of it is rare even in such air.
    excess = nitrogen @ state - had
    assert excess.max() < 10
    assert (excess > 0.05 * had + 0.5).mean() < 0.02
