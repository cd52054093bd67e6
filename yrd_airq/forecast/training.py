"""Training of the mean models of one target, and of the spread around them on left-out time blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.errors import AirqError
from yrd_airq.forecast.anchor import fit_damping
from yrd_airq.forecast.basis import Basis, anchored, prepare
from yrd_airq.forecast.card import fingerprint, write_card
from yrd_airq.forecast.features import CATEGORICAL, TODAY, WARM_UP_DAYS, Features, lead_features
from yrd_airq.forecast.intervals import fit_spread
from yrd_airq.forecast.model import LeadCard, LeadModel, Model
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.review import review_lead
from yrd_airq.forecast.settings import ForecastSettings
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
    basis = prepare(panel.until(until), target, ahead)
    parts: dict[int, LeadModel] = {}
    cards: list[LeadCard] = []
    names: tuple[str, ...] = ()
    for lead in leads:
        part, card, names = _train_lead(basis, lead, settings)
        parts[lead] = part
        cards.append(card)
    version = fingerprint(panel, target, until, leads, weather, settings)
    return Model(write_card(basis, version, names, tuple(cards), settings), basis.climatology, parts)


def _gather_rows(basis: Basis, lead: int, damping: Array) -> Rows:
    panel = basis.panel
    issue = np.arange(WARM_UP_DAYS, len(panel.dates) - lead)
    anchor, normal = (array[:, issue] for array in anchored(basis, lead, damping))
    features = lead_features(
        panel,
        basis.known,
        normal=normal,
        anchor=anchor,
        lead=lead,
        issue=issue,
        weather=basis.weather if basis.ahead else (),
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
    basis: Basis, lead: int, settings: ForecastSettings
) -> tuple[LeadModel, LeadCard, tuple[str, ...]]:
    values = basis.panel.values[basis.target]
    normal = basis.climatology.normal(values, basis.panel.dates, lead)
    departure = np.full(values.shape, np.nan)
    departure[:, : values.shape[1] - lead] = (values - _back(normal, lead))[:, lead:]
    damping = fit_damping(basis.known.anchor_terms, basis.known.normal_last, departure)
    rows = _gather_rows(basis, lead, damping)
    days = int(rows.usable.any(axis=0).sum())
    if days < settings.min_train_days - WARM_UP_DAYS - lead:
        raise TooLittleHistoryError(
            f"{basis.target}: only {days} usable days up to {basis.panel.last} for lead day {lead}; "
            "ingest more history"
        )
    booster, held_out = _fit_boosters(rows, basis.ahead, settings)
    mean = np.maximum(rows.anchor + held_out, 0.0)
    card = review_lead(lead, mean, rows.last, rows.normal, rows.observed, rows.valid, fold_of(rows, settings))
    return LeadModel(damping, booster, fit_spread(mean, rows.observed, rows.valid)), card, rows.features.names


def _back(array: Array, days: int) -> Array:
    """Move columns so that element d holds what was stored under issue date d − ``days``."""
    out = np.full(array.shape, np.nan)
    out[:, days:] = array[:, : array.shape[1] - days]
    return out


def fold_of(rows: Rows, settings: ForecastSettings) -> NDArray[np.int64]:
    """Fold of each target day: blocks of consecutive days dealt out in turn."""
    return rows.position // settings.folds.block_days % settings.folds.count


def _fit_boosters(rows: Rows, ahead: bool, settings: ForecastSettings) -> tuple[lgb.Booster, Array]:
    """The model of all rows, and for every row the correction by a model that has not seen its block."""
    city, day = (np.asarray(index) for index in np.nonzero(rows.usable))
    x = _without_some_of_today(rows.features, settings)[city, day]
    parameters = settings.lightgbm(ahead)
    data = lgb.Dataset(
        x,
        (rows.observed - rows.anchor)[city, day],
        feature_name=list(rows.features.names),
        categorical_feature=[CATEGORICAL],
        params=parameters,
        free_raw_data=False,
    ).construct()
    booster = lgb.train(parameters, data, settings.boost(ahead).rounds)
    folds = settings.folds
    quick = parameters | {"learning_rate": folds.learning_rate}
    fold, near = fold_of(rows, settings), _near_fold(rows, settings)
    held_out = np.full(rows.observed.shape, np.nan)
    for k in range(folds.count):
        kept, left = np.flatnonzero(~near[k][day]), fold[day] == k
        if not kept.size or not left.any():
            continue
        partial = lgb.train(quick, data.subset(kept.tolist()), folds.rounds)
        held_out[city[left], day[left]] = np.asarray(partial.predict(x[left], num_threads=settings.threads))
    return booster, held_out


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
