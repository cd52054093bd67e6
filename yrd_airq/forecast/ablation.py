"""What each group of features is worth: skill over a period with the group left out in turn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd

from yrd_airq.errors import InputError
from yrd_airq.forecast.backtest import backtest
from yrd_airq.forecast.features import group_of
from yrd_airq.forecast.model import MODEL_NAME, Card
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.settings import FeatureSettings, ForecastSettings
from yrd_airq.vocab import Target, WeatherKind

NOTHING = "-"


def ablate(
    panel: Panel,
    target: Target,
    first: date,
    last: date,
    leads: Sequence[int],
    train_until: date,
    weather: WeatherKind,
    settings: ForecastSettings,
    groups: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Backtest with every feature, then without each of ``groups`` (default: all that the model uses).

    Columns ``without`` (``-`` for none left out), ``lead_day``, ``features`` (how many), ``rmse`` (in the
    target's unit), ``skill_vs_persistence`` and ``gain`` (skill that is lost without the group). Judge on a
    period that is not the last test: a choice made here has seen it. ``InputError`` for an unknown group,
    and as ``backtest``.
    """
    unknown = sorted(set(groups or ()) - set(settings.features.groups))
    if unknown:
        known = ", ".join(settings.features.groups)
        raise InputError(f"no feature group {', '.join(unknown)}; configs/forecast.yaml has {known}")

    def measure(without: str) -> tuple[pd.DataFrame, Card]:
        chosen = settings if without == NOTHING else leave_out(settings, without)
        result = backtest(panel, target, first, last, leads, train_until, weather, chosen)
        scores = result.scores["models"][MODEL_NAME]
        rows = [
            {
                "without": without,
                "lead_day": int(lead),
                "features": len(result.model.card.features),
                "rmse": entry["rmse"],
                "skill_vs_persistence": entry["skill_vs_persistence"],
            }
            for lead, entry in scores.items()
        ]
        return pd.DataFrame(rows), result.model.card

    full, card = measure(NOTHING)
    used = groups_of(card, settings.features) if groups is None else tuple(groups)
    table = pd.concat([full, *(measure(group)[0] for group in used)], ignore_index=True)
    whole = table["lead_day"].map(full.set_index("lead_day")["skill_vs_persistence"])
    return table.assign(gain=whole - table["skill_vs_persistence"])


def leave_out(settings: ForecastSettings, group: str) -> ForecastSettings:
    """The settings without a group of features."""
    features = settings.features.model_copy(update={"without": (*settings.features.without, group)})
    return settings.model_copy(update={"features": features})


def groups_of(card: Card, features: FeatureSettings) -> tuple[str, ...]:
    """The groups of the features that a model was trained on, in the order of the configuration."""
    met = {group_of(name, features.groups) for name in card.features}
    return tuple(group for group in features.groups if group in met)
