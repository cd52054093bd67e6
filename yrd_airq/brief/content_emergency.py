"""The part of the content model that holds warning tiers and what they ask for."""

from __future__ import annotations

from datetime import datetime

from yrd_airq.brief.part import Part


class TierRow(Part):
    """One city: what to do, the tier in force now and that of the median course, chances, period in hours.

    ``late_h``: hours that the notice falls short. ``ozone``: chance of the track without colour.
    """

    adcode: str
    city_zh: str
    advice_zh: str
    median_zh: str
    standing_zh: str
    temporary: float
    yellow: float
    orange: float
    red: float
    start: datetime | None
    end: datetime | None
    late_h: float
    ozone: float


class TierLoad(Part):
    """Reduction of one precursor in one city beside the floor of its tier; t/d and shares."""

    city_zh: str
    tier_zh: str
    precursor_zh: str
    emission_tpd: float
    reduction_tpd: float
    share: float | None
    floor: float | None
    met: bool | None


class TierOrder(Part):
    """What one enterprise has to do under the tier, or why nothing; kg/d in the order of ``Precursor``."""

    city_zh: str
    tier_zh: str
    enterprise_id: str
    name_zh: str
    sector_zh: str
    grade: str
    measure_zh: str
    reductions_kgd: tuple[float | None, ...]
    status: str
    reason_zh: str


class Emergency(Part):
    """Warning tiers of an issue: sentences, the cities that matter, loads and orders of the warned ones."""

    rules_zh: str
    text_zh: tuple[str, ...]
    rows: tuple[TierRow, ...]
    loads: tuple[TierLoad, ...] = ()
    orders: tuple[TierOrder, ...] = ()
    notes_zh: tuple[str, ...] = ()
