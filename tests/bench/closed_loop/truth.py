"""What the true world makes of lists in an event's days, each run from the same air before the controls."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.drill.emission import Emission
from yrd_airq.drill.measures import carry_out, load_measures
from yrd_airq.drill.solver import run
from yrd_airq.drill.state import State
from yrd_airq.drill.stations import Truth
from yrd_airq.drill.weather import Weather
from yrd_airq.drill.world import World, checkpoint, simulate
from yrd_airq.settings import Event

_DAY = pd.Timedelta(days=1)


@dataclass(frozen=True)
class Span:
    """The days of an event's controls in its world, from the midnight before them to the one after them."""

    world: World
    first: pd.Timestamp
    last: pd.Timestamp

    @staticmethod
    def of(world: World, event: Event) -> Span:
        """The span of an event."""
        return Span(world, pd.Timestamp(event.control_start), pd.Timestamp(event.end) + _DAY)

    @cached_property
    def start(self) -> State:
        """The world's air at ``first``."""
        kept = checkpoint(self.world, self.first)
        if kept.time == self.first:
            return kept
        weather = self.world.weather_between(kept.time, self.first)
        emission = self.world.emission_over(weather.times)
        return run(weather, emission, self.world.grid, self.world.air_settings, start=kept).end

    @cached_property
    def weather(self) -> Weather:
        """True weather of the span."""
        return self.world.weather_between(self.first, self.last)

    @cached_property
    def emission(self) -> Emission:
        """What is emitted without any list."""
        return self.world.emission_over(self.weather.times)

    @cached_property
    def base(self) -> pd.DataFrame:
        """The truth without any list: adcode, date, target, base."""
        return _dated(self._kept.city_days().rename(columns={"value": "base"}))

    @cached_property
    def points(self) -> NDArray[np.float64]:
        """Weights of the cells at each station, (cell, station)."""
        places = self.world.network.table
        return self.world.grid.weights_to(places["经度"], places["纬度"])

    def reductions(self, orders: pd.DataFrame) -> pd.DataFrame:
        """Hourly cuts that orders bring about when all of them are followed."""
        world = self.world
        return carry_out(orders, world.enterprises, load_measures(), 1.0, world.settings.seed)

    def carry_out(self, orders: pd.DataFrame) -> pd.DataFrame:
        """The truth with a list carried out: adcode, date, target, controlled."""
        cuts = self.reductions(orders)
        return _dated(self.truth(cuts).city_days().rename(columns={"value": "controlled"}))

    def truth(self, cuts: pd.DataFrame | None) -> Truth:
        """The truth at the stations under hourly cuts."""
        if cuts is None:
            return self._kept
        return simulate(self.world, self.first, self.last, start=self.start, reductions=cuts)

    @cached_property
    def _kept(self) -> Truth:
        """The part of the world's truth that lies in the span."""
        truth = self.world.course.truth
        inside = np.asarray((truth.times > self.first) & (truth.times <= self.last))
        values = {pollutant: table[inside] for pollutant, table in truth.values.items()}
        return Truth(truth.times[inside], values, truth.network)


def _dated(table: pd.DataFrame) -> pd.DataFrame:
    return table.assign(date=pd.to_datetime(table["date"]).dt.date)
