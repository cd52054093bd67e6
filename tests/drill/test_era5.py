"""The drill's weather files: the layout of the data store, read back by the product's own readers."""

from __future__ import annotations

import time
from pathlib import Path

import netCDF4
import numpy as np
import pandas as pd
import pytest

from yrd_airq.drill.era5 import write_weather
from yrd_airq.drill.forecast import make_forecast
from yrd_airq.drill.grid import Grid, make_grid
from yrd_airq.drill.weather import FIELDS, Weather, make_weather
from yrd_airq.drill.weather_settings import WeatherSettings, load_weather_settings
from yrd_airq.region import load_region
from yrd_airq.sources.reading import read
from yrd_airq.vocab import WeatherKind
from yrd_airq.weather.city import city_daily
from yrd_airq.weather.grid import open_weather, weather_for
from yrd_airq.weather.settings import load_weather

FIRST = pd.Timestamp("2026-05-01 08:00")
REFERENCE = pd.Timestamp("2026-05-03 08:00")
LABEL = "演练（虚构数据）"
# Half a step of the packing and rounding of single precision.
_CLOSE = {"u10": 0.006, "v10": 0.006, "t2m": 0.006, "sp": 0.51, "blh": 0.51, "ssrd": 0.15, "tcc": 6e-4}
_NAMES = {
    "u10": "u10_ms",
    "v10": "v10_ms",
    "t2m": "t2m_k",
    "sp": "sp_pa",
    "blh": "blh_m",
    "ssrd": "ssrd_wm2",
    "tcc": "tcc",
}


@pytest.fixture(scope="module")
def settings() -> WeatherSettings:
    return load_weather_settings()


@pytest.fixture(scope="module")
def grid(settings: WeatherSettings) -> Grid:
    return make_grid(settings.grid)


@pytest.fixture(scope="module")
def weather(settings: WeatherSettings, grid: Grid) -> Weather:
    return make_weather(FIRST, FIRST + pd.Timedelta(hours=71), grid, settings, 9)


@pytest.fixture(scope="module")
def files(
    weather: Weather, settings: WeatherSettings, grid: Grid, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("era5")
    coming = make_forecast(REFERENCE, grid, settings, 9)
    return (
        write_weather(folder / "analysis.nc", weather, grid, LABEL),
        write_weather(folder / "forecast.nc", coming, grid, LABEL, REFERENCE),
    )


def test_layout_is_that_of_the_data_store(files: tuple[Path, Path]) -> None:
    with netCDF4.Dataset(files[0]) as file:
        assert set(FIELDS) <= set(file.variables)
        assert file["u10"].dimensions == ("valid_time", "latitude", "longitude")
        assert file["valid_time"].units == "seconds since 1970-01-01"
        assert np.issubdtype(file["valid_time"].dtype, np.integer)
        assert pd.Timestamp(int(file["valid_time"][0]), unit="s") == pd.Timestamp("2026-05-01 00:00")
        assert np.all(np.diff(file["valid_time"][:]) == 3600)
        assert (file["latitude"][0], file["latitude"][-1]) == (36, 26)
        assert (file["longitude"][0], file["longitude"][-1]) == (110, 123.5)
        assert "forecast_reference_time" not in file.variables
        assert "演练" in file.title
    with netCDF4.Dataset(files[1]) as file:
        assert np.all(np.diff(file["valid_time"][:]) == 3 * 3600)
        assert int(file["forecast_reference_time"][...]) == int(file["valid_time"][0])


def test_readers_give_back_what_was_written(weather: Weather, grid: Grid, files: tuple[Path, Path]) -> None:
    found = open_weather(files[0])
    assert list(pd.DatetimeIndex(found["time"].values)) == list(weather.times)
    assert np.array_equal(found["lat"], grid.lat)
    for name, canonical in _NAMES.items():
        factor = 1 / 3600 if name == "ssrd" else 1.0
        assert np.allclose(found[canonical], getattr(weather, name) * factor, rtol=0, atol=_CLOSE[name]), name
    assert np.allclose(found["precip_mmh"], 1000 * weather.tp, atol=0.006)
    assert 5 < float(found["rh_pct"].min()) < float(found["rh_pct"].max()) <= 100.1


def test_batches_tell_analysis_from_forecast(files: tuple[Path, Path]) -> None:
    analysis, forecast = (read(path).rows.to_pylist()[0] for path in files)
    assert analysis["kind"] == WeatherKind.ANALYSIS.value
    assert analysis["issue_time"] is None
    assert forecast["kind"] == WeatherKind.FORECAST.value
    assert forecast["issue_time"] == REFERENCE
    assert forecast["last_time"] == REFERENCE + pd.Timedelta(days=8)
    assert read(files[0]).refused.num_rows == 0


def test_city_weather_comes_from_both(files: tuple[Path, Path]) -> None:
    rows = pd.DataFrame([read(path).rows.to_pylist()[0] for path in files])
    joined = weather_for(rows, FIRST, REFERENCE + pd.Timedelta(days=7), REFERENCE)
    kinds = pd.Series(joined["kind"].values, pd.DatetimeIndex(joined["time"].values))
    assert (kinds[:REFERENCE] == WeatherKind.ANALYSIS.value).all()
    assert (kinds[REFERENCE + pd.Timedelta(hours=1) :] == WeatherKind.FORECAST.value).all()
    days = city_daily(open_weather(files[0]), load_region(), load_weather())
    assert days["adcode"].nunique() == 41
    assert days[["wind_ms", "t2m_c", "rh_pct", "blh_m", "tcc"]].notna().all().all()


def test_same_weather_same_bytes_small_and_quick(
    weather: Weather, settings: WeatherSettings, grid: Grid, tmp_path: Path
) -> None:
    again = make_weather(weather.times[0], weather.times[-1], grid, settings, 9)
    start = time.perf_counter()
    first = write_weather(tmp_path / "a.nc", weather, grid, LABEL)
    took = time.perf_counter() - start
    assert first.read_bytes() == write_weather(tmp_path / "b.nc", again, grid, LABEL).read_bytes()
    # A month is ten times as much: below 25 MB and 5 s, with room for a busy machine.
    assert first.stat().st_size < 2.5e6
    assert took < 1.5
