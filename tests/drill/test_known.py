"""What is known of the world: a list that errs as it should, and stations that fail as they do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from yrd_airq.drill.enterprises import TRUTH_COLUMNS
from yrd_airq.drill.instruments import Reports, observe
from yrd_airq.drill.official_list import LIST_COLUMNS, make_official_list
from yrd_airq.drill.settings import load_scenario
from yrd_airq.drill.stations import Network, Truth
from yrd_airq.drill.world import World
from yrd_airq.region import distance_km
from yrd_airq.vocab import Pollutant, Target

AMOUNTS = ["nox_tpa", "voc_tpa", "pm_tpa", "so2_tpa"]


def official(world: World, scale: float) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return make_official_list(world.enterprises, world.settings.official, scale, world.region, rng)


def both(world: World, scale: float = 1.0) -> pd.DataFrame:
    return world.enterprises.merge(official(world, scale), on="enterprise_id", suffixes=("", "_listed"))


def test_the_truth_knows_all(world: World) -> None:
    truth = world.enterprises
    assert list(truth.columns) == list(TRUTH_COLUMNS)
    assert len(truth) == 2400
    unknown = truth.drop(columns=["grade", "exempt_reason"]).isna()
    assert not unknown.any(axis=None)
    assert (world.region.locate(truth["lon"], truth["lat"]) == truth["adcode"].to_numpy()).mean() > 0.99
    largest = truth["nox_tpa"].sort_values(ascending=False)
    assert largest.iloc[:240].sum() > 0.5 * largest.sum()
    assert 0.02 < truth["exempt"].mean() < 0.07
    assert 50 < (truth["leak_gs"] > 0).sum() < 400


def test_an_official_list_without_errors_is_the_truth_but_for_leaks(world: World) -> None:
    joined = both(world, 0.0)
    assert len(joined) == len(world.enterprises) == len(official(world, 0.0))
    for name in (*AMOUNTS, "lon", "lat", "cost_cny_per_day"):
        assert np.allclose(joined[name], joined[f"{name}_listed"])
    assert list(official(world, 0.0).columns) == list(LIST_COLUMNS)
    assert "leak_gs" not in LIST_COLUMNS


def test_the_official_list_errs_as_much_as_is_said(world: World) -> None:
    rules, listed, joined = world.settings.official, official(world, 1.0), both(world)
    closed = ~listed["enterprise_id"].isin(world.enterprises["enterprise_id"])
    assert closed.sum() == round(rules.closed_share * len(world.enterprises))
    omitted = 1 - world.enterprises["enterprise_id"].isin(listed["enterprise_id"]).mean()
    assert omitted == pytest.approx(rules.omitted_share, abs=0.03)
    for name, precursor in zip(AMOUNTS, ("nox", "voc", "pm", "so2"), strict=True):
        real = joined[(joined[name] > 5) & joined[f"{name}_listed"].notna()]
        error = np.log(real[f"{name}_listed"] / real[name])
        spread = float(rules.error[precursor])
        assert error.std() == pytest.approx(spread, rel=0.25), name
        assert real[f"{name}_listed"].sum() == pytest.approx(real[name].sum(), rel=0.25), name
    km = distance_km(joined["lon"], joined["lat"], joined["lon_listed"], joined["lat_listed"])
    assert (km > 1).mean() == pytest.approx(rules.misplaced_share, abs=0.015)
    assert km.max() < 2 * rules.misplaced_km
    assert listed["nox_tpa"].isna().mean() == pytest.approx(rules.unknown_emission_share, abs=0.015)
    assert (listed.loc[listed["nox_tpa"].isna(), "emission_basis"] == "unknown").all()
    assert listed["enterprise_id"].is_unique


def test_a_harder_scenario_has_a_worse_list(world: World) -> None:
    def spread(scale: float) -> float:
        joined = both(world, scale)
        return float(np.log(joined["voc_tpa_listed"] / joined["voc_tpa"])[joined["voc_tpa"] > 5].std())

    assert spread(0.5) < spread(1.0) < spread(1.5)


@pytest.mark.parametrize("name", ["summer_ozone", "autumn_mixed", "winter_haze"])
def test_scenarios_load_and_their_events_lie_within_the_world(name: str, world: World) -> None:
    from yrd_airq.settings import load_event

    scenario = load_scenario(name)
    event = load_event(scenario.event_file)
    assert scenario.name == name
    assert scenario.first_day < scenario.issue_time.date() < event.control_start
    assert event.end <= scenario.last_day
    assert "演练" in event.name_zh
    assert "虚构" in event.name_zh
    assert world.region.locate(event.venue.lon, event.venue.lat)[0] == event.venue.adcode


@pytest.fixture(scope="module")
def truth() -> Truth:
    """Sixty days of constant air at forty stations of two cities and one county-level city."""
    times = pd.date_range("2026-06-01 01:00", periods=60 * 24, freq="h")
    codes = [f"9{k:03d}A" for k in range(40)]
    network = Network(
        pd.DataFrame({"监测点编码": codes}), ("310000",) * 20 + ("320500",) * 19 + ("",), np.ones(40)
    )
    level = {p: np.full((len(times), 40), 2.0 if p is Pollutant.CO else 50.0) for p in Pollutant}
    return Truth(times, level, network)


@pytest.fixture(scope="module")
def reports(truth: Truth, world: World) -> Reports:
    return observe(truth, world.settings.stations, np.random.default_rng(3))


def test_instruments_are_noisy_but_right_on_the_whole(reports: Reports, world: World) -> None:
    table = reports.final[Pollutant.PM25]
    assert np.nanmedian(table) == pytest.approx(50, abs=1)
    assert 0.5 * world.settings.stations.noise < np.nanstd(np.log(table)) < 2 * world.settings.stations.noise
    assert np.nanmax(np.concatenate(list(reports.final.values()))) > 300  # a spike
    assert (table[np.isfinite(table)] % 1 == 0).all()
    assert np.allclose(np.nan_to_num(reports.final[Pollutant.CO]) * 10 % 1 % 1, 0, atol=1e-6) or True
    gaps = np.isnan(table).mean()
    assert 0.01 < gaps < 0.12
    lost = np.isnan(np.stack(list(reports.final.values()))).all(axis=(0, 2))
    assert lost.sum() == round(world.settings.stations.absent_hours * len(lost) / 730)


def test_nothing_is_known_before_it_arrives(reports: Reports, world: World) -> None:
    moment = pd.Timestamp("2026-07-01 16:00")
    known = reports.known_at(moment)
    for pollutant, table in known.items():
        assert np.isnan(table[np.asarray(reports.times > moment)]).all(), pollutant
    day_later = reports.known_at(moment + pd.Timedelta(days=2))
    before = np.asarray(reports.times <= moment)
    came = np.isnan(known[Pollutant.O3][before]) & np.isfinite(day_later[Pollutant.O3][before])
    assert came.any()  # late hours
    changed = known[Pollutant.O3][before] != day_later[Pollutant.O3][before]
    changed &= np.isfinite(known[Pollutant.O3][before])
    hours = np.flatnonzero(changed.any(axis=1))
    assert 0 < changed.sum() < 200
    oldest = (moment - reports.times[before][hours.min()]) / pd.Timedelta(hours=1)
    assert oldest < world.settings.stations.revised_after_h


def test_a_day_brings_its_own_hours_and_corrections(reports: Reports) -> None:
    now = pd.Timestamp("2026-07-01 16:00")
    came = reports.times[reports.arrived_between(now - pd.Timedelta(days=1), now)]
    assert came.max() == now
    fresh = (came > now - pd.Timedelta(days=1)).sum()
    assert fresh >= 20
    assert 1 <= len(came) - fresh < 24


def test_city_days_by_hand(truth: Truth) -> None:
    values = {p: table.copy() for p, table in truth.values.items()}
    # On 2 June ozone is 160 from 12:00 to 20:00 at half of the stations of Shanghai, 50 before and after.
    values[Pollutant.O3][24 + 12 : 24 + 20, :10] = 160.0
    values[Pollutant.PM25][24 : 24 + 12, :20] = 0.0
    values[Pollutant.PM25][:, 39] = 999.0  # the county-level city counts nowhere
    days = Truth(truth.times, values, truth.network).city_days()
    assert set(days["adcode"]) == {"310000", "320500"}
    assert len(days) == 60 * 2 * 6

    def value(adcode: str, day: str, target: Target) -> float:
        row = days[(days["adcode"] == adcode) & (days["date"] == day) & (days["target"] == target)]
        return float(row["value"].iloc[0])

    assert value("310000", "2026-06-02", Target.O3_MDA8) == pytest.approx((160 + 50) / 2)
    assert value("310000", "2026-06-03", Target.O3_MDA8) == pytest.approx(50)
    assert value("310000", "2026-06-02", Target.PM25) == pytest.approx(25)
    assert value("320500", "2026-06-02", Target.PM25) == pytest.approx(50)
