"""What moved the forecasts of an issue: contributions of feature groups by city and day, and a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from yrd_airq.forecast.explain import Explanation, explain, load_explain, sentences
from yrd_airq.forecast.features import group_of
from yrd_airq.forecast.means import feature_groups, gather_inputs, look_back
from yrd_airq.forecast.model import Model
from yrd_airq.forecast.panel import Panel

_DIGITS = 4
_DAY = ["adcode", "issue_time", "valid_date", "lead_day", "target"]


@dataclass(frozen=True)
class Reasons:
    """Contributions and what they come to in words.

    ``parts``: a row per city-day and group (adcode, issue_time, valid_date, lead_day, target, part,
    contribution in the unit of the target); ``reasons``: a row per city-day with ``text_zh``.
    """

    parts: pd.DataFrame
    reasons: pd.DataFrame


def explain_issue(
    panel: Panel, model: Model, issue_time: datetime, leads: Sequence[int], cities: Sequence[str]
) -> Reasons:
    """Explain the forecasts of ``cities`` for ``leads`` days after ``issue_time`` by the trees of the model.

    The trees stand for the whole blend: what they add to the anchor. City-days without a forecast, and leads
    whose blend has no trees, are left out.
    """
    known = panel.known_at(issue_time, issue_time.date() + timedelta(days=max(leads)))
    issue = np.array([known.index(issue_time.date())])
    past, groups = look_back(known, model, issue), feature_groups(model)
    chosen = np.isin(known.adcodes, list(cities))
    parts, reasons = [], []
    for lead in leads:
        trees = model.parts[lead].blend.trees
        features = gather_inputs(past, past.issue, lead).features
        ready = np.flatnonzero(features.complete[:, 0] & chosen)
        if not trees or not ready.size:
            continue
        group = {name: group_of(name, groups.groups) for name in features.names}
        told = explain(trees, features.array[ready, 0], features.names, group, [1 / len(trees)] * len(trees))
        days = pd.DataFrame(
            {
                "adcode": np.asarray(known.adcodes)[ready],
                "issue_time": pd.Timestamp(issue_time),
                "valid_date": pd.Timestamp(issue_time).normalize() + pd.Timedelta(days=lead),
                "lead_day": lead,
                "target": model.card.target.value,
            }
        )
        reasons.append(days.assign(text_zh=sentences(told, load_explain())))
        parts.append(_long(days, told))
    if not parts:
        return Reasons(
            pd.DataFrame(columns=[*_DAY, "part", "contribution"]), pd.DataFrame(columns=[*_DAY, "text_zh"])
        )
    return Reasons(pd.concat(parts, ignore_index=True), pd.concat(reasons, ignore_index=True))


def _long(days: pd.DataFrame, told: Explanation) -> pd.DataFrame:
    # Rounded, without a sign of zero, so that a rerun gives the same rows.
    values = pd.DataFrame(told.values.round(_DIGITS) + 0.0, columns=list(told.groups))
    wide = pd.concat([days, values], axis=1)
    return wide.melt(_DAY, list(told.groups), "part", "contribution")
