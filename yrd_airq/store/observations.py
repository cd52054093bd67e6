"""Reading what was observed: hourly stations as wide frames, the station list, city series, surveys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from yrd_airq.store import archive, schema
from yrd_airq.store.connecting import fetch_row, read_frame
from yrd_airq.store.stations import station_periods
from yrd_airq.vocab import CityDaySource, Pollutant

_Con = duckdb.DuckDBPyConnection
_HOUR = np.timedelta64(1, "h")
_KNOWN = "SELECT batch_id FROM batch WHERE ingested_at <= ?"


def station_hourly(
    con: _Con, items: Sequence[str], first: datetime, last: datetime, known_at: datetime | None
) -> dict[str, pd.DataFrame]:
    """Latest values by item: every hour ``first`` … ``last`` down, sorted station codes across, NaN missing.

    With ``known_at`` only batches taken in by then count. All items have the same columns.
    """
    rows: pa.Table = con.sql(
        """SELECT station_code, item, time, value, batch_id FROM raw_station_hourly
        WHERE list_contains(?, item) AND time BETWEEN ? AND ?
        AND batch_id IN (SELECT batch_id FROM batch WHERE ingested_at <= ?)""",
        params=[[str(item) for item in items], first, last, known_at or datetime.max],
    ).to_arrow_table()
    hours = pd.date_range(pd.Timestamp(first).ceil("h"), pd.Timestamp(last).floor("h"), freq="h", unit="us")
    code, codes = _positions(rows["station_code"])
    item, held = _positions(rows["item"])
    dense = np.full((len(held), len(hours), len(codes)), np.nan)
    if rows.num_rows:
        hour = (rows["time"].to_numpy() - hours[0].to_datetime64()) // _HOUR
        order = _oldest_first(rows["batch_id"].to_numpy())
        # Of repeated positions the last assignment stays, so the newest batch wins.
        dense[item[order], hour[order], code[order]] = rows["value"].to_numpy()[order]
    columns = pd.Index(codes, dtype="str", name="station_code")
    wide: dict[str, pd.DataFrame] = {}
    for name in items:
        known = str(name) in held
        value = dense[held.index(name)] if known else np.full((len(hours), len(codes)), np.nan)
        wide[str(name)] = pd.DataFrame(value, index=hours.rename("time"), columns=columns, copy=False)
    return wide


def _oldest_first(batch: NDArray[np.int64]) -> NDArray[np.int64] | slice:
    """Order in which rows have to be set so that newer batches come later."""
    if np.all(batch[1:] >= batch[:-1]):
        return slice(None)
    return np.argsort(batch, kind="stable")


def _positions(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], list[str]]:
    """Position of each text in the sorted list of distinct texts, and that list."""
    encoded = pc.dictionary_encode(column).unify_dictionaries()
    if encoded.num_chunks == 0:
        return np.empty(0, dtype=np.int64), []
    texts = encoded.chunk(0).dictionary.to_pylist()
    order = sorted(range(len(texts)), key=texts.__getitem__)
    rank = np.empty(len(texts), dtype=np.int64)
    rank[order] = np.arange(len(texts))
    indices = np.concatenate([chunk.indices.to_numpy() for chunk in encoded.chunks])
    return rank[indices], [texts[k] for k in order]


def station_span(con: _Con) -> tuple[datetime, datetime] | None:
    """First and last hour of any station value."""
    row = fetch_row(con, "SELECT min(time), max(time) FROM raw_station_hourly")
    return None if row is None or row[0] is None else (row[0], row[1])


def station_list(con: _Con) -> pd.DataFrame:
    """One row a station and period of validity, put together from every list."""
    return station_periods(
        read_frame(con, "SELECT s.*, b.layout FROM core_station s JOIN batch b USING (batch_id) ORDER BY ALL")
    )


def reporting(con: _Con, month: date) -> pd.DataFrame:
    """Stations and pollutants with any value in the natural days of a month, and the batch of the first."""
    period = pd.Period(month, "M")
    first, last = period.start_time + _HOUR, (period + 1).start_time
    return read_frame(
        con,
        f"""SELECT station_code, item AS pollutant, min(batch_id) AS first_batch FROM raw_station_hourly
        WHERE time BETWEEN ? AND ? AND item IN ({", ".join("?" for _ in Pollutant)})
        GROUP BY ALL ORDER BY ALL""",
        [first.to_pydatetime(), last.to_pydatetime(), *(p.value for p in Pollutant)],
    )


def values_received(con: _Con, first: datetime, last: datetime) -> dict[str, int]:
    """Station hours with a value, by pollutant; a revised value counts once."""
    rows = con.execute(
        f"""SELECT item, count(DISTINCT (station_code, time)) FROM raw_station_hourly
        WHERE time BETWEEN ? AND ? AND item IN ({", ".join("?" for _ in Pollutant)})
        GROUP BY item ORDER BY item""",
        [first, last, *(p.value for p in Pollutant)],
    ).fetchall()
    return {str(item): int(count) for item, count in rows}


def exceptional_events(con: _Con) -> pd.DataFrame:
    """The newest list of exceptional events, in canonical columns."""
    return read_frame(
        con,
        """SELECT * EXCLUDE (batch_id) FROM core_exceptional_event
        WHERE batch_id = (SELECT max(batch_id) FROM core_exceptional_event)
        ORDER BY first_date, adcode, pollutant""",
    )


def city_release(con: _Con, first: datetime | None, last: datetime | None) -> pd.DataFrame:
    """Latest known city values as released."""
    return read_frame(
        con,
        """SELECT adcode, time, item, arg_max(value, batch_id) AS value FROM raw_city_release
        WHERE time BETWEEN ? AND ? GROUP BY ALL ORDER BY ALL""",
        [first or datetime.min, last or datetime.max],
    )


def city_model(
    con: _Con, first: datetime | None, last: datetime | None, known_at: datetime | None
) -> pd.DataFrame:
    """Latest known model values at city points."""
    return read_frame(
        con,
        """SELECT adcode, time, variable, arg_max(value, batch_id) AS value, model, kind, issue_time
        FROM raw_city_model WHERE time BETWEEN ? AND ?
        AND batch_id IN (SELECT batch_id FROM batch WHERE ingested_at <= ?) GROUP BY ALL ORDER BY ALL""",
        [first or datetime.min, last or datetime.max, known_at or datetime.max],
    )


def unlisted_stations(con: _Con) -> pd.DataFrame:
    """Stations with values that no list names: station_code, first_time, last_time, values."""
    return read_frame(
        con,
        """SELECT station_code, min(time) AS first_time, max(time) AS last_time, count(*) AS "values"
        FROM raw_station_hourly
        WHERE station_code NOT IN (SELECT station_code FROM core_station)
        GROUP BY station_code ORDER BY station_code""",
    )


def flags(con: _Con, first: datetime | None, last: datetime | None) -> pd.DataFrame:
    """Quality flags in a window, by station, time and pollutant."""
    return read_frame(
        con,
        f"""SELECT {schema.column_list("core_station_flag")} FROM core_station_flag
        WHERE time BETWEEN ? AND ? ORDER BY station_code, time, pollutant, rule""",
        [first or datetime.min, last or datetime.max],
    )


def city_hourly(con: _Con, first: datetime | None, last: datetime | None) -> pd.DataFrame:
    """Hourly city means in a window: adcode, time, pollutant, value, valid_stations."""
    return read_frame(
        con,
        f"""SELECT {schema.column_list("core_city_hourly")} FROM core_city_hourly
        WHERE time BETWEEN ? AND ? ORDER BY adcode, time, pollutant""",
        [first or datetime.min, last or datetime.max],
    )


def city_daily(con: _Con, source: CityDaySource, first: date | None, last: date | None) -> pd.DataFrame:
    """City-day values of one source: adcode, date, target, value, valid_stations, by city, date, target."""
    if source is CityDaySource.REANALYSIS:
        return archive.reanalysis_daily(con, first, last)
    return read_frame(
        con,
        """SELECT adcode, date, target, value, valid_stations FROM core_city_daily
        WHERE source = ? AND date BETWEEN ? AND ? ORDER BY adcode, date, target""",
        [source.value, first or date.min, last or date.max],
    )


def weather_files(con: _Con, known_at: datetime | None) -> pd.DataFrame:
    """Weather files at their present paths, in the canonical columns, the newest first."""
    return read_frame(
        con,
        f"""SELECT * EXCLUDE (batch_id) FROM core_weather_file
        WHERE batch_id IN ({_KNOWN}) ORDER BY batch_id DESC, path""",
        [known_at or datetime.max],
    )


def enterprises(con: _Con, known_at: datetime | None) -> pd.DataFrame:
    """The newest enterprise list by id, with ``list_version``: the start of its content hash.

    Who is to be called, and by which number, stays in the store. ``continuous`` is true where the list
    says so; a list that does not speak of it leaves that to the rules of the sector.
    """
    return read_frame(
        con,
        f"""SELECT e.* EXCLUDE (batch_id, contact, phone) REPLACE (coalesce(continuous, false) AS continuous),
        b.content_hash[:12] AS list_version
        FROM core_enterprise e JOIN batch b USING (batch_id)
        WHERE batch_id = (SELECT max(batch_id) FROM core_enterprise WHERE batch_id IN ({_KNOWN}))
        ORDER BY enterprise_id""",
        [known_at or datetime.max],
    )


def enterprise_measures(con: _Con, known_at: datetime | None) -> pd.DataFrame:
    """What the newest enterprise list says of each enterprise and warning tier, by id and tier."""
    return read_frame(
        con,
        f"""SELECT * EXCLUDE (batch_id) FROM core_enterprise_measure
        WHERE batch_id = (SELECT max(batch_id) FROM core_enterprise WHERE batch_id IN ({_KNOWN}))
        ORDER BY enterprise_id, tier""",
        [known_at or datetime.max],
    )


def survey_points(con: _Con, known_at: datetime | None) -> pd.DataFrame:
    """Points of mobile surveys, each reading as the newest file has it; by trip, time, species."""
    return read_frame(
        con,
        f"""SELECT * EXCLUDE (batch_id) FROM core_survey_point WHERE batch_id IN ({_KNOWN})
        QUALIFY batch_id = max(batch_id) OVER (PARTITION BY run_id, species, time)
        ORDER BY run_id, time, species, lon, lat, value""",
        [known_at or datetime.max],
    )


def survey_hotspots(con: _Con) -> pd.DataFrame:
    """Hotspots of mobile surveys, by id."""
    return read_frame(con, "SELECT * FROM core_survey_hotspot ORDER BY hotspot_id")
