"""Tables of the Word document, built as elements in the order that the file format prescribes.

Building them directly keeps long lists fast and the properties in schema order, which Word insists on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from docx.document import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement

from yrd_airq.brief.blocks import Align, Cell, Table
from yrd_airq.brief.typography import printable, split_subscripts, text_on
from yrd_airq.standards.levels import LEVELS

HEAD_FILL, GRID_COLOUR = "#E8EEF2", "AAB4BA"
_PADDING_TWIPS = 45
_REMARK_INK, _REMARK_FILL = "#5B6770", "#F7F9FA"
_BORDERS = ("top", "left", "bottom", "right", "insideH", "insideV")


@dataclass(frozen=True)
class Line:
    """One paragraph of a cell: text, style id, alignment and colour ``#RRGGBB``."""

    text: str
    style: str
    align: Align = "center"
    colour: str | None = None


@dataclass(frozen=True)
class Box:
    """One cell: its paragraphs, fill ``#RRGGBB``, rows (0: covered from above) and columns it covers."""

    lines: tuple[Line, ...]
    fill: str | None = None
    rows: int = 1
    columns: int = 1


def add_block(document: Document, block: Table, width_twips: int) -> None:
    """A table block with its repeated heading row."""
    style = "BriefDenseCell" if block.dense else "BriefCell"
    shown = block.columns[:-1] if block.remark_below else block.columns
    rows: list[Sequence[Box]] = [[Box((Line(c.heading, style),), HEAD_FILL) for c in shown]]
    for cells in block.rows:
        row = [_box(cell, style, c.align) for cell, c in zip(cells, shown, strict=False)]
        if not block.remark_below:
            rows.append(row)
            continue
        text = f"{block.columns[-1].heading}：{cells[-1].text}"
        remark = Box((Line(text, style, "left", _REMARK_INK),), _REMARK_FILL, columns=len(shown) - 1)
        rows.append([replace(row[0], rows=2), *row[1:]])
        rows.append([replace(row[0], rows=0), remark])
    add_table(document, [column.width for column in shown], rows, width_twips)


def _box(cell: Cell, style: str, align: Align) -> Box:
    if cell.level is None:
        return Box((Line(cell.text, style, align),), rows=cell.rows)
    fill = LEVELS[cell.level - 1].hex
    return Box((Line(cell.text, style, align, text_on(fill)),), fill, cell.rows)


def add_table(
    document: Document,
    widths: Sequence[float],
    rows: Sequence[Sequence[Box]],
    width_twips: int,
    *,
    heading: bool = True,
    grid: bool = True,
) -> None:
    """A table at the end of the document; ``widths`` are relative; the first row repeats if ``heading``."""
    twips = [round(width / sum(widths) * width_twips) for width in widths]
    table = OxmlElement("w:tbl")
    table.append(_properties(sum(twips), grid))
    columns = OxmlElement("w:tblGrid")
    for width in twips:
        columns.append(_element("w:gridCol", w=str(width)))
    table.append(columns)
    for k, boxes in enumerate(rows):
        below = rows[k + 1][0] if k + 1 < len(rows) else None
        joined = below is not None and below.rows == 0 and len(boxes) > len(rows[k + 1])
        table.append(_row(boxes, twips, repeat=heading and k == 0, joined=joined))
    document.element.body.sectPr.addprevious(table)


def _properties(width: int, grid: bool) -> BaseOxmlElement:
    properties = OxmlElement("w:tblPr")
    properties.append(_element("w:tblW", w=str(width), type="dxa"))
    properties.append(_element("w:jc", val="center"))
    borders = OxmlElement("w:tblBorders")
    for side in _BORDERS if grid else ():
        borders.append(_element(f"w:{side}", val="single", sz="4", space="0", color=GRID_COLOUR))
    properties.append(borders)
    properties.append(_element("w:tblLayout", type="fixed"))
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margins.append(_element(f"w:{side}", w=str(_PADDING_TWIPS), type="dxa"))
    properties.append(margins)
    return properties


def _row(boxes: Sequence[Box], twips: Sequence[int], *, repeat: bool, joined: bool) -> BaseOxmlElement:
    """A row; ``joined`` keeps it on one page with the next, which holds its remark."""
    row = OxmlElement("w:tr")
    properties = OxmlElement("w:trPr")
    properties.append(OxmlElement("w:cantSplit"))
    if repeat:
        properties.append(OxmlElement("w:tblHeader"))
    row.append(properties)
    column = 0
    for box in boxes:
        row.append(_cell(box, sum(twips[column : column + box.columns]), joined))
        column += box.columns
    return row


def _cell(box: Box, width: int, joined: bool) -> BaseOxmlElement:
    cell = OxmlElement("w:tc")
    properties = OxmlElement("w:tcPr")
    properties.append(_element("w:tcW", w=str(width), type="dxa"))
    if box.columns > 1:
        properties.append(_element("w:gridSpan", val=str(box.columns)))
    if box.rows > 1:
        properties.append(_element("w:vMerge", val="restart"))
    elif box.rows == 0:
        properties.append(OxmlElement("w:vMerge"))
    if box.fill is not None:
        fill = box.fill.removeprefix("#")
        properties.append(_element("w:shd", val="clear", color="auto", fill=fill))
    properties.append(_element("w:vAlign", val="center"))
    cell.append(properties)
    for line in box.lines:
        cell.append(_paragraph(line, blank=box.rows == 0, joined=joined))
    return cell


def _paragraph(line: Line, *, blank: bool, joined: bool) -> BaseOxmlElement:
    paragraph = OxmlElement("w:p")
    properties = OxmlElement("w:pPr")
    properties.append(_element("w:pStyle", val=line.style))
    if joined:
        properties.append(OxmlElement("w:keepNext"))
    properties.append(_element("w:jc", val=line.align))
    paragraph.append(properties)
    for run in () if blank else _runs(line):
        paragraph.append(run)
    return paragraph


def _runs(line: Line) -> Iterator[BaseOxmlElement]:
    for piece, subscript in split_subscripts(printable(line.text)):
        run = OxmlElement("w:r")
        properties = OxmlElement("w:rPr")
        if line.colour is not None:
            properties.append(_element("w:color", val=line.colour.removeprefix("#")))
        if subscript:
            properties.append(_element("w:vertAlign", val="subscript"))
        if len(properties):
            run.append(properties)
        text = OxmlElement("w:t")
        text.set(qn("xml:space"), "preserve")
        text.text = piece
        run.append(text)
        yield run


def _element(tag: str, **attributes: str) -> BaseOxmlElement:
    element = OxmlElement(tag)
    for name, value in attributes.items():
        element.set(qn(f"w:{name}"), value)
    return element
