"""Forecasters' corrections (人工订正) of issued forecasts, kept beside the model's values."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pandas as pd

from yrd_airq.clock import beijing_now
from yrd_airq.errors import InputError
from yrd_airq.store import contents, schema
from yrd_airq.store.connecting import fetch_row, offered, read_frame, transaction
from yrd_airq.store.records import Correction


def keep(con: duckdb.DuckDBPyConnection, correction: Correction) -> None:
    """Keep a correction; ``InputError`` if it corrects nothing that was issued, or says nothing sensible."""
    _examine(con, correction)
    rows = contents.fit("out_correction", pd.DataFrame([{**vars(correction), "made_at": beijing_now()}]))
    with offered(con, "addition", rows), transaction(con):
        con.execute(f"INSERT INTO out_correction SELECT {schema.column_list('out_correction')} FROM addition")


def in_force(con: duckdb.DuckDBPyConnection, issue_time: datetime | None) -> pd.DataFrame:
    """The newest correction of each city, target and day, without withdrawn ones."""
    return read_frame(
        con,
        f"""SELECT {schema.column_list("out_correction")} FROM out_correction
        WHERE ? IS NULL OR issue_time = ?
        QUALIFY rowid = max(rowid) OVER (PARTITION BY adcode, issue_time, valid_date, target)
        AND value IS NOT NULL ORDER BY issue_time, target, adcode, valid_date""",
        [issue_time, issue_time],
    )


def _examine(con: duckdb.DuckDBPyConnection, correction: Correction) -> None:
    if not correction.reason.strip() or not correction.made_by.strip():
        raise InputError("a correction needs a reason and the name of who made it")
    low, value, high = correction.low, correction.value, correction.high
    if (low is None) != (high is None):
        raise InputError("give both ends of the range, or neither to keep the model's spread")
    if value is None and low is not None:
        raise InputError("a withdrawal takes no range")
    outside = value is not None and low is not None and high is not None and not low <= value <= high
    if value is not None and (value < 0 or outside):
        raise InputError(f"the corrected value {value:g} is below 0 or not within its range {low} … {high}")
    row = fetch_row(
        con,
        """SELECT count(*) FROM out_forecast
        WHERE adcode = ? AND issue_time = ? AND valid_date = ? AND target = ?""",
        [correction.adcode, correction.issue_time, correction.valid_date, correction.target],
    )
    if row is None or not row[0]:
        raise InputError(
            f"no forecast of {correction.target} for {correction.adcode} on {correction.valid_date} was "
            f"issued at {correction.issue_time:%Y-%m-%d %H:%M}; run the forecast first"
        )
