"""The door for files: recognises a file's layout by its header and hands it to the reader of that layout."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from yrd_airq.errors import InputError
from yrd_airq.sources import (
    city_daily,
    enterprise_list,
    netcdf_header,
    station_list,
    stations_wide,
    survey_track,
)
from yrd_airq.sources.batch import Batch, Kind
from yrd_airq.sources.files import check_file


@dataclass(frozen=True)
class Layout:
    """A file layout: its name, what it tells about, how to know it (for people), and how to read it."""

    name: str
    kind: Kind
    looks: str
    matches: Callable[[Path], bool]
    read: Callable[[Path], Batch]


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
        "CSV enterprise_id,name_zh,adcode,lon,lat,sector,…",
        enterprise_list.matches,
        enterprise_list.read,
    ),
    Layout(
        "netcdf",
        Kind.WEATHER,
        "NetCDF on a latitude–longitude grid",
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
)
"""Every layout that can be read; a file belongs to the first that matches."""


def read(path: Path, kind: Kind | None = None, layout: str | None = None) -> Batch:
    """One file as canonical rows and refusals.

    ``layout`` names the layout instead of recognising it by the header; ``kind`` is what the file is
    expected to be. Raises ``InputError`` for a missing, empty, damaged or cut-off file, an unknown layout
    (known ones are listed) and a file of another kind.
    """
    check_file(path)
    found = _named(layout) if layout is not None else _recognised(path)
    if found is None:
        raise InputError(f"{path}: {_no_layout()}")
    if kind is not None and found.kind is not kind:
        raise InputError(
            f"{path}: holds {found.kind.value} (layout {found.name}), not {kind.value}; "
            f"take it in as {found.kind.value}"
        )
    return found.read(path)


def find_inputs(folder: Path) -> Found:
    """Files below ``folder``, at any depth, that have a known layout; hidden files are passed over.

    Recognises by content, never by name. Raises ``InputError`` if there is no such folder.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; name the folder that holds the files to read")
    known: list[Path] = []
    unknown: list[tuple[Path, str]] = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name.startswith("."):
            continue
        try:
            layout = _recognised(path)
        except InputError as error:
            unknown.append((path, str(error)))
            continue
        if layout is None:
            unknown.append((path, _no_layout()))
        else:
            known.append(path)
    return Found(tuple(known), tuple(unknown))


def _recognised(path: Path) -> Layout | None:
    check_file(path)
    return next((layout for layout in LAYOUTS if layout.matches(path)), None)


def _named(name: str) -> Layout:
    for layout in LAYOUTS:
        if layout.name == name:
            return layout
    raise InputError(f"layout {name!r} is not known; known are {', '.join(k.name for k in LAYOUTS)}")


def _no_layout() -> str:
    listed = "; ".join(f"{layout.name} ({layout.looks})" for layout in LAYOUTS)
    return f"not of a known layout; known are {listed}"
