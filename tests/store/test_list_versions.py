"""Enterprise lists and list versions in the store: as known then, whole or not at all, approvals for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pandas as pd
import pytest

from tests.store import factories as make
from yrd_airq.errors import InputError
from yrd_airq.sources.batch import ENTERPRISE_MEASURES
from yrd_airq.store import ingesting, list_versions
from yrd_airq.store.records import Approval, ListVersion
from yrd_airq.store.store import open_store

VERSION = ListVersion("g20", 1, "event-1", datetime(2016, 9, 1, 16), None, 2, 3.5, 4.0, "optimal")
EDIT = pd.DataFrame(
    {
        "enterprise_id": ["E1"],
        "action": "drop",
        "measure_code": [None],
        "reason": "x",
        "made_by": "王",
        "since_version": 2,
    }
)
CHANGE = pd.DataFrame(
    {
        "enterprise_id": ["E1"],
        "change": "removed",
        "measure_before": "stop",
        "measure_now": [None],
        "why_zh": "x",
    }
)


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "store.duckdb") as opened:
        yield opened


def parts(change: pd.DataFrame = CHANGE.iloc[:0], edit: pd.DataFrame = EDIT.iloc[:0]):
    return {
        "out_control_list": make.control_frame(),
        "out_control_change": change,
        "out_control_edit": edit,
    }


def test_the_list_as_it_was_known(store, monkeypatch):
    for day, ids in ((1, ["E1"]), (2, ["E1", "E2"])):
        monkeypatch.setattr(ingesting, "beijing_now", lambda day=day: datetime(2026, 1, day))
        store.ingest(make.enterprises(ids, f"{day}.csv"))
    assert len(store.enterprises()) == 2
    then = store.as_known(datetime(2026, 1, 1, 12))
    assert then.enterprises()["enterprise_id"].tolist() == ["E1"]
    assert len(then.batches()) == 1
    assert store.as_known(datetime(2025, 1, 1)).enterprises().empty


def test_who_is_to_be_called_stays_in_the_store(store):
    store.ingest(make.enterprises(["E1"]))
    assert not {"contact", "phone"} & set(store.enterprises().columns)


def test_a_list_that_says_the_same_is_no_new_version(store):
    first = make.enterprises(["E1", "E2"], "a.csv")
    store.ingest(first)
    version = store.enterprises()["list_version"].iloc[0]
    again = store.ingest(make.enterprises(["E2", "E1"], "b.csv"))
    assert (again.new_rows, again.already_known) == (0, False)
    assert store.enterprises()["list_version"].iloc[0] == version
    measures = ENTERPRISE_MEASURES.empty_table().to_pandas()
    measures.loc[0] = ["E1", "red", "stop", "停产", 1.0, None, None, None]
    details = type(first.rows).from_pandas(measures, schema=ENTERPRISE_MEASURES, preserve_index=False)
    other = store.ingest(replace(make.enterprises(["E1", "E2"], "c.csv"), details=details))
    assert other.new_rows == 2, "the same enterprises, but a measure more"
    assert store.enterprise_measures()["measure_code"].tolist() == ["stop"]
    assert not [check.name for check in store.check() if check.broken]


def test_a_version_is_written_whole_and_the_same_again(store, monkeypatch):
    monkeypatch.setattr(list_versions, "beijing_now", lambda: datetime(2026, 1, 1))
    store.write_list_version(VERSION, parts())
    second = replace(VERSION, list_version=2, run_id="event-2", previous_version=1)
    store.write_list_version(second, parts(CHANGE, EDIT))
    before = store.checksums()
    monkeypatch.setattr(list_versions, "beijing_now", lambda: datetime(2026, 1, 2))
    store.write_list_version(second, parts(CHANGE, EDIT))
    assert store.checksums() == before
    held = store.list_history("version", "g20")
    assert held["list_version"].tolist() == [1, 2]
    assert held["created_at"].tolist() == [datetime(2026, 1, 1)] * 2
    assert store.list_history("change", "g20", 2)["why_zh"].tolist() == ["x"]
    assert store.list_history("edit", "g20", 1).empty
    assert store.list_of_version("g20", 2)["enterprise_id"].tolist() == ["E1", "E2"]
    assert store.control_list("event-2")["list_version"].tolist() == [2, 2]
    assert store.control_list("event-9").empty
    assert store.list_of_version("g20", 9).empty
    assert store.list_history("version", "other").empty
    with pytest.raises(InputError, match="belongs to run event-2"):
        store.write_list_version(replace(second, run_id="event-3"), parts())
    assert not [check.name for check in store.check() if check.broken]


def test_an_interrupted_version_leaves_nothing(store, monkeypatch):
    before = store.checksums()
    broken = parts() | {"out_control_edit": EDIT.drop(columns="reason")}
    with pytest.raises(InputError, match="lack the column"):
        store.write_list_version(VERSION, broken)
    assert store.checksums() == before
    store.write_list_version(VERSION, parts())


def test_approvals_are_kept_for_ever_and_belong_to_a_version(store):
    store.write_list_version(VERSION, parts())
    store.approve(Approval("g20", 1, "event-1", "同意", "李处"))
    store.approve(Approval("g20", 1, "event-1", "", "王局"))
    assert store.list_history("approval", "g20")["made_by"].tolist() == ["李处", "王局"]
    for wrong in (
        Approval("g20", 2, "event-1", "", "李"),
        Approval("g20", 1, "event-9", "", "李"),
        Approval("x", 1, "event-1", "", "李"),
    ):
        with pytest.raises(InputError, match="holds no list version"):
            store.approve(wrong)
    with pytest.raises(InputError, match="name of who"):
        store.approve(Approval("g20", 1, "event-1", "", " "))
    assert len(store.list_history("approval")) == 2
