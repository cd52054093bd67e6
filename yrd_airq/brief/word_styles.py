"""Typefaces, paragraph styles and page geometry of the Word document.

python-docx sets only the Latin font; Chinese text follows ``w:eastAsia``, so every font is set here,
by one function, for both. The theme fonts of the default template (MS Mincho) are removed.
"""

from __future__ import annotations

from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Pt, RGBColor
from docx.text.paragraph import Paragraph

from yrd_airq.brief.typography import printable, split_subscripts

LATIN = "Times New Roman"
BODY_ZH, HEADING_ZH, TABLE_ZH = "仿宋", "黑体", "宋体"
# Names under which other systems know the same typefaces, for where the first is not installed.
ALTERNATIVES = {"仿宋": "FangSong", "黑体": "SimHei", "宋体": "SimSun"}
RED, INK = RGBColor(0xB8, 0x1C, 0x22), RGBColor(0x1F, 0x29, 0x33)
PAGE_MM = (210.0, 297.0)
MARGIN_MM = 20.0
_TWIPS_PER_MM = 1440 / 25.4
_FONT_TABLE = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<w:fonts xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">{fonts}</w:fonts>"""


def text_width_mm(landscape: bool) -> float:
    """Width of the text area."""
    return (PAGE_MM[1] if landscape else PAGE_MM[0]) - 2 * MARGIN_MM


def text_width_twips(landscape: bool) -> int:
    """Width of the text area in twentieths of a point."""
    return round(text_width_mm(landscape) * _TWIPS_PER_MM)


def set_fonts(properties: BaseOxmlElement, east_asia: str, latin: str = LATIN) -> None:
    """Fonts of a run-properties element (``w:rPr``) for Latin and Chinese; no theme font in their way."""
    old = properties.find(qn("w:rFonts"))
    if old is not None:
        properties.remove(old)
    fonts = OxmlElement("w:rFonts")
    for attribute, name in (("ascii", latin), ("hAnsi", latin), ("cs", latin), ("eastAsia", east_asia)):
        fonts.set(qn(f"w:{attribute}"), name)
    properties.insert(0, fonts)


def define_styles(document: Document) -> None:
    """The paragraph styles of the brief; their names start with ``Brief``."""
    _set_defaults(document)
    normal = document.styles["Normal"]
    set_fonts(normal.element.get_or_add_rPr(), BODY_ZH)
    normal.font.size = Pt(11)
    centre = WD_ALIGN_PARAGRAPH.CENTER
    _add(document, "Brief Title", HEADING_ZH, 19, align=centre, after=5, colour=RED)
    _add(document, "Brief Subtitle", BODY_ZH, 11, align=centre, after=4)
    _add(document, "Brief Body", BODY_ZH, 11.5, after=3, indent=23, line=1.2)
    _add(document, "Brief Note", TABLE_ZH, 8, before=2, after=5)
    _add(document, "Brief Point", BODY_ZH, 11, after=2, indent=22, line=1.15)
    _add(document, "Brief Caption", HEADING_ZH, 9.5, align=centre, before=4, after=2)
    _add(document, "Brief Picture", BODY_ZH, 10, align=centre, before=2)
    _add(document, "Brief Cell", TABLE_ZH, 9)
    _add(document, "Brief Dense Cell", TABLE_ZH, 7.5)
    _add(document, "Brief Figure", HEADING_ZH, 13, align=centre)
    _add(document, "Brief Page Label", HEADING_ZH, 8.5)
    document.styles["Brief Caption"].paragraph_format.keep_with_next = True
    heading = document.styles["Heading 1"]
    set_fonts(heading.element.get_or_add_rPr(), HEADING_ZH)
    heading.font.size, heading.font.bold, heading.font.color.rgb = Pt(13), False, INK
    heading.paragraph_format.space_before, heading.paragraph_format.space_after = Pt(8), Pt(3)
    heading.paragraph_format.keep_with_next = True


def _set_defaults(document: Document) -> None:
    """Document defaults without theme fonts, with Chinese as the East Asian language."""
    properties = document.styles.element.find(qn("w:docDefaults")).find(qn("w:rPrDefault")).find(qn("w:rPr"))
    set_fonts(properties, BODY_ZH)
    language = properties.find(qn("w:lang"))
    if language is None:
        language = OxmlElement("w:lang")
        properties.append(language)
    language.set(qn("w:val"), "en-US")
    language.set(qn("w:eastAsia"), "zh-CN")


def _add(
    document: Document,
    name: str,
    east_asia: str,
    size: float,
    *,
    align: WD_ALIGN_PARAGRAPH | None = None,
    before: float = 0,
    after: float = 0,
    indent: float = 0,
    line: float = 1.0,
    colour: RGBColor | None = None,
) -> None:
    style = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = document.styles["Normal"]
    set_fonts(style.element.get_or_add_rPr(), east_asia)
    style.font.size = Pt(size)
    if colour is not None:
        style.font.color.rgb = colour
    layout = style.paragraph_format
    layout.alignment = align
    layout.space_before, layout.space_after = Pt(before), Pt(after)
    layout.line_spacing = line
    if indent:
        layout.first_line_indent = Pt(indent)


def name_alternatives(document: Document) -> None:
    """Declare the other names of the Chinese typefaces, which a word processor tries next."""
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/><w:charset w:val="86"/></w:font>'
        for name, other in ALTERNATIVES.items()
    )
    part = document.part.part_related_by(RELATIONSHIP_TYPE.FONT_TABLE)
    part._blob = _FONT_TABLE.format(fonts=fonts).encode()


def write_text(paragraph: Paragraph, text: str, colour: str | None = None) -> None:
    """Runs of ``text`` with true subscripts, in ``colour`` (``#RRGGBB``) where given."""
    for piece, subscript in split_subscripts(printable(text)):
        run = paragraph.add_run(piece)
        if subscript:
            run.font.subscript = True
        if colour is not None:
            run.font.color.rgb = RGBColor.from_string(colour.removeprefix("#"))


def add_field(paragraph: Paragraph, code: str) -> None:
    """A field such as PAGE or NUMPAGES, counted by the word processor."""
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), code)
    run, text = OxmlElement("w:r"), OxmlElement("w:t")
    text.text = "1"
    run.append(text)
    field.append(run)
    paragraph._p.append(field)


def underline_paragraph(paragraph: Paragraph) -> None:
    """The red rule under the title block."""
    borders, line = OxmlElement("w:pBdr"), OxmlElement("w:bottom")
    for name, value in (("val", "single"), ("sz", "18"), ("space", "4"), ("color", str(RED))):
        line.set(qn(f"w:{name}"), value)
    borders.append(line)
    paragraph._p.get_or_add_pPr().append(borders)
