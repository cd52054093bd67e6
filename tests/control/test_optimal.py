"""Two hundred small cases with every rule of the model against all possible choices."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

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
from tests.control.reference import best_of, judge_all
from yrd_airq.control.building import build_problem
from yrd_airq.control.problem import Problem
from yrd_airq.control.solve import solve
from yrd_airq.region import load_region
from yrd_airq.vocab import Precursor, Target


def random_case(seed: int) -> Problem:
    """Plants of three provinces; members, lags, a surface, rules, a tier and notice come and go by chance."""
    rng = np.random.default_rng(seed)
    flags = rng.random(10) < 0.5
    event = make_event({"pm25": 35, "o3_mda8": 160}, days=2, lead_in=1)
    number = 3
    plants = make_enterprises(
        number,
        grade=rng.choice(["B", "C", "D"], number),
        sector=rng.choice(["glass", "glass", "boiler", "furniture"], number),
        adcode=rng.choice(["330100", "320500", "340500"], number),
        cost_cny_per_day=rng.uniform(1e4, 1e6, number),
        nox_tpa=rng.uniform(10, 800, number),
        pm_tpa=rng.uniform(10, 800, number),
    )
    settings = make_settings()
    rules = settings.rules.model_copy(
        update={
            "city_cap": mark(0.6) if flags[0] else None,
            "host_province_leads": bool(flags[1]),
            "fairness": mark(0.5) if flags[2] and not flags[1] else None,
            "list_length": 2 if flags[3] else None,
            "kept_load": mark(0.9) if flags[4] else None,
        }
    )
    few = [m for m in settings.measures if m.code in {"limit_30", "load_down_20", "stop", "treat"}]
    named = {m.code for m in few}
    sectors = [
        s.model_copy(update={"measures": tuple(m for m in s.measures if m in named)})
        for s in settings.sectors
    ]
    settings = settings.model_copy(update={"rules": rules, "measures": tuple(few), "sectors": tuple(sectors)})
    o3 = np.column_stack([rng.uniform(-8, 4, number), rng.uniform(0, 10, number)])
    attribution = make_attribution(plants, event, pm25=rng.uniform(0, 6, number), o3=o3)
    attribution = vary(attribution, rng, members=flags[5], lags=flags[6], surface=flags[7])
    forecasts = make_forecasts(
        event,
        spread=float(rng.uniform(3, 9)),
        pm25=35 + rng.uniform(-6, 3),
        o3_mda8=160 + rng.uniform(-12, 3),
    )
    tiers = {"330100": "orange"} if flags[8] else None
    return build_problem(event, plants, attribution, forecasts, ISSUE, settings, load_region(), tiers=tiers)


def vary(attribution, rng, members, lags, surface):  # type: ignore[no-untyped-def]
    shape = attribution.share.shape
    changes: dict[str, object] = {}
    if surface:
        share = rng.dirichlet(np.ones(shape[2] + 1), size=(*shape[:2], shape[3]))[..., :-1]
        share = np.moveaxis(share, -1, -2) * 0.6
        grid = make_surface(attribution, bend=float(rng.uniform(-60, 60)), slope=float(rng.uniform(-20, 40)))
        response = np.zeros((*shape[:2], 4))
        response[..., [P_VOC, P_NOX]] = -grid.gradient
        changes["share"] = share
        changes["surfaces"] = {Target.O3_MDA8: grid}
        changes["sensitivity"] = dict(attribution.sensitivity) | {
            Target.O3_MDA8: share * response[:, :, None]
        }
        changes["response"] = {Target.O3_MDA8: response, Target.PM25: np.ones((*shape[:2], 4))}
    attribution = dataclasses.replace(attribution, **changes)
    if members:
        noise = rng.uniform(0.2, 1.8, (3, *shape))
        ones = {target: np.ones((*shape[:2], 4)) for target in attribution.sensitivity}
        response = ones | dict(attribution.response)
        by_member = {
            target: noise
            * (attribution.share if target in attribution.surfaces else attribution.sensitivity[target])
            for target in attribution.sensitivity
        }
        attribution = dataclasses.replace(attribution, response=response, member_share=by_member)
    if lags:
        parts = rng.dirichlet(np.ones(2), size=(*shape[:2], shape[2], 4)).transpose(0, 1, 4, 2, 3)
        attribution = dataclasses.replace(
            attribution, lag_share={t: parts.astype(np.float32) for t in attribution.sensitivity}
        )
    return attribution


P_VOC, P_NOX = (list(Precursor).index(p) for p in (Precursor.VOC, Precursor.NOX))


@pytest.mark.parametrize("block", range(10))
def test_the_model_equals_all_possible_choices(block: int) -> None:
    for seed in range(20 * block, 20 * block + 20):
        problem = random_case(seed)
        solution = solve(problem)
        if solution.status == "not_needed" or not len(problem.burden):
            continue
        least, burden = best_of(problem, judge_all(problem))
        assert solution.objective == pytest.approx(burden, rel=1e-4), seed
        assert (
            problem.violation(solution.chosen)
            <= least * 1.0101 + 0.01 * problem.violation(solution.chosen[:0]) + 3e-6
        ).all(), seed
        assert (solution.status == "infeasible_relaxed") == bool((least[:2] > 1e-6).any()), seed
        assert solution.bound <= solution.objective + 1e-9
