"""The files of the pack: opened and read back."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import docx
import numpy as np
import openpyxl
import pytest
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn
from matplotlib.image import imread

from tests.brief.factories import NASTY
from yrd_airq.brief.content import Brief, read_pack
from yrd_airq.brief.content_sources import LIST_COLUMNS
from yrd_airq.brief.figures import draw_figures, figure_keys
from yrd_airq.brief.render import render
from yrd_airq.errors import InputError
from yrd_airq.standards.levels import LEVELS


def digests(folder: Path) -> dict[str, str]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_event_pack_is_complete(event_pack: Path, event_brief: Brief) -> None:
    figures = {f"figures/{key}.{kind}" for key in figure_keys(event_brief) for kind in ("png", "svg")}
    assert len(figures) == 8
    assert set(digests(event_pack)) == figures | {
        "brief.docx",
        "brief.pdf",
        "index.html",
        "control_list.csv",
        "control_list.xlsx",
        "pack.json",
    }


def test_daily_pack_has_no_list(daily_pack: Path) -> None:
    assert not list(daily_pack.glob("control_list*"))


def test_same_brief_same_bytes_and_nothing_old_stays(
    daily_brief: Brief, daily_pack: Path, tmp_path: Path
) -> None:
    out = tmp_path / "pack"
    render(daily_brief, out)
    (out / "stray.txt").write_text("old")
    render(read_pack(out), out)
    assert digests(out) == digests(daily_pack)
    assert [p.name for p in tmp_path.iterdir()] == ["pack"]


def test_foreign_folders_are_refused(daily_brief: Brief, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="other things"):
        render(daily_brief, tmp_path)
    with pytest.raises(InputError, match="is a file"):
        render(daily_brief, tmp_path / "thesis.txt")


# Word


def texts_of(document: docx.document.Document) -> Iterator[str]:
    for element in document.element.body.iter(qn("w:p")):
        yield "".join(t.text or "" for t in element.iter(qn("w:t")))


def test_word_fonts_labels_and_pages(event_pack: Path) -> None:
    document = docx.Document(str(event_pack / "brief.docx"))
    for style in ("Normal", "Heading 1", "Brief Body", "Brief Cell", "Brief Title"):
        fonts = document.styles[style].element.rPr.find(qn("w:rFonts"))
        assert fonts.get(qn("w:eastAsia")) in ("仿宋", "黑体", "宋体")
        assert fonts.get(qn("w:asciiTheme")) is None and fonts.get(qn("w:eastAsiaTheme")) is None
    header = document.sections[0].header.paragraphs[0].text
    assert "【演练 · 历史后报】" in header
    assert all(section.header.is_linked_to_previous for section in list(document.sections)[1:])
    assert "PAGE" in document.sections[0].footer._element.xml
    landscape = [s.orientation == WD_ORIENT.LANDSCAPE for s in document.sections]
    assert landscape == [False, True, True, False, False]


def test_word_tables(event_pack: Path) -> None:
    document = docx.Document(str(event_pack / "brief.docx"))
    body = document.element.body
    assert len(list(body.iter(qn("w:tblHeader")))) >= 10
    fills = {shade.get(qn("w:fill")) for shade in body.iter(qn("w:shd"))}
    assert {LEVELS[1].hex[1:], LEVELS[2].hex[1:]} <= fills
    all_text = list(texts_of(document))
    assert NASTY in all_text
    assert any(text.startswith("图1　") for text in all_text)
    assert any(text.startswith("表1　") for text in all_text)


def test_daily_word_header_has_no_drill_label(daily_pack: Path) -> None:
    document = docx.Document(str(daily_pack / "brief.docx"))
    assert "演练" not in document.sections[0].header.paragraphs[0].text


# Web page


class Page(HTMLParser):
    """Collects what a page would fetch, its text, and its ids."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.cells: list[str] = []
        self.in_cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "action", "poster", "data"):
                self.links.append(value or "")
            if name == "id":
                self.ids.append(value or "")
        if tag == "td":
            self.in_cell = True
            self.cells.append("")

    def handle_endtag(self, tag: str) -> None:
        self.in_cell = self.in_cell and tag != "td"

    def handle_data(self, data: str) -> None:
        if self.in_cell:
            self.cells[-1] += data


def read_page(pack: Path) -> tuple[Page, str]:
    text = (pack / "index.html").read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    return page, text


def test_page_asks_nobody_for_anything(event_pack: Path) -> None:
    page, text = read_page(event_pack)
    assert page.links and all(link.startswith("#") for link in page.links)
    assert not re.search(r"https?://|@import|url\((?!#)", text)
    assert len(page.ids) == len(set(page.ids))
    assert text.count("<svg") == 4


def test_page_holds_names_literally_and_subscripts(event_pack: Path) -> None:
    page, text = read_page(event_pack)
    assert NASTY in page.cells
    assert "<b>A&B" not in text
    assert "PM<sub>2.5</sub>" in text
    assert "演练" in text and 'class="searchable"' in text.replace("dense searchable", "searchable")


# PDF


def test_pdf_has_pages_and_only_its_own_fonts(event_pack: Path) -> None:
    content = (event_pack / "brief.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    counts = [int(n) for n in re.findall(rb"/Count (\d+)", content)]
    assert max(counts) > 6
    fonts = set(re.findall(rb"/BaseFont ?/([^\s/]+)", content))
    assert all(b"Noto" in font for font in fonts)


# Lists


def test_csv_columns_and_names(event_pack: Path, event_brief: Brief) -> None:
    content = (event_pack / "control_list.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    assert ",".join(rows[0]) == (
        "rank,enterprise_id,name_zh,adcode,city_zh,sector,grade,zone,measure_code,measure_zh,start,end,"
        "reduction_nox_kgd,reduction_voc_kgd,reduction_pm_kgd,reduction_so2_kgd,benefit_o3_ugm3,"
        "benefit_pm25_ugm3,cost_cny,stability,evidence,reason_zh,status"
    )
    assert event_brief.control is not None
    assert len(rows) == 1 + len(event_brief.control.rows)
    assert rows[1][2] == NASTY
    assert {row[-1] for row in rows[1:]} == {"selected", "not_selected", "exempt", "voluntary"}
    assert rows[4][15] == ""


def test_workbook_is_chinese_and_formula_free(event_pack: Path, event_brief: Brief) -> None:
    book = openpyxl.load_workbook(event_pack / "control_list.xlsx")
    assert book.sheetnames == ["管控企业清单", "列说明"]
    sheet = book.worksheets[0]
    assert [cell.value for cell in sheet[1]][:4] == ["序号", "企业编号", "企业名称", "行政区划代码"]
    assert sheet.max_column == len(LIST_COLUMNS)
    assert sheet["C2"].value == NASTY
    assert not [c.coordinate for row in sheet.iter_rows() for c in row if c.data_type == "f"]
    assert [row[1].value for row in book.worksheets[1].iter_rows(min_row=2, max_row=24)] == list(LIST_COLUMNS)


def test_a_name_that_looks_like_a_formula_is_text(event_brief: Brief, tmp_path: Path) -> None:
    from yrd_airq.brief.tables import write_workbook

    assert event_brief.control is not None
    row = event_brief.control.rows[0].model_copy(update={"name_zh": '=HYPERLINK("x")'})
    control = event_brief.control.model_copy(update={"rows": (row,)})
    write_workbook(
        event_brief.model_copy(update={"control": control}),
        tmp_path / "list.xlsx",
        event_brief.header.issue_time,
    )
    cell = openpyxl.load_workbook(tmp_path / "list.xlsx").worksheets[0]["C2"]
    assert (cell.value, cell.data_type) == ('=HYPERLINK("x")', "s")


# Figures


def test_figures_are_drawn(event_pack: Path) -> None:
    for file in sorted((event_pack / "figures").glob("*.png")):
        image = imread(file)[..., :3]
        assert image.std() > 0.05, file.name
        assert min(image.shape[:2]) > 300


def test_forecast_map_shows_the_level_colours(event_pack: Path, event_brief: Brief) -> None:
    image = imread(event_pack / "figures" / "forecast_map.png")[..., :3]
    pixels = np.round(image * 255).astype(int).reshape(-1, 3)
    shown = event_brief.forecast.dates[:3]
    for level in {day.level for day in event_brief.forecast.days if day.date in shown}:
        share = (pixels == LEVELS[level - 1].rgb).all(axis=1).mean()
        assert share > 0.01, LEVELS[level - 1].name_zh


def test_no_glyph_is_missing(event_brief: Brief, recwarn: pytest.WarningsRecorder, tmp_path: Path) -> None:
    draw_figures(event_brief, tmp_path)
    assert not [w for w in recwarn if "missing from" in str(w.message)]


def test_office_files_carry_the_issue_time(event_pack: Path) -> None:
    for name in ("brief.docx", "control_list.xlsx"):
        with zipfile.ZipFile(event_pack / name) as archive:
            assert {member.date_time for member in archive.infolist()} == {(2016, 9, 2, 16, 0, 0)}
            assert b"2016-09-02T16:00:00Z" in archive.read("docProps/core.xml")
