"""The version and the card of a training: what it was made from, in a form that can be compared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date

import lightgbm as lgb
import numpy as np
import sklearn

from yrd_airq.forecast.basis import Basis
from yrd_airq.forecast.features import COMPANIONS, FEATURE_VERSION
from yrd_airq.forecast.level import PRIOR_DAYS, WINDOW_DAYS
from yrd_airq.forecast.model import Card, LeadCard
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.settings import ForecastSettings
from yrd_airq.vocab import Target, WeatherKind


def fingerprint(
    panel: Panel,
    target: Target,
    until: date,
    leads: Sequence[int],
    weather: WeatherKind,
    settings: ForecastSettings,
) -> str:
    """Version of a training: a hash of its data, settings, features and library; 16 hex digits."""
    cut = panel.until(until)
    head = {
        "target": target.value,
        "source": cut.source.value,
        "first": str(cut.first),
        "last": str(cut.last),
        "adcodes": cut.adcodes,
        "issue_hour": cut.issue_hour,
        "leads": [int(lead) for lead in leads],
        "weather": weather.value,
        "sklearn": sklearn.__version__,
        "features": FEATURE_VERSION,
        "library": lgb.__version__,
        "weather_kinds": list(cut.weather_kind),
        "settings": settings.training_part(),
    }
    digest = hashlib.sha256(json.dumps(head, sort_keys=True).encode())
    if cut.around is not None:
        digest.update(json.dumps(cut.around.places).encode())
        for key, array in sorted([*cut.around.values.items(), *cut.around.weather.items()]):
            digest.update(f"around {key}".encode())
            digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    used = {key.value: array for key, array in cut.values.items() if key is target or key in COMPANIONS}
    for name, array in sorted([*used.items(), *cut.today.items(), *cut.weather.items()]):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(array, dtype="<f8").tobytes())
    digest.update(cut.lonlat.tobytes())
    return digest.hexdigest()[:16]


def write_card(
    basis: Basis,
    version: str,
    names: tuple[str, ...],
    scores: tuple[LeadCard, ...],
    settings: ForecastSettings,
    disturbed: bool,
) -> Card:
    """The card of a finished training; ``names`` are the features in order, ``disturbed`` says that the
    weather ahead was disturbed as forecasts err.
    """
    panel, folds = basis.panel, settings.folds
    kinds = tuple(sorted(set(panel.weather_kind) - {WeatherKind.NONE.value})) if basis.weather else ()
    notes = [
        "Scores are of the models that have not seen a block; the released blend is the mean over all folds.",
        "Left-out blocks lie among the training days: errors in a later year are usually somewhat larger.",
        "Trees do not extrapolate: levels far above those of the training period are under-forecast.",
    ]
    if basis.known.seasonal:
        notes.append(
            "Issued means are multiplied by the ratio of observed to forecast of up to "
            f"{WINDOW_DAYS} past days, drawn to 1 by {PRIOR_DAYS:g} days; the scores here are without it."
        )
    else:
        notes.append(
            "Trained on less than a year: the model knows no season, and its forecasts are drawn to the "
            "mean of the last days, the more the longer the lead (normal_days)."
        )
    if panel.around is None:
        notes.append("No air of places around the region: what drifts in is seen once it is here.")
    else:
        notes.append(f"Air of {len(panel.around.places)} places around the region is looked for upwind.")
    if disturbed:
        notes.append(
            "Trained on analysed weather that was disturbed by the errors of a weather forecast, as "
            "configs/forecast.yaml states them by lead (weather_error); for use with forecast weather."
        )
    elif basis.ahead and kinds != (WeatherKind.FORECAST.value,):
        notes.append(
            "Trained on analysed weather of the target days (perfect prognosis); with forecast weather "
            "the errors grow with those of the weather forecast."
        )
    return Card(
        version=version,
        target=basis.target,
        source=panel.source,
        train_first=panel.first,
        train_last=panel.last,
        issue_hour=panel.issue_hour,
        leads=tuple(card.lead_day for card in scores),
        weather_ahead=basis.ahead,
        weather_kinds=kinds,
        weather_variables=basis.weather,
        places_around=0 if panel.around is None else len(panel.around.places),
        features=names,
        feature_version=FEATURE_VERSION,
        library=f"lightgbm {lgb.__version__}, scikit-learn {sklearn.__version__}",
        climatology=basis.climatology.name,
        split=f"{folds.count} folds of blocks of {folds.block_days} days, {folds.purge_days} purged around",
        scores=scores,
        settings=settings.training_part(),
        notes=tuple(notes),
    )
