"""The adjoint of the drill's air against differences of whole runs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.conftest import ROOT
from tests.drill.made_air import MadeEmission, plain_weather, small_grid
from yrd_airq.drill.adjoint import FINE, Metric, gradient, mda8_metric, mean_metric
from yrd_airq.drill.air_settings import AirSettings
from yrd_airq.drill.solver import AirRun, run
from yrd_airq.drill.state import EMITTED, INDEX, SPECIES, State, ugm3_per_ppb
from yrd_airq.drill.weather import Weather
from yrd_airq.errors import InputError
from yrd_airq.settings import load_file

SETTINGS = load_file(AirSettings, ROOT / "configs/drill/air.yaml")
GRID = small_grid()
HOURS = 48
DAY = pd.DatetimeIndex(["2026-07-12"])
POINTS = GRID.weights_to([117.6, 118.3], [31.2, 31.6])


@pytest.fixture(scope="module")
def weather() -> Weather:
    return plain_weather(GRID, "2026-07-11", HOURS)


@pytest.fixture(scope="module")
def start() -> State:
    before = plain_weather(GRID, "2026-07-10", 24)
    return run(before, MadeEmission(GRID, 24), GRID, SETTINGS).end


@pytest.fixture(scope="module")
def base(weather: Weather, start: State) -> AirRun:
    return run(weather, MadeEmission(GRID, HOURS), GRID, SETTINGS, start=start, points=POINTS)


def value(metric: Metric, weather: Weather, start: State, factor: dict[tuple[int, str], float]) -> float:
    found = run(weather, MadeEmission(GRID, HOURS, factor), GRID, SETTINGS, start=start, surface=True)
    assert found.surface is not None
    place = len(SPECIES) if metric.what == FINE else INDEX[metric.what]
    unit = 1.0 if metric.what == FINE else ugm3_per_ppb(metric.what)
    return float((metric.weight * unit * found.surface[:, place].reshape(HOURS, -1).astype(float)).sum())


def test_the_weights_are_those_of_the_statistics(base: AirRun) -> None:
    ozone = np.asarray(base.point_state)[:, INDEX["o3"]]
    metric = mda8_metric(base.times, DAY, ozone, POINTS)
    assert metric.weight.sum() == pytest.approx(1)
    rows = slice(24, 48)
    windows = np.lib.stride_tricks.sliding_window_view(ozone[rows], 8, axis=0).mean(axis=-1)
    total = (metric.weight @ np.ones((GRID.land.size, 1))).ravel()
    assert total[:24].max() == 0
    assert (total[rows] > 0).sum() >= 8
    hourly = mean_metric(FINE, base.times, DAY, POINTS)
    np.testing.assert_allclose(hourly.weight.sum(axis=1)[24:], 1 / 24, rtol=1e-6)
    assert windows.max(axis=0).shape == (2,)


@pytest.mark.parametrize("what", ["o3", FINE])
def test_the_gradient_is_what_differences_say(
    what: str, weather: Weather, start: State, base: AirRun
) -> None:
    ozone = np.asarray(base.point_state)[:, INDEX["o3"]]
    metric = (
        mda8_metric(base.times, DAY, ozone, POINTS)
        if what == "o3"
        else mean_metric(FINE, base.times, DAY, POINTS)
    )
    emission = MadeEmission(GRID, HOURS)
    found = gradient(weather, emission, GRID, SETTINGS, metric, start)
    cases = {"o3": ("nox", "voc"), FINE: ("nox", "so2", "pm", "nh3")}[what]
    for name in cases:
        row = EMITTED.index(name)
        hours = range(13, 37)
        expected = sum(float((found[k - 1, row] * emission.at(k)[row]).sum()) for k in hours)
        step = 0.02
        sides = [
            value(metric, weather, start, {(k, name): 1 + sign * step for k in hours}) for sign in (1, -1)
        ]
        assert expected == pytest.approx((sides[0] - sides[1]) / (2 * step), rel=0.03, abs=0.01), name


def test_emission_after_the_metric_and_downwind_counts_for_nothing(weather: Weather, start: State) -> None:
    weight = np.zeros((HOURS, GRID.land.size), dtype=np.float32)
    weight[29, GRID.nearest_cell([117.0], [31.0])] = 1.0
    found = gradient(weather, MadeEmission(GRID, HOURS), GRID, SETTINGS, Metric("co", weight), start)
    carbon = found[:, EMITTED.index("co")]
    assert abs(carbon[30:]).max() == 0
    assert carbon[29].max() > 0
    upwind, downwind = GRID.nearest_cell([116.5, 118.0], [30.75, 31.5])
    by_cell = carbon[20:29].sum(axis=(0, 1)).ravel()
    assert by_cell[upwind] > 100 * abs(by_cell[downwind])


def test_a_metric_of_another_length_is_refused(weather: Weather, start: State) -> None:
    odd = Metric("o3", np.zeros((5, GRID.land.size), dtype=np.float32))
    with pytest.raises(InputError, match="does not fit"):
        gradient(weather, MadeEmission(GRID, HOURS), GRID, SETTINGS, odd, start)
