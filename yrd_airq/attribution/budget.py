"""The closing budget: every µg/m³ of a receptor-day goes to one part, and the parts add up to the whole.

For ozone the budget says where the precursors of the ozone above background came from. That is not what
a reduction brings: the response, which may be negative, is in the sensitivities.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.attribution.response import Concentrations, above_background
from yrd_airq.attribution.settings import AttributionSettings
from yrd_airq.attribution.shares import Shares
from yrd_airq.region import Region
from yrd_airq.transport.footprint import Footprint
from yrd_airq.vocab import Precursor, Target

COLUMNS = ("receptor", "date", "target", "part_zh", "kind", "contribution_ugm3", "share")
OUTSIDE_ZH = "区外传输"
BACKGROUND_ZH = "背景"
REST_ZH = "不随所列前体物变化的其他组分"


@dataclass(frozen=True)
class _Parts:
    """Named groups of sources and their shares, (receptor, day, part, precursor); names per receptor."""

    kinds: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    share: NDArray[np.float64]


def close_budget(
    shares: Shares,
    sector: pd.Series,
    observed: Concentrations,
    footprint: Footprint,
    region: Region,
    settings: AttributionSettings,
) -> pd.DataFrame:
    """Budget of every receptor-day and target; see ``COLUMNS``. Parts that give nothing are left out.

    Kinds: ``enterprise_sector`` (listed enterprises by sector), ``city`` (unlisted emission: own city,
    rest of its province, other provinces), ``outside``, ``background``.
    """
    parts = _group(shares, sector, footprint.receptors, region, settings)
    frames = []
    for target, value in observed.values.items():
        rule = _rule(target, settings)
        if rule is None:
            continue
        background, fraction = rule
        excess = above_background(value, background)
        amounts = np.concatenate(
            [
                np.einsum("rd,rdkp,p->rdk", excess, parts.share, fraction),
                ((1 - fraction.sum()) * excess)[..., None].clip(min=0),
                (value - excess)[..., None],
            ],
            axis=2,
        )
        frames.append(_tabulate(target, amounts, value, parts, footprint))
    budget = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(COLUMNS))
    return budget[list(COLUMNS)]


def _rule(target: Target, settings: AttributionSettings) -> tuple[float, NDArray[np.float64]] | None:
    """Background and the part of the rest that goes by each precursor's shares."""
    if target in settings.mass:
        mass = settings.mass[target]
        return mass.background_ugm3.value, np.array([mass.fraction(precursor) for precursor in Precursor])
    if target in settings.ozone.background_ugm3:
        voc = settings.ozone.budget_voc_weight.value
        weight = {Precursor.VOC: voc, Precursor.NOX: 1 - voc}
        fraction = np.array([weight.get(precursor, 0.0) for precursor in Precursor])
        return settings.ozone.background_ugm3[target].value, fraction
    return None


def _group(
    shares: Shares,
    sector: pd.Series,
    receptors: tuple[str, ...],
    region: Region,
    settings: AttributionSettings,
) -> _Parts:
    """Enterprises by sector; cities by own city, own province and other provinces; the outside."""
    label = sector.map(lambda code: settings.sector_names_zh.get(code, code))
    code, sectors = pd.factorize(label, sort=True)
    by_sector = np.einsum("rdep,es->rdsp", shares.listed, np.eye(len(sectors))[code], optimize=True)
    provinces = sorted(region.settings.provinces)
    places = [_place_of_cities(receptor, provinces, region) for receptor in receptors]
    by_place = np.stack(
        [
            np.einsum("dcp,cg->dgp", shares.unlisted[r], np.eye(len(provinces) + 1)[place])
            for r, (place, _) in enumerate(places)
        ]
    )
    names = tuple(
        (*map(str, sectors), *place_names, OUTSIDE_ZH, REST_ZH, BACKGROUND_ZH) for _, place_names in places
    )
    kinds = ("enterprise_sector",) * len(sectors) + ("city",) * (len(provinces) + 1)
    share = np.concatenate([by_sector, by_place, shares.outside[:, :, None, :]], axis=2)
    return _Parts((*kinds, "outside", "background", "background"), names, share)


def _place_of_cities(
    receptor: str, provinces: list[str], region: Region
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Group of each city seen from a receptor (0: the city itself) and the groups' names."""
    home = region.city(receptor)
    group = np.array([1 + provinces.index(city.province_code) for city in region.cities])
    group[region.adcodes.index(home.adcode)] = 0
    names = [
        f"{region.settings.provinces[code]}{'其他城市' if code == home.province_code else ''}清单外源"
        for code in provinces
    ]
    return group, (f"本市（{home.short_zh}）清单外源", *names)


def _tabulate(
    target: Target,
    amounts: NDArray[np.float64],
    value: NDArray[np.float64],
    parts: _Parts,
    footprint: Footprint,
) -> pd.DataFrame:
    receptors, days, count = amounts.shape
    frame = pd.DataFrame(
        {
            "receptor": np.repeat(np.array(footprint.receptors, dtype=object), days * count),
            "date": np.tile(np.repeat(pd.DatetimeIndex(footprint.days), count), receptors),
            "target": target.value,
            "part_zh": np.concatenate(
                [np.tile(np.array(names, dtype=object), days) for names in parts.names]
            ),
            "kind": np.tile(np.array(parts.kinds, dtype=object), receptors * days),
            "contribution_ugm3": amounts.ravel(),
            "share": (amounts / np.where(value > 0, value, 1)[..., None]).ravel(),
        }
    )
    return frame[frame["contribution_ugm3"] > 0].reset_index(drop=True)
