"""Versions of an event's list over runs: numbered, revised, approved, interrupted, the same again.

The solver is a made-up one that orders what the edits say, so that the way of the versions alone is tested.
"""

from __future__ import annotations

import csv
import io
import zipfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from typer.testing import CliRunner

from tests.brief.factories import make_enterprises, make_event_brief, make_plan
from tests.brief.factories import make_event as make_g20
from tests.conftest import ROOT
from tests.sources.factories import PLANT_COLUMNS, plant, write_lines
from yrd_airq.brief.content import Brief, read_pack, write_pack
from yrd_airq.brief.outline import make_outline
from yrd_airq.brief.plain import write_plain
from yrd_airq.brief.render import render
from yrd_airq.brief.tables import write_csv
from yrd_airq.brief.version_section import write_difference
from yrd_airq.cli import app
from yrd_airq.control.plan import Plan
from yrd_airq.errors import InputError
from yrd_airq.jobs import revising, run
from yrd_airq.jobs.list_history import list_history
from yrd_airq.jobs.list_version import Draft, keep_version
from yrd_airq.jobs.pack import PackReport
from yrd_airq.jobs.revising import approve, revise
from yrd_airq.jobs.run import run_event
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.sources.reading import read
from yrd_airq.store.store import Store, open_store

G20 = ROOT / "configs" / "events" / "g20-hangzhou-2016.yaml"
ISSUE = datetime(2016, 9, 1, 16)
PHONE = "13912345678"
EXTRA = ",grade,exempt,exempt_reason,contact,phone"


@cache
def base_brief() -> Brief:
    return make_event_brief()


@cache
def base_plan() -> Plan:
    return make_plan(make_enterprises(), make_g20())


@dataclass
class Stage:
    """A store with an enterprise list, and a made-up run whose plan orders ``wanted`` as the edits allow."""

    workspace: Workspace
    wanted: dict[str, str]
    need: float = 9.0
    facts: tuple[str, ...] = ()
    breaks_off: bool = False
    whole_packs: bool = False

    def render(self, brief: Brief, out: Path) -> Path:
        return render(brief, out) if self.whole_packs else render_light(brief, out)

    def plan(self, store: Store, *_: Any, edits: Any, previous: Any, tiers: Any) -> SimpleNamespace:
        listed = store.enterprises()
        orders = {k: m for k, m in self.wanted.items() if k in set(listed["enterprise_id"])}
        orders = {k: m for k, m in orders.items() if k not in edits.drop}
        orders |= {k: m or orders.get(k, "treat") for k, m in edits.keep.items()}
        made = base_plan()
        rows = made.list.iloc[: len(orders)].copy()
        rows["enterprise_id"], rows["measure_code"] = list(orders), list(orders.values())
        rows["name_zh"] = rows["enterprise_id"].map(listed.set_index("enterprise_id")["name_zh"])
        rows["measure_zh"], rows["status"] = rows["measure_code"], "selected"
        start = max(make_g20().control_start, (self.issue + timedelta(days=1)).date()).isoformat()
        rows["start"], rows["end"] = start, "2016-09-05"
        status = ["selected" if k in orders else "not_selected" for k in listed["enterprise_id"]]
        outcomes = listed[["enterprise_id"]].assign(status=status, why_zh="")
        receptors = made.receptors.assign(required_ugm3=self.need)
        plan = SimpleNamespace(**{**vars(made), "list": rows, "outcomes": outcomes, "receptors": receptors})
        return SimpleNamespace(plan=plan, enterprises=listed)

    def write(self, workspace: Workspace, store: Store, *rest: Any) -> PackReport:
        occasion = rest[-1]
        draft: Draft = occasion.draft
        version = keep_version(store, draft, occasion.guarantee)
        if self.breaks_off:
            raise KeyboardInterrupt
        brief = base_brief()
        header = brief.header.model_copy(update={"run_id": draft.run_id, "issue_time": draft.issue_time})
        brief = brief.model_copy(update={"header": header, "list_version": version})
        pack = self.render(brief, workspace.out / draft.pack_name)
        code = 3 if self.need > 20 else 0
        return PackReport(draft.run_id, "event", draft.issue_time, pack, "结论", code)

    def issue_at(self, time: datetime) -> PackReport:
        self.issue = time
        return run_event(self.workspace, G20, time)

    def revise(self, pack: Path, *edits: str) -> PackReport:
        file = self.workspace.out.parent / "edits.csv"
        file.write_text("\n".join(["企业,动作,措施,理由,填报人", *edits]), encoding="utf-8")
        return revise(self.workspace, pack, file)


def take_in(workspace: Workspace, *rows: str, name: str = "plants.csv") -> None:
    path = write_lines(workspace.out.parent / name, PLANT_COLUMNS + EXTRA, *rows)
    with open_store(workspace.store) as store:
        store.ingest(read(path))


ROWS = [plant(f"E{k}", name=f"厂{k}", extra=f"C,,,张三丰,{PHONE}") for k in range(1, 6)]


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    made = Stage(Workspace(tmp_path / "store.duckdb", tmp_path / "models", tmp_path / "out"), {})
    made.wanted = {"E1": "stop", "E2": "treat", "E3": "limit_30"}
    take_in(made.workspace, *ROWS)

    def read_issue(store: Store, time: datetime) -> SimpleNamespace:
        made.issue = time
        return SimpleNamespace(issue_time=time)

    facts = {
        "read_issue": read_issue,
        "check_event": lambda *_: None,
        "issue_forecast": lambda *_: SimpleNamespace(rows=None),
        "keep_forecast": lambda *_: "forecast",
        "detail_issue": lambda *_: SimpleNamespace(running=None),
        "foresee_emergency": lambda *_: SimpleNamespace(foresight=SimpleNamespace(tiers={})),
        "run_facts": lambda store, issued, file: (
            f"{made.issue}",
            *store.batches()["content_hash"],
            *made.facts,
        ),
        "plan_guarantee": made.plan,
        "write_pack": made.write,
    }
    for name, value in facts.items():
        monkeypatch.setattr(run, name, value)
    monkeypatch.setattr(revising, "is_drill", lambda store: False)
    monkeypatch.setattr(revising, "render", made.render)
    return made


def difference(pack: Path) -> list[tuple[str, str, str]]:
    with (pack / "difference.csv").open(encoding="utf-8-sig", newline="") as file:
        return [(row["enterprise_id"], row["change"], row["why_zh"]) for row in csv.DictReader(file)]


def contents(pack: Path) -> dict[str, bytes]:
    return {str(f.relative_to(pack)): f.read_bytes() for f in sorted(pack.rglob("*")) if f.is_file()}


def checksums(stage: Stage) -> dict[str, str]:
    with open_store(stage.workspace.store) as store:
        return store.checksums()


def test_versions_follow_each_other_and_a_rerun_is_the_same(stage: Stage) -> None:
    first = stage.issue_at(ISSUE)
    assert not (first.pack / "difference.csv").exists()
    bytes_before, rows_before = contents(first.pack), checksums(stage)
    again = stage.issue_at(ISSUE)
    assert (again.run_id, again.pack) == (first.run_id, first.pack)
    assert contents(again.pack) == bytes_before
    assert checksums(stage) == rows_before
    stage.wanted, stage.need = {"E1": "limit_30", "E2": "treat", "E4": "stop"}, 12.0
    second = stage.issue_at(ISSUE + timedelta(days=1))
    assert difference(second.pack) == [
        ("E4", "added", "预报变化，最大削减需求由9.0变为12.0μg/m³，须加强管控"),
        ("E1", "changed", "预报变化，最大削减需求由9.0变为12.0μg/m³，须加强管控"),
        ("E3", "removed", "按新一期预报重新优选，不再需要"),
    ]
    part = read_pack(second.pack).list_version
    assert part is not None
    assert (part.list_version, part.previous_version, part.enterprises) == (2, 1, 3)
    bytes_before = contents(second.pack)
    stage.wanted, stage.need = {"E1": "stop", "E2": "treat", "E3": "limit_30"}, 9.0
    assert stage.issue_at(ISSUE).run_id == first.run_id, "an earlier issue again is its old version"
    report = list_history(stage.workspace, "g20-hangzhou-2016")
    assert report.versions["list_version"].tolist() == [1, 2]
    assert report.versions[["added", "removed", "changed"]].to_numpy().tolist() == [[0, 0, 0], [1, 1, 1]]
    assert contents(second.pack) == bytes_before


def test_edits_are_honoured_stay_in_force_and_can_be_withdrawn(stage: Stage) -> None:
    first = stage.issue_at(ISSUE)
    revised = stage.revise(first.pack, "厂3,剔除,,停产检修,王", "E5,改措施,提高治理效率,群众举报,王")
    assert revised.pack.name == f"{first.pack.name}-v2"
    assert difference(revised.pack) == [
        ("E5", "added", "预报员修订，改措施：群众举报（王）"),
        ("E3", "removed", "预报员修订，剔除：停产检修（王）"),
    ]
    before, rows = contents(revised.pack), checksums(stage)
    same = stage.revise(first.pack, "厂3,剔除,,停产检修,王", "E5,改措施,提高治理效率,群众举报,王")
    assert (same.run_id, contents(same.pack), checksums(stage)) == (revised.run_id, before, rows)
    assert stage.issue_at(ISSUE).run_id == revised.run_id, "a rerun of the issue keeps the edits"
    later = stage.issue_at(ISSUE + timedelta(days=1))
    part = read_pack(later.pack).list_version
    assert part is not None
    assert [(e.enterprise_id, e.since_version, e.lapsed) for e in part.edits] == [
        ("E3", 2, False),
        ("E5", 2, False),
    ]
    assert part.changes == ()
    fourth = stage.revise(later.pack, "E3,撤销,,检修结束,李")
    assert difference(fourth.pack) == [("E3", "added", "预报员修订引起的重新优选")]
    part = read_pack(fourth.pack).list_version
    assert part is not None
    assert [e.enterprise_id for e in part.edits] == ["E5"]
    with pytest.raises(InputError, match="list version 1 of event g20-hangzhou-2016 is not the newest"):
        stage.revise(first.pack, "E1,剔除,,x,王")


def test_an_edit_that_the_list_no_longer_admits_lapses(stage: Stage) -> None:
    first = stage.issue_at(ISSUE)
    stage.revise(first.pack, "E5,改措施,提高治理效率,群众举报,王")
    take_in(stage.workspace, *ROWS[:4], name="newer.csv")
    later = stage.issue_at(ISSUE + timedelta(days=1))
    part = read_pack(later.pack).list_version
    assert part is not None
    assert [(e.enterprise_id, e.lapsed) for e in part.edits] == [("E5", True)]
    assert difference(later.pack) == [("E5", "removed", "现行企业清单中已无该企业")]
    assert "本期不适用" in text_of(later.pack)


def test_a_revision_sees_the_list_of_its_pack(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    first = stage.issue_at(ISSUE)
    monkeypatch.setattr("yrd_airq.store.ingesting.beijing_now", lambda: datetime(2100, 1, 1))
    take_in(stage.workspace, *ROWS[:1], name="newer.csv")
    revised = stage.revise(first.pack, "E2,剔除,,x,王")
    assert difference(revised.pack) == [("E2", "removed", "预报员修订，剔除：x（王）")]


def test_an_interrupted_revision_is_made_good(stage: Stage) -> None:
    first = stage.issue_at(ISSUE)
    before = contents(first.pack)
    stage.breaks_off = True
    with pytest.raises(KeyboardInterrupt):
        stage.revise(first.pack, "E3,剔除,,x,王")
    stage.breaks_off = False
    assert contents(first.pack) == before
    revised = stage.revise(first.pack, "E3,剔除,,x,王")
    assert difference(revised.pack) == [("E3", "removed", "预报员修订，剔除：x（王）")]
    assert list_history(stage.workspace).versions["list_version"].tolist() == [1, 2]


def test_approvals_are_told_and_outlived(stage: Stage) -> None:
    first = stage.issue_at(ISSUE)
    assert "未经审批" in text_of(first.pack)
    report = approve(stage.workspace, first.pack, "李处", "同意")
    assert report.list_version == 1
    told = text_of(first.pack)
    assert "李处于" in told
    assert "未经审批" not in told
    assert "清单第1版 · 已由李处于" in told
    approved = contents(first.pack)
    stage.issue_at(ISSUE)
    assert contents(first.pack) == approved, "a rerun of an approved version says so too"
    stage.wanted = {"E1": "stop"}
    later = text_of(stage.issue_at(ISSUE + timedelta(days=1)).pack)
    assert "第1版已由李处于" in later
    assert "本版已对其作出调整，未经审批" in later
    lines = "\n".join(list_history(stage.workspace).lines())
    assert "approved by 李处" in lines
    assert "version 2 after 1" in lines
    assert "not approved" in lines


def text_of(pack: Path) -> str:
    return (pack / "brief.md").read_text(encoding="utf-8")


def render_light(brief: Brief, out: Path) -> Path:
    """What the tests look at of a pack, without pictures and typesetting."""
    out.mkdir(parents=True, exist_ok=True)
    write_csv(brief, out / "control_list.csv")
    if brief.list_version is not None and brief.list_version.previous_version is not None:
        write_difference(brief, out / "difference.csv")
    write_plain(make_outline(brief), out / "brief.md")
    write_pack(brief, out / "pack.json")
    return out


def test_no_phone_leaves_the_store(stage: Stage) -> None:
    take_in(
        stage.workspace, *ROWS, plant("E9", name=f"厂9电{PHONE}", extra=f"C,,,张三丰,{PHONE}"), name="b.csv"
    )
    stage.wanted["E9"] = "stop"
    stage.whole_packs = True
    first = stage.issue_at(ISSUE)
    second = stage.revise(first.pack, f"E3,剔除,,致电{PHONE},王")
    approve(stage.workspace, second.pack, "李处")
    with open_store(stage.workspace.store) as store:
        store.snapshot(stage.workspace.out.parent / "copy")
    planted = next((stage.workspace.out.parent / "copy").glob("core_enterprise.*.parquet"))
    assert set(pd.read_parquet(planted)["phone"]) == {PHONE}, "the store itself knows it"
    for pack in (first.pack, second.pack):
        for name, data in contents(pack).items():
            members = [data]
            if name.endswith((".docx", ".xlsx")):
                with zipfile.ZipFile(io.BytesIO(data)) as book:
                    members = [book.read(member) for member in book.namelist()]
            for text in members:
                assert PHONE.encode() not in text, name
                assert "张三丰".encode() not in text, name
    assert PHONE not in str(list_history(stage.workspace).as_dict())


@pytest.mark.parametrize("pack", ["nowhere", "daily"])
def test_packs_that_cannot_be_revised(stage: Stage, tmp_path: Path, pack: str) -> None:
    first = stage.issue_at(ISSUE)
    if pack == "daily":
        brief = read_pack(first.pack).model_copy(update={"list_version": None})
        render_light(brief, tmp_path / "daily")
    message = "not a brief pack" if pack == "nowhere" else "carries no list version"
    with pytest.raises(InputError, match=message):
        stage.revise(tmp_path / pack, "E3,剔除,,x,王")
    with pytest.raises(InputError, match=message):
        approve(stage.workspace, tmp_path / pack, "李")


def test_a_pack_of_another_store_is_refused(stage: Stage, tmp_path: Path) -> None:
    first = stage.issue_at(ISSUE)
    other = Workspace(tmp_path / "other.duckdb", tmp_path / "models", tmp_path / "out")
    take_in(other, *ROWS)
    stage.workspace = other
    with pytest.raises(InputError, match="this store has not made run"):
        stage.revise(first.pack, "E3,剔除,,x,王")
    with pytest.raises(InputError, match="holds no list version 1"):
        approve(other, first.pack, "李")


def test_the_commands(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    first = stage.issue_at(ISSUE)
    stage.need = 99.0
    edits = stage.workspace.out.parent / "e.yaml"
    edits.write_text("author: 王\nedits: [{enterprise: E1, action: 剔除, reason: x}]\n", encoding="utf-8")
    store = ["--store", str(stage.workspace.store)]
    runner = CliRunner()
    done = runner.invoke(app, ["revise", str(first.pack), "--edits", str(edits), *store])
    assert done.exit_code == 3, "the goal is missed; the plan is written all the same"
    assert (first.pack.parent / f"{first.pack.name}-v2" / "control_list.csv").is_file()
    done = runner.invoke(app, ["approve", str(first.pack), "--by", "李处", *store])
    assert done.exit_code == 0
    done = runner.invoke(app, ["lists", "g20-hangzhou-2016", *store, "--json"])
    assert '"list_version": 2' in done.stdout
    wrong = runner.invoke(app, ["lists", "nothing", *store])
    assert isinstance(wrong.exception, InputError)
