"""Forecast rows to city-days and to the words of the bulletin."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache

import pandas as pd
import pytest

from tests.brief.factories import ISSUE, make_forecasts
from yrd_airq.brief.content_air import Forecast, ForecastDay
from yrd_airq.brief.forecast_section import detail_table
from yrd_airq.brief.outlook import build_forecast
from yrd_airq.brief.outlook_text import city_headline, dominant_levels, region_headline
from yrd_airq.brief.settings import load_brief_settings
from yrd_airq.brief.wording import levels_zh
from yrd_airq.errors import InputError
from yrd_airq.region import load_region
from yrd_airq.vocab import Target


def make_rows(day: date, values: dict[str, float], adcode: str = "330100", model: str = "m") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "adcode": adcode,
            "issue_time": pd.Timestamp(day) - pd.Timedelta(hours=8),
            "valid_date": pd.Timestamp(day),
            "lead_day": 1,
            "target": list(values),
            "model": model,
            "mean": list(values.values()),
            "q10": [0.8 * v for v in values.values()],
            "q50": list(values.values()),
            "q90": [1.2 * v for v in values.values()],
            "p_exceed": 0.2,
            "call_from": 0.3,
            "weather_kind": "none",
        }
    )


def build(rows: pd.DataFrame, issue: datetime = ISSUE) -> Forecast:
    return build_forecast(rows, issue, ("330100",), None, load_region(), load_brief_settings())


@cache
def some_day() -> ForecastDay:
    return build(make_rows(date(2016, 9, 3), {"o3_mda8": 120.0})).days[0]


def make_day(adcode: str, day: int, level: int, high: int = 0, p: float = 0.5) -> ForecastDay:
    made = some_day()
    quantity = made.quantities[0].model_copy(update={"p_exceed": p})
    high = high or level
    return made.model_copy(
        update={
            "adcode": adcode,
            "date": date(2016, 9, day),
            "level": level,
            "level_lo": level,
            "level_hi": high,
            "level_zh": levels_zh(level, high),
            "primary_zh": ("O₃",) if high > 1 else (),
            "quantities": (quantity,),
        }
    )


def test_aqi_of_the_medians_and_its_primary_pollutant() -> None:
    day = build(make_rows(date(2016, 9, 3), {"o3_mda8": 187.5, "pm25": 40.0, "pm10": 60.0})).days[0]
    # O3: 150 at 215, 100 at 160 → 100 + 50·27.5/55 = 125; ozone alone counts, and its median is drawn.
    assert abs(day.aqi - 125) <= 1
    assert day.primary_zh == ("O₃",)
    assert day.aqi_lo < 125 < day.aqi_hi
    assert day.level == 3


def test_standard_follows_the_valid_date() -> None:
    old = build(make_rows(date(2026, 2, 28), {"pm25": 60.0}), datetime(2026, 2, 27, 16))
    new = build(make_rows(date(2026, 3, 1), {"pm25": 61.0}), datetime(2026, 2, 27, 16))
    # 2012: 50 + 50·25/40 = 81.25 → 82. 2026: 100 + 50·1/55 → 101.
    assert old.days[0].aqi == 82
    assert new.days[0].aqi == 101
    assert old.days[0].quantities[0].limit == 75
    assert new.days[0].quantities[0].limit == 60


def test_second_primary_only_when_close() -> None:
    close = build(make_rows(date(2016, 9, 3), {"o3_mda8": 160.0, "pm25": 74.0})).days[0]
    far = build(make_rows(date(2016, 9, 3), {"o3_mda8": 160.0, "pm25": 50.0})).days[0]
    assert close.primary_zh == ("O₃", "PM₂.₅")
    assert far.primary_zh == ("O₃",)


def test_an_exceedance_is_called_from_the_threshold_of_the_model() -> None:
    rows = make_rows(date(2016, 9, 3), {"o3_mda8": 150.0, "pm25": 70.0})
    quantities = build(rows.assign(call_from=[0.15, 0.25])).days[0].quantities
    assert {q.target: q.exceeds for q in quantities} == {Target.O3_MDA8: True, Target.PM25: False}
    part = build(rows.assign(call_from=[0.15, 0.25]))
    table = detail_table(part)
    texts = [cell.text for cell in table.rows[0]]
    assert "20%，超标" in texts
    assert "20%" in texts
    assert "O₃-8h15%" in table.note
    assert "PM₂.₅25%" in table.note
    silent = build(rows.assign(call_from=0.15, p_exceed=float("nan"))).days[0].quantities
    assert not any(q.exceeds for q in silent)


def test_clean_air_has_no_primary_pollutant() -> None:
    day = build(make_rows(date(2016, 9, 3), {"o3_mda8": 60.0, "pm25": 10.0})).days[0]
    assert day.primary_zh == ()
    assert day.level_zh == "优"


def test_baselines_past_days_and_doubles() -> None:
    rows = make_forecasts(leads=2)
    assert {q.model for day in build(rows).days for q in day.quantities} == {"lightgbm"}
    with pytest.raises(InputError, match="more than one model"):
        build(pd.concat([rows, rows.assign(model="other")]))
    with pytest.raises(InputError, match="no forecast for any day after"):
        build(rows, datetime(2016, 10, 1, 16))


def test_converted_ozone_is_marked() -> None:
    day = build(make_rows(date(2016, 9, 3), {"o3_mda8": 150.0}, model="lightgbm+ratio")).days[0]
    quantity = day.quantity(Target.O3_MDA8)
    assert quantity is not None and quantity.converted
    assert day.remark_zh == "由日均值换算"


def test_missing_targets_are_told() -> None:
    assert "未预报O₃-8h" in build(make_rows(date(2016, 9, 3), {"pm25": 50.0})).note_zh


@pytest.mark.parametrize(
    ("levels", "span"),
    [
        ([2, 2, 2, 1], (2, 2)),
        ([2, 2, 1, 1], (1, 2)),
        ([1, 2, 2, 3, 3], (2, 3)),
        ([3], (3, 3)),
    ],
)
def test_dominant_levels(levels: list[int], span: tuple[int, int]) -> None:
    assert dominant_levels(levels, 0.75) == span


def test_city_sentence_merges_equal_days_and_says_may() -> None:
    days = [make_day("330100", 4, 2), make_day("330100", 5, 2), make_day("330100", 6, 2, high=3)]
    assert city_headline(days) == "9月4—5日良，6日以良为主、可能出现轻度污染，首要污染物为O₃"


def test_region_sentence_names_the_parts() -> None:
    region, settings = load_region(), load_brief_settings()
    polluted = ("330100", "330400", "340100")
    days = [make_day(a, 4, 3 if a in polluted else 2, p=0.1) for a in region.adcodes]
    (text,) = region_headline(days, settings)
    assert text == (
        "9月4日，长三角区域空气质量以良为主；其中，浙北、皖中部分城市为轻度污染，首要污染物为O₃。"
    )


def test_unlikely_pollution_is_not_mentioned() -> None:
    region, settings = load_region(), load_brief_settings()
    days = [make_day(a, 4, 2, high=3, p=0.05) for a in region.adcodes]
    (text,) = region_headline(days, settings)
    assert "轻度污染" not in text
    likely = [make_day(a, 4, 2, high=3, p=0.4 if a == "310000" else 0.05) for a in region.adcodes]
    assert "上海可能出现轻度污染" in region_headline(likely, settings)[0]


def test_a_correction_and_a_weak_basis_are_remarked() -> None:
    rows = make_rows(date(2016, 9, 3), {"o3_mda8": 150.0, "pm25": 40.0}).assign(basis="own")
    rows.loc[0, "model"] = "forecaster"
    rows.loc[1, "basis"] = "stale"
    assert build(rows).days[0].remark_zh == "预报员订正；近期实况缺测，依据偏弱"
