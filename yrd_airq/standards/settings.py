"""Rules that are known only from memory or left open by the standards: ``configs/standards.yaml``."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Annotated, Literal

from pydantic import Field

from yrd_airq.settings import Marked, Settings, config_dir, load
from yrd_airq.standards.versions import Standard, standard_of
from yrd_airq.vocab import Target

CityOrder = Literal["station_daily_then_mean", "hourly_mean_then_daily"]


class EvaluationRules(Settings):
    """Rules of HJ 663 for daily statistics.

    ``mda8_min_windows``: valid 8-h means, of 17, that make an MDA8 valid. ``station_share``: share of a
    city's stations that must be valid. ``city_order``: mean over stations of their daily statistics, or
    daily statistic of the city's hourly means. ``percentiles``: of the annual evaluation, per cent.
    """

    mda8_min_windows: Marked
    station_share: Marked
    city_order: CityOrder
    percentiles: dict[Target, Marked]


class AqiRange(Settings):
    """Half-width of a published AQI range, one for each level 1–6."""

    half_width: Annotated[tuple[Marked, ...], Field(min_length=6, max_length=6)]


class StandardsSettings(Settings):
    """Shape of ``configs/standards.yaml``; ``hj663_2026`` stays empty until its text is at hand."""

    hj663_2013: EvaluationRules
    hj663_2026: EvaluationRules | None
    aqi_range: AqiRange

    def rules_of(self, day: date) -> EvaluationRules:
        """Evaluation rules for ``day``: the 2026 ones from 2026-03-01 where they are filled in."""
        if standard_of(day) is Standard.HJ633_2026 and self.hj663_2026 is not None:
            return self.hj663_2026
        return self.hj663_2013


@lru_cache(maxsize=4)
def _load_standards(folder: str) -> StandardsSettings:
    return load(StandardsSettings, "standards")


def load_standards() -> StandardsSettings:
    """The settings of ``configs/standards.yaml``."""
    return _load_standards(str(config_dir().resolve()))
