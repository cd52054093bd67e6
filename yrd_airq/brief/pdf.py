"""The brief as PDF: the outline as JSON, set by a typst template that holds all layout.

Data reaches the template only as JSON, so that no name or note can act as markup.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import pylopdf_fonts_zh_cn as fonts
import typst

from yrd_airq.brief.blocks import Block, Box, Bullets, Cell, Figure, Outline, Paragraph, Section, Table
from yrd_airq.brief.typography import printable, split_subscripts, text_on
from yrd_airq.clock import BEIJING
from yrd_airq.standards.levels import LEVELS

_PALE = "#F4F6F7"
Pieces = list[list[str | bool]]


def write_pdf(outline: Outline, figures: Path, path: Path, stamp: datetime) -> None:
    """Write ``brief.pdf``; pictures are the SVG files in ``figures``; ``stamp`` (Beijing) dates it.

    Only the bundled fonts are used, so that the result does not depend on the machine.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        template = files("yrd_airq.brief").joinpath("templates/brief.typ").read_text(encoding="utf-8")
        (folder / "brief.typ").write_text(template, encoding="utf-8")
        content = json.dumps(_document(outline), ensure_ascii=False)
        (folder / "outline.json").write_text(content, encoding="utf-8")
        for figure in sorted(figures.glob("*.svg")):
            shutil.copyfile(figure, folder / figure.name)
        typst.compile(
            str(folder / "brief.typ"),
            output=str(path),
            root=str(folder),
            font_paths=[str(Path(fonts.sans_path()).parent)],
            ignore_system_fonts=True,
            timestamp=int(stamp.replace(tzinfo=BEIJING).astimezone(UTC).timestamp()),
        )


def _document(outline: Outline) -> dict[str, Any]:
    return {
        "title": printable(outline.title),
        "subtitle": printable(outline.subtitle),
        "label": outline.label,
        "footer": printable(outline.footer),
        "masthead": [[name, _pieces(value)] for name, value in outline.masthead],
        "sections": [_section(section) for section in outline.sections],
        "annexes": [_section(section) for section in outline.annexes],
    }


def _section(section: Section) -> dict[str, Any]:
    return {
        "heading": section.heading,
        "landscape": section.landscape,
        "blocks": [_block(block) for block in section.blocks],
    }


def _block(block: Block) -> dict[str, Any]:
    if isinstance(block, Paragraph):
        return {"kind": "note" if block.style == "note" else "paragraph", "text": _pieces(block.text)}
    if isinstance(block, Bullets):
        return {"kind": "bullets", "items": [_pieces(item) for item in block.items]}
    if isinstance(block, Box):
        return _box(block)
    if isinstance(block, Figure):
        return {
            "kind": "figure",
            "file": f"{block.key}.svg",
            "width": block.width,
            "number": block.number,
            "caption": _pieces(block.caption),
            "alt": block.caption,
        }
    return _table(block)


def _box(block: Box) -> dict[str, Any]:
    fills = [LEVELS[figure.level - 1].hex if figure.level else _PALE for figure in block.figures]
    return {
        "kind": "box",
        "text": _pieces(block.text),
        "figures": [
            {
                "label": _pieces(figure.label_zh),
                "value": _pieces(figure.value_zh),
                "note": _pieces(figure.note_zh),
                "fill": fill,
                "colour": text_on(fill),
            }
            for figure, fill in zip(block.figures, fills, strict=True)
        ],
    }


def _table(block: Table) -> dict[str, Any]:
    """A table for the template; ``remarks`` are the last cells that are set below their rows, if any."""
    shown = -1 if block.remark_below else None
    return {
        "kind": "table",
        "number": block.number,
        "caption": _pieces(block.caption),
        "note": _pieces(block.note),
        "dense": block.dense,
        "columns": [
            {"heading": _pieces(column.heading), "width": column.width, "align": column.align}
            for column in block.columns[:shown]
        ],
        "rows": [[_cell(cell) for cell in row[:shown]] for row in block.rows],
        "remarks": [_pieces(row[-1].text) for row in block.rows] if block.remark_below else [],
        "remark": block.columns[-1].heading,
    }


def _cell(cell: Cell) -> dict[str, Any]:
    fill = LEVELS[cell.level - 1].hex if cell.level else None
    return {
        "text": _pieces(cell.text),
        "fill": fill,
        "colour": text_on(fill) if fill else None,
        "rows": cell.rows,
    }


def _pieces(text: str) -> Pieces:
    return [[piece, subscript] for piece, subscript in split_subscripts(printable(text))]
