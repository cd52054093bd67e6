"""Shape of a declared layout: the YAML file that says how a network's table is to be read."""

from __future__ import annotations

import hashlib
import re
from typing import Literal

from pydantic import field_validator, model_validator

from yrd_airq.settings import Settings
from yrd_airq.sources.batch import Kind
from yrd_airq.sources.gases import REFERENCE_K, Unit, factor
from yrd_airq.sources.stations_wide import ITEMS, STATION_CODE

_ZONE = re.compile(r"^(?P<sign>[+-])(?P<hours>\d{2}):?(?P<minutes>\d{2})$")
_NAMED_ZONES = {"Beijing": 480, "UTC": 0}
_TIME_FIELDS = {"%Y", "%m", "%d", "%H", "%M", "%S"}


class FileForm(Settings):
    """How the file is written: without ``encoding`` UTF-8 or GBK, without ``sheet`` the first one."""

    format: Literal["csv", "xlsx"]
    encoding: str | None = None
    delimiter: Literal[",", ";", "\t", "|"] = ","
    sheet: str | None = None
    header_row: int = 1

    @model_validator(mode="after")
    def _fitting(self) -> FileForm:
        faults = []
        if self.header_row < 1:
            faults.append("header_row counts from 1")
        if self.format == "csv" and self.sheet is not None:
            faults.append("a csv file has no sheet")
        if self.format == "xlsx" and (self.encoding is not None or self.delimiter != ","):
            faults.append("an xlsx file has neither encoding nor delimiter")
        _refuse(faults)
        return self


class TimeColumns(Settings):
    """Where the time of a line stands.

    ``columns`` gives each time column its format (%Y %m %d %H %M %S), leading noughts optional.
    ``hours`` says whether midnight is hour 0 of the next day or hour 24. ``label`` is the end or the
    beginning of the hour that a value is the mean of; ``zone`` is Beijing, UTC or like +09:00.
    """

    columns: dict[str, str]
    hours: Literal["0-23", "1-24"] = "0-23"
    label: Literal["ending", "beginning"]
    zone: str = "Beijing"

    @model_validator(mode="after")
    def _fitting(self) -> TimeColumns:
        fields = [field for form in self.columns.values() for field in re.findall(r"%.", form)]
        faults = [f"{field} is not one of %Y %m %d %H %M %S" for field in fields if field not in _TIME_FIELDS]
        faults += [f"{field} stands twice" for field in sorted(set(fields)) if fields.count(field) > 1]
        faults += [f"no column gives {field}" for field in ("%Y", "%m", "%d", "%H") if field not in fields]
        if self.zone not in _NAMED_ZONES and not _ZONE.match(self.zone):
            faults.append(f"zone {self.zone!r} is not Beijing, UTC or like +09:00")
        _refuse(faults)
        return self

    @property
    def minutes_ahead_of_utc(self) -> int:
        """Offset of the zone from UTC."""
        found = _ZONE.match(self.zone)
        if found is None:
            return _NAMED_ZONES[self.zone]
        minutes = int(found["hours"]) * 60 + int(found["minutes"])
        return minutes if found["sign"] == "+" else -minutes


class Item(Settings):
    """One item: its column (shape wide_by_item) or its name in the item column, and its unit."""

    column: str | None = None
    name: str | None = None
    unit: Unit


class StationValues(Settings):
    """Hourly station values: the shape of the table and where station, time, item and value stand.

    ``wide_by_item`` has a column an item, ``wide_by_station`` a column a station, ``long`` one column of
    values. A file of one item in another shape than ``wide_by_item`` names it in ``only_item``.
    ``station_names`` leads from the names used in the file to station codes; ``ignored`` columns of a
    ``wide_by_station`` table are neither station nor key.
    """

    shape: Literal["wide_by_item", "wide_by_station", "long"]
    time: TimeColumns
    items: dict[str, Item]
    station_column: str | None = None
    station_names: dict[str, str] = {}
    item_column: str | None = None
    only_item: str | None = None
    value_column: str | None = None
    ignored: tuple[str, ...] = ()
    reference_temperature_k: float = REFERENCE_K

    @model_validator(mode="after")
    def _fitting(self) -> StationValues:
        _refuse([*self._item_faults(), *self._shape_faults()])
        return self

    def _item_faults(self) -> list[str]:
        faults = []
        for name, item in self.items.items():
            if name not in ITEMS.values():
                faults.append(f"item {name!r} is not one of {', '.join(ITEMS.values())}")
            elif (name == "aqi") != (item.unit == "none"):
                faults.append(f"item {name}: the unit 'none' goes with aqi, and only with it")
            try:
                factor(name, item.unit)
            except ValueError as exc:
                faults.append(str(exc))
            if self.shape == "wide_by_item" and item.column is None:
                faults.append(f"item {name} names no column")
            if self.shape != "wide_by_item" and self.only_item is None and item.name is None:
                faults.append(f"item {name} has no name")
        codes = [code for code in self.station_names.values() if not STATION_CODE.match(code)]
        return faults + [f"{code!r} is not a station code such as 1141A" for code in codes]

    def _shape_faults(self) -> list[str]:
        by_item, by_station, long = (self.shape == s for s in ("wide_by_item", "wide_by_station", "long"))
        told = (self.item_column is not None) + (self.only_item is not None)
        checks = [
            (not self.items, "no items"),
            ((self.station_column is None) != by_station, f"station_column: {_need(not by_station)}"),
            ((self.value_column is None) == long, f"value_column: {_need(long)}"),
            (by_item and told != 0, "item_column, only_item: not needed"),
            (not by_item and told != 1, "either item_column or only_item is needed"),
            (self.only_item is not None and set(self.items) != {self.only_item}, "items: only_item alone"),
            (bool(self.ignored) and not by_station, "ignored: only for wide_by_station"),
            (self.reference_temperature_k not in (273.15, REFERENCE_K), "reference is 273.15 or 298.15 K"),
        ]
        return [fault for bad, fault in checks if bad]


class DeclaredLayout(Settings):
    """Shape of ``configs/layouts/<name>.yaml``.

    ``missing`` are marks that stand for a blank cell. ``values`` describes kind ``stations``. For the other
    kinds ``columns`` leads from the column names of the built-in layout of that kind to those of the file,
    and ``constants`` fills built-in columns that the file lacks.
    """

    name: str
    kind: Literal[Kind.STATIONS, Kind.STATION_LIST, Kind.ENTERPRISES, Kind.SURVEY, Kind.EXCEPTIONAL]
    looks: str
    file: FileForm
    missing: tuple[str, ...] = ()
    negative: Literal["refuse", "keep"] = "refuse"
    values: StationValues | None = None
    columns: dict[str, str] = {}
    constants: dict[str, str] = {}

    @property
    def label(self) -> str:
        """Name and edition: a changed declaration reads the same file anew, as other values perhaps."""
        return f"{self.name}@{hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:8]}"

    @field_validator("missing", mode="before")
    @classmethod
    def _as_text(cls, marks: object) -> object:
        if not isinstance(marks, list):
            return marks
        return [f"{mark:g}" if isinstance(mark, int | float) else mark for mark in marks]

    @model_validator(mode="after")
    def _fitting(self) -> DeclaredLayout:
        stations = self.kind is Kind.STATIONS
        faults = []
        if stations != (self.values is not None):
            faults.append(f"values: {_need(stations)}")
        if stations == bool(self.columns):
            faults.append(f"columns: {_need(not stations)}")
        if set(self.columns) & set(self.constants):
            faults.append("a column is either in columns or in constants")
        if not stations and self.negative == "keep":
            faults.append("negative: only for kind stations")
        _refuse(faults)
        return self


def _need(needed: bool) -> str:
    return "needed" if needed else "not needed"


def _refuse(faults: list[str]) -> None:
    if faults:
        raise ValueError("; ".join(faults))
