"""Batches and frames for the store, made in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import pandas as pd
import pyarrow as pa

from yrd_airq.sources.batch import SCHEMAS, Batch, Kind, Refusal, refused_table

START = datetime(2019, 1, 1)


def batch_of(kind: Kind, rows: Iterable[Sequence[object]], name: str = "a.csv", refused: int = 0) -> Batch:
    """Rows as tuples in canonical order, what they leave out null; the content hash follows from them."""
    listed = [tuple(row) for row in rows]
    schema = SCHEMAS[kind]
    listed = [row + (None,) * (len(schema) - len(row)) for row in listed]
    columns = [pa.array([row[k] for row in listed], type=field.type) for k, field in enumerate(schema)]
    digest = hashlib.sha256(repr((name, listed)).encode()).hexdigest()
    bad = refused_table(Refusal(k + 1, "x", "not a number; left out", "abc", 1) for k in range(refused))
    table = pa.Table.from_arrays(columns, schema=schema)
    return Batch(kind, "test", name, digest, table, bad, table.num_rows + refused)


def stations(values: dict[tuple[str, int, str], float], name: str = "a.csv", refused: int = 0) -> Batch:
    """Hourly values keyed by station, hour since ``START`` and item."""
    rows = [
        (code, START + timedelta(hours=hour), item, value) for (code, hour, item), value in values.items()
    ]
    return batch_of(Kind.STATIONS, rows, name, refused)


def cities(rows: Iterable[tuple[str, str, date, str, float]], name: str = "c.csv") -> Batch:
    return batch_of(Kind.CITIES, rows, name)


def station_list(rows: Iterable[tuple[str, str]], name: str = "list.csv") -> Batch:
    """Stations as code and name."""
    return batch_of(
        Kind.STATION_LIST,
        [(code, label, "上海", "310000", True, False, 121.4, None, None, None, None) for code, label in rows],
        name,
    )


def enterprises(ids: Iterable[str], name: str = "plants.csv", grade: str | None = None) -> Batch:
    rows = [
        (
            i,
            f"厂{i}",
            "330100",
            120.1,
            30.2,
            "cement",
            grade,
            False,
            None,
            1.0,
            None,
            2.0,
            3.0,
            "estimated",
            None,
        )
        for i in ids
    ]
    return batch_of(Kind.ENTERPRISES, rows, name)


def weather(path: str, content: str = "w") -> Batch:
    row = (path, "era5", "analysis", None, START, START, 1.0, 110.0, 123.0, 24.0, 38.0, "u10_ms,v10_ms")
    made = batch_of(Kind.WEATHER, [row], "w.nc")
    return Batch(made.kind, made.layout, made.name, content, made.rows, made.refused, made.rows_in)


def survey(rows: Iterable[tuple[str, int, str, float]], name: str = "s.csv") -> Batch:
    """Readings as trip, second, species and value."""
    full = [
        (run, START + timedelta(seconds=second), 121.0, 31.0, species, value, "ppb", None, None)
        for run, second, species, value in rows
    ]
    return batch_of(Kind.SURVEY, full, name)


def forecast_frame(mean: float = 50.0, cities: Sequence[str] = ("310000", "320100")) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "adcode": list(cities),
            "issue_time": pd.Timestamp("2019-01-05 16:00"),
            "valid_date": pd.Timestamp("2019-01-06"),
            "lead_day": 1,
            "target": "pm25",
            "model": "persistence",
            "mean": mean,
            "q10": mean - 10,
            "q50": mean,
            "q90": float("nan"),
            "p_exceed": 0.1,
            "call_from": 0.3,
            "weather_kind": "none",
            "basis": "own",
        }
    )


def control_frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "rank": [1, None],
            "enterprise_id": ["E1", "E2"],
            "name_zh": ["甲", "乙"],
            "adcode": "330100",
            "city_zh": "杭州市",
            "sector": "cement",
            "grade": [None, "A"],
            "zone": "core",
            "measure_code": ["stop", None],
            "measure_zh": ["停产", None],
            "start": [pd.Timestamp("2019-01-06"), pd.NaT],
            "end": [pd.Timestamp("2019-01-08"), pd.NaT],
            "reduction_nox_kgd": [10.0, 0.0],
            "reduction_voc_kgd": [1.0, 0.0],
            "reduction_pm_kgd": [1.0, 0.0],
            "reduction_so2_kgd": [1.0, 0.0],
            "benefit_o3_ugm3": [-0.2, 0.0],
            "benefit_pm25_ugm3": [0.3, 0.0],
            "cost_cny": [None, None],
            "stability": [0.9, None],
            "evidence": "传输",
            "reason_zh": "理由",
            "status": ["proposed", "exempt"],
        }
    )
