"""Small station networks made in memory, as frames and as the batches that a file would bring."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from yrd_airq.clock import day_labels
from yrd_airq.sources.batch import SCHEMAS, Batch, Kind, refused_table
from yrd_airq.vocab import Pollutant

NANJING, SUZHOU = "320100", "320500"


def station_list(**adcode_of: str | None) -> pd.DataFrame:
    """One counted station for each keyword, in the city given (None: in no known city)."""
    return pd.DataFrame(
        {"station_code": list(adcode_of), "adcode": list(adcode_of.values()), "counted": True}
    )


def frame(columns: Mapping[str, object], first: date, last: date | None = None) -> pd.DataFrame:
    """Hourly frame of whole days; a column is one number or an array of all hours."""
    labels = day_labels(first, last or first)
    data = {code: np.broadcast_to(np.asarray(v, dtype=float), len(labels)) for code, v in columns.items()}
    return pd.DataFrame(data, index=labels)


def rough_air(first: date, last: date, codes: Sequence[str], seed: int = 1) -> dict[Pollutant, pd.DataFrame]:
    """Plausible whole-number values of every pollutant without any fault, 5 % of them missing."""
    random = np.random.default_rng(seed)
    labels = day_labels(first, last)
    air = {}
    for pollutant in Pollutant:
        values = random.integers(20, 60, (len(labels), len(codes))).astype(float)
        values[random.random(values.shape) < 0.05] = np.nan
        air[pollutant] = pd.DataFrame(values / (50 if pollutant is Pollutant.CO else 1), labels, list(codes))
    # Coarse particles hold the fine ones.
    air[Pollutant.PM10] = air[Pollutant.PM10] + air[Pollutant.PM25].fillna(40)
    return air


def values_batch(air: Mapping[Pollutant, pd.DataFrame], name: str) -> Batch:
    """The values of the frames as a file would bring them; missing ones are left out."""
    parts = []
    for pollutant, hourly in air.items():
        hour, station = np.nonzero(hourly.notna().to_numpy())
        columns = [
            pa.array(hourly.columns.to_numpy()[station].astype(str).tolist()),
            pa.array(hourly.index.to_numpy()[hour]),
            pa.array([pollutant.value] * len(hour)),
            pa.array(hourly.to_numpy()[hour, station]),
        ]
        schema = SCHEMAS[Kind.STATIONS]
        table = pa.Table.from_arrays(
            [c.cast(f.type) for c, f in zip(columns, schema, strict=True)], schema=schema
        )
        parts.append(table)
    rows = pa.concat_tables(parts)
    digest = hashlib.sha256(repr(rows.to_pydict()).encode()).hexdigest()
    return Batch(Kind.STATIONS, "test", name, digest, rows, refused_table([]), rows.num_rows)


def list_batch(stations: pd.DataFrame, name: str) -> Batch:
    """A station list as a file would bring it; columns that it lacks are unknown."""
    schema = SCHEMAS[Kind.STATION_LIST]
    columns = {"name_zh": stations["station_code"], "city_zh": "", "background": False, **stations}
    rows = pa.Table.from_pandas(
        pd.DataFrame(columns).reindex(columns=schema.names).astype(object).where(lambda f: f.notna(), None),
        schema=schema,
        preserve_index=False,
    )
    digest = hashlib.sha256((name + repr(rows.to_pydict())).encode()).hexdigest()
    return Batch(Kind.STATION_LIST, "test", name, digest, rows, refused_table([]), rows.num_rows)
