"""The enterprise list as files for machines (CSV) and for people (spreadsheet)."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from yrd_airq.brief.archive import freeze_zip
from yrd_airq.brief.content import Brief
from yrd_airq.brief.content_sources import LIST_COLUMNS, ListRow
from yrd_airq.brief.typography import printable

# Column → Chinese heading, width in characters, explanation.
EXPLAINED: dict[str, tuple[str, int, str]] = {
    "rank": ("序号", 6, "推荐次序，1为最优先；未列入强制管控的企业为空"),
    "enterprise_id": ("企业编号", 20, "应急减排清单中的编号"),
    "name_zh": ("企业名称", 34, "清单名称"),
    "adcode": ("行政区划代码", 12, "所在设区市的6位代码（GB/T 2260）"),
    "city_zh": ("城市", 10, "所在设区市"),
    "sector": ("行业", 16, "清单行业类别"),
    "grade": ("绩效等级", 9, "A、B、B-、C、D、引领性、非引领性；空为未知"),
    "zone": ("管控分区", 10, "所在的最严格分区；空为分区之外"),
    "measure_code": ("措施代码", 14, "措施库中的代码"),
    "measure_zh": ("管控措施", 26, "建议采取的措施"),
    "start": ("开始时间", 17, "北京时间"),
    "end": ("结束时间", 17, "北京时间"),
    "reduction_nox_kgd": ("NOx减排量（kg/d）", 12, "措施实施期间的日减排量"),
    "reduction_voc_kgd": ("VOCs减排量（kg/d）", 12, "措施实施期间的日减排量"),
    "reduction_pm_kgd": ("颗粒物减排量（kg/d）", 12, "措施实施期间的日减排量"),
    "reduction_so2_kgd": ("SO₂减排量（kg/d）", 12, "措施实施期间的日减排量；空为排放未知"),
    "benefit_o3_ugm3": ("O₃-8h改善（μg/m³）", 12, "受体城市目标日的预计下降；负值表示上升"),
    "benefit_pm25_ugm3": ("PM₂.₅改善（μg/m³）", 12, "受体城市目标日的预计下降；负值表示上升"),
    "cost_cny": ("估计成本（元）", 14, "管控期内的估计经济成本；空为未知"),
    "stability": ("稳定度", 8, "轨迹集合中该企业影响居前的成员比例（0–1）"),
    "evidence": ("依据", 22, "推荐所依据的证据类别"),
    "reason_zh": ("推荐或不推荐理由", 60, "由贡献、气象情景、绩效等级和豁免情况给出"),
    "status": ("状态", 14, "selected列入；not_selected未列入；exempt豁免；voluntary自主减排；其余为不适用"),
}
_TEXT_FORMAT = "@"


def write_csv(brief: Brief, path: Path) -> None:
    """``control_list.csv``: English column names, UTF-8 with byte-order mark so that Excel reads Chinese."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(LIST_COLUMNS)
    for row in _rows(brief):
        writer.writerow(["" if v is None else v for v in _values(row)])
    path.write_bytes(text.getvalue().encode("utf-8-sig"))


def write_workbook(brief: Brief, path: Path, stamp: datetime) -> None:
    """``control_list.xlsx``: the list under Chinese headings, and a sheet that explains the columns."""
    workbook = Workbook()
    workbook.properties.creator = brief.header.maker_zh
    workbook.properties.title = brief.header.title_zh
    _write_list(workbook.active, brief)
    _write_explanations(workbook.create_sheet("列说明"), brief)
    buffer = io.BytesIO()
    workbook.save(buffer)
    path.write_bytes(freeze_zip(buffer.getvalue(), stamp))


def _rows(brief: Brief) -> tuple[ListRow, ...]:
    return brief.control.rows if brief.control is not None else ()


def _values(row: ListRow) -> list[object]:
    return [getattr(row, column) for column in LIST_COLUMNS]


def _write_list(sheet: Worksheet, brief: Brief) -> None:
    sheet.title = "管控企业清单"
    sheet.append([EXPLAINED[column][0] for column in LIST_COLUMNS])
    for row in _rows(brief):
        sheet.append([_cell_value(value) for value in _values(row)])
    for k, column in enumerate(LIST_COLUMNS, start=1):
        sheet.column_dimensions[get_column_letter(k)].width = EXPLAINED[column][1]
    for cells in sheet.iter_rows(min_row=2):
        for cell in cells:
            cell.alignment = Alignment(vertical="center", wrap_text=cell.column_letter in ("C", "V"))
            if isinstance(cell.value, str):
                cell.data_type = "s"  # a name that begins with "=" is a name, not a formula
                cell.number_format = _TEXT_FORMAT
            elif isinstance(cell.value, float):
                cell.number_format = "#,##0.00"
    _dress_heading(sheet)
    sheet.auto_filter.ref = sheet.dimensions
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A3
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = "1:1"
    if brief.header.drill:
        sheet.oddHeader.center.text = "【演练】"


def _cell_value(value: object) -> object:
    return printable(value) if isinstance(value, str) else value


def _write_explanations(sheet: Worksheet, brief: Brief) -> None:
    sheet.append(["列名", "CSV列名", "说明"])
    for column in LIST_COLUMNS:
        heading, _, text = EXPLAINED[column]
        sheet.append([heading, column, text])
    sheet.append([])
    label = "（演练）" if brief.header.drill else ""
    sheet.append([f"简报：{brief.header.title_zh}{label}，运行编号 {brief.header.run_id}"])
    for letter, width in zip("ABC", (24, 22, 80), strict=True):
        sheet.column_dimensions[letter].width = width
    _dress_heading(sheet)


def _dress_heading(sheet: Worksheet) -> None:
    side = Side(style="thin", color="AAB4BA")
    for cell in sheet[1]:
        cell.font = Font(name="黑体", size=10, bold=True)
        cell.fill = PatternFill("solid", fgColor="E8EEF2")
        cell.alignment = Alignment(horizontal="center", vertical="center", wrap_text=True)
        cell.border = Border(bottom=side, left=side, right=side, top=side)
    sheet.row_dimensions[1].height = 32
    sheet.freeze_panes = "D2" if sheet.title == "管控企业清单" else "A2"
