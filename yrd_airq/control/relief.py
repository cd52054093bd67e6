"""What orders take out of the air of each receptor-day: by enterprise, precursor, day of emission, member."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.attribution.matrix import Attribution
from yrd_airq.control.orders import Orders, effect_matrix
from yrd_airq.control.settings import Measure
from yrd_airq.vocab import Precursor, Target

OZONE = (Target.O3_MDA8, Target.O3_MEAN)
Reals = NDArray[np.float64]
Ints = NDArray[np.int64]
_VOC, _NOX = (tuple(Precursor).index(p) for p in (Precursor.VOC, Precursor.NOX))


@dataclass(frozen=True)
class Air:
    """How the rows (receptor, day, target) answer to the enterprises of the list.

    ``day`` (row,): index of the control day. ``receptor``, ``place`` (row,): position in the
    attribution; ``position`` (enterprise,): the same, −1 unknown. ``sensitivity`` (row, enterprise,
    precursor): µg/m³ by a full stop, mean member. ``ozone`` (row,). ``effect`` (2, measure, precursor):
    part that counts as avoided, for the other targets and for ozone.
    """

    attribution: Attribution
    targets: tuple[Target, ...]
    day: Ints
    receptor: Ints
    place: Ints
    position: Ints
    sensitivity: Reals
    ozone: NDArray[np.bool_]
    effect: Reals

    @classmethod
    def of(
        cls,
        rows: pd.DataFrame,
        attribution: Attribution,
        position: Ints,
        days: tuple[object, ...],
        measures: tuple[Measure, ...],
    ) -> Air:
        """The air over ``rows``; enterprises at ``position`` −1 do not show in it."""
        targets = tuple(Target(str(t)) for t in rows["target"])
        receptor = pd.Index(attribution.receptors).get_indexer(pd.Index(rows["adcode"])).astype(np.int64)
        place = pd.Index(attribution.days).get_indexer(pd.Index(rows["date"])).astype(np.int64)
        known = position >= 0
        sensitivity = np.zeros((len(rows), len(position), len(Precursor)))
        for target, values in attribution.sensitivity.items():
            at = np.flatnonzero([t == target for t in targets])
            sensitivity[at] = values[receptor[at], place[at]][:, position]
        sensitivity[:, ~known] = 0.0
        return cls(
            attribution,
            targets,
            np.array([(day - days[0]).days for day in rows["date"]], dtype=np.int64),
            receptor,
            place,
            position,
            np.nan_to_num(sensitivity),
            np.array([t in OZONE for t in targets], dtype=bool),
            np.stack([effect_matrix(measures, ozone=False), effect_matrix(measures, ozone=True)]),
        )

    @property
    def members(self) -> int:
        """Number of transport members that are known apart, 1 if they are not."""
        shares = [self.attribution.member_share.get(target) for target in set(self.targets)]
        return min((len(share) for share in shares if share is not None), default=1)

    def of_members(self, row: int) -> Reals:
        """Sensitivity of one row as each member by itself has it, (member, enterprise, precursor)."""
        target = self.targets[row]
        share = self.attribution.member_share.get(target)
        if share is None:
            return self.sensitivity[row][None]
        own = share[:, self.receptor[row], self.place[row]][:, self.position].astype(float)
        own[:, self.position < 0] = 0.0
        return np.nan_to_num(own * self.attribution.response[target][self.receptor[row], self.place[row]])

    def shares(self, row: int) -> tuple[Reals, Reals]:
        """Shares of VOC (by reactivity) and of NOx in the air of an ozone row, (enterprise,) each."""
        given, at = self.attribution, (self.receptor[row], self.place[row])
        nox = given.share[at][self.position, _NOX]
        weighed = given.ozone_voc_share
        voc = given.share[at][self.position, _VOC] if weighed is None else weighed[at][self.position]
        unknown = self.position < 0
        return np.where(unknown, 0.0, np.nan_to_num(voc)), np.where(unknown, 0.0, np.nan_to_num(nox))

    def useful(self, days: int) -> NDArray[np.bool_]:
        """Whether what an enterprise emits on a control day reaches any row, (enterprise, day)."""
        found = np.zeros((len(self.position), days), dtype=bool)
        for row, day in enumerate(self.day):
            heard = self.sensitivity[row] != 0
            for lag, part in enumerate(self._lags(row)):
                if 0 <= day - lag < days:
                    found[:, day - lag] |= (heard & (part > 0)).any(axis=1)
        return found

    def avoided(self, row: int, orders: Orders, which: Ints | slice = slice(None)) -> Reals:
        """Part of its enterprise's say in a row that each order takes away, (order, precursor)."""
        enterprise = orders.enterprise[which]
        effect = self.effect[int(self.ozone[row]), orders.measure[which]]
        part = np.zeros((len(enterprise), len(Precursor)))
        for lag, share in enumerate(self._lags(row)):
            day = int(self.day[row]) - lag
            if day >= 0:
                part += np.broadcast_to(share, (len(self.position), len(Precursor)))[
                    enterprise
                ] * orders.force(day, which).reshape(-1, 1)
        return np.asarray(effect * part)

    def _lags(self, row: int) -> list[Reals]:
        """Part of each enterprise's say that it emitted 0, 1, … days before, (enterprise, precursor)."""
        given = self.attribution.lag_share.get(self.targets[row])
        if given is None:
            return [np.ones((1, 1))]
        parts = np.nan_to_num(given[self.receptor[row], self.place[row]][:, self.position].astype(float))
        return list(parts)


def relief(air: Air, row: int, orders: Orders, by: Reals) -> Reals:
    """Sum over precursors of what each order avoids times ``by`` (enterprise, precursor), (order,)."""
    return np.asarray((air.avoided(row, orders) * by[orders.enterprise]).sum(axis=1))


def total(air: Air, row: int, orders: Orders, which: Ints, amount: Reals) -> Reals:
    """What orders together avoid in a row, (enterprise, precursor); ``amount`` of each of them."""
    part = air.avoided(row, orders, which) * amount[:, None]
    sums = np.zeros((len(air.position), len(Precursor)))
    np.add.at(sums, orders.enterprise[which], part)
    return sums
