"""Scores against what others reach: the FAIRMODE indicator and the benchmarks of Emery et al. (2017)."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import xarray as xr

from yrd_airq.verify.settings import Benchmark, FairmodeSettings, Grade
from yrd_airq.vocab import Target

NONE = "none"


def quality_indicator(data: xr.Dataset, target: Target, settings: FairmodeSettings) -> xr.DataArray | None:
    """MQI of each city (model, lead_day, adcode): RMSE over β times the measurement uncertainty.

    RMS_U = u_rv √((1 − α²)(Ō² + σ²) + α² rv²), σ the standard deviation of the observations. It is the
    indicator of model assessment; parameters of hourly NO2 and of the daily values of the others. None for
    a target without parameters.
    """
    given = settings.uncertainty.get(target)
    if given is None:
        return None
    mean, observed = xr.broadcast(data["mean"], data["observed"])
    both = mean.notnull() & observed.notnull()
    error = (mean - observed).where(both)
    share = float(given.alpha) ** 2
    squares = (observed.where(both) ** 2).mean("valid_date")  # = Ō² + σ²
    uncertainty = float(given.u_rv) * ((1 - share) * squares + share * float(given.rv) ** 2) ** 0.5
    return (error**2).mean("valid_date") ** 0.5 / (float(settings.beta) * uncertainty)


def grade(scores: pd.DataFrame, benchmarks: Mapping[Grade, Benchmark]) -> pd.Series:
    """``goal``, ``criteria`` or ``none`` for each line with the columns nmb, nme and r."""
    found = pd.Series(NONE, index=scores.index)
    for name in ("criteria", "goal"):
        bound = benchmarks.get(name)
        if bound is not None:
            met = scores["nmb"].abs() <= float(bound.nmb)
            met &= (scores["nme"] <= float(bound.nme)) & (scores["r"] >= float(bound.r))
            found[met] = name
    return found
