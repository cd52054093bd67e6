"""The scoreboard as one self-contained page for forecasters, in the manner of the brief."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from yrd_airq.brief import scoreboard_sections as sections
from yrd_airq.brief import scoreboard_words as words
from yrd_airq.brief.blocks import Block, Figure, Outline, Section, Table
from yrd_airq.brief.outline import Numbering
from yrd_airq.brief.scoreboard_figures import draw_scoreboard
from yrd_airq.brief.settings import load_brief_settings
from yrd_airq.brief.web import write_page
from yrd_airq.region import load_region
from yrd_airq.verify.scoreboard import Scoreboard

_ORDINALS = "一二三四五六七八九十"


def write_scoreboard(board: Scoreboard, source_zh: str, path: Path) -> None:
    """Write the page ``path``; ``source_zh`` says where the forecasts and observations come from.

    Scores made with analysed or observed weather of the target days bear the label of a perfect
    prognosis. The same scores give the same bytes.
    """
    with tempfile.TemporaryDirectory() as name:
        figures = Path(name)
        draw_scoreboard(board, load_region(), figures)
        write_page(lay_out(board, source_zh), figures, path)


def lay_out(board: Scoreboard, source_zh: str) -> Outline:
    """The scoreboard as blocks."""
    body = {
        "检验结论": sections.conclusions(board),
        "误差与技巧": sections.errors(board),
        "与各方法的比较": sections.comparisons(board),
        "超标日预报": sections.exceedance(board),
        "区间与概率": sections.probability(board),
        "骤变与污染过程": sections.sudden(board),
        "AQI、级别与首要污染物": sections.official(board),
        "分季节与分级别": sections.seasons(board),
    }
    annexes = {"全部方法": sections.all_errors(board), "分城市": sections.cities(board, load_region())}
    numbering = Numbering()
    first, last = min(s.first for s in board.samples), max(s.last for s in board.samples)
    perfect = any(s.perfect_prognosis for s in board.samples)
    return Outline(
        title="空气质量预报检验记分牌",
        subtitle=f"{first}　至　{last}",
        label="完美预报检验" if perfect else "",
        masthead=_masthead(board, source_zh),
        sections=tuple(
            Section(f"{_ORDINALS[k]}、{heading}", _number(blocks, numbering, annex=False))
            for k, (heading, blocks) in enumerate(body.items())
        ),
        annexes=tuple(
            Section(f"附件{k}　{heading}", _number(blocks, numbering, annex=True), landscape=True)
            for k, (heading, blocks) in enumerate(annexes.items(), start=1)
        ),
        footer="评分只计各方法与实况齐全的城市日；无定义的评分记为“—”，不以零代替。",
    )


def _masthead(board: Scoreboard, source_zh: str) -> tuple[tuple[str, str], ...]:
    kinds = sorted({kind for s in board.samples for kind in s.weather})
    weather = "、".join(words.WEATHER_ZH.get(kind, kind) for kind in kinds) or "未使用目标日气象"
    leads = sorted({lead for s in board.samples for lead in s.leads})
    samples = "，".join(f"{s.target.info.name_zh}：{s.n}" for s in board.samples)
    return (
        ("制作单位", load_brief_settings().maker_zh),
        ("资料来源", source_zh),
        ("目标日气象", weather),
        ("预见期", f"{leads[0]}—{leads[-1]}天" if len(leads) > 1 else f"{leads[0]}天"),
        ("城市", f"{max(s.cities for s in board.samples)}个"),
        ("城市日样本", samples),
    )


def _number(blocks: Iterable[Block], numbering: Numbering, annex: bool) -> tuple[Block, ...]:
    done: list[Block] = []
    for block in blocks:
        if isinstance(block, Table):
            done.append(block.numbered(numbering.annex_table() if annex else numbering.table()))
        elif isinstance(block, Figure):
            done.append(block.numbered(numbering.figure()))
        else:
            done.append(block)
    return tuple(done)
