from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.forecast import factory
from yrd_airq.errors import InputError
from yrd_airq.forecast import registry
from yrd_airq.forecast.backtest import backtest
from yrd_airq.forecast.baselines import damped_persistence, persistence
from yrd_airq.forecast.exceedance import call_for, called
from yrd_airq.forecast.issue import complete, forecast, missing_days
from yrd_airq.forecast.model import Model
from yrd_airq.forecast.panel import Panel
from yrd_airq.forecast.rows import COLUMNS
from yrd_airq.forecast.state import take_apart
from yrd_airq.forecast.training import TooLittleHistoryError, train, training_end
from yrd_airq.vocab import CityDaySource, Target, WeatherKind

PM25 = Target.PM25
UNTIL = factory.day(119)
ISSUE_DAY = 130
ISSUE = datetime.combine(factory.day(ISSUE_DAY), datetime.min.time()).replace(hour=16)
LEADS = (1, 2, 3)


@pytest.fixture(scope="module")
def panel() -> Panel:
    return factory.panel(hourly=True)


@pytest.fixture(scope="module")
def with_weather(panel: Panel) -> Model:
    return train(panel, PM25, UNTIL, LEADS, WeatherKind.ANALYSIS, factory.quick_settings())


@pytest.fixture(scope="module")
def without_weather(panel: Panel) -> Model:
    return train(panel, PM25, UNTIL, LEADS, WeatherKind.NONE, factory.quick_settings())


def disturbed(panel: Panel, what: str, offset: int, last: int | None = None) -> Panel:
    """The panel with the days from ``offset`` (to ``last``) of one group of arrays changed."""
    days = slice(offset, None if last is None else last + 1)
    arrays = {name: array.copy() for name, array in getattr(panel, what).items()}
    for array in arrays.values():
        array[:, days] = array[:, days] * 1.5 + 40
    return replace(panel, **{what: arrays})


def means(panel: Panel, model: Model) -> pd.Series:
    return forecast(panel, model, ISSUE, LEADS).set_index(["adcode", "lead_day"])["mean"]


def changed_leads(panel: Panel, other: Panel, model: Model) -> set[int]:
    a, b = means(panel, model), means(other, model)
    assert a.index.equals(b.index)
    return set(a.index.get_level_values("lead_day")[a.to_numpy() != b.to_numpy()])


def test_rows_are_complete_and_in_the_columns_of_the_store(panel: Panel, with_weather: Model) -> None:
    rows = forecast(panel, with_weather, ISSUE, LEADS, {PM25: 75.0})
    assert tuple(rows.columns) == COLUMNS
    assert len(rows) == 41 * len(LEADS)
    assert set(rows["issue_time"]) == {pd.Timestamp(ISSUE)}
    assert (
        rows["valid_date"] == rows["issue_time"].dt.normalize() + pd.to_timedelta(rows["lead_day"], "D")
    ).all()
    assert ((rows["q10"] <= rows["q50"]) & (rows["q50"] <= rows["q90"])).all()
    assert rows["p_exceed"].between(0, 1).all()
    assert set(rows["weather_kind"]) == {"analysis"}
    assert missing_days(rows, panel, LEADS) == ()


def test_without_a_threshold_there_is_no_probability(panel: Panel, with_weather: Model) -> None:
    assert forecast(panel, with_weather, ISSUE, LEADS)["p_exceed"].isna().all()


@pytest.mark.parametrize("kind", ["with_weather", "without_weather"])
def test_observations_of_the_issue_date_and_later_change_nothing(
    panel: Panel, kind: str, request: pytest.FixtureRequest
) -> None:
    model = request.getfixturevalue(kind)
    assert changed_leads(panel, disturbed(panel, "values", ISSUE_DAY), model) == set()
    assert changed_leads(panel, disturbed(panel, "today", ISSUE_DAY + 1), model) == set()


def test_what_is_known_at_the_issue_hour_does_change_the_forecast(
    panel: Panel, without_weather: Model
) -> None:
    assert changed_leads(panel, disturbed(panel, "values", ISSUE_DAY - 1), without_weather) == set(LEADS)
    assert changed_leads(panel, disturbed(panel, "today", ISSUE_DAY, ISSUE_DAY), without_weather) >= {1}


def test_the_weather_of_a_target_day_changes_that_lead_and_none_before_it(
    panel: Panel, with_weather: Model
) -> None:
    for lead in LEADS:
        other = disturbed(panel, "weather", ISSUE_DAY + lead, ISSUE_DAY + lead)
        changed = changed_leads(panel, other, with_weather)
        assert lead in changed
        assert not changed & set(range(1, lead))
    last = disturbed(panel, "weather", ISSUE_DAY + LEADS[-1])
    assert changed_leads(panel, last, with_weather) == {LEADS[-1]}
    beyond = disturbed(panel, "weather", ISSUE_DAY + LEADS[-1] + 1)
    assert changed_leads(panel, beyond, with_weather) == set()


def test_a_forecast_without_weather_ignores_the_weather_from_the_issue_date_on(
    panel: Panel, without_weather: Model
) -> None:
    assert changed_leads(panel, disturbed(panel, "weather", ISSUE_DAY), without_weather) == set()
    rows = forecast(panel, without_weather, ISSUE, LEADS)
    assert set(rows["weather_kind"]) == {"none"}


def test_days_after_the_training_end_do_not_touch_the_model(panel: Panel, with_weather: Model) -> None:
    other = panel
    for what in ("values", "today", "weather"):
        other = disturbed(other, what, 120)
    again = train(other, PM25, UNTIL, LEADS, WeatherKind.ANALYSIS, factory.quick_settings())
    assert again.card == with_weather.card
    for name, array in take_apart(with_weather).items():
        np.testing.assert_array_equal(take_apart(again)[name], array)
    touched = train(
        disturbed(panel, "values", 119), PM25, UNTIL, LEADS, WeatherKind.ANALYSIS, factory.quick_settings()
    )
    assert touched.card.version != with_weather.card.version


def test_a_weather_model_beats_persistence_on_a_world_ruled_by_weather(with_weather: Model) -> None:
    for card in with_weather.card.scores:
        assert card.skill_vs_persistence is not None
        assert card.skill_vs_persistence > 0.3
        assert card.n > 1000


def test_a_city_day_without_weather_has_no_row_and_is_completed_by_the_next_model(
    panel: Panel, with_weather: Model, without_weather: Model
) -> None:
    weather = {name: array.copy() for name, array in panel.weather.items()}
    for array in weather.values():
        array[:, ISSUE_DAY + 3] = np.nan
    poor = replace(panel, weather=weather)
    first = forecast(poor, with_weather, ISSUE, LEADS)
    assert set(first["lead_day"]) == {1, 2}
    assert len(missing_days(first, poor, LEADS)) == 41
    both = complete(first, forecast(poor, without_weather, ISSUE, LEADS))
    assert len(both) == 41 * 3
    assert set(both[both["lead_day"] == 3]["weather_kind"]) == {"none"}
    assert set(both[both["lead_day"] < 3]["weather_kind"]) == {"analysis"}


def test_a_city_without_recent_data_is_forecast_from_its_neighbours(
    panel: Panel, without_weather: Model
) -> None:
    values = {name: array.copy() for name, array in panel.values.items()}
    values[PM25][0, ISSUE_DAY - 20 :] = np.nan
    rows = forecast(replace(panel, values=values), without_weather, ISSUE, LEADS)
    assert len(rows[rows["adcode"] == panel.adcodes[0]]) == len(LEADS)


def test_models_are_not_used_on_what_they_were_not_trained_for(panel: Panel, with_weather: Model) -> None:
    with pytest.raises(InputError, match=r"no lead day \[7\]"):
        forecast(panel, with_weather, ISSUE, [1, 7])
    with pytest.raises(InputError, match="series of different source are not mixed"):
        forecast(replace(panel, source=CityDaySource.REANALYSIS), with_weather, ISSUE, LEADS)
    with pytest.raises(InputError, match="lacks the weather variables"):
        forecast(replace(panel, weather={}), with_weather, ISSUE, LEADS)
    with pytest.raises(InputError, match=r"other inputs .*today_pm25_last24.*train it anew"):
        forecast(replace(panel, today={}), with_weather, ISSUE, LEADS)
    with pytest.raises(InputError, match="no o3_mean; it holds"):
        train(panel, Target.O3_MEAN, UNTIL, LEADS, WeatherKind.NONE, factory.quick_settings())
    with pytest.raises(InputError, match="ingest weather or forecast with weather none"):
        train(replace(panel, weather={}), PM25, UNTIL, LEADS, WeatherKind.ANALYSIS, factory.quick_settings())


@pytest.mark.parametrize(
    ("issue", "first", "end"),
    [
        (date(2016, 9, 1), date(2013, 1, 1), date(2016, 7, 31)),
        (date(2016, 9, 7), date(2013, 1, 1), date(2016, 7, 31)),
        (date(2016, 9, 8), date(2013, 1, 1), date(2016, 8, 31)),
        (date(2016, 3, 8), date(2013, 1, 1), date(2016, 2, 29)),
        (date(2019, 4, 5), date(2019, 1, 20), date(2019, 3, 28)),
        (date(2019, 3, 31), date(2019, 1, 20), date(2019, 3, 23)),
    ],
)
def test_training_ends_with_a_month_held_back_from_the_issue(issue: date, first: date, end: date) -> None:
    assert training_end(issue, first, factory.quick_settings()) == end


def test_too_short_an_archive_is_named() -> None:
    with pytest.raises(TooLittleHistoryError, match=r"only 33 days .* 60 are needed"):
        training_end(date(2019, 2, 10), date(2019, 1, 1), factory.quick_settings())
    with pytest.raises(TooLittleHistoryError, match="usable days up to 2015-02-10"):
        train(factory.panel(60), PM25, date(2015, 2, 10), (1,), WeatherKind.NONE, factory.quick_settings())


def test_the_fallback_follows_its_rule_and_says_its_name(panel: Panel) -> None:
    settings = factory.quick_settings()
    rows = damped_persistence(panel, PM25, ISSUE, LEADS, settings, {PM25: 75.0})
    city = panel.values[PM25][0, :ISSUE_DAY]
    recent, last = city[-30:].mean(), city[-1]
    got = rows[(rows["adcode"] == panel.adcodes[0]) & (rows["lead_day"] == 2)].iloc[0]
    assert got["mean"] == pytest.approx(recent + settings.damping_per_day.value**3 * (last - recent))
    assert got["q10"] < got["q50"] < got["q90"]
    assert set(rows["model"]) == {"persistence_damped"}
    start = datetime(2015, 1, 4, 16)
    short = damped_persistence(panel, PM25, start, LEADS, settings)
    assert len(short) == 41 * 3
    assert short["q10"].isna().all()  # too few errors to speak of a spread


def test_persistence_is_the_last_complete_day(panel: Panel) -> None:
    rows = persistence(panel, PM25, ISSUE, LEADS)
    first = rows[rows["adcode"] == panel.adcodes[0]]
    np.testing.assert_array_equal(first["mean"], panel.values[PM25][0, ISSUE_DAY - 1])


def test_the_same_training_is_found_again_and_written_with_the_same_bytes(
    panel: Panel, without_weather: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = factory.quick_settings()
    folder = registry.save(without_weather, tmp_path / "a")
    again = train(panel, PM25, UNTIL, LEADS, WeatherKind.NONE, settings)
    twin = registry.save(again, tmp_path / "b")
    files = sorted(path.name for path in folder.iterdir())
    trees = [
        f"trees_d{lead}_{fold}.txt" for lead in LEADS for fold in range(len(again.parts[lead].blend.trees))
    ]
    assert files == ["card.json", "state.npz", *trees]
    assert all((folder / name).read_bytes() == (twin / name).read_bytes() for name in files)
    assert not [path for path in folder.parent.iterdir() if path.name.startswith(".")]
    other = train(panel, PM25, factory.day(110), LEADS, WeatherKind.NONE, settings)
    assert registry.save(other, tmp_path / "a") != folder

    def never(*_: object) -> Model:
        raise AssertionError("trained again")

    monkeypatch.setattr(registry, "train", never)
    found = registry.train_or_load(panel, PM25, UNTIL, LEADS, WeatherKind.NONE, settings, tmp_path / "a")
    pd.testing.assert_frame_equal(
        forecast(panel, found, ISSUE, LEADS, {PM25: 75.0}),
        forecast(panel, without_weather, ISSUE, LEADS, {PM25: 75.0}),
        check_exact=True,
    )


def test_a_damaged_or_missing_model_is_named(without_weather: Model, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a model folder"):
        registry.load(tmp_path / "nowhere")
    folder = registry.save(without_weather, tmp_path)
    (folder / "state.npz").write_text("{")
    with pytest.raises(InputError, match="delete the folder and train anew"):
        registry.load(folder)


def test_a_remnant_without_a_card_is_replaced(without_weather: Model, tmp_path: Path) -> None:
    folder = tmp_path / "pm25" / without_weather.card.version
    folder.mkdir(parents=True)
    (folder / "trees_d1_0.txt").write_text("half a file")
    assert registry.load(registry.save(without_weather, tmp_path)).card == without_weather.card


def test_a_backtest_row_is_the_forecast_that_would_have_been_issued(
    panel: Panel, with_weather: Model
) -> None:
    result = backtest(
        panel,
        PM25,
        factory.day(125),
        factory.day(140),
        LEADS,
        UNTIL,
        WeatherKind.ANALYSIS,
        factory.quick_settings(),
    )
    rows = result.forecasts
    assert tuple(rows.columns) == (*COLUMNS, "exceed", "observed")
    assert rows["exceed"].isna().all(), "no limit was given, so nothing is called"
    then = rows[(rows["model"] == "lightgbm") & (rows["issue_time"] == pd.Timestamp(ISSUE))]
    live = forecast(panel, with_weather, ISSUE, LEADS)
    pd.testing.assert_frame_equal(then[list(COLUMNS)].reset_index(drop=True), live, rtol=1e-6)
    one = rows[(rows["adcode"] == "330100") & (rows["lead_day"] == 2)].iloc[0]
    city = panel.adcodes.index("330100")
    assert one["observed"] == panel.values[PM25][city, panel.index(one["valid_date"])]


def test_a_call_follows_the_threshold_on_the_card(panel: Panel, with_weather: Model) -> None:
    calls = {score.lead_day: call_for(score.calls, 75.0) for score in with_weather.card.scores}
    rows = forecast(panel, with_weather, ISSUE, LEADS, {PM25: 75.0})
    assert [call.limit for call in with_weather.card.scores[0].calls] == [50, 60, 75]
    for lead, call in calls.items():
        own = rows[rows["lead_day"] == lead]
        assert (own["call_from"] == call.threshold).all()
        assert (called(own) == call.says(own["p_exceed"])).all()
    unlimited = forecast(panel, with_weather, ISSUE, LEADS)
    assert unlimited["call_from"].isna().all()
    assert called(unlimited).isna().all()


def test_backtest_scores_name_their_conditions(panel: Panel) -> None:
    settings = factory.quick_settings()
    result = backtest(
        panel, PM25, factory.day(120), factory.day(140), LEADS, UNTIL, WeatherKind.ANALYSIS, settings
    )
    scores, rows = result.scores, result.forecasts
    assert rows["issue_time"].min() > pd.Timestamp(UNTIL) + pd.Timedelta(days=1)
    assert "perfect prognosis" in scores["weather"]["statement"]
    assert scores["split"]["train_last"] == str(UNTIL)
    model = rows[(rows["model"] == "lightgbm") & (rows["lead_day"] == 1)]
    assert scores["models"]["lightgbm"]["1"]["n"] == len(model) == 41 * 20
    by_hand = float(np.sqrt(((model["mean"] - model["observed"]) ** 2).mean()))
    assert scores["models"]["lightgbm"]["1"]["rmse"] == pytest.approx(by_hand, abs=1e-4)
    assert set(scores["models"]) == {"lightgbm", "persistence", "persistence_24h", "mean_7d", "climatology"}
    assert scores["models"]["persistence"]["1"]["skill_vs_persistence"] == 0
    assert scores["models"]["persistence"]["1"]["coverage80"] is None


@pytest.mark.parametrize(
    ("first", "last", "until", "weather", "message"),
    [
        (130, 120, 119, WeatherKind.NONE, "ends .* before it starts"),
        (110, 130, 119, WeatherKind.NONE, "within the training"),
        (130, 170, 119, WeatherKind.NONE, "the archive on"),
        (130, 140, 119, WeatherKind.FORECAST, "no forecast weather for 11 of the days"),
    ],
)
def test_a_backtest_that_cannot_be_honest_is_refused(
    panel: Panel, first: int, last: int, until: int, weather: WeatherKind, message: str
) -> None:
    day = factory.day
    with pytest.raises(InputError, match=message):
        backtest(panel, PM25, day(first), day(last), (1,), day(until), weather, factory.quick_settings())
