"""Shape of ``configs/brief.yaml``."""

from __future__ import annotations

from yrd_airq.settings import Marked, Settings, load


class BriefSettings(Settings):
    """Wording rules, focus cities and amounts shown."""

    maker_zh: str
    daily_title_zh: str
    event_title_zh: str
    dominant_share: Marked
    most_share: Marked
    possible_from: Marked
    local_km: Marked
    daily_focus: tuple[str, ...]
    event_focus_cities: int
    history_days: int
    trajectories_shown_per_day: int
    budget_parts_shown: int
    parts: dict[str, tuple[str, ...]]


def load_brief_settings() -> BriefSettings:
    """The settings of ``configs/brief.yaml``."""
    return load(BriefSettings, "brief")
