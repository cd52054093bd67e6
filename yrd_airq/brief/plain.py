"""A document as Markdown, for mail and version control: text, tables, and figures as pictures beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from yrd_airq.brief.blocks import Block, Box, Bullets, Figure, Outline, Paragraph, Table


def write_plain(outline: Outline, path: Path, figures: str = "figures") -> None:
    """Write ``path``; pictures are referred to in the folder ``figures`` beside it."""
    lines = [f"# {outline.title}", "", outline.subtitle, ""]
    if outline.label:
        lines += [f"**{outline.label}**", ""]
    lines += [*(f"- {name}：{text}" for name, text in outline.masthead), ""]
    for section in (*outline.sections, *outline.annexes):
        lines += [f"## {section.heading}", ""]
        for block in section.blocks:
            lines += [*_lines(block, figures), ""]
    if outline.footer:
        lines += [outline.footer, ""]
    path.write_text("\n".join(lines), encoding="utf-8")


def _lines(block: Block, figures: str) -> Iterator[str]:
    if isinstance(block, Table):
        yield from (f"**{block.number}　{block.caption}**", "")
        yield from (_row(tuple(c.heading for c in block.columns)), _row(("---",) * len(block.columns)))
        yield from (_row(tuple(cell.text for cell in cells)) for cells in block.rows)
        if block.note:
            yield from ("", block.note)
    elif isinstance(block, Figure):
        yield f"![{block.number}　{block.caption}]({figures}/{block.key}.png)"
    elif isinstance(block, Bullets):
        yield from (f"- {item}" for item in block.items)
    elif isinstance(block, Box):
        yield block.text
        yield from (f"- {part.label_zh}：{part.value_zh}" for part in block.figures)
    elif isinstance(block, Paragraph):
        yield block.text


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(text.replace("|", "\\|").replace("\n", " ") for text in cells) + " |"
