"""Warning tiers of an issue and the list for them: foreseen from the forecast, written as a document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from yrd_airq.brief.content_emergency import Emergency
from yrd_airq.brief.emergency_page import write_emergency
from yrd_airq.brief.emergency_section import build_emergency
from yrd_airq.control.emergency import EmergencyList, EmergencySettings, list_emergency
from yrd_airq.control.foresight import Foresight, foresee
from yrd_airq.control.settings import ControlSettings
from yrd_airq.forecast.hourly_aqi import RunningAqi
from yrd_airq.forecast.tier_courses import tier_courses
from yrd_airq.jobs.forecasting import Issued, issue_forecast
from yrd_airq.jobs.hours import issue_hours
from yrd_airq.jobs.issue import read_issue
from yrd_airq.jobs.origin import is_drill
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.region import load_region
from yrd_airq.settings import load
from yrd_airq.standards.tiers import Tier, load_tiers
from yrd_airq.store.store import Store, open_store


@dataclass(frozen=True)
class EmergencyReport:
    """What ``yrd-airq emergency`` found and where it lies; ``tiers`` by adcode."""

    issue_time: datetime
    tiers: dict[str, Tier]
    regional: Tier
    text_zh: tuple[str, ...]
    files: tuple[Path, ...]

    def as_dict(self) -> dict[str, Any]:
        """Machine-readable form."""
        return {**self.__dict__, "files": [str(file) for file in self.files]}

    def lines(self) -> list[str]:
        """Readable form."""
        return [*self.text_zh, *(str(file) for file in self.files)]


@dataclass(frozen=True)
class EmergencyCase:
    """What an issue foresees, the list for it (None without a tier or an enterprise list), and the words."""

    foresight: Foresight
    made: EmergencyList | None
    part: Emergency

    @property
    def worth_telling(self) -> bool:
        """Whether a brief has to speak of it."""
        return self.foresight.worth_telling(load_tiers())


def foresee_emergency(
    store: Store,
    issued: Issued,
    running: RunningAqi | None,
    standing: Mapping[str, Tier] | None = None,
    other_causes: Mapping[str, str] | None = None,
) -> EmergencyCase:
    """Tiers of every city and the list for them, from one issue.

    ``running``: its running AQI, None where there are no hours. ``standing`` and ``other_causes``: see
    ``foresee``.
    """
    data, region, settings = issued.data, load_region(), load_tiers()
    courses = tier_courses(data.issue_time, region.adcodes, issued.rows, data.daily, data.hourly, running)
    foresight = foresee(courses, data.issue_time, region, settings, standing, other_causes)
    advice = load(EmergencySettings, "emergency")
    made = None
    if foresight.tiers:
        enterprises = store.enterprises()
        if len(enterprises):
            made = list_emergency(
                foresight.tiers,
                enterprises,
                store.enterprise_measures(),
                region,
                advice,
                load(ControlSettings, "control"),
            )
    return EmergencyCase(foresight, made, build_emergency(foresight, made, region, settings, advice))


def run_emergency(
    workspace: Workspace,
    issue_time: datetime,
    standing: Mapping[str, Tier] | None = None,
    other_causes: Mapping[str, str] | None = None,
) -> EmergencyReport:
    """Judge the tiers of an issue and write the document to ``<out>/emergency-<time>``."""
    with open_store(workspace.store) as store:
        data = read_issue(store, issue_time)
        issued = issue_forecast(workspace, data, store.corrections(issue_time))
        hours = issue_hours(workspace, data, issued.rows)
        running = hours.running if hours is not None else None
        case = foresee_emergency(store, issued, running, standing, other_causes)
        drill = is_drill(store)
    files = write_emergency(
        case.part,
        case.made.list if case.made is not None else None,
        issue_time,
        drill,
        workspace.out / f"emergency-{issue_time:%Y%m%dT%H%M}",
    )
    return EmergencyReport(
        issue_time, case.foresight.tiers, case.foresight.regional, case.part.text_zh, files
    )
