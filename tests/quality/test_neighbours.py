"""Who is whose neighbour, and rules that set a station against its neighbours and its own habit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.quality.networks import CODES, MIDDLE, ODD_ONE, air, stations
from yrd_airq.quality.hourly import Checked, Flag, Rule, check_hourly
from yrd_airq.quality.neighbours import find_neighbours
from yrd_airq.quality.settings import load_quality
from yrd_airq.vocab import Pollutant

Air = dict[Pollutant, pd.DataFrame]


def _check(hourly: Air) -> Checked:
    return check_hourly(hourly, stations=stations())


def _rules(checked: Checked) -> set[tuple[str, str, str]]:
    flags = checked.flags
    return set(zip(flags["station_code"], flags["pollutant"], flags["rule"], strict=True))


def _hours(checked: Checked, rule: Rule, pollutant: Pollutant) -> list[pd.Timestamp]:
    flags = checked.flags
    return flags.loc[(flags["rule"] == rule) & (flags["pollutant"] == pollutant), "time"].tolist()


def _scale(hourly: Air, pollutant: Pollutant, factor: float, hours: slice, codes: object = ODD_ONE) -> None:
    labels = hourly[pollutant].index[hours]
    hourly[pollutant].loc[labels, codes] = (hourly[pollutant].loc[labels, codes] * factor).round(1)


def test_a_network_in_order_has_no_flags() -> None:
    assert _check(air()).flags.empty


@pytest.mark.parametrize("factor", [4.0, 0.25])
@pytest.mark.parametrize("pollutant", [Pollutant.SO2, Pollutant.CO, Pollutant.PM25])
def test_a_station_off_by_a_factor_for_half_a_day_is_isolated(pollutant: Pollutant, factor: float) -> None:
    hourly = air()
    hourly[Pollutant.PM10] += 200  # so that PM2.5 stays below it
    span = slice(MIDDLE, MIDDLE + 18)
    _scale(hourly, pollutant, factor, span)
    checked = _check(hourly)
    assert _rules(checked) == {(ODD_ONE, pollutant.value, Rule.ISOLATED)}
    assert set(checked.flags["flag"]) == {Flag.DOUBTFUL}
    assert set(checked.flags["time"]) <= set(hourly[pollutant].index[span])
    assert len(checked.flags) >= 12
    pd.testing.assert_frame_equal(checked.accepted[pollutant], hourly[pollutant])


def test_an_episode_of_the_whole_region_is_air() -> None:
    hourly = air()
    for pollutant in (Pollutant.PM10, Pollutant.PM25, Pollutant.CO):
        _scale(hourly, pollutant, 4.0, slice(MIDDLE, MIDDLE + 18), list(CODES))
    assert _check(hourly).flags.empty


def test_a_place_that_always_differs_is_not_isolated() -> None:
    hourly = air()
    _scale(hourly, Pollutant.SO2, 4.0, slice(None))
    assert _check(hourly).flags.empty


def test_particles_that_rise_together_are_local_air() -> None:
    hourly, span = air(), slice(MIDDLE, MIDDLE + 18)
    _scale(hourly, Pollutant.PM10, 4.0, span)
    _scale(hourly, Pollutant.PM25, 4.0, span)
    assert _check(hourly).flags.empty


def test_without_a_station_list_the_rules_on_neighbours_are_silent() -> None:
    hourly = air()
    _scale(hourly, Pollutant.SO2, 4.0, slice(MIDDLE, MIDDLE + 18))
    assert check_hourly(hourly).flags.empty


def test_a_spike_that_a_neighbour_shares_is_air() -> None:
    hourly = air()
    hourly[Pollutant.PM10].iloc[MIDDLE, :1] = 700.0
    assert (ODD_ONE, "pm10", Rule.SPIKE) in _rules(_check(hourly))
    hourly[Pollutant.PM10].iloc[MIDDLE, :3] = [700.0, 500.0, 420.0]
    assert Rule.SPIKE not in {rule for code, _, rule in _rules(_check(hourly)) if code == ODD_ONE}


def test_an_extreme_that_no_neighbour_shares_is_left_out() -> None:
    hourly = air()
    hourly[Pollutant.NO2].iloc[MIDDLE - 1 : MIDDLE + 2, 0] = [341, 916, 400]
    flags = _check(hourly).flags
    extreme = flags[flags["rule"] == Rule.EXTREME].set_index("time")
    assert extreme["flag"].tolist() == [Flag.DOUBTFUL, Flag.LEFT_OUT, Flag.DOUBTFUL]
    assert extreme["reason"].iloc[1] == "916 µg/m³, far above 300 and not shared by any neighbour"
    hourly[Pollutant.NO2].iloc[MIDDLE, 1] = 500
    flags = _check(hourly).flags
    assert set(flags.loc[flags["rule"] == Rule.EXTREME, "flag"]) == {Flag.DOUBTFUL}


def test_ozone_in_ppb_for_two_days() -> None:
    hourly = air()
    frame = hourly[Pollutant.O3]
    span = frame.index[MIDDLE - 24 : MIDDLE + 24]
    frame.loc[span, ODD_ONE] = (frame.loc[span, ODD_ONE] / 1.963).round()
    checked = _check(hourly)
    hours = _hours(checked, Rule.O3_UNIT, Pollutant.O3)
    assert len(hours) >= 24
    assert set(hours) <= set(span)
    assert set(checked.flags["flag"]) == {Flag.DOUBTFUL}
    assert checked.flags["reason"].str.endswith("about half of it for 48 h, as if in ppb").any()


def test_ozone_eaten_by_fresh_nitrogen_oxide_is_air() -> None:
    hourly = air()
    ozone, nitrogen = hourly[Pollutant.O3], hourly[Pollutant.NO2]
    span = ozone.index[MIDDLE - 24 : MIDDLE + 24]
    lost = (ozone.loc[span, ODD_ONE] * 0.49).round()
    ozone.loc[span, ODD_ONE] -= lost
    nitrogen.loc[span, ODD_ONE] += lost
    assert _hours(_check(hourly), Rule.O3_UNIT, Pollutant.O3) == []


def test_a_plateau_at_the_detection_limit_needs_air_that_is_not_clean() -> None:
    hourly, span = air(), slice(MIDDLE - 24, MIDDLE + 24)
    hourly[Pollutant.SO2].iloc[span, 0] = np.tile([1.0, 2.0], 24)
    checked = _check(hourly)
    hours = _hours(checked, Rule.DETECTION_LIMIT, Pollutant.SO2)
    assert hours == hourly[Pollutant.SO2].index[span].tolist()
    assert set(checked.flags["flag"]) == {Flag.DOUBTFUL}
    clean = air()
    clean[Pollutant.SO2][:] = np.tile([1.0, 2.0, 2.0], (216, 6))[:, :6]
    assert _hours(_check(clean), Rule.DETECTION_LIMIT, Pollutant.SO2) == []


def test_neighbours_are_near_of_the_same_city_first_and_never_oneself() -> None:
    listed = pd.DataFrame(
        {
            "station_code": ["A", "B", "C", "D", "E", "F"],
            "adcode": ["320100", "320100", "320500", "320500", "320100", None],
            "lon": [118.0, 118.3, 118.2, 119.5, np.nan, np.nan],
            "lat": [32.0, 32.0, 32.0, 32.0, np.nan, np.nan],
        }
    )
    codes = pd.Index(["A", "B", "D", "E", "F", "X", "C"])
    column = find_neighbours(codes, listed, load_quality().neighbours).column
    named = {code: [codes[k] for k in row if k >= 0] for code, row in zip(codes, column, strict=True)}
    assert named["A"] == [
        "B",
        "C",
        "E",
    ]  # 28 km count 14, 19 km of another city, no position; D is 141 km away
    assert named["E"] == ["A", "B"]  # no position: the city
    assert named["D"] == ["C"]  # 122 km away, but of the same city
    assert named["F"] == []  # neither position nor city
    assert named["X"] == []  # not in the list


def test_a_station_without_position_is_judged_by_its_city() -> None:
    listed = stations().assign(lon=np.nan, lat=np.nan)
    hourly = air()
    _scale(hourly, Pollutant.SO2, 4.0, slice(MIDDLE, MIDDLE + 18))
    flags = check_hourly(hourly, stations=listed).flags
    assert set(flags["rule"]) == {Rule.ISOLATED}
