"""A rehearsal (桌面推演): an event of the drill world played day by day, then what truly happened."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from yrd_airq.control.versions import CHANGE_COLUMNS, compare_lists
from yrd_airq.drill.settings import DEFAULT_SCENARIO, DrillSettings, load_scenario
from yrd_airq.drill.world import World
from yrd_airq.drill.write import write_day, write_world
from yrd_airq.errors import InfeasibleError, InputError
from yrd_airq.jobs.drill_list import Version, orders_in_force, read_control_list
from yrd_airq.jobs.drill_replay import Scope, as_records, carry_out_orders, open_world
from yrd_airq.jobs.ingest import ingest_folder
from yrd_airq.jobs.run import run_event
from yrd_airq.jobs.workspace import Workspace, hash_files, hash_texts
from yrd_airq.settings import Event, config_dir, load_event
from yrd_airq.store.store import open_store

PLAY_FILE, DAY_FILE, OUTCOME_FILE = "rehearsal.json", "day.json", "outcome.json"
LIST_FILE, CARRIED_FILE = "control_list.csv", "carried_out.csv"


@dataclass(frozen=True)
class Morning:
    """One played day: what was issued and how the list differs from that of the day before.

    ``changes``: enterprise_id, change (added, removed, changed), measure_before, measure_now.
    """

    day: date
    version: int
    run_id: str
    pack: Path
    conclusion_zh: str
    exit_code: int
    orders: int
    changes: list[dict[str, Any]]

    def line(self) -> str:
        """Readable form."""
        count = pd.Series([row["change"] for row in self.changes], dtype=object).value_counts()
        told = ", ".join(f"{count.get(name, 0)} {name}" for name in ("added", "removed", "changed"))
        return f"{self.day}  list {self.version}: {self.orders} orders ({told})  {self.conclusion_zh}"


@dataclass(frozen=True)
class RehearsalReport:
    """A played event: its mornings, and the truth of its receptors and days.

    ``outcome``: adcode, city_zh, date, target, forecast (mean of the last issue before the day), q10, q90,
    base (what happened without any list), controlled (with the lists carried out), µg/m³.
    """

    name: str
    label_zh: str
    scenario: str
    out: Path
    mornings: tuple[Morning, ...]
    resumed: int
    outcome: pd.DataFrame

    def as_dict(self) -> dict[str, Any]:
        """Machine-readable form."""
        return {
            "label_zh": self.label_zh,
            "name": self.name,
            "scenario": self.scenario,
            "out": str(self.out),
            "resumed_days": self.resumed,
            "mornings": [_morning_dict(morning) for morning in self.mornings],
            "outcome": as_records(self.outcome),
        }

    def lines(self) -> list[str]:
        """Readable form: a line a morning, then forecast and truth by city and day."""
        rows = [
            f"  {row.city_zh} {row.date} {row.target:8} forecast {row.forecast:6.1f} "
            f"({row.q10:.1f} … {row.q90:.1f})  without lists {row.base:6.1f}  "
            f"with lists {row.controlled:6.1f}"
            for row in self.outcome.itertuples()
        ]
        return [
            f"{self.label_zh}  {self.name} in {self.scenario}: {len(self.mornings)} days played, "
            f"{self.resumed} of them earlier",
            *(morning.line() for morning in self.mornings),
            "what was forecast and what happened, µg/m³:",
            *rows,
            f"packs, lists and the outcome: {self.out}",
        ]


def rehearse(
    out: Path,
    name: str | None = None,
    days: int | None = None,
    scenario: str | None = None,
    execution: float = 1.0,
) -> RehearsalReport:
    """Play an event of the drill: each day new files, forecast, list and brief, and the truth at the end.

    ``name``: the event file ``configs/events/<name>.yaml``, by default that of the scenario. ``days``:
    how many days are played, the first that of the scenario's issue time; by default all until the event
    ends. Each day is kept below ``out`` when it is whole: a second call goes on after the last whole day,
    and refuses a folder in which another rehearsal was begun. The files of the following days are those of
    a world without controls; what the lists change is told by the outcome. ``execution``: share of the
    enterprises that comply. Raises ``InputError`` where event, days and scenario do not fit together.
    """
    settings = load_scenario(scenario or DEFAULT_SCENARIO)
    event_file = config_dir() / "events" / f"{name or settings.event}.yaml"
    event = load_event(event_file)
    issues = _issue_times(event, settings, days)
    _claim(out, hash_texts(settings.model_dump_json(), hash_files([event_file]), f"{execution}"))
    world = open_world(settings)
    workspace = Workspace(out / "store.duckdb", out / "models", out / "packs")
    mornings: list[Morning] = []
    resumed = 0
    for issue in issues:
        folder = out / f"{issue:%Y-%m-%d}"
        played = _read_morning(folder)
        resumed += played is not None
        if played is None:
            played = _play(workspace, world, event_file, issue, folder, mornings)
        mornings.append(played)
    outcome = _find_outcome(workspace, world, event, mornings, out, execution)
    label = settings.label_zh
    report = RehearsalReport(event.code, label, settings.name, out, tuple(mornings), resumed, outcome)
    _write_json(out / OUTCOME_FILE, report.as_dict())
    return report


def _issue_times(event: Event, settings: DrillSettings, days: int | None) -> list[datetime]:
    """The issue times of the played days; the last is the day before the event ends, at the latest."""
    first = settings.issue_time
    possible = (event.end - first.date()).days
    if possible < 1 or event.start > settings.last_day:
        raise InputError(
            f"event {event.code} ({event.start} … {event.end}) does not lie between the issue time {first} "
            f"and the last day {settings.last_day} of scenario {settings.name}"
        )
    if days is not None and not 1 <= days <= possible:
        raise InputError(
            f"--days {days}: from {first:%Y-%m-%d} to the event's end, 1 to {possible} can be played"
        )
    return [first + timedelta(days=k) for k in range(days or possible)]


def _claim(out: Path, play: str) -> None:
    """Make ``out`` the folder of this rehearsal; ``InputError`` if it is that of another."""
    note = out / PLAY_FILE
    if not note.is_file():
        _write_json(note, {"rehearsal": play})
    elif json.loads(note.read_text(encoding="utf-8")) != {"rehearsal": play}:
        raise InputError(
            f"{out}: holds a rehearsal of another event, scenario or execution; name another --out"
        )


def _play(
    workspace: Workspace, world: World, event_file: Path, issue: datetime, folder: Path, before: list[Morning]
) -> Morning:
    """One day: its files into the store, then the event run; kept under ``folder`` when all of it is done."""
    files = workspace.out.parent / "files"
    if before:
        write_day(files, world, issue.date())
    else:
        write_world(files, world)
    ingest_folder(workspace, files)
    report = run_event(workspace, event_file, issue)
    orders = read_control_list(report.pack / LIST_FILE, world)
    earlier = read_control_list(before[-1].pack / LIST_FILE, world) if before else None
    rules_from = issue.date() + timedelta(days=1)
    morning = Morning(
        day=issue.date(),
        version=len(before) + 1,
        run_id=report.run_id,
        pack=report.pack,
        conclusion_zh=report.conclusion_zh,
        exit_code=report.exit_code,
        orders=len(orders),
        changes=as_records(compare_lists(earlier, orders, rules_from)[list(CHANGE_COLUMNS)]),
    )
    _write_json(folder / DAY_FILE, _morning_dict(morning))
    return morning


def _morning_dict(morning: Morning) -> dict[str, Any]:
    return {**vars(morning), "day": morning.day.isoformat(), "pack": str(morning.pack)}


def _read_morning(folder: Path) -> Morning | None:
    """A day that was played to its end, None if it was not."""
    file = folder / DAY_FILE
    if not file.is_file():
        return None
    held = json.loads(file.read_text(encoding="utf-8"))
    return Morning(**{**held, "day": date.fromisoformat(held["day"]), "pack": Path(held["pack"])})


def _find_outcome(
    workspace: Workspace,
    world: World,
    event: Event,
    mornings: list[Morning],
    out: Path,
    execution: float,
) -> pd.DataFrame:
    """Forecast and truth of the receptors on the event's days, without and with the lists carried out."""
    versions = [
        Version(
            issued=pd.Timestamp(morning.day),
            orders=read_control_list(morning.pack / LIST_FILE, world),
            misses_goal=morning.exit_code == InfeasibleError.exit_code,
        )
        for morning in mornings
    ]
    carried = orders_in_force(versions)
    text = carried.assign(start=carried["start"].dt.date, end=carried["end"].dt.date).to_csv(index=False)
    (out / CARRIED_FILE).write_text(text, encoding="utf-8")
    scope = Scope(event.name_zh, event.receptors, event.start, event.end)
    changes = scope.of(carry_out_orders(world, carried, execution))
    truth = _base(world, scope)
    both = truth.merge(changes[["adcode", "date", "target", "controlled"]], how="left")
    # Days and cities that no order reaches are as they were.
    both["controlled"] = both["controlled"].astype(float).fillna(both["base"])
    issued = _last_forecasts(workspace, mornings)
    outcome = both.merge(issued, on=["adcode", "date", "target"], how="inner")
    columns = ["adcode", "city_zh", "date", "target", "forecast", "q10", "q90", "base", "controlled"]
    return outcome[columns].sort_values(["target", "adcode", "date"]).reset_index(drop=True)


def _base(world: World, scope: Scope) -> pd.DataFrame:
    """The truth without any list at the receptors on the event's days."""
    days = world.course.truth.city_days().rename(columns={"value": "base"})
    names = {city.adcode: city.name_zh for city in world.region.cities}
    days = days.assign(date=pd.to_datetime(days["date"]).dt.date, city_zh=days["adcode"].map(names))
    return scope.of(days)


def _last_forecasts(workspace: Workspace, mornings: list[Morning]) -> pd.DataFrame:
    """The newest forecast of the played issues for each city, day and target."""
    with open_store(workspace.store, read_only=True) as store:
        rows = store.forecasts()
    played = {morning.day for morning in mornings}
    own = rows[~rows["model"].isin(["persistence", "climatology"])]
    own = own[pd.to_datetime(own["issue_time"]).dt.date.isin(played)].sort_values("issue_time", kind="stable")
    own = own.drop_duplicates(["adcode", "target", "valid_date"], keep="last")
    named = own.rename(columns={"valid_date": "date", "mean": "forecast"})
    named = named.assign(date=pd.to_datetime(named["date"]).dt.date)
    return named[["adcode", "date", "target", "forecast", "q10", "q90"]]


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """Written aside and renamed, so that a file that is there is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(path.name + ".part")
    aside.write_text(json.dumps(content, ensure_ascii=False, indent=1, default=str) + "\n", encoding="utf-8")
    aside.replace(path)
