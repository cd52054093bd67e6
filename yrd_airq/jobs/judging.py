"""A forecaster's word on values, and the report on quality flags."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from yrd_airq.clock import day_labels
from yrd_airq.jobs.series import refresh_if_stale, report_window
from yrd_airq.jobs.upkeep import require_store, span_of_days
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.quality.flags import Flag, Rule
from yrd_airq.quality.report import QualityReport
from yrd_airq.store.records import EVERY_POLLUTANT, Action, Judgement
from yrd_airq.store.store import open_store


@dataclass(frozen=True)
class JudgementReport:
    """A judgement that was noted, and how many values it now leaves out or accepts."""

    judgement: Judgement
    values: int

    def as_dict(self) -> dict[str, object]:
        """Machine-readable form."""
        return {**vars(self.judgement), "action": self.judgement.action.value, "values": self.values}

    def lines(self) -> list[str]:
        """Readable form."""
        given = self.judgement
        return [
            f"{given.action.value} {given.station_code} {given.pollutant} {given.first_time:%Y-%m-%d %H:%M} "
            f"to {given.last_time:%Y-%m-%d %H:%M} by {given.made_by}: {self.values} values concerned"
        ]


@dataclass(frozen=True)
class FlagsReport:
    """The quality report of a span of days and the files that were written, if any."""

    report: QualityReport
    files: tuple[Path, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """Machine-readable form."""
        return {**self.report.as_dict(), "files": [str(path) for path in self.files]}

    def lines(self) -> list[str]:
        """Readable form."""
        return [*self.report.markdown().splitlines(), *(f"written: {path}" for path in self.files)]


def judge(workspace: Workspace, judgement: Judgement) -> JudgementReport:
    """Note the judgement and rebuild the series that it changes."""
    require_store(workspace)
    with open_store(workspace.store) as store:
        store.judge(judgement)
        refresh_if_stale(store)
        flags = store.flags(judgement.first_time, judgement.last_time)
    own = flags[flags["station_code"] == judgement.station_code]
    if judgement.pollutant != EVERY_POLLUTANT:
        own = own[own["pollutant"] == judgement.pollutant]
    if judgement.action is Action.SET:
        own = own[own["rule"] == Rule.FORECASTER.value]
    else:
        own = own[own["flag"] == Flag.LIFTED.value].drop_duplicates(["time", "pollutant"])
    return JudgementReport(judgement, len(own))


def report_quality(
    workspace: Workspace, first: date | None = None, last: date | None = None, out: Path | None = None
) -> FlagsReport:
    """Flags of the days ``first`` … ``last`` (default: of all values), counted; files into ``out``."""
    with open_store(workspace.store, read_only=True) as store:
        first, last = span_of_days(store, first, last)
        labels = day_labels(first, last)
        window = (labels[0].to_pydatetime(), labels[-1].to_pydatetime())
        report, flags = report_window(store, window), store.flags(*window)
    return FlagsReport(report, report.write(out, flags) if out is not None else ())
