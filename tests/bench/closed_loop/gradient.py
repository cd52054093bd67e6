"""What one more order truly brings: the benefit's gradient in the true world, order by order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tests.bench.closed_loop.truth import Span
from yrd_airq.clock import day_labels
from yrd_airq.control.problem import Problem
from yrd_airq.drill.adjoint import FINE, Metric, gradient
from yrd_airq.drill.emission import _OF_PLANT, COURSES, CUTS
from yrd_airq.drill.measures import hourly_cuts, load_measures
from yrd_airq.drill.state import EMITTED
from yrd_airq.drill.stations import Truth
from yrd_airq.vocab import Target

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Weights:
    """What counts: the mean of ``target`` over the city-days ``counted`` (adcode, date)."""

    target: Target
    counted: pd.DataFrame


def value_orders(span: Span, problem: Problem, weights: Weights, orders: pd.DataFrame | None) -> Reals:
    """µg/m³ by which each candidate lowers what counts, by the gradient at the air under ``orders``.

    The gradient is that of the air in the stations' cells; what a station meets besides of its own street
    is left out of it, but not of any replay.
    """
    world = span.world
    cuts = span.reductions(orders) if orders is not None and len(orders) else None
    share = _share_of_hours(span, span.truth(cuts), weights)
    what = FINE if weights.target is Target.PM25 else "o3"
    metric = Metric(what, (share @ span.points.T).astype(np.float32))
    emission = span.emission.with_cuts(cuts)
    found = gradient(span.weather, emission, world.grid, world.air_settings, metric, span.start)
    return _of_candidates(span, problem, _of_plants(span, found.reshape(*found.shape[:3], -1)))


def _share_of_hours(span: Span, truth: Truth, weights: Weights) -> Reals:
    """Part of each station's hour (hour, station) in what counts; for ozone the hours of the largest mean."""
    adcodes = np.array(span.world.network.adcode)
    times = truth.times
    values = np.asarray(truth.values[weights.target.info.pollutant], dtype=np.float64)
    share = np.zeros_like(values)
    for adcode, day in weights.counted[["adcode", "date"]].itertuples(index=False):
        stations = np.flatnonzero(adcodes == adcode)
        hours = times.get_indexer(day_labels(day, day))
        part = 1.0 / len(stations) / len(weights.counted)
        if weights.target.info.statistic == "mean":
            share[np.ix_(hours, stations)] += part / len(hours)
            continue
        total = np.cumsum(np.vstack([np.zeros(len(stations)), values[np.ix_(hours, stations)]]), axis=0)
        for station, begin in zip(stations, (total[8:] - total[:-8]).argmax(axis=0), strict=True):
            share[hours[begin : begin + 8], station] += part / 8
    return share


def _of_plants(span: Span, by_emission: NDArray[np.float32]) -> Reals:
    """µg/m³ per whole cut of each hour of each enterprise, (hour, plant, CUTS).

    ``by_emission`` (hour, EMITTED, layer, cell): the gradient by µg m⁻² h⁻¹ in each hour of the span.
    """
    plants, to_density = span.emission.plants, span.emission.to_density
    worth = np.zeros((len(by_emission), len(plants.ids), len(CUTS)))
    for hour, field in enumerate(by_emission):
        emitted = span.emission.plant_hour(hour + 1)
        for row, species in enumerate(EMITTED):
            if species not in _OF_PLANT:
                continue
            follows = CUTS.index(_OF_PLANT[species][0])
            at = field[row][plants.layer[:, row], plants.cell]
            worth[hour, :, follows] += emitted[:, row] * to_density[plants.cell] * at
    return worth


def _of_candidates(span: Span, problem: Problem, worth: Reals) -> Reals:
    """Values of the candidates; those of enterprises that do not exist are worth nothing."""
    book = {measure.code: measure for measure in load_measures().measures}
    course = span.world.enterprises.set_index("enterprise_id")["course"]
    ids = problem.enterprises["enterprise_id"].to_numpy()[problem.enterprise]
    plant = span.emission.plants.index.get_indexer(pd.Index(ids))
    codes = [problem.settings.measures[m].code for m in problem.measure]
    days = worth.reshape(-1, 24, *worth.shape[1:])
    from_day = np.concatenate([days[::-1].cumsum(axis=0)[::-1], np.zeros_like(days[:1])])
    kinds = pd.DataFrame({"code": codes, "course": course.reindex(ids).to_numpy(), "plant": plant})
    value = np.zeros(len(plant))
    for (code, kind), group in kinds[plant >= 0].groupby(["code", "course"], sort=True):
        at = group.index.to_numpy()
        cuts = hourly_cuts(book[code], COURSES[kind])
        hours = (
            from_day[problem.first_day[at], :, plant[at]] - from_day[problem.last_day[at] + 1, :, plant[at]]
        )
        value[at] = (hours * cuts).sum(axis=(1, 2))
    # A cut takes emission away: the benefit is the fall.
    return value
