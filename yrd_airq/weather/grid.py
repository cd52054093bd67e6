"""Gridded weather files as one canonical dataset: the best field known at the issue time for every step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from yrd_airq.clock import day_labels, day_of_label
from yrd_airq.errors import InputError
from yrd_airq.sources.netcdf_layout import COMPOSITION, SURFACE, UPPER
from yrd_airq.vocab import WeatherKind
from yrd_airq.weather.fields import Area, header_of, instants, read_fields
from yrd_airq.weather.points import at_points

__all__ = ["LEVEL_WINDS", "SURFACE_WINDS", "at_points", "covered_days", "open_weather", "weather_for"]

SURFACE_WINDS = ("u10_ms", "v10_ms")
LEVEL_WINDS = ("u_ms", "v_ms")


def open_weather(path: Path, area: Area | None = None) -> xr.Dataset:
    """All fields of one weather file in canonical names and units, cut to ``area`` if one is given.

    Dimensions ``time`` (naive Beijing, the instant a field stands for: the stamp itself, or 12:00 of
    the day for daily means), ``lat`` and ``lon`` and where there are levels ``level`` (hPa), all rising.
    Variables as far as the file has them: ``u10_ms v10_ms t2m_k rh_pct sp_pa blh_m precip_mmh ssrd_wm2
    tcc``, on levels ``u_ms v_ms w_pas t_k q_kgkg z_m``, composition ``pm25_ugm3 pm10_ugm3 o3_ugm3 no2_ugm3
    so2_ugm3 co_mgm3``; per time ``kind``, ``step_hours`` and ``lead_hours`` (blank for analyses).
    Attributes ``kind`` (analysis or forecast), ``issue_time`` ('' if none), ``step_hours``, ``layout``
    and ``missing`` (absent stamps inside the run). Raises ``InputError``.
    """
    return read_fields(path, None, None, area)


def weather_for(
    files: pd.DataFrame,
    first: datetime,
    last: datetime,
    issue_time: datetime,
    needs: tuple[str, ...] = SURFACE_WINDS,
    area: Area | None = None,
) -> xr.Dataset:
    """The best known field for every step that covers the hours ``first`` … ``last`` (Beijing, hour-ending).

    ``files`` has the canonical WEATHER columns (``path`` is read). A field whose time has ended at
    ``issue_time`` comes from an analysis; later ones from the newest forecast issued by then, else
    from an analysis (perfect prognosis; its ``kind`` stays ``analysis``). Forecasts issued later are
    never used. Equal candidates: finer step first, then the order of ``files`` (the store has the newest
    first). Only files that have all of ``needs`` count, and fields of the kind of ``needs`` are given:
    those of the surface, of levels (``LEVEL_WINDS``) or of composition. ``area`` (west, south, east,
    north) cuts large grids when they are read. The dataset carries ``kind``, ``step_hours`` and
    ``lead_hours`` per time. Raises ``InputError`` for hours without winds, blank winds, winds that are
    nought everywhere, values that cannot be in the stated unit, and files that are gone.
    """
    hours = pd.date_range(pd.Timestamp(first).ceil("h"), pd.Timestamp(last).ceil("h"), freq="h")
    if hours.empty:
        raise InputError(f"weather asked from {first} to {last}: the span is empty")
    candidates = _candidates(files, hours[0], hours[-1], pd.Timestamp(issue_time), needs)
    position, chosen = _choose(candidates, hours, pd.Timestamp(issue_time))
    _require_all(hours, chosen, len(candidates), needs)
    names = tuple(
        name for group in (SURFACE, UPPER, COMPOSITION) if set(group) & set(needs) for name in group
    )
    parts = []
    for index, candidate in enumerate(candidates):
        wanted = np.unique(position[index, chosen == index])
        own_hour = hours.get_indexer(candidate.times[wanted].ceil("h"))
        # A field stays only if no better one serves the instant it stands for.
        wanted = wanted[(own_hour < 0) | (chosen[own_hour] == index)]
        if wanted.size:
            parts.append(read_fields(candidate.path, wanted, names, area))
    return _join(parts)


def covered_days(
    files: pd.DataFrame,
    first: date,
    last: date,
    issue_time: datetime,
    needs: tuple[str, ...] = SURFACE_WINDS,
) -> pd.DatetimeIndex:
    """Days ``first`` … ``last`` of which ``weather_for`` can serve every hour, as midnight stamps."""
    hours = day_labels(first, last)
    candidates = _candidates(files, hours[0], hours[-1], pd.Timestamp(issue_time), needs)
    _, chosen = _choose(candidates, hours, pd.Timestamp(issue_time))
    served = pd.Series(chosen >= 0, index=day_of_label(hours)).groupby(level=0).all()
    return pd.DatetimeIndex(served.index[served])


@dataclass(frozen=True)
class _Candidate:
    """One file that may serve: its fields' instants and ends, and when it was issued (analyses: never)."""

    path: Path
    times: pd.DatetimeIndex
    ends: pd.DatetimeIndex
    steps: pd.TimedeltaIndex
    issue_time: pd.Timestamp | None


def _candidates(
    files: pd.DataFrame,
    first: pd.Timestamp,
    last: pd.Timestamp,
    issue_time: pd.Timestamp,
    needs: tuple[str, ...],
) -> list[_Candidate]:
    """Files with the needs that reach into the span and were issued in time, best first among equals."""
    day = pd.Timedelta(days=1)
    near = (pd.to_datetime(files["last_time"]) + day >= first) & (
        pd.to_datetime(files["first_time"]) - day <= last
    )
    in_time = files["issue_time"].isna() | (pd.to_datetime(files["issue_time"]) <= issue_time)
    found = []
    for path in files.loc[near & in_time, "path"].drop_duplicates():
        header = header_of(Path(path))
        late = header.issue_time is not None and header.issue_time > issue_time
        if late or not set(needs) <= set(header.variables):
            continue
        ends = header.stamps + pd.Timedelta(days=1 if header.step_hours == 24 else 0)
        steps = pd.to_timedelta(header.steps, unit="h")
        found.append(_Candidate(Path(path), instants(header), ends, steps, header.issue_time))
    epoch = pd.Timestamp(0)
    return sorted(found, key=lambda c: (-(c.issue_time or epoch).value, c.steps.min()))


def _choose(
    candidates: Sequence[_Candidate], hours: pd.DatetimeIndex, issue_time: pd.Timestamp
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Field position per (file, hour) and the file that serves each hour; −1 for none."""
    position = np.full((len(candidates), len(hours)), -1, dtype=np.int64)
    rank = np.full(position.shape, 9, dtype=np.int64)
    for index, candidate in enumerate(candidates):
        at = candidate.ends.searchsorted(hours, side="left")
        kept = np.minimum(at, len(candidate.ends) - 1)
        end = candidate.ends[kept]
        covered = (at < len(candidate.ends)) & (hours > end - candidate.steps[kept])
        position[index, covered] = at[covered]
        over = np.where(end <= issue_time, 0, 2) if candidate.issue_time is None else np.ones(len(hours), int)
        rank[index] = np.where(covered, over, 9)
    if not candidates:
        return position, np.full(len(hours), -1, dtype=np.int64)
    best = rank.argmin(axis=0)
    return position, np.where(rank.min(axis=0) < 9, best, -1)


def _require_all(
    hours: pd.DatetimeIndex, chosen: NDArray[np.int64], files: int, needs: tuple[str, ...]
) -> None:
    missing = hours[chosen < 0]
    if missing.empty:
        return
    starts = missing[np.r_[True, np.diff(missing.values) > np.timedelta64(1, "h")]]
    ends = missing[np.r_[np.diff(missing.values) > np.timedelta64(1, "h"), True]]
    spans = [f"{a:%Y-%m-%d %H:%M} … {b:%Y-%m-%d %H:%M}" for a, b in zip(starts[:3], ends[:3], strict=True)]
    more = f" and {len(starts) - 3} more gap(s)" if len(starts) > 3 else ""
    what = "winds" if needs == SURFACE_WINDS else ", ".join(needs)
    raise InputError(
        f"no {what} for {len(missing)} of {len(hours)} hours ({files} file(s) reach into the span): "
        f"{'; '.join(spans)}{more}; ingest weather files that cover them"
    )


def _join(parts: Sequence[xr.Dataset]) -> xr.Dataset:
    """Parts on one grid (that of the earliest part, cut to the area all share), ordered by time."""
    ordered = sorted(parts, key=lambda part: (part["time"].values[0], part.attrs["issue_time"]))
    grid = ordered[0]
    lat, lon = grid["lat"].values, grid["lon"].values
    if any(not (np.array_equal(p["lat"], lat) and np.array_equal(p["lon"], lon)) for p in ordered[1:]):
        lat = _within(lat, [part["lat"].values for part in ordered])
        lon = _within(lon, [part["lon"].values for part in ordered])
        ordered = [part.interp(lat=lat, lon=lon, method="linear", assume_sorted=True) for part in ordered]
    if any("level" in part.coords for part in ordered):
        shared = set.intersection(*(set(part["level"].values.tolist()) for part in ordered))
        if not shared:
            raise InputError(
                "the weather files of the span share no pressure level; ingest files of the same levels"
            )
        ordered = [part.sel(level=sorted(shared)) for part in ordered]
    joined = xr.concat(ordered, dim="time", data_vars="all", join="override", combine_attrs="drop").sortby(
        "time"
    )
    kinds = sorted(set(joined["kind"].values.tolist()))
    layouts = sorted({part.attrs["layout"] for part in parts})
    joined.attrs = {
        "kind": WeatherKind.FORECAST.value if WeatherKind.FORECAST in kinds else WeatherKind.ANALYSIS.value,
        "issue_time": max(part.attrs["issue_time"] for part in parts),
        "step_hours": int(joined["step_hours"].max()),
        "layout": "+".join(layouts),
    }
    return joined


def _within(axis: NDArray[np.float64], axes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    low, high = max(a.min() for a in axes), min(a.max() for a in axes)
    kept = axis[(axis >= low) & (axis <= high)]
    if kept.size < 2:
        raise InputError("the weather files of the span share no area; ingest files of one area")
    return kept
