"""Forecasters' judgements of station values: kept beside the rules' flags, and never changed or removed."""

from __future__ import annotations

import duckdb
import pandas as pd

from yrd_airq.clock import beijing_now
from yrd_airq.errors import InputError
from yrd_airq.store import contents, schema
from yrd_airq.store.connecting import fetch_row, offered, read_frame, transaction
from yrd_airq.store.records import EVERY_POLLUTANT, Judgement
from yrd_airq.vocab import Pollutant


def note(con: duckdb.DuckDBPyConnection, judgement: Judgement) -> None:
    """Keep a judgement; ``InputError`` if it names nothing that is held, or gives no reason or name."""
    _examine(con, judgement)
    row = {**vars(judgement), "action": judgement.action.value, "made_at": beijing_now()}
    rows = contents.fit("core_manual_flag", pd.DataFrame([row]))
    with offered(con, "addition", rows), transaction(con):
        con.execute(
            f"INSERT INTO core_manual_flag SELECT {schema.column_list('core_manual_flag')} FROM addition"
        )


def judgements(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """All judgements, oldest first."""
    return read_frame(con, "SELECT * FROM core_manual_flag ORDER BY rowid")


def _examine(con: duckdb.DuckDBPyConnection, judgement: Judgement) -> None:
    known = (*Pollutant, EVERY_POLLUTANT)
    if judgement.pollutant not in known:
        raise InputError(f"pollutant {judgement.pollutant!r} is not known; write one of {', '.join(known)}")
    if not judgement.reason.strip() or not judgement.made_by.strip():
        raise InputError("a judgement needs a reason and the name of who made it")
    if judgement.last_time < judgement.first_time:
        raise InputError(f"the hours end ({judgement.last_time}) before they begin ({judgement.first_time})")
    row = fetch_row(
        con,
        """SELECT count(*) FROM raw_station_hourly
        WHERE station_code = ? AND time BETWEEN ? AND ? AND (item = ? OR ? = 'all')""",
        [
            judgement.station_code,
            judgement.first_time,
            judgement.last_time,
            judgement.pollutant,
            judgement.pollutant,
        ],
    )
    if row is None or not row[0]:
        raise InputError(
            f"station {judgement.station_code}: no value of {judgement.pollutant} from "
            f"{judgement.first_time} to {judgement.last_time}; check the code and the hours"
        )
