"""Rules on two pollutants of one station: PM2.5 above PM10, exchanged columns."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.quality.networks import MIDDLE, ODD_ONE, air, stations
from yrd_airq.quality.hourly import Flag, Rule, check_hourly
from yrd_airq.vocab import Pollutant


def _flags(hourly: dict[Pollutant, pd.DataFrame], rule: Rule) -> pd.DataFrame:
    flags = check_hourly(hourly, stations=stations()).flags
    return flags[flags["rule"] == rule]


@pytest.mark.parametrize(
    ("fine", "coarse", "struck"),
    [(30.0, 20.0, True), (29.0, 20.0, False), (12.0, 4.0, False), (130.0, 100.0, False), (20.0, 10.0, True)],
)
def test_inversion_beyond_the_instruments(fine: float, coarse: float, struck: bool) -> None:
    hourly = {p: air()[p] for p in (Pollutant.PM25, Pollutant.PM10)}
    hourly[Pollutant.PM25].iloc[MIDDLE, 0], hourly[Pollutant.PM10].iloc[MIDDLE, 0] = fine, coarse
    flags = check_hourly(hourly).flags
    inverted = flags[flags["rule"] == Rule.PM_INVERTED]
    assert inverted["pollutant"].tolist() == (["pm10", "pm25"] if struck else [])
    if struck:
        assert set(inverted["flag"]) == {Flag.DOUBTFUL}
        assert set(inverted["reason"]) == {f"PM2.5 {fine:g} µg/m³ above PM10 {coarse:g} µg/m³"}


def test_the_neighbours_tell_which_of_the_two_is_wrong() -> None:
    high = air()
    high[Pollutant.PM25].iloc[MIDDLE, 0] = 190.0
    assert _flags(high, Rule.PM_INVERTED)["pollutant"].tolist() == ["pm25"]
    low = air()
    low[Pollutant.PM10].iloc[MIDDLE, 0] = 15.0
    assert _flags(low, Rule.PM_INVERTED)["pollutant"].tolist() == ["pm10"]


@pytest.mark.parametrize(
    ("first", "second", "rule"),
    [
        (Pollutant.PM25, Pollutant.PM10, Rule.PM_SWAPPED),
        (Pollutant.NO2, Pollutant.O3, Rule.NO2_O3_SWAPPED),
    ],
)
def test_exchanged_columns(first: Pollutant, second: Pollutant, rule: Rule) -> None:
    hourly = air()
    span = slice(MIDDLE - 12, MIDDLE + 12)
    a, b = hourly[first].iloc[span, 0].copy(), hourly[second].iloc[span, 0].copy()
    hourly[first].iloc[span, 0], hourly[second].iloc[span, 0] = b.to_numpy(), a.to_numpy()
    flags = _flags(hourly, rule)
    assert set(flags["pollutant"]) == {first.value, second.value}
    assert set(flags["station_code"]) == {ODD_ONE}
    assert set(flags["time"]) <= set(hourly[first].index[span])
    assert len(flags) >= 16
    assert flags["reason"].str.endswith(": nearer to what the neighbours show if exchanged").all()


def test_a_night_of_little_ozone_is_no_exchange() -> None:
    hourly = air()
    span = slice(MIDDLE - 12, MIDDLE + 12)
    hourly[Pollutant.O3].iloc[span] *= 0.3
    hourly[Pollutant.NO2].iloc[span] *= 2.0
    assert _flags(hourly, Rule.NO2_O3_SWAPPED).empty
