"""The maps of the brief: forecast by city and day, and the paths of the air with the enterprises."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import shapely
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from yrd_airq.brief.canvas import (
    FAINT,
    INK,
    MUTED,
    REGION_FRAME,
    SERIES,
    TEXT_WIDTH_IN,
    frame_map,
    label,
    new_figure,
)
from yrd_airq.brief.content import Brief, Occasion
from yrd_airq.brief.content_air import ForecastDay
from yrd_airq.brief.content_sources import Hotspot, ListRow, Trajectory
from yrd_airq.brief.typography import text_on
from yrd_airq.brief.wording import date_zh
from yrd_airq.region import Region
from yrd_airq.standards.levels import LEVELS

MAP_DAYS = 3
_PATHS_WIDTH_IN = TEXT_WIDTH_IN * 0.62
_UNKNOWN, _VENUE, _ENTERPRISE, _HOTSPOT = "#D8D8D8", "#C1121F", "#F2A104", "#7A3E9D"
_NAMED = ("310000", "320100", "320300", "330100", "330300", "340100")
_RAISED_DEG = 0.42  # a label that the venue's star would cover
_LABEL_DEG = (1.0, 0.75)  # room that a label with two lines takes
_KM_PER_DEGREE = 111.2


def draw_forecast_map(brief: Brief, region: Region) -> Figure:
    """The days in detail side by side, every city in the colour of its level, AQI of some cities written."""
    days = brief.forecast.detail_dates[:MAP_DAYS]
    panels = max(len(days), 2)
    figure = new_figure(TEXT_WIDTH_IN, TEXT_WIDTH_IN / panels * 1.16 + 0.3)
    grid = figure.subplots(1, panels, squeeze=False)[0]
    for axes in grid[len(days) :]:
        axes.set_axis_off()
    for axes, day in zip(grid, days, strict=False):
        _draw_day(axes, brief, region, day)
    present = sorted({d.level for d in brief.forecast.days if d.date in days} | {1, 2, 3})
    handles = [
        Patch(facecolor=LEVELS[k - 1].hex, edgecolor=MUTED, linewidth=0.4, label=LEVELS[k - 1].name_zh)
        for k in present
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=8)
    return figure


def _draw_day(axes: Axes, brief: Brief, region: Region, day: date) -> None:
    frame_map(axes)
    occasion = brief.occasion
    found = {f.adcode: f for f in brief.forecast.days if f.date == day}
    colours = [LEVELS[found[a].level - 1].hex if a in found else _UNKNOWN for a in region.adcodes]
    _draw_cities(axes, region, colours)
    axes.set_title(label(date_zh(day)), fontsize=9, pad=3)
    receptors = (occasion.adcode, *occasion.receptors) if occasion is not None else ()
    for adcode in _spaced([a for a in dict.fromkeys((*receptors, *_NAMED)) if a in found], region):
        _write_city(axes, region, found[adcode], occasion is not None and adcode == occasion.adcode)
    if occasion is not None:
        _draw_venue(axes, occasion, 45)


def _spaced(adcodes: list[str], region: Region) -> list[str]:
    """The cities in turn, without those whose label would cover that of one before."""
    kept: list[str] = []
    for code in adcodes:
        lon, lat = region.city(code).lon, region.city(code).lat
        others = [region.city(other) for other in kept]
        if all(abs(lon - o.lon) > _LABEL_DEG[0] or abs(lat - o.lat) > _LABEL_DEG[1] for o in others):
            kept.append(code)
    return kept


def _draw_cities(axes: Axes, region: Region, colours: list[str], edge: str = "#8A949B") -> None:
    rings: list[np.ndarray] = []
    fills: list[str] = []
    for polygon, colour in zip(region.polygons, colours, strict=True):
        for part in shapely.get_parts(polygon):
            rings.append(shapely.get_coordinates(shapely.get_exterior_ring(part)))
            fills.append(colour)
    axes.add_collection(PolyCollection(rings, facecolors=fills, edgecolors=edge, linewidths=0.35, zorder=1))
    _draw_provinces(axes, region)


def draw_outlines(axes: Axes, region: Region) -> None:
    """The cities in white with faint borders, for whatever is drawn over them."""
    _draw_cities(axes, region, ["#FFFFFF"] * len(region.adcodes), FAINT)


def _draw_provinces(axes: Axes, region: Region) -> None:
    code = np.array([city.province_code for city in region.cities])
    polygons = np.array(region.polygons)
    for province in np.unique(code):
        for part in shapely.get_parts(shapely.union_all(polygons[code == province])):
            ring = shapely.get_coordinates(shapely.get_exterior_ring(part))
            axes.plot(ring[:, 0], ring[:, 1], color=MUTED, linewidth=0.55, zorder=2)


def _write_city(axes: Axes, region: Region, forecast: ForecastDay, raised: bool) -> None:
    """Name and AQI range at the city, in ink that reads on its level's colour."""
    city, level = region.city(forecast.adcode), LEVELS[forecast.level - 1]
    text = axes.text(
        city.lon,
        city.lat + (_RAISED_DEG if raised else 0),
        label(f"{forecast.city_zh}\n{forecast.aqi_lo}–{forecast.aqi_hi}"),
        ha="center",
        va="center",
        fontsize=5.6,
        color=text_on(level.hex),
        linespacing=1.05,
        zorder=6,
    )
    text.set_path_effects([withStroke(linewidth=1.4, foreground=level.hex)])


def draw_trajectory_map(brief: Brief, region: Region) -> Figure:
    """Back trajectories by day of arrival; zones, selected enterprises and hotspots where there are any."""
    assert brief.transport is not None
    figure = new_figure(_PATHS_WIDTH_IN, _PATHS_WIDTH_IN * 1.06)
    axes = figure.subplots()
    frame_map(axes)
    draw_outlines(axes, region)
    handles = _draw_paths(axes, brief.transport.trajectories)
    if brief.occasion is not None:
        _draw_zones(axes, brief.occasion)
        handles.append(_draw_venue(axes, brief.occasion, 120))
    if brief.control is not None and brief.control.selected:
        handles.append(_draw_enterprises(axes, brief.control.selected))
    if brief.survey is not None and brief.survey.hotspots:
        handles.append(_draw_hotspots(axes, brief.survey.hotspots))
    _name_cities(axes, region, brief.occasion.adcode if brief.occasion is not None else "")
    axes.legend(handles=handles, loc="upper right", fontsize=6.5, framealpha=0.92, edgecolor=FAINT)
    return figure


def _name_cities(axes: Axes, region: Region, hidden: str) -> None:
    for adcode in (code for code in _NAMED if code != hidden):
        city = region.city(adcode)
        _write_halo(axes, city.lon, city.lat, city.short_zh)


def _write_halo(axes: Axes, lon: float, lat: float, text: str) -> None:
    written = axes.text(lon, lat, label(text), fontsize=6.5, ha="center", va="center", zorder=9)
    written.set_path_effects([withStroke(linewidth=2, foreground="white")])


def _draw_paths(axes: Axes, paths: tuple[Trajectory, ...]) -> list[Line2D]:
    handles = []
    for k, day in enumerate(sorted({_arrival_day(path) for path in paths})):
        colour = SERIES[k % len(SERIES)]
        for path in (p for p in paths if _arrival_day(p) == day):
            axes.plot(path.lon, path.lat, color=colour, linewidth=1.0, alpha=0.85, zorder=4)
        handles.append(Line2D([], [], color=colour, linewidth=1.4, label=f"{date_zh(day)}到达"))
    return handles


def _arrival_day(path: Trajectory) -> date:
    """Natural day of an arrival, whose label ends the hour."""
    return (path.arrival - timedelta(hours=1)).date()


def _draw_zones(axes: Axes, occasion: Occasion) -> None:
    """Rings of the zones, each named at its southern end if that is inside the frame."""
    angle = np.linspace(0, 2 * np.pi, 181)
    stretch = np.cos(np.radians(occasion.lat))
    for zone in occasion.zones:
        radius = zone.radius_km / _KM_PER_DEGREE
        lon = occasion.lon + radius * np.cos(angle) / stretch
        lat = occasion.lat + radius * np.sin(angle)
        axes.plot(lon, lat, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)), zorder=3)
        south = occasion.lat - radius
        if south > REGION_FRAME[2]:
            _write_halo(axes, occasion.lon, south, zone.name_zh)


def _draw_venue(axes: Axes, occasion: Occasion, size: float) -> Line2D:
    place = [occasion.lon], [occasion.lat]
    axes.scatter(*place, marker="*", s=size, c=_VENUE, edgecolors="white", linewidths=0.6, zorder=8)
    name = label(occasion.venue_zh)
    return Line2D([], [], marker="*", color="none", mfc=_VENUE, mec="white", ms=10, label=name)


def _draw_enterprises(axes: Axes, rows: tuple[ListRow, ...]) -> Line2D:
    """Selected enterprises; the area of a dot grows with the ozone and PM2.5 benefit together."""
    placed = [row for row in rows if row.lon is not None and row.lat is not None]
    gain = np.array([max(r.benefit_o3_ugm3 or 0, 0) + max(r.benefit_pm25_ugm3 or 0, 0) for r in placed])
    size = 5 + 40 * gain / gain.max() if gain.size and gain.max() > 0 else np.full(len(placed), 8.0)
    lon, lat = np.array([(row.lon, row.lat) for row in placed], dtype=float).reshape(-1, 2).T
    axes.scatter(lon, lat, s=size, c=_ENTERPRISE, edgecolors=INK, linewidths=0.3, alpha=0.85, zorder=5)
    name = "管控企业（面积示效果）"
    return Line2D([], [], marker="o", color="none", mfc=_ENTERPRISE, mec=INK, mew=0.4, ms=5, label=name)


def _draw_hotspots(axes: Axes, spots: tuple[Hotspot, ...]) -> Line2D:
    place = [spot.lon for spot in spots], [spot.lat for spot in spots]
    axes.plot(*place, "^", color=_HOTSPOT, ms=5, mec="white", mew=0.4, zorder=7)
    return Line2D([], [], marker="^", color="none", mfc=_HOTSPOT, mec="white", ms=6, label="走航热点")
