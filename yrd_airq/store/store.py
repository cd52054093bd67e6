"""The store as other rooms see it: take batches in, read series, write what is derived and issued."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import duckdb
import pandas as pd

from yrd_airq.sources.batch import Batch, Kind
from yrd_airq.store import (
    archive,
    checking,
    contents,
    corrections,
    derived,
    gaps,
    ingesting,
    issued,
    judgements,
    list_versions,
    observations,
    snapshots,
)
from yrd_airq.store.checking import Check
from yrd_airq.store.connecting import FILE_TROUBLE, connect, explain, read_frame
from yrd_airq.store.list_versions import ListPart
from yrd_airq.store.records import Approval, Correction, Ingested, Judgement, ListVersion, RunRecord
from yrd_airq.vocab import CityDaySource


@contextmanager
def open_store(path: Path, read_only: bool = False) -> Iterator[Store]:
    """The store at ``path`` while the block lasts; it is made if missing, unless ``read_only``.

    One process at a time holds it. Raises ``StoreBusyError`` if another does, ``InputError`` if the file
    is missing in read-only mode, damaged (even where that shows only on reading), not a store, of
    another schema version, or written to in read-only mode.
    """
    con = connect(Path(path), read_only)
    try:
        yield Store(con)
    except FILE_TROUBLE as exc:
        raise explain(Path(path), exc) from exc
    finally:
        con.close()


class Store:
    """An open store; made by ``open_store``.

    Frames that are read come sorted, with text as ``str``, days and times as datetime64 (naive Beijing)
    and NaN for unknown. Writers replace their part in one transaction and return False where the same
    rows were there already.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, known_at: datetime | None = None) -> None:
        self._con = con
        self._known_at = known_at

    def as_known(self, time: datetime) -> Store:
        """The store without the lists, surveys and weather files that were taken in after ``time``.

        Series of values are not cut: readers ask for them up to a time themselves.
        """
        return Store(self._con, time)

    def ingest(self, batch: Batch) -> Ingested:
        """Take in one file's batch, whole or not at all; content that is known changes nothing."""
        return ingesting.ingest(self._con, batch)

    def known(self, kind: Kind, layout: str, content_hash: str) -> Ingested | None:
        """What the store says of a content that it has taken in already, or None; saves reading it again.

        Not for weather files, whose present path has to be noted: hand those to ``ingest``.
        """
        return ingesting.find_known(self._con, kind, layout, content_hash)

    def batches(self) -> pd.DataFrame:
        """Every batch in the columns of the table ``batch``, in order.

        ``rows_in`` = ``rows`` + the rows in quarantine; ``new_rows`` of them were not held with the same
        value, and ``first_time`` … ``last_time`` is the span of these.
        """
        return read_frame(
            self._con,
            "SELECT * FROM batch WHERE ingested_at <= ? ORDER BY batch_id",
            [self._known_at or datetime.max],
        )

    def quarantine(self) -> pd.DataFrame:
        """Every refusal: batch_id, row (0: whole file or column), field, reason, content, rows, file name."""
        return read_frame(
            self._con,
            """SELECT q.*, b.name FROM quarantine q JOIN batch b USING (batch_id)
            ORDER BY batch_id, "row", field, reason, content""",
        )

    def station_hourly(
        self, items: Sequence[str], first: datetime, last: datetime, known_at: datetime | None = None
    ) -> dict[str, pd.DataFrame]:
        """Latest values by item: hours ``first`` … ``last`` down, sorted station codes across, NaN missing.

        All items have the same columns. ``known_at`` leaves out batches taken in later.
        """
        return observations.station_hourly(self._con, items, first, last, known_at)

    def station_span(self) -> tuple[datetime, datetime] | None:
        """First and last hour of any station value, or None without any."""
        return observations.station_span(self._con)

    def station_list(self) -> pd.DataFrame:
        """One row a station and period of validity: see ``stations.station_periods``."""
        return observations.station_list(self._con)

    def reporting(self, month: date) -> pd.DataFrame:
        """Who sent what in the natural days of a calendar month: station_code, pollutant, first_batch.

        ``first_batch`` is the batch that brought the first of the values.
        """
        return observations.reporting(self._con, month)

    def values_received(self, first: datetime, last: datetime) -> dict[str, int]:
        """How many hourly values of each pollutant were received in a window, each hour counted once."""
        return observations.values_received(self._con, first, last)

    def gaps(self, first: datetime, last: datetime) -> pd.DataFrame:
        """Missing hours by day and station: date, station_code, missing, hours, whole_network."""
        return gaps.find_gaps(self._con, first, last)

    def unlisted_stations(self) -> pd.DataFrame:
        """Stations with values that no list names: station_code, first_time, last_time, values."""
        return observations.unlisted_stations(self._con)

    def made_from(self, series: str) -> str | None:
        """What a derived series was last made from, as noted then; None if it never was."""
        notes = read_frame(self._con, "SELECT * FROM core_made_from").set_index("series")["made_from"]
        return str(notes[series]) if series in notes else None

    def note_made_from(self, series: str, made_from: str) -> bool:
        """Note what a derived series has been made from, once all of it is written."""
        return derived.note_made_from(self._con, series, made_from)

    def write_flags(
        self, frame: pd.DataFrame, first: datetime | None = None, last: datetime | None = None
    ) -> bool:
        """Flags (station_code, time, pollutant, flag, rule, reason) in place of those of the window."""
        return derived.write_flags(self._con, frame, first, last)

    def flags(self, first: datetime | None = None, last: datetime | None = None) -> pd.DataFrame:
        """Quality flags in a window."""
        return observations.flags(self._con, first, last)

    def judge(self, judgement: Judgement) -> None:
        """Note a forecaster's judgement of values: it is kept for ever, and a later one prevails."""
        judgements.note(self._con, judgement)

    def judgements(self) -> pd.DataFrame:
        """Forecasters' judgements, oldest first, in the columns of ``core_manual_flag``."""
        return judgements.judgements(self._con)

    def exceptional_events(self) -> pd.DataFrame:
        """Exceptional events (例外事件) of the newest list, in canonical columns."""
        return observations.exceptional_events(self._con)

    def city_release(self, first: datetime | None = None, last: datetime | None = None) -> pd.DataFrame:
        """City values as released, latest known: adcode, time, item, value."""
        return observations.city_release(self._con, first, last)

    def city_model(
        self, first: datetime | None = None, last: datetime | None = None, known_at: datetime | None = None
    ) -> pd.DataFrame:
        """Model values at city points, latest known: adcode, time, variable, value, model, kind, issue_time.

        ``known_at`` leaves out batches taken in later.
        """
        return observations.city_model(self._con, first, last, known_at)

    def write_city_hourly(
        self, frame: pd.DataFrame, first: datetime | None = None, last: datetime | None = None
    ) -> bool:
        """Hourly city means (adcode, time, pollutant, value[, valid_stations]) in place of the window's."""
        return derived.write_city_hourly(self._con, frame, first, last)

    def city_hourly(self, first: datetime | None = None, last: datetime | None = None) -> pd.DataFrame:
        """Hourly city means: adcode, time, pollutant, value, valid_stations."""
        return observations.city_hourly(self._con, first, last)

    def write_city_daily(
        self, frame: pd.DataFrame, first: date | None = None, last: date | None = None
    ) -> bool:
        """City-day values of one source (adcode, date, target, value, valid_stations, standard, source).

        They take the place of those of the same source in the window ``first`` … ``last``, by default
        the span of the frame.
        """
        return derived.write_city_daily(self._con, frame, first, last)

    def city_daily(
        self, source: CityDaySource, first: date | None = None, last: date | None = None
    ) -> pd.DataFrame:
        """City-day values of one source: adcode, date, target, value, valid_stations.

        For the reanalysis the parts of a city are averaged and ``valid_stations`` counts them.
        """
        return observations.city_daily(self._con, source, first, last)

    def neighbour_daily(self, first: date | None = None, last: date | None = None) -> pd.DataFrame:
        """Reanalysis of places outside the region: place, date, target, value, valid_stations."""
        return archive.neighbour_daily(self._con, first, last)

    def city_weather(self, first: date | None = None, last: date | None = None) -> pd.DataFrame:
        """Daily weather from city files: adcode, date, variable, value, kind (always analysis)."""
        return archive.city_weather(self._con, first, last)

    def neighbour_weather(self, first: date | None = None, last: date | None = None) -> pd.DataFrame:
        """Daily weather of places outside the region: place, date, variable, value, kind (analysis)."""
        return archive.neighbour_weather(self._con, first, last)

    def weather_files(self) -> pd.DataFrame:
        """Known weather files at their present paths, canonical columns."""
        return observations.weather_files(self._con, self._known_at)

    def enterprises(self) -> pd.DataFrame:
        """The newest enterprise list, canonical columns without contact and phone, and ``list_version``."""
        return observations.enterprises(self._con, self._known_at)

    def enterprise_measures(self) -> pd.DataFrame:
        """What the newest list says of each enterprise and warning tier: ``ENTERPRISE_MEASURES``."""
        return observations.enterprise_measures(self._con, self._known_at)

    def survey_points(self) -> pd.DataFrame:
        """Points of mobile surveys, canonical columns; each reading as the newest file has it."""
        return observations.survey_points(self._con, self._known_at)

    def write_hotspots(self, frame: pd.DataFrame) -> bool:
        """All hotspots of mobile surveys in place of those held."""
        return derived.write_hotspots(self._con, frame)

    def survey_hotspots(self) -> pd.DataFrame:
        """Hotspots of mobile surveys."""
        return observations.survey_hotspots(self._con)

    def write_run(self, run: RunRecord) -> bool:
        """Note a run or its new status; ``created_at`` of the first note stays."""
        return issued.write_run(self._con, run)

    def runs(self) -> pd.DataFrame:
        """All runs, oldest first."""
        return issued.runs(self._con)

    def write_output(self, table: str, run_id: str, frame: pd.DataFrame) -> bool:
        """Rows that a run issued, in the columns of the ``out_*`` table but ``run_id``."""
        return issued.write_output(self._con, table, run_id, frame)

    def output(self, table: str, run_id: str | None = None) -> pd.DataFrame:
        """Rows of an ``out_*`` table, of one run or of all, in a fixed order."""
        return issued.output(self._con, table, run_id)

    def forecasts(
        self,
        run_id: str | None = None,
        target: str | None = None,
        first: date | None = None,
        last: date | None = None,
    ) -> pd.DataFrame:
        """Forecasts issued, narrowed to a run, a target and valid dates where given."""
        return issued.forecasts(self._con, run_id, target, first, last)

    def control_list(self, run_id: str | None = None) -> pd.DataFrame:
        """Control lists with all their versions, of one run or of all."""
        return issued.output(self._con, "out_control_list", run_id)

    def write_list_version(self, version: ListVersion, parts: Mapping[str, pd.DataFrame]) -> None:
        """A list version whole: ``out_control_list``, ``out_control_change`` and ``out_control_edit``."""
        list_versions.keep(self._con, version, parts)

    def list_history(
        self, part: ListPart, event_code: str | None = None, list_version: int | None = None
    ) -> pd.DataFrame:
        """Versions, changes, edits in force or approvals of control lists: ``out_control_<part>``.

        Of one event and version, or of all, by event and version.
        """
        return list_versions.read(self._con, part, event_code, list_version)

    def list_of_version(self, event_code: str, list_version: int) -> pd.DataFrame:
        """The control list of one version, in the columns of ``out_control_list``."""
        return list_versions.control_list(self._con, event_code, list_version)

    def approve(self, approval: Approval) -> None:
        """Note that somebody approves a list version; kept for ever."""
        list_versions.approve(self._con, approval)

    def correct(self, correction: Correction) -> None:
        """Keep a forecaster's correction of a forecast; the newest of a city, target and day counts."""
        corrections.keep(self._con, correction)

    def corrections(self, issue_time: datetime | None = None) -> pd.DataFrame:
        """Corrections in force, of one issue or of all: the newest of each, without withdrawn ones."""
        return corrections.in_force(self._con, issue_time)

    def checksums(self) -> dict[str, str]:
        """Checksum of every table: rows and their hashes in any order, without the time of writing."""
        return contents.checksums(self._con)

    def check(self) -> tuple[Check, ...]:
        """Every check of the store; in a sound one all counts are 0."""
        return checking.check(self._con)

    def snapshot(self, folder: Path) -> dict[str, Path]:
        """Every table as a Parquet file in ``folder``, the manifest swapped in last; returns the files."""
        return snapshots.snapshot(self._con, folder)

    def restore(self, folder: Path) -> dict[str, int]:
        """Fill this empty store with a snapshot, whole or not at all; returns the rows by table."""
        return snapshots.restore(self._con, folder)
