"""One event of the closed loop: the product's list, the lists beside it, and what they truly bring."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tests.bench.closed_loop import lists
from tests.bench.closed_loop.best import choose_best
from tests.bench.closed_loop.events import is_hard, issue_time, set_goal
from tests.bench.closed_loop.gradient import Weights, value_orders
from tests.bench.closed_loop.seasons import Regime, Season
from tests.bench.closed_loop.swaps import swap_parts
from tests.bench.closed_loop.truth import Span
from yrd_airq.control.problem import Problem
from yrd_airq.drill.world import World
from yrd_airq.jobs.forecasting import Issued, issue_forecast
from yrd_airq.jobs.guarantee import Guarantee, plan_guarantee
from yrd_airq.jobs.issue import read_issue
from yrd_airq.settings import Event
from yrd_airq.store.store import open_store
from yrd_airq.vocab import Target

Indices = NDArray[np.int64]
Reals = NDArray[np.float64]
WATCHED = (Target.O3_MDA8.value, Target.PM25.value)


@dataclass(frozen=True)
class Case:
    """An event with all that the comparison needs.

    ``problem`` holds every permitted order with the product's own predictions; ``base`` adcode, date,
    target, base of the receptors on the event's days; ``counted`` marks the receptor-days of the pollutant
    that leads which are above the goal without controls (all of them if none is): their mean fall is the
    benefit of a list.
    """

    event: Event
    regime: Regime
    span: Span
    problem: Problem
    base: pd.DataFrame
    counted: pd.DataFrame


def plan_event(season: Season, regime: Regime, event: Event) -> tuple[Event, Issued, Guarantee]:
    """What the product makes of the event from what is known at its issue time; the event with its goal."""
    issue = issue_time(event)
    season.advance(issue, event)
    with open_store(season.workspace.store) as store:
        data = read_issue(store, issue)
        issued = issue_forecast(season.workspace, data)
        event = set_goal(event, regime, issued.rows)
        return event, issued, plan_guarantee(store, data, issued.rows, event)


def play_event(season: Season, regime: Regime, event: Event, seed: int) -> dict[str, Any]:
    """The result of one event, as plain values (see ``score`` and ``report``)."""
    begun = time.perf_counter()
    event, issued, guarantee = plan_event(season, regime, event)
    planned = time.perf_counter()
    problem = lists.permitted_orders(event, guarantee, issued.rows, issue_time(event))
    case = make_case(season.world, regime, event, problem)
    own = lists.orders_of_list(problem, guarantee.plan.list)
    result: dict[str, Any] = {
        "event": event.code,
        "regime": regime.name,
        "issue": f"{issue_time(event):%Y-%m-%dT%H:%M}",
        "receptors": list(event.receptors),
        "hard": is_hard(event),
        "status": guarantee.plan.status,
        "base": float(case.counted["base"].mean()),
        "goal": event.goals[regime.lead],
        "lists": {"product": carry_out(case, own)},
    }
    if len(own):
        value = value_orders(case.span, problem, Weights(regime.lead, case.counted), None)
        compare_lists(case, own, value, result, np.random.default_rng([seed, event.start.toordinal()]))
        result["swaps"] = swap_parts(
            case.span,
            problem,
            guarantee.enterprises,
            guarantee.winds,
            guarantee.concentrations,
            case.counted,
            value,
            result["lists"]["product"]["burden"],
        )
    result["seconds"] = {"plan": round(planned - begun, 1), "truth": round(time.perf_counter() - planned, 1)}
    return result


def make_case(world: World, regime: Regime, event: Event, problem: Problem) -> Case:
    """The event beside its truth without controls."""
    span = Span.of(world, event)
    days = span.base
    inside = days["adcode"].isin(event.receptors) & days["date"].between(event.start, event.end)
    base = days[inside & days["target"].isin(WATCHED)].reset_index(drop=True)
    lead = base[base["target"] == regime.lead.value]
    above = lead[lead["base"] > event.goals[regime.lead]]
    return Case(event, regime, span, problem, base, above if len(above) else lead)


def carry_out(case: Case, chosen: Indices) -> dict[str, Any]:
    """A list in the true world: orders, burden, benefit (true and predicted), and the falls by city."""
    at = lists.predicted_fall(case.problem, chosen).merge(case.base, on=["adcode", "date", "target"])
    if len(chosen):
        controlled = case.span.carry_out(lists.as_list(case.problem, chosen))
        at = at.merge(controlled, on=["adcode", "date", "target"])
        at["true"] = at["base"] - at["controlled"]
    else:
        at["true"] = 0.0
    cities = at.groupby(["adcode", "target"], as_index=False)[["predicted", "true"]].mean()
    counted = at.merge(case.counted[["adcode", "date", "target"]])
    return {
        "orders": len(chosen),
        "burden": float(case.problem.burden[chosen].sum()),
        "benefit": float(counted["true"].mean()),
        "predicted": float(counted["predicted"].mean()),
        "cities": cities.round(4).to_dict("records"),
    }


def compare_lists(
    case: Case, own: Indices, value: Reals, result: dict[str, Any], rng: np.random.Generator
) -> None:
    """Add the other lists to a result: greedy, random, the circle, and the best that was found.

    ``value``: true values of the candidates without controls.
    """
    problem, plans = case.problem, result["lists"]
    budget = plans["product"]["burden"]
    greedy = lists.rank_greedily(problem)
    plans["greedy"] = carry_out(case, lists.take_within(greedy, problem.burden, budget))
    plans["random"] = carry_out(
        case, lists.take_within(lists.draw_randomly(problem, rng), problem.burden, budget)
    )
    plans["circle"] = carry_out(case, lists.take_circle(problem))
    result["greedy_burden"] = match_burden(case, greedy, plans)
    result["best"] = find_best(case, value, budget, plans)


def match_burden(case: Case, ranking: Indices, plans: dict[str, Any]) -> float | None:
    """Burden at which the head of a greedy ranking brings the product's true benefit; None if it cannot.

    The head is found by the ranking's own prediction, scaled by what it brought at the product's burden, then
    carried out; between the two points and beyond them the burden is taken in proportion.
    """
    wanted, same = plans["product"]["benefit"], plans["greedy"]
    if wanted <= 0 or same["benefit"] <= 0:
        return None
    burden = np.cumsum(case.problem.burden[ranking])
    rows = case.problem.rows.reset_index().astype({"target": str})
    rows = rows.merge(case.counted[["adcode", "date", "target"]])["index"].to_numpy()
    predicted = np.cumsum(case.problem.benefit[rows][:, ranking].mean(axis=0))
    scale = same["benefit"] / max(same["predicted"], 1e-9)
    # Where even the whole ranking is not thought to do it, what all of it truly brings decides.
    head = min(int(np.searchsorted(np.maximum.accumulate(predicted) * scale, wanted)) + 1, len(ranking))
    near = carry_out(case, np.sort(ranking[:head]))
    plans["greedy_matched"] = near
    low, high = sorted([(same["benefit"], same["burden"]), (near["benefit"], near["burden"])])
    if head == len(ranking) and max(low[0], high[0]) < wanted:
        return None
    if high[0] - low[0] < 1e-6:
        return float(near["burden"] * wanted / near["benefit"]) if near["benefit"] > 0 else None
    line = low[1] + (high[1] - low[1]) * (wanted - low[0]) / (high[0] - low[0])
    return float(np.clip(line, 0.2 * min(low[1], high[1]), burden[-1]))


def find_best(case: Case, at_nothing: Reals, budget: float, plans: dict[str, Any]) -> dict[str, Any]:
    """The best list of a burden that was found: by true marginal values, then by those along its own way.

    ``benefit`` is truly reached, hence a lower bound of the best possible; ``estimate`` is what the relaxed
    linear problem holds possible, no strict bound since the air is not linear.
    """
    problem = case.problem
    weights = Weights(case.regime.lead, case.counted)
    first = choose_best(problem.enterprise, problem.burden, at_nothing, budget)
    plans["best_first"] = carry_out(case, first.chosen)
    # The value of an order over its whole way lies between those before and after the list.
    at_first = value_orders(case.span, problem, weights, lists.as_list(problem, first.chosen))
    second = choose_best(problem.enterprise, problem.burden, 0.5 * (at_nothing + at_first), budget)
    plans["best_second"] = carry_out(case, second.chosen)
    affordable = [name for name in plans if plans[name]["burden"] <= budget * (1 + 1e-9)]
    found = max(affordable, key=lambda name: float(plans[name]["benefit"]))
    return {"benefit": plans[found]["benefit"], "list": found, "estimate": second.bound}
