"""Every layout of gridded weather, on files written to its documentation and on real samples."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tests.weather import layouts as make
from yrd_airq.errors import InputError
from yrd_airq.sources import netcdf_header
from yrd_airq.sources.netcdf_layout import Header
from yrd_airq.sources.netcdf_physics import REFERENCE_DENSITY, humidity_of_mixing_ratio, rates
from yrd_airq.vocab import WeatherKind
from yrd_airq.weather.fields import read_fields
from yrd_airq.weather.grid import open_weather


def at(weather: xr.Dataset, lat: float, lon: float) -> xr.Dataset:
    return weather.sel(lat=lat, lon=lon)


def test_old_era5_is_packed_and_counts_from_1900(tmp_path: Path) -> None:
    weather = open_weather(make.era5_old(tmp_path / "a.nc"))
    assert weather.attrs["layout"] == "era5_single_level"
    assert weather["time"].values[0] == np.datetime64("2016-09-01T08:00")
    assert np.all(np.diff(weather["lat"]) > 0)
    assert float(at(weather, 33.5, 121.0)["u10_ms"][2]) == pytest.approx(3.6, abs=1e-3)
    assert float(at(weather, 26.0, 114.0)["u10_ms"][0]) == pytest.approx(-4.6, abs=1e-3)


def test_final_and_preliminary_era5_fill_each_other(tmp_path: Path) -> None:
    mixed = open_weather(make.era5_old(tmp_path / "a.nc", expver=True))
    whole = open_weather(make.era5_old(tmp_path / "b.nc"))
    xr.testing.assert_allclose(mixed, whole)


def test_longitudes_up_to_360_and_beyond_greenwich(tmp_path: Path) -> None:
    east = np.arange(355.0, 375.1, 1.0) % 360
    path = make.era5_old(tmp_path / "a.nc", east=np.sort(east))
    weather = open_weather(path)
    assert list(weather["lon"].values[[0, -1]]) == [-5.0, 15.0]
    assert np.all(np.diff(weather["lon"]) > 0)
    # The first column of the file is 0°E, the last 359°E.
    file_u = make.plane()[0]
    zero = list(weather["lon"].values).index(0.0)
    assert float(weather["u10_ms"][0, -1, zero]) == pytest.approx(file_u[0], abs=1e-3)
    assert float(weather["u10_ms"][0, -1, zero - 1]) == pytest.approx(file_u[-1], abs=1e-3)


@pytest.mark.parametrize(
    ("dim", "unit", "start"),
    [
        ("pressure_level", "hPa", "valid_time"),
        ("level", "millibars", "time"),
        ("isobaricInhPa", "hPa", "time"),
        ("plev", "Pa", "time"),
    ],
)
def test_pressure_levels_rise_in_hpa(tmp_path: Path, dim: str, unit: str, start: str) -> None:
    weather = open_weather(make.levels(tmp_path / "a.nc", dim, unit, start))
    assert weather.attrs["layout"] == "era5_pressure_level"
    assert weather["u_ms"].dims == ("time", "level", "lat", "lon")
    assert list(weather["level"].values) == [850.0, 925.0, 1000.0]
    assert np.allclose(weather["u_ms"], weather["level"].values[:, None, None] / 100)
    assert np.allclose(weather["w_pas"], -0.1)
    assert np.allclose(weather["z_m"], 1000.0)


def test_a_single_level_stays_a_level(tmp_path: Path) -> None:
    with xr.open_dataset(make.levels(tmp_path / "a.nc"), engine="netcdf4") as raw:
        make.write(tmp_path / "b.nc", raw.isel(pressure_level=[1]).load())
    weather = open_weather(tmp_path / "b.nc")
    assert list(weather["level"].values) == [925.0]
    assert np.allclose(weather["u_ms"], 9.25)


def test_levels_without_a_unit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.nc: level is in 'no unit'; write the pressure levels in 'hPa'"):
        open_weather(make.levels(tmp_path / "a.nc", "level", ""))


def test_cfgrib_forecast_carries_issue_and_lead_and_rain_per_hour(tmp_path: Path) -> None:
    path = make.cfgrib(tmp_path / "a.nc", [0.003, 0.003, 0.009], hpbl=(700.0, "m"), tcc=(80.0, "%"))
    weather = open_weather(path)
    assert weather.attrs == {
        "kind": "forecast",
        "issue_time": "2016-09-01T08:00:00",
        "step_hours": 3,
        "layout": "gfs_ecmwf",
        "missing": "",
    }
    assert list(weather["lead_hours"].values) == [3, 6, 9]
    assert np.allclose(weather["precip_mmh"].isel(lat=3, lon=3), [1.0, 0.0, 2.0])
    assert np.allclose(weather["blh_m"], 700)
    assert np.allclose(weather["tcc"], 0.8)
    assert float(weather["rh_pct"].mean()) == pytest.approx(52.5, abs=0.3)


def test_part_of_a_running_sum_is_the_same_as_the_whole(tmp_path: Path) -> None:
    path = make.cfgrib(tmp_path / "a.nc", np.cumsum([0.003, 0.001, 0.0, 0.02, 0.001]))
    whole = open_weather(path)["precip_mmh"]
    part = read_fields(path, np.array([2, 4]), ("u10_ms", "v10_ms", "precip_mmh"), None)["precip_mmh"]
    assert np.allclose(part, whole.isel(time=[2, 4]))


def test_hourly_then_three_hourly_forecast_has_no_gap(tmp_path: Path) -> None:
    path = make.cfgrib(tmp_path / "a.nc", np.arange(1, 14) / 1000, 1)
    base = xr.open_dataset(path, engine="netcdf4").load()
    kept = [0, 1, 2, 3, 6, 9, 12]
    make.write(tmp_path / "b.nc", base.isel(step=kept))
    weather = open_weather(tmp_path / "b.nc")
    assert list(weather["step_hours"].values) == [1, 1, 1, 1, 3, 3, 3]
    assert weather.attrs["missing"] == ""
    assert np.allclose(weather["precip_mmh"].isel(lat=0, lon=0), 1.0)
    make.write(tmp_path / "c.nc", base.isel(step=[0, 1, 2, 3, 6, 7, 8]))
    gapped = open_weather(tmp_path / "c.nc")
    assert list(gapped["step_hours"].values) == [1] * 7
    assert gapped.attrs["missing"] == "2016-09-01T13:00,2016-09-01T14:00"


def test_wgrib2_buckets_of_rain_start_anew(tmp_path: Path) -> None:
    weather = open_weather(make.wgrib2(tmp_path / "a.nc"))
    assert weather.attrs["layout"] == "gfs_ecmwf"
    assert weather.attrs["issue_time"] == "2016-09-01T08:00:00"
    assert np.allclose(weather["precip_mmh"].isel(lat=0, lon=0), [1.0, 2.0, 0.5, 1.0, 0.5])
    assert np.allclose(weather["ssrd_wm2"], 410)
    assert np.allclose(weather["rh_pct"], 55)
    analysis = open_weather(make.wgrib2(tmp_path / "b.nc", analysis=True))
    assert (analysis.attrs["kind"], analysis.attrs["issue_time"]) == ("analysis", "")
    assert np.isnan(analysis["lead_hours"]).all()


def test_composition_in_units_of_the_standard(tmp_path: Path) -> None:
    row = netcdf_header.read(make.cams(tmp_path / "a.nc")).rows.to_pylist()[0]
    assert (row["layout"], row["kind"], row["step_hours"]) == ("cams_composition", "forecast", 3)
    weather = open_weather(tmp_path / "a.nc")
    assert "u10_ms" not in weather
    assert np.allclose(weather["pm25_ugm3"], 35)
    assert np.allclose(weather["pm10_ugm3"], 70)
    # 28.965 g/mol × 101325 Pa / (8.3145 J/mol/K × 298.15 K) = 1.1839 kg/m³.
    assert pytest.approx(1.1839, abs=1e-4) == REFERENCE_DENSITY
    assert np.allclose(weather["o3_ugm3"], 118.39, atol=0.01)
    assert np.allclose(weather["co_mgm3"], 0.47357, atol=1e-4)
    assert list(weather["lead_hours"].values) == [0, 3, 6]


def test_wrf_winds_are_turned_to_the_earth(tmp_path: Path) -> None:
    weather = open_weather(make.wrfout(tmp_path / "wrfout_d01.nc", angle_deg=20))
    assert weather.attrs["layout"] == "wrf_wrfout"
    assert (weather.attrs["kind"], weather.attrs["issue_time"]) == ("forecast", "2016-09-01T08:00:00")
    assert np.allclose(weather["u10_ms"], 10 * np.cos(np.radians(20)))
    assert np.allclose(weather["v10_ms"], 10 * np.sin(np.radians(20)))
    assert np.allclose(weather["blh_m"], 820)
    # Saturation at 20 °C is 23.37 hPa, the vapour pressure 0.0076 × 1000 / 0.6296 = 12.07 hPa.
    assert float(weather["rh_pct"].mean()) == pytest.approx(51.7, abs=0.2)


def test_wrf_rain_counts_its_buckets(tmp_path: Path) -> None:
    """1 + 2 mm an hour; the second counter is emptied into a bucket of 3 mm whenever it is full."""
    rain = open_weather(make.wrfout(tmp_path / "a.nc"))["precip_mmh"]
    assert np.isnan(rain.isel(time=0)).all()
    assert np.allclose(rain.isel(time=[1, 2]), 3.0)


def test_wrf_levels_are_linear_in_the_logarithm_of_pressure(tmp_path: Path) -> None:
    weather = open_weather(make.wrfout(tmp_path / "a.nc", angle_deg=0.0))
    assert list(weather["level"].values) == [600, 700, 800, 850, 900, 925, 950, 975, 1000]
    expected = np.log(np.minimum(weather["level"] * 100, 99e3))
    assert np.allclose(weather["u_ms"].mean(["time", "lat", "lon"]), expected)
    # w = −ρ g W with ρ = p / (R T) and T = 300 K (p / 1000 hPa)^(2/7).
    t_900 = 300 * 0.9 ** (2 / 7)
    rho = 90_000 / (287.04 * t_900)
    assert float(weather["t_k"].sel(level=900).mean()) == pytest.approx(t_900, rel=1e-3)
    assert float(weather["w_pas"].sel(level=900).mean()) == pytest.approx(-rho * 9.80665 * 0.1, rel=2e-3)


def test_wrf_every_half_hour_gives_the_full_hours(tmp_path: Path) -> None:
    weather = open_weather(make.wrfout(tmp_path / "a.nc", half_hours=True))
    assert list(weather["lead_hours"].values) == [0, 1, 2]
    assert np.allclose(weather["precip_mmh"].isel(time=[1, 2]), 3.0)


def test_wrf_without_the_angle_of_its_grid_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"a\.nc: winds run along the grid of projection 1; write out COSALPHA"
    ):
        netcdf_header.read(make.wrfout(tmp_path / "a.nc", turned=False))


def test_rates_of_a_sum_that_starts_anew() -> None:
    start = pd.Timestamp("2016-09-01 08:00")
    header = Header(
        "x",
        WeatherKind.FORECAST,
        start,
        pd.DatetimeIndex(start + pd.to_timedelta([3, 6, 9, 12], unit="h")),
        np.full(4, 3),
        np.arange(2.0),
        np.arange(2.0),
        (),
    )
    total = np.zeros((4, 2, 2))
    # One place is dry in the second bucket's first step, another has more rain than in the whole first one.
    total[:, 0, 0] = [3.0, 6.0, 0.0, 3.0]
    total[:, 0, 1] = [0.0, 3.0, 9.0, 9.0]
    out = rates(total, header, 0, 0.1)
    assert out[:, 0, 0].tolist() == [1, 1, 0, 1]
    assert out[:, 0, 1].tolist() == [0, 1, 3, 0]
    assert np.isnan(rates(total[1:], header, 1, 0.1)[0]).all()
    wobbling = np.array([1.0, 1.05, 1.0, 2.0]).reshape(4, 1, 1)
    assert np.allclose(rates(wobbling, header, 0, 0.1).ravel(), [1 / 3, 0.05 / 3, 0, 1 / 3])


def test_humidity_of_the_mixing_ratio_at_saturation() -> None:
    """Saturation mixing ratio at 20 °C and 1000 hPa is 14.9 g/kg (23.4 hPa × 0.622 / 976.6 hPa)."""
    assert humidity_of_mixing_ratio(0.01488, 293.15, 1e5) == pytest.approx(100, abs=0.5)


def test_unknown_layout_lists_the_known_ones(tmp_path: Path) -> None:
    make.write(tmp_path / "a.nc", xr.Dataset({"chlorophyll": ("x", [1.0])}))
    with pytest.raises(
        InputError, match=r"a\.nc: not weather of a known layout \(holds chlorophyll\)"
    ) as caught:
        netcdf_header.read(tmp_path / "a.nc")
    for layout in netcdf_header.LAYOUTS:
        assert f"- {layout.name}: {layout.looks}" in str(caught.value)


@pytest.mark.parametrize("name", ["a.grib", "b.grb2", "c.nc"])
def test_grib_is_refused_with_advice(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"GRIB\x00\x00\x00\x02" + bytes(100))
    assert netcdf_header.matches(path)
    with pytest.raises(
        InputError, match=rf"{name}: GRIB is not read directly.*\[grib\].*cfgrib to_netcdf -o"
    ):
        netcdf_header.read(path)


def test_the_default_touches_neither_cfgrib_nor_metpy(tmp_path: Path) -> None:
    """Letting xarray try its readers has crashed the interpreter, so the engine is always named."""
    path = make.cfgrib(tmp_path / "a.nc", [0.001, 0.002])
    program = (
        "import sys, xarray, pathlib\n"
        "true_open, engines = xarray.open_dataset, []\n"
        "def spy(*args, **options):\n"
        "    engines.append(options.get('engine')); return true_open(*args, **options)\n"
        "xarray.open_dataset = spy\n"
        "from yrd_airq.sources import reading\n"
        "from yrd_airq.weather.grid import open_weather\n"
        f"path = pathlib.Path({str(path)!r})\n"
        "reading.read(path); open_weather(path)\n"
        "assert engines and set(engines) == {'netcdf4'}, engines\n"
        "assert not {'cfgrib', 'eccodes', 'gribapi', 'metpy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=Path(__file__).parents[2])


def test_no_module_opens_data_without_naming_the_engine() -> None:
    root = Path(__file__).parents[2]
    paths = [*(root / "yrd_airq").rglob("*.py"), *(root / "tests").rglob("*.py")]
    calls = [
        (path.name, call.lineno, {word.arg: ast.unparse(word.value) for word in call.keywords}.get("engine"))
        for path in sorted(paths)
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in ("open_dataset", "open_mfdataset", "load_dataset")
    ]
    assert calls
    assert [call for call in calls if call[2] != "'netcdf4'"] == []


def test_real_pressure_levels(real_data: Path) -> None:
    path = real_data / "weather" / "samples" / "era5_pl_2015080100_0212.nc"
    weather = open_weather(path)
    assert dict(weather.sizes) == {"time": 7, "level": 3, "lat": 181, "lon": 281}
    assert (weather.attrs["kind"], weather.attrs["step_hours"]) == ("analysis", 6)
    with xr.open_dataset(path, engine="netcdf4") as raw:
        there = raw.sel(pressure_level=925, latitude=30.25, longitude=118.5).isel(valid_time=3)
        here = weather.sel(level=925, lat=30.25, lon=118.5, time="2015-08-02 02:00")
        for name, key in (("u", "u_ms"), ("v", "v_ms"), ("w", "w_pas")):
            assert float(here[key]) == pytest.approx(float(there[name]), abs=1e-6)
    cut = open_weather(path, area=(114.1, 26.9, 119.0, 36.0))
    assert (float(cut["lon"][0]), float(cut["lat"][0]), float(cut["lon"][-1])) == (114.0, 26.75, 119.0)
    xr.testing.assert_equal(cut["u_ms"], weather["u_ms"].sel(lat=cut["lat"], lon=cut["lon"]))


def test_real_wrfout_of_a_moving_domain(real_data: Path) -> None:
    path = real_data / "weather" / "samples" / "wrfout_mercator_sample.nc"
    weather = open_weather(path)
    assert (weather.attrs["issue_time"], weather.attrs["step_hours"]) == ("2005-08-28T08:00:00", 3)
    assert list(weather["lead_hours"].values) == [12, 15, 18, 21]
    with xr.open_dataset(path, engine="netcdf4") as raw:
        for step in (0, 3):
            frame = raw.isel(Time=step).load()
            lat, lon = frame["XLAT"].values[:, 0], frame["XLONG"].values[0]
            square = xr.DataArray(frame["U10"].values, coords={"lat": lat, "lon": lon}, dims=("lat", "lon"))
            inside = weather.isel(time=step, lat=slice(1, -1), lon=slice(1, -1))
            expected = square.interp(lat=inside["lat"], lon=inside["lon"])
            # Triangles against squares: the same at the points, close between them.
            assert float(np.abs(inside["u10_ms"] - expected).mean()) < 0.15
    speed = np.hypot(weather["u10_ms"], weather["v10_ms"])
    assert 25 < float(speed.max()) < 60
    assert np.isfinite(weather["precip_mmh"].isel(time=slice(1, None))).all()
    assert float(weather["z_m"].sel(level=700).mean()) == pytest.approx(3100, abs=150)
