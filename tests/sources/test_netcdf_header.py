"""Headers of weather files: what is recognised, what is refused and with which words."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tests.weather.make import LAT, LON, write_weather
from yrd_airq.errors import InputError
from yrd_airq.sources import netcdf_header
from yrd_airq.sources.batch import SCHEMAS, Kind

HOURS = pd.date_range("2016-09-01 00:00", periods=24, freq="h")
DAYS = pd.date_range("2016-09-01", periods=3, freq="D")


def row_of(path: Path) -> dict[str, object]:
    batch = netcdf_header.read(path)
    assert batch.kind is Kind.WEATHER
    assert batch.rows.schema == SCHEMAS[Kind.WEATHER]
    assert batch.rows.num_rows == 1
    assert batch.refused.num_rows == 0
    return batch.rows.to_pylist()[0]


def test_hourly_file_is_shifted_to_beijing(tmp_path: Path) -> None:
    path = write_weather(tmp_path / "a.nc", HOURS)
    row = row_of(path)
    assert row["first_time"] == pd.Timestamp("2016-09-01 08:00")
    assert row["last_time"] == pd.Timestamp("2016-09-02 07:00")
    assert (row["step_hours"], row["kind"], row["issue_time"]) == (1.0, "analysis", None)
    assert (row["lon_min"], row["lon_max"], row["lat_min"], row["lat_max"]) == (110, 124, 24, 38)
    assert row["variables"] == "u10_ms,v10_ms,t2m_k,rh_pct,sp_pa"
    assert row["path"] == str(path.resolve())
    assert netcdf_header.read(path).content_hash == hashlib.sha256(path.read_bytes()).hexdigest()


def test_daily_file_names_the_local_day_and_is_not_shifted(tmp_path: Path) -> None:
    row = row_of(write_weather(tmp_path / "a.nc", DAYS))
    assert row["first_time"] == pd.Timestamp("2016-09-01 00:00")
    assert row["last_time"] == pd.Timestamp("2016-09-03 00:00")
    assert row["step_hours"] == 24


def test_daily_stamp_at_noon_means_the_same_day(tmp_path: Path) -> None:
    row = row_of(write_weather(tmp_path / "a.nc", DAYS + pd.Timedelta(hours=12)))
    assert row["first_time"] == pd.Timestamp("2016-09-01 00:00")


@pytest.mark.parametrize("how", ["coordinate", "issue_time", "forecast_reference_time"])
@pytest.mark.parametrize("text", ["2016-09-01T00:00", "2016-09-01T00:00Z"])
def test_forecast_is_told_by_its_reference_time(tmp_path: Path, how: str, text: str) -> None:
    if how == "coordinate":
        text = text.removesuffix("Z")
    row = row_of(write_weather(tmp_path / "a.nc", HOURS, issue=text, issue_as=how))
    assert row["kind"] == "forecast"
    assert row["issue_time"] == pd.Timestamp("2016-09-01 08:00")


def test_issue_time_with_a_zone_is_converted(tmp_path: Path) -> None:
    row = row_of(
        write_weather(tmp_path / "a.nc", HOURS, issue="2016-09-01T16:00+08:00", issue_as="issue_time")
    )
    assert row["issue_time"] == pd.Timestamp("2016-09-01 16:00")


def test_steps_as_lead_times_from_a_reference_are_read(tmp_path: Path) -> None:
    base = xr.open_dataset(write_weather(tmp_path / "a.nc", HOURS[::3]), engine="netcdf4").load()
    lead = pd.to_timedelta(np.arange(8) * 3, unit="h")
    turned = base.rename(valid_time="step").assign_coords(
        step=lead, time=np.datetime64("2016-09-01T00:00", "ns"), valid_time=("step", HOURS[::3])
    )
    turned.to_netcdf(tmp_path / "b.nc", engine="netcdf4")
    row = row_of(tmp_path / "b.nc")
    assert (row["kind"], row["step_hours"]) == ("forecast", 3)
    assert row["issue_time"] == pd.Timestamp("2016-09-01 08:00")
    assert row["last_time"] == pd.Timestamp("2016-09-02 05:00")


def test_longitudes_beyond_180_are_turned(tmp_path: Path) -> None:
    row = row_of(write_weather(tmp_path / "a.nc", HOURS, lon=np.arange(200.0, 210.0)))
    assert (row["lon_min"], row["lon_max"]) == (-160, -151)


def test_gap_in_the_times_is_allowed(tmp_path: Path) -> None:
    assert row_of(write_weather(tmp_path / "a.nc", HOURS.delete([5, 6])))["step_hours"] == 1


def test_matches_by_magic_bytes(tmp_path: Path) -> None:
    assert netcdf_header.matches(write_weather(tmp_path / "a.nc", DAYS))
    assert netcdf_header.matches(write_weather(tmp_path / "b.bin", DAYS, file_format="NETCDF3_CLASSIC"))
    (tmp_path / "c.nc").write_text("date,hour,type\n")
    assert not netcdf_header.matches(tmp_path / "c.nc")
    assert not netcdf_header.matches(tmp_path / "absent.nc")


def test_read_is_the_same_twice(tmp_path: Path) -> None:
    path = write_weather(tmp_path / "a.nc", HOURS)
    assert netcdf_header.read(path) == netcdf_header.read(path)


@pytest.mark.parametrize("file_format", ["NETCDF4", "NETCDF3_CLASSIC"])
@pytest.mark.parametrize("kept", [0.02, 0.5, 0.95])
def test_truncated_file_is_refused_by_name(tmp_path: Path, file_format: str, kept: float) -> None:
    path = write_weather(tmp_path / "cut.nc", HOURS, u=np.random.default_rng(1).normal(size=(24, 15, 15)))
    if file_format != "NETCDF4":
        path = write_weather(path, HOURS, file_format=file_format)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(InputError, match=r"cut\.nc.*fetch it again"):
        netcdf_header.read(path)


def test_damaged_classic_headers_are_refused_and_crash_nothing(tmp_path: Path) -> None:
    whole = write_weather(tmp_path / "a.nc", HOURS, file_format="NETCDF3_CLASSIC").read_bytes()
    refused = 0
    for k in (1080, *range(40)):  # On the first of these the NetCDF library itself ends the process.
        rng = np.random.default_rng([5, k])
        made = bytearray(whole)
        for place in rng.integers(4, 3000, rng.integers(1, 30)):
            made[place] = rng.integers(0, 256)
        path = tmp_path / "b.nc"
        path.write_bytes(bytes(made))
        try:
            assert netcdf_header.read(path).rows_in == 1
        except InputError as error:
            assert "b.nc" in str(error)
            refused += 1
    assert refused > 20


def with_units(data: xr.Dataset, name: str, unit: str) -> xr.Dataset:
    data[name].attrs["units"] = unit
    return data


def blank_last(data: xr.Dataset) -> xr.Dataset:
    data["u10"][-1] = np.nan
    return data


LEADS = pd.to_timedelta(np.arange(24), unit="h")
UNEVEN = HOURS[[0, 2, 3]] + pd.to_timedelta([0, 30, 0], "m")
DAMAGE: dict[str, Callable[[xr.Dataset], xr.Dataset]] = {
    "no wind": lambda data: data.drop_vars("v10"),
    "no time": lambda data: data.isel(valid_time=slice(0, 0)).drop_encoding(),
    "no coordinate": lambda data: data.drop_vars("longitude"),
    "curved": lambda data: data.assign_coords(latitude=np.r_[LAT[1:], LAT[0]]),
    "unit": lambda data: with_units(data, "u10", "km/h"),
    "celsius": lambda data: with_units(data, "t2m", "degC"),
    "levels": lambda data: data.expand_dims(pressure_level=[1000.0, 925.0]),
    "members": lambda data: data.expand_dims(number=[0, 1]),
    "wrf": lambda data: data.rename(latitude="south_north", longitude="west_east"),
    "uneven": lambda data: data.isel(valid_time=[0, 1, 2]).assign_coords(valid_time=UNEVEN),
    "two hours": lambda data: data.isel(valid_time=slice(0, None, 2)),
    "one time": lambda data: data.isel(valid_time=[0]),
    "falling": lambda data: data.isel(valid_time=[0, 2, 1, 3]),
    "twice": lambda data: data.isel(valid_time=[0, 1, 1, 2]),
    "no unit": lambda data: with_units(data, "v10", ""),
    "wind as height": lambda data: with_units(data, "u10", "m"),
    "no lead": lambda data: data.rename(valid_time="step").assign_coords(step=LEADS),
    "blank end": blank_last,
    "bad issue": lambda data: data.assign_attrs(issue_time="yesterday noon"),
}


def broken(tmp_path: Path, change: str) -> Path:
    path = write_weather(tmp_path / "a.nc", HOURS)
    with xr.open_dataset(path, engine="netcdf4") as opened:
        data = DAMAGE[change](opened.load())
    data.to_netcdf(tmp_path / "b.nc", engine="netcdf4")
    return tmp_path / "b.nc"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("no wind", "no 10 m wind"),
        ("no time", "no time step"),
        ("no coordinate", "no coordinate longitude"),
        ("curved", "latitude neither rises nor falls"),
        ("unit", "u10 is in 'km/h'"),
        ("celsius", "t2m is in 'degC'"),
        ("levels", "u10 has the dimension pressure_level; write one file for each value"),
        ("members", "dimension number"),
        ("wrf", "wrfout without Times"),
        ("uneven", "time step"),
        ("two hours", "time step of 2 h"),
        ("one time", "time step of 0 h.*attribute step_hours"),
        ("falling", r"falling times \(step 3 of 4: 2016-09-01 01:00 UTC\)"),
        ("twice", r"repeated or falling times \(step 3 of 4: 2016-09-01 01:00 UTC\)"),
        ("no unit", "v10 has no unit attribute; make sure of its unit and write it, like 'm s-1'"),
        ("wind as height", "u10 is in 'm'; convert it to 'm s-1'"),
        ("no lead", r"step is not decoded as a time|lead times \(step\) but no time of issue"),
        ("blank end", "u10_ms holds no value at 2016-09-02 07:00"),
        ("bad issue", "'yesterday noon' is not a time"),
    ],
)
def test_unusable_file_is_refused_with_the_reason(tmp_path: Path, change: str, words: str) -> None:
    with pytest.raises(InputError, match=rf"b\.nc.*{words}"):
        netcdf_header.read(broken(tmp_path, change))


def test_missing_file_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such weather file"):
        netcdf_header.read(tmp_path / "absent.nc")


def test_real_files(real_data: Path) -> None:
    row = row_of(real_data / "weather" / "capra_daily_2016.nc")
    assert (row["kind"], row["step_hours"]) == ("analysis", 24)
    assert row["last_time"] == pd.Timestamp("2016-12-31")
    upper = row_of(real_data / "weather" / "samples" / "era5_pl_2015080100_0212.nc")
    assert (upper["layout"], upper["variables"]) == ("era5_pressure_level", "u_ms,v_ms,w_pas")
    model = row_of(real_data / "weather" / "samples" / "wrfout_mercator_sample.nc")
    assert (model["layout"], model["kind"], model["step_hours"]) == ("wrf_wrfout", "forecast", 3)
    assert model["issue_time"] == pd.Timestamp("2005-08-28 08:00")


def test_grid_constants_cover_the_region() -> None:
    assert LAT.min() <= 24
    assert LON.max() >= 123
