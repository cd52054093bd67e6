"""Hourly reports in the archive layout of the national network: monthly gzip CSV, a row an hour and type."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pv
from numpy.typing import NDArray

from yrd_airq.standards.aqi import iaqi
from yrd_airq.standards.versions import standard_of
from yrd_airq.vocab import Pollutant

Table = NDArray[np.floating[Any]]

TYPES = (
    "AQI",
    "PM2.5",
    "PM2.5_24h",
    "PM10",
    "PM10_24h",
    "SO2",
    "SO2_24h",
    "NO2",
    "NO2_24h",
    "O3",
    "O3_24h",
    "O3_8h",
    "O3_8h_24h",
    "CO",
    "CO_24h",
)
"""The 15 types in the order of the archive's rows."""

_POLLUTANT_OF = {
    "PM2.5": Pollutant.PM25,
    "PM10": Pollutant.PM10,
    "SO2": Pollutant.SO2,
    "NO2": Pollutant.NO2,
    "O3": Pollutant.O3,
    "CO": Pollutant.CO,
}
_LARGEST = 10_000
# Fewest hours of a running 24-h value, as the daily rule of GB 3095 (20 hours) asks.
_FEWEST_OF_DAY = 20


def write_archive(
    folder: Path, times: pd.DatetimeIndex, codes: list[str], hourly: Mapping[Pollutant, Table]
) -> tuple[Path, ...]:
    """Write ``hourly`` (time, station; labels ``times`` from an hour 01:00 on) as one file a month.

    CO is in mg/m³ with one decimal, the rest in whole µg/m³; hours without any report are left out as
    rows, as the archive does. Returns the files in order of time.
    """
    cells, reported = _cells(times, hourly)
    month = np.asarray(times.year * 100 + times.month)
    return tuple(
        _write_rows(
            folder / f"national_yrd_{stamp}.csv.gz",
            times[(month == stamp) & reported],
            codes,
            cells[(month == stamp) & reported],
        )
        for stamp in np.unique(month[reported])
    )


def write_arrivals(
    path: Path,
    times: pd.DatetimeIndex,
    codes: list[str],
    hourly: Mapping[Pollutant, Table],
    arrived: NDArray[np.bool_],
) -> Path:
    """Write the hours of ``hourly`` that have ``arrived`` (time), new or corrected, as one file.

    Running values rest on the days before, of which ``hourly`` must hold at least one.
    """
    first = times[arrived][0].floor("D") - pd.Timedelta(days=1)
    near = np.asarray((times > first) & (times <= times[arrived][-1]))
    cells, reported = _cells(times[near], {pollutant: table[near] for pollutant, table in hourly.items()})
    shown = arrived[near] & reported
    return _write_rows(path, times[near][shown], codes, cells[shown])


def _cells(times: pd.DatetimeIndex, hourly: Mapping[Pollutant, Table]) -> tuple[Table, NDArray[np.bool_]]:
    """Cells (time, type, station) and the hours of which anything was reported."""
    types = released(times, hourly)
    cells = np.stack([types[name] for name in TYPES], axis=1)
    measured = cells[:, [TYPES.index(name) for name in _POLLUTANT_OF]]
    return cells, np.isfinite(measured).sum(axis=(1, 2)) > 0


def released(times: pd.DatetimeIndex, hourly: Mapping[Pollutant, Table]) -> dict[str, Table]:
    """All types of the archive (time, station) from the hourly reports.

    Running values as the publisher's archive shows them: ``_24h`` means of the past 24 labels, ``O3_24h``
    their largest, ``O3_8h`` the mean of up to 8 labels of the same natural day, ``O3_8h_24h`` its
    largest so far, and at the label 00:00 the day's official value (windows that end 08:00 … 24:00).
    """
    types: dict[str, Table] = {}
    for name, pollutant in _POLLUTANT_OF.items():
        window = pd.DataFrame(hourly[pollutant]).rolling(24, min_periods=_FEWEST_OF_DAY)
        types[name] = hourly[pollutant]
        running = window.max() if pollutant is Pollutant.O3 else window.mean()
        types[f"{name}_24h"] = np.round(running.to_numpy(), 1 if pollutant is Pollutant.CO else 0)
    types["O3_8h"], types["O3_8h_24h"] = _running_o3(hourly[Pollutant.O3])
    standard = standard_of(times[0].date())
    index = [iaqi(f"{pollutant.value}_1h", hourly[pollutant], standard) for pollutant in Pollutant]
    types["AQI"] = np.fmax.reduce(index)
    return types


def _running_o3(ozone: Table) -> tuple[Table, Table]:
    """``O3_8h`` and ``O3_8h_24h`` of hourly ozone whose first row is the label 01:00 of a day."""
    hours, stations = ozone.shape
    days = -(-hours // 24)
    padded = np.full((days * 24, stations), np.nan)
    padded[:hours] = ozone
    by_day = padded.reshape(days, 24, stations)
    early = np.full((days, 7, stations), np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([early, by_day], axis=1), 8, axis=1)
    known = np.isfinite(windows)
    total = np.where(known, windows, 0).sum(axis=-1)
    count = known.sum(axis=-1)
    running = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    so_far = np.fmax.accumulate(running, axis=1)
    so_far[:, 23] = np.fmax.reduce(running[:, 7:], axis=1)
    so_far = np.where(np.isfinite(padded.reshape(by_day.shape)) | np.isfinite(so_far), so_far, np.nan)
    shape = (days * 24, stations)
    return np.rint(running.reshape(shape)[:hours]), np.rint(so_far.reshape(shape)[:hours])


def _write_rows(path: Path, times: pd.DatetimeIndex, codes: list[str], cells: Table) -> Path:
    """Rows as gzip CSV without a time stamp in the gzip header, so that bytes repeat."""
    count = len(times)
    keys = [
        np.repeat(times.strftime("%Y%m%d").to_numpy(), len(TYPES)),
        np.repeat(np.asarray(times.hour).astype(str), len(TYPES)),
        np.tile(np.array(TYPES), count),
    ]
    columns = [pa.array(key.tolist(), pa.string()) for key in keys]
    text = _as_text(cells).reshape(count * len(TYPES), len(codes))
    names = pa.array(_WORDS, pa.string())
    columns += [names.take(pa.array(text[:, k])) for k in range(len(codes))]
    table = pa.table(columns, names=["date", "hour", "type", *codes])
    sink = pa.BufferOutputStream()
    pv.write_csv(table, sink, pv.WriteOptions(include_header=False, quoting_style="none"))
    head = ",".join(table.column_names) + "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(head.encode() + sink.getvalue().to_pybytes(), compresslevel=6, mtime=0))
    return path


# Every text a cell can have: blank, whole numbers, then tenths.
_WORDS = ["", *(str(k) for k in range(_LARGEST)), *(f"{k / 10:g}" for k in range(_LARGEST))]


def _as_text(cells: Table) -> NDArray[np.int32]:
    """Position in ``_WORDS`` of each cell of (time, type, station)."""
    tenths = np.array([name.startswith("CO") for name in TYPES])[:, None]
    whole = np.rint(np.nan_to_num(cells) * np.where(tenths, 10, 1)).clip(0, _LARGEST - 1)
    position = 1 + whole + np.where(tenths, _LARGEST, 0)
    return np.where(np.isfinite(cells), position, 0).astype(np.int32)
