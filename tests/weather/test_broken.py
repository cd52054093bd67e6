"""Broken weather files: one clear error that names file, variable and step; never a silent zero wind."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tests.weather import layouts as make
from tests.weather.make import LAT, LON, by_time, files_of, write_weather
from yrd_airq.errors import InputError
from yrd_airq.sources import netcdf_header
from yrd_airq.weather.grid import LEVEL_WINDS, covered_days, open_weather, weather_for

HOURS = pd.date_range("2016-09-01 00:00", periods=48, freq="h")
ISSUE = pd.Timestamp("2016-09-03 16:00")
FIRST, LAST = pd.Timestamp("2016-09-01 09:00"), pd.Timestamp("2016-09-02 20:00")


def test_winds_that_are_nought_everywhere_are_refused(tmp_path: Path) -> None:
    u = np.full(48, 2.0)
    u[[20, 21]] = 0.0
    path = write_weather(tmp_path / "zero.nc", HOURS, u=by_time(u), v=by_time(-u))
    with pytest.raises(
        InputError,
        match=r"zero\.nc: u10_ms and v10_ms are nought at every place at 2016-09-02 04:00 and in 2 step",
    ):
        weather_for(files_of(path), FIRST, LAST, ISSUE)
    before = weather_for(files_of(path), FIRST, pd.Timestamp("2016-09-02 03:00"), ISSUE)
    assert float(np.abs(before["u10_ms"]).min()) == 2.0


def test_calm_at_some_places_is_weather(tmp_path: Path) -> None:
    u = np.full((48, len(LAT), len(LON)), 2.0)
    u[5, 3:9] = 0.0
    path = write_weather(tmp_path / "calm.nc", HOURS, u=u, v=0.0)
    assert float(weather_for(files_of(path), FIRST, LAST, ISSUE)["u10_ms"].min()) == 0.0


def test_hours_missing_inside_the_run_are_listed(tmp_path: Path) -> None:
    path = write_weather(tmp_path / "holes.nc", HOURS.delete([10, 11, 30]))
    missing = open_weather(path).attrs["missing"]
    assert missing == "2016-09-01T18:00,2016-09-01T19:00,2016-09-02T14:00"
    with pytest.raises(
        InputError, match=r"no winds for 3 of 36 hours.*2016-09-01 18:00 … 2016-09-01 19:00; 2016-09-02 14:00"
    ):
        weather_for(files_of(path), FIRST, LAST, ISSUE)


def test_another_file_fills_missing_hours(tmp_path: Path) -> None:
    holes = write_weather(tmp_path / "holes.nc", HOURS.delete([10, 11]), u=1.0)
    spare = write_weather(tmp_path / "spare.nc", HOURS, u=5.0, issue="2016-09-01T00:00")
    weather = weather_for(files_of(holes, spare), FIRST, LAST, ISSUE)
    u = weather["u10_ms"].isel(lat=3, lon=3).to_series()
    assert list(u[u == 5.0].index.hour) == [18, 19]
    assert list(weather["kind"].to_series()[u == 5.0]) == ["forecast", "forecast"]
    assert list(weather["lead_hours"].to_series()[u == 5.0]) == [10, 11]
    assert weather["lead_hours"].to_series()[u == 1.0].isna().all()


def damaged(path: Path, change: Callable[[xr.Dataset], xr.Dataset]) -> Path:
    with xr.open_dataset(path, engine="netcdf4", decode_timedelta=True) as opened:
        data = change(opened.load())
    path.unlink()
    return make.write(path, data)


def without(*names: str) -> Callable[[xr.Dataset], xr.Dataset]:
    return lambda data: data.drop_vars(list(names))


def in_unit(name: str, unit: str) -> Callable[[xr.Dataset], xr.Dataset]:
    def change(data: xr.Dataset) -> xr.Dataset:
        data[name].attrs["units"] = unit
        return data

    return change


MAKERS: dict[str, Callable[[Path], Path]] = {
    "old": make.era5_old,
    "cfgrib": lambda path: make.cfgrib(path, [0.001, 0.002]),
    "wgrib2": make.wgrib2,
    "levels": make.levels,
    "wrf": make.wrfout,
    "cams": make.cams,
}


@pytest.mark.parametrize(
    ("maker", "change", "words"),
    [
        ("old", without("v10"), "no 10 m wind"),
        ("cfgrib", without("u10"), "no 10 m wind"),
        ("wgrib2", without("VGRD_10maboveground"), "no 10 m wind"),
        ("levels", without("v"), r"no wind on levels \(u, v\)"),
        ("wrf", without("U10", "U"), "neither U10 and V10 nor U, V, P and PB"),
        ("wrf", without("XLONG"), "wrfout without XLONG"),
        ("old", without("latitude"), "no coordinate latitude"),
        ("cfgrib", without("longitude"), "no coordinate longitude"),
        ("cfgrib", without("time"), "lead times .step. but no time of issue"),
        ("cfgrib", in_unit("tp", "mm/day"), "tp is in 'mm/day'; convert it to 'm'"),
        ("wgrib2", in_unit("PRES_surface", "hPa"), "PRES_surface is in 'hPa'; convert it to 'Pa'"),
        ("levels", in_unit("w", "m s**-1"), "w is in 'm s\\*\\*-1'; convert it to 'Pa s-1'"),
        ("wrf", in_unit("T2", "degC"), "T2 is in 'degC'; convert it to 'K'"),
        ("cams", in_unit("pm2p5", "ug m-3"), "pm2p5 is in 'ug m-3'; convert it to 'kg m-3'"),
        ("cams", in_unit("go3", ""), "go3 has no unit attribute"),
        (
            "wrf",
            lambda data: data.isel(Time=[0, 2, 1]),
            "Times has blank, repeated or falling times .step 3 of 3",
        ),
        ("levels", lambda data: data.isel(valid_time=[0, 1, 1, 2]), "step 3 of 4: 2016-09-01 06:00 UTC"),
        ("levels", lambda data: data.where(data["v"] < -99), "u_ms|v_ms|holds no value"),
    ],
)
def test_every_layout_names_file_and_fault(
    tmp_path: Path, maker: str, change: Callable[[xr.Dataset], xr.Dataset], words: str
) -> None:
    path = damaged(MAKERS[maker](tmp_path / "bad.nc"), change)
    with pytest.raises(InputError, match=rf"bad\.nc: .*({words})"):
        open_weather(path)


@pytest.mark.parametrize("maker", sorted(MAKERS))
@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_cut_off_files_of_every_layout(tmp_path: Path, maker: str, kept: float) -> None:
    path = MAKERS[maker](tmp_path / "cut.nc")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(InputError, match=r"cut\.nc.*fetch it again"):
        netcdf_header.read(path)


def test_blank_slab_on_a_level_is_refused(tmp_path: Path) -> None:
    def hole(data: xr.Dataset) -> xr.Dataset:
        data["v"][1, 2, :, 4] = np.nan
        return data

    path = damaged(make.levels(tmp_path / "slab.nc"), hole)
    with pytest.raises(
        InputError,
        match=rf"slab\.nc: v_ms is blank at {len(make.LAT)} place.* at 2016-09-01 14:00 and in 1 step",
    ):
        open_weather(path)


def test_temperature_of_celsius_in_kelvin_names_the_step(tmp_path: Path) -> None:
    t2m = np.full(48, 293.0)
    t2m[7] = 20.0
    path = write_weather(tmp_path / "odd.nc", HOURS, extra={"t2m": by_time(t2m)})
    with pytest.raises(
        InputError, match=r"odd\.nc: t2m_k leaves 180 … 340 K at 2016-09-01 15:00; wrong unit"
    ):
        open_weather(path)


def test_file_that_vanishes_after_it_was_described(tmp_path: Path) -> None:
    path = write_weather(tmp_path / "gone.nc", HOURS)
    files = files_of(path)
    weather_for(files, FIRST, LAST, ISSUE)
    path.unlink()
    with pytest.raises(InputError, match=r"gone\.nc: no such weather file"):
        weather_for(files, FIRST, LAST, ISSUE)


def test_file_that_is_replaced_is_described_anew(tmp_path: Path) -> None:
    path = write_weather(tmp_path / "a.nc", HOURS, u=1.0)
    files = files_of(path)
    weather_for(files, FIRST, LAST, ISSUE)
    path.unlink()
    write_weather(path, HOURS[:20], u=3.0)
    with pytest.raises(InputError, match="no winds for"):
        weather_for(files, FIRST, LAST, ISSUE)


def test_files_that_lack_the_need_do_not_serve(tmp_path: Path) -> None:
    """Levels and composition lie in the same store as surface weather and leave it alone."""
    surface = write_weather(tmp_path / "a.nc", HOURS[:13], u=1.0)
    upper = make.levels(tmp_path / "b.nc")
    cams = make.cams(tmp_path / "c.nc")
    files = files_of(cams, upper, surface)
    last = pd.Timestamp("2016-09-01 20:00")
    weather = weather_for(files, FIRST, last, ISSUE)
    assert weather.attrs["layout"] == "era5_single_level"
    assert weather.identical(weather_for(files_of(surface), FIRST, last, ISSUE))
    above = weather_for(files, FIRST, last, ISSUE, needs=LEVEL_WINDS)
    assert above["u_ms"].dims == ("time", "level", "lat", "lon")
    assert list(above["time"].dt.hour.values) == [14, 20]
    air = weather_for(files, FIRST, pd.Timestamp("2016-09-01 14:00"), ISSUE, needs=("pm25_ugm3",))
    assert set(air.data_vars) >= {"pm25_ugm3", "o3_ugm3", "lead_hours"}
    assert "u10_ms" not in air
    with pytest.raises(InputError, match="no u_ms, v_ms for 36 of 36 hours"):
        weather_for(files_of(surface), FIRST, LAST, ISSUE, needs=LEVEL_WINDS)
    day = ISSUE.date()
    assert covered_days(files_of(upper), day, day, ISSUE).empty


def test_levels_of_two_files_are_brought_to_those_they_share(tmp_path: Path) -> None:
    one = make.levels(tmp_path / "one.nc")
    two = damaged(
        make.levels(tmp_path / "two.nc"),
        lambda data: data.isel(pressure_level=[0, 2]).assign_coords(
            valid_time=data["valid_time"] + np.timedelta64(18, "h")
        ),
    )
    files = files_of(one, two)
    weather = weather_for(files, FIRST, pd.Timestamp("2016-09-02 14:00"), ISSUE, needs=LEVEL_WINDS)
    assert list(weather["level"].values) == [850, 1000]
    assert np.allclose(weather["u_ms"].isel(time=-1, lat=0, lon=0), [8.5, 10.0])


def test_area_beyond_the_grid_is_refused(tmp_path: Path) -> None:
    path = write_weather(tmp_path / "a.nc", HOURS)
    with pytest.raises(InputError, match=r"a\.nc: its grid .* does not reach the area 10–20°E"):
        open_weather(path, area=(10.0, 25.0, 20.0, 30.0))
