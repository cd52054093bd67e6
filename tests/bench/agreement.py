"""The release of January to September 2019 beside its own hourly values, as Markdown for the README.

``python -m tests.bench.agreement`` needs the real-data folder (YRD_AIRQ_REAL_DATA).
"""

from __future__ import annotations

import os
import sys
from datetime import date
from pathlib import Path

import pandas as pd

from tests.conftest import ROOT
from tests.quality.release import month_files, read_release
from yrd_airq.quality.agreement import compare_release
from yrd_airq.quality.agreement_report import AgreementReport, At, Outcome
from yrd_airq.standards.release import AQI

FIRST, LAST = date(2019, 1, 1), date(2019, 9, 30)


def print_tables(report: AgreementReport) -> None:
    """Complete days and hours, then the gaps by cause."""
    say("| released item | complete station-days | equal | share | complete station-hours | equal | share |")
    say("|---|---|---|---|---|---|---|")
    days, hours = report.complete(At.DAY), report.complete(At.HOUR)
    for item in hours.index:
        day = _cells(days.loc[item]) if item in days.index else "– | – | –"
        say(f"| `{item}` | {day} | {_cells(hours.loc[item])} |")
    outcomes = [outcome for outcome in Outcome if outcome is not Outcome.REVISED]
    say("\n| gaps: item | cause | all | " + " | ".join(outcomes) + " | released below the validity rule |")
    say("|---" * (len(outcomes) + 4) + "|")
    hourly = report.gaps(At.HOUR)
    of_aqi = hourly[hourly.index.get_level_values("item") == AQI]
    for table, unit in ((report.gaps(At.DAY), ""), (of_aqi, " (station-hours)")):
        for (item, cause), row in table.iterrows():
            cells = " | ".join(str(row[outcome]) for outcome in outcomes)
            say(f"| `{item}`{unit} | {cause} | {row['all']} | {cells} | {row['short']} |")


def _cells(row: pd.Series) -> str:
    share = int(row["share"] * 1e5) / 1e3  # cut, not rounded: 100 % is said only of all
    tie = f" (+ {int(row['tie'])} ties)" if row["tie"] else ""
    return f"{int(row['compared'])} | {int(row['equal'])}{tie} | {share:g} %"


def say(text: str) -> None:
    """One line of output."""
    sys.stdout.write(text + "\n")


def main() -> None:
    """Read the nine months and print."""
    real = Path(ROOT / os.environ.get("YRD_AIRQ_REAL_DATA", "../shared/data")).resolve()
    os.environ.setdefault("YRD_AIRQ_CONFIGS", str(ROOT / "configs"))
    print_tables(compare_release(read_release(month_files(real, range(1, 10))), FIRST, LAST))


if __name__ == "__main__":
    main()
