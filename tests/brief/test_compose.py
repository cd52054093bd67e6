"""The content model: sections from results, missing parts, the round trip through JSON."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.brief.factories import (
    make_attribution,
    make_daily_brief,
    make_enterprises,
    make_event,
    make_event_brief,
    make_forecasts,
    make_observed,
    make_plan,
    make_trajectories,
)
from yrd_airq.brief.blocks import Table
from yrd_airq.brief.content import Brief, read_pack, write_pack
from yrd_airq.brief.content_sources import LIST_COLUMNS
from yrd_airq.brief.origins import share_sectors
from yrd_airq.brief.outline import make_outline
from yrd_airq.brief.wording import CONCLUSION_LENGTH
from yrd_airq.control.listing import LIST_COLUMNS as PLAN_COLUMNS
from yrd_airq.errors import InputError
from yrd_airq.vocab import CityDaySource, Target


def test_pack_round_trip(event_brief: Brief, tmp_path: Path) -> None:
    write_pack(event_brief, tmp_path / "pack.json")
    assert read_pack(tmp_path) == event_brief
    (tmp_path / "pack.json").write_text("{}")
    with pytest.raises(InputError, match="not a brief pack"):
        read_pack(tmp_path)


def test_list_columns_are_those_of_the_plan() -> None:
    assert LIST_COLUMNS == PLAN_COLUMNS


def test_conclusion_is_short_and_says_what_to_do(event_brief: Brief, daily_brief: Brief) -> None:
    assert len(event_brief.conclusion.text_zh) <= CONCLUSION_LENGTH
    assert len(daily_brief.conclusion.text_zh) <= CONCLUSION_LENGTH
    assert event_brief.control is not None
    assert f"管控{len(event_brief.control.selected)}家企业" in event_brief.conclusion.text_zh
    assert "首要污染物为" in event_brief.conclusion.text_zh


def test_observed_ranks_and_aqi(event_brief: Brief) -> None:
    observed = event_brief.observed
    assert observed is not None
    assert observed.date.isoformat() == "2016-09-01"
    assert len(observed.cities) == 41
    aqi = [row.aqi for row in observed.cities if row.aqi is not None]
    assert aqi == sorted(aqi)
    assert observed.cities[0].rank == 1
    assert observed.targets == (Target.O3_MDA8, Target.PM25, Target.PM10)
    assert observed.source_zh == "国控站点监测"


def test_reanalysis_without_mda8_says_so() -> None:
    brief = make_daily_brief(
        observed=make_observed(targets={"o3_mean": 60.0, "pm25": 40.0, "pm10": 70.0}),
        observed_source=CityDaySource.REANALYSIS,
    )
    assert brief.observed is not None
    assert Target.O3_MEAN in brief.observed.targets
    assert "AQI未计O₃" in brief.observed.note_zh
    assert brief.observed.source_zh == "再分析资料"


def test_nothing_observed_after_the_issue_is_shown() -> None:
    late = make_observed()
    late["date"] = late["date"] + pd.Timedelta(days=30)
    assert make_daily_brief(observed=late).observed is None


def test_sector_shares_close_and_see_the_north_east() -> None:
    shares = share_sectors(make_trajectories(), local_km=50)
    assert sum(share.share for share in shares) == pytest.approx(1, abs=1e-3)
    assert shares[0].sector_zh in ("东北", "东")
    assert {share.sector_zh for share in shares} <= {"北", "东北", "东", "东南", "本地"}


def test_budgets_close_after_small_parts_are_merged(event_brief: Brief) -> None:
    assert event_brief.attribution is not None
    for budget in event_brief.attribution.budgets:
        assert sum(part.share for part in budget.parts) == pytest.approx(1, abs=1e-3)
        assert len(budget.parts) <= 8
    first = event_brief.attribution.budgets[0]
    assert (first.target, first.date.isoformat()) == (Target.O3_MDA8, "2016-09-04")
    assert "VOCs控制区" in event_brief.attribution.text_zh


def test_city_loads_add_up(event_brief: Brief) -> None:
    control = event_brief.control
    assert control is not None
    for field in ("nox", "voc", "pm", "so2"):
        of_rows = sum(getattr(row, f"reduction_{field}_kgd") or 0 for row in control.selected)
        assert sum(getattr(load, f"{field}_kgd") for load in control.loads) == pytest.approx(of_rows, abs=2)


def test_unknown_stays_unknown(event_brief: Brief) -> None:
    assert event_brief.control is not None
    row = event_brief.control.rows[3]
    assert row.reduction_so2_kgd is None
    assert all(row.grade is None or row.grade for row in event_brief.control.rows)


def test_shortfall_is_told() -> None:
    event = make_event()
    plan = make_plan(make_enterprises(event=event), event, status="infeasible_relaxed")
    brief = make_event_brief(plan=plan)
    assert brief.control is not None
    assert "仍差4.2" in brief.control.text_zh
    assert "仍差4.2" in brief.conclusion.text_zh
    assert any("缺口4.2" in figure.note_zh for figure in brief.conclusion.figures)


def test_plan_that_is_not_needed() -> None:
    event = make_event()
    plan = make_plan(make_enterprises(event=event), event, status="not_needed")
    empty = plan.list.assign(status="not_selected")
    brief = make_event_brief(plan=plan.__class__(**(plan.__dict__ | {"list": empty})))
    assert brief.control is not None
    assert not brief.control.selected
    assert "无须启动企业管控" in brief.conclusion.text_zh


def headings(brief: Brief) -> list[str]:
    outline = make_outline(brief)
    return [section.heading for section in (*outline.sections, *outline.annexes)]


def test_no_section_ever_holds_an_empty_table(event_brief: Brief, daily_brief: Brief) -> None:
    none = {"weather": None, "trajectories": None, "attribution": None, "plan": None, "scores": None}
    bare = make_event_brief(**none, hindsight=None, hotspots=None, traced=None, enterprises=None)
    for brief in (bare, event_brief, daily_brief):
        outline = make_outline(brief)
        for section in (*outline.sections, *outline.annexes):
            assert section.blocks
            tables = [block for block in section.blocks if isinstance(block, Table)]
            assert all(table.rows and table.number for table in tables)
            for table in tables:
                assert {len(row) for row in table.rows} == {len(table.columns)}


def test_missing_parts_are_said_in_one_sentence() -> None:
    bare = make_event_brief(
        weather=None, trajectories=None, attribution=None, plan=None, scores=None, hindsight=None
    )
    text = str(make_outline(bare))
    for sentence in (
        "本期未使用气象资料",
        "本期未作后向轨迹与来源解析分析",
        "本期未生成管控方案",
        "尚无可供检验",
    ):
        assert sentence in text
    assert headings(bare)[0] == "一、结论摘要"


def test_daily_bulletin_has_no_control_section(daily_brief: Brief) -> None:
    assert [h for h in headings(daily_brief) if "管控" in h or "传输" in h] == []
    assert headings(daily_brief)[-1].startswith("附件1")


def test_hindcast_shows_the_outcome(event_brief: Brief) -> None:
    assert event_brief.check is not None
    assert len(event_brief.check.outcomes) == 6
    for row in event_brief.check.outcomes:
        assert row.inside == (row.q10 <= row.observed <= row.q90)
    assert "历史个例后报" in event_brief.check.text_zh


def test_perfect_prognosis_is_named() -> None:
    rows = make_forecasts().assign(weather_kind="analysis")
    assert any("完全预报" in point for point in make_daily_brief(forecasts=rows).uncertainty_zh)


def test_regime_names_and_empty_regime() -> None:
    matrix = make_attribution()
    bare = matrix.__class__(**(matrix.__dict__ | {"regime": matrix.regime.iloc[:0]}))
    brief = make_event_brief(attribution=bare)
    assert brief.attribution is not None
    assert brief.attribution.regime_zh == ""


def test_weather_is_labelled_and_only_for_the_days_in_detail(event_brief: Brief) -> None:
    assert event_brief.weather is not None
    assert {day.kind.name_zh for day in event_brief.weather.days} == {"预报场"}
    assert {day.date for day in event_brief.weather.days} == set(event_brief.forecast.detail_dates)
    assert np.all([day.dispersion_zh in "好较好一般较差" for day in event_brief.weather.days])
