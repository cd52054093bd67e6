"""The flows run without a server of their own and do what the plain functions do."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from prefect.testing.utilities import prefect_test_harness

from flows.daily_forecast import daily_forecast
from flows.event_guarantee import event_guarantee
from flows.fetch import fetch
from flows.train import train
from tests.conftest import ROOT
from yrd_airq.errors import InputError
from yrd_airq.vocab import Target

ISSUE = datetime(2026, 8, 18, 16)


@pytest.fixture(scope="module")
def _server() -> Iterator[None]:
    """Prefect's own throw-away server; it needs up to a minute to start on a busy machine."""
    with prefect_test_harness(server_startup_timeout=180):
        yield


@pytest.mark.usefixtures("_server")
def test_train_daily_and_event_flows_end_in_packs(
    drill_files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YRD_AIRQ_MODELS", str(tmp_path / "models"))
    store = tmp_path / "store.duckdb"
    daily = daily_forecast(folder=drill_files, issue_time=ISSUE, store=store, out=tmp_path / "out")
    assert (Path(daily["pack"]) / "brief.docx").is_file()
    report = train(targets=[Target.PM25], until=date(2026, 8, 10), store=store)
    assert [card["target"] for card in report["models"]] == ["pm25"]
    event = event_guarantee(
        event=ROOT / "configs" / "events" / "drill.yaml", issue_time=ISSUE, store=store, out=tmp_path / "out"
    )
    assert (Path(event["pack"]) / "control_list.csv").is_file()
    assert event["exit_code"] in (0, 3)
    assert (tmp_path / "snapshot" / "snapshot.json").is_file()
    with pytest.raises(InputError, match="feed 'nowhere' is not known"):
        fetch(feed="nowhere", store=store)
