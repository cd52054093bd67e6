"""Features of one lead: the anchor, the season of the target day and the course of the weather up to it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from yrd_airq.forecast.components import Components, stack
from yrd_airq.forecast.features import CATEGORICAL, Features, Known, calendar_features, group_of
from yrd_airq.forecast.outlook import Outlook
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.settings import FeatureSettings

Array = NDArray[np.float64]

# The variables whose values far upwind say what air comes: its warmth and moisture.
_CARRIED = ("t2m_c", "rh_pct")
_SEASONAL = ("t2m_c", "rh_pct", "u10_ms", "v10_ms", "wind_log")
_BEFORE_COMPONENTS = 12


def lead_features(
    panel: Panel,
    known: Known,
    *,
    normal: Array,
    anchor: Array,
    lead: int,
    issue: NDArray[np.int64],
    outlook: Outlook | None,
    components: Components | None,
    groups: FeatureSettings,
) -> Features:
    """Features of lead ``lead`` for the issue dates at the positions ``issue`` of the panel.

    ``normal`` (seasonal normal of the target day) and ``anchor`` (the forecast the model corrects) have
    the shape (city, issue date). ``outlook`` is the weather up to the target day for these issue dates, None
    for a forecast without weather; ``components`` those of its regional field. Features of the groups that
    ``groups`` is without are not made part of the result.
    """
    target_days = panel.dates[issue] + pd.Timedelta(days=lead)
    columns = {name: array[:, issue] for name, array in known.arrays.items()}
    columns["anchor"] = anchor
    columns["normal"] = normal
    columns["anomaly_lag1"] = (known.last - known.normal_last)[:, issue]
    columns |= calendar_features(target_days, anchor.shape, known.seasonal)
    essential = [anchor, normal, columns["lag1"]]
    if outlook is not None:
        for name in outlook.weather:
            columns |= _course(outlook, name, lead)
            essential.append(columns[name])
        columns |= _interactions(columns)
        columns |= known.air.upwind(outlook, issue, lead)
        carried = [name for name in _CARRIED if name in outlook.weather]
        columns |= known.air.weather_upwind(outlook, carried, lead)
        if components is not None:
            columns |= _regional(outlook, components, lead, target_days)
    columns["lon"], columns["lat"] = (np.broadcast_to(x[:, None], anchor.shape) for x in panel.lonlat.T)
    columns[CATEGORICAL] = np.broadcast_to(np.arange(anchor.shape[0], dtype=float)[:, None], anchor.shape)
    complete = np.logical_and.reduce([np.isfinite(array) for array in essential])
    return _pack(columns, complete, groups)


def _pack(columns: Mapping[str, Array], complete: NDArray[np.bool_], groups: FeatureSettings) -> Features:
    names = tuple(name for name in columns if group_of(name, groups.groups) not in groups.without)
    array = np.empty((*complete.shape, len(names)), dtype=np.float32)
    for k, name in enumerate(names):
        array[:, :, k] = columns[name]
    return Features(names, array, complete)


def _course(outlook: Outlook, name: str, lead: int) -> dict[str, Array]:
    """One weather variable from the issue date to the target day, for the city and for the region."""
    days = [outlook.at(name, day) for day in range(lead + 1)]
    region = [np.broadcast_to(day.mean(axis=0), day.shape) for day in days[lead - 1 :]]
    return {
        name: days[lead],
        f"{name}_before": days[lead - 1],
        f"{name}_way": np.mean(days[:lead], axis=0),
        f"{name}_change": days[lead] - days[0],
        f"{name}_region": region[1],
        f"{name}_region_before": region[0],
    }


def _interactions(columns: Mapping[str, Array]) -> dict[str, Array]:
    """Products that a linear model cannot find itself: curvature, warm moist air, weather by season."""
    found: dict[str, Array] = {}
    if "wind_ms" in columns:
        found |= {
            f"wind_log{day}": np.log(0.3 + np.maximum(columns[f"wind_ms{day}"], 0)) for day in ("", "_before")
        }
    if "t2m_c" in columns:
        warm = columns["t2m_c"] - 15.0
        found["t2m_c_squared"] = warm**2
        if "rh_pct" in columns:
            found["t2m_c_by_rh"] = warm * columns["rh_pct"]
    if "rh_pct" in columns:
        found["rh_pct_squared"] = columns["rh_pct"] ** 2
    for name in _SEASONAL:
        value = found.get(name, columns.get(name))
        if value is not None:
            found |= {f"{name}_by_{wave}": value * columns[f"season_{wave}"] for wave in ("cos", "sin")}
    return found


def _regional(
    outlook: Outlook, components: Components, lead: int, target_days: pd.DatetimeIndex
) -> dict[str, Array]:
    """Components of the region's weather on the target day and, fewer, on the day before."""
    columns: dict[str, Array] = {}
    for day, label, count in ((lead, "", None), (lead - 1, "_before", _BEFORE_COMPONENTS)):
        rows = stack([outlook.at(name, day).astype(float) for name in outlook.weather])
        found = components.of(rows, target_days - pd.Timedelta(days=lead - day))[:count]
        shape = (outlook.cities, len(target_days))
        columns |= {f"sky{label}_{k}": np.broadcast_to(series, shape) for k, series in enumerate(found)}
    return columns
