"""Real files from bytes to series: counts that can be had from the files by other means."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest

from yrd_airq.sources.batch import Kind
from yrd_airq.sources.reading import find_inputs, read
from yrd_airq.store.store import open_store
from yrd_airq.vocab import CityDaySource


def files(folder: Path, pattern: str) -> list[Path]:
    found = sorted(folder.glob(pattern))
    if not found:
        pytest.skip(f"no {pattern} in the real-data folder")
    return found


@pytest.mark.slow
def test_a_month_of_stations_and_the_national_days(real_data, tmp_path):
    month = files(real_data, "stations_hourly/cnemc_yrd_201907.csv.gz")[0]
    days = files(real_data, "stations_hourly/national_original/*.csv.gz")
    plain = pd.read_csv(month)
    cells = int(plain.iloc[:, 3:].notna().sum().sum())
    with open_store(tmp_path / "store.duckdb") as store:
        batch = read(month)
        done = store.ingest(batch)
        assert done.new_rows == batch.rows.num_rows == cells
        assert done.refused_rows == 0
        july = store.ingest(read(days[1]))
        inside = plain[plain["date"] == 20190723].iloc[:, 3:].notna().sum().sum()
        national = pd.read_csv(days[1])
        assert national.columns[3:].isin(["3207A", "3207A.1"]).sum() == 2, (
            "the trap: one station, two columns"
        )
        filled = int(national.drop(columns="3207A.1").iloc[:, 3:].notna().sum().sum())
        assert july.new_rows == filled - inside, "values known from the monthly file are not stored twice"
        assert july.refused_pieces == 1
        assert july.rows_in == national.iloc[:, 3:].notna().sum().sum()
        store.ingest(read(days[0]))
        before = store.checksums()
        assert all(store.ingest(read(path)).already_known for path in (month, *days))
        assert store.checksums() == before
        o3 = store.station_hourly(["o3"], datetime(2019, 7, 23, 15), datetime(2019, 7, 23, 15))["o3"].iloc[0]
        row = national[(national["hour"] == 15) & (national["type"] == "O3")].iloc[0]
        assert o3["1001A"] == row["1001A"]
        assert o3["1141A"] == row["1141A"]
        store.ingest(read(files(real_data, "stations/station_list.csv")[0]))
        assert store.station_list()["adcode"].nunique() == 41
        assert store.quarantine()["field"].tolist() == ["3207A", "纬度", "经度", "监测点编码"]


@pytest.mark.slow
def test_the_whole_reanalysis(real_data, tmp_path):
    paths = files(real_data, "city_daily_reanalysis/*/*.csv.gz")
    with open_store(tmp_path / "store.duckdb") as store:
        done = [store.ingest(read(path, Kind.CITIES)) for path in paths]
        assert sum(item.refused_rows for item in done) == 0
        daily = store.city_daily(CityDaySource.REANALYSIS)
        assert daily["adcode"].nunique() == 41
        assert sorted(daily["target"].unique()) == ["co", "no2", "o3_mean", "pm10", "pm25", "so2"]
        whole = daily.groupby(["adcode", "target"])["date"].agg(["min", "max", "count"])
        assert set(whole["min"].dt.date) == {date(2013, 1, 1)}
        assert set(whole["max"].dt.date) == {date(2017, 12, 31)}
        assert store.neighbour_daily(first=date(2017, 1, 1))["place"].nunique() == len(paths) - 50
        districts = [path for path in paths if path.parent.name == "上海市"]
        tables = [pd.read_csv(path).set_index("date")["PM2.5"] for path in districts]
        mean = pd.concat(tables, axis=1).loc["2016-03-05"].mean()
        shanghai = daily[(daily["adcode"] == "310000") & (daily["target"] == "pm25")].set_index("date")
        assert shanghai.loc["2016-03-05", "value"] == pytest.approx(mean, rel=1e-12)
        assert set(shanghai["valid_stations"]) == {len(districts)}


def test_the_plants_and_what_is_no_input(real_data, tmp_path):
    plants = files(real_data, "enterprises/yrd_plants.csv")[0]
    plain = pd.read_csv(plants, dtype={"adcode": str})
    with open_store(tmp_path / "store.duckdb") as store:
        assert store.ingest(read(plants)).new_rows == len(plain)
        held = store.enterprises()
        assert held["nox_tpa"].isna().sum() == plain["nox_tpa"].isna().sum()
        assert held["name_zh"].str.startswith("（无名称）").sum() == plain["name_zh"].isna().sum()
        assert held["grade"].isna().all()
    found = find_inputs(real_data / "enterprises")
    assert [path.name for path in found.known] == ["yrd_plants.csv"]
    assert {path.name for path, _ in found.unknown} >= {"README.md", "czech_emis_2020.csv.gz"}
