"""Training of an hourly model, and of its spread and scores on left-out blocks of issue dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.forecast.hourly_anchor import (
    apply_course,
    apply_levels,
    course_terms,
    fit_course,
    fit_levels,
    lay_out_daily,
    level_terms,
)
from yrd_airq.forecast.hourly_features import (
    HOURLY_VERSION,
    LEAD_DAYS,
    SEASON,
    WARM_UP_DAYS,
    KnownHours,
    Slots,
    gather_known_hours,
    row_features,
)
from yrd_airq.forecast.hourly_model import HourlyCard, HourlyModel, hourly_fingerprint, predict_courses
from yrd_airq.forecast.hourly_panel import HourlyTarget, Hours
from yrd_airq.forecast.hourly_reconcile import reconcile
from yrd_airq.forecast.hourly_review import review_hours
from yrd_airq.forecast.hourly_settings import HourlySettings
from yrd_airq.forecast.hourly_spread import fit_slot_spread, keep_courses
from yrd_airq.forecast.training import TooLittleHistoryError
from yrd_airq.vocab import WeatherKind

Array = NDArray[np.float64]
Index = NDArray[np.int64]

MIN_WEATHER_SHARE = 0.9
YEAR_DAYS = 365


@dataclass(frozen=True)
class _Basis:
    """The training data of the issue dates ``days``; ``observed`` (city, issue, slot).

    ``levels`` (city, date, lead day): the daily forecasts that were given, with the gaps filled.
    """

    hours: Hours
    target: HourlyTarget
    slots: Slots
    ahead: tuple[str, ...]
    known: KnownHours
    level_weights: Array
    levels: Array
    days: Index
    observed: Array


def train_hourly(
    hours: Hours,
    target: HourlyTarget,
    until: date,
    issue_hour: int,
    weather: WeatherKind,
    settings: HourlySettings,
    daily: pd.DataFrame | None = None,
) -> HourlyModel:
    """Train one hourly target on the hours up to the end of ``until``; nothing later is looked at.

    ``daily``: daily forecast rows (adcode, issue_time, lead_day, target, mean) of past issues by models that
    had not seen the days they forecast; issues of which a target day lies after ``until`` are ignored.
    ``weather`` other than ``NONE`` lets the model use the daily weather of the target day, of whatever kind
    the archive holds. ``InputError`` without the series or the weather, ``TooLittleHistoryError`` if it is
    too short.
    """
    cut = hours.window(hours.dates[0], until)
    _check(cut, target)
    given = _given(daily, cut, target)
    basis = _prepare(cut, target, issue_hour, _ahead(cut, weather), given, settings)
    part = _learn(basis, np.ones(len(basis.days), dtype=bool), settings)
    mean = reconcile(_left_out(basis, settings), given[:, basis.days], basis.slots, target)
    by_issue = mean.transpose(1, 0, 2), basis.observed.transpose(1, 0, 2)
    spread = fit_slot_spread(*by_issue)
    keys, courses = keep_courses(spread, *by_issue, settings.paths, settings.seed)
    persistence, climatology = (
        basis.known.clock[name][:, basis.days][:, :, basis.slots.hour] for name in ("same1", "same30")
    )
    fold = settings.folds.fold_of(basis.days)
    scores = review_hours(basis.slots, mean, basis.observed, persistence, climatology, fold)
    card = HourlyCard(
        version=hourly_fingerprint(cut, target, issue_hour, weather, given, settings),
        target=target,
        source=cut.source,
        train_first=cut.dates[0].date(),
        train_last=cut.dates[-1].date(),
        issue_hour=issue_hour,
        adcodes=cut.adcodes,
        ahead=basis.ahead,
        weather_kinds=_kinds(cut, basis.ahead),
        features=part.names,
        feature_version=HOURLY_VERSION,
        library=f"lightgbm {lgb.__version__}",
        rows=part.rows,
        daily_share=round(float(np.isfinite(given[:, basis.days, 1:]).mean()), 4),
        split=_split(settings),
        scores=scores,
        settings=settings.training_part(),
        notes=_NOTES,
    )
    return HourlyModel(card, basis.level_weights, part.weights, part.booster, spread, keys, courses)


def training_version(
    hours: Hours,
    target: HourlyTarget,
    until: date,
    issue_hour: int,
    weather: WeatherKind,
    settings: HourlySettings,
    daily: pd.DataFrame | None = None,
) -> str:
    """Version that ``train_hourly`` would give to its model for these arguments."""
    cut = hours.window(hours.dates[0], until)
    _check(cut, target)
    return hourly_fingerprint(cut, target, issue_hour, weather, _given(daily, cut, target), settings)


_NOTES = (
    "Scores are of models that had not seen the block; the released model is trained on all blocks.",
    "Left-out blocks lie among the training days: errors in a later season are usually somewhat larger.",
    "The hours are scaled to the daily forecast where one is given, so they share its errors.",
)


def _check(hours: Hours, target: HourlyTarget) -> None:
    if target.pollutant not in hours.values:
        held = ", ".join(hours.values) or "nothing"
        raise InputError(f"the hourly archive has no {target.pollutant}; it holds {held}")
    if target.daily not in hours.daily:
        raise InputError(f"the archive has no daily {target.daily}, which the hours of {target} follow")


def _ahead(hours: Hours, weather: WeatherKind) -> tuple[str, ...]:
    """What of the target day is used: its season in an archive of a year, its weather when asked for."""
    season = (SEASON,) if len(hours.dates) >= YEAR_DAYS else ()
    if weather is WeatherKind.NONE:
        return season
    names = tuple(name for name in sorted(hours.weather) if _covered(hours.weather[name]))
    if not names:
        raise InputError(
            f"no weather covers {MIN_WEATHER_SHARE:.0%} of the training days {hours.dates[0]:%Y-%m-%d} … "
            f"{hours.dates[-1]:%Y-%m-%d}; ingest weather or forecast with weather none"
        )
    return season + names


def _covered(values: Array) -> bool:
    return bool(np.isfinite(values).mean() >= MIN_WEATHER_SHARE)


def _given(daily: pd.DataFrame | None, hours: Hours, target: HourlyTarget) -> Array:
    """Daily forecasts laid out, without those for days after the calendar."""
    given = lay_out_daily(daily, hours, target)
    day = np.arange(given.shape[1])[:, None] + np.arange(given.shape[2])
    return np.where(day < given.shape[1], given, np.nan)


def _prepare(
    hours: Hours,
    target: HourlyTarget,
    issue_hour: int,
    ahead: tuple[str, ...],
    given: Array,
    settings: HourlySettings,
) -> _Basis:
    slots = Slots.after(issue_hour)
    if len(hours.dates) < settings.min_train_days:
        raise TooLittleHistoryError(
            f"{target}: only {len(hours.dates)} days up to {hours.dates[-1]:%Y-%m-%d} to train on, "
            f"{settings.min_train_days} are needed; ingest more history"
        )
    days = np.arange(WARM_UP_DAYS, len(hours.dates) - LEAD_DAYS)
    # Every second, third, … issue date, so that all seasons stay in equal parts.
    days = days[:: -(-len(days) // settings.max_issues)]
    known = gather_known_hours(hours, target, issue_hour)
    terms = level_terms(hours, known, target)
    weights = fit_levels(hours, known, terms, target)
    levels = np.where(np.isfinite(given), given, apply_levels(weights, known, terms))
    observed = hours_ahead(hours.values[target.pollutant], slots, days)
    return _Basis(hours, target, slots, ahead, known, weights, levels, days, observed)


def hours_ahead(cube: Array, slots: Slots, days: Index) -> Array:
    """Values (city, issue, slot) of the hours ahead of the issue dates ``days`` from (city, date, hour)."""
    return cube[:, days[:, None] + slots.lead_day, slots.hour]


@dataclass(frozen=True)
class _Part:
    """What was learnt from some of the issues: weights of the first guess, its correction, rows behind it."""

    weights: Array
    names: tuple[str, ...]
    booster: lgb.Booster
    rows: int


def _learn(basis: _Basis, kept: NDArray[np.bool_], settings: HourlySettings) -> _Part:
    """The first guess and its correction from the issues ``kept`` (issue,)."""
    days, observed = basis.days[kept], basis.observed[:, kept]
    terms, usual = course_terms(basis.known, basis.levels, basis.slots, days)
    weights = fit_course(terms, usual, observed)
    anchor = apply_course(weights, terms, usual)
    city, issue, slot = rows = _draw(np.isfinite(observed) & np.isfinite(anchor), settings)
    if not len(city):
        raise TooLittleHistoryError(f"{basis.target}: no hour to train on; ingest more history")
    names, x = row_features(
        basis.hours,
        basis.known,
        basis.levels,
        anchor[rows],
        basis.slots,
        (city, days[issue], slot),
        basis.ahead,
    )
    parameters = settings.lightgbm()
    data = lgb.Dataset(x, (observed - anchor)[rows], feature_name=list(names), params=parameters)
    return _Part(weights, names, lgb.train(parameters, data, settings.boost.rounds), len(x))


def _left_out(basis: _Basis, settings: HourlySettings) -> Array:
    """Means (city, issue, slot), each from a training without its block and the days around."""
    mean = np.full(basis.observed.shape, np.nan)
    near, fold = settings.folds.near(basis.days), settings.folds.fold_of(basis.days)
    for k in range(settings.folds.count):
        left = fold == k
        if left.any() and not near[k].all():
            part = _learn(basis, ~near[k], settings)
            mean[:, left] = predict_courses(
                basis.hours,
                basis.known,
                basis.levels,
                part.weights,
                part.booster,
                basis.slots,
                basis.days[left],
                basis.ahead,
                settings.threads,
            )
    return mean


def _draw(usable: NDArray[np.bool_], settings: HourlySettings) -> tuple[Index, Index, Index]:
    """Usable (city, issue, slot) positions in order; at most ``max_rows`` of them, drawn at random."""
    flat = np.flatnonzero(usable)
    if flat.size > settings.max_rows:
        rng = np.random.default_rng(settings.seed)
        flat = np.sort(rng.choice(flat, settings.max_rows, replace=False))
    city, issue, slot = np.unravel_index(flat, usable.shape)
    return np.asarray(city), np.asarray(issue), np.asarray(slot)


def _kinds(hours: Hours, ahead: tuple[str, ...]) -> tuple[str, ...]:
    if not set(ahead) - {SEASON}:
        return ()
    return tuple(sorted(set(hours.weather_kind) - {WeatherKind.NONE.value}))


def _split(settings: HourlySettings) -> str:
    folds = settings.folds
    return (
        f"{folds.count} folds of blocks of {folds.block_days} issue dates, {folds.purge_days} purged around"
    )
