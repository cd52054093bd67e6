"""Training of the mean models of one target, and of the spread around them on left-out time blocks."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
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
from yrd_airq.forecast.exceedance import choose_calls, limits_of
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
    """Training rows of one lead; arrays (city, issue date).

    ``damping`` are the weights of the anchor, ``valid`` the target days.
    """

    damping: Array
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
        wanted = sorted({near for lead in leads for near in _beside(lead, ahead)} | set(leads))
        found = pool.map(lambda lead: gather_rows(basis, lead, damp(basis, lead), settings, error), wanted)
        rows = dict(zip(wanted, found, strict=True))
        done = list(pool.map(lambda lead: _train_lead(basis, lead, rows, settings), leads))
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
        damping,
        features,
        anchor,
        normal,
        basis.known.last[:, issue],
        observed,
        usable,
        panel.dates[issue + lead],
        issue + lead,
    )


def _beside(lead: int, ahead: bool) -> tuple[int, ...]:
    """Leads whose rows help to train ``lead``; without the weather ahead they only blur what is known."""
    return tuple(near for near in (lead - 1, lead + 1) if ahead and near >= 1)


def _train_lead(
    basis: Basis, lead: int, gathered: Mapping[int, Rows], settings: ForecastSettings
) -> tuple[LeadModel, LeadCard, tuple[str, ...]]:
    rows = gathered[lead]
    days = int(rows.usable.any(axis=0).sum())
    if days < settings.min_train_days - WARM_UP_DAYS - lead:
        raise TooLittleHistoryError(
            f"{basis.target}: only {days} usable days up to {basis.panel.last} for lead day {lead}; "
            "ingest more history"
        )
    beside = [gathered[near] for near in _beside(lead, basis.ahead)]
    blend, mean = blend_rows(basis, lead, rows, beside, settings)
    fold = settings.folds.fold_of(rows.position)
    card = review_lead(lead, mean, rows.last, rows.normal, rows.observed, rows.valid, fold, blend.weights)
    recent = np.full((mean.shape[0], RECENT_DAYS), np.nan)
    newest = mean[:, -RECENT_DAYS:]
    recent[:, RECENT_DAYS - newest.shape[1] :] = newest
    spread = fit_spread(mean, rows.observed, rows.valid)
    calls = choose_calls(spread, mean, rows.observed, rows.valid, limits_of(basis.target))
    card = card.model_copy(update={"calls": calls})
    return LeadModel(rows.damping, blend, spread, recent), card, rows.features.names


def damp(basis: Basis, lead: int) -> Array:
    """Weights of the anchor of one lead, from the target days of the panel."""
    values = basis.panel.values[basis.target]
    normal = basis.climatology.normal(values, basis.panel.dates, lead)
    departure = np.full(values.shape, np.nan)
    departure[:, : values.shape[1] - lead] = values[:, lead:] - normal[:, : values.shape[1] - lead]
    return fit_damping(basis.known.anchor_terms, basis.known.normal_last, departure)


def blend_rows(
    basis: Basis, lead: int, rows: Rows, beside: Sequence[Rows], settings: ForecastSettings
) -> tuple[Blend, Array]:
    """The blend of one lead, and its left-out forecasts laid out as (city, issue date)."""
    own, *others = (_training_rows(basis, lead, each, settings) for each in (rows, *beside))
    full = own.left.any(axis=1) & own.kept.any(axis=1)
    own, *others = (replace(each, kept=each.kept[full], left=each.left[full]) for each in (own, *others))
    blend, held = fit_blend(own, basis.ahead, settings, others)
    mean = np.full(rows.observed.shape, np.nan)
    mean[np.nonzero(rows.usable)] = held
    return blend, mean


def _training_rows(basis: Basis, lead: int, rows: Rows, settings: ForecastSettings) -> TrainingRows:
    """The usable rows one below the other, with the folds that keep or leave them."""
    city, day = np.nonzero(rows.usable)
    fold, near = settings.folds.fold_of(rows.position), settings.folds.near(rows.position)
    days = len(basis.panel.dates)
    return TrainingRows(
        names=rows.features.names,
        x=_without_some_of_today(rows.features, settings)[city, day],
        anchor=rows.anchor[city, day],
        normal=rows.normal[city, day],
        observed=rows.observed[city, day],
        kept=~near[:, day],
        left=fold[day] == np.arange(settings.folds.count)[:, None],
        seasonal=basis.known.seasonal,
        relative=not (basis.ahead and basis.target in (Target.O3_MDA8, Target.O3_MEAN)),
        trust=days / (days + settings.normal_days.value * lead),
    )


def _without_some_of_today(features: Features, settings: ForecastSettings) -> NDArray[np.float32]:
    """Blank the issue date's hours in a few rows, so that the model has learnt to do without them."""
    today = [k for k, name in enumerate(features.names) if name.startswith(TODAY)]
    if not today or settings.today_dropout == 0:
        return features.array
    array = features.array.copy()
    chosen = np.random.default_rng(settings.seed).random(array.shape[:2]) < settings.today_dropout
    array[:, :, today] = np.where(chosen[:, :, None], np.nan, array[:, :, today])
    return array
