"""The annexes of the brief: enterprise list, exempt enterprises, all cities, methods and lineage."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime

from yrd_airq.brief.blocks import Block, Bullets, Cell, Paragraph, Table, make_columns
from yrd_airq.brief.content import Brief, InputUsed
from yrd_airq.brief.content_sources import Control, ListRow
from yrd_airq.brief.control_section import NOTES_IN_BODY, benefit_cells
from yrd_airq.brief.forecast_section import forecast_matrix
from yrd_airq.brief.sections import observed_table
from yrd_airq.brief.typography import MISSING, grouped, number, percent

Annex = tuple[str, bool, Iterator[Block]]


def all_annexes(brief: Brief) -> Iterator[Annex]:
    """Heading, landscape or not, and blocks of every annex that has something to show."""
    control = brief.control
    if control is not None and control.selected:
        yield "管控企业清单", True, _control_list(control)
    if control is not None and control.unselected:
        yield "豁免、自主减排及备选企业", True, _unselected_list(control)
    if brief.occasion is not None:
        yield "各市空气质量预报与实况", False, _all_cities(brief)
    yield "方法与数据溯源", False, _lineage(brief)


def _control_list(part: Control) -> Iterator[Block]:
    columns = make_columns(
        ("序号", 0.45),
        ("企业名称", 2.4, "left"),
        ("城市", 0.75),
        ("行业", 0.9),
        ("绩效", 0.5),
        ("分区", 0.75),
        ("措施", 2.0, "left"),
        ("起止", 0.95),
        ("NOx", 0.65, "right"),
        ("VOCs", 0.65, "right"),
        ("颗粒物", 0.65, "right"),
        ("SO₂", 0.65, "right"),
        ("O₃-8h↓", 0.7, "right"),
        ("PM₂.₅↓", 0.7, "right"),
        ("稳定度", 0.65, "right"),
        ("理由", 5.0, "left"),
    )
    note = (
        "NOx、VOCs、颗粒物、SO₂为减排量，kg/d；↓为对受体城市的日浓度改善，μg/m³，负值表示不利；"
        f"稳定度为轨迹集合中该企业影响居前的成员比例；{MISSING}为未知。"
    )
    rows = tuple(_list_cells(row) for row in part.selected)
    yield Table("管控企业清单", columns, rows, note, searchable=True, dense=True, remark_below=True)


def _list_cells(row: ListRow) -> tuple[Cell, ...]:
    loads = (row.reduction_nox_kgd, row.reduction_voc_kgd, row.reduction_pm_kgd, row.reduction_so2_kgd)
    return (
        Cell(MISSING if row.rank is None else str(row.rank)),
        Cell(row.name_zh),
        Cell(row.city_zh),
        Cell(row.sector),
        Cell(row.grade or "未知"),
        Cell(row.zone or MISSING),
        Cell(row.measure_zh or MISSING),
        Cell(f"{short_time(row.start)}至{short_time(row.end)}" if row.start else MISSING),
        *(Cell(grouped(load)) for load in loads),
        *benefit_cells(row),
        Cell(percent(row.stability)),
        Cell(row.reason_zh),
    )


def short_time(text: str | None) -> str:
    """An ISO date or time as ``9/3`` or ``9/3 18时``; anything else as it is."""
    if not text:
        return MISSING
    try:
        stamp = datetime.fromisoformat(text)
    except ValueError:
        return text
    day = f"{stamp.month}/{stamp.day}"
    return day if len(text) <= len("2016-09-03") else f"{day} {stamp.hour}时"


def _unselected_list(part: Control) -> Iterator[Block]:
    columns = make_columns(
        ("企业名称", 2.4, "left"),
        ("城市", 0.75),
        ("行业", 0.9),
        ("绩效", 0.5),
        ("分区", 0.75),
        ("处理", 0.9),
        ("理由", 5.0, "left"),
    )
    rows = tuple(
        (
            Cell(row.name_zh),
            Cell(row.city_zh),
            Cell(row.sector),
            Cell(row.grade or "未知"),
            Cell(row.zone or MISSING),
            Cell(row.status_zh),
            Cell(row.reason_zh),
        )
        for row in part.unselected
    )
    yield Table("未列入强制管控的企业", columns, rows, searchable=True, dense=True)


def _all_cities(brief: Brief) -> Iterator[Block]:
    yield forecast_matrix(brief.forecast)
    if brief.observed is not None:
        yield observed_table(brief.observed)


def _lineage(brief: Brief) -> Iterator[Block]:
    lineage = brief.lineage
    if lineage.methods_zh:
        yield Bullets(lineage.methods_zh)
    run = brief.header.run_id
    yield Paragraph(f"运行编号：{run}；程序版本：{lineage.code_version}；配置摘要：{lineage.settings_hash}。")
    if lineage.models:
        yield _model_table(brief)
    if lineage.inputs:
        yield _input_table(brief)
    rest = brief.control.notes_zh[NOTES_IN_BODY:] if brief.control is not None else ()
    if rest or brief.notes_zh:
        yield Bullets((*rest, *brief.notes_zh))


def _model_table(brief: Brief) -> Table:
    columns = make_columns(
        ("项目", 0.8), ("模型版本", 2.2, "left"), ("训练资料截至", 1.0), ("说明", 2.4, "left")
    )
    rows = tuple(
        (
            Cell(model.target.info.name_zh),
            Cell(model.version),
            Cell(f"{model.trained_until:%Y-%m-%d}" if model.trained_until else MISSING),
            Cell(model.note_zh or MISSING),
        )
        for model in brief.lineage.models
    )
    return Table("预报模型", columns, rows)


def _input_table(brief: Brief) -> Table:
    """One line per kind of input: the files are too many to print, ``pack.json`` has them all."""
    columns = make_columns(
        ("资料", 1.0),
        ("文件", 2.2, "left"),
        ("文件数", 0.6, "right"),
        ("行数", 0.9, "right"),
        ("内容摘要（SHA-256前16位）", 1.6),
    )
    kinds: dict[str, list[InputUsed]] = {}
    for used in brief.lineage.inputs:
        kinds.setdefault(used.kind_zh, []).append(used)
    rows = tuple(
        (
            Cell(kind),
            Cell(files[0].name if len(files) == 1 else f"{files[0].name} 等"),
            Cell(number(len(files))),
            Cell(number(sum(file.rows for file in files))),
            Cell(_joint_hash(files)[:16]),
        )
        for kind, files in kinds.items()
    )
    note = "多个文件的摘要为各文件摘要排序后的联合摘要；逐个文件的摘要见随附的内容模型文件（pack.json）。"
    return Table("输入数据", columns, rows, note)


def _joint_hash(files: list[InputUsed]) -> str:
    """Hash of one file, or of the sorted hashes of several."""
    if len(files) == 1:
        return files[0].content_hash
    return hashlib.sha256("".join(sorted(file.content_hash for file in files)).encode()).hexdigest()
