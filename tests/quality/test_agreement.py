"""The release beside its own hourly values: the causes by hand, and two real months of 2019."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.quality.release import month_files, read_release
from tests.quality.stations import frame
from yrd_airq.quality.agreement import compare_release
from yrd_airq.quality.agreement_report import AgreementReport, At, Cause, Outcome, join_reports
from yrd_airq.standards.release import make_release
from yrd_airq.vocab import Pollutant

BEFORE, DAY, AFTER = date(2019, 3, 4), date(2019, 3, 5), date(2019, 3, 6)
LAST_HOUR = pd.Timestamp("2019-03-06 00:00")
Frames = dict[str, pd.DataFrame]


def _released(codes: str = "ab") -> Frames:
    """Hourly values and a release that is exactly what the convention makes of them."""
    random = np.random.default_rng(3)
    hourly = {}
    for pollutant in Pollutant:
        scale = 10 if pollutant is Pollutant.CO else 1
        columns = {code: random.integers(20, 60, 72) / scale for code in codes}
        hourly[pollutant] = frame(columns, BEFORE, AFTER)
    return {str(p): values for p, values in hourly.items()} | make_release(hourly)


def _outcomes(frames: Frames, item: str, at: At = At.DAY) -> dict[tuple[str, str], int]:
    tally = compare_release(frames, DAY, DAY).tally
    rows = tally[(tally["item"] == item) & (tally["at"] == at)]
    return {
        (cause, outcome): n
        for cause, outcome, n in zip(rows["cause"], rows["outcome"], rows["n"], strict=True)
    }


def test_a_release_by_the_convention_agrees_everywhere() -> None:
    report = compare_release(_released(), DAY, DAY)
    for at, n in ((At.DAY, 2), (At.HOUR, 48)):
        table = report.complete(at)
        assert (table["compared"] == n).all()
        assert (table["share"] == 1).all()
    assert set(report.complete(At.HOUR).index) - set(report.complete(At.DAY).index) == {"aqi", "o3_8h"}
    assert report.gaps().empty


def test_a_differing_value_of_a_complete_day_is_a_revision() -> None:
    frames = _released()
    frames["no2_24h"].loc[LAST_HOUR, "a"] += 2
    assert _outcomes(frames, "no2_24h") == {
        (Cause.COMPLETE, Outcome.EQUAL): 1,
        (Cause.COMPLETE, Outcome.REVISED): 1,
    }


def test_only_carbon_monoxide_may_fall_on_the_other_side_of_a_tie() -> None:
    frames = _released("a")
    day = frames["co"].index[24:48]
    frames["co"].loc[day, "a"] = np.tile([0.4, 0.5], 12)
    frames["pm25"].loc[day, "a"] = np.tile([40.0, 41.0], 12)
    for released_co, outcome in ((0.4, Outcome.EQUAL), (0.5, Outcome.TIE), (0.6, Outcome.REVISED)):
        frames["co_24h"].loc[LAST_HOUR, "a"] = released_co
        assert _outcomes(frames, "co_24h") == {(Cause.COMPLETE, outcome): 1}
    for released_pm, outcome in ((40.0, Outcome.EQUAL), (41.0, Outcome.REVISED)):
        frames["pm25_24h"].loc[LAST_HOUR, "a"] = released_pm
        assert _outcomes(frames, "pm25_24h") == {(Cause.COMPLETE, outcome): 1}


def test_the_cause_of_a_gap_is_looked_for_in_the_archive() -> None:
    """The release was made from all hours; the archive lost some."""
    hour = pd.Timestamp("2019-03-05 10:00")
    whole, silent, blank = _released(), _released(), _released()
    for frames in (whole, silent):
        for values in frames.values():
            values.loc[hour, :] = np.nan
    for p in Pollutant:
        silent[p].loc[hour, "b"] = 30.0
    blank["so2"].loc[hour, "a"] = np.nan
    causes = [{cause for cause, _ in _outcomes(f, "so2_24h")} for f in (whole, silent, blank)]
    assert causes == [{Cause.ARCHIVE}, {Cause.SILENT, Cause.COMPLETE}, {Cause.BLANK, Cause.COMPLETE}]
    mixed = whole
    mixed["so2"].loc[pd.Timestamp("2019-03-05 12:00"), "a"] = np.nan
    assert {cause for cause, _ in _outcomes(mixed, "so2_24h")} == {Cause.ARCHIVE, Cause.SEVERAL}


def test_hours_that_only_the_publisher_had_are_told_from_what_cannot_be() -> None:
    frames = _released("a")
    frames["pm10"].loc["2019-03-05 10:00", "a"] = np.nan
    present = frames["pm10"].loc["2019-03-05 01:00":LAST_HOUR, "a"]
    for hidden, outcome in (
        (present.mean(), Outcome.EQUAL),
        (present.max(), Outcome.OTHER_HOURS),
        (20 * present.max(), Outcome.UNEXPLAINED),
    ):
        frames["pm10_24h"].loc[LAST_HOUR, "a"] = np.rint((present.sum() + hidden) / 24)
        assert _outcomes(frames, "pm10_24h") == {(Cause.BLANK, outcome): 1}


def test_releases_below_the_validity_rule_are_counted() -> None:
    frames = _released("a")
    for item in ("pm25", "o3"):
        frames[item].loc["2019-03-05 08:00":"2019-03-05 12:00", "a"] = np.nan
    frames |= make_release({p: frames[p] for p in Pollutant})
    gaps = compare_release(frames, DAY, DAY).gaps()
    # 19 of 20 hours, and windows 13 … 15 with fewer than 6 hours among 8 … 15
    assert gaps["short"].to_dict() == {
        ("pm25_24h", "instrument blank"): 1,
        ("o3_24h", "instrument blank"): 1,
        ("o3_8h_24h", "instrument blank"): 1,
    }


def test_a_withheld_and_a_lost_release_differ() -> None:
    frames = _released("a")
    frames["pm25_24h"].loc[LAST_HOUR, "a"] = np.nan
    assert _outcomes(frames, "pm25_24h") == {(Cause.COMPLETE, Outcome.NOT_RELEASED): 1}
    lost = {name: values.drop(LAST_HOUR) for name, values in frames.items()}
    assert _outcomes(lost, "pm25_24h") == {(Cause.ARCHIVE, Outcome.NOT_ARCHIVED): 1}
    frames["pm10"].loc[LAST_HOUR, "a"] = np.nan
    frames["aqi"].loc[LAST_HOUR, "a"] = np.nan
    assert _outcomes(frames, "aqi", At.HOUR)[Cause.BLANK, Outcome.NOT_RELEASED] == 1


def test_reports_join_and_tell() -> None:
    frames = _released()
    frames["no2"].iloc[30, 0] = np.nan
    whole = compare_release(frames, BEFORE, AFTER)
    parts = join_reports([compare_release(frames, day, day) for day in (BEFORE, DAY, AFTER)])
    key = ["item", "at", "cause", "outcome", "short"]
    pd.testing.assert_frame_equal(
        parts.tally.sort_values(key, ignore_index=True), whole.tally.sort_values(key, ignore_index=True)
    )
    text = "\n".join(whole.lines())
    assert "no2_24h    instrument blank: 1" in text
    assert "aqi              143 of       143 equal, 100.0000 %" in text
    told = json.loads(json.dumps(whole.as_dict(), allow_nan=False))
    assert told["day"]["complete"][0]["compared"] > 0
    assert told["day"]["gaps"][0]["cause"] == "instrument blank"
    assert compare_release({"pm25": frames["pm25"]}, DAY, DAY).tally.empty


@pytest.fixture(scope="module")
def july(real_data: Path) -> AgreementReport:
    return compare_release(read_release(month_files(real_data, [7])), date(2019, 7, 1), date(2019, 7, 31))


@pytest.fixture(scope="module")
def march(real_data: Path) -> AgreementReport:
    return compare_release(read_release(month_files(real_data, [3])), date(2019, 3, 1), date(2019, 3, 31))


# Complete station-days (30 of March, 31 of July, less those whose midnight the archive lacks) and equal ones.
@pytest.mark.parametrize(
    ("item", "in_march", "in_july"),
    [
        ("pm25_24h", (4108, 4108), (4308, 4308)),
        ("pm10_24h", (2963, 2963), (4169, 4169)),
        ("so2_24h", (4083, 4083), (4456, 4456)),
        ("no2_24h", (4088, 4088), (4400, 4400)),
        ("o3_24h", (3980, 3980), (4286, 4286)),
        ("o3_8h_24h", (3979, 3980), (4286, 4286)),
        # the hours of CO are released with one decimal: a mean is often an exact tie
        ("co_24h", (3927, 4016), (4312, 4420)),
    ],
)
def test_daily_values_of_real_months(
    march: AgreementReport,
    july: AgreementReport,
    item: str,
    in_march: tuple[int, int],
    in_july: tuple[int, int],
) -> None:
    for report, figures in ((march, in_march), (july, in_july)):
        row = report.complete().loc[item]
        assert (row["equal"], row["compared"]) == figures
        assert row["tie"] == (figures[1] - figures[0] if item == "co_24h" else 0)


def test_hourly_values_of_real_months(march: AgreementReport, july: AgreementReport) -> None:
    for report, hours in ((march, 123_046), (july, 137_574)):
        table = report.complete(At.HOUR)
        assert table.loc["aqi", ["equal", "compared"]].tolist() == [hours, hours]
        running = table.drop(index="aqi")
        assert ((running["equal"] + running["tie"]) / running["compared"] > 0.999).all()


def test_gaps_of_real_months_have_a_cause(march: AgreementReport, july: AgreementReport) -> None:
    # On 10 March hours were released late; in July the archive lacks whole hours.
    for report, days, unexplained in ((march, 14_412, 3), (july, 12_310, 18)):
        gaps = report.gaps()
        assert gaps["all"].sum() == days
        assert gaps[Outcome.UNEXPLAINED].sum() == unexplained
