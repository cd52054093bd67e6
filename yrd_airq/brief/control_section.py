"""The control section of the brief as blocks: requirement, loads, first rows of the list, alternatives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from yrd_airq.brief.blocks import Block, Bullets, Cell, Paragraph, Table, make_columns
from yrd_airq.brief.content import Brief
from yrd_airq.brief.content_sources import CityLoad, Control, ListRow, Requirement
from yrd_airq.brief.typography import MISSING, number, percent
from yrd_airq.brief.wording import date_zh
from yrd_airq.vocab import Target

LISTED_IN_BODY = 10
CITIES_IN_BODY = 8
NOTES_IN_BODY = 4  # the rest stands in the last annex
_LOADS = ("nox_kgd", "voc_kgd", "pm_kgd", "so2_kgd")


def control(brief: Brief) -> Iterator[Block]:
    """The plan in short; one sentence where an event run has none."""
    part = brief.control
    if part is None:
        if brief.occasion is not None:
            yield Paragraph("本期未生成管控方案。")
        return
    yield Paragraph(part.text_zh)
    if part.requirements:
        yield _requirement_table(part)
    if part.loads:
        yield _load_table(part.loads)
    if part.selected:
        yield _top_table(part)
    if part.alternatives:
        yield _alternative_table(part)
    if part.notes_zh:
        yield Bullets(part.notes_zh[:NOTES_IN_BODY])


def _requirement_table(part: Control) -> Table:
    headings = ("城市", "日期", "项目", "无管控预报", "目标", "需削减", "可削减", "缺口")
    chances = any(row.chance_without is not None for row in part.requirements)
    rows = tuple(
        (
            Cell(row.city_zh),
            Cell(date_zh(row.date)),
            Cell(row.target.info.name_zh),
            Cell(number(row.forecast)),
            Cell(number(row.goal)),
            Cell(number(row.required, 1)),
            Cell(number(row.achieved, 1)),
            Cell(number(row.shortfall, 1) if row.has_shortfall else "无"),
            *((_chance_cell(row),) if chances else ()),
        )
        for row in part.requirements
    )
    columns = make_columns(
        *((heading, 1.0) for heading in headings), *((("超标概率", 1.3),) if chances else ())
    )
    note = "单位：μg/m³；预报取保障目标对应的分位值。"
    if chances:
        note += "超标概率为无管控与按方案管控后超过目标的概率。"
    return Table("浓度削减需求与方案效果", columns, rows, note)


def _chance_cell(row: Requirement) -> Cell:
    if row.chance_without is None or row.chance_with is None:
        return Cell(MISSING)
    return Cell(f"{percent(row.chance_without)}→{percent(row.chance_with)}")


def _load_table(loads: Sequence[CityLoad]) -> Table:
    """Reductions by city; beyond the first cities the rest is summed."""
    columns = make_columns(
        ("城市", 1.2),
        ("企业数（家）", 1.0),
        ("NOx", 1.0, "right"),
        ("VOCs", 1.0, "right"),
        ("颗粒物", 1.0, "right"),
        ("SO₂", 1.0, "right"),
    )
    shown = list(loads) if len(loads) <= CITIES_IN_BODY + 1 else list(loads[:CITIES_IN_BODY])
    rest = loads[len(shown) :]
    rows = [_load_cells(load.city_zh, [load]) for load in shown]
    if rest:
        rows.append(_load_cells(f"其余{len(rest)}市", rest))
    rows.append(_load_cells("合计", loads))
    return Table("分城市减排量", columns, tuple(rows), "单位：t/d。")


def _load_cells(name: str, loads: Sequence[CityLoad]) -> tuple[Cell, ...]:
    sums = [sum(getattr(load, field) for load in loads) / 1000 for field in _LOADS]
    return (
        Cell(name),
        Cell(str(sum(load.enterprises for load in loads))),
        *(Cell(number(x, 2)) for x in sums),
    )


def _top_table(part: Control) -> Table:
    columns = make_columns(
        ("序号", 0.5),
        ("企业名称", 3.0, "left"),
        ("城市", 0.8),
        ("分区", 0.8),
        ("绩效", 0.6),
        ("措施", 1.8, "left"),
        ("O₃-8h↓", 0.8),
        ("PM₂.₅↓", 0.8),
    )
    shown = part.selected[:LISTED_IN_BODY]
    rows = tuple(
        (
            Cell(MISSING if row.rank is None else str(row.rank)),
            Cell(row.name_zh),
            Cell(row.city_zh),
            Cell(row.zone or MISSING),
            Cell(row.grade or "未知"),
            Cell(row.measure_zh or MISSING),
            *benefit_cells(row),
        )
        for row in shown
    )
    note = f"↓为对受体城市的日浓度改善，μg/m³，负值表示不利。全部{len(part.selected)}家见附件1。"
    return Table(f"推荐次序居前的管控企业（前{len(shown)}家）", columns, rows, note)


def benefit_cells(row: ListRow) -> tuple[Cell, Cell]:
    """Expected fall of ozone and PM2.5 from one enterprise's measure."""
    return Cell(number(row.benefit_o3_ugm3, 3)), Cell(number(row.benefit_pm25_ugm3, 3))


def _alternative_table(part: Control) -> Table:
    targets = sorted({t for a in part.alternatives for t in a.benefits}, key=list(Target).index)
    columns = make_columns(
        ("方案", 2.4, "left"),
        ("企业数（家）", 1.0),
        ("负担指数", 0.9),
        *((f"{target.info.name_zh}改善", 1.1) for target in targets),
        ("未达标项", 0.9),
    )
    rows = tuple(
        (
            Cell(row.scenario_zh),
            Cell(str(row.enterprises)),
            Cell(number(row.cost_index, 1)),
            *(Cell(number(row.benefits.get(target), 1)) for target in targets),
            Cell(MISSING if row.goals_missed is None else str(row.goals_missed)),
        )
        for row in part.alternatives
    )
    note = (
        "改善为受体城市日浓度平均下降，μg/m³；负担指数为管控期内相对经济负担；"
        "未达标项为仍超目标的城市·日·项目数。"
    )
    return Table("备选方案比较", columns, rows, note)
