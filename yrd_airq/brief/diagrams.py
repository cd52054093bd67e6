"""The diagrams of transport and attribution: clusters of paths, rose of sources, ozone isopleth."""

from __future__ import annotations

from typing import cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.projections.polar import PolarAxes

from yrd_airq.brief.canvas import FAINT, INK, MUTED, SERIES, frame_map, label, new_figure
from yrd_airq.brief.content import Brief
from yrd_airq.brief.content_sources import Isopleth, Rose
from yrd_airq.brief.maps import draw_outlines
from yrd_airq.brief.typography import percent
from yrd_airq.brief.wording import SECTORS
from yrd_airq.region import Region

_SHOWN_INDUSTRIES = 6
_OTHER, _OTHER_COLOUR = "其他行业", "#9AA5AB"
_WIDTH_IN = 4.2
# Room around the paths, and the least extent of the map, in degrees.
_MARGIN_DEG, _LEAST_DEG = 0.8, 6.0


def draw_clusters(brief: Brief, region: Region) -> Figure:
    """Mean paths of the clusters on the map, each with its share."""
    assert brief.transport is not None
    figure = new_figure(_WIDTH_IN, _WIDTH_IN)
    axes = figure.subplots()
    clusters = brief.transport.clusters
    frame_map(
        axes, _frame(np.concatenate([c.lon for c in clusters]), np.concatenate([c.lat for c in clusters]))
    )
    draw_outlines(axes, region)
    city = region.city(clusters[0].adcode)
    for k, cluster in enumerate(clusters):
        colour = SERIES[k % len(SERIES)]
        width = 1.0 + 4.0 * cluster.share
        lon, lat = (city.lon, *cluster.lon), (city.lat, *cluster.lat)
        axes.plot(lon, lat, color=colour, linewidth=width, solid_capstyle="round", zorder=4)
        text = axes.annotate(
            label(f"{k + 1}类 {percent(cluster.share)}"),
            (cluster.lon[-1], cluster.lat[-1]),
            xytext=(3, 3),
            textcoords="offset points",
            fontsize=7,
            color=colour,
            zorder=6,
        )
        text.set_path_effects([withStroke(linewidth=2, foreground="white")])
    axes.plot(city.lon, city.lat, marker="*", markersize=10, color=INK, zorder=5)
    return figure


def _frame(lon: np.ndarray, lat: np.ndarray) -> tuple[float, float, float, float]:
    """Square frame around all points: west, east, south, north."""
    half = max(np.ptp(lon), np.ptp(lat), _LEAST_DEG) / 2 + _MARGIN_DEG
    x, y = (lon.max() + lon.min()) / 2, (lat.max() + lat.min()) / 2
    return x - half, x + half, y - half, y + half


def draw_rose(brief: Brief, region: Region) -> Figure:
    """Listed enterprises by direction, stacked by industry; the radius is the share."""
    assert brief.attribution is not None
    assert brief.attribution.rose is not None
    rose = brief.attribution.rose
    figure = new_figure(_WIDTH_IN * 1.25, _WIDTH_IN)
    axes = cast(PolarAxes, figure.add_subplot(projection="polar"))
    axes.set_theta_zero_location("N")
    axes.set_theta_direction(-1)
    angle = np.arange(len(SECTORS)) * 2 * np.pi / len(SECTORS)
    base = np.zeros(len(SECTORS))
    for k, (industry, share) in enumerate(_by_industry(rose).items()):
        colour = _OTHER_COLOUR if industry == _OTHER else SERIES[k % len(SERIES)]
        axes.bar(angle, share, width=0.7, bottom=base, color=colour, label=label(industry), linewidth=0)
        base = base + share
    axes.set_xticks(angle, [label(name) for name in SECTORS], fontsize=8)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.1%}")
    axes.tick_params(axis="y", labelsize=6)
    axes.grid(color=FAINT, linewidth=0.5)
    axes.set_axisbelow(True)
    axes.spines["polar"].set_color(FAINT)
    figure.legend(loc="outside right center", frameon=False, fontsize=7)
    return figure


def _by_industry(rose: Rose) -> dict[str, np.ndarray]:
    """Shares by direction of the largest industries, the rest as one."""
    total: dict[str, float] = {}
    for part in rose.slices:
        total[part.sector_zh] = total.get(part.sector_zh, 0.0) + part.share
    largest = sorted(total, key=lambda name: (-total[name], name))[:_SHOWN_INDUSTRIES]
    shares = {name: np.zeros(len(SECTORS)) for name in (*largest, _OTHER)}
    for part in rose.slices:
        name = part.sector_zh if part.sector_zh in largest else _OTHER
        shares[name][SECTORS.index(part.direction_zh)] += part.share
    return {name: share for name, share in shares.items() if share.any()}


def draw_isopleth(brief: Brief, region: Region) -> Figure:
    """Ozone over morning VOC and NOx with the ridge and where the cities stand."""
    assert brief.attribution is not None
    assert brief.attribution.isopleth is not None
    diagram = brief.attribution.isopleth
    figure = new_figure(_WIDTH_IN * 1.15, _WIDTH_IN * 0.9)
    axes = figure.subplots()
    ozone = np.array(diagram.mda8_ugm3)
    lines = axes.contour(
        diagram.voc_ppbc, diagram.nox_ppb, ozone, levels=10, colors=SERIES[0], linewidths=0.7
    )
    axes.clabel(lines, fontsize=6, fmt="%g")
    ridge = np.array([np.nan if x is None else x for x in diagram.ridge_nox_ppb])
    axes.plot(diagram.voc_ppbc, ridge, color=MUTED, linestyle="--", linewidth=1.0, label="脊线（臭氧最高）")
    _mark_cities(axes, diagram)
    axes.set_xlim(min(diagram.voc_ppbc), max(diagram.voc_ppbc))
    axes.set_ylim(min(diagram.nox_ppb), max(diagram.nox_ppb))
    axes.set_xlabel("清晨VOCs（ppbC）", fontsize=8)
    axes.set_ylabel("清晨NOx（ppb）", fontsize=8)
    axes.tick_params(labelsize=7, length=2)
    figure.legend(loc="outside lower center", frameon=False, fontsize=7, ncols=3)
    return figure


def _mark_cities(axes: Axes, diagram: Isopleth) -> None:
    for k, point in enumerate(diagram.base):
        colour = SERIES[(k + 1) % len(SERIES)]
        axes.plot(
            point.voc_ppbc,
            point.nox_ppb,
            "o",
            color=colour,
            markersize=6,
            label=label(point.name_zh),
            zorder=5,
        )
