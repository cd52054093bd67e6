"""A second, plain way to judge a list: loops over orders and all choices, for small random cases."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from yrd_airq.control.problem import Problem
from yrd_airq.vocab import Precursor, Target

Reals = NDArray[np.float64]
P = list(Precursor)


def cut_of(problem: Problem, c: int, precursor: Precursor, ozone: bool) -> float:
    measure = problem.settings.measures[problem.measure[c]]
    if not ozone or measure.ozone_cut is None:
        return float(measure.cut.get(precursor, 0.0))
    gain = 1.0 if measure.ozone_gain is None else float(measure.ozone_gain)
    return gain * float(measure.ozone_cut.get(precursor, 0.0))


def force_of(problem: Problem, c: int, day: int) -> float:
    """Mean part of the cut reached on a day, by adding up minutes."""
    if not problem.first_day[c] <= day <= problem.last_day[c]:
        return 0.0
    ramp = problem.settings.measures[problem.measure[c]].ramp_h
    minutes = (day - problem.first_day[c]) * 1440 + np.arange(1440) + 0.5
    return 1.0 if ramp is None else float(np.minimum(minutes / 60 / float(ramp), 1).mean())


def avoided_of(problem: Problem, c: int, row: int, p: int) -> float:
    air = problem.air
    ozone = air.targets[row] in (Target.O3_MDA8, Target.O3_MEAN)
    cut = cut_of(problem, c, P[p], ozone)
    lag = air.attribution.lag_share.get(air.targets[row])
    if lag is None:
        return cut * force_of(problem, c, int(air.day[row]))
    share = lag[air.receptor[row], air.place[row], :, air.position[problem.enterprise[c]], p]
    return cut * sum(
        float(part) * force_of(problem, c, int(air.day[row]) - k) for k, part in enumerate(share)
    )


@dataclass(frozen=True)
class Judged:
    """All choices with what they miss (choice, class) and burden (choice,)."""

    choices: NDArray[np.int64]
    missed: Reals
    burden: Reals


def judge_all(problem: Problem) -> Judged:
    """Every choice of at most one order per enterprise that honours the edits."""
    n = len(problem.burden)
    options = [[*np.flatnonzero(problem.enterprise == e), n] for e in np.unique(problem.enterprise)]
    choices = np.array(list(itertools.product(*options)))
    for fits in problem.keep:
        choices = choices[np.isin(choices, fits).sum(axis=1) == 1]
    falls, deviations = _falls(problem, choices)
    short = np.zeros(len(choices))
    for row in range(len(problem.rows)):
        goal, need = problem.rows["goal"][row], problem.rows["need"][row]
        if np.isfinite(need):
            margin = _margin(problem, row, deviations[row])
            left = (need - falls[row] + margin) / goal
            short += np.where(left > 1e-6, left, 0)
    ozone = [r for r, t in enumerate(problem.air.targets) if t == Target.O3_MDA8]
    rise = sum(np.maximum(-falls[r] - _room(problem, r), 0) / 160 for r in ozone)
    missed = np.stack([short, broken_rules(problem, choices), rise + 0 * short], axis=1)
    return Judged(choices, missed, _sums(problem.burden, choices))


def _room(problem: Problem, row: int) -> float:
    planned, rules = problem.rows["forecast_q"][row], problem.settings.rules
    clean = 0.0 if np.isnan(planned) else float(rules.ozone_clean_ugm3) - planned
    return max(clean, float(rules.ozone_rise_ugm3))


def _sums(values: Reals, choices: NDArray[np.int64]) -> Reals:
    return np.append(values, 0.0)[choices].sum(axis=1)


def _falls(problem: Problem, choices: NDArray[np.int64]) -> tuple[list[Reals], list[Reals]]:
    falls, deviations = [], []
    n = len(problem.burden)
    for row in range(len(problem.rows)):
        avoided = np.array([[avoided_of(problem, c, row, p) for p in range(4)] for c in range(n)]).reshape(
            n, 4
        )
        owner = problem.enterprise
        mean = problem.air.sensitivity[row]
        fall = _sums((avoided * mean[owner]).sum(axis=1), choices)
        if row in problem.surfaces:
            voc_share, nox_share = problem.air.shares(row)
            voc = _sums(avoided[:, P.index(Precursor.VOC)] * voc_share[owner], choices)
            nox = _sums(avoided[:, P.index(Precursor.NOX)] * nox_share[owner], choices)
            fall = -_surface(problem, row, voc, nox)
        falls.append(fall)
        members = problem.air.of_members(row) - mean
        deviations.append(
            np.stack([_sums((avoided * m[owner]).sum(axis=1), choices) for m in members], axis=1)
        )
    return falls, deviations


def _surface(problem: Problem, row: int, voc: Reals, nox: Reals) -> Reals:
    """Least value over the triangles of corners around each point."""
    surface = problem.air.attribution.surfaces[problem.air.targets[row]]
    grid = surface.change_ugm3[problem.air.receptor[row], problem.air.place[row]]
    knots = surface.cuts
    i = np.clip(np.searchsorted(knots, voc, side="right") - 1, 0, len(knots) - 2)
    j = np.clip(np.searchsorted(knots, nox, side="right") - 1, 0, len(knots) - 2)
    corners = [(0, 0), (1, 0), (0, 1), (1, 1)]
    best = np.full(len(voc), np.inf)
    for triple in itertools.combinations(corners, 3):
        x = np.stack([knots[i + a] for a, _ in triple])
        y = np.stack([knots[j + b] for _, b in triple])
        f = np.stack([grid[i + a, j + b] for a, b in triple])
        det = (y[1] - y[2]) * (x[0] - x[2]) + (x[2] - x[1]) * (y[0] - y[2])
        w0 = ((y[1] - y[2]) * (voc - x[2]) + (x[2] - x[1]) * (nox - y[2])) / det
        w1 = ((y[2] - y[0]) * (voc - x[2]) + (x[0] - x[2]) * (nox - y[2])) / det
        weights = np.stack([w0, w1, 1 - w0 - w1])
        inside = (weights >= -1e-9).all(axis=0)
        best = np.where(inside, np.minimum(best, (weights * f).sum(axis=0)), best)
    return best


def _margin(problem: Problem, row: int, deviation: Reals) -> Reals | float:
    """By bisection on the chance, convex below the median."""
    level, q = problem.event.goal_quantile, problem.rows[["q10", "q50", "q90"]].to_numpy(dtype=float)[row]
    wide, low = (q[2] - q[1]) / norm.ppf(0.9), (q[1] - q[0]) / norm.ppf(0.9)
    if deviation.shape[1] < 2 or level <= 0.5 or not wide > 0:
        return 0.0
    quantile = q[1] + wide * norm.ppf(level)
    left, right = (
        quantile - np.abs(deviation).max(axis=1) - 1e-9,
        quantile + np.abs(deviation).max(axis=1) + 1e-9,
    )
    for _ in range(60):
        middle = (left + right) / 2
        above = middle[:, None] + deviation - q[1]
        chance = np.where(
            above >= 0, norm.sf(above / wide), 0.5 - above * norm.pdf(0) / min(wide, low if low > 0 else wide)
        ).mean(axis=1)
        left, right = np.where(chance > 1 - level, middle, left), np.where(chance > 1 - level, right, middle)
    return (left + right) / 2 - quantile


def broken_rules(problem: Problem, choices: NDArray[np.int64]) -> Reals:
    """Sum of all broken rules, each written down once more."""
    total = np.zeros(len(choices))
    for coefficients, limit, unit in [*_of_burden(problem), *_of_supply(problem)]:
        total += np.maximum(_sums(coefficients, choices) - limit, 0) / unit
    return total + _floors(problem, choices)


def _of_burden(problem: Problem) -> list[tuple[Reals, float, float]]:
    """City caps, host first, fairness and length: coefficients by order, limit, unit."""
    rules, table = problem.settings.rules, problem.enterprises
    city = table["adcode"].to_numpy()[problem.enterprise]
    heaviest = {e: problem.burden[problem.enterprise == e].max() for e in np.unique(problem.enterprise)}
    whole, host, rows = sum(heaviest.values()), problem.event.venue.adcode[:2], []
    for code in np.unique(city) if rules.city_cap is not None else ():
        limit = float(rules.city_cap) * sum(v for e, v in heaviest.items() if table["adcode"][e] == code)
        rows.append((np.where(city == code, problem.burden, 0.0), limit, limit))
    for code in {c[:2] for c in city} - {host} if rules.host_province_leads else ():
        sign = np.array([float(c[:2] == code) - float(c[:2] == host) for c in city])
        rows.append((sign * problem.burden, 0.0, whole))
    shares = _contribution(problem) if rules.fairness is not None else {}
    for code, share in shares.items() if len(shares) > 1 else ():
        own = np.where([c[:2] == code for c in city], problem.burden, 0.0)
        rows.append((own - (1 + float(rules.fairness)) * share * problem.burden, 0.0, whole))
        rows.append(((1 - float(rules.fairness)) * share * problem.burden - own, 0.0, whole))
    if rules.list_length is not None:
        rows.append((np.ones(len(problem.burden)), float(rules.list_length), float(rules.list_length)))
    return rows


def _contribution(problem: Problem) -> dict[str, float]:
    say = problem.potential[(problem.rows["need"] > 0).to_numpy()].sum(axis=0).clip(0)
    provinces = problem.enterprises["adcode"].str[:2]
    found = {p: float(say[(provinces == p).to_numpy()].sum()) for p in sorted(set(provinces))}
    return {p: value / sum(found.values()) for p, value in found.items() if value > 0}


def _of_supply(problem: Problem) -> list[tuple[Reals, float, float]]:
    rules, table, rows = problem.settings.rules, problem.enterprises, []
    size, city = problem.emission_kgd.sum(axis=1), table["adcode"].to_numpy()
    supply = table["sector"].isin(rules.supply_sectors).to_numpy()
    for code in np.unique(city) if rules.kept_load is not None else ():
        here = supply & (city == code)
        for day in range(len(problem.days)):
            lost = np.array(
                [
                    size[e]
                    * float(problem.settings.measures[problem.measure[c]].load_cut)
                    * float(here[e] and force_of(problem, c, day) > 0)
                    for c, e in enumerate(problem.enterprise)
                ]
            )
            if lost.any():
                rows.append((lost, (1 - float(rules.kept_load)) * size[here].sum(), size[here].sum()))
    return rows


def _floors(problem: Problem, choices: NDArray[np.int64]) -> Reals:
    """The tier in force, as the test's cases name it: orange in the host city of the flagged ones."""
    total = np.zeros(len(choices))
    floors = [family for family in problem.families if family.name == "tier_floor"]
    if not floors:
        return total
    here = (problem.enterprises["adcode"] == problem.event.venue.adcode).to_numpy()
    for day in range(len(problem.days)):
        for p in range(4):
            asked = 0.2 * problem.emission_kgd[here, p].sum()
            avoided = np.array(
                [
                    problem.emission_kgd[e, p]
                    * here[e]
                    * cut_of(problem, c, P[p], False)
                    * force_of(problem, c, day)
                    for c, e in enumerate(problem.enterprise)
                ]
            )
            if avoided.any():
                total += np.maximum(asked - _sums(avoided, choices), 0) / asked
    return total


def best_of(problem: Problem, judged: Judged) -> tuple[Reals, float]:
    """Least violation by class and the least burden that keeps it."""
    weight = np.array([1.0, 1.0, float(problem.settings.rules.rise_weight)])
    least = judged.missed[np.argmin((judged.missed * weight).sum(axis=1))]
    least = np.where(least > 1e-6, least, 0.0)
    nothing = judged.missed[(judged.choices == len(problem.burden)).all(axis=1)]
    gained = np.maximum(nothing[0] - least, 0) if len(nothing) else np.zeros(3)
    limit = np.where(least > 1e-6, least + (1 - float(problem.settings.kept_share)) * gained, 0.0)
    fit = (judged.missed <= limit + 1.5e-6).all(axis=1)
    return least, float(judged.burden[fit].min())
