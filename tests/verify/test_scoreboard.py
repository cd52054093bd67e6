from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.forecast.factory import archive
from yrd_airq.brief.blocks import Bullets, Table
from yrd_airq.brief.scoreboard import lay_out
from yrd_airq.errors import InputError
from yrd_airq.forecast.exceedance import DEFAULT_THRESHOLD
from yrd_airq.jobs.verifying import read_backtests, verify
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.store.records import RunRecord
from yrd_airq.store.store import open_store
from yrd_airq.verify.benchmarks import grade, quality_indicator
from yrd_airq.verify.cases import lay_out_cases, parts
from yrd_airq.verify.markdown import write_markdown
from yrd_airq.verify.official import judge_official
from yrd_airq.verify.scoreboard import Scoreboard, draw_up
from yrd_airq.verify.settings import VerifySettings, load_verify
from yrd_airq.vocab import Target

CITIES = ("310000", "320100", "330100")
DAYS = pd.date_range("2019-08-01", periods=40)


@pytest.fixture
def settings() -> VerifySettings:
    return load_verify()


def forecast(
    model: str,
    error: float,
    target: str = "pm25",
    level: float = 50.0,
    days: pd.DatetimeIndex = DAYS,
    lead: int = 1,
) -> pd.DataFrame:
    """Rows of a model whose error grows and changes sign over the days and cities."""
    rng = np.random.default_rng(len(model) + lead)
    index = pd.MultiIndex.from_product([CITIES, days], names=["adcode", "valid_date"]).to_frame(index=False)
    # Exceedances (above 75) every tenth day.
    truth = level + 15 * np.sin(np.arange(len(DAYS))) + 40 * (np.arange(len(DAYS)) % 10 == 9)
    observed = np.tile(truth[DAYS.get_indexer(days)], len(CITIES))
    mean = observed + error * rng.normal(size=len(index))
    return index.assign(
        issue_time=index["valid_date"] - pd.Timedelta(days=lead) + pd.Timedelta(hours=16),
        target=target,
        model=model,
        lead_day=lead,
        mean=mean,
        q10=mean - 10,
        q50=mean,
        q90=mean + 10,
        p_exceed=np.clip((mean - 60) / 30, 0, 1),
        weather_kind="none",
        observed=observed,
    )


def plain(model: str, error: float, **kwargs: object) -> pd.DataFrame:
    return forecast(model, error, **kwargs).assign(q10=np.nan, q50=np.nan, q90=np.nan, p_exceed=np.nan)  # type: ignore[arg-type]


def rows(lead: int = 1) -> pd.DataFrame:
    return pd.concat(
        [
            forecast("lightgbm", 5, lead=lead),
            plain("persistence", 10, lead=lead),
            plain("mean_7d", 8, lead=lead),
        ]
    )


@pytest.fixture
def board(settings: VerifySettings) -> Scoreboard:
    return draw_up(pd.concat([rows(), rows(lead=2)]), settings)


def test_models_are_scored_on_the_city_days_that_all_have(settings: VerifySettings) -> None:
    short = plain("persistence", 10, days=DAYS[5:])
    own = lay_out_cases(pd.concat([forecast("lightgbm", 5), short]), Target.PM25, settings)
    assert int(own.data["observed"].notnull().sum()) == 35 * 3
    assert own.left_out == ()


def test_a_model_with_few_city_days_does_not_shrink_the_sample(settings: VerifySettings) -> None:
    given = pd.concat([rows(), plain("forecaster", 1, days=DAYS[:4])])
    own = lay_out_cases(given, Target.PM25, settings)
    assert own.left_out == ("forecaster",)
    assert int(own.data["observed"].notnull().sum()) == 40 * 3
    asked = lay_out_cases(given, Target.PM25, settings, ["forecaster", "lightgbm"])
    assert int(asked.data["observed"].notnull().sum()) == 4 * 3
    with pytest.raises(InputError, match="no forecasts of nobody"):
        lay_out_cases(given, Target.PM25, settings, ["nobody"])


def test_the_latest_issue_of_a_day_counts(settings: VerifySettings) -> None:
    late = forecast("lightgbm", 0).assign(issue_time=lambda f: f["issue_time"] + pd.Timedelta(hours=2))
    own = lay_out_cases(pd.concat([late, forecast("lightgbm", 50)]), Target.PM25, settings)
    np.testing.assert_allclose(own.data["mean"].sel(model="lightgbm"), own.data["observed"])


def test_parts_by_season_level_and_change(settings: VerifySettings) -> None:
    own = lay_out_cases(rows(), Target.PM25, settings)
    found = {(kind, name): int(data["observed"].notnull().sum()) for kind, name, data in parts(own, settings)}
    assert found[("all", "all")] == 120
    assert found[("season", "summer")] == 31 * 3
    assert found[("season", "autumn")] == 9 * 3
    assert sum(n for (kind, _), n in found.items() if kind == "level") == 120
    # Every jump of 40 up and down again; the first day has no day before it.
    assert found[("change", "rise")] >= 4 * 3
    assert sum(n for (kind, _), n in found.items() if kind == "change") == 39 * 3


def test_unusable_rows_are_refused(settings: VerifySettings) -> None:
    with pytest.raises(InputError, match="lack the columns observed"):
        draw_up(rows().drop(columns="observed"), settings)
    with pytest.raises(InputError, match="no forecast has an observation"):
        draw_up(rows().assign(observed=np.nan), settings)
    with pytest.raises(InputError, match="no forecasts to verify"):
        draw_up(pd.DataFrame(), settings)


def test_the_scoreboard_agrees_with_plain_arithmetic(board: Scoreboard) -> None:
    own = rows()
    errors = (own["mean"] - own["observed"]).groupby(own["model"])
    rmse = errors.agg(lambda e: np.sqrt(np.mean(e**2)))
    whole = board.whole(Target.PM25, 1).set_index("model")
    for model in ("lightgbm", "persistence", "mean_7d"):
        assert whole.loc[model, "rmse"] == pytest.approx(rmse[model])
        assert whole.loc[model, "skill"] == pytest.approx(1 - rmse[model] / rmse["persistence"])
    assert board.best_simple(Target.PM25, 1) == "mean_7d"
    city = board.parts[(board.parts["part_kind"] == "city") & (board.parts["lead_day"] == 1)]
    assert len(city) == 9
    assert city["mqi"].gt(0).all()
    pooled = (city[city["model"] == "lightgbm"]["rmse"] ** 2).mean() ** 0.5
    assert pooled == pytest.approx(rmse["lightgbm"])
    assert set(board.comparisons["model"]) == {"lightgbm"}
    assert len(board.comparisons) == 4  # two others, two leads


def test_exceedance_is_called_from_the_probability(board: Scoreboard, settings: VerifySettings) -> None:
    table = board.exceedance.query("threshold == 'limit' and lead_day == 1 and model == 'lightgbm'")
    own = forecast("lightgbm", 5)
    over = own["observed"] > 75
    for call, said in (("mean", own["mean"] > 75), ("probability", own["p_exceed"] >= DEFAULT_THRESHOLD)):
        line = table[table["call"] == call].iloc[0]
        assert line["hits"] == (said & over).sum()
        assert line["false_alarms"] == (said & ~over).sum()
    brier = ((own["p_exceed"] - over) ** 2).mean()
    assert table[table["call"] == "probability"]["brier"].iloc[0] == pytest.approx(brier)
    stated = draw_up(rows().assign(exceed=lambda f: (f["observed"] > 75).astype(float)), settings).exceedance
    own_call = stated.query("threshold == 'limit' and call == 'probability' and model == 'lightgbm'").iloc[0]
    assert own_call["csi"] == 1.0  # a forecast's own call goes before the probability


def official_rows(mean: float, observed: float, target: str = "pm25") -> pd.DataFrame:
    base = forecast("lightgbm", 0, target=target, days=DAYS[:1])
    return base.assign(mean=mean, observed=observed)


def test_official_accuracy_by_hand(settings: VerifySettings) -> None:
    """PM2.5 80 is AQI 107, its range 90 to 120: good to lightly polluted. Observed 118 is AQI 155."""
    frames = []
    for city, observed in zip(CITIES, (60.0, 70.0, 118.0), strict=True):
        own = official_rows(80.0, observed)
        frames.append(own[own["adcode"] == city])
    particles = pd.concat(frames)
    ozone = official_rows(100.0, 100.0, "o3_mda8")  # AQI 50
    given = pd.concat([particles, ozone])
    cases = {t: lay_out_cases(given, t, settings) for t in (Target.O3_MDA8, Target.PM25)}
    table = judge_official(cases).set_index("level_observed")
    whole = table.loc["all"]
    # Observed AQI 82, 94 and 155: the range holds the second only, its levels the first two.
    assert whole["n"] == 3
    assert whole["range"] == pytest.approx(1 / 3)
    assert whole["level"] == pytest.approx(2 / 3)
    assert (whole["high"], whole["low"]) == (0.0, pytest.approx(1 / 3))
    assert whole["half_level"] == pytest.approx(2 / 3)  # 76-100 is touched, 151-175 is not
    assert whole["primary"] == 1.0
    assert table.loc["4", "low"] == 1.0
    assert whole["level"] + whole["high"] + whole["low"] == pytest.approx(1.0)


def test_the_first_pollutant_has_to_be_one_of_the_observed(settings: VerifySettings) -> None:
    given = pd.concat([official_rows(80.0, 40.0), official_rows(100.0, 180.0, "o3_mda8")])
    cases = {t: lay_out_cases(given, t, settings) for t in (Target.O3_MDA8, Target.PM25)}
    whole = judge_official(cases).set_index("level_observed").loc["all"]
    assert whole["primary_n"] == 3
    assert whole["primary"] == 0.0


def test_quality_indicator_by_hand(settings: VerifySettings) -> None:
    """PM2.5 observed at 25 throughout: the uncertainty is u_rv times 25; an error of 18 is just fulfilled."""
    given = forecast("lightgbm", 0).assign(observed=25.0, mean=25.0 + 18.0)
    own = lay_out_cases(given, Target.PM25, settings)
    found = quality_indicator(own.data, Target.PM25, settings.fairmode)
    assert found is not None
    np.testing.assert_allclose(found, 18 / (2 * 0.36 * 25))
    assert quality_indicator(own.data, Target.O3_MEAN, settings.fairmode) is None


def test_grades_of_emery(settings: VerifySettings) -> None:
    scores = pd.DataFrame(
        {"nmb": [0.04, -0.04, -0.2, 0.2], "nme": [0.14, 0.2, 0.2, 0.2], "r": [0.8, 0.8, 0.8, np.nan]}
    )
    assert grade(scores, settings.emery[Target.O3_MDA8]).tolist() == ["goal", "criteria", "none", "none"]


def test_markdown_and_page_say_what_was_verified(board: Scoreboard) -> None:
    text = write_markdown(board)
    assert "`pm25`: 2019-08-01 to 2019-09-09, 3 cities, 120 city-days at D+1" in text
    whole = board.whole(Target.PM25, 1).set_index("model")
    assert f"| pm25 | lightgbm | 1 | 120 | {whole.loc['lightgbm', 'rmse']:.2f} |" in text
    outline = lay_out(board, "测试")
    assert outline.label == ""
    first = outline.sections[0].blocks[0]
    assert isinstance(first, Bullets)
    assert "PM₂.₅：本系统提前1天预报的均方根误差为" in first.items[0]
    assert "较误差最小的简单方法（前7日平均）低" in first.items[0]
    tables = [b for s in (*outline.sections, *outline.annexes) for b in s.blocks if isinstance(b, Table)]
    assert all(len(line) == len(t.columns) for t in tables for line in t.rows)
    assert all(t.rows for t in tables)  # no table is ever empty
    assert [t.number for t in tables][:2] == ["表1", "表2"]


def test_scores_with_analysed_weather_bear_their_label(settings: VerifySettings) -> None:
    perfect = rows().assign(weather_kind="analysis")
    found = draw_up(perfect, settings)
    assert found.samples[0].perfect_prognosis
    assert lay_out(found, "测试").label == "完美预报检验"
    assert "perfect prognosis" in write_markdown(found)


def test_verify_writes_the_same_files_again(tmp_path: Path) -> None:
    folder = tmp_path / "backtest"
    folder.mkdir()
    rows().to_parquet(folder / "forecasts.parquet", index=False)
    workspace = Workspace(tmp_path / "store.duckdb", tmp_path / "models", tmp_path / "out")
    report = verify(workspace, tmp_path / "a", [folder])
    verify(workspace, tmp_path / "b", [folder])
    names = ["scoreboard.md", "scoreboard.html", "scores.parquet", "scores.json"]
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == sorted(names)
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    page = (tmp_path / "a" / "scoreboard.html").read_text(encoding="utf-8")
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "NaN" not in (tmp_path / "a" / "scores.json").read_text(encoding="utf-8")
    assert any("D+1 mean_7d" in line and "(best simple)" in line for line in report.lines())
    json.dumps(report.as_dict())


def test_backtests_of_the_same_target_bear_their_folder(tmp_path: Path) -> None:
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        rows().to_parquet(tmp_path / name / "forecasts.parquet", index=False)
    found, _ = read_backtests([tmp_path / "old", tmp_path / "new"])
    assert set(found["model"]) == {"lightgbm@old", "lightgbm@new", "persistence", "mean_7d"}
    assert (found["model"] == "persistence").sum() == 120
    with pytest.raises(InputError, match="yrd-airq backtest"):
        read_backtests([tmp_path / "none"])


def test_stored_forecasts_are_judged_as_issued(tmp_path: Path) -> None:
    """One city is corrected by a forecaster, and a rerun takes the place of an earlier run."""
    daily, _ = archive(60)
    daily = daily[daily["target"] == "pm25"]
    issue = datetime(2015, 2, 10, 16)
    day = daily[daily["date"] == "2015-02-11"].rename(columns={"date": "valid_date"})
    base = day.assign(issue_time=issue, lead_day=1, target="pm25", weather_kind="none", basis=None)
    base = base.assign(q10=np.nan, q50=np.nan, q90=np.nan, p_exceed=np.nan, call_from=np.nan)
    first, rerun = (base.assign(model="lightgbm", mean=base["value"] + k) for k in (50.0, 5.0))
    corrected = rerun[rerun["adcode"] == "310000"].assign(model="forecaster", mean=rerun["value"] + 1.0)
    workspace = Workspace(tmp_path / "store.duckdb", tmp_path / "models", tmp_path / "out")
    with open_store(workspace.store) as store:
        store.write_city_daily(daily.assign(valid_stations=1, standard="HJ 633-2012", source="stations"))
        for name, frame in (("r1", first), ("r2", pd.concat([rerun, corrected]))):
            store.write_run(RunRecord(name, "forecast", issue, None, "i", "s", "c", "done"))
            store.write_output("out_forecast", name, frame.drop(columns="value"))
    report = verify(workspace, tmp_path / "out")
    whole = report.board.whole(Target.PM25, 1).set_index("model")
    assert set(whole.index) == {"issued", "uncorrected", "persistence", "mean_7d"}
    assert whole.loc["uncorrected", "mb"] == pytest.approx(5.0)
    assert whole.loc["issued", "mb"] == pytest.approx((5.0 * 40 + 1.0) / 41)
    assert report.board.samples[0].left_out == ("forecaster",)
    with pytest.raises(InputError, match="no forecast"):
        verify(workspace, tmp_path / "out", first=datetime(2016, 1, 1).date())
