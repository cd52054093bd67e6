"""Where the air and the pollution come from: transport, source contributions, hotspots of the survey."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.brief.content_sources import (
    Attribution,
    Budget,
    Contribution,
    Hotspot,
    SectorShare,
    Survey,
    Trajectory,
    Transport,
)
from yrd_airq.brief.settings import BriefSettings
from yrd_airq.brief.typography import percent
from yrd_airq.brief.wording import REGIMES_ZH, SECTORS, days_zh, list_zh
from yrd_airq.region import Region, distance_km
from yrd_airq.vocab import Target

if TYPE_CHECKING:
    from yrd_airq.attribution.matrix import Attribution as SourceMatrix
    from yrd_airq.transport.trajectory import Trajectories

_PART_COLUMNS = ("part_zh", "kind", "contribution_ugm3", "share", "low_ugm3", "high_ugm3")
_SECTOR_AGE_H = 24
_SHOWN_HOTSPOTS = 8
_STEP_H = 1.0  # spacing of the points that are drawn
_KINDS = {
    "enterprise_sector": "清单企业",
    "city": "其他本地及周边排放",
    "background": "背景",
    "outside": "区域外输送",
}
_TARGET_ORDER = (Target.O3_MDA8, Target.O3_MEAN, Target.PM25, Target.PM10, Target.NO2)


def build_transport(paths: Trajectories, region: Region, settings: BriefSettings) -> Transport:
    """Drawn paths of the centre of the ensemble, and shares of all members by sector."""
    sectors = share_sectors(paths, float(settings.local_km))
    return Transport(
        text_zh=_describe_transport(paths, sectors, region, settings),
        hours=round(float(paths.age_hours[-1])),
        kind=paths.kind,
        trajectories=_draw_paths(paths, settings.trajectories_shown_per_day),
        sectors=sectors,
    )


def _draw_paths(paths: Trajectories, shown_per_day: int) -> tuple[Trajectory, ...]:
    """Evenly chosen arrivals of each day, hourly points, ended where the wind grid ends."""
    every = max(1, round(_STEP_H * 60 / paths.step_minutes))
    days = (paths.arrivals - pd.Timedelta(hours=1)).normalize()
    chosen = [
        int(k)
        for day in days.unique()
        for k in np.unique(np.linspace(0, (days == day).sum() - 1, shown_per_day).round().astype(int))
        + int(np.argmax(days == day))
    ]
    drawn = []
    for r, adcode in enumerate(paths.receptors):
        for k in chosen:
            lon = paths.lon[r, k, paths.central_member, ::every]
            lat = paths.lat[r, k, paths.central_member, ::every]
            inside = np.isfinite(lon) & np.isfinite(lat)
            drawn.append(
                Trajectory(
                    adcode=adcode,
                    arrival=paths.arrivals[k].to_pydatetime(),
                    lon=tuple(np.round(lon[inside], 3).tolist()),
                    lat=tuple(np.round(lat[inside], 3).tolist()),
                )
            )
    return tuple(drawn)


def share_sectors(paths: Trajectories, local_km: float) -> tuple[SectorShare, ...]:
    """Shares of receptors × arrivals × members by where the air was a day earlier; they sum to 1.

    Eight compass sectors, and 本地 for air that was nearer than ``local_km``. A parcel that left the
    wind grid counts where it was last seen. Largest first.
    """
    lon, lat = _position_before(paths, _SECTOR_AGE_H)
    lon0, lat0 = paths.lon[..., 0], paths.lat[..., 0]
    distance = distance_km(lon0, lat0, lon, lat)
    bearing = np.degrees(np.arctan2((lon - lon0) * np.cos(np.radians(lat0)), lat - lat0)) % 360
    sector = np.floor((bearing + 22.5) % 360 / 45).astype(int)
    sector = np.where(distance < local_km, len(SECTORS), sector).ravel()
    names = (*SECTORS, "本地")
    shares = [
        SectorShare(
            sector_zh=name,
            share=round(float((sector == k).mean()), 4),
            distance_km=round(float(distance.ravel()[sector == k].mean())),
        )
        for k, name in enumerate(names)
        if (sector == k).any()
    ]
    return tuple(sorted(shares, key=lambda s: (-s.share, names.index(s.sector_zh))))


def _position_before(paths: Trajectories, hours: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Position ``hours`` before arrival, or the last one known, of every parcel."""
    until = int(np.searchsorted(paths.age_hours, hours, side="right"))
    known = np.isfinite(paths.lon[..., :until]) & np.isfinite(paths.lat[..., :until])
    last = np.maximum(known.sum(axis=-1) - 1, 0)[..., None]
    lon, lat = (np.take_along_axis(axis, last, axis=-1)[..., 0] for axis in (paths.lon, paths.lat))
    return lon, lat


def _describe_transport(
    paths: Trajectories, sectors: tuple[SectorShare, ...], region: Region, settings: BriefSettings
) -> str:
    days = sorted({stamp.date() for stamp in (paths.arrivals - pd.Timedelta(hours=1))})
    where = list_zh([region.city(code).short_zh for code in paths.receptors])
    main = [s for s in sectors if s.sector_zh != "本地"][:2]
    local = next((s.share for s in sectors if s.sector_zh == "本地"), 0.0)
    text = f"{days_zh(days, month=True)}到达{where}的气团"
    if main:
        ways = "、".join(f"{s.sector_zh}方向（{percent(s.share)}）" for s in main)
        mean = sum(s.share * s.distance_km for s in main) / sum(s.share for s in main)
        text += f"主要来自{ways}，24小时平均移动约{mean:.0f}公里；"
    text += f"此前24小时停留在{float(settings.local_km):.0f}公里以内的本地气团占{percent(local)}。"
    return text + f"气象资料为{paths.kind.name_zh}，轨迹为二维集合（{len(paths.members)}个成员）。"


def build_attribution(
    matrix: SourceMatrix,
    lead_date: date | None,
    lead_city: str | None,
    region: Region,
    settings: BriefSettings,
) -> Attribution | None:
    """Closing budgets, that of ``lead_city`` on ``lead_date`` first where there is one; None without any."""
    table = matrix.budget.assign(
        date=pd.to_datetime(matrix.budget["date"]).dt.date, target=matrix.budget["target"].astype(str)
    )
    if table.empty:
        return None
    spread = ["low_ugm3", "high_ugm3"]
    known = matrix.spread.budget[spread] if matrix.spread is not None else None
    table = table.assign(low_ugm3=np.nan, high_ugm3=np.nan) if known is None else table.join(known)
    groups = table.groupby(["receptor", "date", "target"], sort=True)
    budgets = [_budget(group, region, settings.budget_parts_shown) for _, group in groups]
    budgets.sort(
        key=lambda b: (_rank(b.target), b.adcode != lead_city, b.date != lead_date, b.date, b.adcode)
    )
    regime = _describe_regime(matrix.regime, region)
    leading = {b.target: b for b in reversed(budgets)}
    texts = [_describe_budget(leading[t]) for t in sorted(leading, key=_rank)[:2]]
    return Attribution(
        text_zh="".join(texts) + regime, budgets=tuple(budgets), regime_zh=regime.removesuffix("。")
    )


def _rank(target: Target) -> int:
    return _TARGET_ORDER.index(target) if target in _TARGET_ORDER else len(_TARGET_ORDER)


def _budget(group: pd.DataFrame, region: Region, shown: int) -> Budget:
    """Largest parts first, the rest of them as one part, so that the budget still closes."""
    ordered = group.sort_values(["share", "part_zh"], ascending=[False, True], kind="stable")
    parts = [
        Contribution(
            part_zh=str(part),
            kind=str(kind),
            contribution_ugm3=round(float(x), 2),
            share=round(float(s), 4),
            low_ugm3=None if np.isnan(low) else round(float(low), 2),
            high_ugm3=None if np.isnan(high) else round(float(high), 2),
        )
        for part, kind, x, s, low, high in zip(*(ordered[c] for c in _PART_COLUMNS), strict=True)
    ]
    if len(parts) > shown:
        rest = ordered.iloc[shown - 1 :]
        other = Contribution(
            part_zh=f"其余{len(rest)}项",
            kind="other",
            contribution_ugm3=round(float(rest["contribution_ugm3"].sum()), 2),
            share=round(float(rest["share"].sum()), 4),
        )
        parts = [*parts[: shown - 1], other]
    receptor, day, target = (group[name].iloc[0] for name in ("receptor", "date", "target"))
    return Budget(
        adcode=str(receptor),
        city_zh=region.city(str(receptor)).short_zh,
        date=day,
        target=Target(target),
        parts=tuple(parts),
    )


def _describe_budget(budget: Budget) -> str:
    named = [p for p in budget.parts if p.kind in ("enterprise_sector", "city")][:3]
    large = {kind: sum(p.share for p in budget.parts if p.kind == kind) for kind in ("background", "outside")}
    text = f"{days_zh([budget.date], month=True)}{budget.city_zh}{budget.target.info.name_zh}中，"
    pieces = [f"{_KINDS[kind]}占{percent(share)}" for kind, share in large.items() if share > 0]
    if named:
        pieces.append("其余以" + "、".join(f"{p.part_zh}（{percent(p.share)}）" for p in named) + "较高")
    return text + "，".join(pieces) + "。"


def _describe_regime(regime: pd.DataFrame, region: Region) -> str:
    if regime is None or regime.empty:
        return ""
    table = regime.assign(date=pd.to_datetime(regime["date"]).dt.date)
    table["named"] = table["regime"].astype(str).map(lambda name: REGIMES_ZH.get(name, name))
    texts = [
        f"{region.city(str(receptor)).short_zh}{days_zh(group['date'])}为{name}"
        for (receptor, name), group in table.groupby(["receptor", "named"], sort=False)
    ]
    return f"O₃生成判别：{'，'.join(texts)}。"


def build_survey(
    hotspots: pd.DataFrame, traced: pd.DataFrame | None, enterprises: pd.DataFrame | None
) -> Survey | None:
    """Hotspots of the mobile survey with the enterprise that each points to most; None without hotspots."""
    if hotspots.empty:
        return None
    suspects = _name_suspects(traced, enterprises)
    spots = tuple(
        Hotspot(
            name_zh=f"热点{k}",
            lon=round(float(row["lon"]), 4),
            lat=round(float(row["lat"]), 4),
            peak_zh=f"{row['indicator']} {float(row['peak']):.0f} {row['unit']}",
            status_zh=suspects.get(str(row["hotspot_id"]), ("未溯源", ""))[0],
            suspect_zh=suspects.get(str(row["hotspot_id"]), ("", "上风向未见清单企业"))[1],
        )
        for k, row in enumerate(hotspots.head(_SHOWN_HOTSPOTS).to_dict("records"), start=1)
    )
    likely = sum(spot.status_zh == "较可能" for spot in spots)
    text = f"走航发现热点{len(hotspots)}处，其中{likely}处有较可能的来源，其余为疑似或未溯源。"
    return Survey(text_zh=text, hotspots=spots)


def _name_suspects(
    traced: pd.DataFrame | None, enterprises: pd.DataFrame | None
) -> dict[str, tuple[str, str]]:
    """Evidence word and name of the heaviest candidate of each hotspot."""
    if traced is None or traced.empty:
        return {}
    names = {} if enterprises is None else enterprises.set_index("enterprise_id")["name_zh"].to_dict()
    first = traced.sort_values(["hotspot_id", "weight"], ascending=[True, False], kind="stable")
    first = first.drop_duplicates("hotspot_id")
    return {
        str(spot): (
            str(word),
            f"{names.get(code, code)}（距{float(metres) / 1000:.1f}公里，权重{percent(weight)}）",
        )
        for spot, code, word, metres, weight in zip(
            *(first[c] for c in ("hotspot_id", "enterprise_id", "evidence", "distance_m", "weight")),
            strict=True,
        )
    }
