"""The whole proposal: what is listed, what is said, what is never done."""

from __future__ import annotations

import io
from datetime import datetime

import numpy as np
import pandas as pd
import pytest

from tests.control.factories import (
    ISSUE,
    make_attribution,
    make_enterprises,
    make_event,
    make_forecasts,
    make_settings,
)
from yrd_airq.control.listing import LIST_COLUMNS
from yrd_airq.control.plan import RECEPTOR_COLUMNS, Plan, propose
from yrd_airq.errors import InputError
from yrd_airq.region import load_region
from yrd_airq.settings import Event

DESIGNED = [
    *("rank", "enterprise_id", "name_zh", "adcode", "city_zh", "sector", "grade", "zone", "measure_code"),
    *("measure_zh", "start", "end", "reduction_nox_kgd", "reduction_voc_kgd", "reduction_pm_kgd"),
    *("reduction_so2_kgd", "benefit_o3_ugm3", "benefit_pm25_ugm3", "cost_cny", "stability", "evidence"),
    *("reason_zh", "status"),
]


def plan_for(
    plants: pd.DataFrame,
    event: Event | None = None,
    falls: object = None,
    ozone_falls: object = None,
    issue: datetime = ISSUE,
    survey: pd.DataFrame | None = None,
    options: dict[str, object] | None = None,
    **levels: float,
) -> Plan:
    """``falls``: PM2.5 by enterprise, ``ozone_falls``: by (enterprise, NOx | VOC); ``levels``: forecasts."""
    event = event or make_event()
    attribution = make_attribution(plants, event, pm25=falls, o3=ozone_falls)
    forecasts = make_forecasts(event, issue=issue, **levels)
    settings = make_settings(**(options or {}))
    return propose(event, plants, attribution, forecasts, issue, settings, load_region(), survey)


def selected(plan: Plan) -> pd.DataFrame:
    return plan.list[plan.list["status"] == "selected"]


def csv_bytes(plan: Plan) -> bytes:
    out = io.StringIO()
    plan.list.to_csv(out, index=False, lineterminator="\n")
    return out.getvalue().encode()


def test_columns_are_the_published_ones_in_order() -> None:
    plan = plan_for(make_enterprises(2), falls=[3.0, 1.0], pm25=36.0)
    assert list(LIST_COLUMNS) == DESIGNED == list(plan.list.columns)
    assert list(plan.receptors.columns) == list(RECEPTOR_COLUMNS)


def test_one_row_by_hand() -> None:
    """Grade C plant, 1 t/d of each, 10 µg/m³ when stopped, 5 needed: half the output on the day itself."""
    plants = make_enterprises(1, cost_cny_per_day=200_000.0)
    plan = plan_for(plants, falls=[10.0], pm25=40.0)
    row = selected(plan).iloc[0]
    assert (row["rank"], row["measure_code"], row["start"], row["end"]) == (
        1,
        "limit_50",
        "2016-09-04",
        "2016-09-04",
    )
    for precursor in ("nox", "voc", "pm", "so2"):
        assert row[f"reduction_{precursor}_kgd"] == 500.0
    assert row["benefit_pm25_ugm3"] == 5.0
    assert row["benefit_o3_ugm3"] == 0.0
    assert row["cost_cny"] == 100_000.0  # 200 000 a day × 0.5
    assert plan.objective == pytest.approx(10.0)
    assert (row["sector"], row["zone"], row["city_zh"]) == ("建材（砖瓦、石灰等）", "核心区", "杭州市")
    reached = plan.receptors.iloc[0]
    assert reached[["required_ugm3", "achieved_ugm3", "shortfall_ugm3"]].tolist() == [5.0, 5.0, 0.0]
    for part in (
        "会场北方向约11公里",
        "NOx浓度平均贡献50.00%",
        "列第1",
        "限产50%",
        "颗粒物 500.0",
        "PM₂.₅降低5.000",
    ):
        assert part in row["reason_zh"]
    assert plan.status == "optimal"


def test_unknown_grade_and_cost_are_shown_as_unknown() -> None:
    plan = plan_for(make_enterprises(1, grade=None), falls=[10.0], pm25=40.0)
    row = selected(plan).iloc[0]
    assert row["grade"] == ""
    assert np.isnan(row["cost_cny"])
    assert "绩效等级未知，按非引领性默认处理" in row["reason_zh"]
    assert "成本未知，按负担指数排序" in row["reason_zh"]
    assert any("1家入选企业绩效等级未知" in note for note in plan.notes)
    assert any("1家入选企业成本未知" in note for note in plan.notes)


def test_estimated_emissions_are_never_shown_as_measured() -> None:
    plan = plan_for(make_enterprises(1, emission_basis="estimated_from_capacity"), falls=[10.0], pm25=40.0)
    assert "按产能估算（非实测）" in selected(plan).iloc[0]["evidence"]
    assert any("不代表实际排放" in note for note in plan.notes)


def test_partly_unknown_emissions_stay_empty() -> None:
    plan = plan_for(make_enterprises(1, nox_tpa=np.nan), falls=[10.0], pm25=40.0)
    row = selected(plan).iloc[0]
    assert np.isnan(row["reduction_nox_kgd"])
    assert row["reduction_pm_kgd"] == 500.0
    assert "NOx排放未知" in row["reason_zh"]


@pytest.mark.parametrize("seed", range(4))
def test_protected_enterprises_are_never_selected_and_always_listed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    number = 15
    plants = make_enterprises(
        number,
        exempt=rng.random(number) < 0.3,
        grade=rng.choice(["A", "引领性", "B", "C", "D"], number),
        lat=rng.choice([30.3, 31.5, 38.0], number),
    )
    plan = plan_for(plants, falls=rng.uniform(0.5, 4, number), pm25=35 + rng.uniform(0.5, 60))
    exempt = set(plants.loc[plants["exempt"], "enterprise_id"])
    voluntary = set(plants.loc[plants["grade"].isin(["A", "引领性"]), "enterprise_id"]) - exempt
    by_status = plan.list.groupby("status")["enterprise_id"].agg(set)
    assert by_status.get("exempt", set()) == exempt
    assert by_status.get("voluntary", set()) == voluntary
    assert not by_status.get("selected", set()) & (exempt | voluntary)
    protected = plan.list[plan.list["status"].isin(["exempt", "voluntary"])]
    assert (protected["measure_code"] == "").all()
    assert protected["rank"].isna().all()
    assert protected["reason_zh"].str.len().gt(5).all()
    assert set(plan.outcomes["enterprise_id"]) == set(plants["enterprise_id"])
    outside = plan.outcomes.loc[plan.outcomes["status"] == "outside_zones", "enterprise_id"]
    assert not set(outside) & set(plan.list["enterprise_id"])


def test_power_is_only_asked_to_lower_its_load() -> None:
    plan = plan_for(make_enterprises(1, sector="thermal_power_coal", grade="D"), falls=[10.0], pm25=60.0)
    row = selected(plan).iloc[0]
    assert row["measure_code"] == "load_down_20"
    assert "不停产" in row["reason_zh"]


def test_out_of_reach_gives_the_least_violating_plan_and_says_so() -> None:
    plan = plan_for(make_enterprises(3, grade="D"), falls=[3.0, 2.0, 1.0], pm25=55.0)
    assert plan.status == "infeasible_relaxed"
    assert selected(plan)["measure_code"].tolist() == ["stop"] * 3
    row = plan.receptors.iloc[0]
    assert row[["required_ugm3", "achieved_ugm3", "shortfall_ugm3"]].tolist() == [20.0, 6.0, 14.0]
    text = "".join(plan.notes)
    assert "9月4日杭州PM₂.₅" in text
    assert "仍差14.00" in text
    assert "不能使该日达标" in text
    assert "清单企业20%、区域外输入80%" in text


def test_only_the_worst_shortfalls_are_spelled_out() -> None:
    event = make_event(days=9)
    plan = plan_for(make_enterprises(1), event, falls=[1.0], pm25=60.0)
    assert sum("不能使该日达标" in note for note in plan.notes) == 6
    assert "另有3个受体日未达目标，见逐日目标表。" in plan.notes


def test_nothing_needed_selects_nobody_but_lists_the_candidates() -> None:
    plants = make_enterprises(3, grade=["C", "D", "A"])
    plan = plan_for(plants, falls=[1.0, 2.0, 3.0], pm25=20.0)
    assert plan.status == "not_needed"
    assert plan.list["status"].tolist() == ["not_selected", "not_selected", "voluntary"]
    assert plan.list["enterprise_id"].tolist()[:2] == ["E001", "E000"]  # by relief per burden
    assert (plan.list["measure_code"] == "").all()
    assert plan.list["rank"].isna().all()
    assert plan.list["reduction_pm_kgd"].isna().all()
    assert plan.objective == 0
    assert "无须启动企业管控" in plan.notes[0]
    assert plan.receptors["required_ugm3"].tolist() == [0.0]


def test_one_enterprise_with_most_of_the_emissions_is_found() -> None:
    emissions = {f"{p}_tpa": [36500.0, *[450.0] * 9] for p in ("nox", "voc", "pm", "so2")}
    plants = make_enterprises(10, cost_cny_per_day=1e5, **emissions)
    plan = plan_for(plants, falls=[18.0, *[0.2] * 9], pm25=44.0)
    assert selected(plan)["enterprise_id"].tolist() == ["E000"]


def test_alternates_on_request() -> None:
    plants = make_enterprises(5, cost_cny_per_day=1e5)
    for number in (0, 2):
        plan = plan_for(plants, falls=[8.0, 4, 3, 2, 1], pm25=38.0, options={"alternates": number})
        waiting = plan.list[plan.list["status"] == "not_selected"]
        assert len(waiting) == number
        assert (waiting["measure_code"] == "").all()
        assert waiting["reason_zh"].str.contains("如需加严可优先采取").all()


def test_late_orders_bring_nothing_on_the_days_they_miss() -> None:
    """Issued 3 Sep 12:00: a limit of 30 % (12 h) works on both days, a stop (24 h) only on 5 Sep."""
    plants, event = make_enterprises(1, grade="D"), make_event(days=2)
    plan = plan_for(plants, event, falls=[10.0], pm25=40.0, issue=datetime(2016, 9, 3, 12))
    assert plan.status == "infeasible_relaxed"
    row = selected(plan).iloc[0]
    assert (row["measure_code"], row["start"]) == ("limit_30", "2016-09-04")
    assert "9月4日至5日执行" in row["reason_zh"].replace("至9月5日", "至5日")
    late = plan_for(plants, event, falls=[10.0], pm25=40.0, issue=datetime(2016, 9, 3, 13))
    assert late.receptors["achieved_ugm3"].tolist() == [0.0, 5.0]
    assert selected(late)["start"].tolist() == ["2016-09-05"]


def test_a_cut_that_raises_ozone_is_avoided() -> None:
    """Both plants could bring PM2.5 down; the cheaper one raises ozone over its goal and stays out."""
    event = make_event({"pm25": 35, "o3_mda8": 160})
    plants = make_enterprises(2, grade="D", cost_cny_per_day=[1e4, 1e5])
    harmful, harmless = [-40.0, 2.0], [0.0, 2.0]
    plan = plan_for(
        plants, event, falls=[10.0, 10.0], ozone_falls=[harmful, harmless], pm25=40.0, o3_mda8=159.0
    )
    assert plan.status == "optimal"
    assert selected(plan)["enterprise_id"].tolist() == ["E001"]
    calm = plan_for(
        plants, event, falls=[10.0, 10.0], ozone_falls=[harmful, harmless], pm25=40.0, o3_mda8=100.0
    )
    assert selected(calm)["enterprise_id"].tolist() == ["E001"]  # no harm where it can be avoided
    alone = plan_for(plants[:1], event, falls=[10.0], ozone_falls=[harmful], pm25=40.0, o3_mda8=100.0)
    row = selected(alone).iloc[0]
    assert row["enterprise_id"] == "E000"
    assert row["benefit_o3_ugm3"] < 0
    assert "O₃升高" in row["reason_zh"]
    assert alone.status == "optimal"
    assert any("须配合VOCs减排" in note for note in alone.notes)


def test_work_moved_into_the_night_helps_ozone_without_cutting_the_day() -> None:
    event = make_event({"o3_mda8": 160})
    plants = make_enterprises(1, sector="coating", grade="B", cost_cny_per_day=1e5)
    # Taken at its word: what the shift lets off at night is gone by the morning.
    measures = tuple(m.model_copy(update={"ozone_gain": None}) for m in make_settings().measures)
    plan = plan_for(plants, event, ozone_falls=[[0.0, 10.0]], o3_mda8=165.0, options={"measures": measures})
    row = selected(plan).iloc[0]
    assert row["measure_code"] == "shift"
    assert row["reduction_voc_kgd"] == 0.0
    assert row["benefit_o3_ugm3"] == 6.0
    assert "日间VOCs排放移出60%、全天总量不减" in row["reason_zh"]


def test_tiny_benefits_are_asked_of_nobody() -> None:
    plan = plan_for(make_enterprises(2), falls=[5.0, 0.0015], pm25=60.0)
    outcome = plan.outcomes.set_index("enterprise_id")
    assert outcome.loc["E001", "status"] == "not_selected"
    assert "低于门槛" in outcome.loc["E001", "why_zh"]


def test_benefits_beyond_experience_are_doubted() -> None:
    doubted = plan_for(make_enterprises(1, grade="D"), falls=[30.0], pm25=50.0)
    trusted = plan_for(make_enterprises(1, grade="D"), falls=[30.0], pm25=38.0)
    assert any("可能偏大" in note for note in doubted.notes)
    assert not any("可能偏大" in note for note in trusted.notes)


def test_survey_evidence_is_cited() -> None:
    survey = pd.DataFrame(
        [("R1-H01", "E000", 420.0, 0.8, "较可能"), ("R1-H02", "E999", 100.0, 1.0, "疑似")],
        columns=["hotspot_id", "enterprise_id", "distance_m", "weight", "evidence"],
    )
    plan = plan_for(make_enterprises(1), falls=[10.0], pm25=40.0, survey=survey)
    row = selected(plan).iloc[0]
    assert "走航热点R1-H01较可能来源（相距420米）" in row["evidence"]
    assert "走航热点R1-H01较可能来源（相距420米）" in row["reason_zh"]


def test_curve_of_scenarios() -> None:
    plants = make_enterprises(8, grade="D", cost_cny_per_day=np.linspace(1e5, 9e5, 8))
    plan = plan_for(plants, falls=np.linspace(1, 3, 8), pm25=40.0)
    curve = plan.curve.set_index("scenario_zh")
    chosen, greedy = curve.loc["推荐方案（优化）"], curve.loc["贪心排序方案"]
    assert curve.loc["不管控", "cost_index"] == 0
    assert chosen["goals_missed"] == greedy["goals_missed"] == 0
    assert chosen["cost_index"] <= greedy["cost_index"]
    upper = curve.loc["全部可管控企业取最强措施（上限）"]
    assert upper["enterprises"] == 8
    assert upper["benefit_pm25_ugm3"] == pytest.approx(16.0)
    half = curve.loc["推荐方案前一半企业"]
    assert half["enterprises"] == (chosen["enterprises"] + 1) // 2
    assert 0 < half["benefit_pm25_ugm3"] < chosen["benefit_pm25_ugm3"]


def test_rerun_gives_the_same_bytes_whatever_the_order_of_the_input() -> None:
    rng = np.random.default_rng(5)
    number = 60
    plants = make_enterprises(
        number,
        sector=rng.choice(["cement", "steel", "coating", "printing", "thermal_power_coal"], number),
        grade=rng.choice(["A", "B", "C", "D", None], number),
        lat=rng.uniform(29, 32, number),
    )
    event = make_event({"pm25": 35, "o3_mda8": 160}, days=2)
    falls, ozone = rng.uniform(0, 1, number), rng.uniform(-1, 1, (number, 2))
    first = plan_for(plants, event, falls=falls, ozone_falls=ozone, pm25=38.0, o3_mda8=162.0)
    second = plan_for(plants, event, falls=falls, ozone_falls=ozone, pm25=38.0, o3_mda8=162.0)
    order = rng.permutation(number)
    third = plan_for(
        plants.iloc[order].reset_index(drop=True),
        event,
        falls=falls[order],
        ozone_falls=ozone[order],
        pm25=38.0,
        o3_mda8=162.0,
    )
    assert csv_bytes(first) == csv_bytes(second) == csv_bytes(third)
    assert first.notes == third.notes


def test_inputs_that_do_not_fit_are_named() -> None:
    event, plants = make_event(), make_enterprises(2)
    forecasts = make_forecasts(event, pm25=40.0)
    missing_plant = make_attribution(plants.iloc[:1], event, pm25=[1.0])
    with pytest.raises(InputError, match="E001"):
        propose(event, plants, missing_plant, forecasts, ISSUE, make_settings(), load_region())
    other_city = make_attribution(plants, make_event(receptors=["310000"]), pm25=[1.0, 1.0])
    with pytest.raises(InputError, match="receptor 330100 on 2016-09-04"):
        propose(event, plants, other_city, forecasts, ISSUE, make_settings(), load_region())


def test_days_without_forecast_are_named() -> None:
    event = make_event(days=2)
    plants = make_enterprises(1)
    forecasts = make_forecasts(event, pm25=40.0)
    forecasts = forecasts[forecasts["valid_date"] < pd.Timestamp("2016-09-05")]
    for attributed in (event, make_event(days=1)):  # with and without the day that no forecast reaches
        attribution = make_attribution(plants, attributed, pm25=[10.0])
        plan = propose(event, plants, attribution, forecasts, ISSUE, make_settings(), load_region())
        assert "以下日期和项目没有预报，未参与优化：9月5日杭州PM₂.₅。" in plan.notes
        assert plan.receptors["shortfall_ugm3"].tolist() == [0.0]


def test_nobody_can_be_asked() -> None:
    plan = plan_for(make_enterprises(2, grade="A"), falls=[5.0, 5.0], pm25=50.0)
    assert plan.status == "infeasible_relaxed"
    assert selected(plan).empty
    assert len(plan.list) == 2
