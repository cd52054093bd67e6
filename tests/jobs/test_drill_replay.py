"""A control list in the drill world: read back and checked, carried out, compared with what it predicts."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from yrd_airq.cli import app
from yrd_airq.control.versions import compare_lists
from yrd_airq.drill.keep import keep_course
from yrd_airq.drill.settings import DrillSettings, load_scenario
from yrd_airq.drill.world import World, make_world
from yrd_airq.errors import InputError
from yrd_airq.jobs import drill_replay
from yrd_airq.jobs.drill_list import Version, orders_in_force, predict, read_control_list
from yrd_airq.jobs.drill_replay import open_world, replay_list
from yrd_airq.vocab import Target

FIRST, LAST = date(2026, 8, 20), date(2026, 8, 22)
HEAD = "enterprise_id,measure_code,start,end,benefit_o3_ugm3,benefit_pm25_ugm3"


def tiny_settings() -> DrillSettings:
    """The summer scenario cut down to three days around its event."""
    update = {
        "first_day": FIRST,
        "spin_up_days": 0,
        "checkpoint_days": 1,
        "issue_time": datetime(2026, 8, 21, 16),
        "last_day": LAST,
    }
    return load_scenario("summer_ozone").model_copy(update=update)


@pytest.fixture(scope="module")
def world() -> World:
    """A world of three days; its air is made by the tests that ask for it."""
    return make_world(tiny_settings())


@pytest.fixture(scope="module")
def kept(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that keeps the truth of the three days."""
    folder = tmp_path_factory.mktemp("kept")
    keep_course(folder / "truth", world.course, world.enterprises)
    return folder


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every scenario is the tiny one."""
    monkeypatch.setattr(drill_replay, "load_scenario", lambda name: tiny_settings())


def write_list(folder: Path, *rows: str, head: str = HEAD) -> Path:
    path = folder / "control_list.csv"
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def test_only_the_rows_that_order_something_are_read(world: World, tmp_path: Path) -> None:
    path = write_list(
        tmp_path,
        "DRILL0001,stop,2026-08-20,2026-08-22,0.5,0.25",
        "DRILL0002,,,,,",
        "DRILL0003,treat,2026-08-21,2026-08-22,-0.1,",
    )
    orders = read_control_list(path, world)
    assert orders["enterprise_id"].tolist() == ["DRILL0001", "DRILL0003"]
    assert orders["start"].tolist() == [pd.Timestamp(2026, 8, 20), pd.Timestamp(2026, 8, 21)]
    assert predict(orders) == pytest.approx({Target.O3_MDA8: 0.4, Target.PM25: 0.25})


def test_a_list_without_figures_predicts_nothing(world: World, tmp_path: Path) -> None:
    path = write_list(
        tmp_path, "DRILL0001,stop,2026-08-20,2026-08-22", head="enterprise_id,measure_code,start,end"
    )
    assert predict(read_control_list(path, world)) == {}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("PLANT-7,stop,2026-08-20,2026-08-22,,", "line 3: enterprise 'PLANT-7' is unknown in this world"),
        ("DRILL0002,halt,2026-08-20,2026-08-22,,", "line 3: measure 'halt' is unknown; known are limit_30"),
        ("DRILL0002,stop,20. August,2026-08-22,,", "line 3: start '20. August' is not a date"),
        (
            "DRILL0002,stop,2026-08-20,2026-09-01,,",
            "line 3: end 2026-09-01 lies outside the world (2026-08-20",
        ),
        ("DRILL0002,stop,2026-08-22,2026-08-20,,", "line 3: the order to DRILL0002 ends before it starts"),
        ("DRILL0001,treat,2026-08-21,2026-08-22,,", "line 3: DRILL0001 has two orders on one day"),
    ],
)
def test_a_faulty_row_is_named_by_its_line(world: World, tmp_path: Path, row: str, said: str) -> None:
    path = write_list(tmp_path, "DRILL0001,stop,2026-08-20,2026-08-21,,", row)
    with pytest.raises(InputError) as caught:
        read_control_list(path, world)
    assert said in str(caught.value)
    assert "1 fault(s)" in str(caught.value)


def test_all_faults_are_told_at_once(world: World, tmp_path: Path) -> None:
    path = write_list(tmp_path, "X,halt,soon,2026-08-20,,", "Y,stop,2026-08-20,never,,")
    with pytest.raises(InputError, match=r"5 fault\(s\)"):
        read_control_list(path, world)


def test_missing_columns_and_files_are_named(world: World, tmp_path: Path) -> None:
    path = write_list(tmp_path, "DRILL0001,2026-08-20", head="enterprise_id,start")
    with pytest.raises(InputError, match="column measure_code is missing"):
        read_control_list(path, world)
    with pytest.raises(InputError, match="no such file"):
        read_control_list(tmp_path / "none.csv", world)


def orders(*rows: tuple[str, str, str, str]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["enterprise_id", "measure_code", "start", "end"])
    return table.assign(start=pd.to_datetime(table["start"]), end=pd.to_datetime(table["end"]))


def issued(day: int, table: pd.DataFrame, misses_goal: bool = False) -> Version:
    return Version(pd.Timestamp(2026, 8, day, 16), table, misses_goal)


def test_a_list_that_misses_its_goal_sets_nobody_free() -> None:
    first = orders(("A", "stop", "2026-08-20", "2026-08-23"), ("B", "treat", "2026-08-20", "2026-08-23"))
    second = orders(("B", "stop", "2026-08-22", "2026-08-23"))
    held = orders_in_force([issued(19, first), issued(20, second, misses_goal=True)])
    assert [tuple(row) for row in held.astype(str).itertuples(index=False)] == [
        ("A", "stop", "2026-08-20", "2026-08-23"),
        ("B", "treat", "2026-08-20", "2026-08-21"),
        ("B", "stop", "2026-08-22", "2026-08-23"),
    ]


def test_orders_of_successive_lists_by_hand() -> None:
    # A goes on as before until its new measure starts; B is set free by the second list; C is new;
    # D is only told to stop in the second list, two days after the issue.
    first = orders(("A", "stop", "2026-08-20", "2026-08-23"), ("B", "treat", "2026-08-20", "2026-08-23"))
    second = orders(
        ("A", "limit_30", "2026-08-22", "2026-08-23"),
        ("C", "shift", "2026-08-21", "2026-08-23"),
        ("D", "stop", "2026-08-23", "2026-08-23"),
    )
    held = orders_in_force([issued(18, first), issued(20, second)])
    found = [tuple(row) for row in held.astype(str).itertuples(index=False)]
    assert found == [
        ("A", "stop", "2026-08-20", "2026-08-21"),
        ("A", "limit_30", "2026-08-22", "2026-08-23"),
        ("B", "treat", "2026-08-20", "2026-08-20"),
        ("C", "shift", "2026-08-21", "2026-08-23"),
        ("D", "stop", "2026-08-23", "2026-08-23"),
    ]


def test_who_was_set_free_stays_free_until_the_next_order_starts() -> None:
    first = orders(("A", "stop", "2026-08-20", "2026-08-23"))
    back = orders(("A", "treat", "2026-08-23", "2026-08-23"))
    held = orders_in_force([issued(19, first), issued(20, first.iloc[:0]), issued(21, back)])
    assert [tuple(row) for row in held.astype(str).itertuples(index=False)] == [
        ("A", "stop", "2026-08-20", "2026-08-20"),
        ("A", "treat", "2026-08-23", "2026-08-23"),
    ]


def test_what_a_version_changes() -> None:
    before = orders(
        ("A", "stop", "2026-08-20", "2026-08-23"),
        ("B", "treat", "2026-08-20", "2026-08-23"),
        ("E", "treat", "2026-08-20", "2026-08-23"),
    )
    now = orders(
        ("A", "limit_30", "2026-08-20", "2026-08-23"),
        ("C", "stop", "2026-08-21", "2026-08-23"),
        ("E", "treat", "2026-08-21", "2026-08-23"),
    )
    changes = compare_lists(before, now)
    assert changes[["enterprise_id", "change"]].to_numpy().tolist() == [
        ["C", "added"],
        ["A", "changed"],
        ["B", "removed"],
    ]
    assert set(compare_lists(None, now)["change"]) == {"added"}
    assert compare_lists(now, now).empty


def test_a_list_carried_out_beside_its_prediction(
    world: World, kept: Path, tiny: None, tmp_path: Path
) -> None:
    heavy = world.enterprises.nlargest(150, "pm_tpa")["enterprise_id"]
    path = write_list(tmp_path, *(f"{name},stop,2026-08-21,2026-08-22,0.01,0.02" for name in heavy))
    report = replay_list(path, "summer_ozone", folder=kept)
    assert report.ordered == 150
    assert report.closed == 0
    assert report.predicted == pytest.approx({Target.O3_MDA8: 1.5, Target.PM25: 3.0})
    assert len(report.changes) == 41 * 2 * len(report.changes["target"].unique())
    dust = report.changes[report.changes["target"] == "pm25"]
    assert dust["change"].mean() < -0.05
    assert report.true_fall[Target.PM25] > 0
    told = json.loads(json.dumps(report.as_dict(), default=str))
    assert told["label_zh"].startswith("演练")
    assert told["true_fall_ugm3"]["pm25"] == pytest.approx(report.true_fall[Target.PM25], abs=1e-3)
    lines = "\n".join(report.lines())
    assert "predicted    3.00" in lines
    assert "*苏州市" in lines


def test_a_list_that_orders_nothing_or_is_not_followed_changes_nothing(
    kept: Path, tiny: None, tmp_path: Path
) -> None:
    nothing = replay_list(write_list(tmp_path, "DRILL0001,,,,,"), "summer_ozone", folder=kept)
    assert nothing.changes.empty
    assert nothing.as_dict()["orders"] == 0
    assert nothing.lines()
    path = write_list(tmp_path, "DRILL0001,stop,2026-08-21,2026-08-22,,")
    ignored = replay_list(path, "summer_ozone", execution=0.0, folder=kept)
    assert ignored.changes.empty


def test_wrong_worlds_and_shares_are_refused(kept: Path, tiny: None, tmp_path: Path) -> None:
    path = write_list(tmp_path, "DRILL0001,stop,2026-08-21,2026-08-22,,")
    with pytest.raises(InputError, match="is no share"):
        replay_list(path, "summer_ozone", execution=1.2, folder=kept)
    with pytest.raises(InputError, match="holds no drill world"):
        replay_list(path, "summer_ozone", folder=tmp_path)
    with pytest.raises(InputError, match="name the scenario it was made for"):
        open_world(load_scenario("winter_haze"), kept)


def test_the_command_tells_of_a_wrong_scenario() -> None:
    result = CliRunner().invoke(app, ["drill", "replay", "--list", "x.csv", "--scenario", "spring"])
    assert isinstance(result.exception, InputError)
    assert "spring.yaml: no such file" in str(result.exception)
