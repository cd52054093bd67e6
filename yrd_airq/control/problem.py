"""The selection problem as arrays: what every possible order would bring, what it burdens, what is needed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.control.chance import Spread
from yrd_airq.control.orders import Orders
from yrd_airq.control.ozone import Piece
from yrd_airq.control.relief import Air, total
from yrd_airq.control.rules import Family
from yrd_airq.control.settings import ControlSettings
from yrd_airq.settings import Event
from yrd_airq.vocab import Target

REACHED = 1e-6  # of the goal: a shortfall below this counts as none
OZONE_UNIT = 160.0  # a rise of ozone is weighed as a share of the limit of the day's ozone
Reals = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Problem:
    """A selection problem; a candidate is an order: one measure at one enterprise for a run of days.

    ``rows``: attributed receptor-day-targets (see ``require_reductions``), ``unforecast``: those with a
    goal and no forecast, which take no part. ``enterprises``: the list with
    status, sorted by id. Per candidate: ``orders`` (enterprise, measure, first and last day),
    ``burden`` (index points for the run), ``cost_cny`` (NaN unknown), ``province`` (code), ``discount``
    (part of the burden that the objective overlooks, because the order is in force already).
    ``benefit`` (row, candidate): µg/m³ by which the target falls by itself, negative where it rises,
    for ozone by the slope at nought. ``potential`` (row, enterprise): the same for a full stop that is in
    force all the time, whether or not it may be asked. ``share`` (enterprise, precursor): mean share of
    the concentration at the event's receptors and days. ``air``, ``surfaces``, ``spread``: what the
    exact evaluation of a list takes. ``families``: the rules beside the goals. ``keep``: for every
    enterprise that must be on the list, the orders that satisfy it.
    """

    event: Event
    settings: ControlSettings
    days: tuple[date, ...]
    rows: pd.DataFrame
    unforecast: pd.DataFrame
    enterprises: pd.DataFrame
    emission_kgd: Reals
    orders: Orders
    benefit: Reals
    burden: Reals
    cost_cny: Reals
    province: NDArray[np.object_]
    potential: Reals
    share: Reals
    stability: Reals
    air: Air
    spread: Spread
    surfaces: Mapping[int, Piece]
    discount: Reals
    families: tuple[Family, ...] = ()
    keep: tuple[Ints, ...] = field(default=())

    @property
    def enterprise(self) -> Ints:
        """Index of the enterprise of each candidate."""
        return self.orders.enterprise

    @property
    def measure(self) -> Ints:
        """Index of the measure of each candidate."""
        return self.orders.measure

    @property
    def first_day(self) -> Ints:
        """Index of the first day in force of each candidate."""
        return self.orders.first_day

    @property
    def last_day(self) -> Ints:
        """Index of the last day in force of each candidate."""
        return self.orders.last_day

    @cached_property
    def goal_rows(self) -> Ints:
        """Rows with a goal and a forecast."""
        return np.flatnonzero(self.rows["need"].notna().to_numpy())

    @cached_property
    def goal(self) -> Reals:
        """Goals of the goal rows, µg/m³."""
        return self.rows["goal"].to_numpy(dtype=float)[self.goal_rows]

    @cached_property
    def need(self) -> Reals:
        """Signed need of the goal rows as a share of the goal; negative = room left."""
        return np.asarray(self.rows["need"].to_numpy(dtype=float)[self.goal_rows] / self.goal)

    @cached_property
    def relief(self) -> Reals:
        """Benefit in the goal rows as a share of the goal, shape (goal row, candidate)."""
        return np.asarray(self.benefit[self.goal_rows] / self.goal[:, None])

    @cached_property
    def curved(self) -> NDArray[np.bool_]:
        """Goal rows whose members' disagreement costs a margin (goal row,)."""
        return np.asarray(self.spread.curved[self.goal_rows] & (self.air.members > 1))

    @cached_property
    def ozone_rows(self) -> Ints:
        """All rows of ozone, with or without a goal."""
        return np.flatnonzero(self.air.ozone)

    @cached_property
    def spare(self) -> Reals:
        """Rest of the need of each goal row that counts as none, as a share of the goal."""
        chance = self.settings.solver.chance_tolerance
        rest = [
            self.spread.tolerance(row, chance) / goal if bent else 0.0
            for row, goal, bent in zip(self.goal_rows, self.goal, self.curved, strict=True)
        ]
        return np.maximum(rest, REACHED)

    @cached_property
    def worth(self) -> Reals:
        """Relief of each candidate, summed over the goals that are exceeded, over all if none is."""
        look = self.need > 0 if (self.need > 0).any() else self.need < np.inf
        return np.asarray(self.relief[look].sum(axis=0))

    @cached_property
    def merit(self) -> Reals:
        """Relief per burden of each candidate, what a greedy ranking goes by."""
        return self.worth / self.burden

    def mean_benefit(self, targets: Sequence[Target]) -> Reals:
        """Mean fall over receptors and days per candidate, µg/m³, of the first target that is modelled."""
        for target in targets:
            rows = (self.rows["target"] == str(target)).to_numpy()
            if rows.any():
                return np.asarray(self.benefit[rows].mean(axis=0))
        return np.full(len(self.burden), np.nan)

    def fall(self, chosen: Ints, amount: Reals | None = None) -> Reals:
        """µg/m³ by which each row falls under the candidates ``chosen`` together, ozone by its surface.

        The mean member of the transport ensemble; ``amount`` (1 each) for the parts of a relaxed problem.
        """
        part = np.ones(len(chosen)) if amount is None else amount
        fall = self.benefit[:, chosen] @ part
        for row, piece in self.surfaces.items():
            voc, nox = piece.voc[chosen] @ part, piece.nox[chosen] @ part
            fall[row] = -float(piece.rise(np.asarray(min(voc, 1.0)), np.asarray(min(nox, 1.0))))
        return np.asarray(fall)

    def deviation(self, row: int, chosen: Ints, amount: Reals | None = None) -> Reals:
        """µg/m³ by which each member's fall in a row exceeds that of the mean member, (member,)."""
        part = np.ones(len(chosen)) if amount is None else amount
        avoided = total(self.air, row, self.orders, chosen, part)
        members = self.air.of_members(row) - self.air.sensitivity[row]
        return np.asarray((members * avoided).sum(axis=(1, 2)))

    def excess(self, chosen: Ints, amount: Reals | None = None) -> Reals:
        """Signed distance of each goal row from its goal under ``chosen``, as a share of the goal."""
        left = self.need - self.fall(chosen, amount)[self.goal_rows] / self.goal
        for k in np.flatnonzero(self.curved):
            margin, _ = self.spread.risk(self.goal_rows[k], self.deviation(self.goal_rows[k], chosen, amount))
            left[k] += margin / self.goal[k]
        return left

    def shortfall(self, chosen: Ints) -> Reals:
        """What stays above the goal in each goal row under ``chosen``, share of the goal."""
        left = self.excess(chosen)
        return np.where(left <= self.spare, 0.0, left)

    @cached_property
    def rise_room(self) -> Reals:
        """µg/m³ by which a list may raise ozone without doing harm, by ozone row.

        Up to clean air, by the quantile that is planned for, and a trifle in any case.
        """
        rules = self.settings.rules
        planned = self.rows["forecast_q"].to_numpy(dtype=float)[self.ozone_rows]
        clean = np.nan_to_num(float(rules.ozone_clean_ugm3) - planned)
        return np.maximum(clean, float(rules.ozone_rise_ugm3))

    def rise(self, chosen: Ints) -> Reals:
        """Rise of ozone beyond its room, share of ``OZONE_UNIT``, by ozone row."""
        beyond = -self.fall(chosen)[self.ozone_rows] - self.rise_room
        return np.maximum(beyond, 0.0) / OZONE_UNIT

    def broken(self, chosen: Ints) -> Reals:
        """How far each row of the rules is broken, as a share of its unit."""
        return np.concatenate([family.broken(chosen) for family in self.families] or [np.zeros(0)])

    def violation(self, chosen: Ints) -> Reals:
        """Sums of what is missed: goals, rules, rise of ozone."""
        return np.array([self.shortfall(chosen).sum(), self.broken(chosen).sum(), self.rise(chosen).sum()])

    def chance(self, chosen: Ints) -> Reals:
        """Chance that each goal is exceeded under ``chosen``, the mean over the members; NaN unknown."""
        fall = self.fall(chosen)
        return np.array(
            [
                self.spread.exceed(row, goal + fall[row] + self.deviation(row, chosen)).mean()
                for row, goal in zip(self.goal_rows, self.goal, strict=True)
            ]
        )
