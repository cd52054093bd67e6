"""Which column of an enterprise list is which: headings, sheets and words of ``configs/enterprises.yaml``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from yrd_airq.settings import Marked, Settings, config_dir, load
from yrd_airq.sources.files import header
from yrd_airq.sources.sheet import first_lines, is_workbook
from yrd_airq.vocab import Precursor

HEADER_ROWS = 4
"""A list may have a title and a note above its headings; they are looked for in so many lines."""

_NEEDED = (
    *(("enterprise_id", "uscc"), ("name_zh",), ("adcode", "city"), ("lon",), ("lat",), ("sector",)),
    *((f"{precursor}_tpa", f"{precursor}_tpd") for precursor in Precursor),
)
"""Columns that a list must have: the first of each group, or another in its stead."""

_DECORATION = re.compile(r"[（(\[【].*?[)）\]】]|[\s*＊:：/／]")


class CheckLimits(Settings):
    """Limits of the checks: kilometres off the city, rounding, share of the emission by tier."""

    edge_km: Marked
    farthest_km: Marked
    rounding_share: Marked
    tier_share: dict[str, Marked]


class ListSettings(Settings):
    """Shape of ``configs/enterprises.yaml``; each canonical word leads to the words of lists."""

    industry_sheet: tuple[str, ...]
    columns: dict[str, tuple[str, ...]]
    tiers: dict[str, tuple[str, ...]]
    tier_columns: dict[str, tuple[str, ...]]
    measures: dict[str, tuple[str, ...]]
    grades: dict[str, str]
    no_grade: tuple[str, ...]
    sectors: dict[str, tuple[str, ...]]
    sector_source: str
    checks: CheckLimits

    def canonical(self) -> dict[str, str]:
        """Canonical column name by plain heading; a tier's columns are called ``yellow measure_zh``."""
        known = {_plain(word): name for name, words in self.columns.items() for word in words}
        for tier, own in self.tiers.items():
            for name, words in self.tier_columns.items():
                known |= {_plain(first + word): f"{tier} {name}" for first in own for word in words}
        return known


@lru_cache(maxsize=4)
def _load(folder: str) -> ListSettings:
    return load(ListSettings, "enterprises")


def load_list_settings() -> ListSettings:
    """The settings of ``configs/enterprises.yaml``."""
    return _load(str(config_dir().resolve()))


def call_columns(names: tuple[str, ...]) -> tuple[str, ...]:
    """Headings by their canonical names; unknown ones, and a second one for the same column, as they are."""
    known = load_list_settings().canonical()
    called: list[str] = []
    for name in names:
        canonical = known.get(_plain(name), name)
        called.append(name if canonical in called else canonical)
    return tuple(called)


def canonical_name(name: str) -> str:
    """What a heading stands for; an unknown one for itself."""
    return load_list_settings().canonical().get(_plain(name), name)


def missing_columns(names: tuple[str, ...]) -> list[str]:
    """Columns, by their canonical names, that a list with these canonical names lacks."""
    return [group[0] for group in _NEEDED if not set(group) & set(names)]


def is_enterprise_header(names: tuple[str, ...]) -> bool:
    """Whether the headings are those of an enterprise list.

    Its own column names show it at once; headings in other words have to name every column needed.
    """
    return {"enterprise_id", "sector"} <= set(names) or not missing_columns(call_columns(names))


@dataclass(frozen=True)
class Place:
    """Where a list stands in a file: sheet (None for a text), line of its headings, sheets beside it."""

    sheet: str | None
    row: int
    others: tuple[str, ...] = ()


def find_list(path: Path) -> Place | None:
    """Where the list of enterprises stands, first in a sheet named after industry; None if nowhere."""
    if not is_workbook(path):
        rows = (row for row in range(1, HEADER_ROWS + 1) if is_enterprise_header(header(path, row=row)))
        return next((Place(None, row) for row in rows), None)
    words = load_list_settings().industry_sheet
    sheets = first_lines(path, HEADER_ROWS)
    for sheet in sorted(sheets, key=lambda name: not any(word in name for word in words)):
        for row, names in enumerate(sheets[sheet], start=1):
            if is_enterprise_header(names):
                return Place(sheet, row, tuple(name for name in sheets if name != sheet))
    return None


def _plain(heading: str) -> str:
    return _DECORATION.sub("", heading).replace("ₓ", "x").replace("₂", "2").lower()
