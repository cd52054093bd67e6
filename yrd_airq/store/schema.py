"""The tables of the store in one place, as columns and types, and the version of that shape.

Times are naive Beijing TIMESTAMPs, so that no time-zone setting can shift them. Bulk tables have no
primary keys: ``raw_*`` tables only grow, and the latest value is the one of the newest batch.
"""

from __future__ import annotations

import pyarrow as pa

VERSION = 4
"""Raised with every change of shape; an older store is brought forward when it is opened for writing."""

_ARROW = {
    "VARCHAR": pa.string(),
    "TIMESTAMP": pa.timestamp("us"),
    "DATE": pa.date32(),
    "DOUBLE": pa.float64(),
    "BIGINT": pa.int64(),
    "INTEGER": pa.int32(),
    "BOOLEAN": pa.bool_(),
}

WHEN_WRITTEN = frozenset({"ingested_at", "created_at"})
"""Columns that tell when a row was written; they do not enter checksums."""


def _columns(text: str) -> dict[str, str]:
    pairs = (line.split() for line in text.strip().splitlines())
    return {name: kind for name, kind in pairs}


TABLES: dict[str, dict[str, str]] = {
    "batch": _columns("""
        batch_id BIGINT
        kind VARCHAR
        layout VARCHAR
        name VARCHAR
        content_hash VARCHAR
        rows_in BIGINT
        rows BIGINT
        new_rows BIGINT
        refused BIGINT
        first_time TIMESTAMP
        last_time TIMESTAMP
        ingested_at TIMESTAMP
    """),
    "quarantine": _columns("""
        batch_id BIGINT
        row BIGINT
        field VARCHAR
        reason VARCHAR
        content VARCHAR
        rows BIGINT
    """),
    "raw_station_hourly": _columns("""
        station_code VARCHAR
        time TIMESTAMP
        item VARCHAR
        value DOUBLE
        batch_id BIGINT
    """),
    "raw_city_daily": _columns("""
        place VARCHAR
        part VARCHAR
        date DATE
        variable VARCHAR
        value DOUBLE
        batch_id BIGINT
    """),
    "raw_city_release": _columns("""
        adcode VARCHAR
        time TIMESTAMP
        item VARCHAR
        value DOUBLE
        batch_id BIGINT
    """),
    "raw_city_model": _columns("""
        adcode VARCHAR
        time TIMESTAMP
        variable VARCHAR
        value DOUBLE
        model VARCHAR
        kind VARCHAR
        issue_time TIMESTAMP
        batch_id BIGINT
    """),
    "core_station": _columns("""
        station_code VARCHAR
        name_zh VARCHAR
        city_zh VARCHAR
        adcode VARCHAR
        counted BOOLEAN
        background BOOLEAN
        lon DOUBLE
        lat DOUBLE
        valid_from DATE
        valid_to DATE
        list_from DATE
        batch_id BIGINT
    """),
    "core_station_flag": _columns("""
        station_code VARCHAR
        time TIMESTAMP
        pollutant VARCHAR
        flag VARCHAR
        rule VARCHAR
        reason VARCHAR
    """),
    "core_manual_flag": _columns("""
        station_code VARCHAR
        pollutant VARCHAR
        first_time TIMESTAMP
        last_time TIMESTAMP
        action VARCHAR
        reason VARCHAR
        made_by VARCHAR
        made_at TIMESTAMP
    """),
    "core_exceptional_event": _columns("""
        adcode VARCHAR
        first_date DATE
        last_date DATE
        pollutant VARCHAR
        reason_zh VARCHAR
        document VARCHAR
        batch_id BIGINT
    """),
    "core_city_hourly": _columns("""
        adcode VARCHAR
        time TIMESTAMP
        pollutant VARCHAR
        value DOUBLE
        valid_stations INTEGER
    """),
    "core_city_daily": _columns("""
        adcode VARCHAR
        date DATE
        target VARCHAR
        value DOUBLE
        valid_stations INTEGER
        standard VARCHAR
        source VARCHAR
    """),
    "core_made_from": _columns("""
        series VARCHAR
        made_from VARCHAR
    """),
    "core_weather_file": _columns("""
        path VARCHAR
        layout VARCHAR
        kind VARCHAR
        issue_time TIMESTAMP
        first_time TIMESTAMP
        last_time TIMESTAMP
        step_hours DOUBLE
        lon_min DOUBLE
        lon_max DOUBLE
        lat_min DOUBLE
        lat_max DOUBLE
        variables VARCHAR
        batch_id BIGINT
    """),
    "core_enterprise": _columns("""
        enterprise_id VARCHAR
        name_zh VARCHAR
        adcode VARCHAR
        lon DOUBLE
        lat DOUBLE
        sector VARCHAR
        grade VARCHAR
        exempt BOOLEAN
        exempt_reason VARCHAR
        nox_tpa DOUBLE
        voc_tpa DOUBLE
        pm_tpa DOUBLE
        so2_tpa DOUBLE
        emission_basis VARCHAR
        cost_cny_per_day DOUBLE
        uscc VARCHAR
        line_id VARCHAR
        address VARCHAR
        key_sector VARCHAR
        exempt_category VARCHAR
        exempt_document VARCHAR
        exempt_until DATE
        max_load_share DOUBLE
        continuous BOOLEAN
        min_stop_days DOUBLE
        permit_id VARCHAR
        permit_nox_tpa DOUBLE
        permit_voc_tpa DOUBLE
        permit_pm_tpa DOUBLE
        permit_so2_tpa DOUBLE
        contact VARCHAR
        phone VARCHAR
        batch_id BIGINT
    """),
    "core_enterprise_measure": _columns("""
        enterprise_id VARCHAR
        tier VARCHAR
        measure_code VARCHAR
        measure_zh VARCHAR
        reduction_nox_kgd DOUBLE
        reduction_voc_kgd DOUBLE
        reduction_pm_kgd DOUBLE
        reduction_so2_kgd DOUBLE
        batch_id BIGINT
    """),
    "core_survey_point": _columns("""
        run_id VARCHAR
        time TIMESTAMP
        lon DOUBLE
        lat DOUBLE
        species VARCHAR
        value DOUBLE
        unit VARCHAR
        wind_speed_ms DOUBLE
        wind_dir_deg DOUBLE
        batch_id BIGINT
    """),
    "core_survey_hotspot": _columns("""
        hotspot_id VARCHAR
        run_id VARCHAR
        indicator VARCHAR
        unit VARCHAR
        lon DOUBLE
        lat DOUBLE
        start TIMESTAMP
        end TIMESTAMP
        passes INTEGER
        peak DOUBLE
        mean DOUBLE
        enhancement DOUBLE
        length_m DOUBLE
        ofp_ugm3 DOUBLE
        wind_speed_ms DOUBLE
        wind_dir_deg DOUBLE
        wind_spread_deg DOUBLE
    """),
    "run": _columns("""
        run_id VARCHAR
        kind VARCHAR
        issue_time TIMESTAMP
        event_code VARCHAR
        inputs_hash VARCHAR
        settings_hash VARCHAR
        code_version VARCHAR
        created_at TIMESTAMP
        status VARCHAR
    """),
    "out_forecast": _columns("""
        run_id VARCHAR
        adcode VARCHAR
        issue_time TIMESTAMP
        valid_date DATE
        lead_day INTEGER
        target VARCHAR
        model VARCHAR
        mean DOUBLE
        q10 DOUBLE
        q50 DOUBLE
        q90 DOUBLE
        p_exceed DOUBLE
        call_from DOUBLE
        weather_kind VARCHAR
        basis VARCHAR
    """),
    "out_forecast_hourly": _columns("""
        run_id VARCHAR
        adcode VARCHAR
        issue_time TIMESTAMP
        valid_time TIMESTAMP
        lead_h INTEGER
        target VARCHAR
        model VARCHAR
        mean DOUBLE
        q10 DOUBLE
        q50 DOUBLE
        q90 DOUBLE
    """),
    "out_aqi_running": _columns("""
        run_id VARCHAR
        adcode VARCHAR
        issue_time TIMESTAMP
        valid_time TIMESTAMP
        lead_h INTEGER
        item VARCHAR
        aqi_mean DOUBLE
        q10 DOUBLE
        q50 DOUBLE
        q90 DOUBLE
        p_over_100 DOUBLE
        p_over_150 DOUBLE
        p_over_200 DOUBLE
        p_over_300 DOUBLE
    """),
    "out_forecast_station": _columns("""
        run_id VARCHAR
        station_code VARCHAR
        issue_time TIMESTAMP
        valid_date DATE
        lead_day INTEGER
        target VARCHAR
        model VARCHAR
        mean DOUBLE
        q10 DOUBLE
        q50 DOUBLE
        q90 DOUBLE
        p_exceed DOUBLE
        weather_kind VARCHAR
    """),
    "out_contribution": _columns("""
        run_id VARCHAR
        adcode VARCHAR
        issue_time TIMESTAMP
        valid_date DATE
        lead_day INTEGER
        target VARCHAR
        part VARCHAR
        contribution DOUBLE
    """),
    "out_correction": _columns("""
        adcode VARCHAR
        issue_time TIMESTAMP
        valid_date DATE
        target VARCHAR
        value DOUBLE
        low DOUBLE
        high DOUBLE
        reason VARCHAR
        made_by VARCHAR
        made_at TIMESTAMP
    """),
    "out_attribution": _columns("""
        run_id VARCHAR
        receptor VARCHAR
        date DATE
        target VARCHAR
        part_zh VARCHAR
        kind VARCHAR
        contribution_ugm3 DOUBLE
        share DOUBLE
    """),
    "out_control_list": _columns("""
        run_id VARCHAR
        list_version INTEGER
        rank INTEGER
        enterprise_id VARCHAR
        name_zh VARCHAR
        adcode VARCHAR
        city_zh VARCHAR
        sector VARCHAR
        grade VARCHAR
        zone VARCHAR
        measure_code VARCHAR
        measure_zh VARCHAR
        start TIMESTAMP
        end TIMESTAMP
        reduction_nox_kgd DOUBLE
        reduction_voc_kgd DOUBLE
        reduction_pm_kgd DOUBLE
        reduction_so2_kgd DOUBLE
        benefit_o3_ugm3 DOUBLE
        benefit_pm25_ugm3 DOUBLE
        cost_cny DOUBLE
        stability DOUBLE
        evidence VARCHAR
        reason_zh VARCHAR
        status VARCHAR
    """),
    "out_control_version": _columns("""
        event_code VARCHAR
        list_version INTEGER
        run_id VARCHAR
        issue_time TIMESTAMP
        previous_version INTEGER
        enterprises INTEGER
        burden DOUBLE
        largest_need_ugm3 DOUBLE
        status VARCHAR
        created_at TIMESTAMP
    """),
    "out_control_change": _columns("""
        event_code VARCHAR
        list_version INTEGER
        run_id VARCHAR
        enterprise_id VARCHAR
        change VARCHAR
        measure_before VARCHAR
        measure_now VARCHAR
        why_zh VARCHAR
    """),
    "out_control_edit": _columns("""
        event_code VARCHAR
        list_version INTEGER
        run_id VARCHAR
        enterprise_id VARCHAR
        action VARCHAR
        measure_code VARCHAR
        reason VARCHAR
        made_by VARCHAR
        since_version INTEGER
    """),
    "out_control_approval": _columns("""
        event_code VARCHAR
        list_version INTEGER
        run_id VARCHAR
        note VARCHAR
        made_by VARCHAR
        made_at TIMESTAMP
    """),
    "out_score": _columns("""
        run_id VARCHAR
        scope VARCHAR
        target VARCHAR
        model VARCHAR
        lead_day INTEGER
        metric VARCHAR
        value DOUBLE
    """),
}
"""Columns and DuckDB types of every table, in order; ``schema_version`` stands beside them."""


def arrow_schema(table: str) -> pa.Schema:
    """The table's columns as Arrow types."""
    return pa.schema([(name, _ARROW[kind]) for name, kind in TABLES[table].items()])


def column_list(table: str) -> str:
    """The table's columns, quoted, for a statement."""
    return ", ".join(f'"{name}"' for name in TABLES[table])


def create_statements() -> list[str]:
    """Statements that make an empty store of this version."""
    made = ["CREATE TABLE schema_version (version INTEGER)", f"INSERT INTO schema_version VALUES ({VERSION})"]
    for table, columns in TABLES.items():
        shape = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        made.append(f"CREATE TABLE {table} ({shape})")
    return made
