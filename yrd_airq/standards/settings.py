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
ExceptionalAqi = Literal["left_out", "other_pollutants"]


class CompositeRules(Settings):
    """The composite index (综合指数) I = Σ w·C/S: which items enter, and their weights (none: 1 each).

    The concentration is the period's mean, or its percentile for the items in ``by_percentile``; S is the
    class II annual limit, or the daily one where there is no annual limit.
    """

    items: tuple[Target, ...]
    by_percentile: tuple[Target, ...]
    weights: dict[Target, Marked] | None
    source: str


class Digits(Settings):
    """Decimals of reported figures: concentrations (CO its own), indices, ratios in per cent, multiples."""

    concentration: Marked
    co: Marked
    index: Marked
    ratio: Marked
    multiple: Marked


class EvaluationRules(Settings):
    """Rules of HJ 663 for daily statistics and for the evaluation of periods.

    ``mda8_min_windows``: valid 8-h means, of 17, that make an MDA8 valid. ``station_share``: share of a
    city's stations that must be valid. ``city_order``: mean over stations of their daily statistics, or
    daily statistic of the city's hourly means. ``percentiles``: of the annual evaluation, per cent.
    ``short_period_share``: valid days, of all, that a period needs which is not made of whole months.
    ``aqi_of_all_six``: a day counts for AQI figures only with all six pollutants, or above 100.
    ``exceptional_aqi``: without exceptional events a day is left out of AQI figures, or its AQI is taken
    of the other pollutants; ``exceptional_excused``: days taken out so do not make a period invalid.
    ``three_year_mean``: annual figures are also given as the mean of three years.
    """

    mda8_min_windows: Marked
    station_share: Marked
    city_order: CityOrder
    percentiles: dict[Target, Marked]
    short_period_share: Marked
    composite: CompositeRules
    digits: Digits
    aqi_of_all_six: bool
    exceptional_aqi: ExceptionalAqi
    exceptional_excused: bool
    three_year_mean: bool


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
