"""The drill's air as a whole: levels, hours of the day, runs that go on, whatever the threads."""

from __future__ import annotations

import numba
import numpy as np
import pandas as pd
import pytest

from tests.conftest import ROOT
from tests.drill.made_air import MadeEmission, plain_weather, small_grid
from yrd_airq.drill.air_settings import AirSettings
from yrd_airq.drill.solver import POINT_SPECIES, AirRun, run, surface_concentrations
from yrd_airq.drill.state import INDEX
from yrd_airq.errors import InputError
from yrd_airq.settings import load_file
from yrd_airq.vocab import Pollutant

SETTINGS = load_file(AirSettings, ROOT / "configs/drill/air.yaml")
GRID = small_grid()
HOURS = 72
MIDDLE = GRID.nearest_cell([GRID.lon[GRID.shape[1] // 2]], [GRID.lat[GRID.shape[0] // 2]])[0]
CITY = np.eye(GRID.land.size, dtype=np.float32)[:, [MIDDLE, MIDDLE - 5]]


@pytest.fixture(scope="module")
def summer() -> AirRun:
    weather = plain_weather(GRID, "2026-07-10", HOURS)
    return run(weather, MadeEmission(GRID, HOURS), GRID, SETTINGS, points=CITY, surface=True)


@pytest.fixture(scope="module")
def winter() -> AirRun:
    weather = plain_weather(GRID, "2026-01-10", HOURS, wind=(1.0, -1.0), warmth_c=4.0)
    return run(weather, MadeEmission(GRID, HOURS), GRID, SETTINGS, points=CITY)


def city(result: AirRun) -> dict[Pollutant, pd.Series]:
    """The city's air of the last two days by hour."""
    found = surface_concentrations(np.asarray(result.point_state))
    return {p: pd.Series(v[24:, 0], index=result.times[24:]) for p, v in found.items()}


def test_levels_are_those_of_the_region(summer: AirRun, winter: AirRun) -> None:
    july, january = city(summer), city(winter)
    assert 100 < july[Pollutant.O3].max() < 240
    assert january[Pollutant.O3].max() < 0.6 * july[Pollutant.O3].max()
    assert 8 < july[Pollutant.NO2].mean() < 60
    assert 20 < january[Pollutant.NO2].mean() < 100
    assert 8 < july[Pollutant.PM25].mean() < 60
    assert 30 < january[Pollutant.PM25].mean() < 160
    assert (january[Pollutant.PM10] > january[Pollutant.PM25]).all()
    assert 0.2 < january[Pollutant.CO].mean() < 2.5


def test_ozone_peaks_in_the_afternoon_and_falls_in_the_citys_night(summer: AirRun) -> None:
    air = city(summer)
    ozone = air[Pollutant.O3].groupby(air[Pollutant.O3].index.hour).mean()
    no2 = air[Pollutant.NO2].groupby(air[Pollutant.NO2].index.hour).mean()
    assert 12 <= ozone.idxmax() <= 17
    assert ozone.loc[[2, 3, 4, 5]].max() < 0.6 * ozone.max()
    assert no2.idxmin() in range(10, 17)
    here, upwind = np.asarray(summer.point_state)[48:54, INDEX["o3"]].mean(axis=0)
    assert here < upwind - 2


def test_nothing_is_negative_or_lost(summer: AirRun) -> None:
    assert summer.end.values.min() >= 0
    assert np.isfinite(summer.end.values).all()
    assert summer.surface is not None
    np.testing.assert_allclose(
        summer.surface.reshape(HOURS, len(POINT_SPECIES), -1)[:, :, MIDDLE],
        np.asarray(summer.point_state)[:, :, 0],
        rtol=1e-5,
        atol=1e-6,
    )


def test_a_run_from_a_kept_state_goes_on_to_the_last_bit(summer: AirRun) -> None:
    weather = plain_weather(GRID, "2026-07-10", HOURS)
    midnights = [time for time in summer.states if time.hour == 0]
    assert midnights == list(pd.date_range("2026-07-10", "2026-07-13"))
    again = run(
        weather,
        MadeEmission(GRID, HOURS),
        GRID,
        SETTINGS,
        start=summer.states[pd.Timestamp("2026-07-11")],
        first=24,
        points=CITY,
    )
    assert np.array_equal(np.asarray(again.point_state), np.asarray(summer.point_state)[24:])
    assert again.end.values.tobytes() == summer.end.values.tobytes()


def test_a_state_of_another_time_is_refused(summer: AirRun) -> None:
    with pytest.raises(InputError, match="cannot start a run at 2026-07-10"):
        run(
            plain_weather(GRID, "2026-07-10", 4),
            MadeEmission(GRID, 4),
            GRID,
            SETTINGS,
            start=summer.states[pd.Timestamp("2026-07-11")],
        )


@pytest.mark.skipif(numba.config.NUMBA_NUM_THREADS < 2, reason="one thread only")
def test_results_do_not_depend_on_the_number_of_threads(summer: AirRun) -> None:
    before = numba.get_num_threads()
    try:
        numba.set_num_threads(1 if before > 1 else 2)
        weather = plain_weather(GRID, "2026-07-10", 24)
        other = run(weather, MadeEmission(GRID, 24), GRID, SETTINGS)
    finally:
        numba.set_num_threads(before)
    assert other.end.values.tobytes() == summer.states[pd.Timestamp("2026-07-11")].values.tobytes()


def test_fewer_solvents_lower_ozone_and_less_nox_raises_the_citys_at_night(summer: AirRun) -> None:
    weather = plain_weather(GRID, "2026-07-10", HOURS)

    def ozone(name: str) -> pd.Series:
        cut = {(k, name): 0.5 for k in range(HOURS + 1)}
        less = run(weather, MadeEmission(GRID, HOURS, cut), GRID, SETTINGS, points=CITY)
        return city(less)[Pollutant.O3]

    base = city(summer)[Pollutant.O3]
    night = base.index.hour < 6
    assert ozone("voc").max() < base.max() - 3
    assert ozone("nox")[night].mean() > base[night].mean() + 3
