"""The published event with the real plants of the region and a made-up attribution."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.control.factories import ISSUE, make_attribution, make_forecasts
from yrd_airq.control.plan import Plan, propose
from yrd_airq.control.settings import ControlSettings
from yrd_airq.region import distance_km, load_region
from yrd_airq.settings import config_dir, load, load_event
from yrd_airq.vocab import Target


def read_plants(folder: Path) -> pd.DataFrame:
    plants = pd.read_csv(folder / "enterprises" / "yrd_plants.csv", dtype={"adcode": str})
    return plants.assign(grade=None, exempt=False, exempt_reason=None, cost_cny_per_day=np.nan)


def propose_for(plants: pd.DataFrame, pm25: float, o3: float) -> Plan:
    """South-easterly wind in mind: plants south-east of the venue count most, by emission and nearness."""
    event = load_event(config_dir() / "events" / "g20-hangzhou-2016.yaml")
    away = distance_km(plants["lon"], plants["lat"], event.venue.lon, event.venue.lat)
    upwind = 1 + ((plants["lon"] > event.venue.lon) & (plants["lat"] < event.venue.lat)).to_numpy()
    weight = upwind * np.exp(-away / 120)
    tonnes = plants[["nox_tpa", "voc_tpa", "pm_tpa", "so2_tpa"]].fillna(0).to_numpy()
    share = 0.4 * tonnes * weight[:, None] / (tonnes * weight[:, None]).sum(axis=0)
    attribution = make_attribution(plants, event)
    full = np.broadcast_to(share, attribution.share.shape)
    sensitivity = {
        Target.PM25: full * np.array([0.2, 0.15, 0.25, 0.2]) * 30,
        Target.O3_MDA8: full * np.array([-0.05, 0.3, 0, 0]) * 80,
    }
    attribution = dataclasses.replace(attribution, share=full, sensitivity=sensitivity)
    forecasts = make_forecasts(event, spread=8.0, pm25=pm25, o3_mda8=o3)
    settings = load(ControlSettings, "control")
    return propose(event, plants, attribution, forecasts, ISSUE, settings, load_region())


@pytest.mark.parametrize(
    ("pm25", "o3", "status"),
    [(31.5, 140.0, "optimal"), (45.0, 175.0, "infeasible_relaxed"), (20.0, 120.0, "not_needed")],
)
def test_real_plants(real_data: Path, pm25: float, o3: float, status: str) -> None:
    plants = read_plants(real_data)
    begun = time.monotonic()
    plan = propose_for(plants, pm25, o3)
    assert time.monotonic() - begun < 10
    assert plan.status == status
    assert set(plan.outcomes["status"]) >= {"outside_zones", "unknown_emission"}
    assert (plan.list["grade"] == "").all()
    assert plan.list["cost_cny"].isna().all()
    assert plan.list["evidence"].str.contains("按产能估算（非实测）").all()
    chosen = plan.list[plan.list["status"] == "selected"]
    assert chosen["reason_zh"].str.contains("绩效等级未知").all()
    thermal = plants.loc[plants["sector"].str.startswith("thermal"), "enterprise_id"]
    power = chosen[chosen["enterprise_id"].isin(thermal)]
    assert set(power["measure_code"]) <= {"load_down_20", "treat", "transport"}
    if status == "optimal":
        assert plan.gap <= 0.01 + 1e-6
        curve = plan.curve.set_index("scenario_zh")["cost_index"]
        assert curve["推荐方案（优化）"] <= curve["贪心排序方案"]
