"""Standard statistics of stations and cities from the store, and the release beside its own hourly values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import pandas as pd

from yrd_airq.errors import InputError
from yrd_airq.jobs.stats_frames import day_table, evaluation_table, hour_table, named
from yrd_airq.jobs.stats_source import Source, read_days, read_hours
from yrd_airq.jobs.stats_tables import StatsTable, write_tables
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.quality.agreement import MARGIN_DAYS, RELEASE_ITEMS, compare_release
from yrd_airq.quality.agreement_report import AgreementReport, join_reports
from yrd_airq.quality.comparison import YEARS, compare_periods, three_year_means
from yrd_airq.quality.days import judge_days
from yrd_airq.quality.exceptional import event_days
from yrd_airq.quality.periods import Period, Step, in_other_year, periods_of
from yrd_airq.quality.summary import Summary, join_summaries, summarise, summarise_without
from yrd_airq.standards.basis import AS_OF_DATE, Basis
from yrd_airq.standards.evaluation import days_between
from yrd_airq.standards.settings import EvaluationRules, load_standards
from yrd_airq.store.store import Store, open_store
from yrd_airq.vocab import Target

SHOWN = 60
"""Lines of a table that are printed."""


class Scope(StrEnum):
    """What the rows of a statistic stand for."""

    STATIONS = "stations"
    CITIES = "cities"


@dataclass(frozen=True)
class StatsReport:
    """Tables of one call, the first of them the one that is printed, and what a reader has to know."""

    scope: Scope
    step: Step
    first: date
    last: date
    basis: str
    tables: tuple[StatsTable, ...]
    notes: tuple[str, ...]
    notes_zh: tuple[str, ...]

    def lines(self) -> list[str]:
        """Readable form: the first table, aligned."""
        head = f"{self.scope.value} by {self.step.value}, {self.first} … {self.last}, judged by {self.basis}"
        table = self.tables[0].lines()
        rest = len(table) - SHOWN
        cut = [f"… and {rest} more rows; an export has all of them"] if rest > 0 else []
        return [head, *table[:SHOWN], *cut, *self.notes]

    def as_dict(self) -> dict[str, Any]:
        """Machine-readable form, with every table."""
        return {
            "scope": self.scope.value,
            "step": self.step.value,
            "first": str(self.first),
            "last": str(self.last),
            "basis": self.basis,
            "tables": {table.name: table.records() for table in self.tables},
            "notes": list(self.notes),
        }

    def export(self, path: Path) -> tuple[Path, ...]:
        """All tables as .csv files or one .xlsx under Chinese headings; returns the files."""
        return write_tables(self.tables, path, self.last, self.notes_zh)


@dataclass(frozen=True)
class _Question:
    """What was asked for."""

    scope: Scope
    step: Step
    basis: Basis
    rules: EvaluationRules
    exceptional: bool
    adcodes: tuple[str, ...] | None


def statistics(
    workspace: Workspace,
    scope: Scope,
    first: date,
    last: date,
    step: Step,
    standard: str = AS_OF_DATE,
    compare_with: int | None = None,
    exceptional: bool = False,
    adcodes: Sequence[str] | None = None,
    stage: str | None = None,
) -> StatsReport:
    """Statistics of ``first`` … ``last``, both included, from accepted values (HJ 663-2013 rules).

    ``standard``: ``as_of_date``, ``HJ 633-2012`` or ``HJ 633-2026``; ``stage`` other limits of GB 3095 than
    those that go with it. ``compare_with``: a year whose same period is put beside, both judged by one
    standard (that of ``last`` unless named). ``exceptional``: figures without exceptional events too.
    ``adcodes``: only these cities, or their stations. Raises ``InputError`` where the store has none of it.
    """
    days_between(first, last)
    basis = Basis.named(standard, stage)
    rules = load_standards().rules_of(last)
    chosen = None if adcodes is None else tuple(adcodes)
    if compare_with is not None:
        if step in (Step.HOUR, Step.DAY):
            raise InputError(f"years are compared by month, quarter, year or period, not by {step}")
        basis = basis.fixed_on(last)
    question = _Question(Scope(scope), Step(step), basis, rules, exceptional, chosen)
    with open_store(workspace.store, read_only=True) as store:
        if question.step is Step.HOUR:
            tables = _hours(store, question, first, last)
        elif question.step is Step.DAY:
            tables = _days(store, question, first, last)
        else:
            tables = _periods(store, question, first, last, compare_with)
    told, told_zh = _notes(question, compare_with)
    return StatsReport(question.scope, question.step, first, last, basis.name, tables, told, told_zh)


def agreement(workspace: Workspace, first: date, last: date) -> AgreementReport:
    """Released running values and AQI of ``first`` … ``last`` beside those recomputed, a month at a time."""
    days_between(first, last)
    margin = timedelta(days=MARGIN_DAYS)
    reports = []
    with open_store(workspace.store, read_only=True) as store:
        for month in periods_of(first, last, Step.MONTH):
            opening = pd.Timestamp(month.first - margin) + pd.Timedelta(hours=1)
            closing = pd.Timestamp(month.last + margin) + pd.Timedelta(days=1)
            frames = store.station_hourly(
                [str(item) for item in RELEASE_ITEMS], opening.to_pydatetime(), closing.to_pydatetime()
            )
            reports.append(compare_release(frames, month.first, month.last))
    report = join_reports(reports)
    if not report.released:
        raise InputError(
            f"the store has no released running values from {first} to {last}; ingest an archive"
        )
    return report


def _hours(store: Store, asked: _Question, first: date, last: date) -> tuple[StatsTable, ...]:
    values, source = read_hours(store, asked.scope is Scope.CITIES, first, last, asked.adcodes)
    return (StatsTable("hours", "小时", named(hour_table(values, source.places, asked.basis), source)),)


def _days(store: Store, asked: _Question, first: date, last: date) -> tuple[StatsTable, ...]:
    values, source = _read(store, asked, first, last)
    days = days_between(first, last)
    judged = judge_days(values, asked.basis, days, source.places, asked.rules.aqi_of_all_six)
    struck = event_days(store.exceptional_events(), days, source.adcode_of) if asked.exceptional else None
    return (StatsTable("days", "日", named(day_table(judged, asked.rules, struck), source)),)


def _periods(
    store: Store, asked: _Question, first: date, last: date, compare_with: int | None
) -> tuple[StatsTable, ...]:
    periods = periods_of(first, last, asked.step)
    summary, source = _summary(store, asked, periods)
    if asked.scope is Scope.STATIONS:
        # ranks are of cities
        summary = Summary(summary.items, summary.places.drop(columns="rank"))
    if asked.rules.three_year_mean and asked.step is Step.YEAR:
        past = periods_of(date(first.year - YEARS + 1, 1, 1), last, Step.YEAR)
        longer, _ = _summary(store, asked, past)
        items = three_year_means(longer.items, asked.rules)
        wanted = items["period"].isin([period.name for period in periods])
        summary = Summary(items[wanted].reset_index(drop=True), summary.places)
    if compare_with is not None:
        begin, end = in_other_year(first, last, compare_with)
        earlier = periods_of(begin, end, asked.step)
        before, _ = _summary(store, asked, earlier)
        summary = compare_periods(summary, before, periods, earlier, asked.rules)
    return (
        StatsTable("evaluation", "评价", named(evaluation_table(summary, asked.rules), source)),
        StatsTable("items", "各项污染物", named(summary.items, source)),
        StatsTable("places", "空气质量天数与综合指数", named(summary.places, source)),
    )


def _summary(store: Store, asked: _Question, periods: Sequence[Period]) -> tuple[Summary, Source]:
    """Summary of periods, with and, where asked for, without exceptional events."""
    first, last = periods[0].first, periods[-1].last
    values, source = _read(store, asked, first, last)
    days = days_between(first, last)
    judged = judge_days(values, asked.basis, days, source.places, asked.rules.aqi_of_all_six)
    whole = summarise(judged, periods, asked.basis, asked.rules)
    if not asked.exceptional:
        return whole, source
    struck = event_days(store.exceptional_events(), days, source.adcode_of)
    return join_summaries(whole, summarise_without(judged, struck, periods, asked.basis, asked.rules)), source


def _read(
    store: Store, asked: _Question, first: date, last: date
) -> tuple[dict[Target, pd.DataFrame], Source]:
    return read_days(store, asked.scope is Scope.CITIES, first, last, asked.adcodes, asked.rules)


def _notes(asked: _Question, compare_with: int | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a reader has to know, in English for the command line and in Chinese for the sheet."""
    told = ["class II limits (GB 3095); daily AQI of six pollutants; figures rounded by GB/T 8170 at the end"]
    told_zh = ["标准：GB 3095二级限值；日AQI按六项污染物计算；结果按GB/T 8170一次修约。"]
    if asked.step is Step.HOUR:
        told = ["hourly AQI of 1-h means, particles read against their daily breakpoints"]
        told_zh = ["小时AQI按1小时平均计算，颗粒物按日平均限值分级。"]
    elif asked.step is not Step.DAY:
        told.append(
            "validity: month 27 days (February 25), year 324 days (GB 3095 table 4); other periods 90 %"
        )
        told_zh.append(
            "有效性：每月不少于27个有效日（2月25个），每年不少于324个；非整月时段按有效日占比判定。"
        )
        told_zh.append("统计规则：HJ 663-2013。综合指数为各项污染物单项指数之和，未加权重。")
    if compare_with is not None:
        told.append(f"changes: against {compare_with}, both judged by {asked.basis.name}, of printed figures")
        told_zh.append(f"同比：与{compare_with}年同期相比，两期采用同一标准，仅在两期均有效时给出。")
    if asked.exceptional:
        told.append("events: 'excluded' leaves out values struck by acknowledged exceptional events")
        told_zh.append("例外事件：分别给出含与剔除例外事件的结果，原始数据不作删除。")
    return tuple(told), (f"适用标准：{_basis_zh(asked.basis)}", *told_zh)


def _basis_zh(basis: Basis) -> str:
    return "、".join(part.value for part in (basis.standard, basis.stage) if part) or "按数据日期适用当时标准"
