"""How far to trust the brief: scores of earlier issues, outcome of a hindcast, and the uncertainty points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from yrd_airq.brief.content_air import Check, Forecast, ForecastDay, Outcome, Score, Yesterday
from yrd_airq.brief.outlook import PASSED_OVER
from yrd_airq.brief.typography import interval, number, percent
from yrd_airq.brief.wording import date_zh
from yrd_airq.standards.aqi import iaqi, level_index
from yrd_airq.standards.levels import LEVELS
from yrd_airq.standards.versions import standard_of
from yrd_airq.vocab import Target, WeatherKind

_SHOWN_TARGETS = (Target.O3_MDA8, Target.O3_MEAN, Target.PM25)
_SHOWN_LEADS = 3
_ITEMS = {Target.O3_MDA8: "o3_mda8", Target.PM25: "pm25_24h"}


@dataclass(frozen=True)
class Hindsight:
    """What a hindcast knows of its own outcome.

    ``pairs``: adcode, valid_date, target, observed, persistence, one row per observed city-day of this
    issue. ``scores``: as of earlier issues, but over the city-days of this one.
    """

    pairs: pd.DataFrame
    scores: pd.DataFrame


def build_check(
    scores: pd.DataFrame | None,
    hindsight: Hindsight | None,
    forecast: Forecast,
    shown: Sequence[str],
    period_zh: str,
    yesterday: Yesterday | None = None,
) -> Check | None:
    """The check section from scores (model, target, lead_day, n, rmse, …) and, in a hindcast, hindsight.

    ``shown`` are the cities to compare with the truth. None if there is nothing to check.
    """
    listed = _scores(scores, _SHOWN_LEADS) if scores is not None else ()
    outcomes: tuple[Outcome, ...] = ()
    later: tuple[Score, ...] = ()
    if hindsight is not None:
        outcomes = _outcomes(hindsight, forecast, shown)
        later = _scores(hindsight.scores, len(forecast.dates))
    if not listed and not outcomes and yesterday is None:
        return None
    texts = [yesterday.text_zh] if yesterday is not None else []
    if listed:
        texts.append(_describe_scores(listed, period_zh))
    if outcomes:
        texts.append(_describe_outcomes(outcomes, later))
    return Check(
        text_zh="".join(texts),
        period_zh=period_zh,
        scores=listed,
        yesterday=yesterday,
        outcome_scores=later,
        outcomes=outcomes,
    )


def _describe_outcomes(outcomes: Sequence[Outcome], scores: Sequence[Score]) -> str:
    inside = sum(row.inside for row in outcomes)
    text = f"本期为历史个例后报，与事后实况对照，重点城市{len(outcomes)}项中{inside}项落入80%区间"
    known = [score for score in scores if score.skill is not None]
    better = sum((score.skill or 0) > 0 for score in known)
    if known:
        text += f"；全部城市按项目与预见期统计，{len(known)}项中{better}项的均方根误差低于持续性预报"
    return text + "。"


def _scores(scores: pd.DataFrame, leads: int) -> tuple[Score, ...]:
    names = [t.value for t in _SHOWN_TARGETS]
    table = scores.assign(target=scores["target"].astype(str))
    table = table[table["target"].isin(names) & (table["lead_day"] <= leads)]
    reference = table[table["model"] == "persistence"].set_index(["target", "lead_day"])["rmse"]
    own = table[~table["model"].isin(PASSED_OVER) & table["rmse"].notna()]
    own = own.assign(order=own["target"].map(names.index)).sort_values(["order", "lead_day"], kind="stable")
    return tuple(
        Score(
            target=Target(row["target"]),
            lead_day=int(row["lead_day"]),
            n=int(row["n"]),
            rmse=round(float(row["rmse"]), 2),
            rmse_persistence=_figure(reference.get((row["target"], row["lead_day"]))),
            bias=_figure(row.get("bias")),
            skill=_figure(row.get("skill_vs_persistence")),
            coverage80=_figure(row.get("coverage80"), 3),
        )
        for row in own.to_dict("records")
    )


def _figure(value: Any, digits: int = 2) -> float | None:
    return None if pd.isna(value) else round(float(value), digits)


def _describe_scores(scores: tuple[Score, ...], period_zh: str) -> str:
    first = [score for score in scores if score.lead_day == min(s.lead_day for s in scores)]
    parts = []
    for score in first:
        text = f"{score.target.info.name_zh}均方根误差{number(score.rmse, 1)}μg/m³"
        if score.skill is not None:
            change = "低" if score.skill >= 0 else "高"
            text += f"，较持续性预报{change}{percent(abs(score.skill))}"
        parts.append(text)
    return f"{period_zh}，{first[0].lead_day}天预报：{'；'.join(parts)}。"


def _outcomes(hindsight: Hindsight, forecast: Forecast, shown: Sequence[str]) -> tuple[Outcome, ...]:
    table = hindsight.pairs.assign(
        date=pd.to_datetime(hindsight.pairs["valid_date"]).dt.date,
        target=hindsight.pairs["target"].astype(str),
    ).set_index(["adcode", "date", "target"])
    seen, simple = table["observed"].to_dict(), table["persistence"].to_dict()
    return tuple(
        Outcome(
            adcode=day.adcode,
            city_zh=day.city_zh,
            date=day.date,
            target=q.target,
            q10=q.q10,
            q50=q.q50,
            q90=q.q90,
            observed=round(float(value), 1),
            inside=q.q10 <= value <= q.q90,
            persistence=_figure(simple[(day.adcode, day.date, target.value)], 1),
        )
        for target in _SHOWN_TARGETS
        for day in forecast.days
        if day.adcode in shown and day.date in forecast.detail_dates
        if (q := day.quantity(target)) is not None
        if (value := seen.get((day.adcode, day.date, target.value))) is not None
    )


def list_uncertainties(
    forecast: Forecast, shown: Sequence[str], check: Check | None, planned: bool
) -> tuple[str, ...]:
    """Points on what may turn out differently, weightiest first; ``shown`` are the cities that matter."""
    days = [day for day in forecast.days if day.adcode in shown]
    points = [*_tell_spread(days), *_tell_flips(days)]
    if forecast.weather_kind is WeatherKind.ANALYSIS:
        points.append("预报由目标日的分析场驱动（完全预报），气象预报误差未计入，实际业务误差会更大。")
    elif forecast.weather_kind is WeatherKind.NONE:
        points.append("预报未使用气象预报，天气转折（冷空气、降水、静稳）时误差明显增大。")
    covered = [score.coverage80 for score in (check.scores if check else ()) if score.coverage80 is not None]
    if covered:
        low, high = percent(min(covered)), percent(max(covered))
        points.append(f"检验期内80%区间的实际覆盖率为{low if low == high else f'{low}至{high}'}。")
    if any(q.converted for day in days for q in day.quantities):
        points.append("O₃-8h由日均值换算，换算关系随天气变化，峰值可能偏低。")
    if planned:
        points.append("管控效果为溯源敏感系数的线性估算，O₃对前体物的响应为非线性，削减幅度大时偏差增大。")
    return tuple(points)


def _tell_spread(days: list[ForecastDay]) -> list[str]:
    """The widest interval of each target, relative to its median."""
    points = []
    for target in _SHOWN_TARGETS:
        known = [(day, q) for day in days if (q := day.quantity(target)) is not None and q.q50 > 0]
        if known:
            day, q = max(known, key=lambda pair: (pair[1].q90 - pair[1].q10) / pair[1].q50)
            points.append(
                f"{target.info.name_zh}以{day.city_zh}{date_zh(day.date)}最不确定："
                f"中位值{number(q.q50)}，80%区间{interval(q.q10, q.q90)}μg/m³。"
            )
    return points


def _tell_flips(days: list[ForecastDay]) -> list[str]:
    """City-days whose level would turn to pollution, or one level worse, at the 90-% quantile."""
    flips: list[str] = []
    for day in days:
        for q in day.quantities:
            if q.target not in _ITEMS:
                continue
            high = int(level_index(np.nan_to_num(iaqi(_ITEMS[q.target], q.q90, standard_of(day.date)))))
            if high > max(day.level_hi, 2):
                flips.append(
                    f"若{date_zh(day.date)}{day.city_zh}{q.target.info.name_zh}达到90%分位（{number(q.q90)}），"
                    f"结论将由“{day.level_zh}”转为“{LEVELS[high - 1].name_zh}”。"
                )
    return flips[:2]
