"""Score tables of forecasts against observations, by model, target and lead; pure, no data access."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from yrd_airq.errors import InputError
from yrd_airq.forecast.baselines import PERSISTENCE
from yrd_airq.forecast.metrics import brier, contingency, coverage, pinball, point_scores, skill
from yrd_airq.vocab import Target

GROUP = ["model", "target", "lead_day"]
KEY = ["issue_time", "adcode", "target", "lead_day"]
_NEEDED = {*KEY, "model", "mean", "q10", "q50", "q90", "p_exceed", "observed"}


def score(rows: pd.DataFrame, thresholds: Mapping[Target, float] | None = None) -> pd.DataFrame:
    """One line per model, target and lead day.

    ``rows``: forecast columns and ``observed``. Only city-days that every model of a target and lead
    forecast are counted, so that the lines can be compared. Columns: n, rmse, mae, bias, nmb, r,
    skill_vs_persistence (NaN without persistence rows), coverage80 (q10 … q90), pinball10/50/90; with a
    threshold of the target also pod, far, csi, frequency_bias of mean > threshold and the Brier score of
    ``p_exceed``. Undefined scores are NaN. ``InputError`` if columns are missing.
    """
    missing = _NEEDED - set(rows.columns)
    if missing:
        raise InputError(f"forecasts to score lack the columns {', '.join(sorted(missing))}")
    paired = pair_models(rows)
    lines = [
        dict(zip(GROUP, names, strict=True)) | _line(group, (thresholds or {}).get(Target(str(names[1]))))
        for names, group in paired.groupby(GROUP, sort=True)
    ]
    table = pd.DataFrame(lines)
    if table.empty:
        raise InputError("no city-day has both a forecast of every model and an observation")
    reference = table[table["model"] == PERSISTENCE].set_index(["target", "lead_day"])["rmse"]
    beside = reference.reindex(pd.MultiIndex.from_frame(table[["target", "lead_day"]])).to_numpy()
    table.insert(
        list(table.columns).index("r") + 1,
        "skill_vs_persistence",
        [skill(error, other) for error, other in zip(table["rmse"], beside, strict=True)],
    )
    return table


def pair_models(rows: pd.DataFrame) -> pd.DataFrame:
    """The observed rows whose issue, city, target and lead every model of that target and lead has."""
    seen = rows[rows["observed"].notna() & rows["mean"].notna()]
    models = seen.groupby(["target", "lead_day"])["model"].transform("nunique")
    return seen[seen.groupby(KEY)["model"].transform("nunique") == models]


def _line(group: pd.DataFrame, threshold: float | None) -> dict[str, float]:
    observed = group["observed"]
    line: dict[str, float] = point_scores(group["mean"], observed)
    line["coverage80"] = coverage(group["q10"], group["q90"], observed)
    for name, probability in (("10", 0.1), ("50", 0.5), ("90", 0.9)):
        line[f"pinball{name}"] = pinball(group[f"q{name}"], observed, probability)
    if threshold is not None:
        line["threshold"] = threshold
        line |= contingency(group["mean"], observed, threshold)
        line["brier"] = brier(group["p_exceed"], observed, threshold)
    return line
