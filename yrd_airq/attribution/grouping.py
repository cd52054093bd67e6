"""Named groups of sources as a reader of a budget knows them: sectors of the list, cities, the outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.attribution.contributions import Contributions
from yrd_airq.attribution.settings import AttributionSettings
from yrd_airq.region import Region

OUTSIDE_ZH = "区外传输"


@dataclass(frozen=True)
class Grouping:
    """Groups of sources: enterprises by sector; cities by own city, own province and other provinces.

    ``kinds`` per group, ``names`` per receptor and group; ``by_sector`` (enterprise, sector) and, per
    receptor, ``by_place`` (city, place) say where a source belongs, one or nought.
    """

    kinds: tuple[str, ...]
    names: tuple[tuple[str, ...], ...]
    by_sector: NDArray[np.float64]
    by_place: tuple[NDArray[np.float64], ...]

    def share_out(self, contributions: Contributions, receptor: int) -> NDArray[np.float64]:
        """Shares of the groups in the air of one receptor, (…, group, precursor); they add up to one."""
        parts = (
            contributions.listed @ self.by_sector,
            contributions.unlisted @ self.by_place[receptor],
            contributions.outside[..., None],
        )
        amounts = np.concatenate(parts, axis=-1)
        total = amounts.sum(axis=-1, keepdims=True)
        shares = amounts / np.where(total > 0, total, 1)
        shares[..., -1:] = np.where(total > 0, shares[..., -1:], 1.0)
        return np.moveaxis(shares, 0, -1)


def group_sources(
    sector: pd.Series, receptors: Sequence[str], region: Region, settings: AttributionSettings
) -> Grouping:
    """Groups for a list with these sectors, as seen from the receptors."""
    label = sector.map(lambda code: settings.sector_names_zh.get(code, code))
    code, sectors = pd.factorize(label, sort=True)
    provinces = sorted(region.settings.provinces)
    places = [_place_of_cities(receptor, provinces, region) for receptor in receptors]
    return Grouping(
        kinds=("enterprise_sector",) * len(sectors) + ("city",) * (len(provinces) + 1) + ("outside",),
        names=tuple((*map(str, sectors), *names, OUTSIDE_ZH) for _, names in places),
        by_sector=np.eye(len(sectors))[code],
        by_place=tuple(np.eye(len(provinces) + 1)[place] for place, _ in places),
    )


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
