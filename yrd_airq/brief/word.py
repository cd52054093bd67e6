"""The brief as a Word document, from its outline."""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path

import docx
from docx.document import Document
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.section import Section as Page
from docx.shared import Mm

from yrd_airq.brief.archive import freeze_zip
from yrd_airq.brief.blocks import Box, Bullets, Figure, Outline, Paragraph, Section, Table
from yrd_airq.brief.typography import text_on
from yrd_airq.brief.word_styles import (
    MARGIN_MM,
    PAGE_MM,
    add_field,
    define_styles,
    name_alternatives,
    text_width_mm,
    text_width_twips,
    underline_paragraph,
    write_text,
)
from yrd_airq.brief.word_tables import Box as TableBox
from yrd_airq.brief.word_tables import Line, add_block, add_table
from yrd_airq.standards.levels import LEVELS

_MUTED, _ALARM, _PALE = "#5B6770", "#C1121F", "#F4F6F7"


def write_word(outline: Outline, figures: Path, path: Path, stamp: datetime) -> None:
    """Write ``brief.docx``; pictures are the PNG files in ``figures``; ``stamp`` dates the document."""
    document = docx.Document()
    define_styles(document)
    name_alternatives(document)
    properties = document.core_properties
    properties.title, properties.author, properties.comments = outline.title, "", ""
    properties.created = properties.modified = stamp
    _set_page(document.sections[0], landscape=False)
    _write_furniture(document.sections[0], outline)
    _write_masthead(document, outline)
    for section in outline.sections:
        _write_section(document, section, figures)
    for section in outline.annexes:
        _set_page(document.add_section(WD_SECTION.NEW_PAGE), section.landscape)
        _write_section(document, section, figures)
    buffer = io.BytesIO()
    document.save(buffer)
    path.write_bytes(freeze_zip(buffer.getvalue(), stamp))


def _set_page(page: Page, landscape: bool) -> None:
    short, long = (Mm(side) for side in PAGE_MM)
    page.orientation = WD_ORIENT.LANDSCAPE if landscape else WD_ORIENT.PORTRAIT
    page.page_width, page.page_height = (long, short) if landscape else (short, long)
    page.left_margin = page.right_margin = Mm(MARGIN_MM)
    page.top_margin, page.bottom_margin = Mm(19), Mm(17)
    page.header_distance, page.footer_distance = Mm(9), Mm(8)


def _write_furniture(page: Page, outline: Outline) -> None:
    """Header with title and label, footer with run id and page numbers; later sections inherit both."""
    head = page.header.paragraphs[0]
    head.style = "Brief Page Label"
    write_text(head, outline.title, _MUTED)
    if outline.label:
        write_text(head, f"　　【{outline.label}】", _ALARM)
    foot = page.footer.paragraphs[0]
    foot.style = "Brief Page Label"
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    write_text(foot, f"{outline.footer}　　第", _MUTED)
    add_field(foot, "PAGE")
    write_text(foot, "页　共", _MUTED)
    add_field(foot, "NUMPAGES")
    write_text(foot, "页", _MUTED)


def _write_masthead(document: Document, outline: Outline) -> None:
    write_text(document.add_paragraph(style="Brief Title"), outline.title)
    subtitle = document.add_paragraph(style="Brief Subtitle")
    write_text(subtitle, outline.subtitle)
    if outline.label:
        write_text(subtitle, f"　　【{outline.label}】", _ALARM)
    underline_paragraph(subtitle)
    boxes = [
        (
            TableBox((Line(name, "BriefCell", "left", _MUTED),)),
            TableBox((Line(value, "BriefCell", "left"),)),
        )
        for name, value in outline.masthead
    ]
    boxes += [(TableBox((Line("", "BriefCell"),)),) * 2] * (len(boxes) % 2)
    rows = [(*left, *right) for left, right in zip(boxes[::2], boxes[1::2], strict=True)]
    add_table(document, (0.5, 1.9, 0.5, 1.7), rows, text_width_twips(False), heading=False, grid=False)


def _write_section(document: Document, section: Section, figures: Path) -> None:
    write_text(document.add_paragraph(style="Heading 1"), section.heading)
    for block in section.blocks:
        if isinstance(block, Paragraph):
            style = "Brief Note" if block.style == "note" else "Brief Body"
            write_text(document.add_paragraph(style=style), block.text)
        elif isinstance(block, Bullets):
            for k, item in enumerate(block.items, start=1):
                write_text(document.add_paragraph(style="Brief Point"), f"{k}．{item}")
        elif isinstance(block, Box):
            _write_box(document, block)
        elif isinstance(block, Figure):
            _write_figure(document, block, figures, section.landscape)
        else:
            _write_table(document, block, section.landscape)


def _write_box(document: Document, box: Box) -> None:
    write_text(document.add_paragraph(style="Brief Body"), box.text)
    if not box.figures:
        return
    boxes = []
    for figure in box.figures:
        fill = LEVELS[figure.level - 1].hex if figure.level else _PALE
        colour = text_on(fill)
        texts = ((figure.label_zh, "BriefDenseCell"), (figure.value_zh, "BriefFigure"))
        lines = [Line(text, style, "center", colour) for text, style in texts]
        lines.append(Line(figure.note_zh, "BriefDenseCell", "center", colour))
        boxes.append(TableBox(tuple(lines), fill))
    add_table(document, [1.0] * len(boxes), [boxes], text_width_twips(False), heading=False)


def _write_figure(document: Document, figure: Figure, figures: Path, landscape: bool) -> None:
    picture = document.add_paragraph(style="Brief Picture")
    picture.paragraph_format.keep_with_next = True
    width = Mm(text_width_mm(landscape) * figure.width)
    shape = picture.add_run().add_picture(str(figures / f"{figure.key}.png"), width=width)
    shape._inline.docPr.set("descr", figure.caption)
    caption = document.add_paragraph(style="Brief Caption")
    caption.paragraph_format.keep_with_next = False
    write_text(caption, f"{figure.number}　{figure.caption}")


def _write_table(document: Document, block: Table, landscape: bool) -> None:
    write_text(document.add_paragraph(style="Brief Caption"), f"{block.number}　{block.caption}")
    add_block(document, block, text_width_twips(landscape))
    note = document.add_paragraph(style="Brief Note")
    if block.note:
        write_text(note, f"注：{block.note}")
