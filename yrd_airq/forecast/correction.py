"""Forecast rows with a forecaster's corrections (人工订正) put in; the caller keeps the model's rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import numpy as np
import pandas as pd

from yrd_airq.forecast.intervals import exceedance_of_quantiles

FORECASTER = "forecaster"
"""Model name of corrected rows."""

_KEY = ["adcode", "issue_time", "valid_date", "target"]
_QUANTILES = ("q10", "q50", "q90")


def apply_corrections(
    rows: pd.DataFrame, corrections: pd.DataFrame, limit_of: Callable[[str, date], float | None]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows as corrected, and the model's rows that were corrected.

    ``corrections``: adcode, issue_time, valid_date, target, value, low, high. The mean and the median
    become ``value``; the quantiles are ``low`` and ``high``, or the model's moved along with the median.
    ``limit_of`` (target, day) gives the limit that ``p_exceed`` refers to. Corrections of other issues, or
    of rows that are not there, change nothing.
    """
    given = corrections[[*_KEY, "value", "low", "high"]].copy()
    given["valid_date"] = pd.to_datetime(given["valid_date"])
    given[["value", "low", "high"]] = given[["value", "low", "high"]].astype(float)
    out = rows.merge(given, on=_KEY, how="left", validate="many_to_one")
    hit = out["value"].notna().to_numpy()
    changed = out[hit]
    shift = changed["value"] - changed["q50"]
    own = changed.assign(
        model=FORECASTER,
        mean=changed["value"],
        q10=changed["low"].fillna((changed["q10"] + shift).clip(lower=0.0)),
        q50=changed["value"],
        q90=changed["high"].fillna((changed["q90"] + shift).clip(lower=0.0)),
    )
    days = pd.to_datetime(own["valid_date"]).dt.date
    limits = [limit_of(target, day) for target, day in zip(own["target"], days, strict=True)]
    threshold = np.array([np.nan if limit is None else limit for limit in limits], dtype=float)
    own["p_exceed"] = exceedance_of_quantiles({name: own[name] for name in _QUANTILES}, threshold)
    corrected = pd.concat([out[~hit], own]).sort_index()
    return corrected[list(rows.columns)], changed[list(rows.columns)].reset_index(drop=True)
