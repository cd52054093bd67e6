"""The door for files: recognises a file's layout by its header and hands it to the reader of that layout."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from yrd_airq.errors import InputError
from yrd_airq.sources import (
    city_daily,
    declared,
    enterprise_list,
    exceptional_events,
    netcdf_header,
    station_list,
    stations_wide,
    survey_track,
)
from yrd_airq.sources.batch import Batch, Kind
from yrd_airq.sources.files import check_file, file_digest


@dataclass(frozen=True)
class Layout:
    """A file layout: its name, what it tells about, how to know it (for people), and how to read it."""

    name: str
    kind: Kind
    looks: str
    matches: Callable[[Path], bool]
    read: Callable[[Path], Batch]
    edition: str | None = None

    @property
    def label(self) -> str:
        """What its batches bear as layout: the name, for a declared layout with its edition."""
        return self.edition or self.name


@dataclass(frozen=True)
class Found:
    """Files below a folder: those of a known layout, sorted, and the others with the reason."""

    known: tuple[Path, ...]
    unknown: tuple[tuple[Path, str], ...]


LAYOUTS = (
    Layout(
        stations_wide.LAYOUT,
        Kind.STATIONS,
        "CSV date,hour,type and a column a station",
        stations_wide.matches,
        stations_wide.read,
    ),
    Layout(
        station_list.LAYOUT,
        Kind.STATION_LIST,
        "CSV 监测点编码,监测点名称,城市,经度,纬度",
        station_list.matches,
        station_list.read,
    ),
    Layout(
        city_daily.LAYOUT,
        Kind.CITIES,
        "CSV province,city,date,PM2.5,…",
        city_daily.matches,
        city_daily.read,
    ),
    Layout(
        enterprise_list.LAYOUT,
        Kind.ENTERPRISES,
        "CSV or XLSX enterprise_id,name_zh,adcode,lon,lat,sector,… or as in configs/enterprises.yaml",
        enterprise_list.matches,
        enterprise_list.read,
    ),
    Layout(
        "netcdf",
        Kind.WEATHER,
        "NetCDF: ERA5, GFS or ECMWF, CAMS, WRF",
        netcdf_header.matches,
        netcdf_header.read,
    ),
    Layout(
        survey_track.LAYOUT,
        Kind.SURVEY,
        "CSV track of a mobile survey with time, position and readings",
        survey_track.matches,
        survey_track.read,
    ),
    Layout(
        exceptional_events.LAYOUT,
        Kind.EXCEPTIONAL,
        "CSV adcode or city_zh,first_date,last_date,pollutant,reason_zh,document",
        exceptional_events.matches,
        exceptional_events.read,
    ),
)
"""The built-in layouts."""


def layouts() -> tuple[Layout, ...]:
    """Every layout that can be read, built-in ones first; a file belongs to the first that matches.

    Raises ``InputError`` for a faulty declaration in ``configs/layouts``.
    """
    found = list(LAYOUTS)
    for layout in declared.declared_layouts():
        if layout.name in {known.name for known in LAYOUTS}:
            raise InputError(f"configs/layouts: {layout.name!r} is a built-in layout; choose another name")
        matches, read_file = partial(declared.matches, layout), partial(declared.read, layout)
        found.append(Layout(layout.name, layout.kind, layout.looks, matches, read_file, layout.label))
    return tuple(found)


def read(path: Path, kind: Kind | Collection[Kind] | None = None, layout: str | None = None) -> Batch:
    """One file as canonical rows and refusals.

    ``layout`` names the layout instead of recognising it by the header; ``kind`` is what the file may
    be: one kind or several. Raises ``InputError`` for a missing, empty, damaged or cut-off file, an
    unknown layout (known ones are listed) and a file of another kind.
    """
    check_file(path)
    found = layout_of(path, layout)
    if found is None:
        raise InputError(f"{path}: {_no_layout()}")
    kinds = (kind,) if isinstance(kind, Kind) else kind
    if kinds is not None and found.kind not in kinds:
        wanted = " or ".join(sorted(wanted.value for wanted in kinds))
        raise InputError(
            f"{path}: holds {found.kind.value} (layout {found.name}), not {wanted}; "
            f"take it in as {found.kind.value}"
        )
    return found.read(path)


def layout_of(path: Path, name: str | None = None) -> Layout | None:
    """The layout of that name, else the one that the file's header shows; None if it shows none."""
    return _named(name) if name is not None else recognise(path)


def digest(path: Path) -> str:
    """SHA-256 of the file's bytes, the ``content_hash`` that its batch will carry."""
    return file_digest(path)


def find_inputs(folder: Path) -> Found:
    """Files below ``folder``, at any depth, that have a known layout; hidden files are passed over.

    Recognises by content, never by name. Raises ``InputError`` if there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; name the folder that holds the files to read")
    layouts()  # A faulty declaration is told at once, not once a file.
    known: list[Path] = []
    unknown: list[tuple[Path, str]] = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name.startswith("."):
            continue
        try:
            layout = recognise(path)
        except InputError as error:
            unknown.append((path, str(error)))
            continue
        if layout is None:
            unknown.append((path, _no_layout()))
        else:
            known.append(path)
    return Found(tuple(known), tuple(unknown))


def recognise(path: Path) -> Layout | None:
    """The layout of a file by its header, or None; ``InputError`` for a missing, empty or damaged file."""
    check_file(path)
    return next((layout for layout in layouts() if layout.matches(path)), None)


def _named(name: str) -> Layout:
    for layout in layouts():
        if layout.name == name:
            return layout
    raise InputError(f"layout {name!r} is not known; known are {', '.join(k.name for k in layouts())}")


def _no_layout() -> str:
    listed = "; ".join(f"{layout.name} ({layout.looks})" for layout in layouts())
    return f"not of a known layout; known are {listed}"
