"""What runs issued: the runs themselves, forecasts, attributions, control lists, scores."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date

import duckdb
import pandas as pd

from yrd_airq.clock import beijing_now
from yrd_airq.errors import InputError
from yrd_airq.store import contents, schema
from yrd_airq.store.connecting import fetch_row, read_frame
from yrd_airq.store.records import RunRecord

_Con = duckdb.DuckDBPyConnection

_ORDER = {
    "out_forecast": "run_id, adcode, target, model, valid_date",
    "out_forecast_hourly": "run_id, adcode, target, model, valid_time",
    "out_aqi_running": "run_id, adcode, item, valid_time",
    "out_forecast_station": "run_id, station_code, target, model, valid_date",
    "out_contribution": "run_id, adcode, target, valid_date, part",
    "out_attribution": "run_id, receptor, date, target, kind, part_zh",
    "out_control_list": "run_id, list_version, rank NULLS LAST, enterprise_id",
    "out_score": "run_id, scope, target, model, lead_day, metric",
}
OUTPUTS = tuple(_ORDER)
"""Tables that hold what runs issued, by run."""


def write_run(con: _Con, run: RunRecord) -> bool:
    """Note a run, or its new status; the time of the first note stays. False if nothing changed."""
    row = fetch_row(con, "SELECT min(created_at) FROM run WHERE run_id = ?", [run.run_id])
    first = row[0] if row is not None else None
    run = replace(run, created_at=first or run.created_at or beijing_now())
    frame = pd.DataFrame([asdict(run)])
    return contents.replace(con, "run", contents.fit("run", frame), "run_id = ?", [run.run_id])


def write_output(con: _Con, table: str, run_id: str, frame: pd.DataFrame) -> bool:
    """Put the rows of a run in place of those it wrote before; False if they are there already."""
    if table not in _ORDER:
        raise InputError(f"runs do not write {table}; they write {', '.join(OUTPUTS)}")
    rows = contents.fit(table, frame, run_id=run_id)
    return contents.replace(con, table, rows, "run_id = ?", [run_id])


def runs(con: _Con) -> pd.DataFrame:
    """All runs, oldest first."""
    return read_frame(con, "SELECT * FROM run ORDER BY created_at, run_id")


def output(con: _Con, table: str, run_id: str | None) -> pd.DataFrame:
    """Rows of an ``out_*`` table, of one run or of all, in a fixed order."""
    return read_frame(
        con,
        f"""SELECT {schema.column_list(table)} FROM {table}
        WHERE ? IS NULL OR run_id = ? ORDER BY {_ORDER[table]}""",
        [run_id, run_id],
    )


def forecasts(
    con: _Con, run_id: str | None, target: str | None, first: date | None, last: date | None
) -> pd.DataFrame:
    """Forecasts issued, narrowed to a run, a target and valid dates ``first`` … ``last`` where given."""
    return read_frame(
        con,
        f"""SELECT {schema.column_list("out_forecast")} FROM out_forecast
        WHERE (? IS NULL OR run_id = ?) AND (? IS NULL OR target = ?) AND valid_date BETWEEN ? AND ?
        ORDER BY issue_time, {_ORDER["out_forecast"]}""",
        [run_id, run_id, target, target, first or date.min, last or date.max],
    )
