"""The report on quality flags: counts, shares, worst stations, stuck runs, files."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from tests.quality.stations import frame
from yrd_airq.quality.flags import no_flags
from yrd_airq.quality.hourly import check_hourly
from yrd_airq.quality.report import QualityReport, quality_report
from yrd_airq.vocab import Pollutant

DAY = date(2019, 1, 10)


def _case() -> tuple[pd.DataFrame, dict[Pollutant, pd.DataFrame]]:
    values = 40.0 + np.arange(24) % 3
    stuck = values.copy()
    stuck[3:15] = 37.0
    stuck[20] = -1.0
    hourly = {
        Pollutant.PM25: frame({"1001A": values, "1002A": stuck}, DAY),
        Pollutant.SO2: frame({"1001A": np.where(np.arange(24) == 9, 490.0, 8.0 + np.arange(24) % 3)}, DAY),
    }
    hourly[Pollutant.SO2]["1002A"] = np.nan
    return check_hourly(hourly).flags, hourly


def _report() -> QualityReport:
    return quality_report(*_case())


def test_counts_of_values_and_of_flags() -> None:
    made = _report()
    # 12 stuck hours, one negative, one spike that is an extreme as well
    assert (made.left_out, made.doubtful, made.lifted) == (14, 0, 0)
    assert made.values == {"pm25": 48, "so2": 24}
    assert made.by_rule.to_dict("list") == {
        "rule": ["extreme", "not_positive", "spike", "stuck"],
        "pollutant": ["so2", "pm25", "so2", "pm25"],
        "flag": ["doubtful", "left_out", "left_out", "left_out"],
        "flags": [1, 1, 1, 12],
    }
    assert made.stations.to_dict("list") == {
        "station_code": ["1002A", "1001A"],
        "flagged": [13, 1],
        "left_out": [13, 1],
    }
    assert (made.first, made.last) == (datetime(2019, 1, 10, 1), datetime(2019, 1, 11, 0))


def test_stuck_runs_are_told_apart_by_gaps() -> None:
    flags, hourly = _case()
    run = quality_report(flags, hourly).stuck.iloc[0]
    assert (run["station_code"], run["pollutant"], run["hours"]) == ("1002A", "pm25", 12)
    assert (run["first_time"], run["last_time"]) == (
        pd.Timestamp(2019, 1, 10, 4),
        pd.Timestamp(2019, 1, 10, 15),
    )
    without = flags[~((flags["rule"] == "stuck") & (flags["time"] == pd.Timestamp(2019, 1, 10, 8)))]
    assert quality_report(without, hourly).stuck["hours"].tolist() == [7, 4]


def test_numbers_of_values_may_be_given_instead_of_frames() -> None:
    flags, _ = _case()
    first, last = datetime(2019, 1, 1), datetime(2019, 1, 31)
    made = quality_report(flags, {"pm25": 100, "so2": 40}, first, last)
    assert made.total == 140
    assert (made.first, made.last) == (first, last)
    assert made.as_dict()["left_out_percent"] == 10.0


def test_lines_are_short_and_the_dictionary_is_plain() -> None:
    made = _report()
    assert made.lines() == [
        "quality of 2019-01-10 01:00 to 2019-01-11 00:00: 72 values, 14 left out (19.444 %), "
        "0 doubtful (0.000 %), 0 lifted",
        "  extreme doubtful: 1",
        "  not_positive left_out: 1",
        "  spike left_out: 1",
        "  stuck left_out: 12",
    ]
    again = json.loads(json.dumps(made.as_dict()))
    assert again["stuck"][0]["first_time"] == "2019-01-10T04:00:00"


def test_files(tmp_path: Path) -> None:
    flags, hourly = _case()
    paths = quality_report(flags, hourly).write(tmp_path / "new", flags)
    assert [path.name for path in paths] == [
        "quality_report.md",
        "quality_by_rule.csv",
        "quality_stations.csv",
        "quality_stuck.csv",
        "quality_flags.csv",
    ]
    assert "| stuck | pm25 | left_out | 12 |" in paths[0].read_text(encoding="utf-8")
    assert len(pd.read_csv(paths[-1])) == len(flags)


def test_nothing_flagged() -> None:
    made = quality_report(no_flags(), {"pm25": 0})
    assert made.lines() == [
        "quality of no hours: 0 values, 0 left out (0.000 %), 0 doubtful (0.000 %), 0 lifted"
    ]
    assert "None." in made.markdown()
