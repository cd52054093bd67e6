"""Bringing a store of an older schema version forward, one version at a time, all in one transaction."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from yrd_airq.store import schema

STEPS: Mapping[int, tuple[str, ...]] = {
    1: (
        "ALTER TABLE batch ADD COLUMN rows_in BIGINT",
        # Version 1 counted refused pieces, not the rows in them; for cells, by far the most, it is the same.
        "UPDATE batch SET rows_in = rows + refused",
        "ALTER TABLE batch ADD COLUMN first_time TIMESTAMP",
        "ALTER TABLE batch ADD COLUMN last_time TIMESTAMP",
        "ALTER TABLE quarantine ADD COLUMN rows BIGINT",
        "UPDATE quarantine SET rows = 1",
        "ALTER TABLE core_station ADD COLUMN background BOOLEAN",
        "ALTER TABLE core_station ADD COLUMN valid_from DATE",
        "ALTER TABLE core_station ADD COLUMN valid_to DATE",
        "ALTER TABLE core_station ADD COLUMN list_from DATE",
        "ALTER TABLE core_station_flag ADD COLUMN reason VARCHAR",
        """CREATE TABLE raw_city_release
        (adcode VARCHAR, time TIMESTAMP, item VARCHAR, value DOUBLE, batch_id BIGINT)""",
        """CREATE TABLE raw_city_model (adcode VARCHAR, time TIMESTAMP, variable VARCHAR, value DOUBLE,
        model VARCHAR, kind VARCHAR, issue_time TIMESTAMP, batch_id BIGINT)""",
        """CREATE TABLE core_manual_flag (station_code VARCHAR, pollutant VARCHAR, first_time TIMESTAMP,
        last_time TIMESTAMP, action VARCHAR, reason VARCHAR, made_by VARCHAR, made_at TIMESTAMP)""",
        """CREATE TABLE core_exceptional_event (adcode VARCHAR, first_date DATE, last_date DATE,
        pollutant VARCHAR, reason_zh VARCHAR, document VARCHAR, batch_id BIGINT)""",
        # Flags and series are made anew with the rules of the new version.
        "DELETE FROM core_made_from",
    ),
    2: (
        "ALTER TABLE out_forecast ADD COLUMN basis VARCHAR",
        """CREATE TABLE out_forecast_hourly (run_id VARCHAR, adcode VARCHAR, issue_time TIMESTAMP,
        valid_time TIMESTAMP, lead_h INTEGER, target VARCHAR, model VARCHAR, mean DOUBLE, q10 DOUBLE,
        q50 DOUBLE, q90 DOUBLE)""",
        """CREATE TABLE out_aqi_running (run_id VARCHAR, adcode VARCHAR, issue_time TIMESTAMP,
        valid_time TIMESTAMP, lead_h INTEGER, item VARCHAR, aqi_mean DOUBLE, q10 DOUBLE, q50 DOUBLE,
        q90 DOUBLE, p_over_100 DOUBLE, p_over_150 DOUBLE, p_over_200 DOUBLE, p_over_300 DOUBLE)""",
        """CREATE TABLE out_forecast_station (run_id VARCHAR, station_code VARCHAR, issue_time TIMESTAMP,
        valid_date DATE, lead_day INTEGER, target VARCHAR, model VARCHAR, mean DOUBLE, q10 DOUBLE,
        q50 DOUBLE, q90 DOUBLE, p_exceed DOUBLE, weather_kind VARCHAR)""",
        """CREATE TABLE out_contribution (run_id VARCHAR, adcode VARCHAR, issue_time TIMESTAMP,
        valid_date DATE, lead_day INTEGER, target VARCHAR, part VARCHAR, contribution DOUBLE)""",
        """CREATE TABLE out_correction (adcode VARCHAR, issue_time TIMESTAMP, valid_date DATE,
        target VARCHAR, value DOUBLE, low DOUBLE, high DOUBLE, reason VARCHAR, made_by VARCHAR,
        made_at TIMESTAMP)""",
    ),
    3: (
        "ALTER TABLE out_forecast ADD COLUMN call_from DOUBLE",
        "ALTER TABLE core_enterprise ADD COLUMN uscc VARCHAR",
        "ALTER TABLE core_enterprise ADD COLUMN line_id VARCHAR",
        "ALTER TABLE core_enterprise ADD COLUMN address VARCHAR",
        "ALTER TABLE core_enterprise ADD COLUMN key_sector VARCHAR",
        "ALTER TABLE core_enterprise ADD COLUMN exempt_category VARCHAR",
        "ALTER TABLE core_enterprise ADD COLUMN exempt_document VARCHAR",
        "ALTER TABLE core_enterprise ADD COLUMN exempt_until DATE",
        "ALTER TABLE core_enterprise ADD COLUMN max_load_share DOUBLE",
        "ALTER TABLE core_enterprise ADD COLUMN continuous BOOLEAN",
        "ALTER TABLE core_enterprise ADD COLUMN min_stop_days DOUBLE",
        "ALTER TABLE core_enterprise ADD COLUMN permit_id VARCHAR",
        "ALTER TABLE core_enterprise ADD COLUMN permit_nox_tpa DOUBLE",
        "ALTER TABLE core_enterprise ADD COLUMN permit_voc_tpa DOUBLE",
        "ALTER TABLE core_enterprise ADD COLUMN permit_pm_tpa DOUBLE",
        "ALTER TABLE core_enterprise ADD COLUMN permit_so2_tpa DOUBLE",
        "ALTER TABLE core_enterprise ADD COLUMN contact VARCHAR",
        "ALTER TABLE core_enterprise ADD COLUMN phone VARCHAR",
        """CREATE TABLE core_enterprise_measure (enterprise_id VARCHAR, tier VARCHAR, measure_code VARCHAR,
        measure_zh VARCHAR, reduction_nox_kgd DOUBLE, reduction_voc_kgd DOUBLE, reduction_pm_kgd DOUBLE,
        reduction_so2_kgd DOUBLE, batch_id BIGINT)""",
        """CREATE TABLE out_control_version (event_code VARCHAR, list_version INTEGER, run_id VARCHAR,
        issue_time TIMESTAMP, previous_version INTEGER, enterprises INTEGER, burden DOUBLE,
        largest_need_ugm3 DOUBLE, status VARCHAR, created_at TIMESTAMP)""",
        """CREATE TABLE out_control_change (event_code VARCHAR, list_version INTEGER, run_id VARCHAR,
        enterprise_id VARCHAR, change VARCHAR, measure_before VARCHAR, measure_now VARCHAR,
        why_zh VARCHAR)""",
        """CREATE TABLE out_control_edit (event_code VARCHAR, list_version INTEGER, run_id VARCHAR,
        enterprise_id VARCHAR, action VARCHAR, measure_code VARCHAR, reason VARCHAR, made_by VARCHAR,
        since_version INTEGER)""",
        """CREATE TABLE out_control_approval (event_code VARCHAR, list_version INTEGER, run_id VARCHAR,
        note VARCHAR, made_by VARCHAR, made_at TIMESTAMP)""",
    ),
}
"""Statements that turn a store of the version named by the key into one of the next; never changed later."""


def bring_forward(con: duckdb.DuckDBPyConnection, held: int) -> None:
    """From version ``held`` to the present one; the caller holds a transaction."""
    for version in range(held, schema.VERSION):
        for statement in STEPS[version]:
            con.execute(statement)
    for table in schema.TABLES:
        _arrange(con, table)
    con.execute("UPDATE schema_version SET version = ?", [schema.VERSION])


def shape_of(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Columns and types of a table as it stands in the file, in order."""
    query = "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index"
    return dict(con.execute(query, [table]).fetchall())


def _arrange(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Put the columns of a table into the order of the schema, since added ones stand at its end."""
    held, wanted = shape_of(con, table), schema.TABLES[table]
    if held != wanted:
        raise AssertionError(f"the steps to version {schema.VERSION} leave {table} as {held}, not {wanted}")
    if list(held) == list(wanted):
        return
    con.execute(f"CREATE TABLE arranged AS SELECT {schema.column_list(table)} FROM {table}")
    con.execute(f"DROP TABLE {table}")
    con.execute(f"ALTER TABLE arranged RENAME TO {table}")
