"""How sure a score and a difference of scores are: resampled blocks of days, and the Diebold–Mariano test.

All cities of a day belong together, since a day's errors are much the same in all of them: the day is
the unit that is drawn and tested.
"""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray
from scipy import stats
from scores.stats.statistical_tests import diebold_mariano

from yrd_airq.verify.cases import Cases
from yrd_airq.verify.events import count_events
from yrd_airq.verify.settings import BootstrapSettings

Array = NDArray[np.float64]

MIN_DAYS = 10
"""With fewer days nothing is said about significance."""


def draw_day_weights(days: int, settings: BootstrapSettings) -> Array:
    """How often each day of the calendar is drawn, shape (resamples, days); each row sums to ``days``.

    Moving blocks of consecutive days on a circle (Politis and Romano 1992), so that the first and last
    days are drawn as often as others; the last block is cut to keep the length.
    """
    block = min(settings.block_days, days)
    blocks = -(-days // block)
    rng = np.random.default_rng(settings.seed)
    start = rng.integers(0, days, size=(settings.resamples, blocks))
    drawn = ((start[:, :, None] + np.arange(block)) % days).reshape(settings.resamples, -1)[:, :days]
    flat = drawn + days * np.arange(settings.resamples)[:, None]
    counts = np.bincount(flat.ravel(), minlength=settings.resamples * days)
    return counts.reshape(settings.resamples, days).astype(float)


def intervals(
    cases: Cases, said: xr.DataArray | None, happened: xr.DataArray | None, settings: BootstrapSettings
) -> pd.DataFrame:
    """Value and resampled interval of rmse, mae and mb, and of csi where events are given.

    ``said`` and ``happened`` are the called and the observed exceedances (0, 1, NaN). Columns: model,
    lead_day, score, value, low, high.
    """
    error = cases.data["mean"] - cases.data["observed"]
    sums = {"n": error.notnull(), "se": error**2, "ae": abs(error), "e": error}
    daily = xr.Dataset({name: array.sum("adcode") for name, array in sums.items()})
    if said is not None and happened is not None:
        daily = daily.merge(count_events(said, happened, ["adcode"]))
    drawn = _resample(daily, settings)
    total = daily.sum("valid_date")
    values, samples = _ratios(total), _ratios(drawn)
    frames = []
    for name, value in values.items():
        low, high = _bounds(samples[str(name)], settings)
        line = xr.Dataset({"value": value, "low": low, "high": high}).to_dataframe().reset_index()
        frames.append(line.assign(score=str(name)))
    table = pd.concat(frames, ignore_index=True).dropna(subset="value")
    return table[["model", "lead_day", "score", "value", "low", "high"]].reset_index(drop=True)


def compare(cases: Cases, ours: str, settings: BootstrapSettings) -> pd.DataFrame:
    """The model ``ours`` against every other model, by lead.

    Columns: model, lead_day, against, days, rmse, rmse_against, skill (1 − rmse/rmse_against) and
    ``rmse_gain`` (rmse_against − rmse, positive where ours is better), both with resampled intervals
    (…_low, …_high); ``dm`` and ``p_value`` of the two-sided test of equal squared error.
    """
    error = cases.data["mean"] - cases.data["observed"]
    daily = xr.Dataset({"n": error.notnull().sum("adcode"), "se": (error**2).sum("adcode")})
    drawn, total = (_rmse(x) for x in (_resample(daily, settings), daily.sum("valid_date")))
    loss = daily["se"] / daily["n"].where(daily["n"] > 0)
    frames = []
    for other in (str(name) for name in daily["model"].to_numpy() if name != ours):
        own, beside = total.sel(model=ours), total.sel(model=other)
        gain, skill = (f(drawn.sel(model=ours), drawn.sel(model=other)) for f in (_gain, _skill))
        table = pd.DataFrame(
            {
                "model": ours,
                "lead_day": daily["lead_day"].to_numpy(),
                "against": other,
                "days": (loss.sel(model=other).notnull() & loss.sel(model=ours).notnull()).sum("valid_date"),
                "rmse": own,
                "rmse_against": beside,
                "rmse_gain": _gain(own, beside),
                "skill": _skill(own, beside),
            }
        )
        for name, values in (("rmse_gain", gain), ("skill", skill)):
            table[f"{name}_low"], table[f"{name}_high"] = (x.to_numpy() for x in _bounds(values, settings))
        tests = [
            dm_test(
                (loss.sel(model=other) - loss.sel(model=ours)).sel(lead_day=lead).to_numpy(), int(lead) + 1
            )
            for lead in daily["lead_day"].to_numpy()
        ]
        table["dm"], table["p_value"] = (np.array(column) for column in zip(*tests, strict=True))
        frames.append(table.dropna(subset=["rmse", "rmse_against"]))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def dm_test(difference: Array, horizon: int) -> tuple[float, float]:
    """Statistic and two-sided p-value of the hypothesis that the mean loss difference is nil.

    ``difference``: one value a day (loss of the other − our loss), NaN where a day is missing; positive
    statistics speak for ours. ``horizon``: steps ahead of the last known day, which is the lead day + 1
    as the issue date itself is not over. Diebold and Mariano (1995) with the autocovariance model of
    Hering and Genton (2011), whose variance is always positive, the correction for short series of
    Harvey, Leybourne and Newbold (1997) and Student's t. NaN with fewer than ten days or no difference.
    """
    known = difference[np.isfinite(difference)]
    days = len(known)
    if days < max(MIN_DAYS, horizon + 1) or not known.std() > 0:
        return float("nan"), float("nan")
    # The fit of the autocovariances starts from 1, so the series is brought to that scale; the statistic
    # does not depend on it.
    series = xr.DataArray(
        (known / known.std())[None], dims=("series", "day"), coords={"h": ("series", [horizon])}
    )
    statistic = float(diebold_mariano(series, "series", "h", method="HG")["dm_test_stat"][0])
    short = (days + 1 - 2 * horizon + horizon * (horizon - 1) / days) / days
    statistic *= float(np.sqrt(short))
    return statistic, float(2 * stats.t.sf(abs(statistic), days - 1))


def _resample(daily: xr.Dataset, settings: BootstrapSettings) -> xr.Dataset:
    """Sums over the days of each resample; dimension ``draw`` in place of ``valid_date``."""
    weights = xr.DataArray(draw_day_weights(daily.sizes["valid_date"], settings), dims=("draw", "valid_date"))
    return xr.Dataset(
        {name: xr.dot(array.astype(float), weights, dim="valid_date") for name, array in daily.items()}
    )


def _ratios(sums: xr.Dataset) -> xr.Dataset:
    """The scores that follow from sums over days."""
    n = sums["n"].where(sums["n"] > 0)
    found = {"rmse": _rmse(sums), "mae": sums["ae"] / n, "mb": sums["e"] / n}
    if "hits" in sums:
        events = sums["hits"] + sums["false_alarms"] + sums["misses"]
        found["csi"] = sums["hits"] / events.where(events > 0)
    return xr.Dataset(found)


def _rmse(sums: xr.Dataset) -> xr.DataArray:
    return (sums["se"] / sums["n"].where(sums["n"] > 0)) ** 0.5


def _gain(own: xr.DataArray, other: xr.DataArray) -> xr.DataArray:
    return other.drop_vars("model") - own.drop_vars("model")


def _skill(own: xr.DataArray, other: xr.DataArray) -> xr.DataArray:
    return 1 - own.drop_vars("model") / other.drop_vars("model")


def _bounds(draws: xr.DataArray, settings: BootstrapSettings) -> tuple[xr.DataArray, xr.DataArray]:
    tail = (1 - settings.confidence) / 2
    with warnings.catch_warnings():  # a score that no resample defines has no bounds, as it should
        warnings.filterwarnings("ignore", "All-NaN slice", RuntimeWarning)
        low, high = (draws.quantile(q, "draw", skipna=True).drop_vars("quantile") for q in (tail, 1 - tail))
    return low, high
