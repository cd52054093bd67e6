"""The main job: files in, pack out; daily bulletin without an event, event-guarantee pack with one."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

import yrd_airq.drill
from yrd_airq.brief.compose import focus_cities
from yrd_airq.brief.settings import load_brief_settings
from yrd_airq.drill.keep import keep_course
from yrd_airq.drill.settings import DrillSettings, load_drill
from yrd_airq.drill.world import make_world
from yrd_airq.drill.write import write_world
from yrd_airq.jobs.details import Details, detail_issue
from yrd_airq.jobs.emergency import EmergencyCase, foresee_emergency
from yrd_airq.jobs.forecasting import Issued, issue_forecast, keep_forecast
from yrd_airq.jobs.guarantee import check_event, plan_guarantee
from yrd_airq.jobs.ingest import ingest_folder
from yrd_airq.jobs.issue import IssueData, default_issue_time, read_issue
from yrd_airq.jobs.list_version import draft_version
from yrd_airq.jobs.pack import Occasion, PackReport, run_facts, write_pack
from yrd_airq.jobs.workspace import Workspace, hash_files, hash_texts
from yrd_airq.region import load_region
from yrd_airq.settings import Event, config_dir, load_event
from yrd_airq.store.store import Store, open_store

DRILL_FOLDER = Path("data/drill")
HINDCAST_LEAD_DAYS = 3
"""Default issue of an event run: so many days before the event, if the data reach that far."""


def run_once(
    workspace: Workspace, folder: Path, event_file: Path | None, issue_time: datetime | None
) -> PackReport:
    """Read a folder of files, then write the daily bulletin, or the event pack if an event is given."""
    if event_file is not None:
        load_event(event_file)  # a faulty event file is reported before minutes of work
    ingest = ingest_folder(workspace, folder)
    if event_file is None:
        report = run_daily(workspace, issue_time)
    else:
        report = run_event(workspace, event_file, issue_time)
    return replace(report, ingest=ingest)


def run_drill(
    store: Path | None, out: Path | None, event_file: Path | None, issue_time: datetime | None
) -> PackReport:
    """The whole main job in the drill world, with its own store so that it never mixes with real data."""
    settings = load_drill()
    world = drill_world(settings)
    # Models of the drill stay with its world: they must never speak for real data.
    models = None if os.environ.get("YRD_AIRQ_MODELS") else world / "models"
    workspace = Workspace.of(store or world / "store.duckdb", models, out)
    event = event_file or settings.event_file
    return run_once(workspace, world / "files", event, issue_time or settings.issue_time)


def drill_world(settings: DrillSettings) -> Path:
    """Folder of the drill world of these settings and this code; made once and kept.

    ``files`` holds what is known at the issue time, ``truth`` what is true of the world's whole life.
    """
    made_by = [*Path(yrd_airq.drill.__file__).parent.glob("*.py"), *(config_dir() / "drill").glob("*.yaml")]
    code = hash_files([*made_by, config_dir() / "region.yaml"])
    world = DRILL_FOLDER / hash_texts(code, settings.model_dump_json())[:12]
    if not world.is_dir():
        DRILL_FOLDER.mkdir(parents=True, exist_ok=True)
        # Written aside and renamed, so that an interrupted run leaves no half world behind.
        with TemporaryDirectory(dir=DRILL_FOLDER) as aside:
            made = make_world(settings)
            write_world(Path(aside) / "world" / "files", made)
            keep_course(Path(aside) / "world" / "truth", made.course, made.enterprises)
            (Path(aside) / "world").rename(world)
    return world


def run_daily(workspace: Workspace, issue_time: datetime | None) -> PackReport:
    """Daily bulletin from what the store holds; default issue time: 16:00 after the newest complete day."""
    with open_store(workspace.store) as store:
        issue_time = issue_time or default_issue_time(store)
        return write_pack(workspace, store, *_issue(workspace, store, read_issue(store, issue_time), None))


def run_event(workspace: Workspace, event_file: Path, issue_time: datetime | None) -> PackReport:
    """Event-guarantee pack from what the store holds; default issue time: three days before the event."""
    event = load_event(event_file)
    with open_store(workspace.store) as store:
        issue_time = issue_time or default_issue_time(
            store, not_after=event.start - timedelta(days=HINDCAST_LEAD_DAYS)
        )
        return write_event(workspace, store, event_file, issue_time)


def write_event(
    workspace: Workspace,
    store: Store,
    event_file: Path,
    issue_time: datetime,
    revision: tuple[int, pd.DataFrame] | None = None,
) -> PackReport:
    """The pack of one issue of an event: the next version of its list, or the same again.

    ``revision``: the version that a forecaster revises, and the new edits.
    """
    event = load_event(event_file)
    data = read_issue(store, issue_time)
    check_event(event, data)
    issued, details, emergency = _issue(workspace, store, data, event)
    facts = run_facts(store, issued, hash_files([event_file]))
    tiers = emergency.foresight.tiers
    draft = draft_version(store, event, issue_time, facts, revision, tiers)
    guarantee = plan_guarantee(
        store, data, issued.rows, event, edits=draft.in_force(), previous=draft.previous, tiers=tiers
    )
    return write_pack(workspace, store, issued, details, emergency, Occasion(draft, guarantee))


def _issue(
    workspace: Workspace, store: Store, data: IssueData, event: Event | None
) -> tuple[Issued, Details, EmergencyCase]:
    """The forecast kept in the store, its details for the cities that matter, and the tiers it foresees."""
    issued = issue_forecast(workspace, data, store.corrections(data.issue_time))
    cities = focus_cities(event, load_region(), load_brief_settings())
    details = detail_issue(workspace, store, issued, keep_forecast(store, issued), cities)
    return issued, details, foresee_emergency(store, issued, details.running)
