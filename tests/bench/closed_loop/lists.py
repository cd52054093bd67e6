"""The lists that are compared: the product's, and what a rule of thumb, chance or a plain circle would give.

All are made of the orders that the product's own rules permit, so that exemptions, grades, notice times and
runs that cannot be broken off are respected by every one of them.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.control.building import build_problem
from yrd_airq.control.problem import Problem
from yrd_airq.control.settings import ControlSettings
from yrd_airq.jobs.guarantee import Guarantee
from yrd_airq.region import load_region
from yrd_airq.settings import Event, load

Reals = NDArray[np.float64]
Indices = NDArray[np.int64]

CIRCLE_KM = 50.0


def permitted_orders(
    event: Event, guarantee: Guarantee, forecasts: pd.DataFrame, issue_time: datetime
) -> Problem:
    """Every order that the rules permit, also those that the product leaves out as bringing too little."""
    settings = load(ControlSettings, "control")
    everything = settings.least_benefit_ugm3.model_copy(update={"value": -np.inf})
    return build_problem(
        event,
        guarantee.enterprises,
        guarantee.attribution,
        forecasts,
        issue_time,
        settings.model_copy(update={"least_benefit_ugm3": everything}),
        load_region(),
    )


def orders_of_list(problem: Problem, listed: pd.DataFrame) -> Indices:
    """The candidates that a control list orders."""
    measures = [measure.code for measure in problem.settings.measures]
    ids = problem.enterprises["enterprise_id"].to_numpy()
    first, last = _days(problem)
    known = pd.MultiIndex.from_arrays(
        [ids[problem.enterprise], np.array(measures, dtype=object)[problem.measure], first, last]
    )
    ordered = listed[listed["status"].astype(str) == "selected"]
    days = [pd.to_datetime(ordered[name].astype(str)).dt.normalize() for name in ("start", "end")]
    wanted = pd.MultiIndex.from_arrays([ordered["enterprise_id"], ordered["measure_code"], *days])
    found = known.get_indexer(wanted).astype(np.int64)
    if (found < 0).any():
        raise AssertionError(f"{wanted[found < 0][0]} is ordered but not permitted")
    return np.sort(found)


def _days(problem: Problem) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """First and last day of each candidate."""
    begin = pd.Timestamp(problem.event.control_start)
    first, last = (pd.to_timedelta(at, unit="D") for at in (problem.first_day, problem.last_day))
    return begin + first, begin + last


def as_list(problem: Problem, chosen: Indices) -> pd.DataFrame:
    """Chosen candidates as the columns of a control list that the world needs to carry them out."""
    measures = np.array([measure.code for measure in problem.settings.measures], dtype=object)
    first, last = _days(problem)
    return pd.DataFrame(
        {
            "enterprise_id": problem.enterprises["enterprise_id"].to_numpy()[problem.enterprise[chosen]],
            "measure_code": measures[problem.measure[chosen]],
            "start": first[chosen].strftime("%Y-%m-%d"),
            "end": last[chosen].strftime("%Y-%m-%d"),
        }
    )


def predicted_fall(problem: Problem, chosen: Indices) -> pd.DataFrame:
    """What the product predicts of chosen orders: adcode, date, target, predicted (µg/m³)."""
    rows = problem.rows[["adcode", "date", "target"]]
    return rows.assign(predicted=problem.fall(chosen)).astype({"target": str})


def rank_greedily(problem: Problem) -> Indices:
    """One order per enterprise for the whole period, by predicted relief of the goals per burden."""
    order = np.argsort(-problem.merit, kind="stable")
    order = order[(problem.merit[order] > 0) & _longest(problem)[order]]
    _, first = np.unique(problem.enterprise[order], return_index=True)
    return order[np.sort(first)].astype(np.int64)


def _longest(problem: Problem) -> NDArray[np.bool_]:
    """Whether a candidate is the longest run of its measure at its enterprise, to the end of the event."""
    keys = pd.DataFrame({"e": problem.enterprise, "m": problem.measure})
    length = pd.Series(problem.orders.length)
    return np.asarray(length == length.groupby([keys["e"], keys["m"]]).transform("max"))


def take_within(ranking: Indices, burden: Reals, budget: float) -> Indices:
    """The head of a ranking whose burden does not exceed a budget."""
    count = int(np.searchsorted(np.cumsum(burden[ranking]), budget * (1 + 1e-9), side="right"))
    return np.sort(ranking[:count])


def draw_randomly(problem: Problem, rng: np.random.Generator) -> Indices:
    """A ranking by chance: enterprises in any order, each with any measure that it may be asked for."""
    order = rng.permutation(len(problem.burden))
    _, first = np.unique(problem.enterprise[order], return_index=True)
    drawn = order[first]
    return rng.permutation(drawn).astype(np.int64)


def take_circle(problem: Problem) -> Indices:
    """Everybody within ``CIRCLE_KM`` of the venue, each with the heaviest measure permitted."""
    near = problem.enterprises["distance_km"].to_numpy()[problem.enterprise] <= CIRCLE_KM
    order = np.flatnonzero(near)[np.argsort(-problem.burden[near], kind="stable")]
    _, first = np.unique(problem.enterprise[order], return_index=True)
    return np.sort(order[first]).astype(np.int64)
