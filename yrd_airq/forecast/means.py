"""Means of a model for issue dates: the blend's forecasts, brought in line with how it has done lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.forecast.ahead import lead_features
from yrd_airq.forecast.anchor import apply_damping
from yrd_airq.forecast.features import WARM_UP_DAYS, Features, Known, gather_known, group_of
from yrd_airq.forecast.intervals import Spread
from yrd_airq.forecast.level import WINDOW_DAYS, level_factor
from yrd_airq.forecast.model import Model
from yrd_airq.forecast.outlook import look_ahead
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.recalibration import WINDOW_DAYS as SPREAD_DAYS
from yrd_airq.forecast.recalibration import recalibrate_issues
from yrd_airq.forecast.settings import FeatureSettings

Array = NDArray[np.float64]

# A normal looks back a year; the warm-up and the longest running mean come on top.
_LOOK_BACK_DAYS = 400


@dataclass(frozen=True)
class Means:
    """Means (city, issue) of one lead, and the spread that goes with these issue dates."""

    mean: Array
    spread: Spread


@dataclass(frozen=True)
class Past:
    """The part of a panel that forecasts issued on some dates look at, and what is known on each of them.

    ``issue`` are positions of the issue dates on the calendar of ``panel``.
    """

    panel: Panel
    model: Model
    known: Known
    issue: NDArray[np.int64]


def look_back(panel: Panel, model: Model, issue: NDArray[np.int64]) -> Past:
    """Cut the panel to the days that matter for the issue dates at positions ``issue``."""
    card = model.card
    history = WINDOW_DAYS + SPREAD_DAYS + max(card.leads)
    first = max(int(issue.min()) - history - _LOOK_BACK_DAYS, 0)
    part = panel.since(panel.first + timedelta(days=first))
    known = gather_known(part, card.target, model.climatology, card.weather_variables, model.sky)
    _check_inputs(known, model)
    return Past(part, model, known, issue - first)


def _check_inputs(known: Known, model: Model) -> None:
    """The features begin with what is known; the others follow from the card."""
    card, groups = model.card, feature_groups(model)
    names = tuple(name for name in known.arrays if group_of(name, groups.groups) not in groups.without)
    trained = card.features[: len(names)]
    if names != trained:
        odd = sorted(set(names) ^ set(trained))
        raise InputError(
            f"model {card.target}/{card.version} was trained on other inputs than this archive holds "
            f"({', '.join(odd)}); train it anew"
        )


def feature_groups(model: Model) -> FeatureSettings:
    """The groups of features that a model was trained with."""
    return FeatureSettings.model_validate(model.card.settings["features"])


def lead_means(past: Past, lead: int) -> Means:
    """Means of one lead for the issue dates of ``past``, NaN where an input is missing.

    They are multiplied by the factor of ``level_factor`` and their spread is recalibrated, both by the
    forecasts of the same model for the days before the issue date: left-out ones for days of the training,
    made again for days since. Nothing of the issue date or later enters.
    """
    panel, issue = past.panel, past.issue
    observed = panel.values[past.model.card.target]
    mean, history = _blend_means(past, issue, lead), _history(past, lead)
    # Where the normal is a running mean it follows the level by itself.
    if past.known.seasonal:
        # The forecast for a day was issued ``lead`` days before it, with the factor of that date.
        made = np.maximum(np.arange(len(panel.dates)) - lead, 0)
        mean = mean * level_factor(history, observed, issue)
        history = history * level_factor(history, observed, made)
    spread = recalibrate_issues(past.model.parts[lead].spread, history, observed, panel.dates, issue)
    return Means(mean, spread)


def _history(past: Past, lead: int) -> Array:
    """The model's forecasts by the day they are for, as far as they matter for the issue dates."""
    panel, model, issue = past.panel, past.model, past.issue
    out = np.full(panel.values[model.card.target].shape, np.nan)
    end = panel.index(model.card.train_last) + 1
    recent = model.parts[lead].recent
    days = np.arange(end - recent.shape[1], end)
    inside = (days >= 0) & (days < len(panel.dates))
    out[:, days[inside]] = recent[:, inside]
    first = max(end, int(issue.min()) - WINDOW_DAYS - SPREAD_DAYS - lead, WARM_UP_DAYS + lead)
    target_days = np.arange(first, int(issue.max()))
    if target_days.size:
        out[:, target_days] = _blend_means(past, target_days - lead, lead)
    return out


@dataclass(frozen=True)
class Inputs:
    """What the blend of one lead is asked with; arrays (city, issue)."""

    features: Features
    anchor: Array
    normal: Array


def gather_inputs(past: Past, issue: NDArray[np.int64], lead: int) -> Inputs:
    """Features, anchor and normal of one lead for the issue dates at positions ``issue``."""
    panel, known, card = past.panel, past.known, past.model.card
    normal = past.model.climatology.normal(panel.values[card.target], panel.dates, lead)[:, issue]
    levels = [level[:, issue] for level in known.anchor_terms]
    anchor = apply_damping(past.model.parts[lead].damping, levels, known.normal_last[:, issue], normal)
    outlook = look_ahead(panel, card.weather_variables, issue, lead) if card.weather_ahead else None
    features = lead_features(
        panel,
        known,
        normal=normal,
        anchor=anchor,
        lead=lead,
        issue=issue,
        outlook=outlook,
        components=past.model.sky.ahead,
        groups=feature_groups(past.model),
    )
    return Inputs(features, anchor, normal)


def _blend_means(past: Past, issue: NDArray[np.int64], lead: int) -> Array:
    inputs = gather_inputs(past, issue, lead)
    anchor, ready = inputs.anchor, inputs.features.complete
    mean = np.full(anchor.shape, np.nan)
    if ready.any():
        blend = past.model.parts[lead].blend
        mean[ready] = blend.mean(inputs.features.array[ready], anchor[ready], inputs.normal[ready])
    return mean
