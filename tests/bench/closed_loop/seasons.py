"""The seasons of the closed loop: their worlds, kept once made, and the store that knows what files tell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

from yrd_airq.drill.settings import DrillSettings, load_scenario
from yrd_airq.drill.world import World
from yrd_airq.drill.write import write_world
from yrd_airq.jobs.ingest import ingest_folder
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.settings import Event
from yrd_airq.vocab import Target

TESTED = timedelta(days=48)
"""The part of a season in which events lie, up to its end; from what is before it the forecaster learns."""
OVERLAP = timedelta(days=2)
"""Files of a later issue begin so long before the one before it ended: late hours and corrections."""


@dataclass(frozen=True)
class Regime:
    """A kind of weather and chemistry: the scenario that has it, and the pollutant that leads in it."""

    name: str
    scenario: str
    lead: Target

    @property
    def settings(self) -> DrillSettings:
        """The season of the scenario."""
        return load_scenario(self.scenario)

    @property
    def tested_from(self) -> date:
        """First day of the part in which events lie."""
        return self.settings.last_day - TESTED


REGIMES = (
    Regime("summer ozone", "summer_ozone", Target.O3_MDA8),
    Regime("autumn mixed", "autumn_mixed", Target.O3_MDA8),
    Regime("winter haze", "winter_haze", Target.PM25),
)


@dataclass
class Season:
    """A season on its way: its world, what has been made known of it so far, and the store."""

    world: World
    workspace: Workspace
    files: Path
    known_until: date

    def advance(self, issue: datetime, event: Event) -> None:
        """Bring the store to what is known at ``issue``: the files of the days since the last issue."""
        folder = self.files / f"{issue:%Y%m%d}"
        since = max(self.known_until - OVERLAP, self.world.settings.first_day)
        write_world(folder, _known_at(self.world, since, issue, event))
        ingest_folder(self.workspace, folder)
        self.known_until = issue.date()


def fill_store(world: World, until: date, workspace: Workspace, files: Path) -> None:
    """Fill a store with what is known of a world at the end of a day."""
    write_world(files, _known_at(world, world.settings.first_day, datetime.combine(until, time(23)), None))
    ingest_folder(workspace, files)


def _known_at(world: World, since: date, issue: datetime, event: Event | None) -> World:
    """The world as its files are written at ``issue`` from the day ``since`` on; surveyed near the venue."""
    update = {"first_day": since, "issue_time": issue, "last_day": issue.date()}
    near = {"near_lon": event.venue.lon, "near_lat": event.venue.lat} if event is not None else {}
    return replace(world, settings=world.settings.model_copy(update={**update, **near}))
