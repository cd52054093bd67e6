"""From a feed to the store: what comes is kept, what lacks is said, what is at hand is not asked again."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from tests.sources.web.site import Reply
from tests.sources.web.test_archive_mirror import NAMES, day_file
from yrd_airq.errors import InputError, SourceUnavailableError
from yrd_airq.jobs.fetch import fetch, fill_gaps
from yrd_airq.jobs.upkeep import check_store, list_gaps
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.store.store import open_store

FIRST, LAST = datetime(2023, 1, 1, 1), datetime(2023, 1, 3, 23)


@pytest.fixture
def workspace(tmp_path):
    return Workspace.of(tmp_path / "store.duckdb")


@pytest.fixture
def ask(workspace, point, clock):
    def run(feed="archive-mirror", first=FIRST, last=LAST, **more):
        return fetch(workspace, feed, first, last, settings=point(), timing=clock.timing(), **more)

    return run


@pytest.fixture
def fill(workspace, point, clock):
    def run(feed="archive-mirror", first=date(2023, 1, 1), last=date(2023, 1, 3)):
        return fill_gaps(workspace, feed, first, last, settings=point(), timing=clock.timing())

    return run


def test_days_come_in_and_a_second_run_asks_for_nothing(ask, site, workspace):
    for name in NAMES:
        site.on(f"/{name}", Reply(day_file(name[12:20])))
    report = ask()
    assert report.new_rows == 3 * 24 * 15 * 2
    assert report.exit_code == 0
    assert check_store(workspace).sound
    asked = len(site.asked)
    again = ask()
    assert (again.new_rows, again.skipped, again.exit_code) == (0, 3, 0)
    assert len(site.asked) == asked
    assert "0 new rows" in again.lines()[0]


def test_a_run_that_lost_a_day_is_completed_by_running_again(ask, site, workspace):
    site.on(f"/{NAMES[0]}", Reply(day_file("20230101")))
    site.on(f"/{NAMES[1]}", Reply("<html>", 500))
    site.on(f"/{NAMES[2]}", Reply(day_file("20230103")))
    report = ask()
    assert [piece.what for piece in report.problems] == [NAMES[1]]
    assert report.exit_code == 0, "two days came"
    assert NAMES[1] in "\n".join(report.lines())
    site.on(f"/{NAMES[1]}", Reply(day_file("20230102")))
    site.asked.clear()
    assert ask().new_rows == 24 * 15 * 2
    assert site.paths() == [f"/{NAMES[1]}"]
    with open_store(workspace.store) as store:
        assert store.gaps(FIRST, LAST).empty


def test_a_feed_that_is_out_of_reach_is_exit_code_4_and_leaves_the_store_alone(ask, site, workspace):
    for name in NAMES:
        site.on(f"/{name}", Reply("down", 503))
    report = ask()
    assert report.new_rows == 0
    assert report.exit_code == 4
    with pytest.raises(SourceUnavailableError):
        report.checked()
    assert not workspace.store.exists()


def test_gaps_are_asked_for_day_by_day_and_what_a_feed_lacks_is_not_asked_twice(ask, fill, site, workspace):
    site.on(f"/{NAMES[0]}", Reply(day_file("20230101")))
    site.on(f"/{NAMES[1]}", Reply(day_file("20230102", hours=24)))
    site.on(f"/{NAMES[2]}", Reply("x", 404))
    ask()
    assert list_gaps(workspace).gaps.empty, "up to the last hour there is none"
    gaps = list_gaps(workspace, date(2023, 1, 1), date(2023, 1, 3)).gaps
    assert gaps["hours"].unique().tolist() == ["24", "1-24"], (
        "the last hour of the 2nd stands in the 3rd's file"
    )
    site.asked.clear()
    site.on(f"/{NAMES[2]}", Reply(day_file("20230103", hours=20)))
    report = fill()
    assert sorted(site.paths()) == [f"/{NAMES[2]}", "/china_sites_20230104.csv"]
    assert report.new_rows == 20 * 15 * 2
    assert list_gaps(workspace, date(2023, 1, 1), date(2023, 1, 3)).gaps["hours"].unique().tolist() == [
        "20-24"
    ]
    site.asked.clear()
    fill()
    assert site.paths() == ["/china_sites_20230104.csv"], "the 3rd's final file has been read"


def test_gaps_can_only_be_asked_of_feeds_with_station_hours(fill):
    with pytest.raises(InputError, match="cnemc and archive-mirror can"):
        fill("open-meteo-air")
    with pytest.raises(InputError, match="no such store"):
        fill()
