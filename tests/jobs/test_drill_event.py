"""A rehearsal: days in order, going on where it stopped, the truth at the end; each day's run is made up."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from yrd_airq.drill.keep import Course
from yrd_airq.drill.settings import DrillSettings, load_scenario
from yrd_airq.drill.stations import Truth
from yrd_airq.drill.world import World, make_world
from yrd_airq.errors import InputError
from yrd_airq.jobs import drill_event
from yrd_airq.jobs.drill_event import RehearsalReport, rehearse
from yrd_airq.jobs.pack import PackReport
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.store.store import open_store
from yrd_airq.vocab import Pollutant

ISSUE = datetime(2026, 8, 19, 16)
LISTS = {
    date(2026, 8, 19): ["DRILL0001,stop", "DRILL0002,treat"],
    date(2026, 8, 20): ["DRILL0001,limit_50", "DRILL0003,stop"],
    date(2026, 8, 21): ["DRILL0003,stop"],
}


class Stage:
    """A world with a made-up truth, and day's runs that write a list and a forecast and note their calls."""

    def __init__(self) -> None:
        self.settings: DrillSettings = load_scenario("summer_ozone").model_copy(
            update={"first_day": date(2026, 8, 15), "issue_time": ISSUE, "last_day": date(2026, 8, 23)}
        )
        self.world = self._world()
        self.calls: list[str] = []
        self.fails_on: date | None = None
        self.carried: pd.DataFrame | None = None

    def _world(self) -> World:
        world = make_world(self.settings)
        hours = pd.date_range("2026-08-15 01:00", "2026-08-24 00:00", freq="h")
        ones = np.ones((len(hours), len(world.network.codes)))
        values = {pollutant: 80 * ones for pollutant in Pollutant}
        world.__dict__["course"] = Course(Truth(hours, values, world.network), {})
        return world

    def note(self, what: str, day: date) -> None:
        self.calls.append(f"{what} {day:%d}")

    def write_first(self, folder: Path, world: World) -> None:
        self.note("world", world.settings.issue_time.date())

    def write_next(self, folder: Path, world: World, day: date) -> None:
        self.note("day", day)

    def run(self, workspace: Workspace, event_file: Path, issue: datetime) -> PackReport:
        if issue.date() == self.fails_on:
            raise KeyboardInterrupt
        self.note("run", issue.date())
        pack = workspace.out / f"drill-{issue:%Y%m%dT%H%M}"
        pack.mkdir(parents=True, exist_ok=True)
        rows = [f"{row},2026-08-20,2026-08-22" for row in LISTS[issue.date()]]
        text = "\n".join(["enterprise_id,measure_code,start,end", *rows]) + "\n"
        (pack / "control_list.csv").write_text(text, encoding="utf-8")
        with open_store(workspace.store) as store:
            store.write_output(
                "out_forecast", f"forecast-{issue:%d}", forecast_rows(issue).assign(basis="own")
            )
        return PackReport(f"event-{issue:%d}", "event", issue, pack, "结论", 0)

    def carry_out(self, world: World, orders: pd.DataFrame, execution: float) -> pd.DataFrame:
        self.carried = orders
        days = [date(2026, 8, 21), date(2026, 8, 22)]
        rows = [("320500", "苏州市", day, "pm25", 80.0, 77.0, -3.0) for day in days]
        return pd.DataFrame(
            rows, columns=["adcode", "city_zh", "date", "target", "base", "controlled", "change"]
        )


def forecast_rows(issue: datetime) -> pd.DataFrame:
    """Forecasts of one city whose value tells the issue day; persistence beside them."""
    rows = [
        {
            "adcode": "320500",
            "issue_time": issue,
            "valid_date": date(2026, 8, day),
            "lead_day": day - issue.day,
            "target": "pm25",
            "model": model,
            "mean": value,
            "q10": value - 5,
            "q50": value,
            "q90": value + 5,
            "p_exceed": 0.5,
            "call_from": 0.3,
            "weather_kind": "forecast",
        }
        for day in range(issue.day + 1, issue.day + 8)
        for model, value in (("lightgbm", float(issue.day)), ("persistence", 0.0))
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage()
    replaced: dict[str, Any] = {
        "load_scenario": lambda name: made.settings,
        "open_world": lambda settings: made.world,
        "write_world": made.write_first,
        "write_day": made.write_next,
        "ingest_folder": lambda workspace, folder: None,
        "run_event": made.run,
        "carry_out_orders": made.carry_out,
    }
    for name, value in replaced.items():
        monkeypatch.setattr(drill_event, name, value)
    return made


def test_every_day_is_played_in_order(stage: Stage, tmp_path: Path) -> None:
    report = rehearse(tmp_path)
    assert stage.calls == ["world 19", "run 19", "day 20", "run 20", "day 21", "run 21"]
    assert [morning.version for morning in report.mornings] == [1, 2, 3]
    told = [[(row["enterprise_id"], row["change"]) for row in m.changes] for m in report.mornings]
    assert told[0] == [("DRILL0001", "added"), ("DRILL0002", "added")]
    assert told[1] == [("DRILL0003", "added"), ("DRILL0001", "changed"), ("DRILL0002", "removed")]
    assert told[2] == [("DRILL0001", "removed")]
    assert report.label_zh.startswith("演练")
    assert "list 2: 2 orders (1 added, 1 removed, 1 changed)" in "\n".join(report.lines())
    check_truth(report, stage, tmp_path)


def check_truth(report: RehearsalReport, stage: Stage, out: Path) -> None:
    """The truth beside the newest forecast before each day."""
    rows = report.outcome.set_index("date")
    # The 21st was last forecast on the 20th, the 22nd on the 21st; lists changed 80 to 77.
    assert rows["forecast"].tolist() == [20.0, 21.0]
    assert rows["base"].tolist() == [80.0, 80.0]
    assert rows["controlled"].tolist() == [77.0, 77.0]
    assert stage.carried is not None
    assert stage.carried.astype(str).to_numpy().tolist() == [
        ["DRILL0001", "stop", "2026-08-20", "2026-08-20"],
        ["DRILL0001", "limit_50", "2026-08-21", "2026-08-21"],
        ["DRILL0002", "treat", "2026-08-20", "2026-08-20"],
        ["DRILL0003", "stop", "2026-08-21", "2026-08-22"],
    ]
    kept = json.loads((out / "outcome.json").read_text(encoding="utf-8"))
    assert kept == json.loads(json.dumps(report.as_dict(), default=str))
    assert (out / "carried_out.csv").read_text(encoding="utf-8").count("\n") == 5


def test_a_stopped_rehearsal_goes_on_and_loses_nothing(stage: Stage, tmp_path: Path) -> None:
    stage.fails_on = date(2026, 8, 21)
    with pytest.raises(KeyboardInterrupt):
        rehearse(tmp_path)
    assert stage.calls == ["world 19", "run 19", "day 20", "run 20", "day 21"]
    stage.fails_on, stage.calls = None, []
    report = rehearse(tmp_path)
    assert stage.calls == ["day 21", "run 21"]
    assert report.resumed == 2
    assert [morning.orders for morning in report.mornings] == [2, 2, 1]
    check_truth(report, stage, tmp_path)
    stage.calls = []
    assert rehearse(tmp_path).resumed == 3
    assert stage.calls == []


def test_wrong_numbers_of_days(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="1 to 3 can be played"):
        rehearse(tmp_path, days=4)


def test_a_folder_belongs_to_one_rehearsal(stage: Stage, tmp_path: Path) -> None:
    rehearse(tmp_path, days=1)
    with pytest.raises(InputError, match="name another --out"):
        rehearse(tmp_path, days=1, execution=0.7)


def test_an_event_outside_the_scenario_is_refused(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not lie between the issue time"):
        rehearse(tmp_path, "drill_autumn")
    with pytest.raises(InputError, match=r"nowhere\.yaml: no such file"):
        rehearse(tmp_path, "nowhere")
