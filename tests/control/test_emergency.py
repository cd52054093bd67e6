from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.brief.factories import make_daily_brief
from tests.control.factories import make_settings
from yrd_airq.brief.blocks import Table
from yrd_airq.brief.emergency_page import write_emergency
from yrd_airq.brief.emergency_section import build_emergency
from yrd_airq.brief.outline import make_outline
from yrd_airq.control.eligibility import KG_PER_DAY
from yrd_airq.control.emergency import EmergencySettings, list_emergency
from yrd_airq.control.foresight import Foresight, borders, foresee
from yrd_airq.errors import InputError
from yrd_airq.forecast.hourly_aqi import RunningAqi
from yrd_airq.forecast.tier_courses import PAST_DAYS, TierCourses, tier_courses
from yrd_airq.region import load_region
from yrd_airq.settings import load
from yrd_airq.standards.episodes import Action
from yrd_airq.standards.tiers import Tier, load_tiers
from yrd_airq.vocab import Precursor

ISSUE = datetime(2026, 1, 10, 16)
REGION = load_region()
TIERS = load_tiers()
ADVICE = load(EmergencySettings, "emergency")
CITY = REGION.adcodes.index("320300")
AHEAD = 7 * 24 + 8


def make_courses(count: int = 10) -> TierCourses:
    """Good air everywhere, from seven days before the issue to the end of the seventh day after."""
    now = PAST_DAYS * 24 + 16
    times = pd.date_range("2026-01-03 01:00", periods=now + AHEAD, freq="h")
    shape = (count, len(REGION.adcodes), len(times))
    return TierCourses(REGION.adcodes, times, now, np.full(shape, 60.0), np.full(shape, 40.0), True)


def look(courses: TierCourses, **more: object) -> Foresight:
    return foresee(courses, ISSUE, REGION, TIERS, **more)  # type: ignore[arg-type]


def test_chances_by_city_and_the_tier_that_is_likely_enough() -> None:
    courses = make_courses()
    begin = courses.now + 30
    courses.pm25[:6, CITY, begin : begin + 48] = 210  # orange in six of ten courses
    courses.pm25[6:8, CITY, begin + 4 : begin + 20] = 210  # yellow in two more
    city = look(courses).cities[CITY]
    assert city.chances[Tier.ORANGE] == 0.6
    assert city.chances[Tier.YELLOW] == 0.8
    assert city.chances[Tier.RED] == 0
    assert (city.foreseen, city.median, city.action, city.tier) == (
        *(Tier.ORANGE, Tier.ORANGE, Action.START, Tier.ORANGE),
    )
    assert (city.start, city.end) == (courses.times[begin], courses.times[begin + 47])
    assert city.late_h == 0  # 31 hours ahead
    assert look(courses).tiers == {"320300": Tier.ORANGE}


def test_a_likely_run_may_be_nobodys_median() -> None:
    """Each course has its hour above 200 at another time: yellow is likely, the median course is clean."""
    courses = make_courses()
    for k in range(8):
        courses.pm25[k, CITY, courses.now + 20 + 3 * k] = 205
    city = look(courses).cities[CITY]
    assert (city.foreseen, city.median) == (Tier.YELLOW, Tier.NONE)


def test_an_episode_observed_goes_on_until_the_cancel_rule_ends_it() -> None:
    courses = make_courses()
    courses.pm25[:, CITY, courses.now - 60 : courses.now - 10] = 210
    kept = look(courses).cities[CITY]
    # It stands as orange; the air ahead is clear for more than 36 h, so it ends now.
    assert (kept.standing, kept.foreseen, kept.action, kept.tier) == (
        *(Tier.ORANGE, Tier.NONE, Action.CANCEL, Tier.NONE),
    )
    part = build_emergency(look(courses), None, REGION, TIERS, ADVICE)
    assert part.rows[0].advice_zh == "解除橙色预警"
    assert "建议徐州解除预警：预计将低于预警条件并持续36小时以上。" in part.text_zh
    courses.pm25[:, CITY, courses.now + 30 : courses.now + 32] = 201
    again = look(courses).cities[CITY]
    assert (again.foreseen, again.action, again.tier) == (Tier.YELLOW, Action.KEEP, Tier.ORANGE)
    part = build_emergency(look(courses), None, REGION, TIERS, ADVICE)
    assert part.rows[0].advice_zh == "维持橙色预警"
    told = look(courses, standing={"320300": Tier.RED}).cities[CITY]
    assert (told.standing, told.tier) == (Tier.RED, Tier.RED)


def test_observed_hours_count_towards_a_run() -> None:
    courses = make_courses()
    courses.pm25[:, CITY, courses.now - 40 : courses.now + 8] = 205  # 48 h, only 8 of them ahead
    city = look(courses).cities[CITY]
    assert (city.standing, city.foreseen) == (Tier.YELLOW, Tier.ORANGE)
    assert city.action is Action.UPGRADE
    assert city.late_h == 23


def test_ozone_has_a_track_without_colour() -> None:
    courses = make_courses()
    courses.ozone[:7, CITY, courses.now + 20 : courses.now + 90] = 230
    seen = look(courses)
    city = seen.cities[CITY]
    assert (city.tier, city.ozone) == (Tier.NONE, 0.7)
    assert seen.worth_telling(TIERS)
    courses.pm25[:, CITY, courses.now + 20 : courses.now + 90] = 240  # now particles lead
    assert look(courses).cities[CITY].ozone == 0
    assert look(courses).cities[CITY].tier is Tier.ORANGE


def test_dust_is_told_but_gets_no_colour() -> None:
    courses = make_courses()
    courses.pm25[:, CITY, courses.now + 20 : courses.now + 90] = 300
    seen = look(courses, other_causes={"320300": "沙尘"})
    assert seen.cities[CITY].tier is Tier.NONE
    assert not seen.tiers
    part = build_emergency(seen, None, REGION, TIERS, ADVICE)
    assert any("徐州" in text and "沙尘" in text for text in part.text_zh)


def test_the_region_is_warned_when_neighbours_are_bad_together() -> None:
    courses = make_courses()
    three = [REGION.adcodes.index(code) for code in ("320300", "321300", "341300")]  # 徐州 宿迁 宿州
    courses.pm25[:, three, courses.now + 30 : courses.now + 40] = 210
    seen = look(courses)
    assert seen.regional is Tier.YELLOW
    assert set(seen.regional_cities) == {"320300", "321300", "341300"}
    assert seen.regional_start == courses.times[courses.now + 30]
    part = build_emergency(seen, None, REGION, TIERS, ADVICE)
    assert any("长三角区域空气质量预测预报中心" in text for text in part.text_zh)
    apart = make_courses()
    far = [REGION.adcodes.index(code) for code in ("320300", "330300", "340100")]
    apart.pm25[:, far, apart.now + 30 : apart.now + 40] = 210
    assert look(apart).regional is Tier.NONE


def test_borders() -> None:
    touching = borders(REGION)
    codes = REGION.adcodes
    assert touching[codes.index("330100"), codes.index("330500")]
    assert not touching[codes.index("330100"), codes.index("320300")]
    assert (touching == touching.T).all()
    assert touching.any(axis=1).sum() >= 40  # an island city may stand alone


def daily_rows(value: float, spread: float = 0.0) -> pd.DataFrame:
    days = pd.date_range("2026-01-11", periods=7)
    frame = pd.DataFrame({"adcode": np.repeat(REGION.adcodes, 7), "valid_date": np.tile(days, 41)})
    return frame.assign(
        target="pm25", mean=value, q10=value - spread, q50=value, q90=value + spread, issue_time=ISSUE
    )


def observed_days(value: float) -> pd.DataFrame:
    days = pd.date_range("2026-01-01", "2026-01-09")
    frame = pd.DataFrame({"adcode": np.repeat(REGION.adcodes, 9), "date": np.tile(days, 41)})
    return frame.assign(target="pm25", value=value)


def test_days_alone_make_courses_of_days() -> None:
    """HJ 633-2012: 150 µg/m³ of PM2.5 is an index of 200, 151 one of 201."""
    made = tier_courses(ISSUE, REGION.adcodes, daily_rows(150.0), observed_days(115.0))
    assert made.pm25.shape == (200, 41, PAST_DAYS * 24 + 8 * 24)
    assert not made.hourly
    ahead = made.pm25[:, 0, made.now :]
    assert np.isnan(ahead[:, :8]).all()  # the rest of the issue date is unknown without hours
    assert (ahead[:, 8:] == 200).all()
    assert (made.pm25[:, 0, : PAST_DAYS * 24] == 150).all()
    assert np.isnan(made.ozone).all()
    assert look(made).cities[0].foreseen is Tier.ORANGE  # above 150 for seven days
    assert look(tier_courses(ISSUE, REGION.adcodes, daily_rows(150.0, 40.0), observed_days(50.0))).cities[
        0
    ].chances[Tier.RED] == pytest.approx(0, abs=0.1)


def test_quantiles_of_days_become_chances() -> None:
    made = tier_courses(ISSUE, REGION.adcodes, daily_rows(100.0, 50.5), observed_days(50.0))
    # q90 is 150.5, rounded half to even 150 → index 200; a tenth of the courses lies above.
    share = (made.pm25[:, 0, -1] > 200).mean()
    assert 0.08 <= share <= 0.1
    assert (np.diff(made.pm25[:, 0, -1]) >= 0).all()


def test_hours_go_before_days_and_keep_their_rank() -> None:
    courses = np.tile(np.arange(1.0, 51.0)[:, None, None] * 4, (1, 41, 72))
    running = RunningAqi(REGION.adcodes, ISSUE, {"aqi": courses, "pm25": courses, "o3": courses[::-1]})
    hours = pd.date_range("2026-01-01 01:00", "2026-01-10 16:00", freq="h")
    hourly = pd.DataFrame({"adcode": np.repeat(REGION.adcodes, len(hours)), "time": np.tile(hours, 41)})
    hourly = hourly.assign(pollutant="pm25", value=75.0)
    made = tier_courses(ISSUE, REGION.adcodes, daily_rows(100.0, 30.0), observed_days(1.0), hourly, running)
    assert made.hourly
    np.testing.assert_array_equal(made.pm25[:, :, made.now : made.now + 72], courses)
    assert (made.pm25[:, :, : made.now] == 100).all()  # the observed hours, not the observed days
    late = made.pm25[:, 0, made.now + 72 :]
    assert (np.diff(late, axis=0) >= 0).all()
    assert late[0, 0] < late[-1, 0]


def test_no_particles_no_tiers() -> None:
    with pytest.raises(InputError, match="pm25"):
        tier_courses(ISSUE, REGION.adcodes, daily_rows(1.0).assign(target="no2"), observed_days(1.0))


def plants() -> pd.DataFrame:
    """1 t/d of each precursor a plant, in Xuzhou but the last."""
    grades = ["C", "D", "A", "B", "", "C", "C", "D"]
    sectors = ["building_materials"] * 5 + ["thermal_power_coal", "chemical", "coating"]
    frame = pd.DataFrame({"enterprise_id": [f"E{k}" for k in range(8)], "grade": grades, "sector": sectors})
    frame["name_zh"] = "企业" + frame["enterprise_id"]
    frame["adcode"] = ["320300"] * 7 + ["330100"]
    emission = {f"{p}_tpa": 365.0 for p in Precursor}
    return frame.assign(
        lon=117.2,
        lat=34.3,
        exempt=frame["enterprise_id"] == "E6",
        exempt_reason="供热保障，徐应急〔2025〕1号",
        emission_basis="permit",
        cost_cny_per_day=np.nan,
        **emission,
    )


def own_measures() -> pd.DataFrame:
    row = {"enterprise_id": "E0", "tier": "orange", "measure_code": "line", "measure_zh": "停2号线"}
    return pd.DataFrame([{**row, **{f"reduction_{p}_kgd": 400.0 for p in Precursor}}])


def test_the_list_for_an_orange_warning() -> None:
    made = list_emergency({"320300": Tier.ORANGE}, plants(), own_measures(), REGION, ADVICE, make_settings())
    table = made.list.set_index("enterprise_id")
    assert set(table.index) == {f"E{k}" for k in range(7)}  # nobody of a city without a tier
    assert table["measure_zh"].to_dict() == {
        "E0": "停2号线",
        "E1": "停产",
        "E2": "",
        "E3": "限产10%",
        "E4": "限产50%",
        "E5": "降负荷20%",
        "E6": "",
    }
    assert table["status"].to_dict() == {
        **{name: "selected" for name in ("E0", "E1", "E3", "E4", "E5")},
        "E2": "voluntary",
        "E6": "exempt",
    }
    kgd = 365 * KG_PER_DAY
    cuts = {"E0": 0.4, "E1": 1.0, "E3": 0.1, "E4": 0.5, "E5": 0.2}
    for name, cut in cuts.items():
        assert table.loc[name, "reduction_nox_kgd"] == pytest.approx(kgd * cut, abs=0.05)
    assert table["basis"].to_dict()["E0"] == "list"
    assert "缺省" in table.loc["E1", "reason_zh"]
    assert "绩效等级未知" in table.loc["E4", "reason_zh"]
    assert "不停产" in table.loc["E5", "reason_zh"]
    assert table.loc["E2", "reason_zh"] == "绩效等级A，自主减排"
    assert table.loc["E6", "reason_zh"] == "供热保障，徐应急〔2025〕1号"
    loads = made.loads.set_index("precursor")
    assert loads["emission_tpd"].to_list() == pytest.approx([7.0] * 4)
    assert loads["reduction_tpd"].to_list() == pytest.approx([2.2] * 4)
    assert loads["floor"].to_list() == [0.2] * 4
    assert loads["met"].to_list() == [True] * 4


@pytest.mark.parametrize(("tier", "met"), [(Tier.YELLOW, True), (Tier.RED, False)])
def test_the_floor_is_judged(tier: Tier, met: bool) -> None:
    """One plant of grade B (0 or 30 %) and one of C that gives 20 % or all; alone B gives 30 % in red."""
    frame = plants().iloc[[3, 0]] if tier is Tier.YELLOW else plants().iloc[[3, 5, 2]]
    made = list_emergency({"320300": tier}, frame, None, REGION, ADVICE, make_settings())
    assert made.loads["met"].to_list() == [met] * 4


def test_temporary_controls_have_neither_floor_nor_fallback() -> None:
    made = list_emergency({"320300": Tier.TEMPORARY}, plants(), None, REGION, ADVICE, make_settings())
    assert set(made.list["status"]) == {"no_measure", "voluntary", "exempt"}
    assert made.loads["met"].to_list() == [None] * 4


def test_a_brief_speaks_of_tiers_only_where_there_are_any() -> None:
    courses = make_courses()
    assert not look(courses).worth_telling(TIERS)
    quiet = make_daily_brief()
    assert not [s for s in make_outline(quiet).sections if "重污染天气应对" in s.heading]
    courses.pm25[:, CITY, courses.now + 30 : courses.now + 100] = 210
    seen = look(courses)
    assert seen.worth_telling(TIERS)
    part = build_emergency(seen, None, REGION, TIERS, ADVICE)
    loud = quiet.model_copy(update={"emergency": part})
    (section,) = [s for s in make_outline(loud).sections if "重污染天气应对" in s.heading]
    assert any(isinstance(block, Table) and block.number for block in section.blocks)


def test_the_document_names_everybody(tmp_path: Path) -> None:
    courses = make_courses()
    courses.pm25[:, CITY, courses.now + 30 : courses.now + 100] = 210
    seen = look(courses)
    made = list_emergency(seen.tiers, plants(), own_measures(), REGION, ADVICE, make_settings())
    part = build_emergency(seen, made, REGION, TIERS, ADVICE)
    files = write_emergency(part, made.list, ISSUE, False, tmp_path / "out")
    assert [file.suffix for file in files] == [".html", ".md", ".json", ".csv"]
    first = [file.read_bytes() for file in files]
    assert first == [f.read_bytes() for f in write_emergency(part, made.list, ISSUE, False, tmp_path / "out")]
    text = files[1].read_text(encoding="utf-8")
    assert "建议徐州启动橙色预警（最早自1月11日23时）" in text
    assert "企业E6" in text
    assert "供热保障，徐应急〔2025〕1号" in text
    assert "经验值，可信度低" in text
