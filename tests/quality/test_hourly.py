from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.quality.stations import frame, rough_air
from yrd_airq.errors import InputError
from yrd_airq.quality.hourly import FLAG_COLUMNS, Rule, check_hourly
from yrd_airq.quality.settings import QualitySettings, load_quality
from yrd_airq.settings import load_file
from yrd_airq.vocab import Pollutant

DAY = date(2019, 1, 10)


def _rules(pollutant: Pollutant, values: object) -> list[tuple[int, str]]:
    """(position of the hour, rule) of every flag on one station's day."""
    hourly = frame({"1001A": values}, DAY)
    flags = check_hourly({pollutant: hourly}).flags
    return [
        (hourly.index.get_loc(time), rule) for time, rule in zip(flags["time"], flags["rule"], strict=True)
    ]


def _varied(base: float = 8.0) -> np.ndarray:
    return base + np.arange(24) % 3


def test_clean_air_has_no_flags_and_keeps_every_value() -> None:
    air = rough_air(date(2019, 1, 1), date(2019, 1, 5), ["1001A", "1002A"])
    checked = check_hourly(air)
    assert checked.flags.empty
    assert list(checked.flags.columns) == list(FLAG_COLUMNS)
    for pollutant, hourly in air.items():
        pd.testing.assert_frame_equal(checked.accepted[pollutant], hourly)


@pytest.mark.parametrize(
    ("pollutant", "value", "rule"),
    [
        (Pollutant.PM25, 0.0, Rule.NOT_POSITIVE),
        (Pollutant.CO, -0.1, Rule.NOT_POSITIVE),
        (Pollutant.NO2, 942.0, Rule.ABOVE_MAXIMUM),
        (Pollutant.SO2, 490.0, Rule.SPIKE),
    ],
)
def test_a_single_bad_hour(pollutant: Pollutant, value: float, rule: Rule) -> None:
    values = _varied()
    values[10] = value
    assert _rules(pollutant, values) == [(10, rule)]


def test_flagged_values_are_left_out_but_the_input_is_untouched() -> None:
    hourly = frame({"1001A": _varied(), "1002A": _varied()}, DAY)
    hourly.iloc[10, 1] = 490.0
    checked = check_hourly({Pollutant.SO2: hourly})
    accepted = checked.accepted[Pollutant.SO2]
    assert np.isnan(accepted.iloc[10, 1])
    assert accepted.isna().to_numpy().sum() == 1
    assert hourly.iloc[10, 1] == 490.0
    assert checked.flags["station_code"].tolist() == ["1002A"]


@pytest.mark.parametrize("hour", [0, 23])
def test_a_spike_needs_a_neighbour_on_both_sides(hour: int) -> None:
    values = _varied()
    values[hour] = 490.0
    assert _rules(Pollutant.SO2, values) == []


def test_a_neighbour_may_stand_behind_missing_hours_but_not_too_far() -> None:
    values = _varied()
    values[10:15] = [np.nan, 490.0, np.nan, np.nan, 9.0]
    assert _rules(Pollutant.SO2, values) == [(11, Rule.SPIKE)]
    values[14] = np.nan
    assert _rules(Pollutant.SO2, values) == []


def test_a_peak_that_rises_and_falls_is_real() -> None:
    # Fireworks: 530, 817, 1176, 853, 560 µg/m³ on 2019-02-05.
    values = _varied(200.0)
    values[8:13] = [530, 817, 1176, 853, 560]
    assert _rules(Pollutant.PM25, values) == []


def test_a_steep_but_small_step_is_real() -> None:
    values = _varied(2.0)
    values[10] = 60.0  # 15 times its neighbours, yet only 56 µg/m³ above them
    assert _rules(Pollutant.SO2, values) == []


def test_stuck_values_from_the_twelfth_hour_on() -> None:
    values = _varied(40.0)
    values[3:14] = 37.0
    assert _rules(Pollutant.PM25, values) == []
    values[14] = 37.0
    assert _rules(Pollutant.PM25, values) == [(k, Rule.STUCK) for k in range(3, 15)]
    values[8] = np.nan  # a missing hour ends the run
    assert _rules(Pollutant.PM25, values) == []


def test_low_values_may_repeat() -> None:
    assert _rules(Pollutant.PM25, np.full(24, 10.0)) == []
    assert len(_rules(Pollutant.PM25, np.full(24, 11.0))) == 24


def test_runs_do_not_cross_from_one_station_to_the_next() -> None:
    hourly = frame({"1001A": _varied(40.0), "1002A": _varied(50.0)}, DAY)
    hourly.iloc[-11:, 0] = 37.0
    hourly.iloc[:11, 1] = 37.0
    assert check_hourly({Pollutant.PM25: hourly}).flags.empty


def test_every_pollutant_needs_thresholds(tmp_path: Path) -> None:
    settings = load_quality()
    assert settings.reach_hours == 36
    path = tmp_path / "quality.yaml"
    path.write_text(
        "spike_ratio: {value: 5, mark: derived, source: x}\n"
        "spike_reach_hours: {value: 3, mark: derived, source: x}\npollutants: {}\n"
    )
    with pytest.raises(InputError, match="no thresholds for co, no2, o3, pm10, pm25, so2"):
        load_file(QualitySettings, path)
