"""Opening the store: busy, damaged, foreign and missing files, and a process that dies while writing."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.store import factories as make
from yrd_airq.errors import InputError, StoreBusyError
from yrd_airq.store.store import open_store

ROOT = Path(__file__).resolve().parents[2]

HOLD = """
import sys, time, duckdb
con = duckdb.connect(sys.argv[1])
print("open", flush=True)
time.sleep(60)
"""

DIE = """
import sys, time
from pathlib import Path
from tests.store import factories as make
from yrd_airq.store import ingesting
from yrd_airq.store.store import open_store
def stop(*_):
    print("in the middle", flush=True)
    time.sleep(60)
with open_store(Path(sys.argv[1])) as store:
    store.ingest(make.stations({("A1", h, "pm25"): h for h in range(500)}))
    ingesting._describe = stop
    store.ingest(make.stations({("A1", h, "pm25"): h + 1 for h in range(500)}, "b.csv"))
"""


def start(program: str, path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip()
    return process


def test_a_second_process_is_told_that_the_store_is_busy(tmp_path, monkeypatch):
    path = tmp_path / "store.duckdb"
    monkeypatch.setenv("YRD_AIRQ_STORE_WAIT", "0")
    with open_store(path):
        pass
    process = start(HOLD, path)
    try:
        for read_only in (False, True):
            busy = pytest.raises(StoreBusyError, match="another process holds the store; wait")
            with busy, open_store(path, read_only=read_only):
                pass
    finally:
        process.kill()
        process.wait()
    with open_store(path) as store:
        assert store.batches().empty


def test_a_busy_store_is_waited_for(tmp_path, monkeypatch):
    path = tmp_path / "store.duckdb"
    with open_store(path):
        pass
    process = start(HOLD.replace("60", "1"), path)
    with open_store(path) as store:
        assert store.batches().empty
    assert process.wait() == 0
    monkeypatch.setenv("YRD_AIRQ_STORE_WAIT", "long")
    with (
        pytest.raises(InputError, match="YRD_AIRQ_STORE_WAIT='long' is not a whole number"),
        open_store(path),
    ):
        pass


def test_a_killed_writer_leaves_only_whole_batches(tmp_path):
    path = tmp_path / "store.duckdb"
    process = start(DIE, path)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with open_store(path) as store:
        assert store.batches()["name"].tolist() == ["a.csv"]
        values = store.station_hourly(["pm25"], make.START, make.START.replace(hour=9))["pm25"]["A1"]
        assert values.tolist() == list(range(10))


@pytest.mark.parametrize("content", [b"", b"not a database" * 500], ids=["empty", "text"])
def test_a_file_that_is_no_database_is_named(tmp_path, content):
    path = tmp_path / "store.duckdb"
    path.write_bytes(content)
    with (
        pytest.raises(InputError, match=r"store\.duckdb: not a usable store.*move it away"),
        open_store(path),
    ):
        pass
    assert path.read_bytes() == content


def test_a_cut_off_store_is_named(tmp_path):
    path = tmp_path / "store.duckdb"
    with open_store(path) as store:
        store.ingest(make.stations({("A1", h, "pm25"): h for h in range(5000)}))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InputError, match="not a usable store"), open_store(path) as store:
        store.checksums()


def test_a_foreign_database_and_another_version_are_refused(tmp_path):
    foreign = tmp_path / "foreign.duckdb"
    with duckdb.connect(str(foreign)) as con:
        con.execute("CREATE TABLE t (x INTEGER)")
    with pytest.raises(InputError, match="not a store of this program"), open_store(foreign):
        pass
    other = tmp_path / "other.duckdb"
    with open_store(other):
        pass
    with duckdb.connect(str(other)) as con:
        con.execute("UPDATE schema_version SET version = 99")
    with pytest.raises(InputError, match="schema version 99, this program knows up to"), open_store(other):
        pass


def test_reading_a_missing_store_does_not_make_one(tmp_path):
    path = tmp_path / "store.duckdb"
    with pytest.raises(InputError, match="no such store"), open_store(path, read_only=True):
        pass
    assert not path.exists()


def test_read_only_reads_and_does_not_write(tmp_path):
    path = tmp_path / "store.duckdb"
    with open_store(path) as store:
        store.ingest(make.stations({("A1", 0, "pm25"): 1}))
    with open_store(path, read_only=True) as store:
        assert store.station_span() == (make.START, make.START)
    with pytest.raises(InputError, match="for reading only"), open_store(path, read_only=True) as store:
        store.ingest(make.stations({("A1", 0, "pm25"): 2}, "b.csv"))


def test_threads_come_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("YRD_AIRQ_THREADS", "many")
    with pytest.raises(InputError, match="YRD_AIRQ_THREADS='many'"), open_store(tmp_path / "store.duckdb"):
        pass
    monkeypatch.setenv("YRD_AIRQ_THREADS", "1")
    with open_store(tmp_path / "store.duckdb") as store:
        assert store.batches().empty
