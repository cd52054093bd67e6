"""Gridded weather files as one canonical dataset: the best field known at the issue time for every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from yrd_airq.clock import day_labels, day_of_label
from yrd_airq.errors import InputError
from yrd_airq.sources import netcdf_header
from yrd_airq.sources.netcdf_header import Header
from yrd_airq.vocab import WeatherKind

_HOUR = pd.Timedelta(hours=1)
_NOON = pd.Timedelta(hours=12)
_RANGES = {
    "u10_ms": (-120.0, 120.0, "m/s"),
    "v10_ms": (-120.0, 120.0, "m/s"),
    "t2m_k": (180.0, 340.0, "K"),
    "sp_pa": (40_000.0, 110_000.0, "Pa"),
}


def open_weather(path: Path) -> xr.Dataset:
    """All fields of one weather file in canonical names and units.

    Dimensions ``time`` (naive Beijing, the instant a field stands for: the stamp itself, or 12:00 of
    the day for daily means), ``lat`` and ``lon``, both rising. Variables ``u10_ms v10_ms t2m_k rh_pct
    sp_pa [blh_m precip_mmh ssrd_wm2 tcc]`` as far as the file has them. Attributes ``kind``
    (analysis or forecast), ``issue_time`` ('' if none), ``step_hours``. Raises ``InputError``.
    """
    return _read_fields(path, None)


def weather_for(files: pd.DataFrame, first: datetime, last: datetime, issue_time: datetime) -> xr.Dataset:
    """The best known field for every step that covers the hours ``first`` … ``last`` (Beijing, hour-ending).

    ``files`` has the canonical WEATHER columns (``path`` is read). A field whose time has ended at
    ``issue_time`` comes from an analysis; later ones from the newest forecast issued by then, else
    from an analysis (perfect prognosis; its ``kind`` stays ``analysis``). Forecasts issued later are
    never used. Equal candidates: finer step first, then the order of ``files`` (the store has the newest
    first). The dataset carries ``kind`` and
    ``step_hours`` per time. Raises ``InputError`` for hours without winds, blank winds, values that
    cannot be in the stated unit, and files that are gone.
    """
    hours = pd.date_range(pd.Timestamp(first).ceil("h"), pd.Timestamp(last).ceil("h"), freq="h")
    if hours.empty:
        raise InputError(f"weather asked from {first} to {last}: the span is empty")
    candidates = _candidates(files, hours[0], hours[-1], pd.Timestamp(issue_time))
    position, chosen = _choose(candidates, hours, pd.Timestamp(issue_time))
    _require_all(hours, chosen, len(candidates))
    parts = []
    for index, candidate in enumerate(candidates):
        wanted = np.unique(position[index, chosen == index])
        own_hour = hours.get_indexer(candidate.times[wanted].ceil("h"))
        # A field stays only if no better one serves the instant it stands for.
        wanted = wanted[(own_hour < 0) | (chosen[own_hour] == index)]
        if wanted.size:
            parts.append(_read_fields(candidate.path, wanted))
    return _join(parts)


def covered_days(files: pd.DataFrame, first: date, last: date, issue_time: datetime) -> pd.DatetimeIndex:
    """Days ``first`` … ``last`` of which ``weather_for`` can serve every hour, as midnight stamps."""
    hours = day_labels(first, last)
    candidates = _candidates(files, hours[0], hours[-1], pd.Timestamp(issue_time))
    _, chosen = _choose(candidates, hours, pd.Timestamp(issue_time))
    served = pd.Series(chosen >= 0, index=day_of_label(hours)).groupby(level=0).all()
    return pd.DatetimeIndex(served.index[served])


def at_points(weather: xr.Dataset, lon: ArrayLike, lat: ArrayLike) -> xr.Dataset:
    """Bilinear values at points, dimensions (time, point); blank outside the grid."""
    numeric = weather[[name for name in weather.data_vars if "lat" in weather[name].dims]]
    return numeric.interp(
        lon=xr.DataArray(np.asarray(lon, dtype=float), dims="point"),
        lat=xr.DataArray(np.asarray(lat, dtype=float), dims="point"),
        method="linear",
    )


def relative_humidity(t2m_k: ArrayLike, d2m_k: ArrayLike) -> NDArray[np.float64]:
    """Relative humidity (%) from temperature and dew point (K), Magnus formula.

    Coefficients 17.625 and 243.04 °C over water: Alduchov and Eskridge 1996, J. Appl. Meteor. 35, 601.
    """
    t, d = (np.asarray(x, dtype=float) - 273.15 for x in (t2m_k, d2m_k))
    ratio = np.exp(17.625 * d / (243.04 + d) - 17.625 * t / (243.04 + t))
    return np.clip(100 * ratio, 0, 100)


@dataclass(frozen=True)
class _Candidate:
    """One file that may serve: its fields' instants and ends, and when it was issued (analyses: never)."""

    path: Path
    times: pd.DatetimeIndex
    ends: pd.DatetimeIndex
    step: pd.Timedelta
    issue_time: pd.Timestamp | None


def _candidates(
    files: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp, issue_time: pd.Timestamp
) -> list[_Candidate]:
    """Files that reach into the span and were issued in time, best first among equals."""
    day = pd.Timedelta(days=1)
    near = (pd.to_datetime(files["last_time"]) + day >= first) & (
        pd.to_datetime(files["first_time"]) - day <= last
    )
    in_time = files["issue_time"].isna() | (pd.to_datetime(files["issue_time"]) <= issue_time)
    found = []
    for path in files.loc[near & in_time, "path"].drop_duplicates():
        with netcdf_header.opened(Path(path)) as dataset:
            header = netcdf_header.describe(dataset, Path(path).name)
        if header.issue_time is None or header.issue_time <= issue_time:
            ends = header.stamps + pd.Timedelta(days=1 if header.step_hours == 24 else 0)
            step = pd.Timedelta(hours=header.step_hours)
            found.append(_Candidate(Path(path), _instants(header), ends, step, header.issue_time))
    epoch = pd.Timestamp(0)
    return sorted(found, key=lambda c: (-(c.issue_time or epoch).value, c.step))


def _choose(
    candidates: Sequence[_Candidate], hours: pd.DatetimeIndex, issue_time: pd.Timestamp
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Field position per (file, hour) and the file that serves each hour; −1 for none."""
    position = np.full((len(candidates), len(hours)), -1, dtype=np.int64)
    rank = np.full(position.shape, 9, dtype=np.int64)
    for index, candidate in enumerate(candidates):
        at = candidate.ends.searchsorted(hours, side="left")
        end = candidate.ends[np.minimum(at, len(candidate.ends) - 1)]
        covered = (at < len(candidate.ends)) & (hours > end - candidate.step)
        position[index, covered] = at[covered]
        over = np.where(end <= issue_time, 0, 2) if candidate.issue_time is None else np.ones(len(hours), int)
        rank[index] = np.where(covered, over, 9)
    if not candidates:
        return position, np.full(len(hours), -1, dtype=np.int64)
    best = rank.argmin(axis=0)
    return position, np.where(rank.min(axis=0) < 9, best, -1)


def _require_all(hours: pd.DatetimeIndex, chosen: NDArray[np.int64], files: int) -> None:
    missing = hours[chosen < 0]
    if missing.empty:
        return
    starts = missing[np.r_[True, np.diff(missing.values) > np.timedelta64(1, "h")]]
    ends = missing[np.r_[np.diff(missing.values) > np.timedelta64(1, "h"), True]]
    spans = [f"{a:%Y-%m-%d %H:%M} … {b:%Y-%m-%d %H:%M}" for a, b in zip(starts[:3], ends[:3], strict=True)]
    more = f" and {len(starts) - 3} more gap(s)" if len(starts) > 3 else ""
    raise InputError(
        f"no winds for {len(missing)} of {len(hours)} hours ({files} file(s) reach into the span): "
        f"{'; '.join(spans)}{more}; ingest weather files that cover them"
    )


def _instants(header: Header) -> pd.DatetimeIndex:
    return header.stamps + _NOON if header.step_hours == 24 else header.stamps


def _read_fields(path: Path, positions: NDArray[np.int64] | None) -> xr.Dataset:
    """Fields at ``positions`` (all if None) of one file, canonical, checked."""
    with netcdf_header.opened(path) as dataset:
        header = netcdf_header.describe(dataset, path.name)
        at = np.arange(len(header.stamps)) if positions is None else positions
        part = dataset[list(header.names.values())].isel({header.dims[0]: at})
        raw = {key: _plain(part[name], header) for key, name in header.names.items()}
    coords = {"time": _instants(header)[at], "lat": header.lat, "lon": header.lon}
    out = xr.Dataset(
        {key: (("time", "lat", "lon"), field) for key, field in _derive(raw, header.step_hours).items()},
        coords=coords,
    ).sortby(["lat", "lon"])
    out["kind"] = ("time", np.full(len(at), header.kind.value, dtype=object))
    out["step_hours"] = ("time", np.full(len(at), header.step_hours))
    issued = "" if header.issue_time is None else header.issue_time.isoformat()
    out.attrs = {"kind": header.kind.value, "issue_time": issued, "step_hours": header.step_hours}
    _check_values(out, path.name)
    return out


def _plain(field: xr.DataArray, header: Header) -> NDArray[np.float64]:
    """Values in the order time, latitude, longitude; other dimensions are of size one and dropped."""
    extra = [dim for dim in field.dims if dim not in header.dims]
    return field.isel(dict.fromkeys(extra, 0)).transpose(*header.dims).values.astype(float)


def _derive(raw: dict[str, NDArray[np.float64]], step_hours: int) -> dict[str, NDArray[np.float64]]:
    """Humidity from the dew point; rain and radiation from sums over an hour (daily files: over the day).

    ERA5 single-level sums are over the hour that ends at the stamp, whatever the step of the download.
    """
    fields = {key: value for key, value in raw.items() if key != "d2m_k"}
    if "rh_pct" not in raw and {"d2m_k", "t2m_k"} <= set(raw):
        fields["rh_pct"] = relative_humidity(raw["t2m_k"], raw["d2m_k"])
    hours = 24 if step_hours == 24 else 1
    if "precip_mmh" in raw:
        fields["precip_mmh"] = np.clip(raw["precip_mmh"], 0, None) * 1000 / hours
    if "ssrd_wm2" in raw:
        fields["ssrd_wm2"] = np.clip(raw["ssrd_wm2"], 0, None) / (3600 * hours)
    return fields


def _check_values(weather: xr.Dataset, name: str) -> None:
    for wind in ("u10_ms", "v10_ms"):
        blank = weather[wind].isnull().sum(["lat", "lon"]).values
        if blank.any():
            at = int(np.argmax(blank > 0))
            stamp = pd.Timestamp(weather["time"].values[at])
            raise InputError(
                f"{name}: {wind} is blank at {int(blank[at])} place(s) at {stamp:%Y-%m-%d %H:%M} "
                f"and in {int((blank > 0).sum())} step(s) in all; fetch the file again or cut the area"
            )
    for field, (low, high, unit) in _RANGES.items():
        if field in weather and bool(((weather[field] < low) | (weather[field] > high)).any()):
            raise InputError(f"{name}: {field} leaves {low:g} … {high:g} {unit}; wrong unit or damaged file")


def _join(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """Parts on one grid (that of the earliest part, cut to the area all share), ordered by time."""
    ordered = sorted(parts, key=lambda part: (part["time"].values[0], part.attrs["issue_time"]))
    grid = ordered[0]
    lat, lon = grid["lat"].values, grid["lon"].values
    if any(not (np.array_equal(p["lat"], lat) and np.array_equal(p["lon"], lon)) for p in ordered[1:]):
        lat = _within(lat, [part["lat"].values for part in ordered])
        lon = _within(lon, [part["lon"].values for part in ordered])
        ordered = [part.interp(lat=lat, lon=lon, method="linear", assume_sorted=True) for part in ordered]
    joined = xr.concat(ordered, dim="time", data_vars="all", join="override", combine_attrs="drop").sortby(
        "time"
    )
    kinds = sorted(set(joined["kind"].values.tolist()))
    joined.attrs = {
        "kind": WeatherKind.FORECAST.value if WeatherKind.FORECAST in kinds else WeatherKind.ANALYSIS.value,
        "issue_time": max(part.attrs["issue_time"] for part in parts),
        "step_hours": int(joined["step_hours"].max()),
    }
    return joined


def _within(axis: NDArray[np.float64], axes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    low, high = max(a.min() for a in axes), min(a.max() for a in axes)
    kept = axis[(axis >= low) & (axis <= high)]
    if kept.size < 2:
        raise InputError("the weather files of the span share no area; ingest files of one area")
    return kept
