"""Commands that bring observations in, from files and web feeds, and print their statistics."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from yrd_airq.cli.options import JsonOption, StoreOption, as_day, as_hour, print_report
from yrd_airq.errors import InputError
from yrd_airq.jobs.workspace import Workspace
from yrd_airq.sources.batch import Kind


class IngestKind(StrEnum):
    """What the files given to ``ingest`` tell about."""

    stations = "stations"
    cities = "cities"
    weather = "weather"
    survey = "survey"
    enterprises = "enterprises"
    events = "events"

    @property
    def kinds(self) -> frozenset[Kind]:
        """Kinds of files that belong to it."""
        return {
            "stations": frozenset({Kind.STATIONS, Kind.STATION_LIST}),
            "cities": frozenset({Kind.CITIES, Kind.CITY_RELEASE, Kind.CITY_MODEL}),
            "events": frozenset({Kind.EXCEPTIONAL}),
        }.get(self.value) or frozenset({Kind(self.value)})


def ingest(
    kind: IngestKind,
    paths: Annotated[list[Path], typer.Argument(help="Files or folders.")],
    layout: Annotated[
        str | None, typer.Option("--layout", help="Name of the layout; default: recognised.")
    ] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take files into the store; refused rows go to quarantine with the reason.

    An unusable file is named and left out: exit code 2, the others are kept.
    """
    from yrd_airq.jobs.ingest import ingest_files

    report = ingest_files(Workspace.of(store), paths, kind.kinds, layout)
    print_report(report.as_dict(), as_json, report.lines)
    if report.left_out:
        named = "\n".join(f"  - {reason}" for _, reason in report.left_out)
        sys.stderr.write(f"yrd-airq: {len(report.left_out)} file(s) left out\n{named}\n")
        raise typer.Exit(2)


def fetch(
    source: Annotated[str, typer.Argument(help="Feed; see configs/feeds.yaml. 'list' names them all.")],
    first: Annotated[str | None, typer.Option("--from", help="First day or hour.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day or hour.")] = None,
    gaps: Annotated[bool, typer.Option("--fill-gaps", help="Only station hours that are missing.")] = False,
    station: Annotated[list[str] | None, typer.Option("--station", help="Station code; repeat.")] = None,
    city: Annotated[list[str] | None, typer.Option("--city", help="Adcode; repeat for several.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a web feed for a span of hours and take in what comes; exit code 4 if nothing could be had."""
    from yrd_airq.jobs.fetch import fetch as fetch_feed
    from yrd_airq.jobs.fetch import fill_gaps
    from yrd_airq.sources.web.feeds import FEEDS

    if source == "list":
        names = {feed.name: feed.gives for feed in FEEDS.values()}
        print_report(names, as_json, lambda: [f"{name:26}{gives}" for name, gives in names.items()])
        return
    workspace = Workspace.of(store)
    if gaps:
        if station or city:
            raise InputError("--fill-gaps asks for whole hours or days; leave out --station and --city")
        begin = as_day(first, "--from") if first else None
        report = fill_gaps(workspace, source, begin, as_day(last, "--to") if last else None)
    else:
        begin_hour = _label(first, "--from") if first else None
        end_hour = _label(last, "--to") if last else None
        report = fetch_feed(workspace, source, begin_hour, end_hour, stations=station, adcodes=city)
    print_report(report.as_dict(), as_json, report.lines)
    raise typer.Exit(report.exit_code)


def _label(text: str, option: str) -> datetime:
    """An hour label; a day without an hour means its first label (``--from``) or its last (``--to``)."""
    if len(text) > len("2019-01-01"):
        return as_hour(text, option)
    midnight = datetime.combine(as_day(text, option), datetime.min.time())
    return midnight + (timedelta(hours=1) if option == "--from" else timedelta(days=1))


class Span(StrEnum):
    """Length of time that one row of a statistic stands for."""

    hour = "hour"
    day = "day"
    month = "month"
    quarter = "quarter"
    year = "year"
    period = "period"


class Places(StrEnum):
    """What the rows of a statistic stand for."""

    cities = "cities"
    stations = "stations"


def stats(
    first: Annotated[str, typer.Option("--from", help="First day.")],
    last: Annotated[str, typer.Option("--to", help="Last day.")],
    scope: Annotated[Places, typer.Option("--of", help="Cities or stations.")] = Places.cities,
    step: Annotated[Span, typer.Option("--by", help="Length of a row.")] = Span.period,
    standard: Annotated[
        str, typer.Option("--standard", help="as_of_date, 'HJ 633-2012' or 'HJ 633-2026'.")
    ] = "as_of_date",
    stage: Annotated[str | None, typer.Option("--stage", help="Other limits of GB 3095.")] = None,
    compare: Annotated[
        int | None, typer.Option("--compare", help="Year to compare with, on one standard.")
    ] = None,
    exceptional: Annotated[
        bool, typer.Option("--exceptional", help="Also without exceptional events (例外事件).")
    ] = False,
    agreement: Annotated[
        bool, typer.Option("--agreement", help="Released running values beside recomputed ones instead.")
    ] = False,
    city: Annotated[list[str] | None, typer.Option("--city", help="Adcode; repeat for several.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="XLSX file, or folder for CSV files.")] = None,
    store: StoreOption = None,
    as_json: JsonOption = False,
) -> None:
    """Statistics by HJ 663: means, percentiles, validity, good days, composite index, rank, year on year."""
    from yrd_airq.jobs.stats import Scope, Step, statistics
    from yrd_airq.jobs.stats import agreement as compare_release

    workspace = Workspace.of(store)
    begin, end = as_day(first, "--from"), as_day(last, "--to")
    if agreement:
        told = compare_release(workspace, begin, end)
        print_report(told.as_dict(), as_json, told.lines)
        return
    report = statistics(
        workspace,
        Scope(scope.value),
        begin,
        end,
        Step(step.value),
        standard,
        compare,
        exceptional,
        city,
        stage,
    )
    print_report(report.as_dict(), as_json, report.lines)
    if out is not None:
        files = report.export(out)
        sys.stderr.write("".join(f"written: {path}\n" for path in files))
