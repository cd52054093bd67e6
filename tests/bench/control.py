"""How long the selection model takes on large lists, beside the same model handed to HiGHS directly.

Run ``python -m tests.bench.control [wide|deep]``. ``wide``: 20,000 enterprises with 4 measures for 41
cities on one day, one member, linear. ``deep``: 5,000 enterprises over 5 days with 20 members of transport.
Emissions and influence are drawn with a fixed seed; many small plants and few large ones.
"""

from __future__ import annotations

import sys
import time
from datetime import date, datetime, timedelta

import highspy
import numpy as np
import pandas as pd
import scipy.sparse as sp

from yrd_airq.attribution.matrix import Attribution
from yrd_airq.control.building import build_problem
from yrd_airq.control.problem import Problem
from yrd_airq.control.settings import ControlSettings
from yrd_airq.control.solve import Solution, solve
from yrd_airq.region import load_region
from yrd_airq.settings import Event, load
from yrd_airq.vocab import Precursor, Target, WeatherKind

START = date(2026, 11, 10)
ISSUE = datetime(2026, 11, 7, 16)
WIDE_RATIO, WIDE_SECONDS, DEEP_SECONDS = 1.3, 15.0, 60.0


def make_problem(
    enterprises: int, receptors: tuple[str, ...], days: int, members: int, need: float
) -> Problem:
    """Plants around Hangzhou, a PM2.5 goal in every receptor, ``need`` of what all could do is asked."""
    rng = np.random.default_rng(7)
    event = Event.model_validate(
        {
            "code": "bench",
            "name_zh": "测算",
            "venue": {"name_zh": "会场", "adcode": "330100", "lon": 120.2, "lat": 30.2},
            "start": START,
            "end": START + timedelta(days=days - 1),
            "control_start": START,
            "receptors": receptors,
            "goals": {"pm25": 35},
            "zones": [{"code": "core", "name_zh": "核心区", "radius_km": 900}],
        }
    )
    size = rng.lognormal(3, 1.5, enterprises)
    plants = pd.DataFrame(
        {
            "enterprise_id": [f"E{k:06d}" for k in range(enterprises)],
            "name_zh": "企业",
            "adcode": rng.choice(load_region().adcodes, enterprises),
            "lon": 120.2 + rng.normal(0, 1.5, enterprises),
            "lat": 30.2 + rng.normal(0, 1.5, enterprises),
            "sector": "building_materials",
            "grade": "D",
            "exempt": False,
            "exempt_reason": None,
            "emission_basis": "list",
            "cost_cny_per_day": size * rng.lognormal(8, 0.7, enterprises),
            **{f"{p}_tpa": size * rng.lognormal(0, 0.5, enterprises) for p in Precursor},
        }
    )
    shape = (len(receptors), days, enterprises, len(Precursor))
    say = size[:, None] * rng.lognormal(0, 1, shape)
    share = 0.4 * say / say.sum(axis=(2, 3), keepdims=True)
    noise = rng.lognormal(0, 0.5, (members, *shape)).astype(np.float32)
    response = np.full((*shape[:2], 4), 40.0)
    attribution = Attribution(
        receptors=receptors,
        days=tuple(START + timedelta(days=k) for k in range(days)),
        enterprise_id=tuple(plants["enterprise_id"]),
        precursors=tuple(Precursor),
        share=share,
        unlisted_share=np.zeros((*shape[:2], 41, 4)),
        outside_share=np.zeros((*shape[:2], 4)),
        sensitivity={Target.PM25: share * 40},
        stability=np.ones(enterprises),
        budget=pd.DataFrame(columns=["receptor", "date", "target", "part_zh", "kind", "share"]),
        regime=pd.DataFrame(),
        unknown=pd.DataFrame(),
        notes=(),
        kind=WeatherKind.FORECAST,
        response={Target.PM25: response},
        member_share={Target.PM25: share.astype(np.float32) * noise / noise.mean()} if members > 1 else {},
    )
    level = 35 + need * 16.0 - 8 * 0.5263  # the goal quantile asks for that part of all that is listed
    rows = [
        (code, ISSUE, START + timedelta(days=k), k + 1, "pm25", "model", level, level - 8, level, level + 8)
        for code in receptors
        for k in range(days)
    ]
    names = ["adcode", "issue_time", "valid_date", "lead_day", "target", "model", "mean", "q10", "q50", "q90"]
    settings = load(ControlSettings, "control")
    rules = settings.rules.model_copy(update={"kept_load": None})
    solver = settings.solver.model_copy(update={"threads": 2})
    tiny = settings.least_benefit_ugm3.model_copy(update={"value": 0.0})
    changed = {"rules": rules, "solver": solver, "least_benefit_ugm3": tiny}
    return build_problem(
        event,
        plants,
        attribution,
        pd.DataFrame(rows, columns=names).assign(p_exceed=0.5),
        ISSUE,
        settings.model_copy(update=changed),
        load_region(),
    )


def solve_directly(problem: Problem) -> tuple[float, float, float]:
    """Seconds, burden and bound of the plain linear model in HiGHS: one order each, every goal met."""
    begun = time.perf_counter()
    count = len(problem.burden)
    owner = sp.csr_array((np.ones(count), (problem.enterprise, np.arange(count))))
    matrix = sp.csr_array(sp.vstack([owner, sp.csr_array(problem.relief)]))
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = count, matrix.shape[0]
    scale = problem.burden.max()
    model.col_cost_, model.col_lower_, model.col_upper_ = (
        problem.burden / scale,
        np.zeros(count),
        np.ones(count),
    )
    endless = np.full(owner.shape[0], highspy.kHighsInf)
    model.row_lower_ = np.concatenate([-endless, problem.need])
    model.row_upper_ = np.concatenate(
        [np.ones(owner.shape[0]), np.full(len(problem.need), highspy.kHighsInf)]
    )
    model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    model.a_matrix_.start_, model.a_matrix_.index_, model.a_matrix_.value_ = (
        matrix.indptr,
        matrix.indices,
        matrix.data,
    )
    model.integrality_ = [highspy.HighsVarType.kInteger] * count
    highs = highspy.Highs()
    limits = problem.settings.solver
    for option, value in (
        ("output_flag", False),
        ("threads", limits.threads),
        ("mip_rel_gap", limits.relative_gap),
        ("random_seed", limits.seed),
        ("time_limit", 120.0),
    ):
        highs.setOptionValue(option, value)
    highs.passModel(model)
    highs.run()
    info = highs.getInfo()
    return (
        time.perf_counter() - begun,
        info.objective_function_value * scale,
        info.mip_dual_bound * scale,
    )


def report(name: str, problem: Problem, built: float) -> tuple[Solution, float]:
    """Solve and print one line of figures."""
    begun = time.perf_counter()
    solution = solve(problem)
    seconds = time.perf_counter() - begun
    sys.stdout.write(
        f"{name}: {len(problem.burden)} orders, {len(problem.need)} goals, {problem.air.members} member(s); "
        f"built in {built:.1f} s, solved in {seconds:.1f} s; "
        f"{solution.status}, {len(solution.chosen)} enterprises, "
        f"burden {solution.objective:.1f}, "
        f"bound {solution.bound:.1f}, gap {100 * solution.gap:.2f} %\n"
    )
    return solution, seconds


def measure_wide() -> bool:
    """20,000 × 4 × 41, against the same model handed over directly."""
    begun = time.perf_counter()
    problem = make_problem(20_000, tuple(load_region().adcodes), 1, 1, 0.1)
    _, seconds = report("wide", problem, time.perf_counter() - begun)
    direct, burden, bound = solve_directly(problem)
    sys.stdout.write(
        f"directly in HiGHS: {direct:.1f} s, burden {burden:.1f}, bound {bound:.1f}; "
        f"ratio {seconds / direct:.2f}\n"
    )
    return seconds <= WIDE_RATIO * direct and seconds < WIDE_SECONDS


def measure_deep() -> bool:
    """5,000 × 5 days × 20 members."""
    begun = time.perf_counter()
    problem = make_problem(5_000, ("330100",), 5, 20, 0.1)
    solution, seconds = report("deep", problem, time.perf_counter() - begun)
    chance = problem.chance(solution.chosen)
    sys.stdout.write(f"chance of exceedance with the list: {np.array2string(100 * chance, precision=2)} %\n")
    return seconds < DEEP_SECONDS and solution.gap <= problem.settings.solver.relative_gap + 1e-6


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["wide", "deep"]
    passed = [{"wide": measure_wide, "deep": measure_deep}[name]() for name in wanted]
    sys.exit(0 if all(passed) else 1)
