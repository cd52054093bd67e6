"""From the content model to the printed page: which blocks stand where, with which number and heading.

A section that the run did not make is left out or says so in one sentence; no table is ever empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from yrd_airq.brief import (
    annexes,
    control_section,
    emergency_section,
    forecast_section,
    sections,
    version_section,
)
from yrd_airq.brief.blocks import Block, Figure, Outline, Section, Table
from yrd_airq.brief.content import Brief

_ORDINALS = "一二三四五六七八九十"


@dataclass
class Numbering:
    """Hands out 图1, 图2 … and 表1, 表2 … in order of appearance; annex tables are 附表."""

    tables: int = 0
    figures: int = 0
    annex_tables: int = 0

    def table(self) -> str:
        """Number of the next table of the body."""
        self.tables += 1
        return f"表{self.tables}"

    def annex_table(self) -> str:
        """Number of the next table of the annexes."""
        self.annex_tables += 1
        return f"附表{self.annex_tables}"

    def figure(self) -> str:
        """Number of the next figure."""
        self.figures += 1
        return f"图{self.figures}"


def label_of(brief: Brief) -> str:
    """What every page has to say about this brief: 演练, 历史后报, or nothing."""
    return " · ".join(
        label for label, on in (("演练", brief.header.drill), ("历史后报", brief.header.hindcast)) if on
    )


def make_outline(brief: Brief) -> Outline:
    """The brief as blocks, ready for any renderer."""
    numbering = Numbering()
    parts: tuple[tuple[str, Callable[[Brief], Iterator[Block]]], ...] = (
        ("结论摘要", sections.conclusion),
        ("实况回顾", sections.observed),
        ("气象条件", sections.weather),
        ("预报结论", forecast_section.forecast),
        ("传输与来源", sections.origins),
        ("管控建议", control_section.control),
        ("清单版本与变动", version_section.versions),
        ("重污染天气应对", lambda brief: emergency_section.emergency(brief.emergency)),
        ("不确定性", sections.uncertainty),
        ("上期检验", sections.check),
    )
    body = _number_sections(brief, parts, numbering)
    appended = tuple(
        Section(
            f"附件{k}　{heading}", tuple(number_blocks(blocks, numbering.annex_table, numbering)), landscape
        )
        for k, (heading, landscape, blocks) in enumerate(annexes.all_annexes(brief), start=1)
    )
    header = brief.header
    stamp = header.issue_time
    return Outline(
        title=header.title_zh,
        subtitle=f"{header.number_zh}　　{stamp.year}年{stamp.month}月{stamp.day}日",
        label=label_of(brief),
        masthead=_masthead(brief),
        sections=body,
        annexes=appended,
        footer=_footer(brief),
    )


def _footer(brief: Brief) -> str:
    """Run, and for a list its version and whether anybody approved it."""
    version = brief.list_version
    run = f"运行编号 {brief.header.run_id}"
    return run if version is None else f"{run} · 清单第{version.list_version}版 · {version.state_zh}"


def _number_sections(
    brief: Brief,
    parts: tuple[tuple[str, Callable[[Brief], Iterator[Block]]], ...],
    numbering: Numbering,
) -> tuple[Section, ...]:
    made: list[Section] = []
    for heading, write in parts:
        blocks = tuple(number_blocks(write(brief), numbering.table, numbering))
        if blocks:
            made.append(Section(f"{_ORDINALS[len(made)]}、{heading}", blocks))
    return tuple(made)


def number_blocks(
    blocks: Iterator[Block], next_table: Callable[[], str], numbering: Numbering
) -> Iterator[Block]:
    """The blocks with numbers given to tables and figures."""
    for block in blocks:
        if isinstance(block, Table):
            yield block.numbered(next_table())
        elif isinstance(block, Figure):
            yield block.numbered(numbering.figure())
        else:
            yield block


def _masthead(brief: Brief) -> tuple[tuple[str, str], ...]:
    header = brief.header
    lines = [
        ("制作单位", header.maker_zh),
        ("起报时间", f"{header.issue_time:%Y-%m-%d %H:%M}"),
        ("数据截止", f"{header.data_cutoff:%Y-%m-%d %H:%M}"),
        ("签发人", header.signer_zh or "＿＿＿＿＿＿"),
    ]
    if brief.occasion is not None:
        occasion = brief.occasion
        period = f"{occasion.start:%Y-%m-%d} 至 {occasion.end:%Y-%m-%d}"
        lines[:0] = [("保障活动", occasion.name_zh), ("保障时段", f"{period}（{occasion.venue_zh}）")]
    return tuple(lines)
