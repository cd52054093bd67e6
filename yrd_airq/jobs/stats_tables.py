"""Tables of statistics as lines, as records, and as CSV or XLSX under Chinese headings."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from yrd_airq.brief.archive import freeze_zip
from yrd_airq.errors import InputError
from yrd_airq.quality.summary import EXCLUDED, INCLUDED
from yrd_airq.standards.levels import LEVELS
from yrd_airq.vocab import Pollutant, Target

_PARTS: Final[dict[str, str]] = {
    "place": "编码",
    "name_zh": "名称",
    "city_zh": "城市",
    "date": "日期",
    "time": "时间",
    "period": "时段",
    "first": "起始日期",
    "last": "截止日期",
    "events": "例外事件",
    "event": "例外事件涉及指标",
    "target": "指标",
    "days": "日历天数",
    "valid_days": "有效天数",
    "valid": "有效性",
    "mean": "平均浓度",
    "mean_limit": "年平均限值（二级）",
    "mean_multiple": "平均浓度超标倍数",
    "percent": "百分位",
    "percentile": "百分位浓度",
    "percentile_limit": "日限值（二级）",
    "percentile_multiple": "百分位浓度超标倍数",
    "maximum": "最大日浓度",
    "above_days": "超标天数",
    "attain_ratio": "达标率（%）",
    "mean_3y": "三年滑动平均浓度",
    "percentile_3y": "三年滑动百分位浓度",
    "aqi": "AQI",
    "level_zh": "空气质量类别",
    "primary_zh": "首要污染物",
    "aqi_days": "AQI有效天数",
    "good_days": "优良天数",
    "good_day_ratio": "优良天数比例（%）",
    "composite_index": "综合指数",
    "index_valid": "综合指数有效性",
    "main_pollutant": "最大单项指数污染物",
    "rank": "排名",
}
_SUFFIXES: Final = {"_before": "（上年同期）", "_change_percent": "同比变化率（%）", "_change": "同比变化"}
_VALID: Final = {True: "有效", False: "无效"}
_EVENTS: Final = {INCLUDED: "含例外事件", EXCLUDED: "剔除例外事件"}


@dataclass(frozen=True)
class StatsTable:
    """One table: a short English name, a Chinese title, and a frame with English column names."""

    name: str
    title_zh: str
    frame: pd.DataFrame

    def records(self) -> list[dict[str, Any]]:
        """Rows as plain values: text for days and times, None for what is missing."""
        return [
            {str(name): _plain(value) for name, value in row.items()} for row in self.frame.to_dict("records")
        ]

    def lines(self) -> list[str]:
        """Aligned columns, a heading first; ``-`` for what is missing."""
        columns = [str(name) for name in self.frame.columns]
        rows = [[_written(name, v) for name, v in zip(columns, row, strict=True)] for row in self._rows()]
        cells = [columns, *([_shown(v) for v in row] for row in rows)]
        widths = [max(_width(str(row[k])) for row in cells) for k in range(len(self.frame.columns))]
        return [
            "  ".join(_padded(str(v), w) for v, w in zip(row, widths, strict=True)).rstrip() for row in cells
        ]

    def _rows(self) -> list[list[object]]:
        return [[_plain(value) for value in row] for row in self.frame.itertuples(index=False)]

    def chinese(self) -> tuple[list[str], list[list[object]]]:
        """Headings and rows for a forecaster."""
        columns = [str(name) for name in self.frame.columns]
        rows = [
            [_in_chinese(name, value) for name, value in zip(columns, row, strict=True)]
            for row in self._rows()
        ]
        return [heading_zh(name) for name in columns], rows


def heading_zh(column: str) -> str:
    """Chinese heading of a column of a statistics table."""
    if column in _PARTS:
        return _PARTS[column]
    for suffix, words in _SUFFIXES.items():
        if column.endswith(suffix):
            return heading_zh(column.removesuffix(suffix)) + words
    kind, _, rest = column.partition("_")
    if kind == "level":
        return f"{LEVELS[int(rest) - 1].name_zh}天数"
    if kind == "primary":
        return f"{Pollutant(rest).name_zh}为首要污染物天数"
    return _concentration_zh(column)


def write_tables(
    tables: Sequence[StatsTable], path: Path, stamp: date, notes: Sequence[str]
) -> tuple[Path, ...]:
    """The tables at ``path``: one workbook (.xlsx), or a file for each table (.csv; ``name-<table>.csv``).

    ``stamp`` dates the workbook, so that the same figures give the same bytes. Raises ``InputError`` for
    another ending or a path that cannot be written.
    """
    ending = path.suffix.lower()
    if ending not in (".csv", ".xlsx"):
        raise InputError(f"{path}: statistics are written as .csv or .xlsx; choose one of these endings")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if ending == ".xlsx":
            path.write_bytes(_workbook(tables, stamp, notes))
            return (path,)
        files = [path, *(path.with_name(f"{path.stem}-{table.name}.csv") for table in tables[1:])]
        for table, file in zip(tables, files, strict=True):
            file.write_bytes(_csv(table))
    except OSError as exc:
        raise InputError(f"{path}: cannot be written: {exc}") from exc
    return tuple(files)


def _csv(table: StatsTable) -> bytes:
    """UTF-8 with byte-order mark, so that Excel reads Chinese."""
    headings, rows = table.chinese()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    columns = [str(name) for name in table.frame.columns]
    writer.writerow(headings)
    for row in rows:
        written = [_written(name, value) for name, value in zip(columns, row, strict=True)]
        writer.writerow(["" if value is None else value for value in written])
    return text.getvalue().encode("utf-8-sig")


def _workbook(tables: Sequence[StatsTable], stamp: date, notes: Sequence[str]) -> bytes:
    workbook = Workbook()
    workbook.remove(workbook.active)
    for table in tables:
        _fill(workbook.create_sheet(table.title_zh), table)
    sheet = workbook.create_sheet("说明")
    for note in notes:
        sheet.append([note])
    buffer = io.BytesIO()
    workbook.save(buffer)
    return freeze_zip(buffer.getvalue(), datetime(stamp.year, stamp.month, stamp.day))


def _fill(sheet: Worksheet, table: StatsTable) -> None:
    headings, rows = table.chinese()
    sheet.append(headings)
    for row in rows:
        sheet.append(row)
    for k, name in enumerate(table.frame.columns, start=1):
        if (digits := _digits(str(name))) is not None:
            for (cell,) in sheet.iter_rows(min_row=2, min_col=k, max_col=k):
                cell.number_format = f"0.{'0' * digits}"
    for cell in sheet[1]:
        cell.font = Font(bold=True)
        cell.fill = PatternFill("solid", fgColor="DDE8F2")
        cell.alignment = Alignment(wrap_text=True, vertical="center")
    for k, heading in enumerate(headings, start=1):
        longest = max([_width(heading) // 2, *(_width(str(row[k - 1])) for row in rows[:200])])
        sheet.column_dimensions[get_column_letter(k)].width = min(max(longest, 8), 32) + 2
    sheet.row_dimensions[1].height = 32
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"


def _concentration_zh(column: str) -> str:
    """``pm25`` → PM₂.₅（μg/m³）, ``pm25_mean``, ``o3_mda8_p90``; anything else as it is."""
    for target in sorted(Target, key=len, reverse=True):
        rest = column.removeprefix(target.value)
        if rest != column and (not rest or rest in ("_mean", "_valid") or rest.startswith("_p")):
            unit = "mg/m³" if target is Target.CO else "μg/m³"
            if rest == "_valid":
                return f"{target.info.name_zh}有效性"
            kind = {"": "", "_mean": "平均"}.get(rest, f"第{rest[2:]}百分位数")
            return f"{target.info.name_zh}{kind}（{unit}）"
    return "O₃（μg/m³）" if column == Pollutant.O3 else column


def _in_chinese(column: str, value: object) -> object:
    if value is None:
        return None
    if isinstance(value, bool):
        return _VALID[value]
    if column == "events":
        return _EVENTS[str(value)]
    if column == "target":
        return Target(str(value)).info.name_zh
    if column in ("main_pollutant", "event"):
        return "、".join(Pollutant(name).name_zh for name in str(value).split(",") if name)
    return value


def _digits(column: str) -> int | None:
    """Decimals that every figure of a column is printed with; None where it is printed as it is."""
    if column.startswith("composite_index") or column.endswith("_multiple"):
        return 1 if column.endswith("_percent") else 2
    if column.endswith("_percent") or "ratio" in column:
        return 1
    return 1 if column == Target.CO or column.startswith("co_p") else None


def _written(column: str, value: object) -> object:
    """A figure with all its decimals as text; anything else as it is."""
    digits = _digits(column)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:.{digits}f}" if number and digits is not None else value


def _plain(value: Any) -> Any:
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d")
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    if hasattr(value, "item"):
        return _plain(value.item())
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _shown(value: object) -> str:
    if value is None or value == "":
        return "-"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _width(text: str) -> int:
    """Columns that a text takes on a terminal; Chinese takes two each."""
    return sum(2 if ord(letter) >= 0x2E80 else 1 for letter in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
