"""What the weather alone makes of a day's air: a model without any pollutant among its inputs.

Days of an event take no part in the training; every other day is predicted by a model that has seen none of
the block of days around it, so that its error is that of a day never seen. From the difference between the
air and this expectation the effect of controls can be told (Grange and Carslaw 2019, weather normalisation).
"""

from __future__ import annotations

from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.forecast.calendar import describe_days
from yrd_airq.forecast.panel import Panel
from yrd_airq.settings import Marked, Settings
from yrd_airq.vocab import Target

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

_LAGS = (0, 1, 2)
_YEAR = 365.2425
_LEAST = 0.1
"""Concentrations below this (µg/m³) are taken as this, so that they have a logarithm."""


class NormaliseModel(Settings):
    """Size of the boosted trees."""

    rounds: int
    leaves: int
    learning_rate: float
    rows_per_leaf: int
    bins: int
    threads: int
    seed: int


class NormaliseSettings(Settings):
    """What the expectation is made with: see ``configs/assess.yaml``."""

    model: NormaliseModel
    folds: int
    block_days: int
    margin_days: int
    least_train_days: Marked


@dataclass(frozen=True)
class Expectation:
    """Observed and expected daily values of one target, (city, date), µg/m³; NaN where either is unknown.

    ``trained`` (date): days that the models learned from; their expectation is out of sample all the same.
    ``r`` and ``bias``: correlation and relative mean error of the expectation on these days.
    """

    target: Target
    adcodes: tuple[str, ...]
    dates: pd.DatetimeIndex
    observed: Array
    expected: Array
    trained: Bools
    r: float
    bias: float

    @property
    def log_residual(self) -> Array:
        """Logarithm of observed over expected, (city, date)."""
        return np.asarray(
            np.log(np.maximum(self.observed, _LEAST)) - np.log(np.maximum(self.expected, _LEAST))
        )


def expect_from_weather(
    panel: Panel, target: Target, left_out: Bools, settings: NormaliseSettings
) -> Expectation:
    """Expectation of ``target`` on every day of the panel, from weather, season, trend and calendar.

    ``left_out`` (date): days of events, which train nothing, nor do the ``margin_days`` on either side. The
    logarithm is learned; the level is set so that the expectation has no bias on the training days.
    ``InputError`` if too few days remain, or without weather.
    """
    if not panel.weather:
        raise InputError("no weather with the city days, so its part cannot be told; ingest weather first")
    observed = panel.values[target]
    trained = _training_days(observed, left_out, target, settings)
    fitted = _cross_fit(describe_weather(panel), np.log(np.maximum(observed, _LEAST)), trained, settings)
    raw = np.exp(fitted)
    seen = np.isfinite(observed) & trained
    smearing = observed[seen].sum() / raw[seen].sum()  # the mean of a logarithm is not that of the value
    expected = raw * smearing
    r = float(np.corrcoef(observed[seen], expected[seen])[0, 1])
    return Expectation(
        target=target,
        adcodes=panel.adcodes,
        dates=panel.dates,
        observed=observed,
        expected=expected,
        trained=trained,
        r=r,
        bias=float(np.median(observed[seen] / expected[seen]) - 1),
    )


def _training_days(observed: Array, left_out: Bools, target: Target, settings: NormaliseSettings) -> Bools:
    """Observed days away from events, (date,); ``InputError`` if they are too few."""
    margin = 2 * settings.margin_days + 1
    near = np.convolve(left_out.astype(float), np.ones(margin), mode="same") > 0
    trained = np.isfinite(observed).any(axis=0) & ~near
    needed = int(settings.least_train_days.value)
    if trained.sum() < needed:
        raise InputError(
            f"{target.value}: {int(trained.sum())} days outside the event to learn the weather's part from, "
            f"at least {needed} are needed; ingest a longer archive"
        )
    return np.asarray(trained)


def _cross_fit(columns: Array, log: Array, trained: Bools, settings: NormaliseSettings) -> Array:
    """Logarithms (city, date): training days by a model of the other blocks, other days by one of all."""
    block = np.arange(log.shape[1]) // settings.block_days % settings.folds
    fitted = np.full(log.shape, np.nan)
    for fold in range(settings.folds):
        own = trained & (block == fold)
        if own.any():
            model = _fit(columns, log, trained & (block != fold), settings.model)
            fitted[:, own] = _predict(model, columns, own)
    if not trained.all():
        fitted[:, ~trained] = _predict(_fit(columns, log, trained, settings.model), columns, ~trained)
    return fitted


def describe_weather(panel: Panel) -> Array:
    """Inputs of the model, (column, city, date): no pollutant is among them.

    Weather of the city and of the region on the day and the two days before, the calendar, the wave of the
    year, the trend in years, and where the city lies.
    """
    shape = (len(panel.adcodes), len(panel.dates))
    found: list[Array] = []
    for values in panel.weather.values():
        present = np.isfinite(values)
        mean = np.where(present, values, 0.0).sum(axis=0) / np.maximum(present.sum(axis=0), 1)
        regional = np.where(present.any(axis=0), mean, np.nan)
        for lag in _LAGS:
            found.append(_shift(values, lag))
            found.append(np.broadcast_to(_shift(regional[None], lag), shape))
    days = panel.dates
    phase = 2 * np.pi * np.asarray(days.dayofyear, dtype=float) / _YEAR
    trend = np.asarray((days - days[0]).days, dtype=float) / _YEAR
    series = [*describe_days(days).values(), np.cos(phase), np.sin(phase), trend]
    found += [np.broadcast_to(values, shape) for values in series]
    found += [np.broadcast_to(values[:, None], shape) for values in panel.lonlat.T]
    found.append(np.broadcast_to(np.arange(shape[0], dtype=float)[:, None], shape))
    return np.stack(found)


def _shift(values: Array, days: int) -> Array:
    """Values (…, date) of so many days before, NaN at the start."""
    if not days:
        return values
    return np.pad(values[:, :-days], ((0, 0), (days, 0)), constant_values=np.nan)


def _fit(columns: Array, log: Array, days: Bools, size: NormaliseModel) -> lgb.Booster:
    """Trees for the logarithm on the given days; the city enters as a category."""
    known = np.isfinite(log[:, days])
    rows = columns[:, :, days][:, known].T
    parameters = {
        "objective": "regression",
        "num_leaves": size.leaves,
        "learning_rate": size.learning_rate,
        "min_data_in_leaf": size.rows_per_leaf,
        "max_bin": size.bins,
        "num_threads": size.threads,
        "seed": size.seed,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    data = lgb.Dataset(rows, log[:, days][known], categorical_feature=[len(columns) - 1], free_raw_data=True)
    return lgb.train(parameters, data, num_boost_round=size.rounds)


def _predict(model: lgb.Booster, columns: Array, days: Bools) -> Array:
    """Logarithms (city, day) of the given days."""
    rows = columns[:, :, days]
    flat = rows.reshape(len(columns), -1).T
    return np.asarray(model.predict(flat, num_threads=1)).reshape(rows.shape[1:])
