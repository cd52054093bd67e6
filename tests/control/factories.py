"""Hand-made events, enterprise lists, attributions and forecasts for the control room's tests."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import cache

import numpy as np
import pandas as pd

from yrd_airq.attribution.matrix import Attribution
from yrd_airq.attribution.surface import OzoneSurface
from yrd_airq.control.settings import ControlSettings
from yrd_airq.settings import Event, Marked, load
from yrd_airq.vocab import Precursor, Target, WeatherKind

ISSUE = datetime(2016, 9, 1, 16)
START = date(2016, 9, 4)


def make_event(
    goals: dict[str, float] | None = None, days: int = 1, lead_in: int = 1, **more: object
) -> Event:
    return Event.model_validate(
        {
            "code": "test",
            "name_zh": "测试活动",
            "venue": {"name_zh": "会场", "adcode": "330100", "lon": 120.2, "lat": 30.2},
            "start": START,
            "end": START + timedelta(days=days - 1),
            "control_start": START - timedelta(days=lead_in),
            "receptors": ["330100"],
            "goals": goals or {"pm25": 35},
            "zones": [
                {"code": "core", "name_zh": "核心区", "radius_km": 50},
                {"code": "strict", "name_zh": "严控区", "radius_km": 100},
                {"code": "control", "name_zh": "管控区", "radius_km": 300},
            ],
            **more,
        }
    )


@cache
def _shipped_settings() -> ControlSettings:
    return load(ControlSettings, "control")


def make_settings(**changes: object) -> ControlSettings:
    settings = _shipped_settings()
    limits = settings.solver.model_copy(update={"relative_gap": 1e-6, "chance_tolerance": 1e-7})
    return settings.model_copy(update={"solver": limits, "until_end": False, **changes})


def mark(value: float) -> Marked:
    return Marked(value=value, mark="derived", source="test")


def with_rules(**rules: object) -> ControlSettings:
    """The shipped settings with other rules."""
    settings = make_settings()
    return settings.model_copy(update={"rules": settings.rules.model_copy(update=rules)})


def make_enterprises(number: int, **columns: object) -> pd.DataFrame:
    """Plants 10 km north of the venue, 365 t/a (1 t/d) of everything, grade C."""
    base: dict[str, object] = {
        "enterprise_id": [f"E{k:03d}" for k in range(number)],
        "name_zh": [f"企业{k}" for k in range(number)],
        "adcode": "330100",
        "lon": 120.2,
        "lat": 30.3,
        "sector": "building_materials",
        "grade": "C",
        "exempt": False,
        "exempt_reason": None,
        "nox_tpa": 365.0,
        "voc_tpa": 365.0,
        "pm_tpa": 365.0,
        "so2_tpa": 365.0,
        "emission_basis": "permit",
        "cost_cny_per_day": np.nan,
    }
    return pd.DataFrame({**base, **columns}, index=range(number))


def make_attribution(
    enterprises: pd.DataFrame,
    event: Event,
    pm25: np.ndarray | Sequence[float] | None = None,
    o3: np.ndarray | Sequence[Sequence[float]] | None = None,
) -> Attribution:
    """``pm25``: µg/m³ per enterprise, all by PM; ``o3``: (enterprise, 2) by NOx and VOC. Every day alike."""
    days = tuple(
        event.control_start + timedelta(days=k) for k in range((event.end - event.control_start).days + 1)
    )
    shape = (len(event.receptors), len(days), len(enterprises), len(Precursor))
    sensitivity = {Target.PM25: np.zeros(shape), Target.O3_MDA8: np.zeros(shape)}
    if pm25 is not None:
        sensitivity[Target.PM25][..., list(Precursor).index(Precursor.PM)] = np.asarray(pm25)
    if o3 is not None:
        sensitivity[Target.O3_MDA8][..., :2] = np.asarray(o3)
    budget = pd.DataFrame(
        [
            (receptor, day, target, part, kind, 1.0, share)
            for receptor in event.receptors
            for day in days
            for target in ("pm25", "o3_mda8")
            for part, kind, share in (("建材", "enterprise_sector", 0.2), ("域外", "outside", 0.8))
        ],
        columns=["receptor", "date", "target", "part_zh", "kind", "contribution_ugm3", "share"],
    )
    return Attribution(
        receptors=event.receptors,
        days=days,
        enterprise_id=tuple(enterprises["enterprise_id"]),
        precursors=tuple(Precursor),
        share=np.full(shape, 0.5 / len(enterprises)),
        unlisted_share=np.zeros((*shape[:2], 41, 4)),
        outside_share=np.full((*shape[:2], 4), 0.5),
        sensitivity=sensitivity,
        stability=np.full(len(enterprises), 0.8),
        budget=budget,
        regime=pd.DataFrame(columns=["receptor", "date", "regime", "evidence"]),
        unknown=pd.DataFrame(),
        notes=(),
        kind=WeatherKind.FORECAST,
    )


def make_surface(attribution: Attribution, bend: float = 0.0, slope: float = 0.0) -> OzoneSurface:
    """Ozone falls by 40 · VOC cut, rises by ``slope`` · NOx cut and bends by ``bend`` · NOx cut squared."""
    cuts = np.array([0, 0.1, 0.2, 0.3, 0.5, 1.0])
    voc, nox = cuts[:, None], cuts[None, :]
    change = -40 * voc + slope * nox + bend * nox**2 + 0.3 * bend * voc * nox
    shape = (len(attribution.receptors), len(attribution.days))
    return OzoneSurface(
        receptors=attribution.receptors,
        days=attribution.days,
        target=Target.O3_MDA8,
        cuts=cuts,
        change_ugm3=np.broadcast_to(change, (*shape, len(cuts), len(cuts))),
        base_ugm3=np.full(shape, 160.0),
        regime=np.full(shape, "voc_limited", dtype=object),
        position=np.ones(shape),
    )


def make_forecasts(
    event: Event, spread: float = 0.0, issue: datetime = ISSUE, **levels: float
) -> pd.DataFrame:
    """Forecasts of every control day and receptor: ``levels`` per target, ± ``spread`` at q10 and q90."""
    days = pd.date_range(event.control_start, event.end)
    return pd.DataFrame(
        [
            (code, issue, day, 1, target, "lightgbm", level, level - spread, level, level + spread, 0.5)
            for code in event.receptors
            for day in days
            for target, level in levels.items()
        ],
        columns=[
            *("adcode", "issue_time", "valid_date", "lead_day", "target", "model"),
            *("mean", "q10", "q50", "q90", "p_exceed"),
        ],
    )
