"""The source-receptor matrix: how much of each precursor in a receptor's air each source has given it.

Share method. A source's part is its emission times the footprint on its ground, divided by the same
sum over all sources: listed enterprises, the rest of each city's emission, and the ground outside the
region. So the shares of a receptor-day and precursor add up to one by construction. The method knows no
chemistry on the way but a lifetime per precursor, and no height of emission.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.attribution.budget import GroupShares, close_budget, stack_groups
from yrd_airq.attribution.chemistry import OzoneChemistry
from yrd_airq.attribution.contributions import Contributions, Ground, contribute, lay_ground
from yrd_airq.attribution.emissions import take_inventory, unknown_emissions
from yrd_airq.attribution.grouping import Grouping, group_sources
from yrd_airq.attribution.notes import write_notes
from yrd_airq.attribution.reactivity import sector_reactivity
from yrd_airq.attribution.regime import judge_regime
from yrd_airq.attribution.response import Concentrations, ozone_regime, respond, table_slope
from yrd_airq.attribution.settings import AttributionSettings, OzoneSettings
from yrd_airq.attribution.shares import Shares, stack_shares
from yrd_airq.attribution.surface import OzoneSurface, response_surface, surface_slope
from yrd_airq.errors import InputError
from yrd_airq.region import Region
from yrd_airq.transport.footprint import Footprint
from yrd_airq.transport.nearfield import NearField
from yrd_airq.vocab import Precursor, Target, WeatherKind

_VOC = tuple(Precursor).index(Precursor.VOC)
PARTICULATE = (Target.PM25, Target.PM10)
"""Targets that hold what gases have turned into."""
T = TypeVar("T")


@dataclass(frozen=True)
class Spread:
    """What the members of the ensemble say apart: the lowest and the highest of each number.

    ``share_low``, ``share_high`` as ``Attribution.share``; ``budget``: the keys of the budget, row by
    row, with low_ugm3, high_ugm3, low_share, high_share.
    """

    share_low: NDArray[np.float64]
    share_high: NDArray[np.float64]
    budget: pd.DataFrame


@dataclass(frozen=True)
class Attribution:
    """Shares, responses and budgets of some receptors and days.

    ``share`` (receptor, day, enterprise, precursor), ``unlisted_share`` (receptor, day, city,
    precursor; cities in the region's order) and ``outside_share`` (receptor, day, precursor) add up to
    one over all sources, by mass. ``sensitivity`` (receptor, day, enterprise, precursor): fall of the
    target in µg/m³ if all emission of that precursor by the enterprise stops, linear, signed (negative:
    ozone rises). ``stability`` (enterprise,): part of the ensemble's members that rank it in the upper
    half. ``budget``: receptor, date, target, part_zh, kind, contribution_ugm3, share; closes to one.
    ``regime``: receptor, date, regime, regime_zh, evidence, cap_factor. ``unknown``: enterprises whose
    emission or position is unknown; their share is nought. ``notes``: what a reader has to know.
    ``spread``: see there. ``ozone_voc_share`` (receptor, day, enterprise): share of VOC weighted by the
    ozone they can form, by which ozone goes; ``target_share``: the shares that each target goes by, as
    ``share``. ``surfaces``: what cuts of VOC and NOx together do to the
    ozone targets, for more than small cuts; empty where no chemistry was given.

    ``response`` (receptor, day, precursor): fall of a target in µg/m³ if a precursor vanished from its air,
    so that sensitivity = target_share times response. By target too, and only where asked for
    (``detail``): ``member_share`` (member, receptor, day, enterprise, precursor), the shares of each member
    by itself (VOC by reactivity for ozone), and ``lag_share`` (receptor, day, lag, enterprise, precursor),
    the part of an enterprise's share that it emitted ``lag`` days before the receptor-day, the last lag
    holding all older; it adds up to one over the lags.
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
    spread: Spread | None = None
    ozone_voc_share: NDArray[np.float64] | None = None
    target_share: Mapping[Target, NDArray[np.float64]] = field(default_factory=dict)
    surfaces: Mapping[Target, OzoneSurface] = field(default_factory=dict)
    response: Mapping[Target, NDArray[np.float64]] = field(default_factory=dict)
    member_share: Mapping[Target, NDArray[np.float32]] = field(default_factory=dict)
    lag_share: Mapping[Target, NDArray[np.float32]] = field(default_factory=dict)


@dataclass(frozen=True)
class _Sources:
    """Shares by mass and as they count for ozone, their range, groups and merit; of one receptor or of all.

    ``merit`` (…, member, enterprise): sum of an enterprise's shares over days and precursors.
    ``members`` and ``members_for_ozone`` (…, day, member, enterprise, precursor): each member by itself.
    """

    mean: Shares
    for_ozone: Shares
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    groups: GroupShares
    groups_for_ozone: GroupShares
    merit: NDArray[np.float64]
    members: NDArray[np.float32]
    members_for_ozone: NDArray[np.float32]


def attribute(
    footprint: Footprint,
    enterprises: pd.DataFrame,
    concentrations: pd.DataFrame,
    region: Region,
    settings: AttributionSettings,
    chemistry: OzoneChemistry | None = None,
    indicators: pd.DataFrame | None = None,
    near: NearField | None = None,
    particles: Footprint | None = None,
    midday: Footprint | None = None,
    detail: bool = False,
) -> Attribution:
    """Attribute the receptor-days of a footprint to the enterprises of a list (canonical columns).

    ``concentrations`` has adcode, date, target, value (µg/m³); each target in it must have a value for
    every receptor-day, other targets are left out. Order of enterprises: as in the list. With
    ``chemistry`` ozone's sensitivities are the slopes of its response surfaces at no cut, VOC count by
    reactivity, and observed ``indicators`` of the regime (see ``judge_regime``) are heard; without, the
    responses of the table of regimes hold and VOC count by mass. ``near``: plumes of the enterprises in the
    order of the list, used if the settings say so. ``particles``: the footprint of the same way for what the
    gases have turned into, by which PM2.5 and PM10 go, and ``midday`` that of the air that makes a day's
    highest ozone (see ``Ageing``); without, all go by what is left of the gases in all hours.
    ``detail``: keep what members and days of emission say apart; the footprints then need their lags. Raises
    ``InputError``.
    """
    if enterprises.empty:
        raise InputError("the enterprise list is empty; ingest one before asking for an attribution")
    enterprises = enterprises.reset_index(drop=True)
    inventory = take_inventory(enterprises, region, footprint, settings.emissions)
    grouping = group_sources(enterprises["sector"], footprint.receptors, region, settings)
    reactivity = sector_reactivity(enterprises["sector"], chemistry) if chemistry else None
    near = near if settings.near_field else None
    ground = lay_ground(enterprises, inventory)
    sources = _share_out(footprint, ground, near, grouping, reactivity)
    aged = _share_out(particles, ground, near, grouping, None) if particles else sources
    sunlit = _share_out(midday, ground, near, grouping, reactivity) if midday else sources
    observed = Concentrations.of(concentrations, footprint.receptors, footprint.days)
    regime, surfaces, slope = _judge_ozone(footprint, observed, region, settings.ozone, chemistry, indicators)
    shares = {t: _of(t, sources.mean, sunlit.for_ozone, aged.mean, settings) for t in observed.values}
    groups = {
        t: _of(t, sources.groups, sunlit.groups_for_ozone, aged.groups, settings) for t in observed.values
    }
    response, cap = respond(shares, observed, footprint.days, slope, settings)
    regime["cap_factor"] = cap.ravel()
    budget, spread = close_budget(groups, grouping, observed, footprint, settings)
    return Attribution(
        receptors=footprint.receptors,
        days=footprint.days,
        enterprise_id=tuple(enterprises["enterprise_id"]),
        precursors=tuple(Precursor),
        share=sources.mean.listed,
        unlisted_share=sources.mean.unlisted,
        outside_share=sources.mean.outside,
        sensitivity={t: shares[t].listed * by[:, :, None, :] for t, by in response.items()},
        stability=_stability(sources.merit.sum(axis=0)),
        budget=budget,
        regime=regime,
        unknown=unknown_emissions(enterprises, inventory.known),
        notes=write_notes(inventory, cap, surfaces, region, settings),
        kind=footprint.kind,
        spread=Spread(sources.low, sources.high, spread),
        ozone_voc_share=sunlit.for_ozone.listed[..., _VOC],
        target_share={t: shares[t].listed for t in response},
        surfaces=surfaces,
        response=response,
        member_share=_member_shares(response, sources, sunlit, aged, settings) if detail else {},
        lag_share=_lag_shares(response, (footprint, midday, particles), ground, settings) if detail else {},
    )


def _of(target: Target, by_mass: T, for_ozone: T, aged: T, settings: AttributionSettings) -> T:
    """What a target goes by: ozone by reactivity, particles by what the gases have turned into."""
    if target in PARTICULATE:
        return aged
    return by_mass if target in settings.mass else for_ozone


def _member_shares(
    targets: Iterable[Target],
    sources: _Sources,
    sunlit: _Sources,
    aged: _Sources,
    settings: AttributionSettings,
) -> dict[Target, NDArray[np.float32]]:
    """``Attribution.member_share``; targets of one kind share one array."""
    kinds = (sources.members, sunlit.members_for_ozone, aged.members)
    by_kind = {id(kind): np.moveaxis(kind, 2, 0) for kind in kinds}
    return {t: by_kind[id(_of(t, *kinds, settings))] for t in targets}


def _lag_shares(
    targets: Iterable[Target],
    prints: tuple[Footprint, Footprint | None, Footprint | None],
    ground: Ground,
    settings: AttributionSettings,
) -> dict[Target, NDArray[np.float32]]:
    """``Attribution.lag_share``; the plumes near a receptor count like the ground that they stand on."""
    own, sunlit, aged = (
        np.stack([p.lag_parts_at(r, ground.lon, ground.lat) for r in range(len(p.receptors))])
        .transpose(0, 3, 1, 4, 2)
        .astype(np.float32)
        for p in (other or prints[0] for other in prints)
    )
    return {t: _of(t, own, sunlit, aged, settings) for t in targets}


def _judge_ozone(
    footprint: Footprint,
    observed: Concentrations,
    region: Region,
    settings: OzoneSettings,
    chemistry: OzoneChemistry | None,
    indicators: pd.DataFrame | None,
) -> tuple[pd.DataFrame, Mapping[Target, OzoneSurface], Mapping[Target, NDArray[np.float64]]]:
    """Regimes, surfaces (none without chemistry) and the fall of ozone per cut (receptor, day, precursor)."""
    place = footprint.receptors, footprint.days
    if chemistry is None:
        regime = ozone_regime(*place, region, settings)
        return regime, {}, table_slope(observed, regime["regime"].tolist(), settings)
    regime = judge_regime(*place, region, settings, chemistry, indicators)
    surfaces = response_surface(observed, *place, regime, settings, chemistry)
    return regime, surfaces, surface_slope(surfaces)


def member_shares(
    footprint: Footprint,
    enterprises: pd.DataFrame,
    region: Region,
    settings: AttributionSettings,
    receptor: str,
    near: NearField | None = None,
) -> Shares:
    """The matrix of one receptor for every member by itself, by mass: leading axes day and member.

    Arguments as for ``attribute``. ``InputError`` for a receptor that the footprint has not.
    """
    if receptor not in footprint.receptors:
        raise InputError(f"the footprint has no receptor {receptor}; it has {', '.join(footprint.receptors)}")
    enterprises = enterprises.reset_index(drop=True)
    ground = lay_ground(enterprises, take_inventory(enterprises, region, footprint, settings.emissions))
    near = near if settings.near_field else None
    return contribute(footprint, footprint.receptors.index(receptor), ground, near).share_out()


def _share_out(
    footprint: Footprint,
    ground: Ground,
    near: NearField | None,
    grouping: Grouping,
    reactivity: NDArray[np.float64] | None,
) -> _Sources:
    """Shares of all receptors from the members' mean contributions, and what the members say apart."""
    found = [
        _look(contribute(footprint, index, ground, near), grouping, index, reactivity)
        for index in range(len(footprint.receptors))
    ]
    return _Sources(
        mean=stack_shares([one.mean for one in found]),
        for_ozone=stack_shares([one.for_ozone for one in found]),
        low=np.stack([one.low for one in found]),
        high=np.stack([one.high for one in found]),
        groups=stack_groups([one.groups for one in found]),
        groups_for_ozone=stack_groups([one.groups_for_ozone for one in found]),
        merit=np.stack([one.merit for one in found]),
        members=np.stack([one.members for one in found]),
        members_for_ozone=np.stack([one.members_for_ozone for one in found]),
    )


def _look(
    given: Contributions, grouping: Grouping, index: int, reactivity: NDArray[np.float64] | None
) -> _Sources:
    """The shares of one receptor from its contributions."""
    mean, members = given.mean_of_members(), given.share_out().listed
    shares = mean.share_out()
    groups = GroupShares(grouping.share_out(mean, index), grouping.share_out(given, index))
    for_ozone, groups_for_ozone, members_for_ozone = shares, groups, members
    if reactivity is not None:
        weighed = given.weigh_voc(reactivity)
        mean = weighed.mean_of_members()
        for_ozone = mean.share_out()
        groups_for_ozone = GroupShares(grouping.share_out(mean, index), grouping.share_out(weighed, index))
        members_for_ozone = weighed.share_out().listed
    return _Sources(
        mean=shares,
        for_ozone=for_ozone,
        low=np.minimum(members.min(axis=1), shares.listed),
        high=np.maximum(members.max(axis=1), shares.listed),
        groups=groups,
        groups_for_ozone=groups_for_ozone,
        merit=members.sum(axis=(0, 3)),
        members=members.astype(np.float32),
        members_for_ozone=members_for_ozone.astype(np.float32),
    )


def _stability(merit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Part of the members in which each enterprise contributes and ranks in the upper half of the list."""
    rank = (-merit).argsort(axis=1, kind="stable").argsort(axis=1, kind="stable")
    upper = (rank < (merit.shape[1] + 1) // 2) & (merit > 0)
    return np.asarray(upper.mean(axis=0))
