"""Why a forecast is what it is, and the running AQI, in the words of the brief."""

from __future__ import annotations

from datetime import date

import pandas as pd

from tests.brief.test_outlook import build, make_rows
from yrd_airq.brief.reasons import state_reasons, state_running
from yrd_airq.brief.settings import load_brief_settings
from yrd_airq.region import load_region

DAY = date(2016, 9, 3)


def reasons(*targets: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "adcode": "330100",
            "valid_date": pd.Timestamp(DAY),
            "target": list(targets),
            "text_zh": [f"缘于{target}。" for target in targets],
        }
    )


def test_the_reason_told_is_that_of_the_pollutant_that_sets_the_aqi() -> None:
    ozone = build(make_rows(DAY, {"o3_mda8": 190.0, "pm25": 40.0}))
    dust = build(make_rows(DAY, {"o3_mda8": 60.0, "pm25": 120.0}))
    both = reasons("o3_mda8", "pm25")
    assert state_reasons(both, ozone) == ("杭州9月3日O₃-8h缘于o3_mda8。",)
    assert state_reasons(both, dust) == ("杭州9月3日PM₂.₅缘于pm25。",)
    assert state_reasons(reasons("pm25"), ozone) == ("杭州9月3日PM₂.₅缘于pm25。",), (
        "what is explained is told"
    )
    assert state_reasons(None, ozone) == ()


def running(*chances: tuple[str, float]) -> pd.DataFrame:
    rows = [
        {
            "adcode": adcode,
            "valid_time": pd.Timestamp("2016-09-04T08:00") + pd.Timedelta(hours=hour),
            "item": item,
            "p_over_150": p / (1 + hour),
        }
        for adcode, p in chances
        for hour in (0, 1)
        for item in ("aqi", "pm25")
    ]
    return pd.DataFrame(rows)


def test_the_running_aqi_names_the_cities_and_hours_that_matter() -> None:
    region, settings = load_region(), load_brief_settings()
    text = state_running(running(("330100", 0.4), ("310000", 0.75), ("320100", 0.1)), region, settings)
    assert text == (
        "未来72小时滑动24小时AQI可能超过150：上海75%（9月4日8时前后）、杭州40%（9月4日8时前后）。"
    )
    calm = state_running(running(("330100", 0.02)), region, settings)
    assert calm == "未来72小时各市滑动24小时AQI超过150的概率均低于30%。"
    many = running(*((code, 0.5) for code in region.adcodes[:7]))
    assert state_running(many, region, settings).endswith("等7市。")
    assert state_running(None, region, settings) == ""
