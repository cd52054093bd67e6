"""The printed page as blocks: what the outline hands to the renderers, free of any file format.

A renderer knows these few kinds of block and nothing of air quality.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from yrd_airq.brief.content import KeyFigure

Align = Literal["left", "center", "right"]


@dataclass(frozen=True)
class Cell:
    """One cell; ``level`` (1–6) colours it; ``rows`` > 1 spans downward, 0 is covered from above."""

    text: str
    level: int | None = None
    rows: int = 1


@dataclass(frozen=True)
class Column:
    """Heading, relative width and alignment of a column."""

    heading: str
    width: float
    align: Align = "center"


def make_columns(*specs: tuple[str, float] | tuple[str, float, Align]) -> tuple[Column, ...]:
    """Columns from ``(heading, width)`` or ``(heading, width, alignment)``."""
    return tuple(Column(*spec) for spec in specs)


@dataclass(frozen=True)
class Table:
    """A table; ``searchable`` asks for sorting and filtering where the medium can.

    ``remark_below``: on paper the last column, long text, is set across the page below its row.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    searchable: bool = False
    dense: bool = False
    remark_below: bool = False
    number: str = ""

    def numbered(self, number: str) -> Table:
        """The same table with its number."""
        return replace(self, number=number)


@dataclass(frozen=True)
class Figure:
    """A figure by its key; its files are ``figures/<key>.png`` and ``.svg``; ``width`` is of the text."""

    key: str
    caption: str
    width: float = 1.0
    number: str = ""

    def numbered(self, number: str) -> Figure:
        """The same figure with its number."""
        return replace(self, number=number)


@dataclass(frozen=True)
class Paragraph:
    """Running text; a ``note`` is set small."""

    text: str
    style: Literal["body", "note"] = "body"


@dataclass(frozen=True)
class Bullets:
    """Short points."""

    items: tuple[str, ...]


@dataclass(frozen=True)
class Box:
    """The conclusion: one sentence of text and its key figures."""

    text: str
    figures: tuple[KeyFigure, ...]


Block = Table | Figure | Paragraph | Bullets | Box


@dataclass(frozen=True)
class Section:
    """A headed part of the brief; a wide list asks for landscape pages."""

    heading: str
    blocks: tuple[Block, ...]
    landscape: bool = False


@dataclass(frozen=True)
class Outline:
    """The whole document: masthead lines, sections, and annexes, each on new pages.

    ``label`` is printed on every page (演练, 历史后报), empty for a real brief.
    """

    title: str
    subtitle: str
    label: str
    masthead: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    annexes: tuple[Section, ...] = ()
    footer: str = ""


def row_spans(labels: list[str]) -> list[int]:
    """How many rows each first cell of a run of equal labels covers; 0 for the covered ones."""
    spans = [0] * len(labels)
    start = 0
    for k in range(1, len(labels) + 1):
        if k == len(labels) or labels[k] != labels[start]:
            spans[start] = k - start
            start = k
    return spans
