"""Rules on a station's own series, and the whole of a check: accepted values, flags, reasons, settings."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.quality.stations import frame, rough_air
from yrd_airq.errors import InputError
from yrd_airq.quality.hourly import FLAG_COLUMNS, Flag, Rule, check_hourly
from yrd_airq.quality.settings import QualitySettings, load_quality
from yrd_airq.settings import config_dir, load_file
from yrd_airq.vocab import Pollutant

DAY = date(2019, 1, 10)
Found = list[tuple[int, str, str]]


def _found(pollutant: Pollutant, values: object) -> Found:
    """(position of the hour, rule, flag) of every flag on one station's day."""
    hourly = frame({"1001A": values}, DAY)
    flags = check_hourly({pollutant: hourly}).flags
    return [
        (hourly.index.get_loc(time), rule, flag)
        for time, rule, flag in zip(flags["time"], flags["rule"], flags["flag"], strict=True)
    ]


def _reasons(pollutant: Pollutant, values: object) -> list[str]:
    return check_hourly({pollutant: frame({"1001A": values}, DAY)}).flags["reason"].tolist()


def _varied(base: float = 8.0) -> np.ndarray:
    return base + np.arange(24) % 3


def test_clean_air_has_no_flags_and_keeps_every_value() -> None:
    air = rough_air(date(2019, 1, 1), date(2019, 1, 5), ["1001A", "1002A"])
    air[Pollutant.PM10] = air[Pollutant.PM25] + 20
    checked = check_hourly(air)
    assert checked.flags.empty
    assert list(checked.flags.columns) == list(FLAG_COLUMNS)
    for pollutant, hourly in air.items():
        pd.testing.assert_frame_equal(checked.accepted[pollutant], hourly)


@pytest.mark.parametrize(
    ("pollutant", "value", "found"),
    [
        (Pollutant.PM25, 0.0, [(10, Rule.NOT_POSITIVE, Flag.LEFT_OUT)]),
        (Pollutant.CO, -0.1, [(10, Rule.NOT_POSITIVE, Flag.LEFT_OUT)]),
        (Pollutant.NO2, 942.0, [(10, Rule.ABOVE_MAXIMUM, Flag.LEFT_OUT)]),
        (Pollutant.SO2, 250.0, [(10, Rule.SPIKE, Flag.LEFT_OUT)]),
        # twice over: a single hour, and one that is looked at wherever it stands
        (Pollutant.SO2, 490.0, [(10, Rule.EXTREME, Flag.DOUBTFUL), (10, Rule.SPIKE, Flag.LEFT_OUT)]),
        # 700 mg/m³ is no air, 0.7 mg/m³ is
        (Pollutant.CO, 700.0, [(10, Rule.ABOVE_MAXIMUM, Flag.LEFT_OUT), (10, Rule.CO_UNIT, Flag.LEFT_OUT)]),
        (Pollutant.CO, 99999.0, [(10, Rule.ABOVE_MAXIMUM, Flag.LEFT_OUT)]),
    ],
)
def test_a_single_bad_hour(pollutant: Pollutant, value: float, found: Found) -> None:
    values = _varied() / (10 if pollutant is Pollutant.CO else 1)
    values[10] = value
    assert _found(pollutant, values) == found


def test_flagged_values_are_left_out_but_the_input_is_untouched() -> None:
    hourly = frame({"1001A": _varied(), "1002A": _varied()}, DAY)
    hourly.iloc[10, 1] = 250.0
    checked = check_hourly({Pollutant.SO2: hourly})
    accepted = checked.accepted[Pollutant.SO2]
    assert np.isnan(accepted.iloc[10, 1])
    assert accepted.isna().to_numpy().sum() == 1
    assert hourly.iloc[10, 1] == 250.0
    assert checked.flags["station_code"].tolist() == ["1002A"]


def test_doubtful_values_stay_in_use() -> None:
    values = _varied(200.0)
    values[8:13] = [530, 817, 1176, 853, 560]  # fireworks on 2019-02-05
    hourly = frame({"1001A": values}, DAY)
    checked = check_hourly({Pollutant.PM25: hourly})
    assert checked.flags["rule"].unique().tolist() == [Rule.EXTREME]
    assert checked.flags["flag"].unique().tolist() == [Flag.DOUBTFUL]
    pd.testing.assert_frame_equal(checked.accepted[Pollutant.PM25], hourly)


@pytest.mark.parametrize("hour", [0, 23])
def test_a_spike_needs_a_neighbour_on_both_sides(hour: int) -> None:
    values = _varied()
    values[hour] = 250.0
    assert _found(Pollutant.SO2, values) == []


def test_a_neighbour_may_stand_behind_missing_hours_but_not_too_far() -> None:
    values = _varied()
    values[10:15] = [np.nan, 250.0, np.nan, np.nan, 9.0]
    assert _found(Pollutant.SO2, values) == [(11, Rule.SPIKE, Flag.LEFT_OUT)]
    values[14] = np.nan
    assert _found(Pollutant.SO2, values) == []


def test_a_smaller_spike_is_doubtful() -> None:
    values = _varied(30.0)
    values[10] = 125.0  # 3.9 times its neighbours and 93 above them
    assert _found(Pollutant.SO2, values) == [(10, Rule.SPIKE, Flag.DOUBTFUL)]
    values[10] = 90.0  # 2.8 times
    assert _found(Pollutant.SO2, values) == []


def test_a_peak_that_rises_and_falls_is_real() -> None:
    values = _varied(30.0)
    values[8:13] = [130, 217, 476, 253, 160]
    assert _found(Pollutant.PM25, values) == []


def test_a_steep_but_small_step_is_real() -> None:
    values = _varied(2.0)
    values[10] = 60.0  # 15 times its neighbours, yet only 56 µg/m³ above them
    assert _found(Pollutant.SO2, values) == []


def test_stuck_values_from_the_twelfth_hour_on() -> None:
    values = _varied(40.0)
    values[3:14] = 37.0
    assert (
        _found(Pollutant.PM25, values) == []
    )  # a day is too short a history to call eleven hours improbable
    values[14] = 37.0
    assert _found(Pollutant.PM25, values) == [(k, Rule.STUCK, Flag.LEFT_OUT) for k in range(3, 15)]
    values[9] = np.nan  # a missing hour ends the run: two of five or six hours are too short
    assert _found(Pollutant.PM25, values) == []


def test_a_run_is_doubtful_where_readings_never_repeat_and_normal_where_they_do() -> None:
    # Of 96 steps within 48 h 89 are not of the run itself; none, or three of four, repeat; with the prior
    # 7 x -ln(4.2 / 95) = 21.8 and 7 x -ln(71 / 95) = 2.0 beside a threshold of 18.
    days = DAY, date(2019, 1, 14)
    restless = np.tile(_varied(40.0), 5)
    restless[56:64] = 37.0
    calm = np.repeat(40.0 + np.arange(30) % 6, 4)
    calm[56:64] = 37.0
    hourly = frame({"1001A": restless, "1002A": calm}, *days)
    checked = check_hourly({Pollutant.PM25: hourly})
    assert checked.flags["station_code"].tolist() == ["1001A"] * 8
    assert checked.flags["time"].tolist() == hourly.index[56:64].tolist()
    assert set(checked.flags["flag"]) == {Flag.DOUBTFUL}
    assert checked.accepted[Pollutant.PM25].notna().all(axis=None)


def test_readings_at_the_detection_limit_may_repeat() -> None:
    assert _found(Pollutant.SO2, np.full(24, 2.0)) == []
    assert _found(Pollutant.PM25, np.full(24, 3.0)) == []
    assert len(_found(Pollutant.PM25, np.full(24, 11.0))) == 24


def test_runs_do_not_cross_from_one_station_to_the_next() -> None:
    hourly = frame({"1001A": _varied(40.0), "1002A": _varied(50.0)}, DAY)
    hourly.iloc[-5:, 0] = 37.0
    hourly.iloc[:5, 1] = 37.0
    assert check_hourly({Pollutant.PM25: hourly}).flags.empty


@pytest.mark.parametrize(
    ("first", "found"),
    [
        ([200.0], [(12, Rule.RESTART, Flag.LEFT_OUT)]),
        ([200.0, 190.0], [(12, Rule.RESTART, Flag.LEFT_OUT), (13, Rule.RESTART, Flag.LEFT_OUT)]),
        ([130.0], [(12, Rule.RESTART, Flag.DOUBTFUL)]),
        ([4.0], [(12, Rule.RESTART, Flag.LEFT_OUT)]),
        ([90.0], []),
    ],
)
def test_the_first_hours_after_a_gap(first: list[float], found: Found) -> None:
    values = _varied(30.0)
    values[9:12] = np.nan
    values[12 : 12 + len(first)] = first
    assert _found(Pollutant.NO2, values) == found


def test_a_short_gap_is_no_restart_and_a_new_level_is_none_either() -> None:
    values = _varied(30.0)
    values[10:12] = np.nan
    values[12] = 105.0
    assert _found(Pollutant.NO2, values) == []
    values = _varied(30.0)
    values[9:12] = np.nan
    values[12:] = 200.0 + np.arange(12)
    assert _found(Pollutant.NO2, values) == []


def test_reasons_give_the_numbers() -> None:
    values = _varied()
    values[10] = 250.0
    assert _reasons(Pollutant.SO2, values) == ["250 µg/m³, at most 10 µg/m³ within 3 h around"]
    carbon = _varied() / 10
    carbon[10] = 700.0
    assert _reasons(Pollutant.CO, carbon) == [
        "700 mg/m³, above the range that ends at 57.3",
        "700 mg/m³, as if in µg/m³ (0.7 mg/m³)",
    ]
    assert set(_reasons(Pollutant.PM25, np.full(24, 11.0))) == {"11 µg/m³ for 24 h"}
    restart = _varied(30.0)
    restart[9:13] = [np.nan, np.nan, np.nan, 200]
    assert _reasons(Pollutant.NO2, restart) == [
        "200 µg/m³ after a gap of at least 3 h; at most 32 µg/m³ expected from the hours and stations around"
    ]


def test_flags_are_sorted_and_alike_on_a_second_run() -> None:
    air = rough_air(date(2019, 1, 1), date(2019, 1, 5), ["1002A", "1001A"])
    for hourly in air.values():
        hourly.iloc[[50, 70], [1, 0]] = -1
    first, second = check_hourly(air).flags, check_hourly(air).flags
    pd.testing.assert_frame_equal(first, second)
    order = first.sort_values(["station_code", "time", "pollutant", "rule"], ignore_index=True)
    pd.testing.assert_frame_equal(first, order)


def test_no_values_at_all() -> None:
    assert check_hourly({}).flags.empty
    empty = frame({"1001A": np.nan}, DAY)
    checked = check_hourly({pollutant: empty for pollutant in Pollutant})
    assert checked.flags.empty


def test_the_reach_is_three_days() -> None:
    assert load_quality().reach_hours == 72


def test_every_pollutant_needs_thresholds(tmp_path: Path) -> None:
    given = yaml.safe_load((config_dir() / "quality.yaml").read_text(encoding="utf-8"))
    path = tmp_path / "quality.yaml"
    path.write_text(yaml.safe_dump({**given, "pollutants": {}}), encoding="utf-8")
    with pytest.raises(InputError, match="no thresholds for co, no2, o3, pm10, pm25, so2"):
        load_file(QualitySettings, path)
