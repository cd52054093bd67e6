"""The cases to be verified: forecasts of all models beside the observation, as one array per quantity.

Only the laying out and the cutting into parts belong here; scores take what this gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from yrd_airq.errors import InputError
from yrd_airq.standards.aqi import iaqi
from yrd_airq.standards.breakpoints import Item
from yrd_airq.standards.levels import LEVELS, level_index
from yrd_airq.standards.limits import daily_limit
from yrd_airq.standards.versions import standards_of
from yrd_airq.verify.settings import VerifySettings
from yrd_airq.vocab import Target

DIMS = ("model", "lead_day", "adcode", "valid_date")
CASE_DIMS = ("adcode", "valid_date")
SEASONS = ("spring", "summer", "autumn", "winter")
"""Meteorological seasons, March to May first."""
AQI_ITEMS = {
    Target.SO2: Item.SO2_24H,
    Target.NO2: Item.NO2_24H,
    Target.CO: Item.CO_24H,
    Target.O3_MDA8: Item.O3_MDA8,
    Target.PM10: Item.PM10_24H,
    Target.PM25: Item.PM25_24H,
}
_NEEDED = {"issue_time", "valid_date", "adcode", "target", "lead_day", "model", "mean", "observed"}
_QUANTILE = re.compile(r"q(\d\d)")


@dataclass(frozen=True)
class Cases:
    """Forecasts of one target on the city-days that every model has and that were observed.

    ``data`` has the dimensions model, lead_day, adcode, valid_date (a gapless calendar): ``mean``, and
    where the forecasts state them quantiles ``q10`` …, ``p_exceed`` (of the limit) and ``exceed`` (the
    call, 0 or 1); ``observed`` is without the dimension model. All are NaN outside the common sample.
    ``series`` (adcode, valid_date) holds every observation, ``limit`` (valid_date) the class II daily
    limit of the day, None where the standard knows none. ``left_out``: models with too few city-days.
    """

    target: Target
    data: xr.Dataset
    series: xr.DataArray
    limit: xr.DataArray | None
    left_out: tuple[str, ...]

    @property
    def quantiles(self) -> dict[str, float]:
        """Names of the quantiles and their probabilities, ascending."""
        found = {str(name): _QUANTILE.fullmatch(str(name)) for name in self.data.data_vars}
        levels = {name: int(match.group(1)) / 100 for name, match in found.items() if match}
        return dict(sorted(levels.items(), key=lambda item: item[1]))

    def among(self, chosen: NDArray[np.bool_]) -> xr.Dataset:
        """The data of the city-days ``chosen`` (adcode, valid_date), both dimensions as one, ``case``."""
        return _flatten(self.data, chosen)


def lay_out_cases(
    rows: pd.DataFrame, target: Target, settings: VerifySettings, models: Sequence[str] = ()
) -> Cases:
    """Cases of ``target`` from forecast rows with ``observed``.

    Of several issues of a day the latest counts. A model with less than ``least_share`` of the city-days of
    the fullest one is left out, unless ``models`` names those to compare. ``InputError`` if columns or
    models are missing, or no city-day is common to all.
    """
    missing = _NEEDED - set(rows.columns)
    if missing:
        raise InputError(f"forecasts to verify lack the columns {', '.join(sorted(missing))}")
    own = rows[(rows["target"].astype(str) == target.value) & rows["mean"].notna()]
    own = own.sort_values("issue_time", kind="stable").drop_duplicates(list(DIMS), keep="last")
    own = own.assign(valid_date=pd.DatetimeIndex(own["valid_date"]).normalize())
    kept, left_out = _choose_models(own, target, settings.least_share, models)
    own = own[own["model"].isin(kept)]
    data, series = _to_cube(own)
    present = data["mean"].notnull()
    idle = ~present.any(CASE_DIMS)  # a model that does not forecast a lead at all does not bar the others
    common = (present | idle).all("model") & series.notnull()
    if not bool(common.any()):
        raise InputError(f"{target}: no city-day has an observation and a forecast of {', '.join(kept)}")
    data = data.where(common)
    data["observed"] = series.where(common).transpose("lead_day", *CASE_DIMS)
    return Cases(target, data, series, _limits(target, days_of(series)), left_out)


def parts(cases: Cases, settings: VerifySettings) -> Iterator[tuple[str, str, xr.Dataset]]:
    """The sample as a whole and cut by season, observed level and change from the day before.

    Gives the way of cutting, the name of the part and its data; parts without a case are left out.
    """
    for kind, name, chosen in _masks(cases, settings):
        data = cases.among(chosen)
        if bool(data["observed"].notnull().any()):
            yield kind, name, data


def observed_level(cases: Cases) -> NDArray[np.int64]:
    """Level 1 … 6 of the target's own index on each city-day (adcode, valid_date); 0 where unknown."""
    index = item_index(cases.target, cases.series)
    return np.zeros(cases.series.shape, dtype=np.int64) if index is None else level_index(index)


def item_index(target: Target, values: xr.DataArray) -> xr.DataArray | None:
    """IAQI of daily values under the standard in force on each ``valid_date``; None without an item."""
    if target not in AQI_ITEMS:
        return None
    index = xr.full_like(values, np.nan)
    names = standards_of(days_of(values))
    for standard in dict.fromkeys(names):
        days = xr.DataArray(names == standard, dims="valid_date")
        index = index.where(~days, iaqi(AQI_ITEMS[target], values.to_numpy(), standard))
    return index


def days_of(data: xr.DataArray | xr.Dataset) -> pd.DatetimeIndex:
    """The calendar along ``valid_date``."""
    return pd.DatetimeIndex(data.indexes["valid_date"])


def _choose_models(
    rows: pd.DataFrame, target: Target, share: float, models: Sequence[str]
) -> tuple[list[str], tuple[str, ...]]:
    count = rows.loc[rows["observed"].notna(), "model"].value_counts().sort_index()
    if count.empty:
        raise InputError(f"{target}: no forecast has an observation to compare with")
    if models:
        absent = sorted(set(models) - set(count.index))
        if absent:
            raise InputError(
                f"{target}: no forecasts of {', '.join(absent)}; there are {', '.join(count.index)}"
            )
        return list(models), ()
    sparse = count.index[count < share * count.max()]
    return [name for name in count.index if name not in sparse], tuple(sparse)


def _to_cube(rows: pd.DataFrame) -> tuple[xr.Dataset, xr.DataArray]:
    names = [
        name
        for name in rows.columns
        if (name in ("mean", "p_exceed", "exceed") or _QUANTILE.fullmatch(name)) and rows[name].notna().any()
    ]
    data = rows.set_index(list(DIMS))[names].astype(float).to_xarray()
    seen = rows.dropna(subset="observed").drop_duplicates(list(CASE_DIMS))
    series = seen.set_index(list(CASE_DIMS))["observed"].astype(float).to_xarray()
    days = days_of(data)
    calendar = pd.date_range(days.min(), days.max(), freq="D")
    data = data.reindex(valid_date=calendar).transpose(*DIMS)
    return data, series.reindex(adcode=data["adcode"], valid_date=calendar)


def _limits(target: Target, days: pd.DatetimeIndex) -> xr.DataArray | None:
    if target is Target.O3_MEAN:  # the standard knows no limit for the daily mean of ozone
        return None
    values = [daily_limit(target, day) for day in days.date]
    return xr.DataArray(values, coords={"valid_date": days}, dims="valid_date")


def _masks(cases: Cases, settings: VerifySettings) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    shape = cases.series.shape
    yield "all", "all", np.ones(shape, dtype=bool)
    season = np.asarray(days_of(cases.series).month) % 12 // 3
    for k, name in zip((1, 2, 3, 0), SEASONS, strict=True):
        yield "season", name, np.broadcast_to(season == k, shape)
    level = observed_level(cases)
    for entry in LEVELS:
        yield "level", str(entry.index), level == entry.index
    change = cases.series.diff("valid_date").reindex_like(cases.series).to_numpy()
    step = settings.sudden_change.get(cases.target)
    if step is not None:
        yield "change", "rise", change > step
        yield "change", "fall", change < -step
        yield "change", "steady", np.abs(change) <= step


def _flatten(data: xr.Dataset, chosen: NDArray[np.bool_]) -> xr.Dataset:
    pick = chosen.ravel()
    flat = {}
    for name, array in data.items():
        kept = tuple(dim for dim in array.dims if dim not in CASE_DIMS)
        values = array.transpose(*kept, *CASE_DIMS).to_numpy()
        values = values.reshape(*values.shape[: len(kept)], -1)[..., pick]
        flat[name] = ((*kept, "case"), values)
    return xr.Dataset(flat, coords={"model": data["model"], "lead_day": data["lead_day"]})
