"""Who may be asked for what, rule by rule."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from tests.control.factories import ISSUE, make_enterprises, make_event, make_settings
from yrd_airq.control.eligibility import Eligibility, judge_eligibility
from yrd_airq.control.settings import ControlSettings
from yrd_airq.errors import InputError
from yrd_airq.settings import Event, load_event


def judge(
    event: Event | None = None, issue: datetime = ISSUE, number: int = 1, **columns: object
) -> Eligibility:
    return judge_eligibility(
        event or make_event(), make_enterprises(number, **columns), issue, make_settings()
    )


def allowed(fit: Eligibility, row: int = 0) -> set[str]:
    codes = [measure.code for measure in make_settings().measures]
    return {code for code, yes in zip(codes, fit.allowed[row], strict=True) if yes}


@pytest.mark.parametrize(
    ("columns", "status", "reason"),
    [
        ({"exempt": True, "exempt_reason": "民生保障 文号1"}, "exempt", "民生保障 文号1"),
        ({"exempt": True}, "exempt", "未注明依据"),
        ({"exempt": True, "grade": "A", "lat": 40.0}, "exempt", "未注明依据"),
        ({"grade": "A"}, "voluntary", "自主减排"),
        ({"grade": "引领性"}, "voluntary", "自主减排"),
        ({"lat": 40.0}, "outside_zones", "不在各管控圈内"),
        (dict.fromkeys(["nox_tpa", "voc_tpa", "pm_tpa", "so2_tpa"], np.nan), "unknown_emission", "未知"),
        ({"sector": "brewing"}, "no_measure", "未列入措施库"),
        (dict.fromkeys(["nox_tpa", "voc_tpa", "pm_tpa", "so2_tpa"], 0.0), "no_measure", "不涉及"),
        ({}, "not_selected", ""),
    ],
)
def test_status_and_reason(columns: dict[str, object], status: str, reason: str) -> None:
    fit = judge(**columns)
    assert fit.enterprises["status"].tolist() == [status]
    assert reason in fit.enterprises["why_zh"][0]
    assert fit.allowed.any() == (status == "not_selected")


@pytest.mark.parametrize(
    ("grade", "measures"),
    [
        ("B", {"limit_30", "treat"}),
        ("B-", {"limit_30", "limit_50", "treat"}),
        ("C", {"limit_30", "limit_50", "treat", "stop"}),
        ("D", {"limit_30", "limit_50", "treat", "stop"}),
        (None, {"limit_30", "limit_50", "treat", "stop"}),
        ("未评级", {"limit_30", "limit_50", "treat", "stop"}),
    ],
)
def test_grade_ladder(grade: str | None, measures: set[str]) -> None:
    fit = judge(grade=grade)
    assert allowed(fit) == measures
    assert bool(fit.enterprises["grade_known"][0]) == (grade in ("B", "B-", "C", "D"))


@pytest.mark.parametrize(
    "sector", ["thermal_power_coal", "thermal_power_gas_oil", "thermal_power_biomass_waste", "boiler"]
)
def test_supply_sectors_are_never_stopped_or_cut_in_output(sector: str) -> None:
    assert allowed(judge(sector=sector, grade="D")) - {"transport"} == {"load_down_20", "treat"}


def test_stop_only_in_the_two_inner_zones() -> None:
    fit = judge(number=3, lat=[30.3, 31.0, 32.0])
    assert fit.enterprises["zone"].tolist() == [0, 1, 2]
    assert ["stop" in allowed(fit, row) for row in range(3)] == [True, True, False]


def test_long_process_needs_notice_and_minimum_days() -> None:
    early = datetime(2016, 8, 20, 16)
    short, long = make_event(days=3, lead_in=1), make_event(days=8, lead_in=1)
    assert "stop" not in allowed(judge(short, early, sector="steel"))  # 4 control days < 7
    assert "stop" in allowed(judge(long, early, sector="steel"))
    # 72 h from 1 Sep 16:00 end on 4 Sep 16:00: first full day 5 Sep, the second control day after 3 Sep
    fit = judge(long, ISSUE, sector="steel")
    assert fit.first_day[0].tolist()[0] == 2


@pytest.mark.parametrize(
    ("issue", "first_day"),
    [
        (datetime(2016, 9, 2, 0), 0),  # 24 h before 3 Sep 00:00
        (datetime(2016, 9, 2, 1), 1),
        (datetime(2016, 9, 3, 1), 2),
    ],
)
def test_notice_decides_the_first_day(issue: datetime, first_day: int) -> None:
    fit = judge(make_event(days=3), issue)
    assert fit.first_day[0, 0] == first_day


def test_an_order_that_comes_too_late_for_all_days_is_no_measure() -> None:
    fit = judge(make_event(days=1), datetime(2016, 9, 4, 1))
    assert fit.enterprises["status"].tolist() == ["no_measure"]
    assert "所需时间" in fit.enterprises["why_zh"][0]


def test_direction_and_distance() -> None:
    fit = judge(number=4, lon=[120.2, 120.5, 119.9, 120.2], lat=[30.5, 30.2, 29.94, np.nan])
    assert fit.enterprises["direction_zh"].tolist() == ["北", "东", "西南", ""]
    assert fit.enterprises["distance_km"][0] == pytest.approx(33.36, abs=0.05)
    assert fit.enterprises["status"].tolist()[3] == "outside_zones"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"nox_tpa": -1.0}, "E000: nox_tpa is negative"),
        ({"enterprise_id": "E000"}, "E000 occurs more than once"),
    ],
)
def test_bad_lists_are_refused(change: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        judge(number=2, **change)


def test_missing_columns_are_named() -> None:
    plants = make_enterprises(1).drop(columns=["grade", "exempt"])
    with pytest.raises(InputError, match=r"(?s)column grade is missing.*column exempt is missing"):
        judge_eligibility(make_event(), plants, ISSUE, make_settings())


def test_settings_refuse_what_does_not_fit() -> None:
    data = make_settings().model_dump()
    data["sectors"][0]["measures"] = ("unheard_of",)
    with pytest.raises(ValueError, match="unheard_of"):
        ControlSettings.model_validate(data)
    data = make_settings().model_dump()
    data["grades"]["unknown_as"] = "Z"
    with pytest.raises(ValueError, match="'Z'"):
        ControlSettings.model_validate(data)


def test_every_sector_has_a_chinese_name_and_a_measure() -> None:
    for sector in make_settings().sectors:
        assert sector.measures
        assert any("\u4e00" <= letter <= "\u9fff" for letter in sector.name_zh)


def test_the_shipped_event_fits() -> None:
    event = load_event(Path(__file__).parents[2] / "configs/events/g20-hangzhou-2016.yaml")
    fit = judge_eligibility(event, make_enterprises(3), ISSUE, make_settings())
    assert fit.enterprises["status"].tolist() == ["not_selected"] * 3
