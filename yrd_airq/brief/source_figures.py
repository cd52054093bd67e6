"""Content behind the figures of transport and attribution: clusters of paths, rose of sources, isopleth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from yrd_airq.brief.content_sources import BasePoint, Isopleth, PathCluster, Rose, RoseSlice
from yrd_airq.brief.wording import REGIMES_ZH
from yrd_airq.region import Region
from yrd_airq.vocab import Target

if TYPE_CHECKING:
    from yrd_airq.attribution.isopleth import Isopleth as Diagram
    from yrd_airq.attribution.surface import OzoneSurface
    from yrd_airq.transport.clusters import Clusters


def build_clusters(clusters: Clusters) -> tuple[PathCluster, ...]:
    """Mean paths from the receptor on, the largest cluster first."""
    return tuple(
        PathCluster(
            adcode=clusters.receptor,
            share=round(float(share), 4),
            lon=tuple(np.round(lon, 3).tolist()),
            lat=tuple(np.round(lat, 3).tolist()),
        )
        for share, lon, lat in zip(clusters.share, clusters.lon, clusters.lat, strict=True)
    )


def build_rose(rose: pd.DataFrame, receptor: str, region: Region) -> Rose | None:
    """Slices of one receptor (receptor, direction_zh, sector_zh, share, target); None without any."""
    own = rose[rose["receptor"] == receptor]
    slices = tuple(
        RoseSlice(direction_zh=str(direction), sector_zh=str(sector), share=round(float(share), 6))
        for direction, sector, share in zip(own["direction_zh"], own["sector_zh"], own["share"], strict=True)
    )
    if not slices:
        return None
    return Rose(city_zh=region.city(receptor).short_zh, target=Target(own["target"].iloc[0]), slices=slices)


def build_isopleth(diagram: Diagram, regime: pd.DataFrame, region: Region) -> Isopleth:
    """The diagram with the base points of the regimes that the receptors (receptor, regime) are in."""
    points = []
    base = {str(name): point for name, point in diagram.base.items()}
    for name, group in regime.groupby("regime", sort=True):
        voc, nox = base[str(name)]
        cities = "、".join(region.city(str(code)).short_zh for code in group["receptor"].unique())
        points.append(
            BasePoint(name_zh=f"{cities}（{REGIMES_ZH[str(name)]}）", voc_ppbc=float(voc), nox_ppb=float(nox))
        )
    return Isopleth(
        voc_ppbc=tuple(diagram.voc_ppbc.tolist()),
        nox_ppb=tuple(diagram.nox_ppb.tolist()),
        mda8_ugm3=tuple(tuple(row) for row in diagram.mda8_ugm3.round(1).tolist()),
        ridge_nox_ppb=tuple(None if np.isnan(x) else round(float(x), 2) for x in diagram.ridge_nox_ppb),
        base=tuple(points),
    )


def describe_response(surface: OzoneSurface, receptor: str, region: Region) -> tuple[str, ...]:
    """What a cut of NOx or VOC does to ozone at one receptor, a sentence a day."""
    told = surface.describe(region)
    return tuple(told.loc[told["receptor"] == receptor, "statement_zh"].tolist())
