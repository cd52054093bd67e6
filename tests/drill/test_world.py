"""The drill's world: plausible levels, right hours of the day, signs of chemistry, weather as its cause."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from yrd_airq.clock import day_of_label
from yrd_airq.drill.air import no2_of, run_air
from yrd_airq.drill.emission import Emission, make_emission
from yrd_airq.drill.settings import DrillSettings
from yrd_airq.drill.stations import true_concentrations
from yrd_airq.drill.weather import FIELDS
from yrd_airq.drill.world import World
from yrd_airq.region import load_region
from yrd_airq.settings import load_event
from yrd_airq.vocab import Pollutant, Target

EVENT = Path(__file__).resolve().parents[2] / "configs/events/drill.yaml"


@pytest.fixture(scope="session")
def hourly(world: World, settings: DrillSettings) -> dict[Pollutant, pd.DataFrame]:
    """True hourly concentrations by city (µg/m³, CO mg/m³), without the spin-up."""
    truth = true_concentrations(world.air, world.network)
    keep = world.air.times > world.air.times[0] + pd.Timedelta(days=settings.spin_up_days)
    city = np.repeat(load_region().adcodes, settings.stations.per_city)
    return {
        pollutant: pd.DataFrame(values[keep][:, : len(city)], index=world.air.times[keep])
        .T.groupby(city)
        .mean()
        .T
        for pollutant, values in truth.items()
    }


def daily_mda8(hourly: dict[Pollutant, pd.DataFrame]) -> pd.DataFrame:
    running = hourly[Pollutant.O3].rolling(8).mean()
    return running.groupby(day_of_label(running.index)).max().iloc[1:-1]


def test_levels_are_like_the_region(hourly: dict[Pollutant, pd.DataFrame]) -> None:
    mda8 = daily_mda8(hourly)
    summer = mda8.loc["2026-07":"2026-08"].to_numpy()
    low, middle, high = np.percentile(summer, [10, 50, 90])
    assert 60 < low < 110
    assert 95 < middle < 150
    assert 140 < high < 215
    assert summer.max() < 320
    fine = hourly[Pollutant.PM25]
    daily = fine.groupby(day_of_label(fine.index)).mean()
    assert 10 < daily.to_numpy().mean() < 45
    assert np.percentile(daily, 99) < 110
    assert 10 < hourly[Pollutant.NO2].to_numpy().mean() < 45
    assert 2 < hourly[Pollutant.SO2].to_numpy().mean() < 15
    assert 0.3 < hourly[Pollutant.CO].to_numpy().mean() < 1.2
    assert (hourly[Pollutant.PM10] > hourly[Pollutant.PM25]).to_numpy().all()


def test_ozone_peaks_in_the_afternoon_and_no2_at_night_by_beijing_labels(
    hourly: dict[Pollutant, pd.DataFrame],
) -> None:
    by_hour = {p: v.mean(axis=1).groupby(v.index.hour).mean() for p, v in hourly.items()}
    assert by_hour[Pollutant.O3].idxmax() in (14, 15, 16, 17, 18)
    assert by_hour[Pollutant.O3].idxmin() in (5, 6, 7)
    assert by_hour[Pollutant.O3].max() > 2.5 * by_hour[Pollutant.O3].min()
    assert by_hour[Pollutant.NO2].idxmin() in (12, 13, 14, 15, 16)
    assert by_hour[Pollutant.NO2].loc[[22, 23, 0]].min() > by_hour[Pollutant.NO2].loc[14]


def test_weather_is_plausible(world: World) -> None:
    weather = world.weather
    warm = weather.t2m - 273.15
    assert warm.min() > -15
    assert warm.max() < 43
    assert (weather.d2m <= weather.t2m).all()
    assert (weather.blh >= 60).all()
    assert (weather.blh <= 2200).all()
    assert ((weather.tcc >= 0) & (weather.tcc <= 1)).all()
    speed = np.hypot(weather.u10, weather.v10)
    assert 1.5 < speed.mean() < 5
    assert speed.max() < 25
    assert weather.sp.min() > 97_000
    assert weather.sp.max() < 104_000
    noon = weather.ssrd[weather.times.hour == 12] / 3600
    assert 250 < noon.mean() < 900


def test_forecast_starts_at_the_truth_and_drifts_away(world: World) -> None:
    known = world.weather.times >= world.reference
    square = (world.forecast.u10 - world.weather.u10[known]) ** 2
    first, second, week = (np.sqrt(square[k : k + 24].mean()) for k in (0, 24, 144))
    assert np.all(square[0] < 1e-12)
    assert first < second < week
    assert second < world.weather.u10.std() < 3 * week


def test_weather_of_the_day_explains_what_persistence_cannot(
    world: World, hourly: dict[Pollutant, pd.DataFrame]
) -> None:
    mda8 = daily_mda8(hourly)
    region, grid = load_region(), world.grid
    weights = grid.weights_to(region.lonlat[:, 0], region.lonlat[:, 1])
    columns = [mda8.shift(1).iloc[1:].to_numpy().ravel()]
    for name in FIELDS:
        values = pd.DataFrame(
            getattr(world.weather, name).reshape(len(world.weather.times), -1) @ weights,
            index=world.weather.times,
        )
        daily = values.groupby(day_of_label(values.index)).mean().reindex(mda8.index)
        columns += [daily.iloc[1:].to_numpy().ravel(), daily.shift(1).iloc[1:].to_numpy().ravel()]
    design = np.column_stack([*columns, np.ones(len(columns[0]))])
    truth = mda8.iloc[1:].to_numpy().ravel()
    train = np.repeat(mda8.index[1:] < "2026-07-25", mda8.shape[1])
    fit = np.linalg.lstsq(design[train], truth[train], rcond=None)[0]
    error = np.sqrt(np.mean((design[~train] @ fit - truth[~train]) ** 2))
    persistence = np.sqrt(np.mean((columns[0][~train] - truth[~train]) ** 2))
    assert error < 0.92 * persistence


def test_event_days_ask_for_controls_within_reach(
    hourly: dict[Pollutant, pd.DataFrame],
) -> None:
    event = load_event(EVENT)
    mda8 = daily_mda8(hourly).loc[str(event.start) : str(event.end), list(event.receptors)]
    goal = event.goals[Target.O3_MDA8]
    assert mda8[event.venue.adcode].max() > goal - 5
    assert goal < mda8.to_numpy().max() < 1.2 * goal


def test_photostationary_balance() -> None:
    nox, ox, ratio = np.array([10.0, 40.0, 5.0]), np.array([50.0, 20.0, 60.0]), np.array([18.0, 0.05, 0.05])
    no2 = no2_of(nox, ox, ratio)
    assert np.allclose((nox - no2) * (ox - no2), ratio * no2)
    assert (no2 <= np.minimum(nox, ox)).all()
    assert ox[1] - no2[1] < 0.2  # plenty of NO at night leaves no ozone


@pytest.mark.parametrize(
    ("lon", "lat", "limited_by_voc"), [(121.472, 31.217, True), (118.306, 29.721, False)]
)
def test_core_is_limited_by_voc_and_hills_by_nox(
    world: World, settings: DrillSettings, lon: float, lat: float, limited_by_voc: bool
) -> None:
    week = world.weather.between(pd.Timestamp("2026-08-15"), pd.Timestamp("2026-08-23"))
    calm = replace(week, u10=0.3 * week.u10, v10=0.3 * week.v10)
    region, grid = load_region(), world.grid
    base = make_emission(grid, region, world.enterprises, settings.diffuse)
    points = grid.weights_to([lon], [lat])
    afternoon = (week.times[1:].hour == 15) & (week.times[1:] > "2026-08-19")

    def ozone(nox: float, voc: float) -> float:
        scale = np.array([nox, voc, 1, 1, 1, 1])[:, None]
        air = run_air(calm, Emission(base.listed * scale, base.diffuse * scale), grid, settings.air, points)
        nox_ppb, ox_ppb = air.state[:, 0, 0], air.state[:, 7, 0]
        return float((ox_ppb - no2_of(nox_ppb, ox_ppb, air.photolysis_ppb[:, 0]))[afternoon].mean())

    here = ozone(1, 1)
    assert ozone(1, 0.7) < here
    assert (ozone(0.7, 1) > here) is limited_by_voc
