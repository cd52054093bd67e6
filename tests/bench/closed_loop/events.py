"""The events of the closed loop: where, when and how clean, drawn from a seed among polluted days."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import numpy as np
import pandas as pd

from tests.bench.closed_loop.seasons import Regime
from yrd_airq.control.requirements import interpolate_quantile
from yrd_airq.errors import InputError
from yrd_airq.region import Region, distance_km
from yrd_airq.settings import Event, Venue, Zone

LEAD_DAYS, NEIGHBOURS, ISSUE_HOUR = 3, 2, 16
POLLUTED = 0.6
"""Events are drawn among the days above this quantile of the pollutant that leads, at the host city."""
EASY, HARD = 0.985, 0.92
"""Goals as a part of the highest forecast of the event's cities and days; what is hard, no list may reach."""
ZONES = (("core", "核心区", 50.0), ("strict", "严控区", 100.0), ("control", "管控区", 300.0))


def draw_events(regime: Regime, truth: pd.DataFrame, region: Region, count: int, seed: int) -> list[Event]:
    """``count`` events of 2 or 3 days in different cities, by issue time; half of them with hard goals.

    ``truth``: adcode, date, target, value of the season without controls. Only the bench looks at it; the
    product learns of an event its place and days. Goals are set when the forecast is there (``set_goal``).
    """
    rng = np.random.default_rng([seed, len(regime.name)])
    lead = truth[truth["target"] == regime.lead.value]
    table = lead.assign(date=pd.to_datetime(lead["date"]).dt.date).pivot(
        index="date", columns="adcode", values="value"
    )
    hosts = rng.permutation(list(region.adcodes))
    drawn = [_draw(regime, table, region, hosts[k], k, rng) for k in range(count)]
    return sorted(drawn, key=lambda event: (event.start, event.code))


def issue_time(event: Event) -> datetime:
    """When the product is asked."""
    return datetime.combine(event.start - timedelta(days=LEAD_DAYS), time(ISSUE_HOUR))


def set_goal(event: Event, regime: Regime, forecasts: pd.DataFrame) -> Event:
    """The event with a goal that its organisers, who know the forecast, take for easy or hard to reach."""
    lead = forecasts[(forecasts["target"] == regime.lead.value) & forecasts["adcode"].isin(event.receptors)]
    days = pd.to_datetime(lead["valid_date"]).dt.date
    at = lead[(days >= event.start) & (days <= event.end)]
    level = interpolate_quantile(at["q10"], at["q50"], at["q90"], event.goal_quantile).max()
    goal = float(np.round(level * (HARD if is_hard(event) else EASY), 1))
    return event.model_copy(update={"goals": {regime.lead: goal}})


def is_hard(event: Event) -> bool:
    """Whether the goal was set hard."""
    return event.code.endswith("-hard")


def _draw(
    regime: Regime, table: pd.DataFrame, region: Region, host: str, number: int, rng: np.random.Generator
) -> Event:
    length = 2 + number % 2
    receptors = _receptors(region, host)
    level = table[host].rolling(length).mean().shift(1 - length)
    first = regime.tested_from + timedelta(days=LEAD_DAYS + 1)
    last = table.index[-1] - timedelta(days=length)
    level = level[(level.index >= first) & (level.index <= last)].dropna()
    if level.empty:
        raise InputError(
            f"{regime.scenario}: no day to draw an event from at {host}: no {regime.lead.value} of "
            f"{length} whole days running between {first} and {last}"
        )
    start: date = rng.choice(level.index[level >= level.quantile(POLLUTED)].to_numpy())
    days = [start + timedelta(days=k) for k in range(length)]
    hard = bool(number % 4 in (1, 2))
    city = region.city(host)
    return Event(
        code=f"{regime.scenario}-{host}-{start:%Y%m%d}-{'hard' if hard else 'easy'}",
        name_zh=f"闭环检验（虚构活动，{city.name_zh}）",
        venue=Venue(name_zh="示例场馆（虚构）", adcode=host, lon=city.lon, lat=city.lat),
        start=days[0],
        end=days[-1],
        control_start=days[0] - timedelta(days=1),
        receptors=receptors,
        goals={regime.lead: 0.0},
        zones=tuple(Zone(code=c, name_zh=n, radius_km=r) for c, n, r in ZONES),
        source="invented for the closed loop",
    )


def _receptors(region: Region, host: str) -> tuple[str, ...]:
    """The host city and its nearest neighbours."""
    city = region.city(host)
    away = distance_km(region.lonlat[:, 0], region.lonlat[:, 1], city.lon, city.lat)
    return tuple(region.adcodes[k] for k in np.argsort(away, kind="stable")[: NEIGHBOURS + 1])
