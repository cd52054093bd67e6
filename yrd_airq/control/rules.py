"""The rules beside the goals, each a family of linear rows over the orders: floors, caps, fairness, length.

Every family can be switched off in ``configs/control.yaml``. None of them is put above the goals: a
row that cannot be kept is broken as little as possible, and the plan says which one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy.sparse as sp
from numpy.typing import NDArray

from yrd_airq.control.eligibility import Eligibility, Status
from yrd_airq.control.orders import Orders, effect_matrix
from yrd_airq.control.settings import ControlSettings
from yrd_airq.region import Region
from yrd_airq.vocab import Precursor

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Family:
    """Rows ``matrix @ order ≤ limit``; ``unit`` (row,) what a row is measured in, ``labels_zh`` its name."""

    name: str
    matrix: sp.csr_array
    limit: Reals
    unit: Reals
    labels_zh: tuple[str, ...]

    def broken(self, chosen: NDArray[np.int64]) -> Reals:
        """How far each row is broken by the orders ``chosen``, as a share of its unit."""
        amount = np.zeros(self.matrix.shape[1])
        amount[chosen] = 1.0
        return np.asarray(np.maximum(self.matrix @ amount - self.limit, 0.0) / self.unit)


@dataclass(frozen=True)
class Ground:
    """What the rules are made of: the list, its orders with their burden, and where they stand."""

    fit: Eligibility
    orders: Orders
    burden: Reals
    potential: Reals
    settings: ControlSettings
    region: Region
    days: int
    host: str
    tiers: Mapping[str, str]

    @property
    def city(self) -> NDArray[np.object_]:
        """Adcode of each enterprise, empty outside the region."""
        codes = self.fit.enterprises["adcode"]
        return np.array([self.region.canonical_adcode(code) or "" for code in codes], dtype=object)

    @property
    def province(self) -> NDArray[np.object_]:
        """Province code of each enterprise."""
        return np.array([str(code)[:2] for code in self.city], dtype=object)

    def full_burden(self) -> Reals:
        """Heaviest burden of an order of each enterprise, nought where none may be given."""
        heaviest = np.zeros(len(self.fit.enterprises))
        np.maximum.at(heaviest, self.orders.enterprise, self.burden)
        return heaviest


def make_rules(ground: Ground) -> tuple[Family, ...]:
    """The families that are switched on and have something to say about these orders."""
    if not len(ground.burden):
        return ()
    rules = ground.settings.rules
    found = [_floor_tiers(ground)]
    if rules.city_cap is not None:
        found.append(_cap_cities(ground, float(rules.city_cap)))
    if rules.host_province_leads:
        found.append(_let_host_lead(ground))
    if rules.fairness is not None:
        found.append(_share_fairly(ground, float(rules.fairness)))
    if rules.list_length is not None:
        found.append(_limit_length(ground, rules.list_length))
    if rules.kept_load is not None:
        found.append(_keep_supply(ground, float(rules.kept_load)))
    return tuple(family for family in found if family is not None and len(family.limit))


def _family(name: str, rows: list[tuple[Reals, float, float, str]]) -> Family | None:
    """A family of rows (coefficients, limit, unit, label)."""
    if not rows:
        return None
    coefficients, limit, unit, labels = zip(*rows, strict=True)
    matrix = sp.csr_array(sp.vstack([sp.csr_array(row[None, :]) for row in coefficients]))
    return Family(name, matrix, np.array(limit), np.array(unit), labels)


def _floor_tiers(ground: Ground) -> Family | None:
    """Per city under a tier, pollutant and day: the list avoids at least the tier's share of the emission.

    Days before the first order can reach the city are not counted.
    """
    orders, rows = ground.orders, []
    cut = effect_matrix(ground.settings.measures, ozone=False)
    emission = np.nan_to_num(ground.fit.emission_kgd)
    for code, tier in sorted(ground.tiers.items()):
        rule = ground.settings.rules.tiers.get(str(tier))
        here = ground.city == ground.region.canonical_adcode(code)
        if rule is None or rule.floor is None or not here.any():
            continue
        mine = np.where(here[orders.enterprise], 1.0, 0.0)
        for day in range(ground.days):
            force = mine * orders.force(day)
            for p, precursor in enumerate(Precursor):
                asked = float(rule.floor) * emission[here, p].sum()
                avoided = force * emission[orders.enterprise, p] * cut[orders.measure, p]
                if asked > 0 and avoided.any():
                    name = f"{ground.region.city(code).short_zh}管控第{day + 1}日{precursor.name_zh}减排"
                    rows.append((-avoided, -asked, asked, f"{name}不低于{float(rule.floor):.0%}"))
    return _family("tier_floor", rows)


def _cap_cities(ground: Ground, cap: float) -> Family | None:
    full, city = ground.full_burden(), ground.city
    rows = []
    for code in sorted(set(city[full > 0])):
        limit = cap * full[city == code].sum()
        mine = np.where((city == code)[ground.orders.enterprise], ground.burden, 0.0)
        name = ground.region.city(code).short_zh if code else "区域外"
        rows.append((mine, limit, limit, f"{name}负担不超过其可管控总量的{cap:.0%}"))
    return _family("city_cap", rows)


def _let_host_lead(ground: Ground) -> Family | None:
    """The host province carries at least as much burden as each neighbour."""
    province = ground.province[ground.orders.enterprise]
    unit, rows = float(ground.full_burden().sum()), []
    for code in sorted(set(province) - {ground.host}):
        signed = np.where(province == ground.host, -1.0, np.where(province == code, 1.0, 0.0))
        name = ground.region.settings.provinces.get(code, "区域外")
        rows.append((signed * ground.burden, 0.0, unit, f"{name}负担不超过举办地所在省"))
    return _family("host_first", rows)


def _share_fairly(ground: Ground, margin: float) -> Family | None:
    """Each province's share of the burden within ``1 ± margin`` of its share of the contribution."""
    askable = (ground.fit.enterprises["status"] == Status.NOT_SELECTED).to_numpy()
    weight = np.where(askable, np.maximum(ground.potential, 0), 0.0)
    by_province = pd.Series(weight).groupby(ground.province).sum()
    by_province = by_province[by_province > 0]
    if len(by_province) < 2:
        return None
    share = by_province / by_province.sum()
    province = ground.province[ground.orders.enterprise]
    unit, rows = float(ground.full_burden().sum()), []
    for code, part in share.items():
        mine = np.where(province == code, ground.burden, 0.0)
        name = ground.region.settings.provinces.get(str(code), "区域外")
        text = f"{name}负担占比与贡献占比{part:.0%}相差不超过{margin:.0%}"
        rows.append((mine - (1 + margin) * part * ground.burden, 0.0, unit, text))
        rows.append(((1 - margin) * part * ground.burden - mine, 0.0, unit, text))
    return _family("fairness", rows)


def _limit_length(ground: Ground, longest: int) -> Family | None:
    one = np.ones(len(ground.burden))
    return _family("list_length", [(one, float(longest), float(longest), f"名单不超过{longest}家")])


def _keep_supply(ground: Ground, kept: float) -> Family | None:
    """Per city and day: power, heat and waste plants together keep a share of their load.

    A plant counts by its known emission, the only size that every list holds.
    """
    sectors = ground.settings.rules.supply_sectors
    supply = ground.fit.enterprises["sector"].isin(sectors).to_numpy()
    size = np.where(supply, np.nansum(ground.fit.emission_kgd, axis=1), 0.0)
    lost = np.array([float(m.load_cut) for m in ground.settings.measures])[ground.orders.measure]
    lost = lost * size[ground.orders.enterprise]
    city, rows = ground.city, []
    for code in sorted(set(city[ground.orders.enterprise[lost > 0]])):
        whole = float(size[city == code].sum())
        mine = np.where((city == code)[ground.orders.enterprise], lost, 0.0)
        for day in range(ground.days):
            down = np.where(ground.orders.force(day) > 0, mine, 0.0)
            if down.any():
                name = ground.region.city(code).short_zh if code else "区域外"
                text = f"{name}管控第{day + 1}日保供负荷不低于{kept:.0%}"
                rows.append((down, (1 - kept) * whole + 1e-9 * whole, whole, text))
    return _family("supply", rows)


def rows_of(families: tuple[Family, ...]) -> Iterator[tuple[Family, int]]:
    """Every row of every family."""
    for family in families:
        yield from ((family, row) for row in range(len(family.limit)))
