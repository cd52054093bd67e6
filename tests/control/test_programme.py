"""Every family of constraints: as it is written down, and what happens without it."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import highspy
import numpy as np
import pytest
import scipy.sparse as sp

from tests.control.factories import (
    ISSUE,
    make_attribution,
    make_enterprises,
    make_event,
    make_forecasts,
    make_settings,
    make_surface,
    mark,
)
from yrd_airq.control.building import build_problem
from yrd_airq.control.edits import Edits
from yrd_airq.control.problem import Problem
from yrd_airq.control.programme import Programme, write_programme
from yrd_airq.control.solve import solve
from yrd_airq.region import load_region
from yrd_airq.vocab import Target

GOLDEN = Path(__file__).parent / "golden"
FAMILIES = [
    *(
        "one_order",
        "keep",
        "goal",
        "tier_floor",
        "city_cap",
        "host_first",
        "fairness",
        "list_length",
        "supply",
    ),
    *(
        "ozone_rise",
        "ozone_surface",
        "ozone_segment",
        "ozone_corner",
        "limit_short",
        "limit_broken",
        "limit_rise",
    ),
]


def everything(**changes: object) -> Problem:
    """Three plants of two provinces under every rule at once."""
    event = make_event({"pm25": 35, "o3_mda8": 160})
    plants = make_enterprises(
        3,
        adcode=["330100", "330100", "320500"],
        sector=["boiler", "glass", "glass"],
        cost_cny_per_day=[1e5, 2e5, 3e5],
        grade="D",
    )
    settings = make_settings()
    rules = {
        "host_province_leads": True,
        "city_cap": mark(0.75),
        "fairness": mark(0.5),
        "list_length": 2,
        "kept_load": mark(0.9),
        **changes,
    }
    settings = settings.model_copy(update={"rules": settings.rules.model_copy(update=rules)})
    attribution = make_attribution(plants, event, pm25=[4.0, 5.0, 6.0])
    surface = make_surface(attribution, bend=-60, slope=20)
    response = np.zeros((*attribution.share.shape[:2], 4))
    response[..., :2] = -surface.gradient[..., ::-1]
    attribution = dataclasses.replace(
        attribution,
        share=np.full(attribution.share.shape, 0.25),
        surfaces={Target.O3_MDA8: surface},
        sensitivity=dict(attribution.sensitivity)
        | {Target.O3_MDA8: 0.25 * np.broadcast_to(response[:, :, None], attribution.share.shape)},
        response={Target.O3_MDA8: response, Target.PM25: np.ones((*attribution.share.shape[:2], 4))},
    )
    edits = Edits({"E001": None}, frozenset(), {}, "test")
    forecasts = make_forecasts(event, spread=4.0, pm25=34.0, o3_mda8=150.0)
    return build_problem(
        event,
        plants,
        attribution,
        forecasts,
        ISSUE,
        settings,
        load_region(),
        edits=edits,
        tiers={"330100": "orange"},
    )


def write_down(programme: Programme, family: str) -> str:
    """A family's rows in the manner of an LP file."""
    names = {
        k: f"{name}[{k - place.start}]"
        for name, place in programme.at.items()
        for k in range(place.start, place.stop)
    }
    lines = []
    for k, row in enumerate(range(*programme.rows[family].indices(len(programme.least)))):
        begin, end = programme.matrix.indptr[row : row + 2]
        terms = sorted(
            zip(programme.matrix.indices[begin:end], programme.matrix.data[begin:end], strict=True)
        )
        left = " ".join(f"{value:+.6g} {names[column]}" for column, value in terms)
        low, high = programme.least[row], programme.most[row]
        sign, limit = ("=", low) if low == high else (">=", low) if np.isfinite(low) else ("<=", high)
        lines.append(f"{family}[{k}]: {left} {sign} {limit + 0.0:.6g}")
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("family", FAMILIES)
def test_families_are_written_as_before(family: str) -> None:
    programme = write_programme(everything())
    assert write_down(programme, family) == (GOLDEN / f"{family}.lp").read_text(encoding="utf-8")


def test_there_is_no_other_family() -> None:
    programme = write_programme(everything())
    assert set(programme.rows) == set(FAMILIES)
    assert sum(place.stop - place.start for place in programme.rows.values()) == programme.matrix.shape[0]


def test_the_model_in_highs_is_the_programme_and_the_one_linopy_builds() -> None:
    """Same matrix, bounds and kinds in HiGHS; same optimum as the model that linopy makes of the families."""
    import linopy
    import pandas as pd
    import xarray as xr

    programme = write_programme(everything())
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.passModel(programme.to_highs())
    taken = highs.getLp()
    start, index, value = (getattr(taken.a_matrix_, name) for name in ("start_", "index_", "value_"))
    layout = sp.csc_array if taken.a_matrix_.format_ == highspy.MatrixFormat.kColwise else sp.csr_array
    matrix = layout((value, index, start), shape=programme.matrix.shape)
    assert np.abs(matrix - programme.matrix).max() == 0
    model = linopy.Model()
    parts = []
    for name, place in programme.at.items():
        if place.stop > place.start:
            coords = [pd.RangeIndex(place.stop - place.start, name=name)]
            whole = bool(programme.binary[place].any())
            bounds = {} if whole else {"lower": float(programme.lower[place][0])}
            parts.append(model.add_variables(binary=whole, coords=coords, name=name, **bounds))
    places = [place for place in programme.at.values() if place.stop > place.start]
    dense = programme.matrix.toarray()
    for name, rows in programme.rows.items():
        if rows.stop == rows.start:
            continue
        at = pd.RangeIndex(rows.stop - rows.start, name="row")
        left = sum(
            (xr.DataArray(dense[rows, place], coords=[at, part.indexes[part.dims[0]]]) * part).sum(
                part.dims[0]
            )
            for part, place in zip(parts, places, strict=True)
        )
        low, high = programme.least[rows], programme.most[rows]
        if np.isfinite(low).all():
            model.add_constraints(left >= xr.DataArray(low, coords=[at]), name=f"{name}_low")
        if np.isfinite(high).all():
            model.add_constraints(left <= xr.DataArray(high, coords=[at]), name=f"{name}_high")
    cost = programme.problem.burden
    model.add_objective((parts[0] * xr.DataArray(cost, dims=parts[0].dims)).sum() + 1000 * parts[1].sum())
    model.solve("highs", io_api="direct", progress=False, output_flag=False)
    weights = np.zeros(programme.size)
    weights[programme.at["order"]], weights[programme.at["short"]] = cost, 1000.0
    highs.changeColsCost(len(weights), np.arange(len(weights), dtype=np.int32), weights)
    highs.run()
    assert highs.getInfo().objective_function_value == pytest.approx(float(model.objective.value), rel=1e-6)


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        ("list_length", 1, 1),
        ("city_cap", mark(0.3), None),
        ("kept_load", mark(0.9), None),
    ],
)
def test_a_rule_binds_and_without_it_the_list_is_another(
    rule: str, value: object, expected: int | None
) -> None:
    """Two boilers in two cities would each lower their load by a fifth."""
    event = make_event({"pm25": 35})
    plants = make_enterprises(
        2, sector="boiler", grade="D", adcode=["330100", "320500"], cost_cny_per_day=[1e5, 2e5]
    )
    chosen = {}
    for setting in (None, value):
        settings = make_settings()
        rules = settings.rules.model_copy(update={"kept_load": None, rule: setting})
        problem = build_problem(
            event,
            plants,
            make_attribution(plants, event, pm25=[5.0, 6.0]),
            make_forecasts(event, pm25=36.85),
            ISSUE,
            settings.model_copy(update={"rules": rules}),
            load_region(),
        )
        solution = solve(problem)
        chosen[setting is None] = problem, solution
    free, bound = chosen[True], chosen[False]
    assert free[1].status == "optimal"
    assert len(free[1].chosen) == 2
    assert set(bound[1].chosen) != set(free[1].chosen)
    assert bound[0].families[0].broken(free[1].chosen).sum() > 0
    if expected is not None:
        assert len(bound[1].chosen) == expected


def test_a_tier_floor_asks_for_more_than_the_goal() -> None:
    """PM2.5 needs half a microgram; under an orange warning a fifth of every pollutant has to go."""
    event = make_event({"pm25": 35})
    plants = make_enterprises(2, grade="D", cost_cny_per_day=[1e5, 2e5])
    cuts = {}
    for tiers in (None, {"330100": "orange"}):
        problem = build_problem(
            event,
            plants,
            make_attribution(plants, event, pm25=[5.0, 5.0]),
            make_forecasts(event, pm25=35.5),
            ISSUE,
            make_settings(),
            load_region(),
            tiers=tiers,
        )
        solution = solve(problem)
        assert solution.status == "optimal"
        measures = [problem.settings.measures[m] for m in problem.measure[solution.chosen]]
        cuts[tiers is None] = min(sum(float(m.cut[p]) for m in measures) for p in ("nox", "voc", "pm", "so2"))
    assert cuts[True] < 0.4 <= cuts[False] + 1e-9


def test_without_the_ozone_guard_the_cheaper_list_raises_ozone() -> None:
    event = make_event({"pm25": 35})
    plants = make_enterprises(2, grade="D", cost_cny_per_day=[1e5, 3e5])
    chosen = {}
    for allowed in (0.5, 100.0):
        settings = make_settings()
        rules = settings.rules.model_copy(update={"ozone_rise_ugm3": mark(allowed)})
        problem = build_problem(
            event,
            plants,
            make_attribution(plants, event, pm25=[8.0, 8.0], o3=[[-20.0, 0.0], [0.0, 0.0]]),
            make_forecasts(event, pm25=38.0, o3_mda8=140.0),
            ISSUE,
            settings.model_copy(update={"rules": rules}),
            load_region(),
        )
        solution = solve(problem)
        chosen[allowed] = problem.enterprises["enterprise_id"][problem.enterprise[solution.chosen]].tolist()
    assert chosen[0.5] == ["E001"]
    assert "E000" in chosen[100.0]


def test_disagreeing_members_ask_for_more() -> None:
    """The mean member is content with the light order; one of two members sees no effect at all."""
    event = make_event({"pm25": 35})
    plants = make_enterprises(1, grade="D")
    attribution = make_attribution(plants, event, pm25=[10.0])
    ones = {t: np.ones((*attribution.share.shape[:2], 4)) for t in attribution.sensitivity}
    pair = {t: np.stack([0 * s, 2 * s]) for t, s in attribution.sensitivity.items()}
    torn = dataclasses.replace(attribution, response=ones, member_share=pair)
    burden, chance = [], []
    for given in (attribution, torn):
        problem = build_problem(
            event,
            plants,
            given,
            make_forecasts(event, spread=6.0, pm25=34.5),
            ISSUE,
            make_settings(),
            load_region(),
        )
        solution = solve(problem)
        burden.append(solution.objective)
        chance.append(problem.chance(solution.chosen)[0])
    assert burden[1] > burden[0]
    assert max(chance) <= 0.25 + 1e-6
