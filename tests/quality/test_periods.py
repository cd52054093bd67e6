from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from random import Random

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.quality.stations import NANJING, SUZHOU
from yrd_airq.errors import InputError
from yrd_airq.quality.comparison import compare_periods, three_year_means
from yrd_airq.quality.days import judge_days, wide_frames
from yrd_airq.quality.exceptional import event_days
from yrd_airq.quality.periods import Step, in_other_year, periods_of
from yrd_airq.quality.summary import EXCLUDED, Summary, join_summaries, summarise, summarise_without
from yrd_airq.standards.basis import Basis
from yrd_airq.standards.settings import EvaluationRules, load_standards
from yrd_airq.standards.versions import LimitStage, Standard
from yrd_airq.vocab import Pollutant, Target

T = Target
CLEAN = {T.SO2: 12.0, T.NO2: 40.0, T.CO: 1.0, T.O3_MDA8: 90.0, T.PM10: 45.0, T.PM25: 30.0}
FREE = Basis()
OLD, NEW = Basis(Standard.HJ633_2012), Basis(Standard.HJ633_2026)


def _rules(**changes: object) -> EvaluationRules:
    return load_standards().hj663_2013.model_copy(update=changes)


def _frames(first: date, last: date, *places: str, **changed: object) -> dict[Target, pd.DataFrame]:
    """Every day clean, all six pollutants; a keyword (a target) gives the days of all places."""
    days = pd.date_range(first, last)
    given_days = {Target(name): values for name, values in changed.items()}
    return {
        target: pd.DataFrame(
            np.repeat(
                np.broadcast_to(given_days.get(target, value), len(days)).astype(float)[:, None],
                len(places),
                1,
            ),
            days,
            list(places),
        )
        for target, value in CLEAN.items()
    }


def _summary(
    frames: Mapping[Target, pd.DataFrame],
    step: Step = Step.PERIOD,
    basis: Basis = FREE,
    window: tuple[date, date] | None = None,
) -> Summary:
    days = next(iter(frames.values()))
    first, last = window or (days.index[0].date(), days.index[-1].date())
    periods = periods_of(first, last, step)
    judged = judge_days(frames, basis, pd.date_range(first, last), tuple(days.columns))
    return summarise(judged, periods, basis, _rules())


def _item(summary: Summary, target: Target, **where: str) -> pd.Series:
    rows = summary.items[summary.items["target"] == target]
    for name, value in where.items():
        rows = rows[rows[name] == value]
    assert len(rows) == 1
    return rows.iloc[0]


def test_periods_are_calendar_ones_and_cut_ones_are_named_by_their_days() -> None:
    months = periods_of(date(2019, 7, 5), date(2019, 9, 30), Step.MONTH)
    assert [p.name for p in months] == ["2019-07-05…2019-07-31", "2019-08", "2019-09"]
    assert [p.name for p in periods_of(date(2019, 1, 1), date(2019, 6, 30), Step.QUARTER)] == [
        "2019Q1",
        "2019Q2",
    ]
    assert [p.name for p in periods_of(date(2018, 1, 1), date(2019, 12, 31), Step.YEAR)] == ["2018", "2019"]
    assert periods_of(date(2019, 7, 5), date(2019, 7, 5), Step.PERIOD)[0].name == "2019-07-05"
    with pytest.raises(InputError, match="no periods"):
        periods_of(date(2019, 7, 5), date(2019, 7, 6), Step.DAY)
    with pytest.raises(InputError, match="before it begins"):
        periods_of(date(2019, 7, 5), date(2019, 7, 4), Step.MONTH)


def test_the_same_period_of_another_year() -> None:
    assert in_other_year(date(2019, 7, 5), date(2019, 8, 2), 2018) == (date(2018, 7, 5), date(2018, 8, 2))
    assert in_other_year(date(2020, 2, 1), date(2020, 2, 29), 2019) == (date(2019, 2, 1), date(2019, 2, 28))
    assert in_other_year(date(2019, 2, 1), date(2019, 2, 28), 2020) == (date(2020, 2, 1), date(2020, 2, 29))
    assert in_other_year(date(2019, 12, 1), date(2020, 2, 29), 2018) == (date(2018, 12, 1), date(2019, 2, 28))


def test_a_month_by_hand() -> None:
    """April: PM2.5 1 … 30 times 4, O3 160 but for three days of 161, 216 and 250."""
    ozone = np.full(30, 160.0)
    ozone[[3, 10, 20]] = 161, 216, 250
    summary = _summary(
        _frames(date(2019, 4, 1), date(2019, 4, 30), NANJING, pm25=4.0 * np.arange(1, 31), o3_mda8=ozone)
    )
    pm = _item(summary, T.PM25)
    # mean 62; k = 1 + 29 × 0.95 = 28.55: 112 + 0.55 × 4 = 114.2; above 75 are 76 … 120, 12 days of 30
    assert (pm["mean"], pm["percentile"], pm["above_days"]) == (62, 114, 12)
    assert (pm["mean_multiple"], pm["percentile_multiple"]) == (0.77, 0.52)  # 62/35 − 1, 114/75 − 1
    assert (pm["attain_ratio"], pm["maximum"], pm["valid"]) == (60.0, 120, True)
    o3 = _item(summary, T.O3_MDA8)
    # k = 1 + 29 × 0.9 = 27.1: 160 + 0.1 × 1 = 160.1 → 160, not above
    assert (o3["percentile"], o3["above_days"], o3["attain_ratio"]) == (160, 3, 90.0)
    assert np.isnan(o3["percentile_multiple"])
    assert np.isnan(o3["mean_limit"])


def test_levels_good_days_and_primary_pollutants_by_hand() -> None:
    pm25 = np.full(30, 30.0)
    pm25[:6] = 60, 80, 120, 160, 260, 75  # IAQI 82, 107, 158, 210, 310, 100
    place = _summary(_frames(date(2019, 4, 1), date(2019, 4, 30), NANJING, pm25=pm25)).places.iloc[0]
    # otherwise NO2 40 → 50, O3 90 → 45, PM10 45 → 45, PM2.5 30 → 43: AQI 50, no primary pollutant
    assert [place[f"level_{k}"] for k in range(1, 7)] == [24, 2, 1, 1, 1, 1]
    assert (place["good_days"], place["good_day_ratio"], place["aqi_days"]) == (26, 86.7, 30)
    assert place["primary_pm25"] == 6
    assert place[[f"primary_{p}" for p in Pollutant if p != "pm25"]].sum() == 0


def test_the_composite_index_and_the_ranking_by_hand() -> None:
    frames = _frames(date(2019, 4, 1), date(2019, 4, 30), "a", "b", "c", "d")
    frames[T.PM25]["a"] = 70.0
    frames[T.PM10].iloc[:4, 3] = np.nan
    places = _summary(frames).places.set_index("place")
    # 12/60 + 40/40 + 1/4 + 90/160 + 45/70 + 30/35 = 0.2 + 1 + 0.25 + 0.5625 + 0.642857 + 0.857143 = 3.5125
    assert places["composite_index"].tolist() == [4.66, 3.51, 3.51, 3.51]
    assert places["main_pollutant"].tolist() == ["pm25", "no2", "no2", "no2"]
    assert places["index_valid"].tolist() == [True, True, True, False]
    assert places["rank"].tolist()[:3] == [3, 1, 1]
    assert np.isnan(places["rank"]["d"])


@pytest.mark.parametrize(("lost", "valid"), [(3, True), (4, False)])
def test_validity_of_a_month_at_its_edge(lost: int, valid: bool) -> None:
    frames = _frames(date(2019, 4, 1), date(2019, 4, 30), NANJING)
    frames[T.PM25].iloc[:lost] = np.nan
    summary = _summary(frames)
    assert _item(summary, T.PM25)["valid"] == valid
    assert _item(summary, T.PM25)["valid_days"] == 30 - lost
    assert _item(summary, T.PM10)["valid"]
    assert summary.places["index_valid"].tolist() == [valid]
    assert summary.places["valid"].tolist() == [valid]


def test_a_day_of_fewer_pollutants_is_no_aqi_day_unless_above_100() -> None:
    frames = _frames(date(2019, 4, 1), date(2019, 4, 30), NANJING)
    frames[T.CO].iloc[:5] = np.nan
    frames[T.PM25].iloc[4] = 70.0
    assert _summary(frames, basis=NEW).places[["aqi_days", "good_days"]].to_numpy().tolist() == [[26, 25]]
    assert _summary(frames, basis=OLD).places[["aqi_days", "good_days"]].to_numpy().tolist() == [[25, 25]]
    # by the letter of HJ 633-2012 an AQI of five is one; HJ 633-2026 leaves no choice
    days = frames[T.CO].index
    assert np.isfinite(judge_days(frames, OLD, days, (NANJING,), all_six=False).aqi).sum() == 30
    assert np.isfinite(judge_days(frames, NEW, days, (NANJING,), all_six=False).aqi).sum() == 26


def test_one_period_under_two_standards() -> None:
    frames = _frames(date(2019, 4, 1), date(2019, 4, 30), NANJING, pm25=70.0)
    old, new = _summary(frames, basis=OLD), _summary(frames, basis=NEW)
    assert [_item(s, T.PM25)["above_days"] for s in (old, new)] == [0, 30]
    assert [s.places["good_days"].item() for s in (old, new)] == [30, 0]
    # PM10 45/70 → 45/60 and PM2.5 70/35 → 70/30
    assert [s.places["composite_index"].item() for s in (old, new)] == [4.66, 5.10]
    last = _summary(frames, basis=Basis(Standard.HJ633_2026, LimitStage.GB3095_2026))
    assert _item(last, T.PM25)["mean_limit"] == 25


def test_without_a_named_standard_each_day_has_its_own() -> None:
    frames = _frames(date(2026, 2, 15), date(2026, 3, 14), NANJING, pm25=70.0)
    summary = _summary(frames, Step.MONTH)
    assert summary.places["good_days"].tolist() == [14, 0]
    assert _item(summary, T.PM25, period="2026-02-15…2026-02-28")["mean_limit"] == 35
    assert _item(summary, T.PM25, period="2026-03-01…2026-03-14")["mean_limit"] == 30


def test_a_period_without_any_day_of_data_is_not_valid_and_has_no_figures() -> None:
    frames = _frames(date(2019, 4, 1), date(2019, 4, 30), NANJING)
    summary = _summary(frames, Step.MONTH, window=(date(2019, 4, 1), date(2019, 5, 31)))
    may = _item(summary, T.PM25, period="2019-05")
    assert (may["valid"], may["valid_days"], may["above_days"]) == (False, 0, 0)
    assert may[["mean", "percentile", "maximum", "attain_ratio"]].isna().all()
    assert summary.places.iloc[1][["good_day_ratio", "composite_index", "rank"]].isna().all()
    assert summary.places.iloc[1]["main_pollutant"] == ""


def _events(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["adcode", "first_date", "last_date", "pollutant"])
    return table.assign(reason_zh="沙尘", document="")


def test_exceptional_events_strike_the_city_the_province_or_all() -> None:
    days = pd.date_range("2019-04-01", "2019-04-05")
    places = {"n": NANJING, "s": SUZHOU, "h": "330100", "sh": "310000"}
    struck = event_days(
        _events(
            (NANJING, "2019-04-01", "2019-04-01", "pm10"),
            ("320000", "2019-04-02", "2019-04-03", "pm25"),
            ("33", "2019-04-04", "2019-04-04", "all"),
            ("all", "2019-04-05", "2019-05-05", "so2"),
            ("310000", "2019-04-01", "2019-04-01", "co"),
        ),
        days,
        places,
    )
    assert np.argwhere(struck[T.PM10]).tolist() == [[0, 0], [3, 2]]
    assert struck[T.PM25][:, 0].tolist() == [False, True, True, False, False]
    assert (struck[T.PM25][:, 1] == struck[T.PM25][:, 0]).all()
    assert struck[T.O3_MDA8].sum() == 1
    assert struck[T.SO2][4].all()
    assert np.argwhere(struck[T.CO]).tolist() == [[0, 3], [3, 2]]


def _sandstorm(rules: EvaluationRules, lost: int = 0, basis: Basis = FREE) -> tuple[Summary, Summary]:
    """A month of clean air with two days of PM10 400 in a sandstorm, and ``lost`` days without PM10."""
    pm10 = np.full(30, 45.0)
    pm10[:2] = 400.0
    pm10[2 : 2 + lost] = np.nan
    frames = _frames(date(2019, 4, 1), date(2019, 4, 30), NANJING, pm10=pm10)
    days = frames[T.PM10].index
    periods = periods_of(date(2019, 4, 1), date(2019, 4, 30), Step.MONTH)
    judged = judge_days(frames, basis, days, (NANJING,))
    struck = event_days(_events(("32", "2019-04-01", "2019-04-02", "pm10")), days, {NANJING: NANJING})
    return summarise(judged, periods, basis, rules), summarise_without(judged, struck, periods, basis, rules)


def test_exceptional_days_with_and_without_by_hand() -> None:
    with_, without = _sandstorm(_rules())
    # (2 × 400 + 28 × 45)/30 = 68.67; the days taken out do not make the month invalid
    assert [_item(s, T.PM10)["mean"] for s in (with_, without)] == [69, 45]
    assert [_item(s, T.PM10)["above_days"] for s in (with_, without)] == [2, 0]
    assert [_item(s, T.PM10)["valid_days"] for s in (with_, without)] == [30, 28]
    assert [s.places["good_day_ratio"].item() for s in (with_, without)] == [93.3, 100.0]
    assert [s.places["aqi_days"].item() for s in (with_, without)] == [30, 28]
    assert without.places["events"].item() == EXCLUDED
    for basis in (OLD, NEW):
        others = _sandstorm(_rules(exceptional_aqi="other_pollutants"), basis=basis)[1]
        assert others.places[["aqi_days", "good_days"]].to_numpy().tolist() == [[30, 30]]


def test_days_taken_out_count_towards_validity_only_where_the_rule_says_so() -> None:
    assert _item(_sandstorm(_rules(), lost=3)[1], T.PM10)["valid"]
    assert not _item(_sandstorm(_rules(), lost=4)[1], T.PM10)["valid"]
    assert not _item(_sandstorm(_rules(exceptional_excused=False), lost=2)[1], T.PM10)["valid"]


def test_year_on_year_is_of_printed_figures_on_one_standard() -> None:
    def month(year: int, pm25: float, basis: Basis) -> Summary:
        return _summary(_frames(date(year, 4, 1), date(year, 4, 30), NANJING, pm25=pm25), Step.MONTH, basis)

    now, before = (periods_of(date(y, 4, 1), date(y, 4, 30), Step.MONTH) for y in (2026, 2025))
    table = compare_periods(month(2026, 61.4, NEW), month(2025, 70.6, NEW), now, before, _rules())
    pm = _item(table, T.PM25)
    assert pm[["mean", "mean_before", "mean_change"]].tolist() == [61, 71, -10]
    assert pm["mean_change_percent"] == -14.1
    assert pm[["above_days", "above_days_change"]].tolist() == [30, 0]
    place = table.places.iloc[0]
    assert place["good_day_ratio_change"] == 0
    # 12/60 + 40/40 + 1/4 + 90/160 + 45/60 = 2.7625 and PM2.5/30: 61.4 → 4.81, 70.6 → 5.12
    assert place[["composite_index", "composite_index_before", "composite_index_change"]].tolist() == [
        4.81,
        5.12,
        -0.31,
    ]
    with pytest.raises(InputError, match="as many periods"):
        compare_periods(month(2026, 1, NEW), month(2025, 1, NEW), now, (), _rules())


def test_no_change_is_given_where_one_period_is_not_valid() -> None:
    frames = _frames(date(2018, 4, 1), date(2018, 4, 30), NANJING)
    frames[T.PM25].iloc[:4] = np.nan
    now, before = (periods_of(date(y, 4, 1), date(y, 4, 30), Step.MONTH) for y in (2019, 2018))
    this = _summary(_frames(date(2019, 4, 1), date(2019, 4, 30), NANJING, SUZHOU), Step.MONTH)
    table = compare_periods(this, _summary(frames, Step.MONTH), now, before, _rules())
    pm = _item(table, T.PM25, place=NANJING)
    assert pm["mean_before"] == 30
    assert np.isnan(pm["mean_change"])
    assert _item(table, T.PM10, place=NANJING)["mean_change"] == 0
    assert np.isnan(_item(table, T.PM10, place=SUZHOU)["mean_before"])


def test_three_year_means_need_three_valid_years() -> None:
    years = [
        _summary(_frames(date(y, 1, 1), date(y, 12, 31), NANJING, pm25=pm), Step.YEAR)
        for y, pm in ((2016, 50.0), (2017, 41.0), (2018, 37.0), (2020, 30.0))
    ]
    table = three_year_means(join_summaries(*years).items, _rules())
    pm = table[table["target"] == "pm25"].set_index("period")["mean_3y"]
    assert pm["2018"] == 43  # 42.67
    assert pm[["2016", "2017", "2020"]].isna().all()
    co = table[table["target"] == "co"].set_index("period")["percentile_3y"]
    assert co["2018"] == 1.0


def test_long_daily_values_become_frames() -> None:
    rows = [(NANJING, "2019-04-01", "pm25", 3.0), (SUZHOU, "2019-04-02", "pm25", 4.0)]
    long = pd.DataFrame(rows, columns=["adcode", "date", "target", "value"])
    long["date"] = pd.to_datetime(long["date"])
    wide = wide_frames(long)[T.PM25]
    assert wide.loc["2019-04-02", SUZHOU] == 4
    assert wide.isna().sum().sum() == 2
    with pytest.raises(InputError, match="occur twice"):
        wide_frames(pd.concat([long, long]))


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.one_of(st.none(), st.integers(1, 300)), min_size=30, max_size=30),
    st.sampled_from([OLD, NEW]),
)
def test_days_add_up_and_a_good_day_is_above_no_limit(pm25: list[int | None], basis: Basis) -> None:
    values = np.array([np.nan if v is None else v for v in pm25])
    summary = _summary(_frames(date(2019, 4, 1), date(2019, 4, 30), NANJING, pm25=values), basis=basis)
    place, pm = summary.places.iloc[0], _item(summary, T.PM25)
    assert sum(place[f"level_{k}"] for k in range(1, 7)) == place["aqi_days"]
    assert place["good_days"] == place["level_1"] + place["level_2"]
    # clean air otherwise: AQI > 100 exactly where PM2.5 is above its daily limit
    assert place["aqi_days"] - place["good_days"] == pm["above_days"]
    assert pm["valid_days"] == np.isfinite(values).sum()


@settings(deadline=None, max_examples=15)
@given(st.lists(st.integers(10, 200), min_size=60, max_size=60), st.randoms(use_true_random=False))
def test_figures_do_not_depend_on_the_order_of_days(pm25: list[int], random: Random) -> None:
    shuffled = list(pm25)
    random.shuffle(shuffled)
    one, other = (
        _summary(_frames(date(2019, 3, 2), date(2019, 4, 30), NANJING, pm25=np.array(v)))
        for v in (pm25, shuffled)
    )
    pd.testing.assert_frame_equal(one.items, other.items)
    pd.testing.assert_frame_equal(one.places, other.places)
