"""The source-receptor matrix: how much of each precursor in a receptor's air each source has given it.

Share method. A source's part is its emission times the footprint on its ground, divided by the same
sum over all sources: listed enterprises, the rest of each city's emission, and the ground outside the
region. So the shares of a receptor-day and precursor add up to one by construction. The method knows no
chemistry on the way but a lifetime per precursor, and no height of emission.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.attribution.budget import close_budget
from yrd_airq.attribution.emissions import Inventory, take_inventory, unknown_emissions
from yrd_airq.attribution.response import Concentrations, ozone_regime, respond
from yrd_airq.attribution.settings import AttributionSettings
from yrd_airq.attribution.shares import Shares
from yrd_airq.errors import InputError
from yrd_airq.region import Region
from yrd_airq.transport.footprint import SIDES, Footprint
from yrd_airq.vocab import Precursor, Target, WeatherKind


@dataclass(frozen=True)
class Attribution:
    """Shares, responses and budgets of some receptors and days.

    ``share`` (receptor, day, enterprise, precursor), ``unlisted_share`` (receptor, day, city,
    precursor; cities in the region's order) and ``outside_share`` (receptor, day, precursor) add up to
    one over all sources. ``sensitivity`` (receptor, day, enterprise, precursor): fall of the target in
    µg/m³ if all emission of that precursor by the enterprise stops, linear, signed (negative: ozone
    rises). ``stability`` (enterprise,): part of the ensemble's members that rank it in the upper half.
    ``budget``: receptor, date, target, part_zh, kind, contribution_ugm3, share; closes to one.
    ``regime``: receptor, date, regime, regime_zh, evidence, cap_factor. ``unknown``: enterprises whose
    emission or position is unknown; their share is nought. ``notes``: what a reader has to know.
    """

    receptors: tuple[str, ...]
    days: tuple[date, ...]
    enterprise_id: tuple[str, ...]
    precursors: tuple[Precursor, ...]
    share: NDArray[np.float64]
    unlisted_share: NDArray[np.float64]
    outside_share: NDArray[np.float64]
    sensitivity: Mapping[Target, NDArray[np.float64]]
    stability: NDArray[np.float64]
    budget: pd.DataFrame
    regime: pd.DataFrame
    unknown: pd.DataFrame
    notes: tuple[str, ...]
    kind: WeatherKind


def attribute(
    footprint: Footprint,
    enterprises: pd.DataFrame,
    concentrations: pd.DataFrame,
    region: Region,
    settings: AttributionSettings,
) -> Attribution:
    """Attribute the receptor-days of a footprint to the enterprises of a list (canonical columns).

    ``concentrations`` has adcode, date, target, value (µg/m³); each target in it must have a value for
    every receptor-day, other targets are left out. Order of enterprises: as in the list. Raises
    ``InputError``.
    """
    if enterprises.empty:
        raise InputError("the enterprise list is empty; ingest one before asking for an attribution")
    enterprises = enterprises.reset_index(drop=True)
    inventory = take_inventory(enterprises, region, footprint, settings.emissions)
    shares, stability = _share_out(footprint, enterprises, inventory)
    observed = Concentrations.of(concentrations, footprint.receptors, footprint.days)
    regime = ozone_regime(footprint.receptors, footprint.days, region, settings.ozone)
    sensitivity, cap = respond(shares.listed, observed, regime["regime"].tolist(), settings)
    regime["cap_factor"] = cap.ravel()
    return Attribution(
        receptors=footprint.receptors,
        days=footprint.days,
        enterprise_id=tuple(enterprises["enterprise_id"]),
        precursors=tuple(Precursor),
        share=shares.listed,
        unlisted_share=shares.unlisted,
        outside_share=shares.outside,
        sensitivity=sensitivity,
        stability=stability,
        budget=close_budget(shares, enterprises["sector"], observed, footprint, region, settings),
        regime=regime,
        unknown=unknown_emissions(enterprises, inventory.known),
        notes=_notes(inventory, cap, settings),
        kind=footprint.kind,
    )


def _share_out(
    footprint: Footprint, enterprises: pd.DataFrame, inventory: Inventory
) -> tuple[Shares, NDArray[np.float64]]:
    """Shares from the members' mean footprint, and each enterprise's stability over the members."""
    lon, lat = (enterprises[name].to_numpy(dtype=float) for name in ("lon", "lat"))
    listed, unlisted, outside = [], [], []
    merit = np.zeros((len(footprint.members), len(enterprises)))
    for index in range(len(footprint.receptors)):
        weight = footprint.by_precursor[:, index]
        at_plant = footprint.per_km2_at(index, lon, lat) * inventory.listed.T[:, None, None, :]
        of_city = np.einsum("pdmyx,cyx->pdmc", weight, inventory.city_density, optimize=True)
        of_city *= inventory.unlisted.T[:, None, None, :]
        beyond = _from_outside(footprint, index, inventory)
        total = at_plant.sum(axis=3) + of_city.sum(axis=3) + beyond
        merit += (at_plant / np.where(total > 0, total, 1)[..., None]).sum(axis=(0, 1))
        # Contributions, not shares, are averaged over the members: a member with clean air weighs little.
        mean = total.mean(axis=2)
        divisor = np.where(mean > 0, mean, 1)
        listed.append(np.moveaxis(at_plant.mean(axis=2) / divisor[..., None], 0, -1))
        unlisted.append(np.moveaxis(of_city.mean(axis=2) / divisor[..., None], 0, -1))
        outside.append(np.where(mean > 0, beyond.mean(axis=2) / divisor, 1.0).T)
    return Shares(np.stack(listed), np.stack(unlisted), np.stack(outside)), _stability(merit)


def _from_outside(footprint: Footprint, index: int, inventory: Inventory) -> NDArray[np.float64]:
    """Contribution of the ground outside the region, on the grid and beyond it: (precursor, day, member)."""
    on_grid = np.einsum(
        "pdmyx,pyx->pdm", footprint.by_precursor[:, index], inventory.background, optimize=True
    )
    density = np.stack([inventory.sea if side == "east" else inventory.land for side in SIDES])
    beyond = np.einsum("pdms,sp->pdm", footprint.outside[:, index], density)
    return np.asarray(on_grid + beyond)


def _stability(merit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Part of the members in which each enterprise contributes and ranks in the upper half of the list."""
    rank = (-merit).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    upper = (rank < (merit.shape[1] + 1) // 2) & (merit > 0)
    return np.asarray(upper.mean(axis=0))


def _notes(inventory: Inventory, cap: NDArray[np.float64], settings: AttributionSettings) -> tuple[str, ...]:
    """Chinese sentences on what limits the result."""
    without = int((~inventory.known).any(axis=1).sum())
    notes = [
        "贡献按“足迹×排放”份额法估算，未显式模拟化学转化与排放高度；浓度响应为线性近似，宜看作上限和排序依据。",
    ]
    if without:
        notes.append(
            f"清单中有{without}家企业的排放量或位置不全，缺失项按未知处理、未计入贡献，企业仍保留在清单中。"
        )
    full = [p.name_zh for k, p in enumerate(Precursor) if (inventory.unlisted[:, k] == 0).any()]
    if full:
        notes.append(f"部分省份清单排放量已达到所采用的全省总量（{'、'.join(full)}），该省其余源按零计。")
    if (cap < 1).any():
        notes.append(
            f"清单企业臭氧改善合计按已查证上限（浓度的{settings.ozone.cap.value:.1%}，2016年G20杭州模式研究）作了等比压缩。"
        )
    return tuple(notes)
