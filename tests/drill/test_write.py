"""The drill's files: same seed same bytes, real layouts, nothing from the future, labelled as a drill."""

from __future__ import annotations

import gzip
from datetime import date
from pathlib import Path

import netCDF4
import numpy as np
import pandas as pd
import pytest

from tests.drill.conftest import Written, short
from yrd_airq.drill.settings import DrillSettings
from yrd_airq.drill.write import write_day, write_drill
from yrd_airq.region import distance_km, load_region
from yrd_airq.settings import load_event
from yrd_airq.sources.reading import find_inputs, read


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_same_seed_same_bytes_other_seed_other_bytes(written: Written, tmp_path: Path) -> None:
    settings = written.world.settings
    few = {"stations": settings.stations.model_copy(update={"per_city": 1, "stations": {}})}
    brief = short(settings, first_day=date(2026, 8, 17), last_day=date(2026, 8, 18), spin_up_days=0, **few)
    write_drill(tmp_path / "once", brief)
    write_drill(tmp_path / "again", brief)
    first, second = _bytes(tmp_path / "once"), _bytes(tmp_path / "again")
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
    write_drill(tmp_path / "other", brief.model_copy(update={"seed": brief.seed + 1}))
    third = _bytes(tmp_path / "other")
    assert [name for name in first if first[name] == third[name]] == []


def test_every_file_is_read_without_refusal(written: Written) -> None:
    found = find_inputs(written.folder)
    assert found.unknown == ()
    batches = [read(path) for path in found.known]
    assert {batch.kind.value for batch in batches} == {
        "stations",
        "station_list",
        "weather",
        "enterprises",
        "survey",
    }
    # The official list errs in places; what is doubtful in it is told and kept.
    assert all(row["rows"] == 0 for batch in batches for row in batch.refused.to_pylist())
    assert [b.name for b in batches if b.refused.num_rows] in ([], ["enterprises.csv"])
    assert all(batch.rows.num_rows for batch in batches)


def test_nothing_but_the_forecast_is_later_than_the_issue_time(written: Written) -> None:
    issue = pd.Timestamp(written.world.settings.issue_time)
    stations = [read(path).rows["time"].to_pandas() for path in written.files.stations_hourly]
    times = pd.concat(stations)
    assert times.max() == issue
    assert times.min() == pd.Timestamp(written.world.settings.first_day) + pd.Timedelta(hours=1)
    last = [read(path).rows["last_time"][0].as_py() for path in written.files.weather_analysis]
    assert max(last) <= issue
    assert read(written.files.survey).rows["time"].to_pandas().max() < issue
    forecast = read(written.files.weather_forecast).rows.to_pylist()[0]
    assert forecast["kind"] == "forecast"
    assert forecast["issue_time"] == pd.Timestamp("2026-08-18 08:00")
    assert forecast["first_time"] <= issue
    assert forecast["last_time"] >= pd.Timestamp("2026-08-26 00:00")


def test_weather_files_have_the_era5_layout(written: Written) -> None:
    with netCDF4.Dataset(written.files.weather_analysis[-1]) as file:
        assert file["u10"].dimensions == ("valid_time", "latitude", "longitude")
        assert file["valid_time"].units == "seconds since 1970-01-01"
        assert np.issubdtype(file["valid_time"].dtype, np.integer)
        assert set(file.variables) >= {"u10", "v10", "t2m", "d2m", "sp", "blh", "tp", "ssrd", "tcc"}
        assert np.all(np.diff(file["latitude"][:]) == -0.5)
        assert np.all(np.diff(file["longitude"][:]) == 0.5)
        assert (file["longitude"][0], file["longitude"][-1]) == (110, 123.5)
        assert (file["latitude"][0], file["latitude"][-1]) == (36, 26)
        assert np.all(np.diff(file["valid_time"][:]) == 3 * 3600)
        assert np.all(file["valid_time"][:] % (3 * 3600) == 0)
        assert "forecast_reference_time" not in file.variables
        assert "演练" in file.title


def test_radiation_in_the_files_is_zero_at_night_in_utc(written: Written) -> None:
    with netCDF4.Dataset(written.files.weather_analysis[-1]) as file:
        hour = (file["valid_time"][:] // 3600) % 24
        sun = file["ssrd"][:].mean(axis=(1, 2)) / 3600
    assert sun[hour == 18].max() == 0  # 02:00 in Beijing
    assert sun[hour == 3].mean() > 350  # the hour to 11:00 in Beijing
    assert sun[hour == 6].mean() > sun[hour == 0].mean() > 0


def test_layouts_equal_the_real_ones(written: Written, real_data: Path) -> None:
    real = gzip.decompress((real_data / "stations_hourly/cnemc_yrd_201907.csv.gz").read_bytes()).decode()
    ours = gzip.decompress(written.files.stations_hourly[0].read_bytes()).decode()
    real_rows, our_rows = real.splitlines(), ours.splitlines()
    assert our_rows[0].split(",")[:3] == real_rows[0].split(",")[:3]
    cells = [line.split(",") for line in our_rows[1:500]]
    real_cells = [line.split(",") for line in real_rows[1:500]]
    assert [row[2] for row in cells[:15]] == [row[2] for row in real_cells[:15]]
    for kind in ("PM2.5", "CO", "O3_8h_24h", "CO_24h"):
        looks = {("." in cell) for row in cells if row[2] == kind for cell in row[3:] if cell}
        assert looks <= {("." in cell) for row in real_cells if row[2] == kind for cell in row[3:] if cell}
    assert _head(written.files.station_list) == _head(real_data / "stations/station_list.csv")
    plants = _head(real_data / "enterprises/yrd_plants.csv").split(",")
    ours_list = _head(written.files.enterprises).split(",")
    assert ours_list[: len(plants)] == plants
    assert ours_list[len(plants) :] == ["grade", "exempt", "exempt_reason", "cost_cny_per_day"]


def _head(path: Path) -> str:
    return path.read_text(encoding="utf-8").splitlines()[0]


def test_gzip_carries_no_time(written: Written) -> None:
    assert written.files.stations_hourly[0].read_bytes()[4:8] == b"\0\0\0\0"


def test_the_fiction_is_labelled(written: Written) -> None:
    assert "演练" in written.files.label_zh
    assert "虚构" in written.files.label_zh
    names = pd.read_csv(written.files.enterprises)["name_zh"]
    assert names.str.fullmatch(r"示例企业-\d{4}").all()
    stations = pd.read_csv(written.files.station_list)
    assert stations["监测点名称"].str.startswith("示例站-").all()
    assert stations["监测点编码"].str.fullmatch(r"9\d{3}A").all()


def test_running_values_follow_the_publisher(written: Written) -> None:
    table = pd.read_csv(written.files.stations_hourly[0], dtype={"date": str})
    station = table.columns[5]
    wide = table.pivot(index=["date", "hour"], columns="type", values=station)
    both = wide[["O3", "O3_24h"]].dropna()
    assert len(both) > 48
    assert (both["O3_24h"] >= both["O3"]).all()
    full = wide["O3"].dropna().groupby("date").size()
    day = wide.loc[full.index[full == 24][0]]
    assert day.loc[1, "O3_8h"] == day.loc[1, "O3"]
    assert abs(day.loc[13, "O3_8h"] - day.loc[6:13, "O3"].mean()) <= 0.5
    assert day.loc[23, "O3_8h_24h"] == day.loc[1:23, "O3_8h"].max()


def test_event_of_the_drill(written: Written) -> None:
    event = load_event(written.world.settings.event_file)
    assert "演练" in event.name_zh
    assert "虚构" in event.name_zh
    assert (event.start - written.world.settings.issue_time.date()).days == 3


def test_the_list_in_the_files_is_the_official_one(written: Written) -> None:
    table = read(written.files.enterprises).rows.to_pandas().set_index("enterprise_id")
    official = written.world.official.set_index("enterprise_id")
    assert set(table.index) == set(official.index)
    assert np.allclose(table["voc_tpa"], official.loc[table.index, "voc_tpa"], equal_nan=True)
    assert set(table["adcode"]) <= set(load_region().adcodes)
    assert {"A", "B", "C", "D", "引领性", "非引领性"} <= set(table["grade"].dropna())
    assert len(table["sector"].unique()) == 17
    assert table.loc[table["exempt"], "exempt_reason"].str.contains("号").all()
    assert table.loc[~table["exempt"], "exempt_reason"].isna().all()
    gap = distance_km(
        table["lon"].to_numpy()[:, None], table["lat"].to_numpy()[:, None], table["lon"], table["lat"]
    )
    np.fill_diagonal(gap, np.inf)
    assert np.median(gap.min(axis=1)) < 2.0


def test_a_day_of_rehearsal_brings_what_has_arrived_since(written: Written, tmp_path: Path) -> None:
    day = date(2026, 8, 19)
    files = write_day(tmp_path, written.world, day)
    batches = {batch.kind.value: batch for batch in map(read, files)}
    now = pd.Timestamp("2026-08-19 16:00")
    times = batches["stations"].rows["time"].to_pandas()
    assert times.max() == now
    fresh = times > now - pd.Timedelta(days=1)
    assert fresh.mean() > 0.5
    assert (~fresh).any()  # late hours and corrections
    assert times.min() > now - pd.Timedelta(days=3)
    assert batches["survey"].rows["time"].to_pandas().dt.date.unique().tolist() == [day]
    weather = [read(path).rows.to_pylist()[0] for path in files if path.suffix == ".nc"]
    kinds = {row["kind"]: row for row in weather}
    assert kinds["analysis"]["last_time"] <= now
    assert kinds["analysis"]["first_time"] > now - pd.Timedelta(days=1)
    assert kinds["forecast"]["issue_time"] == pd.Timestamp("2026-08-19 08:00")
    assert _bytes(tmp_path).keys().isdisjoint({"enterprises/enterprises.csv"})


def test_size_on_disk(written: Written) -> None:
    size = sum(len(content) for content in _bytes(written.folder).values())
    settings = written.world.settings
    days = (settings.issue_time.date() - settings.first_day).days + 8
    assert size * 150 / days < 250e6


def test_bad_settings_are_refused(written: Written) -> None:
    data = written.world.settings.model_dump()
    with pytest.raises(ValueError, match="not after the first day"):
        DrillSettings.model_validate(data | {"first_day": "2026-09-01"})
    with pytest.raises(ValueError, match="before the issue time"):
        DrillSettings.model_validate(data | {"last_day": "2026-08-17"})
    with pytest.raises(ValueError, match="starts after the issue time"):
        DrillSettings.model_validate(data | {"issue_time": "2026-08-18T09:00"})
