"""What a comparison of a release with its own hourly values found: counts by item, cause and outcome."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

import numpy as np
import pandas as pd

from yrd_airq.standards.release import AQI, RELEASED_ITEMS

TALLY_COLUMNS: Final = ("item", "at", "cause", "outcome", "short", "n")


class At(StrEnum):
    """Labels compared: every hour, or only 0:00 of the next day, where the value stands for a natural day."""

    HOUR = "hour"
    DAY = "day"


class Cause(StrEnum):
    """What the archive lacks of the hours behind a released value; for the AQI, of its six items."""

    COMPLETE = "complete"
    ARCHIVE = "whole hours missing in the archive"
    SILENT = "station not reporting"
    BLANK = "instrument blank"
    SEVERAL = "several of these"


class Outcome(StrEnum):
    """How the released value compares with the recomputed one."""

    EQUAL = "equal"
    TIE = "rounding tie, other side"
    REVISED = "all hours at hand, yet different: a late or revised hour"
    OTHER_HOURS = "publisher had hours that the archive lacks"
    UNEXPLAINED = "unexplained"
    NOT_ARCHIVED = "release hour missing in the archive"
    NOT_RELEASED = "not released"


_RELEASED: Final = (
    Outcome.EQUAL,
    Outcome.TIE,
    Outcome.REVISED,
    Outcome.OTHER_HOURS,
    Outcome.UNEXPLAINED,
)


@dataclass(frozen=True)
class AgreementReport:
    """Counts of station-hours and station-days by item, cause and outcome (columns ``TALLY_COLUMNS``).

    ``short`` marks station-days with fewer hours than the text of the standard asks for (20 hours; for
    ozone 14 of 17 windows), where the release still carries a value.
    """

    first: date
    last: date
    tally: pd.DataFrame

    @property
    def released(self) -> int:
        """Number of station-hours with a released value."""
        hours = self._rows(At.HOUR)
        return int(hours.loc[hours["outcome"].isin(_RELEASED), "n"].sum())

    def complete(self, at: At = At.DAY) -> pd.DataFrame:
        """By item: compared complete windows, equal ones, ties and the share of equal ones."""
        rows = self._rows(at)
        rows = rows[(rows["cause"] == Cause.COMPLETE) & rows["outcome"].isin(_RELEASED)]
        counts = rows.pivot_table(index="item", columns="outcome", values="n", aggfunc="sum", fill_value=0)
        counts = counts.reindex(columns=list(_RELEASED), fill_value=0)
        table = pd.DataFrame({"compared": counts.sum(axis=1), "equal": counts[Outcome.EQUAL]})
        table["tie"] = counts[Outcome.TIE]
        table["share"] = table["equal"] / table["compared"]
        return table.reindex([item for item in (AQI, *RELEASED_ITEMS) if item in table.index])

    def gaps(self, at: At = At.DAY) -> pd.DataFrame:
        """By item and cause (of the windows with gaps): how many, and how many of each outcome."""
        rows = self._rows(at)
        rows = rows[rows["cause"] != Cause.COMPLETE]
        table = rows.pivot_table(
            index=["item", "cause"], columns="outcome", values="n", aggfunc="sum", fill_value=0
        ).reindex(columns=list(Outcome), fill_value=0)
        table.insert(0, "all", table.sum(axis=1))
        short = rows[rows["short"] & rows["outcome"].isin(_RELEASED)].groupby(["item", "cause"])["n"].sum()
        table["short"] = short.reindex(table.index, fill_value=0)
        order = [(item, cause) for item in (AQI, *RELEASED_ITEMS) for cause in Cause]
        return table.reindex([pair for pair in order if pair in table.index])

    def as_dict(self) -> dict[str, Any]:
        """Machine-readable form."""
        parts = {at.value: {"complete": self.complete(at), "gaps": self.gaps(at)} for at in At}
        return {
            "first": str(self.first),
            "last": str(self.last),
            **{
                at: {name: table.reset_index().to_dict("records") for name, table in tables.items()}
                for at, tables in parts.items()
            },
        }

    def lines(self) -> list[str]:
        """Readable form: complete days and hours, then the gaps by cause."""
        found = [f"release beside its own hourly values, {self.first} … {self.last}"]
        for at, unit in ((At.DAY, "station-days"), (At.HOUR, "station-hours")):
            found.append(f"complete {unit}:")
            found += [_complete_line(str(item), row) for item, row in self.complete(at).iterrows()]
        found.append("station-days with gaps, by cause:")
        found += _gap_lines(self.gaps(At.DAY))
        hours = self.gaps(At.HOUR)
        found.append("station-hours of the AQI with items missing, by cause:")
        found += _gap_lines(hours[hours.index.get_level_values("item") == AQI])
        return found

    def _rows(self, at: At) -> pd.DataFrame:
        return self.tally[self.tally["at"] == at]


def _complete_line(item: str, row: pd.Series) -> str:
    tie = f", {int(row['tie'])} on the other side of a rounding tie" if row["tie"] else ""
    # cut, not rounded: 100 % is said only of all
    share = f"{np.floor(row['share'] * 1e6) / 1e4:.4f} %"
    return f"  {item:<10} {int(row['equal']):>9} of {int(row['compared']):>9} equal, {share}{tie}"


def _gap_lines(gaps: pd.DataFrame) -> list[str]:
    found = []
    for pair, row in gaps.iterrows():
        item, cause = pair if isinstance(pair, tuple) else (pair, "")
        told = ", ".join(f"{int(row[o])} {o.value}" for o in Outcome if row[o])
        short = f"; {int(row['short'])} released below the validity rule" if row["short"] else ""
        found.append(f"  {item:<10} {cause}: {int(row['all'])}: {told}{short}")
    return found


def join_reports(reports: list[AgreementReport]) -> AgreementReport:
    """Reports of adjoining periods as one."""
    tally = pd.concat([report.tally for report in reports], ignore_index=True)
    summed = tally.groupby(list(TALLY_COLUMNS[:-1]))[["n"]].sum().reset_index()
    return AgreementReport(reports[0].first, reports[-1].last, summed)
