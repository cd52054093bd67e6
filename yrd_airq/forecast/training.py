"""Training of the mean models of one target, and of the spread around them on left-out time blocks."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from yrd_airq.errors import AirqError
from yrd_airq.forecast.ahead import lead_features
from yrd_airq.forecast.anchor import fit_damping
from yrd_airq.forecast.basis import Basis, anchored, prepare
from yrd_airq.forecast.blend import Blend, TrainingRows, fit_blend
from yrd_airq.forecast.card import fingerprint, write_card
from yrd_airq.forecast.features import TODAY, WARM_UP_DAYS, Features
from yrd_airq.forecast.intervals import fit_spread
from yrd_airq.forecast.level import WINDOW_DAYS as RECENT_DAYS
from yrd_airq.forecast.model import LeadCard, LeadModel, Model
from yrd_airq.forecast.outlook import look_ahead
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.review import review_lead
from yrd_airq.forecast.settings import ErrorModel, ForecastSettings
from yrd_airq.vocab import Target, WeatherKind

Array = NDArray[np.float64]


class TooLittleHistoryError(AirqError):
    """The archive is too short to train a model; use the damped persistence instead and say so."""

    exit_code = 2


@dataclass(frozen=True)
class Rows:
    """Training rows of one lead; arrays (city, issue date), ``valid`` the target days."""

    features: Features
    anchor: Array
    normal: Array
    last: Array
    observed: Array
    usable: NDArray[np.bool_]
    valid: pd.DatetimeIndex
    position: NDArray[np.int64]


def training_end(issue_date: date, first_date: date, settings: ForecastSettings) -> date:
    """Last day of training for a forecast of ``issue_date`` from an archive that starts ``first_date``.

    The last day of a month at least ``hold_back_days`` before the issue date, so that one model serves a
    whole month and the issues of the past days can be checked on data it was not trained on. In a short
    archive the hold-back day itself. Raises ``TooLittleHistoryError`` when even that leaves fewer than
    ``min_train_days``.
    """
    latest = issue_date - timedelta(days=settings.hold_back_days)
    month_end = latest if (latest + timedelta(days=1)).day == 1 else latest.replace(day=1) - timedelta(days=1)
    for end in (month_end, latest):
        if (end - first_date).days + 1 >= settings.min_train_days:
            return end
    raise TooLittleHistoryError(
        f"only {max((latest - first_date).days + 1, 0)} days from {first_date} to {latest} to train on, "
        f"{settings.min_train_days} are needed; ingest more history"
    )


def train(
    panel: Panel,
    target: Target,
    until: date,
    leads: Sequence[int],
    weather: WeatherKind,
    settings: ForecastSettings,
) -> Model:
    """Train one target on the panel up to ``until``; nothing later is looked at.

    ``weather`` other than ``NONE`` lets the model use the weather up to the target day; its training then
    takes whatever kind the panel holds. ``InputError`` if the target or the weather is missing,
    ``TooLittleHistoryError`` if too few rows remain.
    """
    ahead = weather is not WeatherKind.NONE
    basis = prepare(panel.until(until), target, ahead, settings.features)
    disturbed = weather is WeatherKind.FORECAST and WeatherKind.FORECAST.value not in basis.panel.weather_kind
    error = settings.weather_error if disturbed else None
    # Leads side by side, each on one thread: the sums of several would depend on how the work was split.
    with (
        warnings.catch_warnings(),
        threadpool_limits(1),
        ThreadPoolExecutor(settings.threads) as pool,
    ):
        # Networks are stopped early on purpose.
        warnings.simplefilter("ignore", ConvergenceWarning)
        done = list(pool.map(lambda lead: _train_lead(basis, lead, settings, error), leads))
    parts = {lead: part for lead, (part, _, _) in zip(leads, done, strict=True)}
    scores, names = [reviewed for _, reviewed, _ in done], done[0][2]
    version = fingerprint(panel, target, until, leads, weather, settings)
    card = write_card(basis, version, names, tuple(scores), settings, disturbed)
    return Model(card, basis.climatology, basis.sky, parts)


def gather_rows(
    basis: Basis, lead: int, damping: Array, settings: ForecastSettings, error: ErrorModel | None
) -> Rows:
    """The training rows of one lead, with the weather ahead disturbed by ``error`` if there is one."""
    panel = basis.panel
    issue = np.arange(WARM_UP_DAYS, len(panel.dates) - lead)
    anchor, normal = (array[:, issue] for array in anchored(basis, lead, damping))
    outlook = None
    if basis.ahead:
        outlook = look_ahead(panel, basis.weather, issue, lead, error, settings.seed + lead)
    features = lead_features(
        panel,
        basis.known,
        normal=normal,
        anchor=anchor,
        lead=lead,
        issue=issue,
        outlook=outlook,
        components=basis.sky.ahead,
        groups=settings.features,
    )
    observed = panel.values[basis.target][:, issue + lead]
    usable = features.complete & np.isfinite(observed)
    return Rows(
        features,
        anchor,
        normal,
        basis.known.last[:, issue],
        observed,
        usable,
        panel.dates[issue + lead],
        issue + lead,
    )


def _train_lead(
    basis: Basis, lead: int, settings: ForecastSettings, error: ErrorModel | None
) -> tuple[LeadModel, LeadCard, tuple[str, ...]]:
    damping = damp(basis, lead)
    rows = gather_rows(basis, lead, damping, settings, error)
    days = int(rows.usable.any(axis=0).sum())
    if days < settings.min_train_days - WARM_UP_DAYS - lead:
        raise TooLittleHistoryError(
            f"{basis.target}: only {days} usable days up to {basis.panel.last} for lead day {lead}; "
            "ingest more history"
        )
    blend, mean = blend_rows(rows, basis.ahead, basis.known.seasonal, settings)
    fold = fold_of(rows, settings)
    card = review_lead(lead, mean, rows.last, rows.normal, rows.observed, rows.valid, fold, blend.weights)
    recent = np.full((mean.shape[0], RECENT_DAYS), np.nan)
    newest = mean[:, -RECENT_DAYS:]
    recent[:, RECENT_DAYS - newest.shape[1] :] = newest
    spread = fit_spread(mean, rows.observed, rows.valid)
    return LeadModel(damping, blend, spread, recent), card, rows.features.names


def damp(basis: Basis, lead: int) -> Array:
    """Weights of the anchor of one lead, from the target days of the panel."""
    values = basis.panel.values[basis.target]
    normal = basis.climatology.normal(values, basis.panel.dates, lead)
    departure = np.full(values.shape, np.nan)
    departure[:, : values.shape[1] - lead] = values[:, lead:] - normal[:, : values.shape[1] - lead]
    return fit_damping(basis.known.anchor_terms, basis.known.normal_last, departure)


def blend_rows(rows: Rows, ahead: bool, seasonal: bool, settings: ForecastSettings) -> tuple[Blend, Array]:
    """The blend of one lead, and its left-out forecasts laid out as (city, issue date)."""
    city, day = np.nonzero(rows.usable)
    fold, near = fold_of(rows, settings), _near_fold(rows, settings)
    kept, left = ~near[:, day], fold[day] == np.arange(settings.folds.count)[:, None]
    full = left.any(axis=1) & kept.any(axis=1)
    training = TrainingRows(
        rows.features.names,
        _without_some_of_today(rows.features, settings)[city, day],
        rows.anchor[city, day],
        rows.normal[city, day],
        rows.observed[city, day],
        kept[full],
        left[full],
        seasonal,
    )
    blend, held = fit_blend(training, ahead, settings)
    mean = np.full(rows.observed.shape, np.nan)
    mean[city, day] = held
    return blend, mean


def fold_of(rows: Rows, settings: ForecastSettings) -> NDArray[np.int64]:
    """Fold of each target day: blocks of consecutive days dealt out in turn."""
    return rows.position // settings.folds.block_days % settings.folds.count


def _near_fold(rows: Rows, settings: ForecastSettings) -> NDArray[np.bool_]:
    """Which target days lie in or beside a block of each fold, (fold, day).

    Days beside a left-out block share its weather situation, so they are dropped from training too.
    """
    folds = settings.folds
    around = rows.position[:, None] + np.arange(-folds.purge_days, folds.purge_days + 1)
    fold = around // folds.block_days % folds.count
    return np.stack([(fold == k).any(axis=1) for k in range(folds.count)])


def _without_some_of_today(features: Features, settings: ForecastSettings) -> NDArray[np.float32]:
    """Blank the issue date's hours in a few rows, so that the model has learnt to do without them."""
    today = [k for k, name in enumerate(features.names) if name.startswith(TODAY)]
    if not today or settings.today_dropout == 0:
        return features.array
    array = features.array.copy()
    chosen = np.random.default_rng(settings.seed).random(array.shape[:2]) < settings.today_dropout
    array[:, :, today] = np.where(chosen[:, :, None], np.nan, array[:, :, today])
    return array
