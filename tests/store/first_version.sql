-- Schema version 1 as it was released, with a file's worth of rows.
CREATE TABLE schema_version (version INTEGER); INSERT INTO schema_version VALUES (1);
CREATE TABLE batch (batch_id BIGINT, kind VARCHAR, layout VARCHAR, name VARCHAR, content_hash VARCHAR,
  rows BIGINT, new_rows BIGINT, refused BIGINT, ingested_at TIMESTAMP);
INSERT INTO batch VALUES (1, 'stations', 'test', 'old.csv', 'h', 2, 2, 1, '2026-01-01'),
  (2, 'station_list', 'test', 'list.csv', 'l', 1, 1, 0, '2026-01-01');
CREATE TABLE quarantine (batch_id BIGINT, row BIGINT, field VARCHAR, reason VARCHAR, content VARCHAR);
INSERT INTO quarantine VALUES (1, 7, 'A1', 'not a number', 'x');
CREATE TABLE raw_station_hourly (station_code VARCHAR, time TIMESTAMP, item VARCHAR, value DOUBLE, batch_id BIGINT);
INSERT INTO raw_station_hourly VALUES ('A1', '2019-01-01 01:00', 'pm25', 10, 1), ('A1', '2019-01-01 02:00', 'pm25', 11, 1);
CREATE TABLE raw_city_daily (place VARCHAR, part VARCHAR, date DATE, variable VARCHAR, value DOUBLE, batch_id BIGINT);
CREATE TABLE core_station (station_code VARCHAR, name_zh VARCHAR, city_zh VARCHAR, adcode VARCHAR, counted BOOLEAN,
  lon DOUBLE, lat DOUBLE, batch_id BIGINT);
INSERT INTO core_station VALUES ('A1', '甲', '上海', '310000', true, 121.4, 31.2, 2);
CREATE TABLE core_station_flag (station_code VARCHAR, time TIMESTAMP, pollutant VARCHAR, flag VARCHAR, rule VARCHAR);
CREATE TABLE core_city_hourly (adcode VARCHAR, time TIMESTAMP, pollutant VARCHAR, value DOUBLE, valid_stations INTEGER);
CREATE TABLE core_city_daily (adcode VARCHAR, date DATE, target VARCHAR, value DOUBLE, valid_stations INTEGER,
  standard VARCHAR, source VARCHAR);
CREATE TABLE core_made_from (series VARCHAR, made_from VARCHAR); INSERT INTO core_made_from VALUES ('city', 'x');
CREATE TABLE core_weather_file (path VARCHAR, layout VARCHAR, kind VARCHAR, issue_time TIMESTAMP, first_time TIMESTAMP,
  last_time TIMESTAMP, step_hours DOUBLE, lon_min DOUBLE, lon_max DOUBLE, lat_min DOUBLE, lat_max DOUBLE,
  variables VARCHAR, batch_id BIGINT);
CREATE TABLE core_enterprise (enterprise_id VARCHAR, name_zh VARCHAR, adcode VARCHAR, lon DOUBLE, lat DOUBLE,
  sector VARCHAR, grade VARCHAR, exempt BOOLEAN, exempt_reason VARCHAR, nox_tpa DOUBLE, voc_tpa DOUBLE, pm_tpa DOUBLE,
  so2_tpa DOUBLE, emission_basis VARCHAR, cost_cny_per_day DOUBLE, batch_id BIGINT);
CREATE TABLE core_survey_point (run_id VARCHAR, time TIMESTAMP, lon DOUBLE, lat DOUBLE, species VARCHAR, value DOUBLE,
  unit VARCHAR, wind_speed_ms DOUBLE, wind_dir_deg DOUBLE, batch_id BIGINT);
CREATE TABLE core_survey_hotspot (hotspot_id VARCHAR, run_id VARCHAR, indicator VARCHAR, unit VARCHAR, lon DOUBLE,
  lat DOUBLE, start TIMESTAMP, "end" TIMESTAMP, passes INTEGER, peak DOUBLE, mean DOUBLE, enhancement DOUBLE,
  length_m DOUBLE, ofp_ugm3 DOUBLE, wind_speed_ms DOUBLE, wind_dir_deg DOUBLE, wind_spread_deg DOUBLE);
CREATE TABLE run (run_id VARCHAR, kind VARCHAR, issue_time TIMESTAMP, event_code VARCHAR, inputs_hash VARCHAR,
  settings_hash VARCHAR, code_version VARCHAR, created_at TIMESTAMP, status VARCHAR);
CREATE TABLE out_forecast (run_id VARCHAR, adcode VARCHAR, issue_time TIMESTAMP, valid_date DATE, lead_day INTEGER,
  target VARCHAR, model VARCHAR, mean DOUBLE, q10 DOUBLE, q50 DOUBLE, q90 DOUBLE, p_exceed DOUBLE, weather_kind VARCHAR);
CREATE TABLE out_attribution (run_id VARCHAR, receptor VARCHAR, date DATE, target VARCHAR, part_zh VARCHAR, kind VARCHAR,
  contribution_ugm3 DOUBLE, share DOUBLE);
CREATE TABLE out_control_list (run_id VARCHAR, list_version INTEGER, rank INTEGER, enterprise_id VARCHAR, name_zh VARCHAR,
  adcode VARCHAR, city_zh VARCHAR, sector VARCHAR, grade VARCHAR, zone VARCHAR, measure_code VARCHAR, measure_zh VARCHAR,
  start TIMESTAMP, "end" TIMESTAMP, reduction_nox_kgd DOUBLE, reduction_voc_kgd DOUBLE, reduction_pm_kgd DOUBLE,
  reduction_so2_kgd DOUBLE, benefit_o3_ugm3 DOUBLE, benefit_pm25_ugm3 DOUBLE, cost_cny DOUBLE, stability DOUBLE,
  evidence VARCHAR, reason_zh VARCHAR, status VARCHAR);
CREATE TABLE out_score (run_id VARCHAR, scope VARCHAR, target VARCHAR, model VARCHAR, lead_day INTEGER, metric VARCHAR,
  value DOUBLE);
